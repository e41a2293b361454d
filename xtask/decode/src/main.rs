//! Turns frames of defmt into words: `signpost-decode PROGRAM`, the program with its symbols.
//!
//! Standard input has bytes of frames as hexadecimal digits, some frames a line. For each line standard output
//! gets one JSON object a frame (`at_us`, `level`, `text`, `file`, `line`), and an empty line behind them.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use defmt_decoder::{DecodeError, Frame, Location, Locations, Table};
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let path = std::env::args_os().nth(1).map(PathBuf::from).context("name the program with its symbols")?;
    let elf = std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let table = Table::parse(&elf).with_context(|| format!("{} is no program", path.display()))?;
    let Some(table) = table else {
        bail!("{} has no strings of defmt; name the program as it was built, not stripped", path.display());
    };
    // Without debug information there are words all the same, only no file and line.
    let locations = table.get_locations(&elf).unwrap_or_default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line.context("standard input broke off")?;
        // Each line has whole frames, so that what was torn once does no harm to the next.
        let mut stream = table.new_stream_decoder();
        stream.received(&bytes(line.trim())?);
        loop {
            match stream.decode() {
                Ok(frame) => writeln!(out, "{}", told(&frame, &locations)),
                Err(DecodeError::UnexpectedEof) => break,
                Err(DecodeError::Malformed) => {
                    writeln!(
                        out,
                        "{}",
                        json!({ "level": "warn", "text": "a frame that this program never sent" })
                    )
                }
            }
            .context("standard output is closed")?;
        }
        writeln!(out).and_then(|()| out.flush()).context("standard output is closed")?;
    }
    Ok(())
}

fn told(frame: &Frame<'_>, locations: &Locations) -> Value {
    let level = frame.level().map_or("info", |level| level.as_str());
    let at_us: Option<u64> = frame.display_timestamp().and_then(|at| microseconds(&at.to_string()));
    let (file, line) = locations.get(&frame.index()).map_or((None, None), place);
    json!({
        "at_us": at_us, "level": level, "text": frame.display_message().to_string(), "file": file, "line": line,
    })
}

fn place(location: &Location) -> (Option<String>, Option<u64>) {
    (Some(location.file.display().to_string()), Some(location.line))
}

/// The timestamp comes in words, as seconds with six places.
fn microseconds(text: &str) -> Option<u64> {
    let (seconds, parts) = text.split_once('.').unwrap_or((text, "0"));
    let parts: u64 = format!("{parts:0<6}").parse().ok()?;
    Some(seconds.parse::<u64>().ok()? * 1_000_000 + parts)
}

fn bytes(digits: &str) -> anyhow::Result<Vec<u8>> {
    let pair = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let all: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(pair).collect();
    all.context("a line that is not of hexadecimal digits")
}
