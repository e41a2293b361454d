//! Wheels: by pip, or out of a folder, checked against their hash before anything reads them.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::table::Wheel;
use super::{Error, open, remove};
use crate::ui::Ui;

/// How often the growing file is looked at.
const POLL: Duration = Duration::from_millis(200);
/// The folder, in the working folder, that pip fills.
const FETCHED: &str = "fetched";

/// What pip's log holds where it reached nothing.
const NO_CONNECTION: [&str; 3] = ["ConnectionError", "connection broken", "ReadTimeoutError"];

/// Where wheels come from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// The package index that pip knows.
    Index,
    /// A folder that somebody has filled.
    Folder(&'a Path),
}

/// Opens the wheel, once its hash is the one in the table.
pub fn fetch(wheel: &Wheel, source: Source, work: &Path, title: &str, ui: &Ui) -> Result<File, Error> {
    let (folder, next) = match source {
        Source::Folder(folder) => (folder.to_path_buf(), "put the right one into the folder"),
        Source::Index => {
            download(wheel, work, title, ui)?;
            (
                work.join(FETCHED),
                "run `cargo xtask setup` again, and look for a proxy that changes files if it stays so",
            )
        }
    };
    let path = folder.join(&wheel.file);
    if !path.is_file() {
        return Err(match source {
            Source::Folder(_) => Error::NotInFolder { path, wheel: pinned(wheel), file: wheel.file.clone() },
            Source::Index => failed(wheel, "pip brought another file".into()),
        });
    }
    if matches!(source, Source::Folder(_)) {
        ui.step(title);
    }
    let mut file = open(&path)?;
    let found = hash(&mut file, &path)?;
    if found != wheel.sha256 {
        return Err(Error::Hash { file: wheel.file.clone(), expected: wheel.sha256.clone(), found, next });
    }
    // What was checked is what is unpacked: the same open file.
    file.rewind().map_err(|e| Error::io("read", &path, e))?;
    Ok(file)
}

/// Deletes what pip fetched.
pub fn discard(work: &Path) -> Result<(), Error> {
    remove(&work.join(FETCHED))
}

/// The SHA-256 of what is left of a file, in hexadecimal.
pub fn hash(file: &mut File, path: &Path) -> Result<String, Error> {
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        match file.read(&mut block).map_err(|e| Error::io("read", path, e))? {
            0 => return Ok(format!("{:x}", hash.finalize())),
            n => hash.update(&block[..n]),
        }
    }
}

/// Has pip fetch the wheel; everything that pip writes, its own temporary files too, lies in `work`.
fn download(wheel: &Wheel, work: &Path, title: &str, ui: &Ui) -> Result<(), Error> {
    let (fetched, temporary, log) = (work.join(FETCHED), work.join("temporary"), work.join("pip.log"));
    for folder in [&fetched, &temporary] {
        fs::create_dir_all(folder).map_err(|e| Error::io("make", folder, e))?;
    }
    let errors = File::create(&log).map_err(|e| Error::io("write", &log, e))?;
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-input",
        "--no-cache-dir",
        "--disable-pip-version-check",
    ])
    .args(["--retries", "2", "--timeout", "30", "--no-deps", "--only-binary=:all:"])
    .args(["--python-version", "3.11"])
    .args(wheel.platforms().flat_map(|p| ["--platform", p]))
    .arg("-d")
    .arg(&fetched)
    .arg(pinned(wheel))
    .env("TMPDIR", &temporary)
    .env("PYTHONDONTWRITEBYTECODE", "1")
    .stdin(Stdio::null())
    .stdout(Stdio::null())
    .stderr(errors);
    let mut pip = pip.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::NoPython { wheel: pinned(wheel) },
        _ => Error::io("run", Path::new("python3"), error),
    })?;
    let progress = ui.progress(title, wheel.bytes);
    let status = loop {
        if let Some(status) = pip.try_wait().map_err(|e| Error::io("wait for", Path::new("python3"), e))? {
            break status;
        }
        progress.at(size(&fetched).max(size(&temporary)));
        std::thread::sleep(POLL);
    };
    if status.success() {
        return Ok(());
    }
    let said = fs::read(&log).map_err(|e| Error::io("read", &log, e))?;
    Err(explained(wheel, &String::from_utf8_lossy(&said), work))
}

/// What pip's complaint means.
fn explained(wheel: &Wheel, said: &str, work: &Path) -> Error {
    if said.contains("No module named pip") {
        return Error::NoPip { wheel: pinned(wheel) };
    }
    if said.contains("No space left on device") || said.contains("Disk quota exceeded") {
        return Error::DiskFull { path: work.into() };
    }
    // What pip says last is then that no such package exists, which is not the point.
    if NO_CONNECTION.iter().any(|sign| said.contains(sign)) {
        return failed(wheel, "no connection to the package index".into());
    }
    let last = said.lines().rev().find(|line| line.starts_with("ERROR:")).or(said.lines().last());
    let last = last.unwrap_or("it did not say why").trim_start_matches("ERROR:").trim();
    failed(wheel, last.chars().take(200).collect())
}

fn failed(wheel: &Wheel, said: String) -> Error {
    Error::Fetch { wheel: pinned(wheel), said }
}

/// The wheel as pip's command line names it.
pub fn pinned(wheel: &Wheel) -> String {
    format!("{}=={}", wheel.package(), wheel.version)
}

/// The bytes of all files below a folder; what vanishes meanwhile does not count.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.flatten().map(of).sum()
}
