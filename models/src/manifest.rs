//! What is known about a trained model: its inputs, labels, data, licence and figures.
//!
//! A model is a folder with `model.onnx` and `manifest.json`. The manifest states
//! the network's SHA-256, and [`Model::open`] refuses bytes that differ.

use std::collections::HashSet;
use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::features::Version;
use crate::gloss::label_key;
use crate::store;

/// The network's file within a model's folder.
pub const NETWORK: &str = "model.onnx";
/// The manifest's file within a model's folder.
pub const MANIFEST: &str = "manifest.json";

/// The label of windows that show no sign of the model; never an answer.
pub const NONE: &str = "<none>";

/// A manifest is a few kilobytes; nothing larger is read.
pub(crate) const MANIFEST_LIMIT: u64 = 1 << 20;
/// No network that we ship comes near this.
pub(crate) const NETWORK_LIMIT: u64 = 64 << 20;
/// More classes than this need another kind of model.
pub(crate) const LABEL_LIMIT: usize = 10_000;
/// An embedding has some hundred values.
pub(crate) const VALUES_LIMIT: usize = 4096;

/// What `manifest.json` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The model's name, for example `ksl13`.
    pub name: String,
    /// What it does.
    pub kind: Kind,
    /// SHA-256 of `model.onnx`, in hexadecimal.
    pub sha256: String,
    /// The arithmetic of its input, a name of [`Version`].
    pub features: String,
    /// Steps of its input, T: `features` is `[1, T, F]`.
    pub frames: usize,
    /// Values of a step, F.
    pub width: usize,
    /// `[G]`, in the order of the network's output: `logits` is `[1, G]`. Of an embedding: none.
    pub labels: Vec<String>,
    /// Those labels that mean that nothing is signed.
    pub rest: Vec<String>,
    /// Divides the logits before the softmax, so that a confidence is how often it is right.
    pub temperature: f32,
    /// Below this confidence the unit asks again rather than show the sign.
    pub threshold: f32,
    /// What it was trained on.
    pub data: Vec<Source>,
    /// What it was measured to do.
    pub metrics: Vec<Metric>,
    /// The command that remakes it.
    pub recipe: String,
}

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One window of features gives the logits of one sign.
    Isolated,
    /// Step by step it reads continuous signing, see [`crate::live`].
    Continuous,
    /// Reads whole utterances when they are over, see [`crate::signx`].
    Utterance,
    /// One window of features gives a place among all signs, known or not: see [`crate::enrolment`].
    Embedding(Embedding),
}

/// What is known of an embedding; such a model has no labels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// Values, E: `embedding` is `[1, E]`, of length 1.
    pub values: usize,
    /// How similar a window is to "no enrolled sign", whatever it shows: a cosine.
    pub none: f32,
}

impl Kind {
    /// What a shipped model, or the one in a folder, says that it does.
    ///
    /// # Errors
    /// [`Error::NoModel`] where there is no such model, [`Error::Manifest`] where its manifest does not say.
    pub fn of(name_or_folder: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Says {
            kind: Kind,
        }
        let dir = store::weights(name_or_folder).unwrap_or_else(|| PathBuf::from(name_or_folder));
        let says: Says = serde_json::from_slice(&read(&dir, MANIFEST, MANIFEST_LIMIT)?).map_err(|e| {
            Error::Manifest { path: dir.join(MANIFEST), why: format!("not a model's manifest ({e})") }
        })?;
        Ok(says.kind)
    }
}

/// A part of the training data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The data set, by the name of its files.
    pub name: String,
    /// The licence of the recordings.
    pub licence: String,
    /// What it was trained on for.
    pub role: Role,
    /// Which of its clips were kept out of training.
    pub held_out: HeldOut,
    /// How many clips were trained on.
    pub clips: usize,
}

/// What a part of the training data is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Its labels are the model's.
    Signs,
    /// Only the shapes of its hands are learnt.
    Handshapes,
    /// Nothing of it is learnt; the threshold was set on it.
    Threshold,
    /// It shows signs that the model does not have, so that it learns to abstain.
    OtherSigns,
    /// Its sentences are translated.
    Sentences,
}

/// Which clips of a data set are kept out of training.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldOut {
    /// None: all were trained on.
    Nothing,
    /// All clips of one group (a recording set, a signer).
    Group(String),
    /// All clips of several groups.
    Groups(Vec<String>),
    /// All clips of one part of its corpus, for example `val`.
    Split(String),
    /// Of each label the last clips by sequence number, but no more than a third of the label's clips
    /// where it has fewer than twice as many.
    Last(usize),
}

/// A figure, and the command that printed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// What was measured, for example `top1`.
    pub name: String,
    /// The figure.
    pub value: f64,
    /// How many clips it was measured on.
    pub clips: usize,
    /// On which data.
    pub on: String,
    /// The command that prints it again.
    pub command: String,
}

