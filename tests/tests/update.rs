//! An update with the power cut at every write, sync and rename of it: the unit starts the old version or
//! the new one, and the next try completes.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::LazyLock;

use models::bundle::{Bundle, Version};
use models::update::slot::{Slot, whole};
use models::update::{Disk, Error, Installed, Record, Start, State, Unit, boot, confirm, install, roll_back};
use tests::bundles::{self, Files, Memory, opened};
use tests::disk::{Loss, SimDisk};
use tests::fuzz::Random;

type Made = Bundle<Cursor<Vec<u8>>>;

/// The starts that a version on trial has.
const STARTS: u8 = 2;

/// The bundles that the tests install: whole ones, and the difference from the first to the second version.
struct Shelf {
    whole: BTreeMap<u32, Made>,
    delta: Made,
}

impl Shelf {
    fn new() -> Self {
        let old = bundles::files(1);
        let delta = bundles::bundle(&bundles::recipe(2), &bundles::files(2), &Memory(&old));
        let delta = bundles::open(delta).unwrap();
        Self { whole: [1, 2, 3].into_iter().map(|number| (number, opened(number))).collect(), delta }
    }

    fn whole(&self, number: u32) -> Made {
        self.whole[&number].clone()
    }
}

fn unit(running: Option<Slot>) -> Unit<'static> {
    Unit { board: "desk", slot_bytes: 1 << 20, starts: STARTS, running }
}

fn put(disk: &impl Disk, mut bundle: Made, running: Option<Slot>) -> Result<Installed, Error> {
    install(disk, &mut bundle, &unit(running), &mut |_| {})
}

/// A unit that has one version, which has proven itself.
fn with_one(shelf: &Shelf) -> SimDisk {
    let disk = SimDisk::new();
    assert_eq!(put(&disk, shelf.whole(1), None).unwrap(), Installed::Waiting(Version(0, 1, 0)));
    assert_eq!(start(&disk), (1, true));
    confirm(&disk, Slot::A).unwrap();
    disk
}

/// A unit on which the second version has proven itself after the first.
fn with_two(shelf: &Shelf) -> SimDisk {
    let disk = with_one(shelf);
    put(&disk, shelf.whole(2), Some(Slot::A)).unwrap();
    assert_eq!(start(&disk), (2, true));
    confirm(&disk, Slot::B).unwrap();
    disk
}

/// A unit on which the second version waits for its first start.
fn with_waiting(shelf: &Shelf) -> SimDisk {
    let disk = with_one(shelf);
    put(&disk, shelf.whole(2), Some(Slot::A)).unwrap();
    disk
}

/// A unit on which the second version is on trial.
fn with_trial(shelf: &Shelf) -> SimDisk {
    let disk = with_waiting(shelf);
    assert_eq!(start(&disk), (2, true));
    disk
}

/// A unit on which the second version has used up its starts.
fn with_used_up(shelf: &Shelf) -> SimDisk {
    let disk = with_trial(shelf);
    assert_eq!(start(&disk), (2, true));
    disk
}

/// What a slot holds beside its manifest, byte for byte: a version, or none of them.
fn holds(files: &Files) -> Option<u32> {
    static VERSIONS: LazyLock<[Files; 3]> = LazyLock::new(|| [1, 2, 3].map(bundles::files));
    let mut own = files.clone();
    own.retain(|name, _| !name.starts_with("manifest.json"));
    VERSIONS.iter().position(|version| own == *version).map(|index| index as u32 + 1)
}

/// Starts the unit: what it starts, which version that is byte for byte, and whether it is on trial.
///
/// The judgement is the test's own: it compares the files with those that went into the bundles.
fn try_start(disk: &SimDisk) -> Result<(Start, u32), String> {
    let start = boot(disk).map_err(|e| format!("it starts neither: {e}"))?;
    let number = holds(&disk.tree(start.slot.folder())).ok_or("it starts a mixture")?;
    if start.version != Version(0, number, 0) {
        return Err(format!("it starts {number} and says {}", start.version));
    }
    Ok((start, number))
}

#[track_caller]
fn start(disk: &SimDisk) -> (u32, bool) {
    let (start, number) = try_start(disk).unwrap();
    (number, start.trial)
}

/// What is done while the power is cut.
struct Deed {
    name: &'static str,
    before: fn(&Shelf) -> SimDisk,
    does: fn(&SimDisk, &Shelf) -> Result<(), Error>,
    /// What the unit may start when it was cut off, and what it must start when it was not.
    may: &'static [u32],
    must: (u32, bool),
}

