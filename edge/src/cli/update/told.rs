//! What the unit tells of itself without being asked: log lines along the cable, and a file of its health.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use journal::Entry;
use models::link::message::{Level, Logs};
use models::link::{Duties, Unit, Wire};

/// Frames that go along the cable together. Bytes.
const TOGETHER: usize = 700;
/// The file of health is written so often.
const EVERY: Duration = Duration::from_secs(5);

/// Sends what waits in the journal to the tool that listens; without one it goes on waiting.
pub fn hand_over<W: Wire, D: Duties>(unit: &mut Unit<W, D>) {
    journal::hand(TOGETHER, &mut |entry, dropped| {
        let log = match entry {
            Entry::Line { at_ms, level, text } => {
                let level = match level {
                    journal::Level::Error => Level::Error,
                    journal::Level::Warn => Level::Warn,
                    journal::Level::Info => Level::Info,
                };
                Logs::Line { at_ms: *at_ms, level, text: text.clone(), dropped }
            }
            Entry::Frames(bytes) => Logs::Defmt { build: build().to_vec(), bytes: bytes.clone(), dropped },
        };
        unit.log(&log)
    });
}

/// The build-id of this very program; empty where it has none.
fn build() -> &'static [u8] {
    static BUILD: OnceLock<Vec<u8>> = OnceLock::new();
    BUILD.get_or_init(|| {
        models::build_id::of_file(Path::new("/proc/self/exe")).ok().flatten().unwrap_or_default()
    })
}

/// A file with the unit's health, for programs that may not ask it: `signpost-fleet` tells a broker of it.
pub struct HealthFile {
    path: PathBuf,
    due: Duration,
    /// Whether the last try failed: that is said once.
    failed: bool,
}

impl HealthFile {
    /// A file that is written at the next [`keep`](Self::keep).
    pub fn new(path: PathBuf) -> Self {
        Self { path, due: Duration::ZERO, failed: false }
    }

    /// Writes it when it is due.
    pub fn keep(&mut self, duties: &mut impl Duties, now: Duration) {
        if now < self.due {
            return;
        }
        self.due = now + EVERY;
        let text = serde_json::to_vec(&duties.health()).expect("health has string keys only");
        let written = models::whole::write(&self.path, text);
        if let Err(error) = &written
            && !self.failed
        {
            let (path, said) = (self.path.display().to_string(), error.to_string());
            journal::warn!("{} cannot be written ({}); make its folder", path.as_str(), said.as_str());
        }
        self.failed = written.is_err();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use models::link::message::{Hash, Health, Hello};

    struct Warm;

    impl Duties for Warm {
        fn hello(&self) -> Hello {
            Hello::of_unit("0.1.0", "desk", "7")
        }

        fn health(&mut self) -> Health {
            Health { state: "ready".into(), fps: 29.5, ..Health::default() }
        }

        fn install(&mut self, _: &Hash) -> Result<(), String> {
            Err("nothing is installed here".into())
        }
    }

    #[test]
    fn health_is_written_now_and_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("health.json");
        let mut file = HealthFile::new(path.clone());
        file.keep(&mut Warm, Duration::ZERO);
        let read: Health = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!((read.state.as_str(), read.fps), ("ready", 29.5));
        std::fs::remove_file(&path).unwrap();
        file.keep(&mut Warm, Duration::from_secs(1));
        assert!(!path.exists(), "not yet");
        file.keep(&mut Warm, EVERY);
        assert!(path.exists());
        // A folder that is not there keeps nobody from serving.
        HealthFile::new(folder.path().join("no/health.json")).keep(&mut Warm, Duration::ZERO);
    }
}
