//! `signpost read` from end to end: our own signing, a real person, and what cannot be read.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::path::Path;
use std::process::Command;

use models::metrics::edit_distance;
use models::store::Store;
use serde_json::Value;
use tests::{data, program, reading, refusal, run, store, text};

/// The letters that were read, without the gaps between words.
fn letters(events: &[Value]) -> String {
    let end = events.last().expect("there is an end");
    assert_eq!(end["event"], "end");
    end["caption"].as_str().unwrap().replace(' ', "")
}

/// How many letters differ.
fn distance(a: &str, b: &str) -> usize {
    edit_distance(a.as_bytes(), b.as_bytes())
}

#[test]
fn reads_its_own_signing_back() {
    if store("reads_its_own_signing_back").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let pose = folder.path().join("own.pose");
    let mut wrong = 0;
    let mut letters_in_all = 0;
    let alphabet: Vec<String> = ('A'..='Z').map(String::from).collect();
    let words = ["HELLO", "SIGNPOST", "WATER", "QUICK", "BROWN", "FOX", "JUMPS", "OVER", "LAZY", "DOG"];
    for word in words.into_iter().chain(alphabet.iter().map(String::as_str)) {
        let signed = run("signpost", ["sign", word, "--language", "ase", "--out", text(&pose)]);
        assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
        let read = letters(&reading(&[text(&pose)]));
        wrong += distance(word, &read);
        letters_in_all += word.len();
        eprintln!("{word}: {read}");
    }
    let rate = wrong as f64 / letters_in_all as f64;
    eprintln!("{wrong} of {letters_in_all} letters wrong ({rate:.2})");
    assert!(rate <= 0.05, "{wrong} of {letters_in_all} letters are wrong");
}

#[test]
fn reads_a_real_person_spelling() {
    let test = "reads_a_real_person_spelling";
    let (Some(data), Some(_)) = (data(test), store(test)) else { return };
    // A hand that spells KINDNESS, of a person who is in no training data.
    let folder = tempfile::tempdir().unwrap();
    let pose = folder.path().join("hand.pose");
    let clip = data.join("oracle/tfjs/asl_hand.25fps.mp4");
    let from_video = reading(&[text(&clip), "--out", text(&pose)]);
    let read = letters(&from_video);
    eprintln!("KINDNESS: {read}");
    assert!(distance("KINDNESS", &read) <= 4, "KINDNESS was read as {read}");
    let end = from_video.last().unwrap();
    assert_eq!((end["frames"].as_u64(), end["lost"].as_u64()), (Some(325), Some(0)), "{end}");
    assert!(from_video.iter().all(|e| e["t"].is_number()), "each event has its time");

    // The landmarks that were kept are what was read.
    assert_eq!(letters(&reading(&[text(&pose)])), read);
}

#[test]
fn every_clip_of_real_people_is_read_from_end_to_end() {
    let test = "every_clip_of_real_people_is_read_from_end_to_end";
    let (Some(data), Some(_)) = (data(test), store(test)) else { return };
    let clips = tests::videos(&data.join("oracle"));
    assert!(clips.len() >= 7, "{clips:?}");
    for clip in clips {
        let events = reading(&[text(&clip)]);
        let end = events.last().expect("there is an end");
        assert_eq!(end["event"], "end", "{}", clip.display());
        assert!(
            end["frames"].as_u64() > Some(0) && end["seen"].as_u64() > Some(0),
            "{}: {end}",
            clip.display()
        );
        assert_eq!(end["lost"], 0, "{}", clip.display());
    }
}

#[test]
fn reading_a_person_leaves_no_file_behind() {
    let test = "reading_a_person_leaves_no_file_behind";
    let (Some(data), Some(store)) = (data(test), store(test)) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut read = Command::new(program("signpost"));
    read.arg("read").arg(data.join("oracle/tfjs/hands.jpg")).current_dir(folder.path());
    for place in ["HOME", "TMPDIR", "XDG_RUNTIME_DIR"] {
        read.env(place, folder.path());
    }
    for kind in ["CACHE", "CONFIG", "DATA", "STATE"] {
        read.env(format!("XDG_{kind}_HOME"), folder.path());
    }
    read.env_remove("SIGNPOST_STATE");
    // Cargo's configuration sets this for tests; on a unit nobody does.
    read.env_remove(edge::engine::NO_TELEMETRY).env("SIGNPOST_CACHE", store.root());
    let output = read.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "something was written");
}

