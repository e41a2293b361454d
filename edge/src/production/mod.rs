//! Text to glosses to one pose track.
//!
//! A [`Dictionary`] is made once of the lexicons of a language pair; [`Production`] cuts a text into words, finds the
//! clips that sign them (`chain`), or has a translator say what is signed (`translated`), and plays the clips one
//! after the other with the arithmetic of [`models::playback`]. Each word says where its signs came from.

mod chain;
mod compound;
mod dictionary;
mod face;
mod figure;
mod spell;
mod subtitles;
mod text;
mod translated;
mod translator;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use models::lexicon::Lexicon;
use models::playback::{self, Frame, Limits, Style, Unit};
use models::pose::PoseTrack;
use serde::Serialize;

use crate::Fault;
pub use chain::Planned;
pub use dictionary::{Clip, Dictionary};
pub use face::Marking;
pub use subtitles::subtitles;
pub use translator::Translator;

/// Frame rates that tracks are made in.
pub const FPS: std::ops::RangeInclusive<f32> = 10.0..=60.0;

/// How fast a text can be signed; 1 is the pace of a sentence.
pub const SPEED: std::ops::RangeInclusive<f32> = 0.25..=2.0;

/// How sentences are signed.
const STYLE: Style = Style::FLUENT;
/// A letter is held long enough to be read, and its movement is kept.
const LETTER: Limits = Limits::of(0.3, 0.3, 0.9);
/// How long before and after letters the signer goes over to what letters need: arms that move sharply, and the hands
/// that were recorded; in seconds.
const CLEAR_S: f32 = 0.1;
/// Pause between two words of which one is spelled, in seconds.
const AFTER_SPELLED_S: f32 = 0.2;

/// Where the signs of a word came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// A lexicon has the word.
    Lexicon,
    /// A translator said it for the whole sentence, and a lexicon has it.
    Translated,
    /// A lexicon has the word in other letters: umlauts, accents, the number of a variant.
    Normalised,
    /// A lexicon has another form of the word.
    Stem,
    /// A lexicon has the words that it is put together from.
    Compound,
    /// A lexicon has a word that is signed alike, by the embedding of both.
    Synonym,
    /// A number, by its sign, by the signs of what it is counted in, by its digits, or by their names spelled.
    Number,
    /// A date, by its parts.
    Date,
    /// A time of day, by its parts.
    Time,
    /// A sum of money, by its parts.
    Money,
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
            Self::Date => "date",
            Self::Time => "time",
            Self::Money => "money",
            Self::Translated => "translated",
            Self::Normalised => "lexicon, in other letters",
            Self::Synonym => "lexicon, a word that is signed alike",
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
    /// What the face says with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub face: Vec<Marking>,
    /// When it begins, in seconds. A word that is not signed begins and ends with its neighbour.
    pub from_s: f32,
    /// When it ends, in seconds.
    pub to_s: f32,
}

impl Word {
    /// A text that is shown and not signed.
    pub fn unsigned(text: &str) -> Self {
        Self {
            text: text.into(),
            after: String::new(),
            provenance: Provenance::NotFound,
            signs: vec![],
            missing: String::new(),
            face: vec![],
            from_s: 0.0,
            to_s: 0.0,
        }
    }

    /// The same, so many seconds later.
    pub fn later(&self, seconds: f32) -> Self {
        let mut word = self.clone();
        let signs = word.signs.iter_mut().flat_map(|sign| [&mut sign.from_s, &mut sign.to_s]);
        signs.chain([&mut word.from_s, &mut word.to_s]).for_each(|time_s| *time_s += seconds);
        word
    }

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
    /// All words of the text in order, or all glosses of its translation with what that could not know.
    pub words: Vec<Word>,
    /// What the translator said, where one did.
    pub glosses: Option<String>,
}

impl Signing {
    /// Whether every sign of it has a recording that can be used.
    ///
    /// # Errors
    /// [`Fault::SignsLeftOut`] where one has not.
    pub fn complete(&self) -> Result<(), Fault> {
        let left_out: Vec<_> = self
            .words
            .iter()
            .flat_map(|word| &word.signs)
            .filter_map(|sign| Some((sign.gloss.as_str(), sign.unusable.as_ref()?)))
            .collect();
        let Some((_, why)) = left_out.first() else { return Ok(()) };
        let mut signs: Vec<&str> = left_out.iter().map(|(gloss, _)| *gloss).collect();
        signs.dedup();
        Err(Fault::SignsLeftOut { signs: signs.join(", "), why: (*why).clone() })
    }
}

/// How a text is signed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Manner {
    /// Frames a second, within [`FPS`].
    pub fps: f32,
    /// How fast, within [`SPEED`].
    pub speed: f32,
    /// Whether the left hand leads.
    pub left_handed: bool,
}

impl Manner {
    /// The pace of a sentence, by a right-handed signer.
    pub fn at(fps: f32) -> Self {
        Self { fps, speed: 1.0, left_handed: false }
    }

