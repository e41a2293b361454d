//! The unit's word that it works since the computer was started: a file for whoever keeps the system below it or
//! goes back to the one before.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use models::update::proof::{Proof, Sign, Verdict};

/// Where systemd names the folders that it made for a service (`RuntimeDirectory=`), parted by colons.
const FOLDERS: &str = "RUNTIME_DIRECTORY";
/// The file's name in the first of them.
const FILE: &str = "proven";

/// What is still to be shown, and where that is then said.
pub struct Proven {
    path: PathBuf,
    proof: Proof,
}

impl Proven {
    /// So many frames are to be read and shown; `None` where nobody asks for it.
    pub fn asked(frames: u32) -> Option<Self> {
        Self::within(&std::env::var_os(FOLDERS)?, frames)
    }

    fn within(folders: &OsStr, frames: u32) -> Option<Self> {
        let folder = std::env::split_paths(folders).next().filter(|folder| folder.is_absolute())?;
        // A system that works late works: how often it may be started is its boot chain's to count.
        Some(Self { path: folder.join(FILE), proof: Proof::new(frames, Duration::MAX) })
    }

    /// That a sign of health was seen.
    pub fn saw(&mut self, sign: Sign) {
        self.proof.saw(sign);
    }

    /// Whether all was shown.
    pub fn is_healthy(&self) -> bool {
        self.proof.judge(Duration::ZERO) == Verdict::Healthy
    }

    /// Says so. Where that fails the unit works all the same, and its log has why nobody hears of it.
    pub fn write(&self) {
        let said = |path: &Path| path.display().to_string();
        match models::whole::write(&self.path, "") {
            Ok(()) => journal::info!("this system works: {}", said(&self.path).as_str()),
            Err(error) => journal::warn!(
                "{} cannot be written ({}); see the service's RuntimeDirectory",
                said(&self.path).as_str(),
                error.to_string().as_str()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_said_to_work_when_the_unit_saw_read_and_showed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let mut proven = Proven::within(folder.path().as_os_str(), 2).unwrap();
        for sign in [Sign::Frame, Sign::Frame, Sign::Inference, Sign::Inference, Sign::Picture] {
            proven.saw(sign);
        }
        assert!(!proven.is_healthy());
        proven.saw(Sign::Picture);
        assert!(proven.is_healthy() && !file.exists());
        // Twice, as after a program that was started anew.
        for _ in 0..2 {
            proven.write();
            assert!(file.is_file());
        }
        std::fs::remove_dir_all(folder.path()).unwrap();
        proven.write();
    }

    #[test]
    fn nobody_asks_where_systemd_made_no_folder() {
        assert!(Proven::within("".as_ref(), 1).is_none());
        assert!(Proven::within("here".as_ref(), 1).is_none());
        let first = Proven::within("/run/a:/run/b".as_ref(), 1).unwrap();
        assert_eq!(first.path, Path::new("/run/a/proven"));
    }
}
