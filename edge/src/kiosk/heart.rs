//! Whether the unit goes on: each thread by something that only real work does.
//!
//! Camera, inference and screen have to go on always, and feed the watchdogs; the others while they are at work. Without
//! a clock: the time is given. What is not there cannot go on, and need not where people were told: with
//! a picture on the screen that says that nobody is seen, camera and inference are excused until they are back.

use std::time::Duration;

/// A start may take so long: networks are loaded and tried.
const START: Duration = Duration::from_secs(120);

/// What has to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A frame of the camera was handed over.
    Camera,
    /// The networks gave landmarks, and these were handed over.
    Inference,
    /// A picture was presented on the screen.
    Screen,
    /// What was handed to it was read.
    Language,
    /// A text was signed, or it was seen that none waits.
    Production,
    /// The cable was served once around.
    Link,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Camera, Self::Inference, Self::Screen, Self::Language, Self::Production, Self::Link];

    /// The thread that does it.
    pub fn thread(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Inference => "vision",
            Self::Screen => "screen",
            Self::Language => "language",
            Self::Production => "production",
            Self::Link => "link",
        }
    }

    /// Whether it sees whoever stands before the unit: where people are told that nobody is seen, it need not go on.
    fn sees(self) -> bool {
        matches!(self, Self::Camera | Self::Inference | Self::Language)
    }
}

/// When each of them last went on.
#[derive(Debug, Clone)]
pub struct Heart {
    limit: Duration,
    /// Up to when each is believed to go on; for ever, where it is not at work.
    until: [Duration; Part::ALL.len()],
    /// What was handed to language and not read yet. It may be read before whoever handed it over has noted that.
    unread: i64,
    excused: bool,
}

impl Heart {
    /// Each has to go on at least once in so long.
    pub fn new(limit: Duration) -> Self {
        let until = Part::ALL.map(|part| match part {
            Part::Camera | Part::Inference | Part::Screen => START.max(limit),
            Part::Language | Part::Production | Part::Link => Duration::MAX,
        });
        Self { limit, until, unread: 0, excused: false }
    }

    /// A part went on.
    pub fn beat(&mut self, part: Part, now: Duration) {
        self.until[part as usize] = now + self.limit;
    }

    /// A part is not at work, or at something that takes as long as it takes.
    pub fn rest(&mut self, part: Part) {
        self.until[part as usize] = Duration::MAX;
        if part == Part::Language {
            self.unread = 0;
        }
    }

    /// Something was handed to language, which is at work from now on where it was not.
    pub fn hand_over(&mut self, now: Duration) {
        self.unread += 1;
        if self.unread == 1 {
            self.beat(Part::Language, now);
        }
    }

    /// Language has read something. Where nothing else waits for it, it waits itself, and whoever it waits for is the
    /// one to go on.
    pub fn read(&mut self, now: Duration) {
        self.unread -= 1;
        let until = if self.unread > 0 { now + self.limit } else { Duration::MAX };
        self.until[Part::Language as usize] = until;
    }

    /// Whether the picture on the screen says that nobody is seen. Where it no longer does, those that see
    /// have their whole time again.
    pub fn excuse(&mut self, excused: bool, now: Duration) {
        if self.excused && !excused {
            for part in Part::ALL.into_iter().filter(|part| part.sees()) {
                self.beat(part, now);
            }
        }
        self.excused = excused;
    }

    /// The part that does not go on, where there is one: the first that did not, for whoever waits for it stops as well.
    pub fn stalled(&self, now: Duration) -> Option<Part> {
        let until = |part: &Part| self.until[*part as usize];
        let excused = |part: &Part| self.excused && part.sees();
        Part::ALL.into_iter().filter(|part| !excused(part) && now >= until(part)).min_by_key(until)
    }

