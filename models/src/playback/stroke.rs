//! What of a recorded sign is signed in a sentence: a movement that dictionaries show several times is made once.

use crate::vector::{norm, sub};

use super::body::Frame;

/// Shortest and longest time of one to and fro, in seconds.
const PERIOD_S: [f32; 2] = [0.16, 0.8];
/// Two runs of a movement differ by less than this part of how far it goes.
const ALIKE: f32 = 0.22;
/// What goes out less far is a hold that trembles, in shoulder widths.
const LEAST: f32 = 0.05;
/// How much fingers count beside wrists.
const FINGERS: f32 = 0.6;

/// The frames that are left, in order, where each movement that is repeated is made once.
pub fn once(frames: &[Frame], fps: f32) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..frames.len()).collect();
    // A clip of a few seconds holds a handful of repetitions; each round takes one away.
    while let Some([start, period]) = repetition(frames, &kept, fps) {
        kept.drain(start + period..start + 2 * period);
    }
    kept
}

/// The start and the period of the movement that is repeated most faithfully, in kept frames.
fn repetition(frames: &[Frame], kept: &[usize], fps: f32) -> Option<[usize; 2]> {
    let [least, most] = PERIOD_S.map(|s| ((s * fps).round() as usize).max(3));
    let mut best: Option<(f32, [usize; 2])> = None;
    for period in least..=most.min(kept.len() / 2) {
        let apart: Vec<f32> =
            kept.iter().zip(&kept[period..]).map(|(&a, &b)| distance(&frames[a], &frames[b])).collect();
        for start in 0..=kept.len() - 2 * period {
            let goes_out = (1..period)
                .map(|t| distance(&frames[kept[start]], &frames[kept[start + t]]))
                .fold(0.0, f32::max);
            let misfit = apart[start..start + period].iter().sum::<f32>() / period as f32;
            let ratio = misfit / goes_out.max(1e-6);
            if goes_out > LEAST && ratio < ALIKE && best.is_none_or(|(least, _)| ratio < least) {
                best = Some((ratio, [start, period]));
            }
        }
    }
    best.map(|(_, place)| place)
}

/// How far apart the hands of two frames are, in shoulder widths; depth, which networks guess, is left out.
fn distance(a: &Frame, b: &Frame) -> f32 {
    let flat = |d: [f32; 3]| norm([d[0], d[1], 0.0]);
    let side = |side: usize| {
        let wrist = flat(sub(b.wrists[side], a.wrists[side]));
        let fingers = match (&a.hands[side], &b.hands[side]) {
            (Some(p), Some(q)) => {
                let turned = |k: usize| flat(sub(sub(q[k], q[0]), sub(p[k], p[0])));
                (1..21).map(turned).sum::<f32>() / 20.0
            }
            _ => 0.0,
        };
        wrist + FINGERS * fingers
    };
    side(0).max(side(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playback::hand::relaxed_hand;
    use crate::vector::add;

    /// A right hand that is at these places, frame by frame.
    fn moving(places: impl Iterator<Item = f32>) -> Vec<Frame> {
        places
            .map(|x| {
                let mut frame = Frame::rest();
                frame.wrists[1] = add(frame.wrists[1], [x, -1.0, 0.0]);
                frame.hands[1] = Some(relaxed_hand(1).map(|p| add(p, [x, -1.0, 0.0])));
                frame
            })
            .collect()
    }

    #[track_caller]
    fn check(places: impl Iterator<Item = f32>, left: std::ops::RangeInclusive<usize>) {
        let frames = moving(places);
        let kept = once(&frames, 25.0);
        assert!(left.contains(&kept.len()), "{} of {} frames are left", kept.len(), frames.len());
        assert!(kept.is_sorted());
    }

    #[test]
    fn a_movement_that_is_repeated_is_made_once() {
        let wave = |t: usize| 0.2 * (t as f32 / 10.0 * std::f32::consts::TAU).sin();
        check((0..31).map(wave), 10..=20);
    }

    #[test]
    fn a_movement_that_goes_on_and_a_hold_stay() {
        check((0..30).map(|t| t as f32 * 0.03), 30..=30);
        check((0..30).map(|t| 0.01 * (t % 2) as f32), 30..=30);
    }

    #[test]
    fn there_and_back_with_a_stop_stays() {
        // Up, a stop, and down is one sign, not two.
        let course = |t: usize| if t < 8 { t as f32 * 0.05 } else { (16 - t.min(16)) as f32 * 0.05 };
        check((0..17).map(course), 17..=17);
    }
}
