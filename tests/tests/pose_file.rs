//! `.pose` files: read and written as the Python package pose-format does.
//!
//! `parity/pose_format/expected.json` holds what pose-format read, and the
//! hash of the whole file as it wrote it again; `make.py` beside it says from
//! which version, and how the hashes are taken. Agreement is exact, bit for bit.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::{Path, PathBuf};

use models::Error;
use models::pose::{Component, Known, Layout, Pose, PoseTrack};
use models::pose_file::{self, PoseFile, Version};
use serde_json::Value;
use sha2::{Digest, Sha256};

const PARITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/parity/pose_format");

#[test]
fn synthetic_files_agree_with_pose_format() {
    let expected = expected();
    for (name, entry) in expected["synthetic"].as_object().unwrap() {
        check(&synthetic(name), entry, &expected);
    }
}

#[test]
fn real_files_agree_with_pose_format() {
    let Some(data) = tests::data("real_files_agree_with_pose_format") else { return };
    let expected = expected();
    let files = expected["real"].as_object().unwrap();
    assert!(files.len() >= 60);
    for (name, entry) in files {
        check(&data.join("poses").join(name), entry, &expected);
    }
}

#[test]
fn known_layouts_are_pose_formats() {
    let expected = expected();
    for known in [Known::Holistic576, Known::Holistic586, Known::Reduced178, Known::OpenPose137] {
        let components = &expected["layouts"][format!("{known:?}")];
        assert_eq!(describe(&known.layout()), *find(components, &expected), "{known:?}");
    }
}

#[test]
fn all_people_of_version_0_0_are_read() {
    let file = pose_file::read_file(synthetic("v00_people_come_and_go")).unwrap();
    let seen: Vec<Vec<bool>> =
        file.people.iter().map(|frames| frames.iter().map(|f| *f != Pose::unseen(5)).collect()).collect();
    assert_eq!(seen, [[false, true, true, false], [false, true, false, false]]);
}

#[test]
fn a_signer_has_no_values_that_are_no_numbers() {
    let file = pose_file::read_file(synthetic("v02_odd_values")).unwrap();
    assert!(file.people[0][0].points[0][0].is_nan(), "the stored value is kept as it is");
    let track = file.signer(0).unwrap();
    assert_eq!(track.frames[0].seen(0), None);
    assert_eq!(track.frames[1].seen(1), Some([1e-45, 3.4e38, -1.0]));
}

#[test]
fn a_file_without_people_says_so() {
    let error = pose_file::read_track(synthetic("v02_nobody")).unwrap_err().to_string();
    assert!(error.contains("v02_nobody.pose") && error.contains("0 people"), "{error}");
}

#[test]
fn every_cut_is_noticed_and_says_where() {
    for name in ["v00", "v01", "v02_two_people"] {
        let bytes = fs::read(synthetic(name)).unwrap();
        for length in 0..bytes.len() {
            match pose_file::read(&bytes[..length]) {
                Err(Error::PoseTruncated { offset, needed, left, .. }) => {
                    assert_eq!(offset + left, length, "{name} cut at {length}");
                    assert!(needed > left as u128);
                }
                other => panic!("{name} cut at {length}: {other:?}"),
            }
        }
    }
}

#[test]
fn counts_beyond_the_bytes_are_refused_before_memory_is_asked_for() {
    let mut bytes = fs::read(synthetic("v02")).unwrap();
    let frames = bytes.len() - 4 * 5 * 4 * 4 - 6;
    bytes[frames..frames + 6].fill(0xff);
    let error = pose_file::read(&bytes).unwrap_err().to_string();
    assert!(error.contains("cut off") && error.contains("the frames"), "{error}");
}

#[test]
fn a_written_file_replaces_the_old_one_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signer.pose");
    let mut track = pose_file::read_track(synthetic("v01")).unwrap();
    pose_file::write_track_file(&path, &track).unwrap();
    assert_eq!(pose_file::read_track(&path).unwrap(), track);

    track.frames[1].points.pop();
    let error = pose_file::write_track_file(&path, &track).unwrap_err().to_string();
    assert!(error.contains("does not fit its layout"), "{error}");
    assert!(pose_file::read_track(&path).is_ok(), "the old file is still there");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_leaves_the_old_file() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        let test = "a_full_disk_is_said_and_leaves_the_old_file";
        return tests::skip(test, "this system has no /dev/full");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signer.pose");
    let old = pose_file::read_track(synthetic("v01")).unwrap();
    pose_file::write_track_file(&path, &old).unwrap();

    // The file that grows beside the old one leads to a disk that is always full.
    let growing = folder.path().join(format!(".signer.pose.{}.part", std::process::id()));
    std::os::unix::fs::symlink(full, growing).unwrap();
    let new = pose_file::read_track(synthetic("v02")).unwrap();
    let error = pose_file::write_track_file(&path, &new).unwrap_err().to_string();
    assert!(error.contains("signer.pose") && error.contains("free space"), "{error}");
    assert_eq!(pose_file::read_track(&path).unwrap(), old);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

