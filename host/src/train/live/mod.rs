//! Trains the live recogniser on synthetic signing and writes its folder.

mod batches;
pub(crate) mod calibrate;
mod recipe;
mod rescore_task;
mod task;

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use models::features::stream;
use models::live::{
    LiveManifest, LiveModel, RESCORE, RescoreInput, RescoreNetwork, Rescorer, Rules, StepNetwork,
};
use models::manifest::{Kind, NETWORK, Role, Source, sha256};

use super::fit::{Plain, fit, forget};
use super::plan::Plan;
use super::{Options, Training, command, pretty, write};
use crate::evaluate::{RescoreRunner, Stepper};
use crate::export;
use crate::nn::{LiveNet, RescoreNet, numbers};
use crate::synth::{Split, Synth, Without};
use crate::{Error, ui};

use batches::{BATCH, Batches, GATE_DELAY, LATEST_STEPS, PARTS, Sequence};
use recipe::{HYPOTHESES, LENGTH, UTTERANCE};
pub use recipe::{LIVE_RECIPES, LiveRecipe};
use rescore_task::RescoreTask;
use task::LiveTask;

/// The folder of the rescorer's run within that of the recipe's.
const RESCORER_RUN: &str = "rescorer";
/// The rescorer draws its first weights from the seed and this.
const RESCORER_SEED: u64 = 0x7265_7363;
/// The largest difference between two logits that rounding over some hundred steps explains.
const ROUNDING: f32 = 1e-3;

/// Trains a recipe, checks the exported network, chooses its rules on development data and writes the folder.
///
/// # Errors
/// Where data cannot be read, the exported network differs from the trained one, or the folder cannot be written.
pub fn train(recipe: &LiveRecipe, options: &Options) -> Result<LiveManifest, Error> {
    std::fs::create_dir_all(&options.out).map_err(Error::io("make the folder", &options.out))?;
    let synth = |split| Synth::new(recipe.synth(), &options.data, split, options.seed, false);
    let without = Without::named(&options.without)?;
    let learnt = synth(Split::Train)?.without(without);
    let batches = Batches::new(&learnt);
    let glosses = batches.glosses().to_vec();
    ui::say(format!(
        "{}: {} glosses, {} clips to train on",
        recipe.name,
        glosses.len(),
        learnt.clips().len()
    ));

    let steps = options.steps.unwrap_or(recipe.steps);
    let data = fingerprint(recipe, &batches, &learnt, without);
    let plan = options.plan(recipe.name, steps, options.seed, &data, &options.out)?;
    // What is dropped is drawn by all threads together, so that it would be other values in every run.
    let at_once = if recipe.dropout > 0.0 { 1 } else { PARTS };
    let plan = Plan { accumulate: PARTS, at_once, ..plan };
    let device = Default::default();
    Training::seed(&device, options.seed);
    let net = recipe.net(glosses.len()).init(&device);
    let net = fit::<Training, _>(net, &LiveTask { batches: &batches }, &plan)?;
    let network = export::live_step(recipe.name, &net, batches.scale());

    let config = recipe.rescorer(glosses.len());
    let data = sha256(format!("{data} {config:?} {UTTERANCE} {}", sha256(&network)).as_bytes());
    // A shorter run is shorter in both its stages.
    let rescorer_steps = (recipe.rescorer_steps * steps / recipe.steps).max(1);
    let (name, again) = (format!("{} rescorer", recipe.name), options.out.join(RESCORER_RUN));
    let plan = options.plan(&name, rescorer_steps, options.seed, &data, &again)?;
    let plan = Plan { accumulate: PARTS, ..plan };
    let seed = options.seed ^ RESCORER_SEED;
    Training::seed(&device, seed);
    let task = RescoreTask { batches: &batches, live: &net, seed, most: [UTTERANCE, LENGTH] };
    let rescorer = fit::<Training, _>(config.init(&net, &device), &task, &plan)?;
    let rescorer_bytes = export::rescore_net(recipe.name, &rescorer, UTTERANCE, [HYPOTHESES, LENGTH]);

    let manifest = LiveManifest {
        name: recipe.name.into(),
        kind: Kind::Continuous,
        sha256: sha256(&network),
        features: stream::NAME.into(),
        step_s: stream::STEP_S,
        width: stream::WIDTH,
        memory: net.memory(),
        hidden: recipe.width,
        glosses,
        delay_s: LATEST_STEPS as f64 * stream::STEP_S,
        gate_delay_s: GATE_DELAY as f64 * stream::STEP_S,
        rules: Rules::PLAIN,
        rescorer: Some(Rescorer {
            sha256: sha256(&rescorer_bytes),
            steps: UTTERANCE,
            hypotheses: HYPOTHESES,
            length: LENGTH,
            attention: 0.5,
            confidence: [0.0, 1.0, 0.0],
            accept: 0.5,
        }),
        data: sources(recipe, &learnt),
        metrics: vec![],
        recipe: command(recipe.name, options, steps),
    };
    let mut model = LiveModel { dir: options.out.clone(), manifest, network, rescorer: Some(rescorer_bytes) };
    let dev = synth(Split::Dev)?;
    check_export(&net, &batches, &model, &dev)?;
    check_rescorer(&net, &rescorer, &batches, &model, &dev)?;
    let idle = Synth::new(recipe.synth(), &options.data, Split::Dev, options.seed, true)?;
    calibrate::calibrate(&mut model, &dev, &idle, steps as f64 / recipe.steps as f64)?;
    let mut networks = vec![(NETWORK, &model.network[..])];
    networks.extend(model.rescorer.as_deref().map(|rescorer| (RESCORE, rescorer)));
    write(&model.dir, &networks, pretty(&model.manifest))?;
    forget(&options.out)?;
    forget(&again)?;
    Ok(model.manifest)
}

