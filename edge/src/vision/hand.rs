//! One hand: its landmarks in a region, and the regions that follow from them.

#[cfg(test)]
mod promise;

use models::store::Store;

use super::crop::{Border, crop};
use super::geometry::{Roi, UP, are_places, distance, turn};
use super::network::Network;
use super::smooth::{OneEuro, Smoother};
use crate::Fault;
use crate::camera::Frame;
use crate::stage::Stamp;
use crate::vision::Options;

/// Landmarks of a hand.
pub const POINTS: usize = 21;
/// Width and height of the landmark network's input.
const SIDE: usize = 224;
/// Width and height of the input of the network that refines a region.
const RECROP_SIDE: usize = 256;
/// The network's depth is this much of its width (`normalize_z`).
const DEPTH: f32 = 0.4;
/// A hand is there where the network says so with at least this probability.
const PRESENT: f32 = 0.5;

const WRIST: usize = 0;
const INDEX_KNUCKLE: usize = 5;
const MIDDLE_KNUCKLE: usize = 9;
const RING_KNUCKLE: usize = 13;
/// The landmarks that say where the palm is, however the fingers are bent.
const PALM: [usize; 12] = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18];

/// How tremble is taken out of a hand: tuned on a close-up of fingerspelling, see `tests/tests/tremble.rs`.
const FILTER: OneEuro = OneEuro { rest_hz: 1.0, beta: 50.0 };
/// The size of a hand in metres, by which its speed in metres is counted.
const HAND_M: f32 = 0.1;

/// A hand in one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Hand {
    /// x, y and z in pixels; z is 0 at the wrist.
    pub points: [[f32; 3]; POINTS],
    /// x, y and z in metres from the middle of the hand.
    pub world: [[f32; 3]; POINTS],
    /// How likely there is a hand, 0.5 to 1.
    pub presence: f32,
    /// How likely it is a left hand, 0 to 1, in a picture that is not mirrored.
    pub left: f32,
}

impl Hand {
    /// Where the hand will be looked for in the next frame.
    pub fn next(&self) -> Roi {
        let flat = |k: usize| [self.points[k][0], self.points[k][1]];
        let knuckles = |axis: usize| {
            let outer = (self.points[INDEX_KNUCKLE][axis] + self.points[RING_KNUCKLE][axis]) / 2.0;
            (outer + self.points[MIDDLE_KNUCKLE][axis]) / 2.0
        };
        let angle = turn(flat(WRIST), [knuckles(0), knuckles(1)], UP);
        Roi::fitted(&PALM.map(flat), angle).expect("a palm has points").transformed(2.0, -0.1)
    }

    /// The upright box around all its landmarks.
    pub fn bounds(&self) -> Roi {
        Roi::around(self.points.iter().map(|p| [p[0], p[1]]), 0.0).expect("a hand has points")
    }

    /// Its wrist.
    pub fn wrist(&self) -> [f32; 2] {
        [self.points[WRIST][0], self.points[WRIST][1]]
    }
}

/// Takes the tremble out of a hand that is followed.
#[derive(Debug, Clone)]
pub struct HandSmoother {
    points: Smoother<POINTS>,
    world: Smoother<POINTS>,
}

impl HandSmoother {
    /// A filter that has seen nothing.
    pub fn new() -> Self {
        Self { points: Smoother::new(FILTER), world: Smoother::new(FILTER) }
    }

    /// The hand as it is shown.
    pub fn step(&mut self, at: Stamp, hand: &Hand) -> Hand {
        let size = hand.next().longest() / 2.0;
        Hand {
            points: self.points.step(at, hand.points, size),
            world: self.world.step(at, hand.world, HAND_M),
            ..hand.clone()
        }
    }
}

/// The region around a hand that the body's landmarks promise (`HandDetectionsFromPoseToRectsCalculator`).
pub fn region_from_body(wrist: [f32; 2], little: [f32; 2], index: [f32; 2]) -> Roi {
    let middle = [(2.0 * index[0] + little[0]) / 3.0, (2.0 * index[1] + little[1]) / 3.0];
    let side = 2.0 * distance(middle, wrist);
    Roi { center: middle, size: [side; 2], angle: turn(wrist, middle, UP) }.transformed(2.7, -0.1)
}

/// The networks that look at one hand at a time.
pub struct HandNetworks {
    landmarks: Network,
    recrop: Network,
}

impl HandNetworks {
    /// Loads both; each runs on one thread, because the hands are looked at side by side.
    pub fn open(store: &Store, options: &Options) -> Result<Self, Fault> {
        let values = POINTS * 3;
        let options = &options.on_one_thread();
        let outputs: &[&[usize]] = &[&[1, values], &[1, 1], &[1, 1], &[1, values]];
        Ok(Self {
            landmarks: Network::open("hand_landmark_full", SIDE, outputs, store, options)?,
            recrop: Network::open("hand_recrop", RECROP_SIDE, &[&[1, 4]], store, options)?,
        })
    }

