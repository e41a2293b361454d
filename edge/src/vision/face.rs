//! The face: found where the body promises it, then followed by its own landmarks.

use models::store::Store;

use super::anchors::Anchors;
use super::crop::{Border, crop};
use super::detect::{Detector, Spec, sigmoid};
use super::geometry::{Keep, Roi, are_places, distance, turn};
use super::network::Network;
use super::smooth::{OneEuro, Smoother};
use crate::Fault;
use crate::camera::Frame;
use crate::stage::Stamp;
use crate::vision::body::Body;
use crate::vision::{Options, Smoothing};

/// Landmarks of the face.
pub const POINTS: usize = 468;
/// Width and height of the landmark network's input.
const SIDE: usize = 192;
/// A face is there where the network says so with at least this probability.
const PRESENT: f32 = 0.5;
/// The body's landmarks that lie in the face.
const BODY_POINTS: std::ops::Range<usize> = 0..11;
/// The body's right and left eye.
const BODY_EYES: [usize; 2] = [5, 2];
/// The outer corners of the right and left eye.
const EYES: [usize; 2] = [33, 263];

/// MediaPipe's constants for keeping the last face's region.
const KEEP: Keep = Keep { turn_degrees: 15.0, shift: 0.1, scale: 0.3, margin: -0.2 };
/// While the last region agrees with the body, the detector runs once in so many frames.
const CHECK_EVERY: u32 = 15;

const DETECTOR: Spec = Spec {
    name: "face_detection_short_range",
    range: [-1.0, 1.0],
    keypoints: 6,
    anchors: Anchors {
        input: 128,
        scale: [0.1484375, 0.75],
        strides: &[8, 16, 16, 16],
        aspects: &[1.0],
        reduced_first_layer: false,
        unit_size: true,
    },
};

/// How tremble is taken out of a face, its speed being counted in sizes of the face a second.
const FILTER: OneEuro = OneEuro { rest_hz: 2.0, beta: 40.0 };

/// A face in one frame.
#[derive(Debug, Clone)]
pub struct Face {
    /// x, y and z in pixels.
    pub points: [[f32; 3]; POINTS],
    /// How likely there is a face, 0.5 to 1.
    pub presence: f32,
}

impl Face {
    fn next(&self) -> Option<Roi> {
        let flat = |k: usize| [self.points[k][0], self.points[k][1]];
        let angle = turn(flat(EYES[0]), flat(EYES[1]), 0.0);
        Some(Roi::around(self.points.iter().map(|p| [p[0], p[1]]), angle)?.transformed(1.5, 0.0))
    }
}

/// Finds and follows the face.
pub struct FaceTracker {
    detector: Detector,
    landmarks: Network,
    /// As the network saw it: this is what is followed.
    last: Option<Face>,
    /// The same without its tremble, where that is taken out.
    shown: Option<Face>,
    smoother: Option<Smoother<POINTS>>,
    /// Frames since the detector last ran.
    idle: u32,
}

impl FaceTracker {
    /// Loads the two networks; each runs on one thread, because hands are looked at beside the face.
    pub fn open(store: &Store, options: &Options) -> Result<Self, Fault> {
        let outputs: &[&[usize]] = &[&[1, 1, 1, POINTS * 3], &[1, 1, 1, 1]];
        let options = &options.on_one_thread();
        Ok(Self {
            detector: Detector::open(DETECTOR, store, options)?,
            landmarks: Network::open("face_landmark", SIDE, outputs, store, options)?,
            last: None,
            shown: None,
            smoother: (options.smooth == Smoothing::All).then(|| Smoother::new(FILTER)),
            idle: 0,
        })
    }

    /// Forgets the face.
    pub fn reset(&mut self) {
        self.last = None;
        self.show(Stamp::default());
    }

