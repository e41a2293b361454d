//! The live path: stamped time, and the trait that every stage of it has.

use std::time::Duration;

use crate::Fault;

/// When a frame was taken, counted from the start of its source.
///
/// It comes from the camera or the file, never from the clock of the program,
/// so that a recording read faster than real time gives the same captions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Stamp {
    micros: u64,
}

impl Stamp {
    /// A stamp in microseconds from the start of the source.
    pub fn from_micros(micros: u64) -> Self {
        Self { micros }
    }

    /// The stamp of frame `index` at a constant rate.
    pub fn of_frame(index: u64, fps: f32) -> Self {
        Self::from_micros((index as f64 * 1e6 / f64::from(fps)).round() as u64)
    }

    /// Seconds from the start of the source.
    pub fn seconds(self) -> f64 {
        self.micros as f64 / 1e6
    }

    /// How much later this is than `earlier`; zero where it is not later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.micros.saturating_sub(earlier.micros))
    }
}

/// One step of the live path. A stage owns its state, and knows nothing of the stages before and after it.
pub trait Stage: Send {
    /// Names the stage, and the thread that it runs on where it has one of its own.
    const NAME: &'static str;
    /// What one step takes.
    type In;
    /// What one step may give.
    type Out;
    /// Takes one input; gives `None` where there is nothing to say yet.
    ///
    /// # Errors
    /// What went wrong with this input; the next may be given all the same.
    fn step(&mut self, at: Stamp, input: Self::In) -> Result<Option<Self::Out>, Fault>;
    /// Forgets what came before; keeps the networks.
    fn reset(&mut self);
}
