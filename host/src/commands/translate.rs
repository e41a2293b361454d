//! `signpost-host gloss` and `signpost-host text`: translates standard input, line by line.

use std::io::{BufRead, Read};
use std::path::PathBuf;

use clap::Args;
use host::aurallm::{Decoding, LanguageRunner};
use host::evaluate::{Translates, TranslatorRunner};
use host::{Error, ui};
use models::translator::{Direction, TranslatorModel};

use super::adapt::Retrieve;

/// A longer line is no text. Bytes.
const LINE_LIMIT: usize = 4 << 20;

/// What translates.
#[derive(Args)]
pub struct By {
    /// The folder of a translator; or of a language model, with --adapter.
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,
    /// The folder of an adapter that `signpost-host adapt` trained on the language model.
    #[arg(long, value_name = "FOLDER")]
    adapter: Option<PathBuf>,
    /// Translations that a language model follows at once.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "adapter", value_parser = clap::value_parser!(u8).range(1..=32))]
    beam: u8,
    #[command(flatten)]
    retrieve: Retrieve,
}

impl By {
    /// Opens it.
    pub fn open(&self) -> anyhow::Result<Box<dyn Translates>> {
        let Some(adapter) = &self.adapter else {
            self.retrieve.refuse()?;
            return Ok(Box::new(TranslatorRunner::new(&TranslatorModel::open(&self.model)?)?));
        };
        let decoding = match self.beam {
            1 => Decoding::Greedy,
            beam => Decoding::Beam { beam: beam.into(), penalty: 1.0 },
        };
        Ok(Box::new(LanguageRunner::open(&self.model, adapter, decoding, |told| self.retrieve.open(told))?))
    }
}

/// Translates sentences into glosses: one sentence a line on standard input, one line of glosses on standard
/// output, in order; an empty line for an empty line.
#[derive(Args)]
pub struct Gloss {
    #[command(flatten)]
    by: By,
    /// The language of the sentences, which must be the model's: de, zh or en.
    #[arg(long, value_name = "CODE")]
    from: Option<String>,
}

/// Translates glosses into sentences: one row of glosses a line on standard input, one sentence a line on standard
/// output, in order; an empty line for an empty line.
#[derive(Args)]
pub struct Text {
    #[command(flatten)]
    by: By,
}

impl Gloss {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        translate(&self.by, Direction::TextToGloss, self.from)
    }
}

impl Text {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        translate(&self.by, Direction::GlossToText, None)
    }
}

fn translate(by: &By, direction: Direction, from: Option<String>) -> anyhow::Result<()> {
    let mut runner = by.open()?;
    if runner.direction() != direction {
        let model = by.adapter.clone().unwrap_or_else(|| by.model.clone());
        let (is, wanted) = (runner.direction().words(), direction.words());
        return Err(Error::Direction { model, is, wanted }.into());
    }
    if let Some(given) = from.filter(|from| from != runner.spoken()) {
        let expected = format!("{}, which is what the model translates from", runner.spoken());
        return Err(Error::Argument { option: "--from", given, expected }.into());
    }
    let mut input = std::io::stdin().lock();
    for number in 1.. {
        let wrong = |why: String| Error::Line { number, why };
        let mut line = vec![];
        let read = input.by_ref().take(LINE_LIMIT as u64 + 1).read_until(b'\n', &mut line);
        if read.map_err(|e| wrong(format!("it cannot be read ({e})")))? == 0 {
            break;
        }
        if line.len() > LINE_LIMIT {
            return Err(wrong(format!("it is longer than {LINE_LIMIT} bytes")).into());
        }
        let line = std::str::from_utf8(&line).map_err(|e| wrong(format!("it is not UTF-8 ({e})")))?;
        ui::result(runner.translate(line)?)?;
    }
    Ok(())
}
