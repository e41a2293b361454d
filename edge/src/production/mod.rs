//! Text to glosses to one pose track.
//!
//! [`sign`] cuts a text into words, finds the clips that sign them (`plan`),
//! brings the clips to one standard signer (`body`), shortens them to the pace of
//! a sentence (`timing`), joins them (`stitch`) and removes jitter (`smooth`).
//! Each word says where its signs came from.

mod body;
mod number;
mod plan;
mod smooth;
mod stitch;
mod text;
mod timing;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use models::lexicon::Lexicon;
use models::pose::PoseTrack;
use serde::Serialize;

use crate::Fault;
use body::Frame;
use plan::Clip;
use stitch::Unit;
use timing::Limits;

/// Frame rates that tracks are made in.
pub const FPS: std::ops::RangeInclusive<f32> = 10.0..=120.0;

/// A sign of a word lasts at most this; dictionaries show signs more than ten times as long.
const SIGN: Limits = Limits { hold_s: 0.25, least_s: 0.2, most_s: 0.8 };
/// A letter is held long enough to be read, and its movement is kept.
const LETTER: Limits = Limits { hold_s: 0.3, least_s: 0.3, most_s: 0.9 };
/// Pause between two words of which one is spelled, in seconds.
const AFTER_SPELLED_S: f32 = 0.2;

/// How a text is signed.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Sign language, as ISO 639-3 (`ase`, `gsg`).
    pub language: String,
    /// Spoken language of the text, as ISO 639-1; that of the lexicon's entries where it is not given.
    pub spoken: Option<String>,
    /// Frames a second, within [`FPS`].
    pub fps: f32,
}

/// Where the signs of a word came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// A lexicon has the word.
    Lexicon,
    /// A lexicon has another form of the word.
    Stem,
    /// A number, by its sign, by its digits' signs, or by its digits' names spelled.
    Number,
    /// Letter by letter.
    Spelled,
    /// No lexicon has it, and it cannot be spelled.
    NotFound,
    /// Punctuation, which is shown and not signed.
    Mark,
}

impl Provenance {
    /// In words, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Lexicon => "lexicon",
            Self::Stem => "lexicon, another form of the word",
            Self::Number => "number",
            Self::Spelled => "spelled",
            Self::NotFound => "not found",
            Self::Mark => "punctuation",
        }
    }
}

/// The row of a lexicon that a sign came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The lexicon's folder.
    pub lexicon: PathBuf,
    /// The clip within it.
    pub clip: PathBuf,
    /// The line of its index.
    pub line: u64,
}

/// One sign or letter as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sign {
    /// Its gloss; for a letter the letter.
    pub gloss: String,
    /// When it begins, in seconds.
    pub from_s: f32,
    /// When it ends, in seconds.
    pub to_s: f32,
    /// Where it came from.
    pub source: Source,
    /// Why its clip could not be used; it is left out then, and its times are equal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unusable: Option<String>,
}

/// A word of the text with its signs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Word {
    /// As written.
    pub text: String,
    /// Punctuation behind it.
    pub after: String,
    /// Where its signs came from.
    pub provenance: Provenance,
    /// Its signs or letters, in order.
    pub signs: Vec<Sign>,
    /// Letters that the alphabet lacks.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub missing: String,
    /// When it begins, in seconds. A word that is not signed begins and ends with its neighbour.
    pub from_s: f32,
    /// When it ends, in seconds.
    pub to_s: f32,
}

impl Word {
    /// The glosses of its signs.
    pub fn glosses(&self) -> impl Iterator<Item = &str> {
        self.signs.iter().map(|s| s.gloss.as_str())
    }
}

/// A text, signed.
#[derive(Debug, Clone, PartialEq)]
pub struct Signing {
    /// MediaPipe Holistic with irises, one signer, rest at both ends.
    pub track: PoseTrack,
    /// All words of the text, in order.
    pub words: Vec<Word>,
}

/// Opens lexicon folders; the first that has a word wins.
///
/// # Errors
/// [`Fault::NoLexicon`] where none is given, and what the folders' indexes say.
pub fn open_lexicons(folders: &[impl AsRef<Path>]) -> Result<Vec<Lexicon>, Fault> {
    if folders.is_empty() {
        return Err(Fault::NoLexicon);
    }
    folders.iter().map(|folder| Lexicon::open(folder).map_err(Fault::from)).collect()
}

