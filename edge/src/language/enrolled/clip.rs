//! The one sign of a clip: from where a hand comes up to where it goes down, as the live path cuts it.

use models::features::{Picker, Sight};
use models::pose::Pose;

use crate::language::gate::{Change, Gate};
use crate::language::spotting::ONE_SIGN_S;

/// Cuts poses into stretches of signing.
pub struct Stretches {
    picker: Picker,
    gate: Gate,
    sights: Vec<Sight>,
    found: Vec<(f64, f64)>,
}

impl Stretches {
    /// Nothing seen yet; poses are of the picker's layout.
    pub fn new(picker: Picker) -> Self {
        Self { picker, gate: Gate::default(), sights: vec![], found: vec![] }
    }

    /// Takes the pose of the next frame.
    pub fn push(&mut self, at_s: f64, pose: &Pose) {
        let sight = self.picker.pick(at_s, pose);
        let change = self.gate.step(&sight);
        self.sights.push(sight);
        self.note(change);
    }

    fn note(&mut self, change: Change) {
        if let Change::Offset { from_s, to_s } = change {
            // A shorter one is a hand that scratched a nose.
            self.found.extend((to_s - from_s >= *ONE_SIGN_S.start()).then_some((from_s, to_s)));
        }
    }

    /// The frames of the one stretch.
    ///
    /// # Errors
    /// What is wrong with the clip, as the middle of a sentence: it shows none, several, or a long one.
    pub fn one_sign(mut self) -> Result<Vec<Sight>, String> {
        let last = self.gate.close();
        self.note(last);
        let (from_s, to_s) = match self.found[..] {
            [one] => one,
            [] => return Err("shows no hand that is up for long enough to sign".into()),
            _ => return Err(format!("shows hands come up {} times", self.found.len())),
        };
        if to_s - from_s > *ONE_SIGN_S.end() {
            return Err(format!("shows signing of {:.1} s without a rest", to_s - from_s));
        }
        self.sights.retain(|s| (from_s..=to_s).contains(&s.at_s));
        Ok(self.sights)
    }
}

#[cfg(test)]
mod tests {
    use models::pose::Known;

    use super::*;

    /// One letter a tenth of a second: `^` a hand up, `.` nothing; how many frames the sign has, or what is wrong.
    #[track_caller]
    fn check(frames: &str, expect: Result<usize, &str>) {
        let layout = Known::BodyHands75.layout();
        let hand = layout.range("RIGHT_HAND_LANDMARKS").unwrap();
        let mut stretches = Stretches::new(Picker::new(&layout).unwrap());
        for (i, c) in frames.chars().enumerate() {
            let mut pose = Pose::unseen(layout.len());
            if c == '^' {
                pose.confidence[hand.clone()].fill(1.0);
            }
            stretches.push(i as f64 / 10.0, &pose);
        }
        match (stretches.one_sign(), expect) {
            (Ok(sights), Ok(frames)) => assert_eq!(sights.len(), frames),
            (Err(said), Err(expect)) => assert!(said.contains(expect), "{said}"),
            (got, _) => panic!("{frames}: {:?}", got.map(|s| s.len())),
        }
    }

    #[test]
    fn a_clip_shows_one_sign_from_onset_to_offset() {
        check("...^^^^^.......", Ok(5));
        check("^^^^^^^^", Ok(8));
        check("...^^^.^^^.....", Ok(7));
        check("^.......^^^^^^", Ok(6));
        check(".............", Err("no hand"));
        check("", Err("no hand"));
        check("..^^......", Err("no hand"));
        check("^^^^^......^^^^^", Err("come up 2 times"));
        check(&"^".repeat(50), Err("4.9 s without a rest"));
    }
}
