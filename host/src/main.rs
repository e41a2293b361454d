//! Corpora, training and evaluation on a workstation: see `signpost-host --help`.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Trains, evaluates and exports Signpost's models.
#[derive(Parser)]
#[command(name = "signpost-host", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes the landmarks of a corpus of videos, and never twice.
    Extract(commands::extract::Extract),
    /// Makes and shows lexicons of recorded signs.
    #[command(subcommand)]
    Lexicon(commands::lexicon::Lexicon),
    /// SignX: a recogniser of five pose tracks, and recorded signing rendered into five that belong together.
    #[command(subcommand)]
    Signx(commands::signx::Signx),
    /// Makes continuous signing from recorded isolated signs.
    Synth(commands::synth::Synth),
    /// Makes a model from its recipe.
    Train(commands::train::Train),
    /// Trains an adapter on a language model, so that it translates.
    Adapt(commands::adapt::Adapt),
    /// Writes a language model again with numbers of eight or four bits.
    Quantize(commands::quantize::Quantize),
    /// Translates sentences into glosses, line by line.
    Gloss(commands::translate::Gloss),
    /// Translates glosses into sentences, line by line.
    Text(commands::translate::Text),
    /// Scores a model on recorded signing, or on sentences.
    #[command(subcommand)]
    Evaluate(commands::evaluate::Evaluate),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Extract(command) => command.run(),
        Command::Lexicon(command) => command.run(),
        Command::Signx(command) => command.run(),
        Command::Synth(command) => command.run(),
        Command::Train(command) => command.run(),
        Command::Adapt(command) => command.run(),
        Command::Quantize(command) => command.run(),
        Command::Gloss(command) => command.run(),
        Command::Text(command) => command.run(),
        Command::Evaluate(command) => command.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One sentence; a backtrace would bury it.
            host::ui::say(format!("{error}"));
            ExitCode::FAILURE
        }
    }
}
