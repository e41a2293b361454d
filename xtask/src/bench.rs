//! `cargo xtask bench`: speed and memory, measured beside others in turns.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::{cargo, setup, ui::Ui};

/// Runs a bench and prints its tables.
#[derive(Debug, clap::Args)]
pub struct Bench {
    /// Which: `vision` (landmarks, beside MediaPipe), `soak` (hours of video in a loop), `unit` (a whole unit through hours of faults), `reader` (reading poses), `chain` (text to glosses), `production` (text to signing, beside `spoken-to-signed`), `movement` (how fluent it is, beside people), `signx` (reading an utterance with SignX) or `link` (files over a cable)
    name: String,
    /// Options of the bench, for example --video FILE --mediapipe PYTHON
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

impl Bench {
    /// Runs the bench.
    ///
    /// # Errors
    /// Where set-up or the build fails, or the bench stops.
    pub fn run(&self, ui: &Ui) -> anyhow::Result<()> {
        let store = setup::ensure(ui)?;
        // The programs too: a bench measures the memory of the product itself.
        cargo::build(&store, ui)?;
        let mut bench = cargo::cargo(&store);
        // `cargo test` rather than `cargo bench`: the profile that everything else was built with.
        bench.args(["test", "--workspace", "--quiet", "--bench", &self.name]).args(cargo::features(&store));
        // Cargo runs it in another folder: a path is given whole, and a link is not followed, because
        // Python finds its packages beside the link that it was started by.
        let whole = |option: &String| -> OsString {
            let path = Path::new(option).exists().then(|| std::path::absolute(option).ok()).flatten();
            path.map_or_else(|| option.into(), PathBuf::into_os_string)
        };
        let status = bench.arg("--").args(self.options.iter().map(whole)).status();
        if !status.context("cargo could not be started; install Rust with rustup")?.success() {
            bail!("the bench stopped; the lines above say why");
        }
        Ok(())
    }
}
