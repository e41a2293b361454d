//! No picture and no answer of a network makes landmarks panic, or show what is no number.
//!
//! The networks are replaced by ones that answer anything: noise, far too large, infinite, not a number.
//! They lie in a store of the test's own and run on the real engine, so that all else is the product.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::path::Path;

use edge::camera::Frame;
use edge::engine::Backend;
use edge::stage::Stamp;
use edge::vision::{Holistic, LANDMARKS, Options, Smoothing};
use models::manifest::sha256;
use models::onnx::{Builder, Dim, Value};
use models::store::{RECORD, Store};
use serde_json::json;
use tests::fuzz::{Random, rounds};

/// The networks: name, side of the input, and the shapes of the outputs.
const NETWORKS: [(&str, usize, &[&[usize]]); 7] = [
    ("pose_detection", 224, &[&[1, 2254, 12], &[1, 2254, 1]]),
    ("pose_landmark_full", 256, &[&[1, 195], &[1, 1], &[1, 64, 64, 39], &[1, 117]]),
    ("palm_detection_full", 192, &[&[1, 2016, 18], &[1, 2016, 1]]),
    ("hand_recrop", 256, &[&[1, 4]]),
    ("hand_landmark_full", 224, &[&[1, 63], &[1, 1], &[1, 1], &[1, 63]]),
    ("face_detection_short_range", 128, &[&[1, 896, 16], &[1, 896, 1]]),
    ("face_landmark", 192, &[&[1, 1, 1, 1404], &[1, 1, 1, 1]]),
];
/// Frames of one sequence: enough to find, follow and lose.
const FRAMES: u64 = 6;

/// One value of a network that has gone wild.
fn wild(random: &mut Random, kind: usize) -> f32 {
    let unit = random.below(1 << 20) as f32 / (1 << 20) as f32 - 0.5;
    match kind {
        // As a network that works: places in its input, and logits.
        0 => unit * 256.0,
        1 => unit * 10.0,
        2 => unit * 1e9,
        3 => unit * 1e38,
        _ => match random.below(40) {
            0 => f32::NAN,
            1 => f32::INFINITY,
            2 => f32::NEG_INFINITY,
            _ => unit * 256.0,
        },
    }
}

/// Networks whose answers have nothing to do with the picture but its mean, so that they change.
fn store(folder: &Path, random: &mut Random) -> Store {
    let store = Store::at(folder);
    let mut files = serde_json::Map::new();
    std::fs::create_dir_all(store.network("x").parent().unwrap()).unwrap();
    for (name, side, outputs) in NETWORKS {
        let mut graph = Builder::new(name);
        graph.input("picture", &[1, side, side, 3].map(Dim::Fixed));
        graph.node("ReduceMean", &["picture"], &["mean"], vec![("keepdims", Value::Int(0))]);
        for (number, shape) in outputs.iter().enumerate() {
            let names = ["slope", "start", "moved", "out"].map(|part| format!("{part}{number}"));
            let [slope, start, moved, out] = names.each_ref().map(String::as_str);
            // Mostly sane, so that there is something to follow when another goes wild.
            let kind = [0, 0, 0, 1, 1, 1, 2, 3, 4, 4][random.below(10)];
            let count = shape.iter().product();
            // Presence is often sure, or nothing would ever be followed.
            let sure = count == 1 && random.below(2) == 0;
            let mut values =
                || -> Vec<f32> { (0..count).map(|_| if sure { 1.0 } else { wild(random, kind) }).collect() };
            graph.tensor_f32(slope, shape, &values());
            graph.tensor_f32(start, shape, &values());
            graph.node("Mul", &["mean", slope], &[moved], vec![]);
            graph.node("Add", &[moved, start], &[out], vec![]);
            graph.output(out, &shape.iter().map(|d| Dim::Fixed(*d)).collect::<Vec<_>>());
        }
        let bytes = graph.finish(&[]);
        let relative = store.network(name).strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        files.insert(relative, json!({ "sha256": sha256(&bytes), "bytes": bytes.len() }));
        std::fs::write(store.network(name), bytes).unwrap();
    }
    let record = json!({ "format": 1, "wheels": { "wild": { "files": files } } });
    std::fs::write(folder.join(RECORD), record.to_string()).unwrap();
    store
}

/// Sees a frame of noise; whatever is said to be seen must be a number.
#[track_caller]
fn check(vision: &mut Holistic, random: &mut Random, index: u64) {
    const SIZES: [[u32; 2]; 6] = [[1, 1], [1, 300], [300, 1], [64, 48], [31, 17], [320, 240]];
    let [width, height] = SIZES[random.below(SIZES.len())];
    let rgb = (0..width * height * 3).map(|_| random.below(256) as u8).collect();
    // Stamps that stand still, jump back and leap.
    let at = Stamp::from_micros([index * 40_000, 0, 1 << 50][random.below(3)]);
    let frame = Frame::new(at, width, height, rgb).unwrap();
    let pose = vision.see(&frame).unwrap();
    assert_eq!((pose.points.len(), pose.confidence.len()), (LANDMARKS, LANDMARKS));
    for (k, (point, confidence)) in pose.points.iter().zip(&pose.confidence).enumerate() {
        assert!((0.0..=1.0).contains(confidence), "landmark {k}: confidence {confidence}");
        assert!(point.iter().all(|v| v.is_finite()), "landmark {k} is at {point:?}");
        assert!(*confidence > 0.0 || *point == [0.0; 3], "landmark {k} was not seen: {point:?}");
    }
}

#[test]
fn whatever_networks_answer_is_seen_as_numbers_or_not_at_all() {
    let mut random = Random(7);
    let mut seen = 0;
    for round in 0..rounds().div_ceil(20) {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), &mut random);
        let options = Options {
            backends: vec![Backend::Tract],
            threads: 1 + random.below(2),
            smooth: [Smoothing::Off, Smoothing::Body, Smoothing::All][random.below(3)],
        };
        let mut vision = Holistic::open(&store, &options).unwrap_or_else(|e| panic!("round {round}: {e}"));
        for index in 0..FRAMES {
            check(&mut vision, &mut random, index);
            seen += usize::from(vision.hands().iter().any(Option::is_some));
        }
    }
    assert!(seen > 0, "networks that never say yes test nothing");
}

#[test]
fn noise_and_frames_of_any_size_are_seen_by_the_real_networks() {
    let test = "noise_and_frames_of_any_size_are_seen_by_the_real_networks";
    let Some(store) = tests::store(test) else { return };
    let mut vision = Holistic::open(&store, &Options::default()).unwrap();
    let mut random = Random(3);
    for index in 0..12 {
        check(&mut vision, &mut random, index);
    }
    // The largest that is taken in, and one more.
    let noise = |width: u32, height: u32| (0..width * height * 3).map(|i| (i * 37 % 251) as u8).collect();
    let frame = Frame::new(Stamp::default(), 7680, 4320, noise(7680, 4320)).unwrap();
    assert!(vision.see(&frame).is_ok());
    assert!(Frame::new(Stamp::default(), 7681, 4320, noise(7681, 4320)).is_err());
    assert!(Frame::new(Stamp::default(), 0, 4320, Vec::new()).is_err());
}
