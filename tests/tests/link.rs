//! Tool and unit on a simulated cable that flips, drops and doubles, is pulled, or leads somewhere else.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::cell::RefCell;
use std::fs;
use std::io::{self, Cursor};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use models::link::line::{self, Incoming};
use models::link::message::{Ask, Caption, CaptionKind, Control, Health, Hello, Level, Logs, Word};
use models::link::staging::hash_of;
use models::link::tool::{News, Sent, Tool};
use models::link::{Decoder, Duties, Error, Staging, Unit, Wire};
use tempfile::{TempDir, tempdir};
use tests::fuzz::Random;
use tests::wire::{Cable, End, Side};

const PATIENCE: Duration = Duration::from_secs(5);

/// A unit that signs, counts how often it did, and has a screen of noise.
#[derive(Default)]
struct Counter {
    signed: u32,
    newest: u16,
    arrived: u32,
}

impl Duties for Counter {
    fn hello(&self) -> Hello {
        let hello = Hello::of_unit("0.1.0", "desk", "7");
        let newest = if self.newest > 0 { self.newest } else { hello.newest };
        Hello { newest, oldest: newest, ..hello }
    }

    fn health(&mut self) -> Health {
        Health {
            uptime_s: 60,
            state: "ready".into(),
            fps: 30.0,
            frames: 1800,
            lost: 0,
            temperatures: Vec::new(),
            stages: Vec::new(),
            logs_dropped: 0,
            spoiled: 0,
        }
    }

    fn sign(&mut self, text: &str) -> Result<(Vec<Word>, u32), String> {
        self.signed += 1;
        let word =
            |text: &str| Word { text: text.into(), from: "lexicon".into(), glosses: text.to_uppercase() };
        Ok((text.split(' ').map(word).collect(), 900))
    }

    fn screenshot(&mut self) -> Result<Vec<u8>, String> {
        Ok(noise(50_000, 9))
    }

    fn arrived(&mut self, _: &models::link::message::Offer) {
        self.arrived += 1;
    }
}

type Shared = Rc<RefCell<Unit<End, Counter>>>;

/// A cable with a unit on it, whose files go into a folder.
fn plug(cable: Cable, folder: &Path, duties: Counter) -> (End, Shared) {
    let [tool, unit] = cable.ends();
    let unit = Rc::new(RefCell::new(Unit::new(unit, Staging::open(folder).unwrap(), duties)));
    let shared = Rc::clone(&unit);
    // A pulled cable is an error of the unit's as well; a real one would open its port again.
    tool.set_peer(move || drop(shared.borrow_mut().step(Duration::ZERO)));
    (tool, unit)
}

fn connect(cable: Cable, folder: &TempDir) -> (Tool<End>, Shared, End) {
    let (end, unit) = plug(cable, folder.path(), Counter::default());
    (Tool::connect(end.clone(), "0.1.0", PATIENCE).unwrap(), unit, end)
}

fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    (0..length).map(|_| random.below(256) as u8).collect()
}

fn push(tool: &mut Tool<End>, bytes: &[u8]) -> Result<Sent, Error> {
    tool.push("file.bin", &mut Cursor::new(bytes), &mut |_| {})
}

/// That a folder holds this file under its hash, and nothing else.
#[track_caller]
fn check_whole(folder: &Path, bytes: &[u8]) {
    let names: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    let staging = Staging::open(folder).unwrap();
    assert_eq!(names, [staging.place(&hash_of(&mut &*bytes, u64::MAX).unwrap())]);
    assert!(fs::read(&names[0]).unwrap() == bytes, "the file is another");
}

/// The sentence that a tool ends with where it cannot connect.
#[track_caller]
fn check_refusal(end: End, expect: &str) {
    let error = Tool::connect(end, "0.1.0", PATIENCE).expect_err("there is no unit").to_string();
    assert!(error.contains(expect), "{error}");
}

