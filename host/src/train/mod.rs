//! Trains a recipe and writes a model's folder.

pub mod adapter;
mod average;
pub(crate) mod calibrate;
mod checkpoint;
mod clips;
mod ctc;
pub mod embedding;
pub mod events;
mod examples;
mod fit;
pub(crate) mod gradient;
pub mod live;
mod plan;
mod recipe;
pub mod retrieval;
pub mod signx;
pub mod translator;
mod watch;

use std::path::{Path, PathBuf};

use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use models::features::Version;
use models::gloss::same_label;
use models::manifest::{
    HeldOut, Kind, MANIFEST, Manifest, Metric, Model, NETWORK, NONE, Role, Source, sha256,
};
use models::store::Store;
use serde::Serialize;

use crate::data::{self, Aspect, Clip, Isolated, held_out};
use crate::evaluate::{self, Runner};
use crate::export;
use crate::nn::{ClipNetConfig, numbers};
use crate::{Error, ui};

use clips::ClipTask;
use examples::Examples;
pub use fit::{Parts, Plain, PlainNet, Task, fit, forget};
pub use plan::{Plan, Save, step_seed};
pub use recipe::{RECIPES, Recipe};
pub use watch::Astray;

/// The largest difference between two logits that rounding explains.
const ROUNDING: f32 = 1e-4;

/// The backend that training runs on.
#[cfg(not(feature = "cuda"))]
type Training = Autodiff<Flex>;
/// The backend that training runs on.
#[cfg(feature = "cuda")]
type Training = Autodiff<burn::backend::Cuda>;

/// What a run may change about its recipe.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// The folder of the data sets.
    pub data: PathBuf,
    /// The folder that the model is written to.
    pub out: PathBuf,
    /// Everything random follows from it.
    pub seed: u64,
    /// Steps of training, where not the recipe's own number.
    pub steps: Option<usize>,
    /// The groups of the recipe's first data set that are held out; empty for the recipe's own choice.
    pub held_out: Vec<String>,
    /// Sign languages of the fingerspelling lexicon whose letters are not learnt.
    pub leave_out: Vec<String>,
    /// Data sets of the recipe that an embedding does not learn, so that their signs are unknown to it; what a
    /// recogniser of continuous signing goes without, see [`crate::synth::Without`].
    pub without: Vec<String>,
    /// Networks of a translator, where not the recipe's own number.
    pub networks: Option<usize>,
    /// The folder of the model that a second stage is trained for; of an embedder, that of the sentence embedder whose
    /// vectors it takes over.
    pub base: Option<PathBuf>,
    /// Words, one a line, that an embedder takes over beside those of its corpus.
    pub words: Option<PathBuf>,
    /// The highest learning rate, where not the usual one.
    pub rate: Option<f64>,
    /// Whether a checkpoint in the folder is left aside, so that training starts over.
    pub fresh: bool,
    /// Steps between two checkpoints, where not some minutes.
    pub save_every: Option<usize>,
}

impl Options {
    /// Refuses an option that was given and is none of those that the recipe reads: who gave it would take it for
    /// heeded. Every recipe reads those that are not looked at here.
    ///
    /// # Errors
    /// [`Error::Argument`] with the option.
    pub fn only(&self, read: &[&str]) -> Result<(), Error> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let list = |list: &[String]| (!list.is_empty()).then(|| list.join(","));
        let given = [
            ("--steps", self.steps.map(|steps| steps.to_string())),
            ("--rate", self.rate.map(|rate| rate.to_string())),
            ("--held-out", list(&self.held_out)),
            ("--leave-out", list(&self.leave_out)),
            ("--without", list(&self.without)),
            ("--networks", self.networks.map(|networks| networks.to_string())),
            ("--base", path(&self.base)),
            ("--words", path(&self.words)),
        ];
        let unread = given.into_iter().find(|(option, given)| given.is_some() && !read.contains(option));
        unread.map_or(Ok(()), |(option, given)| {
            let expected = format!("read by this recipe, which reads {}", read.join(", "));
            Err(Error::Argument { option, given: given.unwrap_or_default(), expected })
        })
    }

    /// The plan of a network of this run that keeps its checkpoint in `folder`; one that is there is left
    /// aside where it should be. `data` says what the batches are made of and how.
    fn plan(&self, name: &str, steps: usize, seed: u64, data: &str, folder: &Path) -> Result<Plan, Error> {
        if self.fresh {
            forget(folder)?;
        }
        let plan = Plan::new(name, steps, seed);
        Ok(Plan {
            rate: self.rate.unwrap_or(plan.rate),
            save: self.save_every.map_or(plan.save, Save::Steps),
            data: data.into(),
            folder: Some(folder.into()),
            ..plan
        })
    }
}

