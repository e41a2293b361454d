//! Puts timed clips after each other: rest, signs, the ways between them, rest.

use std::sync::Arc;

use crate::vector::{add, norm, sub};

use super::body::{Frame, Hand, Point, lerp};
use super::clear::clear;
use super::hand::{PARENTS, relaxed_hand};
use super::weak::hold_between;

/// Rest at both ends, in seconds.
const REST_S: f32 = 0.3;
/// How far the second of two equal letters stands to the side, in shoulder widths.
const REPEAT_SHIFT: f32 = 0.16;
/// How much of a letter's distance from its word's middle is taken away.
const GATHER: f32 = 0.6;

/// A timed clip and what it belongs to.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its frames at the rate of the sentence; there is at least one.
    pub frames: Vec<Frame>,
    /// The number of its word; letters of one word are brought closer together.
    pub word: usize,
    /// Whether it is a letter of a spelled word.
    pub letter: bool,
    /// Whether it is the same letter as the one before it in the same word.
    pub repeats: bool,
    /// A pause after it, in seconds.
    pub pause_s: f32,
}

/// How long the way from one sign to the next lasts, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Way {
    /// However near the next sign is.
    pub least_s: f32,
    /// More for each shoulder width that a hand has to go.
    pub per_width_s: f32,
    /// However far it is.
    pub most_s: f32,
    /// The least between two equal letters, so that they are seen as two.
    pub repeat_s: f32,
}

impl Way {
    /// Of somebody who shows signs one after the other.
    pub const CLEAR: Self = Self { least_s: 0.13, per_width_s: 0.24, most_s: 0.6, repeat_s: 0.22 };

    /// The same, so many times as long.
    pub fn times(self, factor: f32) -> Self {
        let [least_s, per_width_s, most_s, repeat_s] =
            [self.least_s, self.per_width_s, self.most_s, self.repeat_s].map(|seconds| seconds * factor);
        Self { least_s, per_width_s, most_s, repeat_s }
    }
}

/// How units are joined.
#[derive(Debug, Clone)]
pub struct Joins {
    /// The rest before and after; `None` for arms that hang, with a face whose mouth is closed.
    pub rest: Option<Frame>,
    /// How long the rest before and after lasts, in seconds.
    pub rest_s: [f32; 2],
    /// How long the ways between signs last.
    pub way: Way,
    /// How long those last that are from and to the rest, where nobody hurries, and to letters, which are read one by one.
    pub slow_way: Way,
    /// Whether ways lead around the other hand.
    pub around: bool,
    /// How long a hand holds through signs that do not need it, when the next one does, in seconds.
    pub hold_s: f32,
}

impl Default for Joins {
    fn default() -> Self {
        Self {
            rest: None,
            rest_s: [REST_S; 2],
            way: Way::CLEAR,
            slow_way: Way::CLEAR,
            around: false,
            hold_s: 0.0,
        }
    }
}

/// The sentence.
pub struct Stitched {
    /// `[T]` frames, rest at both ends.
    pub frames: Vec<Frame>,
    /// `[U]`: for each unit from half-way to it to half-way from it, in seconds.
    pub spans_s: Vec<[f32; 2]>,
    /// `[U]`: for each unit from its own first frame to the end of its last, without ways and pauses, in seconds.
    pub cores_s: Vec<[f32; 2]>,
}

/// Joins units at `fps` frames a second.
pub fn stitch(mut units: Vec<Unit>, fps: f32, joins: &Joins) -> Stitched {
    gather(&mut units);
    hold_between(&mut units, fps, joins.hold_s);
    let rest = joins.rest.clone().unwrap_or_else(|| at_rest(&units));
    let count = |seconds: f32| (seconds * fps).round().max(1.0) as usize;
    let mut frames = vec![rest.clone(); count(joins.rest_s[0])];
    // For each unit: where the way to it begins, where it begins, where it ends.
    let mut places: Vec<[usize; 3]> = Vec::new();
    for unit in &units {
        let (Some(from), Some(to)) = (frames.last().cloned(), unit.frames.first()) else { continue };
        let left = frames.len();
        let slow = places.is_empty() || unit.letter;
        let usual = if slow { joins.slow_way } else { joins.way };
        way(&mut frames, &from, to, (usual, unit.repeats), joins.around, fps);
        places.push([left, frames.len(), frames.len() + unit.frames.len()]);
        frames.extend_from_slice(&unit.frames);
        if let Some(last) = unit.frames.last().filter(|_| unit.pause_s > 0.0) {
            frames.extend(std::iter::repeat_n(last.clone(), count(unit.pause_s)));
        }
    }
    if let Some(from) = frames.last().cloned() {
        way(&mut frames, &from, &rest, (joins.slow_way, false), joins.around, fps);
    }
    frames.extend(std::iter::repeat_n(rest, count(joins.rest_s[1])));
    let cores_s = places.iter().map(|&[_, first, end]| [first, end].map(|t| t as f32 / fps)).collect();
    Stitched { frames, spans_s: spans(&places, fps), cores_s }
}

