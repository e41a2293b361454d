//! `signpost-host evaluate`: scores a model on recorded signing.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use host::data::Aspect;
use host::{Error, evaluate, ui};

/// Scores a model on recorded signing.
#[derive(Subcommand)]
pub enum Evaluate {
    /// One sign or letter a clip.
    Isolated(Isolated),
}

/// One sign or letter a clip.
#[derive(Args)]
pub struct Isolated {
    /// A shipped model (ksl13, asl-words, asl-letters) or the folder of any model.
    #[arg(long)]
    model: String,
    /// STEM of the files STEM.f16.gz and STEM.tsv.
    #[arg(long, value_name = "STEM")]
    data: PathBuf,
    /// Only the clips that the model's manifest says were held out of its training.
    #[arg(long)]
    held_out: bool,
    /// Only clips of these groups.
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    only_group: Vec<String>,
    /// Only clips of this part of the corpus, as its column `split` says.
    #[arg(long, value_name = "SPLIT")]
    split: Option<String>,
    /// Only clips of this subset of the corpus: those with no more in the column `tier`.
    #[arg(long, value_name = "GLOSSES")]
    tier: Option<u32>,
    /// Width:height of the pictures that the data was taken from; guessed from the hands otherwise.
    #[arg(long, value_name = "W:H")]
    aspect: Option<String>,
    /// Prints one line of JSON last on standard output.
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Isolated(command) => command.run(),
        }
    }
}

impl Isolated {
    fn run(self) -> anyhow::Result<()> {
        let aspect = self.aspect.as_deref().map_or(Ok(Aspect::Guess), aspect)?;
        let Self { only_group: groups, held_out, split, tier, .. } = self;
        let options = evaluate::Options { groups, held_out, split, tier, aspect };
        let report = evaluate::isolated(&self.model, &self.data, &options)?;
        if self.json {
            ui::result(serde_json::to_string(&report)?)?;
            return Ok(());
        }
        ui::result(format!("top1 {:.4}  top5 {:.4}  n {}", report.top1, report.top5, report.n))?;
        if let Some(aspect) = report.aspect {
            ui::result(format!("  pictures taken to be {aspect:.3} times as wide as high"))?;
        }
        for (group, score) in &report.per_group {
            ui::result(format!(
                "  {group:24} top1 {:.4}  top5 {:.4}  n {}",
                score.top1, score.top5, score.n
            ))?;
        }
        for (label, n) in &report.unknown_labels {
            ui::result(format!("  the model does not know {label:?} ({n} clips left out)"))?;
        }
        for c in &report.confusions {
            ui::result(format!("  {} taken for {}: {}", c.label, c.answer, c.n))?;
        }
        Ok(())
    }
}

/// Reads `4:3`.
fn aspect(text: &str) -> Result<Aspect, Error> {
    let wrong = || Error::Argument {
        option: "--aspect",
        given: text.into(),
        expected: "a width and a height such as 4:3".into(),
    };
    let (w, h) = text.split_once(':').ok_or_else(wrong)?;
    let (w, h): (f32, f32) = (w.parse().map_err(|_| wrong())?, h.parse().map_err(|_| wrong())?);
    let aspect = w / h;
    if (0.2..5.0).contains(&aspect) { Ok(Aspect::Known(aspect)) } else { Err(wrong()) }
}
