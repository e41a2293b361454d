//! `signpost-host signx`: SignX, a recogniser of five pose tracks.

use clap::{Args, Subcommand};
use host::signx::Preset;
use host::{Error, ui};

/// SignX, a recogniser that fuses five pose tracks.
#[derive(Subcommand)]
pub enum SignX {
    /// Says how many parameters each part of a preset's networks has.
    Parameters(Parameters),
}

/// Says how many parameters each part of a preset's networks has.
#[derive(Args)]
pub struct Parameters {
    /// The sizes: paper, small or tiny.
    #[arg(long, value_name = "NAME")]
    preset: String,
}

impl SignX {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Parameters(command) => command.run(),
        }
    }
}

impl Parameters {
    fn run(self) -> anyhow::Result<()> {
        let preset = Preset::find(&self.preset).ok_or_else(|| Error::Argument {
            option: "--preset",
            given: self.preset.clone(),
            expected: format!("one of {}", Preset::names()),
        })?;
        let parts = preset.parameters();
        for (name, parameters) in &parts {
            ui::result(format!("{name:38} {parameters:>12}"))?;
        }
        ui::result(format!("{:38} {:>12}", "all", parts.iter().map(|(_, n)| n).sum::<usize>()))?;
        Ok(())
    }
}
