//! What became of a version, as the update's own record tells it.

use models::update::record::Held;
use models::update::{Record, State};

/// What became of a version that was installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It waits for its first start or has yet to prove itself; it may still start so often.
    Trying {
        /// How often.
        left: u8,
    },
    /// It has proven itself and stays.
    Kept,
    /// It was given up, for this reason.
    GivenUp(String),
}

/// What became of a version. A record that cannot be read now says nothing yet: the next start mends it.
pub fn outcome(record: Option<&Record>, ours: Held) -> Option<Outcome> {
    let record = record?;
    let given_up = || {
        let fallen = record.fallen.as_ref();
        // A record that was lost does not know the version any more.
        let fallen = fallen.filter(|fallen| fallen.version.is_none_or(|version| version == ours.version));
        let why = fallen.map_or_else(|| "another version took its place".into(), |fallen| fallen.why.clone());
        Outcome::GivenUp(why)
    };
    Some(match record.state {
        State::Trial { slot, left } if record.held(slot) == Some(ours) => Outcome::Trying { left },
        State::Steady if record.active.and_then(|slot| record.held(slot)) == Some(ours) => Outcome::Kept,
        _ => given_up(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use models::bundle::{Sum, Version};
    use models::update::Slot;
    use models::update::record::Fallen;

    #[track_caller]
    fn check(state: State, active: Slot, fallen: Option<(Option<Version>, &str)>, expect: Outcome) {
        let held = |number: u32| Held { version: Version(0, number, 0), manifest: Sum::of(&[number as u8]) };
        let fallen = fallen.map(|(version, why)| Fallen { version, why: why.into() });
        let slots = [Some(held(1)), Some(held(2))];
        let record = Record { sequence: 9, active: Some(active), state, slots, fallen };
        assert_eq!(outcome(Some(&record), held(2)), Some(expect));
    }

    #[test]
    fn the_record_says_what_became_of_a_version() {
        let given_up = |why: &str| Outcome::GivenUp(why.into());
        let two = Some(Version(0, 2, 0));
        check(State::Trial { slot: Slot::B, left: 2 }, Slot::A, None, Outcome::Trying { left: 2 });
        check(State::Steady, Slot::B, None, Outcome::Kept);
        check(State::Steady, Slot::A, Some((two, "no camera")), given_up("no camera"));
        check(State::Steady, Slot::A, Some((None, "the record was lost")), given_up("the record was lost"));
        let other = Some((Some(Version(0, 9, 0)), "no camera"));
        check(State::Steady, Slot::A, other, given_up("another version took its place"));
        check(State::Writing { slot: Slot::B }, Slot::A, None, given_up("another version took its place"));
        assert_eq!(outcome(None, Held { version: Version(0, 2, 0), manifest: Sum::of(b"") }), None);
    }
}
