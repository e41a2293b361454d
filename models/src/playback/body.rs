//! The standard signer: all clips are brought to its place, size and proportions.
//!
//! Coordinates here are in shoulder widths from the middle of the shoulders,
//! x to the right of the picture, y down, z away from the viewer.

use std::sync::Arc;

use crate::pose::{Known, Layout, Pose, PoseTrack, holistic};
use crate::vector::{add, sub};

use super::hand::depth_scale;

/// x, y and z.
pub type Point = [f32; 3];
/// A hand: 21 landmarks, the wrist first.
pub type Hand = [Point; 21];

/// Hip, elbow and wrist of arms that hang, on the signer's left; mirrored for the right.
/// Measured on the fingerspelling clips, where the idle arm shows its elbow.
const HIP: Point = [0.31, 1.4, 0.0];
const REST_ELBOW: Point = [0.7, 0.8, 0.0];
const REST_WRIST: Point = [0.68, 1.5, -0.05];
/// Where a hand stands for which no body was seen, on the signer's left.
const FREE_WRIST: Point = [0.62, 0.02, -0.3];
/// Palm length of the standard signer: the median over the fingerspelling clips.
pub(super) const PALM: f32 = 0.28;
/// Depth of arms is kept within this: networks overstate it severalfold.
const MAX_DEPTH: f32 = 0.6;
/// Upper arm and forearm of the standard signer, those of arms that hang.
pub(super) const UPPER_ARM: f32 = 0.83;
pub(super) const FOREARM: f32 = 0.7;
/// Gaps up to this long in a hand are filled, in seconds.
const MAX_GAP_S: f32 = 0.25;

/// How many landmarks of the head the body layout has.
pub const HEAD_POINTS: usize = 11;
/// Head landmarks of the body layout, and where they are where none was seen.
const HEAD: [(&str, Point); HEAD_POINTS] = [
    ("NOSE", [0.0, -0.57, -0.2]),
    ("LEFT_EYE_INNER", [0.05, -0.66, -0.15]),
    ("LEFT_EYE", [0.08, -0.66, -0.15]),
    ("LEFT_EYE_OUTER", [0.11, -0.66, -0.15]),
    ("RIGHT_EYE_INNER", [-0.05, -0.66, -0.15]),
    ("RIGHT_EYE", [-0.08, -0.66, -0.15]),
    ("RIGHT_EYE_OUTER", [-0.11, -0.66, -0.15]),
    ("LEFT_EAR", [0.19, -0.62, 0.0]),
    ("RIGHT_EAR", [-0.19, -0.62, 0.0]),
    ("MOUTH_LEFT", [0.07, -0.47, -0.15]),
    ("MOUTH_RIGHT", [-0.07, -0.47, -0.15]),
];

/// The names that the body layout gives to the parts of an arm.
const SIDES: [&str; 2] = ["LEFT", "RIGHT"];

/// One frame of the standard signer. Index 0 is the signer's left.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Nose, then eyes, ears and mouth, in the order of MediaPipe's body landmarks.
    pub head: [Point; HEAD_POINTS],
    /// MediaPipe's face mesh by number, `None` where not seen; empty without a face.
    pub face: Arc<Vec<Option<Point>>>,
    /// Left, right.
    pub elbows: [Point; 2],
    /// Left, right; where a hand is seen its first landmark lies here.
    pub wrists: [Point; 2],
    /// `None` where the hand is idle or was not seen.
    pub hands: [Option<Hand>; 2],
}

impl Frame {
    /// Arms down, hands out of sight.
    pub fn rest() -> Self {
        Self {
            head: HEAD.map(|(_, p)| p),
            face: Arc::default(),
            elbows: [REST_ELBOW, mirrored(REST_ELBOW)],
            wrists: [REST_WRIST, mirrored(REST_WRIST)],
            hands: [None, None],
        }
    }

    /// The same head and face with arms down.
    pub fn at_rest(&self) -> Self {
        Self { head: self.head, face: Arc::clone(&self.face), ..Self::rest() }
    }

