//! How well the body promises where a hand is, on boxes that people marked.
//!
//! The set gives six body points as MediaPipe saw them, and the box around the hand's marked
//! points: twice as large as they need and moved towards the fingers, as the landmark network
//! wants it. `region_from_body` promises a rough box, from which another network narrows it.
//! The set was made to show how rough (Moryossef, "Optimizing Hand Region Detection in MediaPipe
//! Holistic Full-Body Pose Estimation to Improve Accuracy and Avoid Downstream Errors", 2024).
//!
//! Its boxes were moved by a twentieth of their size each, but along the sine of an angle in
//! degrees, that is anywhere: that much of the distance of the centres is not the promise's.

use std::f32::consts::{FRAC_1_SQRT_2, FRAC_PI_4};

use serde::Deserialize;

use super::super::geometry::{Roi, distance, wrap};
use super::super::tests::oracle;
use super::region_from_body;

#[derive(Deserialize)]
struct Example {
    source: Source,
    target: Target,
}

#[derive(Deserialize)]
struct Source {
    /// Width over height of the picture.
    aspect_ratio: f32,
    /// Shoulder, elbow, wrist, thumb, index and little finger; x and y in units of the picture.
    pose: [[f32; 3]; 6],
}

/// The box around the hand.
#[derive(Deserialize)]
struct Target {
    /// In units of the picture.
    center: [f32; 2],
    /// Of the picture's longer side.
    size: f32,
    /// In degrees, clockwise.
    rotation: f32,
}

impl Example {
    /// What is promised, and what is true, in a picture that is 1000 px high.
    fn boxes(&self) -> [Roi; 2] {
        let picture = [1000.0 * self.source.aspect_ratio, 1000.0];
        let place = |x: f32, y: f32| [x * picture[0], y * picture[1]];
        let [wrist, index, little] = [2, 4, 5].map(|k| place(self.source.pose[k][0], self.source.pose[k][1]));
        let Target { center: [x, y], size, rotation } = self.target;
        let side = size * picture[0].max(picture[1]);
        let truth = Roi { center: place(x, y), size: [side; 2], angle: rotation.to_radians() };
        [region_from_body(wrist, little, index), truth]
    }
}

/// How much two turned rectangles share, 0 to 1.
fn shared(a: &Roi, b: &Roi) -> f32 {
    // What of the one lies in the other, in units of the other: cut along each of its edges in turn.
    let mut inside: Vec<[f32; 2]> =
        [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]].map(|corner| b.place(a.point(corner))).to_vec();
    for (axis, edge, sign) in [(0, 0.0, 1.0), (0, 1.0, -1.0), (1, 0.0, 1.0), (1, 1.0, -1.0)] {
        let depth = |p: [f32; 2]| sign * (p[axis] - edge);
        let next = inside.iter().cycle().skip(1);
        inside = inside
            .iter()
            .zip(next)
            .flat_map(|(&from, &to)| {
                let (start, end) = (depth(from), depth(to));
                let part = start / (start - end);
                let cut = [0, 1].map(|k| from[k] + part * (to[k] - from[k]));
                [(start >= 0.0).then_some(from), (start * end < 0.0).then_some(cut)].into_iter().flatten()
            })
            .collect();
    }
    let next = inside.iter().cycle().skip(1);
    let twice: f32 = inside.iter().zip(next).map(|(p, q)| p[0] * q[1] - q[0] * p[1]).sum();
    let [a, b] = [a, b].map(|r| r.size[0] * r.size[1]);
    let both = twice.abs() / 2.0 * b;
    both / (a + b - both)
}

#[test]
fn rectangles_share_what_they_share() {
    let square = Roi { center: [5.0, 5.0], size: [10.0; 2], angle: 0.0 };
    let cases = [
        (square, 1.0),
        (Roi { center: [10.0, 5.0], ..square }, 1.0 / 3.0),
        (Roi { center: [50.0, 5.0], ..square }, 0.0),
        (Roi { size: [5.0; 2], angle: 1.0, ..square }, 0.25),
        // An eighth of a turn leaves a regular octagon.
        (Roi { angle: FRAC_PI_4, ..square }, FRAC_1_SQRT_2),
    ];
    for (other, expect) in cases {
        let got = shared(&other, &square);
        assert!((got - expect).abs() < 1e-3, "{got} instead of {expect} with {other:?}");
    }
}

#[test]
fn the_body_promises_most_hands_roughly() {
    let Some(dir) = oracle("the_body_promises_most_hands_roughly") else { return };
    let text = std::fs::read_to_string(dir.join("handcrop/train.json")).unwrap();
    let examples: Vec<Example> = serde_json::from_str(&text).unwrap();
    let boxes: Vec<[Roi; 2]> = examples.iter().map(Example::boxes).collect();
    let mean = |of: fn(&[Roi; 2]) -> f32| boxes.iter().map(of).sum::<f32>() / boxes.len() as f32;
    let above = |least: f32| {
        boxes.iter().filter(|[promised, truth]| shared(promised, truth) > least).count() as f32
            / boxes.len() as f32
    };
    let center = mean(|[promised, truth]| distance(promised.center, truth.center) / truth.size[0]);
    let size = mean(|[promised, truth]| promised.size[0] / truth.size[0]);
    let turn = mean(|[promised, truth]| wrap(promised.angle - truth.angle).abs().to_degrees());
    eprintln!(
        "the_body_promises_most_hands_roughly: {} hands; centre {center:.3} boxes away, size {size:.2} of the \
         truth, turned by {turn:.1}°; sharing more than 0.3 / 0.5 / 0.7: {:.3} / {:.3} / {:.3}",
        boxes.len(),
        above(0.3),
        above(0.5),
        above(0.7)
    );
    assert_eq!(boxes.len(), 1416);
    assert!(center < 0.1 && (1.2..1.3).contains(&size) && turn < 20.0, "{center}, {size}, {turn}°");
    assert!(above(0.3) > 0.93 && above(0.5) > 0.7, "{}, {}", above(0.3), above(0.5));
}
