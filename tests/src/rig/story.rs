//! The story: what happens to a unit between delivery and a bad day, each step with a check and a deadline.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use edge::screen::Theme;
use embedded_graphics::pixelcolor::RgbColor;
use models::link::message::CaptionKind;
use models::link::tool::News;
use models::link::tty::{BAUD, Port};
use models::link::{Tool, message};
use models::store::Store;

use super::debian::Debian;
use super::image::{self, Bundles, Film, PICTURE, Programs, VERSIONS};
use super::machine::{self, Machine, Parts};
use super::picture::Picture;
use super::{Held, Options, Teller, Why, fail, until};

/// What the unit does, behind `signpost boot`.
const UNIT: &str = "kiosk --show screen --unit rig --model asl-letters --language ase";
/// So much more slowly the film is shown to an emulated machine.
const SLOWLY: f32 = 6.0;
/// What is sent to be signed.
const TEXT: &str = "HELLO";
/// An answer from inside; an emulated machine takes its time.
const ANSWER: Duration = Duration::from_secs(60);
/// A start until the shell answers.
const BOOT: Duration = Duration::from_secs(240);
/// A program's start until its link answers.
const START: Duration = Duration::from_secs(300);
/// Some frames of the camera through all networks.
const READ: Duration = Duration::from_secs(600);
/// A bundle through the cable, into the slot, and until it has proven itself.
const FLASH: Duration = Duration::from_secs(900);
/// So much of the new version, which has some 120,000, is on the disk when the power goes. kB.
const PART_KB: u64 = 8000;
/// Pixels of landmarks that a hand has at least, and of the signer's shirt.
const HAND_PIXELS: usize = 300;
const SHIRT_PIXELS: usize = 3000;
/// What whoever stands before the camera sees of themselves: left, top, right and bottom, shares of the screen.
const STAGE: [f32; 4] = [0.0, 0.075, 0.6, 0.74];
/// All but the line above it, which says what the unit does.
const BELOW_THE_BAR: [f32; 4] = [0.0, 0.075, 1.0, 1.0];
/// Where captions stand below it.
const CAPTION: [f32; 4] = [0.0, 0.74, 0.6, 1.0];
/// Pixels of a word's letters, and of one letter of a caption.
const WORD_PIXELS: usize = 200;
const LETTER_PIXELS: usize = 60;
/// A unit's memory may differ by so much. kB.
const GROWTH_KB: u64 = 2048;
/// A screen that is the same but for a clock's hand or a speck.
const SAME: f64 = 0.002;

/// The film's first frame, which shows nobody.
const EMPTY: [u32; 2] = [0, 1];

type Link = Tool<Port>;

/// Tells the whole story.
///
/// # Errors
/// [`Why::Skip`] where the rig cannot run here, [`Why::Fail`] with the first thing that did not hold.
pub fn tell(options: &Options) -> Held<Teller> {
    machine::check(options.processor)?;
    fs::create_dir_all(&options.out)?;
    let out = options.out.canonicalize()?;
    let mut teller = Teller::new(&out);
    let work = tempfile::tempdir()?;
    let (parts, bundles, film) = prepare(options, work.path(), &out)?;
    let by = if machine::has_kvm(options.processor) { "this computer's own" } else { "an emulated" };
    println!(
        "a machine with {by} {} processor, a film of {} ({} frames)",
        options.processor.name, film.who, film.frames
    );
    let programs = Programs::new(&options.programs, work.path(), options.processor)?;
    let hot_plugs = options.hot_plugs;
    Story { teller: &mut teller, parts, bundles, film, programs, hot_plugs }.tell()?;
    Ok(teller)
}

