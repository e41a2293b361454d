//! What an update asks of storage, and storage that is a folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, StatVfsMountFlags, fadvise, statvfs};

/// Storage. Names are relative to the unit's root, with `/` between folders; the root itself is the empty
/// name. What was written is sure to be there after a power cut only when it was synced: a file's bytes
/// with the file, and its name with its folder.
pub trait Disk {
    /// The names in a folder, and whether each is a folder itself.
    ///
    /// # Errors
    /// What the system said; of kind `NotFound` where there is no such folder.
    fn list(&self, folder: &str) -> io::Result<Vec<(String, bool)>>;

    /// Reads a file from the storage itself, not from what the system remembers of it.
    ///
    /// # Errors
    /// What the system said; of kind `NotFound` where there is no such file.
    fn open(&self, file: &str) -> io::Result<Box<dyn Read + '_>>;

    /// Makes an empty file, or empties one.
    ///
    /// # Errors
    /// What the system said.
    fn create(&self, file: &str, executable: bool) -> io::Result<()>;

    /// Writes behind a file's end.
    ///
    /// # Errors
    /// What the system said; a part may have been written.
    fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()>;

    /// Writes over a file's beginning. This takes no new space where the file is as long.
    ///
    /// # Errors
    /// What the system said; a part may have been written.
    fn overwrite(&self, file: &str, bytes: &[u8]) -> io::Result<()>;

    /// Returns when the bytes of a file, or the names in a folder, are on the storage.
    ///
    /// # Errors
    /// What the system said.
    fn sync(&self, name: &str) -> io::Result<()>;

    /// Makes a folder.
    ///
    /// # Errors
    /// What the system said.
    fn make_folder(&self, folder: &str) -> io::Result<()>;

    /// Removes a file, or an empty folder.
    ///
    /// # Errors
    /// What the system said.
    fn remove(&self, name: &str, is_folder: bool) -> io::Result<()>;

    /// Gives something another name in the same folder. What had that name, an empty folder or a file, is gone.
    ///
    /// # Errors
    /// What the system said.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Bytes that can still be written.
    ///
    /// # Errors
    /// What the system said, or that the storage is read-only.
    fn free(&self) -> io::Result<u64>;
}

/// Storage that is a folder of this system.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder, made where it is not there.
    ///
    /// # Errors
    /// What the system said.
    pub fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        Ok(Self(root.into()))
    }

    /// Where a name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Disk for Folder {
    fn list(&self, folder: &str) -> io::Result<Vec<(String, bool)>> {
        let entries = fs::read_dir(self.path(folder))?.map(|entry| {
            let entry = entry?;
            // A name that is no text is none of ours, and is removed by no other name.
            let name = entry.file_name().into_string().map_err(|_| io::ErrorKind::InvalidData)?;
            Ok((name, entry.file_type()?.is_dir()))
        });
        entries.collect()
    }

    fn open(&self, file: &str) -> io::Result<Box<dyn Read + '_>> {
        let file = File::open(self.path(file))?;
        // Read back from memory, what was written would always be right. A system that cannot forget it
        // is no reason not to read.
        let _ = fadvise(&file, 0, None, Advice::DontNeed);
        Ok(Box::new(file))
    }

    fn create(&self, file: &str, executable: bool) -> io::Result<()> {
        let mode = if executable { 0o755 } else { 0o644 };
        let path = self.path(file);
        OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path).map(|_| ())
    }

    fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().append(true).open(self.path(file))?.write_all(bytes)
    }

    fn overwrite(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.path(file))?.write_all(bytes)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        File::open(self.path(name))?.sync_all()
    }

    fn make_folder(&self, folder: &str) -> io::Result<()> {
        fs::create_dir(self.path(folder))
    }

    fn remove(&self, name: &str, is_folder: bool) -> io::Result<()> {
        let path = self.path(name);
        if is_folder { fs::remove_dir(path) } else { fs::remove_file(path) }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn free(&self) -> io::Result<u64> {
        let space = statvfs(&self.0)?;
        if space.f_flag.contains(StatVfsMountFlags::RDONLY) {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }
}
