//! Puts a version into the slot that does not run, and settles what becomes of it.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek};

use super::record::Held;
use super::slot::{Files, clear, size, whole, whole_folder};
use super::{Disk, Error, Record, Slot, State};
use crate::bundle::{self, Bundle, MANIFEST, Manifest, SIGNATURE, Sum, Version};

/// What folders and names cost beside the bytes of files. Bytes for each file.
const OVERHEAD: u64 = 8192;

/// What an update must know of the unit.
#[derive(Debug, Clone, Copy)]
pub struct Unit<'a> {
    /// Its board.
    pub board: &'a str,
    /// What a slot may hold. Bytes.
    pub slot_bytes: u64,
    /// How often a new version may start without having proven itself.
    pub starts: u8,
    /// The slot that this program was started from; none where it is no part of a slot.
    pub running: Option<Slot>,
}

/// How far an installation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The bundle is checked; nothing has changed.
    Checking,
    /// Files are written.
    Writing {
        /// How many are done.
        done: usize,
        /// Of so many.
        of: usize,
    },
    /// What was written is read back.
    ReadingBack,
}

/// How an installation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// The next start is its first on trial.
    Waiting(Version),
    /// It waits already.
    WaitsAlready(Version),
    /// It runs already.
    RunsAlready(Version),
}

/// Installs a bundle into the slot that does not run. Whatever happens meanwhile, the unit starts what it
/// started before until this has ended well; run again, it completes.
///
/// # Errors
/// Why it was not done. Until the bundle has been read whole and found good nothing is changed.
pub fn install<R: Read + Seek>(
    disk: &impl Disk,
    bundle: &mut Bundle<R>,
    unit: &Unit<'_>,
    on: &mut dyn FnMut(Step),
) -> Result<Installed, Error> {
    on(Step::Checking);
    let mut record = Record::load(disk).unwrap_or_default();
    bundle.manifest().suits(unit.board, record.version(), unit.slot_bytes)?;
    if let Some(done) = there_already(disk, &record, bundle.manifest(), unit.running) {
        return Ok(done);
    }
    if unit.running.is_some() && unit.running != record.active {
        // On trial it would lose what it can go back to; given up, it would be written over while it runs.
        let on_trial = matches!(record.state, State::Trial { slot, .. } if Some(slot) == unit.running);
        return Err(if on_trial { Error::OnTrial } else { Error::Restart });
    }
    let target = record.active.map_or(Slot::A, Slot::other);
    bundle.check(&Files { disk, slot: record.active })?;
    let files = bundle.manifest().files.len() as u64;
    let needed = bundle.manifest().size() + bundle.text().len() as u64 + files * OVERHEAD;
    let free = disk.free().map_err(|e| Error::disk("ask for free space", &e))? + size(disk, target);
    if needed > free {
        return Err(Error::Full { needed, free });
    }

    if matches!(record.state, State::Trial { .. }) {
        // The copy of the record that stays behind must not lead into the slot that is cleared next.
        record.give_up(target, "another version was installed before it started");
        record.store(disk)?;
    }
    record.state = State::Writing { slot: target };
    record.slots[target.index()] = None;
    record.store(disk)?;
    let written = write(disk, bundle, record.active, target, on);
    if let Err(error) = written {
        // As far as the storage still allows; if not, the next try begins with it.
        let _ = clear(disk, target.part());
        record.state = State::Steady;
        let _ = record.store(disk);
        return Err(error);
    }
    let version = bundle.manifest().version;
    record.state = State::Trial { slot: target, left: unit.starts.max(1) };
    record.slots[target.index()] = Some(Held { version, manifest: Sum::of(bundle.text()) });
    record.store(disk)?;
    Ok(Installed::Waiting(version))
}

/// Whether this very version is what runs or waits.
fn there_already(
    disk: &impl Disk,
    record: &Record,
    manifest: &Manifest,
    running: Option<Slot>,
) -> Option<Installed> {
    let slot = match record.state {
        State::Trial { slot, .. } => slot,
        // What was given up may still run; then this one waits for a restart.
        State::Steady if running.is_none() || running == record.active => record.active?,
        _ => return None,
    };
    let held = record.held(slot)?;
    // A hash of every file: what is said to be there is there.
    let there = whole(disk, slot, Some(held.manifest)).ok()?;
    let runs = matches!(record.state, State::Steady) || running == Some(slot);
    let done = if runs { Installed::RunsAlready } else { Installed::WaitsAlready };
    there.manifest.is_same(manifest).then_some(done(held.version))
}

