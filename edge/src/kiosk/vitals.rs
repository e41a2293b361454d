//! How the unit is, in figures: frames, their rate, and how long each stage takes.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use models::link::message::StageTime;

/// Figures are of the last so long.
const WINDOW: Duration = Duration::from_secs(1);
/// So many figures of one stage are kept at most: more than any camera gives in a second.
const MOST: usize = 256;

/// How long each stage took of late.
#[derive(Debug, Default)]
pub struct Vitals {
    stages: BTreeMap<&'static str, Gauge>,
    /// Frames that were read.
    pub frames: u64,
    /// Frames that were lost before landmarks.
    pub lost: u64,
}

/// When a stage ended its work, and how long that took.
#[derive(Debug, Default)]
struct Gauge(VecDeque<(Duration, Duration)>);

impl Vitals {
    /// A stage did its work on one frame in so long.
    pub fn took(&mut self, stage: &'static str, now: Duration, took: Duration) {
        let gauge = &mut self.stages.entry(stage).or_default().0;
        if gauge.len() == MOST {
            gauge.pop_front();
        }
        gauge.push_back((now, took));
    }

    /// What each stage takes; a stage that rested of late says what it took last.
    pub fn stages(&mut self, now: Duration) -> Vec<StageTime> {
        let micros = |d: Duration| u32::try_from(d.as_micros()).unwrap_or(u32::MAX);
        let told = self.stages.iter_mut().map(|(name, gauge)| {
            gauge.forget(now);
            let sum: Duration = gauge.0.iter().map(|(_, took)| *took).sum();
            let most = gauge.0.iter().map(|(_, took)| *took).max().unwrap_or_default();
            let mean = sum / u32::try_from(gauge.0.len().max(1)).unwrap_or(u32::MAX);
            StageTime { name: (*name).into(), mean_us: micros(mean), most_us: micros(most) }
        });
        told.collect()
    }

    /// How often a second a stage works.
    pub fn rate(&self, stage: &str, now: Duration) -> f32 {
        let gauge = self.stages.get(stage);
        let of_late = |gauge: &Gauge| gauge.0.iter().filter(|(at, _)| *at + WINDOW > now).count();
        gauge.map_or(0.0, |gauge| of_late(gauge) as f32 / WINDOW.as_secs_f32())
    }
}

impl Gauge {
    /// All that is older than the window goes, but for the newest.
    fn forget(&mut self, now: Duration) {
        while self.0.len() > 1 && self.0.front().is_some_and(|(at, _)| *at + WINDOW <= now) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_told_of_the_last_second() {
        let ms = Duration::from_millis;
        let mut vitals = Vitals::default();
        for frame in 0..60 {
            vitals.took("vision", ms(frame * 50), ms(if frame == 45 { 40 } else { 20 }));
        }
        vitals.took("production", ms(10), ms(7));
        assert_eq!(vitals.rate("vision", ms(2950)), 20.0);
        assert_eq!(vitals.rate("production", ms(2950)), 0.0);
        assert_eq!(vitals.rate("none", ms(2950)), 0.0);
        let stages = vitals.stages(ms(2950));
        let told: Vec<_> = stages.iter().map(|s| (s.name.as_str(), s.mean_us, s.most_us)).collect();
        assert_eq!(told, [("production", 7000, 7000), ("vision", 21_000, 40_000)]);
    }

    #[test]
    fn a_stage_that_runs_wild_takes_no_memory() {
        let mut vitals = Vitals::default();
        (0..10_000).for_each(|_| vitals.took("vision", Duration::ZERO, Duration::ZERO));
        assert_eq!(vitals.stages["vision"].0.len(), MOST);
    }
}
