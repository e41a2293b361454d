//! Bundles, manifests, keys, records and modules' memories of any bytes: read or refused, never a panic,
//! never a file out of its folder, never more bytes than were declared.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::io::Cursor;

use boards::{Part, Traits};
use models::bundle::{Bundle, Keys, Manifest, NoBase, Packed, Sum};
use models::update::{Disk, Error, Record, Slot, Unit, boot, confirm, install};
use tests::bundles::{self, Memory, assemble, bundle, files, key, keys, open, parts, recipe};
use tests::disk::SimDisk;
use tests::fuzz::{Harvest, Random, each_round};

/// Small files: what is fuzzed is their description.
fn small(number: u32) -> bundles::Files {
    let mut files = files(number);
    files.get_mut("bin/signpost").unwrap().0.truncate(3000);
    files
}

#[test]
fn a_bundle_of_any_bytes_is_the_one_that_was_signed_or_refused() {
    let good = bundle(&recipe(2), &small(2), &NoBase);
    let other = bundle(&recipe(3), &small(3), &NoBase);
    // What the manifest vouches for, and no more: the words before a signature are anybody's.
    let mut harvest = Harvest::of("bundle");
    let mut check = |bytes: Vec<u8>| {
        // Without a key as well, as a tool looks at what it is to send.
        let examined = models::bundle::examine(std::io::Cursor::new(&bytes));
        let mut bundle = match open(bytes.clone()) {
            Ok(bundle) => bundle,
            Err(error) => {
                harvest.saw(&format!("{error} {}", examined.is_ok()), &bytes);
                return;
            }
        };
        let said = bundle.manifest().clone();
        let checked = bundle.check(&NoBase);
        harvest.saw(&checked.as_ref().map_or_else(ToString::to_string, |()| "whole".into()), &bytes);
        if checked.is_ok() {
            let same =
                [&good, &other].into_iter().any(|known| open(known.clone()).unwrap().manifest() == &said);
            assert!(same, "a bundle that nobody signed");
        }
    };
    let (_, payload) = parts(&good);
    for length in 0..payload.min(4000) {
        check(good[..length].to_vec());
    }
    let mut random = Random(81);
    for _ in each_round() {
        check(random.mutate(&good, &other));
    }
}

/// A key holder whose tools have gone mad: every manifest and payload is signed.
#[test]
fn signed_nonsense_changes_nothing_that_starts() {
    let disk = SimDisk::new();
    let unit = |running| Unit { board: "desk", slot_bytes: 1 << 20, starts: 2, running };
    let first = bundle(&recipe(1), &small(1), &NoBase);
    install(&disk, &mut open(first).unwrap(), &unit(None), &mut |_| {}).unwrap();
    boot(&disk).unwrap();
    confirm(&disk, Slot::A).unwrap();
    let seeds = [
        bundle(&recipe(2), &small(2), &NoBase),
        bundle(&recipe(2), &small(2), &Memory(&small(1))),
        bundle(&recipe(3), &small(3), &Memory(&small(1))),
    ];
    let mut random = Random(82);
    let (mut opened, mut installed, mut tried) = (0, 0, 0);
    let mut harvest = Harvest::of("signed");
    for round in each_round() {
        tried = round + 1;
        let seed = &seeds[round as usize % seeds.len()];
        let (manifest, payload) = parts(seed);
        let other = &seeds[random.below(seeds.len())];
        let (mut text, mut packed) = (seed[manifest..payload].to_vec(), seed[payload..].to_vec());
        match random.below(4) {
            0 => text = random.mutate(&text, other),
            1 => packed = random.mutate(&packed, other),
            // Numbers, names and switches that are all well-formed.
            _ => text = twist(&text, &packed, &mut random),
        }
        let signed = assemble(&text, &packed, &key());
        let mut bundle = match open(signed.clone()) {
            Ok(bundle) => bundle,
            Err(error) => {
                harvest.saw(&error.to_string(), &signed);
                continue;
            }
        };
        opened += 1;
        let declared = bundle.manifest().clone();
        for (index, entry) in declared.files.iter().enumerate() {
            let mut out = 0;
            let _ = bundle.unpack(index, &Memory(&small(1)), &mut |piece| {
                out += piece.len() as u64;
                Ok(())
            });
            assert!(out <= entry.size, "{out} bytes of {}", entry.size);
        }
        let disk = disk.fork();
        let done = install(&disk, &mut bundle, &unit(Some(Slot::A)), &mut |_| {});
        installed += u32::from(done.is_ok());
        harvest.saw(&done.map_or_else(|error| error.to_string(), |_| "installed".into()), &signed);
        let start = boot(&disk).unwrap();
        let names: Vec<String> = disk.list("").unwrap().into_iter().map(|(name, _)| name).collect();
        let ours = ["a", "b", "a.part", "b.part", "record.0", "record.1"];
        assert!(names.iter().all(|name| ours.contains(&name.as_str())), "{names:?}");
        assert!(start.trial || start.slot == Slot::A);
    }
    assert!(opened > tried / 20 && installed < opened, "{installed} of {opened} were installed");
}

