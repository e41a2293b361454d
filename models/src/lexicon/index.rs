//! Reading of `index.csv`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};

use super::{Entry, Rejected, is_within};
use crate::error::Error;

/// The largest index that is read, in bytes: more than a million rows.
const MAX_INDEX: u64 = 256 << 20;

/// The whole index.
pub(super) fn load(path: &Path) -> Result<Vec<u8>, Error> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    let mut bytes = Vec::new();
    file.take(MAX_INDEX + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > MAX_INDEX {
        return Err(Error::TooLarge { path: path.to_owned(), limit: MAX_INDEX });
    }
    Ok(bytes)
}

/// The rows of an index, and those that cannot be used.
pub(super) fn read(bytes: &[u8], path: &Path) -> Result<(Vec<Entry>, Vec<Rejected>), Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut rows =
        ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bytes).into_byte_records();
    let unreadable = |error: csv::Error| Error::io("read", path)(error.into());
    let head = rows.next().transpose().map_err(unreadable)?.unwrap_or_default();
    let columns = Columns::find(&head, path)?;
    let (mut entries, mut rejected) = (Vec::new(), Vec::new());
    for row in rows {
        let row = row.map_err(unreadable)?;
        let line = row.position().map_or(0, csv::Position::line);
        match columns.entry(&row, line) {
            Ok(entry) => entries.push(entry),
            Err(reason) => rejected.push(Rejected { line, reason }),
        }
    }
    Ok((entries, rejected))
}

/// Where each column stands.
struct Columns {
    path: usize,
    signed_language: usize,
    spoken_language: Option<usize>,
    start: Option<usize>,
    end: Option<usize>,
    words: Option<usize>,
    glosses: Option<usize>,
    priority: Option<usize>,
}

impl Columns {
    fn find(head: &ByteRecord, path: &Path) -> Result<Self, Error> {
        let column = |name: &str| head.iter().position(|field| field.trim_ascii() == name.as_bytes());
        let needed = |name| column(name).ok_or(Error::LexiconColumn { index: path.to_owned(), column: name });
        let columns = Self {
            path: needed("path")?,
            signed_language: needed("signed_language")?,
            spoken_language: column("spoken_language"),
            start: column("start"),
            end: column("end"),
            words: column("words"),
            glosses: column("glosses"),
            priority: column("priority"),
        };
        if columns.glosses.is_none() {
            needed("words")?;
        }
        Ok(columns)
    }

    fn entry(&self, row: &ByteRecord, line: u64) -> Result<Entry, String> {
        let optional = |column: Option<usize>| column.map_or(Ok(""), |column| text(row, column));
        let entry = Entry {
            path: text(row, self.path)?.into(),
            spoken_language: optional(self.spoken_language)?.into(),
            signed_language: text(row, self.signed_language)?.into(),
            start_ms: number(optional(self.start)?, "start")?,
            end_ms: number(optional(self.end)?, "end")?,
            words: optional(self.words)?.into(),
            glosses: optional(self.glosses)?.into(),
            priority: number(optional(self.priority)?, "priority")?,
            line,
        };
        if entry.path.to_string_lossy().contains("://") {
            return Err(format!("the clip {} is not a file of this machine", entry.path.display()));
        }
        if !is_within(&entry.path) {
            return Err(format!("the clip {:?} is not within the lexicon's folder", entry.path));
        }
        if entry.signed_language.is_empty() {
            return Err("signed_language is empty".into());
        }
        if entry.words.is_empty() && entry.glosses.is_empty() {
            return Err("words and glosses are both empty".into());
        }
        if entry.end_ms > 0 && entry.end_ms <= entry.start_ms {
            return Err(format!("the part from {} to {} ms is empty", entry.start_ms, entry.end_ms));
        }
        Ok(entry)
    }
}

fn text(row: &ByteRecord, column: usize) -> Result<&str, String> {
    let field = row.get(column).ok_or_else(|| format!("the row has {} columns only", row.len()))?;
    let text = std::str::from_utf8(field).map_err(|_| format!("column {} is not UTF-8", column + 1))?;
    Ok(text.trim())
}

/// A whole number; an empty field is 0.
fn number<T: std::str::FromStr + Default>(field: &str, column: &str) -> Result<T, String> {
    if field.is_empty() {
        return Ok(T::default());
    }
    field.parse().map_err(|_| format!("{column} is {field:?}, not a whole number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(index: &str) -> (Vec<Entry>, Vec<Rejected>) {
        read(index.as_bytes(), Path::new("index.csv")).unwrap()
    }

    #[test]
    fn a_bad_row_does_not_lose_the_rest() {
        let (entries, rejected) = rows(concat!(
            "path,spoken_language,signed_language,start,end,words,glosses,priority\n",
            "a.pose,en,ase,0,0,a,A,0\n",
            "../b.pose,en,ase,0,0,b,B,0\n",
            "c.pose,en,ase,soon,0,c,C,0\n",
            "d.pose,en\n",
            "e.pose,en,ase,500,400,e,E,0\n",
            "f.pose,en,ase,100,400,\"f, \"\"quoted\"\"\",F,-3\n",
        ));
        assert_eq!(entries.iter().map(|e| e.line).collect::<Vec<_>>(), [2, 7]);
        assert_eq!(rejected.iter().map(|r| r.line).collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert_eq!(entries[1].words, "f, \"quoted\"");
        assert_eq!((entries[1].start_ms, entries[1].end_ms, entries[1].priority), (100, 400, -3));
    }

    #[test]
    fn optional_columns_may_be_missing_and_in_any_order() {
        let (entries, rejected) = rows("\u{feff}glosses,signed_language,path\nHAUS,gsg,h.pose\n");
        assert_eq!(rejected, []);
        assert_eq!((entries[0].glosses.as_str(), entries[0].words.as_str()), ("HAUS", ""));
        assert_eq!((entries[0].start_ms, entries[0].end_ms, entries[0].priority), (0, 0, 0));
    }

    #[track_caller]
    fn check_missing(index: &str, column: &str) {
        let error = read(index.as_bytes(), Path::new("index.csv")).unwrap_err();
        assert!(matches!(&error, Error::LexiconColumn { column: c, .. } if *c == column), "{error}");
    }

    #[test]
    fn needed_columns_are_named() {
        check_missing("", "path");
        check_missing("path,words\n", "signed_language");
        check_missing("path,signed_language\n", "words");
    }
}
