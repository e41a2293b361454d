//! A trained Pose2Gloss as a folder: `manifest.json` and `weights.safetensors`; and where a second stage was trained for
//! it, so that it reads videos, `video2pose.safetensors`.

use std::path::{Path, PathBuf};

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use burn::tensor::backend::Backend;
use models::manifest::{MANIFEST, Metric, Source, sha256};
use models::signx::{MARKS, same_measure};
use models::translator::{BEGIN, Decoding, ENCODER, Heard, STEP, Sizes, Steps};
use serde::{Deserialize, Serialize};

use super::clip::Clip;
use super::track::Track;
use super::{
    Encode, Exported, ExportedVideo, Film, Frames, Pose2Gloss, Pose2GlossConfig, Preset, Size, Video2Pose,
    decode,
};
use crate::data::{TimedGloss, Utterance};
use crate::nn::{Drops, load, numbers};
use crate::random::split_mix;
use crate::{Error, export};

/// The weights' file.
pub const WEIGHTS: &str = "weights.safetensors";
/// The weights' file of Video2Pose.
pub const VIDEO_WEIGHTS: &str = "video2pose.safetensors";
/// The largest difference of a probability that rounding explains.
const ROUNDING: f32 = 1e-3;
/// Tokens that exported networks are compared over.
const LOOKED: usize = 6;

