//! What leaves the process while somebody is read: every file, socket and byte, as the kernel saw it.
//!
//! The programs run under `strace`, which sees every system call of every thread. Pictures go in as files that
//! another program made, as from a camera; nothing but the presenter may write more than a few lines.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tests::kiosk::{Kiosk, pictures};
use tests::{program, skip, store, text};

/// Calls that name a file, and those by which bytes or file descriptors can leave a process.
const CALLS: &str = "%file,%network,write,writev,pwrite64,pwritev,pwritev2,sendfile,splice,vmsplice,tee,\
copy_file_range,memfd_create,mmap,io_uring_setup,process_vm_writev,process_vm_readv,shmget,mq_open,userfaultfd";
/// What a program may write to its log, its records and to wake its own threads, in one call and in all: far less
/// than the smallest picture of a person. Bytes.
const LINE: u64 = 4096;
const ALL_LINES: u64 = 64 << 10;

/// One system call: its name, all that stands in its brackets, and what it gave.
#[derive(Debug)]
struct Call {
    name: String,
    arguments: String,
    gave: String,
}

impl Call {
    /// A line of `strace -ff -y`; none for signals and the end of a thread.
    fn of(line: &str) -> Option<Self> {
        let (name, rest) = line.split_once('(')?;
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let (arguments, gave) = rest.rsplit_once(") = ").or_else(|| rest.rsplit_once(')'))?;
        let gave = gave.trim().trim_start_matches("= ").to_owned();
        is_name.then(|| Self { name: name.into(), arguments: arguments.into(), gave })
    }

    /// What the file descriptor is that it begins with: a path, or `pipe:[1]`.
    fn target(&self) -> &str {
        let begin = self.arguments.find('<').map_or(0, |at| at + 1);
        let end = self.arguments.find('>').unwrap_or(begin);
        self.arguments.get(begin..end).unwrap_or_default()
    }

    /// How many bytes it took; 0 where it failed.
    fn bytes(&self) -> u64 {
        self.gave.split([' ', '<']).next().and_then(|gave| gave.parse().ok()).unwrap_or(0)
    }

    /// Which file it opened to be written, where it did.
    fn opens(&self) -> Option<PathBuf> {
        let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"];
        let opens = ["open", "openat", "openat2", "creat"].contains(&self.name.as_str());
        let is_open = self.bytes() > 0 || self.gave.starts_with('0');
        if !opens || !is_open || !(self.name == "creat" || writes.iter().any(|w| self.arguments.contains(w)))
        {
            return None;
        }
        let path = self.gave.split_once('<').map(|(_, path)| path.trim_end_matches('>'));
        Some(path.unwrap_or(&self.arguments).into())
    }
}

/// All calls of all threads of a program, from the files that `strace -ff -o` wrote.
fn calls(folder: &Path) -> Vec<Call> {
    let mut calls = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        calls.extend(String::from_utf8_lossy(&bytes).lines().filter_map(Call::of));
    }
    calls
}

/// A program under `strace`, whose calls go into a folder; none where there is no `strace`, or it may not look.
fn traced(test: &str, folder: &Path) -> Option<Command> {
    std::fs::create_dir(folder).unwrap();
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    if !works.is_ok_and(|status| status.success()) {
        skip(test, "no strace that may look at programs (install strace, and allow ptrace)");
        return None;
    }
    let mut command = Command::new("strace");
    command.args(["-ff", "-y", "-qq", "-s", "0", "-e", "signal=none", "-e", &format!("trace={CALLS}")]);
    command.arg("-o").arg(folder.join("calls")).arg(program("signpost"));
    Some(command)
}

/// What is wrong with these calls; `mine` are the files that somebody asked for by name, and `screen` is the folder
/// of the presenter.
fn judge(calls: &[Call], mine: &[&Path], screen: Option<&Path>) -> Vec<String> {
    let is_screen = |path: &str| screen.is_some_and(|screen| Path::new(path).starts_with(screen));
    let is_mine = |path: &Path| mine.iter().any(|mine| path.starts_with(mine));
    let mut wrong = Vec::new();
    let mut written: BTreeMap<&str, u64> = BTreeMap::new();
    for call in calls {
        if let Some(path) = call.opens() {
            let harmless = path == Path::new("/dev/null") || path.starts_with("/dev/pts");
            if !is_screen(text(&path)) && !is_mine(&path) && !harmless {
                wrong.push(format!("opened to be written: {call:?}"));
            }
        }
        // A socket that was made in pairs leads to this program itself; what it is told has no address.
        let is_own = call.arguments.ends_with("NULL, 0");
        match call.name.as_str() {
            "write" | "writev" | "pwrite64" | "pwritev" | "pwritev2" if is_screen(call.target()) => {}
            "write" | "writev" | "pwrite64" | "pwritev" | "pwritev2" | "sendto"
                if call.name != "sendto" || is_own =>
            {
                *written.entry(call.target()).or_default() += call.bytes();
                if call.bytes() > LINE {
                    wrong.push(format!("more than a few lines: {call:?}"));
                }
            }
            "socketpair" if call.arguments.starts_with("AF_UNIX") => {}
            // Memory that nobody else can have is shared with this program's own threads.
            "mmap" if call.arguments.contains("MAP_ANONYMOUS") => {}
            "mmap" if call.arguments.contains("MAP_SHARED") && call.arguments.contains("PROT_WRITE") => {
                wrong.push(format!("memory that others see: {call:?}"));
            }
            "mmap" => {}
            "socket" | "connect" | "sendto" | "sendmsg" | "sendmmsg" | "socketpair" | "bind" | "listen"
            | "accept" | "accept4" | "sendfile" | "splice" | "vmsplice" | "tee" | "copy_file_range"
            | "memfd_create" | "io_uring_setup" | "process_vm_writev" | "process_vm_readv" | "shmget"
            | "mq_open" | "userfaultfd" => wrong.push(format!("a way out: {call:?}")),
            _ => {}
        }
    }
    let all: u64 = written.values().sum();
    if all > ALL_LINES {
        wrong.push(format!("{all} bytes in all: {written:?}"));
    }
    wrong
}

