//! `signpost-host evaluate isolated --json`: its contract on made-up data, its figures on real data, its errors.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use host::data::{Aspect, Isolated};
use models::features::Version;
use models::live::{LiveManifest, LiveModel};
use models::manifest::{Kind, Manifest, Metric, Model, NONE, Source, sha256};
use models::onnx::{Builder, Dim};
use serde_json::Value;
use tempfile::TempDir;
use tests::made::{isolated, rows};

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

/// Writes a data set and gives its stem.
fn stem(dir: &TempDir, index: &str, values: &[f32]) -> PathBuf {
    isolated(dir.path(), "made.up", index, values)
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

#[test]
fn an_index_may_list_a_part_of_the_frames() {
    for width in [258, 126] {
        let dir = TempDir::new().unwrap();
        let report = report(&evaluate("ksl13", &stem(&dir, INDEX, &rows(31, width)), &[]));
        assert_eq!(report["n"], 2, "31 rows of {width} for 30 frames are scored");
    }
}

#[test]
fn what_a_file_may_lack_or_have_besides_does_not_matter() {
    let dir = TempDir::new().unwrap();
    // No cell after the label, a byte order mark, Windows' line ends, zeros after the gzip data.
    let index = "\u{feff}offset_frames\tn_frames\tlabel\tgroup\tseq\textra\r\n\
        0\t10\tB-A d\r\n10\t0\tyes\r\n20\t10\tsorry\tbert\r\n";
    let stem = stem(&dir, index, &rows(30, 258));
    let gz = dir.path().join("made.up.f16.gz");
    let mut bytes = std::fs::read(&gz).unwrap();
    bytes.extend([0; 1000]);
    std::fs::write(&gz, bytes).unwrap();
    // A folder of the same name does not hide the files.
    std::fs::create_dir(&stem).unwrap();
    let report = report(&evaluate("ksl13", &stem, &[]));
    assert_eq!(report["n"], 3);
    assert_eq!(report["per_group"][""]["n"], 2);
    assert_eq!(report["per_group"]["bert"]["n"], 1);
    assert!(report["aspect"].is_number());
}

#[test]
fn signers_are_groups_before_splits_are() {
    let dir = TempDir::new().unwrap();
    let index = "gloss\tsplit\toffset_frames\tn_frames\tsigner_id\nsorry\ttrain\t0\t30\t26\n";
    let report = report(&evaluate("ksl13", &stem(&dir, index, &rows(30, 126)), &[]));
    assert_eq!(report["per_group"]["26"]["n"], 1);
}

#[test]
fn only_the_split_and_the_subset_asked_for_are_scored() {
    let dir = TempDir::new().unwrap();
    let index = "gloss\tsplit\toffset_frames\tn_frames\tsigner_id\ttier\n\
        sorry\ttrain\t0\t10\t26\t100\nsorry\tval\t10\t10\t26\t300\nyes\tval\t20\t10\t3\t100\n";
    let stem = stem(&dir, index, &rows(30, 126));
    let n = |more: &[&str]| report(&evaluate("ksl13", &stem, more))["n"].clone();
    assert_eq!(n(&["--split", "val"]), 2);
    assert_eq!(n(&["--tier", "100"]), 2);
    assert_eq!(n(&["--tier", "300"]), 3);
    assert_eq!(n(&["--tier", "100", "--split", "val"]), 1);
    let none = evaluate("ksl13", &stem, &["--split", "test"]);
    assert!(!none.status.success());
    assert!(String::from_utf8_lossy(&none.stderr).contains("leave out"), "the next step is told");
}

/// A folder with a model that gives the same logits for every clip: those of its labels' order.
fn constant_model(dir: &TempDir, labels: &[&str], logits: &[f32], threshold: f32) {
    let (t, f) = (Version::HandV1.frames(), Version::HandV1.width());
    let mut graph = Builder::new("constant");
    graph.input("features", &[Dim::Fixed(1), Dim::Fixed(t), Dim::Fixed(f)]);
    graph.tensor_i64("flat", &[2], &[1, (t * f) as i64]);
    graph.tensor_f32("nothing", &[t * f, logits.len()], &vec![0.0; t * f * logits.len()]);
    graph.tensor_f32("bias", &[1, logits.len()], logits);
    graph.node("Reshape", &["features", "flat"], &["row"], vec![]);
    graph.node("MatMul", &["row", "nothing"], &["zeros"], vec![]);
    graph.node("Add", &["zeros", "bias"], &["logits"], vec![]);
    graph.output("logits", &[Dim::Fixed(1), Dim::Fixed(logits.len())]);
    let network = graph.finish(&[]);
    let manifest = Manifest {
        name: "constant".into(),
        kind: Kind::Isolated,
        sha256: sha256(&network),
        features: Version::HandV1.name().into(),
        frames: t,
        width: f,
        labels: labels.iter().map(|l| (*l).to_owned()).collect(),
        rest: vec!["-".into(), NONE.into()],
        temperature: 1.0,
        threshold,
        data: vec![],
        metrics: vec![],
        recipe: "none".into(),
    };
    std::fs::write(dir.path().join("model.onnx"), network).unwrap();
    std::fs::write(dir.path().join("manifest.json"), serde_json::to_vec(&manifest).unwrap()).unwrap();
}

#[test]
fn the_arithmetic_of_the_report_is_exact() {
    // The ranking of every clip: thank-you, -, a, b, c, then d; <none> is second and never an answer.
    let labels = ["d", "-", "thank-you", "a", "b", "c", NONE];
    let logits = [-9.0, 2.0, 5.0, 1.0, 0.5, 0.0, 4.0];
    // Groups: anna is right twice of three, the empty one never within five but once, carl has no known label.
    let index = "offset_frames\tn_frames\tlabel\tgroup\n\
        0\t5\tTHANK_you\tanna\n5\t5\tthank you\tanna\n10\t5\tA\tanna\n\
        15\t5\td\t\n20\t5\tc\t\n25\t0\tb\tbert\n\
        25\t5\tzebra\tcarl\n30\t5\t<none>\tcarl\n35\t0\tzebra\tcarl\n";
    let dir = TempDir::new().unwrap();
    let stem = stem(&dir, index, &rows(40, 126));
    let folder = tests::text(dir.path()).to_owned();
    constant_model(&dir, &labels, &logits, 0.6);
    let got = report(&evaluate(&folder, &stem, &[]));
    assert_eq!(got["n"], 6);
    let near = |value: &Value, expect: f64| {
        assert!((value.as_f64().expect("a number") - expect).abs() < 1e-12, "{value}, not {expect}: {got}");
    };
    near(&got["top1"], 2.0 / 6.0);
    near(&got["top5"], 5.0 / 6.0);
    near(&got["answered"], 5.0 / 6.0); // the clip without frames is not answered
    near(&got["right_when_answered"], 2.0 / 5.0);
    let groups = got["per_group"].as_object().expect("an object");
    assert_eq!(groups.keys().collect::<Vec<_>>(), ["", "anna", "bert"]);
    for (group, top1, top5, n) in [("", 0.0, 0.5, 2), ("anna", 2.0 / 3.0, 1.0, 3), ("bert", 0.0, 1.0, 1)] {
        near(&groups[group]["top1"], top1);
        near(&groups[group]["top5"], top5);
        assert_eq!(groups[group]["n"], n, "{group:?}");
    }
    assert_eq!(got["unknown_labels"], serde_json::json!({ "zebra": 2, NONE: 1 }));
    assert_eq!(got["unknown_shown"], 2);
    near(&got["abstained"], 1.0 / 6.0);
    assert!((got["threshold"].as_f64().expect("a number") - 0.6).abs() < 1e-6);
    // Every first answer has the same confidence, and a third of them is right.
    let logits_sum: f64 = logits.iter().map(|l: &f32| f64::from(l - 5.0).exp()).sum();
    let sure = 1.0 / logits_sum;
    let close = |value: &Value, expect: f64| {
        assert!((value.as_f64().expect("a number") - expect).abs() < 1e-6, "{value}, not {expect}: {got}");
    };
    close(&got["ece"], sure - 1.0 / 3.0);
    close(&got["brier"], ((1.0 - sure).powi(2) + 2.0 * sure.powi(2)) / 3.0);
    let curve = got["risk_coverage"].as_array().expect("an array");
    assert_eq!(curve.len(), 1, "all clips are as sure: {got}");
    near(&curve[0]["coverage"], 1.0);
    near(&curve[0]["risk"], 2.0 / 3.0);
    let classes = got["per_class"].as_object().expect("an object");
    assert_eq!(classes.keys().collect::<Vec<_>>(), ["a", "b", "c", "d", "thank-you"]);
    near(&classes["thank-you"]["top1"], 1.0);
    near(&classes["d"]["top5"], 0.0);
    assert_eq!(classes["thank-you"]["n"], 2);

    // A higher threshold than the first answer's confidence (0.69), and a rest label in front.
    for (logits, threshold) in [(logits, 0.75), ([-9.0, 9.0, 5.0, 1.0, 0.5, 0.0, 4.0], 0.5)] {
        constant_model(&dir, &labels, &logits, threshold);
        let got = report(&evaluate(&folder, &stem, &[]));
        assert_eq!((&got["answered"], &got["unknown_shown"]), (&0.0.into(), &0.into()), "{threshold}");
        assert_eq!(got["right_when_answered"], 1.0);
    }
}

#[test]
fn the_confusion_is_drawn() {
    let dir = TempDir::new().unwrap();
    let labels = ["d", "-", "thank-you", "a", "b", "c", NONE];
    constant_model(&dir, &labels, &[0.0, 1.0, 5.0, 2.0, 0.0, 0.0, 0.0], 0.6);
    let index = "offset_frames\tn_frames\tlabel\n0\t5\tthank you\n5\t5\ta\n";
    let stem = stem(&dir, index, &rows(10, 126));
    let folder = tests::text(dir.path()).to_owned();
    let file = dir.path().join("confusion.png");
    report(&evaluate(&folder, &stem, &["--confusion", tests::text(&file)]));
    let picture = image::open(&file).unwrap().into_rgb8();
    // Of both rows all clips were answered "thank-you": one cell is all right and one all wrong.
    let cells = |dark: usize| {
        let strong = |p: &&image::Rgb<u8>| p.0[dark] > 90 && (0..3).all(|k| k == dark || p.0[k] < 60);
        picture.pixels().filter(strong).count()
    };
    assert!(cells(0) > 300 && cells(1) > 300, "{} red and {} green", cells(0), cells(1));

    let nowhere = dir.path().join("absent/confusion.png");
    check_error(&evaluate(&folder, &stem, &["--confusion", tests::text(&nowhere)]), "cannot write");
}

#[test]
fn overlapping_clips_cannot_exhaust_memory() {
    let dir = TempDir::new().unwrap();
    let index = format!("offset_frames\tn_frames\tlabel\n{}", "0\t30\tyes\n".repeat(40_000));
    let stem = stem(&dir, &index, &rows(30, 126));
    check_error(&evaluate("ksl13", &stem, &[]), "line 33335: the clips up to here");
}

/// Numbers that follow each other without a pattern, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

#[test]
fn no_change_to_the_files_makes_the_reader_panic() {
    let dir = TempDir::new().unwrap();
    let mut dice = Dice(1);
    let good = rows(30, 126);
    let path = stem(&dir, INDEX, &good);
    let tsv = dir.path().join("made.up.tsv");
    let gz = dir.path().join("made.up.f16.gz");
    let (index, packed) = (std::fs::read(&tsv).unwrap(), std::fs::read(&gz).unwrap());
    let pieces: [&[u8]; 8] = [b"\t", b"\n", b"-1", b"18446744073709551615", b"\xff", b"", b"0", b"\t\t\t"];
    let mut change = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        for _ in 0..=dice.below(3) {
            let (from, piece) = (dice.below(bytes.len() + 1), pieces[dice.below(pieces.len())]);
            let to = (from + dice.below(4)).min(bytes.len());
            bytes.splice(from..to, piece.iter().copied());
        }
        bytes
    };
    let mut read = 0;
    for round in 0..600 {
        let (index, packed) =
            if round % 2 == 0 { (change(&index), packed.clone()) } else { (index.clone(), change(&packed)) };
        std::fs::write(&tsv, index).unwrap();
        std::fs::write(&gz, packed).unwrap();
        if let Ok(set) = Isolated::read(&path, Aspect::Guess) {
            assert!(set.clips.iter().all(|clip| clip.sights.len() <= 30), "round {round}");
            read += 1;
        }
    }
    assert!((1..600).contains(&read), "some are read and some refused, not {read}");
}

