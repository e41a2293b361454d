//! Both hands: which region each is looked for in.
//!
//! With a body, its wrists promise where the hands are. What the body does not
//! give, and every hand where there is no body, is found by the palm detector. A
//! hand that is found is then followed by its own landmarks.

use models::store::Store;

use super::anchors::Anchors;
use super::body::Body;
use super::crew::Crew;
use super::detect::{Detection, Detector, Spec};
use super::geometry::{Keep, Roi, UP, distance, turn};
use super::hand::{Hand, HandNetworks, region_from_body};
use super::sides::{SAME, Side, Sides, Track, trunk};
use crate::Fault;
use crate::camera::Frame;
use crate::vision::{Options, Smoothing};

/// MediaPipe's constants for keeping the last hand's region.
const KEEP: Keep = Keep { turn_degrees: 40.0, shift: 0.2, scale: 0.4, margin: -0.1 };
/// A wrist less visible than this promises nothing (MediaPipe's threshold).
const WRIST_SEEN: f32 = 0.1;
/// While one hand is missing the palm detector runs once in so many frames, and at once where it was lost.
const SEARCH_EVERY: u32 = 5;
/// Palms that are looked at in one frame, the surest first: a crowd must not hold the signer up.
const MOST_PALMS: usize = 4;
/// A palm's box larger than this much of a trunk is not that body's. Measured from wrist to
/// knuckle: real palms have at most 0.29, a close-up that is mistaken for a body at least 0.93.
const PALM_DWARFED: f32 = 0.6;

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

/// Finds and follows both hands.
pub struct HandsTracker {
    palms: Detector,
    /// In the order of [`Side::BOTH`]: both sides are looked at side by side.
    networks: [HandNetworks; 2],
    sides: Sides,
    /// Frames since the palm detector last ran.
    idle: u32,
    /// Whether it is the right hand's turn to be checked against the body.
    checks_right: bool,
    /// Whether tremble is taken out of what is given.
    smooth: bool,
}

impl HandsTracker {
    /// Loads the three networks, those of one hand twice.
    pub fn open(store: &Store, options: &Options) -> Result<Self, Fault> {
        Ok(Self {
            palms: Detector::open(PALM, store, options)?,
            networks: [HandNetworks::open(store, options)?, HandNetworks::open(store, options)?],
            sides: Sides::default(),
            idle: SEARCH_EVERY,
            checks_right: false,
            smooth: options.smooth == Smoothing::All,
        })
    }

    /// Forgets both hands.
    pub fn reset(&mut self) {
        self.sides = Sides::default();
        self.idle = SEARCH_EVERY;
    }

    /// Finds or follows both hands in the next frame.
    pub fn step(&mut self, frame: &Frame, body: Option<&Body>, crew: &Crew) -> Result<(), Fault> {
        let [left, right] = &mut self.networks;
        let last = std::mem::take(&mut self.sides.tracks);
        // The sides take turns: the network that checks costs a fifth of the one that sees.
        self.checks_right = !self.checks_right;
        let checks_right = self.checks_right;
        let (left, right) = crew.join(
            || follow(left, frame, body, Side::Left, last[Side::Left as usize].as_ref(), !checks_right),
            || follow(right, frame, body, Side::Right, last[Side::Right as usize].as_ref(), checks_right),
        );
        for ((track, last), found) in self.sides.tracks.iter_mut().zip(last).zip([left?, right?]) {
            if last.is_some() && found.is_none() {
                self.idle = SEARCH_EVERY;
            }
            *track = found.map(|hand| Track::after(last, hand));
        }
        self.sides.drop_double(body);
        if self.wants_search(frame, body) {
            self.search(frame, body)?;
        }
        if body.is_none() {
            self.sides.settle();
        }
        if self.smooth {
            self.sides.tracks.iter_mut().flatten().for_each(|track| track.smooth(frame.at));
        }
        Ok(())
    }

    /// The left and the right hand in the last frame, each where it was seen.
    pub fn seen(&self) -> [Option<&Hand>; 2] {
        self.sides.tracks.each_ref().map(|track| track.as_ref().map(|t| &t.shown))
    }

    /// True where a hand is followed.
    pub fn follows(&self) -> bool {
        self.sides.followed().next().is_some()
    }

