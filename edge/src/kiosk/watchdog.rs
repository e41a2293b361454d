//! The hardware's watchdog and systemd's: what starts the unit anew when it hangs.
//!
//! Neither is opened before all parts of the unit went on once, and both are left alone where the unit ends in
//! order: the hardware's by writing a `V` before it is closed ("magic close", Linux
//! `Documentation/watchdog/watchdog-api.rst`), so that it bites after any other end.

#![allow(unsafe_code, reason = "the time of a watchdog is set by a system call that Rust has no name for")]

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::time::Duration;

use rustix::ioctl::{Updater, ioctl, opcode};

/// `WDIOC_SETTIMEOUT` of `linux/watchdog.h`.
const SET_TIMEOUT: rustix::ioctl::Opcode = opcode::read_write::<i32>(b'W', 6);

/// The hardware's watchdog, armed.
#[derive(Debug)]
pub struct Hardware {
    device: File,
    /// After how long without food it bites.
    pub timeout: Duration,
}

impl Hardware {
    /// Arms it. A driver that knows other times than the one asked for says which it took, and one that knows
    /// none keeps its own.
    ///
    /// # Errors
    /// What the system said.
    pub fn arm(path: &Path, timeout_s: u32) -> io::Result<Self> {
        let device = OpenOptions::new().write(true).open(path)?;
        let mut seconds = i32::try_from(timeout_s).unwrap_or(i32::MAX);
        // SAFETY: `SET_TIMEOUT` reads and writes one `int`, which `seconds` is, and keeps no pointer to it.
        let set = unsafe { ioctl(&device, Updater::<SET_TIMEOUT, i32>::new(&mut seconds)) };
        let taken = set.ok().and_then(|()| u64::try_from(seconds).ok()).unwrap_or(timeout_s.into());
        Ok(Self { device, timeout: Duration::from_secs(taken) })
    }

    /// Feeds it.
    ///
    /// # Errors
    /// What the system said.
    pub fn feed(&mut self) -> io::Result<()> {
        self.device.write_all(b"\0")
    }

    /// Ends in order: it does not bite any more.
    ///
    /// # Errors
    /// What the system said; it bites then.
    pub fn disarm(mut self) -> io::Result<()> {
        self.device.write_all(b"V")
    }
}

/// systemd, where it started this program and wants to hear of it.
#[derive(Debug)]
pub struct Manager {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl Manager {
    /// The one that `NOTIFY_SOCKET` names: a path, or a name behind an `@` (`sd_notify(3)`). None where no
    /// manager listens.
    pub fn of(notify_socket: Option<&std::ffi::OsStr>) -> io::Result<Option<Self>> {
        let Some(name) = notify_socket.filter(|name| !name.is_empty()) else { return Ok(None) };
        let address = match name.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            _ => SocketAddr::from_pathname(name)?,
        };
        Ok(Some(Self { socket: UnixDatagram::unbound()?, address }))
    }

    /// Tells it something, for example `READY=1`.
    ///
    /// # Errors
    /// What the system said.
    pub fn tell(&self, what: &str) -> io::Result<()> {
        self.socket.send_to_addr(what.as_bytes(), &self.address).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watchdog_is_fed_and_laid_to_rest_only_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("watchdog0");
        assert!(Hardware::arm(&device, 30).is_err(), "it is not made");
        let run = |feeds: usize, in_order: bool| {
            std::fs::write(&device, "").unwrap();
            let mut hardware = Hardware::arm(&device, 30).unwrap();
            assert_eq!(hardware.timeout, Duration::from_secs(30));
            (0..feeds).for_each(|_| hardware.feed().unwrap());
            if in_order {
                hardware.disarm().unwrap();
            }
            std::fs::read(&device).unwrap()
        };
        assert_eq!(run(2, true), b"\0\0V");
        assert_eq!(run(3, false), b"\0\0\0");
    }

    #[test]
    fn a_manager_hears_by_path_and_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let name = format!("signpost-test-{}", std::process::id());
        let by_name = SocketAddr::from_abstract_name(&name).unwrap();
        let listeners = [UnixDatagram::bind(&path).unwrap(), UnixDatagram::bind_addr(&by_name).unwrap()];
        for (listener, socket) in listeners.iter().zip([path.as_os_str(), format!("@{name}").as_ref()]) {
            Manager::of(Some(socket)).unwrap().unwrap().tell("WATCHDOG=1").unwrap();
            let mut heard = [0; 64];
            let length = listener.recv(&mut heard).unwrap();
            assert_eq!(&heard[..length], b"WATCHDOG=1");
        }
        assert!(Manager::of(None).unwrap().is_none());
        assert!(Manager::of(Some("".as_ref())).unwrap().is_none());
    }
}
