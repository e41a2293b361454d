//! A Pose2Gloss as a model of a unit ([`models::signx`]): its networks, and how sure it may say that each gloss is, from
//! utterances that it did not learn.

use std::path::Path;

use burn::tensor::backend::Backend;
use models::gloss::label_key;
use models::manifest::{Kind, MANIFEST, Metric, sha256};
use models::metrics::words::{WordErrors, align};
use models::signx::{Gloss, MEASURE, UtteranceManifest, read};
use models::translator::Decoding;

use super::{Clip, SignXModel, Track};
use crate::Error;
use crate::data::Utterance;
use crate::train::calibrate::{WRONG_ENROLLED, lowest};
use crate::train::live::calibrate::{logistic, right};
use crate::train::pretty;

/// Writes the networks and the manifest that a unit reads utterances by.
///
/// # Errors
/// [`Error::Argument`] where the model reads other tracks than a unit has, [`Error::Export`] where the networks say
/// otherwise than the model, and others where the folder cannot be written.
pub fn write<B: Backend>(
    model: &SignXModel<B>,
    dev: &[(Utterance, Clip)],
    on: &str,
    out: &Path,
) -> Result<UtteranceManifest, Error> {
    let tracks = model.tracks();
    if tracks != [Track::MediaPipe] {
        let given = tracks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let expected = "mediapipe alone, which is all that a unit has".into();
        return Err(Error::Argument { option: "--track", given, expected });
    }
    let networks = model.networks();
    model.write(&networks, out)?;
    let [sha256, step_sha256] = networks.each_ref().map(|bytes| sha256(bytes));
    let penalty = if let Decoding::Beam { penalty, .. } = model.preset.beam { penalty } else { 0.0 };
    let mut manifest = UtteranceManifest {
        name: model.manifest.name.clone(),
        kind: Kind::Utterance,
        sha256,
        step_sha256,
        measure: MEASURE,
        fps: model.preset.fps,
        sizes: model.sizes(),
        glosses: model.manifest.glosses.clone(),
        heard: model.preset.heard,
        penalty,
        confidence: [0.0, 0.0, 1.0],
        accept: 0.5,
        data: model.manifest.data.clone(),
        metrics: vec![],
        recipe: "signpost-host signx export --model MODEL --track mediapipe --dev CORPUS --out FOLDER".into(),
    };
    let mut exported = model.open_exported(&networks)?;
    let mut judged: Vec<(Gloss, bool)> = vec![];
    let mut rates = WordErrors::default();
    for (utterance, clip) in dev {
        let Some(rows) = &clip.tracks[Track::MediaPipe as usize] else { continue };
        let there: Vec<f32> =
            clip.there.iter().map(|t| f32::from(u8::from(t[Track::MediaPipe as usize]))).collect();
        let said = read(&manifest, &mut exported, rows, &there)?;
        let signed: Vec<String> = utterance.glosses.iter().map(|gloss| label_key(&gloss.gloss)).collect();
        let keys: Vec<String> = said.iter().map(|said| label_key(&manifest.glosses[said.gloss])).collect();
        rates += WordErrors::of(&align(&signed, &keys));
        let right = right(&signed, keys.iter());
        judged.extend(said.into_iter().zip(right));
    }
    let examples: Vec<_> = judged.iter().map(|(gloss, right)| (gloss.terms, *right)).collect();
    manifest.confidence = logistic(&examples);
    let mut shown: Vec<(f32, bool)> =
        judged.iter().map(|(gloss, right)| (gloss.sure(&manifest.confidence), *right)).collect();
    manifest.accept = lowest(WRONG_ENROLLED, &mut shown);
    let sure = || shown.iter().filter(|(confidence, _)| *confidence >= manifest.accept);
    let (all, wrong) = (sure().count(), sure().filter(|(_, right)| !right).count());
    let metric = |name: &str, value: f64| Metric {
        name: name.into(),
        value,
        clips: dev.len(),
        on: on.into(),
        command: manifest.recipe.clone(),
    };
    let signed = rates.reference_words().max(1) as f64;
    manifest.metrics = vec![
        metric("wer", rates.rate()),
        metric("shown-right", (all - wrong) as f64 / signed),
        metric("wrong-of-shown", wrong as f64 / all.max(1) as f64),
    ];
    let path = out.join(MANIFEST);
    models::whole::write(&path, pretty(&manifest).as_bytes()).map_err(Error::io("write", &path))?;
    Ok(manifest)
}
