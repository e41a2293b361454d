//! Says what a unit says to a technician, and writes it to standard output: with the feature `defmt` as frames,
//! which `cargo xtask monitor` and the tests turn into words again.

use std::io::Write;

use journal::{Entry, error, hand, info, warn};

/// As the link sends them together. Bytes.
const MOST: usize = 1000;

fn main() -> std::io::Result<()> {
    info!("the camera {} is back after {} s", "/dev/video0", 3);
    warn!("the model {} is refused; {} of {} bytes differ", "weights/asl", 7u64, 1_234_567u32);
    error!("the link was reset: {} °C, on trial: {}", 48.5f32, true);
    let lines = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(0u32);
    for line in 0..lines {
        info!("line {} of {}", line, lines);
    }
    let mut out = std::io::stdout().lock();
    let mut written = Ok(());
    hand(MOST, &mut |entry, _| {
        written = match entry {
            Entry::Line { level, text, .. } => writeln!(out, "{level:?}: {text}"),
            Entry::Frames(bytes) => out.write_all(bytes),
        };
        written.is_ok()
    });
    written
}