    /// # Errors
    /// [`Fault::FrameRate`] or [`Fault::Speed`] where it is out of its bounds.
    pub fn check(&self) -> Result<(), Fault> {
        let Self { fps, speed, .. } = *self;
        if !FPS.contains(&fps) {
            return Err(Fault::FrameRate { fps, least: *FPS.start(), most: *FPS.end() });
        }
        if !SPEED.contains(&speed) {
            return Err(Fault::Speed { speed, least: *SPEED.start(), most: *SPEED.end() });
        }
        Ok(())
    }
}

/// Opens lexicons, folders or compiled files; the first that has a word wins.
///
/// # Errors
/// [`Fault::NoLexicon`] where none is given, and what is wrong with one.
pub fn open_lexicons(folders: &[impl AsRef<Path>]) -> Result<Vec<Lexicon>, Fault> {
    if folders.is_empty() {
        return Err(Fault::NoLexicon);
    }
    folders.iter().map(|folder| Lexicon::open(folder).map_err(Fault::from)).collect()
}

/// Signs texts of one language pair.
pub struct Production {
    dictionary: Dictionary,
    translator: Option<Translator>,
}

impl Production {
    /// Signs word by word.
    pub fn new(dictionary: Dictionary) -> Self {
        Self { dictionary, translator: None }
    }

    /// The same with a translator, which says what is signed of a sentence and in which order.
    ///
    /// # Errors
    /// [`Fault::TranslatorLanguage`] where it translates between other languages.
    pub fn with_translator(mut self, translator: Translator) -> Result<Self, Fault> {
        translator.check(&self.dictionary)?;
        self.translator = Some(translator);
        Ok(self)
    }

    /// Looks up a text, and gives what the translator said where there is one.
    ///
    /// # Errors
    /// The text is empty or too long or needs too many signs, nothing of it can be signed, or an engine fails.
    pub fn plan(&mut self, text: &str) -> Result<(Vec<Planned>, Option<String>), Fault> {
        match &mut self.translator {
            None => Ok((self.dictionary.plan(text)?, None)),
            Some(translator) => self.dictionary.plan_translated(text, translator),
        }
    }

    /// Signs a text.
    ///
    /// A clip that cannot be read is left out and said in its [`Sign::unusable`].
    ///
    /// # Errors
    /// What [`Self::plan`] says, the manner is out of its bounds, or no clip can be used.
    pub fn sign(&mut self, text: &str, manner: Manner) -> Result<Signing, Fault> {
        manner.check()?;
        let (planned, glosses) = self.plan(text)?;
        let (track, words) = play(&self.dictionary, &planned, manner)?;
        Ok(Signing { track, words, glosses })
    }
}

/// Plays the clips of words one after the other.
fn play(
    dictionary: &Dictionary,
    planned: &[Planned],
    manner: Manner,
) -> Result<(PoseTrack, Vec<Word>), Fault> {
    // Slow signing is signing at its own pace, seen more often, and shown at the rate that was asked for: so it is
    // as smooth as any.
    let fps = manner.fps / manner.speed;
    let mut clips = Clips::default();
    let mut units: Vec<Unit> = Vec::new();
    let mut words: Vec<Word> = Vec::new();
    // For each unit its word and sign.
    let mut owners: Vec<[usize; 2]> = Vec::new();
    for (w, plan) in planned.iter().enumerate() {
        let mut signs = Vec::new();
        for (s, clip) in plan.clips.iter().enumerate() {
            let (frames, unusable) = match clips.timed(dictionary, *clip, fps) {
                Ok(frames) => (frames, None),
                Err(reason) => (Vec::new(), Some(reason)),
            };
            if !frames.is_empty() {
                let repeats = s > 0 && clip.letter && plan.clips[s - 1] == *clip;
                units.push(Unit { frames, word: w, letter: clip.letter, repeats, pause_s: 0.0 });
                owners.push([w, s]);
            }
            let gloss = dictionary.gloss(*clip).to_owned();
            signs.push(Sign { gloss, from_s: 0.0, to_s: 0.0, source: dictionary.source(*clip), unusable });
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
            face: vec![],
            from_s: 0.0,
            to_s: 0.0,
        });
    }
    if units.is_empty() {
        let why = words.iter().flat_map(|w| &w.signs).find_map(|s| s.unusable.clone());
        return Err(Fault::NoUsableClip { why: why.unwrap_or_default() });
    }
    let spelled: Vec<bool> = units.iter().map(|unit| unit.letter).collect();
    let mut stitched = playback::stitch(units, fps, &STYLE.joins());
    let letters: Vec<[f32; 2]> =
        spelled.iter().zip(&stitched.cores_s).filter(|(letter, _)| **letter).map(|(_, span)| *span).collect();
    let clear = |frame: usize| {
        let t = frame as f32 / fps;
        let inside = |[from_s, to_s]: &[f32; 2]| (1.0 - (from_s - t).max(t - to_s) / CLEAR_S).clamp(0.0, 1.0);
        letters.iter().map(inside).fold(0.0, f32::max)
    };
    let clear: Vec<f32> = (0..stitched.frames.len()).map(clear).collect();
    STYLE.settle(&mut stitched.frames, fps, &clear);
    if manner.left_handed {
        stitched.frames.iter_mut().for_each(Frame::mirror_arms);
    }
    for (&[w, s], span) in owners.iter().zip(&stitched.spans_s) {
        let [from_s, to_s] = span.map(|seconds| seconds / manner.speed);
        (words[w].signs[s].from_s, words[w].signs[s].to_s) = (from_s, to_s);
    }
    time_words(&mut words);
    face::mark(&mut words, &dictionary.spoken);
    face::show(&mut stitched.frames, &words, manner.fps);
    Ok((playback::to_track(&stitched.frames, manner.fps), words))
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
    read: HashMap<Clip, Result<Vec<Frame>, String>>,
}

