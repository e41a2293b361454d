//! `hands-v1`: both hands and nothing else, for signs of cameras or data that show no body.
//!
//! Slots are first given to the signer's left and right hand (see [`Tracks`]). Each
//! hand tells its shape from the wrist, the directions of its bones, distances that
//! no turn changes, its palm's normal, where seven of its points are and how shape
//! and places change; both together tell how they lie to each other. Origin: the mean place
//! of all palms of the window; unit: the mean size of all its hands. Where the picture
//! is known the hands' places and size in it are told too: a signer is mostly filmed in
//! its middle, so that they hint at what no body is there to tell (brow or chest).
//! Mirroring changes the features by signs and places alone; a model that should
//! understand left-handed signers is trained on mirrored clips.

use super::hand::PAIRS;
use super::sight::{HAND_POINTS, Picture, Sight};
use super::steps::Steps;
use super::tracks::{Tracks, centre};
use crate::vector::{cross, norm, sub};

/// Steps of a window, T.
pub const STEPS: usize = 32;

/// A hole up to this long is bridged in a straight line; a longer one stays a hole. Seconds.
const BRIDGE_S: f64 = 0.35;
/// Up to this far from the nearest sight a hand is taken to be where it was. Seconds.
const HOLD_S: f64 = 0.05;
/// Places and ways are stored in this many hand sizes, which brings them to the scale of the rest.
const SPACE: f32 = 3.0;
/// Places in the picture are stored in this share of its height.
const PICTURE_SPACE: f32 = 1.0 / 3.0;
/// A hand of this share of the picture's height has a size of 0 in the features.
const SIZE_IN_PICTURE: f32 = 0.1;

/// The bones: both ends of each, and last the line across the knuckles.
const BONES: [(usize, usize); 21] = [
    (0, 1),
    (1, 2),
    (2, 3),
    (3, 4),
    (0, 5),
    (5, 6),
    (6, 7),
    (7, 8),
    (0, 9),
    (9, 10),
    (10, 11),
    (11, 12),
    (0, 13),
    (13, 14),
    (14, 15),
    (15, 16),
    (0, 17),
    (17, 18),
    (18, 19),
    (19, 20),
    (5, 17),
];
/// The points whose places are kept: wrist, middle knuckle and the five tips.
const PLACED: [usize; 7] = [0, 9, 4, 8, 12, 16, 20];

/// Shape: all points but the wrist, from the wrist, x, y, z.
const SHAPE: usize = 0;
/// Unit vectors along [`BONES`].
const BONE: usize = SHAPE + (HAND_POINTS - 1) * 3;
/// Distances between pairs of points, in sizes of this hand in this moment.
const DISTANCE: usize = BONE + BONES.len() * 3;
/// The palm's normal.
const NORMAL: usize = DISTANCE + PAIRS.len();
/// How far the points of the shape moved from the step before to the step after, x, y, z.
const CHANGED: usize = NORMAL + 3;
/// Where [`PLACED`] are, x, y.
const PLACE: usize = CHANGED + (HAND_POINTS - 1) * 3;
/// How far they moved from the step before to the step after, x, y.
const MOVED: usize = PLACE + PLACED.len() * 2;
/// Where wrist and middle knuckle are in the picture, from its middle, x, y.
const IN_PICTURE: usize = MOVED + PLACED.len() * 2;
/// One where the hand was seen.
const MASK: usize = IN_PICTURE + 2 * 2;
/// Values of a hand.
const HAND: usize = MASK + 1;
/// The way from each of the left hand's [`PLACED`] to the right hand's same point, x, y.
const ACROSS: usize = 2 * HAND;
/// Distances from each of the right hand's [`PLACED`] to each of the left hand's.
const BETWEEN: usize = ACROSS + PLACED.len() * 2;
/// One where both hands were seen.
const BOTH: usize = BETWEEN + PLACED.len() * PLACED.len();
/// The logarithm of the hands' size in [`SIZE_IN_PICTURE`].
const SIZE: usize = BOTH + 1;
/// One where the picture is known.
const KNOWN: usize = SIZE + 1;
/// Values of a step, F.
pub const WIDTH: usize = KNOWN + 1;

