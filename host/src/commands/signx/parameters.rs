//! `signpost-host signx parameters`: how large a preset's networks are.

use clap::Args;
use host::signx::Preset;
use host::{Error, ui};

/// Says how many parameters each part of a preset's networks has.
#[derive(Args)]
pub struct Parameters {
    /// The sizes: paper, small or tiny.
    #[arg(long, value_name = "NAME")]
    preset: String,
}

impl Parameters {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
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
