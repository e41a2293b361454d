//! Trains Video2Gloss end to end: what its Pose2Gloss loses by what it reads of whole videos reaches Video2Pose as well.
//! The paper trains the second stage with the first one frozen; but of a video of few pixels a small Video2Pose cannot
//! tell all numbers, and those that glosses hang on are few.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use models::manifest::sha256;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::adapt::learning;
use super::batches::{Batch, Batches};
use super::filmed::{self, Filmed, Stage, fingerprint, with_video};
use super::look::Look;
use super::task::{Learnt, losses};
use super::{Example, SignXRecipe, plan, tokens};
use crate::Error;
use crate::nn::Drops;
use crate::signx::track::FRAME;
use crate::signx::{Preset, SignXManifest, SignXModel, Video2Pose, film};
use crate::train::fit::{Parts, Task, fit};
use crate::train::{Options, Training};

/// The highest learning rate: both networks have learnt before.
const RATE: f64 = 3e-4;
/// How often every video is seen.
const EPOCHS: usize = 3;
/// Clips of a part of a step, whole ones.
const CLIPS: usize = 4;
/// What equation 13 weighs beside the losses of glosses, so that tracks stay tracks.
const TRACKS: f32 = 0.2;

/// Trains it for the model that the options name, measures it on development data and writes a folder of both networks.
///
/// # Errors
/// As [`super::train`]; and where no model is named, or it reads no videos.
pub(super) fn train(recipe: &SignXRecipe, options: &Options) -> Result<SignXManifest, Error> {
    let stage = Stage::begin(recipe, options)?;
    let SignXModel { manifest, preset, net, video } = &stage.before;
    let video = with_video(video, options)?;
    let said = |(utterance, clip, _): &Filmed| (tokens(utterance, &manifest.glosses, preset), clip.clone());
    let examples: Vec<Example> = stage.learnt.iter().map(said).collect();
    let settings = crate::signx::preset::Stage { rate: RATE, epochs: EPOCHS, ..preset.stages[0] };
    // What Video2Pose sees is no body but that of the video.
    let alike = vec![0.0; FRAME];
    let batches = Batches::new(&examples, [settings.accumulate, CLIPS], &alike, options.seed);
    let steps = options.steps.unwrap_or(batches.steps(settings.epochs));
    let from = (&manifest.weights_sha256, &manifest.video_sha256);
    let data = format!("{preset:?} {steps} {from:?} {}", fingerprint(&stage.learnt));
    let plan = plan(recipe.name, &settings, options, steps, &sha256(data.as_bytes()))?;
    let device = Default::default();
    Training::seed(&device, options.seed);
    let learnt = Learnt::new(learning(preset, net), &device);
    let video = filmed::learning(preset, &learnt.net.encode, Some(video));
    let task =
        JointTask { batches: &batches, films: &stage.learnt, preset, all: steps * settings.accumulate };
    let Joint { learnt, video } = fit::<Training, _>(Joint { learnt, video }, &task, &plan)?;
    stage.keep("joint", steps, &learnt.net, &video)
}

/// Both networks.
#[derive(Module, Debug)]
struct Joint<B: Backend> {
    /// Reads, and weighs the losses.
    learnt: Learnt<B>,
    /// Looks.
    video: Video2Pose<B>,
}

/// Trains both.
struct JointTask<'a> {
    /// Which clips, and at which pace.
    batches: &'a Batches<'a>,
    /// In the order of the batches' examples.
    films: &'a [Filmed],
    preset: &'a Preset,
    /// Batches of the whole training.
    all: usize,
}

impl<B: AutodiffBackend> Task<B> for JointTask<'_> {
    type Net = Joint<B>;
    /// Clips, and their video, `[B, T, side, side, 3]`, sRGB from 0 to 255.
    type Batch = (Batch, Vec<u8>);

    fn batch(&self, number: usize) -> Self::Batch {
        let batch = self.batches.batch(number);
        let mut rng = StdRng::seed_from_u64(batch.seed);
        let ([_, frames], mut video) = (batch.shape, vec![]);
        for (row, (example, shown)) in batch.shown.iter().enumerate() {
            let (_, _, film) = &self.films[*example];
            let look = Look::draw(&mut rng);
            for frame in shown {
                look.show(&film.frames[frame * film.size()..][..film.size()], film.side, &mut video);
            }
            video.resize((row + 1) * frames * film.size(), 0);
        }
        (batch, video)
    }

    fn loss(&self, net: &Joint<B>, (batch, video): Self::Batch) -> (Tensor<B, 1>, Parts<B>) {
        let ([b, t], preset) = (batch.shape, self.preset);
        let mut rng = StdRng::seed_from_u64(!batch.seed);
        let drops = &mut Drops::new(rng.random(), preset.dropout);
        let share = batch.number as f32 / self.all as f32;
        let (truth, rows) = batch.into_parts::<B>();
        let side = preset.video2pose.spatial.shown();
        let video = film::tensor(&video, [b, t, side], &Default::default());
        let predicted = net.video.standardised(video, &truth.seen(), drops);
        let tracks = net.video.loss(predicted.clone(), &truth);
        let frames = net.video.estimated(predicted, truth.there);
        let (lost, mut parts) = losses(preset, share, &net.learnt, (&frames, rows), (&mut rng, drops));
        parts.push(("tracks", tracks.clone().detach()));
        (lost + tracks * TRACKS, parts)
    }
}
