//! Trains Video2Pose, SignX's second stage (equation 13): the tracks of a video without their estimators, for a
//! Pose2Gloss that stays as it is. Of all that tracks tell, a small network cannot learn everything, so it is also told
//! what the Pose2Gloss would see otherwise than in the true tracks.
//!
//! The data are a folder with a corpus `train` and a corpus `dev` whose utterances have tracks and a video, as
//! `signpost-host signx render` writes them.

use burn::module::{AutodiffModule, Module};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use models::manifest::sha256;
use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};

use super::filmed::{Filmed, Stage, fingerprint, learning};
use super::look::Look;
use super::{SignXRecipe, plan, solve};
use crate::Error;
use crate::nn::Drops;
use crate::signx::film::{self, MARKS};
use crate::signx::track::{FRAME, Track};
use crate::signx::{Frames, Pose2Gloss, Preset, SignXManifest, SignXModel, Video2Pose, loss};
use crate::train::fit::{Parts, Plain, Task, fit};
use crate::train::plan::step_seed;
use crate::train::{Options, Training};

/// Tracks.
const TRACKS: usize = Track::ALL.len();

/// Trains it for the model that the options name, measures both on development data and writes a folder of both. Where
/// that model reads videos already, its Video2Pose goes on learning.
///
/// # Errors
/// As [`super::train`]; and where no model is named.
pub(super) fn train(recipe: &SignXRecipe, options: &Options) -> Result<SignXManifest, Error> {
    let stage = Stage::begin(recipe, options)?;
    let SignXModel { manifest, preset, net, video } = &stage.before;
    let (clips, [_, settings]) = (stage.learnt.len(), &preset.stages);
    let steps = options.steps.unwrap_or((settings.epochs * clips).div_ceil(settings.batch).max(1));
    let windows = Windows { examples: &stage.learnt, preset, net, seed: options.seed };
    let from = (&manifest.weights_sha256, &manifest.video_sha256);
    let data = format!("{preset:?} {steps} {from:?} {}", fingerprint(&stage.learnt));
    let plan = plan(recipe.name, settings, options, steps, &sha256(data.as_bytes()))?;
    let device = Default::default();
    Training::seed(&device, options.seed);
    let encode = crate::signx::Encode::<Training>::from_inner(net.encode.clone());
    let video = learning(preset, &encode, video.as_ref());
    let video = fit::<Training, _>(video, &windows, &plan)?;
    // Where nothing is sought the network is the paper's, and so is how it is learnt.
    let video = if preset.video2pose.spatial.points > 0 { solve::tracks(video, &windows) } else { video };
    let net = net.clone();
    stage.keep("video", steps, &net, &video)
}

/// Draws stretches of videos, as long as a preset says.
pub(super) struct Windows<'a, B: Backend> {
    examples: &'a [Filmed],
    preset: &'a Preset,
    /// Reads the tracks.
    net: &'a Pose2Gloss<B>,
    seed: u64,
}

/// Stretches of videos side by side, with the tracks of their frames.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Batch {
    /// Clips, B, and frames, T.
    pub shape: [usize; 2],
    /// `[B, T, side, side, 3]`, sRGB from 0 to 255.
    pub video: Vec<u8>,
    /// `[B, T, 1959]`
    pub numbers: Vec<f32>,
    /// `[B, T, 5]`
    pub there: Vec<f32>,
    /// `[B, T, MARKS, 3]`
    pub marks: Vec<f32>,
    /// What is random in the step follows from it.
    pub seed: u64,
}

impl<B: Backend> Windows<'_, B> {
    /// What a step looks at: windows, or frames of as many people.
    fn draw(&self, number: usize) -> Batch {
        let [_, stage] = self.preset.stages;
        let [clips, most] = self.window();
        let step = number / stage.accumulate;
        self.cut(
            number,
            if step.is_multiple_of(self.preset.windows_every) { [clips, most] } else { [clips * most, 1] },
        )
    }

    /// Clips of a window, and the most frames of each.
    pub fn window(&self) -> [usize; 2] {
        let [_, stage] = self.preset.stages;
        [(stage.batch / stage.accumulate).max(1), self.preset.filmed]
    }

    /// So many stretches of so many frames at most.
    pub fn cut(&self, number: usize, [clips, most]: [usize; 2]) -> Batch {
        let rng = &mut StdRng::seed_from_u64(step_seed(self.seed, number));
        let drawn: Vec<&Filmed> =
            (0..clips).map(|_| &self.examples[rng.random_range(0..self.examples.len())]).collect();
        let frames = drawn.iter().map(|(_, clip, _)| clip.frames().min(most)).max().unwrap_or(0);
        let mut batch = Batch {
            shape: [clips, frames],
            video: vec![],
            numbers: vec![0.0; clips * frames * FRAME],
            there: vec![0.0; clips * frames * TRACKS],
            marks: vec![],
            seed: 0,
        };
        for (i, (_, clip, film)) in drawn.into_iter().enumerate() {
            let own = clip.frames().min(frames);
            let first = rng.random_range(0..=clip.frames() - own);
            let shown = &film.frames[first * film.size()..(first + own) * film.size()];
            let look = Look::draw(rng);
            look.show(shown, film.side, &mut batch.video);
            batch.video.resize((i + 1) * frames * film.size(), 0);
            look.mark(&film.marks[first * MARKS * 3..(first + own) * MARKS * 3], film.side, &mut batch.marks);
            batch.marks.resize((i + 1) * frames * MARKS * 3, 0.0);
            for t in 0..own {
                let row = i * frames + t;
                let (numbers, there) = (row * FRAME..(row + 1) * FRAME, row * TRACKS..(row + 1) * TRACKS);
                clip.write(first + t, &mut batch.numbers[numbers], &mut batch.there[there]);
            }
        }
        batch.seed = rng.next_u64();
        batch
    }
}