#[test]
fn what_cannot_be_read_is_refused_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("cut.pose"), b"\xcd\xcc\xcc\x3d\x00\x02").unwrap();
    std::fs::write(at("words.mp4"), b"this is no video").unwrap();
    #[track_caller]
    fn check(args: &[&str], expect: &str) {
        let said = refusal(&run("signpost", [&["read"], args].concat()));
        assert!(said.contains(expect), "{said}");
    }
    check(&[text(&at("none.mp4"))], "none.mp4");
    check(&[text(&at("cut.pose"))], "cut.pose");
    check(&["/dev/video99"], "/dev/video99");
    check(&[text(&at("cut.pose")), "--model", "klingon"], "ksl13, asl-words, asl-letters");
    check(&[text(&at("cut.pose")), "--board", "toaster"], "choose one of: desk");
    check(&[text(&at("cut.pose")), "--out", text(&at("nowhere/x.pose"))], "nowhere");
    if edge::ffmpeg::program().is_ok() {
        check(&[text(&at("words.mp4"))], "words.mp4");
    }
}

#[test]
fn a_flipped_byte_in_a_model_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/weights/asl-letters");
    for file in ["manifest.json", "model.onnx"] {
        std::fs::copy(shipped.join(file), folder.path().join(file)).unwrap();
    }
    let network = folder.path().join("model.onnx");
    let mut bytes = std::fs::read(&network).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&network, bytes).unwrap();
    let said = refusal(&run("signpost", ["read", "any.pose", "--model", text(folder.path())]));
    assert!(said.contains("model.onnx") && said.contains("changed"), "{said}");
}

#[test]
fn an_empty_room_is_said_to_be_empty() {
    let test = "an_empty_room_is_said_to_be_empty";
    if store(test).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (pictures, video) = (folder.path().join("pictures"), folder.path().join("room.mp4"));
    std::fs::create_dir(&pictures).unwrap();
    for i in 0..3 {
        let wall = image::RgbImage::from_pixel(320, 240, image::Rgb([90, 110, 100]));
        wall.save(pictures.join(format!("{i}.png"))).unwrap();
    }
    let made = Command::new(edge::ffmpeg::program().unwrap())
        .args(["-v", "error", "-f", "lavfi", "-i", "color=gray:size=320x240:rate=25:duration=1"])
        .args(["-pix_fmt", "yuv420p", text(&video)])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for (source, frames) in [(&pictures, 3), (&video, 25)] {
        let said = refusal(&run("signpost", ["read", text(source)]));
        assert!(said.contains(&format!("nobody was seen in the {frames} frames")), "{said}");
    }
}

#[test]
fn a_flipped_byte_in_a_landmark_network_is_found() {
    let test = "a_flipped_byte_in_a_landmark_network_is_found";
    let Some(whole) = store(test) else { return };
    // A store of our own that differs in one bit of one network.
    let folder = tempfile::tempdir().unwrap();
    let damaged = Store::at(folder.path());
    for folder in ["networks", "lib", "bin"] {
        std::fs::create_dir(damaged.root().join(folder)).unwrap();
    }
    std::fs::copy(whole.root().join("store.json"), damaged.root().join("store.json")).unwrap();
    for name in edge::vision::NETWORKS {
        std::fs::copy(whole.network(name), damaged.network(name)).unwrap();
    }
    let network = damaged.network("hand_landmark_full");
    let mut bytes = std::fs::read(&network).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&network, bytes).unwrap();
    image::RgbImage::new(64, 64).save(folder.path().join("wall.png")).unwrap();

    let mut read = Command::new(program("signpost"));
    read.args(["read", "--no-enrolled"])
        .arg(folder.path().join("wall.png"))
        .env("SIGNPOST_CACHE", damaged.root());
    let said = refusal(&read.output().unwrap());
    assert!(said.contains("hand_landmark_full.onnx is not the file that set-up brought"), "{said}");
}
