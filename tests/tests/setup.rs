//! `cargo xtask setup`, on made-up wheels: what it brings, what it leaves, and what it says when it cannot.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tests::refusal;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// No output is left out.
const NONE: &[&str] = &[];
const TINY: &[u8] = include_bytes!("../parity/tflite/tiny.tflite");
const WHEEL: &str = "made_up-1.0-py3-none-any.whl";
/// Enough to take the longest of these set-ups on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A machine of one's own: a store, a folder of wheels, a table, a search path and a home.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["wheels", "bin", "home", "tmp"] {
            fs::create_dir(machine.path(folder)).unwrap();
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a wheel into the folder, and a table of it beside.
    fn offer(&self, wheel: &[u8], take: &str) {
        fs::write(self.path("wheels").join(WHEEL), wheel).unwrap();
        self.list(&[entry(WHEEL, wheel, take)]);
    }

    fn list(&self, entries: &[String]) {
        fs::write(self.path("table.toml"), entries.concat()).unwrap();
    }

    /// Puts a `python3` into the search path that does what the shell script says.
    fn python(&self, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path("bin/python3");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(tests::program("xtask"));
        command
            .args(["setup", "--table"])
            .arg(self.path("table.toml"))
            .args(arguments)
            .current_dir(self.path("home"))
            .env("SIGNPOST_CACHE", self.path("store"))
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .env("PATH", self.path("bin"))
            .env("WHEEL", self.path("wheels").join(WHEEL))
            .stdin(Stdio::null());
        command
    }

    /// Runs set-up with the wheels of the folder.
    fn offline(&self) -> Output {
        let wheels = self.path("wheels");
        let output = self.command(&["--offline", wheels.to_str().unwrap()]).output().unwrap();
        self.left_nothing();
        output
    }

    /// Runs set-up with whatever `python3` there is.
    fn online(&self) -> Output {
        let output = self.command(&[]).output().unwrap();
        self.left_nothing();
        output
    }

    #[track_caller]
    fn left_nothing(&self) {
        for folder in ["home", "tmp"] {
            assert_eq!(fs::read_dir(self.path(folder)).unwrap().count(), 0, "something is left in {folder}");
        }
        assert!(!self.path("store/.partial").exists(), "something unfinished is left");
    }

    fn stored(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.path("store").join(name)).ok()
    }
}

/// A wheel of the members given.
fn wheel(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, data) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(data).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The table's entry for a wheel; its name is the file's.
fn entry(file: &str, wheel: &[u8], take: &str) -> String {
    let (name, bytes, sha256) = (file.split('-').next().unwrap(), wheel.len(), Sha256::digest(wheel));
    format!(
        "[[wheel]]\nname = {name:?}\nversion = \"1.0\"\nfile = {file:?}\nsha256 = \"{sha256:x}\"\n\
         bytes = {bytes}\nunpacked_bytes = 100_000_000\nlicence = \"MIT\"\nmachine = \"any\"\n\
         need = \"always\"\nwhat = \"made-up things\"\nwithout = \"nothing\"\ntake = [{take}]\n"
    )
}

const TEXT: &str = r#"{ from = "made_up/text", to = "texts/text.txt", kind = "file" },"#;
const NETWORK: &str = r#"{ from = "made_up/tiny.tflite", to = "networks/tiny.onnx", kind = "network" },"#;
const FOLDER: &str =
    r#"{ from = "made_up/lex/", to = "lexicon", only = [".pose", "/index.csv"], kind = "file" },"#;

#[track_caller]
fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Fails with one sentence that holds each of the texts.
#[track_caller]
fn fails(output: &Output, texts: &[&str]) {
    let all = String::from_utf8_lossy(&output.stderr);
    // Before it may stand the lines that say how far set-up is.
    let is_step = |line: &&str| line.starts_with('[') || line.starts_with("unpacking ");
    let rest: Vec<&str> = all.lines().skip_while(is_step).collect();
    let said = refusal(&Output { stderr: rest.join("\n").into_bytes(), ..output.clone() });
    assert!(said.starts_with("error: "), "{said}");
    for text in texts {
        assert!(said.contains(text), "{text:?} is not in {said}");
    }
}

