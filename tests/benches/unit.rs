//! A whole unit through hours of video, whose camera fails in every way, and whose cable is pulled again and again.
//!
//! `cargo xtask bench unit --video FILE [--hours 10] [--faults 1000] [--drops 100]`. All of `signpost kiosk` runs in
//! this process: camera, networks, reader, screen (drawn and thrown away), signing and link, before a simulated
//! camera whose time is compressed: its first pictures after each opening come at an even pace, so that they are read
//! as signing, and the others as fast as it can, of which those are lost that nobody takes. It fails where the unit
//! ended unasked, a thread broke or began again, memory grew, or a stage was late for more than a second. What is late
//! follows from a calm beginning, because the simulated camera and this computer are no unit's.

#![allow(clippy::unwrap_used, reason = "a bench may stop where something is missing")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use boards::Board;
use clap::Parser;
use edge::Fault;
use edge::camera::{Camera, Clock, Steadfast, Video};
use edge::cli::kiosk::Kiosk;
use edge::kiosk::Source;
use edge::kiosk::crash::Kept;
use edge::screen::Canvas;
use edge::screen::present::Present;
use image::RgbImage;
use models::link::message::StageTime;
use models::link::tool::News;
use models::link::tty::{BAUD, Port};
use models::link::{Tool, Wire};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use tests::bench::{self, args};
use tests::simulated::{Film, World};
use tests::technician::pty;
use tests::text;

/// Lines of the table.
const WINDOWS: u32 = 20;
/// Memory may differ so much between the second window and the last, in MiB: what allocators keep.
const GROWTH_MIB: u64 = 16;
/// A stage may be late for so long; late is who takes so many times what it took when all was calm.
const LATE: Duration = Duration::from_secs(1);
const SLOWER: f64 = 2.0;
/// The unit is looked at so often.
const LOOK: Duration = Duration::from_millis(250);
/// A unit is ready, and answers on a cable that was plugged in, within so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is signed after each plugging in.
const TEXT: &str = "Cab";
/// What reading may take of a frame's time, however little it took before.
const LANGUAGE: Duration = Duration::from_millis(5);

/// So many pictures of the video are filmed, over and over.
const PICTURES: usize = 150;

/// A kiosk's command line without the program's other commands.
#[derive(Debug, Parser)]
struct Unit {
    #[command(flatten)]
    kiosk: Kiosk,
}

