//! Who signs a synthetic utterance: proportions, habits, and how arms rest.
//!
//! All in the coordinates of the standard signer: shoulder widths from the middle of the shoulders.

use models::playback::{Frame, Hand, Point, relaxed_hand};
use rand::Rng;
use rand::rngs::StdRng;

use crate::data::augment::{chance, random_turn, rotate};

/// Length of an upper arm and of a forearm of the standard signer, in shoulder widths.
const ARM: f32 = 0.83;
/// Share of signers whose left hand leads. A tenth of people are left-handed; twice as many are made, so
/// that a recogniser hears them as often as it must.
const LEFT_HANDED: f32 = 0.2;

/// A signer who was never recorded.
pub(super) struct Signer {
    pub left_handed: bool,
    /// How widely space is used, across and up.
    reach: [f32; 2],
    /// Where each hand signs beside where it was recorded.
    lift: [Point; 2],
    hand_size: f32,
    /// Beside the hand's size, thumb first.
    fingers: [f32; 5],
    /// How each wrist is turned.
    turns: [[[f32; 3]; 3]; 2],
    head: Point,
    head_size: f32,
    /// All but the shoulders is so much larger: the narrower the shoulders, the more.
    size: f32,
    /// How fast beside the recordings.
    pub pace: f32,
    pub rest: Frame,
}

impl Signer {
    /// Draws one.
    pub fn draw(rng: &mut StdRng) -> Self {
        let by = |rng: &mut StdRng, most: f32| 1.0 + rng.random_range(-most..=most);
        let near = |rng: &mut StdRng, most: f32| -> Point {
            std::array::from_fn(|_| rng.random_range(-most..=most))
        };
        Self {
            left_handed: chance(rng, LEFT_HANDED),
            reach: [by(rng, 0.15), by(rng, 0.15)],
            lift: [near(rng, 0.1), near(rng, 0.1)],
            hand_size: by(rng, 0.18),
            fingers: std::array::from_fn(|_| by(rng, 0.1)),
            turns: [random_turn(0.2, rng), random_turn(0.2, rng)],
            head: near(rng, 0.08),
            head_size: by(rng, 0.15),
            size: by(rng, 0.15),
            pace: rng.random_range(0.75..1.3),
            rest: rest(rng),
        }
    }

    /// The signer as recorded, with hanging arms at rest.
    pub fn plain() -> Self {
        let still = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        Self {
            left_handed: false,
            reach: [1.0; 2],
            lift: [[0.0; 3]; 2],
            hand_size: 1.0,
            fingers: [1.0; 5],
            turns: [still; 2],
            head: [0.0; 3],
            head_size: 1.0,
            size: 1.0,
            pace: 1.0,
            rest: Frame::rest(),
        }
    }

    /// A recorded frame as this signer would show it; the resting hand rests where this signer's does.
    pub fn wear(&self, frame: &Frame, hands: [bool; 2]) -> Frame {
        let mut out = frame.clone();
        let nose = frame.head[0];
        for p in &mut out.head {
            *p = [0, 1, 2].map(|i| (nose[i] + (p[i] - nose[i]) * self.head_size + self.head[i]) * self.size);
        }
        for (side, &shown) in hands.iter().enumerate() {
            if !shown {
                out.elbows[side] = self.rest.elbows[side];
                out.wrists[side] = self.rest.wrists[side];
                out.hands[side] = self.rest.hands[side];
                continue;
            }
            let place = |p: Point| {
                let lift = self.lift[side];
                [
                    (p[0] * self.reach[0] + lift[0]) * self.size,
                    (p[1] * self.reach[1] + lift[1]) * self.size,
                    (p[2] + 0.5 * lift[2]) * self.size,
                ]
            };
            out.elbows[side] = place(frame.elbows[side]);
            out.wrists[side] = place(frame.wrists[side]);
            if let Some(hand) = &frame.hands[side] {
                out.hands[side] = Some(self.hand(hand, side, out.wrists[side]));
            }
        }
        out
    }

    fn hand(&self, hand: &Hand, side: usize, wrist: Point) -> Hand {
        let from_wrist = |k: usize| -> Point { std::array::from_fn(|i| hand[k][i] - hand[0][i]) };
        std::array::from_fn(|k| {
            let finger = k.saturating_sub(1) / 4;
            let (base, own) = (from_wrist(if k == 0 { 0 } else { 1 + finger * 4 }), from_wrist(k));
            let grown = std::array::from_fn(|i| {
                (base[i] + (own[i] - base[i]) * self.fingers[finger]) * self.hand_size * self.size
            });
            let turned = rotate(&self.turns[side], grown);
            std::array::from_fn(|i| wrist[i] + turned[i])
        })
    }
}

