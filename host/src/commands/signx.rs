//! `signpost-host signx`: SignX, a recogniser of five pose tracks.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use host::aurallm::Cpu;
use host::data::write_utterances;
use host::signx::{Preset, SignXModel, clip, model};
use host::{Error, ui};
use models::translator::Decoding;

/// SignX, a recogniser that fuses five pose tracks.
#[derive(Subcommand)]
pub enum SignX {
    /// Says how many parameters each part of a preset's networks has.
    Parameters(Parameters),
    /// Reads a corpus of continuous signing.
    Read(Read),
    /// Writes a model as ONNX.
    Export(Export),
}

/// Reads a corpus of continuous signing: writes what was said in the corpus's form, which
/// `signpost-host evaluate continuous --hypothesis` scores.
#[derive(Args)]
pub struct Read {
    /// The model's folder.
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,
    /// The corpus: a folder with utterances.jsonl.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to write what was said.
    #[arg(long, value_name = "FILE.jsonl")]
    said: PathBuf,
    /// Sequences that are followed at once, where not the preset's number; 1 is greedy.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=32))]
    beam: Option<u8>,
    /// Steps in which the latent is denoised, where not the preset's number; 0 leaves it as it is.
    #[arg(long, value_name = "N")]
    steps: Option<u16>,
}

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

/// Says how many parameters each part of a preset's networks has.
#[derive(Args)]
pub struct Parameters {
    /// The sizes: paper, small or tiny.
    #[arg(long, value_name = "NAME")]
    preset: String,
}

impl SignX {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Parameters(command) => command.run(),
            Self::Read(command) => command.run(),
            Self::Export(command) => command.run(),
        }
    }
}

impl Read {
    fn run(self) -> anyhow::Result<()> {
        let mut model = SignXModel::<Cpu>::open(&self.model, &Default::default())?;
        if let Some(steps) = self.steps {
            model.preset.diffusion.steps = steps.into();
        }
        let how = match (self.beam, model.preset.beam) {
            (None, how) => how,
            (Some(1), _) => Decoding::Greedy,
            (Some(beam), Decoding::Beam { penalty, .. }) => Decoding::Beam { beam: beam.into(), penalty },
            (Some(beam), _) => Decoding::Beam { beam: beam.into(), penalty: 0.0 },
        };
        let clips = clip::clips(&self.data, &model.preset)?;
        let bar = ui::progress(clips.len(), "utterances read");
        let read = clips.iter().map(|(utterance, clip)| {
            bar.inc(1);
            model::hypothesis(utterance, clip, model.preset.fps, model.read(clip, how))
        });
        let said: Vec<_> = read.collect();
        bar.finish_and_clear();
        write_utterances(&self.said, &said)?;
        ui::say(format!("{} utterances, written to {}", said.len(), self.said.display()));
        Ok(())
    }
}

impl Export {
    fn run(self) -> anyhow::Result<()> {
        let model = SignXModel::<Cpu>::open(&self.model, &Default::default())?;
        let far = model.export(&self.out)?;
        ui::say(format!("written to {}; probabilities differ by {far:.1e} at most", self.out.display()));
        Ok(())
    }
}

impl Parameters {
    fn run(self) -> anyhow::Result<()> {
        let preset = Preset::find(&self.preset).ok_or_else(|| Error::Argument {
            option: "--preset",
            given: self.preset.clone(),
            expected: format!("one of {}", Preset::names()),
        })?;
        let parts = preset.parameters();
        for (name, parameters) in &parts {
            ui::result(format!("{name:38} {parameters:>12}"))?;
        }
        ui::result(format!("{:38} {:>12}", "all", parts.iter().map(|(_, n)| n).sum::<usize>()))?;
        Ok(())
    }
}
