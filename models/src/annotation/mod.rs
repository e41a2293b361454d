//! Who signs what when: ELAN's `.eaf`, SignStream's XML, and subtitles as SRT and WebVTT.
//!
//! A [`Document`] has tiers, a tier has annotations in time. The tiers [`SIGN`] (one gloss an annotation)
//! and [`SENTENCE`] (one utterance an annotation) are those of the sign-language-processing project's
//! segmentation. Subtitles are one list of [`Annotation`]s.
//!
//! Of an `.eaf` file all tiers are kept, whatever their names, with their annotations that stand in time.
//! Not kept are annotations that refer to another one rather than to time (counted in
//! [`Document::left_out`]), types and hierarchies of tiers, controlled vocabularies, and links other than media.

mod eaf_read;
mod eaf_write;
mod lines;
mod signstream;
mod srt;
mod vtt;
mod xml;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::{Error, whole};

pub use eaf_read::read_eaf;
pub use eaf_write::write_eaf;
pub use signstream::{Clock, SignStream, Signed, SignedGloss, main_glosses, read_signstream};
pub use srt::{read_srt, write_srt};
pub use vtt::{read_vtt, write_vtt};

/// The tier of single signs.
pub const SIGN: &str = "SIGN";
/// The tier of sentences.
pub const SENTENCE: &str = "SENTENCE";

/// The largest file that is read, in bytes: hours of dense annotation take a few megabytes.
const MAX_FILE: u64 = 64 << 20;

/// A text with its time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Annotation {
    /// When it begins, in milliseconds.
    pub start_ms: u32,
    /// When it ends, in milliseconds; never before it begins.
    pub end_ms: u32,
    /// A gloss, a sentence, or nothing.
    pub text: String,
}

impl Annotation {
    /// An annotation; a convenience for those who make many.
    pub fn new(start_ms: u32, end_ms: u32, text: impl Into<String>) -> Self {
        Self { start_ms, end_ms, text: text.into() }
    }

    /// Why it cannot be written in any format: it must end after it begins.
    fn check(&self) -> Result<(), Error> {
        if self.end_ms > self.start_ms {
            return Ok(());
        }
        Err(self.unwritable("it ends before it has begun; give it a millisecond at least"))
    }

    fn unwritable(&self, why: &'static str) -> Error {
        Error::AnnotationUnwritable { text: self.text.clone(), start_ms: self.start_ms, why }
    }
}

/// Annotations of one kind, or of one signer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tier {
    /// Its name, which no other tier of the document has.
    pub name: String,
    /// In the order of the file.
    pub annotations: Vec<Annotation>,
}

/// A recording that a document annotates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Media {
    /// Where it is, as a URL such as `file:///videos/a.mp4`.
    pub url: String,
    /// Where it is beside the document, such as `./a.mp4`; may be empty.
    pub relative_url: String,
    /// Its kind, such as `video/mp4`.
    pub mime: String,
}

/// An ELAN document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Who made it; may be empty.
    pub author: String,
    /// When it was made, as an `xsd:dateTime`; nothing here reads a clock, so [`Document::default`] says
    /// 1970 and files are the same in every run.
    pub date: String,
    /// What it annotates.
    pub media: Vec<Media>,
    /// In the order of the file.
    pub tiers: Vec<Tier>,
    /// How many annotations of the file refer to another one rather than to time, and were not kept.
    pub left_out: usize,
}

impl Default for Document {
    fn default() -> Self {
        let date = "1970-01-01T00:00:00+00:00".into();
        Self { author: String::new(), date, media: vec![], tiers: vec![], left_out: 0 }
    }
}

impl Document {
    /// The annotations of the tier of that name; none where there is no such tier.
    pub fn tier(&self, name: &str) -> &[Annotation] {
        self.tiers.iter().find(|t| t.name == name).map_or(&[], |t| &t.annotations)
    }
}

/// Reads an `.eaf` file.
///
/// # Errors
/// Where it cannot be read, is larger than 64 MiB, or is no annotation document.
pub fn read_eaf_file(path: &Path) -> Result<Document, Error> {
    read_eaf(&read_limited(path)?).map_err(|e| e.within(path))
}

/// Reads a file of SignStream's XML.
///
/// # Errors
/// Where it cannot be read, is larger than 64 MiB, or is neither a database nor an export of utterances.
pub fn read_signstream_file(path: &Path) -> Result<SignStream, Error> {
    read_signstream(&read_limited(path)?).map_err(|e| e.within(path))
}

fn read_limited(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io("read", path))?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Error::TooLarge { path: path.to_owned(), limit: MAX_FILE });
    }
    Ok(bytes)
}

/// Writes an `.eaf` file; it never stands half-written under its name.
///
/// # Errors
/// Where it cannot be written, or the document does not fit the format.
pub fn write_eaf_file(path: &Path, document: &Document) -> Result<(), Error> {
    let text = write_eaf(document)?;
    whole::write(path, text).map_err(Error::io("write", path))
}
