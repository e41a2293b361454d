//! What a unit does about its server's rollouts: one round after the other, each of which may be the last
//! before the power goes.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::Duration;

use boards::Board;
use hawkbit::ddi::{CancelAction, Execution, Finished, MaintenanceWindow, Reply, Type, Update};
use models::bundle::{Bundle, Keys, Sum};
use models::update::{self, Disk, Installed, Record, State, Unit};
use serde_json::json;

use crate::machine::Machine;
use crate::outcome::{Outcome, outcome};
use crate::server::{Progress, Server, download, tell, within};
use crate::task::{Stage, Task};
use crate::{Config, Error};

/// What the unit's record says is looked at so often while a version has yet to prove itself.
const LOOK: Duration = Duration::from_secs(5);
/// A server is asked no more often than this, whatever it says, and no less often than that.
const ASK: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(24 * 3600)];
/// A server that says nothing sensible about it is asked so often.
const ASK_BY_DEFAULT: Duration = Duration::from_secs(300);
/// A download is begun so often before it counts as failed.
const TRIES: u32 = 5;
/// A version that has neither proven itself nor fallen has so much more than its own time until the server hears.
const SLACK: Duration = Duration::from_secs(600);
/// Download, check and write, restart, proof.
const STEPS: u32 = 4;

/// A unit that takes part in rollouts.
pub struct Agent<D, M> {
    server: Server,
    disk: D,
    machine: M,
    keys: Keys,
    board: Board,
    /// Where downloads lie.
    downloads: PathBuf,
    confirm: bool,
    /// When the server is asked next; since the program began.
    next: Duration,
    /// Since when a version has had to prove itself; gone once the server heard that it takes long.
    trying: Option<Duration>,
}

impl<D: Disk, M: Machine> Agent<D, M> {
    /// A unit with its storage, of which downloads go into a folder of their own.
    ///
    /// # Errors
    /// [`Error::Address`].
    pub fn new(
        config: &Config,
        board: Board,
        keys: Keys,
        disk: D,
        downloads: PathBuf,
        machine: M,
    ) -> Result<Self, Error> {
        let server = Server::new(config)?;
        let (next, trying, confirm) = (Duration::ZERO, None, config.confirm);
        Ok(Self { server, disk, machine, keys, board, downloads, confirm, next, trying })
    }

    /// The storage.
    pub fn disk(&self) -> &D {
        &self.disk
    }

    /// The computer.
    pub fn machine(&mut self) -> &mut M {
        &mut self.machine
    }

    /// Does what there is to do, and gives how long nothing will be. `now` is the time since the program began.
    ///
    /// # Errors
    /// What went wrong on the way; it is tried again. What went wrong with a rollout is told to the server.
    pub async fn round(&mut self, now: Duration) -> Result<Duration, Error> {
        let ended = self.settle()?;
        if now < self.next && !ended {
            return Ok((self.next - now).min(LOOK));
        }
        let reply = self.server.poll().await?;
        let asked = reply.polling_sleep().ok().filter(|sleep| !sleep.is_zero()).unwrap_or(ASK_BY_DEFAULT);
        let sleep = asked.clamp(ASK[0], ASK[1]);
        self.next = now + sleep;
        self.answer(&reply, sleep, now).await?;
        let tries = Task::load(&self.disk).is_some_and(|task| matches!(task.stage, Stage::Trying { .. }));
        Ok(if tries { sleep.min(LOOK) } else { sleep })
    }

    /// Sees in the update's record what became of the version of the task; whether that is known now.
    fn settle(&mut self) -> Result<bool, Error> {
        let Some(mut task) = Task::load(&self.disk) else { return Ok(false) };
        let Some(held) = task.held() else { return Ok(false) };
        let record = Record::load(&self.disk);
        let version = held.version;
        let end = match (&task.stage, outcome(record.as_ref(), held)) {
            (Stage::Installing { .. }, Some(Outcome::Trying { left })) => {
                // The power went before the server heard of it. Nothing was started yet where all starts are left.
                task.stage = Stage::Trying { version, manifest: held.manifest };
                task.store(&self.disk)?;
                if left >= self.board.update.starts.max(1) {
                    self.restart();
                }
                return Ok(false);
            }
            (Stage::Installing { since, .. }, Some(Outcome::GivenUp(why))) => {
                // To be written, to wait, to be started and to be given up are four changes of the record.
                let fell = record.is_some_and(|record| {
                    record.state == State::Steady
                        && record.sequence >= since + 4
                        && record.fallen.is_some_and(|fallen| fallen.version == Some(version))
                });
                if !fell {
                    return Ok(false);
                }
                Stage::ended(false, format!("version {version} was given up: {why}"))
            }
            (_, Some(Outcome::GivenUp(why))) => {
                Stage::ended(false, format!("version {version} was given up: {why}"))
            }
            (_, Some(Outcome::Kept)) => {
                Stage::ended(true, format!("version {version} has proven itself and stays"))
            }
            (_, Some(Outcome::Trying { .. }) | None) => return Ok(false),
        };
        task.stage = end;
        task.store(&self.disk)?;
        Ok(true)
    }

