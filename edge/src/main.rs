//! The unit's program: see `signpost --help`.

use clap::Parser;
use edge::cli::read::Read;

/// Sign language to text and text to sign language, on this machine alone.
#[derive(Debug, Parser)]
#[command(name = "signpost", version)]
enum Command {
    Read(Read),
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Read(read) => read.run(),
    }
}
