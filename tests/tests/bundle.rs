//! Bundles: made twice they are the same, and whatever is wrong with one is refused for its own reason.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::io::{Cursor, Read, Seek, Write};

use models::bundle::sign::SigningKey;
use models::bundle::write::{Recipe, make};
use models::bundle::{Base, Bundle, Entry, Error, Keys, Manifest, NoBase, Packed, Sum, Version};
use models::update::{Slot, Unit, boot, confirm, install};
use tests::bundles::{self, Memory, assemble, bundle, files, key, keys, open, parts, recipe};
use tests::disk::SimDisk;

fn whole() -> Vec<u8> {
    bundle(&recipe(2), &files(2), &NoBase)
}

/// The sentence with which a unit refuses a bundle, on which nothing has changed then.
#[track_caller]
fn refusal(bytes: Vec<u8>) -> String {
    let disk = SimDisk::new();
    install(&disk, &mut bundles::opened(1), &unit(None), &mut |_| {}).unwrap();
    boot(&disk).unwrap();
    confirm(&disk, Slot::A).unwrap();
    let asked = disk.asked();
    let installed = open(bytes)
        .map_err(Into::into)
        .and_then(|mut bundle| install(&disk, &mut bundle, &unit(Some(Slot::A)), &mut |_| {}));
    let error = installed.expect_err("it is refused").to_string();
    assert_eq!(disk.asked(), asked, "something was changed before {error}");
    error
}

fn unit(running: Option<Slot>) -> Unit<'static> {
    Unit { board: "desk", slot_bytes: 1 << 20, starts: 2, running }
}

#[track_caller]
fn check(bytes: Vec<u8>, expect: &str) {
    let error = refusal(bytes);
    assert!(error.contains(expect), "{error}");
}

/// A bundle of one file, whose entry and packed bytes are as given, signed by whom units trust.
fn of_one(change: impl FnOnce(&mut Entry), packed: &[u8]) -> Vec<u8> {
    let text = b"a hundred bytes or less";
    let mut entry = Entry {
        name: "bin/signpost".into(),
        size: text.len() as u64,
        sha256: Sum::of(text),
        executable: true,
        packed: Packed::Whole { size: packed.len() as u64, sha256: Sum::of(packed) },
    };
    change(&mut entry);
    let Recipe { board, version, least, .. } = recipe(2);
    let manifest = Manifest { board, version, least, downgrade: false, files: vec![entry] };
    assemble(&manifest.text(), packed, &key())
}

fn zstd(bytes: &[u8], window_log: u32) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(window_log).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let one = whole();
    assert!(one == whole());
    // In whatever order a folder is read.
    let folder = tempfile::tempdir().unwrap();
    let mut sources = bundles::sources(folder.path(), &files(2));
    sources.reverse();
    let mut out = Vec::new();
    let mut scratch = Cursor::new(Vec::new());
    make(&recipe(2), &sources, &NoBase, &key(), &mut scratch, &mut out, &mut |_| {}).unwrap();
    assert!(one == out);
}

/// All files of a bundle.
fn unpacked<R: Read + Seek>(bundle: &mut Bundle<R>, base: &dyn Base) -> bundles::Files {
    let entries = bundle.manifest().files.clone();
    let unpack = |(index, entry): (usize, Entry)| {
        let mut bytes = Vec::new();
        let put = &mut |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        bundle.unpack(index, base, put).unwrap();
        (entry.name, (bytes, entry.executable))
    };
    entries.into_iter().enumerate().map(unpack).collect()
}

#[test]
fn what_was_packed_is_unpacked() {
    let old = files(1);
    let delta = bundle(&recipe(2), &files(2), &Memory(&old));
    let whole = whole();
    assert!(delta.len() * 4 < whole.len(), "{} of {} bytes", delta.len(), whole.len());
    for (bytes, base) in [(whole, None), (delta, Some(Memory(&old)))] {
        let base: &dyn Base = base.as_ref().map_or(&NoBase, |base| base);
        let mut bundle = open(bytes).unwrap();
        bundle.check(base).unwrap();
        assert!(unpacked(&mut bundle, base) == files(2));
    }
}

