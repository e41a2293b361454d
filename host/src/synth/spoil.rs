//! What landmark networks do to a signer: noise, jitter, hands lost or taken for the other, bodies unseen.
//!
//! Losses were counted in the data sets that recipes use (MediaPipe Holistic on webcams; `ksl13`,
//! `asl_traduttore_words`, `asl11_tamtridung`, 126 818 frames of hands that take part, at a nominal 20 a
//! second) by `tests/parity/losses/measure.py`. From one frame to the next a hand that moves below one
//! shoulder width a second is lost in 0.3 to 1.5 % of frames, a faster one in 1.0 to 3.8 %, one that is nearer
//! than 0.3 widths to the other hand in 3.8 to 4.6 %. Half of the losses last one frame, the mean is 1.6 to
//! 1.7 frames, one in a hundred 7 to 10. `signpost landmarks` on four videos of WLASL lost 6 of 209 frames
//! between a hand's first and last, in stretches of 1 and 5.

use std::ops::Range;

use models::pose::Pose;
use rand::Rng;
use rand::rngs::StdRng;

use super::camera::{inside, leaves};
use crate::data::augment::{chance, normal};

/// Where the parts stand in the layout of body and hands.
const BODY: Range<usize> = 0..33;
const HEAD: Range<usize> = 0..11;
const SHOULDERS: [usize; 2] = [11, 12];
const HANDS: [Range<usize>; 2] = [33..54, 54..75];

/// Losses a second: of a hand that is slow, that is fast, and that is near the other.
const SLOW_LOST: f64 = 0.2;
const FAST_LOST: f64 = 0.5;
const NEAR_LOST: f64 = 0.85;
/// Slower is slow, in shoulder widths a second; nearer is near, in shoulder widths.
const SLOW: f32 = 1.0;
const NEAR: f32 = 0.3;
/// The mean length of most losses, in seconds, and of the few long ones.
const SHORT_S: f64 = 0.07;
const LONG_S: f64 = 0.35;
/// Share of losses that are long.
const LONG: f32 = 0.05;
/// Losses of a sequence beside the usual, as a deviation of the logarithm: light and clothes differ.
const LIGHT: f32 = 0.7;
/// Shares of sequences: without a body, without a head, with hands in the wrong slots now and then.
const NO_BODY: f32 = 0.04;
const NO_HEAD: f32 = 0.08;
const SWAPPED: f32 = 0.06;

/// Spoils the poses `[T]` of body and hands that were taken at `stamps`, in seconds.
pub(super) fn spoil(poses: &mut [Pose], stamps: &[f64], rng: &mut StdRng) {
    let lost = losses(poses, stamps, rng);
    noise(poses, rng);
    for (pose, lost) in poses.iter_mut().zip(&lost) {
        for (side, hand) in HANDS.into_iter().enumerate() {
            if lost[side] || leaves(pose, hand.clone()) {
                pose.confidence[hand].fill(0.0);
            }
        }
    }
    if chance(rng, SWAPPED) {
        swap(poses, rng);
    }
    sight(poses, rng);
}

/// Which hands are lost: `[T]` of left, right.
fn losses(poses: &[Pose], stamps: &[f64], rng: &mut StdRng) -> Vec<[bool; 2]> {
    let light = f64::from((normal(rng) * LIGHT).exp());
    let mut until = [f64::NEG_INFINITY; 2];
    let mut lost = vec![[false; 2]; poses.len()];
    for t in 1..poses.len() {
        let (before, now) = (&poses[t - 1], &poses[t]);
        let elapsed = stamps[t] - stamps[t - 1];
        let apart = |a: [f32; 3], b: [f32; 3]| (a[0] - b[0]).hypot(a[1] - b[1]);
        let width = apart(now.points[SHOULDERS[0]], now.points[SHOULDERS[1]]).max(1.0);
        let wrists = HANDS.map(|hand| hand.start);
        let both = wrists.iter().all(|&k| now.seen(k).is_some());
        let near = both && apart(now.points[wrists[0]], now.points[wrists[1]]) < NEAR * width;
        for (side, &k) in wrists.iter().enumerate() {
            let moved = apart(now.points[k], before.points[k]);
            let fast = before.seen(k).is_some() && moved > SLOW * width * elapsed as f32;
            let rate = if near {
                NEAR_LOST
            } else if fast {
                FAST_LOST
            } else {
                SLOW_LOST
            };
            if stamps[t] >= until[side] && chance(rng, (rate * light * elapsed) as f32) {
                let mean = if chance(rng, LONG) { LONG_S } else { SHORT_S };
                until[side] = stamps[t] - mean * f64::from(1.0 - rng.random::<f32>()).ln();
            }
            lost[t][side] = stamps[t] < until[side];
        }
    }
    lost
}

