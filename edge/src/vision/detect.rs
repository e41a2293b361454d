//! Single-shot detectors: where in a picture there is a body, a palm or a face.

use models::store::Store;

use super::anchors::{Anchor, Anchors};
use super::crop::{Border, crop};
use super::geometry::Roi;
use super::network::Network;
use crate::Fault;
use crate::camera::Frame;
use crate::vision::Options;

/// Detections below this are none (MediaPipe's `min_score_thresh` for all three detectors).
const MIN_SCORE: f32 = 0.5;
/// Boxes that share more than this are the same thing (`min_suppression_threshold`).
const SAME: f32 = 0.3;

/// What a detector's network takes and gives.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The network's name in the store.
    pub name: &'static str,
    /// Values that a black and a white pixel become.
    pub range: [f32; 2],
    /// Key points of one detection.
    pub keypoints: usize,
    /// Its anchors; their `input` is also the width and height of the network's input.
    pub anchors: Anchors<'static>,
}

/// Something found.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// How sure the network is, 0.5 to 1.
    pub score: f32,
    /// The box, turned as the region that was searched.
    pub bounds: Roi,
    /// Its key points, in pixels of the picture.
    pub keypoints: Vec<[f32; 2]>,
}

/// A detector that is ready to run.
pub struct Detector {
    spec: Spec,
    network: Network,
    anchors: Vec<Anchor>,
}

impl Detector {
    /// Loads the detector's network.
    pub fn open(spec: Spec, store: &Store, options: &Options) -> Result<Self, Fault> {
        let anchors = spec.anchors.generate();
        let side = spec.anchors.input as usize;
        let values = 4 + 2 * spec.keypoints;
        let outputs: &[&[usize]] = &[&[1, anchors.len(), values], &[1, anchors.len(), 1]];
        let network = Network::open(spec.name, side, outputs, store, options)?;
        Ok(Self { spec, network, anchors })
    }

    /// Searches a region of the frame; gives what it found, the surest first.
    pub fn find(&mut self, frame: &Frame, region: &Roi) -> Result<Vec<Detection>, Fault> {
        let region = region.squared();
        if !region.is_usable() {
            return Ok(Vec::new());
        }
        crop(frame, &region, self.spec.range, Border::Zero, &mut self.network.input);
        let outputs = self.network.run()?;
        let candidates =
            decode(&outputs[0].data, &outputs[1].data, &self.anchors, self.spec.anchors.input as f32);
        Ok(merge(candidates).into_iter().map(|c| c.in_picture(&region)).collect())
    }
}

/// A box and its key points in units of the network's input, all as points: low corner, high corner, key points.
#[derive(Debug, Clone, PartialEq)]
struct Candidate {
    score: f32,
    points: Vec<[f32; 2]>,
}

impl Candidate {
    fn bounds(&self) -> Roi {
        let [low, high] = [self.points[0], self.points[1]];
        Roi {
            center: [(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0],
            size: [high[0] - low[0], high[1] - low[1]],
            angle: 0.0,
        }
    }

    fn in_picture(&self, region: &Roi) -> Detection {
        let own = self.bounds();
        Detection {
            score: self.score,
            bounds: Roi {
                center: region.point(own.center),
                size: [own.size[0] * region.size[0], own.size[1] * region.size[1]],
                angle: region.angle,
            },
            keypoints: self.points[2..].iter().map(|p| region.point(*p)).collect(),
        }
    }
}

/// Reads boxes of more than [`MIN_SCORE`] out of a network's outputs.
///
/// # Shapes
/// - `boxes`: `[A, 4 + 2·keypoints]`: centre, size and key points, in input pixels from the anchor
/// - `logits`: `[A]`
fn decode(boxes: &[f32], logits: &[f32], anchors: &[Anchor], input: f32) -> Vec<Candidate> {
    let values = boxes.len() / anchors.len().max(1);
    anchors
        .iter()
        .zip(logits)
        .zip(boxes.chunks_exact(values.max(1)))
        .filter_map(|((anchor, logit), raw)| {
            let score = sigmoid(logit.clamp(-100.0, 100.0));
            // A NaN fails the comparison too.
            if !(score >= MIN_SCORE && raw.iter().all(|v| v.is_finite())) {
                return None;
            }
            let place =
                |x: f32, y: f32| [x / input * anchor[2] + anchor[0], y / input * anchor[3] + anchor[1]];
            let center = place(raw[0], raw[1]);
            let half = [raw[2] / input * anchor[2] / 2.0, raw[3] / input * anchor[3] / 2.0];
            let mut points =
                vec![[center[0] - half[0], center[1] - half[1]], [center[0] + half[0], center[1] + half[1]]];
            points.extend(raw[4..].chunks_exact(2).map(|p| place(p[0], p[1])));
            Some(Candidate { score, points })
        })
        .collect()
}

/// Merges boxes of the same thing into their mean, weighted by score (MediaPipe's `WEIGHTED` suppression).
fn merge(mut rest: Vec<Candidate>) -> Vec<Candidate> {
    rest.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut merged = Vec::new();
    while let Some(best) = rest.first().cloned() {
        let (same, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|c| *c == best || c.bounds().overlap(&best.bounds()) > SAME);
        let total: f32 = same.iter().map(|c| c.score).sum();
        let mean =
            |k: usize, axis: usize| same.iter().map(|c| c.points[k][axis] * c.score).sum::<f32>() / total;
        let points = (0..best.points.len()).map(|k| [mean(k, 0), mean(k, 1)]).collect();
        merged.push(Candidate { score: best.score, points });
        rest = others;
    }
    merged
}

/// The logistic function.
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(score: f32, x: f32) -> Candidate {
        Candidate { score, points: vec![[x, 0.0], [x + 1.0, 1.0], [x, x]] }
    }

    #[test]
    fn boxes_of_one_thing_become_their_weighted_mean() {
        let merged = merge(vec![candidate(0.5, 0.2), candidate(1.0, 0.0), candidate(0.7, 3.0)]);
        assert_eq!(merged.len(), 2);
        assert_eq!(merged[0].score, 1.0);
        assert!((merged[0].points[0][0] - 0.1 / 1.5).abs() < 1e-6);
        assert!((merged[0].points[2][1] - 0.1 / 1.5).abs() < 1e-6);
        assert_eq!(merged[1].score, 0.7);
        assert!(merge(Vec::new()).is_empty());
    }

    #[test]
    fn boxes_are_read_from_their_anchor() {
        let anchors = [[0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]];
        let boxes = [
            10.0,
            20.0,
            40.0,
            20.0,
            -10.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            f32::NAN,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
        ];
        let found = decode(&boxes, &[3.0, -3.0, 3.0], &anchors, 100.0);
        assert_eq!(found.len(), 1, "below the threshold, or not a number");
        let [low, high, key] = [found[0].points[0], found[0].points[1], found[0].points[2]];
        let near = |a: [f32; 2], b: [f32; 2]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(near(low, [0.4, 0.6]) && near(high, [0.8, 0.8]) && near(key, [0.4, 0.5]), "{found:?}");
    }

    #[test]
    fn detections_are_placed_in_the_turned_region() {
        let region = Roi { center: [100.0, 100.0], size: [200.0, 200.0], angle: std::f32::consts::PI };
        let detection = candidate(0.9, 0.0).in_picture(&region);
        assert!((detection.keypoints[0][0] - 200.0).abs() < 1e-3, "{detection:?}");
        assert!((detection.bounds.size[0] - 200.0).abs() < 1e-3, "{detection:?}");
    }
}
