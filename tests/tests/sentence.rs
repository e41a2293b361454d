//! Sentence embedders that other people trained, beside `transformers`: see `tests/parity/sentence/make.py`, which made
//! what is expected here.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::{Path, PathBuf};

use host::train::retrieval::sentence::SentenceModel;
use models::retrieval::{Embed, Subword};
use serde::Deserialize;
use tempfile::TempDir;

#[derive(Deserialize)]
struct Said {
    text: String,
    mean: Vec<f32>,
    first: Vec<f32>,
}

fn parity() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("parity/sentence")
}

fn folder() -> TempDir {
    let dir = TempDir::new().unwrap();
    for name in ["model.onnx", "tokenizer.json"] {
        fs::copy(parity().join(name), dir.path().join(name)).unwrap();
    }
    dir
}

fn pooling(dir: &Path, said: &str) {
    fs::create_dir_all(dir.join("1_Pooling")).unwrap();
    fs::write(dir.join("1_Pooling/config.json"), said).unwrap();
}

#[track_caller]
fn check_vectors(dir: &Path, expect: impl Fn(&Said) -> &[f32]) {
    let said: Vec<Said> = serde_json::from_slice(&fs::read(parity().join("said.json")).unwrap()).unwrap();
    let model = SentenceModel::open(dir).unwrap();
    for said in &said {
        let vector = model.embed(&said.text).unwrap();
        let far = vector.iter().zip(expect(said)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(vector.len() == 24 && far < 1e-4, "{:?}: {far}", said.text);
    }
}

#[test]
fn vectors_are_those_of_transformers() {
    let dir = folder();
    check_vectors(dir.path(), |said| &said.mean);
    pooling(dir.path(), r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#);
    check_vectors(dir.path(), |said| &said.first);
    // As newer models are published.
    fs::create_dir(dir.path().join("onnx")).unwrap();
    fs::rename(dir.path().join("model.onnx"), dir.path().join("onnx/model.onnx")).unwrap();
    check_vectors(dir.path(), |said| &said.first);
}

#[track_caller]
fn check_refused(change: impl FnOnce(&Path), expect: &str) {
    let dir = folder();
    change(dir.path());
    let Err(refused) = SentenceModel::open(dir.path()) else { panic!("{expect}: no error") };
    let refused = refused.to_string();
    assert!(refused.contains(expect) && refused.contains("copied whole"), "{refused}");
}

#[test]
fn what_is_no_sentence_embedder_is_refused() {
    check_refused(|dir| fs::remove_file(dir.join("model.onnx")).unwrap(), "model.onnx: it is not there");
    check_refused(|dir| fs::remove_file(dir.join("tokenizer.json")).unwrap(), "tokenizer.json");
    check_refused(|dir| fs::write(dir.join("model.onnx"), "none").unwrap(), "model.onnx");
    check_refused(|dir| fs::write(dir.join("tokenizer.json"), "{}").unwrap(), "no tokenizer.json");
    check_refused(|dir| pooling(dir, r#"{"pooling_mode_mean_tokens": false}"#), "pools otherwise");
    check_refused(|dir| pooling(dir, "mean"), "no pooling's");
}

#[test]
fn its_vectors_become_an_embedder_that_a_unit_reads() {
    let (model, data) = (folder(), TempDir::new().unwrap());
    let text = data.path().join("text/phoenix14t");
    fs::create_dir_all(&text).unwrap();
    fs::write(text.join("train.tsv"), "name\tgloss\ttext\na\tMORGEN REGEN\tmorgen regen .\n").unwrap();
    let at = |name: &str| data.path().join(name).to_str().unwrap().to_owned();
    fs::write(data.path().join("words"), "Überschwemmung\n\nüberschwemmung\nsonne\n").unwrap();
    let base = model.path().to_str().unwrap();
    let train =
        ["train", "phoenix14t-embedder", "--data", &at(""), "--out", &at("out"), "--words", &at("words")];
    let run = |args: &[&str]| tests::run_on("signpost-host", args, &[]);
    let made = run(&[&train[..], &["--base", base]].concat());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let embedder = Subword::read(&data.path().join("out/embedder")).unwrap();
    assert_eq!(embedder.manifest().words, ["morgen", "regen", "sonne", "ueberschwemmung"]);
    assert_eq!(embedder.manifest().labels, ["morgen", "regen"]);
    assert_eq!(embedder.threshold(), 1.0, "of so little nothing was measured, and nothing is believed");
    // A word is asked for as its list writes it first.
    let meant = SentenceModel::open(model.path()).unwrap().embed("Überschwemmung").unwrap();
    let found = embedder.word("Ueberschwemmung").unwrap();
    assert!(found.iter().zip(&meant).all(|(a, b)| (a - 0.999 * b).abs() < 1e-3));
    assert!(embedder.word("wind").is_none() && embedder.sign("", "REGEN").is_some());

    let refused = run(&train);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("--base"), "{said}");
}
