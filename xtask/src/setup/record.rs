//! `store.json`: which files each wheel left in the store, so that a second set-up has nothing to do.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use models::store::{RECORD, Store};
use models::tflite::CONVERTER_VERSION;
use serde::{Deserialize, Serialize};

use super::table::Wheel;
use super::{Error, fetch, open};

/// The version of this file; one of another version is not read, and all is brought again.
const FORMAT: u32 = 1;
/// The record of some seven hundred files is a tenth of a megabyte; nothing much larger is one.
const LIMIT: u64 = 16 << 20;

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
        let path = path(store);
        let small = fs::metadata(&path).is_ok_and(|m| m.len() <= LIMIT);
        let json = small.then(|| fs::read(&path).ok()).flatten();
        let read = json.and_then(|json| serde_json::from_slice(&json).ok());
        read.filter(|r: &Self| r.format == FORMAT && r.stays_within()).unwrap_or_default()
    }

    /// Whether all that it names lies in the store: what a wheel no longer leaves is deleted by these names.
    fn stays_within(&self) -> bool {
        let within = |file: &str| Path::new(file).components().all(|c| matches!(c, Component::Normal(_)));
        self.wheels.values().flat_map(|brought| brought.files.keys()).all(|file| within(file))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// How many wheels a record of these bytes is read to have.
    fn read(bytes: &[u8]) -> usize {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(RECORD), bytes).unwrap();
        Record::read(&Store::at(folder.path())).wheels.len()
    }

    fn record_of(file: &str) -> String {
        format!(
            r#"{{"format":1,"wheels":{{"w":{{"version":"1","licence":"MIT","recipe":"12","converter":null,
            "files":{{"{file}":{{"sha256":"12ab","bytes":3}}}}}}}}}}"#
        )
    }

    #[test]
    fn a_record_that_points_out_of_the_store_is_not_believed() {
        assert_eq!(read(record_of("networks/a.onnx").as_bytes()), 1);
        for file in ["../a", "networks/../../a", "/etc/a"] {
            assert_eq!(read(record_of(file).as_bytes()), 0, "{file}");
        }
    }

    #[test]
    fn a_damaged_record_is_one_of_nothing_or_of_less() {
        let seed = record_of("networks/a.onnx");
        for length in 0..seed.len() {
            assert_eq!(read(&seed.as_bytes()[..length]), 0, "cut at {length}");
        }
        let mut bytes = seed.clone().into_bytes();
        for at in 0..bytes.len() {
            for value in [b'"', b'{', b'[', b'-', 0xff] {
                bytes[at] = value;
                assert!(read(&bytes) <= 1);
            }
            bytes[at] = seed.as_bytes()[at];
        }
    }
}
