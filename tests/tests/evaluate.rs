//! `signpost-host evaluate isolated --json`: its contract on made-up data, its figures on real data, its errors.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;
use half::f16;
use serde_json::Value;
use tempfile::TempDir;

fn evaluate(model: &str, stem: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(tests::program("signpost-host"));
    command.args(["evaluate", "isolated", "--json", "--model", model, "--data"]).arg(stem).args(more);
    command.output().expect("the program starts")
}

/// The JSON object on the last line of standard output.
#[track_caller]
fn report(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "it failed: {said}");
    serde_json::from_str(text.lines().last().unwrap_or_default()).expect("the last line is JSON")
}

/// Frames of someone who waves, as rows of the width given.
fn rows(frames: usize, width: usize) -> Vec<f32> {
    (0..frames * width)
        .map(|i| 0.4 + 0.2 * ((i % width) as f32 * 0.7 + (i / width) as f32 * 0.1).sin())
        .collect()
}

/// Writes `STEM.f16.gz` and `STEM.tsv` and gives the stem.
fn stem(dir: &TempDir, index: &str, values: &[f32]) -> PathBuf {
    let bytes: Vec<u8> = values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
    let mut gz = GzEncoder::new(vec![], Compression::fast());
    gz.write_all(&bytes).unwrap();
    std::fs::write(dir.path().join("made.up.f16.gz"), gz.finish().unwrap()).unwrap();
    std::fs::write(dir.path().join("made.up.tsv"), index).unwrap();
    dir.path().join("made.up")
}

const INDEX: &str = "offset_frames\tn_frames\tlabel\tgroup\tseq\textra\n\
    0\t10\tB-A d\tanna\t0\t\n10\t10\tzebra\tanna\t0\t\n20\t10\tsorry\tbert\t1\t\n";

#[test]
fn known_labels_are_scored_and_unknown_ones_counted() {
    for width in [258, 126] {
        let dir = TempDir::new().unwrap();
        let report = report(&evaluate("ksl13", &stem(&dir, INDEX, &rows(30, width)), &[]));
        assert_eq!(report["n"], 2, "width {width}");
        assert_eq!(report["unknown_labels"], serde_json::json!({ "zebra": 1 }));
        for group in ["anna", "bert"] {
            assert_eq!(report["per_group"][group]["n"], 1, "{group}");
        }
        for score in [&report["top1"], &report["top5"], &report["per_group"]["anna"]["top1"]] {
            assert!((0.0..=1.0).contains(&score.as_f64().expect("a number")));
        }
    }
}

#[test]
fn the_other_form_of_index_is_read() {
    let dir = TempDir::new().unwrap();
    let index = "video_id\tgloss\tclass_id\tsplit\toffset_frames\tn_frames\n\
        1\tthank you\t3\ttrain\t0\t12\n2\tthe\t4\tval\t12\t8\n";
    let mut values = rows(20, 126);
    values[5 * 126..9 * 126].fill(f32::NAN);
    let report = report(&evaluate("asl-words", &stem(&dir, index, &values), &[]));
    assert_eq!(report["n"], 1);
    assert_eq!(report["per_group"]["train"]["n"], 1);
    assert_eq!(report["unknown_labels"]["the"], 1);
}

#[test]
fn only_the_groups_asked_for_are_scored() {
    let dir = TempDir::new().unwrap();
    let report = report(&evaluate("ksl13", &stem(&dir, INDEX, &rows(30, 258)), &["--only-group", "bert"]));
    assert_eq!(report["n"], 1);
    assert_eq!(report["unknown_labels"], serde_json::json!({}));
}

/// What the program says where it must fail: one line, without a panic.
#[track_caller]
fn check_error(output: &Output, expect: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it did not fail");
    assert!(said.contains(expect), "{said:?} does not contain {expect:?}");
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
}

