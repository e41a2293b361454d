//! Corpora of sentences with their glosses: readers for the forms in which they are passed on.
//!
//! - RWTH-PHOENIX-Weather 2014T: a table with `gloss` and `text`, parted by tabs, or the official one with
//!   `orth` and `translation`, parted by `|`.
//! - CE-CSL: a table with `Chinese Sentences` and `Gloss`, parted by commas, its glosses by `/`.
//! - ASLG-PC12: two files, `NAME.en` and `NAME.gloss.asl`, line by line.
//! - CNText2Sign, and whatever else has objects: JSON, an array or an object a line, with `text` or `sentence`
//!   and `gloss` or `glosses`, which are a text or a list.

use std::io::Read;
use std::path::Path;

use models::translator::text::gloss_words;
use serde::Deserialize;

use crate::Error;

/// The largest file that is read, in bytes: some million sentences.
const FILE_LIMIT: u64 = 256 << 20;
/// The longest sentence or row of glosses, in bytes.
const TEXT_LIMIT: usize = 20_000;

/// A sentence and how it is signed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sentence {
    /// Its name in the corpus, or the line that it stands in.
    pub id: String,
    /// As it is spoken or written.
    pub text: String,
    /// Its glosses, one space between two.
    pub glosses: String,
}

/// Reads a corpus's file.
///
/// # Errors
/// Where the file cannot be read or is too large, and [`Error::Sentences`] with the line that is wrong.
pub fn sentences(path: &Path) -> Result<Vec<Sentence>, Error> {
    let whole = read(path)?;
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let found = match extension {
        "json" | "jsonl" => objects(path, &whole)?,
        "en" => {
            let glosses = path.with_extension("gloss.asl");
            lines(path, &whole, &glosses, &read(&glosses)?)?
        }
        _ => table(path, &whole)?,
    };
    let long = |s: &&Sentence| s.text.len() > TEXT_LIMIT || s.glosses.len() > TEXT_LIMIT;
    if let Some(long) = found.iter().find(long) {
        let why = format!("{} is longer than {TEXT_LIMIT} bytes", long.id);
        return Err(Error::Sentences { path: path.into(), line: 0, why });
    }
    if found.is_empty() {
        let why = "no row has both a text and glosses".into();
        return Err(Error::Sentences { path: path.into(), line: 1, why });
    }
    Ok(found)
}

fn read(path: &Path) -> Result<String, Error> {
    let file = std::fs::File::open(path).map_err(Error::io("read", path))?;
    let mut bytes = vec![];
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(models::Error::TooLarge { path: path.into(), limit: FILE_LIMIT }.into());
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let before = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|b| **b == b'\n').count();
        Error::Sentences { path: path.into(), line, why: "it is not UTF-8".into() }
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Names of the columns, and of the keys of objects: of the text, of the glosses, and of the sentence's name.
const TEXT: [&str; 5] = ["text", "translation", "sentence", "chinese sentences", "chinese"];
const GLOSS: [&str; 3] = ["gloss", "orth", "glosses"];
const NAME: [&str; 3] = ["name", "id", "number"];

fn table(path: &Path, whole: &str) -> Result<Vec<Sentence>, Error> {
    let wrong = |line, why: String| Error::Sentences { path: path.into(), line, why };
    let head = whole.lines().next().unwrap_or_default();
    let delimiter = [b'\t', b'|', b','].into_iter().max_by_key(|d| {
        let count = head.bytes().filter(|b| b == d).count();
        (count, std::cmp::Reverse(*d))
    });
    let delimiter = delimiter.unwrap_or(b',');
    // Only tables parted by commas quote: in the others a quotation mark is one.
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(delimiter == b',')
        .flexible(true)
        .from_reader(whole.as_bytes());
    let said = |e: csv::Error| {
        let line = e.position().map_or(0, csv::Position::line) as usize;
        wrong(line, format!("it is no row of a table ({e})"))
    };
    let head = reader.headers().map_err(said)?.clone();
    let column = |names: &[&str]| head.iter().position(|h| names.contains(&h.trim().to_lowercase().as_str()));
    let (Some(text), Some(gloss)) = (column(&TEXT), column(&GLOSS)) else {
        let why = format!("the head has no column {} or none {}", TEXT.join(", "), GLOSS.join(", "));
        return Err(wrong(1, why));
    };
    let name = column(&NAME);
    let mut found = vec![];
    for row in reader.records() {
        let row = row.map_err(said)?;
        let line = row.position().map_or(0, csv::Position::line) as usize;
        let (Some(text), Some(gloss)) = (row.get(text), row.get(gloss)) else {
            return Err(wrong(line, format!("it has {} columns and the head {}", row.len(), head.len())));
        };
        let id = name.and_then(|n| row.get(n)).filter(|n| !n.is_empty());
        found.extend(sentence(id, line, text, gloss));
    }
    Ok(found)
}

