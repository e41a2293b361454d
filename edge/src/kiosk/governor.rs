//! Heat lowers the frame rate before the quality of hands: of how many frames one is read.
//!
//! Networks, their precision and the size of pictures stay as they are, so that a hand is seen as well as ever,
//! only less often; recognisers are told when a frame was taken and not which number it has.

use boards::Thermal;

/// Of so many frames one is read at most: a camera of 30 a second gives 7.5 then, and slower signing is still
/// followed.
const SLOWEST: u32 = 4;
/// A step is taken back only so far below where it was taken, so that the rate does not swing. Degrees Celsius.
const BACK_C: f32 = 3.0;

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Of so many frames one; 1 is all of them.
    One(u32),
    /// None: it has to cool down.
    Nothing,
}

/// Decides by the hottest sensor, and by whether the system slows its processors down.
#[derive(Debug, Clone)]
pub struct Governor {
    warn_c: f32,
    stop_c: f32,
    load: Load,
    frame: u32,
}

impl Governor {
    /// One for a board's limits.
    pub fn new(limits: &Thermal) -> Self {
        Self { warn_c: limits.warn_c as f32, stop_c: limits.stop_c as f32, load: Load::One(1), frame: 0 }
    }

    /// Takes the temperature of the hottest sensor, none where there is no sensor, and whether processors are
    /// slowed down because of heat.
    pub fn feel(&mut self, hottest_c: Option<f32>, throttled: bool) -> Load {
        let hottest = hottest_c.filter(|c| c.is_finite()).unwrap_or(0.0);
        let step = |hottest: f32| {
            if hottest >= self.stop_c {
                return Load::Nothing;
            }
            if hottest < self.warn_c && !throttled {
                return Load::One(1);
            }
            // From the limit of warning to that of stopping in equal steps, and slowed processors are one.
            let share = ((hottest - self.warn_c) / (self.stop_c - self.warn_c)).clamp(0.0, 1.0);
            Load::One((2 + (share * (SLOWEST - 1) as f32) as u32).min(SLOWEST))
        };
        let (now, colder) = (step(hottest), step(hottest + BACK_C));
        // Up at once; down only where it would not go up again a little hotter.
        self.load = if rank(now) >= rank(self.load) { now } else { least(self.load, colder) };
        self.load
    }

    /// Whether the next frame is read.
    pub fn takes(&mut self) -> bool {
        let Load::One(of) = self.load else { return false };
        self.frame = (self.frame + 1) % of;
        self.frame == 0
    }
}

fn rank(load: Load) -> u32 {
    match load {
        Load::One(of) => of,
        Load::Nothing => u32::MAX,
    }
}

fn least(a: Load, b: Load) -> Load {
    if rank(a) <= rank(b) { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn governor() -> Governor {
        Governor::new(&Thermal { warn_c: 85, stop_c: 95 })
    }

    /// Temperatures one after the other, and the load that each leads to.
    #[track_caller]
    fn check(course: &[(f32, bool, Load)]) {
        let mut governor = governor();
        for (hottest, throttled, expect) in course {
            assert_eq!(governor.feel(Some(*hottest), *throttled), *expect, "at {hottest} °C");
        }
    }

    #[test]
    fn heat_lowers_the_rate_step_by_step_and_stops_at_the_limit() {
        use Load::{Nothing, One};
        check(&[
            (40.0, false, One(1)),
            (85.0, false, One(2)),
            (89.0, false, One(3)),
            (92.0, false, One(4)),
            (94.9, false, One(4)),
            (95.0, false, Nothing),
        ]);
        check(&[(40.0, true, One(2)), (89.0, true, One(3)), (40.0, false, One(1))]);
    }

    #[test]
    fn a_step_is_taken_back_only_when_it_is_well_below() {
        use Load::{Nothing, One};
        check(&[
            (95.0, false, Nothing),
            (93.0, false, Nothing),
            (91.9, false, One(4)),
            (88.0, false, One(3)),
            (84.0, false, One(2)),
            (82.5, false, One(2)),
            (81.9, false, One(1)),
        ]);
        check(&[(f32::NAN, false, One(1))]);
        assert_eq!(governor().feel(None, false), One(1));
    }

    #[test]
    fn of_so_many_frames_one_is_read() {
        let mut governor = governor();
        let mut read = |c: f32| {
            governor.feel(Some(c), false);
            (0..12).filter(|_| governor.takes()).count()
        };
        assert_eq!([40.0, 85.0, 89.0, 93.0, 96.0].map(&mut read), [12, 6, 4, 3, 0]);
    }
}
