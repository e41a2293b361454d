//! Both hands: which region each is looked for in, and whose hand is whose.
//!
//! With a body, its wrists say where the hands are and which is which. What the
//! body does not give, and every hand where there is no body, is found by the palm
//! detector. A hand that is found is then followed by its own landmarks.

use models::store::Store;

use super::anchors::Anchors;
use super::body::Body;
use super::detect::{Detection, Detector, Spec};
use super::geometry::{Keep, Roi, UP, distance, turn};
use super::hand::{Hand, HandNetworks, region_from_body};
use crate::Fault;
use crate::camera::Frame;
use crate::vision::Options;

/// MediaPipe's constants for keeping the last hand's region.
const KEEP: Keep = Keep { turn_degrees: 40.0, shift: 0.2, scale: 0.4, margin: -0.1 };
/// A wrist less visible than this promises nothing.
const WRIST_SEEN: f32 = 0.1;
/// Regions that share more than this hold the same hand.
const SAME: f32 = 0.5;
/// While one hand is missing the palm detector runs once in so many frames.
const SEARCH_EVERY: u32 = 5;
/// How fast the running mean of a hand's side follows the network, a frame.
const SIDE_ALPHA: f32 = 0.2;
/// How sure the running mean must be before a hand changes sides.
const SIDE_SURE: f32 = 0.3;
/// A hand is about half as long as the trunk. One this much longer than it, near or not,
/// is not that body's: the body network mistook the hand for a small body.
const DWARFED: f32 = 1.5;

const PALM: Spec = Spec {
    name: "palm_detection_full",
    range: [0.0, 1.0],
    keypoints: 7,
    anchors: Anchors {
        input: 192,
        scale: [0.1484375, 0.75],
        strides: &[8, 16, 16, 16],
        aspects: &[1.0],
        reduced_first_layer: false,
        unit_size: true,
    },
};

/// The signer's left or right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The signer's left hand.
    Left = 0,
    /// The signer's right hand.
    Right = 1,
}

impl Side {
    const BOTH: [Self; 2] = [Self::Left, Self::Right];

    fn other(self) -> Self {
        if self == Self::Left { Self::Right } else { Self::Left }
    }

    /// The body's wrist, knuckle of the little finger and knuckle of the index finger.
    fn body_points(self) -> [usize; 3] {
        [15, 17, 19].map(|k| k + self as usize)
    }
}

/// A hand that is followed.
#[derive(Debug, Clone)]
struct Track {
    hand: Hand,
    /// Running mean of how likely it is a left hand.
    left: f32,
}

/// Finds and follows both hands.
pub struct HandsTracker {
    palms: Detector,
    networks: HandNetworks,
    tracks: [Option<Track>; 2],
    /// Frames since the palm detector last ran.
    idle: u32,
}

impl HandsTracker {
    /// Loads the three networks.
    pub fn open(store: &Store, options: &Options) -> Result<Self, Fault> {
        Ok(Self {
            palms: Detector::open(PALM, store, options)?,
            networks: HandNetworks::open(store, options)?,
            tracks: [None, None],
            idle: SEARCH_EVERY,
        })
    }

    /// Forgets both hands.
    pub fn reset(&mut self) {
        self.tracks = [None, None];
        self.idle = SEARCH_EVERY;
    }

    /// Finds or follows both hands in the next frame.
    pub fn step(&mut self, frame: &Frame, body: Option<&Body>) -> Result<(), Fault> {
        for side in Side::BOTH {
            let last = self.tracks[side as usize].take();
            let found = self.follow(frame, body, side, last.as_ref())?;
            self.tracks[side as usize] = found.map(|hand| Track::after(last, hand));
        }
        self.drop_double(body);
        if self.wants_search(frame, body) {
            self.search(frame, body)?;
        }
        if body.is_none() {
            self.settle_sides();
        }
        Ok(())
    }

    /// The left and the right hand in the last frame, each where it was seen.
    pub fn seen(&self) -> [Option<&Hand>; 2] {
        self.tracks.each_ref().map(|track| track.as_ref().map(|t| &t.hand))
    }

    /// True where a hand is too large to belong to the body.
    ///
    /// In a close-up of a hand the body network is sure of a body no larger than the
    /// hand, with every landmark visible: only the sizes tell.
    pub fn dwarf(&self, body: &Body) -> bool {
        let flat = |k: usize| [body.points[k][0], body.points[k][1]];
        let [left_shoulder, right_shoulder, left_hip, right_hip] = [11, 12, 23, 24].map(flat);
        let trunk = distance(left_shoulder, right_shoulder)
            .max(distance(left_shoulder, left_hip))
            .max(distance(right_shoulder, right_hip));
        let long = |t: &Track| t.hand.bounds().size.into_iter().fold(0.0, f32::max);
        self.tracks.iter().flatten().any(|t| long(t) > DWARFED * trunk)
    }

