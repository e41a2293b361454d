//! Everything that writes, and what must be true when the power is cut while it is done.

use models::bundle::Version;
use models::update::{Error, Slot, boot, confirm, roll_back};
use tests::disk::{Loss, SimDisk};

use crate::life::*;

/// What is done while the power is cut.
pub struct Deed {
    pub name: &'static str,
    pub before: fn(&Shelf) -> SimDisk,
    pub does: fn(&SimDisk, &Shelf) -> Result<(), Error>,
    /// What the unit may start when it was cut off, and what it must start when it was not.
    pub may: &'static [u32],
    pub must: (u32, bool),
}

/// Everything that writes, in every state that it may be done in.
pub const DEEDS: &[Deed] = &[
    Deed {
        name: "install",
        before: with_one,
        does: |disk, shelf| put(disk, shelf.whole(2), Some(Slot::A)).map(|_| ()),
        may: &[1, 2],
        must: (2, true),
    },
    Deed {
        name: "install a difference",
        before: with_one,
        does: |disk, shelf| put(disk, shelf.delta.clone(), Some(Slot::A)).map(|_| ()),
        may: &[1, 2],
        must: (2, true),
    },
    Deed {
        name: "install over the version before",
        before: with_two,
        does: |disk, shelf| put(disk, shelf.whole(3), Some(Slot::B)).map(|_| ()),
        may: &[2, 3],
        must: (3, true),
    },
    Deed {
        name: "install in the place of one that waits",
        before: with_waiting,
        does: |disk, shelf| put(disk, shelf.whole(3), Some(Slot::A)).map(|_| ()),
        may: &[1, 2, 3],
        must: (3, true),
    },
    Deed {
        name: "start on trial",
        before: with_waiting,
        does: |disk, _| boot(disk).map(|_| ()),
        may: &[2],
        must: (2, true),
    },
    Deed {
        name: "start for the last time",
        before: with_trial,
        does: |disk, _| boot(disk).map(|_| ()),
        may: &[1, 2],
        must: (1, false),
    },
    Deed {
        name: "go back by itself",
        before: with_used_up,
        does: |disk, _| boot(disk).map(|_| ()),
        may: &[1],
        must: (1, false),
    },
    Deed {
        name: "confirm",
        before: with_trial,
        does: |disk, _| confirm(disk, Slot::B),
        may: &[2],
        must: (2, false),
    },
    Deed {
        name: "roll back from trial",
        before: with_trial,
        does: |disk, _| roll_back(disk, "no camera").map(|_| ()),
        may: &[1, 2],
        must: (1, false),
    },
    Deed {
        name: "roll back to the version before",
        before: with_two,
        does: |disk, _| roll_back(disk, "a technician asked").map(|_| ()),
        may: &[1, 2],
        must: (1, false),
    },
];

/// What the power may leave: all ends, and some of everything between.
pub fn losses(seeds: u64) -> impl Iterator<Item = Loss> {
    let some = (0..seeds).flat_map(|seed| [Loss::Some(seed), Loss::Flipped(seed)]);
    [Loss::All, Loss::None].into_iter().chain(some)
}

/// Does a deed with the power cut at one point of it; gives what went wrong afterwards.
pub fn cut_once(deed: &Deed, before: &SimDisk, shelf: &Shelf, cut: u64, loss: Loss) -> Result<(), String> {
    let disk = before.fork();
    disk.cut_at(cut);
    let done = (deed.does)(&disk, shelf);
    if done.is_ok() {
        return Err("it ended well without power".into());
    }
    disk.power_cycle(loss);
    let rolled = disk.fork();
    let (_, number) = try_start(&disk)?;
    if !deed.may.contains(&number) {
        return Err(format!("it starts version {number}"));
    }
    second_try(&disk, shelf)?;
    // The same cut, and afterwards somebody who wants to go back.
    let (started, _) = try_start(&rolled)?;
    if started.trial {
        let back = roll_back(&rolled, "a technician asked").map_err(|e| e.to_string())?;
        let (after, _) = try_start(&rolled)?;
        if after.trial || after.slot != back {
            return Err(format!("after the roll-back it starts {after:?}"));
        }
    }
    Ok(())
}

/// Whatever stands, version 3 is installed, proves itself, and stays.
pub fn second_try(disk: &SimDisk, shelf: &Shelf) -> Result<(), String> {
    let (now, _) = try_start(disk)?;
    if now.trial {
        confirm(disk, now.slot).map_err(|e| format!("it is not confirmed: {e}"))?;
    }
    put(disk, shelf.whole(3), Some(now.slot)).map_err(|e| format!("the second try fails: {e}"))?;
    let (trial, number) = try_start(disk)?;
    let settled = confirm(disk, trial.slot).map_err(|e| format!("it is not confirmed: {e}"));
    settled?;
    let (after, _) = try_start(disk)?;
    if number != 3 || after.trial || after.slot != trial.slot || after.version != Version(0, 3, 0) {
        return Err(format!("after the second try it starts {after:?}"));
    }
    Ok(())
}
