//! The only place that prints or asks: lines for a log, and bars with the time left where somebody watches.

use std::cell::Cell;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a bar that only waits is drawn.
const TICK: Duration = Duration::from_millis(200);
/// A log gets a line about a long step so often.
const LINE: Duration = Duration::from_secs(10);

/// Where the tasks say what they do.
#[derive(Debug, Clone)]
pub struct Ui {
    terminal: bool,
    bars: MultiProgress,
    /// What the lines are about, where several things go on at once.
    about: Option<String>,
}

impl Ui {
    /// Says it on standard error, with bars if that is a terminal.
    pub fn new() -> Self {
        Self { terminal: std::io::stderr().is_terminal(), bars: MultiProgress::new(), about: None }
    }

    /// The same for one of several things that go on at once: its name stands before each line.
    pub fn about(&self, what: impl Into<String>) -> Self {
        Self { about: Some(what.into()), ..self.clone() }
    }

    /// Says what is being done, in one line.
    pub fn step(&self, text: &str) {
        let text = self.named(text);
        // A line between bars would be drawn over.
        self.bars.suspend(|| eprintln!("{text}"));
    }

    /// Gives what was asked for, on standard output.
    pub fn answer(&self, text: &str) {
        self.bars.suspend(|| println!("{text}"));
    }

    /// Says why the task failed.
    pub fn error(&self, error: &anyhow::Error) {
        let text = sentence(error);
        self.bars.suspend(|| eprintln!("error: {text}"));
    }

    /// Shows how far a long step is, with the time left: a bar on a terminal, a line now and then in a log.
    pub fn progress(&self, text: &str, bytes: u64) -> Progress {
        let text = self.named(text);
        if !self.terminal {
            eprintln!("{text}");
            let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::hidden());
            return Progress { bar, log: Some((text, Cell::new(Instant::now()))) };
        }
        let bar = self.bars.add(ProgressBar::new(bytes).with_message(text));
        let style = "{msg:44!} {wide_bar} {decimal_bytes:>9}/{decimal_total_bytes} {eta:>4}";
        bar.set_style(ProgressStyle::with_template(style).expect("the template is one of indicatif's"));
        bar.enable_steady_tick(TICK);
        Progress { bar, log: None }
    }

    fn named(&self, text: &str) -> String {
        self.about.as_ref().map_or_else(|| text.into(), |about| format!("{about}: {text}"))
    }
}

/// An error with its causes as one sentence that ends with the next step: the cause stands before that.
pub fn sentence(error: &anyhow::Error) -> String {
    let mut causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    let root = causes.pop().unwrap_or_default();
    causes.into_iter().rfold(root, |cause, said| match said.split_once("; ") {
        Some((what, next)) => format!("{what} ({cause}); {next}"),
        None => format!("{said}: {cause}"),
    })
}

impl Default for Ui {
    fn default() -> Self {
        Self::new()
    }
}

/// How far a step is. It is over when this is dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// What it is, and when a line about it was last written.
    log: Option<(String, Cell<Instant>)>,
}

impl Progress {
    /// That so many bytes are done in all.
    pub fn at(&self, bytes: u64) {
        self.bar.set_position(bytes);
        let Some((text, said)) = &self.log else { return };
        if said.get().elapsed() >= LINE {
            said.set(Instant::now());
            let percent = bytes * 100 / self.bar.length().unwrap_or(0).max(1);
            eprintln!("{text}: {percent} %, {} left", HumanDuration(self.bar.eta()));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn a_sentence_ends_with_the_next_step() {
        let error = anyhow!("No such file").context("a.bundle cannot be read; choose the bundle's file");
        assert_eq!(sentence(&error), "a.bundle cannot be read (No such file); choose the bundle's file");
        let error = anyhow!("it ends early; send it again").context("a.bundle cannot be sent");
        assert_eq!(sentence(&error), "a.bundle cannot be sent: it ends early; send it again");
        assert_eq!(sentence(&anyhow!("one thing is wrong")), "one thing is wrong");
    }
}