impl<B: AutodiffBackend> Task<B> for Windows<'_, Plain<B>> {
    type Net = Video2Pose<B>;
    type Batch = Batch;

    fn batch(&self, number: usize) -> Batch {
        self.draw(number)
    }

    fn loss(&self, net: &Video2Pose<B>, batch: Batch) -> (Tensor<B, 1>, Parts<B>) {
        let (device, [b, t]) = (Default::default(), batch.shape);
        let drops = &mut Drops::new(batch.seed, self.preset.dropout);
        let truth = Frames::<Plain<B>>::new([batch.numbers, batch.there], b, &Track::WIDTHS, &device);
        let known = Frames::<B> {
            numbers: Tensor::from_inner(truth.numbers.clone()),
            there: Tensor::from_inner(truth.there.clone()),
        };
        let (seen, video) = (
            known.seen(),
            film::tensor(&batch.video, [b, t, self.preset.video2pose.spatial.shown()], &device),
        );
        let (predicted, points) = net.look(video, &seen, drops);
        let tracks = net.loss(predicted.clone(), &known);
        let mut parts = vec![("tracks", tracks.clone().detach())];
        let mut lost = tracks;
        let marks = Tensor::from_data(TensorData::new(batch.marks, [b * t, MARKS, 3]), &device);
        let places = points.into_iter().map(|points| loss::places(points, marks.clone()));
        if let Some(places) = places.reduce(|all, one| all + one).filter(|_| self.preset.places > 0.0) {
            parts.push(("places", places.clone().detach()));
            lost = lost + places * self.preset.places;
        }
        // A frame by itself moves nowhere, and is not what the Pose2Gloss learnt to read.
        if self.preset.latent == 0.0 || t == 1 {
            return (lost, parts);
        }
        let frozen = Pose2Gloss::<B>::from_inner(self.net.clone()).no_grad();
        let read = frozen.latent(&net.estimated(predicted, known.there), &mut Drops::none());
        let latents = Tensor::from_inner(self.net.latent(&truth, &mut Drops::none()));
        let latent = loss::lost(read, latents, &seen);
        parts.push(("latent", latent.clone().detach()));
        (lost + latent * self.preset.latent, parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Utterance;
    use crate::signx::{Clip, Film};

    #[test]
    fn a_window_shows_the_frames_that_its_tracks_are_of() {
        let preset = Preset { filmed: 4, windows_every: 1, ..Preset::tiny() };
        let side = preset.video2pose.spatial.shown();
        // Both say the frame's number, in the end of the range that light does not cut off.
        let example = |frames: usize| {
            let mut clip =
                Clip { there: vec![[false, false, true, false, false]; frames], ..Clip::default() };
            let numbers = (0..frames).flat_map(|t| vec![t as f32; Track::MediaPipe.width()]).collect();
            clip.tracks[Track::MediaPipe as usize] = Some(numbers);
            let film = (0..frames).flat_map(|t| vec![60 + 10 * t as u8; side * side * 3]).collect();
            let marks = (0..frames).flat_map(|_| vec![0.5; MARKS * 3]).collect();
            (Utterance::default(), clip, Film { side, frames: film, marks })
        };
        let examples = [example(9), example(3)];
        let net = preset.pose2gloss.init::<Plain<Training>>(&Default::default());
        let windows = Windows { examples: &examples, preset: &preset, net: &net, seed: 3 };
        let (mut firsts, mut short) = (std::collections::BTreeSet::new(), 0);
        for number in 0..20 {
            let batch = windows.draw(number);
            assert_eq!(batch, windows.draw(number));
            let [b, t] = batch.shape;
            assert!(t <= 4 && batch.video.len() == b * t * side * side * 3);
            assert_eq!(batch.marks.len(), b * t * MARKS * 3);
            let marked: Vec<bool> = batch.marks.chunks_exact(MARKS * 3).map(|m| m[2] > 0.0).collect();
            let there: Vec<bool> = batch.there.chunks_exact(TRACKS).map(|t| t[2] > 0.0).collect();
            assert_eq!(marked, there);
            let column = Track::MediaPipe.columns().start;
            for clip in 0..b {
                let rows = clip * t..(clip + 1) * t;
                let here: Vec<usize> = rows.filter(|row| batch.there[row * TRACKS + 2] > 0.0).collect();
                let said: Vec<f32> = here.iter().map(|row| batch.numbers[row * FRAME + column]).collect();
                let grey: Vec<f32> =
                    here.iter().map(|row| f32::from(batch.video[row * side * side * 3])).collect();
                for pair in 1..here.len() {
                    let (steps, greyer) = (said[pair] - said[pair - 1], grey[pair] - grey[pair - 1]);
                    assert_eq!(steps, 1.0);
                    assert!((7.0..=13.0).contains(&greyer), "{greyer}");
                }
                firsts.insert(said[0] as usize);
                short += usize::from(here.len() == 3);
            }
        }
        assert!(firsts.len() == 6 && short > 0, "{firsts:?}, {short}");
        // All parts of a step are alike.
        let mixed = Preset { windows_every: 3, ..preset.clone() };
        let mixed = Windows { preset: &mixed, ..windows };
        let lengths: Vec<usize> = (0..8).map(|number| mixed.draw(number).shape[1]).collect();
        assert!(lengths[..2].iter().chain(&lengths[6..]).all(|t| *t > 1), "{lengths:?}");
        assert!(lengths[2..6].iter().all(|t| *t == 1), "{lengths:?}");
    }
}
