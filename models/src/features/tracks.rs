//! Which detected hand is whose: two tracks out of slots that mean nothing.
//!
//! A hand landmarker without a body fills its slots in the order in which it finds
//! hands, and a slot changes its owner when a hand is lost for a moment. Three cues
//! tell a right hand from a left one: fingers bend towards the palm, which shows the
//! side of a hand by itself; of two hands the right one is mostly further left in the
//! picture; and a hand is near where it was. No cue is sure in one frame, so all
//! frames are judged together: of all ways to give the slots to the two sides the
//! cheapest is kept (Viterbi 1967, two states, the survivors carry their last places).

use super::sight::{HAND_POINTS, Sight};
use crate::vector::{cross, dot, norm, sub};

/// The most sights that are looked at; of a longer window the last ones.
pub const MOST: usize = 1024;

/// Two detections whose points lie this close in the mean are one hand found twice. Hand sizes.
const TWICE: f32 = 0.35;
/// What a lone hand is worth as a right one: most people sign with it.
const LONE: f32 = 0.3;
/// How much the cues of one frame count against the cost of a jump.
const CUES: f32 = 0.5;
/// The cost of a hand that moves by its own size from one frame to the next, and the most that a jump costs.
const JUMP: f32 = 3.0;
const JUMP_MOST: f32 = 6.0;
/// A hand unseen for a second may be so much farther away at the same cost, as a share.
const AWAY: f32 = 3.0;

/// The slots of a window given to the signer's hands.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracks {
    /// The sights before this one are not looked at.
    start: usize,
    /// Which slots of each sight count: bit 0 and bit 1. Bit 2: the slots stand the other way round.
    marks: [u8; MOST],
}

/// The best way up to some sight that ends in one of the two states.
#[derive(Clone, Copy)]
struct Way {
    worth: f32,
    /// Where each side was last seen, and when.
    last: [Option<([f32; 2], f64)>; 2],
    /// One bit a sight: the slots are swapped.
    swapped: [u64; MOST / 64],
}

impl Tracks {
    /// Follows both hands through a window. Allocates nothing.
    pub fn follow(window: &[Sight]) -> Self {
        let start = window.len().saturating_sub(MOST);
        let window = &window[start..];
        let mut tracks = Self { start, marks: [0; MOST] };
        let Some(size) = typical_size(window) else { return tracks };
        let fresh = Way { worth: 0.0, last: [None; 2], swapped: [0; MOST / 64] };
        let mut ways = [fresh, Way { worth: f32::NEG_INFINITY, ..fresh }];
        for (i, sight) in window.iter().enumerate() {
            let seen = seen(sight, size);
            tracks.marks[i] = u8::from(seen[0]) | u8::from(seen[1]) << 1;
            if seen == [false; 2] {
                continue;
            }
            let centres = [0, 1].map(|slot| centre(&sight.hands[slot]));
            let right = rightness(sight, seen, centres, size) * CUES;
            ways = [0, 1].map(|state: usize| {
                let worth = |way: &Way| way.worth - jumps(way, state, seen, centres, sight.at_s, size);
                let from = usize::from(worth(&ways[1]) > worth(&ways[0]));
                let mut way = ways[from];
                // In state 0 slot 1 is the right hand.
                way.worth = worth(&ways[from]) + if state == 0 { right } else { -right };
                for slot in (0..2).filter(|&slot| seen[slot]) {
                    way.last[slot ^ state] = Some((centres[slot], sight.at_s));
                }
                way.swapped[i / 64] |= (state as u64) << (i % 64);
                way
            });
        }
        let best = &ways[usize::from(ways[1].worth > ways[0].worth)];
        for (i, mark) in tracks.marks.iter_mut().enumerate() {
            *mark |= ((best.swapped[i / 64] >> (i % 64) & 1) as u8) << 2;
        }
        tracks
    }

