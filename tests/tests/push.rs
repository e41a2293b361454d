//! A technician's evening: a bundle made, installed, pushed over a cable, proven or given up. All with the
//! real programs, over a pair of ptys.

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
use models::update::{Record, Slot, State};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;
use tempfile::TempDir;
use tests::{program, refusal, text};

/// Two ptys with a cable between them.
struct Cable {
    ports: [PathBuf; 2],
}

impl Cable {
    fn new() -> Self {
        let end = || {
            let end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
            grantpt(&end).unwrap();
            unlockpt(&end).unwrap();
            let name = ptsname(&end, Vec::new()).unwrap().into_string().unwrap();
            (File::from(end), PathBuf::from(name))
        };
        let ((tool, tool_port), (unit, unit_port)) = (end(), end());
        // A pty hangs up when the last program closes its end; a cable does not.
        let held = [&tool_port, &unit_port].map(|port| {
            // A fresh pty sends back what it is sent, as a console does; once it was opened as a port it does not.
            drop(Port::open(port, BAUD).unwrap());
            File::options().read(true).write(true).open(port).unwrap()
        });
        carry(tool.try_clone().unwrap(), unit.try_clone().unwrap(), held);
        carry(unit, tool, []);
        Self { ports: [tool_port, unit_port] }
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

/// A bench: a key, a small store, a unit's root, and a cable.
struct Bench {
    folder: TempDir,
    cable: Cable,
}

impl Bench {
    fn new() -> Self {
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
        fs::create_dir(bench.path("unit")).unwrap();
        fs::copy(bench.path("key/signpost.pub"), bench.path("unit/trusted.pub")).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn disk(&self) -> Folder {
        Folder::open(&self.path("unit")).unwrap()
    }

    fn command(&self, name: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program(name));
        let store = self.path("store");
        // An empty password: whoever may read the key may use it.
        command.args(args).env("SIGNPOST_CACHE", store).env("SIGNPOST_KEY_PASSWORD", "");
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn xtask(&self, args: &[&str]) -> Output {
        self.command("xtask", args).output().unwrap()
    }

    /// Makes a bundle of the program that the tests were built with.
    fn bundle(&self, version: &str, more: &[&str]) -> PathBuf {
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

    fn root(&self) -> String {
        text(&self.path("unit")).to_owned()
    }

    fn push(&self, file: &Path, more: &[&str]) -> Output {
        let args = ["push", text(file), "--port", text(&self.cable.ports[0])];
        self.xtask(&[&args[..], more].concat())
    }

    /// What the unit's service does: starts whatever is to run, again and again.
    fn service(&self) -> Service {
        let root = self.root();
        let port = text(&self.cable.ports[1]).to_owned();
        let args = ["boot", "--root", &root, "--", "serve", "--root", &root, "--port", &port, "--unit", "7"];
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

/// Ends with the test, whatever becomes of it.
struct Service {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[track_caller]
fn json(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a program that must fail said, with the steps that it had done before.
#[track_caller]
fn failure(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_bundle_is_pushed_started_and_kept() {
    let bench = Bench::new();
    let first = bench.bundle("0.1.0", &[]);
    let installed =
        bench.command("signpost", &["install", text(&first), "--root", &bench.root()]).output().unwrap();
    let said = String::from_utf8_lossy(&installed.stdout).into_owned();
    assert!(said.contains("version 0.1.0 is installed"), "{}", String::from_utf8_lossy(&installed.stderr));
    let service = bench.service();

    // The first version is on trial too; a technician keeps it with the same command.
    assert_eq!(json(&bench.push(&first, &["--json"]))[0]["end"], "kept");
    assert_eq!(Record::load(&bench.disk()).unwrap().state, State::Steady);

    fs::write(bench.path("store/networks/a.onnx"), "a better network").unwrap();
    let second = bench.bundle("0.2.0", &["--against", text(&first)]);
    let (whole, delta) = (fs::metadata(&first).unwrap().len(), fs::metadata(&second).unwrap().len());
    assert!(delta * 20 < whole, "{delta} of {whole} bytes: the program is the same");
    assert_eq!(json(&bench.push(&second, &["--dry-run", "--json"]))[0]["end"], "fits");
    assert_eq!(json(&bench.push(&second, &["--json"]))[0]["end"], "kept");
    let record = Record::load(&bench.disk()).unwrap();
    assert_eq!((record.active, record.state), (Some(Slot::B), State::Steady));
    let network = fs::read_to_string(bench.path("unit/b/store/networks/a.onnx")).unwrap();
    assert_eq!(network, "a better network");
    // Twice does no harm.
    assert_eq!(json(&bench.push(&second, &["--json"]))[0]["end"], "kept");

    let port = text(&bench.cable.ports[0]).to_owned();
    let watched = json(&bench.xtask(&["monitor", "--port", &port, "--seconds", "1", "--json"]));
    assert_eq!((&watched[0]["unit"], &watched[0]["version"]), (&"7".into(), &"0.2.0".into()));
    assert_eq!(watched[1]["state"], "ready");

    // What is older is refused by the unit itself, and what is for another board by the tool.
    let said = failure(&bench.push(&first, &[]));
    assert!(said.contains("made with --downgrade by whoever has the key"), "{said}");
    let mut stranger = fs::read(&second).unwrap();
    let (manifest, _) = tests::bundles::parts(&stranger);
    let at = manifest + stranger[manifest..].windows(4).position(|w| w == b"desk").unwrap();
    stranger[at..at + 4].copy_from_slice(b"qemu");
    fs::write(bench.path("stranger.bundle"), stranger).unwrap();
    let said = failure(&bench.push(&bench.path("stranger.bundle"), &[]));
    assert!(said.contains("for board `qemu`, and the unit is a `desk`"), "{said}");
    drop(service);
}

/// A version that never starts: the unit gives it up by itself, and the tool says what happened.
#[test]
fn a_version_that_does_not_start_is_given_up() {
    let bench = Bench::new();
    let first = bench.bundle("0.1.0", &[]);
    let root = bench.root();
    let boot = |root: &str| {
        let output =
            bench.command("signpost", &["boot", "--root", root, "--", "--version"]).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let install = |file: &Path| {
        let done = bench.command("signpost", &["install", text(file), "--root", &root]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    assert!(boot(&root).1.contains("neither slot holds a whole version"));
    install(&first);
    assert!(boot(&root).1.contains("version 0.1.0 out of slot a, on trial"));
    models::update::confirm(&bench.disk(), Slot::A).unwrap();
    // A program for this processor that is none.
    let broken = bench.path("broken");
    fs::write(&broken, [&b"\x7fELF\x02\x01\x01"[..], &[0; 9], &[2, 0, 62, 0], &[0; 100]].concat()).unwrap();
    install(&bench.bundle("0.2.0", &["--program", text(&broken)]));
    for _ in 0..3 {
        let (started, said) = boot(&root);
        assert!(!started && said.contains("version 0.2.0 out of slot b, on trial"), "{said}");
    }
    let (started, said) = boot(&root);
    assert!(started && said.contains("version 0.1.0 out of slot a"), "{said}");
    assert!(said.contains("it did not prove itself in the starts that it had"), "{said}");
}

/// What is wrong is said before a unit is touched.
#[test]
fn what_cannot_be_bundled_or_pushed_is_refused_in_one_sentence() {
    #[track_caller]
    fn check(output: &Output, expect: &str) {
        let said = refusal(output);
        assert!(said.contains(expect), "{said}");
    }
    let bench = Bench::new();
    let signpost = program("signpost");
    let key = bench.path("key/signpost.key");
    let bundle = |board: &str, more: &[&str]| {
        let args = ["bundle", "--board", board, "--program", text(&signpost), "--key", text(&key)];
        bench.xtask(&[&args[..], more].concat())
    };
    check(&bundle("toaster", &[]), "no board is called `toaster`");
    check(&bundle("jetson-orin-nano", &[]), "and Jetson Orin Nano needs one for aarch64");
    check(&bundle("desk", &["--version", "0.1.0", "--least", "0.2.0"]), "give an earlier one");
    check(&bundle("desk", &["--against", "nowhere.bundle"]), "nowhere.bundle");
    check(&bench.xtask(&["bundle", "--new-key", text(&bench.path("key"))]), "is there already");
    let no_key = ["bundle", "--board", "desk", "--program", text(&signpost), "--key", text(&signpost)];
    check(&bench.xtask(&no_key), "name the secret key with --key");
    fs::remove_file(bench.path("store/store.json")).unwrap();
    check(&bundle("desk", &[]), "run `cargo xtask setup` first");
    assert!(!bench.path("out").exists(), "no bundle was begun");

    fs::write(bench.path("words.txt"), "words").unwrap();
    let port = text(&bench.cable.ports[0]).to_owned();
    check(
        &bench.xtask(&["push", text(&bench.path("words.txt")), "--port", &port]),
        "no bundle of Signpost's",
    );
    check(&bench.xtask(&["push", "nowhere.bundle", "--port", &port]), "nowhere.bundle cannot be read");
    // Nobody is at the other end.
    check(&bench.xtask(&["monitor", "--port", &port, "--seconds", "1"]), "nothing came from");
    check(&bench.xtask(&["monitor", "--port", "/dev/ttyUSB4711"]), "plug the cable in");
}
