//! Runs one of Signpost's tasks: see `cargo xtask --help`.

use std::process::ExitCode;

use clap::Parser;
use xtask::{Cli, ui::Ui};

fn main() -> ExitCode {
    let ui = Ui::new();
    match Cli::parse().run(&ui) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui.error(&error);
            ExitCode::FAILURE
        }
    }
}
