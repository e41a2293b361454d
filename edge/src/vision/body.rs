//! The body: found once, then followed from frame to frame by its own landmarks.

use models::store::Store;

use super::anchors::Anchors;
use super::crop::{Border, crop};
use super::detect::{Detector, Spec, sigmoid};
use super::geometry::{Roi, UP, are_places};
use super::network::Network;
use super::signer::Signer;
use super::smooth::{OneEuro, Smoother};
use crate::Fault;
use crate::camera::Frame;
use crate::vision::{Options, Smoothing};

/// Landmarks of the body.
pub const POINTS: usize = 33;
/// Landmarks that the network gives: the body's, and six that only steer it.
const RAW_POINTS: usize = 39;
/// Values of one raw landmark: x, y, z, visibility, presence.
const RAW_VALUES: usize = 5;
/// Width and height of the landmark network's input.
const SIDE: usize = 256;
/// Width and height of its heat maps.
const HEAT_SIDE: usize = 64;
/// A body is there where the network says so with at least this probability.
const PRESENT: f32 = 0.5;
/// How much wider than the circle around a body its rectangle is.
const MARGIN: f32 = 1.25;
/// How fast visibility follows the network, a frame (`VisibilitySmoothingCalculator`).
const VISIBILITY_ALPHA: f32 = 0.1;

const DETECTOR: Spec = Spec {
    name: "pose_detection",
    range: [-1.0, 1.0],
    keypoints: 4,
    anchors: Anchors {
        input: 224,
        scale: [0.1484375, 0.75],
        strides: &[8, 16, 32, 32, 32],
        aspects: &[1.0],
        reduced_first_layer: false,
        unit_size: true,
    },
};

/// A body in one frame.
#[derive(Debug, Clone)]
pub struct Body {
    /// x, y and z in pixels; z is 0 at the hips.
    pub points: [[f32; 3]; POINTS],
    /// How likely each is to be seen, 0 to 1.
    pub visibility: [f32; POINTS],
    /// x, y and z in metres from the middle of the hips.
    pub world: [[f32; 3]; POINTS],
    /// True where it was found in this frame, false where it was followed from the last.
    pub is_new: bool,
}

/// Finds and follows the body.
pub struct BodyTracker {
    detector: Detector,
    landmarks: Network,
    /// Where the body will be looked for in the next frame.
    next: Option<Roi>,
    signer: Signer,
    /// Whether tremble is taken out of what is given.
    smooth: bool,
    smooth_points: Smoother<POINTS>,
    smooth_world: Smoother<POINTS>,
    smooth_guides: Smoother<2>,
    visibility: Option<[f32; POINTS]>,
}

/// What the landmark network says of one region, before smoothing.
struct Raw {
    body: Body,
    /// The centre of the hips, and a point on the circle around the whole body.
    guides: [[f32; 3]; 2],
}

impl Raw {
    fn circle(&self) -> Roi {
        around(self.guides)
    }
}

/// The circle around a body, as the square around it.
fn around(guides: [[f32; 3]; 2]) -> Roi {
    let [hips, rim] = guides.map(|p| [p[0], p[1]]);
    Roi::aligned(hips, rim, UP)
}

impl BodyTracker {
    /// Loads the two networks.
    pub fn open(store: &Store, options: &Options) -> Result<Self, Fault> {
        let outputs: &[&[usize]] = &[
            &[1, RAW_POINTS * RAW_VALUES],
            &[1, 1],
            &[1, HEAT_SIDE, HEAT_SIDE, RAW_POINTS],
            &[1, RAW_POINTS * 3],
        ];
        // The constants of MediaPipe's pose_landmark_filtering graph.
        Ok(Self {
            detector: Detector::open(DETECTOR, store, options)?,
            landmarks: Network::open("pose_landmark_full", SIDE, outputs, store, options)?,
            next: None,
            signer: Signer::default(),
            smooth: options.smooth >= Smoothing::Body,
            smooth_points: Smoother::new(OneEuro { rest_hz: 0.05, beta: 80.0 }),
            smooth_world: Smoother::new(OneEuro { rest_hz: 0.1, beta: 40.0 }),
            smooth_guides: Smoother::new(OneEuro { rest_hz: 0.01, beta: 10.0 }),
            visibility: None,
        })
    }

