//! A lexicon in one file: what the unit opens, however many signs there are.
//!
//! `signpost-host lexicon build` makes it out of lexicon folders. Its clips are of the standard signer already, see
//! [`crate::playback::normalise`], at one rate. The file is mapped into memory, so that opening it reads only its
//! tables, and a clip is unpacked when it is signed. All numbers are little-endian:
//!
//! | part | holds |
//! |---|---|
//! | head | `SIGNLEX1`, rate (`f32`, frames a second), entries, terms, postings (`u32` each), bytes of names (`u32`), bytes of clips (`u64`), CRC32C of the tables (`u32`), CRC32C of the head so far (`u32`) |
//! | entries | for each: where its clip lies (`u64`), its bytes and CRC32C, its line, its priority (`u32`, `i32`), and for words, gloss, signed and spoken language and the recording where it stands in the names and how long it is (`u32`, `u16`) |
//! | terms | for each, in the order of their bytes: where its key stands in the names (`u32`, `u16`), its first posting and how many it has (`u32`, `u16`) |
//! | postings | numbers of entries (`u32`), of a term the best first |
//! | names | UTF-8 |
//! | clips | one after the other, see [`clip`](self) |
//!
//! A key is `w` or `g` for a word or a gloss, the signed language, a zero, and the term in the form that lexicons
//! look it up by. A clip is its frames (`u16`), its parts (`u8`: 1 the left hand, 2 the right one, 4 the face), and
//! zstd over its numbers: one channel after the other, head, elbows, wrists, hands, face, each coordinate a channel;
//! of each number in 16-bit floats the difference from the frame before, all low bytes before all high ones. What was
//! not seen is not a number.

mod clip;
mod map;
mod write;

use std::path::{Path, PathBuf};

use super::normalise;
use crate::error::Error;
use crate::gloss::label_key;
use crate::playback::Frame;
use map::Map;
pub use write::Builder;

const MAGIC: [u8; 8] = *b"SIGNLEX1";
const HEAD: usize = 8 + 4 + 4 * 4 + 8 + 4 + 4;
const ENTRY: usize = 8 + 4 * 4 + 5 * NAME;
const NAME: usize = 4 + 2;
const TERM: usize = NAME + 4 + 2;
const POSTING: usize = 4;

/// A lexicon's file, opened.
#[derive(Debug)]
pub struct Compiled {
    map: Map,
    path: PathBuf,
    parts: Parts,
}

/// One sign of a [`Compiled`] lexicon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The words as written, parted by bars, possibly none.
    pub words: &'a str,
    /// The gloss as written, possibly empty.
    pub glosses: &'a str,
    /// Language of the sign, as ISO 639-3.
    pub signed_language: &'a str,
    /// Language of the words, as ISO 639-1; empty where any.
    pub spoken_language: &'a str,
    /// The recording that it was made from, within its folder.
    pub source: &'a str,
    /// The line of that folder's index, from 1.
    pub line: u32,
    /// The lower wins.
    pub priority: i32,
}

impl Compiled {
    /// Opens a file. No clip is read yet.
    ///
    /// # Errors
    /// [`Error::LexiconFile`] where it cannot be read, is none, was cut short or has changed.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let wrong = |why: String| Error::LexiconFile { path: path.into(), why };
        let map = Map::open(path).map_err(|e| wrong(e.to_string()))?;
        let parts = parts(map.bytes()).map_err(|why| wrong(why.into()))?;
        Ok(Self { map, path: path.into(), parts })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Frames a second of all clips.
    pub fn fps(&self) -> f32 {
        self.parts.fps
    }

    /// How many signs it has.
    pub fn len(&self) -> usize {
        self.parts.entries
    }

    /// Whether it has no sign.
    pub fn is_empty(&self) -> bool {
        self.parts.entries == 0
    }