    /// Narrows the rough region that the body promises to the hand in it.
    pub fn refine(&mut self, frame: &Frame, rough: &Roi) -> Result<Option<Roi>, Fault> {
        if !rough.is_usable() {
            return Ok(None);
        }
        crop(frame, rough, [0.0, 1.0], Border::Replicate, &mut self.recrop.input);
        let outputs = self.recrop.run()?;
        // Two points in input pixels: the centre of the hand, and where its top edge is.
        let places: Vec<[f32; 2]> = outputs[0]
            .data
            .chunks_exact(2)
            .map(|p| rough.point([p[0] / RECROP_SIDE as f32, p[1] / RECROP_SIDE as f32]))
            .collect();
        let roi = Roi::aligned(places[0], places[1], -UP).transformed(1.0, -0.1);
        Ok(roi.is_usable().then_some(roi))
    }

    /// The hand in a region, where there is one.
    pub fn look(&mut self, frame: &Frame, roi: &Roi) -> Result<Option<Hand>, Fault> {
        if !roi.is_usable() {
            return Ok(None);
        }
        crop(frame, roi, [0.0, 1.0], Border::Replicate, &mut self.landmarks.input);
        let outputs = self.landmarks.run()?;
        let presence = outputs[1].data[0];
        if !(presence >= PRESENT && outputs[2].data[0].is_finite()) {
            return Ok(None);
        }
        let raw = &outputs[0].data;
        let points: [[f32; 3]; POINTS] = std::array::from_fn(|k| {
            let [x, y] = roi.point([raw[3 * k] / SIDE as f32, raw[3 * k + 1] / SIDE as f32]);
            [x, y, raw[3 * k + 2] / SIDE as f32 / DEPTH * roi.size[0]]
        });
        let metres = &outputs[3].data;
        let world: [[f32; 3]; POINTS] = std::array::from_fn(|k| {
            let [x, y] = roi.rotate([metres[3 * k], metres[3 * k + 1]]);
            [x, y, metres[3 * k + 2]]
        });
        // The network was trained on mirrored pictures: what it calls left is the signer's right.
        if !(are_places(&points) && are_places(&world)) {
            return Ok(None);
        }
        let left = 1.0 - outputs[2].data[0].clamp(0.0, 1.0);
        Ok(Some(Hand { points, world, presence: presence.min(1.0), left }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hand pointing up: the wrist below, four straight fingers above.
    fn upright() -> Hand {
        let mut points = [[0.0; 3]; POINTS];
        points[0] = [50.0, 100.0, 0.0];
        for finger in 0..5 {
            for joint in 0..4 {
                let y = if finger == 0 { 90.0 } else { 60.0 } - 10.0 * joint as f32;
                points[1 + finger * 4 + joint] = [30.0 + 10.0 * finger as f32, y, 0.0];
            }
        }
        Hand { points, world: points, presence: 1.0, left: 0.5 }
    }

    #[test]
    fn the_next_region_is_a_square_that_holds_the_hand() {
        let hand = upright();
        let roi = hand.next();
        assert_eq!(roi.size[0], roi.size[1]);
        assert!(roi.angle.abs() < 0.1, "{roi:?}");
        for p in hand.points {
            let [u, v] = roi.place([p[0], p[1]]);
            assert!((0.0..=1.0).contains(&u) && (0.0..=1.0).contains(&v), "{p:?} in {roi:?}");
        }
    }

    #[test]
    fn a_turned_hand_turns_its_region() {
        let mut hand = upright();
        for p in &mut hand.points {
            // A quarter turn clockwise about the wrist.
            *p = [50.0 - (p[1] - 100.0), 100.0 + (p[0] - 50.0), p[2]];
        }
        let (before, after) = (upright().next(), hand.next());
        assert!((after.angle - before.angle - UP).abs() < 1e-3, "{after:?}");
        assert!((after.size[0] - before.size[0]).abs() < 1e-2, "{after:?}");
    }

    #[test]
    fn the_body_promises_a_region_beyond_the_wrist() {
        let roi = region_from_body([0.0, 100.0], [10.0, 70.0], [10.0, 70.0]);
        // Up and to the right of the wrist, turned towards the fingers.
        assert!(roi.center[1] < 70.0 && roi.center[0] > 9.0, "{roi:?}");
        assert!(roi.angle > 0.0 && roi.angle < 0.5, "{roi:?}");
    }
}
