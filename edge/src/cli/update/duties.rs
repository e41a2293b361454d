//! What a unit does for a technician's tool.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use models::bundle::{Bundle, Version};
use models::link::message::{Hash, Health, Hello, Temperature, Trouble};
use models::link::{Duties, Staging};
use models::update::proof::{Proof, Verdict};
use models::update::slot::whole;
use models::update::{self, Installed, Record, State};

use super::proven::Proven;
use super::watch::Watch;
use super::{Home, troubles};

/// The most sensors that are told of: more would not fit into an answer.
const SENSORS: usize = 32;
/// Where the kernel shows them.
pub const ZONES: &str = "/sys/class/thermal";

/// A unit, as its technician's tool knows it.
pub struct Bench {
    home: Home,
    /// What tells it from others of its kind.
    name: String,
    /// Of the slot that runs, or of this program where it is in none.
    version: String,
    staging: Staging,
    watch: Option<Watch>,
    /// Of a version on trial.
    proof: Option<Proof>,
    /// Of the system below it, where somebody asks for that.
    proven: Option<Proven>,
    /// Since the program began.
    now: Duration,
    restart: bool,
}

impl Bench {
    /// A unit with the folder that files are pushed into.
    pub fn new(home: Home, name: String, staging: Staging, watch: Option<Watch>) -> Self {
        let manifest = home.running.and_then(|slot| whole(&home.disk, slot, None).ok()).map(|w| w.manifest);
        let version = manifest.map_or_else(|| env!("CARGO_PKG_VERSION").into(), |m| m.version.to_string());
        let trial = Record::load(&home.disk).is_some_and(
            |record| matches!(record.state, State::Trial { slot, .. } if Some(slot) == home.running),
        );
        let limits = &home.board.update;
        let proof = trial.then(|| Proof::new(limits.frames, Duration::from_secs(limits.prove_s.into())));
        let proven = Proven::asked(limits.frames);
        Self { home, name, version, staging, watch, proof, proven, now: Duration::ZERO, restart: false }
    }

    /// Time has passed: what is on trial is judged. Gives what is worth a line in the log.
    pub fn judge(&mut self, now: Duration) -> Option<String> {
        self.now = now;
        let (proof, proven) = (&mut self.proof, &mut self.proven);
        if let Some(watch) = self.watch.as_mut().filter(|_| proof.is_some() || proven.is_some()) {
            watch.tell(&mut |sign| {
                proof.iter_mut().for_each(|proof| proof.saw(sign));
                proven.iter_mut().for_each(|proven| proven.saw(sign));
            });
        }
        if proven.as_ref().is_some_and(Proven::is_healthy) {
            proven.take().iter().for_each(Proven::write);
        }
        match proof.as_ref()?.judge(now) {
            Verdict::Wait => None,
            Verdict::Healthy => {
                self.proof = None;
                let kept = self.keep().map_or_else(|why| format!("but it {why}"), |()| "it stays".into());
                Some(format!("version {} has proven itself; {kept}", self.version))
            }
            Verdict::Failed(why) => {
                self.proof = None;
                let why = match self.watch.as_ref().and_then(|watch| watch.over.as_ref()) {
                    Some(over) => format!("{why}: {over}"),
                    None => why,
                };
                let back = update::roll_back(&self.home.disk, &why);
                self.restart = back.is_ok();
                let back = back.map_or_else(|e| e.to_string(), |slot| format!("back to slot {slot}"));
                Some(format!("version {} did not prove itself ({why}); {back}", self.version))
            }
        }
    }

    /// Whether the program is to end, so that the other version is started.
    pub fn wants_restart(&self) -> bool {
        self.restart
    }

    fn keep(&self) -> Result<(), String> {
        let slot = self.home.running.ok_or("runs from no slot; start it with `signpost boot`")?;
        update::confirm(&self.home.disk, slot).map_err(|e| e.to_string())
    }

    fn state(&self) -> String {
        if self.restart {
            return "restarting".into();
        }
        let trial = if self.proof.is_some() { "on trial" } else { "ready" };
        let fallen = Record::load(&self.home.disk).and_then(|record| record.fallen);
        let version = |version: Option<Version>| version.map_or("a version".into(), |v| v.to_string());
        fallen.map_or_else(|| trial.into(), |f| format!("{trial}; gave up {}: {}", version(f.version), f.why))
    }
}

