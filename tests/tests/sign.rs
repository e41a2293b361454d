//! `signpost sign`, end to end through the program.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use edge::production::{Dictionary, Manner, Production};
use models::annotation::{Annotation, read_srt, read_vtt};
use models::lexicon::Lexicon;
use models::pose_file::read_track;
use models::retrieval::{Subword, SubwordManifest};
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

/// Subtitles, words and poses agree on the times, at any speed and with either hand.
#[test]
fn subtitles_stand_while_their_words_are_signed() {
    if store("subtitles_stand_while_their_words_are_signed").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let made = |speed: &str| {
        let out = |ending: &str| folder.path().join(format!("{speed}.{ending}")).to_str().unwrap().to_owned();
        let outs = ["srt", "vtt", "pose"].map(out);
        let mut arguments =
            vec!["Cab. Bad?", "--language", "ase", "--json", "--speed", speed, "--left-handed"];
        outs.iter().for_each(|out| arguments.extend(["--out", out]));
        let output = sign(&arguments);
        check_success(&output);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let ms = |word: usize, end: &str| (report["words"][word][end].as_f64().unwrap() * 1e3).round() as u32;
        let [srt, vtt] = [0, 1].map(|i| std::fs::read(&outs[i]).unwrap());
        let srt = read_srt(&srt).unwrap();
        assert_eq!(srt, read_vtt(&vtt).unwrap());
        let expect = |i, text: &str| Annotation::new(ms(i, "from_s"), ms(i, "to_s"), text);
        assert_eq!(srt, [expect(0, "Cab."), expect(1, "Bad?")]);
        let track = read_track(&outs[2]).unwrap();
        let hands = ["LEFT_HAND_LANDMARKS", "RIGHT_HAND_LANDMARKS"].map(|hand| {
            let first = track.layout.range(hand).unwrap().start;
            track.frames.iter().filter(|frame| frame.seen(first).is_some()).count()
        });
        assert!(hands[0] > 20 && hands[1] == 0, "{hands:?}");
        track.duration_s()
    };
    let [usual, slow] = ["1", "0.5"].map(made);
    assert!((slow / usual - 2.0).abs() < 0.1, "{slow} s and {usual} s");
}

/// The signer alone: where nobody stands a picture is empty, or green; the two are the same but for that.
#[test]
fn a_signer_can_be_laid_over_other_pictures() {
    if store("a_signer_can_be_laid_over_other_pictures").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let picture = |over: &str| {
        let frames = out(&format!("{over}/"));
        check_success(&sign(&[
            "a",
            "--language",
            "ase",
            "--size",
            "320x200",
            "--over",
            over,
            "--out",
            &frames,
        ]));
        image::open(format!("{frames}00020.png")).unwrap().to_rgba8()
    };
    let [alpha, green] = ["alpha", "green"].map(picture);
    assert_eq!(alpha.get_pixel(2, 2).0, [0, 0, 0, 0]);
    assert_eq!(green.get_pixel(2, 2).0, [0x00, 0xb1, 0x40, 255]);
    let share = alpha.pixels().filter(|p| p.0[3] == 255).count() as f32 / (320.0 * 200.0);
    assert!((0.1..0.6).contains(&share), "{share} of the picture is signer");
    let laid = |i: usize, p: [u8; 4]| {
        let (over, under) = (f32::from(p[i]), [0.0, 177.0, 64.0][i]);
        under + (over - under) * f32::from(p[3]) / 255.0
    };
    for (a, g) in alpha.pixels().zip(green.pixels()) {
        let off = (0..3).map(|i| (laid(i, a.0) - f32::from(g.0[i])).abs()).fold(0.0, f32::max);
        assert!(off <= 3.0, "{a:?} laid over green is {g:?}");
    }
    let video = out("a.mp4");
    check_refusal(
        &["a", "--language", "ase", "--over", "alpha", "--out", &video],
        &["a.mp4", "--over green"],
    );
}