/// Clears the slot, writes it, reads it back, and gives it its name.
fn write<R: Read + Seek>(
    disk: &impl Disk,
    bundle: &mut Bundle<R>,
    active: Option<Slot>,
    target: Slot,
    on: &mut dyn FnMut(Step),
) -> Result<(), Error> {
    let part = target.part();
    let clearing = |e: io::Error| Error::disk(format!("clear slot {target}"), &e);
    clear(disk, part).map_err(clearing)?;
    match disk.rename(target.folder(), part) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        renamed => renamed.map_err(clearing)?,
    }
    // What has no name any more is cleared; what has its name is whole.
    disk.sync("").map_err(clearing)?;
    clear(disk, part).map_err(clearing)?;

    let manifest = bundle.manifest().clone();
    let failed = |name: &str| {
        let doing = format!("write and read {name}");
        move |e: io::Error| Error::disk(doing, &e)
    };
    let folders = folders(&manifest);
    for folder in &folders {
        let path = below(part, folder);
        disk.make_folder(&path).map_err(failed(&path))?;
    }
    let of = manifest.files.len();
    for (done, entry) in manifest.files.iter().enumerate() {
        on(Step::Writing { done, of });
        let path = below(part, &entry.name);
        disk.create(&path, entry.executable).map_err(failed(&path))?;
        bundle.unpack(done, &Files { disk, slot: active }, &mut |bytes| {
            disk.append(&path, bytes).map_err(|e| bundle::Error::io(format!("write {path}"), &e))
        })?;
        disk.sync(&path).map_err(failed(&path))?;
    }
    for (name, bytes) in [(MANIFEST, bundle.text()), (SIGNATURE, bundle.signature())] {
        let path = below(part, name);
        let put = disk.create(&path, false).and_then(|()| disk.append(&path, bytes));
        put.and_then(|()| disk.sync(&path)).map_err(failed(&path))?;
    }
    // The names within each folder, the innermost first.
    for folder in folders.iter().rev() {
        let path = below(part, folder);
        disk.sync(&path).map_err(failed(&path))?;
    }
    on(Step::ReadingBack);
    let bad = |said: String| Error::ReadBack { said };
    whole_folder(disk, part, Some(Sum::of(bundle.text()))).map_err(bad)?;
    let path = below(part, SIGNATURE);
    let read = disk.open(&path).and_then(|mut file| Sum::of_reader(&mut file)).map_err(failed(&path))?;
    if read.0 != Sum::of(bundle.signature()) {
        return Err(bad(format!("{path} has other bytes")));
    }
    let naming = |e: io::Error| Error::disk(format!("name slot {target}"), &e);
    disk.rename(part, target.folder()).map_err(naming)?;
    disk.sync("").map_err(naming)
}

/// All folders of a slot, the outer before the inner; the first is the slot itself.
fn folders(manifest: &Manifest) -> BTreeSet<&str> {
    let names = manifest.files.iter().map(|entry| entry.name.as_str());
    let above = names.flat_map(|name| name.match_indices('/').map(|(at, _)| &name[..at]));
    above.chain([""]).collect()
}

fn below(folder: &str, name: &str) -> String {
    if name.is_empty() { folder.into() } else { format!("{folder}/{name}") }
}

/// Keeps what runs on trial.
///
/// # Errors
/// [`Error::NotOnTrial`] where it is neither on trial nor settled; those of the storage.
pub fn confirm(disk: &impl Disk, running: Slot) -> Result<(), Error> {
    let mut record = Record::load(disk).unwrap_or_default();
    match record.state {
        State::Trial { slot, .. } if slot == running => {
            record.active = Some(slot);
            record.state = State::Steady;
            record.fallen = None;
            record.store(disk)
        }
        // Said twice it does no harm.
        State::Steady if record.active == Some(running) => Ok(()),
        _ => Err(Error::NotOnTrial),
    }
}

/// Goes back to the version before: the one on trial is given up, or the one before what was confirmed is
/// started next. Gives the slot of the next start.
///
/// # Errors
/// [`Error::NothingBefore`], [`Error::Damaged`]; those of the storage.
pub fn roll_back(disk: &impl Disk, why: &str) -> Result<Slot, Error> {
    let mut record = Record::load(disk).unwrap_or_default();
    let active = record.active.ok_or(Error::NothingBefore)?;
    let back = match record.state {
        State::Trial { slot, .. } => {
            record.give_up(slot, why);
            active
        }
        State::Writing { .. } => return Err(Error::NothingBefore),
        State::Steady => {
            let held = record.held(active.other()).ok_or(Error::NothingBefore)?;
            whole(disk, active.other(), Some(held.manifest))?;
            record.active = Some(active.other());
            // It was whole and had proven itself once; it may be gone back to in turn.
            active.other()
        }
    };
    record.store(disk)?;
    Ok(back)
}
