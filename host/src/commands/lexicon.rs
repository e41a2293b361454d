//! `signpost-host lexicon`: makes the file of signs that a unit opens, and pages to look through it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use host::lexicon::{BuildOptions, build, show};
use host::ui;

/// Lexicons of recorded signs.
#[derive(Subcommand)]
pub enum Lexicon {
    /// Makes one file out of lexicon folders: of each sign the best recording.
    Build(Build),
    /// Makes pages of pictures to look through a lexicon.
    Show(Show),
}

/// Makes one file out of lexicon folders, and says which recordings were left out and why.
#[derive(Args)]
pub struct Build {
    /// Lexicon folders with `index.csv`.
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// The file that is written.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Frames a second of all clips.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u8).range(10..=60))]
    fps: u8,
    /// Keeps all recordings of a sign, the best one first, instead of that one alone.
    #[arg(long)]
    all: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// Makes pages of pictures to look through a lexicon.
#[derive(Args)]
pub struct Show {
    /// A lexicon's file or folder.
    lexicon: PathBuf,
    /// The folder that the pages are written to.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Only signs whose words or gloss contain this.
    #[arg(long, value_name = "TEXT", default_value = "")]
    like: String,
}

impl Lexicon {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Build(command) => command.run(),
            Self::Show(command) => command.run(),
        }
    }
}

impl Build {
    fn run(self) -> anyhow::Result<()> {
        let Self { folders, out, fps, all, json } = self;
        let report = build(&BuildOptions { folders, out, fps: fps.into(), all })?;
        if json {
            return Ok(ui::result(serde_json::to_string(&report)?)?);
        }
        for refused in &report.refused {
            ui::say(format!("left out: {} {}: {}", refused.at, refused.clip, refused.why));
        }
        let mebibytes = report.bytes as f64 / f64::from(1 << 20);
        ui::result(format!(
            "{} signs of {} recordings, {} left out, {} of signs with a better one; {} of {} frames mended; {mebibytes:.1} MiB",
            report.signs,
            report.recordings,
            report.refused.len(),
            report.others,
            report.repaired_frames,
            report.frames
        ))?;
        Ok(())
    }
}

impl Show {
    fn run(self) -> anyhow::Result<()> {
        for page in show(&self.lexicon, &self.like, &self.out)? {
            ui::result(page.display().to_string())?;
        }
        Ok(())
    }
}
