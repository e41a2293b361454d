//! No bytes of pose tracks or of their annotation make the readers panic, hang or believe nonsense.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::Path;

use host::body::person::Person;
use host::body::pose::BodyPose;
use host::body::smplx::SmplX;
use host::data::npy::{Array, Npz, Values, npy_bytes, write_npz};
use host::signx::read::{CLIP_KEYS, Sources, dwpose_json};
use host::signx::track::Track;
use models::annotation::read_signstream;
use models::gloss::Convention;
use tests::fuzz::{Random, rounds};

/// Reads a folder's tracks: what is read keeps its promises, or one sentence says what is wrong.
#[track_caller]
fn check(folder: &Path) -> bool {
    let sources = Sources { fps: Some(25.0), ..Sources::in_folder(folder) };
    match sources.read() {
        Ok(utterance) => {
            assert!(utterance.frames > 0);
            for track in Track::ALL {
                let Some(frames) = utterance.track(track) else { continue };
                assert_eq!(frames.values.len(), utterance.frames * track.width(), "{track}");
                assert_eq!(frames.present.len(), utterance.frames);
                assert!(frames.values.iter().all(|v| v.is_finite()), "{track}");
            }
            true
        }
        Err(error) => {
            let said = error.to_string();
            assert_eq!(said.lines().count(), 1, "one sentence: {said}");
            assert!(said.contains(folder.to_str().unwrap()) || said.contains("the tracks"), "{said}");
            false
        }
    }
}

#[test]
fn arrays_of_any_bytes_are_read_or_refused() {
    let seed = npy_bytes(&[2, 3], Values::F32(&[1.0; 6]));
    assert_eq!(Array::parse(&seed).unwrap().shape, [2, 3]);
    let read = |bytes: &[u8]| {
        if let Ok(array) = Array::parse(bytes) {
            assert_eq!(array.shape.iter().product::<usize>(), array.values.len());
        }
    };
    (0..seed.len()).for_each(|length| read(&seed[..length]));
    let mut bytes = seed.clone();
    for at in 0..seed.len().min(100) {
        for value in [seed[at] ^ 1, b'9', b'(', b'\'', b',', 0, 0xff] {
            bytes[at] = value;
            read(&bytes);
        }
        bytes[at] = seed[at];
    }
    let mut random = Random(11);
    for _ in 0..rounds() {
        read(&random.mutate(&seed, b"'shape': (9999999999, 9999999999), 'descr': '|O8', True}"));
    }
}

#[test]
fn archives_of_any_bytes_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("smplerx.npz");
    let zeros = vec![0.1; 63 * 2];
    let shapes = CLIP_KEYS.map(|(_, width)| [2, width]);
    let arrays: Vec<_> = CLIP_KEYS
        .iter()
        .zip(&shapes)
        .map(|((name, width), shape)| (*name, shape.as_slice(), Values::F32(&zeros[..2 * width])))
        .collect();
    write_npz(&path, &arrays).unwrap();
    let seed = fs::read(&path).unwrap();
    assert!(check(folder.path()), "the seed is whole");
    let mut random = Random(12);
    for _ in 0..rounds() {
        let bytes = random.mutate(&seed, &seed[seed.len() / 2..]);
        fs::write(&path, &bytes).unwrap();
        check(folder.path());
        if let Ok(mut npz) = Npz::parse(&bytes, &path) {
            for name in npz.names() {
                let _ = npz.array(&name);
            }
        }
    }
}

#[test]
fn models_of_any_arrays_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.npz");
    let mut tree = vec![0.0_f32; 2 * 55];
    tree.iter_mut().zip(host::body::skeleton::PARENTS).for_each(|(v, parent)| *v = parent as f32);
    let of = |n: usize| (0..n).map(|k| (k as f32 * 0.37).sin()).collect::<Vec<f32>>();
    let whole: Vec<(&str, Vec<usize>, Vec<f32>)> = vec![
        ("v_template", vec![2, 3], of(6)),
        ("f", vec![1, 3], vec![0.0, 1.0, 1.0]),
        ("weights", vec![2, 55], of(110)),
        ("J_regressor", vec![55, 2], of(110)),
        ("kintree_table", vec![2, 55], tree),
        ("shapedirs", vec![2, 3, 2], of(12)),
        ("hands_meanl", vec![45], of(45)),
    ];
    let read = |arrays: &[(&str, Vec<usize>, Vec<f32>)]| {
        let arrays: Vec<_> = arrays.iter().map(|(n, s, v)| (*n, s.as_slice(), Values::F32(v))).collect();
        write_npz(&path, &arrays).unwrap();
        match SmplX::read(&path) {
            Ok(model) => {
                let vertices = model.vertices(&[1.0; 5], &BodyPose::default());
                let body = model.body(Person::of(1), &[]);
                assert_eq!(vertices.len(), body.mesh.vertices.len());
                true
            }
            Err(error) => {
                assert_eq!(error.to_string().lines().count(), 1, "{error}");
                false
            }
        }
    };
    assert!(read(&whole), "the seed is whole");
    let mut random = Random(16);
    for _ in 0..rounds() / 4 {
        let mut arrays = whole.clone();
        let which = random.below(arrays.len());
        let (_, shape, values) = &mut arrays[which];
        match random.below(4) {
            0 => {
                let at = random.below(values.len());
                values[at] = [f32::NAN, f32::INFINITY, -1.0, 1e9, 0.5][random.below(5)];
            }
            1 => {
                values.truncate(random.below(values.len()));
                *shape = vec![values.len()];
            }
            2 => shape.reverse(),
            _ => drop(arrays.remove(which)),
        }
        read(&arrays);
    }
}

