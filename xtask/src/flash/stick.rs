//! A bundle onto a USB stick: written beside its place, synced, read back from the stick itself, and only then
//! given its name.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use models::link::staging::hash_of;
use rustix::fs::{Advice, fadvise, statvfs, syncfs};

use super::deliver::Parcel;
use crate::ui::Ui;

/// Bytes that are copied at once.
const PIECE: usize = 1 << 20;

/// Puts a bundle onto a stick. Gives where it lies, and whether it lay there before.
///
/// # Errors
/// What stands in the way; what was on the stick before is kept.
pub fn copy(parcel: &Parcel, stick: &Path, dry_run: bool, ui: &Ui) -> anyhow::Result<(PathBuf, bool)> {
    let folder = stick.display();
    let meta = fs::metadata(stick).with_context(|| {
        format!("{folder} is not there; plug the stick in, and name the folder it is mounted at")
    })?;
    if !meta.is_dir() {
        bail!("{folder} is no folder; name the folder that the stick is mounted at");
    }
    let above = stick.join("..");
    if fs::metadata(&above).is_ok_and(|above| above.dev() == meta.dev()) {
        ui.step(&format!(
            "{folder} lies on the same disk as the folder above it: is the stick mounted there?"
        ));
    }
    let manifest = &parcel.manifest;
    let path = stick.join(format!("signpost-{}-{}.bundle", manifest.version, manifest.board));
    if is_whole(&path, parcel) {
        return Ok((path, true));
    }
    let space =
        statvfs(stick).with_context(|| format!("{folder} cannot be asked for space; try another stick"))?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    if free < parcel.length {
        bail!(
            "{folder} has {free} bytes free, and the bundle has {}; remove something from it",
            parcel.length
        );
    }
    if dry_run {
        return Ok((path, false));
    }
    let part = Part(stick.join(format!(".{}.part", parcel.name())));
    let failed = || format!("{folder} cannot be written; see that it is not locked, or take another stick");
    write(parcel, &part.0, ui).with_context(failed)?;
    ui.step("reading back what was written");
    if !is_whole(&part.0, parcel) {
        bail!("{folder} gives back other bytes than were written; take another stick");
    }
    fs::rename(&part.0, &path).with_context(failed)?;
    // Whoever pulls the stick out now has all of it: FAT keeps names apart from bytes.
    File::open(stick).and_then(|folder| Ok(syncfs(&folder)?)).with_context(failed)?;
    Ok((path, false))
}

/// Whether a file has the bundle's very bytes, as the stick has them and not this computer's memory.
fn is_whole(path: &Path, parcel: &Parcel) -> bool {
    let read = File::open(path).and_then(|mut file| {
        let _ = fadvise(&file, 0, None, Advice::DontNeed);
        hash_of(&mut file, u64::MAX)
    });
    read.is_ok_and(|hash| hash == parcel.hash)
}

fn write(parcel: &Parcel, part: &Path, ui: &Ui) -> io::Result<()> {
    let (mut from, mut to) = (File::open(&parcel.path)?, File::create(part)?);
    let progress = ui.progress("writing", parcel.length);
    let (mut piece, mut done) = (vec![0; PIECE], 0);
    loop {
        let count = from.read(&mut piece)?;
        if count == 0 {
            return to.sync_all();
        }
        to.write_all(&piece[..count])?;
        // Otherwise all of it would be done in memory at once, and the bar would stand still at its end.
        to.sync_data()?;
        done += count as u64;
        progress.at(done);
    }
}

/// A file that is not left behind.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        // Once it was renamed it is gone.
        let _ = fs::remove_file(&self.0);
    }
}
