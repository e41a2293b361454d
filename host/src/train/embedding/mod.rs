//! Trains the embedding that signs are enrolled with.
//!
//! It is never judged by signs that it was taught: the threshold is set on a data set of which it
//! learns nothing, whose signs are enrolled as a unit enrols them, and figures come from others.

mod episodes;

use models::manifest::{Embedding, HeldOut, Kind, Manifest, Model, Role, Source, sha256};

use super::recipe::{Learns, Recipe};
use super::{Options, calibrate, check_export, command, fit, write};
use crate::data::{Aspect, Clip, Isolated};
use crate::evaluate::{Runner, embed, judged};
use crate::export;
use crate::nn::ClipNetConfig;
use crate::{Error, ui};
use episodes::Episodes;

/// How often signs are drawn to set the threshold, with the fewest and with the most examples each.
const DRAWS: usize = 40;
/// The label of clips that show no sign.
const REST: &str = "-";

/// Trains an embedding, checks the exported network and writes its folder.
///
/// # Errors
/// As [`train`](super::train()).
pub fn train(recipe: &Recipe, options: &Options, learns: Learns) -> Result<Manifest, Error> {
    let Learns::Embedding { values, handshapes, threshold_on } = learns else {
        unreachable!("the caller looked at what the recipe learns")
    };
    let mut sources = vec![];
    let mut read = |(stem, licence): (&str, &str), role| -> Result<Vec<Clip>, Error> {
        let mut clips = Isolated::read(&options.data.join("isolated").join(stem), Aspect::Guess)?.clips;
        clips.retain(|clip| !clip.sights.is_empty() && clip.label != REST);
        let (name, licence) = (stem.to_owned(), licence.to_owned());
        sources.push(Source { name, licence, role, held_out: HeldOut::Nothing, clips: clips.len() });
        Ok(clips)
    };
    let mut sets = vec![];
    for source in recipe.sources.iter().filter(|s| !options.without.iter().any(|left| left == s.stem)) {
        sets.push(read((source.stem, source.licence), Role::Signs)?);
    }
    let letters = read(handshapes, Role::Handshapes)?;
    let unseen = read(threshold_on, Role::Threshold)?;
    // The same word in two sign languages is two signs.
    let signs: Vec<_> = sets.iter().flat_map(|clips| by_label(clips)).collect();
    if signs.len() < 2 {
        let next = "leave fewer data sets out with --without".into();
        return Err(Error::NoClips { what: "the signs that an embedding is trained on".into(), next });
    }
    ui::say(format!(
        "{}: {} signs, {} clips to train on, handshapes of {} others, threshold on {}",
        recipe.name,
        signs.len(),
        sets.iter().map(Vec::len).sum::<usize>(),
        letters.len(),
        unseen.len()
    ));

    let episodes = Episodes::new(recipe.features, recipe.strength, signs, by_label(&letters));
    let scale = episodes.scale(options.seed);
    let config = ClipNetConfig {
        features: recipe.features.width(),
        width: recipe.width,
        dilations: recipe.dilations.to_vec(),
        labels: values,
        dropout: recipe.dropout,
    };
    let steps = options.steps.unwrap_or(recipe.steps);
    let net = fit::fit::<super::Training>(&config, recipe, &episodes, &scale, steps, options.seed)?;
    let network = export::embedding_net(recipe.name, &net, &scale, recipe.features);
    let runner = Runner::from_bytes(
        recipe.name,
        &network,
        [1, recipe.features.frames(), recipe.features.width()],
        values,
    )?;
    check_export(&[net], &scale, &runner, recipe.features, &unseen, true)?;

    let embedded = embed(&runner, recipe.features, &unseen, options.seed)?;
    let fewest_and_most = [3, 5].map(|examples| judged(&embedded, examples, DRAWS, options.seed));
    let rule = calibrate::rule(&fewest_and_most.concat());
    ui::say(format!(
        "none at {:.3}, temperature {:.4}, threshold {:.2}",
        rule.none, rule.temperature, rule.threshold
    ));
    let manifest = Manifest {
        name: recipe.name.into(),
        kind: Kind::Embedding(Embedding { values, none: rule.none }),
        sha256: sha256(&network),
        features: recipe.features.name().into(),
        frames: recipe.features.frames(),
        width: recipe.features.width(),
        labels: vec![],
        rest: vec![],
        temperature: rule.temperature,
        threshold: rule.threshold,
        data: sources,
        metrics: vec![],
        recipe: command(recipe, options, steps),
    };
    let model = Model { dir: options.out.clone(), manifest, features: recipe.features, network };
    write(&model)?;
    Ok(model.manifest)
}

/// The clips of each label.
fn by_label(clips: &[Clip]) -> Vec<Vec<&Clip>> {
    let mut signs: Vec<Vec<&Clip>> = vec![];
    for clip in clips {
        match signs.iter_mut().find(|sign| models::gloss::same_label(&sign[0].label, &clip.label)) {
            Some(sign) => sign.push(clip),
            None => signs.push(vec![clip]),
        }
    }
    signs
}
