//! A trained Pose2Gloss as a folder: `manifest.json` and `weights.safetensors`.

use std::path::{Path, PathBuf};

use burn::tensor::backend::Backend;
use models::manifest::{MANIFEST, Metric, Source, sha256};
use models::translator::{Decoding, UNKNOWN};
use serde::{Deserialize, Serialize};

use super::clip::Clip;
use super::{Pose2Gloss, Pose2GlossConfig, Preset, decode};
use crate::Error;
use crate::data::{TimedGloss, Utterance};
use crate::nn::{Drops, load};

/// The weights' file.
pub const WEIGHTS: &str = "weights.safetensors";
/// Tokens that are no gloss.
const MARKS: usize = UNKNOWN as usize + 1;

/// All that is known of a trained Pose2Gloss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignXManifest {
    /// The model's name.
    pub name: String,
    /// Its sizes and settings, a name of [`Preset`].
    pub preset: String,
    /// SHA-256 of the weights, in hexadecimal.
    pub weights_sha256: String,
    /// What it may say, in the order of its tokens after the marks.
    pub glosses: Vec<String>,
    /// What it was trained on.
    pub data: Vec<Source>,
    /// What it was measured to do.
    pub metrics: Vec<Metric>,
    /// The command that remakes it.
    pub recipe: String,
}

/// A trained Pose2Gloss.
#[derive(Debug)]
pub struct SignXModel<B: Backend> {
    /// What is known of it.
    pub manifest: SignXManifest,
    /// Its sizes and settings.
    pub preset: Preset,
    /// The network.
    pub net: Pose2Gloss<B>,
}

/// The token of a gloss of such a list.
pub fn token(glosses: &[String], gloss: &str) -> Option<u32> {
    glosses.iter().position(|known| known == gloss).map(|i| (MARKS + i) as u32)
}

/// The sizes of a preset's network that may say so many glosses.
pub fn config(preset: &Preset, glosses: usize) -> Pose2GlossConfig {
    Pose2GlossConfig { codes: MARKS + glosses, ..preset.pose2gloss.clone() }
}

impl<B: Backend> SignXModel<B> {
    /// Opens a folder.
    ///
    /// # Errors
    /// [`Error::SignX`] where a file is missing, was changed, or does not fit the other.
    pub fn open(folder: &Path, device: &B::Device) -> Result<Self, Error> {
        let at = |name: &str| folder.join(name);
        let wrong = |path: PathBuf, why: String| Error::SignX { path, why };
        let bytes = |name: &str| std::fs::read(at(name)).map_err(|e| wrong(at(name), e.to_string()));
        let manifest: SignXManifest = serde_json::from_slice(&bytes(MANIFEST)?)
            .map_err(|e| wrong(at(MANIFEST), format!("it is no manifest ({e})")))?;
        let unknown =
            || wrong(at(MANIFEST), format!("it names the preset {:?}, which is none", manifest.preset));
        let preset = Preset::find(&manifest.preset).ok_or_else(unknown)?;
        let weights = bytes(WEIGHTS)?;
        if sha256(&weights) != manifest.weights_sha256 {
            return Err(wrong(at(WEIGHTS), "it is not the file that the manifest vouches for".into()));
        }
        let net = config(&preset, manifest.glosses.len()).init(device);
        let net = load(net, weights).map_err(|why| wrong(at(WEIGHTS), why))?;
        Ok(Self { manifest, preset, net })
    }

    /// What a clip says.
    pub fn read(&self, clip: &Clip, how: Decoding) -> Vec<String> {
        read(&self.net, &self.preset, &self.manifest.glosses, clip, how)
    }
}

/// What a clip says, by a network and its glosses.
pub fn read<B: Backend>(
    net: &Pose2Gloss<B>,
    preset: &Preset,
    glosses: &[String],
    clip: &Clip,
    how: Decoding,
) -> Vec<String> {
    let device = net.codebook.bias.device();
    let frames = clip.frames_of::<B>(&device);
    let memory = net.read(&frames, &preset.diffusion, &mut Drops::none());
    let tokens = decode::tokens(&net.codebook, &memory, &frames.seen(), preset.longest, how, preset.shaping);
    let gloss = |token: u32| glosses.get((token as usize).checked_sub(MARKS)?).cloned();
    tokens.into_iter().filter_map(gloss).collect()
}

/// What was read of an utterance, in the form of a corpus. SignX says no times: each gloss has the clip's.
pub fn hypothesis(utterance: &Utterance, clip: &Clip, fps: f32, said: Vec<String>) -> Utterance {
    let end_s = clip.frames() as f64 / f64::from(fps);
    let timed = |gloss| TimedGloss { gloss, start_s: 0.0, end_s, confidence: None };
    Utterance {
        id: utterance.id.clone(),
        signer: utterance.signer.clone(),
        glosses: said.into_iter().map(timed).collect(),
        ..Utterance::default()
    }
}
