//! Pose2Gloss (section 3.2): what the tracks of clips say, as glosses.

use burn::module::Module;
use burn::tensor::{Tensor, TensorData, backend::Backend};

use super::{CodeBook, Diffusion, Encode, Fuse, Noise, PadMatch, Size};
use crate::nn::Drops;

/// The sizes of a [`Pose2Gloss`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pose2GlossConfig {
    /// Numbers of a frame of each track.
    pub tracks: Vec<usize>,
    /// Width of a track's features, `d_h` in the paper.
    pub width: usize,
    /// Heads of the fusion; the width is a multiple.
    pub heads: usize,
    /// Width within the encoders' feed-forward layers.
    pub inner: usize,
    /// Frames on each side of a frame that the encoders look at too, R.
    pub reach: usize,
    /// Width of the latent, Z.
    pub latent: usize,
    /// The network that predicts noise.
    pub noise: Size,
    /// The decoder.
    pub codebook: Size,
    /// Tokens, V: the marks and the glosses.
    pub codes: usize,
}

/// Reads clips.
#[derive(Module, Debug)]
pub struct Pose2Gloss<B: Backend> {
    /// Equation 1.
    pub encode: Encode<B>,
    /// Equation 2.
    pub fuse: Fuse<B>,
    /// Equation 3.
    pub padmatch: PadMatch<B>,
    /// Equation 8.
    pub noise: Noise<B>,
    /// Says the glosses.
    pub codebook: CodeBook<B>,
}

/// Clips as tensors.
#[derive(Debug, Clone)]
pub struct Frames<B: Backend> {
    /// The tracks side by side, `[B, T, F]`; any number where a track is not there.
    pub numbers: Tensor<B, 3>,
    /// `[B, T, K]`, 1 where a track has the frame, else 0.
    pub there: Tensor<B, 3>,
}

impl<B: Backend> Frames<B> {
    /// Clips side by side, B, with tracks of these widths.
    ///
    /// # Shapes
    /// - `numbers`: `[B, T, F]`
    /// - `there`: `[B, T, K]`
    ///
    /// # Panics
    /// Where the two are not as many frames.
    pub fn new([numbers, there]: [Vec<f32>; 2], clips: usize, tracks: &[usize], device: &B::Device) -> Self {
        let (f, k) = (tracks.iter().sum::<usize>(), tracks.len());
        let t = there.len() / (clips * k);
        assert_eq!(numbers.len(), clips * t * f, "every frame has all numbers");
        Self {
            numbers: Tensor::from_data(TensorData::new(numbers, [clips, t, f]), device),
            there: Tensor::from_data(TensorData::new(there, [clips, t, k]), device),
        }
    }

    /// The tracks that have any frame; the first, where there is none at all.
    pub fn tracks(&self) -> Vec<usize> {
        let [b, t, k] = self.there.dims();
        let frames = self.there.clone().reshape([b * t, k]).max_dim(0).into_data().convert::<f32>();
        let mut tracks: Vec<usize> =
            (0..k).zip(frames.iter::<f32>()).filter(|(_, v)| *v > 0.0).map(|(i, _)| i).collect();
        if tracks.is_empty() {
            tracks.push(0);
        }
        tracks
    }

    /// Which frames are there: `[B, T]`, 1 where any track has them, else 0.
    pub fn seen(&self) -> Tensor<B, 2> {
        self.there.clone().max_dim(2).squeeze_dim(2)
    }
}

impl Pose2GlossConfig {
    /// A network with random weights.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Pose2Gloss<B> {
        Pose2Gloss {
            encode: Encode::new(&self.tracks, [self.width, self.inner, self.reach], device),
            fuse: Fuse::new(self.width, self.heads, device),
            padmatch: PadMatch::new(self.width, self.latent, device),
            noise: Noise::new(self.latent, self.noise, device),
            codebook: CodeBook::new(self.codes, self.latent, self.codebook, device),
        }
    }
}

impl<B: Backend> Pose2Gloss<B> {
    /// The latent of what is seen (equations 1 to 3). Tracks that no clip has take no time.
    ///
    /// # Shapes
    /// - returns: `[B * T, Z]`
    pub fn latent(&self, frames: &Frames<B>, drops: &mut Drops) -> Tensor<B, 2> {
        let ([b, t, f], which) = (frames.numbers.dims(), frames.tracks());
        let there = which.iter().map(|track| frames.there.clone().narrow(2, *track, 1)).collect();
        let there = Tensor::cat(there, 2).reshape([b * t, which.len()]);
        let numbers = frames.numbers.clone().reshape([b * t, f]);
        let features = self.encode.forward(numbers, &there, (&which, b), drops);
        self.padmatch.forward(self.fuse.forward(features, &there, drops))
    }

    /// The latent denoised (equation 4 turned round).
    ///
    /// # Shapes
    /// - `latent`: `[B * T, Z]`
    /// - `seen`: `[B, T]`, as [`Frames::seen`] gives it
    /// - returns: `[B * T, Z]`
    pub fn denoised(
        &self,
        latent: Tensor<B, 2>,
        seen: &Tensor<B, 2>,
        diffusion: &Diffusion,
        drops: &mut Drops,
    ) -> Tensor<B, 2> {
        let [b, _] = seen.dims();
        diffusion.denoise(latent, |z, level| self.noise.forward(z, &vec![level; b], seen, drops))
    }

    /// The latent of clips, denoised.
    ///
    /// # Shapes
    /// - returns: `[B * T, Z]`
    pub fn read(&self, frames: &Frames<B>, diffusion: &Diffusion, drops: &mut Drops) -> Tensor<B, 2> {
        self.denoised(self.latent(frames, drops), &frames.seen(), diffusion, drops)
    }
}
