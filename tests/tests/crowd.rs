//! Who is followed when things are not as in a studio: somebody walks through, the signer leaves and comes
//! back, the picture is mirrored, or the frame rate is another.
//!
//! Made from clips of real signers by cutting, pasting and mirroring whole frames.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::ops::Range;

use edge::camera::{Camera, Frame, Video};
use edge::stage::Stamp;
use edge::vision::{Holistic, Options};
use models::pose::Pose;

/// Where hands and shoulders are in the holistic layout.
const LEFT: Range<usize> = 501..522;
const RIGHT: Range<usize> = 522..543;
const SHOULDERS: [usize; 2] = [11, 12];

/// The frames of a clip below the oracle's folder.
fn clip(test: &str, name: &str) -> Option<Vec<Frame>> {
    let path = tests::data(test)?.join("oracle").join(name);
    tests::store(test)?;
    let mut video = Video::open(&path).unwrap();
    Some(std::iter::from_fn(|| video.next().unwrap()).collect())
}

/// The poses of frames, stamped anew at the rate given.
fn poses(test: &str, frames: &mut [Frame], fps: f32) -> Vec<Pose> {
    let store = tests::store(test).expect("it was there for the clip");
    let mut vision = Holistic::open(&store, &Options::default()).unwrap();
    let see = |(index, frame): (usize, &mut Frame)| {
        frame.at = Stamp::of_frame(index as u64, fps);
        vision.see(frame).unwrap()
    };
    frames.iter_mut().enumerate().map(see).collect()
}

