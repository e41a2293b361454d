//! `signpost-host evaluate continuous` and `segments`: their contract on made-up corpora, and their errors.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::Path;
use std::process::Output;

use host::data::utterances;
use models::annotation::{Annotation, Document, SENTENCE, SIGN, Tier, write_eaf_file};
use models::pose::{Known, Pose, PoseTrack};
use models::pose_file::write_track_file;
use serde_json::Value;
use tempfile::TempDir;
use tests::fuzz::{Random, rounds};
use tests::text;

fn evaluate(what: &str, hypothesis: &Path, data: &Path, more: &[&str]) -> Output {
    let args = ["evaluate", what, "--hypothesis", text(hypothesis), "--data", text(data)];
    tests::run("signpost-host", args.iter().chain(more))
}

/// The JSON object on the last line of standard output.
#[track_caller]
fn report(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "it failed: {said}");
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.lines().last().unwrap_or_default()).expect("the last line is JSON")
}

/// A line of `utterances.jsonl`; the glosses last half a second each, from 0 on.
fn line(id: &str, signer: &str, glosses: &str, confidence: Option<f64>, text: Option<&str>) -> String {
    let glosses: Vec<Value> = glosses
        .split_terminator('|')
        .enumerate()
        .map(|(k, gloss)| {
            let mut timed =
                serde_json::json!({"gloss": gloss, "start_s": k as f64 / 2.0, "end_s": (k + 1) as f64 / 2.0});
            if let Some(confidence) = confidence {
                timed["confidence"] = confidence.into();
            }
            timed
        })
        .collect();
    let mut line = serde_json::json!({"id": id, "signer": signer, "glosses": glosses});
    if let Some(text) = text {
        line["text"] = text.into();
    }
    format!("{line}\n")
}

/// A corpus of three utterances by two signers.
fn corpus(dir: &TempDir) -> std::path::PathBuf {
    let lines = line("a", "anna", "ICH|THANK-YOU|HAUS|GEHEN", None, Some("ich gehe nach hause ."))
        + &line("b", "bert", "MORGEN|REGEN", None, Some("morgen regnet es ."))
        + &line("c", "bert", "JA", None, None);
    fs::write(dir.path().join("utterances.jsonl"), lines).unwrap();
    dir.path().to_owned()
}

fn said(dir: &TempDir, lines: &str) -> std::path::PathBuf {
    let path = dir.path().join("said.jsonl");
    fs::write(&path, lines).unwrap();
    path
}

#[test]
fn the_arithmetic_of_continuous_is_exact() {
    let dir = TempDir::new().unwrap();
    let data = corpus(&dir);
    // One gloss is another, one is written otherwise, one is too many; c is missing and d is unknown.
    let said = said(
        &dir,
        &(line("a", "", "ICH|thank you|BAUM|GEHEN", Some(0.8), Some("ich gehe nach hause ."))
            + &line("b", "", "MORGEN|STARK|REGEN", Some(0.5), Some("morgen regnet"))
            + &line("d", "", "NEIN", Some(0.1), None)),
    );
    let got = report(&evaluate("continuous", &said, &data, &["--json"]));
    for (key, expect) in [("n", 3), ("missing", 1), ("extra", 1), ("hits", 5)] {
        assert_eq!(got[key], expect, "{key}");
    }
    for (key, expect) in [("substitutions", 1), ("deletions", 1), ("insertions", 1)] {
        assert_eq!(got[key], expect, "{key}");
    }
    let near = |value: &Value, expect: f64| {
        assert!((value.as_f64().expect("a number") - expect).abs() < 1e-9, "{value}, not {expect}: {got}");
    };
    near(&got["wer"], 3.0 / 7.0);
    near(&got["per_signer"]["anna"]["wer"], 1.0 / 4.0);
    near(&got["per_signer"]["bert"]["wer"], 2.0 / 3.0);
    assert_eq!(got["per_signer"]["bert"]["n"], 2);
    // 5 of 7 tokens are right, and the hypotheses are as long as the references.
    near(&got["bleu1"], 500.0 / 7.0);
    assert_eq!(got["bleu_signature"], "nrefs:1|case:mixed|eff:no|tok:none|smooth:exp|version:2.6.0");
    // Sentences: 3 of 4; 2 of 3 said and 2 of 2 there; nothing.
    let (p, r, b) = (2.0 / 3.0, 1.0, 1.44);
    near(&got["rouge_l"], 100.0 * (0.75 + (1.0 + b) * p * r / (r + b * p)) / 3.0);
    // Of 0.8 three of four are right, of 0.5 two of three.
    assert_eq!(got["calibration"]["n"], 7);
    near(&got["calibration"]["ece"], ((3.0 - 3.2_f64).abs() + (2.0 - 1.5)) / 7.0);
    assert_eq!(got["confusions"], serde_json::json!([{"label": "HAUS", "answer": "BAUM", "n": 1}]));
    assert_eq!(got["text"]["n"], 2);
    assert_eq!(got["text"]["bleu_signature"], "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0");
    // All 7 tokens of the text are right, but 2 are missing.
    near(&got["text"]["bleu1"], 100.0 * (1.0 - 9.0 / 7.0_f64).exp());

    let people = evaluate("continuous", &said, &data, &[]);
    let people = String::from_utf8_lossy(&people.stdout).into_owned();
    assert!(people.starts_with("WER 0.4286  S 1  D 1  I 1  hits 5  utterances 3"), "{people}");
    assert!(people.contains("BLEU-1 71.43") && people.contains("HAUS taken for BAUM: 1"), "{people}");
}