/// All that the machine is made of.
fn prepare(options: &Options, work: &Path, out: &Path) -> Held<(Parts, Bundles, Film)> {
    let store = Store::locate().filter(|store| store.lexicon().join("index.csv").is_file());
    let Some(store) = store else {
        return Err(Why::Skip("the store is not filled; run `cargo xtask setup`".into()));
    };
    let cache = store.root().join("rig");
    fs::create_dir_all(&cache)?;
    let processor = options.processor;
    let debian = Debian::fetch(&cache, processor)?;
    let programs = Programs::new(&options.programs, work, processor)?;
    image::small_store(&store, &programs)?;
    let film = image::film(&programs, &store)?;
    let bundles = image::bundles(&programs)?;
    let disk = image::disk(&programs, &bundles)?;
    let initramfs = image::initramfs(&debian, &programs, &format!("{UNIT} --board {}", processor.board))?;
    let log = out.join("unit.log");
    let _ = fs::remove_file(&log);
    let parts = Parts {
        processor,
        kernel: debian.kernel,
        initramfs,
        disk,
        film: film.path.clone(),
        work: work.into(),
        log,
    };
    Ok((parts, bundles, film))
}

struct Story<'a> {
    teller: &'a mut Teller,
    parts: Parts,
    bundles: Bundles,
    film: Film,
    programs: Programs,
    hot_plugs: u32,
}

