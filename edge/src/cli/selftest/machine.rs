//! Whether this machine is the board that it is said to be.

use std::path::Path;

use boards::{Board, Error, Traits};

use super::paper::Found;

/// Asks the module's own memory and the device tree, below a root that is `/` on a unit.
pub fn check(system: &Path, board: &Board) -> Found {
    match wrong(system, board) {
        Ok(Some(said)) => Found::passed(said),
        Ok(None) => Found::not_present("a board of this kind has nothing to be recognised by"),
        Err(said) => Found::failed(said),
    }
}

/// What the machine is, in words; `None` where boards of this kind say nothing of themselves.
///
/// # Errors
/// That it is another board, or one that was flashed for another, and what to do.
pub fn wrong(system: &Path, board: &Board) -> Result<Option<String>, String> {
    match Traits::below(system).machine() {
        Ok(machine) => machine.is(board).map(|()| Some(machine.to_string())).map_err(|e| e.to_string()),
        // A desktop says nothing; emulated in user mode, a program sees the desktop that it really runs on.
        Err(Error::Nameless { .. }) if board.modules.is_empty() => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::selftest::paper::Outcome;

    #[test]
    fn a_machine_that_is_another_board_fails() {
        let system = tempfile::tempdir().unwrap();
        let board = |name| Board::named(name).unwrap();
        assert_eq!(check(system.path(), &board("desk")).outcome, Outcome::NotPresent);
        let said = check(system.path(), &board("jetson-orin-nx")).said;
        assert!(said.contains("name it with --board"), "{said}");
        let tree = system.path().join("proc/device-tree");
        std::fs::create_dir_all(&tree).unwrap();
        std::fs::write(tree.join("compatible"), "nvidia,p3768-0000+p3767-0003\0nvidia,p3767-0003\0").unwrap();
        let found = check(system.path(), &board("jetson-orin-nano"));
        assert_eq!(
            (found.outcome, found.said.as_str()),
            (Outcome::Passed, "Jetson Orin Nano 8GB (p3767-0003)")
        );
        let said = check(system.path(), &board("jetson-orin-nx")).said;
        assert!(said.contains("and not a Jetson Orin NX; use board `jetson-orin-nano`"), "{said}");
        assert_eq!(check(system.path(), &board("desk")).outcome, Outcome::Failed);
    }
}
