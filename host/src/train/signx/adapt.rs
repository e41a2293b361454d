//! Trains Video2Gloss as one: its Pose2Gloss goes on learning, from the tracks of estimators as before, and from what its
//! Video2Pose makes of the same videos. The paper's stays as its first stage left it; but a Video2Pose of two cores is
//! wrong in ways that no estimator is, and who reads it has to know them.

use models::signx::MARKS;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::filmed::{Stage, with_video};
use super::look::Look;
use super::{Example, SignXRecipe, learn, tokens};
use crate::nn::{load, save};
use crate::signx::clip::Clip;
use crate::signx::model::{config, tracks_of};
use crate::signx::{Film, Pose2Gloss, Preset, SignXManifest, SignXModel};
use crate::train::fit::Plain;
use crate::train::plan::step_seed;
use crate::train::{Options, Training};
use crate::{Error, ui};

/// So often every video is shown, each time in another look.
const LOOKS: usize = 2;

/// Trains it for the model that the options name, measures it on development data and writes a folder of both networks.
///
/// # Errors
/// As [`super::train`]; and where no model is named, or it reads no videos.
pub(super) fn train(recipe: &SignXRecipe, options: &Options) -> Result<SignXManifest, Error> {
    let stage = Stage::begin(recipe, options)?;
    let SignXModel { manifest, preset, net, video } = &stage.before;
    let video = with_video(video, options)?.clone();
    let learnt = &stage.learnt;
    let bar = ui::progress(learnt.len(), "videos looked at");
    let mut examples: Vec<Example> = vec![];
    for (number, (utterance, clip, film)) in learnt.iter().enumerate() {
        let said = tokens(utterance, &manifest.glosses, preset);
        let mut rng = StdRng::seed_from_u64(step_seed(options.seed, number));
        for _ in 0..LOOKS {
            let mut shown =
                Film { side: film.side, frames: Vec::with_capacity(film.frames.len()), marks: vec![] };
            Look::draw(&mut rng).show(&film.frames, film.side, &mut shown.frames);
            examples.push((said.clone(), Clip::of_frames(&tracks_of(&video, &shown, preset.reads))));
        }
        examples.push((said, clip.clone()));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let from = (options, manifest.weights_sha256.as_str());
    let (net, steps) = learn(recipe.name, preset, &examples, from, |_| learning(preset, net))?;
    stage.keep("adapted", steps, &net, &video)
}

/// A network that was learnt, to go on learning: one of a backend without gradients would stay as it is.
pub(super) fn learning(preset: &Preset, net: &Pose2Gloss<Plain<Training>>) -> Pose2Gloss<Training> {
    let codes = net.codebook.bias.dims()[0] - MARKS;
    load(config(preset, codes).init(&Default::default()), save(net)).expect("both are of one shape")
}
