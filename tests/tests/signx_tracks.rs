//! Five estimators' tracks: read as NumPy's own tools wrote them, fitted together, or refused in one sentence; and
//! a model with SMPL-X's arrays moves as its equations say.
//!
//! `parity/signx_tracks/make.py` made the fixtures.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::{Path, PathBuf};

use host::body::person::Person;
use host::body::pose::BodyPose;
use host::body::smplx::SmplX;
use host::data::npy::{Npz, Values, write_npy};
use host::signx::read::{Gaps, Sources};
use host::signx::track::{FRAME, Track};

const PARITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/parity/signx_tracks");

/// Reads one track.
fn source(track: Track, path: impl AsRef<Path>) -> Sources {
    let mut sources = Sources { fps: Some(30.0), ..Sources::default() };
    sources.paths[track as usize] = Some(path.as_ref().to_owned());
    sources
}

/// The track of a fixture has in frame t the number k as told.
#[track_caller]
fn check(track: Track, file: &str, tolerance: f32, expect: impl Fn(usize, usize) -> f32) {
    let read = source(track, Path::new(PARITY).join(file)).read().unwrap();
    assert_eq!((read.frames, read.fps), (3, 30.0), "{file}");
    let frames = read.track(track).unwrap();
    assert_eq!(frames.present, [true; 3]);
    for (at, value) in frames.values.iter().enumerate() {
        let (t, k) = (at / track.width(), at % track.width());
        assert!((value - expect(t, k)).abs() <= tolerance, "{file}: frame {t}, number {k} is {value}");
    }
}

#[test]
fn what_numpy_wrote_is_read() {
    let smplerx = |t: usize, k: usize| t as f32 + k as f32 / 1000.0;
    check(Track::SmplerX, "smplx", 1e-6, smplerx);
    check(Track::SmplerX, "clip.npz", 1e-6, smplerx);
    let dwpose = |t: usize, k: usize| (k + t) as f32 / 1000.0;
    check(Track::DwPose, "dwpose.npz", 1e-6, dwpose);
    check(Track::DwPose, "dwpose.json", 1e-4, dwpose);
}

#[test]
fn tracks_of_a_folder_stand_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(Path::new(PARITY).join("clip.npz"), folder.path().join("smplerx.npz")).unwrap();
    let mut rows = vec![0.5; 3 * 258];
    rows[258..2 * 258].fill(0.0);
    write_npy(&folder.path().join("mediapipe.npy"), &[3, 258], Values::F32(&rows)).unwrap();
    write_npy(&folder.path().join("sapiens.npy"), &[3, 24, 24], Values::U8(&[27; 3 * 576])).unwrap();
    let read = Sources::in_folder(folder.path()).read().unwrap();
    assert_eq!(read.fps, 30.0, "the rate that a file says");
    let presence = [
        [true, false, true, false, true],
        [true, false, false, false, true],
        [true, false, true, false, true],
    ];
    assert_eq!(read.presence(), presence, "a row of zeros shows nobody");
    let rows = read.rows();
    assert_eq!(rows.len(), 3 * FRAME);
    assert_eq!(rows[2 * FRAME], 2.0);
    assert_eq!(rows[FRAME - 1], 27.0);
    assert_eq!(rows[Track::MediaPipe.columns().start], 0.5);
    assert!(rows[Track::DwPose.columns()].iter().all(|v| *v == 0.0));
}

#[test]
fn frames_without_a_file_are_an_error_or_nobody() {
    let folder = tempfile::tempdir().unwrap();
    for (number, name) in [(1, "00001_0.npz"), (2, "00004_0.npz"), (3, "00004_1.npz")] {
        let from = Path::new(PARITY).join(format!("smplx/{number:05}_0.npz"));
        fs::copy(from, folder.path().join(name)).unwrap();
    }
    let mut sources = source(Track::SmplerX, folder.path());
    let said = sources.read().unwrap_err().to_string();
    assert!(said.contains("SMPLer-X, frame 1: there is no file of number 2; make it again"), "{said}");
    sources.gaps = Gaps::Absent;
    let read = sources.read().unwrap();
    assert_eq!(read.track(Track::SmplerX).unwrap().present, [true, false, false, true]);
    assert_eq!(read.rows()[3 * FRAME], 1.0, "of two people the first");
}

/// What is wrong is said with the file, and with these words.
#[track_caller]
fn refused(track: Track, path: &Path, expect: &str) {
    let said = source(track, path).read().unwrap_err().to_string();
    assert!(said.starts_with(path.to_str().unwrap()) && said.contains(expect), "{said:?}: {expect:?}");
    assert_eq!(said.lines().count(), 1);
    assert!(said.contains("; "), "it ends with the next step: {said}");
}