/// A line that cannot be signed is said and counted; the others are whole, in order, in every output.
#[test]
fn the_lines_of_a_feed_are_signed_one_after_the_other() {
    if store("the_lines_of_a_feed_are_signed_one_after_the_other").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let [feed, video, pose, words, srt] = ["feed.txt", "a.mp4", "a.pose", "a.json", "a.srt"].map(out);
    std::fs::write(&feed, "Cab\n\n你好\r\nBad.\n").unwrap();
    let outs = ["--out", &video, "--out", &pose, "--out", &words, "--out", &srt, "--size", "320x200"];
    let from_file = sign(&[&["--feed", &feed, "--language", "ase", "--json"][..], &outs].concat());
    let said = String::from_utf8_lossy(&from_file.stderr).into_owned();
    assert!(!from_file.status.success(), "a line was not signed");
    assert!(
        said.contains("left out: \"你好\": nothing") && said.contains("1 of 3 lines could not"),
        "{said}"
    );
    let lines: Vec<Value> =
        from_file.stdout.split(|b| *b == b'\n').filter_map(|l| serde_json::from_slice(l).ok()).collect();
    let texts: Vec<&str> = lines.iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["Cab", "Bad."]);
    let frames: usize = lines.iter().map(|line| line["frames"].as_u64().unwrap() as usize).sum();
    assert_eq!(read_track(&pose).unwrap().frames.len(), frames);
    assert_eq!(decoded_frames(&video), frames);
    let whole: Value = serde_json::from_slice(&std::fs::read(&words).unwrap()).unwrap();
    assert_eq!((whole["frames"].as_u64().unwrap() as usize, &whole["text"]), (frames, &"Cab\nBad.".into()));
    let first_s = lines[0]["frames"].as_f64().unwrap() / 30.0;
    let apart =
        whole["words"][1]["from_s"].as_f64().unwrap() - lines[1]["words"][0]["from_s"].as_f64().unwrap();
    assert!((apart - first_s).abs() < 1e-3, "{apart} {first_s}");
    let subtitles = read_srt(&std::fs::read(&srt).unwrap()).unwrap();
    assert_eq!(subtitles.last().unwrap().text.split(' ').next_back(), Some("Bad."));

    let piped = |text: &str| {
        let mut command = Command::new(program("signpost"));
        command.args(["sign", "-", "--language", "ase", "--json"]).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = piped("Cab\nBad.\n");
    check_success(&output);
    let lines_only = |stdout: &[u8]| stdout.iter().filter(|b| **b == b'\n').count();
    assert_eq!((lines_only(&output.stdout), output.stdout == from_file.stdout), (2, true));
    assert!(refusal(&piped("\n \n")).contains("empty"));
    let none = piped("你好\n");
    let said = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(!none.status.success() && said.contains("1 of 1 lines could not be signed"), "{said}");
    check_refusal(&["--feed", "/nonexistent", "--language", "ase"], &["/nonexistent"]);
    check_refusal(&["--feed", tests::text(folder.path()), "--language", "ase", "--json"], &["directory"]);
    check_refusal(&["--feed", &feed, "--language", "ase", "--fps", "0"], &["0 frames"]);
}

