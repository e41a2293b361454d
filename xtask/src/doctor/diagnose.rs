//! From what a bench shows to what is wrong with it, in order of likelihood.

use std::path::{Path, PathBuf};
use std::time::Duration;

use boards::{Board, Machine, NVIDIA, UsbProduct};
use models::link::tty::BAUD;
use models::link::{Closed, Error};
use serde::Serialize;

use super::world::{Answers, World};

/// A unit answers within milliseconds; one that is starting, within seconds.
const PATIENCE: Duration = Duration::from_secs(4);
/// At another speed it is only asked whether it is there at all.
const GLANCE: Duration = Duration::from_millis(1500);
/// Other speeds that people set.
const SPEEDS: [u32; 5] = [921_600, 9600, 230_400, 460_800, 1_000_000];
/// Of a hundred frames so many may be lost without anybody seeing it.
const LOST_PERCENT: u64 = 5;

const NOT_PLUGGED_IN: &str = "no cable to a unit is plugged in; plug one from a USB socket of this computer into the unit's device port, or name the port with --port";

/// What may be wrong, the likeliest first: what is plugged in wrongly before what is broken, and what explains
/// others before those.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// No port is there.
    NoPort,
    /// A module waits to be flashed.
    RecoveryMode,
    /// This user may not open the port.
    NoPermission,
    /// Another program has it.
    PortBusy,
    /// The port is none, or does not work.
    BadPort,
    /// Something else answers than a unit.
    NoUnit,
    /// The unit speaks at another speed.
    WrongBaud,
    /// Nothing answers.
    Silent,
    /// One end is too old for the other.
    OldVersion,
    /// The board is another one.
    WrongBoard,
    /// The unit says that something is wrong with it.
    UnitTrouble,
    /// The unit runs, and does not do well.
    Unhealthy,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Of what kind it is.
    pub kind: Kind,
    /// What the unit calls it, where it said so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Of which port, where it belongs to one.
    pub port: Option<PathBuf>,
    /// One sentence that ends with the next step.
    pub said: String,
}

/// A unit that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unit {
    /// Where.
    pub port: PathBuf,
    /// What tells it from others.
    pub unit: String,
    /// Its board.
    pub board: String,
    /// Its version.
    pub version: String,
    /// What it is doing.
    pub state: String,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Diagnosis {
    /// The units that answered.
    pub units: Vec<Unit>,
    /// What is wrong, the likeliest first.
    pub findings: Vec<Finding>,
}

/// Looks at the bench: at one port, or at all that have something behind them. With a board, the unit has to be
/// that.
pub fn diagnose(world: &dyn World, port: Option<&Path>, board: Option<&Board>) -> Diagnosis {
    let mut found = Diagnosis::default();
    let all = world.ports();
    let over_usb = all.iter().filter(|port| port.usb.is_some()).count();
    let ports: Vec<PathBuf> = match port {
        Some(port) => vec![port.into()],
        // Where nothing is plugged in, the unit may hang at one of the computer's own ports.
        None => {
            let tried = if over_usb > 0 { over_usb } else { all.len() };
            all.into_iter().take(tried).map(|port| port.path).collect()
        }
    };
    for product in world.recovery() {
        found.add(Kind::RecoveryMode, None, recovery(product, board));
    }
    for port in &ports {
        look(world, port, board, &mut found);
    }
    if port.is_none() && over_usb == 0 {
        // A port of the computer's own is silent because nothing hangs at it.
        found.findings.retain(|finding| !matches!(finding.kind, Kind::Silent | Kind::BadPort));
        if found.units.is_empty() && found.findings.is_empty() {
            found.add(Kind::NoPort, None, NOT_PLUGGED_IN.into());
        }
    }
    found.findings.sort_by_key(|finding| finding.kind);
    found
}

impl Diagnosis {
    fn add(&mut self, kind: Kind, port: Option<&Path>, said: String) {
        self.findings.push(Finding { kind, trouble: None, port: port.map(Into::into), said });
    }
}

/// What a module in recovery mode means.
fn recovery(product: UsbProduct, board: Option<&Board>) -> String {
    let modules = Machine::in_recovery(product);
    let Some(first) = modules.first() else { return Machine::unknown_in_recovery(product) };
    let titles: Vec<String> = modules.iter().map(ToString::to_string).collect();
    let name = &first.board.name;
    let what =
        format!("a module lies in recovery mode (USB {NVIDIA:04x}:{product}): {}", titles.join(" or "));
    match board.filter(|board| board.name != *name) {
        Some(board) => {
            format!("{what}, and not a {}; exchange the module, or use board `{name}`", board.title)
        }
        None => format!(
            "{what}; put a system onto it with `cargo xtask provision --board {name}`, or take its recovery jumper off and switch it off and on"
        ),
    }
}

