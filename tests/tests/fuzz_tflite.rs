//! No bytes make the TFLite reader or the converter panic, hang or take much memory.
//!
//! Seeded with the tiny network of `parity/tflite`, which has every operator and
//! sparse weights. What converts in spite of the damage is only required to keep to
//! the converter's own limit.

use models::tflite::{Error, Network, to_onnx};

/// No output is left out.
const NONE: &[&str] = &[];
const TINY: &[u8] = include_bytes!("../parity/tflite/tiny.tflite");
/// The converter writes at most 2^24 weights, of four bytes; the rest is small.
const MAX_ONNX_BYTES: usize = 65 << 20;

/// Converts, and gives how that ended.
#[track_caller]
fn check(bytes: &[u8]) -> Result<usize, Error> {
    let converted = to_onnx(bytes, "fuzzed", NONE).map(|onnx| onnx.len());
    assert!(converted.as_ref().is_ok_and(|len| *len < MAX_ONNX_BYTES) || converted.is_err());
    converted
}

#[test]
fn the_seed_is_whole() {
    assert!(check(TINY).is_ok());
    assert_eq!(Network::parse(TINY).unwrap().outputs.len(), 4);
}

#[test]
fn every_truncation_is_refused_or_whole() {
    for len in 0..TINY.len() {
        // The file's last bytes may be padding that nothing points to.
        assert!(check(&TINY[..len]).is_err() || len > TINY.len() - 16, "{len} bytes");
    }
}

#[test]
fn any_byte_may_be_anything() {
    let mut bytes = TINY.to_vec();
    for at in 0..bytes.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff, TINY[at] ^ 1, TINY[at].wrapping_add(4)] {
            bytes[at] = value;
            let _ = check(&bytes);
        }
        bytes[at] = TINY[at];
    }
}

#[test]
fn any_word_may_be_a_wild_offset_or_size() {
    let mut bytes = TINY.to_vec();
    for at in (0..bytes.len() - 3).step_by(4) {
        for value in [0, 1, i32::MAX, i32::MIN, -1, 1 << 20, 1 << 26, bytes.len() as i32] {
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            let _ = check(&bytes);
        }
        bytes[at..at + 4].copy_from_slice(&TINY[at..at + 4]);
    }
}

/// Many random damages at once, the same in every run.
#[test]
fn random_damage() {
    let mut state: u64 = 0x5eed;
    let mut random = |below: usize| {
        // Knuth's MMIX generator; its upper half is the good one.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..20_000 {
        let mut bytes = TINY.to_vec();
        for _ in 0..=random(8) {
            let (at, len) = (random(bytes.len()), random(64) + 1);
            let end = (at + len).min(bytes.len());
            match random(16) {
                0 => bytes.truncate(end),
                1..8 => bytes[at] = random(256) as u8,
                // One part of the file in place of another: offsets that are valid, but wrong.
                _ => {
                    let from = random(bytes.len() - (end - at) + 1);
                    bytes.copy_within(from..from + (end - at), at);
                }
            }
        }
        let _ = check(&bytes);
    }
}

#[test]
fn what_is_wrong_is_said() {
    assert_eq!(check(b""), Err(Error::NotTflite));
    assert_eq!(check(b"\x08\0\0\0TFL3"), Err(Error::Damaged { what: "a table", at: 8 }));
    assert_eq!(check(b"\xff\xff\xff\xffTFL3"), Err(Error::Damaged { what: "a table", at: 0xffff_ffff }));
    let mut other_version = TINY.to_vec();
    let version = other_version.windows(4).position(|w| w == [3, 0, 0, 0]).unwrap();
    other_version[version] = 4;
    assert!(check(&other_version).is_err());
}