#[test]
fn every_alphabet_of_the_lexicon_spells_its_own_letters() {
    let Some(store) = store("every_alphabet_of_the_lexicon_spells_its_own_letters") else { return };
    let lexicon = Lexicon::open(store.lexicon()).unwrap();
    for (signed, spoken) in lexicon.languages() {
        let letters: Vec<&str> = lexicon.entries(signed).map(|e| e.words.as_str()).collect();
        let dictionary = Dictionary::new(vec![lexicon.clone()], signed, Some(spoken)).unwrap();
        let signing = Production::new(dictionary).sign(&letters.join(" "), Manner::at(30.0)).unwrap();
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
    check_refusal(&["\u{202e}\u{200f} \u{2066}", "--language", "ase"], &["empty"]);
    check_refusal(&[&"a ".repeat(50_000), "--language", "ase"], &["100000 characters", "at most 500"]);
    check_refusal(&["你好", "--language", "ase"], &["你好", "ase", "--lexicon"]);
    check_refusal(&["hello", "--language", "xxx"], &["xxx", "ase", "gsg"]);
    check_refusal(&["hello", "--language", "ase", "--spoken", "fr"], &["fr", "en"]);
    check_refusal(&["hello", "--language", "ase", "--fps", "0"], &["0 frames"]);
    check_refusal(&["hello", "--language", "ase", "--speed", "3"], &["3 times", "0.25 to 2"]);
    check_refusal(&["hello", "--language", "ase", "--board", "toaster"], &["toaster", "desk"]);
    check_refusal(&["hello", "--language", "ase", "--out", "/nonexistent/a.mp4"], &["/nonexistent/a.mp4"]);
    check_refusal(&["hello", "--language", "ase", "--out", "a.xyz"], &["a.xyz", ".mp4"]);
    check_refusal(&["hello", "--language", "ase"], &["--out"]);
    check_refusal(&["hello", "--language", "ase", "--lexicon", "/nonexistent"], &["/nonexistent"]);
    check_refusal(&["hello", "--language", "ase", "--embedder", "/nonexistent"], &["/nonexistent"]);
    let folder = tempfile::tempdir().unwrap();
    let folder = tests::text(folder.path());
    check_refusal(&["hello", "--language", "ase", "--translator", folder], &[folder, "missing"]);
    let broken = format!("{folder}/embedder");
    std::fs::write(&broken, b"signpost-embedder 1 0123\n{}\n").unwrap();
    check_refusal(
        &["hello", "--language", "ase", "--embedder", &broken],
        &["cut or changed", "train it again"],
    );
}

/// Scripts and marks side by side: each word says what became of it, and none is gone.
#[test]
fn mixed_scripts_are_signed_as_far_as_the_alphabet_goes() {
    if store("mixed_scripts_are_signed_as_far_as_the_alphabet_goes").is_none() {
        return;
    }
    let output = sign(&["Hi 你好 \u{202e}مرحبا\u{202c} 👍 GPS定位", "--language", "ase", "--json"]);
    check_success(&output);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of =
        |word: &Value| format!("{} {}", word["text"].as_str().unwrap(), word["provenance"].as_str().unwrap());
    let words: Vec<String> = report["words"].as_array().unwrap().iter().map(of).collect();
    let expect = ["Hi spelled", "你好 not-found", "مرحبا not-found", "GPS spelled", "定位 not-found"];
    assert_eq!(words, expect);
}

/// What an embedder finds says so, and a lexicon in other letters is found without one.
#[test]
fn a_word_that_no_lexicon_has_is_signed_by_one_that_is_signed_alike() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| tests::text(&folder.path().join(name)).to_owned();
    let clip = tests::made::hand_up();
    models::pose_file::write_track_file(folder.path().join("a.pose"), &clip).unwrap();
    let index = "path,spoken_language,signed_language,words,glosses\na.pose,de,gsg,,REGEN\na.pose,de,gsg,Grüße,GRUSS\n";
    std::fs::write(at("index.csv"), index).unwrap();
    let manifest = SubwordManifest {
        name: "test".into(),
        spoken: "de".into(),
        signed: "gsg".into(),
        width: 2,
        buckets: 0,
        threshold: 0.7,
        words: vec!["schauer".into(), "wolke".into()],
        labels: vec!["regen".into()],
        data: vec![],
        metrics: vec![],
        recipe: "none".into(),
    };
    let vectors = vec![0.8, 0.1, 0.5, 0.5, 1.0, 0.0];
    Subword::new(manifest, vectors).unwrap().write(&folder.path().join("embedder")).unwrap();
    let lexicon = at("");
    let said = |text: &str, more: &[&str]| {
        let all = [&[text, "--language", "gsg", "--lexicon", &lexicon, "--json"], more].concat();
        let output = sign(&all);
        check_success(&output);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let of = |word: &Value| word["provenance"].as_str().unwrap().to_owned();
        report["words"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    let embedder = at("embedder");
    let with = ["--embedder", &embedder];
    assert_eq!(said("Gruesse Schauer Wolke", &with), ["normalised", "synonym", "not-found"]);
    assert_eq!(said("Gruesse Schauer Wolke", &[]), ["normalised", "not-found", "not-found"]);
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
