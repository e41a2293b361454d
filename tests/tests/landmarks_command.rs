//! `signpost landmarks` from end to end: every frame of a recording, parts of one, and what cannot be read.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use models::pose::{Known, Pose, PoseTrack};
use models::pose_file::{self, TrackWriter};
use serde_json::Value;
use tests::{data, refusal, run, skip, store, text};

/// Where body, face and hands are in a pose, by their names in the `end` event.
const PARTS: [(&str, Range<usize>); 4] =
    [("body", 0..33), ("face", 33..501), ("left_hand", 501..522), ("right_hand", 522..543)];

/// Runs the command with `--json`, and gives its events.
#[track_caller]
fn events(source: &Path, out: &Path, more: &[&str]) -> (Output, Vec<Value>) {
    let output = run("signpost", [&["landmarks", text(source), "--out", text(out), "--json"], more].concat());
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    let events = lines.lines().map(|l| serde_json::from_str(l).expect("one JSON object a line")).collect();
    (output, events)
}

/// Extracts what must succeed in silence: the file, its bytes and the events.
#[track_caller]
fn check(source: &Path, more: &[&str]) -> (PoseTrack, Vec<u8>, Vec<Value>) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.pose");
    let (output, events) = events(source, &out, more);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    (pose_file::read_track(&out).unwrap(), fs::read(&out).unwrap(), events)
}

/// What the events say is what the file holds.
#[track_caller]
fn check_events(track: &PoseTrack, events: &[Value]) {
    let [source, frames @ .., kept, end] = events else { panic!("{events:?}") };
    assert_eq!(
        (&source["event"], &kept["event"], &end["event"]),
        (&"source".into(), &"kept".into(), &"end".into())
    );
    assert_eq!(track.layout, Known::Holistic576.layout());
    let layout: u64 =
        source["layout"].as_array().unwrap().iter().map(|c| c["landmarks"].as_u64().unwrap()).sum();
    assert_eq!(layout, 576);
    assert_eq!(source["fps"], f64::from(track.fps));
    assert_eq!((&source["width"], &source["height"]), (&track.size[0].into(), &track.size[1].into()));
    assert!(source["engine"].as_str().unwrap().contains("thread"), "{source}");
    for said in [&kept["frames"], &end["frames"], &source["frames"], &frames.len().into()] {
        assert_eq!(*said, track.frames.len(), "every frame gives a pose");
    }
    for (i, (frame, pose)) in frames.iter().zip(&track.frames).enumerate() {
        assert!((frame["t"].as_f64().unwrap() - i as f64 / f64::from(track.fps)).abs() < 1e-5, "{frame}");
        assert_eq!(frame["body"].is_object(), seen(pose, &PARTS[0].1), "{frame}");
        let presences = [&frame["face"], &frame["hands"]["left"], &frame["hands"]["right"]];
        for (said, (_, part)) in presences.into_iter().zip(&PARTS[1..]) {
            let said = said.get("presence").map_or(0.0, |p| p.as_f64().unwrap());
            assert_eq!(said as f32, pose.confidence[part.start], "{frame}");
        }
    }
    for (name, part) in PARTS {
        let in_file = track.frames.iter().filter(|pose| seen(pose, &part)).count();
        assert_eq!(end["seen"][name], in_file, "{name}");
    }
}

fn seen(pose: &Pose, part: &Range<usize>) -> bool {
    pose.confidence[part.clone()].iter().any(|c| *c > 0.0)
}

/// Makes a video in a folder with what `ffmpeg` can draw.
fn video(folder: &Path, name: &str, drawn: &str, more: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let made = Command::new(edge::ffmpeg::program().unwrap())
        .args(["-v", "error", "-f", "lavfi", "-i", drawn, "-pix_fmt", "yuv420p"])
        .args(more)
        .arg(&path)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    path
}

#[test]
fn every_frame_gives_a_pose_and_every_run_the_same_bytes() {
    let test = "every_frame_gives_a_pose_and_every_run_the_same_bytes";
    let (Some(data), Some(_)) = (data(test), store(test)) else { return };
    let clip = data.join("oracle/tfjs/pose_squats.mp4");
    let (track, bytes, events) = check(&clip, &[]);
    assert_eq!((track.frames.len(), track.fps, track.size), (65, 5.0, [720, 1280, 0]));
    assert!(track.frames.iter().all(|pose| seen(pose, &PARTS[0].1)), "the body is in every frame");
    check_events(&track, &events);
    assert!(check(&clip, &[]).1 == bytes, "a second run gave other bytes");
    assert!(check(&clip, &["--threads", "1"]).1 == bytes, "one thread gave other bytes");

    // `signpost read` keeps the same landmarks.
    let folder = tempfile::tempdir().unwrap();
    let read = folder.path().join("read.pose");
    run("signpost", ["read", text(&clip), "--out", text(&read)]);
    assert!(fs::read(read).unwrap() == bytes, "`signpost read --out` kept others");
}

#[test]
fn parts_that_touch_share_no_frame_and_lose_none() {
    let test = "parts_that_touch_share_no_frame_and_lose_none";
    if store(test).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let clip = video(folder.path(), "clip.mp4", "testsrc2=size=128x96:rate=10:duration=3", &["-bf", "2"]);
    let frames = |more: &[&str]| check(&clip, more).0.frames.len();
    let all = frames(&[]);
    assert_eq!(all, 30);
    let cuts = ["0", "0.3", "1.25", "2.0004", "99"];
    let parts: Vec<usize> = cuts.windows(2).map(|c| frames(&["--from", c[0], "--to", c[1]])).collect();
    assert_eq!(parts, [3, 10, 7, 10]);
}

