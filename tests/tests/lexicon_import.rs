//! Sequences of landmarks that others wrote, h5py and json, become a lexicon that signs.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use models::lexicon::Lexicon;
use models::pose_file::read_track;
use serde_json::Value;
use tests::text;

fn parity(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("parity/sequences").join(name)
}

fn import(from: &Path, out: &Path, more: &[&str]) -> Output {
    let args = ["lexicon", "import", text(from), "--signed", "csl", "--spoken", "zh", "--out", text(out)];
    tests::run("signpost-host", [&args, more].concat())
}

#[test]
fn both_forms_become_the_same_signs() {
    let expected: Value = serde_json::from_slice(&fs::read(parity("expected.json")).unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    // JSON does not say how large the pictures were; the other file does.
    for (name, more) in [("signs.h5", &[][..]), ("signs.json", &["--size", "1280x720"])] {
        let out = dir.path().join(name);
        let output = import(&parity(name), &out, &[more, &["--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&report["clips"], &report["frames"]), (&2.into(), &20.into()));
        let lexicon = Lexicon::open(&out).unwrap();
        for entry in lexicon.entries("csl") {
            let track = read_track(out.join(&entry.path)).unwrap();
            assert_eq!((track.fps, track.size), (25.0, [1280, 720, 0]));
            let last = track.frames.last().unwrap();
            let hand = track.layout.range("RIGHT_HAND_LANDMARKS").unwrap();
            let expect = expected["right_hand_of_last_frame"][&entry.glosses].as_array().unwrap();
            for (k, expect) in hand.zip(expect) {
                let far = |i: usize| (f64::from(last.points[k][i]) - expect[i].as_f64().unwrap()).abs();
                assert!((0..3).all(|i| far(i) < 0.01) && last.confidence[k] == 1.0, "{name}: landmark {k}");
            }
            let left = track.layout.range("LEFT_HAND_LANDMARKS").unwrap();
            assert!(left.clone().all(|k| last.seen(k).is_none()), "what is null or 0 was not seen");
            assert_eq!(last.confidence[0], 0.9, "a body's landmark is as sure as it is visible");
        }

        let file = dir.path().join(name).with_extension("lexicon");
        let output = tests::run("signpost-host", ["lexicon", "build", text(&out), "--out", text(&file)]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let signed = dir.path().join("signed.json");
        let sign = ["sign", "你好，谢谢", "--language", "csl", "--spoken", "zh", "--lexicon", text(&file)];
        let output = tests::run("signpost", [&sign[..], &["--out", text(&signed)]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said: Value = serde_json::from_slice(&fs::read(&signed).unwrap()).unwrap();
        let from = said["words"].as_array().unwrap().iter().map(|w| w["provenance"].as_str().unwrap());
        assert_eq!(from.collect::<Vec<_>>(), ["lexicon"; 2], "{said}");
    }
}

#[test]
fn what_cannot_be_imported_says_why_and_the_rest_is() {
    let dir = tempfile::tempdir().unwrap();
    let (from, out) = (dir.path().join("from"), dir.path().join("out"));
    fs::create_dir_all(from.join("more")).unwrap();
    let refusal = |more: &[&str]| tests::refusal(&import(&from, &out, more));
    assert!(refusal(&[]).contains("there is no .json, .h5 or .hdf5 file"));
    fs::copy(parity("signs.json"), from.join("more/signs.json")).unwrap();
    assert!(refusal(&[]).contains("give --size"));
    assert_eq!(import(&from, &out, &["--size", "large"]).status.code(), Some(2), "a wrong command line");
    fs::write(from.join("broken.h5"), "no HDF5").unwrap();
    fs::write(from.join("a.json"), "[[1, 2, 3]]").unwrap();
    let output = import(&from, &out, &["--size", "1280x720"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("broken.h5") && said.contains("copy it again"), "{said}");
    assert!(said.contains("a frame of 3 numbers"), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("2 signs of 20 frames, 2 left out"));
    assert!(refusal(&["--size", "1280x720"]).contains("give --out a new folder"), "nothing is overwritten");
}
