//! No bytes make the readers of `.pose` files, lexicon indexes, compiled lexicons and sequences of landmarks panic, hang
//! or take much memory.
//!
//! The seeds are the synthetic fixtures; the mutations are random but the same
//! in every run.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::Path;

use host::lexicon::{read_h5, read_json};
use models::lexicon::{Builder, Compiled, Entry, Lexicon};
use models::playback::Frame;
use models::pose::{Known, Pose};
use models::pose_file::{self, PoseFile};
use tests::fuzz::{Random, rounds};

/// Bytes of memory that what was read may hold for each byte of the input.
///
/// The dearest are landmarks without a name (2 bytes in a file, 24 in memory);
/// absent people of version 0.0 may take 4 more.
const GROWTH: usize = 16;

/// Bytes of memory that it may hold besides: absent people of version 0.0, and
/// the empty lists of 65535 people without frames.
const BESIDE: usize = (64 << 20) + 65536 * 24;

#[test]
fn pose_files_of_any_bytes_are_read_or_refused() {
    let seeds = seeds("parity/pose_format/files", "pose");
    assert!(seeds.len() >= 15);
    for (name, seed) in &seeds {
        for length in 0..seed.len() {
            check_pose(name, &seed[..length]);
        }
        for bit in 0..seed.len() * 8 {
            let mut bytes = seed.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            check_pose(name, &bytes);
        }
        for at in 0..seed.len() {
            for extreme in [[0; 4], [0xff; 4], [0xff, 0xff, 0xff, 0x7f], [0, 0, 0, 0x80], [1, 0, 0, 0]] {
                for width in [2, 4] {
                    let mut bytes = seed.clone();
                    let end = (at + width).min(bytes.len());
                    bytes[at..end].copy_from_slice(&extreme[..end - at]);
                    check_pose(name, &bytes);
                }
            }
        }
    }
    let mut random = Random(1);
    for round in 0..rounds() {
        let (name, seed) = &seeds[round as usize % seeds.len()];
        let other = &seeds[random.below(seeds.len())].1;
        check_pose(name, &random.mutate(seed, other));
    }
}

#[test]
fn indexes_of_any_bytes_are_read_or_refused() {
    let seed = b"path,spoken_language,signed_language,start,end,words,glosses,priority\n\
        a.pose,de,gsg,0,0,\"Gr\xc3\xb6\xc3\x9fe, \"\"hier\"\"\",GROESSE,0\nb/c.pose,en,ase,100,2720,A|B,A,-1\n";
    let folder = tempfile::tempdir().unwrap();
    for length in 0..seed.len() {
        check_index(folder.path(), &seed[..length]);
    }
    let mut random = Random(2);
    for _ in 0..rounds() {
        check_index(folder.path(), &random.mutate(seed, b",,\"\n../,-1,99999999999999999999,\xff\xfe|"));
    }
}

#[test]
fn sequences_of_any_bytes_are_read_or_refused() {
    let seed = |name: &str| {
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("parity/sequences").join(name)).unwrap()
    };
    let (h5, json) = (seed("signs.h5"), seed("signs.json"));
    assert_eq!(read_h5(h5.clone(), "a").unwrap().len(), 2);
    // What describes the rows lies between them, in some hundred bytes each: random places would seldom meet it.
    let extremes = [0, 1, 0x7f, 0x80, 0xff];
    for at in (0..h5.len()).filter(|at| h5[*at] != 0) {
        let mut bytes = h5.clone();
        bytes[at] = extremes[at % extremes.len()];
        drop(read_h5(bytes, "a"));
    }
    let mut random = Random(5);
    for _ in 0..rounds() {
        drop(read_h5(random.mutate(&h5, &json), "a"));
        drop(read_json(&random.mutate(&json, b"[[{}],\"pose\":null,1e999"), "a"));
    }
}

#[test]
fn frames_without_people_are_bounded_too() {
    let seed =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("parity/pose_format/files/v00.pose")).unwrap();
    let person = 2 + 2 + 5 * 4 * 4;
    let body = seed.len() - 3 * person;
    // One person in the first frame, and nobody in very many more.
    for frames in [10_000, 65_535u16] {
        let mut bytes = seed[..body + person].to_vec();
        bytes[body - 2..body].copy_from_slice(&frames.to_le_bytes());
        bytes.extend(std::iter::repeat_n([0, 0], usize::from(frames) - 1).flatten());
        check_pose("frames without people", &bytes);
        assert_eq!(pose_file::read(&bytes).unwrap().people[0].len(), usize::from(frames));
    }
    let crowd = crowd(&seed[..body - 4], &seed[body + 4..body + person], 2000, 60_000);
    let error = pose_file::read(&crowd).unwrap_err().to_string();
    assert!(error.contains("frames without a person"), "{error}");
}

/// A file of version 0.0 with many people in the first frame, and nobody in the others.
fn crowd(header: &[u8], landmarks: &[u8], people: u16, frames: u16) -> Vec<u8> {
    let mut bytes = header.to_vec();
    for short in [25, frames, people] {
        bytes.extend(short.to_le_bytes());
    }
    for _ in 0..people {
        bytes.extend([0, 0]);
        bytes.extend(landmarks);
    }
    bytes.extend(std::iter::repeat_n([0, 0], usize::from(frames) - 1).flatten());
    bytes
}

/// Reads the bytes, and does with the file what its readers do.
#[track_caller]
fn check_pose(name: &str, bytes: &[u8]) {
    if let Ok(file) = pose_file::read(bytes) {
        let held = memory(&file);
        assert!(held <= bytes.len() * GROWTH + BESIDE, "{name}: {} bytes became {held}", bytes.len());
        use_file(file);
    }
}

