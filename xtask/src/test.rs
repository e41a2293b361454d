//! `cargo xtask test`: set-up, then every test that this machine can run.

use anyhow::{Context, bail};
use models::store::Store;

use crate::build::Build;
use crate::{cargo, setup, ui::Ui};

/// Where it is set, the rig tells its story, with a unit whose log comes as frames.
const RIG: &str = "SIGNPOST_RIG";

/// Where it is set, the unit's program is also built for a module's processor, and tests itself in the emulator.
const CROSS: &str = "SIGNPOST_CROSS";
/// The board that it is built for.
const CROSS_BOARD: &str = "jetson-orin-nano";

/// Builds everything and runs the tests; those that need what is absent say why they skip.
#[derive(Debug, Default, clap::Args)]
pub struct Test {
    /// Runs only tests whose name contains this
    filter: Option<String>,
}

impl Test {
    /// Runs the tests.
    ///
    /// # Errors
    /// Where set-up goes wrong in any other way than that nothing can be fetched, where something does
    /// not build, or where a test fails.
    pub fn run(&self, ui: &Ui) -> anyhow::Result<()> {
        let store = match setup::ensure(ui) {
            // No network is no reason to test nothing: what needs the store skips and says so.
            Err(error) if error.is_no_connection() => {
                ui.step(&format!("set-up is not complete ({error}); tests that need it skip"));
                Store::locate().ok_or(setup::Error::NoStore)?
            }
            brought => brought?,
        };
        if std::env::var_os(RIG).is_some() {
            cargo::build_framed(&store, ui)?;
        }
        if std::env::var_os(CROSS).is_some() {
            Build::of(CROSS_BOARD, false).run_where_it_can(ui)?;
        }
        // End-to-end tests start the programs themselves, so these are built first, with the same features.
        cargo::build(&store, ui)?;
        let mut tests = cargo::cargo(&store);
        tests.args(["test", "--workspace", "--no-fail-fast"]).args(cargo::features(&store));
        if let Some(filter) = &self.filter {
            tests.arg(filter);
        }
        let status = tests.status().context("cargo could not be started; install Rust with rustup")?;
        if !status.success() {
            bail!("some tests failed; the first lines after `failures:` above say which and why");
        }
        Ok(())
    }
}
