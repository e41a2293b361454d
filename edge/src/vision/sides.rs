//! Whose hand is whose: the signer's left and right, each followed or free.
//!
//! With a body, its wrists decide. Without one the network's word does, averaged
//! over time, because it errs on single frames.

use super::body::Body;
use super::geometry::distance;
use super::hand::{Hand, HandSmoother};
use crate::stage::Stamp;

/// Hands that share more than this of their boxes are the same hand.
pub const SAME: f32 = 0.5;
/// How fast the running mean of a hand's side follows the network, a frame.
const SIDE_ALPHA: f32 = 0.2;
/// How unlikely its side must have become before a hand changes it.
const WRONG_SIDE: f32 = 0.3;
/// A wrist at least so visible is where the body says.
const SURE_WRIST: f32 = 0.5;
/// A hand longer than this much of a trunk is not that body's. Measured: real hands reach
/// 0.56, a close-up of a hand that is mistaken for a body has at least 1.28.
const DWARFED: f32 = 0.9;

/// The signer's left or right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The signer's left hand.
    Left = 0,
    /// The signer's right hand.
    Right = 1,
}

impl Side {
    /// Both, in the order of the layout.
    pub const BOTH: [Self; 2] = [Self::Left, Self::Right];

    fn other(self) -> Self {
        if self == Self::Left { Self::Right } else { Self::Left }
    }

    /// The body's landmarks of this wrist, knuckle of the little finger and knuckle of the index finger.
    pub fn body_points(self) -> [usize; 3] {
        [15, 17, 19].map(|k| k + self as usize)
    }

    /// False where a hand is too far from the body's wrist of this side to belong to it.
    pub fn may_have(self, hand: &Hand, body: &Body) -> bool {
        // A wrist that the body does not see may be anywhere.
        let seen = body.visibility[self.body_points()[0]] > SURE_WRIST;
        !seen || distance(hand.wrist(), self.wrist(body)) < hand.next().longest()
    }

    /// Where the body has this wrist.
    pub fn wrist(self, body: &Body) -> [f32; 2] {
        let point = body.points[self.body_points()[0]];
        [point[0], point[1]]
    }
}

/// A hand that is followed.
#[derive(Debug, Clone)]
pub struct Track {
    /// The hand in the last frame, as the network saw it: this is what is followed.
    pub hand: Hand,
    /// The same without its tremble, where that is taken out.
    pub shown: Hand,
    smoother: HandSmoother,
    /// Running mean of how likely it is a left hand.
    left: f32,
}

impl Track {
    /// Goes on with a hand in the next frame, or begins with it.
    pub fn after(last: Option<Self>, hand: Hand) -> Self {
        let left = last.as_ref().map_or(hand.left, |t| t.left + SIDE_ALPHA * (hand.left - t.left));
        let smoother = last.map_or_else(HandSmoother::new, |t| t.smoother);
        Self { shown: hand.clone(), hand, left, smoother }
    }

    /// Takes the tremble out of what is shown.
    pub fn smooth(&mut self, at: Stamp) {
        self.shown = self.smoother.step(at, &self.hand);
    }

    /// How unlikely it is of a side, 0 to 1.
    fn unlike(&self, side: Side) -> f32 {
        if side == Side::Left { 1.0 - self.left } else { self.left }
    }
}

/// The left and the right hand, each where it is followed.
#[derive(Debug, Default)]
pub struct Sides {
    /// In the order of [`Side::BOTH`].
    pub tracks: [Option<Track>; 2],
}

impl Sides {
    /// The hands that are followed.
    pub fn followed(&self) -> impl Iterator<Item = &Track> {
        self.tracks.iter().flatten()
    }

    /// True where a side has no hand.
    pub fn is_free(&self, side: Side) -> bool {
        self.tracks[side as usize].is_none()
    }

    /// Where both tracks ended on one hand, frees the one that fits worse.
    pub fn drop_double(&mut self, body: Option<&Body>) {
        let [Some(left), Some(right)] = &self.tracks else { return };
        if left.hand.bounds().overlap(&right.hand.bounds()) <= SAME {
            return;
        }
        let misfit = |track: &Track, side: Side| match body {
            Some(body) => distance(track.hand.wrist(), side.wrist(body)),
            None => track.unlike(side),
        };
        let worse =
            if misfit(left, Side::Left) > misfit(right, Side::Right) { Side::Left } else { Side::Right };
        self.tracks[worse as usize] = None;
    }

    /// The free side that a new hand belongs to, or `None` where it is nobody's.
    pub fn side_for(&self, hand: &Hand, body: Option<&Body>) -> Option<Side> {
        let looks = if hand.left >= 0.5 { Side::Left } else { Side::Right };
        let Some(body) = body else {
            return [looks, looks.other()].into_iter().find(|side| self.is_free(*side));
        };
        // A hand further from the wrist than it is long is somebody else's.
        let reach = hand.next().longest();
        Side::BOTH
            .into_iter()
            .filter(|side| self.is_free(*side))
            .map(|side| (side, distance(hand.wrist(), side.wrist(body))))
            .filter(|(_, away)| *away < reach)
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(side, _)| side)
    }

    /// Without a body, moves hands to the side that the network is sure of over time.
    pub fn settle(&mut self) {
        let wrong = Side::BOTH
            .map(|side| self.tracks[side as usize].as_ref().map(|t| t.unlike(side) > 1.0 - WRONG_SIDE));
        // Two hands change places only where neither contradicts.
        if wrong.contains(&Some(true)) && !wrong.contains(&Some(false)) {
            self.tracks.swap(0, 1);
        }
    }

    /// True where a hand that is followed is too large to belong to the body.
    ///
    /// In a close-up of a hand the body network is sure of a body no larger than the
    /// hand, with every landmark visible: only the sizes tell.
    pub fn dwarf(&self, body: &Body) -> bool {
        self.followed().any(|t| t.hand.bounds().longest() > DWARFED * trunk(body))
    }
}