#[test]
fn questions_are_answered_and_news_come() {
    let folder = tempdir().unwrap();
    let (mut tool, unit, _) = connect(Cable::new(0, 0, 1), &folder);
    assert_eq!((tool.unit().board.as_str(), tool.unit().unit.as_str()), ("desk", "7"));
    assert_eq!(tool.health().unwrap().frames, 1800);
    let (words, length_ms) = tool.sign("guten tag").unwrap();
    assert_eq!((words[1].glosses.as_str(), length_ms), ("TAG", 900));
    let caption = Caption { at_ms: 5, kind: CaptionKind::Sign, text: "HALLO".into(), confidence: 0.5 };
    let log = Logs::Line { at_ms: 6, level: Level::Warn, text: "hot".into(), dropped: 0 };
    assert!(unit.borrow_mut().log(&log));
    unit.borrow_mut().caption(caption.clone());
    let news: Vec<News> = std::iter::from_fn(|| tool.news(PATIENCE).unwrap()).collect();
    assert_eq!(news, [News::Caption(caption), News::Log(log)], "control goes first");
}

/// A unit that is busy for a minute with what it was asked.
struct Slow {
    end: End,
    installed: u32,
}

impl Duties for Slow {
    fn hello(&self) -> Hello {
        Counter::default().hello()
    }

    fn health(&mut self) -> Health {
        Counter::default().health()
    }

    fn install(&mut self, _: &[u8; 32]) -> Result<(), String> {
        self.end.pass(Duration::from_secs(60));
        self.installed += 1;
        Ok(())
    }
}

#[test]
fn an_installation_that_takes_long_is_waited_for_and_done_once() {
    let folder = tempdir().unwrap();
    let [end, unit] = Cable::serial(115_200, u32::MAX).ends();
    let duties = Slow { end: unit.clone(), installed: 0 };
    let staging = Staging::open(folder.path()).unwrap();
    let unit = Rc::new(RefCell::new(Unit::new(unit, staging, duties)));
    let shared = Rc::clone(&unit);
    end.set_peer(move || drop(shared.borrow_mut().step(Duration::ZERO)));
    let mut tool = Tool::connect(end.clone(), "0.1.0", PATIENCE).unwrap();
    push(&mut tool, b"a bundle").unwrap();
    let begun = end.now();
    tool.install(hash_of(&mut &b"a bundle"[..], u64::MAX).unwrap()).unwrap();
    let waited = end.now() - begun;
    assert!(waited < Duration::from_secs(61), "{waited:?}");
    assert_eq!(tool.health().unwrap().frames, 1800);
    assert_eq!(unit.borrow_mut().duties().installed, 1);
}

#[test]
fn a_file_arrives_whole_and_is_not_sent_twice() {
    for length in [0, 1, 4095, 4096, 4097, 300_000] {
        let folder = tempdir().unwrap();
        let bytes = noise(length, 3);
        let (mut tool, unit, end) = connect(Cable::new(0, 0, 1), &folder);
        let sent = push(&mut tool, &bytes).unwrap();
        assert_eq!((sent.had, sent.blocks, sent.repeated), (0, length.div_ceil(4096) as u64, 0));
        check_whole(folder.path(), &bytes);
        let before = end.sent();
        assert_eq!(push(&mut tool, &bytes).unwrap(), Sent { had: length as u64, blocks: 0, repeated: 0 });
        assert!(end.sent() - before < 200, "{} bytes for a file that is there", end.sent() - before);
        assert_eq!(unit.borrow_mut().duties().arrived, 1);
    }
}

/// One flipped byte in ten thousand on a line of one megabyte a second: four fifths of it are left.
#[test]
fn a_bad_line_keeps_four_fifths_of_its_speed() {
    const RATE: u64 = 1_000_000;
    let folder = tempdir().unwrap();
    let bytes = noise(5_000_000, 4);
    let (mut tool, _, end) = connect(Cable::serial(10 * RATE as u32, u32::MAX).flipping(100), &folder);
    let begun = end.now();
    let sent = push(&mut tool, &bytes).unwrap();
    let rate = bytes.len() as f64 / (end.now() - begun).as_secs_f64();
    check_whole(folder.path(), &bytes);
    assert!(sent.repeated > 300, "the line is bad: {sent:?}");
    assert!(rate >= 0.8 * RATE as f64, "{:.3} of the line, {sent:?}", rate / RATE as f64);
}

