//! `signpost sign`, end to end through the program.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::path::Path;
use std::process::{Command, Output};

use edge::production::{self, Options};
use models::lexicon::Lexicon;
use models::pose_file::read_track;
use serde_json::Value;
use tests::{program, refusal, skip, store};

fn sign(arguments: &[&str]) -> Output {
    let mut command = Command::new(program("signpost"));
    // Without a display nothing opens a window.
    command.arg("sign").args(arguments).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command.output().unwrap()
}

#[track_caller]
fn check_success(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn check_refusal(arguments: &[&str], parts: &[&str]) {
    let said = refusal(&sign(arguments));
    for part in parts {
        assert!(said.contains(part), "{said:?} lacks {part:?}");
    }
}

#[test]
fn hello_is_spelled_and_the_video_has_every_frame() {
    if store("hello_is_spelled_and_the_video_has_every_frame").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let [video, pose, words] = ["hello.mp4", "hello.pose", "hello.json"].map(out);
    let mut arguments = vec!["HELLO", "--language", "ase", "--size", "320x200", "--json"];
    for out in [&video, &pose, &words] {
        arguments.extend(["--out", out]);
    }
    let output = sign(&arguments);
    check_success(&output);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["fps"], 30.0, "the rate of the board's screen");
    assert_eq!(report["words"][0]["provenance"], "spelled");
    let signs = report["words"][0]["signs"].as_array().unwrap();
    let glosses: Vec<&str> = signs.iter().map(|s| s["gloss"].as_str().unwrap()).collect();
    assert_eq!(glosses, ["H", "E", "L", "L", "O"]);
    let frames = report["frames"].as_u64().unwrap() as usize;
    assert_eq!(read_track(&pose).unwrap().frames.len(), frames);
    let written: Value = serde_json::from_slice(&std::fs::read(&words).unwrap()).unwrap();
    assert_eq!(written, report);
    assert_eq!(decoded_frames(&video), frames);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 3, "only what was asked for is there: {left:?}");
}

/// How many frames come out of a video of 320 × 200.
fn decoded_frames(video: &str) -> usize {
    let output = Command::new(edge::ffmpeg::program().unwrap())
        .args(["-v", "error", "-i", video, "-f", "rawvideo", "-pix_fmt", "gray", "-"])
        .output()
        .unwrap();
    check_success(&output);
    output.stdout.len() / (320 * 200)
}

#[test]
fn pictures_and_a_gif_are_written() {
    if store("pictures_and_a_gif_are_written").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let [gif, sheet, frames] = ["a.gif", "a.png", "frames/"].map(out);
    let mut arguments = vec!["a", "--language", "ase", "--size", "200x160"];
    for out in [&gif, &sheet, &frames] {
        arguments.extend(["--out", out]);
    }
    check_success(&sign(&arguments));
    assert!(std::fs::read(&gif).unwrap().starts_with(b"GIF89a"));
    assert_eq!(image::open(&sheet).unwrap().width(), 400);
    assert!(std::fs::read_dir(&frames).unwrap().count() > 20);
}

#[test]
fn every_alphabet_of_the_lexicon_spells_its_own_letters() {
    let Some(store) = store("every_alphabet_of_the_lexicon_spells_its_own_letters") else { return };
    let lexicon = Lexicon::open(store.lexicon()).unwrap();
    for (signed, spoken) in lexicon.languages() {
        let letters: Vec<&str> = lexicon.entries(signed).map(|e| e.words.as_str()).collect();
        let options = Options { language: signed.into(), spoken: Some(spoken.into()), fps: 30.0 };
        let signing = production::sign(&letters.join(" "), &options, std::slice::from_ref(&lexicon)).unwrap();
        for word in &signing.words {
            let whole = word.signs.len() == 1 && word.missing.is_empty() && word.signs[0].unusable.is_none();
            assert!(whole, "{signed}: {word:?}");
        }
    }
}

#[test]
fn bad_input_gets_one_sentence() {
    if store("bad_input_gets_one_sentence").is_none() {
        return;
    }
    check_refusal(&["", "--language", "ase"], &["empty"]);
    check_refusal(&["🙂🙂", "--language", "ase"], &["empty"]);
    check_refusal(&["你好", "--language", "ase"], &["你好", "ase", "--lexicon"]);
    check_refusal(&["hello", "--language", "xxx"], &["xxx", "ase", "gsg"]);
    check_refusal(&["hello", "--language", "ase", "--spoken", "fr"], &["fr", "en"]);
    check_refusal(&["hello", "--language", "ase", "--fps", "0"], &["0 frames"]);
    check_refusal(&["hello", "--language", "ase", "--board", "toaster"], &["toaster", "desk"]);
    check_refusal(&["hello", "--language", "ase", "--out", "/nonexistent/a.mp4"], &["/nonexistent/a.mp4"]);
    check_refusal(&["hello", "--language", "ase", "--out", "a.xyz"], &["a.xyz", ".mp4"]);
    check_refusal(&["hello", "--language", "ase"], &["--out"]);
    check_refusal(&["hello", "--language", "ase", "--lexicon", "/nonexistent"], &["/nonexistent"]);
}

#[test]
fn a_video_that_cannot_be_completed_leaves_nothing_behind() {
    let test = "a_video_that_cannot_be_completed_leaves_nothing_behind";
    if !Path::new("/dev/full").exists() {
        return skip(test, "this system has no /dev/full");
    }
    if store(test).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let video = folder.path().join("a.mp4");
    // The file that grows beside the video leads to a disk that is always full.
    let mut child = Command::new("sh")
        .args([
            "-c",
            "ln -s /dev/full \"$1/.a.mp4.$$.part\" && exec \"$2\" sign a --language ase --out \"$1/a.mp4\"",
            "sh",
        ])
        .arg(folder.path())
        .arg(program("signpost"))
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut said).unwrap();
    assert!(!child.wait().unwrap().success());
    assert!(said.contains("a.mp4") && said.contains("free space"), "{said}");
    assert!(!video.exists());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the half file is gone");
}
