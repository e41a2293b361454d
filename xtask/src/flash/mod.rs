//! `cargo xtask flash`: a bundle to one unit, to several at once, or onto a USB stick.

mod deliver;
mod stick;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use models::link::tty::BAUD;
use serde_json::{Value, json};

use crate::doctor::world::{Here, World};
use crate::ui::{Ui, sentence};
use crate::unit::Cable;
use deliver::{Extent, Parcel, deliver};

/// With --all, who does not answer within this time is no unit.
const GLANCE: Duration = Duration::from_secs(2);

/// Brings a bundle to units: checks it, sends it, installs it, and waits until the new version is kept.
#[derive(Debug, clap::Args)]
pub struct Flash {
    /// The bundle that `cargo xtask bundle` wrote
    file: PathBuf,
    /// The serial port of a unit; several may be given, and all are served at once
    #[arg(long, value_name = "PATH", required_unless_present_any = ["all", "usb_stick"])]
    port: Vec<PathBuf>,
    /// All units that hang at this computer's USB ports
    #[arg(long, conflicts_with_all = ["port", "usb_stick"])]
    all: bool,
    /// Copies it to a USB stick that is mounted at this folder; `signpost install FOLDER` takes it from there
    #[arg(long, value_name = "FOLDER", conflicts_with = "port")]
    usb_stick: Option<PathBuf>,
    /// Bits a second for ports that have a speed; both ends change to it
    #[arg(long)]
    baud: Option<u32>,
    /// Only sends it; the unit installs nothing
    #[arg(long)]
    only_send: bool,
    /// Only says whether the bundle is for these units
    #[arg(long)]
    dry_run: bool,
    /// Prints one JSON object a unit
    #[arg(long)]
    json: bool,
}

impl Flash {
    /// Runs the command. Run again, it goes on where it was, and does nothing twice.
    ///
    /// # Errors
    /// What stands in the way, and what to do; of several units, which did not take it.
    pub fn run(&self, ui: &Ui) -> anyhow::Result<()> {
        let parcel = Parcel::open(&self.file)?;
        if let Some(stick) = &self.usb_stick {
            return self.onto(stick, &parcel, ui);
        }
        let ports = if self.all { found(ui)? } else { self.port.clone() };
        let extent = match (self.dry_run, self.only_send) {
            (true, _) => Extent::Look,
            (_, true) => Extent::Send,
            _ => Extent::Keep,
        };
        let cable = |port: &PathBuf| Cable::at(port.clone(), self.baud);
        if let [port] = ports.as_slice() {
            let end = deliver(&parcel, &cable(port), extent, ui)?;
            self.say(ui, &parcel, port, Ok(end));
            return Ok(());
        }
        let mut ends = Vec::new();
        std::thread::scope(|scope| {
            let start = |port| {
                let (cable, ui, parcel) = (cable(port), ui.about(short(port)), &parcel);
                (port, scope.spawn(move || deliver(parcel, &cable, extent, &ui)))
            };
            let running: Vec<_> = ports.iter().map(start).collect();
            for (port, thread) in running {
                let end =
                    thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("this tool broke down; report it")));
                ends.push((port, end));
            }
        });
        for (port, end) in &ends {
            let end = end.as_ref().map(|end| *end).map_err(sentence);
            self.say(ui, &parcel, port, end);
        }
        let failed: Vec<String> =
            ends.iter().filter(|(_, end)| end.is_err()).map(|(port, _)| short(port)).collect();
        if !failed.is_empty() {
            let (count, of, names) = (failed.len(), ends.len(), failed.join(", "));
            bail!(
                "{count} of {of} units did not take it ({names}); do what their lines say, and run this again"
            );
        }
        Ok(())
    }

    fn onto(&self, stick: &Path, parcel: &Parcel, ui: &Ui) -> anyhow::Result<()> {
        let (path, there) = stick::copy(parcel, stick, self.dry_run, ui)?;
        let end = match (there, self.dry_run) {
            (true, _) => "is there already",
            (_, true) => "fits",
            _ => "written and read back",
        };
        let (version, board) = (parcel.manifest.version, &parcel.manifest.board);
        self.print(ui, json!({ "file": path, "version": version, "board": board, "end": end }), || {
            format!("{}: version {version} for {board}: {end}", path.display())
        });
        Ok(())
    }

    fn say(&self, ui: &Ui, parcel: &Parcel, port: &Path, end: Result<&str, String>) {
        let (version, board) = (parcel.manifest.version, &parcel.manifest.board);
        let mut said = json!({ "port": port, "version": version, "board": board });
        match &end {
            Ok(end) => said["end"] = (*end).into(),
            Err(error) => {
                said["end"] = "failed".into();
                said["said"] = error.as_str().into();
            }
        }
        let end = end.map_or_else(|error| format!("failed: {error}"), Into::into);
        self.print(ui, said, || format!("{}: version {version} for {board}: {end}", port.display()));
    }

    fn print(&self, ui: &Ui, event: Value, words: impl FnOnce() -> String) {
        ui.answer(&if self.json { event.to_string() } else { words() });
    }
}

/// The ports at which a unit answers.
fn found(ui: &Ui) -> anyhow::Result<Vec<PathBuf>> {
    let here = Here::default();
    let ports = here.ports().into_iter().filter(|port| port.usb.is_some()).map(|port| port.path);
    let answers = |port: &PathBuf| match here.ask(port, BAUD, GLANCE) {
        Ok(answers) => {
            ui.step(&format!("{}: {} ({})", port.display(), answers.hello.unit, answers.hello.board));
            true
        }
        Err(error) => {
            ui.step(&format!("left out: {error}"));
            false
        }
    };
    let units: Vec<PathBuf> = ports.filter(answers).collect();
    let none = "no unit answers at this computer's USB ports; see with `cargo xtask doctor` why";
    (!units.is_empty()).then_some(units).context(none)
}

/// A port's name without its folder.
fn short(port: &Path) -> String {
    port.strip_prefix("/dev").unwrap_or(port).display().to_string()
}
