//! What a technician asks of a bench and a unit: doctor, monitor, self-test, completions; and each sentence
//! that the commands say when something is wrong.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use models::link::tty::{BAUD, Port};
use models::store::Store;
use serde_json::Value;
use tests::technician::{Bench, Cable, babbler, failure, json, objects};
use tests::{program, refusal, run, skip, text};

/// Every sentence of [`every_error_says_the_cause_and_the_next_step`], with places made plain.
const SENTENCES: &str = "tests/golden/technician/errors.txt";

fn doctor(bench: &Bench, port: &str, more: &[&str]) -> std::process::Output {
    bench.xtask(&[&["doctor", "--port", port, "--json"], more].concat())
}

/// The kinds of what the doctor found.
#[track_caller]
fn kinds(output: &std::process::Output) -> Vec<String> {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let found = objects(output).remove(0);
    assert_eq!(found["healthy"], false);
    let kind = |finding: &Value| finding["trouble"].as_str().or(finding["kind"].as_str()).unwrap().to_owned();
    found["findings"].as_array().unwrap().iter().map(kind).collect()
}

#[test]
fn the_doctor_finds_what_is_wrong_on_a_real_wire() {
    let bench = Bench::new();
    bench.install(&bench.bundle("0.1.0", &[]), "unit");
    let port = bench.cable.port();
    let service = bench.service();
    assert_eq!(json(&bench.flash(&bench.path("0.1.0.bundle"), &["--json"]))[0]["end"], "kept");
    let found = doctor(&bench, port, &["--board", "desk"]);
    // A machine with a full disk has that to say, and no more.
    if is_healthy_but_for_the_disk(&found) {
        let unit = &objects(&found)[0]["units"][0];
        assert_eq!(
            (&unit["unit"], &unit["board"], &unit["version"]),
            (&"unit".into(), &"desk".into(), &"0.1.0".into())
        );
    }
    assert!(kinds(&doctor(&bench, port, &["--board", "qemu"])).contains(&"wrong-board".into()));
    fs::rename(bench.path("unit/trusted.pub"), bench.path("unit/elsewhere.pub")).unwrap();
    assert!(kinds(&doctor(&bench, port, &[])).contains(&"key".into()));

    // Somebody else has the port.
    let held = Port::open(Path::new(port), BAUD).unwrap();
    let output = doctor(&bench, port, &[]);
    assert_eq!(kinds(&output), ["port-busy"]);
    let said = objects(&output)[0]["findings"][0]["said"].as_str().unwrap().to_owned();
    assert!(said.contains(&format!("(process {}) has {port} open; end it", std::process::id())), "{said}");
    drop((held, service));

    assert_eq!(kinds(&doctor(&bench, port, &[])), ["silent"]);
    assert_eq!(kinds(&doctor(&bench, text(&babbler("\r\nhall-7 login: ")), &[])), ["no-unit"]);
    assert_eq!(kinds(&doctor(&bench, "/dev/ttyUSB4711", &[])), ["no-port"]);
    assert_eq!(kinds(&doctor(&bench, "/dev/null", &[])), ["bad-port"]);
}

/// Whether a unit is healthy, but for the disk of the machine that the test runs on.
#[track_caller]
fn is_healthy_but_for_the_disk(output: &std::process::Output) -> bool {
    if !output.status.success() {
        assert_eq!(kinds(output), ["disk"]);
    }
    objects(output)[0]["units"].as_array().is_some_and(|units| units.len() == 1)
}