#[test]
fn a_corpus_is_read_back_from_itself_without_an_error() {
    let dir = TempDir::new().unwrap();
    let data = corpus(&dir);
    let got = report(&evaluate("continuous", &data, &data, &["--tokenize", "char", "--json"]));
    assert_eq!((&got["wer"], &got["missing"]), (&0.0.into(), &0.into()));
    for full in ["bleu1", "chrf", "rouge_l"] {
        let score = got[full].as_f64().expect("a number");
        assert!((score - 100.0).abs() < 1e-9, "{full}: {score}");
    }
    assert_eq!(got["calibration"], Value::Null, "nothing has a confidence");
}

/// A document with signs and sentences, in milliseconds.
fn write_segments(path: &Path, sign: &[(u32, u32)], sentence: &[(u32, u32)]) {
    let tier = |name: &str, segments: &[(u32, u32)]| Tier {
        name: name.into(),
        annotations: segments.iter().map(|(start, end)| Annotation::new(*start, *end, "x")).collect(),
    };
    let tiers = vec![tier(SIGN, sign), tier(SENTENCE, sentence), tier("Übersetzung", &[(0, 1)])];
    write_eaf_file(path, &Document { tiers, ..Document::default() }).unwrap();
}

#[test]
fn segments_of_folders_are_means_over_recordings() {
    let (said, data) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    // 25 frames a second: a is right, but for one sign of two; b has no hypothesis; c is unknown.
    write_segments(&data.path().join("a.eaf"), &[(0, 160), (400, 560)], &[(0, 560)]);
    write_segments(&data.path().join("b.eaf"), &[(40, 80)], &[]);
    write_segments(&said.path().join("a.eaf"), &[(0, 160)], &[(0, 560)]);
    write_segments(&said.path().join("c.eaf"), &[(0, 160)], &[]);
    let got = report(&evaluate("segments", said.path(), data.path(), &["--json"]));
    for (key, expect) in [("n", 2), ("missing", 1), ("extra", 1), ("frames", 15 + 3)] {
        assert_eq!(got[key], expect, "{key}: {got}");
    }
    let near = |value: &Value, expect: f64| {
        assert!((value.as_f64().expect("a number") - expect).abs() < 1e-9, "{value}, not {expect}: {got}");
    };
    near(&got["sign"]["iou"], (5.0 / 10.0 + 0.0) / 2.0);
    near(&got["sign"]["percentage"], (1.0 / 2.0 + 0.0) / 2.0);
    // In b neither side has a sentence: that counts as right.
    near(&got["sentence"]["iou"], 1.0);
    assert_eq!((&got["sign"]["segments"], &got["sign"]["found"]), (&3.into(), &1.into()));

    // The length of the recording, and its rate, are those of its landmarks where they lie beside it.
    let mut track = PoseTrack::new(Known::Holistic576.layout(), 50.0, [640, 480, 0]);
    track.frames = vec![Pose::unseen(track.layout.len()); 100];
    write_track_file(data.path().join("a.pose"), &track).unwrap();
    let got = report(&evaluate("segments", said.path(), data.path(), &["--json"]));
    assert_eq!(got["frames"], 100 + 3);

    let people = evaluate("segments", said.path(), data.path(), &[]);
    let people = String::from_utf8_lossy(&people.stdout).into_owned();
    assert!(people.contains("SIGN     frame F1") && people.contains("(1 of 3)"), "{people}");
}

