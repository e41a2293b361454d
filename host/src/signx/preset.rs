//! Sizes and settings by name: the paper's, and smaller ones that learn the same way.

use burn::backend::Flex;
use burn::module::Module;
use models::translator::{Decoding, Shaping};

use super::decode::Search;
use super::film::MARKS;
use super::loss::{Decay, Weights};
use super::{
    AlphaBar, CloserConfig, Diffusion, Pose2GlossConfig, ShrinkConfig, Size, SpatialConfig, Track,
    Video2PoseConfig,
};
use crate::nn::parameters;

/// All that a network and its training are made by.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// Which of [`Track::ALL`] are read.
    pub reads: [bool; 5],
    /// The first stage's network; its tokens are told when they are known.
    pub pose2gloss: Pose2GlossConfig,
    /// How latents are denoised.
    pub diffusion: Diffusion,
    /// The second stage's network.
    pub video2pose: Video2PoseConfig,
    /// How the stages are trained.
    pub stages: [Stage; 2],
    /// What the first stage's losses weigh.
    pub weights: Weights,
    /// What the second stage's error in the first one's latent weighs beside equation 13; the paper has none.
    pub latent: f32,
    /// What its error in the places of points weighs ([`places`](super::loss::places)); the paper has none.
    pub places: f32,
    /// Share of tokens that the decoder is told rightly instead of as it said them.
    pub teacher: Decay,
    /// Share of the probability that a token gives to all alike.
    pub smoothing: f32,
    /// Divides the cosines of the contrast.
    pub contrast: f32,
    /// Share of values that training drops.
    pub dropout: f32,
    /// Frames a second that clips are brought to.
    pub fps: f32,
    /// The most frames of a clip.
    pub frames: usize,
    /// The most frames of a clip that a step of the second stage looks at.
    pub filmed: usize,
    /// Each of so many steps of the second stage looks at moments of clips, the others at as many frames, but each of a
    /// clip of its own: people and places differ more than moments do. The paper has no such others.
    pub windows_every: usize,
    /// The most tokens of a clip.
    pub longest: usize,
    /// How glosses are searched for.
    pub beam: Decoding,
    /// How glosses are drawn instead.
    pub sampled: Decoding,
    /// What is made of probabilities before.
    pub shaping: Shaping,
    /// The share of what frames say by themselves in the search; the paper has none.
    pub heard: f32,
}

/// How a stage is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// The highest learning rate.
    pub rate: f64,
    /// The lowest, as a share of the highest.
    pub floor: f64,
    /// The share of the steps in which it rises.
    pub warm_up: f64,
    /// Decoupled weight decay.
    pub decay: f32,
    /// The largest norm of a gradient.
    pub clip: f32,
    /// How often every clip is seen.
    pub epochs: usize,
    /// Clips of a step.
    pub batch: usize,
    /// Parts that a step's clips are taken in.
    pub accumulate: usize,
    /// So many of them at once, on a processor's core each.
    pub at_once: usize,
}

/// Tokens of the paper's codebook: 2000 glosses (table 3) and the marks.
const CODES: usize = 2003;

