//! `signpost-host evaluate continuous`: scores what was read of sentences.

use std::path::PathBuf;

use clap::Args;
use host::data::write_utterances;
use host::evaluate::{self, Captions, How, Overlap};
use host::{Error, ui};
use models::metrics::tokenize::Tokenizer;

/// Sentences: word error rate, BLEU, chrF and ROUGE-L of what was read of them.
#[derive(Args)]
pub struct Continuous {
    /// What a recogniser said: a .jsonl file in the form of the data, or a folder with utterances.jsonl.
    #[arg(long, value_name = "FILE.jsonl", conflicts_with = "model", required_unless_present = "model")]
    hypothesis: Option<PathBuf>,
    /// A model that reads continuous signing, by its name or folder.
    #[arg(long)]
    model: Option<String>,
    /// Scores the captions as they came while somebody signed, before the model looked at each utterance again.
    #[arg(long, requires = "model")]
    live: bool,
    /// Leaves the model's gate unheeded: every moment counts as within a sign and within a sentence.
    #[arg(long, requires = "model")]
    without_gate: bool,
    /// Writes what the model read, in the form of the data: what `--hypothesis` takes.
    #[arg(long, value_name = "FILE.jsonl", requires = "model")]
    said: Option<PathBuf>,
    /// What was signed: a folder with utterances.jsonl, or a .jsonl file.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// How texts are cut into words, a tokenizer of sacreBLEU: 13a, zh, char or none. Glosses stay whole.
    #[arg(long, value_name = "NAME", default_value = "13a")]
    tokenize: String,
    /// Prints one line of JSON last on standard output.
    #[arg(long)]
    json: bool,
}

impl Continuous {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        let tokenizer = Tokenizer::parse(&self.tokenize).ok_or_else(|| Error::Argument {
            option: "--tokenize",
            given: self.tokenize.clone(),
            expected: Tokenizer::ALL.map(Tokenizer::name).join(" or "),
        })?;
        let report = match (&self.hypothesis, &self.model) {
            (Some(hypothesis), _) => evaluate::continuous(hypothesis, &self.data, tokenizer)?,
            (None, model) => {
                let model = super::live(model.as_deref().unwrap_or_default(), "sentences")?;
                let captions = if self.live { Captions::Live } else { Captions::Rescored };
                let how = How { captions, gated: !self.without_gate };
                let (report, read) = super::with_progress(|tell| {
                    evaluate::continuous_of(&model, &self.data, how, tokenizer, tell)
                })?;
                if let Some(path) = &self.said {
                    write_utterances(path, &read)?;
                }
                report
            }
        };
        if self.json {
            ui::result(serde_json::to_string(&report)?)?;
            return Ok(());
        }
        ui::result(format!(
            "WER {:.4}  S {}  D {}  I {}  hits {}  utterances {}",
            report.wer, report.substitutions, report.deletions, report.insertions, report.hits, report.n
        ))?;
        if report.missing + report.extra > 0 {
            let (missing, extra) = (report.missing, report.extra);
            ui::result(format!(
                "  {missing} utterances have no hypothesis, {extra} hypotheses no utterance"
            ))?;
        }
        print("glosses", &report.overlap)?;
        if let Some(text) = &report.text {
            print(&format!("text of {}", text.n), &text.overlap)?;
        }
        if let Some(c) = &report.calibration {
            ui::result(format!(
                "  calibration error {:.4}, Brier {:.4}, of {} glosses",
                c.ece, c.brier, c.n
            ))?;
        }
        if let Some(live) = &report.live {
            ui::result(format!(
                "  from the end of a sign to its gloss: mean {:.3} s, 95 of 100 within {:.3} s, latest {:.3} s, of {}; {} later than 0.64 s and a frame",
                live.latency_mean_s,
                live.latency_p95_s,
                live.latency_most_s,
                live.latency_n,
                live.latency_late
            ))?;
            ui::result(format!(
                "  {} glosses in {:.1} minutes without signing; {} times unsure",
                live.idle_false, live.idle_minutes, live.unsure
            ))?;
            if let Some(after_s) = live.rescored_after_s {
                ui::result(format!(
                    "  {} utterances looked at again, {after_s:.3} s after their last sign",
                    live.rescored
                ))?;
            }
        }
        for (signer, score) in &report.per_signer {
            ui::result(format!("  signer {signer:24} WER {:.4}  utterances {}", score.wer, score.n))?;
        }
        for c in &report.confusions {
            ui::result(format!("  {} taken for {}: {}", c.label, c.answer, c.n))?;
        }
        Ok(())
    }
}

/// Prints how much texts overlap, with the signatures of the programs whose figures these are.
fn print(what: &str, o: &Overlap) -> Result<(), Error> {
    ui::result(format!(
        "  {what}: BLEU-1 {:.2}  BLEU-2 {:.2}  BLEU-3 {:.2}  BLEU-4 {:.2}  chrF2 {:.2}  ROUGE-L {:.2}",
        o.bleu1, o.bleu2, o.bleu3, o.bleu4, o.chrf, o.rouge_l
    ))?;
    ui::result(format!("    sacreBLEU's BLEU|{}", o.bleu_signature))?;
    ui::result(format!("    sacreBLEU's chrF2|{}", o.chrf_signature))
}
