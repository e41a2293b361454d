//! One shipped classifier that looks at a window of sights.

use models::features::{Sight, Version};
use models::manifest::{Kind, Manifest, Model};

use super::spotter::{Guess, Rules, Spotter};
use crate::Fault;
use crate::engine::{self, Backend, Engine, Tensor};

/// How a kind of features is used live.
#[derive(Debug, Clone, Copy)]
struct Live {
    /// How much of the past the classifier looks at, in seconds.
    window_s: f64,
    /// The least confidence holds where the model's own threshold is lower: that was chosen on whole
    /// clips, and a window is cut anywhere.
    rules: Rules,
}

/// A letter is held for a quarter to half a second, and a longer window would see its neighbours too; a sign
/// takes one to one and a half seconds.
const LETTERS: Live = Live { window_s: 0.3, rules: Rules { accept: 0.55, hold_s: 0.13, release_s: 0.1 } };
const SIGNS: Live = Live { window_s: 1.5, rules: Rules { accept: 0.7, hold_s: 0.3, release_s: 0.5 } };

/// A hand on its way up or down passes through the shapes of letters, P and Q above all. It moves at 12 to 20
/// hand sizes a second; the fastest letter, Z, at 7, the others below 2 (our own signing and a real speller).
const TRANSIT: f32 = 10.0;

/// A doubled letter slides by more than this, in hand sizes within a window; the hand of a real speller drifts
/// by 0.3 at most while it holds a letter, our own signing slides by 0.6.
const SLIDE: f32 = 0.45;

/// A classifier, ready to run.
pub struct Recogniser {
    manifest: Manifest,
    features: Version,
    engine: Box<dyn Engine>,
    input: [Tensor; 1],
    live: Live,
    pub(super) spotter: Spotter,
}

impl Recogniser {
    /// Opens a model that ships by its name, or any by its folder.
    ///
    /// # Errors
    /// [`Fault::Format`] where the model is not whole, [`Fault::NoNames`] where it names no signs,
    /// [`Fault::Backend`] where no engine is there.
    pub fn open(name_or_folder: &str, preference: &[Backend], threads: usize) -> Result<Self, Fault> {
        let model = Model::find(name_or_folder)?;
        if let Kind::Embedding(_) = model.manifest.kind {
            return Err(Fault::NoNames { model: model.manifest.name });
        }
        let path = model.dir.join(models::manifest::NETWORK);
        let engine = engine::open_bytes(&model.network, &path, engine::choose(preference)?, threads)?;
        Ok(Self::over(model.manifest, model.features, engine))
    }

    /// A classifier over an engine that is ready.
    pub(super) fn over(manifest: Manifest, features: Version, engine: Box<dyn Engine>) -> Self {
        let mut live = match features {
            Version::HandV1 => LETTERS,
            Version::SignV1 | Version::HandsV1 => SIGNS,
        };
        live.rules.accept = live.rules.accept.max(manifest.threshold);
        Self {
            input: [Tensor::zeros(&[1, features.frames(), features.width()])],
            features,
            manifest,
            engine,
            live,
            spotter: Spotter::new(live.rules),
        }
    }

    /// What is known about the model.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How much of the past it looks at, in seconds.
    pub fn window_s(&self) -> f64 {
        self.live.window_s
    }

    /// Below this confidence nothing is shown.
    pub fn accept(&self) -> f32 {
        self.live.rules.accept
    }

    /// True where it recognises letters: a longer stretch is never one of them.
    pub fn spells(&self) -> bool {
        self.features == Version::HandV1
    }

    /// What the window shows; an empty guess where no hand is seen or nothing is signed.
    ///
    /// # Errors
    /// [`Fault::Inference`] where the network fails.
    pub fn look(&mut self, window: &[Sight]) -> Result<Guess, Fault> {
        // Signs are placed against the body; without one they would be guessed from hands alone.
        let nothing_to_know = if self.spells() { in_transit(window) } else { !shows_body(window) };
        if nothing_to_know {
            return Ok(Guess::default());
        }
        if !self.features.compute(window, &mut self.input[0].data) {
            return Ok(Guess::default());
        }
        let outputs = self.engine.run(&self.input)?;
        let mut logits = outputs.first().map(|output| output.data.clone()).unwrap_or_default();
        if logits.len() != self.manifest.labels.len() {
            return Err(Fault::Shape {
                what: format!("the output of {}", self.manifest.name),
                expected: vec![1, self.manifest.labels.len()],
                got: vec![1, logits.len()],
            });
        }
        self.manifest.confidences(&mut logits);
        let guess = Guess::of(&logits);
        let rest = guess.top().is_none_or(|(label, _)| self.manifest.is_rest(&self.manifest.labels[label]));
        Ok(if rest { Guess::default() } else { guess })
    }
}

/// Whether a hand is on its way from or to rest: gone from sight, or moving faster than any letter.
fn in_transit(window: &[Sight]) -> bool {
    let Some(last) = window.last() else { return true };
    if last.hand_seen == [false; 2] {
        return true;
    }
    let recent = &window[window.partition_point(|s| last.at_s - s.at_s > LETTERS.rules.hold_s)..];
    (0..2).any(|side| {
        let seen: Vec<&Sight> = recent.iter().filter(|s| s.hand_seen[side]).collect();
        let (Some(first), Some(size)) = (seen.first(), last.hand_size(side)) else { return false };
        let path: f32 =
            seen.windows(2).map(|pair| step(pair[0].hands[side][0], pair[1].hands[side][0])).sum();
        path > TRANSIT * size * (last.at_s - first.at_s) as f32
    })
}

/// Whether a hand that is seen throughout went from one place to another within the window.
pub(super) fn slid(window: &[Sight]) -> bool {
    let (Some(first), Some(last)) = (window.first(), window.last()) else { return false };
    (0..2).filter(|&side| first.hand_seen[side] && last.hand_seen[side]).any(|side| {
        let size = last.hand_size(side);
        size.is_some_and(|size| step(first.hands[side][0], last.hands[side][0]) > SLIDE * size)
    })
}

/// Whether both shoulders are seen in most of the window.
pub(super) fn shows_body(window: &[Sight]) -> bool {
    2 * window.iter().filter(|s| s.body_seen[1] && s.body_seen[2]).count() > window.len()
}

/// How far a wrist moved in the picture.
fn step(a: [f32; 3], b: [f32; 3]) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hand of size 1 that moves by `speed` a second, seen 30 times a second for half a second.
    #[track_caller]
    fn check(speed: f32, seen_to_the_end: bool, expect: bool) {
        let window: Vec<_> = (0..15)
            .map(|i| {
                let mut sight = Sight::unseen(f64::from(i) / 30.0);
                let y = speed * i as f32 / 30.0;
                sight.hand_seen[1] = seen_to_the_end || i < 14;
                sight.hands[1] = [[0.0, y - 1.0, 0.0]; 21];
                sight.hands[1][0] = [0.0, y, 0.0];
                sight
            })
            .collect();
        assert_eq!(in_transit(&window), expect, "{speed} hand sizes a second");
    }

    #[test]
    fn a_hand_that_comes_up_or_is_gone_spells_nothing() {
        check(0.1, true, false);
        check(7.0, true, false);
        check(15.0, true, true);
        check(0.1, false, true);
        assert!(in_transit(&[]));
    }
}