/// The memory that a file holds, in bytes.
fn memory(file: &PoseFile) -> usize {
    let text = |s: &String| size_of::<String>() + s.capacity();
    let components = file.layout.components.iter().map(|c| {
        size_of_val(c)
            + c.points.iter().map(text).sum::<usize>()
            + c.limbs.capacity() * size_of::<(u16, u16)>()
            + c.colors.capacity() * size_of::<[u16; 3]>()
    });
    let pose = |p: &Pose| size_of::<Pose>() + p.points.capacity() * 12 + p.confidence.capacity() * 4;
    let people =
        file.people.iter().map(|frames| size_of_val(frames) + frames.iter().map(pose).sum::<usize>());
    components.sum::<usize>() + people.sum::<usize>()
}

#[test]
fn compiled_lexicons_of_any_bytes_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.lexicon");
    let mut builder = Builder::new(25.0);
    for (words, gloss) in [("Haus|Gebäude", "HAUS"), ("haus", "HAUS2"), ("", "IX")] {
        let entry = Entry {
            path: "a.pose".into(),
            spoken_language: "de".into(),
            signed_language: "gsg".into(),
            start_ms: 0,
            end_ms: 0,
            words: words.into(),
            glosses: gloss.into(),
            priority: 0,
            line: 2,
        };
        let mut frame = Frame::rest();
        frame.hands[1] = Some([[0.5, 0.25, 0.0]; 21]);
        builder.add(&entry, &[frame, Frame::rest()]).unwrap();
    }
    builder.write(&path).unwrap();
    let seed = fs::read(&path).unwrap();
    let mut opened = 0;
    let mut check = |bytes: Vec<u8>| {
        // Its sums would refuse nearly all; whoever means harm would make them fit.
        for bytes in [with_sums(bytes.clone()), bytes] {
            fs::write(&path, bytes).unwrap();
            opened += usize::from(check_compiled(&path));
        }
    };
    for length in 0..seed.len() {
        check(seed[..length].to_vec());
    }
    for bit in 0..seed.len() * 8 {
        let mut bytes = seed.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        check(bytes);
    }
    let mut random = Random(7);
    for _ in 0..rounds() {
        check(random.mutate(&seed, &seed));
    }
    assert!(opened > seed.len(), "{opened} were opened");
}

/// The file of a compiled lexicon with sums that fit, where it is long enough to have any.
fn with_sums(mut bytes: Vec<u8>) -> Vec<u8> {
    const HEAD: usize = 44;
    if bytes.len() < HEAD {
        return bytes;
    }
    let clips = u64::from_le_bytes(bytes[28..36].try_into().unwrap());
    let tables = usize::try_from(clips).ok().and_then(|n| bytes.len().checked_sub(n)).unwrap_or(HEAD);
    let clips_at = tables.max(HEAD);
    let count = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    for row in (0..count.min(9)).map(|n| HEAD + n * 54).filter(|row| row + 54 <= clips_at) {
        let at = u64::from_le_bytes(bytes[row..row + 8].try_into().unwrap()) as usize;
        let length = u32::from_le_bytes(bytes[row + 8..row + 12].try_into().unwrap()) as usize;
        let clip = bytes[clips_at..].get(at..).and_then(|b| b.get(..length)).map(crc32c::crc32c);
        bytes[row + 12..row + 16].copy_from_slice(&clip.unwrap_or(0).to_le_bytes());
    }
    let sum = crc32c::crc32c(&bytes[HEAD..clips_at]);
    bytes[36..40].copy_from_slice(&sum.to_le_bytes());
    let sum = crc32c::crc32c(&bytes[..HEAD - 4]);
    bytes[40..HEAD].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// Whether a file was opened; all that it has is looked at then.
fn check_compiled(path: &Path) -> bool {
    let Ok(lexicon) = Compiled::open(path) else { return false };
    for term in ["haus", "IX", "", "Gebäude"] {
        for number in lexicon.find("gsg", None, term) {
            assert!(lexicon.row(number).is_some());
        }
    }
    for (number, _) in lexicon.rows() {
        for frame in lexicon.clip(number).into_iter().flatten() {
            let body = frame.head.iter().chain(&frame.elbows).chain(&frame.wrists);
            let hands = frame.hands.iter().flatten().flatten();
            assert!(body.chain(hands).flatten().all(|v| v.is_finite()));
        }
    }
    true
}

fn use_file(file: PoseFile) {
    let limbs = file.layout.limbs();
    assert!(limbs.iter().all(|&(a, b)| a.max(b) < file.layout.len()));
    file.layout.recognise();
    let person = file.best_seen();
    if let Ok(track) = file.signer(person) {
        assert!(track.frames.iter().all(|f| f.points.len() == track.layout.len()));
        assert!(track.frames.iter().all(|f| f.points.iter().flatten().all(|v| v.is_finite())));
        pose_file::write_track(&track, std::io::sink()).unwrap();
        if track.frames.len() < 100 {
            let mirrored = track.mirrored().to_layout(&Known::Holistic576.layout());
            assert_eq!(mirrored.frames.len(), track.frames.len());
        }
    }
}

fn check_index(folder: &Path, bytes: &[u8]) {
    fs::write(folder.join("index.csv"), bytes).unwrap();
    if let Ok(lexicon) = Lexicon::open(folder) {
        for (signed, spoken) in lexicon.languages() {
            for entry in lexicon.entries(signed) {
                let found = lexicon.find(signed, Some(spoken), &entry.words);
                assert!(found.iter().all(|e| e.signed_language == signed));
            }
        }
    }
}

/// The files of a folder with that ending, by name.
fn seeds(folder: &str, ending: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|e| e == ending))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}