/// Clips of a recipe, read and split.
struct Split {
    train: Vec<Clip>,
    /// `[S][N]`: held-out clips of each data set.
    held: Vec<Vec<Clip>>,
    /// Other signs and rest poses.
    other: Vec<Clip>,
    sources: Vec<Source>,
}

/// Trains a recipe, checks the exported network and writes `model.onnx` and `manifest.json`.
///
/// # Errors
/// Where data cannot be read, the exported network differs from the trained one, or the folder cannot be written.
pub fn train(recipe: &Recipe, options: &Options) -> Result<Manifest, Error> {
    std::fs::create_dir_all(&options.out).map_err(Error::io("make the folder", &options.out))?;
    let split = read(recipe, options)?;
    let labels = labels(&split.train);
    let held: Vec<_> = split.held.iter().flatten().cloned().collect();
    ui::say(format!(
        "{}: {} labels, {} clips to train on, {} held out, {} of other signs",
        recipe.name,
        labels.len() - 1,
        split.train.len(),
        held.len(),
        split.other.len()
    ));

    let examples = Examples::new(recipe, &labels, &split.train, &split.other);
    let scale = examples.scale(options.seed);
    let config = ClipNetConfig {
        features: recipe.features.width(),
        width: recipe.width,
        dilations: recipe.dilations.to_vec(),
        labels: labels.len(),
        dropout: recipe.dropout,
    };
    let shape = [recipe.features.frames(), recipe.features.width()];
    let steps = options.steps.unwrap_or(recipe.steps);
    let learnt_none = labels.len() - 1;
    let answers = answers(recipe, &labels, &split.train);
    let folders = folders(recipe.networks, &options.out);
    let data = fingerprint(recipe, &scale, &split);
    let mut nets = vec![];
    for (i, folder) in folders.iter().enumerate() {
        let seed = network_seed(options.seed, i);
        let task = ClipTask { examples: &examples, scale: &scale, seed, shape, labels: labels.len() };
        let plan = options.plan(recipe.name, steps, seed, &data, folder)?;
        let device = Default::default();
        Training::seed(&device, seed);
        let net = fit::<Training, _>(config.init(&device), &task, &plan)?;
        nets.push(if answers.len() < labels.len() { net.answering(&answers) } else { net });
    }
    let labels: Vec<_> = answers.iter().map(|&g| labels[g as usize].clone()).collect();
    let knows = |clip: &Clip| labels.iter().any(|l| same_label(l, &clip.label));

    let network = export::clip_nets(recipe.name, &nets, &scale, recipe.features);
    let runner = Runner::from_bytes(recipe.name, &network, [1, shape[0], shape[1]], labels.len())?;
    let mean = |window: Tensor<_, 3>| {
        let sum = nets.iter().map(|net| net.forward(window.clone())).reduce(|a, b| a + b);
        sum.expect("a recipe has a network") / nets.len() as f32
    };
    check_export(mean, &scale, &runner, recipe.features, &held)?;

    let none = labels.len() - 1;
    let held: Vec<_> = held.into_iter().filter(knows).collect();
    let mut judged = examples.judged(&held, learnt_none, options.seed);
    for (_, label) in &mut judged {
        *label = answers.iter().position(|&g| g as usize == *label).unwrap_or(none);
    }
    let logits = judged.iter().map(|(f, _)| runner.logits(f)).collect::<Result<Vec<_>, _>>()?;
    let truth: Vec<_> = judged.iter().map(|(_, label)| *label).collect();
    let rest: Vec<_> = labels.iter().filter(|l| *l == NONE || *l == "-").cloned().collect();
    let is_rest = |g: usize| rest.contains(&labels[g]);
    let temperature = calibrate::temperature(&logits, &truth);
    let threshold = calibrate::threshold(&logits, &truth, temperature, is_rest);

    let manifest = Manifest {
        name: recipe.name.into(),
        kind: Kind::Isolated,
        sha256: sha256(&network),
        features: recipe.features.name().into(),
        frames: recipe.features.frames(),
        width: recipe.features.width(),
        labels,
        rest,
        temperature,
        threshold,
        data: split.sources,
        metrics: vec![],
        recipe: command(recipe.name, options, steps),
    };
    let mut model = Model { dir: options.out.clone(), manifest, features: recipe.features, network };
    measure(&mut model, &split.held)?;
    write(&model.dir, &[(NETWORK, &model.network)], pretty(&model.manifest))?;
    folders.iter().try_for_each(|folder| forget(folder))?;
    Ok(model.manifest)
}