/// A hand in space.
type Hand = [[f32; 3]; HAND_POINTS];

/// Fills `[T, F]`; false where no hand is seen.
pub fn compute(window: &[Sight], out: &mut [f32]) -> bool {
    let tracks = Tracks::follow(window);
    let any = |i: &usize| (0..2).any(|side| tracks.hand(window, *i, side).is_some());
    let Some(first) = (0..window.len()).find(any) else { return false };
    let last = (first..window.len()).rfind(any).unwrap_or(first);
    let steps = Steps { start_s: window[first].at_s, end_s: window[last].at_s, count: STEPS };
    let hands: [[Option<Hand>; STEPS]; 2] =
        [0, 1].map(|side| std::array::from_fn(|i| hand_at(window, &tracks, side, steps.at_s(i))));
    let seen = || hands.iter().flatten().flatten();
    let n = seen().count().max(1) as f32;
    let unit = (seen().map(size).sum::<f32>() / n).max(f32::MIN_POSITIVE);
    let origin = [0, 1].map(|axis| seen().map(|hand| centre(hand)[axis]).sum::<f32>() / n);

    for (i, row) in out.chunks_exact_mut(WIDTH).enumerate() {
        for (side, row) in row.chunks_exact_mut(HAND).take(2).enumerate() {
            if let Some(hand) = &hands[side][i] {
                fill_hand(hand, origin, unit, row);
            }
        }
        if let [Some(left), Some(right)] = [&hands[0][i], &hands[1][i]] {
            fill_pair(left, right, unit, row);
        }
    }
    fill_moved(out);
    if let Some(picture) = window[first].picture {
        fill_picture(&hands, &picture, unit, out);
    }
    true
}

/// The hand of one side at a moment; `None` in a hole.
fn hand_at(window: &[Sight], tracks: &Tracks, side: usize, at_s: f64) -> Option<Hand> {
    let of = |i: usize| tracks.hand(window, i, side).map(|hand| (window[i].at_s, hand));
    let before = (0..window.len()).rev().filter(|&i| window[i].at_s <= at_s).find_map(of);
    let after = (0..window.len()).filter(|&i| window[i].at_s >= at_s).find_map(of);
    if let (Some((from_s, a)), Some((to_s, b))) = (before, after) {
        let gap_s = to_s - from_s;
        if gap_s <= BRIDGE_S {
            let share = if gap_s > 0.0 { ((at_s - from_s) / gap_s) as f32 } else { 0.0 };
            return Some(std::array::from_fn(|k| {
                std::array::from_fn(|axis| a[k][axis] + (b[k][axis] - a[k][axis]) * share)
            }));
        }
    }
    let near = |seen: &(f64, &Hand)| (seen.0 - at_s).abs() <= HOLD_S;
    before.filter(near).or(after.filter(near)).map(|(_, hand)| *hand)
}

/// The mean length of the four palm bones.
fn size(hand: &Hand) -> f32 {
    [5, 9, 13, 17].iter().map(|&k| norm(sub(hand[k], hand[0]))).sum::<f32>() / 4.0
}

fn fill_hand(hand: &Hand, origin: [f32; 2], unit: f32, row: &mut [f32]) {
    for (slot, point) in row[SHAPE..BONE].chunks_exact_mut(3).zip(&hand[1..]) {
        slot.copy_from_slice(&sub(*point, hand[0]).map(|v| v / unit));
    }
    for (slot, (a, b)) in row[BONE..DISTANCE].chunks_exact_mut(3).zip(BONES) {
        slot.copy_from_slice(&direction(sub(hand[b], hand[a])));
    }
    let palm = size(hand).max(f32::MIN_POSITIVE);
    for (slot, (a, b)) in row[DISTANCE..NORMAL].iter_mut().zip(PAIRS) {
        *slot = norm(sub(hand[a], hand[b])) / palm;
    }
    let [index, little] = [5, 17].map(|k| direction(sub(hand[k], hand[0])));
    row[NORMAL..CHANGED].copy_from_slice(&cross(index, little));
    for (slot, k) in row[PLACE..MOVED].chunks_exact_mut(2).zip(PLACED) {
        for axis in 0..2 {
            slot[axis] = (hand[k][axis] - origin[axis]) / (unit * SPACE);
        }
    }
    row[MASK] = 1.0;
}