impl Story<'_> {
    fn tell(mut self) -> Held<()> {
        self.parts.fresh_disk()?;
        let mut machine = self.boot("the machine starts")?;
        self.show(&mut machine, EMPTY)?;
        let mut link = self.ready(&mut machine, VERSIONS[0], "ready")?;
        self.read(&mut machine, &mut link)?;
        self.sign(&mut machine, &mut link)?;
        drop(link);
        self.cut_while_flashing(machine)?;

        let mut machine = self.boot("the machine starts after the power cut")?;
        self.show(&mut machine, EMPTY)?;
        drop(self.ready(&mut machine, VERSIONS[0], "old-version")?);
        self.flash(&mut machine)?;
        let mut link = self.ready(&mut machine, VERSIONS[1], "new-version")?;
        self.camera(&mut machine, &mut link)?;
        self.display(&mut machine)?;
        let link = self.cable(&mut machine, link)?;
        self.memory(&mut machine, link)
    }

    /// Switches the machine on.
    fn boot(&mut self, what: &str) -> Held<Machine> {
        let mut machine = self.parts.switch_on()?;
        machine.shell.run("grep -q /var/lib/signpost /proc/mounts", BOOT)?;
        self.teller.held(what);
        Ok(machine)
    }

    /// Films something for the camera: these frames once, and then the last of them for ever.
    fn show(&self, machine: &mut Machine, [from, to]: [u32; 2]) -> Held<()> {
        let [w, h] = PICTURE;
        // An emulated machine sees little in a second of its own: the people before its camera wait for it.
        let fps = self.film.fps / if machine::has_kvm(self.programs.processor) { 1.0 } else { SLOWLY };
        // Who filmed before lets the camera's output go, which has its name once the unit has let go of it as well.
        let line = format!(
            "killall -q rig-guest-film; for i in $(seq 100); do [ -c /dev/video1 ] && break; sleep 0.1; done; ln -sf rig-guest /bin/rig-guest-film; \
             (rig-guest-film film /dev/video1 /dev/video0 /dev/vdb {w} {h} {fps} {from} {to} >/dev/console 2>&1 &)"
        );
        machine.shell.run(&line, ANSWER)?;
        Ok(())
    }

    /// The unit answers through the cable with this version, and what it says that it shows is on the display.
    fn ready(&mut self, machine: &mut Machine, version: &str, name: &str) -> Held<Link> {
        let mut link = connect(machine, START)?;
        let hello = link.unit().clone();
        if (hello.product.as_str(), hello.board.as_str()) != (version, self.programs.processor.board) {
            return fail(format!("version {} of board {} runs", hello.product, hello.board));
        }
        self.teller.held(&format!("version {version} answers through the cable"));
        let screen = until("the unit's screen", READ, || {
            let shown = machine.screen()?;
            if shown.is_blank() {
                return Ok(None);
            }
            let said = Picture::of_png(&answer(&mut link, Link::screenshot)?)?;
            // Whoever stands before the camera is not on a technician's picture: all else is the same.
            let [said, seen] = [&said, &shown].map(|picture| picture.without(STAGE));
            let has_words = seen.count(rgb(Theme::DARK.text)) > WORD_PIXELS;
            Ok((has_words && said.differs(&seen) < SAME).then_some(shown))
        })?;
        self.teller.keep(name, &screen)?;
        self.teller.held("its screen shows what it says that it shows");
        Ok(link)
    }

    /// A signer before the camera is seen and read.
    fn read(&mut self, machine: &mut Machine, link: &mut Link) -> Held<()> {
        let theme = Theme::DARK;
        let text = |picture: &Picture| within(picture, CAPTION, theme.text);
        let before = text(&machine.screen()?);
        self.show(machine, [1, self.film.frames])?;
        let seen = until("a hand with its landmarks on the screen", READ, || {
            let shown = machine.screen()?;
            Ok((within(&shown, STAGE, theme.mark) > HAND_PIXELS).then_some(shown))
        })?;
        self.teller.keep("landmarks", &seen)?;
        self.teller.held(&format!("landmarks of {} are on the screen", self.film.who));

        if self.programs.runtime().is_file() {
            machine.shell.run("grep -q libonnxruntime /proc/$(pidof signpost)/maps", ANSWER)?;
            self.teller.held("its networks run on ONNX Runtime of this processor");
        }

        let letters = self.film.letters;
        let said = until("a caption", READ, || {
            let news = link.news(Duration::from_secs(1)).map_err(said)?;
            let Some(News::Caption(caption)) = news else { return Ok(None) };
            let read = caption.text.to_uppercase();
            let fits =
                caption.kind != CaptionKind::Repeat && read.contains(|letter| letters.contains(letter));
            Ok(fits.then_some(read))
        })?;
        self.teller.held(&format!("the link says \"{said}\""));
        let shown = until("the caption on the screen", ANSWER, || {
            let shown = machine.screen()?;
            let letters = text(&shown);
            Ok((letters > LETTER_PIXELS && letters != before).then_some(shown))
        })?;
        self.teller.keep("caption", &shown)?;
        self.teller.held("the caption is on the screen");
        Ok(())
    }

    /// A text that comes through the cable is signed on the screen.
    fn sign(&mut self, machine: &mut Machine, link: &mut Link) -> Held<()> {
        self.show(machine, EMPTY)?;
        let (words, length_ms) = link.sign(TEXT).map_err(said)?;
        if words.is_empty() || length_ms == 0 {
            return fail(format!("{TEXT} is signed as nothing"));
        }
        self.teller.held(&format!("{TEXT} is taken to be signed, {:.1} s", f64::from(length_ms) / 1e3));
        let shirt = rgb(Theme::DARK.shirt);
        let signer = until("the signer on the screen", READ, || {
            let shown = machine.screen()?;
            Ok((shown.count(shirt) > SHIRT_PIXELS).then_some(shown))
        })?;
        let moved = until("a signer who moves", READ, || {
            let shown = machine.screen()?;
            Ok((shown.count(shirt) > SHIRT_PIXELS && shown.differs(&signer) > 0.001).then_some(shown))
        })?;
        self.teller.keep("signing", &moved)?;
        self.teller.held("the signer on the screen signs it");

        machine.press("spc")?;
        let stopped = until("a signing that stands still", READ, || {
            let before = machine.screen()?;
            thread::sleep(Duration::from_secs(4));
            Ok((before.count(shirt) > SHIRT_PIXELS && machine.screen()? == before).then_some(before))
        })?;
        self.teller.held("a key stops it");
        machine.press("tab")?;
        let words = |picture: &Picture| picture.without(BELOW_THE_BAR);
        let german = until("a screen in the next language", READ, || {
            let shown = machine.screen()?;
            Ok((words(&shown).differs(&words(&stopped)) > SAME).then_some(shown))
        })?;
        self.teller.keep("german", &german)?;
        self.teller.held("a key changes its language");
        machine.press("spc")?;
        until("the end of the signing", READ, || {
            Ok((machine.screen()?.count(shirt) < SHIRT_PIXELS).then_some(()))
        })?;
        self.teller.held("a key lets it go on to its end");
        Ok(())
    }

    /// What runs has proven itself: before that a unit takes no other version.
    fn settled(&mut self, machine: &Machine) -> Held<()> {
        let mut link = connect(machine, START)?;
        until("a version that has proven itself", READ, || {
            Ok((!answer(&mut link, Link::health)?.state.contains("on trial")).then_some(()))
        })?;
        self.teller.held("the version that runs has proven itself");
        Ok(())
    }

    /// The next version begins to go through the cable.
    fn start_flash(&self, cable: &Path) -> Held<Xtask> {
        Xtask::start(&self.programs, "flash", &[self.bundles.next.as_os_str()], cable)
    }

    /// The power goes while a new version is written.
    fn cut_while_flashing(&mut self, mut machine: Machine) -> Held<()> {
        self.settled(&machine)?;
        plug_camera(&mut machine, false)?;
        let before = used_kb(&mut machine)?;
        let mut flash = self.start_flash(&machine.cable)?;
        flash.wait_for("installing", FLASH)?;
        until("a part of the new version on the disk", FLASH, || {
            Ok((used_kb(&mut machine)? >= before + PART_KB).then_some(()))
        })?;
        machine.cut_power();
        drop(flash);
        self.teller.held("the power goes while the new version is written");
        Ok(())
    }

    /// The new version goes through the cable, is installed, and stays.
    fn flash(&mut self, machine: &mut Machine) -> Held<()> {
        self.settled(machine)?;
        plug_camera(machine, false)?;
        let mut flash = self.start_flash(&machine.cable)?;
        flash.wait_for("waiting for the unit to restart", FLASH)?;
        plug_camera(machine, true)?;
        self.show(machine, [1, self.film.frames])?;
        flash.wait_for(": kept", FLASH)?;
        self.teller.held("the new version is flashed again, proves itself and is kept");
        Ok(())
    }

    /// The camera goes and comes back.
    fn camera(&mut self, machine: &mut Machine, link: &mut Link) -> Held<()> {
        plug_camera(machine, false)?;
        // A camera that is struck through, where the visitor was.
        let struck = |picture: &Picture| within(picture, STAGE, Theme::DARK.warn) > HAND_PIXELS;
        let gone = until("a screen that says that the camera is gone", READ, || {
            let shown = machine.screen()?;
            let troubles = answer(link, Link::troubles)?;
            let told = troubles.iter().any(|trouble| trouble.kind == "camera");
            Ok((told && struck(&shown)).then_some(shown))
        })?;
        self.teller.keep("no-camera", &gone)?;
        self.teller.held("the camera is pulled: screen and link say so");
        plug_camera(machine, true)?;
        self.show(machine, EMPTY)?;
        let frames = answer(link, Link::health)?.frames;
        let back = until("frames of the camera that came back", READ, || {
            let shown = machine.screen()?;
            Ok((answer(link, Link::health)?.frames > frames && !struck(&shown)).then_some(shown))
        })?;
        self.teller.keep("camera-back", &back)?;
        self.teller.held("the camera is plugged in again, and its frames are read");
        Ok(())
    }

    /// The display goes and comes back.
    fn display(&mut self, machine: &mut Machine) -> Held<()> {
        let back = self.pull_display(machine)?;
        self.teller.keep("display-back", &back)?;
        self.teller.held("the display is pulled, and shows the unit's screen when it is plugged in again");
        if self.hot_plugs == 1 {
            return Ok(());
        }
        // With nobody to read an emulated processor has time for it.
        plug_camera(machine, false)?;
        const PROCESS: &str = "pidof signpost";
        let process = number(machine, PROCESS)?;
        // After a while without a visitor it shows what it shows at rest, for which it holds more from then on.
        let first = self.hot_plugs.div_ceil(2);
        for _ in 1..first {
            self.pull_display(machine)?;
        }
        let before = held_kb(machine)?;
        for _ in first..self.hot_plugs {
            self.pull_display(machine)?;
        }
        let after = held_kb(machine)?;
        if number(machine, PROCESS)? != process {
            return fail("the unit began again while its display was pulled");
        }
        if after > before + GROWTH_KB {
            return fail(format!("the unit held {before} kB, and {after} kB after its display was pulled"));
        }
        self.teller.held(&format!(
            "that {} times by the same process, which held {before} kB after half of them and {after} kB after all",
            self.hot_plugs
        ));
        plug_camera(machine, true)?;
        self.show(machine, EMPTY)
    }

    fn pull_display(&self, machine: &mut Machine) -> Held<Picture> {
        let status =
            |what: &str| format!("for f in /sys/class/drm/card*-*/status; do echo {what} > $f; done");
        machine.shell.run(&status("off"), ANSWER)?;
        until("a display that is off", ANSWER, || {
            let shown = machine.screen()?;
            Ok((shown.is_blank() || shown.count(rgb(Theme::DARK.band)) < HAND_PIXELS).then_some(()))
        })?;
        machine.shell.run(&status("detect"), ANSWER)?;
        until("a display that shows the unit's screen again", READ, || {
            let shown = machine.screen()?;
            Ok((shown.count(rgb(Theme::DARK.band)) > SHIRT_PIXELS).then_some(shown))
        })
    }

    /// The USB cable goes and comes back; what the unit logs comes through it.
    fn cable(&mut self, machine: &mut Machine, mut link: Link) -> Held<Link> {
        // The technician's end: the port of the hub loses its power. What the unit's end has for this, `soft_connect`, never
        // answers again in this kernel (its driver is told of no request after it was stopped once).
        let pulled = |what: u8| {
            format!("for f in /sys/bus/usb/devices/*-0:1.0/usb*-port*/disable; do echo {what} > $f; done")
        };
        machine.shell.run(&pulled(1), ANSWER)?;
        machine.shell.run("while [ -e /dev/ttyACM0 ]; do sleep 0.1; done", ANSWER)?;
        if link.health().is_ok() {
            return fail("the unit answers through a cable that is pulled");
        }
        drop(link);
        self.teller.held("the USB cable is pulled: nobody answers");
        machine.shell.run(&pulled(0), ANSWER)?;
        let mut link = connect(machine, START)?;
        let health = answer(&mut link, Link::health)?;
        self.teller.held(&format!(
            "the USB cable is plugged in again: {}, {} frames read",
            health.state, health.frames
        ));
        let Some(program) = self.programs.framed() else {
            // Something that is worth a line happens: the camera once more.
            plug_camera(machine, false)?;
            let line = until("a line of the unit's log", READ, || {
                Ok(match link.news(Duration::from_secs(1)).map_err(said)? {
                    Some(News::Log(message::Logs::Line { text, .. })) => Some(text),
                    _ => None,
                })
            })?;
            self.teller.held(&format!("the log comes through the cable in words: {line}"));
            return Ok(link);
        };
        drop(link);
        let mut plugged = true;
        let line = until("a line of the unit's log with its file and line", READ, || {
            let with = ["--program".as_ref(), program.as_os_str()];
            let mut monitor = Xtask::start(&self.programs, "monitor", &with, &machine.cable)?;
            plugged = !plugged;
            plug_camera(machine, plugged)?;
            // An emulated unit may be too late with an answer, which ends the monitor.
            Ok(monitor.wait_for(".rs:", ANSWER).ok())
        })?;
        self.teller.held(&format!("frames of its log come through the cable, and are told as: {line}"));
        connect(machine, START)
    }

    /// The unit's memory runs out: the kernel kills it, and it is back and says so.
    fn memory(&mut self, machine: &mut Machine, link: Link) -> Held<()> {
        drop(link);
        let starve = "cd /sys/fs/cgroup/unit && unit=$(pidof signpost) && echo 20M >memory.max; \
                      for i in $(seq 100); do [ -d /proc/$unit ] || break; sleep 0.2; done; \
                      echo max >memory.max; [ ! -d /proc/$unit ]";
        machine.shell.run(&format!("( {starve} )"), READ)?;
        self.teller.held("its memory runs out: the kernel has killed it");
        let mut link = connect(machine, START)?;
        let told = answer(&mut link, Link::troubles)?;
        match told.iter().find(|trouble| trouble.kind == "crash" && trouble.said.contains("killed")) {
            Some(crash) => self.teller.held(&format!("it is back by itself, and says: {}", crash.said)),
            None => return fail(format!("it does not say that it was killed: {told:?}")),
        }
        Ok(())
    }
}

