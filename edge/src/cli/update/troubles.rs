//! What is wrong with a unit, as far as it can tell without trying anything: for `cargo xtask doctor`.

use std::path::Path;

use models::link::message::{Temperature, Trouble};
use models::update::{Disk, Record, State};

use super::Home;
use super::watch::Watch;
use crate::cli::selftest::{machine, storage, watchdog};

/// All troubles, the gravest first: those that explain others. The system lies below `/` on a unit.
pub fn of(home: &Home, watch: Option<&Watch>, heat: &[Temperature], system: &Path) -> Vec<Trouble> {
    let all = [
        ("module", machine::wrong(system, &home.board).err()),
        ("disk", disk(home)),
        ("camera", camera(home, watch, system)),
        ("heat", hot(home, heat)),
        ("key", home.keys().err().map(|error| format!("{error:#}"))),
        ("slot", home.running.is_none().then(|| NO_SLOT.to_owned())),
        ("version", given_up(home)),
        ("watchdog", watchdog::missing(system, &home.board)),
    ];
    let told = |(kind, said): (&str, Option<String>)| Some(Trouble::new(kind, &said?));
    all.into_iter().filter_map(told).collect()
}

const NO_SLOT: &str = "its program runs from no slot, so no version can be kept or given up; start it with `signpost boot -- serve`";

fn disk(home: &Home) -> Option<String> {
    let free = home.disk.free().ok()?;
    let needed = home.unit().slot_bytes;
    // While a version waits for its trial, its slot is filled already.
    let waits = Record::load(&home.disk).is_some_and(|record| matches!(record.state, State::Trial { .. }));
    let said =
        || format!("{}; remove what is not Signpost's there", storage::short(&home.root, free, needed));
    (free < needed && !waits).then(said)
}

fn camera(home: &Home, watch: Option<&Watch>, system: &Path) -> Option<String> {
    if let Some(over) = watch.and_then(|watch| watch.over.as_ref()) {
        return Some(over.clone());
    }
    let device = home.board.camera.device.as_ref()?;
    let there = system.join(device.trim_start_matches('/')).exists();
    (!there).then(|| {
        format!("{device} is not there, so it sees nobody; plug the camera in, or into another socket")
    })
}

fn hot(home: &Home, heat: &[Temperature]) -> Option<String> {
    let hottest = heat.iter().max_by_key(|t| t.milli_celsius)?;
    let (degrees, limit) = (f64::from(hottest.milli_celsius) / 1000.0, home.board.thermal.warn_c);
    let said = || {
        format!(
            "{} is at {degrees:.0} °C, and {limit} °C is the limit; let it cool down, and clear its vents",
            hottest.name
        )
    };
    (degrees >= f64::from(limit)).then(said)
}

fn given_up(home: &Home) -> Option<String> {
    let fallen = Record::load(&home.disk)?.fallen?;
    let version = fallen.version.map_or("a version".into(), |version| format!("version {version}"));
    Some(format!(
        "it gave up {version} ({}); see the log of its service before you install that again",
        fallen.why
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use boards::Board;
    use models::update::disk::Folder;

    fn kinds(home: &Home, heat: &[Temperature], system: &Path) -> Vec<String> {
        of(home, None, heat, system).into_iter().map(|trouble| trouble.kind).collect()
    }

    #[test]
    fn what_is_wrong_is_told_the_gravest_first() {
        let system = tempfile::tempdir().unwrap();
        let root = tempfile::tempdir().unwrap();
        let open = |name: &str| Home {
            board: Board::named(name).unwrap(),
            root: root.path().into(),
            disk: Folder::open(root.path()).unwrap(),
            running: None,
        };
        let mut home = open("jetson-orin-nano");
        home.board.storage.slot_mb = u32::MAX;
        let heat = [("cpu", 50_000), ("gpu", 85_000)];
        let heat = heat.map(|(name, milli_celsius)| Temperature { name: name.into(), milli_celsius });
        let all = ["module", "disk", "camera", "heat", "key", "slot", "watchdog"];
        assert_eq!(kinds(&home, &heat, system.path()), all);
        for trouble in of(&home, None, &heat, system.path()) {
            assert!(trouble.said.contains("; ") && !trouble.said.ends_with('.'), "{}", trouble.said);
        }
        let mut desk = open("desk");
        desk.board.storage.slot_mb = 1;
        assert_eq!(kinds(&desk, &heat[..1], system.path()), ["key", "slot"]);
    }
}