    /// Looks where the body promises a hand and where it last was.
    fn follow(
        &mut self,
        frame: &Frame,
        body: Option<&Body>,
        side: Side,
        last: Option<&Track>,
    ) -> Result<Option<Hand>, Fault> {
        let kept = last.map(|t| t.hand.next());
        let promised = match body.and_then(|b| promised(b, side)) {
            Some(rough) => self.networks.refine(frame, &rough)?,
            None => None,
        };
        let agrees = match (&promised, &kept, last) {
            (Some(fresh), Some(kept), Some(last)) => KEEP.holds(kept, &last.hand.points, fresh),
            _ => true,
        };
        let order = if agrees { [kept, promised] } else { [promised, kept] };
        for roi in order.into_iter().flatten() {
            if let Some(hand) = self.networks.look(frame, &roi)? {
                return Ok(Some(hand));
            }
        }
        Ok(None)
    }

    /// Where both tracks ended on one hand, frees the one that fits worse.
    fn drop_double(&mut self, body: Option<&Body>) {
        let [Some(left), Some(right)] = &self.tracks else { return };
        if left.hand.bounds().overlap(&right.hand.bounds()) <= SAME {
            return;
        }
        let misfit = |track: &Track, side: Side| match body {
            Some(body) => distance(track.hand.wrist(), wrist(body, side)),
            None if side == Side::Left => 1.0 - track.left,
            None => track.left,
        };
        let worse =
            if misfit(left, Side::Left) > misfit(right, Side::Right) { Side::Left } else { Side::Right };
        self.tracks[worse as usize] = None;
    }

    /// True where a hand is missing that may be in the picture, and it is time to look.
    fn wants_search(&mut self, frame: &Frame, body: Option<&Body>) -> bool {
        self.idle = self.idle.saturating_add(1);
        let missing = Side::BOTH.into_iter().any(|side| {
            let in_picture = body.is_none_or(|b| {
                let [x, y] = wrist(b, side);
                (0.0..frame.width as f32).contains(&x) && (0.0..frame.height as f32).contains(&y)
            });
            self.tracks[side as usize].is_none() && in_picture
        });
        let none = self.tracks.iter().all(Option::is_none);
        missing && (self.idle >= SEARCH_EVERY || (none && body.is_none()))
    }

    /// Looks for palms in the whole frame and gives each new hand to a free side.
    fn search(&mut self, frame: &Frame, body: Option<&Body>) -> Result<(), Fault> {
        self.idle = 0;
        for palm in self.palms.find(frame, &Roi::whole([frame.width, frame.height]))? {
            let roi = region_from_palm(&palm);
            let known = |t: &Track| t.hand.next().overlap(&roi) > SAME;
            if self.tracks.iter().flatten().any(known) || self.tracks.iter().all(Option::is_some) {
                continue;
            }
            let Some(hand) = self.networks.look(frame, &roi)? else { continue };
            let doubles = |t: &Track| t.hand.bounds().overlap(&hand.bounds()) > SAME;
            if self.tracks.iter().flatten().any(doubles) {
                continue;
            }
            if let Some(side) = self.side_for(&hand, body) {
                self.tracks[side as usize] = Some(Track::after(None, hand));
            }
        }
        Ok(())
    }

    /// The free side that a new hand belongs to, or `None` where it is nobody's.
    fn side_for(&self, hand: &Hand, body: Option<&Body>) -> Option<Side> {
        let free = |side: &Side| self.tracks[*side as usize].is_none();
        let looks = if hand.left >= 0.5 { Side::Left } else { Side::Right };
        let Some(body) = body else {
            return [looks, looks.other()].into_iter().find(free);
        };
        // A hand further from the wrist than it is long is somebody else's.
        let reach = hand.next().size[0];
        Side::BOTH
            .into_iter()
            .filter(free)
            .map(|side| (side, distance(hand.wrist(), wrist(body, side))))
            .filter(|(_, away)| *away < reach)
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(side, _)| side)
    }

    /// Without a body, moves hands to the side that the network is sure of over time.
    fn settle_sides(&mut self) {
        let wrong = |track: &Option<Track>, side: Side| {
            track.as_ref().is_some_and(|t| {
                let right_side = if side == Side::Left { t.left } else { 1.0 - t.left };
                right_side < SIDE_SURE
            })
        };
        let [left, right] = &self.tracks;
        let moves = match (left, right) {
            (Some(_), Some(_)) => wrong(left, Side::Left) && wrong(right, Side::Right),
            _ => wrong(left, Side::Left) || wrong(right, Side::Right),
        };
        if moves {
            self.tracks.swap(0, 1);
        }
    }
}

impl Track {
    fn after(last: Option<Self>, hand: Hand) -> Self {
        let left = last.map_or(hand.left, |t| t.left + SIDE_ALPHA * (hand.left - t.left));
        Self { hand, left }
    }
}

fn wrist(body: &Body, side: Side) -> [f32; 2] {
    let point = body.points[side.body_points()[0]];
    [point[0], point[1]]
}

/// The region that the body promises a hand in, where its wrist is seen.
fn promised(body: &Body, side: Side) -> Option<Roi> {
    let points = side.body_points();
    let [wrist, little, index] = points.map(|k| [body.points[k][0], body.points[k][1]]);
    (body.visibility[points[0]] > WRIST_SEEN).then(|| region_from_body(wrist, little, index))
}

/// The region around a hand whose palm was found: key point 0 is the wrist, 2 the middle knuckle.
fn region_from_palm(palm: &Detection) -> Roi {
    let angle = turn(palm.keypoints[0], palm.keypoints[2], UP);
    Roi { angle, ..palm.bounds }.transformed(2.6, -0.5)
}