/// Arms at rest: hanging, before the belly, or on the counter; hands that hang are mostly not in the picture.
fn rest(rng: &mut StdRng) -> Frame {
    let mut frame = Frame::rest();
    let [x, y] = match rng.random_range(0..4) {
        0 => return frame,
        // Before the belly, one hand over the other.
        1 => [rng.random_range(0.02..0.15), rng.random_range(0.8..1.2)],
        // On the counter.
        2 => [rng.random_range(0.25..0.5), rng.random_range(0.7..1.1)],
        // In the lap.
        _ => [rng.random_range(0.1..0.4), rng.random_range(1.2..1.5)],
    };
    for side in 0..2 {
        let out = if side == 0 { 1.0 } else { -1.0 };
        let away = [rng.random_range(-0.05..0.05), rng.random_range(-0.05..0.05)];
        arm(&mut frame, side, [out * x + away[0], y + away[1], -0.35]);
        let inwards = [-out * rng.random_range(0.3..1.0), rng.random_range(-0.2..0.6)];
        frame.hands[side] = Some(relaxed_at(side, frame.wrists[side], inwards));
    }
    frame
}

/// Puts a wrist to a place, and the elbow where an arm of the standard length has it: outwards and down.
pub(super) fn arm(frame: &mut Frame, side: usize, wrist: Point) {
    let out = if side == 0 { 1.0 } else { -1.0 };
    let shoulder = [0.5 * out, 0.0];
    let way = [wrist[0] - shoulder[0], wrist[1] - shoulder[1]];
    let far = way[0].hypot(way[1]).max(1e-3);
    let bend = (ARM * ARM - far * far / 4.0).max(0.0).sqrt();
    // Of the two ways across, the one that leads outwards.
    let mut across = [-way[1] / far, way[0] / far];
    if across[0] * out < 0.0 {
        across = across.map(|v| -v);
    }
    // Most of the bend of an arm before the body leads to the camera and is not seen.
    let seen = 0.5 * bend;
    let middle = [(shoulder[0] + wrist[0]) / 2.0, (shoulder[1] + wrist[1]) / 2.0];
    frame.elbows[side] =
        [middle[0] + across[0] * seen, (middle[1] + across[1] * seen).max(0.25), wrist[2] / 2.0];
    frame.wrists[side] = wrist;
}

/// A relaxed hand at a wrist, its fingers pointing along `along` in the picture.
pub(super) fn relaxed_at(side: usize, wrist: Point, along: [f32; 2]) -> Hand {
    let hand = relaxed_hand(side);
    // A hanging hand points straight down.
    let angle = (-along[0]).atan2(along[1]);
    let (sin, cos) = angle.sin_cos();
    hand.map(|p| {
        let [x, y, z] = [0, 1, 2].map(|i| p[i] - hand[0][i]);
        [wrist[0] + x * cos - y * sin, wrist[1] + x * sin + y * cos, wrist[2] + z]
    })
}

/// The frame as a mirror shows it: the other hand leads.
pub(super) fn mirrored(frame: &Frame) -> Frame {
    /// Left and right of the head's landmarks: nose, eyes from inside outwards, ears, mouth.
    const HEAD: [usize; 11] = [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9];
    let flip = |p: Point| [-p[0], p[1], p[2]];
    Frame {
        head: HEAD.map(|k| flip(frame.head[k])),
        face: frame.face.clone(),
        elbows: [flip(frame.elbows[1]), flip(frame.elbows[0])],
        wrists: [flip(frame.wrists[1]), flip(frame.wrists[0])],
        hands: [1, 0].map(|side| frame.hands[side].map(|h| h.map(flip))),
    }
}

#[cfg(test)]
mod tests {
    use models::vector::{norm, sub};
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_hand_points_where_it_is_told() {
        for along in [[0.0, 1.0], [1.0, 0.0], [0.0, -1.0], [-0.7, 0.7]] {
            let hand = relaxed_at(0, [0.2, 0.3, 0.0], along);
            let way = sub(hand[9], hand[0]);
            let turned = (way[0] * along[0] + way[1] * along[1])
                / (way[0].hypot(way[1]) * f32::hypot(along[0], along[1]));
            assert!(turned > 0.95, "{along:?} {way:?}");
            assert_eq!(hand[0], [0.2, 0.3, 0.0]);
        }
    }

    #[test]
    fn signers_differ_and_their_hands_stay_on_their_arms() {
        let mut frame = Frame::rest();
        arm(&mut frame, 1, [-0.3, 0.2, -0.3]);
        frame.hands[1] = Some(relaxed_at(1, frame.wrists[1], [0.0, -1.0]));
        let mut palms = vec![];
        for seed in 0..50 {
            let signer = Signer::draw(&mut StdRng::seed_from_u64(seed));
            let worn = signer.wear(&frame, [false, true]);
            let hand = worn.hands[1].unwrap();
            assert!(norm(sub(hand[0], worn.wrists[1])) < 1e-6);
            assert_eq!(worn.wrists[0], signer.rest.wrists[0], "the idle hand rests");
            palms.push(norm(sub(hand[9], hand[0])));
        }
        let (least, most) =
            (palms.iter().copied().fold(9.0, f32::min), palms.iter().copied().fold(0.0, f32::max));
        assert!(most > 1.3 * least, "{least} {most}");
    }

    #[test]
    fn mirroring_twice_changes_nothing() {
        let frame = rest(&mut StdRng::seed_from_u64(5));
        assert_eq!(mirrored(&mirrored(&frame)), frame);
    }
}
