//! Changes to a clip that leave its meaning: another build, another camera, another pace, lost landmarks.
//!
//! The data sets show a handful of people before one camera each. A recogniser for
//! strangers must not learn those people's proportions, hands, pace or picture, so
//! training never sees a clip twice in the same form. The sizes are
//! judgement; whether a kind of change helps was seen on recording sets held out.

use models::features::{HAND_POINTS, Sight};
use rand::Rng;
use rand::rngs::StdRng;

/// How strongly clips are changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strength {
    /// Share of clips that are mirrored: left-handed signers.
    pub mirror: f32,
    /// Share of clips whose hands stand in the other slots, as detectors without handedness leave them.
    pub swap_slots: f32,
    /// Share of clips in which the hand is raised into the sign and lowered after it.
    pub carry: f32,
    /// Share of one-handed clips in which the other hand is seen too, at rest.
    pub resting: f32,
    /// Share of clips without a body, as hand-only data has them.
    pub no_body: f32,
    /// The most that is cut off at each end, as a share of the clip.
    pub cut: f32,
    /// The most by which the whole signer is turned in the picture, in radians.
    pub turn: f32,
    /// The most by which a hand is turned in space about its wrist, in radians.
    pub hand_turn: f32,
    /// The most by which limbs and fingers are longer or shorter, as a share.
    pub build: f32,
    /// Standard deviation of a landmark's noise, in hand sizes.
    pub noise: f32,
    /// Share of clips whose hands have no depth.
    pub flat: f32,
    /// How much more or less space hands take where no body is seen, as a share; 0 leaves their places alone.
    pub space: f32,
}

impl Strength {
    /// For signs.
    pub const SIGN: Self = Self {
        mirror: 0.3,
        swap_slots: 0.0,
        carry: 0.0,
        resting: 0.35,
        no_body: 0.08,
        cut: 0.2,
        turn: 0.15,
        hand_turn: 0.25,
        build: 0.15,
        noise: 0.03,
        flat: 0.25,
        space: 0.0,
    };
    /// For signs that are told apart without being named: another hand or another direction is another sign there.
    pub const ENROLMENT: Self = Self { mirror: 0.0, no_body: 0.0, ..Self::SIGN };
    /// For letters: mirroring is undone by the features, except where the slot is wrong.
    pub const LETTER: Self = Self {
        mirror: 0.2,
        swap_slots: 0.15,
        carry: 0.5,
        resting: 0.0,
        no_body: 0.5,
        cut: 0.3,
        turn: 0.2,
        hand_turn: 0.35,
        build: 0.12,
        noise: 0.03,
        flat: 0.25,
        space: 0.0,
    };
    /// For signs of which only hands are seen, before cameras of any kind.
    pub const HANDS: Self = Self {
        mirror: 0.5,
        swap_slots: 0.0,
        carry: 0.0,
        resting: 0.0,
        no_body: 1.0,
        cut: 0.2,
        turn: 0.25,
        hand_turn: 0.3,
        build: 0.12,
        noise: 0.03,
        flat: 0.05,
        space: 0.15,
    };
}

/// A changed copy of a clip; `donor` is any other clip, whose hand may be shown at rest.
pub fn augment(clip: &[Sight], donor: &[Sight], strength: &Strength, rng: &mut StdRng) -> Vec<Sight> {
    let mut sights = clip.to_vec();
    if chance(rng, strength.resting) {
        rest(&mut sights, donor, rng);
    }
    if chance(rng, strength.mirror) {
        sights.iter_mut().for_each(|s| *s = s.mirrored());
    }
    pace(&mut sights, rng);
    if chance(rng, 0.4) {
        crop(&mut sights, strength.cut, rng);
    }
    if chance(rng, strength.carry) {
        carry(&mut sights, rng);
    }
    if strength.space > 0.0 {
        places(&mut sights, strength.space, rng);
    }
    build(&mut sights, strength, rng);
    camera(&mut sights, strength, rng);
    depth(&mut sights, strength.flat, rng);
    lose(&mut sights, strength, rng);
    noise(&mut sights, strength.noise, rng);
    if chance(rng, strength.swap_slots) {
        for s in &mut sights {
            s.hands.swap(0, 1);
            s.hand_seen.swap(0, 1);
        }
    }
    sights
}

/// Keeps a part of the clip: up to `share` is lost at each end.
pub fn crop(sights: &mut Vec<Sight>, share: f32, rng: &mut StdRng) {
    let n = sights.len();
    let lost = |rng: &mut StdRng| (rng.random_range(0.0..share) * n as f32) as usize;
    let (head, tail) = (lost(rng), lost(rng));
    sights.truncate(n - tail);
    sights.drain(..head.min(sights.len()));
}

