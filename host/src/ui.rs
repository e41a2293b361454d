//! All that this program prints.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Says something to the person at the terminal, on standard error.
pub fn say(text: impl AsRef<str>) {
    eprintln!("{}", text.as_ref());
}

/// Prints a result on standard output, where a program may read it.
pub fn result(text: impl AsRef<str>) {
    println!("{}", text.as_ref());
}

/// A bar for long work, with the time that is left.
pub fn progress(steps: usize, doing: &str) -> ProgressBar {
    let bar = ProgressBar::new(steps as u64).with_message(doing.to_owned());
    bar.enable_steady_tick(Duration::from_secs(1));
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}, {elapsed} passed, {eta} left");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}
