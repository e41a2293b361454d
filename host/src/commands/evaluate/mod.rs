//! `signpost-host evaluate`: scores a model, or what a recogniser said, on recorded signing.

mod continuous;
mod enrolment;
mod isolated;
mod segments;
mod translation;

use clap::Subcommand;
use host::{Error, ui};
use models::live::LiveModel;
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
    /// Translations between sentences and glosses.
    Translation(translation::Translation),
}

impl Evaluate {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Isolated(command) => command.run(),
            Self::Continuous(command) => command.run(),
            Self::Enrolment(command) => command.run(),
            Self::Segments(command) => command.run(),
            Self::Translation(command) => command.run(),
        }
    }
}

/// The live recogniser of a name or folder; where it is a model of another kind, why it cannot give `what`.
fn live(model: &str, what: &'static str) -> Result<LiveModel, Error> {
    LiveModel::find(model).map_err(|error| match Model::find(model) {
        Ok(found) => match found.manifest.kind {
            Kind::Embedding(_) => Error::NoNames { model: found.manifest.name },
            Kind::Isolated | Kind::Continuous | Kind::Utterance => {
                Error::OtherKind { model: found.manifest.name, what }
            }
        },
        Err(_) => error.into(),
    })
}

/// Reads a corpus with a progress bar.
fn with_progress<T>(read: impl FnOnce(&dyn Fn(usize, usize)) -> Result<T, Error>) -> Result<T, Error> {
    let bar = ui::progress(1, "recordings");
    let read = read(&|done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    read
}
