//! `signpost-host signx export`: writes a model as ONNX.

use std::path::PathBuf;

use clap::Args;
use host::aurallm::Cpu;
use host::signx::SignXModel;
use host::ui;

/// Writes a model as ONNX: `encoder.onnx`, which reads a clip with all steps of its sampler, and `step.onnx`, which goes
/// on by a gloss. Nothing is written where they say otherwise than the model.
#[derive(Args)]
pub struct Export {
    /// The model's folder.
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,
    /// The folder that both networks are written to.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

impl Export {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        let model = SignXModel::<Cpu>::open(&self.model, &Default::default())?;
        let far = model.export(&self.out)?;
        ui::say(format!("written to {}; probabilities differ by {far:.1e} at most", self.out.display()));
        Ok(())
    }
}
