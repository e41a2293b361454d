//! The thread link: what a kiosk does for a technician's tool, and for the clerk's.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use models::link::message::{Caption, Hash, Health, Hello, Trouble as Told, Word};
use models::link::{Duties, Staging};
use models::update::proof::Sign;

use super::heart::Part;
use super::session::WAITING;
use super::shared::{Ending, News, Request, Shared, Trouble};
use crate::cli::update::Home;
use crate::cli::update::duties::Bench;
use crate::cli::update::serve::{Cable, OnDuty, serve};
use crate::cli::update::watch::Watch;

/// A text is signed within so long, or it is said that it was not.
const SIGNED_WITHIN: Duration = Duration::from_secs(8);
/// The screen is there within so long.
const SHOT_WITHIN: Duration = Duration::from_secs(4);

/// Signs of health that may wait for whoever judges them.
const SIGNS: usize = 256;

/// What serves the cable, and how.
pub struct Serving {
    pub shared: Arc<Shared>,
    pub home: Home,
    /// Where the board has no port and none was named, only a version on trial is judged.
    pub cable: Cable,
    /// Whether a version on trial has anything that it could prove itself with.
    pub has_camera: bool,
}

impl Serving {
    /// Serves until the unit ends.
    ///
    /// # Errors
    /// Where the folder for files cannot be used, or the cable breaks for good.
    pub fn run(&self) -> anyhow::Result<()> {
        let (proof, news) = sync_channel(SIGNS);
        let staging = Staging::open(&self.home.staging())?;
        let watch = self.has_camera.then(|| Watch::listening(news));
        let bench = Bench::new(self.home.clone(), self.cable.name(), staging, watch);
        let desk = Desk { bench, shared: Arc::clone(&self.shared), proof };
        let _at_work = self.shared.at_work(Part::Link);
        serve(self.cable.line(&self.home).as_ref(), None, desk, self.cable.health())
    }
}

/// A kiosk's duties: the bench's, with what only a kiosk knows.
struct Desk {
    bench: Bench,
    shared: Arc<Shared>,
    /// To whoever judges a version on trial.
    proof: SyncSender<Result<Sign, String>>,
}

impl OnDuty for Desk {
    fn judge(&mut self, now: Duration) -> Option<String> {
        self.shared.beat(Part::Link);
        while let Some(sign) = self.shared.signs.take(Duration::ZERO) {
            if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.proof.try_send(Ok(sign))
            {
                break;
            }
        }
        let said = self.bench.judge(now);
        if self.bench.wants_restart() {
            self.shared.set_state("restarting");
        }
        said
    }

    fn wants_restart(&self) -> bool {
        self.bench.wants_restart()
    }

    fn is_over(&self) -> bool {
        self.shared.ending().is_some()
    }

    fn caption(&mut self) -> Option<Caption> {
        self.shared.captions.take(Duration::ZERO)
    }
}

impl Duties for Desk {
    fn hello(&self) -> Hello {
        self.bench.hello()
    }

    fn health(&mut self) -> Health {
        let health = self.bench.health();
        let now = self.shared.now();
        let state = match (self.shared.state(), health.state.as_str()) {
            (state, "ready") => state.to_lowercase(),
            // What becomes of a version is told as well.
            (state, version) => format!("{}; {version}", state.to_lowercase()),
        };
        let logs_dropped = journal::dropped();
        let mut vitals = self.shared.vitals();
        let (fps, stages) = (vitals.rate("vision", now), vitals.stages(now));
        let (frames, lost) = (vitals.frames, vitals.lost);
        Health { uptime_s: now.as_secs(), state, fps, frames, lost, stages, logs_dropped, ..health }
    }

    fn troubles(&mut self) -> Vec<Told> {
        let mut all: Vec<Told> =
            self.shared.troubles().iter().map(|(trouble, said)| Told::new(trouble.kind(), said)).collect();
        all.extend(crash(self.shared.crashes().kept()));
        // Of one kind the kiosk knows more than who only looks whether a device is there.
        let known: Vec<String> = all.iter().map(|told| told.kind.clone()).collect();
        all.extend(self.bench.troubles().into_iter().filter(|told| !known.contains(&told.kind)));
        all
    }

    fn sign(&mut self, text: &str) -> Result<(Vec<Word>, u32), String> {
        let troubles = self.shared.troubles();
        if let Some((_, said)) = troubles.iter().find(|(trouble, _)| *trouble == Trouble::Signing) {
            return Err(said.clone());
        }
        if self.shared.waiting() >= WAITING {
            return Err(format!("{WAITING} texts wait already; send it again when some are signed"));
        }
        let (answer, answered) = sync_channel(1);
        self.shared.news.push(News::Came(text.into()));
        self.shared.requests.push(Request { text: text.into(), answer });
        let late =
            "it has not been signed in time; look at the screen, and send it again where it is not there";
        answered.recv_timeout(SIGNED_WITHIN).unwrap_or_else(|_| Err(late.into()))
    }

    fn screenshot(&mut self) -> Result<Vec<u8>, String> {
        let (answer, answered) = sync_channel(1);
        self.shared.news.push(News::Shot(answer));
        let late = "its screen does not answer; wait until it is started anew";
        answered.recv_timeout(SHOT_WITHIN).unwrap_or_else(|_| Err(late.into()))
    }

    fn install(&mut self, file: &Hash) -> Result<(), String> {
        // As long as its storage takes to write and read a bundle.
        self.shared.heart().rest(Part::Link);
        let installed = self.bench.install(file);
        self.shared.beat(Part::Link);
        installed
    }

    fn confirm(&mut self) -> Result<(), String> {
        self.bench.confirm()
    }

    fn roll_back(&mut self) -> Result<(), String> {
        self.bench.roll_back()
    }
}

impl Drop for Desk {
    /// Where the link ends because another version is to start, the program does.
    fn drop(&mut self) {
        if self.bench.wants_restart() {
            self.shared.end(Ending::Restart);
        }
    }
}

/// What broke, in a sentence.
fn crash(kept: &super::crash::Kept) -> Option<Told> {
    let last = kept.last.as_ref()?;
    let row = match kept.in_a_row {
        0 => "it has been well since".to_owned(),
        n => format!("{n} in a row, and it has not been well since"),
    };
    let said = format!(
        "the thread `{}` of version {} broke at {} after {} s ({}); {row}; report it with the log of its service",
        last.thread, last.version, last.at, last.uptime_s, last.said
    );
    Some(Told::new("crash", &said))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kiosk::crash::{Crash, Kept};

    #[test]
    fn what_broke_is_told_in_a_sentence_that_fits() {
        let last = Crash {
            at: "2026-11-22T07:00:00Z".into(),
            thread: "vision".into(),
            said: "x".repeat(240),
            version: "1.2.3".into(),
            uptime_s: 7,
        };
        assert_eq!(crash(&Kept::default()), None);
        let told = crash(&Kept { in_a_row: 3, last: Some(last), running: None }).unwrap();
        assert!(
            told.said.starts_with("the thread `vision` of version 1.2.3 broke at 2026-11-22"),
            "{told:?}"
        );
    }
}
