//! `signpost-host evaluate enrolment`: scores an embedding on signs that it was never taught.

use std::path::PathBuf;

use clap::Args;
use host::evaluate::{self, EnrolmentOptions};
use host::ui;

/// Signs that a model was never taught, enrolled from a few clips each.
#[derive(Args)]
pub struct Enrolment {
    /// The shipped model sign-embedding, or the folder of another embedding.
    #[arg(long)]
    model: String,
    /// STEM of the files STEM.f16.gz and STEM.tsv.
    #[arg(long, value_name = "STEM")]
    data: PathBuf,
    /// Clips that enrol a sign: 3, 4 or 5.
    #[arg(long, default_value_t = 3)]
    examples: usize,
    /// Only clips of these groups enrol.
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    enrol_from: Vec<String>,
    /// Only clips of these groups are read.
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    read_from: Vec<String>,
    /// So many signs, drawn anew each time; all where not given.
    #[arg(long, value_name = "N")]
    signs: Option<usize>,
    /// How often signs and their examples are drawn.
    #[arg(long, value_name = "N", default_value_t = 20)]
    draws: usize,
    /// The draws follow from this number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prints one line of JSON last on standard output.
    #[arg(long)]
    json: bool,
}

impl Enrolment {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { examples, enrol_from, read_from, signs, draws, seed, .. } = self;
        let options = EnrolmentOptions { examples, enrol_from, read_from, signs, draws, seed };
        let report = evaluate::enrolment(&self.model, &self.data, &options)?;
        if self.json {
            ui::result(serde_json::to_string(&report)?)?;
            return Ok(());
        }
        ui::result(format!(
            "{} signs enrolled from {} clips each, {} draws, {} clips read, threshold {:.2}",
            report.signs, report.examples, report.draws, report.n, report.threshold
        ))?;
        let ways = [
            ("whole clips", report.whole),
            ("cut at both ends", report.cut),
            ("in a mirror", report.mirrored),
            ("whole, enrolled without mirror images", report.unmirrored),
            ("in a mirror, enrolled without mirror images", report.mirrored_unmirrored),
        ];
        for (name, s) in ways {
            ui::result(format!(
                "  {name}: accuracy {:.4} ± {:.4} (least {:.4}); half enrolled: missed {:.4}, confused {:.4}, \
                 others taken for them {:.4} ± {:.4} (most {:.4})",
                s.accuracy,
                s.accuracy_spread,
                s.accuracy_least,
                s.missed,
                s.confused,
                s.taken,
                s.taken_spread,
                s.taken_most
            ))?;
        }
        Ok(())
    }
}