#[test]
fn a_kiosk_lets_no_picture_out_but_to_its_screen() {
    let test = "a_kiosk_lets_no_picture_out_but_to_its_screen";
    let Some(store) = store(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let Some(mut command) = traced(test, &at("trace")) else { return };
    let source = pictures(folder.path());
    let (root, screen) = (at("root"), at("screen"));
    let more = ["--source", text(&source), "--left-after", "5"];
    Kiosk::arguments(&mut command, &root, &screen, &more);
    command.env("SIGNPOST_CACHE", store.root()).env_remove(edge::engine::NO_TELEMETRY);
    for (name, place) in [("SIGNPOST_STATE", "state"), ("HOME", "home"), ("TMPDIR", "tmp")] {
        command.env(name, at(place));
    }
    let mut kiosk = Kiosk::start(command);
    // Every picture of the recording is read and shown more than once.
    let enough = Instant::now() + Duration::from_secs(120);
    let shown = || std::fs::read_dir(&screen).map_or(0, Iterator::count);
    while shown() < 100 {
        assert!(Instant::now() < enough, "{} pictures were shown", shown());
        thread::sleep(Duration::from_millis(100));
    }
    // `strace` passes no signal on that it is sent itself.
    let id = kiosk.child().id();
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    let program = children.split_whitespace().next().expect("the program that is traced");
    assert!(Command::new("kill").args(["-s", "TERM", program]).status().unwrap().success());
    assert!(kiosk.child().wait().unwrap().success());
    let calls = calls(&at("trace"));
    let read = calls.iter().filter(|call| call.arguments.contains(".jpg")).count();
    assert!(read >= 40, "the recording was read: {read} of {} calls", calls.len());
    let wrong = judge(&calls, &[&root], Some(&screen));
    assert!(wrong.is_empty(), "{} things:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    // What it keeps of its own is about itself.
    let mut own: Vec<_> = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    own.sort();
    assert_eq!(own, ["crash.json", "staging"]);
    for place in ["state", "home", "tmp"] {
        assert!(!at(place).exists(), "{place} was made");
    }
}

#[test]
fn reading_a_recording_lets_no_picture_out() {
    let test = "reading_a_recording_lets_no_picture_out";
    let Some(store) = store(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let Some(mut command) = traced(test, &trace) else { return };
    let source = pictures(folder.path());
    command.arg("read").arg(&source).env("SIGNPOST_CACHE", store.root());
    command.env("SIGNPOST_STATE", folder.path().join("state"));
    command.env_remove(edge::engine::NO_TELEMETRY);
    let read = command.output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let wrong = judge(&calls(&trace), &[], None);
    assert!(wrong.is_empty(), "{} things:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
}

#[test]
fn what_leaves_a_program_is_found() {
    let line = |line: &str| {
        judge(&[Call::of(line).unwrap()], &[Path::new("/root/unit")], Some(Path::new("/screen")))
    };
    for bad in [
        "openat(AT_FDCWD</tmp>, \"a.png\", O_WRONLY|O_CREAT|O_CLOEXEC, 0666) = 7</tmp/a.png>",
        "write(7</tmp/a.png>, \"\"..., 8192) = 8192",
        "writev(1<pipe:[77]>, [{iov_base=\"\"..., iov_len=9000}], 1) = 9000",
        "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3<TCP:[1]>",
        "socket(AF_UNIX, SOCK_STREAM, 0) = 3<UNIX:[1]>",
        "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 9</dev/shm/x>, 0) = 0x7f",
        "sendfile(4<a>, 5<b>, NULL, 10) = 10",
        "sendto(4<socket:[7]>, \"\"..., 1, 0, {sa_family=AF_UNIX, sun_path=\"/x\"}, 110) = 1",
        "sendto(4<socket:[7]>, \"\"..., 9000, MSG_DONTWAIT, NULL, 0) = 9000",
    ] {
        assert_eq!(line(bad).len(), 1, "{bad}");
    }
    for good in [
        "openat(AT_FDCWD</tmp>, \"a.png\", O_RDONLY|O_CLOEXEC) = 7</tmp/a.png>",
        "openat(AT_FDCWD</tmp>, \"a.png\", O_WRONLY|O_CREAT, 0666) = -1 EACCES (Permission denied)",
        "openat(AT_FDCWD</tmp>, \"x\", O_WRONLY|O_CREAT, 0666) = 7</root/unit/crash.json>",
        "write(7</screen/00001.png>, \"\"..., 81920) = 81920",
        "write(2</dev/null>, \"\"..., 80) = 80",
        "socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0, [4<UNIX:[1]>, 5<UNIX:[2]>]) = 0",
        "sendto(4<socket:[7]>, \"\"..., 1, MSG_DONTWAIT, NULL, 0) = 1",
        "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0) = 0x7f",
        "mmap(NULL, 4096, PROT_READ, MAP_SHARED, 9</store/lexicon>, 0) = 0x7f",
    ] {
        assert!(line(good).is_empty(), "{good}");
    }
    let many: Vec<Call> =
        (0..20).map(|_| Call::of("write(2<pipe:[7]>, \"\"..., 4000) = 4000").unwrap()).collect();
    assert_eq!(judge(&many, &[], None).len(), 1, "a picture in small parts is a picture");
}