    /// The sign of a number; none where there is none, or its names are broken.
    pub fn row(&self, number: usize) -> Option<Row<'_>> {
        let row = self.entry(number)?;
        let name = |i: usize| self.name(&row[24 + i * NAME..]);
        Some(Row {
            words: name(0)?,
            glosses: name(1)?,
            signed_language: name(2)?,
            spoken_language: name(3)?,
            source: name(4)?,
            line: u32_at(row, 16)?,
            priority: u32_at(row, 20)? as i32,
        })
    }

    /// All signs in order, with their numbers.
    pub fn rows(&self) -> impl Iterator<Item = (usize, Row<'_>)> {
        (0..self.len()).filter_map(|number| Some((number, self.row(number)?)))
    }

    /// Numbers of the signs for a word, a phrase or a gloss, the best first, as [`super::Lexicon::find`] has them.
    pub fn find(&self, signed_language: &str, spoken_language: Option<&str>, term: &str) -> Vec<usize> {
        let mut found = self.postings(&key('w', signed_language, &normalise(term)));
        for number in self.postings(&key('g', signed_language, &label_key(term))) {
            if !found.contains(&number) {
                found.push(number);
            }
        }
        let mut found: Vec<(i32, usize)> = found
            .into_iter()
            .filter_map(|number| Some((number, self.row(number)?)))
            .filter(|(_, row)| {
                spoken_language.is_none_or(|s| row.spoken_language.is_empty() || row.spoken_language == s)
            })
            .map(|(number, row)| (row.priority, number))
            .collect();
        found.sort_by_key(|(priority, _)| *priority);
        found.into_iter().map(|(_, number)| number).collect()
    }

    /// The frames of a sign.
    ///
    /// # Errors
    /// [`Error::LexiconFile`] where there is no such sign or its bytes are not those that were written.
    pub fn clip(&self, number: usize) -> Result<Vec<Frame>, Error> {
        let wrong = |why: String| Error::LexiconFile { path: self.path.clone(), why };
        let broken = || wrong(format!("the clip of sign {number} is broken"));
        let row = self.entry(number).ok_or_else(|| wrong(format!("it has no sign {number}")))?;
        let at = usize::try_from(u64_at(row, 0).ok_or_else(broken)?).map_err(|_| broken())?;
        let length = u32_at(row, 8).ok_or_else(broken)? as usize;
        let bytes = self.map.bytes()[self.parts.clips_at..].get(at..).and_then(|b| b.get(..length));
        let bytes = bytes.filter(|b| Some(crc32c::crc32c(b)) == u32_at(row, 12)).ok_or_else(broken)?;
        clip::unpack(bytes).ok_or_else(broken)
    }

    fn entry(&self, number: usize) -> Option<&[u8]> {
        let all = &self.map.bytes()[HEAD..self.parts.terms_at];
        all.chunks_exact(ENTRY).nth(number)
    }

    /// The text that six bytes point at.
    fn name(&self, place: &[u8]) -> Option<&str> {
        std::str::from_utf8(self.name_bytes(place)?).ok()
    }

    fn name_bytes(&self, place: &[u8]) -> Option<&[u8]> {
        let (at, length) = (u32_at(place, 0)? as usize, u16_at(place, 4)? as usize);
        self.map.bytes()[self.parts.names_at..self.parts.clips_at].get(at..)?.get(..length)
    }

    /// The entries of a key, by halving.
    fn postings(&self, key: &[u8]) -> Vec<usize> {
        let terms = &self.map.bytes()[self.parts.terms_at..self.parts.postings_at];
        let term = |i: usize| &terms[i * TERM..(i + 1) * TERM];
        let (mut low, mut high) = (0, self.parts.terms);
        while low < high {
            let middle = low.midpoint(high);
            let at = term(middle);
            match self.name_bytes(at).unwrap_or_default().cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    let (first, count) = (u32_at(at, NAME), u16_at(at, NAME + 4));
                    return self.posted(first.unwrap_or(0) as usize, count.unwrap_or(0) as usize);
                }
            }
        }
        Vec::new()
    }

    fn posted(&self, first: usize, count: usize) -> Vec<usize> {
        let all = &self.map.bytes()[self.parts.postings_at..self.parts.names_at];
        let some = all.chunks_exact(POSTING).skip(first).take(count);
        some.filter_map(|posting| u32_at(posting, 0)).map(|number| number as usize).collect()
    }
}

/// The key of a term.
fn key(kind: char, signed_language: &str, term: &str) -> Vec<u8> {
    format!("{kind}{signed_language}\0{term}").into_bytes()
}

/// What a file has, and where its parts begin.
#[derive(Debug)]
struct Parts {
    fps: f32,
    entries: usize,
    terms: usize,
    terms_at: usize,
    postings_at: usize,
    names_at: usize,
    clips_at: usize,
}