/// How many pixels of an area have a colour.
fn within(picture: &Picture, area: [f32; 4], color: impl RgbColor) -> usize {
    let color = rgb(color);
    picture.count(color) - picture.without(area).count(color)
}

/// A colour of the unit's, as pictures have it.
fn rgb(color: impl RgbColor) -> [u8; 3] {
    [color.r(), color.g(), color.b()]
}

/// Pulls the camera, or plugs it in. Before an update it is pulled: with somebody before it, an emulated processor would
/// have little time for anything but landmarks.
fn plug_camera(machine: &mut Machine, plugged: bool) -> Held<()> {
    let what = if plugged { "bind" } else { "unbind" };
    machine.shell.run(&format!("echo vivid.0 > /sys/bus/platform/drivers/vivid/{what}"), ANSWER)?;
    Ok(())
}

/// What the unit's versions have of the disk. kB.
fn used_kb(machine: &mut Machine) -> Held<u64> {
    number(machine, "du -sk /var/lib/signpost | cut -f 1")
}

/// The memory that the unit's process holds for itself: pages of files that it maps are the kernel's to take back. kB.
fn held_kb(machine: &mut Machine) -> Held<u64> {
    number(machine, "grep RssAnon /proc/$(pidof signpost)/status | tr -dc 0-9")
}

