//! `signpost-host signx`: a file a command.

mod render;

use clap::Subcommand;

/// SignX: a recogniser of five pose tracks.
#[derive(Subcommand)]
pub enum Signx {
    /// Renders recorded signing as people who were never recorded: a video, and five tracks that belong to it.
    Render(render::Render),
}

impl Signx {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Render(command) => command.run(),
        }
    }
}
