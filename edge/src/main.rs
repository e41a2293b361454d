//! The unit: see `signpost --help`.

use std::process::ExitCode;

use clap::Parser;
use edge::cli::sign::Sign;

/// Signpost: sign language to text, text to sign language, without a network.
#[derive(Debug, Parser)]
#[command(name = "signpost", version)]
enum Command {
    Sign(Sign),
}

fn main() -> ExitCode {
    let done = match Command::parse() {
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