    /// Each arm with its hand becomes the mirror image of the other; head and face stay.
    pub fn mirror_arms(&mut self) {
        self.elbows = [mirrored(self.elbows[1]), mirrored(self.elbows[0])];
        self.wrists = [mirrored(self.wrists[1]), mirrored(self.wrists[0])];
        self.hands = [1, 0].map(|side| self.hands[side].map(|h| h.map(mirrored)));
    }

    /// The same with a hand that hangs loosely from a wrist at a place.
    #[cfg(test)]
    pub(super) fn with_hand(mut self, side: usize, wrist: Point) -> Self {
        let hand = super::hand::relaxed_hand(side);
        self.wrists[side] = wrist;
        self.hands[side] = Some(hand.map(|p| add(p, sub(wrist, hand[0]))));
        self
    }

    /// Moves an arm and its hand, the elbow half as far.
    pub fn shift(&mut self, side: usize, by: Point) {
        self.wrists[side] = add(self.wrists[side], by);
        self.elbows[side] = reachable(side, add(self.elbows[side], by.map(|v| v / 2.0)));
        for p in self.hands[side].iter_mut().flatten() {
            *p = add(*p, by);
        }
    }
}

/// Brings a clip to the standard signer; `None` where neither body nor hands were seen.
///
/// A clip that is signed with the left hand alone is mirrored, so that one hand
/// leads throughout; its face is not.
pub fn normalise(track: &PoseTrack) -> Option<Vec<Frame>> {
    let parts = Parts::of(&track.layout);
    let poses = &track.frames;
    let place = Place::of_shoulders(&parts, poses).or_else(|| Place::of_hand(&parts, poses))?;
    let hands: Vec<Hand> =
        poses.iter().flat_map(|p| [0, 1].map(|side| parts.hand(p, side))).flatten().collect();
    let hand_depth = depth_scale(&hands);
    let mut frames: Vec<Frame> = poses.iter().map(|pose| parts.frame(pose, &place, hand_depth)).collect();
    let longest = (MAX_GAP_S * track.fps).round() as usize;
    for side in 0..2 {
        fill_gaps(&mut frames, side, longest);
    }
    let active = [0, 1].map(|side| is_active(&frames, side));
    for frame in &mut frames {
        let rest = frame.at_rest();
        for side in (0..2).filter(|&side| !active[side]) {
            frame.elbows[side] = rest.elbows[side];
            frame.wrists[side] = rest.wrists[side];
            frame.hands[side] = None;
        }
        if active == [true, false] {
            frame.mirror_arms();
        }
    }
    (active != [false, false]).then_some(frames)
}

/// Writes frames of the standard signer as MediaPipe Holistic with irises (586 landmarks).
pub fn to_track(frames: &[Frame], fps: f32) -> PoseTrack {
    /// The picture's side and the width of the shoulders in it, in pixels.
    const SIDE: u32 = 1000;
    const SHOULDERS: f32 = 300.0;
    let layout = Known::Holistic586.layout();
    let writer = Writer::new(&layout);
    let pixel = |p: Point| [p[0] * SHOULDERS + 500.0, p[1] * SHOULDERS + 400.0, p[2] * SHOULDERS];
    let mut track = PoseTrack::new(layout, fps, [SIDE, SIDE, SIDE]);
    track.frames = frames.iter().map(|frame| writer.pose(frame, pixel)).collect();
    track
}

/// Puts frames of the standard signer into poses of one layout.
pub struct Writer {
    parts: Parts,
    len: usize,
}

impl Writer {
    /// For poses of this layout; landmarks that the standard signer lacks stay unseen.
    pub fn new(layout: &Layout) -> Self {
        Self { parts: Parts::of(layout), len: layout.len() }
    }

