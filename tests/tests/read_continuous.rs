//! `signpost read --model asl-hall` from end to end: continuous signing, people who do not sign, and what is kept.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::path::Path;

use host::data::utterances;
use host::evaluate::LiveRunner;
use models::annotation::{SENTENCE, SIGN, read_eaf_file, read_srt};
use models::features::stream::STEP_S;
use models::gloss::label_key;
use models::live::LiveModel;
use models::metrics::words::{WordErrors, align};
use models::pose_file::read_track;
use serde_json::Value;
use tests::{data, files, reading, run, store, text, videos};

const MODEL: &str = "asl-hall";

/// The texts of one kind of event.
fn texts<'a>(events: &'a [Value], kind: &str) -> Vec<&'a str> {
    events.iter().filter(|e| e["event"] == kind).map(|e| e["text"].as_str().unwrap()).collect()
}

/// Synthetic utterances of clips that the model did not learn from, in a folder.
fn corpus(test: &str, count: &str, out: &Path) -> bool {
    let Some(data) = data(test) else { return false };
    let args = [
        "synth",
        MODEL,
        "--data",
        text(&data),
        "--out",
        text(out),
        "--split",
        "val",
        "--count",
        count,
        "--seed",
        "7",
    ];
    let made = run("signpost-host", args);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    true
}

#[test]
fn the_unit_reads_what_the_evaluation_scores() {
    let folder = tempfile::tempdir().unwrap();
    if !corpus("the_unit_reads_what_the_evaluation_scores", "20", folder.path()) {
        return;
    }
    let model = LiveModel::find(MODEL).unwrap();
    let mut runner = LiveRunner::new(&model).unwrap();
    let (mut against_host, mut against_truth) = (WordErrors::default(), WordErrors::default());
    for utterance in utterances(folder.path()).unwrap() {
        let pose = folder.path().join(utterance.pose.as_ref().unwrap());
        let track = read_track(&pose).unwrap().with_z_in_pixels();
        // A `.pose` file has one rate, which the unit goes by.
        let stamps: Vec<f64> = (0..track.frames.len()).map(|i| i as f64 / f64::from(track.fps)).collect();
        let read = runner.read(&track, &stamps).unwrap();
        let scored: Vec<String> =
            read.live().iter().map(|c| label_key(&model.manifest.glosses[c.gloss])).collect();
        let events = reading(&[text(&pose), "--model", MODEL]);
        let shown: Vec<String> = texts(&events, "sign").into_iter().map(label_key).collect();
        against_host += WordErrors::of(&align(&scored, &shown));
        let truth: Vec<String> = utterance.glosses.iter().map(|g| label_key(&g.gloss)).collect();
        against_truth += WordErrors::of(&align(&truth, &shown));
    }
    eprintln!("{against_host:?} against the evaluation, {against_truth:?} against what was signed");
    // The unit says nothing with no hand up, and its engine rounds otherwise.
    assert!(against_host.rate() <= 0.04, "{against_host:?}");
    assert!(against_truth.rate() <= 0.25, "{against_truth:?}");
}

