//! All that this program prints.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::Error;

/// Says something to the person at the terminal, on standard error.
pub fn say(text: impl AsRef<str>) {
    eprintln!("{}", text.as_ref());
}

/// Prints a result on standard output, where a program may read it.
///
/// # Errors
/// Where standard output cannot be written, for example on a full disk. A reader who leaves early is no error.
pub fn result(text: impl AsRef<str>) -> Result<(), Error> {
    match writeln!(std::io::stdout(), "{}", text.as_ref()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::io("write to", Path::new("standard output"))(error))
        }
        _ => Ok(()),
    }
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
