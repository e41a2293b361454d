//! Each thing that may be wrong on a bench, and what the doctor says of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use boards::{Board, UsbProduct};
use models::link::message::{Health, Hello, Trouble};
use models::link::tty::BAUD;
use models::link::{Closed, Error};

use super::diagnose::diagnose;
use super::words;
use super::world::{Answers, Port, World};

/// What a port does when it is asked at a speed.
type Reply = Box<dyn Fn(u32) -> Result<Answers, Error>>;

/// A bench as a test likes it.
#[derive(Default)]
struct Bench {
    ports: Vec<(Port, Option<Reply>)>,
    recovery: Vec<UsbProduct>,
    holder: Option<String>,
    /// How often each port was asked.
    asked: RefCell<BTreeMap<PathBuf, u32>>,
}

impl World for Bench {
    fn ports(&self) -> Vec<Port> {
        self.ports.iter().map(|(port, _)| port.clone()).collect()
    }

    fn recovery(&self) -> Vec<UsbProduct> {
        self.recovery.clone()
    }

    fn group_of(&self, _: &Path) -> Option<String> {
        Some("dialout".into())
    }

    fn holder_of(&self, _: &Path) -> Option<String> {
        self.holder.clone()
    }

    fn has_speed(&self, port: &Path) -> bool {
        port.to_string_lossy().contains("ttyUSB")
    }

    fn ask(&self, port: &Path, baud: u32, patience: Duration) -> Result<Answers, Error> {
        assert!(patience <= Duration::from_secs(5), "every wait has a deadline");
        *self.asked.borrow_mut().entry(port.into()).or_default() += 1;
        let name = port.display().to_string();
        match self.ports.iter().find(|(known, _)| known.path == port) {
            Some((_, Some(reply))) => reply(baud),
            Some((_, None)) => Err(Error::Silent { port: name, waited_s: patience.as_secs_f64() }),
            None => Err(closed(
                Closed::Missing,
                "No such file or directory",
                "plug the cable in, or choose another --port",
            )),
        }
    }
}

fn closed(why: Closed, said: &str, next: &'static str) -> Error {
    Error::Open { port: "/dev/ttyUSB0".into(), why, said: said.into(), next }
}

fn unit() -> Answers {
    let health = Health {
        uptime_s: 90,
        state: "ready".into(),
        fps: 29.9,
        frames: 1000,
        lost: 3,
        temperatures: Vec::new(),
        stages: Vec::new(),
        logs_dropped: 0,
        spoiled: 0,
    };
    Answers {
        hello: Hello::of_unit("0.1.0", "jetson-orin-nano", "hall-7"),
        health,
        troubles: Some(Vec::new()),
    }
}

fn port(name: &str, usb: bool) -> Port {
    Port { path: Path::new("/dev").join(name), usb: usb.then_some((0x0403, 0x6001)) }
}

/// A bench with one adapter.
fn bench(reply: impl Fn(u32) -> Result<Answers, Error> + 'static) -> Bench {
    Bench { ports: vec![(port("ttyUSB0", true), Some(Box::new(reply)))], ..Bench::default() }
}

#[track_caller]
fn check(bench: &Bench, expect: &str) {
    let board = Board::named("jetson-orin-nano").unwrap();
    assert_eq!(words(&diagnose(bench, None, Some(&board))), expect);
    for (port, asked) in bench.asked.borrow().iter() {
        assert!(*asked <= 6, "{} was asked {asked} times", port.display());
    }
}

#[test]
fn a_healthy_unit_has_nothing() {
    check(
        &bench(|_| Ok(unit())),
        "hall-7 (jetson-orin-nano) on /dev/ttyUSB0: version 0.1.0, ready\nnothing is wrong",
    );
}

#[test]
fn what_is_not_plugged_in_or_lies_in_recovery_mode() {
    let nothing = "1. no cable to a unit is plugged in; plug one from a USB socket of this computer into the unit's device port, or name the port with --port";
    check(&Bench::default(), nothing);
    let own = Bench { ports: vec![(port("ttyS0", false), None)], ..Bench::default() };
    check(&own, nothing);
    let recovery = Bench { recovery: vec![UsbProduct(0x7523)], ..Bench::default() };
    check(
        &recovery,
        "1. a module lies in recovery mode (USB 0955:7523): Jetson Orin Nano 8GB (p3767-0003) or Jetson Orin Nano 8GB of the developer kit, with a card slot (p3767-0005); put a system onto it with `cargo xtask provision --board jetson-orin-nano`, or take its recovery jumper off and switch it off and on",
    );
    let wrong = Bench { recovery: vec![UsbProduct(0x7323)], ..Bench::default() };
    check(
        &wrong,
        "1. a module lies in recovery mode (USB 0955:7323): Jetson Orin NX 16GB (p3767-0000), and not a Jetson Orin Nano; exchange the module, or use board `jetson-orin-nx`",
    );
    let unknown = Bench { recovery: vec![UsbProduct(0x7019)], ..Bench::default() };
    check(
        &unknown,
        "1. a module lies in recovery mode (USB 0955:7019) that Signpost does not know; use one of the modules in boards/data, or describe this one there",
    );
    let named = diagnose(&Bench::default(), Some(Path::new("/dev/ttyUSB0")), None);
    assert_eq!(
        words(&named),
        "1. /dev/ttyUSB0 cannot be opened (No such file or directory); plug the cable in, or choose another --port"
    );
}