/// Signs faster or slower, and unevenly.
fn pace(sights: &mut [Sight], rng: &mut StdRng) {
    let rate = rng.random_range(-0.6_f64..0.6).exp();
    let (Some(first), Some(last)) = (sights.first().map(|s| s.at_s), sights.last().map(|s| s.at_s)) else {
        return;
    };
    let length = (last - first).max(1e-6);
    let bend = rng.random_range(-0.12..0.12);
    for s in sights {
        let share = (s.at_s - first) / length;
        // Monotonic as long as the bend stays below 1 / pi.
        s.at_s = (share + bend * (share * std::f64::consts::PI).sin()) * length * rate;
    }
}

/// Shows the hand that does not sign: low, nearly still, in the shape of the donor's hand.
///
/// Whether a resting hand is in the picture says nothing about the sign, but within one recording set it seems to.
fn rest(sights: &mut [Sight], donor: &[Sight], rng: &mut StdRng) {
    let often = |side: usize| 5 * sights.iter().filter(|s| s.hand_seen[side]).count() > sights.len();
    let side = match [often(0), often(1)] {
        [true, false] => 1,
        [false, true] => 0,
        _ => return,
    };
    let with_hand: Vec<_> =
        donor.iter().filter(|s| s.hand_seen != [false; 2] && s.shoulders().is_some()).collect();
    if with_hand.is_empty() {
        return;
    }
    let shown = with_hand[rng.random_range(0..with_hand.len())];
    let from = if shown.hand_seen[side] { *shown } else { shown.mirrored() };
    let Some((_, donor_width)) = from.shoulders() else { return };
    let outwards = if side == 0 { 1.0 } else { -1.0 };
    let place = [outwards * rng.random_range(0.3_f32..1.3), rng.random_range(0.5_f32..1.3)];
    let drift = [rng.random_range(-0.1_f32..0.1), rng.random_range(-0.1_f32..0.1)];
    let (sin, cos) = rng.random_range(-1.5_f32..1.5).sin_cos();
    let n = sights.len().max(2) as f32;
    for (i, s) in sights.iter_mut().enumerate() {
        let Some((middle, width)) = s.shoulders() else { continue };
        let moved = i as f32 / (n - 1.0) - 0.5;
        let wrist = [0, 1].map(|c| middle[c] + (place[c] + drift[c] * moved) * width);
        for (p, q) in s.hands[side].iter_mut().zip(&from.hands[side]) {
            let [x, y, z] = [0, 1, 2].map(|c| (q[c] - from.hands[side][0][c]) * width / donor_width);
            *p = [wrist[0] + x * cos - y * sin, wrist[1] + x * sin + y * cos, z];
        }
        s.hand_seen[side] = true;
    }
}

/// Raises the hands from below at the start and lowers them at the end; the hand turns on its way.
///
/// Letters were recorded with the hand already up; in a lexicon and before a unit it comes and goes.
fn carry(sights: &mut [Sight], rng: &mut StdRng) {
    let (Some(first), Some(last)) = (sights.first().map(|s| s.at_s), sights.last().map(|s| s.at_s)) else {
        return;
    };
    let length = (last - first).max(1e-6);
    let up = [rng.random_range(0.0_f32..0.4), rng.random_range(0.0_f32..0.4)];
    let way = [0, 1].map(|_| [rng.random_range(-1.5_f32..1.5), rng.random_range(0.0_f32..4.0)]);
    let turns = [0, 1].map(|_| rng.random_range(-1.0_f32..1.0));
    for s in sights {
        let share = ((s.at_s - first) / length) as f32;
        let (end, below) =
            if share < 0.5 { (0, 1.0 - share / up[0]) } else { (1, 1.0 - (1.0 - share) / up[1]) };
        if below.is_nan() || below <= 0.0 {
            continue;
        }
        // Slow at both ends of the way.
        let below = below * below * (3.0 - 2.0 * below);
        let (sin, cos) = (turns[end] * below).sin_cos();
        for hand in &mut s.hands {
            let wrist = hand[0];
            let size = (hand[9][0] - wrist[0]).hypot(hand[9][1] - wrist[1]);
            for p in hand {
                let [x, y] = [p[0] - wrist[0], p[1] - wrist[1]];
                p[0] = wrist[0] + x * cos - y * sin + way[end][0] * below * size;
                p[1] = wrist[1] + x * sin + y * cos + way[end][1] * below * size;
            }
        }
    }
}

