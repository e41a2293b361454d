//! A slot: a folder that holds one version, or what is left of one.

use std::fmt;
use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use super::{Disk, Error};
use crate::bundle::{Base, Error as BundleError, MANIFEST, MANIFEST_LIMIT, Manifest, Sum};

/// One of the two places for a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

impl Slot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// The one that is not this.
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// Its folder.
    pub fn folder(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }

    /// Where it is written before it gets its name, and cleared after it lost it.
    pub fn part(self) -> &'static str {
        match self {
            Self::A => "a.part",
            Self::B => "b.part",
        }
    }

    pub(super) fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.folder())
    }
}

impl std::str::FromStr for Slot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let slot = Self::ALL.into_iter().find(|slot| slot.folder() == text);
        slot.ok_or_else(|| format!("`{text}` is no slot; choose a or b"))
    }
}

/// A slot all of whose files are what its manifest says.
#[derive(Debug, Clone)]
pub struct Whole {
    /// The manifest.
    pub manifest: Manifest,
    /// Its SHA-256.
    pub sum: Sum,
}

/// Reads a slot through; with `expected`, it must have that very manifest.
///
/// # Errors
/// [`Error::Damaged`].
pub fn whole(disk: &impl Disk, slot: Slot, expected: Option<Sum>) -> Result<Whole, Error> {
    whole_folder(disk, slot.folder(), expected).map_err(|said| Error::Damaged { slot, said })
}

/// The same of any folder; what is wrong comes in words.
pub(super) fn whole_folder(disk: &impl Disk, folder: &str, expected: Option<Sum>) -> Result<Whole, String> {
    let mut text = Vec::new();
    let limit = u64::from(MANIFEST_LIMIT) + 1;
    let unread = |name: &str, e: &io::Error| format!("{name}: {e}");
    let path = format!("{folder}/{MANIFEST}");
    let read = disk.open(&path).and_then(|file| file.take(limit).read_to_end(&mut text));
    read.map_err(|e| unread(MANIFEST, &e))?;
    let sum = Sum::of(&text);
    if expected.is_some_and(|expected| sum != expected) {
        return Err(format!("{MANIFEST} is another than the record says"));
    }
    let manifest = Manifest::parse(&text).map_err(|e| e.to_string())?;
    for entry in &manifest.files {
        let path = format!("{folder}/{}", entry.name);
        let mut file = disk.open(&path).map_err(|e| unread(&entry.name, &e))?;
        let found = Sum::of_reader(&mut file).map_err(|e| unread(&entry.name, &e))?;
        if found != (entry.sha256, entry.size) {
            return Err(format!("{} has other bytes than its manifest says", entry.name));
        }
    }
    Ok(Whole { manifest, sum })
}

/// The files of a slot, for a bundle of differences.
pub(super) struct Files<'a, D> {
    pub(super) disk: &'a D,
    pub(super) slot: Option<Slot>,
}

impl<D: Disk> Base for Files<'_, D> {
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read + '_>>> {
        let Some(slot) = self.slot else { return Ok(None) };
        match self.disk.open(&format!("{}/{name}", slot.folder())) {
            Ok(file) => Ok(Some(file)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// Removes a folder with all that is in it, where it is there.
pub(super) fn clear(disk: &impl Disk, folder: &str) -> io::Result<()> {
    let names = match disk.list(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        names => names?,
    };
    for (name, is_folder) in names {
        let path = format!("{folder}/{name}");
        if is_folder { clear(disk, &path)? } else { disk.remove(&path, false)? }
    }
    disk.remove(folder, true)
}

/// Bytes of the files of a slot's manifest, where it has one that can be read.
pub(super) fn size(disk: &impl Disk, slot: Slot) -> u64 {
    let mut text = Vec::new();
    let path = format!("{}/{MANIFEST}", slot.folder());
    let read = disk.open(&path).and_then(|f| f.take(MANIFEST_LIMIT.into()).read_to_end(&mut text));
    let manifest = read.map_err(|e| BundleError::io("read", &e)).and_then(|_| Manifest::parse(&text));
    manifest.map_or(0, |manifest| manifest.size())
}