impl Preset {
    /// The preset of a name.
    pub fn find(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|preset| preset.name == name)
    }

    /// The names of all presets, as a text.
    pub fn names() -> String {
        Self::all().map(|preset| preset.name).join(", ")
    }

    fn all() -> [Self; 3] {
        [Self::paper(), Self::small(), Self::tiny()]
    }

    /// The paper's: table 2, and what the text says of sizes, the tracks and the latent. How wide and deep the
    /// networks are it does not say; here the vision transformer is ViT-B/16 (Dosovitskiy et al. 2021, table 1), and
    /// the others are so large that a step of 32 clips of 7 s takes 13 GB, measured with `train signx-paper --steps 1`
    /// on a synthetic corpus. A batch of 32 is taken in 4 parts of 8, which is how table 2's two numbers are read.
    pub fn paper() -> Self {
        let stage = Stage {
            rate: 1e-3,
            floor: 0.05,
            warm_up: 0.1,
            decay: 0.01,
            clip: 7.0,
            epochs: 1000,
            batch: 32,
            accumulate: 4,
            at_once: 1,
        };
        let vit = Size { width: 768, heads: 12, inner: 3072, layers: 12 };
        Self {
            name: "paper",
            reads: [true; 5],
            pose2gloss: Pose2GlossConfig {
                tracks: Track::WIDTHS.into(),
                width: 512,
                heads: 8,
                inner: 2048,
                reach: 0,
                latent: 2048,
                noise: Size { width: 512, heads: 8, inner: 2048, layers: 9 },
                codebook: Size { width: 512, heads: 8, inner: 2048, layers: 6 },
                codes: CODES,
            },
            diffusion: Diffusion { schedule: AlphaBar::Cosine, levels: 1000, from: 250, steps: 2 },
            video2pose: Video2PoseConfig {
                spatial: SpatialConfig {
                    picture: 224,
                    shrinks: vec![],
                    patch: 16,
                    size: vit,
                    gathers: false,
                    points: 0,
                    closer: None,
                },
                temporal: Size { layers: 4, ..vit },
            },
            stages: [stage, Stage { floor: 0.01, clip: 1.0, epochs: 300, accumulate: 32, ..stage }],
            weights: Weights {
                noise: Decay { from: 1.0, to: 0.0 },
                text: 1.0,
                word: 1.0,
                ngram: 0.6,
                contrast: 1.0,
                ctc: 0.0,
            },
            latent: 0.0,
            places: 0.0,
            teacher: Decay { from: 0.5, to: 0.0 },
            smoothing: 0.1,
            // Of Radford et al. 2021, section 2.5: the paper names none.
            contrast: 0.07,
            dropout: 0.1,
            fps: 30.0,
            // Twenty seconds: the paper bounds tokens only.
            frames: 600,
            filmed: 600,
            windows_every: 1,
            longest: 64,
            beam: Decoding::Beam { beam: 5, penalty: 0.7 },
            // Table 2's temperature is in the shaping.
            sampled: Decoding::Sampled { temperature: 1.0, top_k: 50, top_p: 0.92, seed: 1 },
            shaping: Shaping { temperature: 0.7, repetition: 2.5 },
            heard: 0.0,
        }
    }

    /// What two processor cores train in an hour. Signs of a hall repeat within a sentence, so none is penalised
    /// for it.
    pub fn small() -> Self {
        let paper = Self::paper();
        let vit = Size { width: 128, heads: 4, inner: 256, layers: 2 };
        let [stage, _] = paper.stages;
        let stage = Stage { rate: 1e-3, epochs: 30, accumulate: 2, at_once: 2, ..stage };
        Self {
            name: "small",
            pose2gloss: Pose2GlossConfig {
                width: 96,
                heads: 4,
                inner: 192,
                reach: 2,
                latent: 128,
                noise: Size { width: 128, heads: 4, inner: 256, layers: 2 },
                codebook: Size { width: 128, heads: 4, inner: 256, layers: 2 },
                ..paper.pose2gloss
            },
            diffusion: Diffusion { steps: 4, ..paper.diffusion },
            video2pose: Video2PoseConfig {
                spatial: SpatialConfig {
                    picture: 64,
                    shrinks: shrinks([(24, 0), (48, 0), (96, 1), (128, 1)]),
                    patch: 1,
                    size: vit,
                    gathers: true,
                    points: MARKS,
                    closer: Some(CloserConfig {
                        from: 96,
                        side: 24,
                        shrinks: shrinks([(24, 0), (48, 1), (96, 1)]),
                    }),
                },
                temporal: vit,
            },
            // Small steps, and many: Video2Pose learns the more of them, the more often it is corrected.
            stages: [Stage { batch: 16, ..stage }, Stage { rate: 2e-3, batch: 16, ..stage }],
            weights: Weights { ctc: 1.0, ..paper.weights },
            // As much as all five tracks together.
            latent: 5.0,
            places: 0.2,
            teacher: Decay { from: 1.0, to: 0.5 },
            fps: 12.0,
            frames: 240,
            filmed: 8,
            windows_every: 4,
            shaping: Shaping::NONE,
            heard: 0.6,
            ..paper
        }
    }

    /// What tests train.
    pub fn tiny() -> Self {
        let small = Self::small();
        let size = Size { width: 16, heads: 2, inner: 24, layers: 2 };
        Self {
            name: "tiny",
            pose2gloss: Pose2GlossConfig {
                width: 16,
                heads: 2,
                inner: 24,
                latent: 24,
                noise: size,
                codebook: size,
                ..small.pose2gloss
            },
            video2pose: Video2PoseConfig {
                spatial: SpatialConfig {
                    picture: 16,
                    shrinks: shrinks([(8, 0), (12, 1)]),
                    size,
                    points: MARKS,
                    closer: Some(CloserConfig { from: 24, side: 8, shrinks: shrinks([(8, 0), (12, 1)]) }),
                    ..small.video2pose.spatial
                },
                temporal: size,
            },
            ..small
        }
    }

    /// The same without a part: a loss, `diffusion`, or a track.
    ///
    /// # Errors
    /// A text that names what there is, where it has no such part.
    pub fn without(mut self, part: &str) -> Result<Self, String> {
        if let Some(weights) = self.weights.without(part) {
            // Frames that never learnt what they show have nothing to say.
            let heard = if weights.ctc > 0.0 { self.heard } else { 0.0 };
            return Ok(Self { weights, heard, ..self });
        }
        if part == "diffusion" {
            self.diffusion.steps = 0;
            self.weights.noise = Decay { from: 0.0, to: 0.0 };
            return Ok(self);
        }
        let Some(track) = Track::find(part) else {
            return Err(format!(
                "diffusion, a loss ({}) or a track ({})",
                Weights::NAMES.join(", "),
                Track::names()
            ));
        };
        self.reads[track as usize] = false;
        Ok(self)
    }

    /// How the glosses of a clip are searched for.
    pub fn search(&self, how: Decoding) -> Search {
        Search { longest: self.longest, how, shaping: self.shaping }
    }

    /// Parameters of each part, in order, as a network of the preset has them.
    pub fn parameters(&self) -> Vec<(String, usize)> {
        let device = Default::default();
        let net = self.pose2gloss.init::<Flex>(&device);
        let video = self.video2pose.init::<Flex>(&net.encode, &device);
        let encoders = net.encode.tracks.iter().zip(Track::ALL);
        let encoders = encoders.map(|(encoder, track)| part(format!("pose2gloss encoder {track}"), encoder));
        let [whole, spatial, temporal, projections] = [
            parameters::<Flex, _>(&video),
            parameters::<Flex, _>(&video.spatial),
            parameters::<Flex, _>(&video.temporal),
            parameters::<Flex, _>(&video.projections),
        ];
        encoders
            .chain([
                part("pose2gloss fusion", &net.fuse),
                part("pose2gloss padmatch", &net.padmatch),
                part("pose2gloss noise", &net.noise),
                part("pose2gloss codebook", &net.codebook),
                ("video2pose norm over time".into(), whole - spatial - temporal - projections),
                ("video2pose spatial".into(), spatial),
                ("video2pose temporal".into(), temporal),
                ("video2pose projections".into(), projections),
            ])
            .collect()
    }
}

fn part<M: Module<Flex>>(name: impl Into<String>, module: &M) -> (String, usize) {
    (name.into(), parameters::<Flex, M>(module))
}

/// Convolutions that halve a picture one after another: the channels of each, and the residual ones behind it.
fn shrinks<const N: usize>(each: [(usize, usize); N]) -> Vec<ShrinkConfig> {
    each.map(|(to, residuals)| ShrinkConfig { by: 2, to, residuals }).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_the_whole() {
        for preset in Preset::all() {
            let net = preset.pose2gloss.init::<Flex>(&Default::default());
            let video = preset.video2pose.init::<Flex>(&net.encode, &Default::default());
            let parts: usize = preset.parameters().iter().map(|(_, n)| n).sum();
            assert_eq!(parts, parameters::<Flex, _>(&net) + parameters::<Flex, _>(&video), "{}", preset.name);
            assert_eq!(Preset::find(preset.name).as_ref(), Some(&preset));
        }
        assert_eq!(Preset::paper().pose2gloss.tracks.iter().sum::<usize>(), 1959);
    }
}
