//! Who may import whom. The arrows of ARCHITECTURE.md, held against `cargo metadata`.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Package → the packages of ours that it may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("signpost-models", &[]),
    ("signpost-boards", &["signpost-models"]),
    ("signpost-edge", &["signpost-models", "signpost-boards", "signpost-journal"]),
    ("signpost-fleet", &["signpost-models", "signpost-boards"]),
    ("signpost-journal", &[]),
    ("signpost-host", &["signpost-models"]),
    ("signpost-xtask", &["signpost-models", "signpost-boards"]),
    ("signpost-rig-guest", &[]),
    (
        "signpost-tests",
        &[
            "signpost-models",
            "signpost-boards",
            "signpost-edge",
            "signpost-fleet",
            "signpost-host",
            "signpost-journal",
        ],
    ),
];

/// Package → what it must know nothing of.
const IGNORANT: &[(&str, &[&str])] = &[
    ("signpost-models", &["tract-onnx", "ort", "v4l", "burn"]),
    ("signpost-boards", &["tract-onnx", "ort", "v4l", "burn"]),
    // What talks to a network is a program of its own.
    ("signpost-edge", &["burn", "hawkbit", "rumqttc", "tokio"]),
    ("signpost-fleet", &["tract-onnx", "ort", "v4l", "burn"]),
    ("signpost-host", &["v4l", "embedded-graphics", "winit"]),
    ("signpost-xtask", &["tract-onnx", "ort", "v4l", "burn"]),
];

#[test]
fn arrows_point_one_way() {
    let metadata = MetadataCommand::new().no_deps().other_options(["--offline".into()]).exec().unwrap();
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    let listed: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(ours, listed, "every crate of the workspace stands in ARROWS");

    for package in &metadata.packages {
        let row = |table: &'static [(&str, &[&str])]| {
            table.iter().find(|(name, _)| *name == package.name.as_str()).map_or(&[][..], |(_, names)| *names)
        };
        // A build script's dependencies are built for the product as well; those of tests are not.
        for dependency in package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development) {
            let name = dependency.name.as_str();
            assert!(
                !ours.contains(name) || row(ARROWS).contains(&name),
                "{} may not import {name}",
                package.name
            );
            assert!(!row(IGNORANT).contains(&name), "{} must know nothing of {name}", package.name);
            // The serial port is a feature, for the two ends of the cable alone.
            let system = name == "rustix" && package.name == "signpost-models";
            assert!(!system || dependency.optional, "models asks nothing of the system unless it is told to");
        }
    }
}
