//! `signpost-host evaluate translation`: scores a translator between sentences and glosses.

use std::path::PathBuf;

use clap::Args;
use host::data::sentences::sentences;
use host::evaluate::translation;
use host::ui;

use crate::commands::translate::By;

/// Translations between sentences and glosses: BLEU, ROUGE-L, chrF and word errors, beside two floors.
#[derive(Args)]
pub struct Translation {
    #[command(flatten)]
    by: By,
    /// Sentences with their glosses: a table, JSON, or NAME.en with NAME.gloss.asl beside it.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// The sentences that the model learnt, for the floor that the most similar of them gives.
    #[arg(long, value_name = "FILE")]
    learnt: Option<PathBuf>,
    /// Prints one line of JSON last on standard output.
    #[arg(long)]
    json: bool,
}

impl Translation {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        let mut runner = self.by.open()?;
        let data = sentences(&self.data)?;
        let learnt = self.learnt.as_deref().map(sentences).transpose()?.unwrap_or_default();
        let bar = ui::progress(data.len(), "sentences translated");
        let report = translation(&mut *runner, &data, &learnt, |_| bar.inc(1))?;
        bar.finish_and_clear();
        ui::result(if self.json { serde_json::to_string(&report)? } else { report.to_string() })?;
        Ok(())
    }
}
