//! Trains a translator between sentences and glosses and writes its folder.
//!
//! A few sentences of the training data are not learnt: the length penalty is chosen on them, because a network
//! that was smoothed ends its translations too early or too late by as much as nobody can tell beforehand.

mod batches;
mod recipe;
mod task;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread::available_parallelism;

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
use crate::nn::{Drops, Translator, numbers};
use crate::{Error, ui};

use batches::Batches;
pub use recipe::{Corpus, TRANSLATOR_RECIPES, TranslatorRecipe, Varied};
use task::{TranslatorTask, rows};

/// One sentence of so many is not learnt.
const HELD: u64 = 24;
/// Powers of the length to choose from.
const PENALTIES: [f32; 6] = [1.0, 0.6, 1.4, 1.8, 2.2, 2.6];
/// The largest difference between two logarithms of probabilities that rounding explains.
const ROUNDING: f32 = 1e-3;

/// Trains a recipe, checks the exported networks, measures them on development data and writes the folder.
///
/// # Errors
/// Where data cannot be read, the exported networks differ from the trained ones, or the folder cannot be
/// written.
pub fn train(recipe: &TranslatorRecipe, options: &Options) -> Result<TranslatorManifest, Error> {
    std::fs::create_dir_all(&options.out).map_err(Error::io("make the folder", &options.out))?;
    let networks_wanted = options.networks.unwrap_or(recipe.networks);
    let recipe = &TranslatorRecipe { networks: networks_wanted, ..*recipe };
    let read = |path: &str| sentences(&options.data.join(path));
    let dev = read(recipe.corpus.dev)?;
    let (held, learnt): (Vec<_>, Vec<_>) = read(recipe.corpus.train)?.into_iter().partition(held);
    let pairs: Vec<[String; 2]> = learnt.iter().map(|s| pair(recipe.direction, s)).collect();
    let side = |i: usize| pairs.iter().map(move |pair| pair[i].as_str());
    let source = Pieces::learn(side(0), recipe.source_pieces);
    let target = match recipe.target_pieces {
        Some(count) => Pieces::learn(side(1), count),
        None => Pieces::of_words(side(1)),
    };
    let pieces = [source.len(), target.len()];
    ui::say(format!(
        "{}: {} sentences to learn, {} to choose the penalty on, {} to measure on, {} and {} pieces",
        recipe.name,
        pairs.len(),
        held.len(),
        dev.len(),
        pieces[0],
        pieces[1]
    ));

    let folders = folders(recipe.networks, &options.out);
    let nets = networks(recipe, options, &pairs, [&source, &target], &folders)?;
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
        penalty: PENALTIES[0],
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
    model.manifest.penalty = penalty(&mut model, &held)?;
    model.manifest.metrics = measure(&model, recipe, [&learnt, &dev])?;
    let networks = [(ENCODER, &model.encoder[..]), (STEP, &model.step)];
    // Thousands of pieces: a line each would be many times as long.
    let manifest = serde_json::to_string(&model.manifest).expect("a manifest has text keys only");
    write(&model.dir, &networks, manifest)?;
    folders.iter().try_for_each(|folder| forget(folder))?;
    Ok(model.manifest)
}

/// Trains the networks, as many at once as the machine has cores: each by itself keeps one busy.
fn networks(
    recipe: &TranslatorRecipe,
    options: &Options,
    pairs: &[[String; 2]],
    [source, target]: [&Pieces; 2],
    folders: &[PathBuf],
) -> Result<Vec<Translator<Plain<Training>>>, Error> {
    let data = fingerprint(recipe, pairs);
    let device = Default::default();
    let begin = |i: usize| {
        let seed = network_seed(options.seed, i);
        let cut = [source.clone(), target.clone()];
        let batches = Batches::new(pairs.to_vec(), cut, recipe.varied, seed);
        let steps = options.steps.unwrap_or(recipe.epochs * batches.of_epoch());
        let name = format!("{}, network {}", recipe.name, i + 1);
        let plan = options.plan(&name, steps, seed, &data, &folders[i])?;
        let rate = options.rate.unwrap_or(recipe.rate);
        Training::seed(&device, seed);
        let net = recipe.net([source.len(), target.len()]).init::<Training>(&device);
        // A copy has its weights; the network itself would draw them when they are first looked at, beside
        // another that draws from the same generator. After this nothing is drawn from it.
        Ok((net.clone(), batches, Plan { rate, average_keeps: 0.99, ..plan }))
    };
    let begun = (0..folders.len()).map(begin).collect::<Result<Vec<_>, Error>>()?;
    let workers = available_parallelism().map_or(1, |n| n.get()).min(begun.len());
    let (next, (send, trained)) = (AtomicUsize::new(0), channel());
    std::thread::scope(|scope| {
        for send in vec![send; workers] {
            let (next, begun) = (&next, &begun);
            scope.spawn(move || {
                while let i = next.fetch_add(1, Ordering::Relaxed)
                    && let Some((net, batches, plan)) = begun.get(i)
                {
                    let TranslatorRecipe { smoothing, dropout, .. } = *recipe;
                    let task = TranslatorTask { batches, smoothing, dropout };
                    let net = fit::<Training, _>(net.clone(), &task, plan);
                    if send.send((i, net)).is_err() {
                        break;
                    }
                }
            });
        }
    });
    let mut nets: Vec<_> = trained.into_iter().collect();
    nets.sort_by_key(|(i, _)| *i);
    nets.into_iter().map(|(_, net)| net).collect()
}

/// Whether a sentence is not learnt, but chooses the penalty; the same sentence always is or is not.
fn held(sentence: &Sentence) -> bool {
    u64::from_str_radix(&sha256(sentence.text.as_bytes())[..8], 16).is_ok_and(|n| n.is_multiple_of(HELD))
}

/// The length penalty by which the translations of sentences have the highest BLEU-4; the first where there are none.
fn penalty(model: &mut TranslatorModel, held: &[Sentence]) -> Result<f32, Error> {
    let mut best = (PENALTIES[0], f64::NEG_INFINITY);
    if held.is_empty() {
        return Ok(best.0);
    }
    let bar = ui::progress(PENALTIES.len() * held.len(), "sentences to choose the penalty");
    for penalty in PENALTIES {
        model.manifest.penalty = penalty;
        let mut runner = TranslatorRunner::new(model)?;
        let report = translation(&mut runner, held, &[], |_| bar.inc(1))?;
        ui::say(format!("penalty {penalty}: BLEU-4 {:.2}", report.model.words.bleu4));
        if report.model.words.bleu4 > best.1 {
            best = (penalty, report.model.words.bleu4);
        }
    }
    bar.finish_and_clear();
    Ok(best.0)
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
    let TranslatorRecipe { varied, dropout, smoothing, .. } = recipe;
    sha256(format!("{varied:?} {dropout} {smoothing} {} {pairs:?}", recipe::BATCH).as_bytes())
}

/// The command that remakes the model.
fn command(name: &str, options: &Options) -> String {
    let mut text = format!("signpost-host train {name} --data DATA --out FOLDER --seed {}", options.seed);
    if let Some(steps) = options.steps {
        text += &format!(" --steps {steps}");
    }
    if let Some(networks) = options.networks {
        text += &format!(" --networks {networks}");
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
    let batches = Batches::new(pairs, cut, Varied { cut_smaller: 0.0, joined: 0.0 }, 0);
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
    let probs = numbers(mean);
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
