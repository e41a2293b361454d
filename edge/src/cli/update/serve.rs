//! `signpost serve`: the unit's end of the technician's cable.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use models::link::tty::{BAUD, Port};
use models::link::{Error, Staging, Unit};

use super::duties::Bench;
use super::watch::Watch;
use super::{Place, computer, told};

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
    /// The serial port, where it is not the board's
    #[arg(long, value_name = "PATH")]
    port: Option<PathBuf>,
    /// Bits a second, for ports that have a speed
    #[arg(long, default_value_t = BAUD)]
    baud: u32,
    /// What tells this unit from others; the computer's name where not given
    #[arg(long, value_name = "NAME")]
    unit: Option<String>,
    /// What a version on trial has to see, for example /dev/video0; without it a technician confirms
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// Writes there every few seconds how the unit is, for whoever tells others of it
    #[arg(long, value_name = "FILE.json")]
    health: Option<PathBuf>,
}

impl Serve {
    /// Serves until the unit has to start another version.
    ///
    /// # Errors
    /// Where the port or the unit's folder cannot be used.
    pub fn run(self) -> anyhow::Result<()> {
        let home = self.place.open()?;
        let port = self.port.clone().or_else(|| Some(home.board.link.as_ref()?.port.clone().into()));
        let port = port.context("this board has no port of its own; name one with --port")?;
        let staging = home.root.join("staging");
        let watch = self.source.as_ref().map(|source| Watch::start(source, &home.board)).transpose()?;
        let name = self.unit.clone().unwrap_or_else(computer);
        let mut bench = Bench::new(home, name, Staging::open(&staging)?, watch);
        let begun = Instant::now();
        let mut open = Port::open(&port, self.baud)?;
        let mut health = self.health.clone().map(told::HealthFile::new);
        loop {
            let mut unit = Unit::new(open, Staging::open(&staging)?, bench);
            if serve(&mut unit, begun, &mut health)? {
                return Ok(());
            }
            bench = unit.into_duties();
            let Some(again) = self.reopen(&port, &mut bench, begun) else { return Ok(()) };
            open = again;
        }
    }

    /// Looks for a port that is gone; `None` where the unit has to restart meanwhile.
    fn reopen(&self, port: &Path, bench: &mut Bench, begun: Instant) -> Option<Port> {
        loop {
            if let Some(said) = bench.judge(begun.elapsed()) {
                journal::info!("{}", said.as_str());
            }
            if bench.wants_restart() {
                return None;
            }
            if let Ok(port) = Port::open(port, self.baud) {
                return Some(port);
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// Serves one port; `false` when it is gone, `true` when the unit is to restart.
fn serve(
    unit: &mut Unit<Port, Bench>,
    begun: Instant,
    health: &mut Option<told::HealthFile>,
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
        told::hand_over(unit);
        if let Some(health) = health {
            health.keep(unit.duties(), now);
        }
        if unit.duties().wants_restart() && now >= *leaving.get_or_insert(now + GRACE) {
            journal::info!("restarting");
            told::hand_over(unit);
            return Ok(true);
        }
    }
}
