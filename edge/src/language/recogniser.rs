//! One shipped classifier that looks at a window of sights.

use models::features::{Sight, Version};
use models::manifest::{Manifest, Model};

use super::spotter::{Guess, Rules, Spotter};
use crate::Fault;
use crate::engine::{self, Backend, Engine, Tensor};

/// How a kind of features is used live.
struct Timing {
    /// How much of the past the classifier looks at, in seconds.
    window_s: f64,
    /// How long a label must stay on top, in seconds.
    hold_s: f64,
    /// How long it must be off the top before it counts again, in seconds.
    release_s: f64,
}

/// A letter is held for a quarter to half a second, and a longer window would see its neighbours too; a sign
/// takes one to one and a half seconds.
const LETTERS: Timing = Timing { window_s: 0.3, hold_s: 0.13, release_s: 0.1 };
const SIGNS: Timing = Timing { window_s: 1.5, hold_s: 0.3, release_s: 0.5 };

/// A classifier, ready to run.
pub struct Recogniser {
    manifest: Manifest,
    features: Version,
    engine: Box<dyn Engine>,
    input: [Tensor; 1],
    window_s: f64,
    pub(super) spotter: Spotter,
}

impl Recogniser {
    /// Opens a model that ships by its name, or any by its folder.
    ///
    /// # Errors
    /// [`Fault::Format`] where the model is not whole, [`Fault::Backend`] where no engine is there.
    pub fn open(name_or_folder: &str, preference: &[Backend], threads: usize) -> Result<Self, Fault> {
        let model = Model::find(name_or_folder)?;
        let path = model.dir.join(models::manifest::NETWORK);
        let engine = engine::open_bytes(&model.network, &path, engine::choose(preference)?, threads)?;
        let timing = match model.features {
            Version::HandV1 => LETTERS,
            Version::SignV1 => SIGNS,
        };
        let accept = model.manifest.threshold;
        let rules = Rules { accept, hold_s: timing.hold_s, release_s: timing.release_s };
        Ok(Self {
            input: [Tensor::zeros(&[1, model.features.frames(), model.features.width()])],
            features: model.features,
            manifest: model.manifest,
            engine,
            window_s: timing.window_s,
            spotter: Spotter::new(rules),
        })
    }

    /// What is known about the model.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How much of the past it looks at, in seconds.
    pub fn window_s(&self) -> f64 {
        self.window_s
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
        if !self.features.compute(window, &mut self.input[0].data) {
            return Ok(Guess::default());
        }
        let outputs = self.engine.run(&self.input)?;
        let mut logits = outputs.into_iter().next().unwrap_or_default().data;
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
