//! The unit's program: see `signpost --help`.

use std::process::ExitCode;

use clap::Parser;
use edge::cli::update::{boot::Boot, install::Install, serve::Serve};
use edge::cli::{
    enrol::Enrol, kiosk::Kiosk, landmarks::Landmarks, read::Read, selftest::Selftest, sign::Sign,
};
use edge::engine::NO_TELEMETRY;

/// Sign language to text, text to sign language, without a network.
#[derive(Debug, Parser)]
#[command(name = "signpost", version)]
enum Command {
    Read(Read),
    Sign(Sign),
    Kiosk(Kiosk),
    Landmarks(Landmarks),
    #[command(subcommand)]
    Enrol(Enrol),
    Serve(Serve),
    Install(Install),
    Boot(Boot),
    Selftest(Selftest),
}

fn main() -> ExitCode {
    silence();
    let done = match Command::parse() {
        Command::Read(read) => read.run(),
        Command::Sign(sign) => sign.run(),
        Command::Kiosk(kiosk) => kiosk.run(),
        Command::Landmarks(landmarks) => landmarks.run(),
        Command::Enrol(enrol) => enrol.run(),
        Command::Serve(serve) => serve.run(),
        Command::Install(install) => install.run(),
        Command::Boot(boot) => boot.run(),
        Command::Selftest(selftest) => selftest.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A fault's message holds its causes already.
            eprintln!("signpost: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Keeps ONNX Runtime from reporting to its makers; the engine refuses it otherwise.
#[allow(unsafe_code, reason = "the environment can be set by unsafe code only")]
fn silence() {
    // SAFETY: this is the first thing that the program does: no other thread is there that could
    // read the environment meanwhile.
    unsafe { std::env::set_var(NO_TELEMETRY, "1") };
}
