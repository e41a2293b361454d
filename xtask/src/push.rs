//! `cargo xtask push`: a bundle through the cable, installed, started and kept.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use boards::Board;
use models::bundle::{Manifest, peek};
use models::link::message::Ask;
use models::link::staging::hash_of;
use models::link::tty::Port;
use models::link::{Error, Tool};
use serde_json::json;

use crate::ui::Ui;
use crate::unit::Cable;

/// A unit restarts its program in seconds; a board that boots takes a minute.
const RESTART: Duration = Duration::from_secs(120);

/// Sends a bundle to a unit, installs it, and waits until the new version runs and is kept.
#[derive(Debug, clap::Args)]
pub struct Push {
    /// The bundle that `cargo xtask bundle` wrote
    file: PathBuf,
    #[command(flatten)]
    cable: Cable,
    /// Only sends it; the unit installs nothing
    #[arg(long)]
    only_send: bool,
    /// Only says whether the bundle is for this unit
    #[arg(long)]
    dry_run: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

impl Push {
    /// Runs the command. Run again, it goes on where it was, and does nothing twice.
    ///
    /// # Errors
    /// What stands in the way, and what to do.
    pub fn run(&self, ui: &Ui) -> anyhow::Result<()> {
        let named = || format!("{} cannot be sent", self.file.display());
        let read = || format!("{} cannot be read; choose the bundle's file", self.file.display());
        let mut file = File::open(&self.file).with_context(read)?;
        let manifest = peek(&mut file).with_context(named)?;
        let board = Board::named(&manifest.board)?;
        let mut tool = self.cable.connect(ui)?;
        let unit = tool.unit().clone();
        if unit.board != manifest.board {
            bail!(
                "the bundle is for board `{}`, and the unit is a `{}`; choose the bundle of that board",
                manifest.board,
                unit.board
            );
        }
        let before = unit.product;
        ui.step(&format!("{} ({}) has version {before}", unit.unit, board.title));
        if self.dry_run {
            self.say(ui, &manifest, "fits");
            return Ok(());
        }
        let length = file.metadata().with_context(read)?.len();
        std::io::Seek::rewind(&mut file).with_context(read)?;
        let hash = hash_of(&mut file, u64::MAX).with_context(read)?;
        let name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let progress = ui.progress("sending", length);
        let sent = tool.push(&name, &mut file, &mut |bytes| progress.at(bytes))?;
        drop(progress);
        if sent.had > 0 {
            ui.step(&format!("the unit had {} of {length} bytes already", sent.had));
        }
        if self.only_send {
            self.say(ui, &manifest, "sent");
            return Ok(());
        }
        ui.step("installing");
        tool.install(hash)?;
        drop(tool);
        let mut tool = self.wait_for_new(&manifest, ui)?;
        ui.step("the new version runs; waiting until it has proven itself");
        keep(&mut tool, &board)?;
        self.say(ui, &manifest, "kept");
        Ok(())
    }

    /// Waits until the unit runs the bundle's version.
    fn wait_for_new(&self, manifest: &Manifest, ui: &Ui) -> anyhow::Result<Tool<Port>> {
        ui.step("waiting for the unit to restart");
        let wanted = manifest.version.to_string();
        let mut seen = String::new();
        let found = self.cable.wait_for(RESTART, ui, |tool| {
            let health = tool.health()?;
            let product = tool.unit().product.clone();
            seen = format!("version {product}, {}", health.state);
            Ok(product == wanted && !health.state.starts_with("restarting"))
        })?;
        match found {
            Some(tool) => Ok(tool),
            None => bail!(
                "the unit does not run version {wanted} after {} s ({seen}); see the log of its service, and push again",
                RESTART.as_secs()
            ),
        }
    }

    fn say(&self, ui: &Ui, manifest: &Manifest, end: &str) {
        let (version, board) = (manifest.version, &manifest.board);
        if self.json {
            ui.answer(&json!({ "version": version, "board": board, "end": end }).to_string());
        } else {
            ui.answer(&format!("version {version} for {board}: {end}"));
        }
    }
}

/// Lets the unit keep what runs, as soon as that has proven itself.
fn keep(tool: &mut Tool<Port>, board: &Board) -> anyhow::Result<()> {
    let tries = board.update.prove_s.max(1);
    for left in (0..tries).rev() {
        match tool.order("to keep the version", Ask::Confirm) {
            Ok(()) => return Ok(()),
            Err(Error::Refused { .. }) if left > 0 => std::thread::sleep(Duration::from_secs(1)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
