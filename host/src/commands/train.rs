//! `signpost-host train`: makes a model from its recipe.

use std::path::PathBuf;

use clap::Args;
use host::{Error, train, ui};

/// Makes a model from its recipe.
#[derive(Args)]
pub struct Train {
    /// The recipe, which is also the model's name.
    recipe: String,
    /// The folder of the data sets, with `isolated` in it.
    #[arg(long)]
    data: PathBuf,
    /// The folder that the model is written to.
    #[arg(long)]
    out: PathBuf,
    /// Everything random follows from this number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Steps of training, where not the recipe's own number.
    #[arg(long)]
    steps: Option<usize>,
    /// Holds out this group of the recipe's first data set (a signer, a recording set) instead of the recipe's
    /// own choice; may be given more than once.
    #[arg(long, value_name = "GROUP")]
    held_out: Vec<String>,
    /// Does not learn the letters of these sign languages of the fingerspelling lexicon, so that their
    /// signers are strangers to score the result on.
    #[arg(long, value_name = "LANGUAGE", value_delimiter = ',')]
    leave_out: Vec<String>,
    /// Does not learn these data sets of an embedding's recipe, so that their signs can be enrolled to score it.
    #[arg(long, value_name = "DATASET", value_delimiter = ',')]
    without: Vec<String>,
}

impl Train {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        let recipe = train::Recipe::find(&self.recipe).ok_or_else(|| Error::Argument {
            option: "RECIPE",
            given: self.recipe.clone(),
            expected: format!("one of {}", train::Recipe::names()),
        })?;
        let Self { data, out, seed, steps, held_out, leave_out, without, .. } = self;
        let options = train::Options { data, out, seed, steps, held_out, leave_out, without };
        train::train(recipe, &options)?;
        ui::say(format!("written to {}", options.out.display()));
        Ok(())
    }
}
