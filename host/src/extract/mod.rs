//! The landmarks of a whole corpus: `ID.pose` and `ID.done` for each line of a manifest.
//!
//! What stands is never made twice: `ID.done` says of which bytes, by what and how its landmarks were
//! made, and they are made again only where one of these differs. A video that cannot be read, crashes
//! the program or never ends goes into quarantine with its reason, and the others go on. Any number of
//! processes may share one folder, and any of them may be killed at any time.

pub mod manifest;
mod program;
pub mod record;
mod room;
mod shard;

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use serde::Serialize;

use crate::Error;
use manifest::Entry;
use program::{Made, Outcome, Program};
use record::{Done, Origin, Quarantined, Videos};
use room::Room;

pub use program::Settings;
pub use shard::Shard;

/// The folder of records of videos that give no landmarks, within the output folder.
pub const QUARANTINE: &str = "quarantine";

/// What to extract, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The manifest.
    pub manifest: PathBuf,
    /// The folder that the landmarks are written to.
    pub out: PathBuf,
    /// Which part of the manifest.
    pub shard: Shard,
    /// How many videos at once, at least one.
    pub jobs: usize,
    /// The program `signpost`, where it is not beside this one.
    pub program: Option<PathBuf>,
    /// How the landmarks are made.
    pub settings: Settings,
    /// Tries what is in quarantine again.
    pub retry_quarantined: bool,
}

/// What became of one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Verdict {
    /// Its landmarks were made.
    Done {
        /// How many frames they have.
        frames: u64,
    },
    /// They stood already.
    Skipped,
    /// It gives none.
    Quarantined {
        /// Why, in one sentence.
        reason: String,
        /// True where an earlier run found that.
        earlier: bool,
    },
    /// Its video is not there, or cannot be read. The next run tries again.
    Missing {
        /// Why, in one sentence.
        reason: String,
    },
}

/// How many entries of a shard came to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// All of the shard.
    pub total: usize,
    /// Made now.
    pub done: usize,
    /// Made before.
    pub skipped: usize,
    /// Without landmarks, found now or before.
    pub quarantined: usize,
    /// Without a video that can be read.
    pub missing: usize,
}

impl Summary {
    /// How many have no landmarks.
    pub fn without(&self) -> usize {
        self.quarantined + self.missing
    }

    fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Done { .. } => self.done += 1,
            Verdict::Skipped => self.skipped += 1,
            Verdict::Quarantined { .. } => self.quarantined += 1,
            Verdict::Missing { .. } => self.missing += 1,
        }
    }
}

/// Extracts a shard. `begin` is told how many entries it has, `tell` what became of each, in the order
/// in which they are finished.
///
/// # Errors
/// [`Error::Manifest`] and [`Error::NoProgram`] before any work begins; [`Error::Extract`] where no video
/// would give landmarks on this machine, and [`Error::Io`] where the folder cannot be written. What was
/// finished by then stands.
pub fn extract(
    options: &Options,
    begin: impl FnOnce(usize),
    mut tell: impl FnMut(&str, &Verdict) -> Result<(), Error>,
) -> Result<Summary, Error> {
    let entries = manifest::read(&options.manifest)?;
    let entries: Vec<Entry> = entries.into_iter().filter(|e| options.shard.holds(&e.id)).collect();
    let program = Program::find(options.program.as_deref())?;
    let quarantine = options.out.join(QUARANTINE);
    fs::create_dir_all(&quarantine).map_err(Error::io("make the folder", &quarantine))?;
    let run = Run { options, program, room: Room::open(&options.out)?, videos: Videos::default() };
    begin(entries.len());

    let mut summary = Summary { total: entries.len(), ..Summary::default() };
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, verdicts) = channel();
    thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            let (sender, entries, next, stop, run) = (sender.clone(), &entries, &next, &stop, &run);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed)
                    && let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed))
                    && sender.send((entry.id.as_str(), run.work(entry))).is_ok()
                {}
            });
        }
        drop(sender);
        let mut result = Ok(());
        // To the end, also after an error: what the others are at is finished, and counted.
        for (id, verdict) in verdicts {
            let told = verdict.and_then(|verdict| {
                summary.count(&verdict);
                tell(id, &verdict)
            });
            if result.is_ok() && told.is_err() {
                stop.store(true, Ordering::Relaxed);
                result = told;
            }
        }
        result
    })?;
    Ok(summary)
}

