//! A camera that comes and goes: every picture is received or counted, time never goes back, nothing hangs.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use edge::camera::{Camera, Clock, Device, Event, Granted, Opener, Raw, Steadfast, Wish};
use tests::simulated::{World, number};

/// The longest that one call may take by the camera's time: several a second stay.
const CALL: Duration = Duration::from_millis(200);

fn wanted() -> boards::Camera {
    boards::Board::named("desk").unwrap().camera
}

/// Follows a camera through so many failures.
#[track_caller]
fn check(seed: u64, breaks: u32) {
    let world = World::new(seed, breaks);
    let name = Path::new("/dev/video0");
    let mut camera = Steadfast::with_clock(name, world.clone(), &wanted(), world.clone()).unwrap();
    let mut size = camera.size();
    let (mut there, mut outages) = (true, 0);
    let mut received: Vec<(u32, Duration)> = Vec::new();
    let mut last = None;
    loop {
        let is_over = world.is_over();
        let before = world.now();
        let event = camera.event().unwrap().expect("a live camera has no end");
        assert!(world.now() - before <= CALL, "one call took {:?}", world.now() - before);
        match event {
            Event::Frame(frame) => {
                assert!(there, "a frame of a camera that is not there");
                assert_eq!([frame.width, frame.height], size);
                frame.check().unwrap();
                let at = Duration::from_secs_f64(frame.at.seconds());
                assert!(last.is_none_or(|last| last < at), "{last:?}, then {at:?}");
                last = Some(at);
                received.push((number(&frame), at));
            }
            Event::Lost { at, why } => {
                outages += u32::from(there);
                there = false;
                assert!(!why.is_empty() && !why.contains('\n'), "{why:?}");
                assert!(last.is_none_or(|last| last.as_secs_f64() <= at.seconds() + 1e-6));
            }
            Event::Back(back) => {
                assert!(!there, "it was there");
                there = true;
                size = back.size;
                assert!(!back.format.is_empty() && back.fps > 0.0);
            }
            Event::Quiet(_) if is_over => break,
            Event::Quiet(_) => {}
        }
    }
    let hours = world.now().as_secs_f64() / 3600.0;
    world.account(|account| {
        let whole: Vec<u32> = account.whole.keys().copied().collect();
        let numbers: Vec<u32> = received.iter().map(|(n, _)| *n).collect();
        assert_eq!(numbers, whole, "each whole picture comes once, in order");
        assert_eq!(camera.lost(), account.torn + account.left_out, "what did not come whole is counted");
        for pair in received.windows(2) {
            let [passed, truly] = [pair[1].1 - pair[0].1, account.whole[&pair[1].0] - account.whole[&pair[0].0]];
            let wrong = passed.abs_diff(truly);
            assert!(wrong < Duration::from_millis(600), "{passed:?} instead of {truly:?} passed");
        }
        assert_eq!(account.unplugged, breaks);
        assert_eq!(account.open[1], 1, "the old device is closed before a new one is opened");
        eprintln!(
            "seed {seed}: {} failures, {outages} outages, {} pictures received, {} torn, {} left out, {:.1} h; {:?}",
            account.unplugged,
            received.len(),
            account.torn,
            account.left_out,
            hours,
            account.failures,
        );
    });
    drop(camera);
    world.account(|account| assert_eq!(account.open[0], 0, "a camera that is not wanted any more is closed"));
}

#[test]
fn a_thousand_failures_lose_no_picture_uncounted() {
    for seed in 1..=4 {
        check(seed, 1000);
    }
}

/// What a camera does when it is opened: nothing but an error, or pictures and errors, and then silence.
type Opening = Result<Vec<Act>, i32>;

#[derive(Debug, Clone, Copy)]
enum Act {
    Whole,
    Torn,
    Error(i32),
}

/// A camera that keeps to a script, and notes when it was opened.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<Played>>);

#[derive(Default)]
struct Played {
    openings: VecDeque<Opening>,
    now: Duration,
    opened: Vec<Duration>,
    formats: Vec<[u8; 4]>,
}

struct Acting {
    script: Script,
    acts: VecDeque<Act>,
    granted: Option<Granted>,
    buffer: Vec<u8>,
}

impl Clock for Script {
    fn now(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    fn wait(&mut self, time: Duration) {
        self.0.lock().unwrap().now += time;
    }
}

impl Opener for Script {
    fn open(&mut self) -> io::Result<Box<dyn Device>> {
        let mut played = self.0.lock().unwrap();
        let now = played.now;
        played.opened.push(now);
        let acts = played.openings.pop_front().unwrap_or(Err(2)).map_err(io::Error::from_raw_os_error)?;
        let script = self.clone();
        Ok(Box::new(Acting { script, acts: acts.into(), granted: None, buffer: Vec::new() }))
    }
}

impl Device for Acting {
    fn offers(&mut self) -> io::Result<Vec<[u8; 4]>> {
        Ok(vec![*b"YUYV", *b"RGB3"])
    }

    fn ask(&mut self, wish: Wish) -> io::Result<Granted> {
        let code = wish.packing.code();
        let granted = Granted { code, width: 2, height: 2, stride: 0, colours: [0; 3], fps: Some(10.0) };
        self.granted = Some(granted);
        Ok(granted)
    }

    fn start(&mut self) -> io::Result<()> {
        self.script.0.lock().unwrap().formats.push(self.granted.unwrap().code);
        Ok(())
    }

