//! Trains Video2Gloss as one: its Pose2Gloss goes on learning, from the tracks of estimators as before, and from what its
//! Video2Pose makes of the same videos. The paper's stays as its first stage left it; but a Video2Pose of two cores is
//! wrong in ways that no estimator is, and who reads it has to know them.

use burn::module::AutodiffModule;
use models::manifest::sha256;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::look::Look;
use super::{Example, SignXRecipe, base, learn, measure, source, tokens};
use crate::nn::save;
use crate::signx::clip::{Clip, films};
use crate::signx::model::{VIDEO_WEIGHTS, WEIGHTS, read, tracks_of};
use crate::signx::{Film, Pose2Gloss, SignXManifest, SignXModel};
use crate::train::fit::{Plain, forget};
use crate::train::plan::step_seed;
use crate::train::{Options, Training, command, pretty, write};
use crate::{Error, ui};

/// So often every video is shown, each time in another look.
const LOOKS: usize = 2;

/// Trains it for the model that the options name, measures it on development data and writes a folder of both networks.
///
/// # Errors
/// As [`super::train`]; and where no model is named, or it reads no videos.
pub(super) fn train(recipe: &SignXRecipe, options: &Options) -> Result<SignXManifest, Error> {
    let device = Default::default();
    let SignXModel { manifest, preset, net, video } =
        SignXModel::<Plain<Training>>::open(base(options)?, &device)?;
    let Some(video) = video else {
        let expected = "a folder that `train signx-video` wrote".into();
        let given = base(options)?.display().to_string();
        return Err(Error::Argument { option: "--base", given, expected });
    };
    let learnt = films(&options.data.join("train"), &preset)?;
    let dev = films(&options.data.join("dev"), &preset)?;
    let bar = ui::progress(learnt.len(), "videos looked at");
    let mut examples: Vec<Example> = vec![];
    for (number, (utterance, clip, film)) in learnt.iter().enumerate() {
        let said = tokens(utterance, &manifest.glosses, &preset);
        let mut rng = StdRng::seed_from_u64(step_seed(options.seed, number));
        for _ in 0..LOOKS {
            let mut shown = Film { side: film.side, frames: Vec::with_capacity(film.frames.len()) };
            Look::draw(&mut rng).show(&film.frames, film.side, &mut shown.frames);
            examples.push((said.clone(), Clip::of_frames(&tracks_of(&video, &shown, preset.reads))));
        }
        examples.push((said, clip.clone()));
        bar.inc(1);
    }
    bar.finish_and_clear();
    ui::say(format!("{}: {} utterances to learn, {} to measure on", recipe.name, learnt.len(), dev.len()));

    let (net, steps) = learn(recipe.name, &preset, &examples, options, |_| Pose2Gloss::from_inner(net))?;
    let weights = [save::<Plain<Training>, _>(&net), save::<Plain<Training>, _>(&video)];
    let references: Vec<_> = dev.iter().map(|(utterance, clip, _)| (utterance, clip.frames())).collect();
    let metrics = measure(&preset, &references, " --video", |at, how| {
        let frames = tracks_of(&video, &dev[at].2, preset.reads);
        read(&net, &preset, &manifest.glosses, &frames, how)
    });
    let manifest = SignXManifest {
        name: format!("{}-adapted", manifest.name),
        weights_sha256: sha256(&weights[0]),
        data: vec![source(&options.data, learnt.len())],
        metrics,
        recipe: format!(
            "{} --base BASE, a folder made by: {}",
            command(recipe.name, options, steps),
            manifest.recipe
        ),
        ..manifest
    };
    let files = [(WEIGHTS, weights[0].as_slice()), (VIDEO_WEIGHTS, weights[1].as_slice())];
    write(&options.out, &files, pretty(&manifest))?;
    forget(&options.out)?;
    Ok(manifest)
}
