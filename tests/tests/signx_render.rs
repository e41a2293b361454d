//! A signer of our own: fitted to recorded signing, and rendered into five tracks that belong together.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use host::body::fit::fit;
use host::body::part::Part;
use host::data::npy::Npz;
use host::signx::Preset;
use host::signx::clip::clips;
use host::signx::read::{Frames, Sources};
use host::signx::rendered::{Options, Report, Video, render};
use host::signx::track::Track;
use models::pose_file::{read_track, write_track_file};
use models::utterance::{TimedGloss, Utterance};
use tests::made::hand_up;
use tests::{refusal, run, text};

/// Fits a clip and holds the means to these limits, in percent of the shoulders' width.
#[track_caller]
fn check_fit(data: &Path, clip: &str, body: f64, hands: f64) {
    let fitted = fit(&read_track(data.join("poses").join(clip)).unwrap()).unwrap();
    let error = fitted.error;
    eprintln!("{clip}: body {:.2} %, hands {:.2} % of {:?} landmarks", error.body, error.hands, error.counts);
    assert!(error.body < body && error.hands < hands, "{clip}: {error:?}");
}

#[test]
fn recorded_signing_is_fitted() {
    let Some(data) = tests::data("recorded_signing_is_fitted") else { return };
    let dgs = |number: usize| format!("dgs_fluent/assets/sample_dataset/train/train_{number}_original.pose");
    for number in [1, 4, 9, 12] {
        check_fit(&data, &dgs(number), 4.0, 2.5);
    }
    check_fit(&data, "lexicon_sgg/assets/dummy_lexicon/sgg/pizza.pose", 4.0, 2.5);
    check_fit(&data, "segmentation/sign_language_segmentation/tests/example.pose", 4.0, 3.5);
    let colin = "pose_evaluation/pose_evaluation/utils/test/test_data/mediapipe/standard_landmarks/colin-1-HOUSE.pose";
    check_fit(&data, colin, 4.5, 3.5);
}

/// A corpus of two utterances of one recording, one in each part.
fn corpus(folder: &Path) {
    write_track_file(folder.join("a.pose"), &hand_up()).unwrap();
    let gloss = TimedGloss { gloss: "UP".into(), start_s: 0.4, end_s: 1.6, confidence: None };
    let line = |id: &str, split: &str| Utterance {
        id: id.into(),
        signer: "anna".into(),
        pose: Some("a.pose".into()),
        glosses: vec![gloss.clone()],
        split: Some(split.into()),
        ..Utterance::default()
    };
    let lines = [line("x/1", "train"), line("x/2", "val")].map(|u| serde_json::to_string(&u).unwrap());
    fs::write(folder.join("utterances.jsonl"), lines.join("\n")).unwrap();
}

#[test]
fn what_is_rendered_is_what_networks_learn_from() {
    let folder = tempfile::tempdir().unwrap();
    corpus(folder.path());
    let out = folder.path().join("out");
    rendered(folder.path(), &out, 5, 64);
    let read = clips(&out, &Preset::tiny()).unwrap();
    assert_eq!(read.len(), 2);
    for (utterance, clip) in &read {
        assert!(clip.there.iter().all(|there| *there == [true; 5]), "{}", utterance.id);
        let values =
            |track: Track| clip.tracks[track as usize].as_deref().unwrap().chunks_exact(track.width());
        let mut seen = 0;
        // The right wrist and shoulder are in one place in both measures.
        for (landmarks, points) in values(Track::MediaPipe).zip(values(Track::DwPose)) {
            for (landmark, point) in [(16, 4), (12, 2)] {
                let [a, b] = [&landmarks[landmark * 4..], &points[point * 3..]];
                // DWPose says nothing of what is not in the picture.
                seen += usize::from(b[2] > 0.0);
                assert!(
                    b[2] == 0.0 || (a[0] - b[0]).hypot(a[1] - b[1]) < 0.03,
                    "{:?} {:?}",
                    &a[..2],
                    &b[..2]
                );
            }
        }
        assert!(seen > clip.frames());
        let labels = values(Track::Sapiens).flatten();
        assert!(labels.clone().all(|label| (0.0..=1.0).contains(label)) && labels.clone().any(|l| *l > 0.3));
    }
}

