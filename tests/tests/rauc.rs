//! Whole-system images, with Debian's `rauc` itself: made by `cargo xtask image`, and taken by a unit's RAUC with the
//! files that a board has for it. What stands for the unit are two files as its partitions, and a program that answers
//! as NVIDIA's `nvbootctrl` does; the firmware behind it is a Jetson's, and none was at hand.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use boards::{Board, system_files};
use models::store::program_on_path;
use tests::authority::Identity;
use tests::kiosk::{Kiosk, pictures};
use tests::technician::{failure, json};
use tests::{program, refusal, skip, text};

/// Nothing here takes longer on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);
/// A partition is larger than the image that comes into it. Bytes.
const IMAGE: u64 = 8 << 20;
const PARTITION: u64 = 12 << 20;
const BOARD: &str = "jetson-orin-nano";
/// What starts a system, as Jetson Linux writes it.
const STARTS: &str = "LABEL primary\n      APPEND ${cbootargs} root=PARTUUID=of-slot-a rw rootwait\n";

/// Runs a program, which succeeds.
#[track_caller]
fn done<A: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = A>) -> String {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn script(path: &Path, lines: &str) {
    fs::write(path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// Two authorities, a signer that the first of them vouches for, and a system.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// None where a program is missing, with the reason.
    fn new(test: &str) -> Option<Self> {
        for name in ["rauc", "mksquashfs", "openssl", "mkfs.ext4"] {
            let there = program_on_path(name).is_some() || Path::new("/sbin").join(name).is_file();
            if !there {
                skip(test, format_args!("no {name} (install rauc, squashfs-tools, openssl and e2fsprogs)"));
                return None;
            }
        }
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        Identity::authority(bench.folder.path(), "ours")?.sign("signer");
        Identity::authority(bench.folder.path(), "theirs")?;
        bench.system("rootfs.ext4", STARTS);
        Some(bench)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A root file system that starts so.
    fn system(&self, name: &str, starts: &str) {
        let tree = self.path("tree");
        fs::create_dir_all(tree.join("boot/extlinux")).unwrap();
        fs::write(tree.join("boot/extlinux/extlinux.conf"), starts).unwrap();
        // What does not pack well: the image is then some blocks long, as a real one is.
        let noise: Vec<u8> =
            (0..60_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        fs::write(tree.join("noise"), noise).unwrap();
        let image = self.path(name);
        fs::File::create(&image).unwrap().set_len(IMAGE).unwrap();
        done("/sbin/mkfs.ext4", [OsStr::new("-q"), "-d".as_ref(), tree.as_ref(), image.as_ref()]);
    }

    /// `cargo xtask image` for a board, by the signer, with a key.
    fn image(&self, board: &str, key: &str, out: &str, more: &[&str]) -> Output {
        let mut command = Command::new(program("xtask"));
        command.args(["image", "--board", board, "--rootfs", "rootfs.ext4", "--version", "1.2.0", "--json"]);
        command.args(["--cert", "signer.pem", "--key", key, "--out", out]).args(more);
        command.current_dir(self.folder.path()).output().unwrap()
    }

    /// Packs what is in an image anew, in the form that needs no device mapper.
    fn make_plain(&self, name: &str) {
        let [image, content, manifest] =
            [name, "content", "content/manifest.raucm"].map(|name| self.path(name));
        let option = |name: &str, file: &str| format!("--{name}={}", text(&self.path(file)));
        let _ = fs::remove_dir_all(&content);
        done("rauc", ["extract", &option("keyring", "ours.pem"), text(&image), text(&content)]);
        let own = |line: &&str| !["verity-", "sha256=", "size="].iter().any(|start| line.starts_with(start));
        let lines = fs::read_to_string(&manifest).unwrap();
        let lines: String = lines.lines().filter(own).flat_map(|line| [line, "\n"]).collect();
        fs::write(&manifest, lines.replace("format=verity", "format=plain")).unwrap();
        fs::remove_file(&image).unwrap();
        let [cert, key] = [option("cert", "signer.pem"), option("key", "signer.key")];
        done("rauc", ["bundle", &cert, &key, text(&content), text(&image)]);
    }

    /// What RAUC says of an image to who trusts an authority.
    fn info(&self, authority: &str, image: &str) -> Output {
        let mut command = Command::new("rauc");
        command.args(["info", "--output-format=json", &format!("--keyring={authority}.pem"), image]);
        command.current_dir(self.folder.path()).output().unwrap()
    }
}

#[test]
fn an_image_is_trusted_by_who_trusts_its_authority_and_by_nobody_else() {
    let Some(bench) = Bench::new("an_image_is_trusted_by_who_trusts_its_authority") else { return };
    // Twice, as whoever is not sure that it went well.
    for _ in 0..2 {
        let made = json(&bench.image(BOARD, "signer.key", "a.raucb", &["--keyring", "ours.pem"])).remove(0);
        assert_eq!((&made["board"], &made["version"]), (&BOARD.into(), &"1.2.0".into()));
        let said = json(&bench.info("ours", "a.raucb")).remove(0);
        assert_eq!((&said["compatible"], &said["version"]), (&made["board"], &made["version"]));
        assert_eq!(said["images"][0]["rootfs"]["checksum"], made["sha256"]);
    }
    let whole = fs::read(bench.path("a.raucb")).unwrap();
    assert!(!bench.info("theirs", "a.raucb").status.success());
    // Who names the wrong authority hears of it before anybody carries the image anywhere, and loses nothing.
    for more in [&["--keyring", "theirs.pem"][..], &[]] {
        let said = failure(&bench.image(BOARD, "signer.key", "a.raucb", more));
        assert!(said.contains("does not trust this signer (") && said.contains("with --keyring"), "{said}");
    }
    assert_eq!(fs::read(bench.path("a.raucb")).unwrap(), whole);
    let said = failure(&bench.image(BOARD, "ours.key", "b.raucb", &[]));
    assert!(said.contains("see that --key is the key of --cert"), "{said}");
    assert!(!bench.path("b.raucb").exists() && !bench.path("b.raucb.part").exists());

    let spoilt = |at: usize, most: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes.truncate(most);
        fs::write(bench.path("spoilt.raucb"), bytes).unwrap();
    };
    // The signature, and what it vouches for: RAUC's manifest, which stands before it.
    for (at, most) in
        [(whole.len() - 9, whole.len()), (whole.len() - 1500, whole.len()), (0, whole.len() / 2)]
    {
        spoilt(at, most);
        assert!(!bench.info("ours", "spoilt.raucb").status.success(), "byte {at} of {most}");
    }
    // What is in the image is checked when it is read, by the sums that the manifest holds.
    spoilt(whole.len() / 2, whole.len());
    let mut extract = Command::new("rauc");
    extract.args(["extract", "--keyring=ours.pem", "spoilt.raucb", "out"]).current_dir(bench.folder.path());
    let output = extract.output().unwrap();
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("corrupted"));
}

#[test]
fn who_has_no_rauc_hears_which_packages_to_install() {
    let folder = tempfile::tempdir().unwrap();
    let mut head = vec![0; 1080];
    head.extend([0x53, 0xef]);
    fs::write(folder.path().join("rootfs.ext4"), head).unwrap();
    let mut command = Command::new(program("xtask"));
    command.args(["image", "--board", BOARD, "--rootfs", "rootfs.ext4", "--version", "1.2.0"]);
    command.args(["--cert", "rootfs.ext4", "--key", "rootfs.ext4"]);
    let output = command.current_dir(folder.path()).env("PATH", folder.path()).output().unwrap();
    let said = refusal(&output);
    assert!(said.contains("rauc is not installed; run `sudo apt install rauc squashfs-tools`"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is written");
}

/// A unit's side: its two partitions as files, and its files for RAUC, whose places are folders here.
struct Unit<'a> {
    bench: &'a Bench,
    boot: PathBuf,
    processes: Vec<Child>,
    bus: String,
}

impl<'a> Unit<'a> {
    /// Its files, with slot A running.
    fn new(bench: &'a Bench) -> Self {
        let [bin, vars] = ["bin", "vars"].map(|name| bench.path(name));
        for folder in [&bin, &vars, &bench.path("mnt")] {
            fs::create_dir_all(folder).unwrap();
        }
        let files = system_files(&Board::named(BOARD).unwrap());
        let boot = bench.path("rauc-boot");
        fs::write(&boot, files[1].text.replace("/sys/firmware/efi/efivars", text(&vars))).unwrap();
        fs::set_permissions(&boot, PermissionsExt::from_mode(0o755)).unwrap();
        fs::write(bench.path("active"), "A").unwrap();
        let answers = format!(
            "cd {}\necho \"$*\" >> called\n\
             status() {{ [ \"$(od -An -tu1 -j4 -N1 vars/RootfsStatusSlot$1-* 2>/dev/null)\" = ' 255' ] \
             && echo unbootable || echo normal; }}\n\
             case \"$*\" in\n\
             *dump-slots-info) printf 'Current rootfs slot: A\\nActive rootfs slot: %s\\nnum_slots: 2\\n' $(cat active)\n\
             echo \"slot: 0,             retry_count: 3,             status: $(status A)\"\n\
             echo \"slot: 1,             retry_count: 3,             status: $(status B)   \" ;;\n\
             *get-current-slot) echo 0 ;;\n\
             *set-active-boot-slot*) echo \"$4\" | tr 01 AB > active ;;\n\
             esac",
            text(bench.folder.path())
        );
        script(&bin.join("nvbootctrl"), &answers);
        // The file system of a test has no such marks, and its files are no partitions.
        script(&bin.join("chattr"), "");
        script(&bin.join("lsblk"), "echo of-slot-b");
        Self { bench, boot, processes: Vec::new(), bus: String::new() }
    }

    fn with_path(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}:/usr/sbin:/sbin", text(&self.bench.path("bin"))));
        command.stdin(Stdio::null());
        command
    }

    /// What the boot chain is asked, and answers.
    fn asked(&self, args: &[&str]) -> (bool, String) {
        let output = self.with_path(&self.boot).args(args).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).trim().into())
    }

    /// A slot's status, as the firmware reads it.
    fn variable(&self, slot: &str) -> Vec<u8> {
        let name = format!("vars/RootfsStatusSlot{slot}-781e084c-a330-417c-b678-38e696380cb9");
        fs::read(self.bench.path(&name)).unwrap()
    }

    /// What is written in a slot.
    fn starts(&self, slot: &str) -> String {
        let mut command = self.with_path("debugfs");
        command.args(["-R", "cat /boot/extlinux/extlinux.conf", text(&self.bench.path(slot))]);
        String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
    }

    /// Starts RAUC's service on a bus of its own, with the board's own settings but for their places.
    fn start(&mut self, plain: bool) {
        for slot in ["slot-a", "slot-b"] {
            let slot = self.bench.path(slot);
            fs::copy(self.bench.path("rootfs.ext4"), &slot).unwrap();
            fs::File::options().write(true).open(slot).unwrap().set_len(PARTITION).unwrap();
        }
        let mut conf = system_files(&Board::named(BOARD).unwrap())[0].text.clone();
        let places = [
            ("/etc/rauc/keyring.pem", "ours.pem"),
            ("/usr/lib/signpost/rauc-boot", "rauc-boot"),
            ("/dev/disk/by-partlabel/APP_b", "slot-b"),
            ("/dev/disk/by-partlabel/APP", "slot-a"),
            ("/run/rauc", "mnt"),
        ];
        for (place, here) in places {
            assert!(conf.contains(place), "{conf}");
            conf = conf.replace(place, text(&self.bench.path(here)));
        }
        if plain {
            conf = conf.replace("bundle-formats=-plain\n", "");
        }
        fs::write(self.bench.path("system.conf"), conf).unwrap();
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--nopidfile", "--print-address"]);
        let mut bus = bus.stdout(Stdio::piped()).spawn().unwrap();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut self.bus).unwrap();
        let mut service = self.rauc(&["service", "--override-boot-slot=A"]);
        service.args(["--conf", text(&self.bench.path("system.conf"))]);
        let log = fs::File::create(self.bench.path("log")).unwrap();
        let service = service.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.processes.extend([service, bus]);
        let until = Instant::now() + PATIENCE;
        while !self.called(&["status", "mark-good"]).status.success() {
            assert!(Instant::now() < until, "{}", fs::read_to_string(self.bench.path("log")).unwrap());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn rauc(&self, args: &[&str]) -> Command {
        let mut command = self.with_path("rauc");
        command.env("DBUS_SESSION_BUS_ADDRESS", self.bus.trim()).env("DBUS_STARTER_BUS_TYPE", "session");
        command.args(args).current_dir(self.bench.folder.path());
        command
    }

    fn called(&self, args: &[&str]) -> Output {
        self.rauc(args).output().unwrap()
    }
}

impl Drop for Unit<'_> {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

#[test]
fn the_boot_chain_is_asked_in_nvidias_words() {
    let Some(bench) = Bench::new("the_boot_chain_is_asked_in_nvidias_words") else { return };
    let unit = Unit::new(&bench);
    let good = |said: &str| (true, said.to_owned());
    assert_eq!((unit.asked(&["get-primary"]), unit.asked(&["get-current"])), (good("A"), good("A")));
    assert_eq!(
        (unit.asked(&["get-state", "A"]), unit.asked(&["get-state", "B"])),
        (good("good"), good("good"))
    );
    assert_eq!(unit.asked(&["set-state", "B", "bad"]), good(""));
    assert_eq!(unit.variable("B"), [7, 0, 0, 0, 255, 0, 0, 0]);
    assert_eq!(
        (unit.asked(&["get-state", "A"]), unit.asked(&["get-state", "B"])),
        (good("good"), good("bad"))
    );
    // A slot that was given up takes a new system all the same.
    assert_eq!(unit.asked(&["set-primary", "B"]), good(""));
    assert_eq!(unit.variable("B"), [7, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!((unit.asked(&["get-primary"]), unit.asked(&["get-state", "B"])), (good("B"), good("good")));
    fs::remove_file(bench.path("called")).unwrap();
    assert_eq!(unit.asked(&["set-state", "A", "good"]), good(""));
    assert_eq!(fs::read_to_string(bench.path("called")).unwrap(), "-t rootfs get-current-slot\nverify\n");
    for wrong in
        [&["set-primary", "C"][..], &["get-state", "0"], &["set-state", "A", "fine"], &["erase"], &[]]
    {
        assert!(!unit.asked(wrong).0, "{wrong:?}");
    }
}

/// Where images can be mounted. RAUC maps an image that is checked while it is read by the kernel's device mapper;
/// without one it gets the same files in an image of the older form.
#[test]
fn a_system_goes_into_the_slot_that_does_not_run_and_a_foreign_one_into_none() {
    const TEST: &str = "a_system_goes_into_the_slot_that_does_not_run";
    let Some(bench) = Bench::new(TEST) else { return };
    if program_on_path("dbus-daemon").is_none() {
        return skip(TEST, "no dbus-daemon (install dbus)");
    }
    let mut unit = Unit::new(&bench);
    let [image, mount] = ["rootfs.ext4", "mnt"].map(|name| bench.path(name));
    let mounted = unit.with_path("mount").args(["-o", "loop,ro"]).args([&image, &mount]).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        return skip(TEST, "no image can be mounted here (that takes root and a loop device)");
    }
    done("umount", [&mount]);
    let plain = !fs::read_to_string("/proc/misc").unwrap_or_default().contains("device-mapper");
    if plain {
        skip(TEST, "images that are checked while they are read, for this kernel has no device mapper");
    }
    unit.start(plain);
    let made = |board: &str, name: &str| {
        json(&bench.image(board, "signer.key", name, &["--keyring", "ours.pem"]));
        if plain {
            bench.make_plain(name);
        }
    };
    made("jetson-orin-nx", "foreign.raucb");
    let output = unit.called(&["install", text(&bench.path("foreign.raucb"))]);
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && said.contains("ompatible"), "{said}");
    assert!(!bench.path("vars").read_dir().unwrap().any(|_| true), "nothing is touched");

    made(BOARD, "own.raucb");
    let output = unit.called(&["install", text(&bench.path("own.raucb"))]);
    assert!(output.status.success(), "{}", fs::read_to_string(bench.path("log")).unwrap());
    assert_eq!((unit.asked(&["get-primary"]).1.as_str(), unit.variable("B")[4]), ("B", 0));
    // Each slot starts from its own partition.
    assert_eq!(
        (unit.starts("slot-a").as_str(), unit.starts("slot-b")),
        (STARTS, STARTS.replace("of-slot-a", "of-slot-b"))
    );

    // A system has all of its partition, and not only what was packed (ext4's superblock: blocks, and their size).
    let superblock = fs::read(bench.path("slot-b")).unwrap()[1024..].to_vec();
    let field = |at: usize| u64::from(u32::from_le_bytes(superblock[at..at + 4].try_into().unwrap()));
    assert_eq!(field(4) << (10 + field(24)), PARTITION);

    // A system that nothing could start never becomes the one that starts.
    assert!(unit.asked(&["set-primary", "A"]).0);
    bench.system("rootfs.ext4", "LABEL primary\n");
    made(BOARD, "lame.raucb");
    assert!(!unit.called(&["install", text(&bench.path("lame.raucb"))]).status.success());
    assert_eq!((unit.asked(&["get-primary"]).1.as_str(), unit.variable("B")[4]), ("A", 255));
    let log = fs::read_to_string(bench.path("log")).unwrap();
    assert!(log.contains("extlinux.conf names no root=; make the image again"), "{log}");
}

/// What stands behind `rauc status mark-good` on a unit.
#[test]
fn a_unit_says_that_it_works_when_it_saw_read_and_showed() {
    const TEST: &str = "a_unit_says_that_it_works_when_it_saw_read_and_showed";
    let Some(store) = tests::store(TEST) else { return };
    let folder = tempfile::tempdir().unwrap();
    let [root, screen, run] = ["root", "screen", "run"].map(|name| folder.path().join(name));
    fs::create_dir(&run).unwrap();
    let source = pictures(folder.path());
    let mut command = Kiosk::command(&store, &root, &screen, &["--source", text(&source)]);
    command.env("RUNTIME_DIRECTORY", &run);
    let mut kiosk = Kiosk::start(command);
    let until = Instant::now() + PATIENCE;
    while !run.join("proven").is_file() {
        assert!(Instant::now() < until, "it has not proven itself");
        std::thread::sleep(Duration::from_millis(50));
    }
    // As many as a version on trial has to show.
    let shown = fs::read_dir(&screen).unwrap().count();
    assert!(shown >= Board::named("desk").unwrap().update.frames as usize, "{shown}");
    assert!(kiosk.stop().success());
    let path =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/rauc/signpost-system.path"));
    assert!(path.unwrap().contains("\nPathExists=/run/signpost/proven\n"));
}