fn fill_pair(left: &Hand, right: &Hand, unit: f32, row: &mut [f32]) {
    for (slot, k) in row[ACROSS..BETWEEN].chunks_exact_mut(2).zip(PLACED) {
        for axis in 0..2 {
            slot[axis] = (right[k][axis] - left[k][axis]) / (unit * SPACE);
        }
    }
    for (slots, r) in row[BETWEEN..BOTH].chunks_exact_mut(PLACED.len()).zip(PLACED) {
        for (slot, l) in slots.iter_mut().zip(PLACED) {
            let way = sub(right[r], left[l]);
            *slot = way[0].hypot(way[1]) / (unit * SPACE);
        }
    }
    row[BOTH] = 1.0;
}

/// Fills how far places and shapes moved; the first step and the last have only one neighbour and stay at 0.
fn fill_moved(out: &mut [f32]) {
    for side in 0..2 {
        let at = |step: usize, value: usize| step * WIDTH + side * HAND + value;
        for i in 1..STEPS - 1 {
            if (i - 1..=i + 1).any(|step| out[at(step, MASK)] == 0.0) {
                continue;
            }
            for value in 0..PLACED.len() * 2 {
                let way = out[at(i + 1, PLACE + value)] - out[at(i - 1, PLACE + value)];
                out[at(i, MOVED + value)] = way * SPACE;
            }
            for value in 0..BONE - SHAPE {
                let way = out[at(i + 1, SHAPE + value)] - out[at(i - 1, SHAPE + value)];
                out[at(i, CHANGED + value)] = way;
            }
        }
    }
}

fn fill_picture(hands: &[[Option<Hand>; STEPS]; 2], picture: &Picture, unit: f32, out: &mut [f32]) {
    for (i, row) in out.chunks_exact_mut(WIDTH).enumerate() {
        for (side, hands) in hands.iter().enumerate() {
            let Some(hand) = &hands[i] else { continue };
            let slots = &mut row[side * HAND + IN_PICTURE..side * HAND + MASK];
            for (slot, k) in slots.chunks_exact_mut(2).zip([0, 9]) {
                for axis in 0..2 {
                    slot[axis] = (hand[k][axis] - picture.middle[axis]) / (picture.height * PICTURE_SPACE);
                }
            }
        }
        row[SIZE] = (unit / (picture.height * SIZE_IN_PICTURE)).ln();
        row[KNOWN] = 1.0;
    }
}