    /// Which engine runs the landmark network.
    pub fn describe(&self) -> String {
        self.landmarks.describe()
    }

    /// The body in the next frame, or `None` where there is none.
    pub fn step(&mut self, frame: &Frame) -> Result<Option<Body>, Fault> {
        let followed = match self.next.take() {
            Some(roi) => self.look(frame, &roi)?,
            None => None,
        };
        let raw = match followed {
            Some(raw) if self.signer.doubts(frame.at, &raw.circle()) => {
                Some(self.left_behind(frame, &raw.circle())?.unwrap_or(raw))
            }
            Some(raw) => Some(raw),
            None => {
                self.lose();
                self.search(frame)?
            }
        };
        let Some(raw) = raw else { return Ok(None) };
        Ok(Some(self.take(frame, raw)))
    }

    /// Forgets the body, and who the signer was.
    pub fn reset(&mut self) {
        self.lose();
        self.signer = Signer::default();
    }

    /// Follows the body no longer.
    fn lose(&mut self) {
        self.next = None;
        self.visibility = None;
        self.smooth_points.reset();
        self.smooth_world.reset();
        self.smooth_guides.reset();
    }

    /// Looks for the signer in the whole frame.
    fn search(&mut self, frame: &Frame) -> Result<Option<Raw>, Fault> {
        let people = self.people(frame)?;
        let Some(signer) = self.signer.among(frame.at, &people) else { return Ok(None) };
        self.begin(frame, &people[signer])
    }

    /// Looks for the signer whom the track left for somebody who walked by.
    fn left_behind(&mut self, frame: &Frame, followed: &Roi) -> Result<Option<Raw>, Fault> {
        let people = self.people(frame)?;
        let Some(signer) = self.signer.left_behind(followed, &people) else { return Ok(None) };
        let found = self.begin(frame, &people[signer])?;
        if found.is_some() {
            self.lose();
        }
        Ok(found)
    }

    /// The circles around the bodies in a frame, the surest first.
    fn people(&mut self, frame: &Frame) -> Result<Vec<Roi>, Fault> {
        let found = self.detector.find(frame, &Roi::whole([frame.width, frame.height]))?;
        Ok(found.iter().map(|d| Roi::aligned(d.keypoints[0], d.keypoints[1], UP)).collect())
    }

    /// The landmarks of a body that was just found.
    fn begin(&mut self, frame: &Frame, circle: &Roi) -> Result<Option<Raw>, Fault> {
        let mut raw = self.look(frame, &circle.transformed(MARGIN, 0.0))?;
        if let Some(raw) = &mut raw {
            raw.body.is_new = true;
        }
        Ok(raw)
    }

    /// The landmarks in a region, where there is a body in it.
    fn look(&mut self, frame: &Frame, roi: &Roi) -> Result<Option<Raw>, Fault> {
        if !roi.is_usable() {
            return Ok(None);
        }
        crop(frame, roi, [0.0, 1.0], Border::Replicate, &mut self.landmarks.input);
        let outputs = self.landmarks.run()?;
        // The order is that of MediaPipe's split, without the silhouette: landmarks, presence, heat maps, world.
        let present = outputs[1].data[0] >= PRESENT;
        if !present || outputs[0].data.iter().any(|v| !v.is_finite()) {
            return Ok(None);
        }
        let mut raw: Vec<[f32; RAW_VALUES]> = outputs[0].data.as_chunks().0.to_vec();
        refine(&mut raw, &outputs[2].data);
        let place = |p: &[f32; RAW_VALUES]| {
            let [x, y] = roi.point([p[0] / SIDE as f32, p[1] / SIDE as f32]);
            [x, y, p[2] / SIDE as f32 * roi.size[0]]
        };
        let world = |k: usize| {
            let p = &outputs[3].data[3 * k..3 * k + 3];
            let [x, y] = roi.rotate([p[0], p[1]]);
            [x, y, p[2]]
        };
        let raw = Raw {
            body: Body {
                points: std::array::from_fn(|k| place(&raw[k])),
                visibility: std::array::from_fn(|k| sigmoid(raw[k][3])),
                world: std::array::from_fn(world),
                is_new: false,
            },
            guides: [place(&raw[POINTS]), place(&raw[POINTS + 1])],
        };
        let places = [raw.body.points.as_slice(), &raw.body.world, &raw.guides];
        let in_reach = places.into_iter().all(are_places);
        Ok(in_reach.then_some(raw))
    }

