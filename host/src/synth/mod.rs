//! Continuous signing made from recorded isolated signs.
//!
//! A sentence comes from a written grammar ([`Grammar`]), from a list of names, or from chance; its clips are
//! joined by the code that the unit signs with ([`models::playback`]), worn by a signer who was never
//! recorded, taken by a camera that was never there, and spoiled as landmark networks spoil what they see.
//! Clips never cross from one part of the split to the other. The same recipe, part, seed and number give
//! the same utterance, whatever was drawn before.

mod camera;
mod grammar;
mod idle;
mod recipe;
mod shelf;
mod signer;
mod spoil;
mod write;

use std::path::Path;

use models::playback::{Frame, Joins, Limits, Stitched, Unit, Way, Writer, blend, smooth, stitch, timed};
use models::pose::{Known, PoseTrack};
use models::utterance::TimedGloss;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::Error;
use crate::data::augment::chance;
use camera::Camera;
use shelf::Shelf;
use signer::Signer;

pub use grammar::{Grammar, Sentence, Token};
pub use recipe::{RECIPES, Recipe};
pub use shelf::{ClipId, Split};
pub use write::{Extent, write};

/// Utterances are put together at this rate, frames a second, before the camera takes them at its own.
const RATE: f32 = 50.0;
/// Share of utterances that are signs in any order, so that a recogniser does not learn the grammar alone,
/// and of those that are a name or a run of letters alone.
const ANY_ORDER: f32 = 0.3;
const LETTERS: f32 = 0.12;
/// Share of spelled words that are any letters.
const ANY_LETTERS: f32 = 0.3;
/// Share of utterances in which nothing is signed.
const IDLE: f32 = 0.16;
/// A sign is so much faster than recorded, at least and at most.
const PACE: [f32; 2] = [0.7, 1.4];

/// What is left out when utterances are made, to see what it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Without {
    /// Sentences: each utterance is one recorded sign, from rest to rest, or one recorded gesture.
    pub synthesis: bool,
    /// All that makes one recording many: other signers, left-handed ones, other paces, moving and uneven cameras,
    /// noise and losses.
    pub augmentation: bool,
}

impl Without {
    /// What names say, `synthesis` and `augmentation`.
    ///
    /// # Errors
    /// [`Error::Argument`] for another name.
    pub fn named(names: &[String]) -> Result<Self, Error> {
        let mut without = Self::default();
        for name in names {
            *match name.as_str() {
                "synthesis" => &mut without.synthesis,
                "augmentation" => &mut without.augmentation,
                _ => {
                    let expected =
                        "synthesis or augmentation, which are what this recipe can go without".into();
                    return Err(Error::Argument { option: "--without", given: name.clone(), expected });
                }
            } = true;
        }
        Ok(without)
    }
}

/// Makes utterances.
pub struct Synth {
    recipe: &'static Recipe,
    split: Split,
    seed: u64,
    idle: bool,
    without: Without,
    shelf: Shelf,
    grammar: Grammar,
    names: Vec<&'static str>,
    /// The glosses of one character, and the others.
    letters: Vec<usize>,
    signs: Vec<usize>,
    writer: Writer,
}

/// An utterance that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// Its name.
    pub id: String,
    /// Whose clips it was made of.
    pub signer: String,
    /// `[T]` frames of body and hands in pixels of a picture of 640 × 480; the rate is the mean.
    pub track: PoseTrack,
    /// `[T]`: when each frame was taken, in seconds from the first.
    pub stamps_s: Vec<f64>,
    /// The signs and when their hands are in place.
    pub glosses: Vec<TimedGloss>,
    /// Its meaning in English, where it has one.
    pub text: Option<String>,
    /// The clips that it was made of, as numbers in [`Synth::clips`].
    pub clips: Vec<usize>,
}