/// Another implementation than ours reads the key and accepts the signature.
#[test]
fn minisign_itself_accepts_what_is_signed() {
    let bytes = whole();
    let mut bundle = open(bytes).unwrap();
    bundle.check(&NoBase).unwrap();
    let public = minisign::PublicKeyBox::from_string(&key().public()).unwrap().into_public_key().unwrap();
    let text = std::str::from_utf8(bundle.signature()).unwrap();
    let signature = minisign::SignatureBox::from_string(text).unwrap();
    assert_eq!(signature.trusted_comment().unwrap(), "signpost 0.2.0 for desk");
    minisign::verify(&public, &signature, Cursor::new(bundle.text()), true, false, false).unwrap();
    // And a key that it makes is one of ours.
    let pair = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let ours = SigningKey::of_minisign(&pair.sk.to_bytes()).unwrap();
    assert_eq!(ours.public().lines().nth(1).unwrap(), pair.pk.to_base64());
    assert!(SigningKey::of_minisign(&pair.sk.to_bytes()[..100]).is_none());
    let mut other = pair.sk.to_bytes();
    other[70] ^= 1;
    assert!(SigningKey::of_minisign(&other).is_none(), "a key that does not fit its public half");
}

#[test]
fn each_thing_that_is_wrong_has_its_own_sentence() {
    let good = whole();
    let (manifest, payload) = parts(&good);
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let text = good[manifest..payload].to_vec();
    let files = &good[payload..];

    let stranger = SigningKey::new(*b"stranger", [8; 32]);
    check(assemble(&text, files, &stranger), "signed with a key that this unit does not trust");
    let forger = SigningKey::new(*b"signpost", [8; 32]);
    check(assemble(&text, files, &forger), "was changed after it was signed");
    check(flipped(manifest + 100), "was changed after it was signed");
    let mut resigned = good.clone();
    let digit = &mut resigned[models::bundle::HEADER + 80];
    *digit = if *digit == b'A' { b'B' } else { b'A' };
    check(resigned, "was changed after it was signed");
    check(flipped(payload + 5000), "has the SHA-256");
    check(flipped(0), "no bundle of Signpost's");
    check(b"PK\x03\x04".to_vec(), "no bundle of Signpost's");
    check(Vec::new(), "no bundle of Signpost's");
    check(flipped(9), "has format 257, and this program knows 1; update the program first");
    check(flipped(15), "signature claims");
    check(flipped(19), "manifest claims");
    check([&good[..], b"more"].concat(), "4 bytes follow the bundle's end");
    check(bundle(&recipe(0), &tests::bundles::files(2), &NoBase), "made with --downgrade");
    let foreign = Recipe { board: "jetson-orin-nano".into(), ..recipe(2) };
    check(
        bundle(&foreign, &tests::bundles::files(2), &NoBase),
        "for board `jetson-orin-nano`, and this unit is a `desk`",
    );
    let later = Recipe { least: Version(0, 1, 1), ..recipe(2) };
    check(bundle(&later, &tests::bundles::files(2), &NoBase), "install 0.1.1 first");
    let delta = bundle(&recipe(2), &tests::bundles::files(2), &Memory(&tests::bundles::files(3)));
    check(delta, "use the whole bundle");
    let keys = Keys::parse("untrusted comment: nobody's\nRWQ=").unwrap_err().to_string();
    assert!(keys.contains("the trusted keys cannot be read"), "{keys}");
}

