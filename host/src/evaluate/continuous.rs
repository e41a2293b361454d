//! Scores what was read of continuous signing against what was signed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use models::gloss::label_key;
use models::live::LiveModel;
use models::metrics::bleu::BleuCounts;
use models::metrics::calibration::{Answer, brier, expected_calibration_error};
use models::metrics::chrf::{self, ChrfCounts};
use models::metrics::rouge::rouge_l;
use models::metrics::tokenize::Tokenizer;
use models::metrics::words::{Edit, WordErrors, align};
use serde::Serialize;

use super::isolated::{Confusion, most_frequent};
use super::transcribe::{How, LiveReport, transcribe};
use crate::Error;
use crate::data::{Utterance, utterances};

/// The result, as it is printed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ContinuousReport {
    /// Utterances of the data.
    pub n: usize,
    /// Of those, how many have no hypothesis: all of their glosses count as missing.
    pub missing: usize,
    /// Hypotheses of utterances that the data does not have: they were left out.
    pub extra: usize,
    /// Word error rate over glosses: (S + D + I) / glosses of the data.
    pub wer: f64,
    /// Glosses taken for others.
    pub substitutions: usize,
    /// Glosses that were not read.
    pub deletions: usize,
    /// Glosses that were not signed.
    pub insertions: usize,
    /// Glosses that are right.
    pub hits: usize,
    /// BLEU, chrF and ROUGE-L over glosses, each gloss a token.
    #[serde(flatten)]
    pub overlap: Overlap,
    /// Whether confidences of glosses come true; `null` where no hypothesis has any.
    pub calibration: Option<Calibration>,
    /// The same measures over the text, of the utterances that have one; `null` where either side has none.
    pub text: Option<TextReport>,
    /// The error rate of each signer.
    pub per_signer: BTreeMap<String, SignerScore>,
    /// Which glosses were taken for which others, and how often.
    pub confusions: Vec<Confusion>,
    /// How the recogniser did live, where it was run here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveReport>,
}

/// How much two texts overlap, from 0 to 100.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overlap {
    /// BLEU over runs of one token.
    pub bleu1: f64,
    /// BLEU over runs of up to two.
    pub bleu2: f64,
    /// BLEU over runs of up to three.
    pub bleu3: f64,
    /// BLEU over runs of up to four: what is called BLEU.
    pub bleu4: f64,
    /// The signature of the program whose BLEU it equals.
    pub bleu_signature: String,
    /// chrF2.
    pub chrf: f64,
    /// The signature of the program whose chrF it equals.
    pub chrf_signature: String,
    /// ROUGE-L with β = 1.2, over the same tokens as BLEU.
    pub rouge_l: f64,
}

/// The score of the text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextReport {
    /// Utterances of the data that have a text.
    pub n: usize,
    /// How much it overlaps with what was said.
    #[serde(flatten)]
    pub overlap: Overlap,
}

/// Whether confidences come true.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Expected calibration error, 15 bins of equal width; a gloss is right where the alignment has it as a hit.
    pub ece: f64,
    /// Brier's score of "right" and "wrong".
    pub brier: f64,
    /// Glosses of hypotheses that have a confidence.
    pub n: usize,
}

/// The score of a signer.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct SignerScore {
    /// As in [`ContinuousReport`].
    pub wer: f64,
    /// Utterances.
    pub n: usize,
}

/// Scores the hypotheses in a file, or a corpus's folder, against a corpus.
///
/// # Errors
/// Where either cannot be read, or they have no utterance in common.
pub fn continuous(hypothesis: &Path, data: &Path, tokenizer: Tokenizer) -> Result<ContinuousReport, Error> {
    let (said, signed) = (utterances(hypothesis)?, utterances(data)?);
    let report = compare(&said, &signed, tokenizer);
    if report.missing == report.n {
        let example = signed.first().map(|u| u.id.clone()).unwrap_or_default();
        let (hypothesis, data) = (hypothesis.to_owned(), data.to_owned());
        return Err(Error::NothingInCommon { hypothesis, data, example });
    }
    Ok(report)
}

/// Scores what a recogniser reads of a corpus, and gives that as well; `tell` hears how many recordings are done.
///
/// # Errors
/// As [`super::transcribe`].
pub fn continuous_of(
    model: &LiveModel,
    data: &Path,
    how: How,
    tokenizer: Tokenizer,
    tell: impl Fn(usize, usize),
) -> Result<(ContinuousReport, Vec<Utterance>), Error> {
    let read = transcribe(model, data, how, tell)?;
    let report = compare(&read.utterances, &utterances(data)?, tokenizer);
    Ok((ContinuousReport { live: Some(read.live), ..report }, read.utterances))
}

