//! `signpost-host signx`: a file a command.

mod export;
mod parameters;
mod read;
mod render;

use clap::Subcommand;

/// SignX: a recogniser of five pose tracks.
#[derive(Subcommand)]
pub enum Signx {
    /// Renders recorded signing as people who were never recorded: a video, and five tracks that belong to it.
    Render(render::Render),
    /// Says how many parameters each part of a preset's networks has.
    Parameters(parameters::Parameters),
    /// Reads a corpus of continuous signing.
    Read(read::Read),
    /// Writes a model as ONNX.
    Export(export::Export),
}

impl Signx {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Render(command) => command.run(),
            Self::Parameters(command) => command.run(),
            Self::Read(command) => command.run(),
            Self::Export(command) => command.run(),
        }
    }
}
