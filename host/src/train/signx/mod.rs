//! Trains Pose2Gloss, SignX's first stage, on utterances with any of its five tracks, and writes its folder; or
//! Video2Pose, its second stage, for a Pose2Gloss that was trained before ([`video`]); or both as one, in that the
//! Pose2Gloss learns what Video2Pose makes of videos ([`adapt`]), or both learn together ([`joint`]).
//!
//! The data are a folder with a corpus `train` and a corpus `dev`, each as `signpost-host synth` writes one.

mod adapt;
mod batches;
mod filmed;
mod joint;
mod look;
mod solve;
mod task;
pub mod video;

use std::path::Path;

use burn::tensor::backend::Backend;
use models::manifest::{HeldOut, Metric, Role, Source, sha256};
use models::metrics::tokenize::Tokenizer;
use models::signx::MEASURE;
use models::translator::{Decoding, END};

use super::fit::{Plain, fit, forget};
use super::plan::Plan;
use super::{Options, Training, command, pretty, write};
use crate::data::Utterance;
use crate::evaluate::compare;
use crate::nn::save;
use crate::signx::clip::{Clip, clips};
use crate::signx::model::{WEIGHTS, config, hypothesis, read, token};
use crate::signx::preset::Stage;
use crate::signx::track::FRAME;
use crate::signx::{Pose2Gloss, Preset, SignXManifest, Track};
use crate::{Error, ui};

use batches::Batches;
pub use task::Learnt;
use task::SignXTask;

/// How a Pose2Gloss is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignXRecipe {
    /// The model's name.
    pub name: &'static str,
    /// What is learnt.
    pub learns: Learns,
}

/// What a recipe learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learns {
    /// Pose2Gloss, by the sizes and settings of this name of [`Preset`].
    Pose2Gloss(&'static str),
    /// Video2Pose for a Pose2Gloss, by its settings.
    Video2Pose,
    /// A Pose2Gloss for its Video2Pose, by its settings.
    Adapted,
    /// Both together, by their settings.
    Joint,
}

impl Learns {
    /// The option that only such recipes read.
    pub fn option(self) -> &'static str {
        match self {
            Self::Pose2Gloss(_) => "--without",
            Self::Video2Pose | Self::Adapted | Self::Joint => "--base",
        }
    }
}

/// All recipes.
pub const SIGNX_RECIPES: [SignXRecipe; 6] = [
    SignXRecipe { name: "signx-small", learns: Learns::Pose2Gloss("small") },
    SignXRecipe { name: "signx-tiny", learns: Learns::Pose2Gloss("tiny") },
    SignXRecipe { name: "signx-paper", learns: Learns::Pose2Gloss("paper") },
    SignXRecipe { name: "signx-video", learns: Learns::Video2Pose },
    SignXRecipe { name: "signx-adapt", learns: Learns::Adapted },
    SignXRecipe { name: "signx-joint", learns: Learns::Joint },
];

/// Deviations below this are of numbers that never change.
const LEAST_DEVIATION: f64 = 1e-3;

impl SignXRecipe {
    /// The recipe of a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        SIGNX_RECIPES.iter().find(|r| r.name == name)
    }

    /// The names of all recipes, as a text.
    pub fn names() -> String {
        SIGNX_RECIPES.map(|r| r.name).join(", ")
    }
}