impl Synth {
    /// Reads the clips of a recipe out of `data/isolated`. With `idle` nobody ever signs.
    ///
    /// # Errors
    /// Where a data set cannot be read, or lacks a sign of the grammar.
    pub fn new(
        recipe: &'static Recipe,
        data: &Path,
        split: Split,
        seed: u64,
        idle: bool,
    ) -> Result<Self, Error> {
        let shelf = Shelf::read(recipe, data, split)?;
        let grammar = Grammar::parse(recipe.grammar).expect("a test reads every grammar that ships");
        if let Some(gloss) = grammar.glosses().find(|gloss| shelf.find(gloss).is_none()) {
            let what = format!("the sign {gloss} of the recipe {}, {}", recipe.name, split.name());
            let next = format!("copy the data sets {} again from their source", recipe.sources.join(", "));
            return Err(Error::NoClips { what, next });
        }
        let spelled = |name: &&str| name.chars().all(|c| shelf.find(&c.to_string()).is_some());
        let names =
            models::spelling::NAMES.lines().filter(|l| !l.starts_with('#')).flat_map(str::split_whitespace);
        let names = names.filter(spelled).collect();
        let one = |&g: &usize| shelf.glosses[g].0.chars().count() == 1;
        let (letters, signs) = (0..shelf.glosses.len()).partition(one);
        let writer = Writer::new(&Known::BodyHands75.layout());
        let without = Without::default();
        Ok(Self { recipe, split, seed, idle, without, shelf, grammar, names, letters, signs, writer })
    }

    /// The same with something left out.
    pub fn without(self, without: Without) -> Self {
        Self { without, ..self }
    }

    /// All clips of this part, vocabulary or not.
    pub fn clips(&self) -> impl ExactSizeIterator<Item = &ClipId> {
        self.shelf.clips.iter().map(|c| &c.id)
    }

    /// All glosses that utterances may have.
    pub fn glosses(&self) -> impl ExactSizeIterator<Item = &str> {
        self.shelf.glosses.iter().map(|(gloss, _)| gloss.as_str())
    }

    /// Which part of the data this makes utterances of.
    pub fn split(&self) -> Split {
        self.split
    }

