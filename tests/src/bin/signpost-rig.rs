//! Runs the rig: `cargo xtask rig` starts it once everything is built.

use std::path::PathBuf;
use std::process::ExitCode;

use tests::rig::{Options, PROCESSORS, Processor, SKIPPED, Why, tell};

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let out = args.next().map_or_else(|| PathBuf::from("out/rig"), PathBuf::from);
    let hot_plugs = args.next().and_then(|number| number.to_str()?.parse().ok()).unwrap_or(1);
    let board = args.next().and_then(|board| board.into_string().ok());
    let processor = Processor::of(board.as_deref().unwrap_or(PROCESSORS[0].board));
    let processor = match processor {
        Ok(processor) => processor,
        Err(why) => {
            eprintln!("signpost-rig: {why}");
            return ExitCode::FAILURE;
        }
    };
    let Some(programs) = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.to_owned())) else {
        eprintln!("signpost-rig: its own place is not known");
        return ExitCode::FAILURE;
    };
    match tell(&Options { out, programs, processor, hot_plugs }) {
        Ok(teller) => {
            println!("{}", teller.summary());
            ExitCode::SUCCESS
        }
        Err(Why::Skip(why)) => {
            println!("the rig skips: {why}");
            ExitCode::from(SKIPPED)
        }
        Err(Why::Fail(why)) => {
            eprintln!("signpost-rig: {why}");
            ExitCode::FAILURE
        }
    }
}
