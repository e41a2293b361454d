//! `signpost-host extract`: the landmarks of a whole corpus.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use host::extract::{self, QUARANTINE, Settings, Shard, Summary, Verdict};
use host::{Error, ui};
use serde::Serialize;
use serde_json::json;

/// Makes the landmarks of a corpus of videos, and never twice.
///
/// The exit status is 0 where every video of the shard has its landmarks, and 1 where one has not.
#[derive(Args)]
pub struct Extract {
    /// One JSON object a line: id, video, and perhaps start_s and end_s.
    #[arg(long, value_name = "FILE.jsonl")]
    manifest: PathBuf,
    /// The folder that ID.pose and ID.done are written to.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Works on part I of N, I from 0; a task of a Slurm array takes its own part by itself.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// How many videos at once; as many as there are cores where not given.
    #[arg(long, value_name = "J")]
    jobs: Option<NonZero<usize>>,
    /// The program `signpost`, where it is not beside this one.
    #[arg(long, value_name = "PATH")]
    signpost: Option<PathBuf>,
    /// Leaves the landmarks as the networks give them, without smoothing.
    #[arg(long)]
    raw: bool,
    /// The board whose engines are used.
    #[arg(long, default_value = "desk")]
    board: String,
    /// A video that takes longer goes into quarantine. Seconds.
    #[arg(long, value_name = "S", default_value = "43200", value_parser = seconds)]
    timeout_s: Duration,
    /// Tries the videos in quarantine again.
    #[arg(long)]
    retry_quarantined: bool,
    /// Prints one JSON event a line.
    #[arg(long)]
    json: bool,
}

/// What became of an entry, for programs.
#[derive(Serialize)]
struct Event<'a> {
    id: &'a str,
    #[serde(flatten)]
    verdict: &'a Verdict,
}

/// The last event.
#[derive(Serialize)]
struct End {
    event: &'static str,
    shard: String,
    seconds: f64,
    #[serde(flatten)]
    summary: Summary,
}

impl Extract {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        let started = Instant::now();
        let shard = self.shard()?;
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let options = extract::Options {
            manifest: self.manifest,
            out: self.out,
            shard,
            jobs: self.jobs.map_or(cores, NonZero::get),
            program: self.signpost,
            settings: Settings { raw: self.raw, board: self.board, timeout: self.timeout_s },
            retry_quarantined: self.retry_quarantined,
        };
        let bar = ui::progress(0, "videos");
        let tell = |id: &str, verdict: &Verdict| {
            bar.inc(1);
            match line(id, verdict, self.json) {
                Some(line) => bar.suspend(|| ui::result(line)),
                None => Ok(()),
            }
        };
        let extracted = extract::extract(&options, |total| bar.set_length(total as u64), tell);
        bar.finish_and_clear();
        let summary = extracted?;
        let seconds = started.elapsed().as_secs_f64();
        ui::result(if self.json {
            serde_json::to_string(&End { event: "end", shard: shard.to_string(), seconds, summary })?
        } else {
            let Summary { total, done, skipped, quarantined, missing } = summary;
            format!(
                "shard {shard}: {done} done, {skipped} stood already, {quarantined} in quarantine, \
                 {missing} missing, of {total} videos, in {seconds:.0} s"
            )
        })?;
        if summary.without() > 0 {
            let quarantine = options.out.join(QUARANTINE);
            return Err(Error::Unextracted { summary, quarantine }.into());
        }
        Ok(())
    }

    /// The shard that was asked for, or that of a Slurm task, or all.
    fn shard(&self) -> Result<Shard, Error> {
        if let Some(shard) = self.shard {
            return Ok(shard);
        }
        let slurm = Shard::of_slurm(|name| std::env::var(name).ok());
        Ok(slurm.map_err(|why| Error::Slurm { why })?.unwrap_or(Shard::WHOLE))
    }
}

/// What is printed of an entry: for people only what needs their eye.
fn line(id: &str, verdict: &Verdict, json: bool) -> Option<String> {
    if json {
        return Some(json!(Event { id, verdict }).to_string());
    }
    match verdict {
        Verdict::Quarantined { reason, earlier: false } => Some(format!("{id}\tquarantined\t{reason}")),
        Verdict::Missing { reason } => Some(format!("{id}\tmissing\t{reason}")),
        Verdict::Quarantined { earlier: true, .. } | Verdict::Done { .. } | Verdict::Skipped => None,
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|s: &f64| *s > 0.0);
    seconds
        .and_then(|s| Duration::try_from_secs_f64(s).ok())
        .ok_or_else(|| "give a number of seconds above 0, for example 3600".into())
}
