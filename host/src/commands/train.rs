//! `signpost-host train`: makes a model from its recipe.

use std::path::PathBuf;

use clap::Args;
use host::{Error, train, ui};

/// Makes a model from its recipe.
#[derive(Args)]
pub struct Train {
    /// The recipe, which is also the model's name.
    recipe: String,
    /// The folder of the data sets, with `isolated` in it; of SignX, a folder with the corpora `train` and `dev`.
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
    /// Of SignX: a loss, `diffusion` or a track. Of a recogniser of continuous signing: `synthesis` (it learns from recorded signs one at a time, not from
    /// sentences) or `augmentation` (from recordings as they are), to see what each is worth.
    #[arg(long, value_name = "DATASET|PART", value_delimiter = ',')]
    without: Vec<String>,
    /// The folder of the Pose2Gloss that `signx-video` is trained for. Of an embedder's recipe: a sentence embedder, with
    /// model.onnx and tokenizer.json as they are published, whose vectors take the place of those that the corpus gives.
    #[arg(long, value_name = "FOLDER")]
    base: Option<PathBuf>,
    /// Words, one a line, that such an embedder tells of beside those of its corpus.
    #[arg(long, value_name = "FILE", requires = "base")]
    words: Option<PathBuf>,
    /// Networks of a translator, where not the recipe's own number: fewer are trained sooner and translate worse.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    networks: Option<u8>,
    /// The highest learning rate, where not the usual one.
    #[arg(long, value_parser = rate)]
    rate: Option<f64>,
    /// Starts over, where a run that was killed left a checkpoint in the folder to go on from.
    #[arg(long)]
    fresh: bool,
    /// Writes a checkpoint every so many steps instead of every five minutes.
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u32).range(1..))]
    save_every: Option<u32>,
}

/// A learning rate from the command line.
pub fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| f64::is_finite(*rate) && *rate > 0.0);
    rate.ok_or_else(|| "give a number above 0, such as 0.001".into())
}

impl Train {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        let recipe = self.recipe;
        let options = train::Options {
            data: self.data,
            out: self.out,
            seed: self.seed,
            steps: self.steps,
            held_out: self.held_out,
            leave_out: self.leave_out,
            without: self.without,
            networks: self.networks.map(usize::from),
            base: self.base,
            words: self.words,
            rate: self.rate,
            fresh: self.fresh,
            save_every: self.save_every.map(|steps| steps as usize),
        };
        if let Some(recipe) = train::Recipe::find(&recipe) {
            options.only(&["--steps", "--rate", "--held-out", "--leave-out"])?;
            train::train(recipe, &options)?;
        } else if let Some(recipe) = train::embedding::EmbeddingRecipe::find(&recipe) {
            options.only(&["--steps", "--rate", "--without"])?;
            train::embedding::train(recipe, &options)?;
        } else if let Some(recipe) = train::live::LiveRecipe::find(&recipe) {
            options.only(&["--steps", "--rate", "--without"])?;
            train::live::train(recipe, &options)?;
        } else if let Some(recipe) = train::translator::TranslatorRecipe::find(&recipe) {
            options.only(&["--steps", "--rate", "--networks"])?;
            train::translator::train(recipe, &options)?;
        } else if let Some(recipe) = train::retrieval::RetrievalRecipe::find(&recipe) {
            options.only(&["--base", "--words"])?;
            train::retrieval::train(recipe, &options)?;
        } else if let Some(recipe) = train::signx::SignXRecipe::find(&recipe) {
            options.only(&["--steps", "--rate", recipe.learns.option()])?;
            train::signx::train(recipe, &options)?;
        } else {
            let (isolated, live) = (train::Recipe::names(), train::live::LiveRecipe::names());
            let embedding = train::embedding::EmbeddingRecipe::names();
            let translator = train::translator::TranslatorRecipe::names();
            let retrieval = train::retrieval::RetrievalRecipe::names();
            let signx = train::signx::SignXRecipe::names();
            let expected =
                format!("one of {isolated}, {embedding}, {live}, {translator}, {retrieval}, {signx}");
            return Err(Error::Argument { option: "RECIPE", given: recipe, expected }.into());
        }
        ui::say(format!("written to {}", options.out.display()));
        Ok(())
    }
}
