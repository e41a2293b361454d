//! `signpost-host synth`: makes continuous signing from recorded isolated signs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use host::synth::{self, Extent, Recipe, Split, Synth as Maker};
use host::{Error, ui};

/// Makes continuous signing from recorded isolated signs.
#[derive(Args)]
pub struct Synth {
    /// The recipe: asl-hall or ksl-hall.
    recipe: String,
    /// The folder of the data sets, with `isolated` in it.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The folder that `utterances.jsonl` and the .pose files are written to.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Which clips are used: those that models learn from, or those that they are judged on.
    #[arg(long, default_value = "train")]
    split: Part,
    /// How many utterances.
    #[arg(long, value_name = "N", default_value_t = 100, conflicts_with = "minutes")]
    count: u64,
    /// How many minutes of signing, instead of a number of utterances.
    #[arg(long, value_name = "M", value_parser = minutes)]
    minutes: Option<f64>,
    /// Everything random follows from this number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Nobody signs: people rest and gesture only, to count what is understood where nothing is said.
    #[arg(long)]
    idle: bool,
}

/// As [`Split`], for the command line.
#[derive(Clone, Copy, ValueEnum)]
enum Part {
    Train,
    Dev,
    Val,
}

impl Synth {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        let recipe = Recipe::find(&self.recipe).ok_or_else(|| Error::Argument {
            option: "RECIPE",
            given: self.recipe.clone(),
            expected: format!("one of {}", Recipe::names()),
        })?;
        let split = match self.split {
            Part::Train => Split::Train,
            Part::Dev => Split::Dev,
            Part::Val => Split::Val,
        };
        let maker = Maker::new(recipe, &self.data, split, self.seed, self.idle)?;
        ui::say(format!("{}: {} clips, {} glosses", recipe.name, maker.clips().len(), maker.glosses().len()));
        let extent = self.minutes.map_or(Extent::Count(self.count), |m| Extent::Seconds(m * 60.0));
        let (steps, unit) = match extent {
            Extent::Count(count) => (count, "utterances"),
            Extent::Seconds(seconds) => (seconds.ceil() as u64, "seconds"),
        };
        let bar = ui::progress(usize::try_from(steps).unwrap_or(usize::MAX), unit);
        let (count, seconds) = synth::write(&maker, extent, &self.out, |count, seconds| {
            bar.set_position(if matches!(extent, Extent::Count(_)) { count } else { seconds as u64 });
        })?;
        bar.finish_and_clear();
        ui::say(format!(
            "{count} utterances, {:.1} minutes, written to {}",
            seconds / 60.0,
            self.out.display()
        ));
        Ok(())
    }
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.parse().ok().filter(|m: &f64| *m > 0.0 && m.is_finite());
    minutes.ok_or_else(|| "give a number of minutes above 0, for example 10".into())
}
