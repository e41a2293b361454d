//! Whether the unit's storage keeps what is written, and has room for another version.

use std::path::Path;
use std::time::Instant;

use boards::Board;
use models::bundle::Sum;
use models::update::Disk;
use models::update::disk::Folder;

use super::paper::{Found, rounded};

/// What is written. Bytes.
const SIZE: usize = 16 << 20;
/// In pieces of this size. Bytes.
const PIECE: usize = 1 << 20;
/// Its name; a run that was cut off leaves it, and the next one writes over it.
const NAME: &str = "selftest.part";

/// Writes a file into the folder of the slots, syncs it, reads it back, and removes it.
pub fn check(root: &Path, board: &Board) -> Found {
    let disk = match Folder::open(root) {
        Ok(disk) => disk,
        Err(error) => {
            let next = "name another folder with --root, or run this as the user that the unit's service has";
            return Found::failed(format!("{} cannot be used ({error}); {next}", root.display()));
        }
    };
    let found = tried(&disk, root, board);
    // Where it cannot be removed it was not made, or the finding says what is wrong.
    let _ = disk.remove(NAME, false);
    found
}

fn tried(disk: &Folder, root: &Path, board: &Board) -> Found {
    let bytes = noise();
    let wrote = Instant::now();
    let written = disk.create(NAME, false).and_then(|()| {
        bytes.chunks(PIECE).try_for_each(|piece| disk.append(NAME, piece))?;
        disk.sync(NAME)
    });
    if let Err(error) = written {
        let next = "free some space there, or have the storage replaced";
        return Found::failed(format!("{} does not take {SIZE} bytes ({error}); {next}", root.display()));
    }
    let write = mb_s(wrote);
    let read = Instant::now();
    let sum = disk.open(NAME).and_then(|mut file| Sum::of_reader(&mut file));
    let read = mb_s(read);
    let free = disk.free().unwrap_or(0);
    let needed = u64::from(board.storage.slot_mb) * 1_000_000;
    let figures = |found: Found| {
        let found = found.with("write_mb_s", rounded(write)).with("read_mb_s", rounded(read));
        found.with("free_mb", free / 1_000_000).with("slot_mb", board.storage.slot_mb)
    };
    match sum {
        Err(error) => figures(Found::failed(format!(
            "{} does not give back what was written ({error}); have the storage replaced",
            root.display()
        ))),
        Ok(sum) if sum != (Sum::of(&bytes), SIZE as u64) => figures(Found::failed(format!(
            "{} gives back other bytes than were written; have the storage replaced",
            root.display()
        ))),
        Ok(_) if free < needed => {
            figures(Found::failed(format!("{}; free some space", short(root, free, needed))))
        }
        Ok(_) => figures(Found::passed(format!("{} keeps what is written", root.display()))),
    }
}

/// That there is no room for another version.
pub fn short(root: &Path, free: u64, needed: u64) -> String {
    let mb = |bytes: u64| bytes / 1_000_000;
    format!("{} has {} MB free, and another version may need {} MB", root.display(), mb(free), mb(needed))
}

fn mb_s(since: Instant) -> f64 {
    SIZE as f64 / 1e6 / since.elapsed().as_secs_f64().max(1e-6)
}

/// Bytes that no storage packs: those of a linear congruential generator (Knuth's MMIX constants).
fn noise() -> Vec<u8> {
    let mut state = 1u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(SIZE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::selftest::paper::Outcome;

    #[test]
    fn storage_is_left_as_it_was_and_a_lack_of_room_is_a_failure() {
        let root = tempfile::tempdir().unwrap();
        let mut board = Board::named("desk").unwrap();
        board.storage.slot_mb = 1;
        let found = check(root.path(), &board);
        assert_eq!(found.outcome, Outcome::Passed, "{}", found.said);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
        board.storage.slot_mb = u32::MAX;
        let said = check(root.path(), &board).said;
        assert!(
            said.contains("MB free, and another version may need 4294967295 MB; free some space"),
            "{said}"
        );
        std::fs::write(root.path().join("file"), "").unwrap();
        let found = check(&root.path().join("file"), &board);
        assert!(found.outcome == Outcome::Failed && found.said.contains("--root"), "{}", found.said);
    }
}
