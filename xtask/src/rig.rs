//! `cargo xtask rig`: a whole unit in an emulated machine, through its story.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::{build, cargo, setup, ui::Ui};

/// What the rig ends with where something that it needs is not on this computer.
pub const SKIPPED: i32 = 77;

/// Starts a unit on a real kernel with camera, screen, cable and disk, and leads it through a story: ends with 0 when
/// all of it held, and with 77 where this computer has not what it needs.
#[derive(Debug, clap::Args)]
pub struct Rig {
    /// Where the screenshots and the unit's log go
    #[arg(long, value_name = "DIR", default_value = "out/rig")]
    out: PathBuf,
    /// The machine: `qemu-pc`, or `qemu-arm` with a processor as a module has
    #[arg(long, value_name = "BOARD", default_value = "qemu-pc")]
    board: String,
    /// How often the display is pulled and plugged in again
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    hot_plugs: u32,
}

impl Rig {
    /// Runs the rig.
    ///
    /// # Errors
    /// Where set-up or the build fails, or something of the story does not hold.
    pub fn run(&self, ui: &Ui) -> anyhow::Result<()> {
        let store = setup::ensure(ui)?;
        build::for_the_rig(&self.board, &store, ui)?;
        // First, because the other takes its place.
        cargo::build_framed(&store, ui)?;
        let programs = cargo::build(&store, ui)?;
        let mut rig = Command::new(programs.join("signpost-rig"));
        rig.arg(&self.out).arg(self.hot_plugs.to_string()).arg(&self.board);
        rig.env("SIGNPOST_CACHE", store.root()).stdin(Stdio::null());
        let status = rig.status().context("the rig could not be started; run this again to build it")?;
        match status.code() {
            Some(0) => Ok(()),
            Some(SKIPPED) => std::process::exit(SKIPPED),
            _ => bail!(
                "the story did not hold; see the line above, and the screenshots and unit.log in {}",
                self.out.display()
            ),
        }
    }
}
