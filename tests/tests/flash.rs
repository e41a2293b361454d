//! A technician's evening: a bundle made, installed, flashed over a cable or carried on a stick, proven or given
//! up. All with the real programs, over pairs of ptys.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;

use models::update::{Record, Slot, State};
use tests::technician::{Bench, Cable, failure, json, objects};
use tests::{program, refusal, text};

#[test]
fn a_bundle_is_flashed_started_and_kept() {
    let bench = Bench::new();
    let first = bench.bundle("0.1.0", &[]);
    bench.install(&first, "unit");
    let service = bench.service();

    // The first version is on trial too; a technician keeps it with the same command.
    assert_eq!(json(&bench.flash(&first, &["--json"]))[0]["end"], "kept");
    assert_eq!(Record::load(&bench.disk()).unwrap().state, State::Steady);

    fs::write(bench.path("store/networks/a.onnx"), "a better network").unwrap();
    let second = bench.bundle("0.2.0", &["--against", text(&first)]);
    let (whole, delta) = (fs::metadata(&first).unwrap().len(), fs::metadata(&second).unwrap().len());
    assert!(delta * 20 < whole, "{delta} of {whole} bytes: the program is the same");
    assert_eq!(json(&bench.flash(&second, &["--dry-run", "--json"]))[0]["end"], "fits");
    assert_eq!(json(&bench.flash(&second, &["--only-send", "--json"]))[0]["end"], "sent");
    assert_eq!(json(&bench.flash(&second, &["--json"]))[0]["end"], "kept");
    let record = Record::load(&bench.disk()).unwrap();
    assert_eq!((record.active, record.state), (Some(Slot::B), State::Steady));
    let network = fs::read_to_string(bench.path("unit/b/store/networks/a.onnx")).unwrap();
    assert_eq!(network, "a better network");
    // Twice does no harm.
    assert_eq!(json(&bench.flash(&second, &["--json"]))[0]["end"], "kept");

    // What is older or for another board is not sent at all.
    let said = failure(&bench.flash(&first, &[]));
    assert!(said.contains("made with --downgrade by whoever has the key"), "{said}");
    assert!(!said.contains("sending"), "{said}");
    let mut stranger = fs::read(&second).unwrap();
    let (manifest, _) = tests::bundles::parts(&stranger);
    let at = manifest + stranger[manifest..].windows(4).position(|w| w == b"desk").unwrap();
    stranger[at..at + 4].copy_from_slice(b"qemu");
    fs::write(bench.path("stranger.bundle"), stranger).unwrap();
    let said = failure(&bench.flash(&bench.path("stranger.bundle"), &[]));
    assert!(said.contains("for board `qemu`, and the unit is a `desk`"), "{said}");

    // A new version whose program never starts: the unit goes back by itself, and the tool says so.
    let said = failure(&bench.flash(&bench.broken_bundle("0.3.0"), &[]));
    let expect = "the unit gave version 0.3.0 up (it did not prove itself in the starts that it had) and is back at version 0.2.0";
    assert!(said.contains(expect), "{said}");
    drop(service);
}

