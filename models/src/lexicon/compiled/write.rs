//! Makes the file of a compiled lexicon. The same signs in the same order give the same bytes.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

use super::{MAGIC, clip, key};
use crate::gloss::label_key;
use crate::lexicon::{Entry, normalise};
use crate::playback::Frame;
use crate::whole;

/// Signs that are put into a file.
#[derive(Debug)]
pub struct Builder {
    fps: f32,
    entries: Vec<u8>,
    count: u32,
    names: Vec<u8>,
    known: HashMap<String, [u8; 6]>,
    /// The entries of each key.
    terms: BTreeMap<Vec<u8>, Vec<u32>>,
    clips: Vec<u8>,
}

impl Builder {
    /// An empty one; all clips are of this rate, in frames a second.
    pub fn new(fps: f32) -> Self {
        Self {
            fps,
            entries: vec![],
            count: 0,
            names: vec![],
            known: HashMap::new(),
            terms: BTreeMap::new(),
            clips: vec![],
        }
    }

    /// Adds a sign: of the entry the languages, words, gloss, priority and where it came from, and its frames.
    ///
    /// # Errors
    /// Why it cannot be added.
    pub fn add(&mut self, entry: &Entry, frames: &[Frame]) -> Result<(), &'static str> {
        let packed = clip::pack(frames).ok_or("its clip is empty, or longer than 65,535 frames")?;
        let source = entry.path.to_string_lossy();
        let texts = [&entry.words, &entry.glosses, &entry.signed_language, &entry.spoken_language];
        if texts.iter().any(|t| t.len() > usize::from(u16::MAX)) || source.len() > usize::from(u16::MAX) {
            return Err("a name of it is longer than 65,535 bytes");
        }
        let names = texts.map(|text| self.name(text));
        let source = self.name(&source);
        self.entries.extend((self.clips.len() as u64).to_le_bytes());
        self.entries.extend((packed.len() as u32).to_le_bytes());
        self.entries.extend(crc32c::crc32c(&packed).to_le_bytes());
        self.entries.extend(u32::try_from(entry.line).unwrap_or(u32::MAX).to_le_bytes());
        self.entries.extend(entry.priority.to_le_bytes());
        names.iter().chain([&source]).for_each(|name| self.entries.extend(name));
        self.clips.extend(packed);

        let signed = &entry.signed_language;
        let words = entry.words.split('|').map(normalise).filter(|term| !term.is_empty());
        let words = words.map(|term| key('w', signed, &term));
        let gloss = Some(label_key(&entry.glosses)).filter(|gloss| !gloss.is_empty());
        for key in words.chain(gloss.map(|gloss| key('g', signed, &gloss))) {
            let numbers = self.terms.entry(key).or_default();
            if numbers.last() != Some(&self.count) {
                numbers.push(self.count);
            }
        }
        self.count += 1;
        Ok(())
    }

    /// How many signs there are.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Writes the file; what stood in its place stays until the new one is whole.
    ///
    /// # Errors
    /// Those of the system.
    pub fn write(mut self, path: &Path) -> io::Result<()> {
        let (mut terms, mut postings) = (vec![], vec![]);
        for (key, numbers) in std::mem::take(&mut self.terms) {
            terms.extend(self.bytes_of(&key));
            terms.extend((postings.len() as u32 / 4).to_le_bytes());
            let some = &numbers[..numbers.len().min(usize::from(u16::MAX))];
            terms.extend((some.len() as u16).to_le_bytes());
            some.iter().for_each(|number| postings.extend(number.to_le_bytes()));
        }
        let tables = [&self.entries[..], &terms, &postings, &self.names].concat();
        let mut head = MAGIC.to_vec();
        head.extend(self.fps.to_le_bytes());
        head.extend(self.count.to_le_bytes());
        head.extend((terms.len() as u32 / super::TERM as u32).to_le_bytes());
        head.extend((postings.len() as u32 / super::POSTING as u32).to_le_bytes());
        head.extend((self.names.len() as u32).to_le_bytes());
        head.extend((self.clips.len() as u64).to_le_bytes());
        head.extend(crc32c::crc32c(&tables).to_le_bytes());
        head.extend(crc32c::crc32c(&head).to_le_bytes());
        whole::write(path, [&head[..], &tables, &self.clips].concat())
    }

    /// Where a text stands; one that stands there already is not written again.
    fn name(&mut self, text: &str) -> [u8; 6] {
        if let Some(place) = self.known.get(text) {
            return *place;
        }
        let place = self.bytes_of(text.as_bytes());
        self.known.insert(text.to_owned(), place);
        place
    }

    fn bytes_of(&mut self, bytes: &[u8]) -> [u8; 6] {
        let at = (self.names.len() as u32).to_le_bytes();
        let length = (bytes.len() as u16).to_le_bytes();
        self.names.extend(bytes);
        [at[0], at[1], at[2], at[3], length[0], length[1]]
    }
}
