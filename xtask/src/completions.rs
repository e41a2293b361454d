//! `cargo xtask completions`: what a shell needs to complete the commands.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::Cli;
use crate::ui::Ui;

/// Prints a shell's completions of the program `xtask`, which `cargo xtask` builds and runs.
#[derive(Debug, clap::Args)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Runs the command.
    ///
    /// # Errors
    /// None.
    pub fn run(&self, ui: &Ui) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command().bin_name("xtask"), "xtask", &mut script);
        ui.answer(String::from_utf8_lossy(&script).trim_end());
        Ok(())
    }
}
