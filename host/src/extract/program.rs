//! Runs `signpost landmarks` over one video, as a process of its own.
//!
//! Whatever a video does to it (a crash, all of the memory, no end) happens to that process alone.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::manifest::Entry;
use super::record::Seen;
use crate::Error;

/// The program's name, and how its `--version` begins.
const NAME: &str = "signpost";
/// How often a running program is looked after.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long after its end what it said is waited for: something that it started may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// An event is read no further than this. Bytes.
const EVENT_LIMIT: u64 = 1 << 20;
/// So much is kept of the end of standard error. Bytes.
const TAIL: usize = 4096;
/// Exit statuses of a command line that is not understood, and of programs that a shell cannot start.
const NOT_STARTED: [i32; 3] = [2, 126, 127];

/// The program, once it was found to be it.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    /// What it calls itself, for example `signpost 0.1.0`.
    pub version: String,
}

/// How the landmarks are made.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Not smoothed.
    pub raw: bool,
    /// The board whose engines are used.
    pub board: String,
    /// How long one video may take.
    pub timeout: Duration,
}

/// How it went.
#[derive(Debug)]
pub enum Outcome {
    /// The landmarks are there.
    Made(Made),
    /// This video gives none.
    Poison {
        /// Why, in one sentence.
        reason: String,
        /// The end of standard error.
        stderr: String,
    },
    /// No video would give any: why, in one sentence.
    Hopeless(String),
}

/// What the program said of its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Frames that it saw.
    pub frames: u64,
    /// What was in them.
    pub seen: Seen,
    /// What ran the networks.
    pub engine: String,
}

/// The events that matter here.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event {
    Source {
        engine: String,
    },
    End {
        frames: u64,
        seen: Seen,
    },
    Fault {
        of: String,
        said: String,
    },
    #[serde(other)]
    Other,
}

/// What was said by the end.
#[derive(Debug, Default)]
struct Events {
    engine: Option<String>,
    end: Option<(u64, Seen)>,
    fault: Option<(String, String)>,
}

impl Program {
    /// The program at a path, or beside this one.
    ///
    /// # Errors
    /// [`Error::NoProgram`] where it is not there or is another program.
    pub fn find(named: Option<&Path>) -> Result<Self, Error> {
        let path = match named {
            Some(path) => path.to_owned(),
            None => std::env::current_exe().unwrap_or_default().with_file_name(NAME),
        };
        let wrong = |why: String| Error::NoProgram { path: path.clone(), why };
        let said = Command::new(&path).arg("--version").stdin(Stdio::null()).output();
        let said = said.map_err(|e| wrong(e.to_string()))?;
        let version = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        let is_it = version.strip_prefix(NAME).is_some_and(|rest| rest.starts_with(' '));
        if !said.status.success() || !is_it || version.lines().count() != 1 {
            return Err(wrong(format!(
                "its --version says {:?}",
                version.lines().next().unwrap_or_default()
            )));
        }
        Ok(Self { path, version })
    }

    /// Makes the landmarks of one entry at `out`.
    ///
    /// # Errors
    /// [`Error::Io`] where the program cannot be started or waited for.
    pub fn run(&self, entry: &Entry, out: &Path, settings: &Settings) -> Result<Outcome, Error> {
        let io = || Error::io("run", &self.path);
        let mut child = self.command(entry, out, settings).spawn().map_err(io())?;
        let events = listen(child.stdout.take(), events);
        let stderr = listen(child.stderr.take(), tail);
        let ended = wait(&mut child, settings.timeout).map_err(io())?;
        let events = events.recv_timeout(LAST_WORDS).unwrap_or_default();
        let stderr = stderr.recv_timeout(LAST_WORDS).unwrap_or_default();
        Ok(judge(ended, events, stderr, settings.timeout))
    }

