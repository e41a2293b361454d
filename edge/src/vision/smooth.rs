//! Takes the tremble out of landmarks without holding fast movement back.
//!
//! The one-euro filter (Casiez, Roussel and Vogel, CHI 2012) as MediaPipe runs it:
//! slow points are smoothed much, fast points little, speed being counted in sizes
//! of the body a second.

use std::f32::consts::TAU;

use crate::stage::Stamp;

/// How much a filter smooths.
#[derive(Debug, Clone, Copy)]
pub struct OneEuro {
    /// Cut-off for a point at rest, in hertz.
    pub rest_hz: f32,
    /// How much the cut-off rises with speed.
    pub beta: f32,
}

/// Cut-off of the speed itself, in hertz (`derivate_cutoff`).
const SPEED_HZ: f32 = 1.0;

/// Smooths K points over time.
#[derive(Debug, Clone)]
pub struct Smoother<const K: usize> {
    filter: OneEuro,
    last: Option<Last<K>>,
}

#[derive(Debug, Clone)]
struct Last<const K: usize> {
    at: Stamp,
    raw: [[f32; 3]; K],
    smooth: [[f32; 3]; K],
    speed: [[f32; 3]; K],
}

impl<const K: usize> Smoother<K> {
    /// A filter that has seen nothing.
    pub fn new(filter: OneEuro) -> Self {
        Self { filter, last: None }
    }

    /// Forgets what it has seen.
    pub fn reset(&mut self) {
        self.last = None;
    }

    /// Smooths the points of one frame. `scale` is the size of the thing that moves, in the points' units.
    pub fn step(&mut self, at: Stamp, raw: [[f32; 3]; K], scale: f32) -> [[f32; 3]; K] {
        // A value that is not a number would stay in the filter for ever.
        if raw.iter().flatten().any(|v| !v.is_finite()) {
            self.last = None;
            return raw;
        }
        let Some(last) = &mut self.last else {
            self.last = Some(Last { at, raw, smooth: raw, speed: [[0.0; 3]; K] });
            return raw;
        };
        let elapsed = at.since(last.at).as_secs_f32();
        // Without time there is no speed; without a size no measure of it.
        if elapsed <= 0.0 || scale <= 1e-6 {
            return raw;
        }
        let before = last.raw.as_flattened().iter().zip(last.speed.as_flattened_mut());
        let values = raw.as_flattened().iter().zip(last.smooth.as_flattened_mut());
        for ((value, smooth), (before, speed)) in values.zip(before) {
            *speed = blend(*speed, (value - before) / (scale * elapsed), SPEED_HZ, elapsed);
            let cutoff = self.filter.rest_hz + self.filter.beta * speed.abs();
            *smooth = blend(*smooth, *value, cutoff, elapsed);
        }
        last.raw = raw;
        last.at = at;
        last.smooth
    }
}

/// One step of a low-pass filter of the cut-off given.
fn blend(old: f32, new: f32, cutoff_hz: f32, elapsed_s: f32) -> f32 {
    let alpha = 1.0 / (1.0 + 1.0 / (TAU * cutoff_hz * elapsed_s));
    alpha * new + (1.0 - alpha) * old
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILTER: OneEuro = OneEuro { rest_hz: 0.05, beta: 80.0 };

    fn run(values: &[f32]) -> Vec<f32> {
        let mut smoother = Smoother::<1>::new(FILTER);
        values
            .iter()
            .enumerate()
            .map(|(i, v)| smoother.step(Stamp::of_frame(i as u64, 25.0), [[*v, 0.0, 0.0]], 100.0)[0][0])
            .collect()
    }

    #[test]
    fn tremble_is_damped_and_movement_followed() {
        let tremble: Vec<f32> = (0..50).map(|i| 10.0 + if i % 2 == 0 { 0.05 } else { -0.05 }).collect();
        let spread = |v: &[f32]| v.iter().fold(0.0_f32, |m, x| m.max((x - 10.0).abs()));
        assert!(spread(&run(&tremble)[25..]) < 0.6 * 0.05, "{:?}", run(&tremble));
        let moving: Vec<f32> = (0..50).map(|i| i as f32 * 10.0).collect();
        assert!(490.0 - run(&moving)[49] < 10.0 / 4.0);
    }

    #[test]
    fn a_step_without_time_or_with_nonsense_passes() {
        let mut smoother = Smoother::<1>::new(FILTER);
        let at = Stamp::from_micros(1000);
        smoother.step(at, [[1.0; 3]], 100.0);
        assert_eq!(smoother.step(at, [[5.0; 3]], 100.0), [[5.0; 3]]);
        let nan = smoother.step(Stamp::from_micros(2000), [[f32::NAN; 3]], 100.0);
        assert!(nan[0][0].is_nan());
        assert_eq!(smoother.step(Stamp::from_micros(3000), [[2.0; 3]], 100.0), [[2.0; 3]]);
    }
}
