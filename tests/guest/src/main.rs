//! What the rig needs inside its machine beside the unit: `rig-guest film …` is the world before the camera,
//! `rig-guest relay …` the technician's computer at the other end of the USB cable.

mod film;
mod relay;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let done = match command.as_str() {
        "film" => film::run(args.collect()),
        "relay" => relay::run(args.collect()),
        _ => Err(std::io::Error::other("say film or relay")),
    };
    if let Err(error) = done {
        eprintln!("rig-guest {command}: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