    /// What everything random follows from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Utterances without end, from number 0 on.
    pub fn endless(&self) -> impl Iterator<Item = Made> + '_ {
        (0..).map(|number| self.utterance(number))
    }

    /// The utterance of a number.
    pub fn utterance(&self, number: u64) -> Made {
        let rng = &mut StdRng::seed_from_u64(mixed(self.seed, self.split, number));
        let plain = self.without.augmentation;
        let signer = if plain { Signer::plain() } else { Signer::draw(rng) };
        let person = self.recipe.one_signer.then(|| rng.random_range(0..self.shelf.signers.len()));
        let mut course =
            Course { synth: self, signer: &signer, person, units: vec![], glosses: vec![], used: vec![] };
        let idle = self.idle || chance(rng, IDLE);
        let mut text = None;
        if self.without.synthesis {
            course.alone(idle, rng);
        } else if idle {
            (0..rng.random_range(3..9)).for_each(|_| course.idle(rng));
        } else {
            (0..rng.random_range(0..2)).for_each(|_| course.idle(rng));
            let sentence = self.sentence(rng);
            text = Some(sentence.text).filter(|t| !t.is_empty());
            course.sign(&sentence.tokens, rng);
            (0..rng.random_range(0..2)).for_each(|_| course.idle(rng));
        }
        let Course { units, glosses, mut used, .. } = course;
        let rest_s = [rng.random_range(0.2..0.8), rng.random_range(0.2..0.8)];
        let way = if plain { Way::CLEAR } else { Way::CLEAR.times(rng.random_range(0.5..1.2)) };
        let joins = Joins { rest: Some(signer.rest.clone()), rest_s, way, slow_way: way, ..Joins::default() };
        let Stitched { mut frames, cores_s, .. } = stitch(units, RATE, &joins);
        if plain || chance(rng, 0.7) {
            smooth(&mut frames, RATE);
        }
        let glosses = glosses.into_iter().zip(cores_s).filter_map(|(gloss, [start, end])| {
            Some(TimedGloss { gloss: gloss?, start_s: rounded(start), end_s: rounded(end), confidence: None })
        });
        let glosses = glosses.collect();
        let (track, stamps_s) = self.taken(&frames, signer.left_handed, rng);
        used.sort_unstable();
        used.dedup();
        let id = format!("{}-{}-{}-{number:06}", self.recipe.name, self.split.name(), self.seed);
        Made { id, signer: self.names_of(&used), track, stamps_s, glosses, text, clips: used }
    }

    /// What to sign.
    fn sentence(&self, rng: &mut StdRng) -> Sentence {
        let draw = rng.random::<f32>();
        if draw < LETTERS && !self.letters.is_empty() {
            let tokens = vec![Token::Spelled(self.name(rng).to_uppercase())];
            return Sentence { tokens, text: String::new() };
        }
        if draw < LETTERS + ANY_ORDER {
            let gloss = |rng: &mut StdRng| {
                self.shelf.glosses[self.signs[rng.random_range(0..self.signs.len())]].0.clone()
            };
            let tokens = (0..rng.random_range(1..7)).map(|_| Token::Gloss(gloss(rng))).collect();
            return Sentence { tokens, text: String::new() };
        }
        self.grammar.draw(rng, |rng| self.name(rng))
    }

    /// A name, or letters that are none.
    fn name(&self, rng: &mut StdRng) -> String {
        match self.names.choose(rng) {
            Some(name) if !chance(rng, ANY_LETTERS) => (*name).to_owned(),
            _ => {
                let letter =
                    |rng: &mut StdRng| self.letters.choose(rng).map(|&g| self.shelf.glosses[g].0.as_str());
                (0..rng.random_range(2..7)).filter_map(|_| letter(rng)).collect()
            }
        }
    }

    /// What a camera sees of the frames, spoiled, and when it saw it.
    fn taken(&self, frames: &[Frame], left_handed: bool, rng: &mut StdRng) -> (PoseTrack, Vec<f64>) {
        let plain = self.without.augmentation;
        let camera = if plain { Camera::plain() } else { Camera::draw(rng) };
        let end_s = (frames.len() - 1) as f64 / f64::from(RATE);
        let stamps = if plain { camera::even(end_s) } else { camera::stamps(end_s, rng) };
        let [width, height] = camera::SIZE;
        let rate = (stamps.len().max(2) - 1) as f64 / stamps.last().copied().unwrap_or(0.0).max(1.0 / 50.0);
        let mut track = PoseTrack::new(
            Known::BodyHands75.layout(),
            ((rate * 1e3).round() / 1e3) as f32,
            [width, height, 0],
        );
        for &at_s in &stamps {
            let place = at_s * f64::from(RATE);
            let before = (place as usize).min(frames.len() - 1);
            let share = (place - before as f64) as f32;
            let between;
            let mut frame = &frames[before];
            if let Some(after) = frames.get(before + 1).filter(|_| share > 1e-3) {
                between = blend(frame, after, share);
                frame = &between;
            }
            let turned;
            if left_handed {
                turned = signer::mirrored(frame);
                frame = &turned;
            }
            track.frames.push(self.writer.pose(frame, |p| camera.pixel(p, at_s)));
        }
        if !plain {
            spoil::spoil(&mut track.frames, &stamps, rng);
        }
        (track, stamps)
    }

    /// The signers of clips, as one name.
    fn names_of(&self, used: &[usize]) -> String {
        let name = |&i: &usize| {
            let id = &self.shelf.clips[i].id;
            if id.group.is_empty() { id.set.clone() } else { format!("{}/{}", id.set, id.group) }
        };
        let mut names: Vec<String> = used.iter().map(name).collect();
        names.sort();
        names.dedup();
        names.join("+")
    }
}

/// An utterance while it is put together.
struct Course<'a> {
    synth: &'a Synth,
    signer: &'a Signer,
    /// Whose clips alone may be used.
    person: Option<usize>,
    units: Vec<Unit>,
    /// `[U]`: what each unit signs; `None` where it signs nothing.
    glosses: Vec<Option<String>>,
    used: Vec<usize>,
}

