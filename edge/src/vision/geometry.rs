//! Where a network looks: rotated rectangles, and how they follow landmarks.
//!
//! All is in pixels of the source picture, y down, angles in radians, clockwise.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

/// A rotated rectangle of the source picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Roi {
    /// Centre, x and y.
    pub center: [f32; 2],
    /// Width and height along its own axes.
    pub size: [f32; 2],
    /// How far its x axis is turned from the picture's.
    pub angle: f32,
}

impl Roi {
    /// The whole picture, of the width and height given.
    pub fn whole(size: [u32; 2]) -> Self {
        let size = size.map(|v| v as f32);
        Self { center: size.map(|v| v / 2.0), size, angle: 0.0 }
    }

    /// The square around two landmarks: centred on `from`, twice as wide as their distance,
    /// turned so that the way from one to the other points to `target`, an angle counted
    /// anticlockwise from the picture's x axis.
    pub fn aligned(from: [f32; 2], to: [f32; 2], target: f32) -> Self {
        let side = 2.0 * distance(from, to);
        Self { center: from, size: [side; 2], angle: turn(from, to, target) }
    }

    /// The upright rectangle around landmarks, turned by the angle given; `None` without any.
    pub fn around(points: impl IntoIterator<Item = [f32; 2]>, angle: f32) -> Option<Self> {
        let [low, high] = bounds(points)?;
        let center = [(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0];
        Some(Self { center, size: [high[0] - low[0], high[1] - low[1]], angle })
    }

    /// The smallest rectangle of the angle given around landmarks; `None` without any.
    pub fn fitted(points: &[[f32; 2]], angle: f32) -> Option<Self> {
        let upright = Self { center: [0.0; 2], size: [1.0; 2], angle: -angle };
        let turned = Self::around(points.iter().map(|p| upright.rotate(*p)), 0.0)?;
        let back = Self { angle, ..upright };
        Some(Self { center: back.rotate(turned.center), size: turned.size, angle })
    }

    /// Moves it by `shift` of its own height along its own y axis, makes it a square
    /// of its longer side, and scales it.
    pub fn transformed(self, scale: f32, shift: f32) -> Self {
        let by = self.rotate([0.0, shift * self.size[1]]);
        let side = self.longest() * scale;
        Self { center: [self.center[0] + by[0], self.center[1] + by[1]], size: [side; 2], angle: self.angle }
    }

    /// Widens the shorter side until it is a square, so that what is in it keeps its shape.
    pub fn squared(self) -> Self {
        Self { size: [self.longest(); 2], ..self }
    }

    /// Its longer side.
    pub fn longest(&self) -> f32 {
        self.size[0].max(self.size[1])
    }

    /// The place in the picture of a place in the rectangle, which runs from 0 to 1 both ways.
    pub fn point(&self, [u, v]: [f32; 2]) -> [f32; 2] {
        let [x, y] = self.rotate([(u - 0.5) * self.size[0], (v - 0.5) * self.size[1]]);
        [self.center[0] + x, self.center[1] + y]
    }

    /// The place in the rectangle of a place in the picture: the inverse of [`Roi::point`].
    pub fn place(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let back = Self { angle: -self.angle, ..*self };
        let [x, y] = back.rotate([x - self.center[0], y - self.center[1]]);
        [x / self.size[0] + 0.5, y / self.size[1] + 0.5]
    }

    /// Turns a vector by the rectangle's angle.
    pub fn rotate(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (sin, cos) = self.angle.sin_cos();
        [cos * x - sin * y, sin * x + cos * y]
    }

    /// False where a network cannot look: not a number, or no area.
    pub fn is_usable(&self) -> bool {
        let numbers = [self.center[0], self.center[1], self.size[0], self.size[1], self.angle];
        numbers.iter().all(|v| v.is_finite() && v.abs() < FAR) && self.size.iter().all(|&v| v >= 1.0)
    }

    /// How much two rectangles share, 0 to 1, as if both stood upright.
    pub fn overlap(&self, other: &Self) -> f32 {
        let span = |r: &Self, axis: usize| {
            [r.center[axis] - r.size[axis] / 2.0, r.center[axis] + r.size[axis] / 2.0]
        };
        let shared: f32 = (0..2)
            .map(|axis| {
                let ([a0, a1], [b0, b1]) = (span(self, axis), span(other, axis));
                (a1.min(b1) - a0.max(b0)).max(0.0)
            })
            .product();
        let area = |r: &Self| r.size[0] * r.size[1];
        let all = area(self) + area(other) - shared;
        if all > 0.0 { shared / all } else { 0.0 }
    }
}

/// When the rectangle of the last landmarks may be kept although a fresh one is at hand
/// (MediaPipe's `RoiTrackingCalculator`).
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    /// Largest difference of the angles, in degrees.
    pub turn_degrees: f32,
    /// Largest distance of the centres, in sizes of the fresh rectangle.
    pub shift: f32,
    /// Largest difference of the sizes, in sizes of the fresh rectangle.
    pub scale: f32,
    /// How much larger than the fresh rectangle the one is that must hold the last landmarks, in its
    /// sizes; negative is smaller. Half of it falls to each side (`recrop_rect_margin`).
    pub margin: f32,
}

impl Keep {
    /// True where the last rectangle still agrees with the fresh one.
    pub fn holds(&self, last: &Roi, landmarks: &[[f32; 3]], fresh: &Roi) -> bool {
        let turned = wrap(last.angle - fresh.angle).abs() <= self.turn_degrees.to_radians();
        let moved = Roi { angle: -fresh.angle, ..*fresh }
            .rotate([last.center[0] - fresh.center[0], last.center[1] - fresh.center[1]]);
        let near = (0..2).all(|axis| moved[axis].abs() <= self.shift * fresh.size[axis]);
        let alike =
            (0..2).all(|axis| (last.size[axis] - fresh.size[axis]).abs() <= self.scale * fresh.size[axis]);
        let within = |v: f32| v > -self.margin / 2.0 && v < 1.0 + self.margin / 2.0;
        let inside = landmarks.iter().all(|p| fresh.place([p[0], p[1]]).into_iter().all(within));
        turned && near && alike && inside
    }
}

