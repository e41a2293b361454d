//! `signpost install`: a bundle from a USB stick, or the first one of a unit.

use std::fs::File;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use models::bundle::Bundle;
use models::update::{self, Installed, Step};

use super::Place;

/// Installs a bundle into the slot that does not run; the next `signpost boot` starts it on trial.
#[derive(Debug, Args)]
pub struct Install {
    /// The bundle
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Only says whether it could be installed
    #[arg(long)]
    dry_run: bool,
}

impl Install {
    /// Runs the command.
    ///
    /// # Errors
    /// Why the bundle is refused or cannot be written.
    pub fn run(self) -> anyhow::Result<()> {
        let home = self.place.open()?;
        let keys = home.keys()?;
        let file = File::open(&self.file)
            .with_context(|| format!("{} cannot be read; choose the bundle's file", self.file.display()))?;
        let mut bundle = Bundle::open(file, &keys)?;
        let version = bundle.manifest().version;
        if self.dry_run {
            let running = update::Record::load(&home.disk).and_then(|record| record.version());
            bundle.manifest().suits(&home.board.name, running, home.unit().slot_bytes)?;
            println!("version {version} for {} could be installed", home.board.title);
            return Ok(());
        }
        let done = update::install(&home.disk, &mut bundle, &home.unit(), &mut |step| match step {
            Step::Checking => eprintln!("checking version {version}"),
            Step::Writing { done: 0, of } => eprintln!("writing {of} files"),
            Step::Writing { .. } => {}
            Step::ReadingBack => eprintln!("reading back what was written"),
        })?;
        match done {
            Installed::Waiting(version) | Installed::WaitsAlready(version) => {
                println!("version {version} is installed; restart the unit to try it");
            }
            Installed::RunsAlready(version) => println!("version {version} runs already"),
        }
        Ok(())
    }
}
