//! `.npz`: a ZIP archive of `.npy` files, one a name.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::{Array, MAX_BYTES};
use crate::Error;

/// The most arrays of an archive.
const MAX_ARRAYS: usize = 4096;

/// An open archive; arrays are unpacked when they are asked for, so that what nobody asks for is never looked into.
pub struct Npz<R> {
    path: PathBuf,
    archive: ZipArchive<R>,
}

impl Npz<BufReader<File>> {
    /// Opens an archive.
    ///
    /// # Errors
    /// [`Error::Array`] where it is none, and where it cannot be read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io("read", path))?;
        Self::new(BufReader::new(file), path)
    }
}

impl<'a> Npz<Cursor<&'a [u8]>> {
    /// Opens the bytes of an archive; `path` is what errors call it.
    ///
    /// # Errors
    /// [`Error::Array`] where they are none.
    pub fn parse(bytes: &'a [u8], path: &Path) -> Result<Self, Error> {
        Self::new(Cursor::new(bytes), path)
    }
}

impl<R: Read + Seek> Npz<R> {
    fn new(file: R, path: &Path) -> Result<Self, Error> {
        let wrong = |why: String| Error::Array { path: path.to_owned(), why };
        let archive = ZipArchive::new(file).map_err(|e| wrong(format!("it is no .npz archive ({e})")))?;
        if archive.len() > MAX_ARRAYS {
            return Err(wrong(format!("it holds {} arrays, more than {MAX_ARRAYS}", archive.len())));
        }
        Ok(Self { path: path.to_owned(), archive })
    }

    /// The names of its arrays.
    pub fn names(&self) -> Vec<String> {
        let names = self.archive.file_names();
        names.flatten().map(|name| name.strip_suffix(".npy").unwrap_or(&name).to_owned()).collect()
    }

    /// The array of a name, where the archive has it.
    ///
    /// # Errors
    /// [`Error::Array`] where it is no array of numbers or too large.
    pub fn array(&mut self, name: &str) -> Result<Option<Array>, Error> {
        let path = &self.path;
        let wrong = |why: String| Error::Array { path: path.clone(), why: format!("its {name}: {why}") };
        let mut entry = match self.archive.by_name(&format!("{name}.npy")) {
            Ok(entry) => entry,
            Err(zip::result::ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let mut bytes = Vec::new();
        let read = entry.by_ref().take(MAX_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|e| wrong(e.to_string()))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(wrong(format!("it takes more than {MAX_BYTES} bytes")));
        }
        Array::parse(&bytes).map(Some).map_err(wrong)
    }

    /// The array of the first of these names that the archive has.
    ///
    /// # Errors
    /// As [`Npz::array`]; and where it has none of them.
    pub fn one_of(&mut self, names: &[&str]) -> Result<Array, Error> {
        for name in names {
            if let Some(array) = self.array(name)? {
                return Ok(array);
            }
        }
        let mut there = self.names();
        there.sort();
        there.truncate(12);
        let why = format!("it has no {}, but {}", names.join(" or "), there.join(", "));
        Err(Error::Array { path: self.path.clone(), why })
    }
}
