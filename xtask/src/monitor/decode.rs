//! Log lines that came as frames of defmt, put into words by the program that they came from.
//!
//! The words, files and lines stand in the symbols of that very program, which is found by its build-id. What
//! takes them apart is `xtask/decode`, a program of its own that is built when the first frame comes.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use models::build_id;
use models::manifest::hexadecimal;
use models::store::Store;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cargo::{cargo, target};

/// Where `cargo xtask build` keeps the programs that it made, as they were built.
pub const PROGRAMS: &str = "out/programs";
/// The decoder's manifest.
const DECODER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/decode/Cargo.toml");
/// Where it is built, within the folder of all that is built: what the workspace has stays as it is.
const TARGET: &str = "decode";

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Line {
    /// Since the program's first line. Microseconds.
    pub at_us: Option<u64>,
    /// How grave it is.
    pub level: String,
    /// What happened.
    pub text: String,
    /// The file that says it.
    pub file: Option<String>,
    /// Its line there.
    pub line: Option<u64>,
}

impl Line {
    fn of_ours(text: String) -> Self {
        Self { at_us: None, level: "warn".into(), text, file: None, line: None }
    }

    /// An event, and one line for people.
    pub fn told(self, dropped: u32) -> (Value, String) {
        let Self { at_us, level, text, file, line } = self;
        let place = match (&file, line) {
            (Some(file), Some(line)) => format!(" ({file}:{line})"),
            _ => String::new(),
        };
        let words = format!("{level}: {text}{place}");
        let at_ms = at_us.map(|at| at / 1000);
        let event = json!({
            "event": "log", "at_ms": at_ms, "level": level, "text": text, "file": file, "line": line,
            "dropped": dropped,
        });
        (event, words)
    }
}

/// The programs that frames may have come from, each with what takes its frames apart.
pub struct Programs {
    places: Vec<PathBuf>,
    decoders: BTreeMap<Vec<u8>, State>,
    dropped: u32,
}

enum State {
    /// It is being built, which may take a minute; a unit that hears nothing for so long takes its tool for
    /// gone. What comes meanwhile waits.
    Starting(Receiver<Result<Decoder, String>>, Vec<Vec<u8>>),
    Ready(Decoder),
    /// Why was said.
    Failed,
}

impl Programs {
    /// Programs that were named, and those that were built here.
    pub fn new(named: &[PathBuf]) -> Self {
        let built = [PROGRAMS.into(), target().join("debug"), target().join("release")];
        Self { places: named.iter().cloned().chain(built).collect(), decoders: BTreeMap::new(), dropped: 0 }
    }

    /// How many lines were lost since the last that came, where any were.
    pub fn lost(&mut self, dropped: u32) -> Option<u32> {
        // A program that was started anew counts from 0.
        let lost = dropped.checked_sub(self.dropped).unwrap_or(dropped);
        self.dropped = dropped;
        (lost > 0).then_some(lost)
    }

    /// How many lines the unit has lost so far.
    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    /// What frames say, as soon as that is known. Where it cannot be, one line says why, once for each program.
    pub fn words(&mut self, build: &[u8], frames: &[u8]) -> Vec<Line> {
        if !self.decoders.contains_key(build) {
            let Some(program) = self.places.iter().find_map(|place| find(place, build, 2)) else {
                self.decoders.insert(build.into(), State::Failed);
                return vec![Line::of_ours(format!(
                    "the log comes from the program {}, which is not here; name the unit's program with --program",
                    hexadecimal(build)
                ))];
            };
            let (sender, receiver) = sync_channel(1);
            // Where nobody waits for it any more it ends with this program.
            std::thread::spawn(move || sender.send(Decoder::start(&program)));
            self.decoders.insert(build.into(), State::Starting(receiver, Vec::new()));
        }
        match self.decoders.get_mut(build) {
            Some(State::Starting(_, waiting)) => waiting.push(frames.into()),
            Some(state @ State::Ready(_)) => return state.words(frames),
            Some(State::Failed) | None => {}
        }
        self.waiting(false)
    }