#[test]
fn utterances_are_recordings_as_well() {
    let dir = TempDir::new().unwrap();
    let data = corpus(&dir);
    let got = report(&evaluate("segments", &data, &data, &["--fps", "50", "--json"]));
    assert_eq!(
        (&got["n"], &got["sign"]["segments"], &got["sentence"]["segments"]),
        (&3.into(), &7.into(), &3.into())
    );
    assert_eq!((&got["sign"]["iou"], &got["sentence"]["frame_f1"]), (&1.0.into(), &1.0.into()));
}

#[track_caller]
fn check_error(output: &Output, expect: &str) {
    let said = tests::refusal(output);
    assert!(said.contains(expect), "{said:?} does not contain {expect:?}");
}

#[test]
fn bad_input_gets_one_clear_sentence() {
    let dir = TempDir::new().unwrap();
    let data = corpus(&dir);
    let other = said(&dir, &line("z", "", "JA", None, None));
    check_error(&evaluate("continuous", &other, &data, &[]), "has nothing of what");
    check_error(&evaluate("segments", &dir.path().join("absent.eaf"), &data, &[]), "absent.eaf");
    check_error(
        &evaluate("segments", TempDir::new().unwrap().path(), &data, &[]),
        "give a folder with .eaf files",
    );
    check_error(&evaluate("continuous", &data, &data, &["--tokenize", "intl"]), "none or 13a or zh or char");
    check_error(&evaluate("segments", &data, &data, &["--fps", "0"]), "a rate from 1 to 1000");
    let broken = said(&dir, "{\"id\":\"a\",\"glosses\":[]}\n{\"id\":\"b\"}\n");
    check_error(&evaluate("continuous", &broken, &data, &[]), "line 2: it is no utterance");
    for (what, cannot) in [("continuous", "cannot give sentences"), ("segments", "cannot give segments")] {
        let by = |model: &str| {
            tests::run("signpost-host", ["evaluate", what, "--model", model, "--data", text(&data)])
        };
        check_error(&by("ksl13"), &format!("ksl13 tells single signs apart and {cannot}"));
        check_error(&by("ksl14"), "no model in ksl14");
    }
}

#[test]
fn corpora_of_any_bytes_are_read_or_refused() {
    let dir = TempDir::new().unwrap();
    let seed = fs::read(corpus(&dir).join("utterances.jsonl")).unwrap();
    let path = dir.path().join("any.jsonl");
    let check = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        match utterances(&path) {
            Ok(read) => {
                let glosses = read.iter().flat_map(|u| &u.glosses);
                assert!(glosses.clone().all(|g| g.start_s <= g.end_s && g.end_s.is_finite()));
                true
            }
            Err(error) => {
                assert_eq!(error.to_string().lines().count(), 1, "one sentence: {error}");
                false
            }
        }
    };
    assert!(check(&seed), "the seed is whole");
    for length in 0..seed.len() {
        check(&seed[..length]);
    }
    let mut random = Random(9);
    let mut read = 0;
    for _ in 0..rounds() {
        read += u32::from(check(
            &random.mutate(&seed, b"\"end_s\":1e999,\"confidence\":-1,[[{\"pose\":\"../x\"\n\n{"),
        ));
    }
    assert!((1..rounds()).contains(&read), "some are read and some refused, not {read}");
    check(&vec![b'['; 1 << 20]);
}