/// The vector at length one; zero stays zero.
fn direction(a: [f32; 3]) -> [f32; 3] {
    let length = norm(a).max(f32::MIN_POSITIVE);
    a.map(|v| v / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two hands that come together; slots as a detector without handedness gives them, or sorted.
    fn window(mixed: bool) -> Vec<Sight> {
        (0..40)
            .map(|i| {
                let mut s = Sight::unseen(f64::from(i) / 20.0);
                let t = i as f32 / 40.0;
                // Where hands are lost for a while, the slots may change their owners.
                let lost = (14..16).contains(&i);
                let swap = mixed && i >= 15;
                for side in 0..2 {
                    let slot = if swap { 1 - side } else { side };
                    let flip = if side == 0 { -1.0 } else { 1.0 };
                    s.hand_seen[slot] = !lost;
                    for k in 0..HAND_POINTS {
                        let (finger, joint) = (k.div_ceil(4), (k + 3) % 4);
                        let lean = 0.3 * finger as f32 - 0.9;
                        let out = if k == 0 { 0.0 } else { 40.0 + 12.0 * joint as f32 };
                        // Fingers bend towards the palm, away from the camera.
                        let depth = if k == 0 { 0.0 } else { 6.0 * (joint * joint) as f32 };
                        s.hands[slot][k] = [
                            500.0 + flip * (-150.0 + 100.0 * t + out * lean.sin()),
                            400.0 - 60.0 * t * flip - out * lean.cos(),
                            depth,
                        ];
                    }
                }
                s
            })
            .collect()
    }

    fn features(window: &[Sight]) -> Vec<f32> {
        let mut out = vec![0.0; STEPS * WIDTH];
        assert!(compute(window, &mut out));
        out
    }

    #[test]
    fn the_picture_tells_where_the_hands_are_in_it() {
        let mut sights = window(false);
        let unknown = features(&sights);
        sights.iter_mut().for_each(|s| s.picture = Some(Picture { middle: [500.0, 300.0], height: 600.0 }));
        let known = features(&sights);
        let wrist = sights[0].hands[1][0];
        assert!((known[HAND + IN_PICTURE] - (wrist[0] - 500.0) / 200.0).abs() < 1e-4);
        assert!((known[HAND + IN_PICTURE + 1] - (wrist[1] - 300.0) / 200.0).abs() < 1e-4);
        assert_eq!((unknown[HAND + IN_PICTURE], unknown[SIZE], unknown[KNOWN]), (0.0, 0.0, 0.0));
        assert_eq!(known[KNOWN], 1.0);
    }

    /// Where each value of a step stands in the features of the mirrored window, and its sign there: `[F]`.
    ///
    /// `mirrored[i] = sign * features[from]` for `(from, sign)` at `i`.
    fn mirror() -> [(usize, f32); WIDTH] {
        let mut map = std::array::from_fn(|i| (i, 1.0));
        for (i, entry) in map.iter_mut().enumerate().take(2 * HAND) {
            let (side, value) = (i / HAND, i % HAND);
            let along_x = match value {
                SHAPE..DISTANCE => value % 3 == 0,
                // A mirror turns the vector product around but for its x.
                NORMAL..CHANGED => value > NORMAL,
                CHANGED..PLACE => (value - CHANGED).is_multiple_of(3),
                // Places, ways and places in the picture, x and y each.
                PLACE..MASK => (value - PLACE).is_multiple_of(2),
                _ => false,
            };
            *entry = ((1 - side) * HAND + value, if along_x { -1.0 } else { 1.0 });
        }
        // The way from left to right turns around as the hands change places, and x turns once more.
        for (i, entry) in map.iter_mut().enumerate().take(BETWEEN).skip(ACROSS) {
            entry.1 = if (i - ACROSS).is_multiple_of(2) { 1.0 } else { -1.0 };
        }
        let n = PLACED.len();
        for (i, entry) in map.iter_mut().enumerate().take(BOTH).skip(BETWEEN) {
            let (r, l) = ((i - BETWEEN) / n, (i - BETWEEN) % n);
            entry.0 = BETWEEN + l * n + r;
        }
        map
    }

    #[test]
    fn slots_in_any_order_give_the_same_features() {
        assert_eq!(features(&window(true)), features(&window(false)));
    }

    #[test]
    fn a_hand_found_twice_is_one_hand() {
        let mut once = window(false);
        once.iter_mut().for_each(|s| s.hand_seen[1] = false);
        let mut twice = once.clone();
        for s in &mut twice {
            s.hand_seen[1] = s.hand_seen[0];
            s.hands[1] = s.hands[0].map(|[x, y, z]| [x + 3.0, y, z]);
        }
        assert_eq!(features(&twice), features(&once));
    }

    #[test]
    fn a_mirrored_window_is_the_map_of_the_window() {
        let mut sights = window(true);
        sights.iter_mut().for_each(|s| s.picture = Some(Picture { middle: [480.0, 300.0], height: 600.0 }));
        let plain = features(&sights);
        let mirrored = features(&sights.iter().map(Sight::mirrored).collect::<Vec<_>>());
        let map = mirror();
        for (step, (a, b)) in plain.chunks_exact(WIDTH).zip(mirrored.chunks_exact(WIDTH)).enumerate() {
            for (i, (from, sign)) in map.iter().enumerate() {
                assert!(
                    (b[i] - sign * a[*from]).abs() < 1e-3,
                    "step {step}, value {i}: {} {}",
                    b[i],
                    a[*from]
                );
            }
        }
    }
}
