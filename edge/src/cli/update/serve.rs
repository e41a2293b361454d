//! `signpost serve`: the unit's end of the technician's cable.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use models::link::message::Caption;
use models::link::tty::{BAUD, Port};
use models::link::{Duties, Error, Staging, Unit};

use super::duties::Bench;
use super::told::{HealthFile, hand_over};
use super::watch::Watch;
use super::{Home, Place, computer};

/// Nothing is waited for longer than this.
const STEP: Duration = Duration::from_millis(50);
/// A port that is gone is looked for so often.
const LOOK: Duration = Duration::from_millis(500);
/// Before it restarts the unit says so, also to who asks again.
const GRACE: Duration = Duration::from_millis(1500);

/// Answers a technician's tool: health, files, installing, confirming, rolling back.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    cable: Cable,
    /// What a version on trial has to see, for example /dev/video0; without it a technician confirms
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
}

/// A unit's end of the cable, and what it tells of itself.
#[derive(Debug, Clone, Args)]
pub struct Cable {
    /// The serial port, where it is not the board's
    #[arg(long, value_name = "PATH")]
    port: Option<PathBuf>,
    /// Bits a second, for ports that have a speed
    #[arg(long, default_value_t = BAUD)]
    baud: u32,
    /// What tells this unit from others; the computer's name where not given
    #[arg(long, value_name = "NAME")]
    unit: Option<String>,
    /// Writes there every few seconds how the unit is, for whoever tells others of it
    #[arg(long, value_name = "FILE.json")]
    health: Option<PathBuf>,
}

impl Cable {
    /// The cable of a unit; none where the board has no port and none was named.
    pub(crate) fn line(&self, home: &Home) -> Option<Line> {
        let port = self.port.clone().or_else(|| home.port())?;
        Some(Line { port, baud: self.baud, staging: home.staging() })
    }

    /// What tells the unit from others.
    pub fn name(&self) -> String {
        self.unit.clone().unwrap_or_else(computer)
    }

    /// The file of its health, where one is kept.
    pub fn health(&self) -> Option<HealthFile> {
        self.health.clone().map(HealthFile::new)
    }
}

impl Serve {
    /// Serves until the unit has to start another version.
    ///
    /// # Errors
    /// Where the port or the unit's folder cannot be used.
    pub fn run(self) -> anyhow::Result<()> {
        let home = self.place.open()?;
        let line = self.cable.line(&home);
        let line = line.context("this board has no port of its own; name one with --port")?;
        let watch = self.source.as_ref().map(|source| Watch::start(source, &home.board)).transpose()?;
        let bench = Bench::new(home, self.cable.name(), Staging::open(&line.staging)?, watch);
        // A port that cannot be used at all is said at once; later it may come and go.
        let open = Port::open(&line.port, line.baud)?;
        serve(Some(&line), Some(open), bench, self.cable.health())
    }
}

/// What a unit does beside answering.
pub trait OnDuty: Duties {
    /// Time has passed since the service began. Gives what is worth a line in the log.
    fn judge(&mut self, now: Duration) -> Option<String>;

    /// Whether the program is to end, so that another version is started.
    fn wants_restart(&self) -> bool;

    /// Whether the program ends anyway.
    fn is_over(&self) -> bool {
        false
    }

    /// What was read since, for a tool that listens.
    fn caption(&mut self) -> Option<Caption> {
        None
    }
}

impl OnDuty for Bench {
    fn judge(&mut self, now: Duration) -> Option<String> {
        Bench::judge(self, now)
    }

    fn wants_restart(&self) -> bool {
        Bench::wants_restart(self)
    }
}

/// A cable, and where files go that come along it.
pub struct Line {
    /// The serial port.
    pub port: PathBuf,
    /// Bits a second.
    pub baud: u32,
    /// The folder.
    pub staging: PathBuf,
}

/// Serves a cable that may come and go, until the program has to end; without one, all the other duties are done, of
/// which keeping a file of the unit's health is one.
///
/// # Errors
/// Where the folder cannot be used, or the cable breaks in a way that no other attempt mends.
pub fn serve(
    line: Option<&Line>,
    mut open: Option<Port>,
    mut duties: impl OnDuty,
    mut health: Option<HealthFile>,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        if let (Some(port), Some(line)) = (open.take(), line) {
            let mut unit = Unit::new(port, Staging::open(&line.staging)?, duties);
            if serve_port(&mut unit, begun, &mut health)? {
                return Ok(());
            }
            duties = unit.into_duties();
        }
        let now = begun.elapsed();
        if let Some(said) = duties.judge(now) {
            journal::info!("{}", said.as_str());
        }
        if let Some(health) = &mut health {
            health.keep(&mut duties, now);
        }
        if duties.wants_restart() || duties.is_over() {
            return Ok(());
        }
        open = line.and_then(|line| Port::open(&line.port, line.baud).ok());
        if open.is_none() {
            std::thread::sleep(LOOK);
        }
    }
}

/// Serves one port; `false` when it is gone, `true` when the program is to end.
fn serve_port(
    unit: &mut Unit<Port, impl OnDuty>,
    begun: Instant,
    health: &mut Option<HealthFile>,
) -> anyhow::Result<bool> {
    let mut leaving = None;
    loop {
        match unit.step(STEP) {
            Ok(()) => {}
            Err(Error::Gone { said, .. }) => {
                journal::warn!("the link was reset: {}", said.as_str());
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        }
        let now = begun.elapsed();
        if let Some(said) = unit.duties().judge(now) {
            journal::info!("{}", said.as_str());
        }
        hand_over(unit);
        if let Some(health) = health {
            health.keep(unit.duties(), now);
        }
        while let Some(caption) = unit.duties().caption() {
            unit.caption(caption);
        }
        if unit.duties().is_over() {
            return Ok(true);
        }
        if unit.duties().wants_restart() && now >= *leaving.get_or_insert(now + GRACE) {
            journal::info!("restarting");
            hand_over(unit);
            return Ok(true);
        }
    }
}
