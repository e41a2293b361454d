//! The folder that files from the cable go into. Each is called by its SHA-256.
//!
//! What has arrived of a file stands as `HASH.part`, always its beginning without a gap, so that it goes on
//! behind that after anything. A file gets its name only when its bytes, read back, have that hash. Nothing
//! that the other end says becomes part of a path.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Error;
use super::message::{Hash, Offer};
use crate::manifest::hexadecimal;

const PART: &str = "part";

/// The folder.
#[derive(Debug)]
pub struct Staging {
    dir: PathBuf,
}

/// A file that is arriving.
#[derive(Debug)]
pub struct Part {
    file: File,
    path: PathBuf,
    whole: PathBuf,
    hash: Hash,
}

impl Staging {
    /// The folder, made where it is not there.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn open(dir: &Path) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(|e| Error::file("make the folder", dir, &e))?;
        Ok(Self { dir: dir.into() })
    }

    /// Where a file stands once it is whole.
    pub fn place(&self, hash: &Hash) -> PathBuf {
        self.dir.join(hexadecimal(hash))
    }

    /// Whether a file is there, whole. One that has come to have other bytes is thrown away.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn has(&self, hash: &Hash) -> Result<bool, Error> {
        let path = self.place(hash);
        let there = match File::open(&path) {
            Ok(mut file) => hash_of(&mut file, u64::MAX).map(|found| found == *hash),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => Err(error),
        };
        let there = there.map_err(|e| Error::file("read", &path, &e))?;
        if !there {
            fs::remove_file(&path).map_err(|e| Error::file("remove", &path, &e))?;
        }
        Ok(there)
    }

    /// Opens the part of a file at its end, and says how many bytes it has, a multiple of the block or
    /// all, and their hash. Parts of other files are thrown away: one file arrives at a time, and parts of
    /// what nobody sends any more would fill the disk.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn part(&self, offer: &Offer) -> Result<(Part, u64, Hash), Error> {
        let whole = self.place(&offer.hash);
        let path = whole.with_extension(PART);
        self.clear_but(&path)?;
        let (file, from, hash) = open_part(&path, offer).map_err(|e| Error::file("write", &path, &e))?;
        Ok((Part { file, path, whole, hash: offer.hash }, from, hash))
    }

    fn clear_but(&self, keep: &Path) -> Result<(), Error> {
        let list = fs::read_dir(&self.dir).map_err(|e| Error::file("read", &self.dir, &e))?;
        for entry in list.filter_map(Result::ok) {
            let path = entry.path();
            if path != keep && path.extension().is_some_and(|e| e == PART) {
                fs::remove_file(&path).map_err(|e| Error::file("remove", &path, &e))?;
            }
        }
        Ok(())
    }
}

fn open_part(path: &Path, offer: &Offer) -> io::Result<(File, u64, Hash)> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    let length = file.metadata()?.len();
    let from = match length {
        _ if offer.afresh || length > offer.length => 0,
        _ if length == offer.length => length,
        _ => length - length % u64::from(offer.block.max(1)),
    };
    file.set_len(from)?;
    let hash = hash_of(&mut file, from)?;
    file.seek(SeekFrom::Start(from))?;
    Ok((file, from, hash))
}

impl Part {
    /// Puts bytes behind those that are there. They are the system's at once: a program that is killed
    /// afterwards has not lost what it gave a receipt for.
    ///
    /// # Errors
    /// What the system said.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Reads back what was written, and gives the file its name where its hash is right. Otherwise the
    /// hash that it has comes back, and the part is thrown away.
    ///
    /// # Errors
    /// What the system said.
    pub fn finish(mut self) -> io::Result<Result<PathBuf, Hash>> {
        let file = &mut self.file;
        file.sync_all()?;
        file.seek(SeekFrom::Start(0))?;
        let found = hash_of(file, u64::MAX)?;
        if found != self.hash {
            fs::remove_file(&self.path)?;
            return Ok(Err(found));
        }
        fs::rename(&self.path, &self.whole)?;
        // The name itself is on the disk when its folder is.
        if let Some(dir) = self.whole.parent() {
            File::open(dir)?.sync_all()?;
        }
        Ok(Ok(self.whole))
    }
}

/// The hash of the next bytes, so many at most.
///
/// # Errors
/// What the reader said.
pub fn hash_of(reader: &mut impl Read, most: u64) -> io::Result<Hash> {
    let mut hash = Sha256::new();
    io::copy(&mut reader.take(most), &mut hash)?;
    Ok(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own, which goes with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("signpost-staging-{name}-{}", std::process::id())))
        }

        fn names(&self) -> Vec<String> {
            let names = fs::read_dir(&self.0).unwrap();
            names.map(|n| n.unwrap().file_name().to_string_lossy().into_owned()).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn offer(bytes: &[u8]) -> Offer {
        let hash = hash_of(&mut &*bytes, u64::MAX).unwrap();
        Offer { name: "../../etc/passwd".into(), length: bytes.len() as u64, hash, block: 10, afresh: false }
    }

    #[test]
    fn a_part_goes_on_behind_its_last_whole_block_and_becomes_the_file() {
        let folder = Folder::new("goes-on");
        let staging = Staging::open(&folder.0).unwrap();
        let bytes: Vec<u8> = (0..64).collect();
        let offer = offer(&bytes);
        assert!(!staging.has(&offer.hash).unwrap());
        let (mut part, from, _) = staging.part(&offer).unwrap();
        assert_eq!(from, 0);
        part.append(&bytes[..37]).unwrap();
        drop(part);
        let (mut part, from, hash) = staging.part(&offer).unwrap();
        assert_eq!((from, hash), (30, hash_of(&mut &bytes[..30], 99).unwrap()));
        part.append(&bytes[30..]).unwrap();
        assert!(!staging.has(&offer.hash).unwrap(), "it is not there before it is whole");
        assert_eq!(fs::read(part.finish().unwrap().unwrap()).unwrap(), bytes);
        assert!(staging.has(&offer.hash).unwrap());
        assert_eq!(folder.names(), [hexadecimal(&offer.hash)]);
    }

    #[test]
    fn spoiled_bytes_never_get_the_name() {
        let folder = Folder::new("spoiled");
        let staging = Staging::open(&folder.0).unwrap();
        let offer = offer(&[7; 20]);
        let (mut part, ..) = staging.part(&offer).unwrap();
        part.append(&[8; 20]).unwrap();
        assert_eq!(part.finish().unwrap(), Err(hash_of(&mut [8; 20].as_slice(), 99).unwrap()));
        assert_eq!(folder.names().len(), 0);
        // A file that changes afterwards is not taken for whole either.
        fs::write(staging.place(&offer.hash), [8; 20]).unwrap();
        assert!(!staging.has(&offer.hash).unwrap());
        assert_eq!(folder.names().len(), 0);
    }

    #[test]
    fn parts_that_cannot_be_the_files_are_thrown_away() {
        let folder = Folder::new("parts");
        let staging = Staging::open(&folder.0).unwrap();
        let (first, second) = (offer(&[1; 40]), offer(&[2; 15]));
        staging.part(&first).unwrap().0.append(&[1; 20]).unwrap();
        assert_eq!(staging.part(&Offer { afresh: true, ..first.clone() }).unwrap().1, 0);
        staging.part(&first).unwrap().0.append(&[1; 20]).unwrap();
        assert_eq!(staging.part(&Offer { length: 15, ..first }).unwrap().1, 0, "it is longer than the file");
        staging.part(&second).unwrap();
        assert_eq!(folder.names(), [format!("{}.part", hexadecimal(&second.hash))]);
    }
}