fn lines(path: &Path, text: &str, glosses_path: &Path, glosses: &str) -> Result<Vec<Sentence>, Error> {
    let counts = [text.lines().count(), glosses.lines().count()];
    if counts[0] != counts[1] {
        let why = format!("{} has {} lines, and this file {}", glosses_path.display(), counts[1], counts[0]);
        return Err(Error::Sentences { path: path.into(), line: counts[0].min(counts[1]) + 1, why });
    }
    let pairs = (1..).zip(text.lines().zip(glosses.lines()));
    Ok(pairs.filter_map(|(line, (text, gloss))| sentence(None, line, text, gloss)).collect())
}

/// Glosses of an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Glosses {
    Row(String),
    List(Vec<String>),
}

/// An object of a JSON corpus; keys that are not known are passed over.
#[derive(Deserialize)]
struct Object {
    #[serde(alias = "name", alias = "number")]
    id: Option<serde_json::Value>,
    #[serde(alias = "translation", alias = "sentence", alias = "chinese")]
    text: String,
    #[serde(alias = "orth", alias = "glosses")]
    gloss: Glosses,
}

fn objects(path: &Path, whole: &str) -> Result<Vec<Sentence>, Error> {
    let wrong = |line: usize, e: serde_json::Error| {
        let why = format!("it is no object with text and gloss ({e})");
        Error::Sentences { path: path.into(), line, why }
    };
    let array = whole.trim_start().starts_with('[');
    let objects: Vec<(usize, Object)> = if array {
        let objects: Vec<Object> = serde_json::from_str(whole).map_err(|e| wrong(e.line(), e))?;
        (1..).zip(objects).collect()
    } else {
        let lines = (1..).zip(whole.lines()).filter(|(_, text)| !text.trim().is_empty());
        lines
            .map(|(line, text)| Ok((line, serde_json::from_str(text).map_err(|e| wrong(line, e))?)))
            .collect::<Result<_, Error>>()?
    };
    let sentences = objects.into_iter().filter_map(|(line, Object { id, text, gloss })| {
        let gloss = match gloss {
            Glosses::Row(row) => row,
            Glosses::List(list) => list.join(" "),
        };
        let id = id.map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
        sentence(id.as_deref(), line, &text, &gloss)
    });
    Ok(sentences.collect())
}

/// A sentence; none where its text or its glosses are empty, as some corpora have them.
fn sentence(id: Option<&str>, line: usize, text: &str, gloss: &str) -> Option<Sentence> {
    let words: Vec<&str> = gloss_words(gloss).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!words.is_empty() && !text.is_empty()).then(|| Sentence {
        id: id.map_or_else(|| format!("line {line}"), str::to_owned),
        text,
        glosses: words.join(" "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(name: &str, files: &[(&str, &str)]) -> Result<Vec<Sentence>, Error> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        sentences(&folder.path().join(name))
    }

    #[track_caller]
    fn check(name: &str, text: &str, expect: &[[&str; 3]]) {
        let found = read_as(name, &[(name, text)]).unwrap();
        let found: Vec<_> = found.iter().map(|s| [&s.id[..], &s.text, &s.glosses]).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn every_form_is_read() {
        check(
            "train.tsv",
            "name\tsigner\tgloss\ttext\na-1\ts\tMORGEN REGEN\tmorgen \"regen .\nb\ts\t\tleer\n",
            &[["a-1", "morgen \"regen .", "MORGEN REGEN"]],
        );
        check(
            "official.csv",
            "\u{feff}name|video|start|end|speaker|orth|translation\nx|v|-1|-1|s|WIND  KALT|der wind , kalt\n",
            &[["x", "der wind , kalt", "WIND KALT"]],
        );
        check(
            "dev.csv",
            "Number,Translator,Chinese Sentences,Gloss,Note\nd1,A,\"好，吗？\",好/吗/？,\n",
            &[["d1", "好，吗？", "好 吗 ？"]],
        );
        check("a.json", r#"[{"text":"你好","gloss":["你","好"],"x":1}]"#, &[["line 1", "你好", "你 好"]]);
        check("a.jsonl", "{\"id\":7,\"sentence\":\"a b\",\"glosses\":\"A B\"}\n\n", &[["7", "a b", "A B"]]);
        let both = [("dev.en", "one .\ntwo\n"), ("dev.gloss.asl", "ONE .\nTWO\n")];
        let found = read_as("dev.en", &both).unwrap();
        assert_eq!((found.len(), &found[1].glosses[..]), (2, "TWO"));
    }

    #[track_caller]
    fn check_refused(name: &str, text: &str, expect: &str) {
        let refused = read_as(name, &[(name, text), ("dev.gloss.asl", "A\n")]).unwrap_err().to_string();
        assert!(refused.contains(expect), "{refused}");
    }

    #[test]
    fn what_is_no_corpus_is_refused() {
        check_refused("a.tsv", "one\ttwo\n1\t2\n", "line 1");
        check_refused("a.tsv", "gloss\tx\ttext\nA\ta\n", "line 2");
        check_refused("a.tsv", "gloss\ttext\n\t\n", "no row has both");
        check_refused("a.jsonl", "{\"text\":\"a\",\"gloss\":\"A\"}\n{\"text\":1}\n", "line 2");
        check_refused("dev.en", "a\nb\n", "line 2");
        check_refused("a.tsv", &format!("gloss\ttext\n{}\ta\n", "A".repeat(30_000)), "longer than");
    }
}