/// Scores hypotheses against references, matched by their ids.
///
/// A gloss that a hypothesis writes otherwise than the references do (`thank_you`, `THANK-YOU`) counts as the
/// same; white space within a gloss is written `-`, so that a gloss is one token. Where both sides write
/// alike and without spaces, figures are those of jiwer and sacreBLEU on the glosses with a space between.
pub fn compare(hypotheses: &[Utterance], references: &[Utterance], tokenizer: Tokenizer) -> ContinuousReport {
    let by_id: HashMap<&str, &Utterance> = hypotheses.iter().map(|u| (u.id.as_str(), u)).collect();
    let mut spelling: HashMap<String, String> = HashMap::new();
    for gloss in references.iter().flat_map(|u| &u.glosses) {
        spelling.entry(label_key(&gloss.gloss)).or_insert_with(|| token(&gloss.gloss));
    }
    let tokens = |utterance: &Utterance| -> Vec<String> {
        let spell = |gloss: &str| spelling.get(&label_key(gloss)).cloned().unwrap_or_else(|| token(gloss));
        utterance.glosses.iter().map(|g| spell(&g.gloss)).collect()
    };

    let nothing = Utterance::default();
    let mut errors = WordErrors::default();
    let mut signers: BTreeMap<String, (WordErrors, usize)> = BTreeMap::new();
    let mut confusions: BTreeMap<(String, String), usize> = BTreeMap::new();
    let (mut answers, mut lines, mut texts) = (vec![], vec![], vec![]);
    let mut missing = 0;
    for reference in references {
        let said = by_id.get(reference.id.as_str()).copied();
        missing += usize::from(said.is_none());
        let said = said.unwrap_or(&nothing);
        let (h, r) = (tokens(said), tokens(reference));
        let edits = align(&r, &h);
        let counts = WordErrors::of(&edits);
        errors += counts;
        let signer = signers.entry(reference.signer.clone()).or_default();
        signer.0 += counts;
        signer.1 += 1;
        for edit in &edits {
            if let Edit::Substitution(i, j) = *edit {
                *confusions.entry((r[i].clone(), h[j].clone())).or_insert(0) += 1;
            }
            if let Edit::Hit(_, j) | Edit::Substitution(_, j) | Edit::Insertion(j) = *edit {
                let right = matches!(edit, Edit::Hit(..));
                answers.extend(said.glosses[j].confidence.map(|confidence| Answer { confidence, right }));
            }
        }
        lines.push((h.join(" "), r.join(" ")));
        if let Some(text) = &reference.text {
            texts.push((said.text.clone().unwrap_or_default(), text.clone()));
        }
    }
    let ids: HashSet<&str> = references.iter().map(|u| u.id.as_str()).collect();
    ContinuousReport {
        n: references.len(),
        missing,
        extra: hypotheses.iter().filter(|u| !ids.contains(u.id.as_str())).count(),
        wer: errors.rate(),
        substitutions: errors.substitutions,
        deletions: errors.deletions,
        insertions: errors.insertions,
        hits: errors.hits,
        overlap: overlap(&lines, Tokenizer::None),
        calibration: (!answers.is_empty()).then(|| Calibration {
            ece: expected_calibration_error(&answers),
            brier: brier(&answers),
            n: answers.len(),
        }),
        text: (!texts.is_empty() && hypotheses.iter().any(|u| u.text.is_some()))
            .then(|| TextReport { n: texts.len(), overlap: overlap(&texts, tokenizer) }),
        per_signer: signers
            .into_iter()
            .map(|(signer, (errors, n))| (signer, SignerScore { wer: errors.rate(), n }))
            .collect(),
        confusions: most_frequent(confusions),
        live: None,
    }
}

/// A gloss as one token.
fn token(gloss: &str) -> String {
    gloss.split_whitespace().collect::<Vec<_>>().join("-")
}

/// The overlap of pairs (hypothesis, reference).
pub(super) fn overlap(lines: &[(String, String)], tokenizer: Tokenizer) -> Overlap {
    let pairs = || lines.iter().map(|(h, r)| (h.as_str(), r.as_str()));
    let bleu = BleuCounts::of(tokenizer, pairs());
    let [bleu1, bleu2, bleu3, bleu4] = [1, 2, 3, 4].map(|order| bleu.score(order).score);
    let cut = |line: &str| tokenizer.tokens(line).join(" ");
    let cut: Vec<_> = lines.iter().map(|(h, r)| (cut(h), cut(r))).collect();
    Overlap {
        bleu1,
        bleu2,
        bleu3,
        bleu4,
        bleu_signature: bleu.score(4).signature(),
        chrf: ChrfCounts::of(pairs()).score(),
        chrf_signature: chrf::signature(),
        rouge_l: rouge_l(cut.iter().map(|(h, r)| (h.as_str(), r.as_str()))),
    }
}