fn main() -> ExitCode {
    let args = args(&["video", "hours", "faults", "drops", "seed"]);
    let number = |name: &str, or: f64| args.get(name).map_or(or, |v| v.parse().expect("a number"));
    let length = Duration::from_secs_f64(number("hours", 10.0) * 3600.0);
    let (faults, drops) = (number("faults", 1000.0) as u32, number("drops", 100.0) as u32);
    let pictures = film(Path::new(args.get("video").expect("give --video FILE")));

    let folder = tempfile::tempdir().unwrap();
    let (root, port) = (folder.path().join("root"), folder.path().join("port"));
    let board = Board::named("desk").unwrap();
    // Faults take time as well: it breaks a little more often than the pictures alone would have it.
    let lasts = length.mul_f64(0.85) / faults.max(1);
    let world = World::before(number("seed", 1.0) as u64, u32::MAX, Some(Film::new(&pictures, lasts)));
    let openings = Arc::new(AtomicU32::new(0));
    let camera = Source { name: "/dev/video-simulated".into(), open: opener(&world, &board, &openings) };
    let presented = Arc::new(AtomicU64::new(0));
    let screen = Box::new(Nowhere(Arc::clone(&presented)));
    let words = ["unit", "--language", "ase", "--root", text(&root), "--port", text(&port), "--unit", "soak"];
    let unit = Unit::parse_from(words).kiosk;

    let technician = Technician { world: world.clone(), port, length, drops, board };
    let watching = thread::spawn(move || {
        let found = technician.watch();
        assert!(tests::signal(std::process::id(), "TERM"));
        found
    });
    let begun = Instant::now();
    let ended = unit.run_before(camera, screen);
    let took = begun.elapsed();
    let Ok(found) = watching.join() else {
        println!("the unit was lost: {ended:?}");
        return ExitCode::FAILURE;
    };
    let kept: Kept = serde_json::from_slice(&std::fs::read(root.join("crash.json")).unwrap()).unwrap();
    let (unplugged, failures) = world.account(|account| (account.unplugged, account.failures.clone()));
    println!("\n{:.1} hours in {:.1} minutes", world.now().as_secs_f64() / 3600.0, took.as_secs_f64() / 60.0);
    println!("{unplugged} faults of the camera: {failures:?}");
    println!(
        "{} link drops, {} texts signed, {} captions told, {} pictures presented",
        found.drops,
        found.signed,
        found.captions,
        presented.load(Ordering::Relaxed)
    );
    for (stage, late) in &found.late {
        println!(
            "{stage}: {:.1} ms a step at most in the mean of a second when calm, {:.1} ms later, budget {:.1} ms, late for {:.1} s at most",
            late.calm.as_secs_f64() * 1e3,
            late.worst.as_secs_f64() * 1e3,
            late.budget.as_secs_f64() * 1e3,
            late.longest.as_secs_f64()
        );
    }
    let openings = openings.load(Ordering::Relaxed);
    let (Some(second), Some(last)) = (found.held.get(1), found.held.last()) else { return ExitCode::FAILURE };
    let checks = [
        ("it ended as it was told to", ended.is_ok()),
        ("nothing broke", kept == Kept::default()),
        ("no thread that reads began again", openings == 1),
        ("as many faults as were asked for", unplugged >= faults),
        ("as many drops as were asked for", found.drops >= drops),
        ("memory does not grow", last.saturating_sub(*second) <= GROWTH_MIB),
        ("no stage is late for more than a second", found.late.values().all(|late| late.longest <= LATE)),
        ("signing was read", found.captions > 0),
    ];
    for (what, holds) in checks {
        println!("{} {what}", if holds { "ok  " } else { "NOT " });
    }
    if checks.iter().all(|(_, holds)| *holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The first pictures of a video.
fn film(path: &Path) -> Vec<RgbImage> {
    let mut video = Video::open(path).unwrap();
    let frames = std::iter::from_fn(|| video.next().unwrap());
    frames
        .take(PICTURES)
        .map(|frame| RgbImage::from_raw(frame.width, frame.height, frame.rgb).unwrap())
        .collect()
}

type Open = dyn Fn() -> Result<Box<dyn Camera>, Fault> + Send;

/// Opens the simulated camera, and counts how often.
fn opener(world: &World, board: &Board, openings: &Arc<AtomicU32>) -> Box<Open> {
    let (world, wanted, openings) = (world.clone(), board.camera.clone(), Arc::clone(openings));
    Box::new(move || {
        openings.fetch_add(1, Ordering::Relaxed);
        let name = Path::new("/dev/video-simulated");
        Ok(Box::new(Steadfast::with_clock(name, world.clone(), &wanted, world.clone())?))
    })
}

/// A screen that nobody looks at.
struct Nowhere(Arc<AtomicU64>);

impl Present for Nowhere {
    fn show(&mut self, canvas: &Canvas) -> Result<(), Fault> {
        assert!(!canvas.rgba().is_empty());
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), Fault> {
        Ok(())
    }
}

/// Who pulls the cable, and looks how the unit is in between.
struct Technician {
    world: World,
    /// Where the unit looks for its cable.
    port: PathBuf,
    length: Duration,
    drops: u32,
    board: Board,
}

/// What was seen of the unit.
#[derive(Default)]
struct Found {
    drops: u32,
    signed: u32,
    captions: u32,
    /// MiB at the end of each window.
    held: Vec<u64>,
    late: BTreeMap<String, Late>,
}

/// How late a stage was.
struct Late {
    /// What it may take for a step in the mean of a second.
    budget: Duration,
    /// The longest mean of a second while all was calm.
    calm: Duration,
    /// The longest mean of a second.
    worst: Duration,
    /// Since when it is late, where it is.
    since: Option<Instant>,
    longest: Duration,
}

impl Technician {
    /// Looks until the time is over. The last plugging in is not pulled.
    fn watch(&self) -> Found {
        let mut found = Found::default();
        println!("| hours | faults | drops | frames read | lost | captions | MiB held |");
        println!("|---|---|---|---|---|---|---|");
        while self.world.now() < self.length {
            let mut tool =
                Tool::connect(Plug::into(&self.port), "0.1.0", PATIENCE).expect("the unit answers");
            if tool.sign(TEXT).is_ok() {
                found.signed += 1;
            }
            let until = self.length * (found.drops + 1) / (self.drops + 1);
            while self.world.now() < until {
                self.look(&mut tool, &mut found);
                thread::sleep(LOOK);
            }
            if self.world.now() < self.length {
                found.drops += 1;
            }
        }
        found
    }

    fn look(&self, tool: &mut Tool<Plug>, found: &mut Found) {
        let health = tool.health().expect("the unit answers");
        while let Some(news) = tool.news(Duration::ZERO).expect("the cable is in") {
            found.captions += u32::from(matches!(news, News::Caption(_)));
        }
        for stage in &health.stages {
            self.judge(stage, found);
        }
        let window = self.length / WINDOWS;
        if self.world.now() >= window * (found.held.len() as u32 + 1) {
            let held = bench::held_mib(std::process::id()).unwrap();
            found.held.push(held);
            println!(
                "| {:.2} | {} | {} | {} | {} | {} | {held} |",
                self.world.now().as_secs_f64() / 3600.0,
                self.world.account(|account| account.unplugged),
                found.drops,
                health.frames,
                health.lost,
                found.captions
            );
        }
    }

    fn judge(&self, stage: &StageTime, found: &mut Found) {
        let least = match stage.name.as_str() {
            "vision" => Duration::from_secs(1) / self.board.camera.rate_hz,
            "language" => LANGUAGE,
            "screen" => Duration::from_secs(1) / self.board.screen.rate_hz,
            // Signing is made once and not every frame.
            _ => return,
        };
        let none = Late {
            budget: least,
            calm: Duration::ZERO,
            worst: Duration::ZERO,
            since: None,
            longest: Duration::ZERO,
        };
        let late = found.late.entry(stage.name.clone()).or_insert(none);
        let (mean, now) = (Duration::from_micros(stage.mean_us.into()), Instant::now());
        if self.world.account(|account| account.unplugged) == 0 {
            late.calm = late.calm.max(mean);
            late.budget = least.max(late.calm.mul_f64(SLOWER));
            return;
        }
        late.worst = late.worst.max(mean);
        late.since = (mean > late.budget).then(|| late.since.unwrap_or(now));
        late.longest = late.longest.max(late.since.map_or(Duration::ZERO, |since| now - since));
    }
}

/// The technician's end of a cable: dropping it pulls it out.
struct Plug {
    end: File,
    begun: Instant,
}

impl Plug {
    /// Plugs a fresh cable into where the unit looks for one.
    fn into(port: &Path) -> Self {
        let (end, name) = pty();
        // A fresh pty sends back what it is sent, as a console does; once it was opened as a port it does not.
        drop(Port::open(&name, BAUD).unwrap());
        fcntl_setfl(&end, OFlags::NONBLOCK).unwrap();
        let fresh = port.with_extension("fresh");
        symlink(name, &fresh).unwrap();
        std::fs::rename(fresh, port).unwrap();
        Self { end, begun: Instant::now() }
    }
}

/// What the system says while the unit has not opened its end yet.
fn not_yet(done: io::Result<usize>) -> io::Result<usize> {
    const EIO: i32 = 5;
    match done {
        Err(e) if e.kind() == io::ErrorKind::WouldBlock || e.raw_os_error() == Some(EIO) => Ok(0),
        done => done,
    }
}

impl Wire for Plug {
    fn name(&self) -> String {
        "the soak's cable".into()
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    fn wait(&mut self, patience: Duration, room: bool) -> io::Result<()> {
        let wanted = if room { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        let mut fds = [PollFd::new(&self.end, wanted)];
        let until = Timespec::try_from(patience).unwrap();
        poll(&mut fds, Some(&until))?;
        if fds[0].revents().contains(PollFlags::HUP) {
            thread::sleep(patience.min(Duration::from_millis(20)));
        }
        Ok(())
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        not_yet(self.end.read(into))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        not_yet(self.end.write(bytes))
    }

    fn speed(&self) -> Option<u32> {
        None
    }

    fn set_speed(&mut self, baud: u32) -> io::Result<u32> {
        Ok(baud)
    }
}
