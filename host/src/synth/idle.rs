//! What people do who do not sign: they wait, scratch, reach for things, exercise, talk with their hands, and
//! sign what the vocabulary lacks. None of it bears a gloss.

use models::playback::{Frame, Limits, Point, blend, smooth, timed};
use rand::Rng;
use rand::rngs::StdRng;

use super::RATE;
use super::shelf::Shelf;
use super::signer::{Signer, arm, relaxed_at};
use crate::data::augment::chance;

/// Where hands go when they touch somebody's own body, on the left side: hair, brow, nose, chin, neck,
/// other shoulder, other elbow, chest.
const TOUCHED: [Point; 8] = [
    [0.2, -0.85, -0.2],
    [0.12, -0.75, -0.3],
    [0.02, -0.55, -0.35],
    [0.02, -0.35, -0.3],
    [0.18, -0.25, -0.2],
    [-0.42, 0.05, -0.25],
    [-0.55, 0.7, -0.3],
    [0.0, 0.3, -0.3],
];

/// A stretch without a sign, at [`RATE`] frames a second, and the clips that it was made from.
pub(super) fn idle(shelf: &Shelf, signer: &Signer, rng: &mut StdRng) -> (Vec<Frame>, Vec<usize>) {
    match rng.random_range(0..12) {
        0 | 1 => (wait(signer, rng), vec![]),
        2 | 3 => (touch(signer, rng), vec![]),
        4 | 5 => (reach(signer, rng), vec![]),
        6 | 7 => from_clip(shelf, signer, &shelf.neutral, rng),
        8 => from_clip(shelf, signer, &shelf.others, rng),
        _ => talk(shelf, signer, rng),
    }
}

/// A recorded stretch without a sign, whole, and its clip.
pub(super) fn recorded(shelf: &Shelf, signer: &Signer, rng: &mut StdRng) -> (Vec<Frame>, Vec<usize>) {
    let clips = if chance(rng, 0.5) { &shelf.neutral } else { &shelf.others };
    from_clip(shelf, signer, clips, rng)
}

/// Hands rest.
fn wait(signer: &Signer, rng: &mut StdRng) -> Vec<Frame> {
    vec![signer.rest.clone(); frames(rng.random_range(0.4..2.5))]
}

/// A hand scratches or adjusts something.
fn touch(signer: &Signer, rng: &mut StdRng) -> Vec<Frame> {
    let side = rng.random_range(0..2);
    let out = if side == 0 { 1.0 } else { -1.0 };
    let [x, y, z] = TOUCHED[rng.random_range(0..TOUCHED.len())];
    let near = |rng: &mut StdRng| rng.random_range(-0.06_f32..0.06);
    let touched = [out * x + near(rng), y + near(rng), z + near(rng)];
    // The fingers touch; the wrist lies a hand's length below and outside.
    let along = [-out * rng.random_range(0.1_f32..0.9), -rng.random_range(0.1_f32..1.0)];
    let length = along[0].hypot(along[1]);
    let wrist = [touched[0] - 0.4 * along[0] / length, touched[1] - 0.4 * along[1] / length, z];
    let (hz, far) = (rng.random_range(1.5..5.0_f32), rng.random_range(0.0..0.06_f32));
    let way = rng.random_range(0.0..std::f32::consts::TAU);
    (0..frames(rng.random_range(0.3..1.4)))
        .map(|t| {
            let swing = far * (t as f32 / RATE * hz * std::f32::consts::TAU).sin();
            let mut frame = signer.rest.clone();
            arm(&mut frame, side, [wrist[0] + swing * way.cos(), wrist[1] + swing * way.sin(), wrist[2]]);
            frame.hands[side] = Some(relaxed_at(side, frame.wrists[side], along));
            frame
        })
        .collect()
}

