//! SubRip subtitles (`.srt`): blocks of a number, a pair of times and lines of text.

use std::fmt::Write;

use super::Annotation;
use super::lines::{Lines, check, clock, times, wrong};
use crate::Error;

/// Reads SubRip. Numbers may be absent, and marks within the text, such as `<i>`, are kept as they stand.
///
/// # Errors
/// [`Error::Subtitles`] with the line that is none.
pub fn read_srt(bytes: &[u8]) -> Result<Vec<Annotation>, Error> {
    let mut lines = Lines::of(bytes)?;
    let mut annotations = Vec::new();
    while let Some((mut at, mut line)) = lines.next_filled() {
        if line.trim().bytes().all(|b| b.is_ascii_digit()) {
            (at, line) = lines.next().ok_or_else(|| wrong(at, "the file ends after this number"))?;
        }
        let (start_ms, end_ms) = times(at, &line)?;
        annotations.push(Annotation { start_ms, end_ms, text: lines.block().join("\n") });
    }
    Ok(annotations)
}

/// Writes SubRip, in the order given.
///
/// # Errors
/// [`Error::AnnotationUnwritable`] where one ends before it begins or holds an empty line.
pub fn write_srt(annotations: &[Annotation]) -> Result<String, Error> {
    let mut out = String::new();
    for (number, annotation) in (1..).zip(annotations) {
        check(annotation)?;
        let (start, end) = (clock(annotation.start_ms, ','), clock(annotation.end_ms, ','));
        writeln!(out, "{number}\n{start} --> {end}\n{}\n", annotation.text)
            .expect("a String takes all that is written");
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::lines::check_reading;
    use super::*;

    #[track_caller]
    fn check_read(text: &str, expect: Result<&[(u32, u32, &str)], &str>) {
        check_reading(read_srt, text, expect);
    }

    #[test]
    fn what_programs_write_is_read() {
        check_read("", Ok(&[]));
        check_read("1\n00:00:00,200 --> 00:00:00,900\nHALLO\n", Ok(&[(200, 900, "HALLO")]));
        check_read(
            "\u{feff}\r\n7\r\n0:00:01.000 --> 0:00:02.000 X1:0\r\na\r\nb\r\n\r\n\r\n00:00:03,000 --> 00:00:03,000\r\n",
            Ok(&[(1000, 2000, "a\nb"), (3000, 3000, "")]),
        );
        check_read("1", Err("line 1 of the subtitles: the file ends after this number"));
        check_read("1\nHALLO", Err("line 2 of the subtitles: \"HALLO\" is no pair of times"));
        check_read("00:00:02,000 --> 00:00:01,000", Err("line 1 of the subtitles: it ends before it begins"));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let given = [Annotation::new(0, 40, "DANKE\n--> 2"), Annotation::new(40, 3_600_000, "")];
        assert_eq!(read_srt(write_srt(&given).unwrap().as_bytes()).unwrap(), given);
        for bad in [Annotation::new(5, 5, "a"), Annotation::new(0, 1, "a\n\nb"), Annotation::new(0, 1, "a\r")]
        {
            let said = write_srt(std::slice::from_ref(&bad)).unwrap_err().to_string();
            assert!(said.starts_with("the annotation \"a"), "{said}");
        }
    }
}