#[test]
fn signs_are_enrolled_from_few_clips_of_made_up_data() {
    let dir = TempDir::new().unwrap();
    let mut index = String::from("offset_frames\tn_frames\tlabel\tgroup\n");
    for clip in 0..24 {
        let (label, group) = (["yes", "no", "-"][clip % 3], ["a", "b"][clip / 12]);
        index += &format!("{}\t10\t{label}\t{group}\n", 10 * clip);
    }
    let stem = stem(&dir, &index, &rows(240, 258));
    let enrolment = |model: &str, more: &[&str]| {
        let args = ["evaluate", "enrolment", "--json", "--model", model, "--data", tests::text(&stem)];
        tests::run("signpost-host", [&args, more].concat())
    };
    let got = report(&enrolment("sign-embedding", &["--draws", "4", "--seed", "7"]));
    assert_eq!((&got["signs"], &got["draws"], &got["n"]), (&3.into(), &4.into(), &60.into()), "{got}");
    for share in ["accuracy", "missed", "confused", "taken"] {
        assert!((0.0..=1.0).contains(&got[share].as_f64().expect("a number")), "{share}: {got}");
    }
    assert_eq!(
        got,
        report(&enrolment("sign-embedding", &["--draws", "4", "--seed", "7"])),
        "a seed, a result"
    );
    let apart =
        report(&enrolment("sign-embedding", &["--enrol-from", "a", "--read-from", "b", "--draws", "1"]));
    assert_eq!(apart["n"], 12);
    check_error(&enrolment("ksl13", &[]), "enrols none");
    check_error(&enrolment("sign-embedding", &["--examples", "2"]), "from 3 to 5");
    check_error(&enrolment("sign-embedding", &["--enrol-from", "c"]), "no clip is left");
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
    check_error(&evaluate("sign-embedding", &stem(&dir, INDEX, &good), &[]), "evaluate enrolment");
    check_error(&evaluate("ksl13", &stem(&dir, INDEX, &rows(30, 200)), &[]), "258");
    check_error(&evaluate("ksl13", &stem(&dir, INDEX, &rows(29, 258)), &[]), "30 frames");
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

/// Runs a metric's commands on the real data, one after another, and gives the last one's report.
#[track_caller]
fn rerun(commands: &str, data: &Path) -> Value {
    let out = TempDir::new().unwrap();
    let mut last = None;
    for command in commands.split(" && ") {
        let mut words = command.split_whitespace();
        assert_eq!(words.next(), Some("signpost-host"), "{command}");
        let place =
            |word: &str| word.replace("DATA", tests::text(data)).replace("OUT", tests::text(out.path()));
        let output = tests::run("signpost-host", words.map(place));
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        last = Some(output);
    }
    report(&last.expect("there is a command"))
}

/// What all models that ship have, whatever their kind.
struct Shipped {
    dir: PathBuf,
    name: String,
    recipe: String,
    sources: Vec<Source>,
    metrics: Vec<Metric>,
    /// Of its networks.
    bytes: usize,
}

impl Shipped {
    fn find(name: &str) -> Self {
        if Kind::of(name).expect("it ships") == Kind::Continuous {
            let LiveModel { dir, manifest, network, rescorer } = LiveModel::find(name).expect("it ships");
            let LiveManifest { name, recipe, data: sources, metrics, .. } = manifest;
            let bytes = network.len() + rescorer.map_or(0, |network| network.len());
            return Self { dir, name, recipe, sources, metrics, bytes };
        }
        let Model { dir, manifest, network, .. } = Model::find(name).expect("it ships");
        let Manifest { name, recipe, data: sources, metrics, .. } = manifest;
        Self { dir, name, recipe, sources, metrics, bytes: network.len() }
    }
}

#[test]
fn every_figure_of_every_model_is_what_its_command_prints() {
    let Some(data) = tests::data("every_figure_of_every_model_is_what_its_command_prints") else { return };
    for name in models::store::SHIPPED {
        let model = Shipped::find(name);
        let mut reports: HashMap<&str, Value> = HashMap::new();
        assert!(!model.metrics.is_empty(), "{name}");
        for metric in &model.metrics {
            let report = reports.entry(&metric.command).or_insert_with(|| rerun(&metric.command, &data));
            let place = format!("/{}", metric.name.replace('.', "/"));
            let printed = report.pointer(&place).and_then(Value::as_f64).expect("a number");
            let case = format!("{name}, {} on {}: {printed}, not {}", metric.name, metric.on, metric.value);
            assert!((printed - metric.value).abs() < 1e-9, "{case}");
            assert_eq!(report["n"], metric.clips, "{case}");
            if Kind::of(name).expect("it ships") == Kind::Isolated {
                assert_eq!(report["unknown_labels"], serde_json::json!({}), "{case}");
            }
        }
        // Recorded once with other data or another network, these would tell.
        let is = |what: &'static str| model.metrics.iter().filter(move |m| m.name == what).map(|m| m.value);
        assert!(is("top1").all(|top1| top1 >= 0.95), "{name}");
        assert!(is("wer").all(|wer| wer <= 0.15), "{name}");
        assert!(is("live.latency_late").all(|late| late == 0.0), "{name}: a gloss comes too late");
    }
}

#[test]
fn the_shipped_weights_are_small_and_documented() {
    let mut bytes = 0;
    for name in models::store::SHIPPED {
        let model = Shipped::find(name);
        bytes += model.bytes;
        assert_eq!(model.name, name);
        assert!(model.recipe.contains(&format!("train {name} ")), "{}", model.recipe);
        let card = std::fs::read_to_string(model.dir.join("CARD.md")).expect("each model has a card");
        for source in &model.sources {
            assert!(card.contains(&source.licence) && card.contains(&source.name), "{name}: {}", source.name);
        }
        for metric in &model.metrics {
            let row = format!("| {} | {} | {} | {:.4} |", metric.on, metric.clips, metric.name, metric.value);
            assert!(card.lines().any(|line| line == row), "{name}: the card has no row {row}");
            assert!(card.lines().any(|line| line == metric.command), "{name}: {}", metric.command);
        }
    }
    assert!(bytes < 8 << 20, "{bytes} bytes");
}
