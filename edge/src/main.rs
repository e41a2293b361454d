//! The unit's program: see `signpost --help`.

use std::process::ExitCode;

use clap::Parser;
use edge::cli::{read::Read, sign::Sign};

/// Sign language to text, text to sign language, without a network.
#[derive(Debug, Parser)]
#[command(name = "signpost", version)]
enum Command {
    Read(Read),
    Sign(Sign),
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Read(read) => read.run(),
        Command::Sign(sign) => sign.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("signpost: {error:#}");
            ExitCode::FAILURE
        }
    }
}