/// Hands go to one place after another, as they do that point, carry, take off a coat or exercise: as far as
/// arms reach, one or both, at times over and over again.
fn reach(signer: &Signer, rng: &mut StdRng) -> Vec<Frame> {
    let both = chance(rng, 0.5);
    let alike = chance(rng, 0.5);
    let first = rng.random_range(0..2);
    let stops = rng.random_range(1..4);
    let times = if chance(rng, 0.3) { rng.random_range(2..5) } else { 1 };
    let place = |rng: &mut StdRng| -> (Point, [f32; 2]) {
        let at = [rng.random_range(-0.3..1.4), rng.random_range(-1.2..1.3), rng.random_range(-0.7..0.0)];
        let way = rng.random_range(0.0..std::f32::consts::TAU);
        (at, [way.cos(), way.sin()])
    };
    let round: Vec<Frame> = (0..stops)
        .map(|_| {
            let mut frame = signer.rest.clone();
            let shared = place(rng);
            for side in 0..2 {
                if side != first && !both {
                    continue;
                }
                let out = if side == 0 { 1.0 } else { -1.0 };
                let ([x, y, z], [along, down]) = if alike { shared } else { place(rng) };
                arm(&mut frame, side, [out * x, y, z]);
                frame.hands[side] = Some(relaxed_at(side, frame.wrists[side], [out * along, down]));
            }
            frame
        })
        .collect();
    let mut course: Vec<Frame> = vec![];
    let mut last = signer.rest.clone();
    for stop in (0..times).flat_map(|_| &round) {
        let steps = frames(rng.random_range(0.2..0.9));
        // Arms start and stop gently.
        course.extend((1..=steps).map(|i| {
            let share = i as f32 / steps as f32;
            blend(&last, stop, share * share * (3.0 - 2.0 * share))
        }));
        let stay = frames(rng.random_range(0.05..0.7));
        course.extend(std::iter::repeat_n(stop.clone(), stay));
        last = stop.clone();
    }
    course
}

/// A whole clip that shows no sign of the vocabulary.
fn from_clip(shelf: &Shelf, signer: &Signer, clips: &[usize], rng: &mut StdRng) -> (Vec<Frame>, Vec<usize>) {
    let index = clips[rng.random_range(0..clips.len())];
    let clip = &shelf.clips[index];
    let limits = Limits::of(1.0, 0.2, 2.0);
    let worn: Vec<Frame> = clip.frames.iter().map(|f| signer.wear(f, clip.hands)).collect();
    (timed(&worn, clip.fps * rng.random_range(0.6..1.3), limits, RATE), vec![index])
}

/// Hands that beat with speech: scraps of movement out of several clips, too short for a sign, moved to one
/// place, some of them backwards, with handshapes drawn towards a relaxed hand.
fn talk(shelf: &Shelf, signer: &Signer, rng: &mut StdRng) -> (Vec<Frame>, Vec<usize>) {
    let (mut course, mut used): (Vec<Frame>, Vec<usize>) = (vec![], vec![]);
    let middle: Point = [rng.random_range(-0.45..-0.1), rng.random_range(0.3..0.9), -0.3];
    let both = chance(rng, 0.5);
    for _ in 0..rng.random_range(2..6) {
        let index = rng.random_range(0..shelf.clips.len());
        let clip = &shelf.clips[index];
        let long = ((rng.random_range(0.12..0.3) * clip.fps) as usize).clamp(2, clip.frames.len().max(2));
        let from = rng.random_range(0..=clip.frames.len().saturating_sub(long));
        let mut scrap: Vec<Frame> =
            clip.frames.iter().skip(from).take(long).map(|f| signer.wear(f, clip.hands)).collect();
        if chance(rng, 0.5) {
            scrap.reverse();
        }
        let relaxed = rng.random_range(0.6..1.0);
        let Some(start) = scrap.first().map(|f| f.wrists[1]) else { continue };
        let place: Point = middle.map(|v| v + rng.random_range(-0.15..0.15));
        for frame in &mut scrap {
            let by: Point = std::array::from_fn(|i| place[i] - start[i]);
            let mut calm = frame.clone();
            for side in 0..2 {
                let out = if side == 0 { -1.0 } else { 1.0 };
                let wrist: Point = std::array::from_fn(|i| frame.wrists[1][i] + by[i]);
                if side == 0 && !both {
                    calm.elbows[0] = signer.rest.elbows[0];
                    calm.wrists[0] = signer.rest.wrists[0];
                    calm.hands[0] = signer.rest.hands[0];
                    frame.hands[0] = calm.hands[0];
                    frame.wrists[0] = calm.wrists[0];
                    frame.elbows[0] = calm.elbows[0];
                    continue;
                }
                arm(&mut calm, side, [out * wrist[0], wrist[1], wrist[2]]);
                calm.hands[side] = Some(relaxed_at(side, calm.wrists[side], [out * 0.6, -0.5]));
                frame.wrists[side] = calm.wrists[side];
                frame.elbows[side] = calm.elbows[side];
            }
            *frame = blend(frame, &calm, relaxed);
        }
        let limits = Limits::of(0.4, 0.1, 0.5);
        let scrap = timed(&scrap, clip.fps, limits, RATE);
        if let (Some(from), Some(to)) = (course.last().cloned(), scrap.first()) {
            let steps = frames(rng.random_range(0.1..0.25));
            course.extend((1..steps).map(|i| blend(&from, to, i as f32 / steps as f32)));
        }
        course.extend(scrap);
        used.push(index);
    }
    smooth(&mut course, RATE);
    (course, used)
}

/// How many frames last so long; at least one.
fn frames(seconds: f32) -> usize {
    (seconds * RATE).round().max(1.0) as usize
}
