//! WebVTT subtitles (`.vtt`), as browsers play them: <https://www.w3.org/TR/webvtt1/>.

use std::fmt::Write;

use super::Annotation;
use super::lines::{Lines, check, clock, times, wrong};
use crate::Error;

/// The first line of a file.
const MAGIC: &str = "WEBVTT";

/// What a text writes for letters that mean something else, and what it may write besides.
const ENTITIES: [(&str, char); 6] = [
    ("&amp;", '&'),
    ("&lt;", '<'),
    ("&gt;", '>'),
    ("&nbsp;", '\u{a0}'),
    ("&lrm;", '\u{200e}'),
    ("&rlm;", '\u{200f}'),
];

/// Reads WebVTT: the cues with their plain text. Notes, styles, regions, settings and tags are passed over.
///
/// # Errors
/// [`Error::Subtitles`] where the first line is not WebVTT's, or with the line whose times are none.
pub fn read_vtt(bytes: &[u8]) -> Result<Vec<Annotation>, Error> {
    let mut lines = Lines::of(bytes)?;
    let first = lines.next().map(|(_, line)| line).unwrap_or_default();
    if !first.strip_prefix(MAGIC).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return Err(wrong(1, "it is not WEBVTT"));
    }
    lines.block();
    let mut annotations = Vec::new();
    while let Some((mut at, mut line)) = lines.next_filled() {
        if !line.contains("-->") {
            // A note, a style, a region, or the name of a cue: its times are on the next line.
            match lines.next() {
                Some((next_at, next)) if next.contains("-->") && !line.starts_with("NOTE") => {
                    (at, line) = (next_at, next);
                }
                Some((_, next)) if next.trim().is_empty() => continue,
                Some(_) => {
                    lines.block();
                    continue;
                }
                None => break,
            }
        }
        let (start_ms, end_ms) = times(at, &line)?;
        annotations.push(Annotation { start_ms, end_ms, text: plain(&lines.block().join("\n")) });
    }
    Ok(annotations)
}

/// Writes WebVTT, in the order given.
///
/// # Errors
/// [`Error::AnnotationUnwritable`] where one ends before it begins or holds an empty line.
pub fn write_vtt(annotations: &[Annotation]) -> Result<String, Error> {
    let mut out = format!("{MAGIC}\n\n");
    for annotation in annotations {
        check(annotation)?;
        let (start, end) = (clock(annotation.start_ms, '.'), clock(annotation.end_ms, '.'));
        let text = annotation.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        writeln!(out, "{start} --> {end}\n{text}\n").expect("a String takes all that is written");
    }
    Ok(out)
}

/// A cue's text without tags, with entities resolved.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '<' {
            // A tag that is never closed runs to the end, as in browsers.
            rest = rest.split_once('>').map_or("", |(_, after)| after);
        } else if let Some((entity, letter)) = ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity)) {
            out.push(*letter);
            rest = &rest[entity.len()..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::lines::check_reading;
    use super::*;

    #[track_caller]
    fn check_read(text: &str, expect: Result<&[(u32, u32, &str)], &str>) {
        check_reading(read_vtt, text, expect);
    }

    #[test]
    fn what_programs_write_is_read() {
        check_read("WEBVTT", Ok(&[]));
        check_read(
            "WEBVTT - made by hand\nKind: captions\n\n00:01.000 --> 00:02.000\na",
            Ok(&[(1000, 2000, "a")]),
        );
        check_read(
            "WEBVTT\n\nNOTE\nstill a note\n\nSTYLE\n::cue { color: white }\n\nNOTE\n\nname\n00:00:01.000 --> \
             00:00:02.500 align:start\n<v Anna>Guten &amp; <b>Tag</b> &lt;3\nzwei\n\nlost\n",
            Ok(&[(1000, 2500, "Guten & Tag <3\nzwei")]),
        );
        check_read("SUBTITLES", Err("line 1 of the subtitles: it is not WEBVTT"));
        check_read("WEBVTT\n\nx --> y", Err("line 3 of the subtitles"));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let given = [Annotation::new(0, 40, "A & B <C> --> &lt;\n2"), Annotation::new(40, 50, "")];
        assert_eq!(read_vtt(write_vtt(&given).unwrap().as_bytes()).unwrap(), given);
        let said = write_vtt(&[Annotation::new(0, 1, " \n")]).unwrap_err().to_string();
        assert!(said.contains("no empty lines"), "{said}");
    }
}
