//! No bytes of a corpus's manifest or of the records beside its landmarks make their readers panic, hang or believe nonsense.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use host::extract::manifest::{file_name, parse};
use host::extract::record::{self, Done, Quarantined};
use tests::fuzz::{Random, rounds};

/// Reads a manifest: its entries keep their promises, or one sentence says which line is wrong.
#[track_caller]
fn check(bytes: &[u8]) -> usize {
    match parse(bytes, Path::new("corpus/all.jsonl")) {
        Ok(entries) => {
            let names: HashSet<&str> = entries.iter().map(|e| e.name.as_str()).collect();
            assert_eq!(names.len(), entries.len(), "names are unique");
            for entry in &entries {
                assert_eq!(entry.name, file_name(&entry.id));
                assert!((1..=240).contains(&entry.name.len()) && !entry.name.starts_with('.'));
                assert!(!entry.name.contains(['/', '\\', '\0', '\n', ' ']), "{}", entry.name);
                assert!(entry.end_us.is_none_or(|end| end > entry.start_us.unwrap_or(0)));
                assert!(entry.end_us.max(entry.start_us) <= Some(10_000_000_000_000));
            }
            entries.len()
        }
        Err(error) => {
            let said = error.to_string();
            assert!(said.contains("corpus/all.jsonl, line "), "{said}");
            assert_eq!(said.lines().count(), 1, "one sentence: {said}");
            0
        }
    }
}

#[test]
fn manifests_of_any_bytes_are_read_or_refused() {
    let seed = "{\"id\":\"train/1\",\"video\":\"clips/1.mp4\",\"start_s\":1.5,\"end_s\":2e1,\"gloss\":[\"A\"]}\n\
                \n{\"video\":\"/b.mp4\",\"id\":\"é\\u0000\\n\"}\r\n{\"id\":\"..\",\"video\":\"../c\",\"end_s\":null}"
        .as_bytes();
    assert_eq!(check(seed), 3, "the seed is whole");
    for length in 0..seed.len() {
        check(&seed[..length]);
    }
    let mut bytes = seed.to_vec();
    for at in 0..seed.len() {
        for value in [seed[at] ^ 1, b'9', b'-', b'e', b'"', b'\n', b'{', b'\\', 0, 0xff] {
            bytes[at] = value;
            check(&bytes);
        }
        bytes[at] = seed[at];
    }
    let mut random = Random(5);
    for _ in 0..rounds() {
        check(&random.mutate(seed, b"-1e39,null,[[[[{\"id\":\"a\"}]]]],NaN\n\"start_s\":1e308,\"end_s\":"));
    }
    check(&vec![b'['; 1 << 19]);
    check(&vec![b' '; 3 << 20]);
}

#[test]
fn records_of_any_bytes_are_read_or_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.done");
    let origin = r#"{"video_sha256":"12ab","start_us":null,"end_us":5,"raw":true,"board":"desk","program":"signpost 1"}"#;
    let seed = format!(
        r#"{{"id":"a","video":"a.mp4","pose_sha256":"cd","frames":3,"engine":"tract","reason":"r","stderr":"s",
        "seen":{{"body":1,"face":2,"left_hand":3,"right_hand":4}},"origin":{origin}}}"#
    );
    let seed = seed.as_bytes();
    let read = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let done: Option<Done> = record::read(&path);
        let quarantined: Option<Quarantined> = record::read(&path);
        (done.is_some(), quarantined.is_some())
    };
    assert_eq!(read(seed), (true, true), "the seed is whole");
    for length in 0..seed.len() {
        assert_eq!(read(&seed[..length]), (false, false), "cut at {length}");
    }
    let mut random = Random(6);
    for _ in 0..rounds() {
        read(&random.mutate(seed, br#"{"seen":null,"frames":-1e999,[[[["#));
    }
    assert_eq!(read(&vec![b'['; 1 << 20]), (false, false), "very deep");
}

#[test]
fn a_record_too_large_to_be_one_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.done");
    // A terabyte on paper; the disk holds nothing of it.
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(record::read::<Done>(&path), None);
}
