//! A file in memory. The one place of this crate that asks the system to map something.

#![allow(unsafe_code, reason = "mapping a file is a call of the system")]

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::Mmap;

/// A file's bytes.
#[derive(Debug)]
pub struct Map(Mmap);

impl Map {
    /// Maps a file, which is not read before its bytes are looked at.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
        }
        // SAFETY: bytes that change below a map would be undefined. A lexicon's file is put in its place whole, by
        // renaming, and never written again; the unit mounts its slots for reading only.
        unsafe { Mmap::map(&file) }.map(Self)
    }

    /// All of them.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}
