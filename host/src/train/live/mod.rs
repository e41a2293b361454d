//! Trains the live recogniser on synthetic signing and writes its folder.

mod batches;
mod calibrate;
mod recipe;
mod task;

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use models::features::stream;
use models::live::{LiveManifest, LiveModel, Rules};
use models::manifest::{Kind, MANIFEST, NETWORK, Role, Source, sha256};
use models::whole;

use super::fit::{Plain, fit, forget};
use super::{Options, Training};
use crate::evaluate::Stepper;
use crate::export;
use crate::nn::LiveNet;
use crate::synth::{Split, Synth};
use crate::{Error, ui};

use batches::{BATCH, Batches, GATE_DELAY, LATEST_STEPS, Sequence};
pub use recipe::{LIVE_RECIPES, LiveRecipe};
use task::LiveTask;

/// The largest difference between two logits that rounding over some hundred steps explains.
const ROUNDING: f32 = 1e-3;

/// Trains a recipe, checks the exported network, chooses its rules on development data and writes the folder.
///
/// # Errors
/// Where data cannot be read, the exported network differs from the trained one, or the folder cannot be written.
pub fn train(recipe: &LiveRecipe, options: &Options) -> Result<LiveManifest, Error> {
    std::fs::create_dir_all(&options.out).map_err(Error::io("make the folder", &options.out))?;
    let synth = |split| Synth::new(recipe.synth(), &options.data, split, options.seed, false);
    let learnt = synth(Split::Train)?;
    let batches = Batches::new(&learnt);
    let glosses = batches.glosses().to_vec();
    ui::say(format!(
        "{}: {} glosses, {} clips to train on",
        recipe.name,
        glosses.len(),
        learnt.clips().len()
    ));

    let steps = options.steps.unwrap_or(recipe.steps);
    let data = fingerprint(recipe, &batches, &learnt);
    let plan = options.plan(recipe.name, steps, options.seed, &data, &options.out)?;
    let device = Default::default();
    Training::seed(&device, options.seed);
    let net = recipe.net(glosses.len()).init(&device);
    let net = fit::<Training, _>(net, &LiveTask { batches: &batches }, &plan)?;

    let network = export::live_step(recipe.name, &net, batches.scale());
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
        data: sources(recipe, &learnt),
        metrics: vec![],
        recipe: format!(
            "signpost-host train {} --data DATA --out FOLDER --seed {} --steps {steps}",
            recipe.name, options.seed
        ),
    };
    let mut model = LiveModel { dir: options.out.clone(), manifest, network };
    let dev = synth(Split::Dev)?;
    check_export(&net, &batches, &model, &dev)?;
    let idle = Synth::new(recipe.synth(), &options.data, Split::Dev, options.seed, true)?;
    model.manifest.rules = calibrate::rules(&model, &dev, &idle)?;
    write(&model)?;
    forget(&options.out)?;
    Ok(model.manifest)
}

/// What the batches of a run are made of and how.
fn fingerprint(recipe: &LiveRecipe, batches: &Batches, synth: &Synth) -> String {
    let LiveRecipe { corpus, dropout, .. } = recipe;
    let clips: Vec<_> = synth.clips().collect();
    sha256(format!("{corpus} {dropout} {BATCH} {:?} {clips:?}", batches.scale()).as_bytes())
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
            for (a, b) in said.logits.iter().zip(expect) {
                let found = (a - b).abs();
                if found.is_nan() || found > ROUNDING {
                    return Err(Error::Export { found, limit: ROUNDING });
                }
            }
        }
    }
    Ok(())
}

/// Logits of a whole sequence by the network that trained: `[T, C]`.
fn forward(net: &LiveNet<Plain<Training>>, batches: &Batches, sequence: &Sequence) -> Vec<f32> {
    let mut features = sequence.features.clone();
    batches.scale().apply(&mut features);
    let shape = [1, sequence.steps(), stream::WIDTH];
    let input =
        Tensor::<Plain<Training>, 3>::from_data(TensorData::new(features, shape), &Default::default());
    let logits = net.forward(input).into_data().convert::<f32>();
    logits.to_vec().expect("converted to f32 just before")
}

/// Writes the folder; the manifest last, so that a folder with a manifest is whole.
fn write(model: &LiveModel) -> Result<(), Error> {
    let put = |name: &str, bytes: &[u8]| {
        let path = model.dir.join(name);
        whole::write(&path, bytes).map_err(Error::io("write", &path))
    };
    put(NETWORK, &model.network)?;
    let mut text = serde_json::to_string_pretty(&model.manifest).expect("a manifest has text keys only");
    text.push('\n');
    put(MANIFEST, text.as_bytes())
}
