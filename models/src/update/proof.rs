//! What a new version has to show before it stays: that it sees, reads and is seen.

use std::time::Duration;

/// Something that only a healthy unit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// A frame came from the camera.
    Frame,
    /// A network gave landmarks.
    Inference,
    /// A picture was presented on the screen.
    Picture,
}

/// What is to be done with what runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It still has time.
    Wait,
    /// It has shown all: it is to be confirmed.
    Healthy,
    /// Its time is over: it is to be rolled back, for this reason.
    Failed(String),
}

/// Counts the signs of health of a version on trial.
#[derive(Debug, Clone)]
pub struct Proof {
    wanted: u32,
    until: Duration,
    seen: [u32; 3],
}

const NAMES: [&str; 3] = ["camera frames", "inferences", "pictures on the screen"];

impl Proof {
    /// So many of each sign are wanted, within so long after the program's start.
    pub fn new(wanted: u32, until: Duration) -> Self {
        Self { wanted, until, seen: [0; 3] }
    }

    /// That a sign was seen.
    pub fn saw(&mut self, sign: Sign) {
        let seen = &mut self.seen[sign as usize];
        *seen = seen.saturating_add(1);
    }

    /// What is to be done, so long after the program's start. Health that came too late is none.
    pub fn judge(&self, now: Duration) -> Verdict {
        let missing: Vec<String> = (NAMES.iter().zip(self.seen))
            .filter(|(_, seen)| *seen < self.wanted)
            .map(|(name, seen)| format!("{seen} of {} {name}", self.wanted))
            .collect();
        if now >= self.until && !missing.is_empty() {
            return Verdict::Failed(format!("{} in {} s", missing.join(", "), self.until.as_secs()));
        }
        if missing.is_empty() { Verdict::Healthy } else { Verdict::Wait }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTIL: Duration = Duration::from_secs(60);

    #[track_caller]
    fn check(frames: u32, inferences: u32, pictures: u32, now_s: u64, expect: Verdict) {
        let mut proof = Proof::new(2, UNTIL);
        for (sign, count) in [(Sign::Frame, frames), (Sign::Inference, inferences), (Sign::Picture, pictures)]
        {
            (0..count).for_each(|_| proof.saw(sign));
        }
        assert_eq!(proof.judge(Duration::from_secs(now_s)), expect);
    }

    #[test]
    fn who_does_not_see_read_and_show_in_time_is_not_healthy() {
        check(0, 0, 0, 0, Verdict::Wait);
        check(9, 9, 1, 59, Verdict::Wait);
        check(2, 2, 2, 5, Verdict::Healthy);
        check(9, 9, 1, 60, Verdict::Failed("1 of 2 pictures on the screen in 60 s".into()));
        let all = "0 of 2 camera frames, 0 of 2 inferences, 0 of 2 pictures on the screen in 60 s";
        check(0, 0, 0, 99, Verdict::Failed(all.into()));
    }
}