#[test]
fn points_of_any_text_are_read_or_refused() {
    let list = |n: usize| format!("[{}]", vec!["0.5"; n].join(","));
    let seed = format!(
        r#"[{{"people":[{{"pose_keypoints_2d":{},"hand_left_keypoints_2d":null}}],"canvas_width":2,"canvas_height":4}},
        {{"bodies":{},"body_scores":{},"hands":[],"hands_scores":[],"faces":[],"faces_scores":[]}}]"#,
        list(54),
        list(36),
        list(18)
    );
    let path = Path::new("dwpose.json");
    assert_eq!(dwpose_json(&seed, path).unwrap().len(), 2 * Track::DwPose.width());
    let mut random = Random(13);
    for _ in 0..rounds() {
        let bytes = random.mutate(seed.as_bytes(), br#"[[[[1e999,-1e39,null,"people":[{}],{}"bodies":[NaN"#);
        let text = String::from_utf8_lossy(&bytes);
        match dwpose_json(&text, path) {
            Ok(rows) => assert_eq!(rows.len() % Track::DwPose.width(), 0),
            Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
        }
    }
    assert!(dwpose_json(&"[".repeat(1 << 20), path).is_err(), "very deep");
}

#[test]
fn rows_of_any_bytes_are_read_or_refused() {
    for (name, shape) in
        [("mediapipe.npy", vec![3, 258]), ("primedepth.npy", vec![3, 24, 24]), ("sapiens.npy", vec![3, 576])]
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let seed = npy_bytes(&shape, Values::F32(&vec![1.0; shape.iter().product()]));
        fs::write(&path, &seed).unwrap();
        assert!(check(folder.path()), "the seed is whole");
        let mut random = Random(14);
        for _ in 0..rounds() / 4 {
            fs::write(&path, random.mutate(&seed, b"\x00\x00\xc0\x7f\x00\x00\x80\x7f(3, 577)")).unwrap();
            check(folder.path());
        }
    }
}

#[test]
fn signstream_of_any_bytes_is_read_or_refused() {
    let seeds = [
        "<SIGNSTREAM_DAI><COLLECTION NAME='c'><SEGMENT-TIER><PARTICIPANT>'Cory'</PARTICIPANT><UTTERANCE ID='1' \
         START_FRAME='3' END_FRAME='90'><SIGN><LABEL>'fs-JOHN'</LABEL><DOMINANT_HAND START_FRAME='4' END_FRAME='9'/>\
         </SIGN></UTTERANCE></SEGMENT-TIER></COLLECTION></SIGNSTREAM_DAI>",
        "<SIGNSTREAM-DATABASE><PARTICIPANT ID='0' NAME='x'/><FIELD ID='10000' NAME='main gloss'/><UTTERANCE ID='1' S='0' \
         E='9'><SEGMENT PARTICIPANT-ID='0'><TRACK FID='10000'><A S='1' E='2'>IX-1p &amp; #CAR+</A></TRACK></SEGMENT>\
         </UTTERANCE></SIGNSTREAM-DATABASE>",
    ];
    for (seed, other) in [(seeds[0], seeds[1]), (seeds[1], seeds[0])] {
        assert_eq!(read_signstream(seed.as_bytes()).unwrap().utterances[0].glosses.len(), 1);
        let read = |bytes: &[u8]| match read_signstream(bytes) {
            Ok(read) => {
                for utterance in read.utterances(30.0) {
                    for gloss in utterance.glosses {
                        assert!(gloss.end_s >= gloss.start_s && gloss.start_s >= 0.0, "{gloss:?}");
                        let taken = Convention::asllrp(&gloss.gloss);
                        assert!(taken.times >= 1 && taken.bases.iter().all(|b| !b.is_empty()), "{taken:?}");
                    }
                }
            }
            Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
        };
        (0..seed.len()).for_each(|length| read(&seed.as_bytes()[..length]));
        let mut random = Random(15);
        for _ in 0..rounds() {
            read(&random.mutate(seed.as_bytes(), other.as_bytes()));
            let extreme =
                seed.replace("'9'", "'9223372036854775807'").replace("'3'", "'-9223372036854775808'");
            read(&random.mutate(extreme.as_bytes(), b"(2h)i:GIVE:j++\"\"():"));
        }
    }
}
