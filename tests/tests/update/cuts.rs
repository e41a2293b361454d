//! The power is cut: at every point of every deed, with everything that a cut may leave.

use std::cell::Cell;
use std::collections::BTreeMap;

use models::update::{Record, Slot, State, boot, confirm, roll_back};
use tests::disk::{Loss, SimDisk};
use tests::fuzz::Random;

use crate::deeds::*;
use crate::life::*;

/// The heart: every deed, cut at every point, with everything that a cut may leave.
#[test]
fn no_power_cut_leaves_neither_version_or_a_mixture() {
    let shelf = Shelf::new();
    let (mut cuts, mut points) = (0, 0);
    for deed in DEEDS {
        let before = (deed.before)(&shelf);
        let whole = before.fork();
        (deed.does)(&whole, &shelf).unwrap_or_else(|e| panic!("{}: {e}", deed.name));
        let asked = whole.asked();
        assert!(asked >= 2, "{}: it writes and syncs", deed.name);
        for cut in 1..=asked {
            points += 1;
            for loss in losses(25) {
                let wrong = cut_once(deed, &before, &shelf, cut, loss);
                assert_eq!(wrong, Ok(()), "{}, cut at {cut} of {asked}, {loss:?}", deed.name);
                cuts += 1;
            }
        }
        // What was said to be done is done for good.
        for loss in losses(25) {
            let disk = whole.fork();
            disk.power_cycle(loss);
            assert_eq!(start(&disk), deed.must, "{}, cut afterwards, {loss:?}", deed.name);
            cuts += 1;
        }
    }
    println!("{cuts} cuts at {points} points of {} deeds", DEEDS.len());
    assert!(cuts > 10_000, "only {cuts}");
}

/// The test above can fail: on a disk that says that it synced, and did not, it finds what must not be.
#[test]
fn a_disk_that_never_syncs_is_found_out() {
    let shelf = Shelf::new();
    let mut found = BTreeMap::<String, u32>::new();
    for loss in losses(100) {
        let disk = with_one(&shelf);
        disk.never_sync();
        put(&disk, shelf.whole(2), Some(Slot::A)).unwrap();
        assert_eq!(start(&disk), (2, true));
        confirm(&disk, Slot::B).unwrap();
        put(&disk, shelf.whole(3), Some(Slot::B)).unwrap();
        disk.power_cycle(loss);
        let said = match try_start(&disk) {
            Ok((_, 3)) => "what was said to be done".into(),
            Ok((_, number)) => format!("what was said to be done is gone: version {number}"),
            Err(wrong) => wrong[..19].into(),
        };
        *found.entry(said).or_default() += 1;
    }
    println!("{found:?}");
    assert!(found["it starts neither: "] > 10, "{found:?}");
    assert!(found.keys().any(|said| said.contains("is gone")), "{found:?}");
}

/// The first version of all: nothing can be started before it is there, and it comes in the second try.
#[test]
fn the_first_installation_may_be_cut_off_too() {
    let shelf = Shelf::new();
    let whole = SimDisk::new();
    put(&whole, shelf.whole(1), None).unwrap();
    for cut in 1..=whole.asked() {
        for loss in losses(8) {
            let disk = SimDisk::new();
            disk.cut_at(cut);
            put(&disk, shelf.whole(1), None).unwrap_err();
            disk.power_cycle(loss);
            match boot(&disk) {
                Ok(_) => assert_eq!(holds(&disk.tree("a")), Some(1)),
                Err(error) => assert!(error.to_string().contains("neither slot holds a whole version")),
            }
            let running = Record::load(&disk).and_then(|record| record.active);
            put(&disk, shelf.whole(1), running).unwrap();
            assert_eq!(start(&disk).0, 1, "cut at {cut}, {loss:?}");
            confirm(&disk, Slot::A).unwrap();
            second_try(&disk, &shelf).unwrap();
        }
    }
}

/// Cuts on cuts: whatever is done in whatever order, some version starts.
#[test]
fn any_number_of_cuts_in_any_order_leaves_a_version() {
    let shelf = Shelf::new();
    let one = with_one(&shelf);
    let (mut cuts, mut random) = (0, Random(8));
    for _ in 0..rounds() {
        let disk = one.fork();
        for _ in 0..12 {
            let asked = disk.asked();
            let cut = random.below(3) > 0;
            if cut {
                disk.cut_at(asked + 1 + random.below(90) as u64);
            }
            let running = boot(&disk).map(|start| start.slot);
            let number = 1 + random.below(3) as u32;
            let _ = match (random.below(4), running) {
                (0, Ok(slot)) => confirm(&disk, slot),
                (1, Ok(_)) => roll_back(&disk, "at random").map(|_| ()),
                (2, Ok(slot)) if number == 2 => put(&disk, shelf.delta.clone(), Some(slot)).map(|_| ()),
                (_, Ok(slot)) => put(&disk, shelf.whole(number), Some(slot)).map(|_| ()),
                (_, Err(error)) if disk.is_off() => Err(error),
                (_, Err(error)) => panic!("{error}"),
            };
            if disk.is_off() || random.below(4) == 0 {
                cuts += 1;
                disk.power_cycle(match random.below(4) {
                    0 => Loss::All,
                    1 => Loss::None,
                    2 => Loss::Some(cuts),
                    _ => Loss::Flipped(cuts),
                });
            }
            disk.cut_at(u64::MAX);
            try_start(&disk).unwrap();
        }
        second_try(&disk, &shelf).unwrap();
    }
    println!("{cuts} cuts in {} lives", rounds());
}

/// Each life takes many installations; the fuzzers' number would take minutes.
fn rounds() -> u32 {
    tests::fuzz::rounds() / 20
}

/// Kills between the states of the machine, by name: entering, in and leaving each, with and without
/// a roll-back afterwards.
#[test]
fn every_state_of_the_record_survives_a_kill() {
    let shelf = Shelf::new();
    let seen = Cell::new(0u32);
    for deed in DEEDS {
        let before = (deed.before)(&shelf);
        let whole = before.fork();
        (deed.does)(&whole, &shelf).unwrap();
        for cut in 1..=whole.asked() {
            // A kill is a cut that loses nothing: the system goes on and writes what it was given.
            let disk = before.fork();
            disk.cut_at(cut);
            let _ = (deed.does)(&disk, &shelf);
            disk.power_cycle(Loss::None);
            let state = match Record::load(&disk).expect("there is a record").state {
                State::Steady => 0,
                State::Writing { .. } => 1,
                State::Trial { left: STARTS, .. } => 2,
                State::Trial { left: 0, .. } => 3,
                State::Trial { .. } => 4,
            };
            seen.set(seen.get() | 1 << state);
            cut_once(deed, &before, &shelf, cut, Loss::None).unwrap();
        }
    }
    assert_eq!(seen.get(), 0b11111, "all states were killed in");
}
