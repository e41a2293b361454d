//! Trains Video2Gloss as one: its Pose2Gloss goes on learning, from the tracks of estimators as before, and from what its
//! Video2Pose makes of the same videos. The paper's stays as its first stage left it; but a Video2Pose of two cores is
//! wrong in ways that no estimator is, and who reads it has to know them.
//!
//! Where the data have a corpus `recorded` beside `train`, whose utterances have tracks and no video, those are learnt
//! as well, so that few videos do not make the Pose2Gloss forget how others sign.

use models::signx::MARKS;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rayon::prelude::*;

use super::filmed::{Filmed, Stage, with_video};
use super::look::Look;
use super::{Example, SignXRecipe, learn, tokens};
use crate::nn::{load, save};
use crate::signx::clip::{Clip, clips};
use crate::signx::model::{config, tracks_of};
use crate::signx::{Film, Pose2Gloss, Preset, SignXManifest, SignXModel, Video2Pose};
use crate::train::fit::Plain;
use crate::train::plan::step_seed;
use crate::train::{Options, Training};
use crate::{Error, ui};

/// The corpus of what was recorded without a video.
const RECORDED: &str = "recorded";
/// So often every video is shown, each time in another look.
const LOOKS: usize = 3;

/// Trains it for the model that the options name, measures it on development data and writes a folder of both networks.
///
/// # Errors
/// As [`super::train`]; and where no model is named, or it reads no videos.
pub(super) fn train(recipe: &SignXRecipe, options: &Options) -> Result<SignXManifest, Error> {
    let mut stage = Stage::begin(recipe, options)?;
    let SignXModel { manifest, preset, net, video } = &stage.before;
    let video = with_video(video, options)?.clone();
    let mut examples: Vec<Example> = vec![];
    for ((utterance, clip, _), looks) in stage.learnt.iter().zip(looked_at(&stage, &video)) {
        let said = tokens(utterance, &manifest.glosses, preset);
        examples.extend(looks.into_iter().chain([clip.clone()]).map(|clip| (said.clone(), clip)));
    }
    let recorded = options.data.join(RECORDED);
    if recorded.is_dir() {
        let recorded = clips(&recorded, preset)?;
        stage.recorded = recorded.len();
        ui::say(format!("{}: {} utterances without a video", recipe.name, stage.recorded));
        let said = |utterance: &_| tokens(utterance, &manifest.glosses, preset);
        examples.extend(recorded.into_iter().map(|(utterance, clip)| (said(&utterance), clip)));
    }
    let from = (options, manifest.weights_sha256.as_str());
    let (net, steps) = learn(recipe.name, preset, &examples, from, |_| learning(preset, net))?;
    stage.keep("adapted", steps, &net, &video)
}

/// What a Video2Pose makes of each video that a stage learns from, on all cores.
fn looked_at(stage: &Stage, video: &Video2Pose<Plain<Training>>) -> Vec<Vec<Clip>> {
    let (learnt, reads) = (&stage.learnt, stage.before.preset.reads);
    let bar = ui::progress(learnt.len(), "videos looked at");
    let look = |(number, (_, _, film)): (usize, &Filmed)| {
        let mut rng = StdRng::seed_from_u64(step_seed(stage.options.seed, number));
        let looks = (0..LOOKS).map(|_| {
            let mut shown =
                Film { side: film.side, frames: Vec::with_capacity(film.frames.len()), marks: vec![] };
            Look::draw(&mut rng).show(&film.frames, film.side, &mut shown.frames);
            Clip::of_frames(&tracks_of(video, &shown, reads))
        });
        let looks = looks.collect();
        bar.inc(1);
        looks
    };
    let looks = learnt.par_iter().enumerate().map(look).collect();
    bar.finish_and_clear();
    looks
}

/// A network that was learnt, to go on learning: one of a backend without gradients would stay as it is.
pub(super) fn learning(preset: &Preset, net: &Pose2Gloss<Plain<Training>>) -> Pose2Gloss<Training> {
    let codes = net.codebook.bias.dims()[0] - MARKS;
    load(config(preset, codes).init(&Default::default()), save(net)).expect("both are of one shape")
}