    /// The pose of a frame; `pixel` leads from shoulder widths to the picture.
    pub fn pose(&self, frame: &Frame, pixel: impl Fn(Point) -> Point) -> Pose {
        let parts = &self.parts;
        let mut pose = Pose::unseen(self.len);
        let mut put = |k: Option<usize>, p: Point| {
            if let Some(k) = k {
                pose.points[k] = pixel(p);
                pose.confidence[k] = 1.0;
            }
        };
        for (k, p) in parts.head.iter().zip(frame.head) {
            put(*k, p);
        }
        for (k, p) in parts.face.iter().zip(frame.face.iter()) {
            if let Some(p) = p {
                put(*k, *p);
            }
        }
        for side in 0..2 {
            put(parts.shoulders[side], shoulder(side));
            put(parts.hips[side], if side == 0 { HIP } else { mirrored(HIP) });
            put(parts.elbows[side], frame.elbows[side]);
            put(parts.wrists[side], frame.wrists[side]);
            if let (Some(start), Some(hand)) = (parts.hands[side], &frame.hands[side]) {
                for (k, &p) in hand.iter().enumerate() {
                    put(Some(start + k), p);
                }
                // The body's own finger points: little finger, index and thumb.
                for (k, finger) in parts.fingers[side].iter().zip([17, 5, 2]) {
                    put(*k, hand[finger]);
                }
            }
        }
        pose
    }
}

/// Where the parts stand in a layout.
struct Parts {
    head: [Option<usize>; HEAD_POINTS],
    face: Vec<Option<usize>>,
    shoulders: [Option<usize>; 2],
    elbows: [Option<usize>; 2],
    wrists: [Option<usize>; 2],
    hips: [Option<usize>; 2],
    fingers: [[Option<usize>; 3]; 2],
    hands: [Option<usize>; 2],
}

impl Parts {
    fn of(layout: &Layout) -> Self {
        let body = |name: &str| layout.index(holistic::BODY, name);
        let pair = |part: &str| SIDES.map(|side| body(&format!("{side}_{part}")));
        let mut face = vec![None; 478];
        if let Some(range) = layout.range(holistic::FACE)
            && let Some(component) = layout.components.iter().find(|c| c.name == holistic::FACE)
        {
            for (k, name) in component.points.iter().enumerate() {
                if let Some(slot) = name.parse::<usize>().ok().and_then(|n| face.get_mut(n)) {
                    *slot = Some(range.start + k);
                }
            }
        }
        let hands = [holistic::LEFT_HAND, holistic::RIGHT_HAND];
        Self {
            head: HEAD.map(|(name, _)| body(name)),
            face,
            shoulders: pair("SHOULDER"),
            elbows: pair("ELBOW"),
            wrists: pair("WRIST"),
            hips: pair("HIP"),
            fingers: SIDES.map(|side| ["PINKY", "INDEX", "THUMB"].map(|f| body(&format!("{side}_{f}")))),
            hands: hands.map(|name| layout.range(name).filter(|r| r.len() == 21).map(|r| r.start)),
        }
    }

    fn hand(&self, pose: &Pose, side: usize) -> Option<Hand> {
        let start = self.hands[side]?;
        let mut hand = [[0.0; 3]; 21];
        for (k, p) in hand.iter_mut().enumerate() {
            *p = seen(pose, start + k)?;
        }
        Some(hand)
    }

    fn frame(&self, pose: &Pose, place: &Place, hand_depth: f32) -> Frame {
        let at = |k: Option<usize>| k.and_then(|k| seen(pose, k)).map(|p| place.at(p));
        let mut frame = Frame::rest();
        for ((slot, k), (_, standard)) in frame.head.iter_mut().zip(self.head).zip(HEAD) {
            *slot = at(k).unwrap_or(standard);
        }
        if self.face.iter().any(|&k| at(k).is_some()) {
            frame.face = Arc::new(self.face.iter().map(|&k| at(k)).collect());
        }
        for side in 0..2 {
            let wrist = at(self.wrists[side]);
            frame.elbows[side] = reachable(side, at(self.elbows[side]).unwrap_or(frame.elbows[side]));
            frame.wrists[side] = wrist.unwrap_or(frame.wrists[side]);
            if let Some(hand) = self.hand(pose, side) {
                // The hand's wrist is the better one; its depth is the body's.
                let own = place.at(hand[0]);
                let depth = wrist.map_or(FREE_WRIST[2], |w| w[2]);
                frame.wrists[side] = [own[0], own[1], depth];
                frame.hands[side] = Some(hand.map(|p| {
                    let q = place.at(p);
                    [q[0], q[1], depth + (p[2] - hand[0][2]) * place.scale * hand_depth]
                }));
            }
        }
        frame
    }
}

