//! Landmarks as SignX reads them: rows of MediaPipe's track at one rate, in the signer's own measure.

use crate::pose::PoseTrack;
use crate::pose::rows::{ROW_258, track_to_rows258};

/// Numbers of a landmark of the body in a row of MediaPipe's, and of one of a hand.
const BODY_NUMBERS: usize = 4;
const HAND_NUMBERS: usize = 3;
/// Landmarks of the body, and of a hand.
const BODY: usize = 33;
const HAND: usize = 21;
/// MediaPipe's landmarks of the shoulders, the left one first.
pub const SHOULDERS: [usize; 2] = [11, 12];
/// Shoulders nearer to each other, in widths of the picture, are no measure.
const LEAST_SHOULDERS: f32 = 1e-3;

/// The number of the measure that [`own_rows`] tells. A network that learnt another reads nonsense.
pub const MEASURE: u32 = 2;

/// The rows `[T, 258]` of a track in the signer's own measure: the origin between the shoulders, the unit their
/// distance, both in the mean over the track; and points of a hand from its wrist, see [`about_wrist`].
pub fn own_rows(track: &PoseTrack) -> Vec<f32> {
    let mut rows = track_to_rows258(track);
    let [width, height, _] = track.size;
    centre(&mut rows, height as f32 / width.max(1) as f32);
    rows
}

/// The frames of a recording at another rate: of each moment the one nearest to it, of those as near the earlier, and no
/// more than `most`. `stamps_s` `[T]` says when each was taken, in seconds, rising from 0.
pub fn at_rate(stamps_s: &[f64], fps: f32, most: usize) -> Vec<usize> {
    let Some(end) = stamps_s.last() else { return vec![] };
    let count = 1 + (end * f64::from(fps)).floor() as usize;
    let nearest = |i: usize| {
        let at = i as f64 / f64::from(fps);
        let after = stamps_s.partition_point(|s| *s < at).min(stamps_s.len() - 1);
        let before = after.saturating_sub(1);
        if (stamps_s[before] - at).abs() <= (stamps_s[after] - at).abs() { before } else { after }
    };
    (0..count.min(most)).map(nearest).collect()
}

/// Brings landmarks into the signer's own measure. `aspect` is the picture's height by its width.
///
/// # Shapes
/// - `rows`: `[T, 258]`
fn centre(rows: &mut [f32], aspect: f32) {
    let shoulders = rows.chunks_exact(ROW_258).map(|row| {
        SHOULDERS.map(|k| {
            let point = &row[k * BODY_NUMBERS..][..BODY_NUMBERS];
            (point[3] > 0.0).then(|| [point[0], point[1] * aspect])
        })
    });
    let Some([x, y, apart]) = measure(shoulders) else { return };
    let place = |point: &mut [f32]| {
        point[0] = (point[0] - x) / apart;
        point[1] = (point[1] * aspect - y) / apart;
        point[2] /= apart;
    };
    for row in rows.chunks_exact_mut(ROW_258) {
        let (body, hands) = row.split_at_mut(BODY * BODY_NUMBERS);
        body.chunks_exact_mut(BODY_NUMBERS).filter(|point| point[3] > 0.0).for_each(place);
        for hand in hands.chunks_exact_mut(HAND * HAND_NUMBERS) {
            // A hand that was not detected stays zeros.
            if hand.iter().any(|v| *v != 0.0) {
                hand.chunks_exact_mut(HAND_NUMBERS).for_each(place);
                about_wrist(hand, HAND_NUMBERS);
            }
        }
    }
}

/// Tells the points of a hand from its wrist, the first of them, in so many of the three numbers of each. Where a hand is
/// differs far more than how it is shaped: beside it the shape would count for next to nothing, both to what reads the
/// numbers and to what is to tell them.
pub fn about_wrist(hand: &mut [f32], ways: usize) {
    let (wrist, points) = hand.split_at_mut(HAND_NUMBERS);
    for point in points.chunks_exact_mut(HAND_NUMBERS) {
        point.iter_mut().zip(&wrist[..ways]).for_each(|(number, wrist)| *number -= wrist);
    }
}

/// Whether a network that says that it learnt a measure reads this one.
///
/// # Errors
/// Why it does not, and what to do.
pub fn same_measure(learnt: u32) -> Result<(), String> {
    if learnt == MEASURE {
        return Ok(());
    }
    Err(format!(
        "it reads landmarks in measure {learnt}, and they are told in measure {MEASURE}: train it again"
    ))
}

/// The middle between the shoulders and their distance in the mean over the frames that show both; `None` where they
/// are no measure.
pub fn measure(shoulders: impl Iterator<Item = [Option<[f32; 2]>; 2]>) -> Option<[f32; 3]> {
    let mut sums = [0.0_f32; 4];
    for frame in shoulders {
        if let [Some(left), Some(right)] = frame {
            let apart = (left[0] - right[0]).hypot(left[1] - right[1]);
            let middle = [(left[0] + right[0]) / 2.0, (left[1] + right[1]) / 2.0];
            [middle[0], middle[1], apart, 1.0].iter().zip(&mut sums).for_each(|(v, sum)| *sum += v);
        }
    }
    let found = [0, 1, 2].map(|i| sums[i] / sums[3].max(1.0));
    (found[2] >= LEAST_SHOULDERS).then_some(found)
}