/// Other proportions: longer arms, larger hands, other fingers, a space that is used more or less widely.
fn build(sights: &mut [Sight], strength: &Strength, rng: &mut StdRng) {
    let by = |rng: &mut StdRng, most: f32| 1.0 + rng.random_range(-most..=most);
    let (reach_x, reach_y) = (by(rng, strength.build), by(rng, strength.build));
    let shoulders = by(rng, strength.build * 0.7);
    let hand_scale = by(rng, strength.build);
    let lift = [0, 1].map(|_| [rng.random_range(-0.12..0.12), rng.random_range(-0.12..0.12)]);
    let nose = [rng.random_range(-0.06..0.06), rng.random_range(-0.12..0.12)];
    let fingers: [f32; 5] = std::array::from_fn(|_| by(rng, strength.build * 0.7));
    let turns = [0, 1].map(|_| random_turn(strength.hand_turn, rng));
    for s in sights {
        let middle = [(s.body[1][0] + s.body[2][0]) / 2.0, (s.body[1][1] + s.body[2][1]) / 2.0];
        let width = (s.body[1][0] - s.body[2][0]).hypot(s.body[1][1] - s.body[2][1]);
        let has_body = s.body_seen[1] && s.body_seen[2];
        let place = |p: [f32; 2], side: usize| {
            [
                middle[0] + (p[0] - middle[0]) * reach_x + lift[side][0] * width,
                middle[1] + (p[1] - middle[1]) * reach_y + lift[side][1] * width,
            ]
        };
        for (side, turn) in turns.iter().enumerate() {
            let wrist = s.hands[side][0];
            let [x, y] = if has_body { place([wrist[0], wrist[1]], side) } else { [wrist[0], wrist[1]] };
            let shape: [[f32; 3]; HAND_POINTS] = std::array::from_fn(|k| {
                let knuckle = if k == 0 { 0 } else { 1 + (k - 1) / 4 * 4 };
                let longer = if k == 0 { 1.0 } else { fingers[(k - 1) / 4] };
                let from_wrist = std::array::from_fn(|c| {
                    let base = s.hands[side][knuckle][c] - wrist[c];
                    (base + (s.hands[side][k][c] - s.hands[side][knuckle][c]) * longer) * hand_scale
                });
                rotate(turn, from_wrist)
            });
            s.hands[side] = shape.map(|p| [p[0] + x, p[1] + y, p[2]]);
        }
        if has_body {
            for (k, side) in [(3, 0), (4, 1), (5, 0), (6, 1)] {
                s.body[k] = place(s.body[k], side);
            }
            s.body[0] = [s.body[0][0] + nose[0] * width, s.body[0][1] + nose[1] * width];
            for k in [1, 2] {
                s.body[k][0] = middle[0] + (s.body[k][0] - middle[0]) * shoulders;
            }
        }
    }
}

/// Hands of someone who signs more or less widely, and who stands elsewhere in the picture.
///
/// The hands' middle becomes the origin, about which the camera turns later. One hand in ten clips is lost:
/// the one that is seen less, where both are.
fn places(sights: &mut [Sight], space: f32, rng: &mut StdRng) {
    let (mut sum, mut sizes, mut n) = ([0.0_f32; 2], 0.0_f32, 0.0_f32);
    for (s, slot) in sights.iter().flat_map(|s| [(s, 0), (s, 1)]) {
        if let Some(size) = s.hand_size(slot) {
            sum = [0, 1].map(|c| sum[c] + s.hands[slot][9][c]);
            sizes += size;
            n += 1.0;
        }
    }
    let n = n.max(1.0);
    let (middle, size) = (sum.map(|v| v / n), sizes / n);
    let wide = [0, 1].map(|_| rng.random_range(-space..space).exp());
    let lift = [0, 1].map(|_| [0, 1].map(|_| rng.random_range(-0.35_f32..0.35) * size));
    let far = rng.random_range(-0.1_f32..0.1).exp();
    let aside = [0, 1].map(|_| rng.random_range(-0.06_f32..0.06));
    let seen = [0, 1].map(|slot| sights.iter().filter(|s| s.hand_seen[slot]).count());
    let lose = (chance(rng, 0.1) && seen[0].min(seen[1]) > 0).then(|| usize::from(seen[1] < seen[0]));
    for s in sights {
        for (slot, hand) in s.hands.iter_mut().enumerate() {
            let wrist = hand[0];
            let to = [0, 1].map(|c| (wrist[c] - middle[c]) * wide[c] + lift[slot][c]);
            for p in hand {
                for c in 0..2 {
                    p[c] += to[c] - wrist[c];
                }
            }
        }
        if let Some(picture) = &mut s.picture {
            picture.height *= far;
            for c in 0..2 {
                picture.middle[c] += aside[c] * picture.height - middle[c];
            }
        }
        if let Some(slot) = lose {
            s.hand_seen[slot] = false;
        }
    }
}

