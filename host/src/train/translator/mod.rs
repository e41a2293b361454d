//! Trains a translator between sentences and glosses and writes its folder.

mod batches;
mod recipe;
mod task;

use burn::tensor::activation::softmax;
use burn::tensor::backend::Backend;
use models::manifest::{HeldOut, Metric, Role, Source, sha256};
use models::translator::{Direction, ENCODER, Pieces, STEP, TranslatorManifest, TranslatorModel, text};

use super::fit::{Plain, fit, forget};
use super::plan::Plan;
use super::{Options, Training, folders, network_seed, write};
use crate::data::sentences::{Sentence, sentences};
use crate::evaluate::{TranslatorRunner, translation};
use crate::export;
use crate::nn::{Drops, Translator};
use crate::{Error, ui};

use batches::Batches;
pub use recipe::{Corpus, TRANSLATOR_RECIPES, TranslatorRecipe};
use task::{TranslatorTask, rows};

/// The largest difference between two logarithms of probabilities that rounding explains.
const ROUNDING: f32 = 1e-3;

/// Trains a recipe, checks the exported networks, measures them on development data and writes the folder.
///
/// # Errors
/// Where data cannot be read, the exported networks differ from the trained ones, or the folder cannot be
/// written.
pub fn train(recipe: &TranslatorRecipe, options: &Options) -> Result<TranslatorManifest, Error> {
    std::fs::create_dir_all(&options.out).map_err(Error::io("make the folder", &options.out))?;
    let read = |path: &str| sentences(&options.data.join(path));
    let (learnt, dev) = (read(recipe.corpus.train)?, read(recipe.corpus.dev)?);
    let pairs: Vec<[String; 2]> = learnt.iter().map(|s| pair(recipe.direction, s)).collect();
    let side = |i: usize| pairs.iter().map(move |pair| pair[i].as_str());
    let source = Pieces::learn(side(0), recipe.source_pieces);
    let target = match recipe.target_pieces {
        Some(count) => Pieces::learn(side(1), count),
        None => Pieces::of_words(side(1)),
    };
    let pieces = [source.len(), target.len()];
    ui::say(format!(
        "{}: {} sentences to learn, {} to measure on, {} and {} pieces",
        recipe.name,
        pairs.len(),
        dev.len(),
        pieces[0],
        pieces[1]
    ));

    let data = fingerprint(recipe, &pairs);
    let folders = folders(recipe.networks, &options.out);
    let device = Default::default();
    let mut nets = vec![];
    for (i, folder) in folders.iter().enumerate() {
        let seed = network_seed(options.seed, i);
        let cut = [source.clone(), target.clone()];
        let batches = Batches::new(pairs.clone(), cut, recipe.skipped, seed);
        let steps = options.steps.unwrap_or(recipe.epochs * batches.of_epoch());
        let plan = options.plan(recipe.name, steps, seed, &data, folder)?;
        let rate = options.rate.unwrap_or(recipe.rate);
        let plan = Plan { rate, average_keeps: 0.99, ..plan };
        Training::seed(&device, seed);
        let net = recipe.net(pieces).init(&device);
        let TranslatorRecipe { smoothing, dropout, .. } = *recipe;
        let task = TranslatorTask { batches: &batches, smoothing, dropout };
        nets.push(fit::<Training, _>(net, &task, &plan)?);
    }

    let sizes = recipe.sizes();
    let [encoder, step] = export::translator(recipe.name, &nets, &sizes);
    let manifest = TranslatorManifest {
        name: recipe.name.into(),
        kind: recipe.direction,
        spoken: recipe.corpus.spoken.into(),
        signed: recipe.corpus.signed.into(),
        encoder_sha256: sha256(&encoder),
        step_sha256: sha256(&step),
        sizes,
        penalty: recipe.penalty,
        source,
        target,
        data: vec![Source {
            name: recipe.corpus.name.into(),
            licence: recipe.corpus.licence.into(),
            role: Role::Sentences,
            held_out: HeldOut::Split("dev".into()),
            clips: pairs.len(),
        }],
        metrics: vec![],
        recipe: command(recipe.name, options),
    };
    let mut model = TranslatorModel { dir: options.out.clone(), manifest, encoder, step };
    check_export(&nets, &model, recipe, &dev)?;
    model.manifest.metrics = measure(&model, recipe, [&learnt, &dev])?;
    let networks = [(ENCODER, &model.encoder[..]), (STEP, &model.step)];
    // Thousands of pieces: a line each would be many times as long.
    let manifest = serde_json::to_string(&model.manifest).expect("a manifest has text keys only");
    write(&model.dir, &networks, manifest)?;
    folders.iter().try_for_each(|folder| forget(folder))?;
    Ok(model.manifest)
}

