//! `signpost install`: a bundle from a USB stick, or the first one of a unit.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;
use boards::Board;
use clap::Args;
use models::bundle::{Bundle, Version, peek};
use models::update::{self, Installed, Step};
use serde_json::json;

use super::Place;

/// Installs a bundle into the slot that does not run; the next `signpost boot` starts it on trial.
#[derive(Debug, Args)]
pub struct Install {
    /// The bundle, or the folder of a USB stick with the latest one for this board
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Only says whether it could be installed
    #[arg(long)]
    dry_run: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

impl Install {
    /// Runs the command.
    ///
    /// # Errors
    /// Why the bundle is refused or cannot be written.
    pub fn run(self) -> anyhow::Result<()> {
        let home = self.place.open()?;
        let keys = home.keys()?;
        let path = if self.file.is_dir() { latest(&self.file, &home.board)? } else { self.file.clone() };
        let file = File::open(&path)
            .with_context(|| format!("{} cannot be read; choose the bundle's file", path.display()))?;
        let mut bundle = Bundle::open(file, &keys)?;
        let version = bundle.manifest().version;
        if self.dry_run {
            let running = update::Record::load(&home.disk).and_then(|record| record.version());
            bundle.manifest().suits(&home.board.name, running, home.unit().slot_bytes)?;
            self.say(&home.board, version, "fits", "could be installed");
            return Ok(());
        }
        let done = update::install(&home.disk, &mut bundle, &home.unit(), &mut |step| match step {
            Step::Checking => eprintln!("checking version {version}"),
            Step::Writing { done: 0, of } => eprintln!("writing {of} files"),
            Step::Writing { .. } => {}
            Step::ReadingBack => eprintln!("reading back what was written"),
        })?;
        let (end, words) = match done {
            Installed::Waiting(_) | Installed::WaitsAlready(_) => {
                ("waits", "is installed; restart the unit to try it")
            }
            Installed::RunsAlready(_) => ("runs", "runs already"),
        };
        self.say(&home.board, version, end, words);
        Ok(())
    }

    fn say(&self, board: &Board, version: Version, end: &str, words: &str) {
        if self.json {
            println!("{}", json!({ "version": version, "board": board.name, "end": end }));
        } else {
            println!("version {version} for {} {words}", board.title);
        }
    }
}

/// The bundle of the latest version for a board among the files of a folder.
fn latest(folder: &Path, board: &Board) -> anyhow::Result<PathBuf> {
    let said = || format!("{} cannot be read; name the bundle's file", folder.display());
    let paths =
        std::fs::read_dir(folder).with_context(said)?.filter_map(Result::ok).map(|entry| entry.path());
    let bundles = paths.filter(|path| path.extension().is_some_and(|ending| ending == "bundle"));
    // Nobody vouches for these words yet: they only say which file is opened and checked.
    let found = bundles.filter_map(|path| {
        let manifest = File::open(&path).ok().and_then(|file| peek(file).ok())?;
        (manifest.board == board.name).then_some((manifest.version, path))
    });
    found.max().map(|(_, path)| path).with_context(|| {
        let title = &board.title;
        format!(
            "{} holds no bundle for {title}; put one there with `cargo xtask flash --usb-stick`",
            folder.display()
        )
    })
}