#[test]
fn dropped_doubled_and_flipped_frames_do_no_harm() {
    for seed in 0..30 {
        let folder = tempdir().unwrap();
        let bytes = noise(400_000, seed);
        let fate = |seed| {
            let mut random = Random(seed);
            Box::new(move |frame: Vec<u8>| match random.below(10) {
                0 => Vec::new(),
                1 => vec![frame; 2],
                2 => vec![b"noise\0".to_vec(), frame],
                3 => vec![frame[..frame.len() / 2].to_vec()],
                _ => vec![frame],
            })
        };
        let cable = Cable::new(1_000_000, 20, seed);
        let cable = cable.with_fate(Side::Tool, fate(seed + 100)).with_fate(Side::Unit, fate(seed + 200));
        let (mut tool, unit, _) = connect(cable, &folder);
        tool.sign("guten tag").unwrap();
        assert_eq!(unit.borrow_mut().duties().signed, 1, "however often it was asked, seed {seed}");
        push(&mut tool, &bytes).unwrap();
        check_whole(folder.path(), &bytes);
    }
}

#[test]
fn a_cable_pulled_at_any_block_goes_on_where_it_was() {
    let bytes = noise(20 * 4096 + 77, 6);
    for pulled in (0..=22).map(|block| 300 + block * 4130) {
        let folder = tempdir().unwrap();
        let (end, unit) =
            plug(Cable::new(1_000_000, 0, 1).pulled_after(pulled), folder.path(), Counter::default());
        let mut tool = Tool::connect(end, "0.1.0", PATIENCE).unwrap();
        let Err(error) = push(&mut tool, &bytes) else {
            // It was pulled after the last block.
            assert!(pulled > 20 * 4096);
            continue;
        };
        assert!(error.is_gone() && error.to_string().contains("it goes on where it was"), "{error}");
        // The tool's port stands open no more; the unit's program goes on, or is started anew.
        drop((tool, unit));
        let (mut tool, ..) = connect(Cable::new(1_000_000, 0, 1), &folder);
        let sent = push(&mut tool, &bytes).unwrap();
        check_whole(folder.path(), &bytes);
        // What the driver and the window held is lost; nothing else is sent again.
        let lost = (4096 + 300 + 4130) as u64;
        assert!(sent.had + lost >= pulled.saturating_sub(300), "{sent:?} after {pulled} bytes");
        assert!(sent.blocks <= 21 - sent.had / 4096, "{sent:?} after {pulled} bytes");
    }
}

#[test]
fn a_unit_that_starts_anew_is_offered_the_file_again() {
    let folder = tempdir().unwrap();
    let bytes = noise(500_000, 7);
    let [end, other] = Cable::new(1_000_000, 0, 1).ends();
    let path = folder.path().to_owned();
    let unit = move || Unit::new(other.clone(), Staging::open(&path).unwrap(), Counter::default());
    let mut running = unit();
    let mut restarts = vec![Duration::from_millis(300), Duration::from_millis(150)];
    let clock = end.clone();
    end.set_peer(move || {
        if restarts.last().is_some_and(|at| clock.now() >= *at) {
            restarts.pop();
            running = unit();
        }
        running.step(Duration::ZERO).unwrap();
    });
    let mut tool = Tool::connect(end, "0.1.0", PATIENCE).unwrap();
    let sent = push(&mut tool, &bytes).unwrap();
    check_whole(folder.path(), &bytes);
    assert!(sent.blocks < 2 * 123, "{sent:?} of 123");
}

#[test]
fn a_damaged_beginning_is_noticed_before_the_rest_is_sent() {
    let folder = tempdir().unwrap();
    let bytes = noise(100_000, 8);
    let hash = hash_of(&mut bytes.as_slice(), u64::MAX).unwrap();
    let part = Staging::open(folder.path()).unwrap().place(&hash).with_extension("part");
    fs::write(part, vec![0; 90_000]).unwrap();
    let (mut tool, ..) = connect(Cable::new(0, 0, 1), &folder);
    assert_eq!(push(&mut tool, &bytes).unwrap(), Sent { had: 0, blocks: 25, repeated: 0 });
    check_whole(folder.path(), &bytes);
}

