//! The shape of the pictures that a data set was taken from.

use super::frames::{Frames, Row};
use super::sight;

/// Width over height of the pictures that a data set was taken from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aspect {
    /// 4:3, or 16:9 where that clearly keeps the hands' bones better at their length as the hands turn.
    Guess,
    /// Known.
    Known(f32),
}

/// 16:9 is believed where bones vary by less than this share of what they do at 4:3.
///
/// With it each set that the shipped models learnt from is guessed as it was in training. Little hangs on it:
/// `signpost-host evaluate isolated --model asl-words --data DATA/isolated/asl_traduttore_words --held-out
/// --json` gives a top1 of 0.9739 as guessed (16:9), and 0.9761 with `--aspect 4:3`.
const MARGIN: f64 = 0.96;

/// The shape of picture in which the palm's bones vary least in length; 4:3 where it is a close call.
pub(super) fn guess(frames: &Frames) -> f32 {
    let [narrow, wide] = [4.0 / 3.0, 16.0 / 9.0];
    if spread(frames, wide) < MARGIN * spread(frames, narrow) { wide } else { narrow }
}

/// How much the bones vary in length; 0 where no hand is seen.
fn spread(frames: &Frames, aspect: f32) -> f64 {
    const BONES: [(usize, usize); 9] =
        [(0, 5), (0, 9), (0, 17), (5, 17), (5, 6), (6, 7), (9, 10), (13, 14), (17, 18)];
    let (mut sum, mut squares, mut n) = ([0.0_f64; BONES.len()], [0.0_f64; BONES.len()], 0.0_f64);
    let mut row = Row::default();
    for i in 0..frames.len() {
        let sight = sight(i, frames.row(i, &mut row), aspect);
        for side in (0..2).filter(|&side| sight.hand_seen[side]) {
            let hand = &sight.hands[side];
            let length = BONES
                .map(|(a, b)| (0..3).map(|c| f64::from(hand[a][c] - hand[b][c]).powi(2)).sum::<f64>().sqrt());
            let mean = length.iter().sum::<f64>() / BONES.len() as f64;
            if mean > 0.0 {
                for (bone, length) in length.iter().enumerate() {
                    sum[bone] += length / mean;
                    squares[bone] += (length / mean).powi(2);
                }
                n += 1.0;
            }
        }
    }
    let each = sum.iter().zip(&squares).map(|(s, q)| {
        let mean = s / n;
        (q / n - mean * mean).max(0.0).sqrt() / mean
    });
    if n == 0.0 { 0.0 } else { each.sum::<f64>() }
}

#[cfg(test)]
mod tests {
    use models::features::HAND_POINTS;

    use super::*;

    /// Rows of a rigid flat hand that turns by `turn` a frame in a picture of the aspect given.
    fn turning_hand(aspect: f32, turn: f32) -> Frames {
        let mut rows = vec![];
        for step in 0..40 {
            let (sin, cos) = (step as f32 * turn).sin_cos();
            rows.extend([0.0; HAND_POINTS * 3]);
            for k in 0..HAND_POINTS {
                let (along, across) = (0.05 * (k % 4) as f32 + 0.02, 0.03 * (k / 4) as f32);
                rows.extend([
                    0.5 + (along * cos - across * sin) / aspect,
                    0.5 + along * sin + across * cos,
                    0.0,
                ]);
            }
        }
        Frames::of(&rows, 126)
    }

    #[test]
    fn the_shape_of_the_picture_shows_in_hands_that_turn() {
        for aspect in [4.0 / 3.0, 16.0 / 9.0] {
            assert_eq!(guess(&turning_hand(aspect, 0.15)), aspect);
        }
    }

    #[test]
    fn without_a_clear_sign_it_is_4_to_3() {
        assert_eq!(guess(&turning_hand(16.0 / 9.0, 0.0)), 4.0 / 3.0, "a hand that is still");
        assert_eq!(guess(&Frames::of(&[0.0; 126], 126)), 4.0 / 3.0, "no hand at all");
    }
}