    /// The hand of one side (0 left, 1 right) in sight `i` of the window, where it was seen.
    pub fn hand<'a>(
        &self,
        window: &'a [Sight],
        i: usize,
        side: usize,
    ) -> Option<&'a [[f32; 3]; HAND_POINTS]> {
        let mark = *self.marks.get(i.checked_sub(self.start)?)?;
        let slot = side ^ usize::from(mark >> 2);
        (mark >> slot & 1 == 1).then(|| &window[i].hands[slot])
    }
}

/// The mean size of the hands of a window.
fn typical_size(window: &[Sight]) -> Option<f32> {
    let sizes = window.iter().flat_map(|s| [s.hand_size(0), s.hand_size(1)]).flatten();
    let (sum, n) = sizes.fold((0.0_f64, 0_u32), |(sum, n), size| (sum + f64::from(size), n + 1));
    (n > 0).then(|| (sum / f64::from(n)) as f32)
}

/// Which slots show a hand; of one hand found twice the second is left out.
fn seen(sight: &Sight, size: f32) -> [bool; 2] {
    let mut seen = [0, 1].map(|slot| sight.hand_size(slot).is_some() && sight.at_s.is_finite());
    if seen == [true; 2] {
        let pairs = sight.hands[0].iter().zip(&sight.hands[1]);
        let apart: f32 = pairs.map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).sum();
        seen[1] = apart / HAND_POINTS as f32 >= TWICE * size;
    }
    seen
}

/// The middle of the palm, x and y.
pub(super) fn centre(hand: &[[f32; 3]; HAND_POINTS]) -> [f32; 2] {
    [0, 1].map(|axis| [0, 5, 9, 13, 17].iter().map(|&k| hand[k][axis]).sum::<f32>() / 5.0)
}

/// How much one frame speaks for slot 1 being the right hand and slot 0 the left.
fn rightness(sight: &Sight, seen: [bool; 2], centres: [[f32; 2]; 2], size: f32) -> f32 {
    let mut sum = 0.0;
    for slot in (0..2).filter(|&slot| seen[slot]) {
        let mut right = (2.0 * bend(&sight.hands[slot])).clamp(-1.0, 1.0);
        if seen != [true; 2] {
            right += LONE;
        }
        sum += if slot == 1 { right } else { -right };
    }
    if seen == [true; 2] {
        sum += ((centres[0][0] - centres[1][0]) / size).clamp(-1.0, 1.0);
    }
    sum
}

/// How far fingers and thumb stand out to the palm's side, in hand sizes: above 0 for a right hand.
///
/// The normal of index knuckle, wrist and little finger's knuckle points out of the palm of one hand and
/// out of the back of the other.
fn bend(hand: &[[f32; 3]; HAND_POINTS]) -> f32 {
    let normal = cross(sub(hand[5], hand[0]), sub(hand[17], hand[0]));
    let size = [5, 9, 13, 17].iter().map(|&k| norm(sub(hand[k], hand[0]))).sum::<f32>() / 4.0;
    let unit = (norm(normal) * size).max(f32::MIN_POSITIVE);
    let out = |tip: usize| dot(sub(hand[tip], hand[tip - 3]), normal) / unit;
    [8, 12, 16, 20].map(out).iter().sum::<f32>() / 4.0 + 0.5 * out(4)
}

/// What it costs that the hands are not where they were.
fn jumps(way: &Way, state: usize, seen: [bool; 2], centres: [[f32; 2]; 2], at_s: f64, size: f32) -> f32 {
    let mut cost = 0.0;
    for slot in (0..2).filter(|&slot| seen[slot]) {
        if let Some((was, when_s)) = way.last[slot ^ state] {
            let far = (centres[slot][0] - was[0]).hypot(centres[slot][1] - was[1]) / size;
            let away = 1.0 + AWAY * (at_s - when_s) as f32;
            cost += (JUMP * far / away).min(JUMP_MOST);
        }
    }
    cost
}