/// The report of an evaluation of sentences.
#[track_caller]
fn evaluate(corpus: &Path, args: &[&str]) -> Value {
    let all = ["evaluate", "continuous", "--data", text(corpus), "--json"];
    let output = run("signpost-host", all.iter().chain(args));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn what_was_read_is_scored_alike_from_its_list() {
    let folder = tempfile::tempdir().unwrap();
    if !corpus("what_was_read_is_scored_alike_from_its_list", "12", folder.path()) {
        return;
    }
    let said = folder.path().join("said.jsonl");
    let read = evaluate(folder.path(), &["--model", MODEL, "--said", text(&said)]);
    let listed = evaluate(folder.path(), &["--hypothesis", text(&said)]);
    for part in ["n", "wer", "bleu4", "confusions"] {
        assert_eq!(read[part], listed[part], "{part}");
    }
    // Means are taken in another order, which their last digit shows.
    for figure in ["brier", "ece", "n"] {
        let [a, b] = [&read, &listed].map(|report| report["calibration"][figure].as_f64().unwrap());
        assert!((a - b).abs() < 1e-12, "{figure}: {a} and {b}");
    }
}

#[test]
fn without_the_gate_a_recording_is_one_utterance() {
    let folder = tempfile::tempdir().unwrap();
    if !corpus("without_the_gate_a_recording_is_one_utterance", "20", folder.path()) {
        return;
    }
    let most = LiveModel::find(MODEL).unwrap().manifest.rescorer.unwrap().steps;
    let fits = |utterance: &models::utterance::Utterance| {
        let track = read_track(folder.path().join(utterance.pose.as_ref().unwrap())).unwrap();
        let last = (track.frames.len() - 1) as f64 / f64::from(track.fps);
        let last_s = utterance.stamps_s.as_ref().map_or(last, |stamps| *stamps.last().unwrap());
        let last = ((last_s + 1e-6) / STEP_S) as usize;
        last < most
    };
    let fitting = utterances(folder.path()).unwrap().iter().filter(|u| fits(u)).count();
    let report = evaluate(folder.path(), &["--model", MODEL, "--without-gate"]);
    assert!((1..20).contains(&fitting), "{fitting} of 20 are short enough");
    assert_eq!(report["live"]["rescored"], fitting);
}

#[test]
fn what_was_read_is_kept_with_its_times() {
    let folder = tempfile::tempdir().unwrap();
    if !corpus("what_was_read_is_kept_with_its_times", "8", folder.path()) {
        return;
    }
    let mut signs = 0;
    for pose in files(folder.path(), "pose") {
        let [srt, eaf] = ["a.srt", "a.eaf"].map(|name| folder.path().join(name));
        let events = reading(&[text(&pose), "--model", MODEL, "--captions", text(&srt)]);
        reading(&[text(&pose), "--model", MODEL, "--captions", text(&eaf)]);
        let subtitles = read_srt(&std::fs::read(&srt).unwrap()).unwrap();
        let kept: Vec<&str> = subtitles.iter().map(|a| a.text.as_str()).collect();
        assert_eq!(kept, texts(&events, "utterance"));
        let document = read_eaf_file(&eaf).unwrap();
        assert_eq!(document.tier(SENTENCE), subtitles);
        let tier: Vec<&str> = document.tier(SIGN).iter().map(|a| a.text.as_str()).collect();
        assert_eq!(tier, texts(&events, "sign"));
        signs += tier.len();
    }
    assert!(signs > 10, "{signs} signs in all");
}

#[test]
fn somebody_who_does_squats_signs_nothing() {
    let test = "somebody_who_does_squats_signs_nothing";
    let (Some(data), Some(_)) = (data(test), store(test)) else { return };
    let events = reading(&[text(&data.join("oracle/tfjs/pose_squats.mp4")), "--model", MODEL]);
    assert_eq!(texts(&events, "sign"), [""; 0]);
    assert_eq!(events.last().unwrap()["caption"], "");
}

#[test]
fn every_recording_of_real_people_is_read_from_end_to_end() {
    let test = "every_recording_of_real_people_is_read_from_end_to_end";
    let (Some(data), Some(_)) = (data(test), store(test)) else { return };
    let sentences = files(&data.join("poses/dgs_fluent"), "pose");
    assert!(sentences.len() >= 20, "{sentences:?}");
    let clips = videos(&data.join("oracle"));
    for source in sentences.iter().chain(&clips) {
        let events = reading(&[text(source), "--model", MODEL]);
        let end = events.last().expect("there is an end");
        assert!(end["event"] == "end" && end["frames"].as_u64() > Some(0), "{}: {end}", source.display());
        let signs = events.iter().filter(|e| e["event"] == "sign");
        assert!(signs.into_iter().all(|e| e["others"].as_array().is_some_and(|o| o.len() == 3)));
    }
}

#[test]
fn two_models_of_continuous_signing_are_refused() {
    let output = run("signpost", ["read", "nowhere.pose", "--model", MODEL, "--model", MODEL]);
    assert!(tests::refusal(&output).contains("give --model only one of them"));
}