/// The clockwise angle by which a rectangle must turn so that the way between two points,
/// seen from within it, points to `target` (anticlockwise from its x axis).
pub fn turn(from: [f32; 2], to: [f32; 2], target: f32) -> f32 {
    wrap(target - (-(to[1] - from[1])).atan2(to[0] - from[0]))
}

/// Pointing up, as an angle anticlockwise from the x axis.
pub const UP: f32 = FRAC_PI_2;

/// An angle between −π and π.
pub fn wrap(angle: f32) -> f32 {
    angle - TAU * ((angle + PI) / TAU).floor()
}

/// True where all are numbers and none lies so far outside that there is no picture: what networks answer
/// to noise may be anything.
pub fn are_places(points: &[[f32; 3]]) -> bool {
    points.iter().flatten().all(|v| v.is_finite() && v.abs() < FAR)
}

/// Beyond a million pixels there is no picture.
const FAR: f32 = 1e6;

/// The distance between two points.
pub fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

fn bounds(points: impl IntoIterator<Item = [f32; 2]>) -> Option<[[f32; 2]; 2]> {
    points.into_iter().fold(None, |box_so_far, p| {
        let [low, high] = box_so_far.unwrap_or([p, p]);
        Some([[low[0].min(p[0]), low[1].min(p[1])], [high[0].max(p[0]), high[1].max(p[1])]])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(got: [f32; 2], expect: [f32; 2]) {
        assert!(distance(got, expect) < 1e-3, "{got:?} instead of {expect:?}");
    }

    #[test]
    fn points_and_places_are_inverse() {
        let roi = Roi { center: [30.0, 40.0], size: [20.0, 10.0], angle: 0.7 };
        check(roi.place(roi.point([0.2, 0.9])), [0.2, 0.9]);
        // A quarter turn clockwise takes the right edge to the bottom.
        let quarter = Roi { angle: UP, ..roi };
        check(quarter.point([1.0, 0.5]), [30.0, 50.0]);
    }

    #[test]
    fn an_upright_body_needs_no_turn_and_a_lying_one_a_quarter() {
        let hips = [100.0, 100.0];
        let upright = Roi::aligned(hips, [100.0, 50.0], UP);
        assert!(upright.angle.abs() < 1e-6);
        assert_eq!(upright.size, [100.0; 2]);
        // The head to the right: the crop's up axis must point right.
        let lying = Roi::aligned(hips, [150.0, 100.0], UP);
        check(lying.point([0.5, 0.0]), [150.0, 100.0]);
    }

    #[test]
    fn a_fitted_rectangle_is_tight_at_its_own_angle() {
        let tilted = Roi { center: [5.0, 7.0], size: [8.0, 2.0], angle: 0.5 };
        let corners = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]].map(|c| tilted.point(c));
        let fitted = Roi::fitted(&corners, 0.5).unwrap();
        check(fitted.center, tilted.center);
        check(fitted.size, tilted.size);
        assert_eq!(Roi::fitted(&[], 0.0), None);
    }

    #[test]
    fn shifting_follows_the_turned_axis() {
        let roi = Roi { center: [0.0, 0.0], size: [10.0, 20.0], angle: UP };
        let moved = roi.transformed(2.0, -0.5);
        check(moved.center, [10.0, 0.0]);
        check(moved.size, [40.0, 40.0]);
    }

    #[test]
    fn the_last_rectangle_is_kept_only_while_it_agrees() {
        let keep = Keep { turn_degrees: 40.0, shift: 0.2, scale: 0.4, margin: -0.1 };
        let fresh = Roi { center: [50.0, 50.0], size: [40.0, 40.0], angle: 0.0 };
        let inside = [[50.0, 50.0, 0.0]];
        assert!(keep.holds(&fresh, &inside, &fresh));
        assert!(!keep.holds(&Roi { angle: 1.0, ..fresh }, &inside, &fresh));
        assert!(!keep.holds(&Roi { center: [60.0, 50.0], ..fresh }, &inside, &fresh));
        assert!(!keep.holds(&Roi { size: [60.0, 60.0], ..fresh }, &inside, &fresh));
        // Of 40 px, a tenth less is 36: two less on each side.
        assert!(keep.holds(&fresh, &[[32.1, 50.0, 0.0]], &fresh));
        assert!(!keep.holds(&fresh, &[[31.9, 50.0, 0.0]], &fresh));
    }

    #[test]
    fn overlap_is_the_shared_part() {
        let a = Roi { center: [5.0, 5.0], size: [10.0, 10.0], angle: 0.0 };
        assert_eq!(a.overlap(&a), 1.0);
        let b = Roi { center: [10.0, 5.0], ..a };
        assert!((a.overlap(&b) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(a.overlap(&Roi { center: [50.0, 5.0], ..a }), 0.0);
    }

    #[test]
    fn nonsense_is_not_looked_at() {
        let roi = Roi { center: [5.0, 5.0], size: [10.0, 10.0], angle: 0.0 };
        assert!(roi.is_usable());
        assert!(!Roi { angle: f32::NAN, ..roi }.is_usable());
        assert!(!Roi { size: [0.0, 10.0], ..roi }.is_usable());
        assert!(!Roi { center: [1e9, 0.0], ..roi }.is_usable());
    }
}
