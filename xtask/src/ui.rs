//! The only place that prints: lines for a log, and a bar with the time left where somebody watches.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a bar that only waits is drawn.
const TICK: Duration = Duration::from_millis(200);

/// Where the tasks say what they do.
#[derive(Debug)]
pub struct Ui {
    terminal: bool,
}

impl Ui {
    /// Says it on standard error, with bars if that is a terminal.
    pub fn new() -> Self {
        Self { terminal: std::io::stderr().is_terminal() }
    }

    /// Says what is being done, in one line.
    pub fn step(&self, text: &str) {
        eprintln!("{text}");
    }

    /// Gives what was asked for, in one line on standard output.
    pub fn answer(&self, text: &str) {
        println!("{text}");
    }

    /// Says why the task failed.
    pub fn error(&self, error: &anyhow::Error) {
        eprintln!("error: {error:#}");
    }

    /// Shows how far a long step is: a bar with the time left on a terminal, one line in a log.
    pub fn progress(&self, text: &str, bytes: u64) -> Progress {
        if !self.terminal {
            self.step(text);
            return Progress(ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::hidden()));
        }
        let bar = ProgressBar::new(bytes).with_message(text.to_string());
        let style = "{msg:44!} {wide_bar} {decimal_bytes:>9}/{decimal_total_bytes} {eta:>4}";
        bar.set_style(ProgressStyle::with_template(style).expect("the template is one of indicatif's"));
        bar.enable_steady_tick(TICK);
        Progress(bar)
    }
}

impl Default for Ui {
    fn default() -> Self {
        Self::new()
    }
}

/// How far a step is. It is over when this is dropped.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// That so many bytes are done in all.
    pub fn at(&self, bytes: u64) {
        self.0.set_position(bytes);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