#[test]
fn a_report_has_what_support_needs_and_nobodys_signing() {
    let bench = Bench::new();
    bench.install(&bench.bundle("0.1.0", &[]), "unit");
    let service = bench.service();
    let report = bench.path("report.zip");
    let monitor = |file: &Path| {
        let args =
            ["monitor", "--port", bench.cable.port(), "--json", "--seconds", "2", "--report", text(file)];
        bench.xtask(&args)
    };
    for _ in 0..2 {
        let said = json(&monitor(&report));
        assert_eq!((&said[0]["unit"], &said[0]["version"]), (&"unit".into(), &"0.1.0".into()));
        assert_eq!(said.last().unwrap()["event"], "report");
        assert!(said.iter().any(|event| event["event"] == "health" && event["state"] == "on trial"));
    }
    drop(service);
    let mut zip = zip::ZipArchive::new(fs::File::open(&report).unwrap()).unwrap();
    let mut names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    names.sort();
    assert_eq!(names, ["health.jsonl", "log.txt", "tool.json", "troubles.json", "unit.json"]);
    let mut read = |name: &str| {
        let mut text = String::new();
        zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    assert_eq!(serde_json::from_str::<Value>(&read("unit.json")).unwrap()["board"], "desk");
    assert!(read("health.jsonl").lines().count() >= 2);
    assert!(
        serde_json::from_str::<Value>(&read("tool.json")).unwrap()["at"].as_str().unwrap().ends_with('Z')
    );
    assert!(refusal(&monitor(&bench.path("report.txt"))).contains("choose one that ends in .zip"));
}

/// The self-test of a desk, and of a unit in user-mode emulation: the same program says that it is the board `qemu`.
#[test]
fn a_unit_tests_itself_and_leaves_a_paper() {
    const TEST: &str = "a_unit_tests_itself_and_leaves_a_paper";
    if tests::store(TEST).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [root, paper] = ["root", "paper.json"].map(|name| folder.path().join(name));
    let free = fs::create_dir(&root).map(|()| rustix::fs::statvfs(&root).unwrap()).unwrap();
    if free.f_bavail * free.f_frsize < 1_200_000_000 {
        return skip(TEST, "there is no room for another version on this disk");
    }
    for board in ["desk", "qemu"] {
        let args = ["selftest", "--board", board, "--root", text(&root), "--unit", "7", "--json"];
        let done = json(&run("signpost", [&args[..], &["--report", text(&paper)]].concat())).remove(0);
        let outcome = |name: &str| {
            let all = done["checks"].as_array().unwrap();
            all.iter().find(|check| check["name"] == name).unwrap()["outcome"].as_str().unwrap().to_owned()
        };
        let all = ["board", "storage", "engines", "camera", "screen", "link", "watchdog"].map(outcome);
        let expect = ["not-present", "passed", "passed", "not-present", "passed", "passed", "not-present"];
        assert_eq!(all, expect, "{board}");
        assert_eq!(
            (&done["passed"], &done["unit"], &done["board"]),
            (&true.into(), &"7".into(), &board.into())
        );
        assert_eq!(serde_json::from_slice::<Value>(&fs::read(&paper).unwrap()).unwrap(), done);
    }
    assert_eq!(fs::read_dir(&root).unwrap().count(), 0, "nothing is left");

    // A camera that is not there fails the unit, in words and in the exit code.
    let paper = folder.path().join("paper.txt");
    let args = ["selftest", "--root", text(&root), "--source", "/dev/video-none", "--report", text(&paper)];
    let output = run("signpost", args);
    assert!(failure(&output).contains("the self-test failed at camera; its line above says what to do"));
    let words = fs::read_to_string(&paper).unwrap();
    assert!(words.contains("camera    FAILED") && words.ends_with("verdict: failed (camera)\n"), "{words}");
}

/// The program of a slot looks for its networks in that slot, whoever starts it.
#[test]
fn a_program_takes_the_store_that_lies_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("signpost");
    let signpost = program("signpost");
    if fs::hard_link(&signpost, &own).is_err() {
        fs::copy(&signpost, &own).unwrap();
    }
    fs::create_dir(folder.path().join("store")).unwrap();
    fs::write(folder.path().join("store/store.json"), "{}").unwrap();
    let mut command = std::process::Command::new(&own);
    command.args(["selftest", "--json", "--root", text(folder.path())]).env_remove("SIGNPOST_CACHE");
    let checks = objects(&command.output().unwrap()).remove(0)["checks"].clone();
    let engines = checks.as_array().unwrap().iter().find(|check| check["name"] == "engines").unwrap().clone();
    let missing = folder.path().canonicalize().unwrap().join("store/networks");
    assert!(engines["said"].as_str().unwrap().contains(text(&missing)), "{engines}");
}

