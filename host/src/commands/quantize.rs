//! `signpost-host quantize`: writes a language model with fewer bits.

use std::path::PathBuf;

use clap::Args;
use host::aurallm::{Bits, quantize};
use host::ui;

/// Writes a language model of the Qwen2.5 family again with numbers of eight or four bits, as model.gguf (Q8_0, Q4_0).
/// `gloss`, `text` and `evaluate translation` take it with the adapter that was trained on the whole model.
#[derive(Args)]
pub struct Quantize {
    /// The language model's folder, with config.json, tokenizer.json and .safetensors as they are published.
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,
    /// The folder that is written.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Bits of a number.
    #[arg(long, default_value = "8", value_parser = bits)]
    bits: Bits,
}

fn bits(given: &str) -> Result<Bits, String> {
    match given {
        "8" => Ok(Bits::Eight),
        "4" => Ok(Bits::Four),
        _ => Err("8 or 4".into()),
    }
}

impl Quantize {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { model, out, bits } = self;
        let [before, after] = quantize(&model, bits, &out)?;
        let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
        ui::say(format!(
            "written to {}: {:.1} MiB of weights instead of {:.1}",
            out.display(),
            mib(after),
            mib(before)
        ));
        Ok(())
    }
}