/// Another camera: turned, of another aspect, seen a little from the side.
fn camera(sights: &mut [Sight], strength: &Strength, rng: &mut StdRng) {
    let turn = rng.random_range(-strength.turn..=strength.turn);
    let (sin, cos) = turn.sin_cos();
    let wide = rng.random_range(-0.15_f32..0.15).exp();
    let shear = rng.random_range(-0.1_f32..0.1);
    let map = |x: f32, y: f32| {
        let x = x * wide + y * shear;
        [x * cos - y * sin, x * sin + y * cos]
    };
    for s in sights {
        for p in &mut s.body {
            *p = map(p[0], p[1]);
        }
        for p in s.hands.as_flattened_mut() {
            [p[0], p[1]] = map(p[0], p[1]);
        }
    }
}

/// Depth is the least sure of a network's numbers, and some tracks have none.
fn depth(sights: &mut [Sight], flat: f32, rng: &mut StdRng) {
    let scale = if chance(rng, flat) { 0.0 } else { rng.random_range(0.6..1.4) };
    for p in sights.iter_mut().flat_map(|s| s.hands.as_flattened_mut()) {
        p[2] *= scale;
    }
}

/// Lost frames, lost hands, lost bodies.
fn lose(sights: &mut Vec<Sight>, strength: &Strength, rng: &mut StdRng) {
    let frames = if chance(rng, 0.5) { rng.random_range(0.0..0.4) } else { 0.0 };
    let (keep_from, n) = (2.min(sights.len()), sights.len());
    let mut index = 0;
    sights.retain(|_| {
        index += 1;
        index <= keep_from || index == n || !chance(rng, frames)
    });
    let hand = if chance(rng, 0.3) { rng.random_range(0.0..0.3) } else { 0.0 };
    for s in sights.iter_mut() {
        for seen in &mut s.hand_seen {
            *seen &= !chance(rng, hand);
        }
    }
    if chance(rng, 0.15) && !sights.is_empty() {
        let side = rng.random_range(0..2);
        let from = rng.random_range(0..sights.len());
        let long = 1 + rng.random_range(0..=sights.len() / 4);
        sights.iter_mut().skip(from).take(long).for_each(|s| s.hand_seen[side] = false);
    }
    if chance(rng, strength.no_body) {
        sights.iter_mut().for_each(|s| s.body_seen = Default::default());
    } else if chance(rng, 0.15) {
        // Elbows and wrists out of the picture.
        sights.iter_mut().for_each(|s| s.body_seen[3..].fill(false));
    }
}

/// Noise of each landmark, part of it the same over the whole clip.
fn noise(sights: &mut [Sight], deviation: f32, rng: &mut StdRng) {
    let constant: [[[f32; 3]; HAND_POINTS]; 2] =
        std::array::from_fn(|_| std::array::from_fn(|_| std::array::from_fn(|_| normal(rng) * deviation)));
    let quick = deviation * rng.random_range(0.0..0.8);
    for s in sights {
        for side in 0..2 {
            let hand = &mut s.hands[side];
            let size = (hand[9][0] - hand[0][0]).hypot(hand[9][1] - hand[0][1]);
            for (p, constant) in hand.iter_mut().zip(&constant[side]) {
                for (v, constant) in p.iter_mut().zip(constant).take(2) {
                    *v += (constant + normal(rng) * quick) * size;
                }
                p[2] += constant[2] * size * 0.5;
            }
        }
    }
}

/// A rotation in space by up to `most` about a random axis, row by row.
pub(crate) fn random_turn(most: f32, rng: &mut StdRng) -> [[f32; 3]; 3] {
    let mut axis: [f32; 3] = std::array::from_fn(|_| normal(rng));
    let length = axis.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-6);
    axis.iter_mut().for_each(|v| *v /= length);
    let (sin, cos) = rng.random_range(-most..=most).sin_cos();
    let [x, y, z] = axis;
    let k = 1.0 - cos;
    [
        [cos + x * x * k, x * y * k - z * sin, x * z * k + y * sin],
        [y * x * k + z * sin, cos + y * y * k, y * z * k - x * sin],
        [z * x * k - y * sin, z * y * k + x * sin, cos + z * z * k],
    ]
}

