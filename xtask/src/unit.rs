//! A unit at the other end of a cable: opened and greeted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use models::link::tty::{BAUD, Port};
use models::link::{Error, Tool};

use crate::ui::Ui;

/// A unit answers within milliseconds; one that is starting, within seconds.
const GREETING: Duration = Duration::from_secs(5);

/// Which cable, and how fast.
#[derive(Debug, Clone, clap::Args)]
pub struct Cable {
    /// The serial port that leads to the unit
    #[arg(long, value_name = "PATH")]
    port: PathBuf,
    /// Bits a second for ports that have a speed; both ends change to it
    #[arg(long)]
    baud: Option<u32>,
}

impl Cable {
    /// A cable at a port.
    pub fn at(port: PathBuf, baud: Option<u32>) -> Self {
        Self { port, baud }
    }

    /// The port.
    pub fn port(&self) -> &Path {
        &self.port
    }

    /// Greets the unit.
    ///
    /// # Errors
    /// What is there instead of a unit, and what to do.
    pub fn connect(&self, ui: &Ui) -> Result<Tool<Port>, Error> {
        let (tool, speed) = self.reach()?;
        match (self.baud, speed) {
            (Some(_), Some(baud)) => ui.step(&format!("{baud} bits a second")),
            (Some(_), None) => ui.step("this port has no speed; --baud changes nothing"),
            (None, _) => {}
        }
        Ok(tool)
    }

    /// The same without a word, for who asks again and again; gives the speed that was set.
    ///
    /// # Errors
    /// What is there instead of a unit, and what to do.
    pub fn reach(&self) -> Result<(Tool<Port>, Option<u32>), Error> {
        let port = Port::open(&self.port, BAUD)?;
        let mut tool = Tool::connect(port, env!("CARGO_PKG_VERSION"), GREETING)?;
        let speed = self.baud.map(|baud| tool.speed(baud)).transpose()?.flatten();
        Ok((tool, speed))
    }
}
