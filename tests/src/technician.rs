//! A technician's bench for tests: a key, a small store, units that run, and cables made of ptys.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use models::link::tty::{BAUD, Port};
use models::update::disk::Folder;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;
use tempfile::TempDir;

use crate::{program, text};

/// Two ptys with a cable between them.
#[derive(Debug)]
pub struct Cable {
    /// The tool's end, and the unit's.
    pub ports: [PathBuf; 2],
}

/// A pty: the end that stands for the cable, and the path of the other, which hangs up when nobody has it open.
///
/// # Panics
/// Where the system has no ptys.
pub fn pty() -> (File, PathBuf) {
    let end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&end).unwrap();
    unlockpt(&end).unwrap();
    let name = ptsname(&end, Vec::new()).unwrap().into_string().unwrap();
    (File::from(end), name.into())
}

/// Holds a port open, as a cable does that is plugged in.
fn held(port: &Path) -> File {
    // A fresh pty sends back what it is sent, as a console does; once it was opened as a port it does not.
    drop(Port::open(port, BAUD).unwrap());
    File::options().read(true).write(true).open(port).unwrap()
}

impl Cable {
    /// A cable that is plugged in at both ends.
    ///
    /// # Panics
    /// Where the system has no ptys.
    #[expect(clippy::new_without_default, reason = "it opens devices")]
    pub fn new() -> Self {
        let ((tool, tool_port), (unit, unit_port)) = (pty(), pty());
        let held = [&tool_port, &unit_port].map(|port| held(port));
        carry(tool.try_clone().unwrap(), unit.try_clone().unwrap(), held);
        carry(unit, tool, []);
        Self { ports: [tool_port, unit_port] }
    }

    /// The tool's end, for a command line.
    pub fn port(&self) -> &str {
        text(&self.ports[0])
    }
}

/// Carries bytes one way until the test is over.
fn carry<const N: usize>(mut from: File, mut to: File, held: [File; N]) {
    thread::spawn(move || {
        let _held = held;
        let mut bytes = [0; 4096];
        while let Ok(count) = from.read(&mut bytes) {
            if count == 0 || to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
    });
}

/// A port behind which something says the same again and again, whatever it is told.
///
/// # Panics
/// Where the system has no ptys.
pub fn babbler(words: &'static str) -> PathBuf {
    let (mut end, port) = pty();
    let held = held(&port);
    thread::spawn(move || {
        let _held = held;
        while end.write_all(words.as_bytes()).is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    port
}

/// A bench: a key, a small store, the root of one unit, and a cable to it.
#[derive(Debug)]
pub struct Bench {
    folder: TempDir,
    /// To the first unit.
    pub cable: Cable,
}

impl Bench {
    /// A bench whose one unit trusts its key and has no version yet.
    ///
    /// # Panics
    /// Where it cannot be set up.
    #[expect(clippy::new_without_default, reason = "it runs programs")]
    pub fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap(), cable: Cable::new() };
        for (name, text) in [
            ("store/store.json", "{}"),
            ("store/networks/a.onnx", "a network"),
            ("store/lexicon/fingerspelling/index.csv", "path,gloss"),
        ] {
            let path = bench.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let made = bench.xtask(&["bundle", "--new-key", text(&bench.path("key"))]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        bench.unit("unit");
        bench
    }

    /// Something in the bench's own folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes another unit's root.
    ///
    /// # Panics
    /// Where it is there already.
    pub fn unit(&self, name: &str) {
        fs::create_dir(self.path(name)).unwrap();
        fs::copy(self.path("key/signpost.pub"), self.path(name).join("trusted.pub")).unwrap();
    }

    /// The first unit's storage.
    ///
    /// # Panics
    /// Where it cannot be opened.
    pub fn disk(&self) -> Folder {
        Folder::open(&self.path("unit")).unwrap()
    }

    /// One of the workspace's programs, with the bench's store and key.
    pub fn command(&self, name: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program(name));
        let store = self.path("store");
        // An empty password: whoever may read the key may use it.
        command.args(args).env("SIGNPOST_CACHE", store).env("SIGNPOST_KEY_PASSWORD", "");
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs a task to its end.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn xtask(&self, args: &[&str]) -> Output {
        self.command("xtask", args).output().unwrap()
    }

    /// Makes a bundle, of the program that the tests were built with where no other is named.
    ///
    /// # Panics
    /// Where it cannot be made.
    pub fn bundle(&self, version: &str, more: &[&str]) -> PathBuf {
        let out = self.path(&format!("{version}.bundle"));
        let signpost = program("signpost");
        let fixed = ["bundle", "--board", "desk", "--level", "1", "--version", version];
        let key = self.path("key/signpost.key");
        let places = ["--key", text(&key), "--out", text(&out)];
        let own = ["--program", text(&signpost)];
        let program = if more.contains(&"--program") { &[][..] } else { &own[..] };
        let made = self.xtask(&[&fixed[..], &places, program, more].concat());
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        out
    }

    /// Makes a bundle whose program is for this processor, and is none.
    ///
    /// # Panics
    /// Where it cannot be made.
    pub fn broken_bundle(&self, version: &str) -> PathBuf {
        let broken = self.path("broken");
        let elf = [&b"\x7fELF\x02\x01\x01"[..], &[0; 9], &[2, 0, 62, 0], &[0; 100]].concat();
        fs::write(&broken, elf).unwrap();
        self.bundle(version, &["--program", text(&broken)])
    }

    /// The first unit's root, for a command line.
    pub fn root(&self) -> String {
        text(&self.path("unit")).to_owned()
    }

    /// Installs a bundle as a technician with a stick does, into the root of a unit.
    ///
    /// # Panics
    /// Where it is refused.
    pub fn install(&self, file: &Path, unit: &str) {
        let root = self.path(unit);
        let args = ["install", text(file), "--root", text(&root)];
        let done = self.command("signpost", &args).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Flashes the first unit.
    pub fn flash(&self, file: &Path, more: &[&str]) -> Output {
        let args = ["flash", text(file), "--port", self.cable.port()];
        self.xtask(&[&args[..], more].concat())
    }

    /// The first unit's service.
    pub fn service(&self) -> Service {
        self.service_of("unit", &self.cable)
    }

    /// What a unit's service does: starts whatever is to run, again and again.
    ///
    /// # Panics
    /// Where the program is not built.
    pub fn service_of(&self, unit: &str, cable: &Cable) -> Service {
        let root = text(&self.path(unit)).to_owned();
        let port = text(&cable.ports[1]).to_owned();
        let args = ["boot", "--root", &root, "--", "serve", "--root", &root, "--port", &port, "--unit", unit];
        let mut command = self.command("signpost", &args);
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let thread = thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                let mut child: Child = command.stderr(Stdio::null()).spawn().unwrap();
                while child.try_wait().unwrap().is_none() {
                    if seen.load(Ordering::Relaxed) {
                        child.kill().unwrap();
                    }
                    thread::sleep(Duration::from_millis(20));
                }
            }
        });
        Service { over, thread: Some(thread) }
    }
}

/// A unit's service. It ends with the test, whatever becomes of it.
#[derive(Debug)]
pub struct Service {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The lines of JSON of a program that must succeed.
///
/// # Panics
/// Where it fails, or prints something else.
#[track_caller]
pub fn json(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    objects(output)
}

/// The lines of JSON of a program, whether or not it succeeded.
///
/// # Panics
/// Where it prints something else.
#[track_caller]
pub fn objects(output: &Output) -> Vec<Value> {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a program that must fail said, with the steps that it had done before.
///
/// # Panics
/// Where it did not fail.
#[track_caller]
pub fn failure(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}