fn rendered(poses: &Path, out: &Path, seed: u64, side: usize) -> Report {
    let video = Video { side, pixels: true };
    let (fps, piece) = (None, None);
    let options = Options { poses: poses.into(), out: out.into(), seed, fps, piece, video, threads: 2 };
    render(&options, |_, _| {}).unwrap()
}

#[test]
fn every_piece_is_of_another_person() {
    let folder = tempfile::tempdir().unwrap();
    corpus(folder.path());
    let out = folder.path().join("out");
    let (fps, piece, video) = (Some(10.0), Some(8), Video { side: 24, pixels: false });
    let (poses, threads) = (folder.path().into(), 2);
    let options = Options { poses, out: out.clone(), seed: 5, fps, piece, video, threads };
    let report = render(&options, |_, _| {}).unwrap();
    // Two seconds of each of two utterances: 6, 7 and 7 frames, none as short as what 8 and 8 would leave.
    assert_eq!((report.utterances, report.frames, report.left_out.len()), (6, 40, 0));
    let listed = host::data::utterances(&out).unwrap();
    assert_eq!(listed[1].id, "x/1-001");
    let mut corners = vec![];
    for (utterance, frames) in listed.iter().zip([6, 7, 7].into_iter().cycle()) {
        assert!(utterance.glosses.is_empty(), "a piece of a sign says nothing");
        assert_eq!(utterance.signer, "anna");
        let read = Sources::of(&out, utterance).read().unwrap();
        assert_eq!((read.frames, read.fps), (frames, 10.0));
        let of = out.join(utterance.pose.as_ref().unwrap()).with_file_name("video.npz");
        let video = Npz::open(&of).unwrap().array("frames").unwrap().unwrap();
        assert_eq!(video.shape, [frames, 24, 24, 3]);
        let corner = |frame: usize| video.values[frame * 24 * 24 * 3..][..3].to_vec();
        assert_eq!(corner(0), corner(frames - 1), "one room a piece");
        assert!(!corners.contains(&corner(0)), "and another for each");
        corners.push(corner(0));
    }
}

