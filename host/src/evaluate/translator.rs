//! Runs a translator with tract, the engine that every unit has.

use models::translator::{
    Direction, Encoded, Networks, Sizes, StepInput, StepOutput, TranslatorManifest, TranslatorModel,
    log_probs, translate,
};

use super::engine::Network;
use super::translation::Translates;
use crate::Error;

/// A translator ready to run.
pub struct TranslatorRunner {
    manifest: TranslatorManifest,
    networks: TranslatorNetworks,
}

/// A translator's two networks.
pub struct TranslatorNetworks {
    encoder: Network,
    step: Network,
    /// The shapes of what the encoder takes.
    source: [[usize; 2]; 2],
    sizes: Sizes,
    /// Pieces that the target knows.
    pieces: usize,
    /// Whether the encoder says what each place of its source says by itself.
    hears: bool,
}

impl TranslatorRunner {
    /// Loads the networks of an opened model.
    ///
    /// # Errors
    /// [`Error::Network`] where the engine refuses one.
    pub fn new(model: &TranslatorModel) -> Result<Self, Error> {
        let TranslatorModel { manifest, encoder, step, .. } = model;
        let pieces = manifest.target.len();
        let networks = TranslatorNetworks::new(&manifest.name, [encoder, step], manifest.sizes, pieces)?;
        Ok(Self { manifest: manifest.clone(), networks })
    }

    /// What is known about the model.
    pub fn manifest(&self) -> &TranslatorManifest {
        &self.manifest
    }

    /// What the networks think of a translation, see [`models::translator::log_probs`].
    ///
    /// # Errors
    /// [`Error::Network`] where the engine fails.
    pub fn log_probs(&mut self, source: &[u32], target: &[u32]) -> Result<Vec<f32>, Error> {
        log_probs(self.manifest.sizes, &mut self.networks, source, target)
    }
}

impl Translates for TranslatorRunner {
    fn direction(&self) -> Direction {
        self.manifest.kind
    }

    fn spoken(&self) -> &str {
        &self.manifest.spoken
    }

    fn translate(&mut self, line: &str) -> Result<String, Error> {
        translate(&self.manifest, &mut self.networks, line)
    }
}

impl TranslatorNetworks {
    /// Loads both networks.
    ///
    /// # Errors
    /// [`Error::Network`] where the engine refuses one.
    pub fn new(name: &str, networks: [&[u8]; 2], sizes: Sizes, pieces: usize) -> Result<Self, Error> {
        let [encoder, step] = networks;
        Ok(Self {
            encoder: Network::new(name, encoder)?,
            step: Network::new(name, step)?,
            source: [[1, sizes.source]; 2],
            sizes,
            pieces,
            hears: false,
        })
    }

    /// The same of networks that read frames: `source` are the shapes of the encoder's two inputs, and what each frame
    /// says by itself is its third output.
    #[must_use]
    pub fn of_frames(self, source: [[usize; 2]; 2]) -> Self {
        Self { source, hears: true, ..self }
    }
}

impl Networks for TranslatorNetworks {
    type Error = Error;

    fn encode(&mut self, source: &[f32], there: &[f32]) -> Result<Encoded, Error> {
        let [first, second] = &self.source;
        let kept = self.sizes.layers * self.sizes.width() * self.sizes.source;
        let inputs: [(&[usize], &[f32]); 2] = [(first, source), (second, there)];
        if !self.hears {
            let [keys, values] = self.encoder.run(&inputs, [kept; 2])?;
            return Ok(Encoded { keys, values, heard: vec![] });
        }
        let heard = self.sizes.source * self.pieces;
        let [keys, values, heard] = self.encoder.run(&inputs, [kept, kept, heard])?;
        Ok(Encoded { keys, values, heard })
    }

    fn step(&mut self, input: &StepInput) -> Result<StepOutput, Error> {
        let Sizes { beam, layers, .. } = self.sizes;
        let (shapes, all) = (self.sizes.step_inputs(), input.all());
        let inputs: [(&[usize], &[f32]); 8] = std::array::from_fn(|i| (shapes[i].as_slice(), all[i]));
        let kept = layers * beam * self.sizes.width();
        let [next, keys, values] = self.step.run(&inputs, [beam * self.pieces, kept, kept])?;
        Ok(StepOutput { next, keys, values })
    }
}
