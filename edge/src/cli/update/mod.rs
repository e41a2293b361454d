//! The commands that look after a unit's versions: which slot starts, what goes into the other, and the
//! technician's cable.

pub mod boot;
pub(crate) mod duties;
pub mod install;
mod proven;
pub mod serve;
pub(crate) mod told;
pub(crate) mod troubles;
pub(crate) mod watch;

use std::path::{Path, PathBuf};

use anyhow::Context;
use boards::Board;
use clap::Args;
use models::bundle::Keys;
use models::update::disk::Folder;
use models::update::{Record, Slot, Unit};

/// Which unit this is.
#[derive(Debug, Args)]
pub struct Place {
    /// The board that this is
    #[arg(long, default_value = "desk")]
    board: String,
    /// The folder of the two slots, where it is not the board's
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,
}

/// A unit's storage, and the slot that this program was started from.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub board: Board,
    pub root: PathBuf,
    pub disk: Folder,
    pub running: Option<Slot>,
}

impl Place {
    pub(crate) fn open(&self) -> anyhow::Result<Home> {
        let board = Board::named(&self.board)?;
        let root = self.root.clone().unwrap_or_else(|| PathBuf::from(&board.storage.root));
        let disk = Folder::open(&root)
            .with_context(|| format!("{} cannot be used; name another folder with --root", root.display()))?;
        let running = std::env::current_exe().ok().and_then(|program| slot_of(&program, &root));
        Ok(Home { board, root, disk, running })
    }
}

/// The slot that a program lies in.
fn slot_of(program: &Path, root: &Path) -> Option<Slot> {
    let program = program.canonicalize().ok()?;
    let within = program.strip_prefix(root.canonicalize().ok()?).ok()?;
    within.components().next()?.as_os_str().to_str()?.parse().ok()
}

impl Home {
    /// The version that runs: that of its slot, or of this program where it runs from none.
    pub fn version(&self) -> String {
        let held = self.running.and_then(|slot| Record::load(&self.disk)?.held(slot));
        held.map_or_else(|| env!("CARGO_PKG_VERSION").into(), |held| held.version.to_string())
    }

    /// Where files go that come along the cable.
    pub fn staging(&self) -> PathBuf {
        self.root.join("staging")
    }

    /// The board's own end of the cable, where it has one.
    pub fn port(&self) -> Option<PathBuf> {
        Some(self.board.link.as_ref()?.port.clone().into())
    }

    /// What an update must know.
    fn unit(&self) -> Unit<'_> {
        Unit {
            board: &self.board.name,
            slot_bytes: u64::from(self.board.storage.slot_mb) * 1_000_000,
            starts: self.board.update.starts,
            running: self.running,
        }
    }

    /// The keys that this unit trusts.
    fn keys(&self) -> anyhow::Result<Keys> {
        Ok(Keys::trusted_in(&self.root)?)
    }
}

/// The computer's name.
pub(crate) fn computer() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_knows_the_slot_that_it_lies_in() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["a", "b", "c"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
            std::fs::write(root.path().join(folder).join("signpost"), "").unwrap();
        }
        let slot = |name: &str| slot_of(&root.path().join(name).join("signpost"), root.path());
        assert_eq!((slot("a"), slot("b"), slot("c")), (Some(Slot::A), Some(Slot::B), None));
        assert_eq!(slot_of(Path::new("/bin/sh"), root.path()), None);
    }
}
