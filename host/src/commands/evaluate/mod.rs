//! `signpost-host evaluate`: scores a model, or what a recogniser said, on recorded signing.

mod continuous;
mod enrolment;
mod isolated;
mod segments;

use clap::Subcommand;
use host::Error;
use models::manifest::{Kind, Model};

/// Scores a model on recorded signing.
#[derive(Subcommand)]
pub enum Evaluate {
    /// One sign or letter a clip.
    Isolated(isolated::Isolated),
    /// Sentences: word error rate, BLEU, chrF and ROUGE-L of what was read of them.
    Continuous(continuous::Continuous),
    /// Signs that a model was never taught, enrolled from a few clips each.
    Enrolment(enrolment::Enrolment),
    /// When signs and sentences begin and end.
    Segments(segments::Segments),
}

impl Evaluate {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Isolated(command) => command.run(),
            Self::Continuous(command) => command.run(),
            Self::Enrolment(command) => command.run(),
            Self::Segments(command) => command.run(),
        }
    }
}

/// Why a model cannot give `what` by itself.
fn cannot_give(model: &str, what: &'static str) -> Error {
    match Model::find(model) {
        Ok(found) => match found.manifest.kind {
            Kind::Embedding(_) => Error::NoNames { model: found.manifest.name },
            Kind::Isolated => Error::OtherKind { model: found.manifest.name, what },
        },
        Err(error) => error.into(),
    }
}
