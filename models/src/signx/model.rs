//! What is known about a recogniser of whole utterances.
//!
//! A folder with `encoder.onnx`, `step.onnx` and `manifest.json`, which states the SHA-256 of both.
//!
//! `encoder.onnx` takes `frames [S, 258]` (landmarks in the signer's own measure, see [`super::own_rows`]) and `there
//! [S, 1]` (1 for each frame that shows somebody, else 0), and gives `keys`, `values` and `heard [S, V]` (logarithms of
//! probabilities: what each frame says by itself). `step.onnx` is a translator's, see
//! [`crate::translator::TranslatorModel`]. V are the marks of [`crate::translator::Pieces`] and the glosses.

use std::collections::HashSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::same_measure;
use crate::Error;
use crate::gloss::label_key;
use crate::manifest::{self, Kind, LABEL_LIMIT, MANIFEST, MANIFEST_LIMIT, Metric, Source, read};
use crate::store;
use crate::translator::{ENCODER, STEP, Sizes, UNKNOWN};

/// Tokens that are no gloss.
pub const MARKS: usize = UNKNOWN as usize + 1;
/// Rates that landmarks are brought to. Frames a second.
const RATES: std::ops::RangeInclusive<f32> = 1.0..=60.0;

/// What `manifest.json` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UtteranceManifest {
    /// The model's name.
    pub name: String,
    /// Always [`Kind::Utterance`].
    pub kind: Kind,
    /// SHA-256 of `encoder.onnx`, in hexadecimal.
    pub sha256: String,
    /// The same of `step.onnx`.
    pub step_sha256: String,
    /// The measure of the landmarks that it reads, [`super::MEASURE`].
    #[serde(default)]
    pub measure: u32,
    /// Frames a second that it reads.
    pub fps: f32,
    /// Of its tensors; S frames at most.
    pub sizes: Sizes,
    /// `[G]`, in the order of its tokens after the marks.
    pub glosses: Vec<String>,
    /// The share of what frames say by themselves in the search ([`crate::translator::Joint`]).
    pub heard: f32,
    /// The power of the length that the logarithm of a probability is divided by.
    pub penalty: f32,
    /// Weights of [`super::Gloss::terms`]: the logistic function of their sum is the confidence.
    pub confidence: [f32; 3],
    /// Below this confidence a gloss is not said.
    pub accept: f32,
    /// What it was trained on.
    pub data: Vec<Source>,
    /// What it was measured to do.
    pub metrics: Vec<Metric>,
    /// The command that remakes it.
    pub recipe: String,
}

/// A recogniser whose bytes are those that its manifest describes.
#[derive(Debug, Clone, PartialEq)]
pub struct UtteranceModel {
    /// The folder.
    pub dir: PathBuf,
    /// What is known about it.
    pub manifest: UtteranceManifest,
    /// The bytes of the encoder and of the step.
    pub networks: [Vec<u8>; 2],
}

impl UtteranceModel {
    /// Opens a shipped model by its name, or any by its folder.
    ///
    /// # Errors
    /// [`Error::NoModel`] where a file is missing, [`Error::Manifest`] where the manifest is broken or of another kind,
    /// [`Error::ModelChanged`] where a network's bytes are not those that it describes.
    pub fn find(name_or_folder: &str) -> Result<Self, Error> {
        let dir = store::weights(name_or_folder).unwrap_or_else(|| PathBuf::from(name_or_folder));
        let path = dir.join(MANIFEST);
        let wrong = |why: String| Error::Manifest { path: path.clone(), why };
        let bytes = read(&dir, MANIFEST, MANIFEST_LIMIT)?;
        let manifest: UtteranceManifest = serde_json::from_slice(&bytes)
            .map_err(|e| wrong(format!("not the manifest of a recogniser of whole utterances ({e})")))?;
        manifest.check().map_err(wrong)?;
        let network = |file, stated| manifest::network(&dir, file, stated);
        let networks = [network(ENCODER, &manifest.sha256)?, network(STEP, &manifest.step_sha256)?];
        Ok(Self { dir, manifest, networks })
    }
}

impl UtteranceManifest {
    /// Tokens, V.
    pub fn tokens(&self) -> usize {
        MARKS + self.glosses.len()
    }

    /// What is wrong with the manifest.
    fn check(&self) -> Result<(), String> {
        if self.kind != Kind::Utterance {
            return Err("it reads no whole utterances".into());
        }
        if self.name.trim().is_empty() {
            return Err("it has no name".into());
        }
        same_measure(self.measure)?;
        if self.glosses.is_empty() || self.glosses.len() > LABEL_LIMIT {
            return Err(format!("it has {} glosses, and 1 to {LABEL_LIMIT} make sense", self.glosses.len()));
        }
        let mut keys = HashSet::new();
        if let Some(twice) = self.glosses.iter().find(|gloss| !keys.insert(label_key(gloss))) {
            return Err(format!("its gloss {twice:?} is there twice"));
        }
        if !RATES.contains(&self.fps) {
            return Err(format!("it reads {} frames a second, which is not within 1 to 60", self.fps));
        }
        let shares = [("heard", self.heard), ("accept", self.accept), ("penalty", self.penalty)];
        if let Some((name, share)) = shares.iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            return Err(format!("its {name:?} is {share}, which is not within 0 to 1"));
        }
        if self.confidence.iter().any(|weight| !weight.is_finite()) {
            return Err("a weight of its confidence is no number".into());
        }
        self.sizes.check()
    }
}