/// A sentence as source and target, both in their normal form.
fn pair(direction: Direction, sentence: &Sentence) -> [String; 2] {
    let (text, glosses) = (text::normal(&sentence.text), text::normal_glosses(&sentence.glosses));
    match direction {
        Direction::TextToGloss => [text, glosses],
        Direction::GlossToText => [glosses, text],
    }
}

/// What the batches of a run are made of and how.
fn fingerprint(recipe: &TranslatorRecipe, pairs: &[[String; 2]]) -> String {
    let TranslatorRecipe { skipped, dropout, smoothing, .. } = recipe;
    sha256(format!("{skipped} {dropout} {smoothing} {} {pairs:?}", recipe::BATCH).as_bytes())
}

/// The command that remakes the model.
fn command(name: &str, options: &Options) -> String {
    let mut text = format!("signpost-host train {name} --data DATA --out FOLDER --seed {}", options.seed);
    if let Some(steps) = options.steps {
        text += &format!(" --steps {steps}");
    }
    if let Some(rate) = options.rate {
        text += &format!(" --rate {rate}");
    }
    text
}

/// Compares the networks that trained with those that were exported: what they think of the true translations
/// of some sentences, piece by piece.
fn check_export(
    nets: &[Translator<Plain<Training>>],
    model: &TranslatorModel,
    recipe: &TranslatorRecipe,
    dev: &[Sentence],
) -> Result<(), Error> {
    let manifest = &model.manifest;
    let pairs = dev.iter().take(4).map(|s| pair(recipe.direction, s)).collect();
    let cut = [manifest.source.clone(), manifest.target.clone()];
    let batches = Batches::new(pairs, cut, 0.0, 0);
    if batches.pairs() == 0 {
        return Ok(());
    }
    let batch = batches.batch(0);
    let mut runner = TranslatorRunner::new(model)?;
    let each = nets.iter().map(|net| {
        let memory = net.encode(rows(&batch.source), &batch.lengths, &mut Drops::none());
        softmax(net.decode(rows(&batch.said), &memory, &batch.lengths, &mut Drops::none()), 1)
    });
    let mean = each.reduce(|a, b| a + b).expect("a recipe has a network") / nets.len() as f32;
    let (u, [_, v]) = (batch.said[0].len(), mean.dims());
    let probs: Vec<f32> = mean.into_data().convert::<f32>().to_vec().expect("converted to f32 just before");
    for (i, follows) in batch.follows.iter().enumerate() {
        let source = &batch.source[i][..batch.lengths[i]];
        if source.len() > manifest.sizes.source || follows.len() > manifest.sizes.target {
            continue;
        }
        let said = runner.log_probs(&source[..source.len() - 1], &follows[..follows.len() - 1])?;
        for (t, (row, said)) in probs[i * u * v..].chunks_exact(v).zip(said.chunks_exact(v)).enumerate() {
            // What is hardly likely is of no weight, and its logarithm is all rounding.
            let far = row.iter().zip(said).map(|(p, l)| (p - l.exp()).abs()).fold(0.0, f32::max);
            if t < follows.len() && (far.is_nan() || far > ROUNDING) {
                return Err(Error::Export { found: far, limit: ROUNDING });
            }
        }
    }
    Ok(())
}

/// The scores on development data.
fn measure(
    model: &TranslatorModel,
    recipe: &TranslatorRecipe,
    [learnt, dev]: [&[Sentence]; 2],
) -> Result<Vec<Metric>, Error> {
    let mut runner = TranslatorRunner::new(model)?;
    let bar = ui::progress(dev.len(), "sentences translated");
    let report = translation(&mut runner, dev, learnt, |_| bar.inc(1))?;
    bar.finish_and_clear();
    ui::say(report.to_string());
    let metric = |(name, value): (&str, f64)| Metric {
        name: name.into(),
        value,
        clips: dev.len(),
        on: recipe.corpus.dev.into(),
        command: format!(
            "signpost-host evaluate translation --model FOLDER --data DATA/{}",
            recipe.corpus.dev
        ),
    };
    Ok(report.figures().map(metric).into())
}
