//! What systemd does with the unit's service, for tests: it starts the program, waits for its signs of life, and starts
//! it anew whenever it ends or gives none.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use boards::Board;

use crate::signal;

/// A service that is started again and again, until it is dropped.
#[derive(Debug)]
pub struct Service {
    state: Arc<State>,
    manager: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    over: AtomicBool,
    process: AtomicU32,
    starts: AtomicUsize,
    /// Times that the program was ended because it gave no sign of life.
    bitten: AtomicUsize,
}

impl Service {
    /// Starts a program, with the times of a board's service. The folder is for its socket.
    ///
    /// # Panics
    /// Where there can be no socket.
    pub fn start(board: &str, folder: &Path, command: impl Fn() -> Command + Send + 'static) -> Self {
        let text = boards::service(&Board::named(board).unwrap());
        let [watchdog, pause] = ["WatchdogSec=", "RestartSec="].map(|key| {
            let time = text.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            match time.strip_suffix("ms") {
                Some(ms) => Duration::from_millis(ms.parse().unwrap()),
                None => Duration::from_secs(time.parse().unwrap()),
            }
        });
        let socket = folder.join("notify");
        let heard = UnixDatagram::bind(&socket).unwrap();
        heard.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let state = Arc::new(State::default());
        let manager = thread::spawn({
            let state = Arc::clone(&state);
            move || {
                while !state.over.load(Ordering::Relaxed) {
                    let mut command = command();
                    command.env("NOTIFY_SOCKET", &socket).stdin(Stdio::null());
                    state.run(&mut command, &heard, watchdog);
                    if !state.over.load(Ordering::Relaxed) {
                        thread::sleep(pause);
                    }
                }
            }
        });
        Self { state, manager: Some(manager) }
    }

    /// How often the program was started.
    pub fn starts(&self) -> usize {
        self.state.starts.load(Ordering::Relaxed)
    }

    /// How often it was ended because it gave no sign of life.
    pub fn bitten(&self) -> usize {
        self.state.bitten.load(Ordering::Relaxed)
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.state.process.load(Ordering::Relaxed)
    }

    /// Sends its process a signal.
    ///
    /// # Panics
    /// Where there is no `kill`, or no process.
    pub fn signal(&self, name: &str) {
        assert!(signal(self.process(), name));
    }
}

impl State {
    /// Runs the program once.
    fn run(&self, command: &mut Command, heard: &UnixDatagram, watchdog: Duration) {
        let mut child = command.spawn().unwrap();
        self.process.store(child.id(), Ordering::Relaxed);
        self.starts.fetch_add(1, Ordering::Relaxed);
        // From when it says that it is ready, as with `Type=notify`.
        let mut alive: Option<Instant> = None;
        let mut said = [0; 64];
        while child.try_wait().unwrap().is_none() {
            match heard.recv(&mut said).map(|length| &said[..length]) {
                Ok(b"READY=1") => alive = Some(Instant::now()),
                Ok(b"WATCHDOG=1") => alive = alive.map(|_| Instant::now()),
                _ => {}
            }
            if alive.is_some_and(|at| at.elapsed() > watchdog) {
                // As systemd does it: who was stopped goes on, and then notices that it was aborted.
                self.bitten.fetch_add(1, Ordering::Relaxed);
                signal(child.id(), "ABRT");
                signal(child.id(), "CONT");
                alive = None;
            }
            if self.over.load(Ordering::Relaxed) {
                let _ = child.kill();
            }
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::Relaxed);
        if let Some(manager) = self.manager.take() {
            // It panicked where the test did already.
            let _ = manager.join();
        }
    }
}