/// Finds the parts of a file, or says what is wrong with it.
fn parts(bytes: &[u8]) -> Result<Parts, &'static str> {
    let head = bytes.get(..HEAD).filter(|head| head.starts_with(&MAGIC));
    let head = head.ok_or("it is no compiled lexicon, or one of another version")?;
    let cut = || "it was cut short";
    let number = |at: usize| u32_at(head, at).ok_or_else(cut);
    if crc32c::crc32c(&head[..HEAD - 4]) != number(HEAD - 4)? {
        return Err("its head is broken");
    }
    let fps = f32::from_bits(number(8)?);
    if !(1.0..=240.0).contains(&fps) {
        return Err("its rate is none");
    }
    let [entries, terms, postings, names] = [12, 16, 20, 24].map(|at| u32_at(head, at).unwrap_or(0) as usize);
    let clips = u64_at(head, 28).and_then(|n| usize::try_from(n).ok()).ok_or_else(cut)?;
    let after = |at: usize, count: usize, size: usize| {
        count.checked_mul(size).and_then(|n| n.checked_add(at)).ok_or_else(cut)
    };
    let terms_at = after(HEAD, entries, ENTRY)?;
    let postings_at = after(terms_at, terms, TERM)?;
    let names_at = after(postings_at, postings, POSTING)?;
    let clips_at = after(names_at, names, 1)?;
    if after(clips_at, clips, 1)? != bytes.len() {
        return Err(cut());
    }
    if crc32c::crc32c(&bytes[HEAD..clips_at]) != number(36)? {
        return Err("its tables are broken");
    }
    Ok(Parts { fps, entries, terms, terms_at, postings_at, names_at, clips_at })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexicon::Entry;

    fn entry(words: &str, gloss: &str, spoken: &str, priority: i32) -> Entry {
        Entry {
            path: format!("{gloss}.pose").into(),
            spoken_language: spoken.into(),
            signed_language: "gsg".into(),
            start_ms: 0,
            end_ms: 0,
            words: words.into(),
            glosses: gloss.into(),
            priority,
            line: 7,
        }
    }

    fn clip(turn: f32) -> Vec<Frame> {
        let mut frame = Frame::rest();
        frame.wrists[1] = [turn, 0.0, 0.0];
        vec![frame; 5]
    }

    fn file(folder: &Path) -> PathBuf {
        let mut builder = Builder::new(25.0);
        builder.add(&entry("Haus|Gebäude", "HAUS1", "de", 1), &clip(0.25)).unwrap();
        builder.add(&entry("haus", "HAUS2", "de", 0), &clip(0.5)).unwrap();
        builder.add(&entry("house", "HAUS1", "en", 2), &clip(0.75)).unwrap();
        assert!(builder.add(&entry("leer", "LEER", "de", 0), &[]).is_err());
        assert_eq!((builder.len(), builder.is_empty()), (3, false));
        let path = folder.join("a.lexicon");
        builder.write(&path).unwrap();
        path
    }

    #[test]
    fn signs_are_found_by_word_and_gloss_and_come_back_with_their_clip() {
        let folder = tempfile::tempdir().unwrap();
        let lexicon = Compiled::open(file(folder.path())).unwrap();
        assert_eq!((lexicon.len(), lexicon.fps()), (3, 25.0));
        assert_eq!(lexicon.find("gsg", None, "HAUS"), [1, 0], "the lower priority first");
        assert_eq!(lexicon.find("gsg", Some("de"), "gebäude"), [0]);
        assert_eq!(lexicon.find("gsg", Some("en"), "HAUS1"), [2]);
        assert_eq!(lexicon.find("gsg", None, "haus1"), [0, 2]);
        assert!(lexicon.find("ase", None, "haus").is_empty() && lexicon.find("gsg", None, "").is_empty());
        let row = lexicon.row(0).unwrap();
        assert_eq!((row.words, row.source, row.line, row.priority), ("Haus|Gebäude", "HAUS1.pose", 7, 1));
        assert_eq!(lexicon.rows().count(), 3);
        let turns = (0..3).map(|n| lexicon.clip(n).unwrap()[4].wrists[1][0]);
        assert_eq!(turns.collect::<Vec<_>>(), [0.25, 0.5, 0.75]);
        assert!(lexicon.clip(3).is_err() && lexicon.row(3).is_none());
    }

    #[test]
    fn a_file_that_changed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path());
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(std::fs::read(file(folder.path())).unwrap(), bytes, "the same signs, the same bytes");
        let clips_at = parts(&bytes).unwrap().clips_at;
        for at in 0..bytes.len() {
            let cut = parts(&bytes[..at]).err();
            assert!(cut.is_some(), "cut at {at}");
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x10;
            assert_eq!(parts(&bytes).is_err(), at < clips_at, "byte {at}");
            if at >= clips_at {
                std::fs::write(folder.path().join("b.lexicon"), &bytes).unwrap();
                let lexicon = Compiled::open(folder.path().join("b.lexicon")).unwrap();
                let broken = (0..3).filter(|n| lexicon.clip(*n).is_err()).count();
                assert_eq!(broken, 1, "byte {at} is of one clip");
            }
        }
        let refused = Compiled::open(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("lexicon build"), "{refused}");
        assert!(Compiled::open(folder.path().join("none")).is_err());
        std::fs::write(folder.path().join("empty"), "").unwrap();
        assert!(Compiled::open(folder.path().join("empty")).is_err());
    }
}