#[test]
fn a_file_that_changes_while_it_is_sent_is_never_called_whole() {
    /// Gives other bytes once it was read for its hash.
    struct Changing(Cursor<Vec<u8>>, u32);
    impl std::io::Read for Changing {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.read(into)?;
            into[..count].iter_mut().for_each(|byte| *byte ^= u8::from(self.1 > 1));
            Ok(count)
        }
    }
    impl std::io::Seek for Changing {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.1 += u32::from(to == std::io::SeekFrom::Start(0));
            self.0.seek(to)
        }
    }
    let folder = tempdir().unwrap();
    let (mut tool, unit, _) = connect(Cable::new(0, 0, 1), &folder);
    let mut file = Changing(Cursor::new(noise(50_000, 1)), 0);
    let error = tool.push("file.bin", &mut file, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("if the file was changed meanwhile send it again"), "{error}");
    assert_eq!((unit.borrow_mut().duties().arrived, fs::read_dir(folder.path()).unwrap().count()), (0, 0));
}

#[test]
fn a_picture_of_the_screen_comes_over_a_bad_line() {
    let folder = tempdir().unwrap();
    let (mut tool, unit, _) = connect(Cable::new(200_000, 100, 3), &folder);
    assert!(tool.screenshot().unwrap() == noise(50_000, 9));
    tool.health().unwrap();
    assert!(unit.borrow().has_tool());
}

#[test]
fn captions_do_not_wait_behind_a_file() {
    // At 115200 bits a second the driver's 4 KiB take 0.36 s, and one block 0.03 s.
    let folder = tempdir().unwrap();
    let (end, unit) = plug(Cable::serial(115_200, u32::MAX), folder.path(), Counter::default());
    let delays = Rc::default();
    let spy = Spy { end: end.clone(), decoder: Decoder::default(), delays: Rc::clone(&delays) };
    let mut tool = Tool::connect(spy, "0.1.0", PATIENCE).unwrap();
    let clock = end.clone();
    let mut next = Duration::from_secs(1);
    end.set_peer(move || {
        let mut unit = unit.borrow_mut();
        if clock.now() >= next {
            next += Duration::from_millis(250);
            let at_ms = clock.now().as_millis() as u64;
            unit.caption(Caption { at_ms, kind: CaptionKind::Sign, text: "HALLO".into(), confidence: 1.0 });
        }
        unit.step(Duration::ZERO).unwrap();
    });
    tool.screenshot().unwrap();
    assert!(end.now() < Duration::from_secs(6), "the picture took {:?}", end.now());
    let delays = delays.borrow();
    assert!(delays.len() >= 12, "{delays:?}");
    assert!(delays.iter().all(|delay| *delay < Duration::from_millis(420)), "{delays:?}");
}

/// The tool's end, with an eye on when captions arrive.
struct Spy {
    end: End,
    decoder: Decoder,
    delays: Rc<RefCell<Vec<Duration>>>,
}

impl Wire for Spy {
    fn name(&self) -> String {
        self.end.name()
    }

    fn now(&self) -> Duration {
        self.end.now()
    }

    fn wait(&mut self, patience: Duration, room: bool) -> io::Result<()> {
        self.end.wait(patience, room)
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.end.read(into)?;
        self.decoder.push(&into[..count], |channel, message| {
            if let Incoming::Control(Control::Caption(caption)) = line::read(channel, message) {
                self.delays.borrow_mut().push(self.end.now() - Duration::from_millis(caption.at_ms));
            }
        });
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.end.write(bytes)
    }

    fn speed(&self) -> Option<u32> {
        self.end.speed()
    }

    fn set_speed(&mut self, baud: u32) -> io::Result<u32> {
        self.end.set_speed(baud)
    }
}

#[test]
fn speed_is_raised_where_both_ends_and_the_line_bear_it() {
    let folder = tempdir().unwrap();
    let (mut tool, _, end) = connect(Cable::serial(115_200, 921_600), &folder);
    assert_eq!(tool.speed(921_600).unwrap(), Some(921_600));
    assert_eq!(tool.health().unwrap().uptime_s, 60);
    let bytes = noise(200_000, 2);
    push(&mut tool, &bytes).unwrap();
    check_whole(folder.path(), &bytes);
    // Who comes next begins at the first speed, and the unit is back at it by then.
    drop(tool);
    let mut end = end;
    end.set_speed(115_200).unwrap();
    Tool::connect(end, "0.1.0", Duration::from_secs(15)).unwrap();
}

