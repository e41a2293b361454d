//! All that this program prints.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::Error;

/// All bars: those of work that goes on side by side stand below each other.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Says something to the person at the terminal, on standard error.
pub fn say(text: impl AsRef<str>) {
    BARS.suspend(|| eprintln!("{}", text.as_ref()));
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
    progress_from(0, steps, doing)
}

/// A bar for long work that was done up to a step before; the time that is left is that of the others.
pub fn progress_from(done: usize, steps: usize, doing: &str) -> ProgressBar {
    let bar = BARS.add(ProgressBar::new(steps as u64)).with_message(doing.to_owned());
    let bar = bar.with_position(done as u64);
    // The tick tells the estimate about the steps done before, and the reset takes their speed out of it.
    bar.tick();
    bar.reset_eta();
    bar.enable_steady_tick(Duration::from_secs(1));
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}, {elapsed} passed, {eta} left");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_done_before_are_no_speed() {
        let bar = progress_from(500, 1000, "resumed");
        bar.disable_steady_tick();
        bar.tick();
        let speed = bar.per_sec();
        assert_eq!((bar.position(), speed), (500, 0.0));
    }
}