/// What the batches of a run are made of and how.
fn fingerprint(recipe: &LiveRecipe, batches: &Batches, synth: &Synth, without: Without) -> String {
    let LiveRecipe { corpus, dropout, .. } = recipe;
    let clips: Vec<_> = synth.clips().collect();
    let how = (corpus, dropout, [PARTS, BATCH], without, batches.scale());
    sha256(format!("{how:?} {clips:?}").as_bytes())
}

/// What the model was trained on.
fn sources(recipe: &LiveRecipe, synth: &Synth) -> Vec<Source> {
    let corpus = recipe.synth();
    let of = |name: &&str, role| Source {
        name: (*name).to_owned(),
        licence: corpus.licence(name).to_owned(),
        role,
        held_out: corpus.held_out(name),
        clips: synth.clips().filter(|clip| clip.set == **name).count(),
    };
    let signs = corpus.sources.iter().map(|name| of(name, Role::Signs));
    signs.chain(corpus.others.iter().map(|name| of(name, Role::OtherSigns))).collect()
}

/// Compares the network that trained with the one that was exported, over whole utterances.
fn check_export(
    net: &LiveNet<Plain<Training>>,
    batches: &Batches,
    model: &LiveModel,
    dev: &Synth,
) -> Result<(), Error> {
    let mut stepper = Stepper::new(model)?;
    for n in 0..4 {
        let sequence = Sequence::of(&dev.utterance(n), batches.glosses());
        let whole = forward(net, batches, &sequence);
        stepper.reset();
        let classes = model.manifest.logits();
        for (row, expect) in sequence.features.chunks_exact(stream::WIDTH).zip(whole.chunks_exact(classes)) {
            let said = stepper.step(row)?;
            same(said.logits, expect)?;
        }
    }
    Ok(())
}

/// Compares the rescorer that trained with the one that was exported, over whole utterances and what they say.
fn check_rescorer(
    live: &LiveNet<Plain<Training>>,
    net: &RescoreNet<Plain<Training>>,
    batches: &Batches,
    model: &LiveModel,
    dev: &Synth,
) -> Result<(), Error> {
    type B = Plain<Training>;
    let Some(mut runner) = RescoreRunner::of(model)? else { return Ok(()) };
    let (device, width) = (Default::default(), model.manifest.hidden);
    for n in 0..4 {
        let sequence = Sequence::of(&dev.utterance(n), batches.glosses());
        let steps = sequence.steps().min(UTTERANCE);
        let hidden = live.hidden(input(batches, &sequence)).narrow(1, 0, steps); // [1, T', D]
        let mut whole = numbers(hidden);
        whole.resize(UTTERANCE * width, 0.0);
        let there: Vec<f32> = (0..UTTERANCE).map(|t| f32::from(u8::from(t < steps))).collect();
        let mut prefix: Vec<i64> = sequence.targets.iter().map(|t| t.label as i64).collect();
        prefix.insert(0, 0);
        prefix.resize(LENGTH, 0);
        let mut at: Vec<i64> =
            sequence.targets.iter().map(|t| t.within.start.min(steps - 1) as i64).collect();
        at.insert(0, 0);
        at.resize(LENGTH, 0);
        let every = |row: &[i64]| row.repeat(HYPOTHESES).iter().map(|v| *v as f32).collect();
        let (glosses, times) = (every(&prefix), every(&at));
        let tensor = |values: &[f32], last| {
            Tensor::<B, 3>::from_data(TensorData::new(values.to_vec(), [1, UTTERANCE, last]), &device)
        };
        let (hidden, mask) = (tensor(&whole, width), tensor(&there, 1));
        let row = |values| Tensor::<B, 2, Int>::from_data(TensorData::new(values, [1, LENGTH]), &device);
        let (memory, ctc) = net.memory(hidden, &mask);
        let next = numbers(net.next(memory, &mask, row(prefix), row(at))); // [1, U, 1 + G]
        let said = runner.rescore(&RescoreInput { hidden: whole, there, glosses, at: times })?;
        same(&said.ctc, &numbers(ctc))?;
        said.next.chunks_exact(next.len()).try_for_each(|said| same(said, &next))?;
    }
    Ok(())
}

/// Fails where two networks differ by more than rounding explains.
fn same(a: &[f32], b: &[f32]) -> Result<(), Error> {
    let found = a.iter().zip(b).map(|(a, b)| (a - b).abs()).find(|d| d.is_nan() || *d > ROUNDING);
    found.map_or(Ok(()), |found| Err(Error::Export { found, limit: ROUNDING }))
}

/// Logits of a whole sequence by the network that trained: `[T, C]`.
fn forward(net: &LiveNet<Plain<Training>>, batches: &Batches, sequence: &Sequence) -> Vec<f32> {
    numbers(net.forward(input(batches, sequence)))
}

/// A whole sequence as the live network takes it: `[1, T, F]`.
fn input(batches: &Batches, sequence: &Sequence) -> Tensor<Plain<Training>, 3> {
    let mut features = sequence.features.clone();
    batches.scale().apply(&mut features);
    let shape = [1, sequence.steps(), stream::WIDTH];
    Tensor::from_data(TensorData::new(features, shape), &Default::default())
}