/// A program for another processor, where this computer can build and run one.
#[test]
fn a_program_for_arm_passes_its_self_test() {
    const TEST: &str = "a_program_for_arm_passes_its_self_test";
    let debug = program("signpost");
    let target = debug.parent().and_then(Path::parent).expect("programs lie in a folder of the target's");
    let built = target.join("aarch64-unknown-linux-gnu/release/signpost");
    if !built.is_file() {
        return skip(TEST, "there is none; `cargo xtask build --board jetson-orin-nano` builds one");
    }
    let emulator =
        ["qemu-aarch64", "qemu-aarch64-static"].iter().find_map(|name| models::store::program_on_path(name));
    let Some(emulator) = emulator else { return skip(TEST, "qemu-user is not installed") };
    if tests::store(TEST).is_none() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(emulator);
    command.arg(built).args(["selftest", "--board", "qemu", "--root", text(root.path())]);
    // ONNX Runtime breaks down in it: see `cargo xtask build`.
    command.env("ORT_DYLIB_PATH", "not-in-the-emulator");
    let output = command.env("SIGNPOST_CACHE", Store::locate().unwrap().root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// The command with stand-ins for compiler, linker and emulator: what each is told, and what is said where one is
/// missing or fails.
#[test]
fn a_program_for_another_processor_is_built_and_tried_with_what_is_there() {
    let bench = Bench::new();
    let stub = |name: &str, script: &str| {
        let path = bench.path("bin").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        path
    };
    let libraries = bench.path("libraries");
    let rustc = stub("rustc", &format!("echo {}", text(&libraries)));
    let elf = r"\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\267\0";
    let folder = "target/aarch64-unknown-linux-gnu/release";
    let making =
        format!("echo \"$*\" > cargo.args\n/bin/mkdir -p {folder}\nprintf '{elf}' > {folder}/signpost");
    let cargo = stub("cargo", &making);
    let build = |more: &[&str]| {
        let mut command =
            bench.command("xtask", &[&["build", "--board", "jetson-orin-nano", "--json"], more].concat());
        command.env("PATH", bench.path("bin")).env("RUSTC", &rustc).env("CARGO", &cargo);
        command
            .env("LIBCLANG_PATH", "")
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER")
            .output()
            .unwrap()
    };
    if cfg!(target_arch = "aarch64") {
        return skip("a_program_for_another_processor_is_built", "this is that processor");
    }
    assert!(refusal(&build(&[])).contains("run `rustup target add aarch64-unknown-linux-gnu`, or"));
    fs::create_dir(&libraries).unwrap();
    fs::write(libraries.join("libstd-0.rlib"), "").unwrap();
    assert!(refusal(&build(&[])).contains("sudo apt install gcc-aarch64-linux-gnu"));
    let linker = stub("aarch64-linux-gnu-gcc", "");
    let would = json(&build(&["--dry-run"])).remove(0);
    let would = would["command"].as_str().unwrap();
    assert!(
        would.contains(&format!("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER={}", text(&linker))),
        "{would}"
    );
    assert!(!bench.path("cargo.args").exists(), "a dry run builds nothing");
    // Without an emulator it is built and not tried.
    let built = json(&build(&[])).remove(0);
    assert_eq!((&built["selftest"], &built["board"]), (&Value::Null, &"jetson-orin-nano".into()));
    // What its system needs to take whole-system images lies beside it.
    let system = bench.path(&format!("{folder}/rauc"));
    for file in boards::system_files(&boards::Board::named("jetson-orin-nano").unwrap()) {
        let meta = fs::metadata(system.join(file.place)).unwrap();
        assert_eq!(meta.permissions().mode() & 0o111 != 0, file.executable, "{}", file.place);
    }
    let told = fs::read_to_string(bench.path("cargo.args")).unwrap();
    assert!(would.ends_with(told.trim()), "{told}: what the dry run shows is what is done");
    stub("qemu-aarch64", "echo \"$*\" > qemu.args");
    assert_eq!(json(&build(&[]))[0]["selftest"], "passed its self-test");
    let told = fs::read_to_string(bench.path("qemu.args")).unwrap();
    assert!(told.starts_with(&format!("{folder}/signpost selftest --board qemu --root ")), "{told}");
    stub("qemu-aarch64", "exit 1");
    assert!(failure(&build(&[])).contains("fails its self-test in the emulator; run `"));
    stub("cargo", "exit 101");
    assert!(failure(&build(&[])).contains("the build failed; the first error above says why"));
}

#[test]
fn shells_complete_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run("xtask", ["completions", shell]);
        let script = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && script.contains("provision") && script.contains("usb-stick"),
            "{shell}"
        );
    }
}