/// Trains a recipe, measures it on development data and writes the folder.
///
/// # Errors
/// Where data cannot be read, the loss goes astray, or the folder cannot be written.
pub fn train(recipe: &SignXRecipe, options: &Options) -> Result<SignXManifest, Error> {
    std::fs::create_dir_all(&options.out).map_err(Error::io("make the folder", &options.out))?;
    let name = match recipe.learns {
        Learns::Pose2Gloss(preset) => preset,
        Learns::Video2Pose => return video::train(recipe, options),
        Learns::Adapted => return adapt::train(recipe, options),
        Learns::Joint => return joint::train(recipe, options),
    };
    let mut preset = Preset::find(name).expect("a test looks up the preset of every recipe");
    for part in &options.without {
        let given = part.clone();
        preset = preset.without(part).map_err(|expected| Error::Argument {
            option: "--without",
            given,
            expected,
        })?;
    }
    let learnt = clips(&options.data.join("train"), &preset)?;
    let dev = clips(&options.data.join("dev"), &preset)?;
    let glosses = glosses(&learnt);
    let examples: Vec<Example> =
        learnt.iter().map(|(utterance, clip)| (tokens(utterance, &glosses, &preset), clip.clone())).collect();
    ui::say(format!(
        "{}: {} glosses, {} utterances to learn, {} to measure on",
        recipe.name,
        glosses.len(),
        examples.len(),
        dev.len()
    ));
    let (net, steps) = learn(recipe.name, &preset, &examples, (options, ""), |[mean, deviation]| {
        let net = config(&preset, glosses.len()).init::<Training>(&Default::default());
        let encode = net.encode.clone().standardised(mean, deviation);
        Pose2Gloss { encode, ..net }
    })?;

    let weights = save::<Plain<Training>, _>(&net);
    let references: Vec<_> = dev.iter().map(|(utterance, clip)| (utterance, clip.frames())).collect();
    let manifest = SignXManifest {
        name: recipe.name.into(),
        preset: name.into(),
        without: options.without.clone(),
        measure: MEASURE,
        weights_sha256: sha256(&weights),
        data: vec![source(&options.data, learnt.len())],
        video_sha256: None,
        metrics: measure(&preset, &references, "", |at, how| {
            let frames = dev[at].1.frames_of(&net.codebook.bias.device());
            read(&net, &preset, &glosses, &frames, how)
        }),
        glosses,
        recipe: command(recipe.name, options, steps),
    };
    write(&options.out, &[(WEIGHTS, &weights)], pretty(&manifest))?;
    forget(&options.out)?;
    Ok(manifest)
}

/// Tokens, the last an end, and the clip that says them.
type Example = (Vec<u32>, Clip);

/// Trains a Pose2Gloss, which `begin` gives by the mean and the deviation of the examples' numbers, and says by how many
/// steps. `from` names what it begins from, where that is no chance.
fn learn(
    name: &str,
    preset: &Preset,
    examples: &[Example],
    (options, from): (&Options, &str),
    begin: impl FnOnce([&[f32]; 2]) -> Pose2Gloss<Training>,
) -> Result<(Pose2Gloss<Plain<Training>>, usize), Error> {
    let [stage, _] = preset.stages;
    let part = (stage.batch / stage.accumulate).max(1);
    let (mean, deviation) = scale(examples);
    let batches = Batches::new(examples, [stage.accumulate, part], &deviation, options.seed);
    let steps = options.steps.unwrap_or(batches.steps(stage.epochs));
    let data = fingerprint(preset, examples, steps) + from;
    let plan = plan(name, &stage, options, steps, &data)?;
    let device = Default::default();
    Training::seed(&device, options.seed);
    let net = Learnt::new(begin([&mean, &deviation]), &device);
    let task = SignXTask { batches: &batches, preset, all: steps * stage.accumulate };
    Ok((fit::<Training, _>(net, &task, &plan)?.net, steps))
}

/// What an utterance says.
fn tokens(utterance: &Utterance, glosses: &[String], preset: &Preset) -> Vec<u32> {
    let tokens = utterance.glosses.iter().filter_map(|g| token(glosses, &g.gloss));
    tokens.take(preset.longest).chain([END]).collect()
}

/// All glosses of a corpus, in order.
fn glosses(learnt: &[(Utterance, Clip)]) -> Vec<String> {
    let all = learnt.iter().flat_map(|(utterance, _)| &utterance.glosses);
    let mut glosses: Vec<String> = all.map(|g| g.gloss.clone()).collect();
    glosses.sort();
    glosses.dedup();
    glosses
}