    async fn answer(&mut self, reply: &Reply, sleep: Duration, now: Duration) -> Result<(), Error> {
        if let Some(request) = reply.config_data_request() {
            let version = Record::load(&self.disk).and_then(|record| record.version());
            let version = version.map_or_else(|| "none".into(), |version| version.to_string());
            let data = json!({ "board": self.board.name, "version": version });
            let sent = request.upload(Execution::Closed, Finished::Success, None, data, Vec::new());
            within("tell the server what this unit is", sent).await?;
        }
        if let Some(cancel) = reply.cancel_action() {
            return self.cancel(&cancel).await;
        }
        if let Some(request) = reply.confirmation_base() {
            if self.confirm {
                within("confirm the rollout", request.confirm()).await?;
            } else {
                self.machine.say("a rollout waits to be confirmed; do it on the server");
            }
        }
        let Some(offered) = reply.update() else { return self.nothing_wanted() };
        let update = within("ask what is to be installed", offered.fetch()).await?;
        self.deploy(&update, sleep, now).await
    }

    /// The server has nothing for this unit: what ended was heard of, what was begun is not wanted any more.
    fn nothing_wanted(&mut self) -> Result<(), Error> {
        match Task::load(&self.disk) {
            // Whatever the server thinks of it, the version on trial is the unit's own affair.
            Some(Task { stage: Stage::Trying { .. }, .. }) | None => Ok(()),
            Some(_) => self.forget(),
        }
    }

    fn forget(&mut self) -> Result<(), Error> {
        self.throw_away();
        Task::forget(&self.disk)
    }

    /// Removes downloads. Where that fails they are found, or removed, another time.
    fn throw_away(&self) {
        let _ = fs::remove_dir_all(&self.downloads);
    }

    async fn cancel(&mut self, cancel: &CancelAction) -> Result<(), Error> {
        let action = within("ask what is cancelled", cancel.id()).await?;
        let (done, said) = match Task::load(&self.disk).filter(|task| task.action == action) {
            Some(Task { stage: Stage::Trying { version, .. }, .. }) => {
                (false, format!("version {version} is on trial already; it stays or falls by itself"))
            }
            Some(Task { stage: Stage::Ended { said, .. }, .. }) => (false, format!("it is over: {said}")),
            task => {
                if task.is_some() {
                    self.forget()?;
                }
                (true, "nothing of it was installed".into())
            }
        };
        self.machine.say(&format!("the server cancels action {action}: {said}"));
        let (execution, finished) = if done {
            (Execution::Canceled, Finished::Success)
        } else {
            (Execution::Rejected, Finished::Failure)
        };
        let sent = cancel.send_feedback(execution, finished, vec![&said]);
        within("answer that an action is cancelled", sent).await
    }

    async fn deploy(&mut self, update: &Update, sleep: Duration, now: Duration) -> Result<(), Error> {
        let action = update.action_id();
        let mut task = match Task::load(&self.disk) {
            Some(task) if task.action == action => task,
            Some(Task { stage: Stage::Trying { version, .. }, .. }) => {
                self.machine.say(&format!("another rollout waits until version {version} stays or falls"));
                return Ok(());
            }
            _ => {
                self.throw_away();
                let task = Task { action: action.into(), stage: Stage::Fetching { tries: 0 } };
                task.store(&self.disk)?;
                let progress = Progress { cnt: 0, of: STEPS };
                tell(update, Execution::Download, Finished::None, progress, "downloading").await?;
                task
            }
        };
        match task.stage {
            Stage::Ended { .. } => self.tell_end(update, &task).await,
            Stage::Trying { version, .. } => {
                let since = *self.trying.get_or_insert(now);
                let limits = &self.board.update;
                let own = Duration::from_secs(u64::from(limits.prove_s) * u64::from(limits.starts.max(1)));
                if now.checked_sub(since).is_some_and(|waited| waited > own + SLACK) {
                    self.trying = Some(Duration::MAX);
                    let said = format!(
                        "version {version} has neither proven itself nor fallen; see whether the unit's service runs"
                    );
                    let progress = Progress { cnt: 3, of: STEPS };
                    tell(update, Execution::Proceeding, Finished::None, progress, &said).await?;
                }
                Ok(())
            }
            Stage::Fetching { .. } | Stage::Installing { .. } => {
                let Err(error) = self.take(update, &mut task, sleep).await else { return Ok(()) };
                let tries = match task.stage {
                    Stage::Fetching { tries } => tries + 1,
                    _ => 1,
                };
                if error.is_final() || error.is_of_the_way() && tries >= TRIES {
                    task.stage = Stage::ended(false, error.to_string());
                    task.store(&self.disk)?;
                    return self.tell_end(update, &task).await;
                }
                if error.is_of_the_way() {
                    task.stage = Stage::Fetching { tries };
                    task.store(&self.disk)?;
                }
                Err(error)
            }
        }
    }

