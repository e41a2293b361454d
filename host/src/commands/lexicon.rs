//! `signpost-host lexicon`: makes the file of signs that a unit opens, out of recordings or of landmarks that others
//! have stored, and pages to look through it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use host::lexicon::{BuildOptions, ImportOptions, Refused, build, import, show};
use host::ui;

/// Lexicons of recorded signs.
#[derive(Subcommand)]
pub enum Lexicon {
    /// Makes one file out of lexicon folders: of each sign the best recording.
    Build(Build),
    /// Makes a lexicon folder out of landmarks in JSON or HDF5.
    Import(Import),
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

/// Makes a lexicon folder out of sequences of landmarks in JSON or HDF5, as CNText2Sign has them.
#[derive(Args)]
pub struct Import {
    /// Files that end in .json, .h5 or .hdf5, or folders of them.
    #[arg(required = true, value_name = "FILE|FOLDER")]
    from: Vec<PathBuf>,
    /// The lexicon folder that is made; `lexicon build` makes a unit's file of it.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The sign language (ISO 639-3), as csl.
    #[arg(long, value_name = "CODE")]
    signed: String,
    /// The language of the signs' names (ISO 639-1), as zh.
    #[arg(long, value_name = "CODE")]
    spoken: String,
    /// Frames a second of the videos, where a file does not say.
    #[arg(long, value_name = "RATE")]
    fps: Option<f32>,
    /// Width and height of the videos, as 1280x720, where a file does not say.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    size: Option<[u32; 2]>,
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
            Self::Import(command) => command.run(),
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
        say(&report.refused);
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

impl Import {
    fn run(self) -> anyhow::Result<()> {
        let Self { from, out, signed, spoken, fps, size, json } = self;
        let report = import(&ImportOptions { from, out, signed, spoken, fps, size })?;
        if json {
            return Ok(ui::result(serde_json::to_string(&report)?)?);
        }
        say(&report.refused);
        ui::result(format!(
            "{} signs of {} frames, {} left out",
            report.clips,
            report.frames,
            report.refused.len()
        ))?;
        Ok(())
    }
}

fn say(refused: &[Refused]) {
    for refused in refused {
        ui::say(format!("left out: {} {}: {}", refused.at, refused.clip, refused.why));
    }
}

/// Width and height of a picture.
fn size(given: &str) -> Result<[u32; 2], String> {
    let sides = given.split_once('x').and_then(|(w, h)| Some([w.parse().ok()?, h.parse().ok()?]));
    sides
        .filter(|[w, h]| (1..=1 << 16).contains(w) && (1..=1 << 16).contains(h))
        .ok_or("give width and height, as 1280x720".into())
}

impl Show {
    fn run(self) -> anyhow::Result<()> {
        for page in show(&self.lexicon, &self.like, &self.out)? {
            ui::result(page.display().to_string())?;
        }
        Ok(())
    }
}
