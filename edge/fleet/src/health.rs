//! What a unit tells others of itself: how it is, and never what anybody signed.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use models::link::message::Health;
use models::update::{Disk, Record};
use serde::Serialize;

/// What the unit's program wrote longer ago than this says nothing about now.
const STALE: Duration = Duration::from_secs(60);
/// A file of health has a few lines. Bytes.
const LIMIT: u64 = 64 << 10;
/// The states that are told; any other word stays on the unit, for it may be anything.
const STATES: [&str; 10] = [
    "ready",
    "on trial",
    "restarting",
    "rest",
    "watching",
    "thinking",
    "please repeat",
    "signing",
    "out of order",
    "silent",
];

/// What is published.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// `false` in the unit's last will.
    pub online: bool,
    /// What it is doing, in a word or two of a fixed list; `silent` where its program says nothing of late.
    pub state: String,
    /// The version that has proven itself.
    pub version: Option<String>,
    /// The board's name.
    pub board: String,
    /// Frames a second that it reads at present.
    pub fps: f32,
    /// What the board's sensors say.
    pub temperatures: Vec<Temperature>,
}

/// One sensor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Temperature {
    /// What the board calls it.
    pub name: String,
    /// Degrees Celsius.
    pub celsius: f64,
}

impl Report {
    /// Out of the update's record and of what the unit's program wrote last.
    pub fn of(board: &str, disk: &impl Disk, health: Option<&Health>) -> Self {
        let version = Record::load(disk).and_then(|record| record.version()).map(|v| v.to_string());
        // What was given up stands behind a semicolon, in words that are not ours.
        let state = health.map_or("silent", |health| health.state.split(';').next().unwrap_or("").trim());
        let known = STATES.into_iter().find(|known| *known == state);
        let temperatures = health.into_iter().flat_map(|health| &health.temperatures);
        let temperatures = temperatures
            .map(|t| Temperature { name: t.name.clone(), celsius: f64::from(t.milli_celsius) / 1000.0 });
        Self {
            online: true,
            state: known.unwrap_or("busy").into(),
            version,
            board: board.into(),
            fps: health.map_or(0.0, |health| health.fps),
            temperatures: temperatures.collect(),
        }
    }

    /// What the broker says when the unit has gone without a word.
    pub fn last_will() -> &'static str {
        "{\"online\":false}"
    }

    /// As it is published.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a report has string keys only")
    }
}

/// What the unit's program wrote of itself, where that was of late.
pub fn read(file: &Path) -> Option<Health> {
    let meta = fs::metadata(file).ok().filter(|meta| meta.len() <= LIMIT)?;
    // A clock that was set back makes a file of the future, which is as good as new.
    let old = SystemTime::now().duration_since(meta.modified().ok()?).unwrap_or_default();
    if old > STALE {
        return None;
    }
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use models::link::message::Temperature as Sensor;
    use models::update::disk::Folder;

    #[track_caller]
    fn check(state: &str, expect: &str) {
        let root = tempfile::tempdir().unwrap();
        let disk = Folder::open(root.path()).unwrap();
        let health = Health { state: state.into(), ..Health::default() };
        assert_eq!(Report::of("desk", &disk, Some(&health)).state, expect);
    }

    #[test]
    fn nothing_but_words_of_a_fixed_list_leaves_the_unit() {
        check("ready", "ready");
        check("on trial; gave up 0.2.0: MY NAME IS ANNA", "on trial");
        check("MY NAME IS ANNA", "busy");
    }

    #[test]
    fn a_report_has_state_version_rate_and_heat() {
        let root = tempfile::tempdir().unwrap();
        let disk = Folder::open(root.path()).unwrap();
        let file = root.path().join("health.json");
        assert_eq!(Report::of("desk", &disk, read(&file).as_ref()).state, "silent");
        let temperatures = vec![Sensor { name: "gpu".into(), milli_celsius: 48_500 }];
        let health = Health { state: "ready".into(), fps: 29.5, temperatures, ..Health::default() };
        fs::write(&file, serde_json::to_vec(&health).unwrap()).unwrap();
        let text = Report::of("desk", &disk, read(&file).as_ref()).text();
        let expect = "{\"online\":true,\"state\":\"ready\",\"version\":null,\"board\":\"desk\",\"fps\":29.5,\
                      \"temperatures\":[{\"name\":\"gpu\",\"celsius\":48.5}]}";
        assert_eq!(text, expect);
        let file = fs::File::options().write(true).open(&file).unwrap();
        file.set_modified(SystemTime::now() - 2 * STALE).unwrap();
        assert_eq!(read(&root.path().join("health.json")), None);
        fs::write(root.path().join("health.json"), b"{\"state\":").unwrap();
        assert_eq!(read(&root.path().join("health.json")), None);
    }
}