/// What all workers share.
struct Run<'a> {
    options: &'a Options,
    program: Program,
    room: Room,
    videos: Videos,
}

impl Run<'_> {
    /// Makes the landmarks of one entry where they do not stand already.
    fn work(&self, entry: &Entry) -> Result<Verdict, Error> {
        let quarantine = self.options.out.join(QUARANTINE).join(format!("{}.json", entry.name));
        if !self.options.retry_quarantined
            && let Some(Quarantined { reason, .. }) = record::read(&quarantine)
        {
            return Ok(Verdict::Quarantined { reason, earlier: true });
        }
        let origin = match self.origin(entry) {
            Ok(origin) => origin,
            Err(why) => return Ok(Verdict::Missing { reason: format!("{}: {why}", entry.video.display()) }),
        };
        let (pose, done) = (self.place(entry, "pose"), self.place(entry, "done"));
        if record::read(&done).is_some_and(|d: Done| d.origin == origin && d.vouches_for(&pose)) {
            return Ok(Verdict::Skipped);
        }
        let made = self.room.path().join(format!("{}.pose", entry.name));
        // Whatever is written last decides: a run that is killed before it leaves work, never a contradiction.
        match self.program.run(entry, &made, &self.options.settings)? {
            Outcome::Made(said) => {
                let record = Self::vouch(entry, &made, said, origin)?;
                remove(&quarantine)?;
                remove(&done)?;
                fs::rename(&made, &pose).map_err(Error::io("write", &pose))?;
                self.write(&done, &record)?;
                Ok(Verdict::Done { frames: record.frames })
            }
            Outcome::Poison { reason, stderr } => {
                let (id, video) = (entry.id.clone(), entry.video.display().to_string());
                let record = Quarantined { id, video, reason, stderr, origin };
                // What an earlier video or setting gave is not what is asked for.
                remove(&done)?;
                remove(&pose)?;
                remove(&made)?;
                self.write(&quarantine, &record)?;
                Ok(Verdict::Quarantined { reason: record.reason, earlier: false })
            }
            Outcome::Hopeless(why) => {
                Err(Error::Extract { program: self.program.version.clone(), id: entry.id.clone(), why })
            }
        }
    }

    fn origin(&self, entry: &Entry) -> Result<Origin, String> {
        let Settings { raw, board, .. } = &self.options.settings;
        Ok(Origin {
            video_sha256: self.videos.hash(&entry.video)?,
            start_us: entry.start_us,
            end_us: entry.end_us,
            raw: *raw,
            board: board.clone(),
            program: self.program.version.clone(),
        })
    }

    /// What is to stand beside the landmarks that were made.
    fn vouch(entry: &Entry, made: &Path, said: Made, origin: Origin) -> Result<Done, Error> {
        let hash = File::open(made).and_then(models::manifest::sha256_of);
        let Made { frames, seen, engine } = said;
        Ok(Done {
            id: entry.id.clone(),
            video: entry.video.display().to_string(),
            pose_sha256: hash.map_err(Error::io("read", made))?,
            frames,
            seen,
            engine,
            origin,
        })
    }

    fn place(&self, entry: &Entry, ending: &str) -> PathBuf {
        self.options.out.join(format!("{}.{ending}", entry.name))
    }

    /// Writes a record, whole or not at all.
    fn write(&self, path: &Path, record: &impl Serialize) -> Result<(), Error> {
        let part = self.room.path().join(path.file_name().unwrap_or_default());
        let mut text = serde_json::to_vec_pretty(record).expect("a record has text keys only");
        text.push(b'\n');
        let written = File::create(&part).and_then(|mut file| {
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&part, path)
        });
        written.map_err(Error::io("write", path))
    }
}

/// Removes a file, where it is there.
fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}
