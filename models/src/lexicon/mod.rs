//! Lexicons: which clip signs which word or gloss.
//!
//! A lexicon is one file that was compiled ([`Compiled`]), or a folder of `.pose` clips with an `index.csv`, in the form of
//! the Python package `spoken-to-signed`. The first line names the columns:
//!
//! | column | meaning | where absent |
//! |---|---|---|
//! | `path` | the clip, within the folder | the index is refused |
//! | `signed_language` | as ISO 639-3, for example `ase` | the index is refused |
//! | `words` | the word or phrase that it signs; several are separated by a bar (U+007C) | empty |
//! | `glosses` | its gloss | empty |
//! | `spoken_language` | as ISO 639-1, for example `en` | empty: any |
//! | `start`, `end` | the part of the clip in ms; an `end` of 0 is the clip's end | 0 |
//! | `priority` | the lower wins | 0 |
//!
//! Only the index is read when a lexicon is opened. A row that cannot be used
//! is set aside with its reason, and the others stay.

mod compiled;
mod index;
mod segment;
mod word;

use std::collections::{BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

pub use compiled::{Builder, Compiled, Row};
pub use segment::{Piece, segment};
pub use word::{normalise, plain};

use crate::error::Error;
use crate::gloss::label_key;
use crate::playback::{Frame, normalise as normalised, to_track};
use crate::pose::PoseTrack;
use crate::pose_file::read_track;

/// One row of the index: a clip, and what it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The clip, relative to the lexicon's folder.
    pub path: PathBuf,
    /// Language of the words; empty where the index says nothing.
    pub spoken_language: String,
    /// Sign language of the clip.
    pub signed_language: String,
    /// Where the sign begins in the clip, in ms.
    pub start_ms: u32,
    /// Where it ends, in ms; 0 is the clip's end.
    pub end_ms: u32,
    /// The words as written, possibly empty.
    pub words: String,
    /// The gloss as written, possibly empty.
    pub glosses: String,
    /// The lower wins.
    pub priority: i32,
    /// Line of the index, from 1.
    pub line: u64,
}

/// A row of the index that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Line of the index, from 1.
    pub line: u64,
    /// Why, in words.
    pub reason: String,
}

/// A lexicon that was opened.
#[derive(Debug, Clone)]
pub struct Lexicon {
    folder: PathBuf,
    /// The file, where it is no folder. Its tables take the place of the terms below.
    compiled: Option<Arc<Compiled>>,
    entries: Vec<Entry>,
    rejected: Vec<Rejected>,
    /// Entry numbers by signed language, then by normalised word.
    words: Terms,
    /// Entry numbers by signed language, then by label key.
    glosses: Terms,
}

type Terms = HashMap<String, HashMap<String, Vec<usize>>>;

