//! A unit at the other end of a cable: opened, greeted, and found again after it restarted.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use models::link::tty::{BAUD, Port};
use models::link::{Error, Tool};

use crate::ui::Ui;

/// A unit answers within milliseconds; one that is starting, within seconds.
const GREETING: Duration = Duration::from_secs(5);
/// A unit that restarts is asked so often whether it is back.
const AGAIN: Duration = Duration::from_millis(500);

/// Which cable, and how fast.
#[derive(Debug, clap::Args)]
pub struct Cable {
    /// The serial port that leads to the unit
    #[arg(long, value_name = "PATH")]
    port: PathBuf,
    /// Bits a second for ports that have a speed; both ends change to it
    #[arg(long)]
    baud: Option<u32>,
}

impl Cable {
    /// Greets the unit.
    ///
    /// # Errors
    /// What is there instead of a unit, and what to do.
    pub fn connect(&self, ui: &Ui) -> Result<Tool<Port>, Error> {
        let port = Port::open(&self.port, BAUD)?;
        let mut tool = Tool::connect(port, env!("CARGO_PKG_VERSION"), GREETING)?;
        if let Some(baud) = self.baud {
            match tool.speed(baud)? {
                Some(baud) => ui.step(&format!("{baud} bits a second")),
                None => ui.step("this port has no speed; --baud changes nothing"),
            }
        }
        Ok(tool)
    }

    /// Waits until a unit answers of whom this is true.
    ///
    /// # Errors
    /// Where the time is over: the last thing that was seen.
    pub fn wait_for(
        &self,
        patience: Duration,
        ui: &Ui,
        mut is_it: impl FnMut(&mut Tool<Port>) -> Result<bool, Error>,
    ) -> Result<Option<Tool<Port>>, Error> {
        let until = Instant::now() + patience;
        loop {
            let last = match self.connect(ui) {
                Ok(mut tool) => match is_it(&mut tool) {
                    Ok(true) => return Ok(Some(tool)),
                    Ok(false) => Ok(None),
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            };
            if Instant::now() >= until || last.as_ref().is_err_and(|error| !error.is_gone()) {
                return last;
            }
            std::thread::sleep(AGAIN);
        }
    }
}
