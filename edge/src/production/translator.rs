//! The small translator on the unit's engines.

use std::path::{Path, PathBuf};

use models::translator::{Direction, TranslatorManifest, TranslatorModel, translate};

use super::dictionary::Dictionary;
use crate::Fault;
use crate::engine::Backend;
use crate::engine::decoder::{DecoderEngines, Shape};

/// A translator of sentences into glosses, ready to run.
pub struct Translator {
    dir: PathBuf,
    manifest: TranslatorManifest,
    networks: DecoderEngines,
}

impl Translator {
    /// Opens a translator's folder on the first engine of `preference` that is there.
    ///
    /// # Errors
    /// What is wrong with the folder, or [`Fault::Network`] where the engine refuses a network.
    pub fn open(dir: &Path, preference: &[Backend], threads: usize) -> Result<Self, Fault> {
        let TranslatorModel { dir, manifest, encoder, step } = TranslatorModel::open(dir)?;
        let shape = Shape {
            source: [[1, manifest.sizes.source]; 2],
            sizes: manifest.sizes,
            pieces: manifest.target.len(),
            hears: false,
        };
        let networks =
            DecoderEngines::open(&manifest.name, &dir, [encoder, step], shape, (preference, threads))?;
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
