//! The manifest of a corpus: one JSON object a line, each a video or a part of one.
//!
//! `{"id": "train/0001", "video": "clips/0001.mp4", "start_s": 1.5, "end_s": 4.0}`
//!
//! `video` is a file or a folder of pictures, relative to the manifest's folder; times are seconds from its
//! start, and may be left out. Other keys (a gloss, a text, the signer) are the corpus's own and are not
//! looked at. All lines are checked before any work begins.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::Error;

/// A line is read no further than this; no annotation of a clip is near it. Bytes.
const LINE_LIMIT: u64 = 1 << 20;
/// A file name has at most 255 bytes, and endings come after this.
const NAME_LIMIT: usize = 240;
/// No recording lasts so long. Seconds.
const LONGEST_S: f64 = 1e7;

/// One video to extract, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As the manifest names it.
    pub id: String,
    /// The id as a file name without ending.
    pub name: String,
    /// Where the video is.
    pub video: PathBuf,
    /// Where the part begins, in microseconds from the start.
    pub start_us: Option<u64>,
    /// Where it ends.
    pub end_us: Option<u64>,
}

/// One line as it is written.
#[derive(Deserialize)]
struct Line {
    id: String,
    video: PathBuf,
    start_s: Option<f64>,
    end_s: Option<f64>,
}

/// Reads a manifest.
///
/// # Errors
/// [`Error::Manifest`] names the first line that is none, and why; [`Error::Io`] where the file cannot be read.
pub fn read(path: &Path) -> Result<Vec<Entry>, Error> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    parse(BufReader::new(file), path)
}