impl Course<'_> {
    fn sign(&mut self, tokens: &[Token], rng: &mut StdRng) {
        for token in tokens {
            let word = self.units.len();
            match token {
                Token::Gloss(gloss) => self.clip(gloss, word, false, rng),
                Token::Spelled(letters) => {
                    letters.chars().for_each(|letter| self.clip(&letter.to_string(), word, true, rng));
                    self.pause(rng.random_range(0.05..0.25));
                }
                Token::Pause if chance(rng, 0.3) => self.lower(rng),
                Token::Pause => self.pause(rng.random_range(0.1..0.5)),
            }
            if chance(rng, 0.04) {
                self.idle(rng);
            }
        }
    }

    /// One recording alone: a sign of the vocabulary, or where nobody signs a gesture.
    fn alone(&mut self, idle: bool, rng: &mut StdRng) {
        let shelf = &self.synth.shelf;
        if idle {
            let (frames, used) = idle::recorded(shelf, self.signer, rng);
            self.add(frames);
            self.used.extend(used);
        } else {
            let (gloss, _) = &shelf.glosses[rng.random_range(0..shelf.glosses.len())];
            self.clip(gloss, 0, gloss.chars().count() == 1, rng);
        }
    }

    /// Adds a clip of a gloss; a signer who has none leaves it out.
    fn clip(&mut self, gloss: &str, word: usize, letter: bool, rng: &mut StdRng) {
        let shelf = &self.synth.shelf;
        let Some(found) = shelf.find(gloss) else { return };
        let Some(index) = shelf.draw(found, self.person, rng) else { return };
        let clip = &shelf.clips[index];
        let mut frames = clip.frames.as_slice();
        let plain = self.synth.without.augmentation;
        if !plain && chance(rng, 0.4) {
            // Recordings begin and end in the middle of a movement anyhow.
            let long = (frames.len() as f32 * rng.random_range(0.7..1.0)).ceil() as usize;
            let from = rng.random_range(0..=frames.len() - long);
            frames = &frames[from..from + long];
        }
        let worn: Vec<Frame> = frames.iter().map(|f| self.signer.wear(f, clip.hands)).collect();
        let limits = if plain {
            Limits::of(0.3, 0.2, 2.0)
        } else if letter {
            Limits::of(rng.random_range(0.12..0.35), rng.random_range(0.12..0.3), 0.9)
        } else {
            Limits::of(rng.random_range(0.15..0.5), 0.2, 2.0)
        };
        let own = if plain { 1.0 } else { rng.random_range(0.85..1.15) };
        let pace = (self.signer.pace * own).clamp(PACE[0], PACE[1]);
        let frames = timed(&worn, clip.fps * pace, limits, RATE);
        let name = &shelf.glosses[found].0;
        let repeats = letter
            && self.units.last().is_some_and(|u| u.letter && u.word == word)
            && self.glosses.last().is_some_and(|g| g.as_deref() == Some(name));
        self.units.push(Unit { frames, word, letter, repeats, pause_s: 0.0 });
        self.glosses.push(Some(name.clone()));
        self.used.push(index);
    }

    /// Holds the last sign for some seconds.
    fn pause(&mut self, seconds: f32) {
        if let Some(last) = self.units.last_mut() {
            last.pause_s = seconds;
        }
    }

    /// Lowers the hands for a moment.
    fn lower(&mut self, rng: &mut StdRng) {
        let count = (rng.random_range(0.2..1.0) * RATE) as usize;
        self.add(vec![self.signer.rest.clone(); count]);
    }

    /// Does anything but sign.
    fn idle(&mut self, rng: &mut StdRng) {
        let (frames, used) = idle::idle(&self.synth.shelf, self.signer, rng);
        self.add(frames);
        self.used.extend(used);
    }

    fn add(&mut self, frames: Vec<Frame>) {
        if !frames.is_empty() {
            // A word of its own: gathering letters must not reach across it.
            let word = usize::MAX - self.units.len();
            self.units.push(Unit { frames, word, letter: false, repeats: false, pause_s: 0.0 });
            self.glosses.push(None);
        }
    }
}

/// Seconds to the millisecond.
fn rounded(seconds: f32) -> f64 {
    (f64::from(seconds) * 1e3).round() / 1e3
}

/// A seed for each utterance (SplitMix64, Steele et al. 2014).
fn mixed(seed: u64, split: Split, number: u64) -> u64 {
    let step = |z: u64| {
        let z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    let part = match split {
        Split::Train => 0,
        Split::Val => 1 << 63,
        Split::Dev => 1 << 62,
    };
    step(step(seed ^ part) ^ number)
}
