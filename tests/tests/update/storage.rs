//! Storage that is full, flips bits, or loses them.

use std::cell::Cell;

use models::update::{Slot, boot, install};
use tests::fuzz::Random;

use crate::deeds::*;
use crate::life::*;

/// Wherever the disk becomes full, the unit starts what it had; with space the next try completes.
#[test]
fn a_full_disk_stops_an_update_and_nothing_else() {
    let shelf = Shelf::new();
    let before = with_two(&shelf);
    let (used, mut stopped) = (before.used(), 0u32);
    // Version 3 takes the place of version 1; what folders and names cost is asked for besides.
    for room in (used - 80_000..used + 60_000).step_by(1999) {
        let disk = before.fork();
        disk.hold(Some(room));
        if let Err(error) = put(&disk, shelf.whole(3), Some(Slot::B)) {
            assert!(error.to_string().contains("free some space on the unit"), "{error}");
            assert_eq!(disk.asked(), 0, "nothing was changed");
            assert_eq!(start(&disk), (2, false), "{room} of {used}");
            stopped += 1;
        }
        disk.hold(None);
        second_try(&disk, &shelf).unwrap();
    }
    assert!((10..70).contains(&stopped), "{stopped} stopped");
    // What is full lets a version be confirmed and given up all the same.
    for deed in DEEDS.iter().filter(|deed| !deed.name.starts_with("install")) {
        let disk = (deed.before)(&shelf);
        disk.hold(Some(0));
        (deed.does)(&disk, &shelf).unwrap_or_else(|e| panic!("{}: {e}", deed.name));
        assert_eq!(start(&disk), deed.must, "{}", deed.name);
    }
}

/// What other programs write meanwhile takes the space that was counted on.
#[test]
fn a_disk_that_becomes_full_on_the_way_stops_an_update_and_nothing_else() {
    let shelf = Shelf::new();
    let before = with_one(&shelf);
    let used = before.used();
    for room in (0..80_000).step_by(801) {
        let disk = before.fork();
        let asked = Cell::new(false);
        let mut bundle = shelf.whole(2);
        let installed = install(&disk, &mut bundle, &unit(Some(Slot::A)), &mut |step| {
            if matches!(step, models::update::Step::Writing { .. }) && !asked.replace(true) {
                disk.hold(Some(used + room));
            }
        });
        match installed {
            Ok(_) => assert_eq!(start(&disk), (2, true)),
            Err(error) => {
                assert!(error.to_string().contains("free some space"), "{error}");
                assert_eq!(start(&disk), (1, false));
                assert!(disk.tree("b.part").is_empty(), "what was begun is cleared");
            }
        }
        disk.hold(None);
        second_try(&disk, &shelf).unwrap();
    }
}

/// Storage that flips a bit while it writes is found out by reading back.
#[test]
fn a_bit_that_flips_while_it_is_written_stops_the_update() {
    let shelf = Shelf::new();
    for deed in DEEDS.iter().filter(|deed| deed.name.starts_with("install")) {
        let before = (deed.before)(&shelf);
        let whole = before.fork();
        (deed.does)(&whole, &shelf).unwrap();
        let mut found = 0;
        for ask in 1..=whole.asked() {
            let disk = before.fork();
            disk.lie_at(ask);
            if let Err(error) = (deed.does)(&disk, &shelf) {
                assert!(error.to_string().contains("storage is damaged"), "{error}");
                assert!(deed.may.contains(&start(&disk).0), "{} at {ask}", deed.name);
                found += 1;
            } else {
                // What was asked then was no write.
                assert_eq!(start(&disk), deed.must, "{} at {ask}", deed.name);
            }
            second_try(&disk, &shelf).unwrap();
        }
        assert!(found >= 8, "{}: only {found} of the writes were found", deed.name);
    }
}

/// Storage that loses a bit later on: in any place, the other version starts.
#[test]
fn a_bit_that_rots_leaves_a_version() {
    let shelf = Shelf::new();
    let mut random = Random(5);
    for prepare in [with_two, with_trial, with_waiting, with_used_up] {
        let before = prepare(&shelf);
        for folder in ["a", "b"] {
            for (name, (bytes, _)) in before.tree(folder) {
                for _ in 0..8 {
                    let disk = before.fork();
                    disk.rot(&format!("{folder}/{name}"), random.below(bytes.len() * 8));
                    try_start(&disk).unwrap();
                    second_try(&disk, &shelf).unwrap();
                }
            }
        }
        for copy in ["record.0", "record.1"] {
            for bit in (0..1024 * 8).step_by(5) {
                let disk = before.fork();
                disk.rot(copy, bit);
                try_start(&disk).unwrap();
            }
        }
        // Both copies at once: the slots alone say what is whole.
        let disk = before.fork();
        disk.rot("record.0", 80);
        disk.rot("record.1", 80);
        assert!(boot(&disk).unwrap().notes.iter().any(|note| note.contains("the record was lost")));
        second_try(&disk, &shelf).unwrap();
    }
    // What is left when the only whole version rots is no mixture.
    let disk = with_one(&shelf);
    disk.rot("a/bin/signpost", 7);
    let error = boot(&disk).unwrap_err().to_string();
    assert!(error.contains("bin/signpost has other bytes than its manifest says"), "{error}");
}
