//! `signpost-host evaluate isolated`: scores a model on clips of single signs.

use std::path::PathBuf;

use clap::Args;
use host::data::Aspect;
use host::{Error, evaluate, ui};

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
    /// Draws which sign was taken for which other.
    #[arg(long, value_name = "FILE.png")]
    confusion: Option<PathBuf>,
    /// Prints one line of JSON last on standard output.
    #[arg(long)]
    json: bool,
}

impl Isolated {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        let aspect = self.aspect.as_deref().map_or(Ok(Aspect::Guess), aspect)?;
        let Self { only_group: groups, held_out, split, tier, .. } = self;
        let options = evaluate::Options { groups, held_out, split, tier, aspect };
        let report = evaluate::isolated(&self.model, &self.data, &options)?;
        if let Some(path) = &self.confusion {
            let title =
                format!("{} on {}: top1 {:.4} of {} clips", report.model, report.data, report.top1, report.n);
            report.matrix.write(path, &title)?;
        }
        if self.json {
            ui::result(serde_json::to_string(&report)?)?;
            return Ok(());
        }
        ui::result(format!("top1 {:.4}  top5 {:.4}  n {}", report.top1, report.top5, report.n))?;
        if let Some(aspect) = report.aspect {
            ui::result(format!("  pictures taken to be {aspect:.3} times as wide as high"))?;
        }
        ui::result(format!(
            "  at the threshold of {:.2}: answers {:.4}, of those right {:.4}, abstains from {:.4}",
            report.threshold, report.answered, report.right_when_answered, report.abstained
        ))?;
        ui::result(format!("  calibration error {:.4}, Brier {:.4}", report.ece, report.brier))?;
        for point in &report.risk_coverage {
            ui::result(format!(
                "  the surest {:5.1} % (confidence {:.3} and above): {:.1} % wrong",
                100.0 * point.coverage,
                point.threshold,
                100.0 * point.risk
            ))?;
        }
        for (what, scores) in [("group", &report.per_group), ("label", &report.per_class)] {
            for (name, score) in scores {
                ui::result(format!(
                    "  {what} {name:24} top1 {:.4}  top5 {:.4}  n {}",
                    score.top1, score.top5, score.n
                ))?;
            }
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