/// Arms that hang, with the face of the frame whose mouth is closed the most.
fn at_rest(units: &[Unit]) -> Frame {
    /// The inner edges of the lips in MediaPipe's face mesh.
    const LIPS: [usize; 2] = [13, 14];
    let opening = |frame: &&Frame| {
        let [upper, lower] = LIPS.map(|k| frame.face.get(k).copied().flatten());
        upper.zip(lower).map_or(f32::INFINITY, |(upper, lower)| norm(sub(lower, upper)))
    };
    let faces = units.iter().flat_map(|unit| &unit.frames).filter(|frame| !frame.face.is_empty());
    let closed = faces.min_by(|a, b| opening(a).total_cmp(&opening(b)));
    closed.map_or_else(Frame::rest, Frame::at_rest)
}

/// A unit counts from half-way to it to half-way from it, so that the mark never flickers.
fn spans(places: &[[usize; 3]], fps: f32) -> Vec<[f32; 2]> {
    let begin = |[left, first, _]: [usize; 3]| (left + first) as f32 / 2.0 / fps;
    places
        .iter()
        .enumerate()
        .map(|(i, &place)| {
            // After a pause the way to the next begins later than this one ends.
            let next = places.get(i + 1).filter(|next| next[0] == place[2]);
            [begin(place), next.map_or(place[2] as f32 / fps, |&next| begin(next))]
        })
        .collect()
}

/// Brings the letters of a word closer together, and parts equal neighbours.
fn gather(units: &mut [Unit]) {
    const LEADING: usize = 1;
    let mut start = 0;
    while start < units.len() {
        let word = units[start].word;
        let end = (start..units.len()).find(|&i| units[i].word != word).unwrap_or(units.len());
        let spelled = &mut units[start..end];
        let places: Vec<Point> = spelled
            .iter()
            .filter(|u| u.letter)
            .filter_map(|u| u.frames.last())
            .map(|f| f.wrists[LEADING])
            .collect();
        if !places.is_empty() {
            let sum = places.iter().fold([0.0; 3], |sum, &p| add(sum, p));
            let middle = sum.map(|v| v / places.len() as f32);
            let mut sideways = 0.0;
            for unit in spelled.iter_mut().filter(|u| u.letter) {
                let Some(own) = unit.frames.last().map(|f| f.wrists[LEADING]) else { continue };
                // Two-handed letters keep their place: the hands touch.
                if unit.frames.iter().any(|f| f.hands[0].is_some()) {
                    continue;
                }
                sideways = if unit.repeats { sideways - REPEAT_SHIFT } else { 0.0 };
                let to_middle = sub(middle, own).map(|v| v * GATHER);
                for frame in &mut unit.frames {
                    frame.shift(LEADING, add(to_middle, [sideways, 0.0, 0.0]));
                }
            }
        }
        start = end;
    }
}

/// Adds the frames between two, as many as the distance calls for.
fn way(
    frames: &mut Vec<Frame>,
    from: &Frame,
    to: &Frame,
    (way, repeats): (Way, bool),
    around: bool,
    fps: f32,
) {
    let far = (0..2).map(|side| distance(from, to, side)).fold(0.0, f32::max);
    let least_s = if repeats { way.repeat_s } else { way.least_s };
    let seconds = (way.least_s + way.per_width_s * far).clamp(least_s, way.most_s);
    let steps = (seconds * fps).round().max(2.0) as usize;
    let begin = frames.len();
    frames.extend((1..steps).map(|step| blend(from, to, minimum_jerk(step as f32 / steps as f32))));
    if around {
        clear(&mut frames[begin..], from, to);
    }
}

/// How far a hand goes: its wrist, and its fingers about the wrist.
fn distance(from: &Frame, to: &Frame, side: usize) -> f32 {
    let wrist = norm(sub(to.wrists[side], from.wrists[side]));
    let shape = match (&from.hands[side], &to.hands[side]) {
        (Some(a), Some(b)) => {
            let sum: f32 = (1..21).map(|k| norm(sub(sub(b[k], b[0]), sub(a[k], a[0])))).sum();
            sum / 20.0
        }
        _ => 0.0,
    };
    wrist + 1.5 * shape
}

