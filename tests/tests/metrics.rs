//! The figures of evaluation, held to those of the programs that the field uses, digit by digit.
//!
//! `parity/metrics/expected.json` holds what sacreBLEU, jiwer and scikit-learn said about made-up corpora;
//! `make.py` beside it says in which versions, and makes it again. Floating-point numbers may differ in
//! the last bits, what is printed of them may not.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::Path;

use models::metrics::bleu::{BleuCounts, ORDER};
use models::metrics::calibration::{Answer, brier, expected_calibration_error, risk_coverage};
use models::metrics::chrf::{self, ChrfCounts};
use models::metrics::rouge::rouge_l;
use models::metrics::segments::{Bio, count, frame_f1, frames, iou};
use models::metrics::tokenize::Tokenizer;
use models::metrics::words::{Edit, WordErrors, align};
use serde_json::Value;

const PARITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/parity/metrics");

fn expected() -> Value {
    serde_json::from_slice(&fs::read(Path::new(PARITY).join("expected.json")).unwrap()).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect()
}

/// A figure is that of the other program but for its last bits.
#[track_caller]
fn near(what: &str, got: f64, expect: &Value) {
    let expect = expect.as_f64().expect("a number");
    assert!((got - expect).abs() <= 1e-12 * expect.abs().max(1.0), "{what}: {got}, not {expect}");
}

/// BLEU, chrF and ROUGE-L of a corpus, their signatures among them.
#[track_caller]
fn check_texts(hypotheses: &[&str], references: &[&str], expect: &Value) {
    let pairs = || hypotheses.iter().copied().zip(references.iter().copied());
    for tokenizer in Tokenizer::ALL {
        let counts = BleuCounts::of(tokenizer, pairs());
        for order in 1..=ORDER {
            let (got, expect) = (counts.score(order), &expect["bleu"][tokenizer.name()][order - 1]);
            let case = format!("{tokenizer:?}, order {order}, {hypotheses:?} for {references:?}");
            assert_eq!(got.to_string(), expect["printed"].as_str().unwrap(), "{case}");
            assert_eq!(got.signature(), expect["signature"].as_str().unwrap());
            near(&case, got.score, &expect["score"]);
        }
    }
    let chrf = ChrfCounts::of(pairs()).score();
    near("chrF", chrf, &expect["chrf"]["score"]);
    assert_eq!(format!("chrF2 = {chrf:.2}"), expect["chrf"]["printed"].as_str().unwrap());
    assert_eq!(chrf::signature(), expect["chrf"]["signature"].as_str().unwrap());
    near("ROUGE-L", rouge_l(pairs()), &expect["rouge_l"]);
}

#[test]
fn bleu_and_chrf_are_sacrebleus() {
    let expected = expected();
    let cases = expected["texts"].as_array().unwrap();
    assert!(cases.len() >= 40, "{}", cases.len());
    for case in cases {
        check_texts(&texts(&case["hypotheses"]), &texts(&case["references"]), case);
    }
}

/// Sums the errors of sentences, words between white space.
fn word_errors(hypotheses: &[&str], references: &[&str]) -> (WordErrors, Vec<Vec<Edit>>) {
    let mut sum = WordErrors::default();
    let mut alignments = vec![];
    for (h, r) in hypotheses.iter().zip(references) {
        let (h, r): (Vec<_>, Vec<_>) = (h.split_whitespace().collect(), r.split_whitespace().collect());
        alignments.push(align(&r, &h));
        sum += WordErrors::of(alignments.last().unwrap());
    }
    (sum, alignments)
}

#[track_caller]
fn check_words(got: &WordErrors, expect: &Value) {
    for (kind, got) in [
        ("hits", got.hits),
        ("substitutions", got.substitutions),
        ("deletions", got.deletions),
        ("insertions", got.insertions),
    ] {
        assert_eq!(expect[kind], got, "{kind}");
    }
    near("word error rate", got.rate(), &expect["wer"]);
}

/// An alignment as jiwer's chunks: runs of one kind with where they begin and end on both sides.
fn chunks(edits: &[Edit]) -> Value {
    let mut chunks: Vec<(&str, [usize; 4])> = vec![];
    let mut at = [0, 0];
    for edit in edits {
        let (kind, step) = match edit {
            Edit::Hit(..) => ("e", [1, 1]),
            Edit::Substitution(..) => ("s", [1, 1]),
            Edit::Deletion(_) => ("d", [1, 0]),
            Edit::Insertion(_) => ("i", [0, 1]),
        };
        let to = [at[0] + step[0], at[1] + step[1]];
        match chunks.last_mut() {
            Some((last, span)) if *last == kind => (span[1], span[3]) = (to[0], to[1]),
            _ => chunks.push((kind, [at[0], to[0], at[1], to[1]])),
        }
        at = to;
    }
    chunks.iter().map(|(kind, [a, b, c, d])| serde_json::json!([kind, a, b, c, d])).collect()
}

