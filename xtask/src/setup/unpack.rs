//! Takes out of a wheel what the table names, and nothing else.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use models::tflite;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::Error;
use super::record::Kept;
use super::table::{Kind, Wheel};
use crate::ui::Ui;

/// Bytes read at a time.
const BLOCK: usize = 1 << 18;

/// Writes what is taken of a wheel into a folder.
///
/// Gives the files written, by their path relative to `into`.
pub fn unpack(wheel: &Wheel, file: File, into: &Path, ui: &Ui) -> Result<BTreeMap<String, Kept>, Error> {
    let failed = |said: String| Error::Unpack { file: wheel.file.clone(), said };
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|e| failed(e.to_string()))?;
    let progress = ui.progress(&format!("unpacking {}", wheel.what), wheel.unpacked_bytes);
    let mut files = BTreeMap::new();
    let mut found = vec![false; wheel.take.len()];
    let mut done = 0;
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).map_err(|e| failed(e.to_string()))?;
        let name = member.name().map_err(|e| failed(e.to_string()))?.into_owned();
        if member.is_dir() {
            continue;
        }
        for (take, found) in wheel.take.iter().zip(&mut found) {
            let Some(target) = take.target(&name)? else { continue };
            *found = true;
            let path = into.join(&target);
            let mut sink = Sink::new(&path)?;
            // What a network becomes counts as what it was: it is of the same size, or twice.
            let mut left = wheel.unpacked_bytes - done;
            let mut network = Vec::new();
            let mut block = vec![0; BLOCK];
            loop {
                let read = member.read(&mut block).map_err(|e| failed(format!("{name}: {e}")))?;
                if read == 0 {
                    break;
                }
                left = left.checked_sub(read as u64).ok_or_else(|| failed(format!("{name} is too large")))?;
                match take.kind {
                    Kind::Network => network.extend_from_slice(&block[..read]),
                    Kind::File | Kind::Program => sink.write(&block[..read])?,
                }
                done = wheel.unpacked_bytes - left;
                progress.at(done);
            }
            if take.kind == Kind::Network {
                let stem = target.file_stem().unwrap_or_default().to_string_lossy();
                let convert = |source| Error::Convert { member: name.clone(), source };
                sink.write(&tflite::to_onnx(&network, &stem, &take.unused).map_err(convert)?)?;
            }
            let mode = if take.kind == Kind::Program { 0o755 } else { 0o644 };
            fs::set_permissions(&path, Permissions::from_mode(mode))
                .map_err(|e| Error::io("change", &path, e))?;
            files.insert(target.to_string_lossy().into_owned(), sink.finish());
        }
    }
    match wheel.take.iter().zip(found).find(|(_, found)| !found) {
        Some((take, _)) => Err(Error::Missing { file: wheel.file.clone(), member: take.from.clone() }),
        None => Ok(files),
    }
}

/// A file being written, and the hash of what was written.
struct Sink<'a> {
    path: &'a Path,
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl<'a> Sink<'a> {
    fn new(path: &'a Path) -> Result<Self, Error> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|e| Error::io("make", folder, e))?;
        }
        let file = File::create(path).map_err(|e| Error::io("write", path, e))?;
        Ok(Self { path, file, hash: Sha256::new(), bytes: 0 })
    }

    fn write(&mut self, block: &[u8]) -> Result<(), Error> {
        self.file.write_all(block).map_err(|e| Error::io("write", self.path, e))?;
        self.hash.update(block);
        self.bytes += block.len() as u64;
        Ok(())
    }

    fn finish(self) -> Kept {
        Kept { sha256: format!("{:x}", self.hash.finalize()), bytes: self.bytes }
    }
}
