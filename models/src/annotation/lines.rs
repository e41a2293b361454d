//! What SRT and WebVTT share: lines, times, and texts without empty lines.

use std::str::FromStr;

use super::Annotation;
use crate::Error;

/// Lines with their numbers from 1, whichever way they end; a byte order mark is passed over.
pub(super) struct Lines {
    lines: std::vec::IntoIter<(usize, String)>,
}

impl Lines {
    /// # Errors
    /// [`Error::Subtitles`] where the bytes are not UTF-8.
    pub fn of(bytes: &[u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(bytes).map_err(|e| {
            let line = 1 + bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count();
            wrong(line, "its text is not UTF-8")
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
        let lines: Vec<_> = (1..).zip(text.split('\n').map(str::to_owned)).collect();
        Ok(Self { lines: lines.into_iter() })
    }

    /// The next line.
    pub fn next(&mut self) -> Option<(usize, String)> {
        self.lines.next()
    }

    /// The next line that is not blank.
    pub fn next_filled(&mut self) -> Option<(usize, String)> {
        self.lines.find(|(_, line)| !blank(line))
    }

    /// The lines up to the next blank one, which is passed over.
    pub fn block(&mut self) -> Vec<String> {
        self.lines.by_ref().map(|(_, line)| line).take_while(|line| !blank(line)).collect()
    }
}

fn blank(line: &str) -> bool {
    line.trim().is_empty()
}

/// Reads `00:00:01,200 --> 00:00:02,000` with what may follow it; hours may be absent.
pub(super) fn times(line: usize, text: &str) -> Result<(u32, u32), Error> {
    let times = text.split_once("-->").and_then(|(start, rest)| {
        let end = rest.split_whitespace().next()?;
        Some((time(start.trim())?, time(end)?))
    });
    match times {
        Some((start, end)) if end < start => Err(wrong(line, "it ends before it begins")),
        Some(times) => Ok(times),
        None => {
            Err(wrong(line, format!("{text:?} is no pair of times such as 00:00:01,200 --> 00:00:02,000")))
        }
    }
}

/// `[[h]h:]mm:ss.mmm` in milliseconds; a comma serves as well.
fn time(text: &str) -> Option<u32> {
    fn number<T: FromStr>(text: &str) -> Option<T> {
        text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
    }
    let (clock, ms) = text.split_once([',', '.'])?;
    let ms: u32 = number(ms).filter(|_| ms.len() == 3)?;
    let mut parts = clock.rsplit(':');
    let seconds: u32 = number(parts.next()?).filter(|s| *s < 60)?;
    let minutes: u32 = number(parts.next()?).filter(|m| *m < 60)?;
    let hours: u32 = parts.next().map_or(Some(0), number)?;
    if parts.next().is_some() {
        return None;
    }
    hours.checked_mul(3_600_000)?.checked_add(minutes * 60_000 + seconds * 1000 + ms)
}

/// `hh:mm:ss` and three digits behind the separator given.
pub(super) fn clock(ms: u32, separator: char) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{separator}{:03}", ms % 1000)
}

/// Whether subtitles can hold it: an empty line would end it.
pub(super) fn check(annotation: &Annotation) -> Result<(), Error> {
    annotation.check()?;
    let text = &annotation.text;
    if text.contains('\r') || (!text.is_empty() && text.split('\n').any(blank)) {
        return Err(annotation.unwritable("subtitles have no empty lines; take them out of the text"));
    }
    Ok(())
}

pub(super) fn wrong(line: usize, why: impl Into<String>) -> Error {
    Error::Subtitles { line, why: why.into() }
}

/// Reads a text as one of the formats, for the tests of each: start, end and text of every annotation, or a
/// part of what is said of its fault.
#[cfg(test)]
#[track_caller]
pub(super) fn check_reading(
    read: fn(&[u8]) -> Result<Vec<Annotation>, Error>,
    text: &str,
    expect: Result<&[(u32, u32, &str)], &str>,
) {
    match (read(text.as_bytes()), expect) {
        (Ok(got), Ok(expect)) => {
            let expect: Vec<_> = expect.iter().map(|(s, e, t)| Annotation::new(*s, *e, *t)).collect();
            assert_eq!(got, expect, "{text:?}");
        }
        (Err(got), Err(expect)) => assert!(got.to_string().contains(expect), "{got} for {text:?}"),
        (got, expect) => panic!("{got:?}, not {expect:?}, for {text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<u32>) {
        assert_eq!(time(text), expect, "{text}");
    }

    #[test]
    fn times_are_read_and_written() {
        check("00:00:01,200", Some(1200));
        check("1:02:03.004", Some(3_723_004));
        check("02:03.004", Some(123_004));
        check("1193:02:47,295", Some(u32::MAX));
        check("1193:02:47,296", None);
        for bad in ["", "1", "00:01", "00:60.000", "61:00.000", "00:00:00:00,000", "+0:00,000", "00:00,00"] {
            check(bad, None);
        }
        for ms in [0, 999, 3_723_004, u32::MAX] {
            check(&clock(ms, ','), Some(ms));
        }
    }
}