#[test]
fn word_errors_and_their_alignment_are_jiwers() {
    let expected = expected();
    let cases = expected["words"].as_array().unwrap();
    assert!(cases.len() >= 90, "{}", cases.len());
    for case in cases {
        let (hypotheses, references) = (texts(&case["hypotheses"]), texts(&case["references"]));
        let (got, alignments) = word_errors(&hypotheses, &references);
        let alignments: Value = alignments.iter().map(|edits| chunks(edits)).collect();
        assert_eq!(alignments, case["alignments"], "{hypotheses:?} for {references:?}");
        check_words(&got, case);
    }
}

#[test]
fn figures_on_real_sentences_are_the_same() {
    let test = "figures_on_real_sentences_are_the_same";
    let Some(data) = tests::data(test) else { return };
    let Ok(research) = fs::read(Path::new(PARITY).join("research.json")) else {
        return tests::skip(test, "no research.json (run parity/metrics/make.py DATA)");
    };
    let research: Value = serde_json::from_slice(&research).unwrap();
    for (name, expect) in research.as_object().unwrap() {
        let text = fs::read_to_string(data.join("text/phoenix14t").join(name)).unwrap();
        let references: Vec<_> = text.split('\n').collect();
        // The rule of make.py: every fifth word is dropped, every seventh doubled.
        let hypotheses: Vec<String> = references
            .iter()
            .enumerate()
            .map(|(i, r)| {
                let words = r.split_whitespace().enumerate().filter(|(k, _)| (i + k) % 5 != 0);
                let words = words.flat_map(|(k, w)| vec![w; if (i + k) % 7 == 0 { 2 } else { 1 }]);
                words.collect::<Vec<_>>().join(" ")
            })
            .collect();
        let hypotheses: Vec<_> = hypotheses.iter().map(String::as_str).collect();
        check_texts(&hypotheses, &references, expect);
        check_words(&word_errors(&hypotheses, &references).0, expect);
    }
}

#[test]
fn calibration_is_that_of_the_published_formulas() {
    for case in expected()["confidences"].as_array().unwrap() {
        let right = case["right"].as_array().unwrap().iter().map(|r| r.as_bool().unwrap());
        let confidence = case["confidence"].as_array().unwrap().iter().map(|c| c.as_f64().unwrap());
        let answers: Vec<_> =
            confidence.zip(right).map(|(confidence, right)| Answer { confidence, right }).collect();
        near("calibration error", expected_calibration_error(&answers), &case["ece"]);
        near("Brier", brier(&answers), &case["brier"]);
        let points = case["risk_coverage"].as_array().unwrap();
        if !points.is_empty() {
            let got = risk_coverage(&answers);
            assert_eq!(got.len(), points.len());
            for (got, expect) in got.iter().zip(points) {
                near("threshold", got.threshold, &expect[0]);
                near("coverage", got.coverage, &expect[1]);
                near("risk", got.risk, &expect[2]);
            }
        }
    }
}

#[test]
fn segments_are_measured_as_published() {
    let expected = expected();
    let cases = expected["segments"].as_array().unwrap();
    assert!(cases.len() >= 30, "{}", cases.len());
    for case in cases {
        let read = |side: &str| -> Vec<Bio> {
            let ms = |v: &Value| u32::try_from(v.as_u64().unwrap()).unwrap();
            let segments: Vec<_> =
                case[side].as_array().unwrap().iter().map(|s| (ms(&s[0]), ms(&s[1]))).collect();
            frames(&segments, case["frames"].as_u64().unwrap() as usize, case["fps"].as_f64().unwrap())
        };
        let (reference, hypothesis) = (read("reference"), read("hypothesis"));
        let letters: String = reference.iter().map(|b| ['O', 'B', 'I'][*b as usize]).collect();
        assert_eq!(letters, case["bio"].as_str().unwrap(), "{case}");
        assert_eq!(count(&reference), letters.matches('B').count());
        near("frame F1", frame_f1(&hypothesis, &reference), &case["frame_f1"]);
        near("IoU", iou(&hypothesis, &reference), &case["iou"]);
    }
}