    /// Lays down where the next frame will be searched, and smooths the body.
    fn take(&mut self, frame: &Frame, raw: Raw) -> Body {
        let circle = raw.circle();
        self.signer.saw(frame.at, circle);
        let guides = self.smooth_guides.step(frame.at, raw.guides, circle.size[0]);
        self.next = Some(around(guides).transformed(MARGIN, 0.0));
        if !self.smooth {
            return raw.body;
        }
        let fresh = raw.body.visibility;
        let old = self.visibility.unwrap_or(fresh);
        let visibility =
            std::array::from_fn(|k| VISIBILITY_ALPHA * fresh[k] + (1.0 - VISIBILITY_ALPHA) * old[k]);
        self.visibility = Some(visibility);
        Body {
            points: self.smooth_points.step(frame.at, raw.body.points, circle.size[0]),
            visibility,
            is_new: raw.body.is_new,
            // Metres are their own scale.
            world: self.smooth_world.step(frame.at, raw.body.world, 1.0),
        }
    }
}

/// Moves landmarks to the centre of their heat around them (MediaPipe's `RefineLandmarksFromHeatmapCalculator`).
///
/// # Shapes
/// - `raw`: `[K]` of x, y, …, in pixels of the network's input
/// - `heat`: `[64, 64, K]`, logits
fn refine(raw: &mut [[f32; RAW_VALUES]], heat: &[f32]) {
    /// Cells to each side that count. MediaPipe's graph asks for 3, its Python package takes 4: on the
    /// same crop a wrist lies 5.7 px from the package's with 3, and 0.03 px with 4.
    const REACH: i32 = 4;
    /// Heat below this says nothing.
    const SURE: f32 = 0.5;
    let points = raw.len();
    let cell = SIDE as f32 / HEAT_SIDE as f32;
    let side = HEAT_SIDE as i32;
    for (k, landmark) in raw.iter_mut().enumerate() {
        let (column, row) = ((landmark[0] / cell) as i32, (landmark[1] / cell) as i32);
        if !(0..side).contains(&column) || !(0..side).contains(&row) {
            continue;
        }
        let (mut total, mut most, mut sum) = (0.0, 0.0_f32, [0.0; 2]);
        for y in (row - REACH).max(0)..(row + REACH + 1).min(side) {
            for x in (column - REACH).max(0)..(column + REACH + 1).min(side) {
                let value = sigmoid(heat[(y * side + x) as usize * points + k]);
                total += value;
                most = most.max(value);
                sum = [sum[0] + x as f32 * value, sum[1] + y as f32 * value];
            }
        }
        if most >= SURE {
            landmark[0] = sum[0] / total * cell;
            landmark[1] = sum[1] / total * cell;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(at: [f32; 2], heat_at: [usize; 2], logit: f32, expect: [f32; 2]) {
        let mut heat = vec![-20.0; HEAT_SIDE * HEAT_SIDE];
        heat[heat_at[1] * HEAT_SIDE + heat_at[0]] = logit;
        let mut raw = [[at[0], at[1], 0.0, 0.0, 0.0]];
        refine(&mut raw, &heat);
        let near = (raw[0][0] - expect[0]).abs() < 0.05 && (raw[0][1] - expect[1]).abs() < 0.05;
        assert!(near, "{raw:?} instead of {expect:?}");
    }

    #[test]
    fn landmarks_move_to_sure_heat_nearby_only() {
        check([100.0, 100.0], [26, 24], 5.0, [104.0, 96.0]);
        check([100.0, 100.0], [26, 24], -1.0, [100.0, 100.0]);
        check([100.0, 100.0], [29, 25], 5.0, [116.0, 100.0]);
        check([100.0, 100.0], [30, 25], 5.0, [100.0, 100.0]);
        check([-9.0, 300.0], [0, 63], 5.0, [-9.0, 300.0]);
    }
}
