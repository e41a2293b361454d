//! A bundle through one cable: sent, installed, started, and kept or given up.

use std::fs::File;
use std::io::Seek;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use boards::Board;
use models::bundle::{Manifest, Version, examine};
use models::link::message::{Ask, Hash};
use models::link::staging::hash_of;
use models::link::tty::Port;
use models::link::{Error, Tool};

use crate::ui::Ui;
use crate::unit::Cable;

/// A unit restarts its program in seconds; a board that boots takes a minute.
const RESTART: Duration = Duration::from_secs(120);
/// A unit that restarts, or proves itself, is asked so often how far it is.
const AGAIN: Duration = Duration::from_millis(500);

/// A bundle's file that is whole.
#[derive(Debug)]
pub struct Parcel {
    /// The file.
    pub path: PathBuf,
    /// What the bundle says of itself.
    pub manifest: Manifest,
    /// The board that it is for.
    pub board: Board,
    /// Bytes.
    pub length: u64,
    /// SHA-256 of the file.
    pub hash: Hash,
}

/// How far a delivery is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Only to where nothing is changed.
    Look,
    /// Until the unit has the file.
    Send,
    /// Until the unit keeps the version.
    Keep,
}

impl Parcel {
    /// Reads a bundle through, so that what was cut off or spoiled is found before a unit is touched.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let read = || format!("{} cannot be read; choose the bundle's file", path.display());
        let mut file = File::open(path).with_context(read)?;
        let manifest = examine(&mut file).with_context(|| format!("{} cannot be sent", path.display()))?;
        let board = Board::named(&manifest.board)?;
        let length = file.metadata().with_context(read)?.len();
        file.rewind().with_context(read)?;
        let hash = hash_of(&mut file, u64::MAX).with_context(read)?;
        Ok(Self { path: path.into(), manifest, board, length, hash })
    }

    /// What people call its file.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Brings a bundle to one unit. Run again, it goes on where it was, and does nothing twice. Gives how it ended,
/// in a word.
///
/// # Errors
/// What stands in the way, and what to do.
pub fn deliver(parcel: &Parcel, cable: &Cable, extent: Extent, ui: &Ui) -> anyhow::Result<&'static str> {
    let mut tool = cable.connect(ui)?;
    let unit = tool.unit().clone();
    check(parcel, &mut tool)?;
    ui.step(&format!("{} ({}) has version {}", unit.unit, parcel.board.title, unit.product));
    if extent == Extent::Look {
        return Ok("fits");
    }
    let path = &parcel.path;
    let mut file = File::open(path)
        .with_context(|| format!("{} cannot be read; choose the bundle's file", path.display()))?;
    let progress = ui.progress("sending", parcel.length);
    let sent = tool.push(&parcel.name(), &mut file, &mut |bytes| progress.at(bytes))?;
    drop(progress);
    if sent.had > 0 {
        ui.step(&format!("the unit had {} of {} bytes already", sent.had, parcel.length));
    }
    if extent == Extent::Send {
        return Ok("sent");
    }
    ui.step("installing");
    tool.install(parcel.hash)?;
    drop(tool);
    settle(parcel, cable, ui)?;
    Ok("kept")
}

/// That the bundle is for this unit, before anything is sent.
fn check(parcel: &Parcel, tool: &mut Tool<Port>) -> anyhow::Result<()> {
    let unit = tool.unit().clone();
    let manifest = &parcel.manifest;
    if unit.board != manifest.board {
        bail!(
            "the bundle is for board `{}`, and the unit is a `{}`; choose the bundle of that board",
            manifest.board,
            unit.board
        );
    }
    let troubles = match tool.troubles() {
        Ok(troubles) => troubles,
        // It still refuses by itself what is not for it.
        Err(Error::UnitTooOld { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    if let Some(module) = troubles.iter().find(|trouble| trouble.kind == "module") {
        bail!("the unit says: {}", module.said);
    }
    // A program that runs from no slot has a version of its own, and none that could be too new.
    let in_slot = !troubles.iter().any(|trouble| trouble.kind == "slot");
    let running = unit.product.parse::<Version>().ok().filter(|_| in_slot);
    let slot_bytes = u64::from(parcel.board.storage.slot_mb) * 1_000_000;
    Ok(manifest.suits(&unit.board, running, slot_bytes)?)
}

/// Waits until the unit runs the bundle's version and keeps it, or has gone back to what it ran before.
fn settle(parcel: &Parcel, cable: &Cable, ui: &Ui) -> anyhow::Result<()> {
    ui.step("waiting for the unit to restart");
    let wanted = parcel.manifest.version.to_string();
    let proving = Duration::from_secs(parcel.board.update.prove_s.into());
    // A unit that needs long to prove itself needs long to start.
    let restart = RESTART.max(proving);
    let begun = Instant::now();
    let mut seen = "nothing was heard of it".to_owned();
    let mut runs = false;
    loop {
        match look(cable, ui, &wanted, &mut runs, &mut seen) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error) if error.downcast_ref::<Error>().is_some_and(Error::is_gone) => {}
            Err(error) => return Err(error),
        }
        // From its first start on it has its own time to prove itself, and as often as it may start.
        let trials = if runs { proving * u32::from(parcel.board.update.starts) } else { Duration::ZERO };
        if begun.elapsed() >= restart + trials {
            bail!(
                "the unit does not keep version {wanted} ({seen}); see the log of its service, and flash it again"
            );
        }
        std::thread::sleep(AGAIN);
    }
}

/// Asks the unit once; `true` when it has kept the version.
fn look(cable: &Cable, ui: &Ui, wanted: &str, runs: &mut bool, seen: &mut String) -> anyhow::Result<bool> {
    let (mut tool, _) = cable.reach()?;
    let health = tool.health()?;
    let version = tool.unit().product.clone();
    *seen = format!("it runs version {version}: {}", health.state);
    if health.state.starts_with("restarting") {
        return Ok(false);
    }
    let given_up = health.state.split_once("gave up ").and_then(|(_, what)| what.strip_prefix(wanted));
    if version != wanted {
        let Some(why) = given_up.and_then(|rest| rest.strip_prefix(": ")) else { return Ok(false) };
        bail!(
            "the unit gave version {wanted} up ({why}) and is back at version {version}; mend that, and flash it again"
        );
    }
    if !*runs {
        ui.step("the new version runs; waiting until it has proven itself");
        *runs = true;
    }
    match tool.order("to keep the version", Ask::Confirm) {
        Ok(()) => Ok(true),
        Err(Error::Refused { why, .. }) => {
            *seen = format!("it {why}");
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}
