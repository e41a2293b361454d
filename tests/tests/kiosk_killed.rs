//! What becomes of a unit whose threads hang, that is killed or stopped, or whose storage takes nothing more: it is back
//! by itself, or says what is wrong; and what it had kept is still there.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use edge::kiosk::crash::Kept;
use models::link::Tool;
use models::link::message::{Health, Trouble};
use models::link::tty::{BAUD, Port};
use models::store::Store;
use tests::kiosk::{Kiosk, pictures};
use tests::service::Service;
use tests::technician::Cable;
use tests::{program, skip, store, text};

/// A machine that has other things to do takes its time.
const PATIENCE: Duration = Duration::from_secs(90);
/// A board whose service gives up soon who gives no sign of life. The program itself is told that it runs on a desk: a
/// test must not arm this computer's watchdog.
const BOARD: &str = "jetson-orin-nano";

/// One unit at a time: with two more beside it, a thread may well stand still for as long as one that hangs.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks again and again, until there is something.
#[track_caller]
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "it is not {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A unit under its service, with its cable's other end.
struct Unit {
    service: Service,
    cable: Cable,
    root: PathBuf,
    /// What was enrolled, and what the unit knows of its versions: nobody may lose them.
    precious: Vec<(PathBuf, Vec<u8>)>,
    _folder: tempfile::TempDir,
}

impl Unit {
    fn start(store: &Store) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (root, screen) = (folder.path().join("root"), folder.path().join("screen"));
        let (source, cable) = (pictures(folder.path()), Cable::new());
        let precious = precious(&root);
        let more = ["--port", text(&cable.ports[1]), "--source", text(&source), "--stall-after", "3"];
        let more: Vec<String> = more.map(str::to_owned).to_vec();
        let (store, root_too) = (store.clone(), root.clone());
        let command = move || {
            let more: Vec<&str> = more.iter().map(String::as_str).collect();
            Kiosk::command(&store, &root_too, &screen, &more)
        };
        let service = Service::start(BOARD, folder.path(), command);
        Self { service, cable, root, precious, _folder: folder }
    }

    /// Its end of the cable, once it reads.
    #[track_caller]
    fn reads(&self) -> Tool<Port> {
        until("reading", || {
            let port = Port::open(&self.cable.ports[0], BAUD).unwrap();
            let mut tool = Tool::connect(port, "0.1.0", Duration::from_secs(5)).ok()?;
            matches!(tool.health(), Ok(Health { frames: 5.., .. })).then_some(tool)
        })
    }

    #[track_caller]
    fn wait_for_start(&self, number: usize) {
        until("started anew", || (self.service.starts() >= number).then_some(()));
    }

    #[track_caller]
    fn has_lost_nothing(&self) {
        for (path, bytes) in &self.precious {
            assert_eq!(&fs::read(path).unwrap(), bytes, "{}", path.display());
        }
    }

    fn kept(&self) -> Kept {
        serde_json::from_slice(&fs::read(self.root.join("crash.json")).unwrap()).unwrap()
    }

    /// The number of a thread, by its name: of those that have it the oldest, which has started the others.
    fn thread(&self, name: &str) -> String {
        let tasks = PathBuf::from(format!("/proc/{}/task", self.service.process()));
        let tasks = fs::read_dir(tasks).unwrap().map(|task| task.unwrap().path());
        let named = tasks
            .filter(|task| fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim_end() == name));
        let number = |task: PathBuf| task.file_name()?.to_str()?.parse::<u32>().ok();
        named.filter_map(number).min().unwrap().to_string()
    }
}

/// Files that a unit has when it was in use.
fn precious(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let state = root.join("state");
    fs::create_dir_all(&state).unwrap();
    let files =
        [(state.join("enrolled.signs"), "a test's own"), (root.join("staging.keep"), "half a bundle")];
    let write = |(path, bytes): (PathBuf, &str)| {
        fs::write(&path, bytes).unwrap();
        (path, bytes.into())
    };
    files.map(write).to_vec()
}

/// Stops one thread at its next call of the system, for good.
fn freeze(thread: &str) -> Option<Child> {
    let mut strace = Command::new("strace");
    // A minute each, in millionths of a second.
    strace.args(["-qq", "-o", "/dev/null", "-e", "inject=all:delay_enter=60000000", "-p", thread]);
    let mut strace = strace.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    thread::sleep(Duration::from_millis(300));
    strace.try_wait().unwrap().is_none().then_some(strace)
}