/// A model whose bytes are those that its manifest describes.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The folder.
    pub dir: PathBuf,
    /// What is known about it.
    pub manifest: Manifest,
    /// The arithmetic of its input.
    pub features: Version,
    /// The bytes of the network: the very bytes that were checked.
    pub network: Vec<u8>,
}

impl Model {
    /// Opens a shipped model by its name, or any model by its folder.
    ///
    /// # Errors
    /// Those of [`Model::open`]; where there is no such model the error lists the shipped ones.
    pub fn find(name_or_folder: &str) -> Result<Self, Error> {
        let dir = store::weights(name_or_folder).unwrap_or_else(|| PathBuf::from(name_or_folder));
        Self::open(&dir)
    }

    /// Opens the model in a folder and checks it.
    ///
    /// # Errors
    /// [`Error::NoModel`] where a file is missing, [`Error::Manifest`] where the manifest is broken or
    /// asks for features that this program cannot compute, [`Error::ModelChanged`] where the network's
    /// bytes are not those that the manifest describes.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(MANIFEST);
        let bytes = read(dir, MANIFEST, MANIFEST_LIMIT)?;
        let wrong = |why: String| Error::Manifest { path: path.clone(), why };
        let manifest: Manifest =
            serde_json::from_slice(&bytes).map_err(|e| wrong(format!("not a model's manifest ({e})")))?;
        let features = manifest.check().map_err(wrong)?;
        let network = network(dir, NETWORK, &manifest.sha256)?;
        Ok(Self { dir: dir.to_owned(), manifest, features, network })
    }
}

impl Manifest {
    /// How sure the model is of each label: the softmax of the logits over the temperature, in place.
    ///
    /// # Shapes
    /// - `logits`: `[G]` in, confidences that sum to 1 out
    pub fn confidences(&self, logits: &mut [f32]) {
        confidences(logits, self.temperature);
    }

    /// True where the label means that nothing is signed.
    pub fn is_rest(&self, label: &str) -> bool {
        self.rest.iter().any(|r| r == label)
    }

    /// How many values the network gives for a window.
    pub fn outputs(&self) -> usize {
        match self.kind {
            Kind::Isolated | Kind::Continuous | Kind::Utterance => self.labels.len(),
            Kind::Embedding(embedding) => embedding.values,
        }
    }

    /// What is wrong with the manifest, or the arithmetic of its features.
    fn check(&self) -> Result<Version, String> {
        match self.kind {
            Kind::Isolated if !(1..=LABEL_LIMIT).contains(&self.labels.len()) => {
                let labels = self.labels.len();
                return Err(format!("it has {labels} labels, and 1 to {LABEL_LIMIT} make sense"));
            }
            Kind::Embedding(_) if !self.labels.is_empty() => {
                return Err(format!("an embedding has no labels, and it has {}", self.labels.len()));
            }
            Kind::Embedding(Embedding { values, none })
                if !(1..=VALUES_LIMIT).contains(&values) || !(-1.0..=1.0).contains(&none) =>
            {
                return Err(format!("{values} values with none at {none} are no embedding"));
            }
            Kind::Isolated | Kind::Embedding(_) => {}
            Kind::Continuous | Kind::Utterance => {
                return Err("it does not tell single signs apart, which is what this needs".into());
            }
        }
        let features = Version::parse(&self.features).ok_or_else(|| {
            let known: Vec<_> = Version::ALL.iter().map(|v| v.name()).collect();
            format!("its features are {:?}, and this program computes {}", self.features, known.join(", "))
        })?;
        let shape = [features.frames(), features.width()];
        if [self.frames, self.width] != shape {
            return Err(format!(
                "its input is {}x{}, and {} is {shape:?}",
                self.frames, self.width, self.features
            ));
        }
        let mut keys = HashSet::new();
        if let Some(twice) = self.labels.iter().find(|label| !keys.insert(label_key(label))) {
            return Err(format!("its label {twice:?} is there twice"));
        }
        if let Some(unknown) = self.rest.iter().find(|rest| !self.labels.contains(rest)) {
            return Err(format!("its rest label {unknown:?} is none of its labels"));
        }
        if self.name.trim().is_empty() {
            return Err("it has no name".into());
        }
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return Err(format!("its temperature is {}, which is not above 0", self.temperature));
        }
        if !(0.0..=1.0).contains(&self.threshold) {
            return Err(format!("its threshold is {}, which is not within 0 to 1", self.threshold));
        }
        Ok(features)
    }
}

/// The softmax of the logits over a temperature, in place.
///
/// # Shapes
/// - `logits`: `[G]` in, confidences that sum to 1 out
pub fn confidences(logits: &mut [f32], temperature: f32) {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in logits.iter_mut() {
        *value = ((*value - top) / temperature).exp();
        sum += *value;
    }
    for value in logits.iter_mut() {
        *value /= sum;
    }
}

/// The SHA-256 of bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// The SHA-256 of all that a reader gives, in hexadecimal; it may be of any length.
///
/// # Errors
/// Those of the reader.
pub fn sha256_of(mut reader: impl Read) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    std::io::copy(&mut reader, &mut hash)?;
    Ok(hexadecimal(&hash.finalize()))
}