    /// Finds or follows the face in the next frame.
    ///
    /// With a body, the face is searched on its shoulders, now and then even while the last region still
    /// lies there; without one, a lost face is searched in the whole frame.
    pub fn step(&mut self, frame: &Frame, body: Option<&Body>) -> Result<(), Fault> {
        let last = self.last.take();
        let kept = last.as_ref().and_then(Face::next);
        let roi = match (body, kept) {
            (None, Some(kept)) => Some(kept),
            (None, None) => self.search(frame, &Roi::whole([frame.width, frame.height]))?,
            (Some(body), kept) => {
                let region = region_from_body(body);
                let lies_there = kept.zip(region).is_some_and(|(kept, region)| on_shoulders(&kept, &region));
                let fresh = match region {
                    Some(region) if !lies_there || self.idle >= CHECK_EVERY => self.search(frame, &region)?,
                    _ => None,
                };
                match (fresh, kept, &last) {
                    (Some(fresh), Some(kept), Some(last)) if !KEEP.holds(&kept, &last.points, &fresh) => {
                        Some(fresh)
                    }
                    (fresh, kept, _) => kept.or(fresh),
                }
            }
        };
        self.idle = self.idle.saturating_add(1);
        if let Some(roi) = roi {
            self.last = self.look(frame, &roi)?;
        }
        self.show(frame.at);
        Ok(())
    }

    /// Takes the tremble out of what is shown.
    fn show(&mut self, at: Stamp) {
        self.shown = self.last.clone();
        match (&mut self.smoother, &mut self.shown) {
            (Some(smoother), Some(face)) => {
                let size = Roi::around(face.points.iter().map(|p| [p[0], p[1]]), 0.0);
                face.points = smoother.step(at, face.points, size.map_or(0.0, |s| s.longest()));
            }
            (Some(smoother), None) => smoother.reset(),
            (None, _) => {}
        }
    }

    /// The face in the last frame, where there was one.
    pub fn seen(&self) -> Option<&Face> {
        self.shown.as_ref()
    }

    fn search(&mut self, frame: &Frame, region: &Roi) -> Result<Option<Roi>, Fault> {
        self.idle = 0;
        let found = self.detector.find(frame, region)?;
        let Some(best) = found.first() else { return Ok(None) };
        let angle = turn(best.keypoints[0], best.keypoints[1], 0.0);
        Ok(Roi::around(best.keypoints.iter().copied(), angle).map(|roi| roi.transformed(2.0, -0.1)))
    }

    fn look(&mut self, frame: &Frame, roi: &Roi) -> Result<Option<Face>, Fault> {
        if !roi.is_usable() {
            return Ok(None);
        }
        crop(frame, roi, [0.0, 1.0], Border::Replicate, &mut self.landmarks.input);
        let outputs = self.landmarks.run()?;
        let presence = sigmoid(outputs[1].data[0]);
        // What is not a number is not present either.
        let present = presence >= PRESENT;
        if !present {
            return Ok(None);
        }
        let raw = &outputs[0].data;
        let points: [[f32; 3]; POINTS] = std::array::from_fn(|k| {
            let [x, y] = roi.point([raw[3 * k] / SIDE as f32, raw[3 * k + 1] / SIDE as f32]);
            [x, y, raw[3 * k + 2] / SIDE as f32 * roi.size[0]]
        });
        Ok(are_places(&points).then_some(Face { points, presence }))
    }
}

/// True where a face's region lies where the body promises one, and is neither far larger nor smaller.
fn on_shoulders(kept: &Roi, promised: &Roi) -> bool {
    // Measured on six clips of people, seen from the front and from the side: sizes of 0.59 to 0.82, and
    // centres at most 0.045 away except in squats at five frames a second, where it must be searched.
    let size = kept.longest() / promised.longest();
    (0.5..0.95).contains(&size) && distance(kept.center, promised.center) < 0.05 * promised.longest()
}

/// The region around the face that the body's landmarks promise.
fn region_from_body(body: &Body) -> Option<Roi> {
    let flat = |k: usize| [body.points[k][0], body.points[k][1]];
    let angle = turn(flat(BODY_EYES[0]), flat(BODY_EYES[1]), 0.0);
    Some(Roi::around(BODY_POINTS.map(flat), angle)?.transformed(3.0, 0.0))
}