/// Maps the pixels of a clip to the standard signer.
struct Place {
    origin: Point,
    scale: f32,
}

impl Place {
    /// The median shoulders of the clip.
    fn of_shoulders(parts: &Parts, poses: &[Pose]) -> Option<Self> {
        let [left, right] = parts.shoulders;
        let (left, right) = (left?, right?);
        let pairs: Vec<(Point, Point)> =
            poses.iter().filter_map(|p| Some((seen(p, left)?, seen(p, right)?))).collect();
        let middle = |axis: usize| median(pairs.iter().map(|(l, r)| (l[axis] + r[axis]) / 2.0));
        let width = median(pairs.iter().map(|(l, r)| (l[0] - r[0]).hypot(l[1] - r[1])))?;
        (width > 1e-6).then_some(())?;
        Some(Self { origin: [middle(0)?, middle(1)?, middle(2)?], scale: 1.0 / width })
    }

    /// For clips of a hand alone: its palm gets the standard length, its wrist the usual place.
    fn of_hand(parts: &Parts, poses: &[Pose]) -> Option<Self> {
        let side = [1, 0].into_iter().find(|&side| poses.iter().any(|p| parts.hand(p, side).is_some()))?;
        let hands: Vec<Hand> = poses.iter().filter_map(|p| parts.hand(p, side)).collect();
        let palm = hands.iter().map(|h| (h[9][0] - h[0][0]).hypot(h[9][1] - h[0][1])).fold(0.0, f32::max);
        (palm > 1e-6).then_some(())?;
        let scale = PALM / palm;
        let wrist = if side == 0 { FREE_WRIST } else { mirrored(FREE_WRIST) };
        let mut origin = [0.0; 3];
        for (axis, origin) in origin.iter_mut().enumerate() {
            *origin = median(hands.iter().map(|h| h[0][axis]))? - wrist[axis] / scale;
        }
        Some(Self { origin, scale })
    }

    fn at(&self, p: Point) -> Point {
        let [x, y, z] = [0, 1, 2].map(|i| (p[i] - self.origin[i]) * self.scale);
        [x, y, MAX_DEPTH * (z / MAX_DEPTH).tanh()]
    }
}

/// Fills short gaps in a hand by going straight from one end to the other.
fn fill_gaps(frames: &mut [Frame], side: usize, longest: usize) {
    let known: Vec<usize> = (0..frames.len()).filter(|&t| frames[t].hands[side].is_some()).collect();
    for ends in known.windows(2) {
        let (from, to) = (ends[0], ends[1]);
        if to - from - 1 > longest {
            continue;
        }
        let (Some(a), Some(b)) = (frames[from].hands[side], frames[to].hands[side]) else { continue };
        for (t, frame) in frames.iter_mut().enumerate().take(to).skip(from + 1) {
            let part = (t - from) as f32 / (to - from) as f32;
            let hand: Hand = std::array::from_fn(|k| lerp(a[k], b[k], part));
            frame.hands[side] = Some(hand);
            frame.wrists[side] = hand[0];
        }
    }
}

/// Whether a hand takes part: seen in many frames, and raised in some of them.
fn is_active(frames: &[Frame], side: usize) -> bool {
    const SEEN: f32 = 0.3;
    const RAISED: f32 = 1.1;
    let hands = frames.iter().filter_map(|f| f.hands[side]);
    let (seen, raised) = hands.fold((0, 0), |(n, up), h| (n + 1, up + usize::from(h[0][1] < RAISED)));
    raised > 0 && seen as f32 >= SEEN * frames.len() as f32
}

/// Where the standard signer's shoulder is.
pub(super) fn shoulder(side: usize) -> Point {
    [if side == 0 { 0.5 } else { -0.5 }, 0.0, 0.0]
}

/// The elbow, no farther from its shoulder than an upper arm: out of the picture it is guessed too far.
fn reachable(side: usize, elbow: Point) -> Point {
    let shoulder = shoulder(side);
    let arm = sub(elbow, shoulder);
    let length = arm[0].hypot(arm[1]);
    if length > UPPER_ARM { add(shoulder, arm.map(|v| v * UPPER_ARM / length)) } else { elbow }
}