/// Where each network of a model keeps its checkpoint and its log: the folder of the model, or one in it
/// for each of several.
fn folders(networks: usize, out: &Path) -> Vec<PathBuf> {
    match networks {
        1 => vec![out.to_owned()],
        several => (1..=several).map(|n| out.join(format!("network-{n}"))).collect(),
    }
}

/// What the batches of a run are made of and how.
fn fingerprint(recipe: &Recipe, scale: &export::Scale, split: &Split) -> String {
    let Recipe { features, ends_are_rest, ways_are_rest, strength, dropout, draw, .. } = recipe;
    let how = (features.name(), ends_are_rest, ways_are_rest, strength, dropout, draw);
    let clips = clips::fingerprint(split.train.iter().chain(&split.other));
    sha256(format!("{how:?} {scale:?} {clips}").as_bytes())
}

/// The command that remakes the model.
fn command(name: &str, options: &Options, steps: usize) -> String {
    let seed = options.seed;
    let mut text =
        format!("signpost-host train {name} --data DATA --out FOLDER --seed {seed} --steps {steps}");
    for group in &options.held_out {
        text += &format!(" --held-out '{}'", group.replace('\'', r"'\''"));
    }
    if !options.leave_out.is_empty() {
        text += &format!(" --leave-out {}", options.leave_out.join(","));
    }
    if !options.without.is_empty() {
        text += &format!(" --without {}", options.without.join(","));
    }
    if let Some(rate) = options.rate {
        text += &format!(" --rate {rate}");
    }
    text
}

/// Reads the recipe's data and splits it. Clips without frames teach nothing and are dropped.
fn read(recipe: &Recipe, options: &Options) -> Result<Split, Error> {
    let mut split = Split { train: vec![], held: vec![], other: vec![], sources: vec![] };
    for (i, source) in recipe.sources.iter().enumerate() {
        let isolated = Isolated::read(&options.data.join("isolated").join(source.stem), Aspect::Guess)?;
        let rule = match (options.held_out.as_slice(), i) {
            ([group], 0) => HeldOut::Group(group.clone()),
            ([_, ..], 0) => HeldOut::Groups(options.held_out.clone()),
            _ => (source.held_out)(),
        };
        let held = held_out(&isolated.clips, &rule);
        let clips = held.iter().filter(|h| !**h).count();
        let mut kept_out = vec![];
        for (clip, held) in isolated.clips.into_iter().zip(held) {
            match held {
                _ if clip.sights.is_empty() => {}
                true => kept_out.push(clip),
                false => split.train.push(clip),
            }
        }
        split.held.push(kept_out);
        let (name, licence) = (source.stem.to_owned(), source.licence.to_owned());
        split.sources.push(Source { name, licence, role: Role::Signs, held_out: rule, clips });
    }
    if recipe.lexicon {
        let folder = Store::locate().map(|s| s.lexicon()).unwrap_or_default();
        let letters = data::letters(&folder, &options.leave_out)?;
        split.sources.push(Source {
            name: data::LEXICON.into(),
            licence: "MIT".into(),
            role: Role::Signs,
            held_out: HeldOut::Nothing,
            clips: letters.len(),
        });
        split.train.extend(letters.into_iter().filter(|clip| !clip.sights.is_empty()));
    }
    for (stem, licence) in recipe.others {
        let isolated = Isolated::read(&options.data.join("isolated").join(stem), Aspect::Guess)?;
        split.sources.push(Source {
            name: (*stem).into(),
            licence: (*licence).into(),
            role: Role::OtherSigns,
            held_out: HeldOut::Nothing,
            clips: isolated.clips.len(),
        });
        split.other.extend(isolated.clips.into_iter().filter(|clip| !clip.sights.is_empty()));
    }
    if split.other.is_empty() {
        let next = "copy the data sets of other signs again from their source".into();
        return Err(Error::NoClips { what: "the other signs of the training data".into(), next });
    }
    if split.train.is_empty() || split.held.iter().all(Vec::is_empty) {
        let next = "name a group that is in the data with --held-out".into();
        return Err(Error::NoClips { what: "the split of the training data".into(), next });
    }
    Ok(split)
}

