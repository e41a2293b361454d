//! `cargo xtask doctor`: what is wrong between this computer and a unit, the likeliest first.

pub mod diagnose;
#[cfg(test)]
mod tests;
pub mod world;

use std::path::PathBuf;

use anyhow::bail;
use boards::Board;
use serde_json::json;

use crate::ui::Ui;
use diagnose::{Diagnosis, diagnose};
use world::Here;

/// Says what is wrong, in order of likelihood, each with its next step. It changes nothing.
#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// The serial port that leads to the unit, where it is not to be looked for
    #[arg(long, value_name = "PATH")]
    port: Option<PathBuf>,
    /// The board that the unit should be
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Runs the command.
    ///
    /// # Errors
    /// Where something is wrong.
    pub fn run(&self, ui: &Ui) -> anyhow::Result<()> {
        let board = self.board.as_deref().map(Board::named).transpose()?;
        ui.step("looking at ports and asking who is there");
        let found = diagnose(&Here::default(), self.port.as_deref(), board.as_ref());
        if self.json {
            let healthy = found.findings.is_empty();
            ui.answer(
                &json!({ "healthy": healthy, "units": found.units, "findings": found.findings }).to_string(),
            );
        } else {
            ui.answer(&words(&found));
        }
        match found.findings.len() {
            0 => Ok(()),
            1 => bail!("one thing is wrong; do what its line says"),
            count => bail!("{count} things are wrong; begin with the first"),
        }
    }
}

/// A diagnosis as a person reads it.
pub(crate) fn words(found: &Diagnosis) -> String {
    let units = found.units.iter().map(|unit| {
        let diagnose::Unit { port, unit, board, version, state } = unit;
        format!("{unit} ({board}) on {}: version {version}, {state}", port.display())
    });
    let findings =
        found.findings.iter().enumerate().map(|(at, finding)| format!("{}. {}", at + 1, finding.said));
    let mut lines: Vec<String> = units.chain(findings).collect();
    if found.findings.is_empty() {
        lines.push("nothing is wrong".into());
    }
    lines.join("\n")
}