/// Reads a file, and compares all that pose-format said of it.
#[track_caller]
fn check(path: &Path, entry: &Value, expected: &Value) {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let file = pose_file::read_file(path).unwrap();
    let version = match file.version {
        Version::V0_0 => 0.0,
        Version::V0_1 => 0.1,
        Version::V0_2 => 0.2,
    };
    assert_eq!(entry["version"], version, "{name}");
    assert_eq!(entry["size"], serde_json::json!(file.size), "{name}");
    assert_eq!(entry["fps"], f64::from(file.fps), "{name}");

    // Of version 0.0 pose-format reads the first person only.
    let read = if file.version == Version::V0_0 { 1 } else { file.people.len() };
    let people: Vec<&[Pose]> = file.people[..read].iter().map(Vec::as_slice).collect();
    assert_eq!(entry["people"], people.len(), "{name}");
    if let Some(first) = people.first() {
        assert_eq!(entry["frames"], first.len(), "{name}");
    }
    check_values(&name, &people, 0..file.layout.len(), entry);

    // Coordinates past z are not kept, so a depth camera's header changes too.
    let stored = find(&entry["components"], expected);
    let deep = stored.as_array().unwrap().iter().any(|c| c["format"] == "XYZKC");
    if !deep {
        assert_eq!(describe(&file.layout), *stored, "{name}");
    }
    // A file that shows nobody has no frames to write.
    let same = !deep && read == file.people.len() && read > 0;
    check_written(&name, &file, same.then_some(entry));
    check_conversions(&name, &file, entry);
}

/// What we write is what pose-format writes, byte for byte, and is read again as it was.
#[track_caller]
fn check_written(name: &str, file: &PoseFile, entry: Option<&Value>) {
    let mut written = Vec::new();
    file.write(&mut written).unwrap();
    if let Some(rewritten) = entry.and_then(|e| e["rewritten"].as_str()) {
        assert_eq!(sha(&written), rewritten, "{name} as written again");
    }
    let again = pose_file::read(&written).unwrap();
    assert_eq!((&again.layout, again.size, again.fps), (&file.layout, file.size, file.fps), "{name}");
    let bits = |file: &PoseFile| -> Vec<u32> {
        let poses = file.people.iter().flatten();
        let values = poses.flat_map(|p| p.points.as_flattened().iter().chain(&p.confidence));
        values.map(|v| v.to_bits()).collect()
    };
    assert!(bits(&again) == bits(file), "{name} as read again");
}

/// Reducing and mirroring agree with pose-format's `reduce_holistic` and `mirror_horizontal`.
#[track_caller]
fn check_conversions(name: &str, file: &PoseFile, entry: &Value) {
    if !entry["reduced"].is_object() && !entry["mirrored"].is_object() {
        return;
    }
    let track = file.clone().signer(0).unwrap();
    if entry["reduced"].is_object() {
        let reduced = track.to_layout(&Known::Reduced178.layout());
        check_values(name, &[&reduced.frames], 0..178, &entry["reduced"]);
    }
    if entry["mirrored"].is_object() {
        let picture = 0..track.layout.range("RIGHT_HAND_LANDMARKS").unwrap().end;
        check_values(name, &[&track.mirrored().frames], picture, &entry["mirrored"]);
    }
}

/// Points `[T, people, K, 3]`, 0 where not seen, and confidences `[T, people, K]`, as little-endian f32.
#[track_caller]
fn check_values(name: &str, people: &[&[Pose]], kept: std::ops::Range<usize>, entry: &Value) {
    let (mut points, mut confidences) = (Sha256::new(), Sha256::new());
    for t in 0..people.first().map_or(0, |frames| frames.len()) {
        for pose in people.iter().map(|frames| &frames[t]) {
            for k in kept.clone() {
                let point = if pose.confidence[k] == 0.0 { [0.0; 3] } else { pose.points[k] };
                point.iter().for_each(|v| points.update(v.to_le_bytes()));
                confidences.update(pose.confidence[k].to_le_bytes());
            }
        }
    }
    assert_eq!(hex(&confidences.finalize()), entry["confidence"].as_str().unwrap(), "confidences of {name}");
    assert_eq!(hex(&points.finalize()), entry["points"].as_str().unwrap(), "points of {name}");
}

/// A layout in the words of `expected.json`.
fn describe(layout: &Layout) -> Value {
    let shorts = |values: Vec<u16>| sha(&values.into_iter().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    let component = |c: &Component| {
        serde_json::json!({
            "name": c.name,
            "format": c.format,
            "points": c.points.len(),
            "names": sha(c.points.join("\n").as_bytes()),
            "limbs": shorts(c.limbs.iter().flat_map(|&(a, b)| [a, b]).collect()),
            "colors": shorts(c.colors.concat()),
        })
    };
    layout.components.iter().map(component).collect()
}

fn find<'a>(key: &Value, expected: &'a Value) -> &'a Value {
    &expected["components"][key.as_str().unwrap()]
}

fn expected() -> Value {
    serde_json::from_slice(&fs::read(Path::new(PARITY).join("expected.json")).unwrap()).unwrap()
}

fn synthetic(name: &str) -> PathBuf {
    Path::new(PARITY).join("files").join(format!("{name}.pose"))
}

fn sha(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A track is what its readers are promised, whatever file it came from.
#[test]
fn every_real_track_keeps_its_promises() {
    let Some(data) = tests::data("every_real_track_keeps_its_promises") else { return };
    for name in expected()["real"].as_object().unwrap().keys() {
        let track: PoseTrack = pose_file::read_track(data.join("poses").join(name)).unwrap();
        for pose in &track.frames {
            assert_eq!(pose.points.len(), track.layout.len(), "{name}");
            assert!(pose.points.iter().flatten().all(|v| v.is_finite()), "{name}");
            assert!(pose.confidence.iter().all(|c| (0.0..=1.0).contains(c)), "{name}");
        }
    }
}
