//! What is known about a trained translator.
//!
//! A folder with `encoder.onnx`, `step.onnx` and `manifest.json`, which states the SHA-256 of both.
//!
//! `encoder.onnx` takes `source [1, S]` (numbers of pieces, as floats) and `there [1, S]` (1 for each that is
//! there), and gives `keys [L * H, K, S]` and `values [L * H, S, K]`, what the decoder's layers look at.
//!
//! `step.onnx` goes on with N translations by a piece: it takes those `keys` and `values`, `absent [1, S]` (0 for
//! what is there, else a large negative number), `pieces [N]`, `place [1]` (how many came before), the cache
//! `past_keys [L * N * H, K, U]` and `past_values [L * N * H, U, K]` with `past [1, U]` (0 for what is there), and
//! gives `next [N, V]` (logarithms of probabilities), `new_keys` and `new_values`, both `[L, N, D]`.
//!
//! Legend: S pieces of the longest source, U of the longest translation, V pieces that the target knows, N the
//! beam, D the width, H heads of K values each, L layers of the decoders: a translator may be several networks
//! whose probabilities are averaged, and L counts them all.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Pieces;
use crate::Error;
use crate::manifest::{self, MANIFEST, Metric, Source, read};

/// The network that reads the source.
pub const ENCODER: &str = "encoder.onnx";
/// The network that goes on by a piece.
pub const STEP: &str = "step.onnx";
/// A manifest holds the pieces of two languages.
const PIECES_LIMIT: u64 = 8 << 20;
/// More values than this no unit keeps for a sentence.
const CACHE_LIMIT: usize = 16 << 20;

/// From what a translator translates, and into what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Sentences into glosses.
    TextToGloss,
    /// Glosses into sentences.
    GlossToText,
}

impl Direction {
    /// In words, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::TextToGloss => "text into glosses",
            Self::GlossToText => "glosses into text",
        }
    }

    /// The source in the form that the translator reads.
    pub fn normal(self, source: &str) -> String {
        match self {
            Self::TextToGloss => super::text::normal(source),
            Self::GlossToText => super::text::normal_glosses(source),
        }
    }
}

/// The sizes of a translator's tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    /// Pieces of the longest source with its end, S.
    pub source: usize,
    /// Pieces of the longest translation, U.
    pub target: usize,
    /// Translations that go on at once, N.
    pub beam: usize,
    /// Layers of all decoders, L.
    pub layers: usize,
    /// Heads of a layer, H.
    pub heads: usize,
    /// Values of a head, K.
    pub head: usize,
}

impl Sizes {
    /// Width, D.
    pub fn width(&self) -> usize {
        self.heads * self.head
    }

    /// The shapes of what a step takes, in the order of [`super::StepInput::all`].
    pub fn step_inputs(&self) -> [Vec<usize>; 8] {
        let Self { source: s, target: u, beam: n, layers: l, heads: h, head: k } = *self;
        [
            vec![l * h, k, s],
            vec![l * h, s, k],
            vec![1, s],
            vec![n],
            vec![1],
            vec![l * n * h, k, u],
            vec![l * n * h, u, k],
            vec![1, u],
        ]
    }

    /// What is wrong with them.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { source, target, beam, layers, heads, head } = *self;
        let all = [source, target, beam, layers, heads, head];
        let product = |sizes: [usize; 5]| sizes.into_iter().try_fold(1_usize, usize::checked_mul);
        let caches =
            [product([layers, beam, heads, head, target]), product([layers, heads, head, source, 1])];
        if all.contains(&0) || caches.iter().any(|n| n.is_none_or(|n| n > CACHE_LIMIT)) {
            return Err(format!("its sizes are {self:?}, which no unit keeps"));
        }
        Ok(())
    }
}

/// What `manifest.json` of a translator says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TranslatorManifest {
    /// The model's name, for example `phoenix14t-gloss`.
    pub name: String,
    /// From what into what.
    pub kind: Direction,
    /// The spoken language, as ISO 639-1.
    pub spoken: String,
    /// The sign language, as ISO 639-3.
    pub signed: String,
    /// SHA-256 of `encoder.onnx`, in hexadecimal.
    pub encoder_sha256: String,
    /// SHA-256 of `step.onnx`, in hexadecimal.
    pub step_sha256: String,
    /// The sizes of the tensors.
    pub sizes: Sizes,
    /// The power of the length that a translation's logarithm of probability is divided by.
    pub penalty: f32,
    /// How the source is cut.
    pub source: Pieces,
    /// What a translation is made of.
    pub target: Pieces,
    /// What it was trained on.
    pub data: Vec<Source>,
    /// What it was measured to do.
    pub metrics: Vec<Metric>,
    /// The command that remakes it.
    pub recipe: String,
}