/// Signs a text.
///
/// A clip that cannot be read is left out and said in its [`Sign::unusable`].
///
/// # Errors
/// The text is empty or too long, the language is unknown, the rate is out of
/// [`FPS`], or nothing of the text can be signed.
pub fn sign(text: &str, options: &Options, lexicons: &[Lexicon]) -> Result<Signing, Fault> {
    if !FPS.contains(&options.fps) {
        return Err(Fault::FrameRate { fps: options.fps, least: *FPS.start(), most: *FPS.end() });
    }
    let planned = plan::plan(text, &options.language, options.spoken.as_deref(), lexicons)?;
    let mut clips = Clips::default();
    let mut units: Vec<Unit> = Vec::new();
    let mut words: Vec<Word> = Vec::new();
    // For each unit its word and sign.
    let mut owners: Vec<[usize; 2]> = Vec::new();
    for (w, plan) in planned.iter().enumerate() {
        let mut signs = Vec::new();
        for (s, clip) in plan.clips.iter().enumerate() {
            let (frames, unusable) = match clips.timed(clip, options.fps) {
                Ok(frames) => (frames, None),
                Err(reason) => (Vec::new(), Some(reason)),
            };
            if !frames.is_empty() {
                let repeats = s > 0 && clip.letter && std::ptr::eq(plan.clips[s - 1].entry, clip.entry);
                units.push(Unit { frames, word: w, letter: clip.letter, repeats, pause_s: 0.0 });
                owners.push([w, s]);
            }
            let gloss = clip.gloss().to_owned();
            signs.push(Sign { gloss, from_s: 0.0, to_s: 0.0, source: clip.source(), unusable });
        }
        if let Some(last) = units.last_mut().filter(|u| u.word == w) {
            let spelled = if last.letter { AFTER_SPELLED_S } else { 0.0 };
            last.pause_s = plan.pause_s.max(spelled);
        }
        words.push(Word {
            text: plan.text.clone(),
            after: plan.after.clone(),
            provenance: plan.provenance,
            signs,
            missing: plan.missing.clone(),
            from_s: 0.0,
            to_s: 0.0,
        });
    }
    if units.is_empty() {
        let why = words.iter().flat_map(|w| &w.signs).find_map(|s| s.unusable.clone());
        return Err(Fault::NoUsableClip { why: why.unwrap_or_default() });
    }
    let mut stitched = stitch::stitch(units, options.fps);
    smooth::smooth(&mut stitched.frames, options.fps);
    for (&[w, s], &[from_s, to_s]) in owners.iter().zip(&stitched.spans_s) {
        (words[w].signs[s].from_s, words[w].signs[s].to_s) = (from_s, to_s);
    }
    time_words(&mut words);
    Ok(Signing { track: body::to_track(&stitched.frames, options.fps), words })
}

/// A word lasts from its first sign to its last; what is not signed stands between its neighbours.
fn time_words(words: &mut [Word]) {
    let mut now = 0.0;
    for word in words {
        let mut shown = word.signs.iter().filter(|s| s.unusable.is_none());
        word.from_s = shown.next().map_or(now, |s| s.from_s);
        word.to_s = shown.last().or(word.signs.first()).map_or(now, |s| s.to_s).max(word.from_s);
        now = word.to_s;
        for sign in word.signs.iter_mut().filter(|s| s.unusable.is_some()) {
            (sign.from_s, sign.to_s) = (word.from_s, word.from_s);
        }
    }
}

/// Clips that were read for this text, so that no letter is read twice.
#[derive(Default)]
struct Clips {
    read: HashMap<(PathBuf, u64), Result<Vec<Frame>, String>>,
}

impl Clips {
    fn timed(&mut self, clip: &Clip, fps: f32) -> Result<Vec<Frame>, String> {
        let key = (clip.lexicon.folder().to_owned(), clip.entry.line);
        self.read.entry(key).or_insert_with(|| read(clip, fps)).clone()
    }
}

fn read(clip: &Clip, fps: f32) -> Result<Vec<Frame>, String> {
    let track = clip.lexicon.clip(clip.entry).map_err(|error| error.to_string())?;
    let frames = body::normalise(&track).ok_or("no hand is seen in the clip")?;
    let limits = if clip.letter { LETTER } else { SIGN };
    Ok(timing::timed(&frames, track.fps, limits, fps))
}