/// All that is known of a trained Pose2Gloss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignXManifest {
    /// The model's name.
    pub name: String,
    /// Its sizes and settings, a name of [`Preset`].
    pub preset: String,
    /// Parts of the preset that it goes without, see [`Preset::without`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// The measure of the landmarks that it learnt, [`MEASURE`].
    #[serde(default)]
    pub measure: u32,
    /// SHA-256 of the weights, in hexadecimal.
    pub weights_sha256: String,
    /// The same of Video2Pose's weights, where it has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video_sha256: Option<String>,
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
    /// What gives the tracks of a video, where it was trained.
    pub video: Option<Video2Pose<B>>,
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
        same_measure(manifest.measure).map_err(|why| wrong(at(MANIFEST), why))?;
        let mut preset = Preset::find(&manifest.preset).ok_or_else(unknown)?;
        for part in &manifest.without {
            let none =
                |known| wrong(at(MANIFEST), format!("it goes without {part:?}, which is none of {known}"));
            preset = preset.without(part).map_err(none)?;
        }
        let vouched = |name: &str, hash: &str| {
            let weights = bytes(name)?;
            if sha256(&weights) != hash {
                return Err(wrong(at(name), "it is not the file that the manifest vouches for".into()));
            }
            Ok(weights)
        };
        let net = config(&preset, manifest.glosses.len()).init(device);
        let net =
            load(net, vouched(WEIGHTS, &manifest.weights_sha256)?).map_err(|why| wrong(at(WEIGHTS), why))?;
        let video = manifest.video_sha256.as_ref().map(|hash| {
            let video = preset.video2pose.init(&net.encode, device);
            load(video, vouched(VIDEO_WEIGHTS, hash)?).map_err(|why| wrong(at(VIDEO_WEIGHTS), why))
        });
        Ok(Self { manifest, preset, net, video: video.transpose()? })
    }

    /// The sizes of the exported networks.
    pub fn sizes(&self) -> Sizes {
        let Size { width, heads, layers, .. } = self.preset.pose2gloss.codebook;
        let (source, target, beam) = (self.preset.frames, self.preset.longest, self.preset.beam.beam());
        Sizes { source, target, beam, layers, heads, head: width / heads }
    }

    /// Writes `encoder.onnx` and `step.onnx` into a folder and gives the largest difference of a probability to the
    /// network's own, over what it says of some made-up frames.
    ///
    /// # Errors
    /// [`Error::Export`] where they differ by more than rounding, and others where the folder cannot be written.
    pub fn export(&self, out: &Path) -> Result<f32, Error> {
        self.write(&self.networks(), out)
    }

    /// The same of networks that were exported before.
    pub(super) fn write(&self, networks: &[Vec<u8>; 2], out: &Path) -> Result<f32, Error> {
        let far = self.apart(networks)?;
        if far.is_nan() || far > ROUNDING {
            return Err(Error::Export { found: far, limit: ROUNDING });
        }
        std::fs::create_dir_all(out).map_err(Error::io("make the folder", out))?;
        for (name, bytes) in [ENCODER, STEP].into_iter().zip(networks) {
            let path = out.join(name);
            models::whole::write(&path, bytes).map_err(Error::io("write", &path))?;
        }
        Ok(far)
    }

    /// The networks that a unit runs, loaded as a unit loads them.
    ///
    /// # Errors
    /// As [`SignXModel::export`].
    pub fn exported(&self) -> Result<Exported, Error> {
        self.open_exported(&self.networks())
    }

    /// Which tracks are read.
    pub(super) fn tracks(&self) -> Vec<Track> {
        Track::ALL
            .into_iter()
            .zip(self.preset.reads)
            .filter_map(|(track, read)| read.then_some(track))
            .collect()
    }

    /// The network with the encoders of the tracks that are read.
    fn narrowed(&self) -> Pose2Gloss<B> {
        let tracks = self.tracks().into_iter().map(|track| self.net.encode.tracks[track as usize].clone());
        Pose2Gloss { encode: Encode { tracks: tracks.collect() }, ..self.net.clone() }
    }

    /// The bytes of the encoder and of the step.
    pub(super) fn networks(&self) -> [Vec<u8>; 2] {
        export::signx(&self.manifest.name, &self.narrowed(), &self.preset.diffusion, &self.sizes())
    }

    pub(super) fn open_exported(&self, [encoder, step]: &[Vec<u8>; 2]) -> Result<Exported, Error> {
        let codes = MARKS + self.manifest.glosses.len();
        Exported::new(&self.manifest.name, [encoder, step], self.tracks(), (self.sizes(), codes))
    }

    /// What a clip says by the networks that a unit runs.
    ///
    /// # Errors
    /// Where the engine fails.
    pub fn read_exported(
        &self,
        exported: &mut Exported,
        clip: &Clip,
        how: Decoding,
    ) -> Result<Vec<String>, Error> {
        Ok(in_words(&self.manifest.glosses, exported.tokens(clip, &self.preset, how)?))
    }

    /// What a film says by the networks that a unit runs.
    ///
    /// # Errors
    /// Where the engine fails.
    pub fn read_film_exported(
        &self,
        (video, exported): (&ExportedVideo, &mut Exported),
        film: &Film,
        how: Decoding,
    ) -> Result<Vec<String>, Error> {
        let tokens = exported.tokens_of_film(&video.frames(film)?, &self.preset, how)?;
        Ok(in_words(&self.manifest.glosses, tokens))
    }

    /// How far exported networks are from this one: the largest difference of a probability, of what follows and of
    /// what frames say by themselves.
    fn apart(&self, networks: &[Vec<u8>; 2]) -> Result<f32, Error> {
        let (sizes, codes) = (self.sizes(), MARKS + self.manifest.glosses.len());
        let (net, device) = (self.narrowed(), self.net.codebook.bias.device());
        let widths: Vec<usize> = self.tracks().into_iter().map(Track::width).collect();
        let (f, k) = (widths.iter().sum::<usize>(), widths.len());
        let mut exported = self.open_exported(networks)?;
        // Half of the frames are there, one track after the other.
        let mut state = 1;
        let mut number = || (split_mix(&mut state) >> 40) as f32 / (1 << 24) as f32 - 0.5;
        let frames: Vec<f32> = (0..sizes.source * f).map(|_| number()).collect();
        let here =
            |i: usize| f32::from(u8::from(i / k < sizes.source / 2 && (i / k / 3 + i % k).is_multiple_of(2)));
        let there: Vec<f32> = (0..sizes.source * k).map(here).collect();
        let clip = Frames::<B>::new([frames.clone(), there.clone()], 1, &widths, &device);
        let (seen, drops) = (clip.seen(), &mut Drops::none());
        let latent = net.read(&clip, &self.preset.diffusion, drops);
        let memory = self.net.codebook.memory(latent.clone(), 1);
        let mut past = self.net.codebook.begin(&memory, &seen);
        let heard = numbers(softmax(self.net.codebook.heard(latent), 1));
        let heard = Heard::of(&heard, &numbers(seen.clone()));

        let (mut session, theirs) = exported.begin(&frames, &there)?;
        let farthest = |ours: &[f32], theirs: &[f32], far: f32| {
            let each = ours.iter().zip(theirs).map(|(a, b)| (a - b.exp()).abs());
            each.fold(far, |a, b| if b.is_nan() { b } else { a.max(b) })
        };
        let mut far = farthest(heard.log_probs(), theirs.log_probs(), 0.0);
        let mut tokens = vec![BEGIN; sizes.beam];
        let follows: Vec<usize> = (0..sizes.beam).collect();
        for turn in 0..LOOKED {
            let ours = numbers(softmax(self.net.codebook.step(&follows, &tokens, &mut past), 1));
            let theirs = session.step(&follows, &tokens)?;
            far = farthest(&ours, &theirs, far);
            let next = |n: usize| (MARKS + (turn + n) % (codes - MARKS).max(1)).min(codes - 1) as u32;
            tokens = (0..sizes.beam).map(next).collect();
        }
        Ok(far)
    }

    /// What a clip says.
    pub fn read(&self, clip: &Clip, how: Decoding) -> Vec<String> {
        let frames = clip.frames_of(&self.net.codebook.bias.device());
        read(&self.net, &self.preset, &self.manifest.glosses, &frames, how)
    }

    /// What a video says; `None` where no Video2Pose was trained for this model.
    pub fn read_film(&self, film: &Film, how: Decoding) -> Option<Vec<String>> {
        let frames = tracks_of(self.video.as_ref()?, film, self.preset.reads);
        Some(read(&self.net, &self.preset, &self.manifest.glosses, &frames, how))
    }
}

