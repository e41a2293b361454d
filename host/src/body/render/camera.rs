//! The camera: from where a person is seen, and what comes to stand where in the picture.

use super::super::rotation::{Mat3, Vec3, about, apply, mul, transposed};
use models::vector::{add, sub};

/// A camera that looks at a place.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// The place that stands in the middle of the picture, in metres.
    pub aim: Vec3,
    /// How far it is from there, in metres.
    pub away: f32,
    /// Turned about the person: to the left, upwards, and about its own axis, in radians.
    pub turns: [f32; 3],
    /// How much of the world the picture's height shows at that distance, in metres.
    pub high: f32,
}

impl Default for Camera {
    fn default() -> Self {
        Self { aim: [0.0, 0.0, 0.0], away: 2.0, turns: [0.0; 3], high: 1.4 }
    }
}

impl Camera {
    /// Right, up and backwards of the camera, row by row.
    fn axes(&self) -> Mat3 {
        let [yaw, pitch, roll] = self.turns;
        let turned = mul(&about([0.0, 1.0, 0.0], yaw), &about([1.0, 0.0, 0.0], -pitch));
        transposed(&mul(&turned, &about([0.0, 0.0, 1.0], roll)))
    }

    /// Where it stands, in metres.
    pub fn place(&self) -> Vec3 {
        add(self.aim, apply(&transposed(&self.axes()), [0.0, 0.0, self.away]))
    }

    /// How far it is from what it looks at, in metres.
    pub fn distance(&self) -> f32 {
        self.away
    }

    /// What it sees as a picture of a size in pixels.
    pub fn view(&self, [width, height]: [usize; 2]) -> View {
        View {
            axes: self.axes(),
            aim: self.aim,
            away: self.away,
            scale: height as f32 / self.high * self.away,
            middle: [width as f32 / 2.0, height as f32 / 2.0],
            place: self.place(),
        }
    }
}

/// A camera with a picture.
#[derive(Debug, Clone)]
pub struct View {
    axes: Mat3,
    aim: Vec3,
    away: f32,
    scale: f32,
    middle: [f32; 2],
    /// Where the camera stands.
    pub place: Vec3,
}

impl View {
    /// Right, up and backwards of the camera, row by row.
    pub fn axes(&self) -> &Mat3 {
        &self.axes
    }

    /// Where a place stands in the picture, in pixels, and how far from the camera's plane it is, in metres.
    pub fn project(&self, place: Vec3) -> ([f32; 2], f32) {
        let [x, y, z] = apply(&self.axes, sub(place, self.aim));
        let depth = self.away - z;
        let scale = self.scale / depth.max(0.01);
        ([self.middle[0] + x * scale, self.middle[1] - y * scale], depth)
    }

    /// How many pixels a metre takes at a depth.
    pub fn scale(&self, depth: f32) -> f32 {
        self.scale / depth.max(0.01)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(camera: &Camera, place: Vec3, expect: [f32; 3]) {
        let ([x, y], z) = camera.view([200, 100]).project(place);
        let off = [x - expect[0], y - expect[1], z - expect[2]];
        assert!(off.iter().all(|v| v.abs() < 1e-3), "{x} {y} {z}");
    }

    #[test]
    fn places_stand_where_a_camera_sees_them() {
        let camera = Camera { aim: [0.0, 1.0, 0.0], away: 2.0, high: 1.0, ..Camera::default() };
        check(&camera, [0.0, 1.0, 0.0], [100.0, 50.0, 2.0]);
        check(&camera, [0.1, 1.0, 0.0], [110.0, 50.0, 2.0]);
        check(&camera, [0.0, 1.2, 1.0], [100.0, 10.0, 1.0]);
        // From the signer's left, the left hand is near.
        let left = Camera { turns: [std::f32::consts::FRAC_PI_2, 0.0, 0.0], ..camera.clone() };
        check(&left, [1.0, 1.0, 0.0], [100.0, 50.0, 1.0]);
        check(&left, [0.0, 1.0, 0.1], [90.0, 50.0, 2.0]);
        assert!((left.place()[0] - 2.0).abs() < 1e-5);
        // From above, what is in front is low.
        let above = Camera { turns: [0.0, 0.5, 0.0], ..camera };
        assert!(above.place()[1] > 1.5 && above.view([200, 100]).project([0.0, 1.0, 0.3]).0[1] > 50.0);
    }
}