impl Lexicon {
    /// Opens a folder that holds an `index.csv`, or a file that was compiled. Clips are not read yet.
    ///
    /// # Errors
    /// The folder or its index cannot be read, a needed column is missing, or the file is broken.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = path.as_ref();
        if folder.is_file() {
            return Self::of_file(folder);
        }
        let path = folder.join("index.csv");
        let (entries, rejected) = index::read(&index::load(&path)?, &path)?;
        let mut lexicon = Self {
            folder: folder.canonicalize().map_err(Error::io("open", folder))?,
            compiled: None,
            entries,
            rejected,
            words: Terms::new(),
            glosses: Terms::new(),
        };
        for (number, entry) in lexicon.entries.iter().enumerate() {
            let words = lexicon.words.entry(entry.signed_language.clone()).or_default();
            for term in entry.words.split('|').map(normalise).filter(|term| !term.is_empty()) {
                words.entry(term).or_default().push(number);
            }
            let gloss = label_key(&entry.glosses);
            if !gloss.is_empty() {
                let glosses = lexicon.glosses.entry(entry.signed_language.clone()).or_default();
                glosses.entry(gloss).or_default().push(number);
            }
        }
        Ok(lexicon)
    }

    fn of_file(path: &Path) -> Result<Self, Error> {
        let folder = path.canonicalize().map_err(Error::io("open", path))?;
        let compiled = Compiled::open(path)?;
        let entry = |row: Row| Entry {
            path: row.source.into(),
            spoken_language: row.spoken_language.into(),
            signed_language: row.signed_language.into(),
            start_ms: 0,
            end_ms: 0,
            words: row.words.into(),
            glosses: row.glosses.into(),
            priority: row.priority,
            line: row.line.into(),
        };
        let entries: Vec<Entry> = (0..compiled.len()).filter_map(|n| compiled.row(n)).map(entry).collect();
        if entries.len() < compiled.len() {
            return Err(Error::LexiconFile { path: path.into(), why: "a name in it is no text".into() });
        }
        let (words, glosses) = (Terms::new(), Terms::new());
        Ok(Self { folder, compiled: Some(Arc::new(compiled)), entries, rejected: vec![], words, glosses })
    }

    /// The folder or file, as an absolute path.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The rows that cannot be used, in the order of the index.
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }

    /// All entries, in the order of the index.
    pub fn all(&self) -> &[Entry] {
        &self.entries
    }

    /// All entries of a signed language, in the order of the index.
    pub fn entries(&self, signed_language: &str) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.signed_language == signed_language)
    }

    /// The pairs of signed and spoken language that have entries, sorted.
    pub fn languages(&self) -> Vec<(&str, &str)> {
        let pairs = self.entries.iter().map(|e| (e.signed_language.as_str(), e.spoken_language.as_str()));
        pairs.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The entries that sign a word, a phrase or a gloss, the best first.
    ///
    /// The lower priority comes first, then a match of the words before one of
    /// the gloss, then the order of the index. With no spoken language given,
    /// all count.
    pub fn find(&self, signed_language: &str, spoken_language: Option<&str>, term: &str) -> Vec<&Entry> {
        if let Some(compiled) = &self.compiled {
            let found = compiled.find(signed_language, spoken_language, term);
            return found.into_iter().filter_map(|number| self.entries.get(number)).collect();
        }
        let look_up = |terms: &Terms, key: &str| -> Vec<usize> {
            terms.get(signed_language).and_then(|t| t.get(key)).cloned().unwrap_or_default()
        };
        let by_word = look_up(&self.words, &normalise(term));
        let by_gloss = look_up(&self.glosses, &label_key(term));
        let only_gloss = by_gloss.iter().filter(|number| !by_word.contains(number));
        let mut found: Vec<&Entry> = by_word.iter().chain(only_gloss).map(|&n| &self.entries[n]).collect();
        if let Some(spoken) = spoken_language {
            found.retain(|e| e.spoken_language.is_empty() || e.spoken_language == spoken);
        }
        found.sort_by_key(|e| e.priority);
        found
    }

    /// The frames of an entry by its number, of the standard signer, and their rate in frames a second; none where
    /// neither body nor hands are seen.
    ///
    /// # Errors
    /// As [`Self::clip`].
    pub fn frames(&self, number: usize) -> Result<Option<(Vec<Frame>, f32)>, Error> {
        if let Some(compiled) = &self.compiled {
            return Ok(Some((compiled.clip(number)?, compiled.fps())));
        }
        let Some(entry) = self.entries.get(number) else { return Ok(None) };
        let track = self.clip(entry)?;
        Ok(normalised(&track).map(|frames| (frames, track.fps)))
    }

    /// Reads the clip of an entry, cut to its part. A file's clips are of the standard signer.
    ///
    /// # Errors
    /// The clip cannot be read, is no `.pose` file, or lies outside the folder; or the file is broken.
    pub fn clip(&self, entry: &Entry) -> Result<PoseTrack, Error> {
        if let Some(compiled) = &self.compiled {
            let number = self.entries.iter().position(|own| own == entry).unwrap_or(self.entries.len());
            return Ok(to_track(&compiled.clip(number)?, compiled.fps()));
        }
        let escape = || Error::LexiconEscape { path: entry.path.clone() };
        if !is_within(&entry.path) {
            return Err(escape());
        }
        let path = self.folder.join(&entry.path);
        let real = path.canonicalize().map_err(Error::io("open", &path))?;
        if !real.starts_with(&self.folder) {
            return Err(escape());
        }
        let end = (entry.end_ms > 0).then_some(entry.end_ms);
        Ok(read_track(path)?.slice_ms(entry.start_ms, end))
    }
}

/// Whether a relative path stays within the folder that it starts from.
fn is_within(path: &Path) -> bool {
    path.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir))
        && path.components().any(|c| matches!(c, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, within: bool) {
        assert_eq!(is_within(Path::new(path)), within, "{path:?}");
    }

    #[test]
    fn paths_that_leave_the_folder_are_refused() {
        check("ase/a.pose", true);
        check("./a.pose", true);
        check("../a.pose", false);
        check("ase/../../a.pose", false);
        check("/etc/passwd", false);
        check("", false);
        check(".", false);
    }
}
