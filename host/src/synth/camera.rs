//! The camera before a synthetic signer: where it stands, when it takes pictures, and what fits in them.

use models::features::stream::STEP_S;
use models::playback::Point;
use models::pose::Pose;
use rand::Rng;
use rand::rngs::StdRng;

use crate::data::augment::{chance, rotate};

/// The picture of a plain webcam, in pixels.
pub(super) const SIZE: [u32; 2] = [640, 480];

/// A camera.
pub(super) struct Camera {
    turn: [[f32; 3]; 3],
    /// How far away, in shoulder widths.
    away: f32,
    /// Pixels a shoulder width.
    scale: f32,
    /// The middle of the shoulders, in pixels.
    middle: [f32; 2],
    /// Depth is the least sure of a network's numbers: what it gives beside what is.
    depth: f32,
    /// How the signer sways: far (shoulder widths), and how often (hertz).
    sway: [[f32; 2]; 2],
}

impl Camera {
    /// Draws one: up to 20 degrees to the side, 8 up or down, 6 about its axis. Where it stands follows the
    /// recordings, whose shoulders are 0.24 to 0.34 of the picture apart at 0.54 to 0.6 of its height, and
    /// lets people stand nearer and farther.
    pub fn draw(rng: &mut StdRng) -> Self {
        let (yaw, pitch, roll) = (
            rng.random_range(-0.35..0.35_f32),
            rng.random_range(-0.14..0.14_f32),
            rng.random_range(-0.1..0.1_f32),
        );
        let [width, height] = SIZE.map(|v| v as f32);
        Self {
            turn: turn(yaw, pitch, roll),
            away: rng.random_range(3.0..7.0),
            scale: width * rng.random_range(0.16..0.36),
            middle: [width * rng.random_range(0.4..0.6), height * rng.random_range(0.42..0.62)],
            depth: if chance(rng, 0.1) { 0.0 } else { rng.random_range(0.6..1.4) },
            sway: [0, 1].map(|_| [rng.random_range(0.0..0.03), rng.random_range(0.1..0.6)]),
        }
    }

    /// A camera straight ahead that stands still, as far away as in the mean of those that are drawn.
    pub fn plain() -> Self {
        let [width, height] = SIZE.map(|v| v as f32);
        Self {
            turn: turn(0.0, 0.0, 0.0),
            away: 5.0,
            scale: width * 0.26,
            middle: [width * 0.5, height * 0.52],
            depth: 1.0,
            sway: [[0.0; 2]; 2],
        }
    }

    /// Where a point of the standard signer stands in the picture at a time, in pixels.
    pub fn pixel(&self, p: Point, at_s: f64) -> Point {
        let [across, up] = self.sway.map(|[far, hz]| far * (at_s as f32 * hz * std::f32::consts::TAU).sin());
        let [x, y, z] = rotate(&self.turn, p);
        let nearer = self.away / (self.away + z).max(0.5);
        [
            self.middle[0] + (x + across) * self.scale * nearer,
            self.middle[1] + (y + 0.3 * up) * self.scale * nearer,
            z * self.scale * self.depth,
        ]
    }
}

/// Turns about the three axes, row by row.
fn turn(yaw: f32, pitch: f32, roll: f32) -> [[f32; 3]; 3] {
    let ((sy, cy), (sp, cp), (sr, cr)) = (yaw.sin_cos(), pitch.sin_cos(), roll.sin_cos());
    [
        [cr * cy, cr * sy * sp - sr * cp, cr * sy * cp + sr * sp],
        [sr * cy, sr * sy * sp + cr * cp, sr * sy * cp - cr * sp],
        [-sy, cy * sp, cy * cp],
    ]
}

/// When a camera takes pictures from 0 to `end_s`, in seconds.
///
/// Most keep an even rate of 25 to 60 a second, few manage only 10 to 25; others wander as light changes, and
/// their stamps say so.
/// Some pictures are dropped, one or a few at a time.
pub(super) fn stamps(end_s: f64, rng: &mut StdRng) -> Vec<f64> {
    let rate = match rng.random_range(0..8) {
        0 | 1 => 25.0,
        2 | 3 => 30.0,
        4 => 50.0,
        5 => 60.0,
        6 => rng.random_range(25.0..60.0),
        _ => rng.random_range(10.0..25.0),
    };
    let wander = if chance(rng, 0.3) { rng.random_range(0.1..0.45) } else { 0.0 };
    let dropped = if chance(rng, 0.4) { rng.random_range(0.005..0.06_f32) } else { 0.0 };
    let mut stamps = vec![];
    let mut at = 0.0;
    while at < end_s {
        stamps.push(at);
        let lost = if chance(rng, dropped) { rng.random_range(1..4) } else { 0 };
        for _ in 0..=lost {
            at += (1.0 + if wander > 0.0 { rng.random_range(-wander..wander) } else { 0.0 }) / rate;
        }
    }
    // Stamps are whole microseconds, as cameras and video files give them.
    stamps.iter().map(|s: &f64| (s * 1e6).round() / 1e6).collect()
}

/// When a camera with the rate of the steps that recognisers take has pictures, and none is lost.
pub(super) fn even(end_s: f64) -> Vec<f64> {
    (0..).map(|n| f64::from(n) * STEP_S).take_while(|at_s| *at_s < end_s).collect()
}

/// Whether a landmark lies in the picture.
pub(super) fn inside(p: Point) -> bool {
    (0.0..SIZE[0] as f32).contains(&p[0]) && (0.0..SIZE[1] as f32).contains(&p[1])
}

/// A hand is not found where most of it lies outside of the picture; `hand` are its landmarks' places.
pub(super) fn leaves(pose: &Pose, hand: std::ops::Range<usize>) -> bool {
    let outside = hand.clone().filter(|&k| !inside(pose.points[k])).count();
    2 * outside > hand.len()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn stamps_rise_at_the_rates_of_cameras() {
        for seed in 0..300 {
            let stamps = stamps(8.0, &mut StdRng::seed_from_u64(seed));
            let steps: Vec<f64> = stamps.windows(2).map(|w| w[1] - w[0]).collect();
            assert!(steps.iter().all(|s| (0.008..0.6).contains(s)), "seed {seed}");
            let rate = steps.len() as f64 / (stamps[stamps.len() - 1] - stamps[0]);
            assert!((8.0..=62.0).contains(&rate), "seed {seed}: {rate} a second");
        }
    }

    #[test]
    fn the_signer_stands_in_the_picture() {
        for seed in 0..300 {
            let camera = Camera::draw(&mut StdRng::seed_from_u64(seed));
            let [left, right] = [0.5, -0.5].map(|x| camera.pixel([x, 0.0, 0.0], 0.0));
            assert!(left[0] - right[0] > 70.0 && left[0] - right[0] < 300.0, "seed {seed}");
            assert!(inside(left) && inside(right), "seed {seed}: {left:?} {right:?}");
        }
    }
}
