//! What the unit was asked to do and how far it is: kept across restarts, so that the server hears how it ended.

use std::io::Read;

use models::bundle::{Sum, Version};
use models::text::clipped;
use models::update::Disk;
use models::update::record::Held;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Within the unit's root.
const FILE: &str = "fleet.json";
/// While it is written.
const PART: &str = "fleet.part";
/// A task has a few lines. Bytes.
const LIMIT: u64 = 16 << 10;
/// The longest sentence about how it ended. Bytes.
const SAID: usize = 500;

/// One action of the server's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// What the server calls it.
    pub action: String,
    /// How far it is.
    pub stage: Stage,
}

/// How far an action is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Stage {
    /// Its bundle is being downloaded.
    Fetching {
        /// How often that was begun.
        tries: u32,
    },
    /// Its version is being put into the other slot.
    Installing {
        /// Which version.
        version: Version,
        /// The SHA-256 of its manifest.
        manifest: Sum,
        /// How far the update's record was before.
        since: u64,
    },
    /// Its version waits for a restart, or has yet to prove itself.
    Trying {
        /// Which version.
        version: Version,
        /// The SHA-256 of its manifest.
        manifest: Sum,
    },
    /// It is over, whether or not the server has heard of it.
    Ended {
        /// Whether the version runs and stays.
        kept: bool,
        /// What the server is told.
        said: String,
    },
}

impl Task {
    /// The version that was or is being installed.
    pub fn held(&self) -> Option<Held> {
        match self.stage {
            Stage::Installing { version, manifest, .. } | Stage::Trying { version, manifest } => {
                Some(Held { version, manifest })
            }
            Stage::Fetching { .. } | Stage::Ended { .. } => None,
        }
    }

    /// The task that is kept; `None` where there is none that can be read. Then the server offers its action
    /// again, and the version that is there already is found.
    pub fn load(disk: &impl Disk) -> Option<Self> {
        let mut bytes = Vec::new();
        disk.open(FILE).ok()?.take(LIMIT).read_to_end(&mut bytes).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Keeps the task: the file holds the one before or this one, whenever the power goes.
    ///
    /// # Errors
    /// [`Error::Disk`].
    pub fn store(&self, disk: &impl Disk) -> Result<(), Error> {
        let bytes = serde_json::to_vec(self).expect("a task has string keys only");
        let put = || {
            disk.create(PART, false)?;
            disk.append(PART, &bytes)?;
            disk.sync(PART)?;
            disk.rename(PART, FILE)?;
            disk.sync("")
        };
        put().map_err(|e: std::io::Error| Error::Disk { doing: "keep the task", said: e.to_string() })
    }

    /// Forgets the task.
    ///
    /// # Errors
    /// [`Error::Disk`].
    pub fn forget(disk: &impl Disk) -> Result<(), Error> {
        let removed = match disk.remove(FILE, false) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            removed => removed.and_then(|()| disk.sync("")),
        };
        removed.map_err(|e| Error::Disk { doing: "forget the task", said: e.to_string() })
    }
}

impl Stage {
    /// An end, with as much of the sentence as is kept.
    pub fn ended(kept: bool, said: impl Into<String>) -> Self {
        Self::Ended { kept, said: clipped(&said.into(), SAID).into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use models::update::disk::Folder;

    #[test]
    fn a_task_is_kept_over_a_restart_and_noise_is_none() {
        let root = tempfile::tempdir().unwrap();
        let disk = Folder::open(root.path()).unwrap();
        assert_eq!(Task::load(&disk), None);
        let version = Version(0, 2, 0);
        let stages = [
            Stage::Fetching { tries: 2 },
            Stage::Installing { version, manifest: Sum::of(b"a"), since: 4 },
            Stage::Trying { version, manifest: Sum::of(b"a") },
            Stage::ended(false, "ü".repeat(400)),
        ];
        for stage in stages {
            let task = Task { action: "17".into(), stage };
            task.store(&disk).unwrap();
            assert_eq!(Task::load(&disk), Some(task));
        }
        std::fs::write(root.path().join(FILE), b"{\"action\":").unwrap();
        assert_eq!(Task::load(&disk), None);
        Task::forget(&disk).unwrap();
        Task::forget(&disk).unwrap();
    }
}