    /// True where a hand that is followed is too large to belong to the body.
    pub fn dwarf(&self, body: &Body) -> bool {
        self.sides.dwarf(body)
    }

    /// The same for palms that are not followed yet: worth a search where a body is new.
    pub fn palms_dwarf(&mut self, frame: &Frame, body: &Body) -> Result<bool, Fault> {
        let palms = self.palms.find(frame, &Roi::whole([frame.width, frame.height]))?;
        Ok(palms.iter().any(|p| p.bounds.longest() > PALM_DWARFED * trunk(body)))
    }

    /// True where a hand is missing that may be in the picture, and it is time to look.
    fn wants_search(&mut self, frame: &Frame, body: Option<&Body>) -> bool {
        self.idle = self.idle.saturating_add(1);
        let missing = Side::BOTH.into_iter().any(|side| {
            let in_picture = body.is_none_or(|b| frame.holds(side.wrist(b)));
            self.sides.is_free(side) && in_picture
        });
        missing && (self.idle >= SEARCH_EVERY || (body.is_none() && !self.follows()))
    }

    /// Looks for palms in the whole frame and gives each new hand to a free side.
    fn search(&mut self, frame: &Frame, body: Option<&Body>) -> Result<(), Fault> {
        self.idle = 0;
        let palms = self.palms.find(frame, &Roi::whole([frame.width, frame.height]))?;
        for palm in palms.into_iter().take(MOST_PALMS) {
            if !Side::BOTH.into_iter().any(|side| self.sides.is_free(side)) {
                break;
            }
            let roi = region_from_palm(&palm);
            let known = |t: &Track| t.hand.next().overlap(&roi) > SAME;
            if self.sides.followed().any(known) {
                continue;
            }
            let Some(hand) = self.networks[0].look(frame, &roi)? else { continue };
            let doubles = |t: &Track| t.hand.bounds().overlap(&hand.bounds()) > SAME;
            if self.sides.followed().any(doubles) {
                continue;
            }
            if let Some(side) = self.sides.side_for(&hand, body) {
                self.sides.tracks[side as usize] = Some(Track::after(None, hand));
            }
        }
        Ok(())
    }
}

/// Looks for the hand of a side where the body promises it and where it last was.
///
/// Where it `checks`, or the two do not agree, the promise is made exact before they are compared.
fn follow(
    networks: &mut HandNetworks,
    frame: &Frame,
    body: Option<&Body>,
    side: Side,
    last: Option<&Track>,
    checks: bool,
) -> Result<Option<Hand>, Fault> {
    let kept = last.map(|t| t.hand.next());
    let rough = body.and_then(|b| promised(b, side)).filter(|rough| in_picture(rough, frame));
    let trusted = |rough: &Roi| !checks && kept.is_some_and(|kept| lies_in(&kept, rough));
    let promised = match rough {
        Some(rough) if !trusted(&rough) => networks.refine(frame, &rough)?,
        _ => None,
    };
    let agrees = match (&promised, &kept, last) {
        (Some(fresh), Some(kept), Some(last)) => KEEP.holds(kept, &last.hand.points, fresh),
        _ => true,
    };
    let order = if agrees { [kept, promised] } else { [promised, kept] };
    for roi in order.into_iter().flatten() {
        let hand = networks.look(frame, &roi)?;
        // What was followed may have become somebody else's: a hand belongs to its wrist.
        let hand = hand.filter(|hand| body.is_none_or(|body| side.may_have(hand, body)));
        if hand.is_some() {
            return Ok(hand);
        }
    }
    Ok(None)
}

/// True where a hand that is followed lies where the body promises it.
fn lies_in(kept: &Roi, rough: &Roi) -> bool {
    distance(kept.center, rough.center) < 0.1 * rough.longest()
}

/// False where so little of a region is in the picture that nothing is to be seen of a hand in it.
fn in_picture(rough: &Roi, frame: &Frame) -> bool {
    let beyond = rough.longest() / 4.0;
    let near = |v: f32, pixels: u32| (-beyond..pixels as f32 + beyond).contains(&v);
    near(rough.center[0], frame.width) && near(rough.center[1], frame.height)
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