#[test]
fn what_the_table_names_is_brought_and_nothing_else() {
    let machine = Machine::new();
    let members: [(&str, &[u8]); 6] = [
        ("made_up/text", b"hello"),
        ("made_up/tiny.tflite", TINY),
        ("made_up/lex/index.csv", b"path"),
        ("made_up/lex/ase/a.pose", b"pose"),
        ("made_up/lex/make.py", b"print()"),
        ("made_up/other", b"other"),
    ];
    machine.offer(&wheel(&members), &[TEXT, NETWORK, FOLDER].concat());
    succeeds(&machine.offline());
    assert_eq!(machine.stored("texts/text.txt").unwrap(), b"hello");
    assert_eq!(machine.stored("networks/tiny.onnx"), models::tflite::to_onnx(TINY, "tiny", NONE).ok());
    assert_eq!(machine.stored("lexicon/index.csv").unwrap(), b"path");
    assert_eq!(machine.stored("lexicon/ase/a.pose").unwrap(), b"pose");
    let mut there: Vec<_> =
        fs::read_dir(machine.path("store")).unwrap().map(|e| e.unwrap().file_name()).collect();
    there.sort();
    assert_eq!(there, [".lock", "lexicon", "networks", "store.json", "texts"]);
    assert_eq!(fs::read_dir(machine.path("store/lexicon")).unwrap().count(), 2);

    // The second time there is nothing to do: not even the wheels are looked for.
    fs::remove_dir_all(machine.path("wheels")).unwrap();
    let before = fs::metadata(machine.path("store/store.json")).unwrap().modified().unwrap();
    succeeds(&machine.offline());
    assert_eq!(fs::metadata(machine.path("store/store.json")).unwrap().modified().unwrap(), before);
}

