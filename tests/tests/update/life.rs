//! A unit's life: versions that come, start, prove themselves, and are given up.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::LazyLock;

use models::bundle::{Bundle, Version};
use models::update::{Disk, Error, Installed, Slot, Start, Unit, boot, confirm, install};
use tests::bundles::{self, Files, Memory, opened};
use tests::disk::SimDisk;

pub type Made = Bundle<Cursor<Vec<u8>>>;

/// The starts that a version on trial has.
pub const STARTS: u8 = 2;

/// The bundles that the tests install: whole ones, and the difference from the first to the second version.
pub struct Shelf {
    pub whole: BTreeMap<u32, Made>,
    pub delta: Made,
}

impl Shelf {
    pub fn new() -> Self {
        let old = bundles::files(1);
        let delta = bundles::bundle(&bundles::recipe(2), &bundles::files(2), &Memory(&old));
        let delta = bundles::open(delta).unwrap();
        Self { whole: [1, 2, 3].into_iter().map(|number| (number, opened(number))).collect(), delta }
    }

    pub fn whole(&self, number: u32) -> Made {
        self.whole[&number].clone()
    }
}

pub fn unit(running: Option<Slot>) -> Unit<'static> {
    Unit { board: "desk", slot_bytes: 1 << 20, starts: STARTS, running }
}

pub fn put(disk: &impl Disk, mut bundle: Made, running: Option<Slot>) -> Result<Installed, Error> {
    install(disk, &mut bundle, &unit(running), &mut |_| {})
}

/// A unit that has one version, which has proven itself.
pub fn with_one(shelf: &Shelf) -> SimDisk {
    let disk = SimDisk::new();
    assert_eq!(put(&disk, shelf.whole(1), None).unwrap(), Installed::Waiting(Version(0, 1, 0)));
    assert_eq!(start(&disk), (1, true));
    confirm(&disk, Slot::A).unwrap();
    disk
}

/// A unit on which the second version has proven itself after the first.
pub fn with_two(shelf: &Shelf) -> SimDisk {
    let disk = with_one(shelf);
    put(&disk, shelf.whole(2), Some(Slot::A)).unwrap();
    assert_eq!(start(&disk), (2, true));
    confirm(&disk, Slot::B).unwrap();
    disk
}

/// A unit on which the second version waits for its first start.
pub fn with_waiting(shelf: &Shelf) -> SimDisk {
    let disk = with_one(shelf);
    put(&disk, shelf.whole(2), Some(Slot::A)).unwrap();
    disk
}

/// A unit on which the second version is on trial.
pub fn with_trial(shelf: &Shelf) -> SimDisk {
    let disk = with_waiting(shelf);
    assert_eq!(start(&disk), (2, true));
    disk
}

/// A unit on which the second version has used up its starts.
pub fn with_used_up(shelf: &Shelf) -> SimDisk {
    let disk = with_trial(shelf);
    assert_eq!(start(&disk), (2, true));
    disk
}

/// What a slot holds beside its manifest, byte for byte: a version, or none of them.
pub fn holds(files: &Files) -> Option<u32> {
    static VERSIONS: LazyLock<[Files; 3]> = LazyLock::new(|| [1, 2, 3].map(bundles::files));
    let mut own = files.clone();
    own.retain(|name, _| !name.starts_with("manifest.json"));
    VERSIONS.iter().position(|version| own == *version).map(|index| index as u32 + 1)
}

/// Starts the unit: what it starts, which version that is byte for byte, and whether it is on trial.
///
/// The judgement is the test's own: it compares the files with those that went into the bundles.
pub fn try_start(disk: &SimDisk) -> Result<(Start, u32), String> {
    let start = boot(disk).map_err(|e| format!("it starts neither: {e}"))?;
    let number = holds(&disk.tree(start.slot.folder())).ok_or("it starts a mixture")?;
    if start.version != Version(0, number, 0) {
        return Err(format!("it starts {number} and says {}", start.version));
    }
    Ok((start, number))
}

#[track_caller]
pub fn start(disk: &SimDisk) -> (u32, bool) {
    let (start, number) = try_start(disk).unwrap();
    (number, start.trial)
}