fn seen(pose: &Pose, k: usize) -> Option<Point> {
    pose.seen(k).filter(|p| p.iter().all(|v| v.is_finite()))
}

fn median(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}

fn mirrored(p: Point) -> Point {
    [-p[0], p[1], p[2]]
}

pub(super) fn lerp(a: Point, b: Point, t: f32) -> Point {
    [0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * t)
}

#[cfg(test)]
mod tests {
    use crate::vector::norm;

    use super::*;

    /// A raised right hand for some frames.
    fn raised() -> Vec<Frame> {
        vec![Frame::rest().with_hand(1, [-0.5, 0.2, -0.2]); 12]
    }

    fn palm(frame: &Frame) -> f32 {
        let hand = frame.hands[1].unwrap();
        norm(sub(hand[9], hand[0]))
    }

    #[test]
    fn signers_of_any_size_and_place_become_one() {
        let track = to_track(&raised(), 25.0);
        let mut small = track.clone();
        for p in small.frames.iter_mut().flat_map(|f| &mut f.points) {
            *p = [p[0] * 0.3 + 70.0, p[1] * 0.3 - 20.0, p[2] * 0.3];
        }
        let [a, b] = [track, small].map(|t| normalise(&t).unwrap().remove(0));
        for (p, q) in a.hands[1].unwrap().iter().zip(b.hands[1].unwrap()) {
            assert!(norm(sub(*p, q)) < 1e-3, "{p:?} {q:?}");
        }
        let expect = raised().remove(0);
        assert!(norm(sub(a.wrists[1], expect.wrists[1])) < 0.02);
    }

    #[test]
    fn depth_in_another_unit_is_brought_to_scale() {
        let mut flat = to_track(&raised(), 25.0);
        for p in flat.frames.iter_mut().flat_map(|f| &mut f.points) {
            p[2] /= 640.0;
        }
        let hand = normalise(&flat).unwrap()[0].hands[1].unwrap();
        let expect = raised()[0].hands[1].unwrap();
        let spread = |h: &Hand| h.iter().map(|p| (p[2] - h[0][2]).abs()).fold(0.0, f32::max);
        let ratio = spread(&hand) / spread(&expect);
        assert!((0.5..2.0).contains(&ratio), "depth is {ratio} of what it was");
    }

    #[test]
    fn a_hand_without_a_body_gets_the_usual_size_and_place() {
        let whole = to_track(&raised(), 25.0);
        let layout = Known::Hands42.layout();
        let range = whole.layout.range(holistic::RIGHT_HAND).unwrap();
        let mut alone = PoseTrack::new(Arc::clone(&layout), 25.0, whole.size);
        for pose in &whole.frames {
            let mut hand = Pose::unseen(42);
            for (k, from) in range.clone().enumerate() {
                hand.points[21 + k] = pose.points[from].map(|v| v * 2.0);
                hand.confidence[21 + k] = 1.0;
            }
            alone.frames.push(hand);
        }
        let frame = normalise(&alone).unwrap().remove(0);
        assert!((frame.wrists[1][0] + FREE_WRIST[0]).abs() < 1e-3);
        assert!((palm(&frame) - PALM).abs() < 0.1 * PALM, "{}", palm(&frame));
    }

    #[test]
    fn short_gaps_are_filled_and_long_ones_are_not() {
        let mut frames = raised();
        frames.extend(raised());
        for t in [3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16] {
            frames[t].hands[1] = None;
        }
        fill_gaps(&mut frames, 1, 6);
        let gone: Vec<usize> = (0..24).filter(|&t| frames[t].hands[1].is_none()).collect();
        assert_eq!(gone, (8..17).collect::<Vec<_>>());
    }

    #[test]
    fn a_clip_without_hands_signs_nothing() {
        assert!(normalise(&to_track(&vec![Frame::rest(); 5], 25.0)).is_none());
        assert!(normalise(&to_track(&[], 25.0)).is_none());
    }
}