/// All files below a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for ending in ["jsonl", "npz", "npy", "pose"] {
        for path in tests::files(folder, ending) {
            found.insert(text(path.strip_prefix(folder).unwrap()).to_owned(), fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn tracks_belong_together() {
    let folder = tempfile::tempdir().unwrap();
    corpus(folder.path());
    let out = folder.path().join("out");
    let report = rendered(folder.path(), &out, 5, 64);
    assert_eq!((report.utterances, report.frames, report.left_out.len()), (2, 100, 0));
    let listed = host::data::utterances(&out).unwrap();
    assert_eq!(listed.iter().map(|u| u.split.clone().unwrap()).collect::<Vec<_>>(), ["train", "val"]);
    let mut videos = vec![];
    for utterance in &listed {
        assert_eq!((&*utterance.signer, utterance.glosses.len()), ("anna", 1), "what was known stays");
        let of = out.join(utterance.pose.as_ref().unwrap()).parent().unwrap().to_owned();
        let read = Sources::of(&out, utterance).read().unwrap();
        assert_eq!((read.frames, read.fps), (50, 25.0));
        let track = |track: Track| read.track(track).unwrap();
        agree(track(Track::DwPose), track(Track::MediaPipe), track(Track::Sapiens), track(Track::PrimeDepth));
        let smplerx = track(Track::SmplerX);
        assert!(smplerx.present.iter().all(|p| *p));
        let turned = smplerx.values[0];
        assert!((2.4..3.9).contains(&turned), "upright before a camera whose y points down: {turned}");
        let after = smplerx.values.iter().skip(165);
        let most = after.zip(&smplerx.values).map(|(b, a)| (b - a).abs()).fold(0.0, f32::max);
        assert!(most < 1.0, "angles do not jump: {most}");
        let mut video = Npz::open(&of.join("video.npz")).unwrap();
        let frames = video.array("frames").unwrap().unwrap();
        assert_eq!(frames.shape, [50, 64, 64, 3]);
        for name in ["depth", "parts"] {
            assert_eq!(video.array(name).unwrap().unwrap().shape, [50, 64, 64], "{name}");
        }
        videos.push(frames.values);
    }
    assert_ne!(videos[0], videos[1], "other people, other rooms");
}

/// Points, parts and depth are of one picture.
#[track_caller]
fn agree(dwpose: &Frames, mediapipe: &Frames, sapiens: &Frames, depth: &Frames) {
    let (mut tips, mut on_hand) = (0, 0);
    for t in 0..dwpose.present.len() {
        let points: Vec<&[f32]> = dwpose.values[t * 384..(t + 1) * 384].chunks(3).collect();
        let landmarks = &mediapipe.values[t * 258..(t + 1) * 258];
        // The right wrist is the body's number 4 here and 16 there.
        if points[4][2] > 0.0 {
            let far = (points[4][0] - landmarks[16 * 4]).hypot(points[4][1] - landmarks[16 * 4 + 1]);
            assert!(far < 1e-5, "frame {t}: the wrists lie {far} apart");
        }
        let cell = |p: &[f32]| [0, 1].map(|i| ((p[i] * 24.0) as usize).min(23));
        // Tips of the right hand that are seen.
        for k in [8, 12, 16, 20] {
            let tip = points[39 + k];
            if tip[2] < 0.9 {
                continue;
            }
            // A tip may lie on the edge between two cells.
            let [x, y] = cell(tip);
            let beside = |at: usize| at.saturating_sub(1)..=(at + 1).min(23);
            let cells = || beside(y).flat_map(|y| beside(x).map(move |x| t * 576 + y * 24 + x));
            tips += 1;
            on_hand += usize::from(cells().any(|k| sapiens.values[k] == f32::from(Part::RightHand.label())));
            assert!(cells().any(|k| depth.values[k] < 0.99), "frame {t}: a hand stands before the wall");
        }
        let nose = points[0];
        if nose[2] > 0.9 {
            let [x, y] = cell(nose);
            assert_eq!(sapiens.values[t * 576 + y * 24 + x], f32::from(Part::FaceNeck.label()), "frame {t}");
        }
    }
    assert!(tips > 40 && on_hand * 10 > tips * 8, "{on_hand} of {tips} tips lie on the hand");
}

#[test]
fn a_seed_writes_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    corpus(folder.path());
    let of = |name: &str, seed| {
        let out = folder.path().join(name);
        rendered(folder.path(), &out, seed, 24);
        files(&out)
    };
    let (a, b, c) = (of("a", 1), of("b", 1), of("c", 2));
    assert_eq!(a.len(), 1 + 2 * 6);
    assert!(a == b, "the same seed gives the same bytes");
    assert!(a.iter().filter(|(name, bytes)| c[*name] != **bytes).count() > 8, "another seed others");
}

#[test]
fn bad_input_gets_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let said = |poses: &Path| {
        let out = folder.path().join("out");
        refusal(&run("signpost-host", ["signx", "render", "--poses", text(poses), "--out", text(&out)]))
    };
    assert!(said(Path::new("/nonexistent")).contains("/nonexistent"));
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(said(&empty).contains("give a .pose file, a folder of them, or a corpus"));
    fs::write(empty.join("a.pose"), "no pose").unwrap();
    assert!(said(&empty).contains("a.pose"));
}