#[test]
fn a_speed_that_does_not_work_is_taken_back_on_both_ends() {
    let cases = [
        (Cable::serial(115_200, 460_800), "nothing readable came"),
        (Cable::serial(115_200, u32::MAX).with_stubborn(Side::Unit, 9600), "nothing readable came"),
        (Cable::serial(115_200, u32::MAX).with_stubborn(Side::Tool, 9600), "was set to 9600"),
    ];
    for (cable, expect) in cases {
        let folder = tempdir().unwrap();
        let (mut tool, ..) = connect(cable, &folder);
        let error = tool.speed(921_600).unwrap_err();
        assert!(matches!(error, Error::Speed { baud: 921_600, kept: 115_200, .. }), "{error}");
        assert!(error.to_string().contains(expect), "{error}");
        tool.health().unwrap();
    }
    let (mut tool, ..) = connect(Cable::new(0, 0, 1), &tempdir().unwrap());
    assert_eq!(tool.speed(921_600).unwrap(), None, "a pty has no speed");
}

#[test]
fn who_is_not_a_unit_is_told_from_one_that_is_silent() {
    let [end, _] = Cable::new(0, 0, 1).ends();
    check_refusal(end, "nothing came from the simulated cable in 5 s");

    let [end, mut console] = Cable::new(0, 0, 1).ends();
    let mut said = false;
    end.set_peer(move || {
        if !std::mem::replace(&mut said, true) {
            console.write(b"\r\njetson login: ").unwrap();
        }
    });
    check_refusal(end, "begin with \"\\r\\njetson login: ");

    let [end, mut mirror] = Cable::new(0, 0, 1).ends();
    end.set_peer(move || {
        let mut bytes = [0; 4096];
        let count = mirror.read(&mut bytes).unwrap();
        mirror.write(&bytes[..count]).unwrap();
    });
    check_refusal(end, "gives back what is sent to it");

    let folder = tempdir().unwrap();
    let newer = Counter { newest: 9, ..Counter::default() };
    let (end, _unit) = plug(Cable::new(0, 0, 1), folder.path(), newer);
    check_refusal(end, "update the tool");

    let [end, _] = Cable::new(0, 0, 1).clogged().ends();
    check_refusal(end, "has taken no byte for");
}

#[test]
fn a_unit_that_dies_is_said_to_be_gone_in_words() {
    let folder = tempdir().unwrap();
    let (end, unit) = plug(Cable::new(1_000_000, 0, 1), folder.path(), Counter::default());
    let mut tool = Tool::connect(end.clone(), "0.1.0", PATIENCE).unwrap();
    let clock = end.clone();
    end.set_peer(move || {
        if clock.now() < Duration::from_millis(100) {
            unit.borrow_mut().step(Duration::ZERO).unwrap();
        }
    });
    let error = push(&mut tool, &noise(1_000_000, 1)).unwrap_err();
    assert!(error.is_gone(), "{error}");
    assert!(error.to_string().contains("nothing came any more: see that the cable sits"), "{error}");
    assert!(end.now() < Duration::from_secs(30), "waited {:?}", end.now());
    let error = tool.health().unwrap_err().to_string();
    assert!(error.contains("no answer about its health in 10 s"), "{error}");
}

#[test]
fn what_a_unit_cannot_do_it_refuses_in_words() {
    let folder = tempdir().unwrap();
    let (mut tool, ..) = connect(Cable::new(0, 0, 1), &folder);
    let check = |tool: &mut Tool<End>, ask, expect: &str| {
        let error = tool.order("an order", ask).unwrap_err().to_string();
        assert!(error.starts_with("the unit refused an order: ") && error.contains(expect), "{error}");
    };
    check(&mut tool, Ask::Install { file: [3; 32] }, "push it first");
    check(&mut tool, Ask::Confirm, "install it by hand");
    check(&mut tool, Ask::RollBack, "install it by hand");
    check(&mut tool, Ask::Speed { baud: 115_200 }, "no speed that could be set");
    assert!(matches!(tool.sign(&"a".repeat(501)), Err(Error::TooLong { length: 501, most: 500 })));
}