/// Everything that writes, in every state that it may be done in.
const DEEDS: &[Deed] = &[
    Deed {
        name: "install",
        before: with_one,
        does: |disk, shelf| put(disk, shelf.whole(2), Some(Slot::A)).map(|_| ()),
        may: &[1, 2],
        must: (2, true),
    },
    Deed {
        name: "install a difference",
        before: with_one,
        does: |disk, shelf| put(disk, shelf.delta.clone(), Some(Slot::A)).map(|_| ()),
        may: &[1, 2],
        must: (2, true),
    },
    Deed {
        name: "install over the version before",
        before: with_two,
        does: |disk, shelf| put(disk, shelf.whole(3), Some(Slot::B)).map(|_| ()),
        may: &[2, 3],
        must: (3, true),
    },
    Deed {
        name: "install in the place of one that waits",
        before: with_waiting,
        does: |disk, shelf| put(disk, shelf.whole(3), Some(Slot::A)).map(|_| ()),
        may: &[1, 2, 3],
        must: (3, true),
    },
    Deed {
        name: "start on trial",
        before: with_waiting,
        does: |disk, _| boot(disk).map(|_| ()),
        may: &[2],
        must: (2, true),
    },
    Deed {
        name: "start for the last time",
        before: with_trial,
        does: |disk, _| boot(disk).map(|_| ()),
        may: &[1, 2],
        must: (1, false),
    },
    Deed {
        name: "go back by itself",
        before: with_used_up,
        does: |disk, _| boot(disk).map(|_| ()),
        may: &[1],
        must: (1, false),
    },
    Deed {
        name: "confirm",
        before: with_trial,
        does: |disk, _| confirm(disk, Slot::B),
        may: &[2],
        must: (2, false),
    },
    Deed {
        name: "roll back from trial",
        before: with_trial,
        does: |disk, _| roll_back(disk, "no camera").map(|_| ()),
        may: &[1, 2],
        must: (1, false),
    },
    Deed {
        name: "roll back to the version before",
        before: with_two,
        does: |disk, _| roll_back(disk, "a technician asked").map(|_| ()),
        may: &[1, 2],
        must: (1, false),
    },
];

/// What the power may leave: all ends, and some of everything between.
fn losses(seeds: u64) -> impl Iterator<Item = Loss> {
    let some = (0..seeds).flat_map(|seed| [Loss::Some(seed), Loss::Flipped(seed)]);
    [Loss::All, Loss::None].into_iter().chain(some)
}

/// Does a deed with the power cut at one point of it; gives what went wrong afterwards.
fn cut_once(deed: &Deed, before: &SimDisk, shelf: &Shelf, cut: u64, loss: Loss) -> Result<(), String> {
    let disk = before.fork();
    disk.cut_at(cut);
    let done = (deed.does)(&disk, shelf);
    if done.is_ok() {
        return Err("it ended well without power".into());
    }
    disk.power_cycle(loss);
    let rolled = disk.fork();
    let (_, number) = try_start(&disk)?;
    if !deed.may.contains(&number) {
        return Err(format!("it starts version {number}"));
    }
    second_try(&disk, shelf)?;
    // The same cut, and afterwards somebody who wants to go back.
    let (started, _) = try_start(&rolled)?;
    if started.trial {
        let back = roll_back(&rolled, "a technician asked").map_err(|e| e.to_string())?;
        let (after, _) = try_start(&rolled)?;
        if after.trial || after.slot != back {
            return Err(format!("after the roll-back it starts {after:?}"));
        }
    }
    Ok(())
}

/// Whatever stands, version 3 is installed, proves itself, and stays.
fn second_try(disk: &SimDisk, shelf: &Shelf) -> Result<(), String> {
    let (now, _) = try_start(disk)?;
    if now.trial {
        confirm(disk, now.slot).map_err(|e| format!("it is not confirmed: {e}"))?;
    }
    put(disk, shelf.whole(3), Some(now.slot)).map_err(|e| format!("the second try fails: {e}"))?;
    let (trial, number) = try_start(disk)?;
    let settled = confirm(disk, trial.slot).map_err(|e| format!("it is not confirmed: {e}"));
    settled?;
    let (after, _) = try_start(disk)?;
    if number != 3 || after.trial || after.slot != trial.slot || after.version != Version(0, 3, 0) {
        return Err(format!("after the second try it starts {after:?}"));
    }
    Ok(())
}

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

