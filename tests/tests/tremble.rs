//! The live view's filter takes tremble out of a hand and does not hold its movement back.
//!
//! Measured on a close-up of a person who spells: still stretches are letters that are held, fast ones
//! the ways between them.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::ops::Range;

use edge::camera::{Camera, Video};
use edge::vision::{Holistic, Options, Smoothing};
use models::pose::Pose;

/// Where the right hand is in the holistic layout.
const RIGHT: Range<usize> = 522..543;
/// A hand that moves less than this a frame is held still, in hand sizes.
const STILL: f32 = 0.015;
/// A hand that moves more than this a frame is on its way.
const FAST: f32 = 0.03;

/// The right hand's points in every frame, and the size of the hand.
fn hands(smooth: Smoothing, test: &str) -> Option<Vec<Vec<[f32; 3]>>> {
    let clip = tests::data(test)?.join("oracle/tfjs/asl_hand.25fps.mp4");
    let store = tests::store(test)?;
    let mut vision = Holistic::open(&store, &Options { smooth, ..Options::default() }).unwrap();
    let mut clip = Video::open(&clip).unwrap();
    let mut hands = Vec::new();
    while let Some(frame) = clip.next().unwrap() {
        let pose: Pose = vision.see(&frame).unwrap();
        hands.push(pose.points[RIGHT].to_vec());
    }
    Some(hands)
}

/// Mean distance of the points of two hands, in sizes of the former.
fn away(a: &[[f32; 3]], b: &[[f32; 3]]) -> f32 {
    let span = |axis: usize| {
        let values = a.iter().map(|p| p[axis]);
        values.clone().fold(f32::MIN, f32::max) - values.fold(f32::MAX, f32::min)
    };
    let total: f32 = a.iter().zip(b).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).sum();
    total / a.len() as f32 / span(0).max(span(1)).max(1.0)
}

fn mean(values: impl Iterator<Item = f32>) -> (f32, usize) {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), v| (sum + v, count + 1));
    (sum / count.max(1) as f32, count)
}

#[test]
fn tremble_goes_and_movement_stays() {
    let test = "tremble_goes_and_movement_stays";
    let (Some(raw), Some(smooth)) = (hands(Smoothing::Off, test), hands(Smoothing::All, test)) else {
        return;
    };
    // Movement is judged over four frames, so that tremble does not count as one.
    let speed = |t: usize| away(&raw[t - 2], &raw[t + 2]) / 4.0;
    let of = |wanted: &dyn Fn(f32) -> bool| -> Vec<usize> {
        (2..raw.len() - 2).filter(|t| wanted(speed(*t))).collect()
    };
    let (still, fast) = (of(&|v| v < STILL), of(&|v| v > FAST));
    // Tremble is what a point does beside the middle of its neighbours in time.
    let tremble = |hands: &[Vec<[f32; 3]>]| {
        mean(still.iter().map(|&t| {
            let middle: Vec<[f32; 3]> = hands[t - 1]
                .iter()
                .zip(&hands[t + 1])
                .map(|(a, b)| std::array::from_fn(|c| (a[c] + b[c]) / 2.0))
                .collect();
            away(&hands[t], &middle)
        }))
    };
    let ((before, frames), (after, _)) = (tremble(&raw), tremble(&smooth));
    // A filter that holds back is as far from the raw hand as the hand moves in that time.
    let (lag, moving) = mean(fast.iter().map(|&t| away(&raw[t], &smooth[t]) / speed(t)));
    eprintln!(
        "{test}: tremble {:.2} % of the hand before, {:.2} % after ({frames} still frames); \
         {lag:.2} frames behind ({moving} fast frames)",
        before * 100.0,
        after * 100.0,
    );
    assert!(frames > 20 && moving > 20, "{frames} still and {moving} fast frames");
    assert!(after < 0.7 * before, "{after} of {before} is left");
    assert!(lag < 0.3, "{lag} frames");
}
