//! What is looked at before a sign is enrolled: whether its clips are one sign, and no other's.

use std::path::PathBuf;

use models::enrolment::{self, Enrolled, Example, MOST_SIGNS, SAME};
use models::features::Sight;
use models::manifest::Kind;
use models::store::SHIPPED;

use crate::Fault;
use crate::engine::Backend;
use crate::language::{Embedder, Recogniser};

/// Whether a sign of this label can be added to a file.
///
/// # Errors
/// [`Fault::EnrolAgain`] where its signs are of another network, [`Fault::Enrolled`] where the label is
/// there, [`Fault::ManySigns`] where it is full.
pub fn file(enrolled: &Enrolled, embedder: &Embedder, label: &str) -> Result<(), Fault> {
    if enrolled.network != embedder.network() {
        return Err(Fault::EnrolAgain { model: models::store::EMBEDDING.into() });
    }
    if let Some(sign) = enrolled.find(label) {
        return Err(Fault::Enrolled { label: enrolled.signs[sign].label.clone() });
    }
    if enrolled.signs.len() >= MOST_SIGNS {
        return Err(Fault::ManySigns { most: MOST_SIGNS });
    }
    Ok(())
}

/// Whether the examples resemble each other.
///
/// # Errors
/// [`Fault::OddExample`], which names the clip that fits the others least.
pub fn same_sign(examples: &[Example], clips: &[PathBuf]) -> Result<(), Fault> {
    let fits = (0..examples.len()).map(|i| (enrolment::fit(examples, i), i));
    match fits.min_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((fit, odd)) if fit < SAME => {
            Err(Fault::OddExample { clip: clips[odd].clone(), fit, least: SAME })
        }
        _ => Ok(()),
    }
}

/// A warning for each enrolled sign that the examples could be taken for.
pub fn like_enrolled(examples: &[Example], enrolled: &Enrolled, alike: f32) -> Vec<String> {
    let near = |sign: &&enrolment::Sign| enrolment::resemblance(examples, &sign.examples) >= alike;
    let warning = |sign: &enrolment::Sign| {
        format!(
            "it resembles {:?}, which is enrolled: the two may be taken for each other; try both before a visitor does",
            sign.label
        )
    };
    enrolled.signs.iter().filter(near).map(warning).collect()
}

/// A warning for each model that ships and reads most of the clips as a sign of its own.
///
/// # Errors
/// Where a model cannot be opened or fails.
pub fn like_shipped(stretches: &[Vec<Sight>], backends: &[Backend]) -> Result<Vec<String>, Fault> {
    let mut warnings = vec![];
    for name in SHIPPED {
        if Kind::of(name)? != Kind::Isolated {
            continue;
        }
        let mut recogniser = Recogniser::open(name, backends, 1)?;
        // A letter is no whole sign.
        if recogniser.spells() {
            continue;
        }
        let mut read = vec![];
        for stretch in stretches {
            let accept = recogniser.accept();
            read.extend(
                recogniser.look(stretch)?.top().filter(|(_, sure)| *sure >= accept).map(|(label, _)| label),
            );
        }
        let labels = &recogniser.manifest().labels;
        let most = (0..labels.len()).map(|g| (read.iter().filter(|r| **r == g).count(), g)).max();
        if let Some((n, label)) = most.filter(|(n, _)| 2 * n > stretches.len()) {
            warnings.push(format!(
                "{name} reads {n} of its {} clips as {:?}: do not read with that model too",
                stretches.len(),
                labels[label]
            ));
        }
    }
    Ok(warnings)
}
