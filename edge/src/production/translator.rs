//! The small translator on the unit's engines.

use std::path::{Path, PathBuf};

use models::translator::{
    Direction, ENCODER, Encoded, Networks, STEP, Sizes, StepInput, StepOutput, TranslatorManifest,
    TranslatorModel, translate,
};

use super::dictionary::Dictionary;
use crate::Fault;
use crate::engine::{self, Backend, Engine, Tensor};

/// A translator of sentences into glosses, ready to run.
pub struct Translator {
    dir: PathBuf,
    manifest: TranslatorManifest,
    networks: TranslatorEngines,
}

/// Its two networks, and their inputs, which keep their memory from step to step.
struct TranslatorEngines {
    encoder: Box<dyn Engine>,
    step: Box<dyn Engine>,
    name: String,
    sizes: Sizes,
    /// Pieces that the target knows.
    pieces: usize,
    read: [Tensor; 2],
    stepped: [Tensor; 8],
}

impl Translator {
    /// Opens a translator's folder on the first engine of `preference` that is there.
    ///
    /// # Errors
    /// What is wrong with the folder, or [`Fault::Network`] where the engine refuses a network.
    pub fn open(dir: &Path, preference: &[Backend], threads: usize) -> Result<Self, Fault> {
        let TranslatorModel { dir, manifest, encoder, step } = TranslatorModel::open(dir)?;
        let backend = engine::choose(preference)?;
        // Each network's bytes go as soon as an engine has them.
        let open = |bytes: Vec<u8>, file| engine::open_bytes(&bytes, &dir.join(file), backend, threads);
        let sizes = manifest.sizes;
        let s = sizes.source;
        let networks = TranslatorEngines {
            encoder: open(encoder, ENCODER)?,
            step: open(step, STEP)?,
            name: manifest.name.clone(),
            sizes,
            pieces: manifest.target.len(),
            read: [&[1, s], &[1, s]].map(|shape: &[usize; 2]| Tensor::zeros(shape)),
            stepped: sizes.step_inputs().map(|shape| Tensor::zeros(&shape)),
        };
        Ok(Self { dir, manifest, networks })
    }

    /// What is known about it.
    pub fn manifest(&self) -> &TranslatorManifest {
        &self.manifest
    }

    /// Translates a sentence into glosses, one blank between two.
    ///
    /// # Errors
    /// [`Fault::Inference`] or [`Fault::Shape`] where the engine fails.
    pub fn translate(&mut self, sentence: &str) -> Result<String, Fault> {
        translate(&self.manifest, &mut self.networks, sentence)
    }

    /// Whether it translates the dictionary's text into its glosses.
    pub(super) fn check(&self, dictionary: &Dictionary) -> Result<(), Fault> {
        let TranslatorManifest { kind, spoken, signed, .. } = &self.manifest;
        let spoken_fits = *spoken == dictionary.spoken || dictionary.spoken.is_empty();
        if *kind == Direction::TextToGloss && spoken_fits && *signed == dictionary.signed {
            return Ok(());
        }
        Err(Fault::TranslatorLanguage {
            path: self.dir.clone(),
            is: format!("{} ({spoken} and {signed})", kind.words()),
            wanted: format!(
                "{} ({} and {})",
                Direction::TextToGloss.words(),
                dictionary.spoken,
                dictionary.signed
            ),
        })
    }
}

impl Networks for TranslatorEngines {
    type Error = Fault;

    fn encode(&mut self, source: &[f32], there: &[f32]) -> Result<Encoded, Fault> {
        for (tensor, values) in self.read.iter_mut().zip([source, there]) {
            tensor.data.copy_from_slice(values);
        }
        let kept = self.sizes.layers * self.sizes.width() * self.sizes.source;
        let [keys, values] = shaped(&self.name, self.encoder.run(&self.read)?, [kept; 2])?;
        Ok(Encoded { keys, values, heard: vec![] })
    }

    fn step(&mut self, input: &StepInput) -> Result<StepOutput, Fault> {
        for (tensor, values) in self.stepped.iter_mut().zip(input.all()) {
            tensor.data.copy_from_slice(values);
        }
        let Sizes { beam, layers, .. } = self.sizes;
        let kept = layers * beam * self.sizes.width();
        let expected = [beam * self.pieces, kept, kept];
        let [next, keys, values] = shaped(&self.name, self.step.run(&self.stepped)?, expected)?;
        Ok(StepOutput { next, keys, values })
    }
}

/// The outputs of a network of this name, if they have as many values as they should.
fn shaped<const N: usize>(
    name: &str,
    outputs: &[Tensor],
    expected: [usize; N],
) -> Result<[Vec<f32>; N], Fault> {
    let got: Vec<usize> = outputs.iter().map(|output| output.data.len()).collect();
    if got != expected {
        let what = format!("the outputs of {name}");
        return Err(Fault::Shape { what, expected: expected.into(), got });
    }
    Ok(std::array::from_fn(|n| outputs[n].data.clone()))
}
