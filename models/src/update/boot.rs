//! Which slot starts.

use super::record::{Fallen, Held};
use super::slot::{Whole, whole};
use super::{Disk, Error, Record, Slot, State};
use crate::bundle::Version;

/// What is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Out of which slot.
    pub slot: Slot,
    /// Its version.
    pub version: Version,
    /// Whether it has yet to prove itself.
    pub trial: bool,
    /// What the technician should hear of: a slot that was damaged, a version that was given up.
    pub notes: Vec<String>,
}

/// Chooses the slot to start, and enters the choice where it has to be remembered. Nothing is started
/// whose files are not those of its manifest.
///
/// # Errors
/// [`Error::Nothing`] where neither slot is whole.
pub fn boot(disk: &impl Disk) -> Result<Start, Error> {
    let mut notes = Vec::new();
    let Some(mut record) = Record::load(disk) else { return recover(disk, notes) };
    if let State::Trial { slot, left } = record.state {
        match try_once(disk, &mut record, slot, left) {
            Ok(held) => return Ok(Start { slot, version: held.version, trial: true, notes }),
            Err(why) => notes.push(why),
        }
    }
    let writing = match record.state {
        State::Writing { slot } => Some(slot),
        _ => None,
    };
    let active = record.active;
    for slot in active.into_iter().chain(active.map(Slot::other)) {
        let Some(held) = record.held(slot).filter(|_| Some(slot) != writing) else { continue };
        match whole(disk, slot, Some(held.manifest)) {
            Ok(_) => {
                if Some(slot) != active {
                    // From now on the damaged one is the one to be written over.
                    record.active = Some(slot);
                    record.give_up(slot.other(), "its slot was damaged");
                    note(record.store(disk), &mut notes);
                }
                return Ok(Start { slot, version: held.version, trial: false, notes });
            }
            Err(error) => notes.push(error.to_string()),
        }
    }
    recover(disk, notes)
}

/// Takes one start off the trial, before it is made.
///
/// Where this cannot be written the old version starts: a new one that is never counted would start for ever.
fn try_once(disk: &impl Disk, record: &mut Record, slot: Slot, left: u8) -> Result<Held, String> {
    let held = record.held(slot).filter(|_| left > 0);
    let held = held.ok_or_else(|| "it did not prove itself in the starts that it had".to_string());
    let sound = |held: Held| whole(disk, slot, Some(held.manifest)).map(|_| held).map_err(|e| e.to_string());
    let held = match held.and_then(sound) {
        Ok(held) => held,
        Err(why) if record.active.is_some() => {
            record.give_up(slot, &why);
            // Where this cannot be written the next start comes here again.
            return Err(match record.store(disk) {
                Ok(()) => why,
                Err(error) => format!("{why}; {error}"),
            });
        }
        // The first version of a unit: nothing else is there.
        Err(why) => return Err(why),
    };
    record.state = State::Trial { slot, left: left - 1 };
    record.store(disk).map(|()| held).map_err(|e| format!("no trial start: {e}"))
}

/// Finds a whole slot without the help of the record: both copies were lost, or lead nowhere.
///
/// A slot has its name only when it was whole, and of two the older one has proven itself, whether or not
/// the newer one did.
fn recover(disk: &impl Disk, mut notes: Vec<String>) -> Result<Start, Error> {
    let mut wrong = [String::new(), String::new()];
    let mut found: Option<(Slot, Whole)> = None;
    for slot in Slot::ALL {
        match whole(disk, slot, None) {
            Ok(one) => {
                let older = |(_, other): &(Slot, Whole)| one.manifest.version < other.manifest.version;
                if found.as_ref().is_none_or(older) {
                    found = Some((slot, one));
                }
            }
            Err(Error::Damaged { said, .. }) => wrong[slot.index()] = said,
            Err(error) => wrong[slot.index()] = error.to_string(),
        }
    }
    let [a, b] = wrong;
    let (slot, one) = found.ok_or(Error::Nothing { a, b })?;
    notes.push("the record was lost, and was made anew from what the slots hold".into());
    let mut slots = [None, None];
    let version = one.manifest.version;
    slots[slot.index()] = Some(Held { version, manifest: one.sum });
    let fallen = Some(Fallen { version: None, why: "the record was lost".into() });
    let sequence = Record::load(disk).map_or(0, |record| record.sequence);
    let mut record = Record { sequence, active: Some(slot), state: State::Steady, slots, fallen };
    // Both copies: one that only could not be read for once must not come back as the newer one.
    for _ in 0..2 {
        note(record.store(disk), &mut notes);
    }
    Ok(Start { slot, version, trial: false, notes })
}

/// That the record could not be written does not keep the unit from starting.
fn note(stored: Result<(), Error>, notes: &mut Vec<String>) {
    if let Err(error) = stored {
        notes.push(error.to_string());
    }
}
