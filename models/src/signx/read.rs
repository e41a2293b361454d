//! What an utterance says, when each gloss was signed, and how sure each is.

use super::UtteranceManifest;
use super::model::MARKS;
use crate::live::{confidence, log_add, logit};
use crate::metrics::words::{Edit, align};
use crate::pose::rows::ROW_258;
use crate::translator::{Decoding, Found, Heard, Joint, Networks, Session, Shaping, found};

/// A gloss that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Gloss {
    /// Its number, from 0.
    pub gloss: usize,
    /// The frame of the utterance that shows it most, from 0.
    pub at: usize,
    /// 0 to 1.
    pub confidence: f32,
    /// What the confidence is computed from; the first is constant. Then, as logits: the share of what else may have been
    /// signed that has this gloss at this place, and how likely its frame says it by itself.
    pub terms: [f32; 3],
}

impl Gloss {
    /// How sure it is by such weights, 0 to 1.
    pub fn sure(&self, weights: &[f32; 3]) -> f32 {
        confidence(weights, &self.terms)
    }
}

/// Reads an utterance.
///
/// # Shapes
/// - `rows`: `[T, 258]`, T up to the frames of the sizes
/// - `there`: `[T]`, 1 for each frame that shows somebody, else 0
///
/// # Errors
/// Where the engine fails.
///
/// # Panics
/// Where the shapes do not fit.
pub fn read<N: Networks>(
    manifest: &UtteranceManifest,
    networks: &mut N,
    rows: &[f32],
    there: &[f32],
) -> Result<Vec<Gloss>, N::Error> {
    let UtteranceManifest { sizes, heard: share, penalty, .. } = manifest;
    assert!(there.len() <= sizes.source && rows.len() == there.len() * ROW_258, "rows and frames fit");
    let (mut frames, mut shown) = (rows.to_vec(), there.to_vec());
    frames.resize(sizes.source * ROW_258, 0.0);
    shown.resize(sizes.source, 0.0);
    let mut encoded = networks.encode(&frames, &shown)?;
    let heard = Heard::of(&std::mem::take(&mut encoded.heard), &shown);
    let mut session = Session::over(networks, *sizes, encoded, &shown);
    let how = Decoding::Beam { beam: sizes.beam, penalty: *penalty };
    let all = found(&mut Joint::new(&mut session, &heard, *share), how, Shaping::NONE)?;
    let numbers: Vec<usize> = (0..there.len()).filter(|t| there[*t] > 0.0).collect();
    let best = &all[0].pieces;
    let Some(places) = heard.places(best) else { return Ok(vec![]) };
    let gloss = |((piece, agree), (frame, says)): ((&u32, f32), (usize, f32))| {
        let terms = [1.0, logit(agree), logit(says)];
        let gloss = (*piece as usize).checked_sub(MARKS)?;
        let read = Gloss { gloss, at: numbers[frame], confidence: 0.0, terms };
        Some(Gloss { confidence: read.sure(&manifest.confidence), ..read })
    };
    Ok(best.iter().zip(agreement(&all)).zip(places).filter_map(gloss).collect())
}

/// Of each token of the first of some translations the share of all of them that has it at its place.
fn agreement(all: &[Found]) -> Vec<f32> {
    let Some(best) = all.first() else { return vec![] };
    let total = all.iter().fold(f64::NEG_INFINITY, |sum, found| log_add(sum, f64::from(found.log_prob)));
    let mut shares = vec![0.0; best.pieces.len()];
    for found in all {
        let share = (f64::from(found.log_prob) - total).exp();
        for edit in align(&best.pieces, &found.pieces) {
            if let Edit::Hit(at, _) = edit {
                shares[at] += share as f32;
            }
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_say_is_sure_and_what_one_says_is_as_likely_as_that_one() {
        let found = |pieces: &[u32], p: f32| Found { pieces: pieces.into(), log_prob: p.ln(), score: 0.0 };
        let all = [found(&[3, 4, 5], 0.5), found(&[3, 5], 0.25), found(&[3, 6, 5], 0.25)];
        let shares = agreement(&all);
        assert!(shares.iter().zip([1.0, 0.5, 1.0]).all(|(a, b)| (a - b).abs() < 1e-6), "{shares:?}");
        assert_eq!(agreement(&[]), Vec::<f32>::new());
    }
}
