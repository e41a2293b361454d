//! The same update on real files: with the calls of this system, and killed after each of them.

use std::cell::Cell;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use models::update::disk::Folder;
use models::update::{Disk, Installed, Slot, boot, confirm, install, roll_back};
use tests::bundles::{self, Memory, opened};

use crate::life::unit;

/// A folder whose program is killed after so many calls that write.
struct Killed {
    folder: Folder,
    left: Cell<u64>,
}

impl Killed {
    fn new(root: &Path, left: u64) -> Self {
        Self { folder: Folder::open(root).unwrap(), left: Cell::new(left) }
    }

    fn call<T>(&self, call: impl FnOnce(&Folder) -> io::Result<T>) -> io::Result<T> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| io::Error::other("killed"))?;
        self.left.set(left);
        call(&self.folder)
    }
}

impl Disk for Killed {
    fn list(&self, folder: &str) -> io::Result<Vec<(String, bool)>> {
        self.folder.list(folder)
    }

    fn open(&self, file: &str) -> io::Result<Box<dyn Read + '_>> {
        self.folder.open(file)
    }

    fn create(&self, file: &str, executable: bool) -> io::Result<()> {
        self.call(|folder| folder.create(file, executable))
    }

    fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.call(|folder| folder.append(file, bytes))
    }

    fn overwrite(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.call(|folder| folder.overwrite(file, bytes))
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.call(|folder| folder.sync(name))
    }

    fn make_folder(&self, folder: &str) -> io::Result<()> {
        self.call(|disk| disk.make_folder(folder))
    }

    fn remove(&self, name: &str, is_folder: bool) -> io::Result<()> {
        self.call(|folder| folder.remove(name, is_folder))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.call(|folder| folder.rename(from, to))
    }

    fn free(&self) -> io::Result<u64> {
        self.folder.free()
    }
}

/// That a slot holds a version, as this system reads it: bytes, and who may be executed.
#[track_caller]
fn check(root: &Path, slot: Slot, number: u32) {
    for (name, (bytes, executable)) in bundles::files(number) {
        let path = root.join(slot.folder()).join(&name);
        assert!(fs::read(&path).unwrap() == bytes, "{name} of version {number}");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o100 != 0, executable, "{name}");
    }
}

#[test]
fn versions_come_and_go_in_a_folder() {
    let root = tempfile::tempdir().unwrap();
    let disk = Folder::open(root.path()).unwrap();
    install(&disk, &mut opened(1), &unit(None), &mut |_| {}).unwrap();
    assert!(boot(&disk).unwrap().trial);
    confirm(&disk, Slot::A).unwrap();
    let delta = bundles::bundle(&bundles::recipe(2), &bundles::files(2), &Memory(&bundles::files(1)));
    let mut delta = bundles::open(delta).unwrap();
    install(&disk, &mut delta, &unit(Some(Slot::A)), &mut |_| {}).unwrap();
    assert_eq!(boot(&disk).unwrap().slot, Slot::B);
    check(root.path(), Slot::B, 2);
    confirm(&disk, Slot::B).unwrap();
    let again = install(&disk, &mut opened(2), &unit(Some(Slot::B)), &mut |_| {}).unwrap();
    assert!(matches!(again, Installed::RunsAlready(_)));
    assert_eq!(roll_back(&disk, "a technician asked").unwrap(), Slot::A);
    assert_eq!(boot(&disk).unwrap().slot, Slot::A);
    check(root.path(), Slot::A, 1);
    let mut names: Vec<String> = disk.list("").unwrap().into_iter().map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(names, ["a", "b", "record.0", "record.1"], "nothing else is left");
}

#[test]
fn an_installation_killed_after_any_call_is_completed_by_the_next() {
    let (one, two) = (opened(1), opened(2));
    let mut kills = 0;
    for left in 0.. {
        let root = tempfile::tempdir().unwrap();
        let disk = Folder::open(root.path()).unwrap();
        install(&disk, &mut one.clone(), &unit(None), &mut |_| {}).unwrap();
        boot(&disk).unwrap();
        confirm(&disk, Slot::A).unwrap();
        let killed = Killed::new(root.path(), left);
        let done = install(&killed, &mut two.clone(), &unit(Some(Slot::A)), &mut |_| {});
        if done.is_ok() {
            break;
        }
        kills += 1;
        let start = boot(&disk).unwrap();
        assert!(start.trial || start.slot == Slot::A, "{start:?}");
        check(root.path(), start.slot, if start.slot == Slot::A { 1 } else { 2 });
        if !start.trial {
            install(&disk, &mut two.clone(), &unit(Some(Slot::A)), &mut |_| {}).unwrap();
            boot(&disk).unwrap();
        }
        check(root.path(), Slot::B, 2);
        confirm(&disk, Slot::B).unwrap();
    }
    assert!(kills > 30, "only {kills} calls");
}

/// What is in the folder and does not belong there does no harm.
#[test]
fn strange_files_in_the_way_are_cleared_or_named() {
    let root = tempfile::tempdir().unwrap();
    let disk = Folder::open(root.path()).unwrap();
    fs::create_dir_all(root.path().join("a.part/deep/er")).unwrap();
    fs::write(root.path().join("a.part/deep/er/file"), "left over").unwrap();
    fs::write(root.path().join("record.0"), "").unwrap();
    fs::write(root.path().join("record.1"), vec![b' '; 1024]).unwrap();
    install(&disk, &mut opened(1), &unit(None), &mut |_| {}).unwrap();
    assert_eq!(boot(&disk).unwrap().slot, Slot::A);
    check(root.path(), Slot::A, 1);
    // A link that leads elsewhere is removed, and what it leads to stays.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("kept"), "kept").unwrap();
    fs::create_dir(root.path().join("b.part")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), root.path().join("b.part/link")).unwrap();
    confirm(&disk, Slot::A).unwrap();
    install(&disk, &mut opened(2), &unit(Some(Slot::A)), &mut |_| {}).unwrap();
    assert!(elsewhere.path().join("kept").is_file());
    assert_eq!(boot(&disk).unwrap().slot, Slot::B);
}