#[test]
fn a_thread_that_hangs_is_noticed_by_name_and_the_unit_is_back() {
    let test = "a_thread_that_hangs_is_noticed_by_name_and_the_unit_is_back";
    let _alone = alone();
    let Some(store) = store(test) else { return };
    let unit = Unit::start(&store);
    let threads = ["camera", "vision", "language", "screen", "production", "link"];
    for (before, name) in threads.into_iter().enumerate() {
        drop(unit.reads());
        assert_eq!(unit.service.starts(), before + 1, "nothing else ends it");
        let (hangs, known) = (Instant::now(), unit.kept().last);
        let Some(mut strace) = freeze(&unit.thread(name)) else {
            return skip(test, "no strace that may stop threads (install strace, and allow ptrace)");
        };
        let noted = until("noticed", || unit.kept().last.filter(|crash| Some(crash) != known.as_ref()));
        assert_eq!(noted.thread, name, "{noted:?}");
        let noticed = hangs.elapsed();
        // Who is stopped from outside does not even end, and so neither would the program.
        strace.kill().and_then(|()| strace.wait()).unwrap();
        unit.wait_for_start(before + 2);
        drop(unit.reads());
        let again = hangs.elapsed();
        println!("{name}: noticed after {noticed:.1?}, reads again after {again:.1?}");
        unit.has_lost_nothing();
    }
    assert_eq!(unit.service.bitten(), 0, "the program noticed by itself");
}

#[test]
fn whoever_is_killed_or_stopped_is_back() {
    let test = "whoever_is_killed_or_stopped_is_back";
    let _alone = alone();
    let Some(store) = store(test) else { return };
    let unit = Unit::start(&store);
    drop(unit.reads());
    for (number, (signal, bitten)) in [("KILL", 0), ("STOP", 1)].into_iter().enumerate() {
        let begun = Instant::now();
        unit.service.signal(signal);
        unit.wait_for_start(number + 2);
        drop(unit.reads());
        println!("{signal}: reads again after {:.1?}", begun.elapsed());
        assert_eq!(unit.service.bitten(), bitten);
        assert!(unit.kept().last.unwrap().said.contains("killed"), "{:?}", unit.kept());
        unit.has_lost_nothing();
    }
}

/// A unit whose storage is a file system of its own, of so many megabytes.
fn with_storage(store: &Store, folder: &Path, cable: &Cable, megabytes: u32) -> Command {
    let (root, screen) = (folder.join("root"), folder.join("screen"));
    fs::create_dir_all(&root).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-ec", "mount -t tmpfs -o size=$0m storage $1; shift; exec \"$@\""]);
    command.arg(megabytes.to_string()).arg(&root).arg(program("signpost"));
    Kiosk::arguments(&mut command, &root, &screen, &["--port", text(&cable.ports[1])]);
    command.env("SIGNPOST_CACHE", store.root()).env("SIGNPOST_STATE", folder.join("state"));
    command
}

/// Whether this computer lets a test have file systems of its own.
fn may_mount() -> bool {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "mount", "-t", "tmpfs", "storage", "/mnt"]);
    unshare.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

#[track_caller]
fn until_told(tool: &mut Tool<Port>, what: &str, told: impl Fn(&[Trouble]) -> bool) {
    until(what, || told(&tool.troubles().unwrap()).then_some(()));
}

#[test]
fn storage_that_is_full_or_takes_nothing_is_said_and_the_unit_goes_on() {
    let test = "storage_that_is_full_or_takes_nothing_is_said_and_the_unit_goes_on";
    let _alone = alone();
    let Some(store) = store(test) else { return };
    if !may_mount() {
        return skip(test, "it may mount nothing (only root may)");
    }
    let (folder, cable) = (tempfile::tempdir().unwrap(), Cable::new());
    let mut kiosk = Kiosk::start(with_storage(&store, folder.path(), &cable, 16));
    let port = Port::open(&cable.ports[0], BAUD).unwrap();
    let mut tool = Tool::connect(port, "0.1.0", PATIENCE).unwrap();
    let told = |troubles: &[Trouble], words: &str| {
        troubles.iter().any(|trouble| trouble.kind == "disk" && trouble.said.contains(words))
    };
    // So small a storage has no room for another version, which is told from the beginning.
    until_told(&mut tool, "there", |troubles| told(troubles, "another version"));

    let process = kiosk.child().id().to_string();
    let inside =
        PathBuf::from(format!("/proc/{process}/root")).join(folder.path().strip_prefix("/").unwrap());
    let filling = inside.join("root/filling");
    fs::write(&filling, vec![0; 13 << 20]).unwrap();
    until_told(&mut tool, "told that it is full", |troubles| told(troubles, "it is full"));
    assert!(tool.screenshot().is_ok(), "the screen goes on");
    fs::remove_file(&filling).unwrap();
    until_told(&mut tool, "mended", |troubles| !told(troubles, "it is full"));

    let remount = |how: &str| {
        let mut enter = Command::new("nsenter");
        enter.args(["--target", &process, "--mount", "mount", "-o"]);
        let root = folder.path().join("root");
        assert!(enter.arg(format!("remount,{how}")).arg(root).status().unwrap().success());
    };
    remount("ro");
    until_told(&mut tool, "told that nothing can be kept", |troubles| told(troubles, "read-only"));
    assert!(tool.screenshot().is_ok(), "the screen goes on");
    remount("rw");
    until_told(&mut tool, "mended again", |troubles| !told(troubles, "read-only"));
    assert!(kiosk.child().try_wait().unwrap().is_none(), "it is the same program");
    assert!(kiosk.stop().success());
}