#[test]
fn a_bundle_that_ends_early_is_refused_at_every_length() {
    let good = whole();
    let (_, payload) = parts(&good);
    let lengths = (0..payload + 40).chain((payload..good.len()).step_by(997)).chain([good.len() - 1]);
    for length in lengths.filter(|length| *length < good.len()) {
        let refused = Bundle::open(Cursor::new(&good[..length]), &keys()).map(|_| ()).unwrap_err();
        match refused {
            Error::NotABundle if length == 0 => {}
            Error::Truncated { missing } if length > 0 => {
                let known = length >= payload;
                assert!(!known || missing as usize == good.len() - length, "{missing} at {length}");
            }
            other => panic!("{length}: {other}"),
        }
    }
}

/// Signed by the key itself, and wrong all the same: a mistake in making it must not break a unit.
#[test]
fn what_is_signed_is_not_believed_blindly() {
    let text = b"a hundred bytes or less";
    let good = zstd(text, 10);
    open(of_one(|_| (), &good)).unwrap().check(&NoBase).unwrap();

    check(of_one(|e| e.name = "../a".into(), &good), "leads out of its folder");
    check(of_one(|e| e.size = 22, &good), "unpacks to more than the 22 bytes that it declares");
    check(of_one(|e| e.size = 24, &good), "where");
    check(of_one(|e| e.sha256 = Sum::of(b"other"), &good), "unpacks to");
    check(of_one(|e| e.size = 2 << 20, &good), "a slot of this board holds");
    check(of_one(|_| (), b"no zstd at all"), "does not unpack");
    check(of_one(|_| (), &good[..good.len() - 1]), "does not unpack");
    check(of_one(|_| (), &[&good[..], &good[..]].concat()), "something follows its frame");
    check(of_one(|e| e.packed = Packed::Kept, b""), "use the whole bundle");

    // Ten kilobytes that would become gigabytes stop at what was declared.
    let mut bomb = zstd::stream::write::Encoder::new(Vec::new(), 19).unwrap();
    std::io::copy(&mut std::io::repeat(0).take(300 << 20), &mut bomb).unwrap();
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 100_000);
    let declared = |e: &mut Entry| e.size = 1 << 20;
    let mut unpacked = 0;
    let mut bundle = open(of_one(declared, &bomb)).unwrap();
    let stopped = bundle.unpack(0, &NoBase, &mut |piece| {
        unpacked += piece.len();
        Ok(())
    });
    assert!(matches!(stopped, Err(Error::Bomb { size: 1_048_576, .. })) && unpacked <= 1 << 20);
    // A window that would take half a gigabyte of memory is refused before anything comes out.
    check(of_one(|_| (), &zstd(&vec![1; 1 << 20], 29)), "does not unpack");
}

/// Bundles of format 1, as another program wrote them: they are read for ever.
#[test]
fn the_first_format_is_read_for_ever() {
    let keys = Keys::parse(include_str!("../golden/bundle/trusted.pub")).unwrap();
    let (program, model) =
        (b"the program of version one, ".repeat(40), (0..=255).collect::<Vec<u8>>().repeat(4));
    let file = |name: &str, bytes: &[u8], executable| (name.to_string(), (bytes.to_vec(), executable));
    let old = [file("signpost", &program, true), file("weights/a/model.onnx", &model, false)];
    let old = bundles::Files::from(old);
    let new = [
        file("signpost", &[&program[..], b"and what is new in it"].concat(), true),
        file("weights/a/model.onnx", &model, false),
        file("weights/b/\u{e4}.txt", "only in version two: \u{fc}".as_bytes(), false),
    ];
    let new = bundles::Files::from(new);
    let whole = include_bytes!("../golden/bundle/v1.bundle").as_slice();
    let delta = include_bytes!("../golden/bundle/v1.delta.bundle").as_slice();
    for bytes in [whole, delta] {
        let mut bundle = Bundle::open(Cursor::new(bytes), &keys).unwrap();
        let manifest = bundle.manifest().clone();
        assert_eq!(
            (manifest.board.as_str(), manifest.version, manifest.downgrade),
            ("desk", Version(0, 2, 0), false)
        );
        assert!(unpacked(&mut bundle, &Memory(&old)) == new);
    }
    assert!(delta.len() < whole.len());
}