/// A translator whose bytes are those that its manifest describes.
#[derive(Debug, Clone, PartialEq)]
pub struct TranslatorModel {
    /// The folder.
    pub dir: PathBuf,
    /// What is known about it.
    pub manifest: TranslatorManifest,
    /// The bytes of the network that reads the source.
    pub encoder: Vec<u8>,
    /// The bytes of the network that goes on by a piece.
    pub step: Vec<u8>,
}

impl TranslatorModel {
    /// Opens the model in a folder and checks it.
    ///
    /// # Errors
    /// [`Error::NoModel`] where a file is missing, [`Error::Manifest`] where the manifest is broken or of
    /// another kind, [`Error::ModelChanged`] where a network's bytes are not those that it describes.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(MANIFEST);
        let wrong = |why: String| Error::Manifest { path: path.clone(), why };
        let manifest: TranslatorManifest = serde_json::from_slice(&read(dir, MANIFEST, PIECES_LIMIT)?)
            .map_err(|e| wrong(format!("not a translator's manifest ({e})")))?;
        manifest.check().map_err(wrong)?;
        let encoder = manifest::network(dir, ENCODER, &manifest.encoder_sha256)?;
        let step = manifest::network(dir, STEP, &manifest.step_sha256)?;
        Ok(Self { dir: dir.to_owned(), manifest, encoder, step })
    }
}

impl TranslatorManifest {
    /// What is wrong with the manifest.
    fn check(&self) -> Result<(), String> {
        self.sizes.check()?;
        if self.name.trim().is_empty() {
            return Err("it has no name".into());
        }
        if !(0.0..=4.0).contains(&self.penalty) {
            return Err(format!("its \"penalty\" is {}, which is not within 0 to 4", self.penalty));
        }
        if self.source.is_empty() || self.target.is_empty() {
            return Err("it knows no pieces".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::sha256;

    fn manifest() -> TranslatorManifest {
        TranslatorManifest {
            name: "test".into(),
            kind: Direction::TextToGloss,
            spoken: "de".into(),
            signed: "gsg".into(),
            encoder_sha256: sha256(b"encoder"),
            step_sha256: sha256(b"step"),
            sizes: Sizes { source: 8, target: 8, beam: 2, layers: 2, heads: 2, head: 4 },
            penalty: 1.0,
            source: Pieces::learn(["der regen"], 20),
            target: Pieces::of_words(["REGEN"]),
            data: vec![],
            metrics: vec![],
            recipe: "none".into(),
        }
    }

    /// Opens a folder with that manifest, and gives the model's name or the error's words.
    #[track_caller]
    fn check(case: &str, manifest: &TranslatorManifest, expect: &str) {
        let dir = std::env::temp_dir().join(format!("signpost-translator-{}-{case}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(MANIFEST), serde_json::to_vec(manifest).unwrap()).unwrap();
        std::fs::write(dir.join(ENCODER), b"encoder").unwrap();
        std::fs::write(dir.join(STEP), b"step").unwrap();
        let opened = TranslatorModel::open(&dir);
        std::fs::remove_dir_all(&dir).unwrap();
        let said = opened
            .map_or_else(|e| e.to_string(), |m| format!("{} {}", m.manifest.name, m.manifest == *manifest));
        assert!(said.contains(expect), "{said:?} does not contain {expect:?}");
    }

    #[test]
    fn opens_what_is_whole_and_refuses_the_rest() {
        let good = manifest();
        check("good", &good, "test true");
        check("lost", &TranslatorManifest { step_sha256: sha256(b"other"), ..good.clone() }, STEP);
        let sizes = Sizes { layers: usize::MAX, ..good.sizes };
        check("large", &TranslatorManifest { sizes, ..good.clone() }, "which no unit keeps");
        let sizes = Sizes { beam: 0, ..good.sizes };
        check("none", &TranslatorManifest { sizes, ..good.clone() }, "which no unit keeps");
        check("penalty", &TranslatorManifest { penalty: 9.0, ..good.clone() }, "penalty");
        check("pieces", &TranslatorManifest { target: Pieces::of_words([]), ..good }, "knows no pieces");
    }
}
