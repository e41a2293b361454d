//! What must not be done says why, and what is done twice does no harm.

use models::bundle::Version;
use models::update::slot::whole;
use models::update::{Error, Installed, Record, Slot, Unit, boot, confirm, install, roll_back};
use tests::bundles::{self, Memory};
use tests::disk::SimDisk;

use crate::life::*;

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
    assert_eq!(again(shelf.whole(2), Slot::B), Installed::RunsAlready(Version(0, 2, 0)), "on trial");
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
