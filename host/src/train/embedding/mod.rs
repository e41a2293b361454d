//! Trains the embedding that signs are enrolled with.
//!
//! It is never judged by signs that it was taught: the threshold is set on a data set of which it
//! learns nothing, whose signs are enrolled as a unit enrols them, and figures come from others.

mod episodes;
mod recipe;
mod task;

use burn::tensor::backend::Backend;
use models::gloss::same_label;
use models::manifest::{Embedding, HeldOut, Kind, Manifest, Model, NETWORK, Role, Source, sha256};

use super::fit::{fit, forget};
use super::{Options, Training, calibrate, check_export, clips, command, pretty, write};
use crate::data::{Aspect, Clip, Isolated};
use crate::evaluate::{Runner, embed, judged};
use crate::export::{self, Scale};
use crate::{Error, ui};

use episodes::Episodes;
use recipe::DataSet;
pub use recipe::{EMBEDDING_RECIPES, EmbeddingRecipe};
use task::{BATCH, EmbeddingTask, points};

/// How often signs are drawn to set the threshold, with the fewest and with the most examples each.
const DRAWS: usize = 40;
/// The label of clips that show no sign.
const REST: &str = "-";

/// The clips of a recipe, and where they are from.
struct Clips {
    /// Those whose signs are learnt.
    signs: Vec<Clip>,
    /// Those whose handshapes are learnt.
    handshapes: Vec<Clip>,
    /// Those that the threshold is set on.
    unseen: Vec<Clip>,
    sources: Vec<Source>,
}

/// Trains an embedding, checks the exported network and writes its folder.
///
/// # Errors
/// As [`train`](super::train()).
pub fn train(recipe: &EmbeddingRecipe, options: &Options) -> Result<Manifest, Error> {
    std::fs::create_dir_all(&options.out).map_err(Error::io("make the folder", &options.out))?;
    let clips = Clips::read(recipe, options)?;
    let signs = by_sign(&clips.signs);
    ui::say(format!(
        "{}: {} signs, {} clips to train on, handshapes of {} others, threshold on {}",
        recipe.name,
        signs.len(),
        clips.signs.len(),
        clips.handshapes.len(),
        clips.unseen.len()
    ));

    let (features, seed) = (recipe.features, options.seed);
    let episodes = Episodes::new(features, recipe.strength, signs, by_sign(&clips.handshapes));
    let scale = episodes.scale(seed);
    let steps = options.steps.unwrap_or(recipe.steps);
    let data = fingerprint(recipe, &scale, &clips);
    let plan = options.plan(recipe.name, steps, seed, &data, &options.out)?;
    let task = EmbeddingTask { episodes: &episodes, features, scale: &scale, seed };
    let device = Default::default();
    Training::seed(&device, seed);
    let net = fit::<Training, _>(recipe.net().init(&device), &task, &plan)?;
    let network = export::embedding_net(recipe.name, &net, &scale, features);
    let shape = [1, features.frames(), features.width()];
    let runner = Runner::from_bytes(recipe.name, &network, shape, recipe.values)?;
    check_export(|window| points(net.forward(window)), &scale, &runner, features, &clips.unseen)?;

    let embedded = embed(&runner, features, &clips.unseen, seed)?;
    let fewest_and_most = [3, 5].map(|examples| judged(&embedded, examples, DRAWS, seed));
    let rule = calibrate::rule(&fewest_and_most.concat());
    ui::say(format!(
        "none at {:.3}, temperature {:.4}, threshold {:.2}",
        rule.none, rule.temperature, rule.threshold
    ));
    let manifest = Manifest {
        name: recipe.name.into(),
        kind: Kind::Embedding(Embedding { values: recipe.values, none: rule.none }),
        sha256: sha256(&network),
        features: features.name().into(),
        frames: features.frames(),
        width: features.width(),
        labels: vec![],
        rest: vec![],
        temperature: rule.temperature,
        threshold: rule.threshold,
        data: clips.sources,
        metrics: vec![],
        recipe: command(recipe.name, options, steps),
    };
    let model = Model { dir: options.out.clone(), manifest, features, network };
    write(&model.dir, &[(NETWORK, &model.network)], pretty(&model.manifest))?;
    forget(&options.out)?;
    Ok(model.manifest)
}

impl Clips {
    /// Reads a recipe's data, all but the sets that are left out. Clips without frames or signs are dropped.
    fn read(recipe: &EmbeddingRecipe, options: &Options) -> Result<Self, Error> {
        let named: Vec<_> = recipe.signs.iter().map(|(stem, _)| *stem).collect();
        if let Some(unknown) = options.without.iter().find(|left| !named.contains(&left.as_str())) {
            let expected = format!("some of {}", named.join(", "));
            return Err(Error::Argument { option: "--without", given: unknown.clone(), expected });
        }
        let mut sources = vec![];
        let mut read = |(stem, licence): DataSet, role| -> Result<Vec<Clip>, Error> {
            let mut clips = Isolated::read(&options.data.join("isolated").join(stem), Aspect::Guess)?.clips;
            clips.retain(|clip| !clip.sights.is_empty() && clip.label != REST);
            let (name, licence) = (stem.to_owned(), licence.to_owned());
            sources.push(Source { name, licence, role, held_out: HeldOut::Nothing, clips: clips.len() });
            Ok(clips)
        };
        let mut signs = vec![];
        for set in recipe.signs.iter().filter(|(stem, _)| !options.without.iter().any(|left| left == stem)) {
            let clips = read(*set, Role::Signs)?;
            // The same word in two sign languages is two signs.
            signs.extend(
                clips.into_iter().map(|clip| Clip { label: format!("{}/{}", set.0, clip.label), ..clip }),
            );
        }
        if by_sign(&signs).len() < 2 {
            let next = "leave fewer data sets out with --without".into();
            return Err(Error::NoClips { what: "the signs that an embedding is trained on".into(), next });
        }
        let handshapes = read(recipe.handshapes, Role::Handshapes)?;
        let unseen = read(recipe.threshold_on, Role::Threshold)?;
        Ok(Self { signs, handshapes, unseen, sources })
    }
}

/// What the batches of a run are made of and how.
fn fingerprint(recipe: &EmbeddingRecipe, scale: &Scale, clips: &Clips) -> String {
    let EmbeddingRecipe { features, strength, dropout, .. } = recipe;
    let how = (features.name(), strength, dropout, BATCH);
    let clips = clips::fingerprint(clips.signs.iter().chain(&clips.handshapes));
    sha256(format!("{how:?} {scale:?} {clips}").as_bytes())
}

/// The clips of each sign.
fn by_sign(clips: &[Clip]) -> Vec<Vec<&Clip>> {
    let mut signs: Vec<Vec<&Clip>> = vec![];
    for clip in clips {
        match signs.iter_mut().find(|sign| same_label(&sign[0].label, &clip.label)) {
            Some(sign) => sign.push(clip),
            None => signs.push(vec![clip]),
        }
    }
    signs
}
