//! What the benches share: their options, made-up input, and the memory of a process.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// The options `--name value` of a bench that are known to it.
///
/// # Panics
/// Where an option is not known, or has no value.
pub fn args(known: &[&str]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    // Cargo adds `--bench` where it runs a bench as such.
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        let name = word.strip_prefix("--").filter(|name| known.contains(name));
        let name = name.unwrap_or_else(|| panic!("{word} is not known; there are --{}", known.join(", --")));
        let value = words.next().unwrap_or_else(|| panic!("--{name} takes a value"));
        found.insert(name.to_owned(), value);
    }
    found
}

/// Names with commas between them.
pub fn list<T: Display>(names: impl IntoIterator<Item = T>) -> String {
    names.into_iter().map(|n| n.to_string()).collect::<Vec<_>>().join(", ")
}

/// Values from 0 to 1, the same each time.
pub fn noise(count: usize) -> Vec<f32> {
    let mut state: u32 = 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    (0..count).map(|_| next()).collect()
}

/// The processor time of this process so far, over all its threads.
///
/// # Panics
/// Where the system does not say.
pub fn processor_time() -> Duration {
    /// Linux counts it in hundredths of a second for every program.
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux says how long a process ran");
    // The program's name stands in brackets and may hold spaces; 11 and 12 fields behind it are the ticks.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u32 = fields.skip(11).take(2).map(|t| t.parse::<u32>().unwrap_or(0)).sum();
    TICK * ticks
}

/// The most memory that a process has held so far, in MiB; `None` where it is over.
pub fn peak_mib(process: u32) -> Option<u64> {
    status_mib(process, "VmHWM:")
}

/// The memory that a process holds now, in MiB.
pub fn held_mib(process: u32) -> Option<u64> {
    status_mib(process, "VmRSS:")
}

fn status_mib(process: u32, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib / 1024)
}

/// A program that answers each line that it is asked with a line.
#[derive(Debug)]
pub struct Peer {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
    needs: &'static str,
}

impl Peer {
    /// Starts it; `needs` is a module of Python without which it ends.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start(command: &mut Command, needs: &'static str) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{} does not start: {e}", command.get_program().display()));
        let ask = child.stdin.take().expect("it was asked for");
        let answers = BufReader::new(child.stdout.take().expect("it was asked for"));
        Self { child, ask, answers, needs }
    }

    /// Asks it.
    ///
    /// # Panics
    /// Where it ended.
    pub fn ask(&mut self, line: &str) -> String {
        writeln!(self.ask, "{line}").expect("it listens");
        self.answer()
    }

    /// The next line that it says.
    ///
    /// # Panics
    /// Where it ended.
    pub fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("it says text");
        assert!(!line.is_empty(), "it ended; see that `import {}` works in this Python", self.needs);
        line.trim().into()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long a part took each time, for a row of a table.
#[derive(Debug, Default)]
pub struct Times {
    ms: Vec<f64>,
    worked_ms: f64,
}

impl Times {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { ms: vec![], worked_ms: 0.0 }
    }

    /// Runs something once more.
    pub fn of<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let (worked, start) = (processor_time(), Instant::now());
        let made = run();
        self.add(start.elapsed().as_secs_f64(), (processor_time() - worked).as_secs_f64());
        made
    }

    /// What something took that ran elsewhere, in seconds, and the processor's seconds.
    pub fn add(&mut self, took_s: f64, worked_s: f64) {
        self.ms.push(took_s * 1e3);
        self.worked_ms += worked_s * 1e3;
    }

    /// Prints the head of the table.
    pub fn head() {
        println!("| part | of | processor ms each | median ms | 95 of 100 within ms | most ms |");
        println!("|---|---|---|---|---|---|");
    }

    /// Prints the row of a part.
    pub fn print(&mut self, part: &str) {
        self.ms.sort_by(f64::total_cmp);
        let (n, worked) = (self.ms.len(), self.worked_ms / self.ms.len() as f64);
        let at = |share: f64| self.ms[(share * (n - 1) as f64) as usize];
        println!("| {part} | {n} | {worked:.3} | {:.3} | {:.3} | {:.3} |", at(0.5), at(0.95), at(1.0));
    }
}