    /// What waited for its decoder and is known now; with `to_the_end` it is waited for.
    pub fn waiting(&mut self, to_the_end: bool) -> Vec<Line> {
        let mut lines = Vec::new();
        for state in self.decoders.values_mut() {
            let State::Starting(coming, frames) = state else { continue };
            let lost = || Err("the log's decoder broke down; run this again".to_owned());
            let came = match coming.try_recv() {
                Err(TryRecvError::Empty) if !to_the_end => continue,
                Err(TryRecvError::Empty) => coming.recv().unwrap_or_else(|_| lost()),
                came => came.unwrap_or_else(|_| lost()),
            };
            let frames = std::mem::take(frames);
            match came {
                Ok(decoder) => {
                    *state = State::Ready(decoder);
                    lines.extend(frames.iter().flat_map(|frames| state.words(frames)));
                }
                Err(said) => {
                    *state = State::Failed;
                    lines.push(Line::of_ours(said));
                }
            }
        }
        lines
    }
}

impl State {
    fn words(&mut self, frames: &[u8]) -> Vec<Line> {
        let Self::Ready(decoder) = self else { return Vec::new() };
        decoder.words(frames).unwrap_or_else(|said| {
            *self = Self::Failed;
            vec![Line::of_ours(said)]
        })
    }
}

/// A program with this build-id at a place or in the folders below it.
fn find(place: &Path, build: &[u8], depth: u32) -> Option<PathBuf> {
    if place.is_file() {
        let found = build_id::of_file(place).ok().flatten()?;
        return (!build.is_empty() && found == build).then(|| place.into());
    }
    let below = std::fs::read_dir(place).ok().filter(|_| depth > 0)?;
    below.filter_map(Result::ok).find_map(|entry| {
        let path = entry.path();
        // What a build leaves beside programs are thousands of files that are none.
        let other = path.extension().is_some() || path.file_name().is_some_and(|name| name == "deps");
        if other { None } else { find(&path, build, depth - 1) }
    })
}

/// The decoder, at work on one program.
struct Decoder {
    child: Child,
    frames: ChildStdin,
    words: BufReader<ChildStdout>,
}

impl Decoder {
    fn start(program: &Path) -> Result<Self, String> {
        let failed =
            |said: String| format!("the log's decoder {said}; run `cargo build --manifest-path {DECODER}`");
        let store = Store::locate().ok_or("neither HOME nor SIGNPOST_CACHE is set; set one of them")?;
        let built = cargo(&store)
            .args(["build", "--quiet", "--manifest-path", DECODER, "--target-dir"])
            .arg(target().join(TARGET))
            .stdout(Stdio::null())
            .status();
        match built {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(failed(format!("does not build ({status})"))),
            Err(error) => return Err(failed(format!("cannot be built ({error})"))),
        }
        let mut child = Command::new(target().join(TARGET).join("debug/signpost-decode"))
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| failed(format!("does not start ({e})")))?;
        let frames = child.stdin.take().expect("it was asked for");
        let words = BufReader::new(child.stdout.take().expect("it was asked for"));
        Ok(Self { child, frames, words })
    }

    fn words(&mut self, frames: &[u8]) -> Result<Vec<Line>, String> {
        let gone = |e: std::io::Error| {
            format!("the log's decoder has ended ({e}); see whether the unit's program is whole")
        };
        writeln!(self.frames, "{}", hexadecimal(frames)).and_then(|()| self.frames.flush()).map_err(gone)?;
        let mut lines = Vec::new();
        loop {
            let mut text = String::new();
            if self.words.read_line(&mut text).map_err(gone)? == 0 {
                return Err(gone(std::io::ErrorKind::UnexpectedEof.into()));
            }
            if text.trim().is_empty() {
                return Ok(lines);
            }
            let odd = || Line::of_ours("the log's decoder said something odd; run this again".into());
            lines.push(serde_json::from_str(&text).unwrap_or_else(|_| odd()));
        }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // It only reads; whether it has ended already does not matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
