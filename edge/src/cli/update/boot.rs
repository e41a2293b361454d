//! `signpost boot`: starts the version that is to run. A service calls it again and again; it is installed
//! beside the slots and is in neither of them.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::anyhow;
use clap::Args;
use models::bundle::{PROGRAM, STORE};
use models::update;

use super::Place;

/// Starts the program of the slot that is to run, and becomes it.
#[derive(Debug, Args)]
pub struct Boot {
    #[command(flatten)]
    place: Place,
    /// What that program is told, for example: serve --port /dev/ttyGS0
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

impl Boot {
    /// Runs the command; on success this program is another one.
    ///
    /// # Errors
    /// Where neither slot holds a whole version, or the program cannot be started.
    pub fn run(self) -> anyhow::Result<()> {
        let home = self.place.open()?;
        let start = update::boot(&home.disk)?;
        for note in &start.notes {
            eprintln!("signpost: {note}");
        }
        let trial = if start.trial { ", on trial" } else { "" };
        eprintln!("signpost: version {} out of slot {}{trial}", start.version, start.slot);
        let slot = home.disk.path(start.slot.folder());
        let mut program = Command::new(slot.join(PROGRAM));
        program.args(&self.command);
        if slot.join(STORE).is_dir() {
            program.env("SIGNPOST_CACHE", slot.join(STORE));
        }
        let error = program.exec();
        Err(anyhow!(
            "{} cannot be started ({error}); is the bundle for this board?",
            slot.join(PROGRAM).display()
        ))
    }
}