/// The middle of the shoulders and their distance, where the body was seen.
fn shoulders(pose: &Pose) -> Option<([f32; 2], f32)> {
    let [a, b] = SHOULDERS.map(|k| pose.points[k]);
    let wide = (a[0] - b[0]).hypot(a[1] - b[1]);
    (pose.confidence[SHOULDERS[0]] > 0.0).then_some(([(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0], wide))
}

/// How far the shoulders of two poses are apart, in shoulder widths of the first.
fn apart(one: &Pose, other: &Pose) -> Option<f32> {
    let ((a, wide), (b, _)) = (shoulders(one)?, shoulders(other)?);
    Some((a[0] - b[0]).hypot(a[1] - b[1]) / wide)
}

fn mirrored(frame: &Frame) -> Frame {
    let row = frame.width as usize * 3;
    let turn = |row: &[u8]| row.as_chunks::<3>().0.iter().rev().flatten().copied().collect::<Vec<u8>>();
    Frame { rgb: frame.rgb.chunks(row).flat_map(turn).collect(), ..frame.clone() }
}

/// Puts the middle third of a picture over another, its left edge at `x`.
fn paste(onto: &mut Frame, picture: &Frame, x: i64) {
    let width = i64::from(picture.width / 3);
    for row in 0..onto.height.min(picture.height) as usize {
        for column in 0..width {
            let to = x + column;
            if (0..i64::from(onto.width)).contains(&to) {
                let from = (row * picture.width as usize + (width + column) as usize) * 3;
                let to = (row * onto.width as usize + to as usize) * 3;
                onto.rgb[to..to + 3].copy_from_slice(&picture.rgb[from..from + 3]);
            }
        }
    }
}

#[test]
fn the_signer_is_followed_while_another_person_walks_through() {
    const FPS: f32 = 30.0;
    let test = "the_signer_is_followed_while_another_person_walks_through";
    let Some(mut signing) = clip(test, "wlasl_videos/69527.mp4") else { return };
    let Some(walking) = clip(test, "wlasl_videos/69546.mp4") else { return };
    // Forwards and backwards, so that the signer never jumps.
    signing.extend(signing.clone().into_iter().rev());
    let alone = poses(test, &mut signing, FPS);
    // From outside the left edge to outside the right one, in front of the signer.
    let width = i64::from(signing[0].width);
    let third = width / 3;
    let steps = signing.len() as i64;
    let at = |index: usize| -third + (width + third) * index as i64 / steps;
    for (index, frame) in signing.iter_mut().enumerate() {
        paste(frame, &walking[index % walking.len()], at(index));
    }
    let crowded = poses(test, &mut signing, FPS);
    // Where the walker covers a shoulder there is nobody else to see.
    let in_view = |index: usize| {
        SHOULDERS.iter().all(|&k| {
            let x = alone[index].points[k][0] as i64;
            !(at(index) - 60..at(index) + third + 60).contains(&x)
        })
    };
    let free: Vec<usize> = (0..alone.len()).filter(|i| in_view(*i)).collect();
    let kept = free.iter().filter(|&&i| apart(&alone[i], &crowded[i]).is_some_and(|away| away < 0.5));
    let (kept, free) = (kept.count(), free.len());
    let wrong =
        (0..alone.len()).filter(|&i| in_view(i) && apart(&alone[i], &crowded[i]).is_some_and(|a| a >= 0.5));
    let wrong = wrong.count();
    let last = apart(alone.last().unwrap(), crowded.last().unwrap());
    eprintln!(
        "{test}: the signer in {kept} of {free} frames that show both shoulders, somebody else in {wrong}"
    );
    assert!(free > 60, "{free} frames");
    assert!(kept * 100 >= free * 80, "{kept} of {free} frames");
    assert!(last.is_some_and(|away| away < 0.2), "in the end: {last:?}");
}

#[test]
fn a_signer_who_leaves_is_gone_and_comes_back() {
    const FPS: f32 = 30.0;
    let test = "a_signer_who_leaves_is_gone_and_comes_back";
    let Some(mut frames) = clip(test, "wlasl_videos/69529.mp4") else { return };
    let alone = poses(test, &mut frames, FPS);
    // A second without anybody, in the middle.
    let gone = 20..50;
    for frame in &mut frames[gone.clone()] {
        frame.rgb.fill(90);
    }
    let left = poses(test, &mut frames, FPS);
    for (index, pose) in left.iter().enumerate().take(gone.end).skip(gone.start) {
        assert!(pose.confidence.iter().all(|c| *c == 0.0), "frame {index} shows nobody");
    }
    let back = apart(&alone[gone.end + 1], &left[gone.end + 1]);
    assert!(back.is_some_and(|away| away < 0.1), "two frames after the return: {back:?}");
}

#[test]
fn a_left_handed_signer_is_seen_as_a_right_handed_one_is() {
    const FPS: f32 = 30.0;
    let test = "a_left_handed_signer_is_seen_as_a_right_handed_one_is";
    let (mut shown, mut alike, mut away) = ([0, 0], [0, 0], Vec::new());
    for name in ["69527", "69529", "69545", "69546"] {
        let Some(mut frames) = clip(test, &format!("wlasl_videos/{name}.mp4")) else { return };
        let width = frames[0].width as f32;
        let mut turned: Vec<Frame> = frames.iter().map(mirrored).collect();
        let (right, left) = (poses(test, &mut frames, FPS), poses(test, &mut turned, FPS));
        for (right, left) in right.iter().zip(&left) {
            for (side, (own, other)) in [(LEFT, RIGHT), (RIGHT, LEFT)].into_iter().enumerate() {
                let (here, there) = (right.confidence[own.start] > 0.0, left.confidence[other.start] > 0.0);
                shown[side] += usize::from(here);
                alike[side] += usize::from(here && there);
                if here && there {
                    let gap = |(a, b): (usize, usize)| {
                        let (a, b) = (right.points[a], left.points[b]);
                        (a[0] - (width - 1.0 - b[0])).hypot(a[1] - b[1])
                    };
                    let long = |axis: usize| {
                        let values = right.points[own.clone()].iter().map(|p| p[axis]);
                        values.clone().fold(f32::MIN, f32::max) - values.fold(f32::MAX, f32::min)
                    };
                    let gap = own.clone().zip(other).map(gap).sum::<f32>() / 21.0;
                    away.push(gap / long(0).max(long(1)));
                }
            }
        }
    }
    away.sort_by(f32::total_cmp);
    let share = |part: f32| away[(part * (away.len() - 1) as f32) as usize] * 100.0;
    eprintln!(
        "{test}: mirrored, {} of {} left and {} of {} right hands are seen as the other one, \
         {:.1} % of the hand away in half of the frames, {:.1} % in nine of ten",
        alike[0],
        shown[0],
        alike[1],
        shown[1],
        share(0.5),
        share(0.9),
    );
    for side in 0..2 {
        assert!(alike[side] * 100 >= shown[side] * 90, "{} of {}", alike[side], shown[side]);
    }
    assert!(share(0.5) < 5.0, "{} % of the hand", share(0.5));
}

#[test]
fn the_rate_of_the_camera_does_not_matter() {
    let test = "the_rate_of_the_camera_does_not_matter";
    let Some(mut frames) = clip(test, "wlasl_videos/69545.mp4") else { return };
    let full = poses(test, &mut frames, 30.0);
    // Every third frame, at the time at which it was taken: a camera of 10 Hz.
    let mut few: Vec<Frame> = frames.iter().step_by(3).cloned().collect();
    let slow = poses(test, &mut few, 10.0);
    let pairs: Vec<_> = full.iter().step_by(3).zip(&slow).collect();
    let body = pairs.iter().filter(|(a, b)| apart(a, b).is_some_and(|away| away < 0.1)).count();
    let hand = |pose: &Pose| pose.confidence[RIGHT.start] > 0.0;
    let (shown, kept) = pairs.iter().fold((0, 0), |(shown, kept), (a, b)| {
        (shown + usize::from(hand(a)), kept + usize::from(hand(a) && hand(b)))
    });
    eprintln!(
        "{test}: at 10 a second the body in {body} of {} frames, the right hand in {kept} of {shown}",
        pairs.len()
    );
    assert_eq!(body, pairs.len());
    assert!(kept * 100 >= shown * 85, "{kept} of {shown}");
    // And six times as fast as it was: nothing is tied to a rate.
    assert!(poses(test, &mut frames, 60.0).iter().all(|pose| shoulders(pose).is_some()));
}