/// Reads the lines of a manifest; `path` says which it is and what its videos are relative to.
///
/// # Errors
/// As [`read`].
pub fn parse(mut lines: impl BufRead, path: &Path) -> Result<Vec<Entry>, Error> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut entries: Vec<Entry> = Vec::new();
    let mut first_seen: HashMap<String, usize> = HashMap::new();
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let read = lines.by_ref().take(LINE_LIMIT + 1).read_until(b'\n', &mut bytes);
        if read.map_err(Error::io("read", path))? == 0 {
            break;
        }
        let wrong = |why: String| Error::Manifest { path: path.to_owned(), line, why };
        if bytes.len() as u64 > LINE_LIMIT {
            return Err(wrong(format!("it is longer than {LINE_LIMIT} bytes")));
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let entry = entry(&bytes, folder).map_err(wrong)?;
        if let Some(before) = first_seen.insert(entry.id.clone(), line) {
            return Err(wrong(format!("the id {:?} is that of line {before}", entry.id)));
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// One line, or what is wrong with it.
fn entry(bytes: &[u8], folder: &Path) -> Result<Entry, String> {
    let line: Line = serde_json::from_slice(bytes).map_err(|e| reason(&e))?;
    if line.id.is_empty() {
        return Err("its id is empty".into());
    }
    let name = file_name(&line.id);
    if name.len() > NAME_LIMIT {
        return Err(format!(
            "its id is too long for a file name: {} bytes where {NAME_LIMIT} fit",
            name.len()
        ));
    }
    if line.video.as_os_str().is_empty() {
        return Err("its video is empty".into());
    }
    let (start_us, end_us) = (micros("start_s", line.start_s)?, micros("end_s", line.end_s)?);
    if end_us.is_some_and(|end| end <= start_us.unwrap_or(0)) {
        return Err("its end_s is not after its start_s".into());
    }
    Ok(Entry { id: line.id, name, video: folder.join(line.video), start_us, end_us })
}

/// What the JSON reader says, without its own line number, which is always 1.
fn reason(error: &serde_json::Error) -> String {
    let said = error.to_string();
    said.split(" at line ").next().unwrap_or_default().to_owned()
}

fn micros(key: &str, seconds: Option<f64>) -> Result<Option<u64>, String> {
    match seconds {
        Some(s) if !(0.0..=LONGEST_S).contains(&s) => {
            Err(format!("its {key} is {s}, and not within 0 to {LONGEST_S}"))
        }
        seconds => Ok(seconds.map(|s| (s * 1e6).round() as u64)),
    }
}

/// The file name of an id: letters, digits, `-`, `_` and `.` of ASCII stay, every other byte becomes `%` and
/// its two hexadecimal digits, and so does a `.` in front. Two ids never have one name.
pub fn file_name(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for (place, byte) in id.bytes().enumerate() {
        let stays = byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || (byte == b'.' && place > 0);
        if stays {
            name.push(byte.into());
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<usize, &str>) {
        match (parse(text.as_bytes(), Path::new("corpus/all.jsonl")), expect) {
            (Ok(entries), Ok(count)) => assert_eq!(entries.len(), count),
            (Err(error), Err(expect)) => {
                let said = error.to_string();
                assert!(said.contains("corpus/all.jsonl") && said.contains(expect), "{said}");
            }
            (got, _) => panic!("{text:?} gave {got:?}"),
        }
    }

    #[test]
    fn lines_are_entries_or_say_what_is_wrong() {
        let good = r#"{"id":"a","video":"a.mp4"}"#;
        check("", Ok(0));
        check(&format!("{good}\n\n  \n"), Ok(1));
        check(r#"{"id":"b","video":"b.mp4","gloss":"HELLO","start_s":null}"#, Ok(1));
        check(&format!("{good}\nb"), Err("line 2: expected value"));
        check(&format!("{good}\n{good}"), Err("line 2: the id \"a\" is that of line 1"));
        check(r#"{"video":"a.mp4"}"#, Err("line 1: missing field `id`"));
        check(r#"{"id":"a"}"#, Err("missing field `video`"));
        check(r#"{"id":"a","id":"b","video":"a.mp4"}"#, Err("duplicate field `id`"));
        check(r#"{"id":7,"video":"a.mp4"}"#, Err("invalid type"));
        check(r#"{"id":"","video":"a.mp4"}"#, Err("its id is empty"));
        check(r#"{"id":"a","video":""}"#, Err("its video is empty"));
        check(&format!(r#"{{"id":"{}","video":"a.mp4"}}"#, "é".repeat(41)), Err("246 bytes where 240 fit"));
        check(r#"{"id":"a","video":"a.mp4","start_s":-1}"#, Err("its start_s is -1"));
        check(r#"{"id":"a","video":"a.mp4","end_s":1e99}"#, Err("its end_s is"));
        check(r#"{"id":"a","video":"a.mp4","start_s":2,"end_s":2}"#, Err("not after its start_s"));
        check(r#"{"id":"a","video":"a.mp4","end_s":0}"#, Err("not after its start_s"));
        check(
            &format!("{good}\n{{\"id\":\"{}\"}}", "a".repeat(LINE_LIMIT as usize)),
            Err("line 2: it is longer"),
        );
    }

    #[test]
    fn videos_lie_beside_the_manifest_and_times_are_microseconds() {
        let text = r#"{"id":"a","video":"clips/a.mp4","start_s":1.0000004,"end_s":2.5}
                      {"id":"b","video":"/data/b.mp4"}"#;
        let entries = parse(text.as_bytes(), Path::new("corpus/all.jsonl")).unwrap();
        assert_eq!(entries[0].video, Path::new("corpus/clips/a.mp4"));
        assert_eq!((entries[0].start_us, entries[0].end_us), (Some(1_000_000), Some(2_500_000)));
        assert_eq!(entries[1].video, Path::new("/data/b.mp4"));
        assert_eq!((entries[1].start_us, entries[1].end_us), (None, None));
    }

    #[test]
    fn ids_become_names_that_are_safe_and_differ() {
        let names = ["a-b_c.9", "train/0001", "..", ".a", "é", "%2F", "/", "-a", "a b"].map(file_name);
        assert_eq!(
            names,
            ["a-b_c.9", "train%2F0001", "%2E.", "%2Ea", "%C3%A9", "%252F", "%2F", "-a", "a%20b"]
        );
    }
}
