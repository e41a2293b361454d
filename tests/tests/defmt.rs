//! Log lines as frames of defmt: what a stripped program sends along the cable, `cargo xtask monitor` tells in
//! words, with level, file and line.
//!
//! The program is the example of `edge/journal`: the unit's own would be built anew with all its engines.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use models::build_id;
use models::link::message::{Hash, Health, Hello, Logs};
use models::link::tty::{BAUD, Port};
use models::link::{Duties, Staging, Unit};
use tests::technician::{Cable, json};
use tests::{program, skip, text};

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// Frames that go along the cable together. Bytes.
const TOGETHER: usize = 700;

struct Quiet;

impl Duties for Quiet {
    fn hello(&self) -> Hello {
        Hello::of_unit("0.1.0", "desk", "7")
    }

    fn health(&mut self) -> Health {
        Health::default()
    }

    fn install(&mut self, _: &Hash) -> Result<(), String> {
        Err("nothing is installed here".into())
    }
}

/// Where all is built, and within it a folder of its own, so that the workspace keeps its features.
fn target() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_path_buf()
}

/// Builds something there; `false` where what it needs cannot be fetched.
fn build(test: &str, args: &[&str], settings: &[(&str, &str)]) -> bool {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(args).arg("--target-dir").arg(target().join("decode")).current_dir(WORKSPACE);
    let output = command.envs(settings.iter().copied()).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if ["failed to download", "failed to get", "Could not resolve"].iter().any(|no| said.contains(no)) {
        skip(test, "a crate that it needs cannot be fetched");
        return false;
    }
    assert!(output.status.success(), "{said}");
    true
}

/// A copy without symbols, as a unit runs it; `None` where no `strip` is installed.
fn stripped(program: &Path, folder: &Path) -> Option<PathBuf> {
    let copy = folder.join("stripped");
    let done = Command::new("strip").arg("-o").arg(&copy).arg(program).status().ok()?;
    assert!(done.success());
    assert!(fs::metadata(&copy).unwrap().len() < fs::metadata(program).unwrap().len());
    Some(copy)
}

#[test]
fn what_a_stripped_program_logs_is_told_with_level_file_and_line() {
    const TEST: &str = "what_a_stripped_program_logs_is_told_with_level_file_and_line";
    // Line numbers, and every level, as `cargo xtask build --defmt` asks for them.
    let example = ["build", "-p", "signpost-journal", "--features", "defmt", "--example", "technician"];
    let settings = [("CARGO_PROFILE_DEV_DEBUG", "2"), ("DEFMT_LOG", "trace")];
    let decoder = ["build", "--manifest-path", "xtask/decode/Cargo.toml"];
    if !build(TEST, &example, &settings) || !build(TEST, &decoder, &[]) {
        return;
    }
    let whole = target().join("decode/debug/examples/technician");
    let scratch = tempfile::tempdir().unwrap();
    let Some(stripped) = stripped(&whole, scratch.path()) else {
        return skip(TEST, "strip is not installed (apt install binutils)");
    };
    let build = build_id::of_file(&stripped).unwrap().expect("it has a build-id");
    assert_eq!(build_id::of_file(&whole).unwrap().as_ref(), Some(&build), "stripping does not change it");
    // Three lines, and 300 more: the oldest of all find no room.
    let few = Command::new(&stripped).output().unwrap().stdout;
    let many = Command::new(&stripped).arg("300").output().unwrap().stdout;
    assert!(few.len() < 80, "{} bytes say three lines", few.len());

    let cable = Cable::new();
    let port = Port::open(&cable.ports[1], BAUD).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let seen = over.clone();
    let staging = scratch.path().join("staging");
    let frames = [(few, 0), (many, 47)];
    let unit = std::thread::spawn(move || {
        let mut unit = Unit::new(port, Staging::open(&staging).unwrap(), Quiet);
        let mut pieces: Vec<(Vec<u8>, u32)> = Vec::new();
        for (bytes, dropped) in frames {
            let mut together = Vec::new();
            for frame in bytes.split_inclusive(|byte| *byte == 0) {
                if together.len() + frame.len() > TOGETHER {
                    pieces.push((std::mem::take(&mut together), dropped));
                }
                together.extend_from_slice(frame);
            }
            pieces.push((together, dropped));
        }
        let mut left = pieces.into_iter().peekable();
        while !seen.load(Ordering::Relaxed) {
            unit.step(Duration::from_millis(20)).unwrap();
            if let Some((bytes, dropped)) = left.peek() {
                let log = Logs::Defmt { build: build.clone(), bytes: bytes.clone(), dropped: *dropped };
                if unit.log(&log) {
                    left.next();
                }
            }
        }
        assert!(left.peek().is_none(), "all of it was sent");
    });
    let monitor = Command::new(program("xtask"))
        .args(["monitor", "--port", cable.port(), "--seconds", "4", "--json", "--program", text(&whole)])
        .current_dir(WORKSPACE)
        .env("CARGO_TARGET_DIR", target())
        .output()
        .unwrap();
    over.store(true, Ordering::Relaxed);
    unit.join().unwrap();
    let logs = json(&monitor).into_iter().filter(|event| event["event"] == "log");
    // What was lost is known at once, and the words when their decoder has started.
    let (logs, lost): (Vec<_>, Vec<_>) = logs.partition(|log| log["file"].is_string());
    let source =
        fs::read_to_string(Path::new(WORKSPACE).join("edge/journal/examples/technician.rs")).unwrap();
    let check = |log: &serde_json::Value, level: &str, said: &str, macro_of_it: &str| {
        assert_eq!((&log["level"], &log["text"]), (&level.into(), &said.into()));
        let file = log["file"].as_str().unwrap_or_default();
        assert!(file.ends_with("edge/journal/examples/technician.rs"), "{log}");
        let line = log["line"].as_u64().unwrap() as usize;
        assert!(source.lines().nth(line - 1).unwrap().contains(macro_of_it), "{log}");
        assert!(log["at_ms"].is_u64(), "{log}");
    };
    check(&logs[0], "info", "the camera /dev/video0 is back after 3 s", "info!(\"the camera");
    check(
        &logs[1],
        "warn",
        "the model weights/asl is refused; 7 of 1234567 bytes differ",
        "warn!(\"the model",
    );
    check(&logs[2], "error", "the link was reset: 48.5 °C, on trial: true", "error!(\"the link");
    assert_eq!((lost.len(), &lost[0]["text"]), (1, &"47 lines found no room".into()));
    assert_eq!(logs.len(), 3 + 256, "the newest of 303 lines waited");
    check(&logs[258], "info", "line 299 of 300", "info!(\"line {} of {}\"");
}
