//! Text to glosses to one pose track.
//!
//! [`sign`] cuts a text into words, finds the clips that sign them (`plan`),
//! and plays them one after the other with the arithmetic of [`models::playback`].
//! Each word says where its signs came from.

mod number;
mod plan;
mod text;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use models::lexicon::Lexicon;
use models::playback::{self, Frame, Joins, Limits, Unit};
use models::pose::PoseTrack;
use serde::Serialize;

use crate::Fault;
use plan::Clip;

/// Frame rates that tracks are made in.
pub const FPS: std::ops::RangeInclusive<f32> = 10.0..=60.0;

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
    /// A lexicon has the words that it is put together from.
    Compound,
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
            Self::Compound => "lexicon, the parts of the word",
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
    let mut stitched = playback::stitch(units, options.fps, &Joins::default());
    playback::smooth(&mut stitched.frames, options.fps);
    for (&[w, s], &[from_s, to_s]) in owners.iter().zip(&stitched.spans_s) {
        (words[w].signs[s].from_s, words[w].signs[s].to_s) = (from_s, to_s);
    }
    time_words(&mut words);
    Ok(Signing { track: playback::to_track(&stitched.frames, options.fps), words })
}

/// A word lasts from its first sign to its last; what is not signed stands between its neighbours.
fn time_words(words: &mut [Word]) {
    let mut now = 0.0;
    for word in words {
        let shown = || word.signs.iter().filter(|s| s.unusable.is_none());
        let (from_s, to_s) = (shown().next().map(|s| s.from_s), shown().next_back().map(|s| s.to_s));
        (word.from_s, word.to_s) = (from_s.unwrap_or(now), to_s.unwrap_or(now));
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
    let frames = playback::normalise(&track).ok_or("no hand is seen in the clip")?;
    let limits = if clip.letter { LETTER } else { SIGN };
    Ok(playback::timed(&frames, track.fps, limits, fps))
}

#[cfg(test)]
mod tests {
    use models::pose::Known;
    use models::pose_file::write_track_file;
    use tempfile::TempDir;

    use models::vector::{norm, sub};

    use super::*;
    use models::playback::{PARENTS, relaxed_hand, to_track};

    /// A clip as dictionaries have it: the hand goes up, holds, and goes down, at 25 frames a second.
    fn clip(side: usize, at: [f32; 3], turn: f32) -> Vec<Frame> {
        let (sine, cosine) = turn.sin_cos();
        let up = [at[0], at[1], -0.2];
        (0..50)
            .map(|t| {
                let raised = (t as f32 / 10.0).min((49 - t) as f32 / 10.0).min(1.0);
                let mut frame = Frame::rest();
                let hand = relaxed_hand(side);
                let from = hand[0];
                let wrist = [0, 1, 2].map(|i| from[i] + (up[i] - from[i]) * raised);
                frame.wrists[side] = wrist;
                frame.hands[side] = Some(hand.map(|p| {
                    let [x, y, z] = sub(p, from);
                    [wrist[0] + x * cosine + y * sine, wrist[1] - x * sine + y * cosine, wrist[2] + z]
                }));
                frame
            })
            .collect()
    }

    /// A lexicon with the sign HELLO, the letters A to C, and the letter D of a left-handed signer.
    fn lexicons() -> (TempDir, Vec<Lexicon>) {
        let folder = tempfile::tempdir().unwrap();
        let clips: [(&str, &str, &str, Vec<Frame>); 5] = [
            ("signs", "hello", "HELLO", clip(1, [-0.4, -0.3, 0.0], 2.5)),
            ("letters", "a", "A", clip(1, [-0.6, 0.1, 0.0], 3.1)),
            ("letters", "b", "B", clip(1, [-0.7, 0.0, 0.0], 2.0)),
            ("letters", "c", "C", clip(1, [-0.5, 0.2, 0.0], 2.7)),
            ("letters", "d", "D", clip(0, [0.6, 0.1, 0.0], -2.9)),
        ];
        for name in ["signs", "letters"] {
            let folder = folder.path().join(name);
            std::fs::create_dir_all(&folder).unwrap();
            let mut index =
                "path,spoken_language,signed_language,start,end,words,glosses,priority\n".to_owned();
            for (_, word, gloss, frames) in clips.iter().filter(|c| c.0 == name) {
                write_track_file(folder.join(format!("{word}.pose")), &to_track(frames, 25.0)).unwrap();
                index.push_str(&format!("{word}.pose,en,ase,0,0,{word},{gloss},0\n"));
            }
            if name == "letters" {
                std::fs::write(folder.join("e.pose"), [0, 0, 0x80]).unwrap();
                index.push_str("e.pose,en,ase,0,0,e,E,0\n");
            }
            std::fs::write(folder.join("index.csv"), index).unwrap();
        }
        let lexicons = open_lexicons(&["signs", "letters"].map(|n| folder.path().join(n))).unwrap();
        (folder, lexicons)
    }

    fn signed_at(text: &str, fps: f32) -> Signing {
        let options = Options { language: "ase".into(), spoken: None, fps };
        sign(text, &options, &lexicons().1).unwrap()
    }

    /// `[T]` right hands where seen, in pixels of the track.
    fn right_hands(track: &PoseTrack) -> Vec<Option<Vec<[f32; 3]>>> {
        let range = track.layout.range("RIGHT_HAND_LANDMARKS").unwrap();
        let hand = |frame: &models::pose::Pose| range.clone().map(|k| frame.seen(k)).collect();
        track.frames.iter().map(hand).collect()
    }

    #[test]
    fn words_say_where_they_came_from_and_when_they_are_signed() {
        let signing = signed_at("Hello, abba! 你好", 30.0);
        let shown: Vec<(&str, Provenance)> =
            signing.words.iter().map(|w| (w.text.as_str(), w.provenance)).collect();
        assert_eq!(
            shown,
            [("Hello", Provenance::Lexicon), ("abba", Provenance::Spelled), ("你好", Provenance::NotFound)]
        );
        let glosses: Vec<&str> = signing.words[1].glosses().collect();
        assert_eq!(glosses, ["A", "B", "B", "A"]);
        let mut last = 0.0;
        for sign in signing.words.iter().flat_map(|w| &w.signs) {
            assert!(sign.from_s >= last && sign.to_s > sign.from_s, "{sign:?} after {last}");
            last = sign.to_s;
        }
        assert!(last < signing.track.duration_s());
        let [hello, abba, unknown] = &signing.words[..] else { panic!() };
        assert!(hello.to_s < abba.from_s, "a comma is a pause");
        assert_eq!((unknown.from_s, unknown.to_s), (abba.to_s, abba.to_s));
    }

    #[test]
    fn clips_are_shortened_to_the_pace_of_a_sentence() {
        let hello = &signed_at("hello", 30.0).words[0].signs[0];
        assert!(hello.to_s - hello.from_s <= SIGN.most_s + 0.35, "{hello:?}");
    }

    #[test]
    fn the_track_starts_and_ends_at_rest_and_never_jumps() {
        let track = signed_at("hello abba cab", 30.0).track;
        assert_eq!(track.layout, Known::Holistic586.layout());
        let wrist = track.layout.index("POSE_LANDMARKS", "RIGHT_WRIST").unwrap();
        let shoulders = 300.0;
        let low = 400.0 + 1.3 * shoulders;
        for end in [track.frames.first(), track.frames.last()] {
            assert!(end.unwrap().points[wrist][1] > low);
        }
        let steps = track.frames.windows(2).map(|f| norm(sub(f[1].points[wrist], f[0].points[wrist])));
        let longest = steps.fold(0.0, f32::max) / shoulders;
        // Minimum jerk peaks at 1.9 times the mean speed; the longest way is 1.9 widths in 0.59 s.
        assert!(longest < 0.25, "{longest} shoulder widths in a frame");
    }

    #[test]
    fn bones_keep_their_length_on_the_way() {
        let track = signed_at("abcab", 60.0).track;
        let reference = relaxed_hand(1);
        for hand in right_hands(&track).iter().flatten() {
            for k in 1..21 {
                let length = norm(sub(hand[k], hand[PARENTS[k]])) / 300.0;
                let expect = norm(sub(reference[k], reference[PARENTS[k]]));
                let off = (length / expect - 1.0).abs();
                assert!(off < 0.15, "bone {k} is {length}, not {expect}");
            }
        }
    }

    #[test]
    fn the_hand_is_attached_to_the_arm() {
        let track = signed_at("hello ab", 30.0).track;
        let wrist = track.layout.index("POSE_LANDMARKS", "RIGHT_WRIST").unwrap();
        let hands = right_hands(&track);
        assert!(hands.iter().flatten().count() > 30);
        for (frame, hand) in track.frames.iter().zip(&hands) {
            if let Some(hand) = hand {
                assert!(norm(sub(frame.points[wrist], hand[0])) < 1.0);
            }
        }
    }

    #[test]
    fn equal_letters_stand_apart() {
        let signing = signed_at("bb", 30.0);
        let middle = |s: usize| {
            let sign = &signing.words[0].signs[s];
            ((sign.from_s + sign.to_s) / 2.0 * 30.0) as usize
        };
        let hands = right_hands(&signing.track);
        let x = |t: usize| hands[t].as_ref().unwrap()[0][0] / 300.0;
        let apart = x(middle(0)) - x(middle(1));
        assert!((0.1..0.2).contains(&apart), "{apart} shoulder widths");
    }

    #[test]
    fn a_left_handed_clip_is_mirrored_so_that_one_hand_leads() {
        let signing = signed_at("ad", 30.0);
        let left = signing.track.layout.range("LEFT_HAND_LANDMARKS").unwrap();
        assert!(signing.track.frames.iter().all(|f| left.clone().all(|k| f.seen(k).is_none())));
        let hands = right_hands(&signing.track);
        let sign = &signing.words[0].signs[1];
        assert!(hands[((sign.from_s + sign.to_s) / 2.0 * 30.0) as usize].is_some());
    }

    #[test]
    fn a_broken_clip_is_said_and_the_rest_is_signed() {
        let signing = signed_at("abe", 30.0);
        let unusable: Vec<bool> = signing.words[0].signs.iter().map(|s| s.unusable.is_some()).collect();
        assert_eq!(unusable, [false, false, true]);
        let options = Options { language: "ase".into(), spoken: None, fps: 30.0 };
        let fault = sign("e", &options, &lexicons().1).unwrap_err();
        assert!(matches!(fault, Fault::NoUsableClip { .. }), "{fault}");
    }

    #[test]
    fn the_rate_changes_frames_and_not_time() {
        let [slow, fast] = [30.0, 60.0].map(|fps| signed_at("hello ab", fps).track);
        assert!((slow.duration_s() - fast.duration_s()).abs() < 0.2);
        assert_eq!(fast.fps, 60.0);
        for fps in [0.0, f32::NAN, 1000.0] {
            let options = Options { language: "ase".into(), spoken: None, fps };
            let fault = sign("a", &options, &lexicons().1).unwrap_err();
            assert!(matches!(fault, Fault::FrameRate { .. }), "{fault}");
        }
    }
}