/// A manifest with one thing changed; its packed files are vouched for all the same.
fn twist(text: &[u8], packed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut manifest = Manifest::parse(text).unwrap();
    let count = manifest.files.len();
    let (one, other) = (random.below(count), random.below(count));
    match random.below(7) {
        0 => manifest.files[one].size = 1 << random.below(64),
        1 => {
            manifest.files[one].name = manifest.files[other].name.clone() + ["", "/x", "/.."][random.below(3)]
        }
        2 => manifest.files[one].packed = manifest.files[other].packed,
        3 => drop(manifest.files.remove(one)),
        4 => manifest.files.swap(one, other),
        5 => manifest.version.1 = random.below(4) as u32,
        _ => manifest.files[one].executable ^= true,
    }
    // The sums that the payload really has, so that the decompressor is reached.
    let mut at = 0;
    for entry in &mut manifest.files {
        let end = packed.len().min(at + entry.packed.size() as usize);
        if let Packed::Whole { sha256, .. } | Packed::Delta { sha256, .. } = &mut entry.packed {
            *sha256 = Sum::of(&packed[at.min(end)..end]);
        }
        at = end;
    }
    manifest.text()
}

#[test]
fn manifests_and_keys_of_any_bytes_are_read_or_refused() {
    let good = bundle(&recipe(2), &small(2), &Memory(&small(1)));
    let (manifest, payload) = parts(&good);
    let text = &good[manifest..payload];
    let public = key().public();
    let signature = open(good.clone()).unwrap().signature().to_vec();
    let mut random = Random(83);
    let mut harvest = Harvest::of("manifest");
    for _ in each_round() {
        let mutated = random.mutate(text, &good);
        let parsed = Manifest::parse(&mutated);
        harvest.saw(&parsed.as_ref().map_or_else(ToString::to_string, |_| "read".into()), &mutated);
        if let Ok(read) = parsed {
            assert!(Manifest::parse(&read.text()).unwrap() == read);
            for entry in &read.files {
                let climbs = entry.name.split('/').any(|part| matches!(part, "" | "." | ".."));
                assert!(!climbs, "{:?}", entry.name);
            }
        }
        let mutated = random.mutate(public.as_bytes(), &good);
        let _ = Keys::parse(&String::from_utf8_lossy(&mutated));
        let _ = keys().verify(text, &random.mutate(&signature, &good));
    }
    let _ = Bundle::open(Cursor::new(text.to_vec()), &keys());
}

#[test]
fn records_of_any_bytes_start_what_is_whole() {
    let disk = SimDisk::new();
    let unit = |running| Unit { board: "desk", slot_bytes: 1 << 20, starts: 2, running };
    let of = |number| open(bundle(&recipe(number), &small(number), &NoBase)).unwrap();
    install(&disk, &mut of(1), &unit(None), &mut |_| {}).unwrap();
    boot(&disk).unwrap();
    confirm(&disk, Slot::A).unwrap();
    install(&disk, &mut of(2), &unit(Some(Slot::A)), &mut |_| {}).unwrap();
    let copies = ["record.0", "record.1"].map(|name| disk.tree("")[name].0.clone());
    let mut random = Random(84);
    for _ in each_round() {
        let disk = disk.fork();
        for (name, copy) in ["record.0", "record.1"].into_iter().zip(&copies) {
            let mut bytes = random.mutate(copy, &copies[0]);
            if random.below(2) == 0 {
                // As long as a record, so that it is looked at.
                bytes.resize(copy.len(), b' ');
            }
            disk.create(name, false).unwrap();
            disk.append(name, &bytes).unwrap();
            let _ = Record::decode(&bytes);
        }
        match boot(&disk) {
            Ok(start) => assert!(start.version.1 == 1 + start.slot as u32, "{start:?}"),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(matches!(boot(&SimDisk::new()), Err(Error::Nothing { .. })));
}

#[test]
fn memories_of_modules_of_any_bytes_name_a_part_or_none() {
    let mut memory = vec![0xff; 256];
    memory[20..42].copy_from_slice(b"699-13767-0003-300 N.1");
    let mut random = Random(85);
    for _ in each_round() {
        let bytes = random.mutate(&memory, b"699-82888-0004-400 L.0");
        if let Some(part) = Part::of_eeprom(&bytes) {
            assert_eq!(part.to_string().parse(), Ok(part));
        }
        let text = String::from_utf8_lossy(&random.mutate(b"nvidia,p3768-0000+p3767-0003-super", &bytes))
            .into_owned();
        let traits = Traits { model: text.clone(), compatible: vec![text], part: None };
        // In words, whatever it is.
        let _ = traits.machine().map(|machine| machine.to_string()).map_err(|error| error.to_string());
    }
}