    /// Whether the unit does all that it is there for: nothing stalls, and nothing is excused.
    pub fn is_well(&self, now: Duration) -> bool {
        !self.excused && self.stalled(now).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    /// All parts beat at second 100, but one; which one stalls after so long, with a limit of 10 s.
    #[track_caller]
    fn check(silent: Option<Part>, excused: bool, now_s: u64, expect: Option<Part>) {
        let mut heart = Heart::new(at(10));
        for s in [90, 100] {
            for part in Part::ALL.into_iter().filter(|part| s == 90 || Some(*part) != silent) {
                heart.beat(part, at(s));
            }
        }
        heart.excuse(excused, at(100));
        assert_eq!(heart.stalled(at(now_s)), expect);
    }

    #[test]
    fn all_have_to_go_on() {
        check(None, false, 109, None);
        check(None, false, 110, Some(Part::Camera));
        for part in Part::ALL {
            check(Some(part), false, 101, Some(part));
        }
    }

    #[test]
    fn who_stopped_first_is_named() {
        let mut heart = Heart::new(at(10));
        for part in Part::ALL {
            heart.beat(part, at(100));
        }
        heart.beat(Part::Language, at(98));
        heart.beat(Part::Inference, at(99));
        assert_eq!(heart.stalled(at(120)), Some(Part::Language));
    }

    #[test]
    fn who_waits_for_what_is_never_handed_over_is_not_to_blame() {
        let mut heart = Heart::new(at(10));
        Part::ALL.into_iter().for_each(|part| heart.beat(part, at(100)));
        // It reads faster than vision notes that it has handed something over, and slower.
        heart.read(at(101));
        heart.hand_over(at(102));
        let link_and_screen = |heart: &mut Heart| {
            for part in [Part::Camera, Part::Screen, Part::Production, Part::Link] {
                heart.beat(part, at(120));
            }
        };
        link_and_screen(&mut heart);
        assert_eq!(heart.stalled(at(121)), Some(Part::Inference), "all was read");
        heart.hand_over(at(103));
        heart.hand_over(at(104));
        heart.read(at(105));
        heart.beat(Part::Inference, at(106));
        assert_eq!(heart.stalled(at(121)), Some(Part::Language), "something waits for it");
        heart.read(at(107));
        assert_eq!(heart.stalled(at(121)), Some(Part::Inference));
    }

    #[test]
    fn who_is_not_at_work_need_not_go_on() {
        let mut heart = Heart::new(at(10));
        for part in Part::ALL {
            heart.beat(part, at(100));
        }
        heart.rest(Part::Link);
        for part in Part::ALL.into_iter().filter(|part| *part != Part::Link) {
            heart.beat(part, at(1000));
        }
        assert_eq!(heart.stalled(at(1001)), None);
        heart.beat(Part::Link, at(985));
        assert_eq!(heart.stalled(at(1001)), Some(Part::Link));
        let fresh = Heart::new(at(10));
        assert_eq!(fresh.stalled(START), Some(Part::Camera), "the others have not begun");
    }

    #[test]
    fn what_the_screen_says_is_missing_is_excused_and_the_screen_never_is() {
        check(Some(Part::Camera), true, 109, None);
        check(Some(Part::Inference), true, 109, None);
        check(Some(Part::Language), true, 109, None);
        check(Some(Part::Screen), true, 101, Some(Part::Screen));
        let mut heart = Heart::new(at(10));
        heart.excuse(true, at(0));
        heart.beat(Part::Screen, at(1000));
        assert!(heart.stalled(at(1001)).is_none() && !heart.is_well(at(1001)));
        heart.excuse(false, at(1001));
        assert!(heart.is_well(at(1009)), "it has its whole time again");
        heart.beat(Part::Screen, at(1009));
        assert_eq!(heart.stalled(at(1011)), Some(Part::Camera));
    }

    #[test]
    fn a_start_may_take_longer_than_a_frame() {
        let heart = Heart::new(at(10));
        assert_eq!((heart.stalled(at(119)), heart.stalled(at(120))), (None, Some(Part::Camera)));
    }
}
