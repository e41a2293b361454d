//! No bytes of a model's manifest or of the store's record make their readers panic, hang or believe nonsense.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::Path;

use models::features::stream;
use models::live::{Cutter, LiveManifest, LiveModel, RESCORE, RescoreOutput, Rescorer, Rules};
use models::manifest::{Kind, MANIFEST, Model, NETWORK, sha256};
use models::retrieval::{Embed, Subword, SubwordManifest};
use models::signx::{MEASURE, UtteranceManifest, UtteranceModel};
use models::store::{RECORD, Store};
use models::translator::{ENCODER, STEP, Sizes};
use tests::fuzz::{Random, rounds};
use tests::text;

/// What stands in for the network: a manifest is checked against any bytes.
const BYTES: &[u8] = b"network";

/// A manifest that ships, made out to describe [`BYTES`].
fn manifest() -> Vec<u8> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/weights/asl-letters");
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(shipped.join(MANIFEST)).unwrap()).unwrap();
    manifest["sha256"] = sha256(BYTES).into();
    serde_json::to_vec(&manifest).unwrap()
}

/// Opens a model with that manifest: what opens keeps its promises, what does not says why in one sentence.
#[track_caller]
fn check_manifest(folder: &Path, bytes: &[u8]) -> bool {
    fs::write(folder.join(MANIFEST), bytes).unwrap();
    match Model::open(folder) {
        Ok(model) => {
            let manifest = &model.manifest;
            assert_eq!([manifest.frames, manifest.width], [model.features.frames(), model.features.width()]);
            assert!((1..=10_000).contains(&manifest.labels.len()));
            assert!((0.0..=1.0).contains(&manifest.threshold));
            let mut confidences: Vec<f32> = (0..manifest.labels.len()).map(|g| g as f32 - 3.0).collect();
            manifest.confidences(&mut confidences);
            let sum: f32 = confidences.iter().sum();
            assert!((sum - 1.0).abs() < 1e-3, "at temperature {} they sum to {sum}", manifest.temperature);
            true
        }
        Err(error) => refused(&error),
    }
}

#[test]
fn manifests_of_any_bytes_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(NETWORK), BYTES).unwrap();
    worse(&manifest(), Random(3), |bytes| check_manifest(folder.path(), bytes));
}

/// An embedder of three words, and the same with anything for its manifest and values, under the right sum.
#[test]
fn embedders_of_any_bytes_are_read_or_refused() {
    let manifest = SubwordManifest {
        name: "test".into(),
        spoken: "de".into(),
        signed: "gsg".into(),
        width: 4,
        buckets: 5,
        threshold: 0.5,
        words: vec!["regen".into(), "wind".into()],
        labels: vec!["regen".into()],
        data: vec![],
        metrics: vec![],
        recipe: "none".into(),
    };
    let whole = Subword::new(manifest, (0..32).map(|v| v as f32 / 8.0)).unwrap().bytes();
    let line = whole.iter().position(|b| *b == b'\n').unwrap();
    let mut random = Random(13);
    for _ in 0..rounds() {
        let any = random.mutate(&whole, b"signpost-embedder 1 \n{}");
        assert!(any == whole || Subword::parse(&any).is_err(), "its sum says that it changed");
    }
    worse(&whole[line + 1..], Random(17), |body| {
        let bytes = [format!("signpost-embedder 1 {}\n", sha256(body)).as_bytes(), body].concat();
        let Ok(embedder) = Subword::parse(&bytes) else { return false };
        for word in ["Regen", "Nieselregen", "", "你好", "\u{0}"] {
            let found = [embedder.word(word), embedder.sign(word, word), embedder.sign("", word)];
            let width = embedder.width();
            assert!(found.iter().flatten().all(|v| v.len() == width && v.iter().all(|v| v.is_finite())));
        }
        (0.0..=1.0).contains(&embedder.threshold())
    });
}

/// Whether it was read, of what was refused: no, and in one sentence.
#[track_caller]
fn refused(error: &models::Error) -> bool {
    let said = error.to_string();
    assert_eq!(said.lines().count(), 1, "one sentence: {said}");
    false
}

/// Opens what is made out of a manifest by all kinds of damage; what is cut off must be refused.
#[track_caller]
fn worse(seed: &[u8], mut random: Random, check: impl Fn(&[u8]) -> bool) {
    assert!(check(seed), "the seed is whole");
    for length in 0..seed.len() {
        assert!(!check(&seed[..length]), "cut at {length}");
    }
    let mut bytes = seed.to_vec();
    for at in 0..seed.len() {
        // Another digit or letter, a sign, the end of a text, an opening bracket, no text at all.
        for value in [seed[at] ^ 1, b'9', b'-', b'e', b'"', b'[', 0xff] {
            bytes[at] = value;
            check(&bytes);
        }
        bytes[at] = seed[at];
    }
    for _ in 0..rounds() {
        check(&random.mutate(seed, b"-1e39,null,[[[[{\"a\":1e999}]]]],NaN"));
    }
    check(&vec![b'['; 1 << 19]);
}

/// What stands in for the rescorer.
const RESCORER: &[u8] = b"rescorer";

