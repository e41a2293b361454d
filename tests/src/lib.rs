//! What the tests share: where the real data and the programs are, and how a test says that it skips.

pub mod authority;
pub mod bench;
pub mod bundles;
pub mod disk;
pub mod fuzz;
pub mod kiosk;
pub mod made;
pub mod rig;
pub mod service;
pub mod simulated;
pub mod technician;
pub mod wire;

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use models::store::Store;

/// Says that a test skips, and why.
///
/// The test harness shows what the print macros write only of tests that fail; who skips succeeds, and
/// must be heard all the same.
pub fn skip(test: &str, why: impl Display) {
    // Where standard error is closed nobody listens.
    let _ = writeln!(std::io::stderr(), "{test} skips: {why}");
}

/// The folder of real data, where it is on this machine: `$SIGNPOST_DATA`, or `../shared/data` beside the project.
///
/// Where it is absent this prints why the test named skips.
pub fn data(test: &str) -> Option<PathBuf> {
    let dir = data_folder();
    if dir.is_dir() {
        return Some(dir);
    }
    skip(test, format_args!("no real data at {} (set SIGNPOST_DATA)", dir.display()));
    None
}

/// Where real data is looked for; not every machine has it there.
pub fn data_folder() -> PathBuf {
    std::env::var_os("SIGNPOST_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")),
        PathBuf::from,
    )
}

/// The store, where set-up has filled it: networks, lexicon and ffmpeg.
///
/// Where it has not this prints why the test named skips.
pub fn store(test: &str) -> Option<Store> {
    let filled = |s: &Store| {
        let networks = edge::vision::NETWORKS.iter().all(|n| s.network(n).is_file());
        networks && s.lexicon().join("index.csv").is_file() && edge::ffmpeg::program().is_ok()
    };
    let store = Store::locate().filter(filled);
    if store.is_none() {
        skip(test, "the store is not filled (run `cargo xtask setup`)");
    }
    store
}

/// One of the workspace's programs.
///
/// It must have been built before: `cargo xtask test` does it. A test that called cargo itself would
/// build it with other features than the tests', and all of its dependencies with it.
///
/// # Panics
/// Where it was not built.
#[track_caller]
pub fn program(name: &str) -> PathBuf {
    // A test runs in <target>/<profile>/deps; programs lie one folder up.
    let test = std::env::current_exe().expect("a test knows its own file");
    let program = test.ancestors().nth(2).expect("it lies two folders down").join(name);
    assert!(program.is_file(), "{} is not built; run `cargo xtask test`", program.display());
    program
}

/// Runs one of the workspace's programs to its end.
///
/// # Panics
/// Where it was not built or does not start.
#[track_caller]
pub fn run<S: AsRef<std::ffi::OsStr>>(name: &str, args: impl IntoIterator<Item = S>) -> Output {
    let program = program(name);
    // What the user has enrolled is no part of a test: nothing lies in this folder.
    let state = program.with_file_name("no-state");
    Command::new(program).args(args).env("SIGNPOST_STATE", state).output().expect("the program starts")
}

/// Runs one of the workspace's programs on what it reads from standard input, and waits for it.
///
/// # Panics
/// Where it was not built or does not start.
#[track_caller]
pub fn run_on<S: AsRef<std::ffi::OsStr>>(
    name: &str,
    args: impl IntoIterator<Item = S>,
    input: &[u8],
) -> Output {
    let mut command = Command::new(program(name));
    let piped = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the program starts");
    // Where it refuses before it has read all, that is its answer.
    let _ = child.stdin.take().expect("it is piped").write_all(input);
    child.wait_with_output().expect("the program ends")
}

/// What a program that must fail said on standard error: one line, and no panic.
///
/// # Panics
/// Where it did not fail, or said more or less than one line.
#[track_caller]
pub fn refusal(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
    assert!(!output.status.success(), "it did not fail: {}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(output.status.code(), Some(1), "it ended by itself: {said}");
    assert_eq!(said.lines().count(), 1, "one sentence: {said}");
    said
}

/// The events of a `signpost read` that must succeed.
///
/// # Panics
/// Where it fails, or prints a line that is no JSON object.
#[track_caller]
pub fn reading(args: &[&str]) -> Vec<serde_json::Value> {
    let output = run("signpost", [&["read", "--json"], args].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect()
}

/// The videos in a folder and in those below it.
///
/// # Panics
/// Where a folder cannot be read.
pub fn videos(folder: &Path) -> Vec<PathBuf> {
    files(folder, "mp4")
}

/// The files of an ending in a folder and in those below it, by name.
///
/// # Panics
/// Where a folder cannot be read.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(folder).expect("it can be read").map(|entry| entry.expect("as well").path());
    let mut found: Vec<PathBuf> = entries
        .flat_map(|path| match path.extension() {
            _ if path.is_dir() => files(&path, ending),
            Some(e) if e == ending => vec![path],
            _ => vec![],
        })
        .collect();
    found.sort();
    found
}

/// The text of a path for a command line.
///
/// # Panics
/// Where the path is not Unicode: the tests make none that is not.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("the tests' paths are Unicode")
}

/// Sends a process a signal; whether there is one to take it.
///
/// # Panics
/// Where there is no `kill`.
pub fn signal(process: u32, name: &str) -> bool {
    let status = Command::new("kill").args(["-s", name, &process.to_string()]).status();
    status.expect("every system has `kill`").success()
}