#[test]
fn a_port_that_cannot_be_used() {
    check(
        &bench(|_| Err(closed(Closed::Forbidden, "Permission denied", "add this user"))),
        "1. this user may not open /dev/ttyUSB0, which belongs to the group `dialout`; run `sudo usermod -aG dialout $USER`, then log out and in again",
    );
    let taken = || {
        bench(|_| {
            Err(closed(Closed::Taken, "Device or resource busy", "another program has it: stop that one"))
        })
    };
    let busy = Bench { holder: Some("minicom (process 42)".into()), ..taken() };
    check(&busy, "1. minicom (process 42) has /dev/ttyUSB0 open; end it");
    check(
        &taken(),
        "1. /dev/ttyUSB0 cannot be opened (Device or resource busy); another program has it: stop that one",
    );
    check(
        &bench(|_| {
            Err(closed(Closed::NoPort, "Inappropriate ioctl", "it is no serial port: choose another --port"))
        }),
        "1. /dev/ttyUSB0 cannot be opened (Inappropriate ioctl); it is no serial port: choose another --port",
    );
}

#[test]
fn who_does_not_answer_or_answers_otherwise() {
    let name = || "/dev/ttyUSB0".to_owned();
    check(
        &bench(move |_| Err(Error::Silent { port: name(), waited_s: 4.0 })),
        "1. nothing came from /dev/ttyUSB0 in 4 s; see that the cable sits, that the unit has power and that `signpost serve` runs on it",
    );
    let console =
        move |_| Err(Error::Garbage { port: name(), bytes: 40, sample: "\r\nhall-7 login: ".into() });
    check(
        &bench(console),
        r#"1. 40 bytes came from /dev/ttyUSB0 and no frame of Signpost's among them (they begin with "\r\nhall-7 login: "); another program or a login console has that line, or its speed is another one: stop that program, or choose the right port and --baud"#,
    );
    check(
        &bench(move |_| Err(Error::Echo { port: name() })),
        "1. /dev/ttyUSB0 gives back what is sent to it; another tool has the other end, or the line is looped: choose the port that leads to a unit",
    );
    let at_another_speed = move |baud| match baud {
        BAUD => Err(Error::Garbage { port: name(), bytes: 9, sample: "\u{fffd}".into() }),
        921_600 => Ok(unit()),
        _ => Err(Error::Silent { port: name(), waited_s: 1.5 }),
    };
    check(
        &bench(at_another_speed),
        "1. the unit on /dev/ttyUSB0 speaks at 921600 bits a second, and tools begin at 115200; start `signpost serve` there without --baud",
    );
}

#[test]
fn an_end_that_is_too_old() {
    let version = |_| {
        let (ours, theirs) = (Hello::of_tool("0.9.0"), Hello::of_unit("0.1.0", "desk", "7"));
        let newer = Hello { oldest: 3, newest: 4, ..ours };
        Err(newer.agree(&theirs).unwrap_err())
    };
    check(
        &bench(version),
        "1. the unit (product 0.1.0, link versions 1 to 1) is too old for the other end (product 0.9.0, link versions 3 to 4); update the unit",
    );
    check(
        &bench(|_| Ok(Answers { troubles: None, ..unit() })),
        "hall-7 (jetson-orin-nano) on /dev/ttyUSB0: version 0.1.0, ready\n1. the program of hall-7 (version 0.1.0) is too old to say what is wrong with it; flash a newer bundle with `cargo xtask flash`",
    );
}

/// What a unit says of itself, and in which order it is told.
#[test]
fn what_is_wrong_with_the_unit_itself() {
    let sick = |_| {
        let mut unit = unit();
        unit.hello.board = "jetson-orin-nx".into();
        unit.health.state = "on trial".into();
        (unit.health.lost, unit.health.spoiled) = (500, 7);
        unit.troubles = Some(vec![
            Trouble::new(
                "disk",
                "/var/lib/signpost has 12 MB free, and another version may need 1024 MB; remove what is not Signpost's there",
            ),
            Trouble::new(
                "camera",
                "/dev/video0 is not there, so it sees nobody; plug the camera in, or into another socket",
            ),
            Trouble::new(
                "module",
                "this machine is a Jetson Orin Nano 8GB (p3767-0003), and not a Jetson Orin NX; use board `jetson-orin-nano`",
            ),
        ]);
        Ok(unit)
    };
    check(
        &bench(sick),
        "\
hall-7 (jetson-orin-nx) on /dev/ttyUSB0: version 0.1.0, on trial
1. the unit on /dev/ttyUSB0 is a `jetson-orin-nx`, and not a `jetson-orin-nano`; take the unit that is meant, or use --board jetson-orin-nx
2. hall-7 says: this machine is a Jetson Orin Nano 8GB (p3767-0003), and not a Jetson Orin NX; use board `jetson-orin-nano`
3. hall-7 says: /var/lib/signpost has 12 MB free, and another version may need 1024 MB; remove what is not Signpost's there
4. hall-7 says: /dev/video0 is not there, so it sees nobody; plug the camera in, or into another socket
5. version 0.1.0 of hall-7 has not proven itself yet; wait, or see with `cargo xtask monitor` what it lacks
6. hall-7 lost 500 of 1500 frames; look with `cargo xtask monitor` for heat and for slow stages
7. 7 frames from /dev/ttyUSB0 arrived spoiled at the unit; take a shorter or a better cable",
    );
}

/// With an adapter plugged in, the computer's own ports are left alone: something else may hang there.
#[test]
fn several_ports_are_all_looked_at() {
    let mut bench = bench(|_| Ok(unit()));
    bench.ports.push((port("ttyACM1", true), None));
    bench.ports.push((port("ttyS0", false), None));
    check(
        &bench,
        "hall-7 (jetson-orin-nano) on /dev/ttyUSB0: version 0.1.0, ready\n1. nothing came from /dev/ttyACM1 in 4 s; see that the cable sits, that the unit has power and that `signpost serve` runs on it",
    );
    assert!(!bench.asked.borrow().contains_key(Path::new("/dev/ttyS0")));
}