impl Duties for Bench {
    fn hello(&self) -> Hello {
        Hello::of_unit(&self.version, &self.home.board.name, &self.name)
    }

    fn health(&mut self) -> Health {
        Health {
            uptime_s: self.now.as_secs(),
            state: self.state(),
            fps: 0.0,
            frames: self.watch.as_ref().map_or(0, |watch| watch.frames),
            lost: 0,
            temperatures: temperatures(Path::new(ZONES)),
            stages: Vec::new(),
            logs_dropped: 0,
            spoiled: 0,
        }
    }

    fn troubles(&mut self) -> Vec<Trouble> {
        troubles::of(&self.home, self.watch.as_ref(), &temperatures(Path::new(ZONES)), Path::new("/"))
    }

    fn install(&mut self, file: &Hash) -> Result<(), String> {
        let keys = self.home.keys().map_err(|e| format!("{e:#}"))?;
        let path = self.staging.place(file);
        let opened = File::open(&path)
            .map_err(|e| format!("{} cannot be read ({e}); push it again", path.display()))?;
        let mut bundle = Bundle::open(opened, &keys).map_err(|e| e.to_string())?;
        let version = bundle.manifest().version.to_string();
        journal::info!("installing version {}", version.as_str());
        let done = update::install(&self.home.disk, &mut bundle, &self.home.unit(), &mut |_| {});
        let done = done.map_err(|e| e.to_string()).inspect_err(|why| {
            journal::error!("version {} was not installed: {}", version.as_str(), why.as_str());
        })?;
        // What is in the slot needs no second place; where it cannot be removed it is found again.
        let _ = fs::remove_file(&path);
        self.restart = !matches!(done, Installed::RunsAlready(_));
        Ok(())
    }

    fn confirm(&mut self) -> Result<(), String> {
        // With a camera before it, a version has to prove itself and cannot be talked well.
        if let (Some(proof), Some(_)) = (&self.proof, &self.watch)
            && proof.judge(Duration::ZERO) == Verdict::Wait
        {
            return Err("has not shown yet that camera, networks and screen work; wait until it has".into());
        }
        self.keep()?;
        journal::info!("version {} stays; a technician confirmed it", self.version.as_str());
        self.proof = None;
        Ok(())
    }

    fn roll_back(&mut self) -> Result<(), String> {
        update::roll_back(&self.home.disk, "a technician asked for it").map_err(|e| e.to_string())?;
        journal::warn!("version {} is given up; a technician asked for it", self.version.as_str());
        (self.proof, self.restart) = (None, true);
        Ok(())
    }
}

/// What the kernel's thermal zones say; nothing where there are none.
pub fn temperatures(zones: &Path) -> Vec<Temperature> {
    let zones = fs::read_dir(zones).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let read = |zone: &Path, name: &str| fs::read_to_string(zone.join(name)).ok();
    let mut all: Vec<Temperature> = zones
        .filter_map(|zone| {
            let milli_celsius = read(&zone, "temp")?.trim().parse().ok()?;
            Some(Temperature { name: read(&zone, "type")?.trim().into(), milli_celsius })
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all.truncate(SENSORS);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensors_are_read_where_the_kernel_shows_them() {
        let zones = tempfile::tempdir().unwrap();
        for (zone, name, temp) in
            [("0", "gpu-thermal", "41500\n"), ("1", "cpu-thermal", "-250\n"), ("2", "off", "")]
        {
            let zone = zones.path().join(format!("thermal_zone{zone}"));
            fs::create_dir(&zone).unwrap();
            fs::write(zone.join("type"), format!("{name}\n")).unwrap();
            fs::write(zone.join("temp"), temp).unwrap();
        }
        let found = temperatures(zones.path());
        let found: Vec<_> = found.iter().map(|t| (t.name.as_str(), t.milli_celsius)).collect();
        assert_eq!(found, [("cpu-thermal", -250), ("gpu-thermal", 41_500)]);
        assert!(temperatures(&zones.path().join("none")).is_empty());
    }
}
