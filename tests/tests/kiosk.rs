//! `signpost kiosk` from end to end: what it shows, what a technician's tool hears of it, and how it ends.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use edge::kiosk::crash::{Crash, Kept};
use models::link::Tool;
use models::link::message::{Health, Logs};
use models::link::tool::News;
use models::link::tty::{BAUD, Port};
use models::update::{Record, Slot, confirm};
use tests::kiosk::{Kiosk, pictures};
use tests::technician::{Bench, Cable};
use tests::{store, text};

const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until a unit is as wanted.
#[track_caller]
fn until(tool: &mut Tool<Port>, what: &str, wanted: impl Fn(&Health) -> bool) -> Health {
    let until = Instant::now() + PATIENCE;
    loop {
        let health = tool.health().unwrap();
        if wanted(&health) {
            return health;
        }
        assert!(Instant::now() < until, "not {what}: {health:?}");
        thread::sleep(Duration::from_millis(100));
    }
}

fn connect(cable: &Cable) -> Tool<Port> {
    Tool::connect(Port::open(&cable.ports[0], BAUD).unwrap(), "0.1.0", PATIENCE).unwrap()
}

fn kept(root: &Path) -> Kept {
    serde_json::from_slice(&std::fs::read(root.join("crash.json")).unwrap()).unwrap()
}

#[test]
fn a_kiosk_reads_signs_tells_and_ends_in_order() {
    let test = "a_kiosk_reads_signs_tells_and_ends_in_order";
    let Some(store) = store(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (root, screen) = (folder.path().join("root"), folder.path().join("screen"));
    let source = pictures(folder.path());
    let cable = Cable::new();
    let more = ["--port", text(&cable.ports[1]), "--unit", "k7", "--source", text(&source), "--words", "de"];
    let mut kiosk = Kiosk::start(Kiosk::command(&store, &root, &screen, &more));

    let mut tool = connect(&cable);
    assert_eq!(tool.unit().unit, "k7");
    let health = until(&mut tool, "reading", |health| health.frames > 10 && health.fps > 0.0);
    let stages: Vec<&str> = health.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert!(["language", "screen", "vision"].iter().all(|stage| stages.contains(stage)), "{stages:?}");
    assert!(health.stages.iter().all(|stage| stage.mean_us <= stage.most_us && stage.most_us > 0));

    // A text that comes along the cable is signed on the screen, and each word says where it came from.
    let (words, length_ms) = tool.sign("Cab").unwrap();
    assert_eq!(
        (words[0].text.as_str(), words[0].from.as_str(), words[0].glosses.as_str()),
        ("Cab", "spelled", "C A B")
    );
    assert!(length_ms > 1000);
    until(&mut tool, "signing", |health| health.state == "signing");
    let png = tool.screenshot().unwrap();
    assert_eq!(image::load_from_memory(&png).unwrap().width(), 1280);
    assert!(tool.sign("你好").is_err(), "it cannot be signed, and the tool hears why");
    until(&mut tool, "through with signing", |health| health.state != "signing");

    let heard: Vec<News> = std::iter::from_fn(|| tool.news(Duration::from_millis(300)).unwrap()).collect();
    let logged = |part: &str| {
        heard.iter().any(|news| matches!(news, News::Log(Logs::Line { text, .. }) if text.contains(part)))
    };
    assert!(logged("reading "), "{heard:?}");
    assert!(kept(&root).running.is_some());
    assert!(kiosk.stop().success());
    assert_eq!(kept(&root), Kept::default(), "it ended in order, and nothing broke");
    assert!(std::fs::read_dir(&screen).unwrap().count() > 10, "pictures were presented");
}

#[test]
fn without_camera_and_lexicon_it_says_so_and_stays() {
    let test = "without_camera_and_lexicon_it_says_so_and_stays";
    let Some(store) = store(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (root, screen) = (folder.path().join("root"), folder.path().join("screen"));
    let cable = Cable::new();
    let none = text(&folder.path().join("none")).to_owned();
    let more = ["--port", text(&cable.ports[1]), "--source", "/dev/video-none", "--lexicon", &none];
    let mut kiosk = Kiosk::start(Kiosk::command(&store, &root, &screen, &more));
    let mut tool = connect(&cable);
    until(&mut tool, "out of order", |health| health.state == "out of order");
    let kinds: Vec<String> = tool.troubles().unwrap().into_iter().map(|trouble| trouble.kind).collect();
    assert!(kinds.starts_with(&["camera".into(), "signing".into()]), "{kinds:?}");
    let refused = tool.sign("Cab").unwrap_err().to_string();
    assert!(refused.contains("none"), "{refused}");
    assert!(kiosk.child().try_wait().unwrap().is_none(), "it stays");
    assert!(kiosk.stop().success());
}

#[test]
fn whoever_is_killed_is_told_of_by_the_next_run() {
    let test = "whoever_is_killed_is_told_of_by_the_next_run";
    let Some(store) = store(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (root, screen) = (folder.path().join("root"), folder.path().join("screen"));
    let cable = Cable::new();
    let more = ["--port", text(&cable.ports[1])];
    let start = || Kiosk::start(Kiosk::command(&store, &root, &screen, &more));
    let mut first = start();
    until(&mut connect(&cable), "there", |health| health.state == "out of order");
    first.signal("KILL");
    first.child().wait().unwrap();
    let mut second = start();
    let mut tool = connect(&cable);
    let crash = tool.troubles().unwrap().into_iter().find(|trouble| trouble.kind == "crash").unwrap();
    assert!(crash.said.contains("it was killed") && crash.said.contains("1 in a row"), "{crash:?}");
    assert!(second.stop().success());
}

/// A version that breaks again and again is given up, as `boot` gives up one that never proves itself.
#[test]
fn ten_in_a_row_go_back_to_the_version_before() {
    let bench = Bench::new();
    let first = bench.bundle("0.1.0", &[]);
    bench.install(&first, "unit");
    confirm(&bench.disk(), Slot::A).unwrap();
    std::fs::write(bench.path("store/networks/a.onnx"), "another network").unwrap();
    bench.install(&bench.bundle("0.2.0", &["--against", text(&first)]), "unit");
    confirm(&bench.disk(), Slot::B).unwrap();
    let (root, screen) = (bench.root(), bench.path("screen"));
    let kiosk = ["kiosk", "--language", "ase", "--root", &root, "--show", text(&screen)];
    let start = || {
        bench.command("signpost", &[&["boot", "--root", &root, "--"][..], &kiosk].concat()).output().unwrap()
    };
    let last = Crash {
        at: "2026-11-22T07:00:00Z".into(),
        thread: "vision".into(),
        said: "it panicked".into(),
        version: "0.2.0".into(),
        uptime_s: 3,
    };
    let record = Kept { in_a_row: 10, last: Some(last.clone()), running: None };
    std::fs::write(Path::new(&root).join("crash.json"), serde_json::to_vec(&record).unwrap()).unwrap();
    let started = start();
    let said = String::from_utf8_lossy(&started.stderr);
    assert!(started.status.success() && said.contains("10 times in a row; going back to slot a"), "{said}");
    assert_eq!(Record::load(&bench.disk()).unwrap().active, Some(Slot::A));
    let expect = Kept { in_a_row: 0, last: Some(last), running: None };
    assert_eq!(kept(Path::new(&root)), expect, "the one before has its own chances");
}