    /// Downloads, checks and installs, and starts the new version.
    async fn take(&mut self, update: &Update, task: &mut Task, sleep: Duration) -> Result<(), Error> {
        if update.download_type() == Type::Skip {
            return Ok(());
        }
        let free = self.disk.free();
        let free = free.map_err(|e| Error::Disk { doing: "ask for free space", said: e.to_string() })?;
        // An action's number names its folder, so that nothing is put behind the beginning of another file.
        let folder = self.downloads.join(&Sum::of(task.action.as_bytes()).to_string()[..16]);
        let ending = format!("-{}.bundle", self.board.name);
        let came = download(update, &ending, &folder, free, sleep, || self.is_wanted(&task.action)).await?;
        let Some(path) = came else { return Ok(()) };
        let window = update.maintenance_window();
        if update.update_type() == Type::Skip || window == Some(MaintenanceWindow::Unavailable) {
            return Ok(());
        }
        let unread =
            |e: std::io::Error| Error::Disk { doing: "read what was downloaded", said: e.to_string() };
        let mut bundle = Bundle::open(File::open(&path).map_err(unread)?, &self.keys)?;
        let version = bundle.manifest().version;
        let manifest = Sum::of(bundle.text());
        let running = self.machine.running()?;
        let since = Record::load(&self.disk).map_or(0, |record| record.sequence);
        task.stage = Stage::Installing { version, manifest, since };
        task.store(&self.disk)?;
        let said = format!("installing version {version}");
        self.progress(update, 1, &said).await;
        let unit = Unit {
            board: &self.board.name,
            slot_bytes: u64::from(self.board.storage.slot_mb) * 1_000_000,
            starts: self.board.update.starts,
            running,
        };
        let installed = update::install(&self.disk, &mut bundle, &unit, &mut |_| {})?;
        let settled = Record::load(&self.disk).is_some_and(|record| record.state == State::Steady);
        if matches!(installed, Installed::RunsAlready(_)) && settled {
            task.stage = Stage::ended(true, format!("version {version} runs already"));
            task.store(&self.disk)?;
            return self.tell_end(update, task).await;
        }
        if !self.is_wanted(&task.action).await {
            // Nothing was started yet; the next round answers the server.
            update::roll_back(&self.disk, "the server cancelled it")?;
            task.stage = Stage::Fetching { tries: 0 };
            return task.store(&self.disk);
        }
        // The record of an update of differences names the same files by another manifest.
        let manifest = waiting(&self.disk).unwrap_or(manifest);
        task.stage = Stage::Trying { version, manifest };
        task.store(&self.disk)?;
        self.throw_away();
        let said = format!("version {version} is installed; restarting the unit to try it");
        self.progress(update, 2, &said).await;
        if !matches!(installed, Installed::RunsAlready(_)) {
            self.restart();
        }
        Ok(())
    }

    /// Whether the server has not cancelled an action meanwhile. A server that cannot be asked has not.
    async fn is_wanted(&self, action: &str) -> bool {
        let Ok(reply) = self.server.poll().await else { return true };
        let Some(cancel) = reply.cancel_action() else { return true };
        within("ask what is cancelled", cancel.id()).await.map_or(true, |cancelled| cancelled != action)
    }

    /// Where the server does not hear how far it is, it hears how it ended.
    async fn progress(&mut self, update: &Update, cnt: u32, said: &str) {
        self.machine.say(said);
        let progress = Progress { cnt, of: STEPS };
        if let Err(error) = tell(update, Execution::Proceeding, Finished::None, progress, said).await {
            self.machine.say(&error.to_string());
        }
    }

    async fn tell_end(&mut self, update: &Update, task: &Task) -> Result<(), Error> {
        let Stage::Ended { kept, said } = &task.stage else { return Ok(()) };
        self.machine.say(said);
        self.throw_away();
        self.trying = None;
        let (finished, cnt) = if *kept { (Finished::Success, STEPS) } else { (Finished::Failure, 0) };
        tell(update, Execution::Closed, finished, Progress { cnt, of: STEPS }, said).await
    }

    fn restart(&mut self) {
        if let Err(error) = self.machine.restart() {
            // The version waits for whoever starts the unit next.
            self.machine.say(&error.to_string());
        }
    }
}

/// The manifest of the version that waits or is on trial.
fn waiting(disk: &impl Disk) -> Option<Sum> {
    let record = Record::load(disk)?;
    let State::Trial { slot, .. } = record.state else { return None };
    Some(record.held(slot)?.manifest)
}
