//! `signpost-host adapt`: trains an adapter on a language model.

use std::path::PathBuf;

use clap::Args;
use host::aurallm::{Adapter, Candidates, Instruction, PROJECTIONS};
use host::train::adapter::{self, AdapterOptions};
use host::ui;
use models::translator::Direction;

/// Where signs come from that may fit a sentence.
#[derive(Args)]
pub struct Retrieve {
    /// Lexicons whose signs a language model is told of where they may fit: folders or compiled files. What an adapter
    /// learned with, it is asked with.
    #[arg(long, value_name = "LEXICON", num_args = 1..)]
    lexicon: Vec<PathBuf>,
    /// An embedder, for words that these lexicons lack.
    #[arg(long, value_name = "FILE", requires = "lexicon")]
    embedder: Option<PathBuf>,
}

impl Retrieve {
    /// Refuses what is given, because only a language model can use it.
    pub fn refuse(&self) -> Result<(), host::Error> {
        let Some(lexicon) = self.lexicon.first() else { return Ok(()) };
        let expected =
            "a language model (--model QWEN --adapter FOLDER); a translator chooses from no lexicon";
        let given = lexicon.display().to_string();
        Err(host::Error::Argument { option: "--lexicon", given, expected: expected.into() })
    }

    /// Opens what is given.
    pub fn open(&self, instruction: &Instruction) -> Result<Option<Candidates>, host::Error> {
        let Self { lexicon, embedder } = self;
        let languages = [&instruction.spoken[..], &instruction.signed];
        let open = || Candidates::open(lexicon, embedder.as_deref(), languages);
        (!lexicon.is_empty()).then(open).transpose()
    }
}

/// Trains an adapter on a language model of the Qwen2.5 family, so that it translates between sentences and glosses.
/// The model stays as it is; `gloss`, `text` and `evaluate translation` take both.
#[derive(Args)]
pub struct Adapt {
    /// The language model's folder, with config.json, tokenizer.json and .safetensors as they are published.
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,
    /// Sentences with their glosses: a table, JSON, or NAME.en with NAME.gloss.asl beside it.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// The folder that the adapter is written to.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The spoken language of the sentences, as ISO 639-1.
    #[arg(long, value_name = "CODE")]
    spoken: String,
    /// The sign language of the glosses, as ISO 639-3.
    #[arg(long, value_name = "CODE")]
    signed: String,
    /// Learns to write glosses as text, instead of text as glosses.
    #[arg(long, conflicts_with = "lexicon")]
    to_text: bool,
    #[command(flatten)]
    retrieve: Retrieve,
    /// The adapter's rank.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    rank: u16,
    /// Which projections it changes.
    #[arg(long, value_delimiter = ',', default_values = ["q_proj", "k_proj", "v_proj", "o_proj"], value_parser = PROJECTIONS)]
    projections: Vec<String>,
    /// Sentences of a step.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    batch: u16,
    /// How often each sentence is seen.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    epochs: u16,
    /// The highest learning rate.
    #[arg(long, default_value_t = 2e-4, value_parser = super::train::rate)]
    rate: f64,
    /// Everything random follows from this number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Starts over, where a run that was killed left a checkpoint in the folder to go on from.
    #[arg(long)]
    fresh: bool,
    /// Writes a checkpoint every so many steps instead of every five minutes.
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u32).range(1..))]
    save_every: Option<u32>,
}

impl Adapt {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        let direction = if self.to_text { Direction::GlossToText } else { Direction::TextToGloss };
        let projections: Vec<&str> = self.projections.iter().map(String::as_str).collect();
        let candidates = !self.retrieve.lexicon.is_empty();
        let instruction = Instruction { direction, spoken: self.spoken, signed: self.signed, candidates };
        let candidates = self.retrieve.open(&instruction)?;
        let options = AdapterOptions {
            model: self.model,
            data: self.data,
            out: self.out,
            instruction,
            adapter: Adapter::new(self.rank.into(), &projections),
            batch: self.batch.into(),
            epochs: self.epochs.into(),
            rate: self.rate,
            seed: self.seed,
            fresh: self.fresh,
            save_every: self.save_every.map(|steps| steps as usize),
        };
        adapter::train(&options, candidates.as_ref())?;
        ui::say(format!("written to {}", options.out.display()));
        Ok(())
    }
}
