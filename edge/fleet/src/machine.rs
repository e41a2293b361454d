//! The computer that a unit is: which version runs on it, and how it is started anew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use models::bundle::PROGRAM;
use models::update::Slot;

use crate::Error;

/// A service that has not been started anew within this time will not be.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What a rollout does to a unit beside its storage.
pub trait Machine {
    /// The slot whose version runs; `None` where none does.
    ///
    /// # Errors
    /// Where that cannot be known.
    fn running(&self) -> Result<Option<Slot>, Error>;

    /// Starts the unit's program anew.
    ///
    /// # Errors
    /// [`Error::Restart`].
    fn restart(&mut self) -> Result<(), Error>;

    /// A line for the log of the service.
    fn say(&mut self, line: &str);
}

/// A unit whose program is a service of the system's.
#[derive(Debug, Clone)]
pub struct Service {
    /// The unit's root.
    pub root: PathBuf,
    /// What starts the service anew.
    pub restart: Vec<String>,
}

impl Machine for Service {
    fn running(&self) -> Result<Option<Slot>, Error> {
        running(&self.root, Path::new("/proc"))
    }

    fn restart(&mut self) -> Result<(), Error> {
        run(&self.restart, PATIENCE)
    }

    fn say(&mut self, line: &str) {
        eprintln!("signpost-fleet: {line}");
    }
}

/// The slot out of which a process runs, among all of `/proc`.
fn running(root: &Path, processes: &Path) -> Result<Option<Slot>, Error> {
    let unread = |e: io::Error| Error::Disk { doing: "see which programs run", said: e.to_string() };
    let root = root.canonicalize().map_err(unread)?;
    let mut found = None;
    for entry in fs::read_dir(processes).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let path = match fs::read_link(entry.path().join("exe")) {
            Ok(path) => path,
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                // Of a stranger's processes only those matter that may be the unit's.
                let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
                if name.trim() == PROGRAM {
                    return Err(Error::Stranger { process });
                }
                continue;
            }
            // It has ended meanwhile, or is the kernel's own.
            Err(_) => continue,
        };
        let first = path.strip_prefix(&root).ok().and_then(|within| within.components().next());
        let slot = first.and_then(|name| name.as_os_str().to_str()?.parse::<Slot>().ok());
        if let (Some(slot), Some(other)) = (slot, found)
            && slot != other
        {
            return Err(Error::Both);
        }
        found = found.or(slot);
    }
    Ok(found)
}

/// Runs a command to its end, or ends it.
fn run(command: &[String], patience: Duration) -> Result<(), Error> {
    let failed = |said: String| Error::Restart { command: command.join(" "), said };
    let (program, words) = command.split_first().ok_or_else(|| failed("it is empty".into()))?;
    let child = Command::new(program).args(words).stdin(Stdio::null()).spawn();
    let mut child = child.map_err(|e| failed(e.to_string()))?;
    let until = Instant::now() + patience;
    loop {
        match child.try_wait().map_err(|e| failed(e.to_string()))? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(failed(status.to_string())),
            None if Instant::now() >= until => {
                // It may have ended just now.
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed(format!("it took longer than {} s", patience.as_secs())));
            }
            None => std::thread::sleep(LOOK),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn the_slot_that_runs_is_found_among_processes() {
        let root = tempfile::tempdir().unwrap();
        let processes = tempfile::tempdir().unwrap();
        let start = |process: &str, program: &Path| {
            let folder = processes.path().join(process);
            fs::create_dir(&folder).unwrap();
            symlink(program, folder.join("exe")).unwrap();
        };
        start("self", &root.path().join("b/signpost"));
        start("1", Path::new("/sbin/init"));
        // A name that only begins alike, and one that is no slot.
        start("2", &root.path().join("a.part/signpost"));
        start("3", &PathBuf::from(format!("{}x/a/signpost", root.path().display())));
        let found = || running(root.path(), processes.path());
        assert_eq!(found().unwrap(), None);
        start("4", &root.path().join("b/signpost (deleted)"));
        assert_eq!(found().unwrap(), Some(Slot::B));
        start("5", &root.path().join("a/signpost"));
        assert!(matches!(found(), Err(Error::Both)));
    }

    #[test]
    fn a_command_that_fails_or_hangs_is_told_of() {
        let command = |text: &str| text.split(' ').map(String::from).collect::<Vec<_>>();
        run(&command("true"), PATIENCE).unwrap();
        let said = |text: &str, patience| run(&command(text), patience).unwrap_err().to_string();
        assert!(said("false", PATIENCE).contains("exit status: 1"));
        assert!(said("no-such-program-at-all x", PATIENCE).contains("correct `restart`"));
        assert!(said("sleep 60", Duration::from_millis(100)).contains("took longer"));
    }
}
