//! `signpost-host signx export`: writes a model as ONNX.

use std::path::PathBuf;

use clap::Args;
use host::aurallm::Cpu;
use host::signx::{SignXModel, clip, unit};
use host::ui;

use super::read::tracks;

/// Writes a model as ONNX: `encoder.onnx`, which reads a clip with all steps of its sampler, and `step.onnx`, which goes
/// on by a gloss; of a model that reads videos `look.onnx` as well, which looks at a frame as it comes, and `tracks.onnx`,
/// which gives the tracks of a clip by that. Nothing is written where they say otherwise than the model.
#[derive(Args)]
pub struct Export {
    /// The model's folder.
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,
    /// The folder that both networks are written to.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Reads this track only; may be given several times.
    #[arg(long = "track", value_name = "TRACK")]
    tracks: Vec<String>,
    /// A corpus that the model did not learn: says how sure it may be, and makes the folder a model of a unit, which
    /// has the track `mediapipe` alone.
    #[arg(long, value_name = "DIR")]
    dev: Option<PathBuf>,
}

impl Export {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        let mut model = SignXModel::<Cpu>::open(&self.model, &Default::default())?;
        model.preset.reads = tracks(&self.tracks, model.preset.reads)?;
        let out = self.out.display();
        let Some(dev) = &self.dev else {
            let far = model.export(&self.out)?;
            ui::say(format!("written to {out}; probabilities differ by {far:.1e} at most"));
            if let Some(far) = model.export_video(&self.out)? {
                ui::say(format!(
                    "what reads videos as well; a track's numbers differ by {far:.1e} deviations at most"
                ));
            }
            return Ok(());
        };
        let clips = clip::clips(dev, &model.preset)?;
        let on = dev.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let manifest = unit::write(&model, &clips, &on, &self.out)?;
        for metric in &manifest.metrics {
            ui::say(format!("{} {:.4}", metric.name, metric.value));
        }
        ui::say(format!("written to {out}; a gloss is said from a confidence of {:.2}", manifest.accept));
        Ok(())
    }
}