/// Bytes in hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all that is written");
        text
    })
}

/// A network of a model's folder, whose bytes must have the SHA-256 that the manifest states.
pub(crate) fn network(dir: &Path, file: &'static str, stated: &str) -> Result<Vec<u8>, Error> {
    let network = read(dir, file, NETWORK_LIMIT)?;
    let found = sha256(&network);
    if found == stated {
        return Ok(network);
    }
    Err(Error::ModelChanged { path: dir.join(file), found, stated: stated.to_owned() })
}

/// Reads one of a model's files, up to a limit.
pub(crate) fn read(dir: &Path, file: &'static str, limit: u64) -> Result<Vec<u8>, Error> {
    let path = dir.join(file);
    let opened = File::open(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
            Error::NoModel { dir: dir.to_owned(), file, known: store::SHIPPED.join(", ") }
        }
        _ => Error::io("read", &path)(error),
    })?;
    let mut bytes = Vec::new();
    opened.take(limit + 1).read_to_end(&mut bytes).map_err(Error::io("read", &path))?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge { path, limit });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(network: &[u8]) -> Manifest {
        Manifest {
            name: "test".into(),
            kind: Kind::Isolated,
            sha256: sha256(network),
            features: "hand-v1".into(),
            frames: Version::HandV1.frames(),
            width: Version::HandV1.width(),
            labels: vec!["a".into(), "b".into()],
            rest: vec![],
            temperature: 2.0,
            threshold: 0.5,
            data: vec![],
            metrics: vec![],
            recipe: "none".into(),
        }
    }

    /// Opens a folder with the manifest and the network given, and gives the error's words.
    #[track_caller]
    fn check(case: &str, manifest: &[u8], network: &[u8], expect: &str) {
        let dir = std::env::temp_dir().join(format!("signpost-manifest-{}-{case}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(MANIFEST), manifest).unwrap();
        std::fs::write(dir.join(NETWORK), network).unwrap();
        let said =
            Model::open(&dir).map_or_else(|e| e.to_string(), |m| format!("opened {}", m.manifest.name));
        std::fs::remove_dir_all(&dir).unwrap();
        assert!(said.contains(expect), "{said:?} does not contain {expect:?}");
    }

    #[test]
    fn opens_what_is_whole_and_refuses_the_rest() {
        let good = manifest(b"network");
        let text = |m: &Manifest| serde_json::to_vec(m).unwrap();
        check("good", &text(&good), b"network", "opened test");
        check("flipped", &text(&good), b"netwprk", "was changed after it was made");
        check("cut", &text(&good)[..40], b"network", "not a model's manifest");
        check("huge", &vec![b' '; MANIFEST_LIMIT as usize + 1], b"network", "larger than");
        let other = Manifest { features: "hand-v9".into(), ..good.clone() };
        check("features", &text(&other), b"network", "this program computes sign-v1, hand-v1");
        let cold = Manifest { temperature: 0.0, ..good.clone() };
        check("cold", &text(&cold), b"network", "temperature is 0");
        let twice = Manifest { labels: vec!["thank-you".into(), "THANK_you".into()], ..good.clone() };
        check("twice", &text(&twice), b"network", "\"THANK_you\" is there twice");
        let rest = Manifest { rest: vec!["c".into()], ..good.clone() };
        check("rest", &text(&rest), b"network", "\"c\" is none of its labels");
        let nameless = Manifest { name: " ".into(), ..good.clone() };
        check("nameless", &text(&nameless), b"network", "it has no name");
        let empty = Manifest { labels: vec![], ..good.clone() };
        check("empty", &text(&empty), b"network", "0 labels");
        let embedding = |values, none| Kind::Embedding(Embedding { values, none });
        let places = Manifest { kind: embedding(64, 0.5), labels: vec![], ..good.clone() };
        check("places", &text(&places), b"network", "opened test");
        check("none", &text(&Manifest { kind: embedding(64, 1.5), ..places.clone() }), b"network", "at 1.5");
        check("flat", &text(&Manifest { kind: embedding(0, 0.5), ..places }), b"network", "0 values");
        let labelled = Manifest { kind: embedding(64, 0.5), ..good };
        check("labelled", &text(&labelled), b"network", "an embedding has no labels, and it has 2");
    }

    #[test]
    fn an_unknown_model_lists_those_that_ship() {
        let said = Model::find("asl-sentences").unwrap_err().to_string();
        assert!(said.contains("ksl13, asl-words, asl-letters"), "{said}");
    }

    #[test]
    fn confidences_sum_to_one_and_temperature_softens_them() {
        let mut logits = [2.0, 0.0];
        manifest(b"").confidences(&mut logits);
        assert!((logits[0] + logits[1] - 1.0).abs() < 1e-6);
        assert!((logits[0] - 1.0 / (1.0 + (-1.0_f32).exp())).abs() < 1e-6);
    }
}