    fn next(&mut self, patience: Duration) -> io::Result<Option<Raw<'_>>> {
        let mut played = self.script.0.lock().unwrap();
        let Some(act) = self.acts.pop_front() else {
            played.now += patience;
            return Ok(None);
        };
        played.now += Duration::from_millis(100);
        let bytes = match act {
            Act::Whole => 12,
            Act::Torn => 5,
            Act::Error(error) => return Err(io::Error::from_raw_os_error(error)),
        };
        self.buffer = vec![128; bytes];
        let stamp_us = played.now.as_micros() as i64;
        Ok(Some(Raw { bytes: &self.buffer, stamp_us, sequence: 0, damaged: false }))
    }
}

/// What is told of a camera that keeps to a script, up to the time given; and the script afterwards.
fn told(openings: Vec<Opening>, until: Duration) -> (Vec<String>, Script) {
    let script = Script(Arc::new(Mutex::new(Played { openings: openings.into(), ..Played::default() })));
    let name = Path::new("/dev/video0");
    let mut camera = Steadfast::with_clock(name, script.clone(), &wanted(), script.clone()).unwrap();
    let mut told = Vec::new();
    while script.now() < until {
        match camera.event().unwrap().unwrap() {
            Event::Frame(_) => told.push("frame".into()),
            Event::Lost { why, .. } => told.push(why),
            Event::Back(back) => told.push(format!("back: {}", back.format)),
            Event::Quiet(_) => {}
        }
    }
    (told, script)
}

#[track_caller]
fn check_told(openings: Vec<Opening>, until_s: u64, expect: &[&str]) {
    assert_eq!(told(openings, Duration::from_secs(until_s)).0, expect);
}

const GONE: &str = "reading a picture: No such device (os error 19)";
const AWAY: &str = "opening it: No such file or directory (os error 2)";
const FORMAT: &str = "back: RGB3 2x2, full range";

#[test]
fn a_camera_that_comes_back_is_told_with_its_first_picture() {
    let gone = Ok(vec![Act::Whole, Act::Error(19)]);
    check_told(
        vec![gone.clone(), Ok(vec![Act::Whole, Act::Whole])],
        2,
        &["frame", GONE, FORMAT, "frame", "frame"],
    );
    // One that opens and gives nothing is not back.
    check_told(vec![gone, Ok(vec![])], 4, &["frame", GONE]);
}

#[test]
fn a_reason_is_told_once_until_the_camera_is_back() {
    let gone = vec![Act::Whole, Act::Error(19)];
    let openings = vec![Ok(gone.clone()), Err(2), Err(13), Err(2), Err(13), Err(2), Ok(gone), Err(2)];
    let denied = "opening it: Permission denied (os error 13)";
    check_told(openings, 60, &["frame", GONE, AWAY, denied, FORMAT, "frame", GONE, AWAY]);
}

#[test]
fn a_camera_that_is_silent_has_stalled() {
    let none = "no picture for 5 s";
    check_told(vec![Ok(vec![Act::Whole])], 4, &["frame", "no picture for 2 s", AWAY]);
    check_told(vec![Ok(vec![]), Ok(vec![])], 20, &[none, AWAY]);
}

#[test]
fn what_came_before_anybody_asked_is_stale_and_not_missed() {
    let openings = [Ok([vec![Act::Whole; 8], vec![Act::Torn]].concat())].into();
    let script = Script(Arc::new(Mutex::new(Played { openings, ..Played::default() })));
    let name = Path::new("/dev/video0");
    let mut camera = Steadfast::with_clock(name, script.clone(), &wanted(), script.clone()).unwrap();
    // Networks are loaded.
    script.clone().wait(Duration::from_secs(20));
    for _ in 0..20 {
        let event = camera.event().unwrap().unwrap();
        assert!(matches!(event, Event::Quiet(_)), "{event:?}");
    }
    assert_eq!(camera.lost(), 1, "the one that was torn later");
}

#[test]
fn not_yet_is_no_failure() {
    let acts = vec![Act::Whole, Act::Error(11), Act::Error(4), Act::Whole];
    check_told(vec![Ok(acts)], 1, &["frame", "frame"]);
}

#[test]
fn a_lost_camera_is_looked_for_soon_and_then_once_a_second() {
    let (_, script) = told(vec![Ok(vec![Act::Whole, Act::Error(19)])], Duration::from_secs(100));
    let opened = &script.0.lock().unwrap().opened;
    let pauses: Vec<u128> = opened.windows(2).map(|w| (w[1] - w[0]).as_millis()).collect();
    // The first is counted from the start: two pictures of 100 ms come before.
    assert_eq!(pauses[..5], [300, 200, 400, 800, 1000]);
    assert!(pauses[5..].iter().all(|pause| *pause == 1000) && pauses.len() > 95, "{pauses:?}");
}

#[test]
fn a_packing_that_gives_torn_pictures_only_gives_way_to_another() {
    let torn = Ok(vec![Act::Torn; 20]);
    let (told, script) = told(vec![torn.clone(), torn, Ok(vec![Act::Whole; 3])], Duration::from_secs(5));
    let formats =
        script.0.lock().unwrap().formats.iter().map(|f| f.escape_ascii().to_string()).collect::<Vec<_>>();
    assert_eq!(formats[..3], ["RGB3", "YUYV", "RGB3"]);
    assert_eq!(told[0], "10 pictures in a row are no whole RGB3 2x2, full range");
}

#[test]
fn a_camera_that_was_never_there_is_a_fault_with_the_next_step() {
    for (error, expect) in [(2, "`ls /dev/video*`"), (13, "group `video`"), (16, "close the other program")] {
        let script =
            Script(Arc::new(Mutex::new(Played { openings: [Err(error)].into(), ..Played::default() })));
        let fault = Steadfast::with_clock(Path::new("/dev/video7"), script.clone(), &wanted(), script).err();
        let said = fault.unwrap().to_string();
        assert!(said.contains("/dev/video7") && said.contains(expect), "{said}");
    }
}