#[test]
fn what_does_not_fit_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, shape: &[usize], values: &[f32]| -> PathBuf {
        let path = folder.path().join(name);
        write_npy(&path, shape, Values::F32(values)).unwrap();
        path
    };
    let mut rows = vec![0.5; 2 * 258];
    refused(Track::MediaPipe, &file("a.npy", &[2, 129, 2], &rows), "MediaPipe: its shape is [2, 129, 2]");
    rows[258 + 7] = f32::NAN;
    refused(Track::MediaPipe, &file("b.npy", &[2, 258], &rows), "MediaPipe, frame 1: number 7 of 258 is NaN");
    let mut labels = vec![3.0; 2 * 576];
    labels[600] = 28.0;
    refused(Track::Sapiens, &file("c.npy", &[2, 24, 24], &labels), "Sapiens, frame 1: 28 is no label");
    labels[600] = f32::INFINITY;
    refused(
        Track::PrimeDepth,
        &file("d.npy", &[2, 576], &labels),
        "PrimeDepth, frame 1: number 24 of 576 is inf",
    );
    refused(Track::PrimeDepth, &file("e.npy", &[0, 576], &[]), "it has no frame");
    let clip = Path::new(PARITY).join("dwpose.npz");
    refused(Track::SmplerX, &clip, "it has no global_orient, but body_keypoints");
    let json = folder.path().join("f.json");
    fs::write(&json, r#"{"people":[{"pose_keypoints_2d":[100,200,1]}]}"#).unwrap();
    refused(Track::DwPose, &json, "DWPose, frame 0: its pose_keypoints_2d has 3 numbers, and 54 are wanted");
}

#[test]
fn lengths_and_rates_must_agree() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(Path::new(PARITY).join("clip.npz"), folder.path().join("smplerx.npz")).unwrap();
    let rows = vec![0.5; 4 * 258];
    write_npy(&folder.path().join("mediapipe.npy"), &[4, 258], Values::F32(&rows)).unwrap();
    let said = Sources::in_folder(folder.path()).read().unwrap_err().to_string();
    assert!(
        said.contains("mediapipe.npy, MediaPipe: it has 4 frames, and") && said.contains("has 3"),
        "{said}"
    );
    fs::remove_file(folder.path().join("mediapipe.npy")).unwrap();
    let given = Sources { fps: Some(25.0), ..Sources::in_folder(folder.path()) };
    let said = given.read().unwrap_err().to_string();
    assert!(
        said.contains("it has 30 frames a second, and other tracks, or whoever reads it, say 25"),
        "{said}"
    );
    let mut none = source(Track::DwPose, Path::new(PARITY).join("dwpose.npz"));
    none.fps = None;
    let said = none.read().unwrap_err().to_string();
    assert!(said.contains("no track says how many frames there are a second"), "{said}");
    assert!(Sources::default().read().unwrap_err().to_string().contains("name at least one track"));
}

#[test]
fn dwpose_of_a_real_video_is_read() {
    let Some(data) = tests::data("dwpose_of_a_real_video_is_read") else { return };
    let path = data.join("oracle/dwpose/human_signer/dwpose.npz");
    let read = source(Track::DwPose, &path).read().unwrap();
    let frames = read.track(Track::DwPose).unwrap();
    assert_eq!(read.frames, 135);
    assert!(frames.present.iter().all(|p| *p));
    let first = &frames.values[..384];
    assert!((first[0] - 0.523_470_4).abs() < 1e-6, "the nose");
    assert_eq!(first[2], 1.0, "a number of a landmark is no score");
    assert!(first.chunks(3).all(|p| (0.0..=1.0).contains(&p[2])));
}

#[test]
fn a_model_moves_as_its_equations_say() {
    let model = SmplX::read(&Path::new(PARITY).join("model.npz")).unwrap();
    assert!((model.hand_means[1][14][2] + 0.44).abs() < 1e-6);
    let mut expect = Npz::open(&Path::new(PARITY).join("vertices.npz")).unwrap();
    let mut array = |name: &str| expect.array(name).unwrap().unwrap().values;
    let (pose, betas, place, vertices) = (array("pose"), array("betas"), array("place"), array("vertices"));
    let rotations = std::array::from_fn(|j| [0, 1, 2].map(|i| pose[3 * j + i]));
    let pose = BodyPose { rotations, place: [place[0], place[1], place[2]] };
    for (found, expect) in model.vertices(&betas, &pose).iter().zip(vertices.chunks(3)) {
        let far = (0..3).map(|i| (found[i] - expect[i]).abs()).fold(0.0, f32::max);
        assert!(far < 1e-4, "{found:?} {expect:?}");
    }
    let body = model.body(Person::of(1), &betas);
    assert_eq!((body.mesh.vertices.len(), body.mesh.triangles.len()), (6, 3));
}

#[test]
fn other_models_are_refused() {
    let said = SmplX::read(&Path::new(PARITY).join("clip.npz")).unwrap_err().to_string();
    assert!(said.contains("it has no v_template, but"), "{said}");
}