#[test]
fn bad_input_gets_one_clear_sentence() {
    let dir = TempDir::new().unwrap();
    let good = rows(30, 258);
    check_error(&evaluate("ksl14", &stem(&dir, INDEX, &good), &[]), "ksl13, asl-words, asl-letters");
    check_error(&evaluate("ksl13", &stem(&dir, INDEX, &rows(30, 200)), &[]), "258");
    check_error(&evaluate("ksl13", &stem(&dir, INDEX, &rows(31, 258)), &[]), "more than the 30 frames");
    check_error(&evaluate("ksl13", &dir.path().join("absent"), &[]), "absent.tsv");
    check_error(&evaluate("ksl13", &stem(&dir, "", &good), &[]), "line 1");
    check_error(
        &evaluate("ksl13", &stem(&dir, &INDEX.replace("n_frames", "frames"), &good), &[]),
        "\"n_frames\"",
    );
    check_error(&evaluate("ksl13", &stem(&dir, &INDEX.replace("20\t10", "20\tten"), &good), &[]), "line 4");
    let huge = INDEX.replace("20\t10", "20\t99999999999");
    check_error(&evaluate("ksl13", &stem(&dir, &huge, &good), &[]), "line 4");
    check_error(&evaluate("ksl13", &stem(&dir, INDEX, &good), &["--only-group", "carl"]), "no clip is left");

    let stem = stem(&dir, INDEX, &good);
    let gz = dir.path().join("made.up.f16.gz");
    let bytes = std::fs::read(&gz).unwrap();
    std::fs::write(&gz, &bytes[..bytes.len() / 2]).unwrap();
    check_error(&evaluate("ksl13", &stem, &[]), "cut off");
}

#[test]
fn a_network_with_a_flipped_byte_is_refused() {
    let dir = TempDir::new().unwrap();
    let shipped = models::store::weights("ksl13").expect("the weights ship with the repository");
    let mut network = std::fs::read(shipped.join("model.onnx")).unwrap();
    let middle = network.len() / 2;
    network[middle] ^= 1;
    std::fs::write(dir.path().join("model.onnx"), network).unwrap();
    std::fs::copy(shipped.join("manifest.json"), dir.path().join("manifest.json")).unwrap();
    let folder = dir.path().to_str().expect("temporary folders have plain names").to_owned();
    check_error(&evaluate(&folder, &stem(&dir, INDEX, &rows(30, 258)), &[]), "was changed after it was made");
}

/// Scores a shipped model on what it was not trained on.
#[track_caller]
fn check_score(test: &str, model: &str, stem: &str, more: &[&str], clips: u64, least: f64) {
    let Some(data) = tests::data(test) else { return };
    let report = report(&evaluate(model, &data.join("isolated").join(stem), more));
    assert_eq!(report["n"], clips);
    assert_eq!(report["unknown_labels"], serde_json::json!({}));
    let top1 = report["top1"].as_f64().expect("a number");
    assert!(top1 >= least, "top1 is {top1}, not {least}: {report}");
}

#[test]
fn ksl13_reads_the_recording_set_that_it_never_saw() {
    let only = ["--only-group", "MP_Data1"];
    check_score("ksl13_reads_the_recording_set_that_it_never_saw", "ksl13", "ksl13", &only, 130, 0.95);
}

#[test]
fn asl_letters_reads_held_out_sequences() {
    let held = ["--held-out"];
    check_score(
        "asl_letters_reads_held_out_sequences",
        "asl-letters",
        "asl_traduttore_letters",
        &held,
        770,
        0.93,
    );
}

#[test]
fn asl_words_reads_held_out_sequences() {
    let held = ["--held-out"];
    check_score("asl_words_reads_held_out_sequences", "asl-words", "asl_traduttore_words", &held, 460, 0.95);
}

#[test]
fn the_shipped_weights_are_small_and_documented() {
    let mut bytes = 0;
    for name in models::store::SHIPPED {
        let model = models::manifest::Model::find(name).expect("it ships");
        bytes += model.network.len();
        assert_eq!(model.manifest.name, name);
        assert!(model.manifest.recipe.contains(&format!("train {name} ")), "{}", model.manifest.recipe);
        let card = std::fs::read_to_string(model.dir.join("CARD.md")).expect("each model has a card");
        for source in &model.manifest.data {
            assert!(card.contains(&source.licence) && card.contains(&source.name), "{name}: {}", source.name);
        }
        for metric in &model.manifest.metrics {
            assert!(
                card.contains(&format!("{:.4}", metric.value)),
                "{name}: {} {}",
                metric.name,
                metric.value
            );
        }
    }
    assert!(bytes < 8 << 20, "{bytes} bytes");
}
