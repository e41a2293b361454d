//! Corpora of continuous signing: a folder with `utterances.jsonl`, one utterance a line.
//!
//! ```json
//! {"id": "a", "signer": "anna", "pose": "poses/a.pose", "text": "Hello.",
//!  "glosses": [{"gloss": "HELLO", "start_s": 0.2, "end_s": 0.9}]}
//! ```
//!
//! What a recogniser said about such a corpus has the same form; `pose` and `signer` may be absent there,
//! and a gloss may have a `confidence` from 0 to 1. Keys that are not known are passed over.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path};

pub use models::utterance::{INDEX as UTTERANCES, TimedGloss, Utterance};
use models::whole;

use crate::Error;

/// The longest file that is read, in bytes: some million utterances.
const FILE_LIMIT: u64 = 256 << 20;
/// The most glosses of an utterance: minutes of signing without a pause. Comparing two utterances takes
/// memory that grows with the square of it.
const GLOSS_LIMIT: usize = 2000;
/// The longest text of an utterance, in bytes.
const TEXT_LIMIT: usize = 20_000;
/// The latest time within a recording, in seconds: a week.
const TIME_LIMIT: f64 = 604_800.0;

/// Reads a corpus's folder, or a `.jsonl` file.
///
/// # Errors
/// Where the file cannot be read or is too large; [`Error::Utterances`] with the line that is no utterance;
/// [`Error::NoClips`] where there is none.
pub fn utterances(folder_or_file: &Path) -> Result<Vec<Utterance>, Error> {
    let path = match folder_or_file.is_dir() {
        true => folder_or_file.join(UTTERANCES),
        false => folder_or_file.to_owned(),
    };
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(Error::io("read", &path))?;
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(Error::io("read", &path))?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(models::Error::TooLarge { path, limit: FILE_LIMIT }.into());
    }
    let (mut found, mut ids) = (Vec::new(), HashSet::new());
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    for (line, text) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let wrong = |why: String| Error::Utterances { path: path.clone(), line, why };
        let utterance: Utterance =
            serde_json::from_slice(text).map_err(|e| wrong(format!("it is no utterance ({e})")))?;
        check(&utterance).map_err(wrong)?;
        if !ids.insert(utterance.id.clone()) {
            return Err(wrong(format!("another line has the id {:?}", utterance.id)));
        }
        found.push(utterance);
    }
    if found.is_empty() {
        let next = "write an utterance a line into it".into();
        return Err(Error::NoClips { what: path.display().to_string(), next });
    }
    Ok(found)
}

/// Writes a list of utterances; it stands whole or not at all.
///
/// # Errors
/// Where the file cannot be written.
pub fn write_utterances(path: &Path, utterances: &[Utterance]) -> Result<(), Error> {
    let line = |utterance: &Utterance| {
        serde_json::to_string(utterance).expect("an utterance has text keys only") + "\n"
    };
    let lines: String = utterances.iter().map(line).collect();
    whole::write(path, lines).map_err(Error::io("write", path))
}

/// What is wrong with an utterance.
fn check(utterance: &Utterance) -> Result<(), String> {
    if utterance.id.trim().is_empty() {
        return Err("its id is empty".into());
    }
    if utterance.glosses.len() > GLOSS_LIMIT {
        return Err(format!("it has more than {GLOSS_LIMIT} glosses"));
    }
    if utterance.text.as_ref().is_some_and(|text| text.len() > TEXT_LIMIT) {
        return Err(format!("its text is longer than {TEXT_LIMIT} bytes"));
    }
    let within =
        |pose: &Path| pose.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    if let Some(pose) = utterance.pose.as_deref().filter(|pose| !within(Path::new(pose))) {
        return Err(format!("its pose {:?} is not within the corpus's folder", pose));
    }
    for gloss in &utterance.glosses {
        let TimedGloss { gloss, start_s, end_s, confidence } = gloss;
        if gloss.trim().is_empty() {
            return Err("a gloss is empty".into());
        }
        if !(0.0..=TIME_LIMIT).contains(start_s) || !(*start_s..=TIME_LIMIT).contains(end_s) {
            return Err(format!(
                "{gloss} lasts from {start_s} s to {end_s} s, which is no time within a recording"
            ));
        }
        if confidence.is_some_and(|c| !(0.0..=1.0).contains(&c)) {
            return Err(format!("the confidence of {gloss} is not within 0 to 1"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a file with that text.
    fn read(case: &str, text: &str) -> Result<Vec<Utterance>, Error> {
        let path = std::env::temp_dir().join(format!("signpost-utterances-{}-{case}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let read = utterances(&path);
        std::fs::remove_file(&path).unwrap();
        read
    }

    #[track_caller]
    fn check_error(case: &str, text: &str, expect: &str) {
        let said = read(case, text).unwrap_err().to_string();
        assert!(said.contains(expect), "{said:?} does not contain {expect:?}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }

    const LINE: &str = r#"{"id":"a","signer":"s","pose":"p/a.pose","glosses":[{"gloss":"HI","start_s":0.2,"end_s":0.9,"confidence":0.5}],"text":"Hi.","more":1}"#;

    #[test]
    fn lines_are_utterances() {
        let read = read("good", &format!("\u{feff}{LINE}\r\n\n{{\"id\":\"b\",\"glosses\":[]}}\n")).unwrap();
        let gloss = TimedGloss { gloss: "HI".into(), start_s: 0.2, end_s: 0.9, confidence: Some(0.5) };
        let first = Utterance {
            id: "a".into(),
            signer: "s".into(),
            pose: Some("p/a.pose".into()),
            glosses: vec![gloss],
            text: Some("Hi.".into()),
            ..Utterance::default()
        };
        assert_eq!(read, [first.clone(), Utterance { id: "b".into(), ..Utterance::default() }]);
        let again: Utterance = serde_json::from_str(&serde_json::to_string(&first).unwrap()).unwrap();
        assert_eq!(again, first);
    }

    #[test]
    fn other_lines_are_named() {
        check_error("empty", "\n", "no clip is left");
        check_error("json", &format!("{LINE}\n{{"), "line 2: it is no utterance");
        check_error("twice", &format!("{LINE}\n{LINE}"), "line 2: another line has the id \"a\"");
        check_error("id", &LINE.replace("\"a\"", "\" \""), "line 1: its id is empty");
        check_error("gloss", &LINE.replace("HI", " "), "a gloss is empty");
        check_error("back", &LINE.replace("0.9", "0.1"), "HI lasts from 0.2 s to 0.1 s");
        check_error("late", &LINE.replace("0.9", "1e9"), "no time within a recording");
        check_error("sure", &LINE.replace("0.5", "1.5"), "not within 0 to 1");
        check_error("out", &LINE.replace("p/a", "../a"), "not within the corpus's folder");
        check_error("root", &LINE.replace("p/a", "/a"), "not within the corpus's folder");
    }
}