/// Noise of each landmark in sizes of its hand, part of it the same all the time.
fn noise(poses: &mut [Pose], rng: &mut StdRng) {
    let (steady, quick) = (rng.random_range(0.0..0.03_f32), rng.random_range(0.0..0.012_f32));
    let bias: Vec<[f32; 3]> =
        (0..HANDS[1].end).map(|_| std::array::from_fn(|_| normal(rng) * steady)).collect();
    for pose in poses {
        let width = (pose.points[SHOULDERS[0]][0] - pose.points[SHOULDERS[1]][0]).abs();
        let parts = [(BODY, 0.25 * width), (HANDS[0].clone(), 0.0), (HANDS[1].clone(), 0.0)];
        for (part, mut size) in parts {
            if size == 0.0 {
                let (wrist, knuckle) = (pose.points[part.start], pose.points[part.start + 9]);
                size = (knuckle[0] - wrist[0]).hypot(knuckle[1] - wrist[1]).max(0.1 * width);
            }
            for k in part {
                if pose.confidence[k] > 0.0 {
                    // A camera without depth gives none at all; a little would be taken for another unit.
                    let axes = if pose.points[k][2] == 0.0 { 2 } else { 3 };
                    for (i, v) in pose.points[k].iter_mut().enumerate().take(axes) {
                        *v += (bias[k][i] + normal(rng) * quick) * size;
                    }
                }
            }
        }
    }
}

/// For a few frames hands stand in each other's slots.
fn swap(poses: &mut [Pose], rng: &mut StdRng) {
    for _ in 0..rng.random_range(1..4) {
        let from = rng.random_range(0..poses.len());
        for pose in poses.iter_mut().skip(from).take(rng.random_range(1..7)) {
            for (left, right) in HANDS[0].clone().zip(HANDS[1].clone()) {
                pose.points.swap(left, right);
                pose.confidence.swap(left, right);
            }
        }
    }
}

/// How sure the networks are: of the body by its place in the picture, of hands that are seen always.
fn sight(poses: &mut [Pose], rng: &mut StdRng) {
    let (body, hand) = (rng.random_range(0.55..1.0), rng.random_range(0.7..1.0));
    let (no_body, no_head) = (chance(rng, NO_BODY), chance(rng, NO_HEAD));
    for pose in poses {
        for k in BODY {
            if pose.confidence[k] == 0.0 {
                continue;
            }
            // Where it lies outside of the picture a landmark is guessed, and said with little confidence.
            let seen = if inside(pose.points[k]) { body } else { 0.1 };
            let unseen = no_body || (no_head && HEAD.contains(&k));
            pose.confidence[k] = if unseen { 0.0 } else { seen };
        }
        for k in HANDS.into_iter().flatten() {
            pose.confidence[k] = if pose.confidence[k] > 0.0 { hand } else { 0.0 };
        }
        for (point, confidence) in pose.points.iter_mut().zip(&pose.confidence) {
            if *confidence == 0.0 {
                *point = [0.0; 3];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// How often hands are lost, and how long the mean loss lasts in seconds, at 25 frames a second.
    fn measured(speed: f32, apart: f32) -> (f64, f64) {
        let (mut starts, mut frames, mut gone) = (0, 0, 0);
        for seed in 0..200 {
            let poses: Vec<Pose> = (0..250)
                .map(|t| {
                    let mut pose = Pose { points: vec![[320.0, 200.0, 0.0]; 75], confidence: vec![1.0; 75] };
                    pose.points[11][0] = 370.0;
                    pose.points[12][0] = 270.0;
                    let swing = if t % 2 == 0 { speed * 100.0 / 25.0 } else { 0.0 };
                    HANDS[0].clone().for_each(|k| pose.points[k] = [320.0 + swing, 300.0, 0.0]);
                    HANDS[1]
                        .clone()
                        .for_each(|k| pose.points[k] = [320.0 + swing + apart * 100.0, 300.0, 0.0]);
                    pose
                })
                .collect();
            let stamps: Vec<f64> = (0..250).map(|t| f64::from(t) / 25.0).collect();
            let lost = losses(&poses, &stamps, &mut StdRng::seed_from_u64(seed));
            for side in 0..2 {
                starts += lost.windows(2).filter(|w| !w[0][side] && w[1][side]).count();
                gone += lost.iter().filter(|l| l[side]).count();
                frames += lost.len();
            }
        }
        (starts as f64 / (frames as f64 / 25.0), gone as f64 / starts as f64 / 25.0)
    }

    #[test]
    fn hands_are_lost_as_often_and_as_long_as_in_recordings() {
        let (slow, fast, near) = (measured(0.2, 1.0), measured(3.0, 1.0), measured(0.2, 0.1));
        assert!((0.06..0.35).contains(&slow.0), "{slow:?}");
        assert!((0.3..0.9).contains(&fast.0), "{fast:?}");
        assert!((0.5..1.3).contains(&near.0), "{near:?}");
        assert!((0.06..0.14).contains(&fast.1), "{fast:?}");
    }
}
