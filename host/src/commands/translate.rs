//! `signpost-host gloss` and `signpost-host text`: translates standard input, line by line.

use std::io::{BufRead, Read};
use std::path::PathBuf;

use clap::Args;
use host::evaluate::TranslatorRunner;
use host::{Error, ui};
use models::translator::{Direction, TranslatorModel};

/// A longer line is no text. Bytes.
const LINE_LIMIT: usize = 4 << 20;

/// Translates sentences into glosses: one sentence a line on standard input, one line of glosses on standard
/// output, in order; an empty line for an empty line.
#[derive(Args)]
pub struct Gloss {
    /// The folder of a translator of text into glosses.
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,
    /// The language of the sentences, which must be the model's: de, zh or en.
    #[arg(long, value_name = "CODE")]
    from: Option<String>,
}

/// Translates glosses into sentences: one row of glosses a line on standard input, one sentence a line on standard
/// output, in order; an empty line for an empty line.
#[derive(Args)]
pub struct Text {
    /// The folder of a translator of glosses into text.
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,
}

impl Gloss {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        translate(&self.model, Direction::TextToGloss, self.from)
    }
}

impl Text {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        translate(&self.model, Direction::GlossToText, None)
    }
}

fn translate(model: &std::path::Path, direction: Direction, from: Option<String>) -> anyhow::Result<()> {
    let model = TranslatorModel::open(model)?;
    let own = &model.manifest;
    if own.kind != direction {
        let (model, is, wanted) = (model.dir, own.kind.words(), direction.words());
        return Err(Error::Direction { model, is, wanted }.into());
    }
    if let Some(given) = from.filter(|from| *from != own.spoken) {
        let expected = format!("{}, which is what {} translates from", own.spoken, own.name);
        return Err(Error::Argument { option: "--from", given, expected }.into());
    }
    let mut runner = TranslatorRunner::new(&model)?;
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
