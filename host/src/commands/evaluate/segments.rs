//! `signpost-host evaluate segments`: scores when signs and sentences were found to begin and end.

use std::path::PathBuf;

use clap::Args;
use host::{Error, evaluate, ui};

/// When signs and sentences begin and end.
#[derive(Args)]
pub struct Segments {
    /// What was found: an .eaf file with tiers SIGN and SENTENCE, a folder of them, or one with utterances.jsonl.
    #[arg(long, value_name = "DIR|FILE.eaf", conflicts_with = "model", required_unless_present = "model")]
    hypothesis: Option<PathBuf>,
    /// A model that reads continuous signing, by its name or folder.
    #[arg(long)]
    model: Option<String>,
    /// What is there, in one of the same forms.
    #[arg(long, value_name = "DIR|FILE.eaf")]
    data: PathBuf,
    /// Frames a second at which both are compared, where no .pose file beside the data says it.
    #[arg(long, default_value_t = evaluate::FPS)]
    fps: f64,
    /// Prints one line of JSON last on standard output.
    #[arg(long)]
    json: bool,
}

impl Segments {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        if !(1.0..=1000.0).contains(&self.fps) {
            let (given, expected) = (self.fps.to_string(), "a rate from 1 to 1000".into());
            return Err(Error::Argument { option: "--fps", given, expected }.into());
        }
        let report = match (&self.hypothesis, &self.model) {
            (Some(hypothesis), _) => evaluate::segments(hypothesis, &self.data, self.fps)?,
            (None, model) => {
                let model = super::live(model.as_deref().unwrap_or_default(), "segments")?;
                super::with_progress(|tell| evaluate::segments_of(&model, &self.data, self.fps, tell))?
            }
        };
        if self.json {
            ui::result(serde_json::to_string(&report)?)?;
            return Ok(());
        }
        ui::result(format!("recordings {}  frames {}", report.n, report.frames))?;
        if report.missing + report.extra > 0 {
            let (missing, extra) = (report.missing, report.extra);
            ui::result(format!(
                "  {missing} recordings have no hypothesis, {extra} hypotheses no recording"
            ))?;
        }
        for (tier, score) in [("SIGN", &report.sign), ("SENTENCE", &report.sentence)] {
            match score {
                Some(s) => ui::result(format!(
                    "  {tier:8} frame F1 {:.4}  IoU {:.4}  segments {:.4} ({} of {})",
                    s.frame_f1, s.iou, s.percentage, s.found, s.segments
                ))?,
                None => ui::result(format!("  {tier:8} the data has none"))?,
            }
        }
        Ok(())
    }
}