/// Each unit on a line of its own; one that is not there keeps none of the others from its version.
#[test]
fn several_units_are_flashed_at_once() {
    let bench = Bench::new();
    bench.unit("other");
    let [other, dead] = [Cable::new(), Cable::new()];
    let first = bench.bundle("0.1.0", &[]);
    bench.install(&first, "unit");
    bench.install(&first, "other");
    let services = [bench.service(), bench.service_of("other", &other)];
    let done = json(&bench.flash(&first, &["--json", "--port", other.port()]));
    let ends: Vec<_> =
        done.iter().map(|line| (line["port"].as_str().unwrap(), line["end"].as_str().unwrap())).collect();
    assert_eq!(ends, [(bench.cable.port(), "kept"), (other.port(), "kept")]);

    let output = bench.flash(&first, &["--json", "--port", other.port(), "--port", dead.port()]);
    let ends: Vec<_> = objects(&output).iter().map(|line| line["end"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ends, ["kept", "kept", "failed"]);
    let said = failure(&output);
    let name = dead.port().strip_prefix("/dev/").unwrap();
    assert!(said.contains(&format!("1 of 3 units did not take it ({name})")), "{said}");
    assert!(
        said.contains(&format!("{}: unit (Desktop or laptop) has version 0.1.0", &bench.cable.port()[5..])),
        "{said}"
    );
    drop(services);
}

#[test]
fn a_bundle_goes_onto_a_stick_and_from_there_into_a_unit() {
    let bench = Bench::new();
    let [stick, local] = ["stick", "local"].map(|name| bench.path(name));
    fs::create_dir(&stick).unwrap();
    let (first, second) = (bench.bundle("0.1.0", &[]), bench.bundle("0.2.0", &[]));
    let onto = |file, more: &[&str]| {
        bench.xtask(&[&["flash", text(file), "--usb-stick", text(&stick), "--json"], more].concat())
    };
    assert_eq!(json(&onto(&first, &["--dry-run"]))[0]["end"], "fits");
    assert_eq!(fs::read_dir(&stick).unwrap().count(), 0, "a dry run writes nothing");
    assert_eq!(json(&onto(&first, &[]))[0]["end"], "written and read back");
    assert_eq!(json(&onto(&second, &[]))[0]["end"], "written and read back");
    assert_eq!(json(&onto(&second, &[]))[0]["end"], "is there already");
    let written = stick.join("signpost-0.2.0-desk.bundle");
    assert_eq!(fs::read(&written).unwrap(), fs::read(&second).unwrap());
    // One that rotted meanwhile is written anew.
    fs::write(&written, "rotten").unwrap();
    assert_eq!(json(&onto(&second, &[]))[0]["end"], "written and read back");

    // The unit takes the latest that is for it; what is for others may lie there too.
    fs::write(stick.join("signpost-9.0.0-qemu.bundle"), "for others").unwrap();
    let install = |folder: &str| {
        bench.command("signpost", &["install", folder, "--root", &bench.root()]).output().unwrap()
    };
    let done = install(text(&stick));
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        said.contains("version 0.2.0 for Desktop or laptop is installed"),
        "{said}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let again = ["install", text(&stick), "--root", &bench.root(), "--json"].map(String::from);
    let again =
        bench.command("signpost", &again.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap();
    assert_eq!(json(&again)[0]["end"], "waits", "twice does no harm");
    fs::create_dir(&local).unwrap();
    let said = refusal(&install(text(&local)));
    assert!(said.contains("holds no bundle for Desktop or laptop"), "{said}");

    // What was cut off or spoiled on its way to this computer goes nowhere.
    let whole = fs::read(&first).unwrap();
    let cut = bench.path("cut.bundle");
    fs::write(&cut, &whole[..whole.len() - 9]).unwrap();
    let said = refusal(&onto(&cut, &[]));
    assert!(said.contains("cut.bundle cannot be sent: the bundle ends 9 bytes too early"), "{said}");
    let mut spoiled = whole.clone();
    *spoiled.last_mut().unwrap() ^= 1;
    fs::write(&cut, spoiled).unwrap();
    assert!(refusal(&onto(&cut, &[])).contains("cut.bundle cannot be sent"));
    assert_eq!(fs::read_dir(&stick).unwrap().count(), 3, "nothing half-written is left");
}

/// A version that never starts: the unit gives it up by itself, and says what happened.
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
    assert!(boot(&root).1.contains("neither slot holds a whole version"));
    bench.install(&first, "unit");
    assert!(boot(&root).1.contains("version 0.1.0 out of slot a, on trial"));
    models::update::confirm(&bench.disk(), Slot::A).unwrap();
    bench.install(&bench.broken_bundle("0.2.0"), "unit");
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
fn a_bundle_that_cannot_be_made_leaves_nothing() {
    let bench = Bench::new();
    let signpost = program("signpost");
    let key = bench.path("key/signpost.key");
    fs::remove_file(bench.path("store/store.json")).unwrap();
    let args = ["bundle", "--board", "desk", "--program", text(&signpost), "--key", text(&key)];
    let said = refusal(&bench.xtask(&args));
    assert!(said.contains("run `cargo xtask setup` first"), "{said}");
    assert!(!bench.path("out").exists(), "no bundle was begun");
}
