//! `signpost enrol list`: what is enrolled.

use std::io::Write;

use clap::Args;
use models::enrolment::Enrolled;
use serde_json::json;

use super::Signs;

/// Lists what is enrolled.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    signs: Signs,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

impl List {
    /// Runs the command.
    ///
    /// # Errors
    /// Where the file cannot be read or is broken.
    pub fn run(self) -> anyhow::Result<()> {
        let path = self.signs.file()?;
        let enrolled = self.signs.read()?.map_or_else(|| Enrolled::none_of(""), |(_, enrolled)| enrolled);
        let mut out = std::io::stdout().lock();
        if self.json {
            let signs = enrolled.signs.iter();
            let signs: Vec<_> =
                signs.map(|s| json!({ "label": s.label, "examples": s.examples.len() })).collect();
            writeln!(out, "{}", json!({ "file": path, "network": enrolled.network, "signs": signs }))?;
            return Ok(());
        }
        for sign in &enrolled.signs {
            writeln!(out, "{}\t{} examples", sign.label, sign.examples.len())?;
        }
        writeln!(out, "enrolled signs: {}, in {}", enrolled.signs.len(), path.display())?;
        Ok(())
    }
}
