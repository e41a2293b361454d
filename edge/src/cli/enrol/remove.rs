//! `signpost enrol remove`: takes an enrolled sign back.

use std::io::Write;

use clap::Args;

use super::{Signs, write};
use crate::Fault;

/// Takes a sign back.
#[derive(Debug, Args)]
pub struct Remove {
    /// Its label
    label: String,
    #[command(flatten)]
    signs: Signs,
    /// Says what would go and keeps it
    #[arg(long)]
    dry_run: bool,
}

impl Remove {
    /// Runs the command.
    ///
    /// # Errors
    /// [`Fault::NotEnrolled`] where there is no such sign; what is wrong with the file.
    pub fn run(self) -> anyhow::Result<()> {
        let (path, mut enrolled) = match self.signs.read()? {
            Some((path, enrolled)) if !enrolled.signs.is_empty() => (path, enrolled),
            _ => return Err(self.unknown("nothing is; enrol a sign with `signpost enrol add`").into()),
        };
        let Some(sign) = enrolled.find(&self.label) else {
            let known: Vec<_> = enrolled.signs.iter().map(|s| s.label.as_str()).collect();
            return Err(self.unknown(&format!("choose one of [{}]", known.join(", "))).into());
        };
        let sign = enrolled.signs.remove(sign);
        if !self.dry_run {
            write(&path, &enrolled)?;
        }
        let done = if self.dry_run { "would be" } else { "is" };
        writeln!(std::io::stdout(), "{} {done} enrolled no more: {}", sign.label, path.display())?;
        Ok(())
    }

    fn unknown(&self, next: &str) -> Fault {
        Fault::NotEnrolled { label: self.label.clone(), next: next.into() }
    }
}
