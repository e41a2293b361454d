//! Watches the loss: smooths it, and says when training went astray.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Steps between two looks at the loss. A look waits for the device, which otherwise runs ahead.
pub const LOOK_EVERY: usize = 20;
/// What the smoothed loss keeps of itself at a look: its memory is some five looks, 100 steps.
const SMOOTHED_KEEPS: f32 = 0.8;
/// A loss this many times its best is far above it.
const FAR: f32 = 3.0;
/// Looks in a row that the loss may stay far above its best: 200 steps, twice its memory. One batch alone
/// holds it there only if it is 1 / (0.2 · 0.8⁹), 37 times as bad.
const PATIENCE: u32 = 10;
/// Losses that an error tells.
const TOLD: usize = 5;

/// What is known of the loss so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// The bits of the first loss that was seen: JSON's decimals need not give a number back as it was.
    first: Option<u32>,
    smoothed: Option<u32>,
    best: Option<u32>,
    /// Looks in a row at which the loss was far above its best.
    far: u32,
    #[serde(skip)]
    last: VecDeque<f32>,
}

/// How a loss went astray.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Astray {
    /// It is no number any more.
    NoNumber,
    /// It stands far above its best.
    FarAboveBest,
}

impl Watch {
    /// The smoothed loss; none before the first look.
    pub fn smoothed(&self) -> Option<f32> {
        self.smoothed.map(f32::from_bits)
    }

    /// The last losses, oldest first.
    pub fn last(&self) -> Vec<f32> {
        self.last.iter().copied().collect()
    }

    /// Whether the loss stands far above its best, be it for one look: such weights are not worth keeping.
    pub fn is_far(&self) -> bool {
        self.far > 0
    }

    /// Takes the loss of a step; while the rate still rises (`warming_up`) only its being a number counts.
    ///
    /// Far above its best is a loss that is three times the best and has lost half of what was won since
    /// the start: the first alone would stop a network that is almost perfect, the second one that has
    /// not learnt anything yet.
    ///
    /// # Errors
    /// How it went astray.
    pub fn look(&mut self, loss: f32, warming_up: bool) -> Result<(), Astray> {
        self.last.push_back(loss);
        if self.last.len() > TOLD {
            self.last.pop_front();
        }
        if !loss.is_finite() {
            return Err(Astray::NoNumber);
        }
        let first = *self.first.get_or_insert(loss.to_bits());
        let smoothed = self.smoothed().map_or(loss, |s| SMOOTHED_KEEPS * s + (1.0 - SMOOTHED_KEEPS) * loss);
        let best = self.best.map_or(smoothed, |b| f32::from_bits(b).min(smoothed));
        (self.smoothed, self.best) = (Some(smoothed.to_bits()), Some(best.to_bits()));
        // A loss may be below 0, where three times the best would be lower still.
        let far = best + (FAR - 1.0) * best.abs();
        let half_lost = (f32::from_bits(first) + best) / 2.0;
        self.far = if !warming_up && smoothed > far.max(half_lost) { self.far + 1 } else { 0 };
        if self.far >= PATIENCE { Err(Astray::FarAboveBest) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at each loss and says at which it was found astray.
    #[track_caller]
    fn check(losses: impl IntoIterator<Item = f32>, expect: Option<(usize, Astray)>) {
        let mut watch = Watch::default();
        let found = losses.into_iter().enumerate().find_map(|(i, l)| Some((i, watch.look(l, false).err()?)));
        assert_eq!(found, expect);
    }

    fn falling() -> impl Iterator<Item = f32> {
        (0..100).map(|i| 3.0 * 0.95_f32.powi(i))
    }

    #[test]
    fn a_loss_that_goes_astray_is_found() {
        check(falling(), None);
        check(falling().chain([f32::NAN]), Some((100, Astray::NoNumber)));
        check([f32::INFINITY], Some((0, Astray::NoNumber)));
        // The smoothed loss passes half of what was won at the fourth look of 3.
        check(falling().chain([3.0; 40]), Some((112, Astray::FarAboveBest)));
        // One bad batch, a plateau from the start, noise about a loss near nothing.
        check(falling().chain([50.0]).chain(falling().skip(90)).chain([0.02; 40]), None);
        check((0..200).map(|i| 3.0 + (i % 7) as f32), None);
        check([4.0].into_iter().chain([1e-6; 100]).chain((0..200).map(|i| 1e-3 * (i % 3) as f32)), None);
        // Below nothing; the smoothed loss is far above from the second look of 50 on.
        check((0..100).map(|i| -0.1 * i as f32), None);
        check((0..100).map(|i| -0.1 * i as f32).chain([50.0; 20]), Some((110, Astray::FarAboveBest)));
    }

    #[test]
    fn while_the_rate_rises_a_loss_may_rise() {
        let mut watch = Watch::default();
        assert!((0..100).all(|i| watch.look(1.0 + i as f32, true).is_ok()));
        assert_eq!(watch.last(), [96.0, 97.0, 98.0, 99.0, 100.0]);
        assert_eq!(watch.look(f32::NAN, true), Err(Astray::NoNumber));
    }

    #[test]
    fn a_watch_is_written_and_read_back_exactly() {
        let mut watch = Watch::default();
        for loss in falling() {
            watch.look(loss, false).unwrap();
        }
        let text = serde_json::to_string(&watch).unwrap();
        let mut read: Watch = serde_json::from_str(&text).unwrap();
        watch.last.clear();
        assert_eq!(read, watch);
        let mut rising = falling().chain([3.0; 6]).collect::<Vec<_>>().into_iter().skip(100);
        assert!(rising.all(|l| read.look(l, false) == watch.look(l, false)));
        assert_eq!(read, watch);
    }
}