#[test]
fn a_recording_of_nobody_is_kept_and_said_to_be_one() {
    let test = "a_recording_of_nobody_is_kept_and_said_to_be_one";
    if store(test).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let room = video(folder.path(), "room.mp4", "color=gray:size=320x240:rate=25:duration=0.4", &[]);
    let pictures = folder.path().join("pictures");
    fs::create_dir(&pictures).unwrap();
    for i in 0..3 {
        image::RgbImage::new(64, 48).save(pictures.join(format!("{i}.png"))).unwrap();
    }
    for (source, frames) in [(&room, 10), (&pictures, 3), (&pictures.join("1.png"), 1)] {
        let (track, _, events) = check(source, &[]);
        assert_eq!(track.frames, vec![Pose::unseen(576); frames]);
        check_events(&track, &events);
        let out = folder.path().join("said.pose");
        let said = run("signpost", ["landmarks", text(source), "--out", text(&out)]).stdout;
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("nobody was seen"), "{said}");
    }
}

#[test]
fn of_a_damaged_recording_what_could_be_seen_is_kept() {
    let test = "of_a_damaged_recording_what_could_be_seen_is_kept";
    if store(test).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // With its index in front and each picture for itself, the first half of a file can still be read.
    let more = ["-g", "1", "-movflags", "+faststart"];
    let whole = video(folder.path(), "whole.mp4", "testsrc2=size=320x240:rate=10:duration=3", &more);
    let bytes = fs::read(&whole).unwrap();
    let half = folder.path().join("half.mp4");
    fs::write(&half, &bytes[..bytes.len() / 2]).unwrap();
    let out = folder.path().join("half.pose");
    let (output, events) = events(&half, &out, &[]);
    let said = refusal(&output);
    assert!(said.contains("half.mp4") && said.contains("frames could be read"), "{said}");
    let frames = pose_file::read_track(&out).unwrap().frames.len();
    assert!((1..30).contains(&frames), "{frames} frames");
    let [.., end, fault] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&end["event"], &end["frames"]), (&"end".into(), &frames.into()));
    assert_eq!((&fault["event"], &fault["of"]), (&"fault".into(), &"source".into()));
    assert!(said.ends_with(fault["said"].as_str().unwrap()), "{fault}");
}

#[test]
fn what_gives_no_landmarks_is_refused_in_one_sentence_and_writes_nothing() {
    let test = "what_gives_no_landmarks_is_refused_in_one_sentence_and_writes_nothing";
    if store(test).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("words.mp4"), "this is no video").unwrap();
    image::RgbImage::new(8, 8).save(at("dot.png")).unwrap();
    fs::create_dir(at("empty")).unwrap();
    let out = at("out.pose");
    #[track_caller]
    fn check(source: &Path, out: &Path, more: &[&str], of: &str, expect: &str) {
        let (output, events) = events(source, out, more);
        let said = refusal(&output);
        assert!(said.contains(expect) && said.matches(expect).count() == 1, "{said}");
        assert_eq!(events.last().unwrap()["of"], of, "{said}");
        assert!(!out.exists());
    }
    check(Path::new("/dev/video0"), &out, &[], "machine", "is a camera");
    check(&at("none.mp4"), &out, &[], "machine", "No such file");
    check(&at("words.mp4"), &out, &[], "source", "words.mp4");
    check(&at("empty"), &out, &[], "source", "holds no picture");
    check(&at("dot.png"), &at("out.mp4"), &[], "machine", "choose a name that ends in .pose");
    check(&at("dot.png"), &at("no/out.pose"), &[], "machine", "there is no folder");
    check(&at("dot.png"), &out, &["--board", "toaster"], "machine", "choose one of: desk");
    check(&at("dot.png"), &out, &["--from", "3"], "source", "choose --from before --to");
    check(&at("dot.png"), &out, &["--from", "0.01", "--to", "0.01"], "source", "choose --from before --to");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing was written");
}

#[test]
fn a_long_track_takes_little_memory() {
    /// Ten minutes at 25 frames a second: 138 MB of landmarks.
    const FRAMES: usize = 15_000;
    const MOST_KB: u64 = 30_000;
    let test = "a_long_track_takes_little_memory";
    let Some(before) = resident_kb() else { return skip(test, "this system has no /proc/self/status") };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.pose");
    let layout = Known::Holistic576.layout();
    let mut writer = TrackWriter::create(&path, &layout, 25.0, [640, 480, 0]).unwrap();
    let pose = Pose { points: vec![[1.0, 2.0, 3.0]; 576], confidence: vec![0.5; 576] };
    let mut most = 0;
    for _ in 0..FRAMES {
        writer.push(&pose).unwrap();
        if writer.frames().is_multiple_of(1000) {
            most = most.max(resident_kb().unwrap());
        }
    }
    writer.finish().unwrap();
    assert!(most < before + MOST_KB, "{before} kB became {most} kB");
    let length = fs::metadata(path).unwrap().len();
    assert!(length > FRAMES as u64 * 576 * 16, "{length} bytes");
}

/// The memory that this process holds.
fn resident_kb() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