impl Clips {
    fn timed(&mut self, dictionary: &Dictionary, clip: Clip, fps: f32) -> Result<Vec<Frame>, String> {
        self.read.entry(clip).or_insert_with(|| read(dictionary, clip, fps)).clone()
    }
}

fn read(dictionary: &Dictionary, clip: Clip, fps: f32) -> Result<Vec<Frame>, String> {
    let clip_frames = dictionary.frames(clip).map_err(|error| error.to_string())?;
    let (frames, clip_fps) = clip_frames.ok_or("no hand is seen in the clip")?;
    if clip.letter {
        return Ok(playback::timed(&frames, clip_fps, LETTER, fps));
    }
    let mut frames = playback::timed(&frames, clip_fps, STYLE.sign, fps);
    playback::reduce(&mut frames, STYLE.smaller);
    Ok(frames)
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
        try_sign(text, Manner::at(fps)).unwrap()
    }

    fn try_sign(text: &str, manner: Manner) -> Result<Signing, Fault> {
        let (_folder, lexicons) = lexicons();
        Production::new(Dictionary::new(lexicons, "ase", None)?).sign(text, manner)
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
        assert!(hello.to_s - hello.from_s <= STYLE.sign.most_s + STYLE.way.most_s, "{hello:?}");
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
        let fault = try_sign("e", Manner::at(30.0)).unwrap_err();
        assert!(matches!(fault, Fault::NoUsableClip { .. }), "{fault}");
    }

    #[test]
    fn the_rate_changes_frames_and_not_time() {
        let [slow, fast] = [30.0, 60.0].map(|fps| signed_at("hello ab", fps).track);
        assert!((slow.duration_s() - fast.duration_s()).abs() < 0.2);
        assert_eq!(fast.fps, 60.0);
        for fps in [0.0, f32::NAN, 1000.0] {
            let fault = try_sign("a", Manner::at(fps)).unwrap_err();
            assert!(matches!(fault, Fault::FrameRate { .. }), "{fault}");
        }
    }
    #[test]
    fn the_speed_changes_time_and_not_what_is_signed() {
        let at = |speed| try_sign("hello ab", Manner { speed, ..Manner::at(30.0) }).unwrap();
        let usual = at(1.0);
        for speed in [0.25, 0.5, 2.0] {
            let other = at(speed);
            let times = usual.track.duration_s() / other.track.duration_s() / speed;
            assert!((times - 1.0).abs() < 0.1, "{times} at {speed}");
            let [a, b] = [&usual, &other].map(|s| s.words[1].signs[1].from_s);
            assert!((a - b * speed).abs() < 0.1, "{a} {b} at {speed}");
            assert_eq!(other.track.fps, 30.0);
            // The hand passes the same places, at the times that the words say.
            let [a, b] = [&usual, &other].map(|signing| {
                let sign = &signing.words[1].signs[0];
                let middle = ((sign.from_s + sign.to_s) / 2.0 * 30.0) as usize;
                right_hands(&signing.track)[middle].as_ref().unwrap()[0]
            });
            assert!(norm(sub(a, b)) / 300.0 < 0.1, "{a:?} {b:?} at {speed}");
        }
        for speed in [0.0, 0.2, 3.0, f32::NAN] {
            let fault = try_sign("a", Manner { speed, ..Manner::at(30.0) }).unwrap_err();
            assert!(matches!(fault, Fault::Speed { .. }), "{fault}");
        }
    }

    #[test]
    fn a_left_handed_signer_signs_the_mirror_image() {
        let right = signed_at("hello ab", 30.0).track;
        let left = try_sign("hello ab", Manner { left_handed: true, ..Manner::at(30.0) }).unwrap().track;
        let range = left.layout.range("LEFT_HAND_LANDMARKS").unwrap();
        for (hand, frame) in right_hands(&right).iter().zip(&left.frames) {
            let other: Option<Vec<_>> = range.clone().map(|k| frame.seen(k)).collect();
            assert_eq!(hand.is_some(), other.is_some());
            for (a, b) in hand.iter().flatten().zip(other.iter().flatten()) {
                assert!((a[0] + b[0] - 1000.0).abs() < 1e-2 && (a[1] - b[1]).abs() < 1e-3, "{a:?} {b:?}");
            }
        }
    }
}
