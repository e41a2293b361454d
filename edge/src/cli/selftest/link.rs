//! Whether the technician's link works: both its ends in this program, with a cable in memory between them,
//! and whether the board's port is there.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use boards::Board;
use models::link::message::{Health, Hello};
use models::link::{Duties, Staging, Tool, Unit, Wire};

use super::machine;
use super::paper::{Found, rounded};

/// What is sent through it. Bytes.
const SIZE: usize = 1 << 20;
/// As much as a pty or a USB driver holds.
const ROOM: usize = 64 << 10;
/// A unit in the same program answers at once.
const GREETING: Duration = Duration::from_secs(5);
/// The unit looks so often whether the test is over.
const STEP: Duration = Duration::from_millis(20);

/// One direction of the cable.
#[derive(Default)]
struct Pipe {
    bytes: Mutex<VecDeque<u8>>,
    moved: Condvar,
}

/// One end of the cable.
struct End {
    from: Arc<Pipe>,
    to: Arc<Pipe>,
    begun: Instant,
}

impl End {
    fn pair() -> [Self; 2] {
        let (a, b) = (Arc::<Pipe>::default(), Arc::<Pipe>::default());
        let begun = Instant::now();
        [Self { from: Arc::clone(&a), to: Arc::clone(&b), begun }, Self { from: b, to: a, begun }]
    }
}

impl Wire for End {
    fn name(&self) -> String {
        "the loop in memory".into()
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    fn wait(&mut self, patience: Duration, room: bool) -> io::Result<()> {
        if room && self.to.bytes.lock().unwrap_or_else(PoisonError::into_inner).len() < ROOM {
            return Ok(());
        }
        let bytes = self.from.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes.is_empty() {
            // Room is looked for again soon; what comes wakes at once.
            let patience = if room { patience.min(Duration::from_millis(1)) } else { patience };
            drop(self.from.moved.wait_timeout(bytes, patience));
        }
        Ok(())
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.from.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let count = bytes.len().min(into.len());
        for (to, byte) in into.iter_mut().zip(bytes.drain(..count)) {
            *to = byte;
        }
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut there = self.to.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let count = bytes.len().min(ROOM.saturating_sub(there.len()));
        there.extend(&bytes[..count]);
        self.to.moved.notify_all();
        Ok(count)
    }

    fn speed(&self) -> Option<u32> {
        None
    }

    fn set_speed(&mut self, baud: u32) -> io::Result<u32> {
        Ok(baud)
    }
}

/// A unit that only receives.
struct Receiver(String);

impl Duties for Receiver {
    fn hello(&self) -> Hello {
        Hello::of_unit(env!("CARGO_PKG_VERSION"), &self.0, "self-test")
    }

    fn health(&mut self) -> Health {
        Health { state: "self-test".into(), ..Health::default() }
    }
}

/// Sends a file through the loop, and looks for the board's port below a root that is `/` on a unit: where this
/// machine is that board, and does not only run its program in an emulator.
pub fn check(system: &Path, board: &Board) -> Found {
    let begun = Instant::now();
    if let Err(said) = through(&board.name) {
        return Found::failed(format!("{said}; install the program again"));
    }
    let rate = SIZE as f64 / 1e6 / begun.elapsed().as_secs_f64().max(1e-6);
    let figures = |found: Found| found.with("bytes", SIZE).with("mb_s", rounded(rate));
    match &board.link {
        None => figures(Found::passed(
            "a file came through both ends of the link; this board has no port of its own",
        )),
        Some(link) if system.join(link.port.trim_start_matches('/')).exists() => figures(Found::passed(
            format!("a file came through both ends of the link, and {} is there", link.port),
        )),
        Some(_) if machine::wrong(system, board).is_ok_and(|machine| machine.is_none()) => {
            let said = "a file came through both ends of the link; this machine is not the board, and has not its port";
            figures(Found::passed(said))
        }
        Some(link) => {
            let next =
                "load the driver of its USB device port (on a Jetson, NVIDIA's `nv-l4t-usb-device-mode`)";
            figures(Found::failed(format!(
                "{} is not there, so no cable reaches this unit; {next}",
                link.port
            )))
        }
    }
}

/// Greets, asks, and sends a file.
fn through(board: &str) -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("signpost-selftest-link-{}", std::process::id()));
    let staging = Staging::open(&folder).map_err(|e| e.to_string())?;
    let [tool, unit] = End::pair();
    let over = AtomicBool::new(false);
    let mut unit = Unit::new(unit, staging, Receiver(board.into()));
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            // Each step waits for what comes.
            while !over.load(Ordering::Relaxed) {
                if unit.step(STEP).is_err() {
                    break;
                }
            }
        });
        let bytes: Vec<u8> = (0..SIZE).map(|at| ((at * 31) >> 3) as u8).collect();
        let sent = Tool::connect(tool, env!("CARGO_PKG_VERSION"), GREETING).and_then(|mut tool| {
            tool.health()?;
            tool.push("self-test", &mut io::Cursor::new(bytes), &mut |_| {})
        });
        over.store(true, Ordering::Relaxed);
        sent
    });
    // What is left of it is in the system's folder for what is short-lived.
    let _ = std::fs::remove_dir_all(&folder);
    done.map(|_| ()).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::selftest::paper::Outcome;

    #[test]
    fn a_file_goes_through_and_a_port_that_is_not_there_fails() {
        let system = tempfile::tempdir().unwrap();
        let found = check(system.path(), &Board::named("desk").unwrap());
        assert_eq!(
            (found.outcome, &found.figures["bytes"]),
            (Outcome::Passed, &SIZE.into()),
            "{}",
            found.said
        );
        let qemu = Board::named("qemu-arm").unwrap();
        assert_eq!(check(system.path(), &qemu).outcome, Outcome::Passed, "a desktop pretends to be one");
        std::fs::create_dir_all(system.path().join("proc/device-tree")).unwrap();
        std::fs::write(system.path().join("proc/device-tree/compatible"), "linux,dummy-virt\0").unwrap();
        assert!(check(system.path(), &qemu).said.starts_with("/dev/ttyGS0 is not there"));
        std::fs::create_dir(system.path().join("dev")).unwrap();
        std::fs::write(system.path().join("dev/ttyGS0"), "").unwrap();
        assert_eq!(check(system.path(), &qemu).outcome, Outcome::Passed);
    }
}