fn look(world: &dyn World, port: &Path, board: Option<&Board>, found: &mut Diagnosis) {
    let error = match world.ask(port, BAUD, PATIENCE) {
        Ok(answers) => return judge(port, answers, board, found),
        Err(error) => error,
    };
    let shown = port.display();
    let (kind, said) = match &error {
        Error::Open { why: Closed::Missing, .. } => (Kind::NoPort, error.to_string()),
        Error::Open { why: Closed::Forbidden, .. } => {
            let group = world.group_of(port).unwrap_or_else(|| "dialout".into());
            let next = format!("run `sudo usermod -aG {group} $USER`, then log out and in again");
            (
                Kind::NoPermission,
                format!("this user may not open {shown}, which belongs to the group `{group}`; {next}"),
            )
        }
        Error::Open { why: Closed::Taken, .. } => match world.holder_of(port) {
            Some(holder) => (Kind::PortBusy, format!("{holder} has {shown} open; end it")),
            None => (Kind::PortBusy, error.to_string()),
        },
        Error::Open { .. } => (Kind::BadPort, error.to_string()),
        Error::Silent { .. } | Error::Garbage { .. } => match other_speed(world, port) {
            Some(baud) => (
                Kind::WrongBaud,
                format!(
                    "the unit on {shown} speaks at {baud} bits a second, and tools begin at {BAUD}; start `signpost serve` there without --baud"
                ),
            ),
            None if matches!(error, Error::Silent { .. }) => (Kind::Silent, error.to_string()),
            None => (Kind::NoUnit, error.to_string()),
        },
        Error::Echo { .. } => (Kind::NoUnit, error.to_string()),
        Error::Version { .. } | Error::UnitTooOld { .. } | Error::ToolTooOld { .. } => {
            (Kind::OldVersion, error.to_string())
        }
        Error::NoAnswer { .. } | Error::Stuck { .. } | Error::Gone { .. } => {
            (Kind::Silent, error.to_string())
        }
        _ => (Kind::Unhealthy, error.to_string()),
    };
    found.add(kind, Some(port), said);
}

/// The speed at which a unit answers that does not at the first.
fn other_speed(world: &dyn World, port: &Path) -> Option<u32> {
    let speeds: &[u32] = if world.has_speed(port) { &SPEEDS } else { &[] };
    speeds.iter().copied().find(|baud| {
        matches!(world.ask(port, *baud, GLANCE), Ok(_) | Err(Error::Version { .. } | Error::NoAnswer { .. }))
    })
}

/// What a unit's own words mean.
fn judge(port: &Path, answers: Answers, board: Option<&Board>, found: &mut Diagnosis) {
    let Answers { hello, health, troubles } = answers;
    if let Some(wanted) = board.filter(|board| board.name != hello.board) {
        let said = format!(
            "the unit on {} is a `{}`, and not a `{}`; take the unit that is meant, or use --board {}",
            port.display(),
            hello.board,
            wanted.name,
            hello.board
        );
        found.add(Kind::WrongBoard, Some(port), said);
    }
    match troubles {
        None => {
            let said = format!(
                "the program of {} (version {}) is too old to say what is wrong with it; flash a newer bundle with `cargo xtask flash`",
                hello.unit, hello.product
            );
            found.add(Kind::OldVersion, Some(port), said);
        }
        Some(troubles) => found.findings.extend(troubles.into_iter().map(|trouble| Finding {
            // A wrong module explains whatever else is wrong.
            kind: if trouble.kind == "module" { Kind::WrongBoard } else { Kind::UnitTrouble },
            trouble: Some(trouble.kind),
            port: Some(port.into()),
            said: format!("{} says: {}", hello.unit, trouble.said),
        })),
    }
    if health.state.starts_with("on trial") {
        let said = format!(
            "version {} of {} has not proven itself yet; wait, or see with `cargo xtask monitor` what it lacks",
            hello.product, hello.unit
        );
        found.add(Kind::Unhealthy, Some(port), said);
    }
    if health.lost * 100 > (health.frames + health.lost) * LOST_PERCENT {
        let said = format!(
            "{} lost {} of {} frames; look with `cargo xtask monitor` for heat and for slow stages",
            hello.unit,
            health.lost,
            health.frames + health.lost
        );
        found.add(Kind::Unhealthy, Some(port), said);
    }
    if health.spoiled > 0 {
        let said = format!(
            "{} frames from {} arrived spoiled at the unit; take a shorter or a better cable",
            health.spoiled,
            port.display()
        );
        found.add(Kind::Unhealthy, Some(port), said);
    }
    let (unit, version) = (hello.unit, hello.product);
    found.units.push(Unit { port: port.into(), unit, board: hello.board, version, state: health.state });
}