pub(crate) fn rotate(m: &[[f32; 3]; 3], v: [f32; 3]) -> [f32; 3] {
    m.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
}

/// True with the probability given.
pub fn chance(rng: &mut StdRng, probability: f32) -> bool {
    rng.random::<f32>() < probability
}

/// A number of the normal distribution (Box and Muller).
pub(crate) fn normal(rng: &mut StdRng) -> f32 {
    let (u, v): (f32, f32) = (rng.random::<f32>().max(1e-12), rng.random());
    (-2.0 * u.ln()).sqrt() * (std::f32::consts::TAU * v).cos()
}

#[cfg(test)]
mod tests {
    use models::features::{Picture, Version};
    use rand::SeedableRng;

    use super::*;

    fn clip() -> Vec<Sight> {
        (0..20)
            .map(|i| {
                let mut s = Sight::unseen(f64::from(i) / 20.0);
                s.body = [
                    [0.0, -60.0],
                    [40.0, 0.0],
                    [-40.0, 0.0],
                    [50.0, 60.0],
                    [-50.0, 60.0],
                    [40.0, 50.0],
                    [-40.0, 50.0],
                ];
                s.body_seen = [true; 7];
                s.hand_seen = [false, true];
                for (k, p) in s.hands[1].iter_mut().enumerate() {
                    *p = [-30.0 + k as f32, 40.0 - 2.0 * k as f32 - i as f32, k as f32 * 0.3];
                }
                s
            })
            .collect()
    }

    #[test]
    fn a_seed_gives_one_result_and_stamps_stay_in_order() {
        for seed in 0..200 {
            let of = || augment(&clip(), &clip(), &Strength::SIGN, &mut StdRng::seed_from_u64(seed));
            let once = of();
            assert_eq!(once, of(), "seed {seed}");
            assert!(once.windows(2).all(|w| w[0].at_s < w[1].at_s), "seed {seed}");
        }
    }

    #[test]
    fn a_resting_hand_is_low_and_still() {
        let mut sights = clip();
        rest(&mut sights, &clip(), &mut StdRng::seed_from_u64(7));
        assert!(sights.iter().all(|s| s.hand_seen == [true, true]));
        let (first, last) = (sights[0].hands[0][0], sights[19].hands[0][0]);
        assert!(
            first[0] > 0.0 && first[1] > 0.0,
            "the left hand lies at the signer's left, below the shoulders"
        );
        assert!((first[0] - last[0]).hypot(first[1] - last[1]) < 0.2 * 80.0);
    }

    #[test]
    fn changed_clips_still_show_something() {
        for (version, strength) in [
            (Version::SignV1, Strength::SIGN),
            (Version::HandV1, Strength::LETTER),
            (Version::HandsV1, Strength::HANDS),
        ] {
            let mut out = vec![0.0; version.frames() * version.width()];
            for seed in 0..200 {
                let sights = augment(&clip(), &clip(), &strength, &mut StdRng::seed_from_u64(seed));
                assert!(version.compute(&sights, &mut out), "{}, seed {seed}", version.name());
            }
        }
    }

    #[test]
    fn hands_that_take_other_places_keep_their_shape_and_stay_near_the_picture() {
        let picture = Picture { middle: [0.0, 0.0], height: 400.0 };
        for seed in 0..50 {
            let mut sights = clip();
            sights.iter_mut().for_each(|s| s.picture = Some(picture));
            let before = sights.clone();
            places(&mut sights, 0.15, &mut StdRng::seed_from_u64(seed));
            for (a, b) in before.iter().zip(&sights) {
                for k in 0..HAND_POINTS {
                    let from_wrist = |s: &Sight| [0, 1, 2].map(|c| s.hands[1][k][c] - s.hands[1][0][c]);
                    let (a, b) = (from_wrist(a), from_wrist(b));
                    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3), "seed {seed}, point {k}");
                }
                let in_picture = |s: &Sight| {
                    let picture = s.picture.expect("it was given");
                    [0, 1].map(|c| (s.hands[1][0][c] - picture.middle[c]) / picture.height)
                };
                let (a, b) = (in_picture(a), in_picture(b));
                assert!(
                    (a[0] - b[0]).abs() < 0.2 && (a[1] - b[1]).abs() < 0.2,
                    "seed {seed}: {a:?} to {b:?}"
                );
            }
        }
    }
}
