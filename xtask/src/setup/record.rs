//! `store.json`: which files each wheel left in the store, so that a second set-up has nothing to do.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use models::store::{RECORD, Store};
use models::tflite::CONVERTER_VERSION;
use serde::{Deserialize, Serialize};

use super::table::Wheel;
use super::{Error, fetch, open};

/// The version of this file; one of another version is not read, and all is brought again.
const FORMAT: u32 = 1;

/// What is in the store.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Record {
    format: u32,
    wheels: BTreeMap<String, Brought>,
}

/// What one wheel left.
#[derive(Debug, Serialize, Deserialize)]
struct Brought {
    version: String,
    licence: String,
    /// [`Wheel::recipe`] when it was brought.
    recipe: String,
    /// The converter's version, where something was converted.
    converter: Option<u32>,
    /// By path relative to the store.
    files: BTreeMap<String, Kept>,
}

/// A file in the store.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

impl Record {
    /// The record of a store; an empty one where it has none that can be read.
    pub fn read(store: &Store) -> Self {
        let read = fs::read(path(store)).ok().and_then(|json| serde_json::from_slice(&json).ok());
        read.filter(|r: &Self| r.format == FORMAT).unwrap_or_default()
    }

    /// Whether the store holds what this wheel leaves, as far as sizes tell.
    pub fn holds(&self, wheel: &Wheel, store: &Store) -> bool {
        let Some(brought) = self.wheels.get(&wheel.name) else { return false };
        let there = |(path, kept): (&String, &Kept)| {
            fs::metadata(store.root().join(path)).is_ok_and(|m| m.is_file() && m.len() == kept.bytes)
        };
        brought.recipe == wheel.recipe()
            && brought.converter == converter(wheel)
            && brought.files.iter().all(there)
    }

    /// The files of a wheel whose hash is no longer the one that they had.
    pub fn damaged(&self, wheel: &Wheel, store: &Store) -> Vec<PathBuf> {
        let Some(brought) = self.wheels.get(&wheel.name) else { return vec![] };
        let damaged = |(path, kept): (&String, &Kept)| {
            let path = store.root().join(path);
            let found = open(&path).and_then(|mut file| fetch::hash(&mut file, &path));
            (!found.is_ok_and(|hash| hash == kept.sha256)).then_some(path)
        };
        brought.files.iter().filter_map(damaged).collect()
    }

    /// Moves a wheel's files from where they were unpacked into the store, and enters them.
    ///
    /// Files that an older version of the wheel left and this one does not have are deleted.
    pub fn install(
        &mut self,
        wheel: &Wheel,
        files: BTreeMap<String, Kept>,
        from: &Path,
        store: &Store,
    ) -> Result<(), Error> {
        for file in files.keys() {
            let to = store.root().join(file);
            let folder = to.parent().unwrap_or(store.root());
            fs::create_dir_all(folder).map_err(|e| Error::io("make", folder, e))?;
            fs::rename(from.join(file), &to).map_err(|e| Error::io("write", &to, e))?;
        }
        let (version, licence) = (wheel.version.clone(), wheel.licence.clone());
        let brought =
            Brought { version, licence, recipe: wheel.recipe(), converter: converter(wheel), files };
        self.format = FORMAT;
        let old = self.wheels.insert(wheel.name.clone(), brought);
        self.write(store)?;
        let stale = old.into_iter().flat_map(|o| o.files.into_keys());
        for file in stale.filter(|f| !self.wheels.values().any(|b| b.files.contains_key(f))) {
            let file = store.root().join(file);
            match fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io("delete", &file, error));
                }
                _ => (),
            }
        }
        Ok(())
    }

    /// Writes the record beside the old one and replaces it in one step.
    fn write(&self, store: &Store) -> Result<(), Error> {
        let (path, partial) = (path(store), store.root().join(".partial/store.json"));
        let json = serde_json::to_vec_pretty(self).expect("a record is maps of texts and numbers");
        fs::write(&partial, json).map_err(|e| Error::io("write", &partial, e))?;
        fs::rename(&partial, &path).map_err(|e| Error::io("write", &path, e))
    }
}

fn converter(wheel: &Wheel) -> Option<u32> {
    wheel.has_networks().then_some(CONVERTER_VERSION)
}

fn path(store: &Store) -> PathBuf {
    store.root().join(RECORD)
}