/// The size of a body's trunk, also where it is seen from the side.
pub fn trunk(body: &Body) -> f32 {
    let flat = |k: usize| [body.points[k][0], body.points[k][1]];
    let [left_shoulder, right_shoulder, left_hip, right_hip] = [11, 12, 23, 24].map(flat);
    distance(left_shoulder, right_shoulder)
        .max(distance(left_shoulder, left_hip))
        .max(distance(right_shoulder, right_hip))
}

#[cfg(test)]
mod tests {
    use super::super::{body, hand};
    use super::*;

    /// A hand about 40 px long with its wrist at the place given.
    fn hand_at(x: f32, y: f32, left: f32) -> Hand {
        let mut points = [[x, y, 0.0]; hand::POINTS];
        for (k, p) in points.iter_mut().enumerate().skip(1) {
            *p = [x - 10.0 + ((k - 1) / 4) as f32 * 5.0, y - 10.0 * (1 + (k - 1) % 4) as f32, 0.0];
        }
        Hand { points, world: points, presence: 1.0, left }
    }

    /// A body 200 px wide whose right wrist is at x = 100 and whose left wrist is at x = 300.
    fn body() -> Body {
        let mut points = [[200.0, 200.0, 0.0]; body::POINTS];
        (points[11], points[12]) = ([300.0, 100.0, 0.0], [100.0, 100.0, 0.0]);
        (points[15], points[16]) = ([300.0, 300.0, 0.0], [100.0, 300.0, 0.0]);
        let visibility = [1.0; body::POINTS];
        Body { points, visibility, world: points, is_new: false }
    }

    fn both(left: Option<Hand>, right: Option<Hand>) -> Sides {
        Sides { tracks: [left, right].map(|hand| hand.map(|h| Track::after(None, h))) }
    }

    #[track_caller]
    fn check(sides: &Sides, hand: Hand, with_body: bool, expect: Option<Side>) {
        let body = body();
        assert_eq!(sides.side_for(&hand, with_body.then_some(&body)), expect);
    }

    #[test]
    fn a_new_hand_goes_to_the_wrist_that_it_is_at() {
        let free = both(None, None);
        // The network's word for the side does not count against the body's.
        check(&free, hand_at(105.0, 300.0, 0.9), true, Some(Side::Right));
        check(&free, hand_at(290.0, 300.0, 0.1), true, Some(Side::Left));
        check(&free, hand_at(900.0, 300.0, 0.9), true, None);
        let right = both(None, Some(hand_at(105.0, 300.0, 0.1)));
        check(&right, hand_at(105.0, 310.0, 0.1), true, None);
    }

    #[test]
    fn without_a_body_the_network_says_which_side() {
        let free = both(None, None);
        check(&free, hand_at(0.0, 0.0, 0.9), false, Some(Side::Left));
        check(&free, hand_at(0.0, 0.0, 0.1), false, Some(Side::Right));
        let left = both(Some(hand_at(0.0, 0.0, 0.9)), None);
        check(&left, hand_at(300.0, 0.0, 0.9), false, Some(Side::Right));
        let full = both(Some(hand_at(0.0, 0.0, 0.9)), Some(hand_at(300.0, 0.0, 0.9)));
        check(&full, hand_at(600.0, 0.0, 0.9), false, None);
    }

    #[test]
    fn two_tracks_on_one_hand_become_one() {
        let twice = || both(Some(hand_at(105.0, 300.0, 0.9)), Some(hand_at(106.0, 300.0, 0.9)));
        let mut sides = twice();
        sides.drop_double(Some(&body()));
        assert!(sides.is_free(Side::Left) && !sides.is_free(Side::Right));
        let mut sides = twice();
        sides.drop_double(None);
        assert!(!sides.is_free(Side::Left) && sides.is_free(Side::Right));
        let mut apart = both(Some(hand_at(0.0, 0.0, 0.9)), Some(hand_at(300.0, 0.0, 0.9)));
        apart.drop_double(None);
        assert_eq!(apart.followed().count(), 2);
    }

    #[test]
    fn a_hand_changes_sides_only_when_the_network_insists() {
        let mut sides = both(Some(hand_at(0.0, 0.0, 0.9)), None);
        let mut see = |left: f32| {
            let at = if sides.is_free(Side::Left) { Side::Right } else { Side::Left };
            let last = sides.tracks[at as usize].take();
            sides.tracks[at as usize] = Some(Track::after(last, hand_at(0.0, 0.0, left)));
            sides.settle();
            if sides.is_free(Side::Left) { Side::Right } else { Side::Left }
        };
        assert_eq!(see(0.0), Side::Left, "one frame is no proof");
        assert_eq!((0..20).map(|_| see(0.0)).last(), Some(Side::Right));
        assert_eq!(see(1.0), Side::Right);
        // Of two hands that both look right, neither moves.
        let mut two = both(Some(hand_at(0.0, 0.0, 0.1)), Some(hand_at(300.0, 0.0, 0.1)));
        two.settle();
        assert_eq!(two.tracks[0].as_ref().unwrap().hand, hand_at(0.0, 0.0, 0.1));
    }

    #[test]
    fn a_hand_as_large_as_the_body_denies_it() {
        let body = body();
        assert!(!both(None, Some(hand_at(100.0, 300.0, 0.1))).dwarf(&body));
        let mut large = hand_at(100.0, 300.0, 0.1);
        large.points.iter_mut().for_each(|p| *p = p.map(|v| v * 6.0));
        assert!(both(None, Some(large)).dwarf(&body));
    }
}
