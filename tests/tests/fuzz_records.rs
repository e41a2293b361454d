//! No bytes of a model's manifest or of the store's record make their readers panic, hang or believe nonsense.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::Path;

use models::manifest::{MANIFEST, Model, NETWORK, sha256};
use models::store::{RECORD, Store};
use tests::fuzz::{Random, rounds};

/// What stands in for the network: a manifest is checked against any bytes.
const BYTES: &[u8] = b"network";

/// A manifest that ships, made out to describe [`BYTES`].
fn manifest() -> Vec<u8> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/weights/asl-letters");
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(shipped.join(MANIFEST)).unwrap()).unwrap();
    manifest["sha256"] = sha256(BYTES).into();
    serde_json::to_vec(&manifest).unwrap()
}

/// Opens a model with that manifest: what opens keeps its promises, what does not says why in one sentence.
#[track_caller]
fn check_manifest(folder: &Path, bytes: &[u8]) -> bool {
    fs::write(folder.join(MANIFEST), bytes).unwrap();
    match Model::open(folder) {
        Ok(model) => {
            let manifest = &model.manifest;
            assert_eq!([manifest.frames, manifest.width], [model.features.frames(), model.features.width()]);
            assert!((1..=10_000).contains(&manifest.labels.len()));
            assert!((0.0..=1.0).contains(&manifest.threshold));
            let mut confidences: Vec<f32> = (0..manifest.labels.len()).map(|g| g as f32 - 3.0).collect();
            manifest.confidences(&mut confidences);
            let sum: f32 = confidences.iter().sum();
            assert!((sum - 1.0).abs() < 1e-3, "at temperature {} they sum to {sum}", manifest.temperature);
            true
        }
        Err(error) => {
            let said = error.to_string();
            assert_eq!(said.lines().count(), 1, "one sentence: {said}");
            false
        }
    }
}

#[test]
fn manifests_of_any_bytes_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(NETWORK), BYTES).unwrap();
    let seed = manifest();
    assert!(check_manifest(folder.path(), &seed), "the seed is whole");
    for length in 0..seed.len() {
        assert!(!check_manifest(folder.path(), &seed[..length]), "cut at {length}");
    }
    let mut bytes = seed.clone();
    for at in 0..seed.len() {
        // Another digit or letter, a sign, the end of a text, an opening bracket, no text at all.
        for value in [seed[at] ^ 1, b'9', b'-', b'e', b'"', b'[', 0xff] {
            bytes[at] = value;
            check_manifest(folder.path(), &bytes);
        }
        bytes[at] = seed[at];
    }
    let mut random = Random(3);
    for _ in 0..rounds() {
        check_manifest(folder.path(), &random.mutate(&seed, b"-1e39,null,[[[[{\"a\":1e999}]]]],NaN"));
    }
    check_manifest(folder.path(), &vec![b'['; 1 << 19]);
}

#[test]
fn records_of_any_bytes_are_read_or_left() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path());
    let (record, network) = (folder.path().join(RECORD), store.network("a"));
    let seed = br#"{"format":1,"wheels":{"w":{"version":"1","licence":"MIT","recipe":"12","converter":1,
        "files":{"networks/a.onnx":{"sha256":"12ab","bytes":3},"bin/ffmpeg":{"sha256":"cd","bytes":4}}}}}"#;
    let said = |bytes: &[u8]| {
        fs::write(&record, bytes).unwrap();
        store.recorded_sha256(&network)
    };
    assert_eq!(said(seed).as_deref(), Some("12ab"));
    for length in 0..seed.len() {
        assert_eq!(said(&seed[..length]), None, "cut at {length}");
    }
    let mut bytes = seed.to_vec();
    for at in 0..seed.len() {
        for value in [seed[at] ^ 1, b'9', b'"', b'{', b'[', 0xff] {
            bytes[at] = value;
            said(&bytes);
        }
        bytes[at] = seed[at];
    }
    let mut random = Random(4);
    for _ in 0..rounds() {
        said(&random.mutate(seed, br#"{"wheels":[null,{"files":{"networks/a.onnx":7}}]}"#));
    }
    assert_eq!(said(&vec![b'['; 1 << 20]), None, "very deep");
}

#[test]
fn a_record_too_large_to_be_one_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path());
    let file = fs::File::create(folder.path().join(RECORD)).unwrap();
    // A terabyte on paper; the disk holds nothing of it.
    file.set_len(1 << 40).unwrap();
    assert_eq!(store.recorded_sha256(&store.network("a")), None);
}