#[test]
fn pip_is_asked_and_its_wheel_deleted() {
    let machine = Machine::new();
    machine.offer(&wheel(&[("made_up/text", b"hello")]), TEXT);
    machine.python(r#"while [ "$1" != -d ]; do shift; done; /bin/cp "$WHEEL" "$2/""#);
    succeeds(&machine.online());
    assert_eq!(machine.stored("texts/text.txt").unwrap(), b"hello");
}

#[test]
fn a_wrong_hash_is_said_and_the_file_not_used() {
    let machine = Machine::new();
    let right = wheel(&[("made_up/text", b"hello")]);
    machine.offer(&right, TEXT);
    let wrong = wheel(&[("made_up/text", b"other")]);
    fs::write(machine.path("wheels").join(WHEEL), &wrong).unwrap();
    let (expected, found) =
        (format!("{:x}", Sha256::digest(&right)), format!("{:x}", Sha256::digest(&wrong)));
    fails(&machine.offline(), &[WHEEL, &expected, &found, "put the right one into the folder"]);
    machine.python(r#"while [ "$1" != -d ]; do shift; done; /bin/cp "$WHEEL" "$2/""#);
    fails(&machine.online(), &[WHEEL, &expected, &found, "run `cargo xtask setup` again"]);
    assert_eq!(machine.stored("texts/text.txt"), None);
}

#[test]
fn a_truncated_wheel_leaves_nothing() {
    let machine = Machine::new();
    let whole = wheel(&[("made_up/text", &[7; 4096]), ("made_up/tiny.tflite", TINY)]);
    for len in [0, 10, whole.len() / 2, whole.len() - 1] {
        machine.offer(&whole[..len], &[TEXT, NETWORK].concat());
        fails(&machine.offline(), &[WHEEL, "cannot be unpacked", "fetch it again"]);
    }
    // A member that is damaged inside an archive that is whole.
    let mut damaged = wheel(&[("made_up/text", b"some text that does not compress")]);
    let name = damaged.windows(12).position(|w| w == b"made_up/text").unwrap();
    damaged[name + 20] ^= 0xff;
    machine.offer(&damaged, TEXT);
    fails(&machine.offline(), &[WHEEL, "cannot be unpacked"]);
    assert_eq!(machine.stored("texts/text.txt"), None);
}

#[test]
fn no_member_leaves_the_store() {
    let machine = Machine::new();
    let mut evil = wheel(&[("made_up/lex/..../..../e.pose", b"evil")]);
    for at in 0..evil.len() {
        if evil[at..].starts_with(b"..../..../e.pose") {
            evil[at..at + 16].copy_from_slice(b"../../../ee.pose");
        }
    }
    machine.offer(&evil, FOLDER);
    fails(&machine.offline(), &["ee.pose", "outside the store"]);
    let names = files(machine.folder.path());
    assert!(!names.iter().any(|name| name.ends_with("ee.pose")), "{names:?}");
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn what_the_table_names_must_be_in_the_wheel() {
    let machine = Machine::new();
    machine.offer(&wheel(&[("made_up/text", b"hello")]), &[TEXT, NETWORK].concat());
    fails(&machine.offline(), &["made_up/tiny.tflite", "wheels.toml"]);
    let broken = &TINY[..TINY.len() / 2];
    machine.offer(
        &wheel(&[("made_up/text", b"hello"), ("made_up/tiny.tflite", broken)]),
        &[TEXT, NETWORK].concat(),
    );
    fails(&machine.offline(), &["made_up/tiny.tflite", "damaged at byte"]);
    assert_eq!(machine.stored("texts/text.txt"), None, "a wheel is brought whole or not at all");
}

#[test]
fn a_missing_wheel_is_named() {
    let machine = Machine::new();
    machine.offer(&wheel(&[("made_up/text", b"hello")]), TEXT);
    fs::remove_file(machine.path("wheels").join(WHEEL)).unwrap();
    fails(&machine.offline(), &[WHEEL, "is not there", "PyPI's made_up==1.0"]);
}

#[test]
fn without_python_or_pip_or_network_it_says_what_to_do() {
    let machine = Machine::new();
    machine.offer(&wheel(&[("made_up/text", b"hello")]), TEXT);
    fails(
        &machine.online(),
        &["python3 is not installed", "made_up==1.0", "apt install python3-pip", "--offline"],
    );
    machine.python("echo '/usr/bin/python3: No module named pip' >&2; exit 1");
    fails(&machine.online(), &["python3 has no pip", "apt install python3-pip", "--offline"]);
    machine.python(
        "echo 'WARNING: Retrying after connection broken by NewConnectionError' >&2\n\
         echo 'ERROR: No matching distribution found for made_up==1.0' >&2; exit 1",
    );
    fails(&machine.online(), &["no connection", "check the network", "--offline"]);
    machine.python("echo 'ERROR: No matching distribution found for made_up==1.0' >&2; exit 1");
    fails(&machine.online(), &["(No matching distribution found for made_up==1.0)", "check the network"]);
    machine.python("echo 'ERROR: Could not install: [Errno 28] No space left on device' >&2; exit 1");
    fails(&machine.online(), &["the disk is full", "SIGNPOST_CACHE"]);
}

#[test]
fn too_small_a_disk_is_noticed_first() {
    let machine = Machine::new();
    machine.offer(&wheel(&[("made_up/text", b"hello")]), TEXT);
    let table = fs::read_to_string(machine.path("table.toml")).unwrap();
    let table = table.replace("unpacked_bytes = 100_000_000", "unpacked_bytes = 4_000_000_000_000_000");
    fs::write(machine.path("table.toml"), table).unwrap();
    fails(&machine.offline(), &["MB free", "set-up needs 4000000001", "SIGNPOST_CACHE"]);
}

#[test]
fn a_member_larger_than_announced_is_refused() {
    let machine = Machine::new();
    machine.offer(&wheel(&[("made_up/text", &[0; 5000])]), TEXT);
    let table = fs::read_to_string(machine.path("table.toml")).unwrap();
    fs::write(machine.path("table.toml"), table.replace("= 100_000_000", "= 4_999")).unwrap();
    fails(&machine.offline(), &["made_up/text is too large"]);
}

#[test]
fn a_set_up_killed_while_pip_runs_goes_on() {
    let machine = Machine::new();
    machine.offer(&wheel(&[("made_up/text", b"hello")]), TEXT);
    machine.python(r#"while [ "$1" != -d ]; do shift; done; echo half > "$2/half.whl"; kill -KILL $PPID"#);
    assert!(!machine.command(&[]).status().unwrap().success());
    assert!(machine.path("store/.partial/fetched").exists());
    assert_eq!(machine.stored("store.json"), None);
    succeeds(&machine.offline());
    assert_eq!(machine.stored("texts/text.txt").unwrap(), b"hello");
}

#[test]
fn a_set_up_killed_while_it_unpacks_goes_on_where_it_was() {
    // Where the machine is so busy that set-up is over before it is killed, another try.
    let killed = (0..20).any(|_| killed_while_unpacking());
    assert!(killed, "it was always over before it could be killed");
}

fn killed_while_unpacking() -> bool {
    let machine = Machine::new();
    let small = wheel(&[("made_up/text", b"hello")]);
    let large = wheel(&[("large/zeros", &vec![0; 64 << 20])]);
    let large_file = "large-1.0-py3-none-any.whl";
    fs::write(machine.path("wheels").join(WHEEL), &small).unwrap();
    fs::write(machine.path("wheels").join(large_file), &large).unwrap();
    let take = r#"{ from = "large/zeros", to = "zeros", kind = "file" }"#;
    machine.list(&[entry(WHEEL, &small, TEXT), entry(large_file, &large, take)]);

    let wheels = machine.path("wheels");
    let mut setup = machine.command(&["--offline", wheels.to_str().unwrap()]).spawn().unwrap();
    let start = Instant::now();
    while !machine.path("store/.partial/unpacked/zeros").exists() && setup.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < PATIENCE, "set-up hangs");
        std::thread::sleep(Duration::from_millis(1));
    }
    // It may be over by now; then there is nothing to kill.
    let _ = setup.kill();
    let killed = !setup.wait().unwrap().success();
    assert_eq!(machine.stored("texts/text.txt").unwrap(), b"hello");
    assert!(!killed || machine.stored("zeros").is_none(), "a file is there before it is whole");

    fs::remove_file(machine.path("wheels").join(WHEEL)).unwrap();
    succeeds(&machine.offline());
    assert_eq!(machine.stored("zeros").unwrap().len(), 64 << 20);
    killed
}

#[test]
fn two_at_once_do_not_meet() {
    let machine = Machine::new();
    machine.offer(
        &wheel(&[("made_up/text", b"hello"), ("made_up/tiny.tflite", TINY)]),
        &[TEXT, NETWORK].concat(),
    );
    let wheels = machine.path("wheels");
    let running: Vec<_> = (0..4)
        .map(|_| {
            machine.command(&["--offline", wheels.to_str().unwrap()]).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for setup in running {
        succeeds(&setup.wait_with_output().unwrap());
    }
    machine.left_nothing();
    assert_eq!(machine.stored("texts/text.txt").unwrap(), b"hello");
}

#[test]
fn check_says_what_is_there_and_what_is_damaged() {
    let machine = Machine::new();
    machine.offer(&wheel(&[("made_up/text", b"hello")]), TEXT);
    let check = machine.command(&["--check"]).output().unwrap();
    fails(&check, &["not complete", "run `cargo xtask setup`"]);
    let missing = format!("made-up things: missing: {WHEEL} (made_up==1.0)\n");
    assert_eq!(String::from_utf8_lossy(&check.stdout), missing);
    succeeds(&machine.offline());
    let check = machine.command(&["--check"]).output().unwrap();
    succeeds(&check);
    assert_eq!(String::from_utf8_lossy(&check.stdout), "made-up things: there, from made_up 1.0 (MIT)\n");

    fs::write(machine.path("store/texts/text.txt"), b"hallo").unwrap();
    let check = machine.command(&["--check"]).output().unwrap();
    fails(&check, &["not complete"]);
    assert!(String::from_utf8_lossy(&check.stdout).contains("texts/text.txt: damaged; delete it"));
    fs::remove_file(machine.path("store/texts/text.txt")).unwrap();
    succeeds(&machine.offline());
    assert_eq!(machine.stored("texts/text.txt").unwrap(), b"hello");
}

#[test]
fn a_new_version_replaces_the_old_one() {
    let machine = Machine::new();
    machine.offer(
        &wheel(&[("made_up/text", b"hello"), ("made_up/tiny.tflite", TINY)]),
        &[TEXT, NETWORK].concat(),
    );
    succeeds(&machine.offline());
    machine.offer(&wheel(&[("made_up/text", b"hello again")]), TEXT);
    succeeds(&machine.offline());
    assert_eq!(machine.stored("texts/text.txt").unwrap(), b"hello again");
    assert_eq!(machine.stored("networks/tiny.onnx"), None, "what no wheel leaves any more is deleted");
}
