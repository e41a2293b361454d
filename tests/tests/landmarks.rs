//! Landmarks of real clips against those that the networks' own authors publish with them.
//!
//! The limits are the authors' own: 20 px for the hand, 31 px for the body, in the mean.

use std::path::Path;

use edge::camera;
use edge::vision::{Holistic, Options};
use models::pose::Pose;
use models::store::Store;

/// The body, then both hands, in the holistic layout.
const BODY: std::ops::Range<usize> = 0..33;
const HANDS: [std::ops::Range<usize>; 2] = [501..522, 522..543];

/// The poses of a clip, or `None` where the store has no networks.
fn poses(test: &str, clip: &Path) -> Option<Vec<Pose>> {
    let store = Store::locate().filter(|s| edge::vision::NETWORKS.iter().all(|n| s.network(n).is_file()));
    let Some(store) = store else {
        eprintln!("{test} skips: the store holds no networks (cargo xtask setup)");
        return None;
    };
    if edge::ffmpeg::program().is_err() {
        eprintln!("{test} skips: no ffmpeg (cargo xtask setup)");
        return None;
    }
    let mut vision = Holistic::open(&store, &Options::default()).unwrap();
    eprintln!("{test}: {}", vision.describe());
    let mut clip = camera::open(clip.to_str().unwrap()).unwrap();
    let mut poses = Vec::new();
    while let Some(frame) = clip.next().unwrap() {
        poses.push(vision.see(&frame).unwrap());
    }
    assert_eq!(Some(poses.len() as u64), clip.frames(), "every frame gives a pose");
    Some(poses)
}

/// `[T][K]` of x, y, z in pixels.
fn reference(path: &Path) -> Vec<Vec<[f32; 3]>> {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Mean distance to the reference in the picture, over all frames where the landmarks were seen.
fn mean_distance(poses: &[Pose], points: &std::ops::Range<usize>, reference: &[Vec<[f32; 3]>]) -> (f32, usize) {
    let mut sum = 0.0;
    let mut frames = 0;
    for (pose, expect) in poses.iter().zip(reference) {
        if points.clone().any(|k| pose.seen(k).is_none()) {
            continue;
        }
        frames += 1;
        let away = |(k, e): (usize, &[f32; 3])| (pose.points[k][0] - e[0]).hypot(pose.points[k][1] - e[1]);
        sum += points.clone().zip(expect).map(away).sum::<f32>() / points.len() as f32;
    }
    (sum / frames.max(1) as f32, frames)
}

#[test]
fn the_hand_of_a_close_up_lies_within_20_px() {
    let test = "the_hand_of_a_close_up_lies_within_20_px";
    let Some(dir) = tests::data(test).map(|d| d.join("oracle/tfjs")) else { return };
    let Some(poses) = poses(test, &dir.join("asl_hand.25fps.mp4")) else { return };
    let reference = reference(&dir.join("asl_hand.full.json"));
    assert_eq!(poses.len(), reference.len());
    // It is one hand: the side where it is seen most is it.
    let [left, right] = HANDS.map(|hand| mean_distance(&poses, &hand, &reference));
    let (mean, frames) = if left.1 > right.1 { left } else { right };
    eprintln!("{test}: {mean:.2} px over {frames} of {} frames", poses.len());
    assert!(frames * 100 >= poses.len() * 97, "the hand was seen in {frames} of {} frames", poses.len());
    assert!(mean <= 20.0, "{mean} px");
}

#[test]
fn the_body_of_squats_lies_within_31_px() {
    let test = "the_body_of_squats_lies_within_31_px";
    let Some(dir) = tests::data(test).map(|d| d.join("oracle/tfjs")) else { return };
    let Some(poses) = poses(test, &dir.join("pose_squats.mp4")) else { return };
    let reference = reference(&dir.join("pose_squats.full.json"));
    assert_eq!(poses.len(), reference.len());
    let (mean, frames) = mean_distance(&poses, &BODY, &reference);
    eprintln!("{test}: {mean:.2} px over {frames} of {} frames", poses.len());
    assert_eq!(frames, poses.len(), "the body is in every frame");
    assert!(mean <= 31.0, "{mean} px");
}