#[test]
fn what_must_not_be_done_now_says_why() {
    #[track_caller]
    fn check(done: Result<Installed, Error>, expect: &str) {
        let error = done.unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    }
    let shelf = Shelf::new();
    check(put(&with_trial(&shelf), shelf.whole(3), Some(Slot::B)), "is on trial; confirm it or roll it back");
    let disk = with_trial(&shelf);
    assert_eq!(roll_back(&disk, "no camera").unwrap(), Slot::A);
    check(put(&disk, shelf.whole(3), Some(Slot::B)), "restart it first");
    let record = Record::load(&disk).unwrap();
    let fallen = record.fallen.unwrap();
    assert_eq!((fallen.version, fallen.why.as_str()), (Some(Version(0, 2, 0)), "no camera"));
    check(put(&with_two(&shelf), shelf.whole(1), Some(Slot::B)), "made with --downgrade");
    let foreign = models::bundle::write::Recipe { board: "qemu".into(), ..bundles::recipe(3) };
    let foreign = bundles::bundle(&foreign, &bundles::files(3), &models::bundle::NoBase);
    check(
        put(&with_two(&shelf), bundles::open(foreign).unwrap(), Some(Slot::B)),
        "choose the bundle of this board",
    );
    // A difference to version 1, on a unit that runs version 3.
    let disk = with_two(&shelf);
    put(&disk, shelf.whole(3), Some(Slot::B)).unwrap();
    confirm(&disk, boot(&disk).unwrap().slot).unwrap();
    let delta = bundles::bundle(&bundles::recipe(4), &bundles::files(2), &Memory(&bundles::files(1)));
    let asked = disk.asked();
    check(put(&disk, bundles::open(delta).unwrap(), Some(Slot::A)), "use the whole bundle");
    assert_eq!(disk.asked(), asked, "nothing was changed");
    assert!(matches!(confirm(&with_waiting(&shelf), Slot::A), Err(Error::NotOnTrial)));
    assert!(matches!(roll_back(&with_one(&shelf), ""), Err(Error::NothingBefore)));
    assert!(matches!(roll_back(&SimDisk::new(), ""), Err(Error::NothingBefore)));
    let small = Unit { slot_bytes: 1000, ..unit(Some(Slot::A)) };
    let refused = install(&with_one(&shelf), &mut shelf.whole(2), &small, &mut |_| {});
    check(refused, "a slot of this board holds 1000; make it smaller");
}

#[test]
fn what_is_done_twice_does_no_harm() {
    let shelf = Shelf::new();
    let disk = with_waiting(&shelf);
    let asked = disk.asked();
    let again = |bundle: Made, slot| put(&disk, bundle, Some(slot)).unwrap();
    assert_eq!(again(shelf.whole(2), Slot::A), Installed::WaitsAlready(Version(0, 2, 0)));
    assert_eq!(
        again(shelf.delta.clone(), Slot::A),
        Installed::WaitsAlready(Version(0, 2, 0)),
        "packed otherwise"
    );
    assert_eq!(disk.asked(), asked, "nothing was written");
    assert_eq!(start(&disk), (2, true));
    confirm(&disk, Slot::B).unwrap();
    confirm(&disk, Slot::B).unwrap();
    assert_eq!(again(shelf.whole(2), Slot::B), Installed::RunsAlready(Version(0, 2, 0)));
    // Back, and forth again.
    assert_eq!(roll_back(&disk, "a technician asked").unwrap(), Slot::A);
    assert_eq!(start(&disk), (1, false));
    assert_eq!(roll_back(&disk, "a technician asked").unwrap(), Slot::B);
    assert_eq!(start(&disk), (2, false));
}

/// A version that the key holder allows to go back to.
#[test]
fn an_older_version_is_installed_where_the_key_holder_allows_it() {
    let shelf = Shelf::new();
    let disk = with_two(&shelf);
    let allowed = models::bundle::write::Recipe { downgrade: true, ..bundles::recipe(1) };
    let allowed = bundles::bundle(&allowed, &bundles::files(1), &models::bundle::NoBase);
    put(&disk, bundles::open(allowed).unwrap(), Some(Slot::B)).unwrap();
    assert_eq!(start(&disk), (1, true));
    assert!(whole(&disk, Slot::A, None).unwrap().manifest.downgrade);
}
