//! Whether the watchdog is there that the board names. It is never opened: opening arms it.

use std::path::Path;

use boards::Board;

use super::paper::Found;

/// Looks where the kernel shows it, below a root that is `/` on a unit.
pub fn check(system: &Path, board: &Board) -> Found {
    let Some(watchdog) = &board.watchdog else {
        return Found::not_present("this board has no watchdog");
    };
    match missing(system, board) {
        Some(said) => Found::failed(said),
        None => {
            let name = Path::new(&watchdog.device).file_name().unwrap_or_default();
            let read = |what: &str| {
                let path = system.join("sys/class/watchdog").join(name).join(what);
                std::fs::read_to_string(path).unwrap_or_default().trim().to_owned()
            };
            let found = Found::passed(format!("{} is there and was not armed", watchdog.device));
            // Kernels that were built without CONFIG_WATCHDOG_SYSFS show only the device.
            let told =
                [("identity", read("identity")), ("state", read("state")), ("timeout_s", read("timeout"))];
            told.into_iter().filter(|(_, value)| !value.is_empty()).fold(found, |found, (name, value)| {
                match value.parse::<u64>() {
                    Ok(number) => found.with(name, number),
                    Err(_) => found.with(name, value),
                }
            })
        }
    }
}

/// What is wrong where the watchdog is not there that the board names.
pub fn missing(system: &Path, board: &Board) -> Option<String> {
    let device = &board.watchdog.as_ref()?.device;
    let there = system.join(device.trim_start_matches('/')).exists();
    let said = "is not there, so nothing would start the unit again when it hangs";
    (!there).then(|| format!("{device} {said}; load the watchdog's driver, or install NVIDIA's own kernel"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::selftest::paper::Outcome;

    #[test]
    fn a_watchdog_is_looked_for_and_not_touched() {
        let system = tempfile::tempdir().unwrap();
        let nano = Board::named("jetson-orin-nano").unwrap();
        assert_eq!(check(system.path(), &Board::named("desk").unwrap()).outcome, Outcome::NotPresent);
        assert!(check(system.path(), &nano).said.starts_with("/dev/watchdog0 is not there"));
        for (path, text) in [("dev/watchdog0", ""), ("sys/class/watchdog/watchdog0/timeout", "120\n")] {
            let path = system.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let found = check(system.path(), &nano);
        assert_eq!((found.outcome, &found.figures["timeout_s"]), (Outcome::Passed, &120.into()));
    }
}