/// What a command prints, which is a number.
fn number(machine: &mut Machine, line: &str) -> Held<u64> {
    let said = machine.shell.run(line, ANSWER)?;
    said.trim().parse().map_or_else(|_| fail(format!("`{line}` said {said:?}")), Ok)
}

/// Greets the unit as often as it takes.
fn connect(machine: &Machine, most: Duration) -> Held<Link> {
    const GREETING: Duration = Duration::from_secs(15);
    until("an answer through the cable", most, || {
        let port = Port::open(&machine.cable, BAUD);
        Ok(port.and_then(|port| Tool::connect(port, env!("CARGO_PKG_VERSION"), GREETING)).ok())
    })
}

/// Asks until there is an answer: a unit that is busy may be late once.
fn answer<T, E: std::fmt::Display>(link: &mut Link, ask: impl Fn(&mut Link) -> Result<T, E>) -> Held<T> {
    const TRIES: usize = 4;
    for _ in 1..TRIES {
        if let Ok(answer) = ask(link) {
            return Ok(answer);
        }
    }
    ask(link).map_err(said)
}

fn said(error: impl std::fmt::Display) -> Why {
    Why::Fail(error.to_string())
}

/// A command of the technician's that runs; killed when it is dropped.
struct Xtask {
    name: &'static str,
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
}

impl Xtask {
    fn start(programs: &Programs, name: &'static str, args: &[&OsStr], port: &Path) -> Held<Self> {
        let mut command: Command = programs.command("xtask");
        command.arg(name).args(args).arg("--port").arg(port);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (send, lines) = channel();
        let outputs: [Box<dyn std::io::Read + Send>; 2] = [
            Box::new(child.stdout.take().expect("it is piped")),
            Box::new(child.stderr.take().expect("it is piped")),
        ];
        for output in outputs {
            let send = send.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    // Where nobody listens the story is over.
                    let _ = send.send(line);
                }
            });
        }
        Ok(Self { name, child, lines, heard: vec![] })
    }

    /// Waits for a line that holds these words.
    fn wait_for(&mut self, words: &str, most: Duration) -> Held<String> {
        let end = Instant::now() + most;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    if line.contains(words) {
                        return Ok(line);
                    }
                    self.heard.push(line);
                }
                Err(why) => {
                    let ended = if why == RecvTimeoutError::Timeout { "takes too long" } else { "ended" };
                    let heard = self.heard.join("; ");
                    return fail(format!("{} {ended} without \"{words}\": {heard}", self.name));
                }
            }
        }
    }
}

impl Drop for Xtask {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