/// The course of a reach without jerk at its ends (Flash and Hogan 1985): 0 to 1.
fn minimum_jerk(t: f32) -> f32 {
    t * t * t * (10.0 + t * (6.0 * t - 15.0))
}

/// The frame `t` of the way from `a` to `b`, with fingers that keep their length.
pub fn blend(a: &Frame, b: &Frame, t: f32) -> Frame {
    let mut frame = a.clone();
    for (p, (&from, &to)) in frame.head.iter_mut().zip(a.head.iter().zip(&b.head)) {
        *p = lerp(from, to, t);
    }
    frame.face = blend_face(&a.face, &b.face, t);
    for side in 0..2 {
        frame.elbows[side] = lerp(a.elbows[side], b.elbows[side], t);
        frame.wrists[side] = lerp(a.wrists[side], b.wrists[side], t);
        frame.hands[side] = match (&a.hands[side], &b.hands[side]) {
            (None, None) => None,
            (from, to) => {
                let relaxed = relaxed_hand(side);
                Some(blend_hand(from.as_ref().unwrap_or(&relaxed), to.as_ref().unwrap_or(&relaxed), t))
            }
        };
        // The hand is attached to the arm.
        if let Some(hand) = &mut frame.hands[side] {
            let by = sub(frame.wrists[side], hand[0]);
            for p in hand.iter_mut() {
                *p = add(*p, by);
            }
        }
    }
    frame
}

fn blend_face(a: &Arc<Vec<Option<Point>>>, b: &Arc<Vec<Option<Point>>>, t: f32) -> Arc<Vec<Option<Point>>> {
    if Arc::ptr_eq(a, b) || b.is_empty() || t <= 0.0 {
        return Arc::clone(a);
    }
    if a.is_empty() || t >= 1.0 {
        return Arc::clone(b);
    }
    let blended = a.iter().zip(b.iter()).map(|(a, b)| match (a, b) {
        (Some(a), Some(b)) => Some(lerp(*a, *b, t)),
        (a, b) => {
            if t < 0.5 {
                *a
            } else {
                *b
            }
        }
    });
    Arc::new(blended.collect())
}

/// Turns each bone from one direction to the other and changes its length evenly.
fn blend_hand(a: &Hand, b: &Hand, t: f32) -> Hand {
    let mut hand = [lerp(a[0], b[0], t); 21];
    for k in 1..21 {
        let parent = PARENTS[k];
        hand[k] = add(hand[parent], blend_bone(sub(a[k], a[parent]), sub(b[k], b[parent]), t));
    }
    hand
}

fn blend_bone(a: Point, b: Point, t: f32) -> Point {
    let (la, lb) = (norm(a), norm(b));
    if la < 1e-6 || lb < 1e-6 {
        return lerp(a, b, t);
    }
    let (ua, ub) = (a.map(|v| v / la), b.map(|v| v / lb));
    let cosine = (ua[0] * ub[0] + ua[1] * ub[1] + ua[2] * ub[2]).clamp(-1.0, 1.0);
    let angle = cosine.acos();
    let direction = if angle < 1e-3 {
        ub
    } else if angle > 3.1 {
        // Half a turn has no shortest way: it goes by the viewer's side where it can.
        let by = perpendicular(ua);
        let (from, to, part) = if t < 0.5 { (ua, by, 2.0 * t) } else { (by, ub, 2.0 * t - 1.0) };
        return blend_bone(from, to, part).map(|v| v * (la + (lb - la) * t));
    } else {
        let (wa, wb) = (((1.0 - t) * angle).sin() / angle.sin(), (t * angle).sin() / angle.sin());
        [0, 1, 2].map(|i| ua[i] * wa + ub[i] * wb)
    };
    direction.map(|v| v * (la + (lb - la) * t))
}

/// A direction across another, towards the viewer where that is across it.
fn perpendicular(direction: Point) -> Point {
    let wanted = if direction[2].abs() > 0.9 { [1.0, 0.0, 0.0] } else { [0.0, 0.0, -1.0] };
    let along: f32 = (0..3).map(|i| wanted[i] * direction[i]).sum();
    let across = [0, 1, 2].map(|i| wanted[i] - along * direction[i]);
    let length = norm(across);
    across.map(|v| v / length)
}
