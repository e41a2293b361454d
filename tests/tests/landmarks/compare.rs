//! How far what we see lies from what another sees.

use std::fmt;

use crate::ours::{Body, Hand, Place, Space};

/// Two hands are the same where their points are nearer, in the mean, than this much of a hand's size.
const SAME: f32 = 0.5;
/// Points of a body that are compared: those that the other says are more likely seen than not.
const VISIBLE: f32 = 0.5;
/// The outer corners of the eyes: their distance is the inter-ocular one.
const EYES: [usize; 2] = [33, 263];

/// The distance between two places.
pub fn distance(a: Place, b: Place) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// The mean distance of points from others.
///
/// # Panics
/// Where they are not as many.
#[track_caller]
pub fn away(ours: &[Place], theirs: &[Place]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    mean(ours.iter().zip(theirs).map(|(a, b)| distance(*a, *b)))
}

/// The mean, 0 of nothing.
pub fn mean(values: impl IntoIterator<Item = f32>) -> f32 {
    let (sum, count) = values.into_iter().fold((0.0, 0), |(sum, count), v| (sum + f64::from(v), count + 1));
    (sum / f64::from(count.max(1))) as f32
}

/// The upright box around a hand's points.
#[derive(Debug, Clone, Copy)]
pub struct HandBox {
    pub middle: Place,
    /// Its longer side, in pixels: the size of the hand.
    pub size: f32,
}

impl HandBox {
    /// True where it may be the other hand.
    pub fn may_be(&self, other: &Self) -> bool {
        distance(self.middle, other.middle) < SAME * other.size
    }
}

/// The box around a hand.
pub fn hand_box(points: &[Place]) -> HandBox {
    let span = |axis: usize| {
        let values = points.iter().map(|p| p[axis]);
        [values.clone().fold(f32::MAX, f32::min), values.fold(f32::MIN, f32::max)]
    };
    let [x, y] = [span(0), span(1)];
    let middle = [x, y].map(|[low, high]| (low + high) / 2.0);
    HandBox { middle, size: (x[1] - x[0]).max(y[1] - y[0]) }
}

/// The hands without those that are another once more: both of a person's tracks may end on one hand.
fn distinct(hands: &[Hand]) -> Vec<&Hand> {
    let mut kept: Vec<&Hand> = Vec::new();
    for hand in hands {
        if kept.iter().all(|k| away(&hand.points, &k.points) > SAME * hand_box(&k.points).size) {
            kept.push(hand);
        }
    }
    kept
}

/// Hands that we and another saw over many frames.
#[derive(Debug, Default)]
pub struct Hands {
    pub theirs: usize,
    pub ours: usize,
    pub both: usize,
    /// Of those that both saw, how many bear another side.
    pub sides_differ: usize,
    /// Of each that both saw, the mean distance of its points in pixels, and in sizes of the other's hand.
    px: Vec<f32>,
    sizes: Vec<f32>,
    /// And of those whose points in space both know, the mean distance in metres.
    metres: Vec<f32>,
    /// Frames in which they saw a hand that we did not, and the reverse.
    only_theirs: Vec<usize>,
    only_ours: Vec<usize>,
}

impl Hands {
    /// Adds one frame. Each of their hands is the nearest of ours, if that is the same.
    pub fn add(&mut self, frame: usize, ours: &[Hand], theirs: &[Hand]) {
        let (mut ours, theirs) = (distinct(ours), distinct(theirs));
        self.ours += ours.len();
        self.theirs += theirs.len();
        for hand in theirs {
            let near = |other: &&Hand| away(&other.points, &hand.points);
            let nearest = (0..ours.len()).min_by(|a, b| near(&ours[*a]).total_cmp(&near(&ours[*b])));
            let hand_size = hand_box(&hand.points).size;
            let Some(found) = nearest.filter(|i| near(&ours[*i]) < SAME * hand_size) else {
                self.only_theirs.push(frame);
                continue;
            };
            let found = ours.swap_remove(found);
            let px = away(&found.points, &hand.points);
            self.both += 1;
            self.sides_differ += usize::from(found.side != hand.side);
            self.px.push(px);
            self.sizes.push(px / hand_size);
            if let (Some(a), Some(b)) = (&found.world, &hand.world) {
                self.metres.push(metres(a, b));
            }
        }
        self.only_ours.extend(ours.iter().map(|_| frame));
    }

    /// Adds what was counted elsewhere; its frames stay there.
    pub fn merge(&mut self, other: &Self) {
        self.theirs += other.theirs;
        self.ours += other.ours;
        self.both += other.both;
        self.sides_differ += other.sides_differ;
        self.px.extend(&other.px);
        self.sizes.extend(&other.sizes);
        self.metres.extend(&other.metres);
    }

    /// The part of their hands that we saw too.
    pub fn recall(&self) -> f32 {
        self.both as f32 / self.theirs.max(1) as f32
    }

    /// The mean distance of the hands that both saw, in sizes of a hand.
    pub fn away(&self) -> f32 {
        mean(self.sizes.iter().copied())
    }
}

impl fmt::Display for Hands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (px, sizes) = (mean(self.px.iter().copied()), self.away());
        write!(f, "hands theirs {}, ours {}, both {}", self.theirs, self.ours, self.both)?;
        write!(f, "; recall {:.3}", self.recall())?;
        write!(f, "; away {px:.2} px ({:.2} % of the hand)", sizes * 100.0)?;
        for percent in [50, 95] {
            let [px, sizes] = [&self.px, &self.sizes].map(|v| within(v, percent));
            write!(f, ", {percent} of 100 within {px:.2} px ({:.2} %)", sizes * 100.0)?;
        }
        if !self.metres.is_empty() {
            write!(f, "; {:.5} m in space", mean(self.metres.iter().copied()))?;
        }
        write!(f, "; other side {}", self.sides_differ)?;
        for (who, frames) in [("theirs", &self.only_theirs), ("ours", &self.only_ours)] {
            if !frames.is_empty() {
                write!(f, "; only {who} in frames {}", Runs(frames))?;
            }
        }
        Ok(())
    }
}

/// What so many of 100 values do not exceed.
fn within(values: &[f32], percent: usize) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

/// Numbers in order, those that follow one another as a run.
struct Runs<'a>(&'a [usize]);

impl fmt::Display for Runs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = self.0.chunk_by(|a, b| b - a <= 1).map(|run| match run {
            [only] => only.to_string(),
            [first, .., last] if first == last => first.to_string(),
            [first, .., last] => format!("{first}–{last}"),
            [] => String::new(),
        });
        f.write_str(&runs.collect::<Vec<_>>().join(", "))
    }
}

/// The mean distance of places in metres.
pub fn metres(ours: &[Space], theirs: &[Space]) -> f32 {
    let metres =
        |(a, b): (&Space, &Space)| (0..3).map(|axis| (a[axis] - b[axis]).powi(2)).sum::<f32>().sqrt();
    mean(ours.iter().zip(theirs).map(metres))
}

/// The mean distances of a body's visible points in pixels, and of all its points in metres.
pub fn body(ours: &Body, theirs: &Body) -> [f32; 2] {
    let visible = (0..theirs.points.len()).filter(|k| theirs.visibility[*k] >= VISIBLE);
    let px = mean(visible.map(|k| distance(ours.points[k], theirs.points[k])));
    [px, metres(&ours.world, &theirs.world)]
}

/// The mean distance of a face's points in inter-ocular distances.
pub fn face(ours: &[Place], theirs: &[Place]) -> f32 {
    away(ours, theirs) / distance(theirs[EYES[0]], theirs[EYES[1]])
}