/// The labels in alphabetical order, each once, and [`NONE`] last.
fn labels(clips: &[Clip]) -> Vec<String> {
    let mut labels: Vec<String> = vec![];
    for clip in clips {
        if !labels.iter().any(|l| same_label(l, &clip.label)) {
            labels.push(clip.label.clone());
        }
    }
    labels.sort();
    labels.push(NONE.into());
    labels
}

/// Which of the labels the model answers with: those of the recipe's tier, and [`NONE`], which stands last.
fn answers(recipe: &Recipe, labels: &[String], clips: &[Clip]) -> Vec<i32> {
    let within = |label: &String| {
        recipe.tier.is_none_or(|most| {
            label == NONE
                || clips.iter().any(|c| c.tier.is_some_and(|t| t <= most) && same_label(&c.label, label))
        })
    };
    (0..).zip(labels).filter(|(_, label)| within(label)).map(|(g, _)| g).collect()
}

/// The seed of one of a model's networks; that of the first is the model's own.
fn network_seed(seed: u64, network: usize) -> u64 {
    seed.wrapping_add((network as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Compares what was trained, which takes standardised windows, with what was exported, on held-out clips.
fn check_export(
    trained: impl Fn(Tensor<Plain<Training>, 3>) -> Tensor<Plain<Training>, 2>,
    scale: &export::Scale,
    runner: &Runner,
    features: Version,
    clips: &[Clip],
) -> Result<(), Error> {
    let (t, f) = (features.frames(), features.width());
    let mut window = vec![0.0; t * f];
    for clip in clips {
        features.compute(&clip.sights, &mut window);
        let exported = runner.logits(&window)?;
        let mut standard = window.clone();
        scale.apply(&mut standard);
        let input = Tensor::<_, 1>::from_floats(standard.as_slice(), &Default::default());
        let trained = numbers(trained(input.reshape([1, t, f])));
        for (a, b) in trained.iter().zip(&exported) {
            let found = (a - b).abs();
            if found.is_nan() || found > ROUNDING {
                return Err(Error::Export { found, limit: ROUNDING });
            }
        }
    }
    Ok(())
}

/// Scores the model on the held-out clips of each data set and writes the figures into its manifest.
fn measure(model: &mut Model, held: &[Vec<Clip>]) -> Result<(), Error> {
    for (i, clips) in held.iter().enumerate().filter(|(_, clips)| !clips.is_empty()) {
        let source = model.manifest.data[i].name.clone();
        let report = evaluate::score(model, &source, &clips.iter().collect::<Vec<_>>())?;
        let name = &model.manifest.name;
        let command = format!(
            "signpost-host evaluate isolated --model {name} --data DATA/isolated/{source} --held-out --json"
        );
        let figures = [
            ("top1", report.top1),
            ("top5", report.top5),
            ("answered", report.answered),
            ("right_when_answered", report.right_when_answered),
        ];
        model.manifest.metrics.extend(figures.map(|(name, value)| Metric {
            name: name.into(),
            value,
            clips: report.n,
            on: format!("held-out clips of {source}"),
            command: command.clone(),
        }));
        ui::say(format!(
            "{source}, held-out: top1 {:.4}, top5 {:.4} of {}; answered {:.4}, of these right {:.4}",
            report.top1, report.top5, report.n, report.answered, report.right_when_answered
        ));
        for c in report.confusions.iter().take(8) {
            ui::say(format!("  {} taken for {}: {}", c.label, c.answer, c.n));
        }
    }
    ui::say(format!(
        "temperature {:.2}, threshold {:.2}",
        model.manifest.temperature, model.manifest.threshold
    ));
    Ok(())
}

/// Writes a model's folder; the manifest last, so that a folder with a manifest is whole.
///
/// Each file is written beside its place first, so that none ever stands there in part.
fn write(dir: &Path, networks: &[(&str, &[u8])], mut manifest: String) -> Result<(), Error> {
    manifest.push('\n');
    for (name, bytes) in networks.iter().copied().chain([(MANIFEST, manifest.as_bytes())]) {
        let path = dir.join(name);
        models::whole::write(&path, bytes).map_err(Error::io("write", &path))?;
    }
    Ok(())
}

/// A manifest as people read it.
pub(crate) fn pretty(manifest: &impl Serialize) -> String {
    serde_json::to_string_pretty(manifest).expect("a manifest has text keys only")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipe_states_every_option() {
        let mut options = Options {
            data: "somewhere".into(),
            out: "elsewhere".into(),
            seed: 7,
            steps: None,
            held_out: vec![],
            leave_out: vec![],
            without: vec![],
            networks: None,
            base: None,
            words: None,
            rate: None,
            fresh: true,
            save_every: Some(10),
        };
        let plain = "signpost-host train asl-letters --data DATA --out FOLDER --seed 7 --steps 900";
        assert_eq!(command("asl-letters", &options, 900), plain);
        options.held_out = vec!["Anna's".into(), "3".into()];
        options.leave_out = vec!["ase".into(), "sgg".into()];
        options.without = vec!["ksl13".into()];
        options.rate = Some(0.001);
        let full = format!(
            r"{plain} --held-out 'Anna'\''s' --held-out '3' --leave-out ase,sgg --without ksl13 --rate 0.001"
        );
        assert_eq!(command("asl-letters", &options, 900), full);
    }

    #[test]
    fn an_option_that_a_recipe_does_not_read_is_refused() {
        let options = Options { base: Some("lm".into()), steps: Some(3), ..Options::default() };
        let refused = options.only(&["--steps", "--rate"]).unwrap_err().to_string();
        assert!(
            refused.contains("--base \"lm\" is not read") && refused.contains("--steps, --rate"),
            "{refused}"
        );
        assert!(options.only(&["--base", "--steps"]).is_ok());
    }

    #[test]
    fn a_model_is_written_whole_and_leaves_nothing_beside() {
        let dir = std::env::temp_dir().join(format!("signpost-write-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let shipped = Model::find("ksl13").expect("it ships");
        let model = Model { dir: dir.clone(), ..shipped };
        let write = |model: &Model| write(&model.dir, &[(NETWORK, &model.network)], pretty(&model.manifest));
        let written = write(&model).and_then(|()| Ok(Model::open(&dir)?));
        let mut files: Vec<_> =
            std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        std::fs::remove_dir_all(&dir).unwrap();
        files.sort();
        assert_eq!(written.unwrap(), model);
        assert_eq!(files, [MANIFEST, NETWORK]);
        let lost = Model { dir: dir.join("absent"), ..model };
        assert!(write(&lost).unwrap_err().to_string().contains("cannot write"));
    }

    #[test]
    fn a_tier_answers_with_its_own_labels_and_none() {
        let clip = |label: &str, tier| Clip {
            label: label.into(),
            group: String::new(),
            seq: 0,
            split: "train".into(),
            tier: Some(tier),
            sights: vec![],
        };
        let clips = [clip("book", 100), clip("zebra", 300), clip("Book", 100), clip("drink", 100)];
        let labels = labels(&clips);
        assert_eq!(labels, ["book", "drink", "zebra", NONE]);
        let of = |name: &str| answers(Recipe::find(name).expect("it is a recipe"), &labels, &clips);
        assert_eq!(of("wlasl100"), [0, 1, 3]);
        assert_eq!(of("wlasl300"), [0, 1, 2, 3]);
    }

    #[test]
    fn every_model_that_ships_has_its_recipe() {
        for name in models::store::SHIPPED {
            let embedding = embedding::EmbeddingRecipe::find(name).is_some();
            let recipes = [Recipe::find(name).is_some(), embedding, live::LiveRecipe::find(name).is_some()];
            assert_eq!(recipes.iter().filter(|found| **found).count(), 1, "{name}");
        }
    }
}