    fn command(&self, entry: &Entry, out: &Path, settings: &Settings) -> Command {
        let mut command = Command::new(&self.path);
        // One thread each: several videos at once use the cores better than several threads on one.
        command.args(["landmarks", "--json", "--threads", "1", "--board", &settings.board, "--out"]).arg(out);
        if settings.raw {
            command.arg("--raw");
        }
        for (option, at_us) in [("--from", entry.start_us), ("--to", entry.end_us)] {
            if let Some(us) = at_us {
                command.arg(option).arg(format!("{}.{:06}", us / 1_000_000, us % 1_000_000));
            }
        }
        // What follows is no option, whatever it begins with.
        command.arg("--").arg(&entry.video);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// Reads a pipe to its end on a thread of its own, so that whoever writes never waits.
fn listen<P, T>(pipe: Option<P>, read: fn(P) -> T) -> Receiver<T>
where
    P: Send + 'static,
    T: Send + 'static,
{
    let (sender, receiver) = channel();
    if let Some(pipe) = pipe {
        thread::spawn(move || sender.send(read(pipe)));
    }
    receiver
}

/// How the program ended; `None` where it took too long and was ended.
fn wait(child: &mut Child, timeout: Duration) -> std::io::Result<Option<ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() >= timeout {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Keeps what matters of the events.
fn events(out: impl Read) -> Events {
    let mut events = Events::default();
    let mut lines = BufReader::new(out);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A line that is too long comes in pieces, none of which is an event.
        match lines.by_ref().take(EVENT_LIMIT).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return events,
            Ok(_) => {}
        }
        match serde_json::from_slice(&line) {
            Ok(Event::Source { engine }) => events.engine = Some(engine),
            Ok(Event::End { frames, seen }) => events.end = Some((frames, seen)),
            Ok(Event::Fault { of, said }) => events.fault = Some((of, said)),
            Ok(Event::Other) | Err(_) => {}
        }
    }
}

/// The last bytes of a text.
fn tail(mut from: impl Read) -> String {
    let mut kept = VecDeque::with_capacity(2 * TAIL);
    let mut block = [0; TAIL];
    while let Ok(count @ 1..) = from.read(&mut block) {
        kept.extend(&block[..count]);
        kept.drain(..kept.len().saturating_sub(TAIL));
    }
    String::from_utf8_lossy(kept.make_contiguous()).into_owned()
}

/// What to make of an end.
fn judge(ended: Option<ExitStatus>, events: Events, stderr: String, timeout: Duration) -> Outcome {
    let poison = |reason| Outcome::Poison { reason, stderr: stderr.clone() };
    let Some(status) = ended else {
        return poison(format!("it took longer than {} s and was stopped", timeout.as_secs_f64()));
    };
    if let Some(signal) = status.signal() {
        return poison(format!("the program was killed by signal {signal}"));
    }
    let code = status.code().unwrap_or_default();
    match (code, events.end, events.fault) {
        (0, Some((frames, seen)), _) => {
            Outcome::Made(Made { frames, seen, engine: events.engine.unwrap_or_default() })
        }
        (0, None, _) => Outcome::Hopeless("it ended well, but did not say what it made".into()),
        (_, _, Some((of, said))) if of == "machine" => Outcome::Hopeless(said),
        (_, _, Some((_, said))) => poison(said),
        (code, _, None) if NOT_STARTED.contains(&code) => {
            let last =
                stderr.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it said nothing");
            Outcome::Hopeless(format!("it does not understand its command line, or did not start: {last}"))
        }
        (code, _, None) => poison(format!("the program ended with status {code} without saying why")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: &str =
        r#"{"event":"end","t":0,"frames":3,"seen":{"body":1,"face":0,"left_hand":2,"right_hand":3}}"#;

    /// `code` is that of `wait`: an exit status times 256, or a signal.
    #[track_caller]
    fn check(code: Option<i32>, said: &str, expect: &str) {
        let ended = code.map(ExitStatus::from_raw);
        let outcome = judge(ended, events(said.as_bytes()), "last words".into(), Duration::from_secs(9));
        let got = match outcome {
            Outcome::Made(made) => format!("made {} by {}", made.frames, made.engine),
            Outcome::Poison { reason, stderr } => format!("poison: {reason} ({stderr})"),
            Outcome::Hopeless(why) => format!("hopeless: {why}"),
        };
        assert_eq!(got, expect);
    }

    #[test]
    fn an_end_is_judged_by_what_was_said() {
        let fault = |of: &str| format!(r#"{{"event":"fault","t":0,"of":"{of}","said":"too bad"}}"#);
        let source = r#"{"event":"source","engine":"tract","t":0}"#;
        check(Some(0), &format!("{source}\n{{\"event\":\"frame\"}}\nnoise\n{END}\n"), "made 3 by tract");
        check(Some(0), "", "hopeless: it ended well, but did not say what it made");
        check(Some(256), &format!("{END}\n{}", fault("source")), "poison: too bad (last words)");
        check(Some(256), &fault("program"), "poison: too bad (last words)");
        check(Some(256), &fault("machine"), "hopeless: too bad");
        check(Some(9), END, "poison: the program was killed by signal 9 (last words)");
        check(None, END, "poison: it took longer than 9 s and was stopped (last words)");
        check(
            Some(101 * 256),
            "",
            "poison: the program ended with status 101 without saying why (last words)",
        );
        let why = "hopeless: it does not understand its command line, or did not start: last words";
        check(Some(2 * 256), "", why);
        check(Some(127 * 256), "", why);
    }

    #[test]
    fn only_the_end_of_a_long_text_is_kept() {
        let text = "ä".repeat(5000) + "end";
        let kept = tail(text.as_bytes());
        assert!(kept.ends_with("äend") && kept.len() <= TAIL + 2, "{}", kept.len());
        assert_eq!(tail(&b""[..]), "");
    }
}