/// The tracks of a video, those of [`Track::ALL`] that are read.
pub fn tracks_of<B: Backend>(video: &Video2Pose<B>, film: &Film, reads: [bool; 5]) -> Frames<B> {
    let device = video.spatial.device();
    let seen = Tensor::ones([1, film.len()], &device);
    let frames = video.forward(film.batch(&device), &seen, &mut Drops::none());
    let reads = Tensor::<B, 3>::from_floats([[reads.map(|read| f32::from(u8::from(read)))]], &device);
    Frames { there: frames.there * reads, ..frames }
}

/// What the tracks of one clip say, by a network and its glosses.
pub fn read<B: Backend>(
    net: &Pose2Gloss<B>,
    preset: &Preset,
    glosses: &[String],
    frames: &Frames<B>,
    how: Decoding,
) -> Vec<String> {
    let latent = net.read(frames, &preset.diffusion, &mut Drops::none());
    let memory = net.codebook.memory(latent.clone(), 1);
    let heard = (preset.heard > 0.0).then(|| (net.codebook.heard(latent), preset.heard));
    let tokens = decode::tokens(&net.codebook, &memory, heard, &frames.seen(), preset.search(how));
    in_words(glosses, tokens)
}

/// The glosses of tokens, without the marks among them.
fn in_words(glosses: &[String], tokens: Vec<u32>) -> Vec<String> {
    let gloss = |token: u32| glosses.get((token as usize).checked_sub(MARKS)?).cloned();
    tokens.into_iter().filter_map(gloss).collect()
}

/// What was read of an utterance, in the form of a corpus. SignX says no times: each gloss has the clip's.
pub fn hypothesis(utterance: &Utterance, frames: usize, fps: f32, said: Vec<String>) -> Utterance {
    let end_s = frames as f64 / f64::from(fps);
    let timed = |gloss| TimedGloss { gloss, start_s: 0.0, end_s, confidence: None };
    Utterance {
        id: utterance.id.clone(),
        signer: utterance.signer.clone(),
        glosses: said.into_iter().map(timed).collect(),
        ..Utterance::default()
    }
}
