//! One time line out of the stamps of a camera that comes and goes.
//!
//! The camera's own stamps are the measure: they say when a picture was taken, not when somebody fetched it.
//! They are believed as long as they agree with the program's clock. Where they do not, because a camera
//! came back with another clock, jumped back or leaves its stamps empty, the program's clock says how much
//! time has passed. So a gap is as long as it really was, and time never goes back.

use std::time::Duration;

use crate::stage::Stamp;

/// Stamps that say otherwise than the program's clock by more than this are not believed: pictures wait for
/// less in a driver's four buffers at ten a second, and a longer time nobody would call the same moment.
const AGREE: Duration = Duration::from_millis(500);

/// Stamps that never go back.
#[derive(Debug, Default)]
pub struct Timeline {
    /// A frame from which time is counted.
    from: Option<Anchor>,
    last: Stamp,
}

/// A frame of which all three times are known.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    at: Stamp,
    /// By the camera's clock.
    stamp_us: i64,
    /// By the program's clock.
    clock: Duration,
}

impl Timeline {
    /// The place of a frame: that of the first is 0, and each is later than the one before.
    pub fn place(&mut self, stamp_us: i64, now: Duration) -> Stamp {
        let Some(from) = self.from else {
            self.from = Some(Anchor { at: self.last, stamp_us, clock: now });
            return self.last;
        };
        let by_clock = now.saturating_sub(from.clock);
        let by_stamp = stamp_us.checked_sub(from.stamp_us).and_then(|us| u64::try_from(us).ok());
        let believed = by_stamp
            .map(Duration::from_micros)
            .filter(|by_stamp| by_stamp.abs_diff(by_clock) <= AGREE)
            .map(|by_stamp| later(from.at, by_stamp))
            .filter(|at| *at > self.last);
        self.last = believed.unwrap_or_else(|| {
            let at = later(from.at, by_clock).max(later(self.last, Duration::from_micros(1)));
            self.from = Some(Anchor { at, stamp_us, clock: now });
            at
        });
        self.last
    }

    /// Where the program's clock stands now.
    pub fn now(&self, now: Duration) -> Stamp {
        let by_clock = |from: Anchor| later(from.at, now.saturating_sub(from.clock));
        self.from.map_or(self.last, by_clock).max(self.last)
    }
}

fn later(at: Stamp, time: Duration) -> Stamp {
    let time = at.since(Stamp::default()).saturating_add(time);
    Stamp::from_micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames by the driver's stamps and the program's clock in milliseconds, and where each must stand.
    #[track_caller]
    fn check(frames: &[(i64, u64)], expect_ms: &[f64]) {
        let mut timeline = Timeline::default();
        let places = frames.iter().map(|&(stamp_ms, clock_ms)| {
            timeline.place(stamp_ms.saturating_mul(1000), Duration::from_millis(clock_ms)).seconds() * 1e3
        });
        let places: Vec<f64> = places.collect();
        let near = places.iter().zip(expect_ms).all(|(a, b)| (a - b).abs() < 0.01);
        assert!(near && places.len() == expect_ms.len(), "{places:?} instead of {expect_ms:?}");
        assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
    }

    #[test]
    fn the_cameras_own_stamps_are_the_measure() {
        check(&[(9000, 0), (9033, 50), (9066, 60), (9100, 130)], &[0.0, 33.0, 66.0, 100.0]);
    }

    #[test]
    fn a_gap_is_as_long_as_it_was() {
        check(&[(9000, 0), (9033, 33), (69_033, 60_040), (69_066, 60_070)], &[0.0, 33.0, 60_033.0, 60_066.0]);
    }

    #[test]
    fn a_clock_that_began_again_goes_on_where_the_programs_stands() {
        check(&[(9000, 0), (9033, 33), (0, 5033), (33, 5070)], &[0.0, 33.0, 5033.0, 5066.0]);
    }

    #[test]
    fn stamps_that_are_empty_or_nonsense_are_not_believed() {
        check(&[(0, 0), (0, 40), (0, 80)], &[0.0, 40.0, 80.0]);
        check(&[(0, 0), (1, 300), (2, 600), (3, 900)], &[0.0, 1.0, 600.0, 601.0]);
        check(&[(0, 0), (i64::MAX, 40), (i64::MIN, 80), (120, 120)], &[0.0, 40.0, 80.0, 120.0]);
    }

    #[test]
    fn two_frames_of_one_moment_are_still_in_order() {
        check(&[(5, 5), (5, 5), (4, 5)], &[0.0, 0.001, 0.002]);
    }

    #[test]
    fn without_a_frame_the_programs_clock_goes_on() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.now(Duration::from_secs(7)), Stamp::default());
        timeline.place(1_000_000, Duration::from_secs(8));
        assert_eq!(timeline.now(Duration::from_millis(8250)), Stamp::from_micros(250_000));
    }
}