/// The mean and deviation of all numbers of a frame, over the frames in which their track is there: `[1959]` each.
fn scale(examples: &[Example]) -> (Vec<f32>, Vec<f32>) {
    let (mut mean, mut deviation) = (vec![0.0; FRAME], vec![1.0; FRAME]);
    for (i, track) in Track::ALL.into_iter().enumerate() {
        let width = track.width();
        let (mut count, mut sums) = (0.0_f64, vec![[0.0_f64; 2]; width]);
        for (_, clip) in examples {
            let Some(numbers) = &clip.tracks[i] else { continue };
            let there = numbers.chunks_exact(width).zip(&clip.there).filter(|(_, there)| there[i]);
            for (row, _) in there {
                count += 1.0;
                for (sum, v) in sums.iter_mut().zip(row) {
                    sum[0] += f64::from(*v);
                    sum[1] += f64::from(*v).powi(2);
                }
            }
        }
        if count == 0.0 {
            continue;
        }
        for (column, [sum, squares]) in track.columns().zip(sums) {
            let average = sum / count;
            mean[column] = average as f32;
            let deviates = (squares / count - average * average).max(0.0).sqrt();
            deviation[column] = if deviates < LEAST_DEVIATION { 1.0 } else { deviates as f32 };
        }
    }
    (mean, deviation)
}

/// What the batches of a run are made of and how.
fn fingerprint(preset: &Preset, examples: &[Example], steps: usize) -> String {
    let mut text = format!("{preset:?} {steps}");
    for (tokens, clip) in examples {
        text += &format!("{tokens:?}{}", clip.fingerprint());
    }
    sha256(text.as_bytes())
}

fn source(data: &Path, clips: usize) -> Source {
    let name = data.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let (role, held_out) = (Role::Sentences, HeldOut::Split("dev".into()));
    Source { name, licence: "that of the corpus".into(), role, held_out, clips }
}

/// Word error rates on development data, utterances and their frames: greedily, and by the preset's beam. `read` says
/// what is read of which, and `also` is what the command that reads them is told besides.
fn measure(
    preset: &Preset,
    dev: &[(&Utterance, usize)],
    also: &str,
    read: impl Fn(usize, Decoding) -> Vec<String>,
) -> Vec<Metric> {
    let references: Vec<Utterance> = dev.iter().map(|(utterance, _)| (*utterance).clone()).collect();
    let mut metrics = vec![];
    for (name, how) in [("wer-greedy", Decoding::Greedy), ("wer", preset.beam)] {
        let bar = ui::progress(dev.len(), "utterances read");
        let said = dev.iter().enumerate().map(|(at, (utterance, frames))| {
            bar.inc(1);
            hypothesis(utterance, *frames, preset.fps, read(at, how))
        });
        let report = compare(&said.collect::<Vec<_>>(), &references, Tokenizer::None);
        bar.finish_and_clear();
        ui::say(format!("{name} {:.4}, BLEU-4 {:.2}", report.wer, report.overlap.bleu4));
        let command = "signpost-host signx read --model FOLDER --data DATA/dev --said SAID.jsonl";
        metrics.push(Metric {
            name: name.into(),
            value: report.wer,
            clips: dev.len(),
            on: "dev".into(),
            command: format!("{command}{also}"),
        });
    }
    metrics
}

/// How a stage of a run goes.
fn plan(name: &str, stage: &Stage, options: &Options, steps: usize, data: &str) -> Result<Plan, Error> {
    let plan = options.plan(name, steps, options.seed, data, &options.out)?;
    Ok(Plan {
        rate: options.rate.unwrap_or(stage.rate),
        warm_up: stage.warm_up,
        floor: stage.floor,
        accumulate: stage.accumulate,
        at_once: stage.at_once,
        decay: stage.decay,
        clip: stage.clip,
        average_keeps: 0.98,
        ..plan
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_has_its_preset() {
        for recipe in &SIGNX_RECIPES {
            let Learns::Pose2Gloss(preset) = recipe.learns else { continue };
            assert!(Preset::find(preset).is_some(), "{}", recipe.name);
        }
    }

    #[test]
    fn numbers_are_standardised_where_their_track_is_there() {
        let width = Track::SmplerX.width();
        let mut clip = Clip { there: vec![[true, false, false, false, false]; 3], ..Clip::default() };
        clip.there[2] = [false; 5];
        let rows = [1.0, 3.0, 99.0].map(|v| vec![v; width]);
        clip.tracks[0] = Some(rows.concat());
        let (mean, deviation) = scale(&[(vec![], clip)]);
        assert_eq!((mean[0], deviation[0]), (2.0, 1.0));
        assert_eq!(
            (mean[width], deviation[width]),
            (0.0, 1.0),
            "of a track that nobody has nothing is known"
        );
    }
}