/// Each command's sentences, as they were when somebody last read them: `SIGNPOST_BLESS=1` writes them anew.
#[test]
fn every_error_says_the_cause_and_the_next_step() {
    let bench = Bench::new();
    let folder = bench.path("");
    let program = program("signpost");
    let key = bench.path("key/signpost.key");
    // So little that the number of bytes that are missing is the format's and not this bundle's.
    let whole = fs::read(bench.bundle("0.1.0", &[])).unwrap();
    fs::write(bench.path("cut.bundle"), &whole[..10]).unwrap();
    fs::write(bench.path("words.txt"), "words").unwrap();
    fs::create_dir(bench.path("empty")).unwrap();
    let [dead, login] = [Cable::new().ports[0].clone(), babbler("\r\nhall-7 login: ")];
    let (dead, login) = (text(&dead), text(&login));
    let (program, key) = (text(&program), text(&key));
    let system = ["--rootfs", "root.ext4", "--version", "1.2.0", "--dry-run"];
    let image = ["image", "--board", "jetson-orin-nano", "--version", "1.2.0", "--rootfs"];
    let mut ext4 = vec![0; 1080];
    ext4.extend([0x53, 0xef]);
    fs::write(bench.path("root.ext4"), ext4).unwrap();
    fs::write(bench.path("root.squashfs"), "hsqs").unwrap();
    let signed = ["bundle", "--board", "desk", "--program", program, "--key"];
    let cases: Vec<Vec<&str>> = vec![
        vec!["bundle"],
        vec!["bundle", "--board", "toaster", "--dry-run"],
        vec!["bundle", "--board", "desk", "--program", "nowhere", "--dry-run"],
        vec!["bundle", "--board", "desk", "--program", "words.txt", "--dry-run"],
        vec!["bundle", "--board", "jetson-orin-nano", "--program", program, "--dry-run"],
        [&signed[..], &["nowhere"]].concat(),
        [&signed[..], &["words.txt"]].concat(),
        [&signed[..], &[key, "--version", "1"]].concat(),
        [&signed[..], &[key, "--version", "0.1.0", "--least", "0.2.0"]].concat(),
        [&signed[..], &[key, "--against", "nowhere.bundle"]].concat(),
        [&signed[..], &[key, "--against", "words.txt"]].concat(),
        vec!["bundle", "--new-key", "empty", "--board", "desk"],
        vec!["bundle", "--new-key", "key"],
        vec!["flash"],
        vec!["flash", "0.1.0.bundle"],
        vec!["flash", "nowhere.bundle", "--port", dead],
        vec!["flash", "words.txt", "--port", dead],
        vec!["flash", "cut.bundle", "--port", dead],
        vec!["flash", "0.1.0.bundle", "--port", "/dev/ttyUSB4711"],
        vec!["flash", "0.1.0.bundle", "--port", "/dev/null"],
        vec!["flash", "0.1.0.bundle", "--port", dead],
        vec!["flash", "0.1.0.bundle", "--port", login],
        vec!["flash", "0.1.0.bundle", "--port", "/dev/ttyUSB4711", "--port", "/dev/ttyUSB4712"],
        vec!["flash", "0.1.0.bundle", "--usb-stick", "nowhere"],
        vec!["flash", "0.1.0.bundle", "--usb-stick", "words.txt"],
        vec!["flash", "0.1.0.bundle", "--usb-stick", "empty", "--port", dead],
        vec!["monitor"],
        vec!["monitor", "--port", "/dev/ttyUSB4711"],
        vec!["monitor", "--port", dead],
        vec!["monitor", "--port", login],
        vec!["monitor", "--port", dead, "--report", "report.txt"],
        vec!["monitor", "--port", dead, "--report", "nowhere/report.zip"],
        vec!["doctor", "--board", "toaster"],
        vec!["doctor", "--port", "/dev/ttyUSB4711"],
        vec!["doctor", "--port", dead],
        vec!["doctor", "--port", login],
        vec!["build", "--board", "toaster"],
        vec!["provision", "--board", "desk", "--l4t", "empty", "--dry-run"],
        vec!["provision", "--board", "jetson-agx-orin", "--l4t", "empty"],
        vec!["provision", "--board", "jetson-agx-orin", "--l4t", "empty", "--dry-run"],
        vec!["provision", "--board", "jetson-agx-orin", "--l4t", "ready", "--config", "mine", "--dry-run"],
        vec!["provision", "--board", "jetson-agx-orin", "--l4t", "ready", "--dry-run"],
        vec!["image", "--board", "jetson-orin-nano", "--rootfs", "root.ext4", "--version", "1.2.0"],
        [&["image", "--board", "toaster"], &system[..]].concat(),
        [&["image", "--board", "desk"], &system[..]].concat(),
        [&["image", "--board", "jetson-xavier-nx"], &system[..]].concat(),
        [&image[..], &["nowhere", "--dry-run"]].concat(),
        [&image[..], &["words.txt", "--dry-run"]].concat(),
        [&image[..], &["root.squashfs", "--dry-run"]].concat(),
        [&image[..], &["root.ext4", "--cert", "nowhere", "--key", "words.txt"]].concat(),
        [&image[..], &["root.ext4", "--cert", "words.txt", "--key", "nowhere"]].concat(),
        [&image[..], &["root.ext4", "--cert", "words.txt", "--key", "words.txt", "--keyring", "nowhere"]]
            .concat(),
        vec!["completions", "tcl"],
    ];
    fs::create_dir_all(bench.path("ready/rootfs/etc")).unwrap();
    for name in ["flash.sh", "jetson-agx-orin-devkit.conf"] {
        fs::write(bench.path("ready").join(name), "").unwrap();
    }
    let plain = |said: &str| {
        let programs = Path::new(program).parent().unwrap().display().to_string();
        let mut said = said.replace(text(&folder), "BENCH/").replace(&programs, "PROGRAMS");
        for (from, to) in [(dead, "PORT"), (login, "CONSOLE"), (&dead[5..], "PORT"), (&login[5..], "CONSOLE")]
        {
            said = said.replace(from, to);
        }
        // How often it babbled meanwhile is the scheduler's business.
        let babbled = said.find(" bytes came from CONSOLE").map(|end| {
            let start = said[..end].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
            (start, end)
        });
        if let Some((start, end)) = babbled {
            said.replace_range(start..end, "N");
        }
        said
    };
    let mut found = String::new();
    for args in &cases {
        let output = bench.xtask(args);
        assert!(!output.status.success(), "{args:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!said.contains("panicked"), "{said}");
        let code = output.status.code().unwrap();
        found += &plain(&format!("$ xtask {}\n{answer}{said}exit {code}\n\n", args.join(" ")));
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(SENTENCES);
    if std::env::var_os("SIGNPOST_BLESS").is_some() {
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        fs::write(&golden, &found).unwrap();
    }
    let expect = fs::read_to_string(&golden).unwrap_or_default();
    for (found, expect) in found.split("\n\n").zip(expect.split("\n\n")) {
        assert_eq!(found, expect, "run with SIGNPOST_BLESS=1 and read what changed");
    }
    assert_eq!(found, expect, "run with SIGNPOST_BLESS=1 and read what changed");
}