/// A recogniser of continuous signing with a rescorer.
fn live_manifest() -> Vec<u8> {
    let rescorer = Rescorer {
        sha256: sha256(RESCORER),
        steps: 9,
        hypotheses: 2,
        length: 3,
        attention: 0.5,
        confidence: [0.5, 1.0, -0.25],
        accept: 0.75,
    };
    let manifest = LiveManifest {
        name: "live".into(),
        kind: Kind::Continuous,
        sha256: sha256(BYTES),
        features: stream::NAME.into(),
        step_s: stream::STEP_S,
        width: stream::WIDTH,
        memory: 4,
        hidden: 2,
        glosses: vec!["A".into(), "B".into()],
        delay_s: 0.5,
        gate_delay_s: 0.25,
        rules: Rules::PLAIN,
        rescorer: Some(rescorer),
        data: vec![],
        metrics: vec![],
        recipe: "none".into(),
    };
    serde_json::to_vec(&manifest).unwrap()
}

/// Opens a recogniser with that manifest: its rescorer's arithmetic runs, or one sentence says what is wrong.
#[track_caller]
fn check_live(folder: &Path, bytes: &[u8]) -> bool {
    fs::write(folder.join(MANIFEST), bytes).unwrap();
    match LiveModel::open(folder) {
        Ok(LiveModel { manifest, rescorer, .. }) => {
            assert_eq!(rescorer.is_some(), manifest.rescorer.is_some());
            let mut cutter = Cutter::of(&manifest);
            assert_eq!(cutter.finish(), None);
            let Some(rescorer) = manifest.rescorer else { return true };
            let labels = 1 + manifest.glosses.len();
            let output = RescoreOutput {
                ctc: (0..rescorer.steps * labels).map(|i| (i % 7) as f32).collect(),
                next: vec![0.0; rescorer.hypotheses * rescorer.length * labels],
            };
            let hidden = vec![0.5; rescorer.steps.min(5) * manifest.hidden];
            let said = rescorer.rescore(&hidden, manifest.hidden, |_| Ok::<_, ()>(output.clone())).unwrap();
            assert!(said.unwrap_or_default().iter().all(|g| (0.0..=1.0).contains(&g.confidence)));
            true
        }
        Err(error) => refused(&error),
    }
}

#[test]
fn live_manifests_of_any_bytes_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(NETWORK), BYTES).unwrap();
    fs::write(folder.path().join(RESCORE), RESCORER).unwrap();
    worse(&live_manifest(), Random(11), |bytes| check_live(folder.path(), bytes));
}

#[test]
fn manifests_of_whole_utterances_of_any_bytes_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = UtteranceManifest {
        name: "whole".into(),
        kind: Kind::Utterance,
        sha256: sha256(BYTES),
        step_sha256: sha256(RESCORER),
        measure: MEASURE,
        fps: 12.0,
        sizes: Sizes { source: 9, target: 3, beam: 2, layers: 1, heads: 2, head: 2 },
        glosses: vec!["A".into(), "B".into()],
        heard: 0.5,
        penalty: 0.75,
        confidence: [0.5, 1.0, -0.25],
        accept: 0.75,
        data: vec![],
        metrics: vec![],
        recipe: "none".into(),
    };
    fs::write(folder.path().join(ENCODER), BYTES).unwrap();
    fs::write(folder.path().join(STEP), RESCORER).unwrap();
    worse(&serde_json::to_vec(&manifest).unwrap(), Random(12), |bytes| {
        fs::write(folder.path().join(MANIFEST), bytes).unwrap();
        match UtteranceModel::find(text(folder.path())) {
            Ok(UtteranceModel { manifest, .. }) => {
                assert!(manifest.fps >= 1.0 && manifest.sizes.source > 0 && !manifest.glosses.is_empty());
                true
            }
            Err(error) => refused(&error),
        }
    });
}

#[test]
fn a_rescorer_whose_bytes_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(RESCORE);
    fs::write(folder.path().join(NETWORK), BYTES).unwrap();
    fs::write(&path, RESCORER).unwrap();
    let manifest = live_manifest();
    assert!(check_live(folder.path(), &manifest));
    for bit in 0..RESCORER.len() * 8 {
        let mut bytes = RESCORER.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, bytes).unwrap();
        assert!(!check_live(folder.path(), &manifest), "bit {bit}");
    }
    fs::remove_file(&path).unwrap();
    assert!(!check_live(folder.path(), &manifest), "it is not there");
}

#[test]
fn records_of_any_bytes_are_read_or_left() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path());
    let (record, network) = (folder.path().join(RECORD), store.network("a"));
    let seed = br#"{"format":1,"wheels":{"w":{"version":"1","licence":"MIT","recipe":"12","converter":1,
        "files":{"networks/a.onnx":{"sha256":"12ab","bytes":3},"bin/ffmpeg":{"sha256":"cd","bytes":4}}}}}"#;
    let said = |bytes: &[u8]| {
        fs::write(&record, bytes).unwrap();
        store.recorded_sha256(&network)
    };
    assert_eq!(said(seed).as_deref(), Some("12ab"));
    for length in 0..seed.len() {
        assert_eq!(said(&seed[..length]), None, "cut at {length}");
    }
    let mut bytes = seed.to_vec();
    for at in 0..seed.len() {
        for value in [seed[at] ^ 1, b'9', b'"', b'{', b'[', 0xff] {
            bytes[at] = value;
            said(&bytes);
        }
        bytes[at] = seed[at];
    }
    let mut random = Random(4);
    for _ in 0..rounds() {
        said(&random.mutate(seed, br#"{"wheels":[null,{"files":{"networks/a.onnx":7}}]}"#));
    }
    assert_eq!(said(&vec![b'['; 1 << 20]), None, "very deep");
}

#[test]
fn a_record_too_large_to_be_one_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path());
    let file = fs::File::create(folder.path().join(RECORD)).unwrap();
    // A terabyte on paper; the disk holds nothing of it.
    file.set_len(1 << 40).unwrap();
    assert_eq!(store.recorded_sha256(&store.network("a")), None);
}
