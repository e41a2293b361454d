//! The recipes of live recognisers, each on a synthetic corpus of its own.

use crate::nn::{LiveNetConfig, RescoreNetConfig};
use crate::synth;
use models::features::stream;

/// How a live recogniser is made.
pub struct LiveRecipe {
    /// The model's name.
    pub name: &'static str,
    /// The synthetic corpus that it learns, see [`synth::RECIPES`].
    pub corpus: &'static str,
    /// Width of the network, D.
    pub width: usize,
    /// The distance between steps in each block: together they look back 2.5 s.
    pub dilations: &'static [usize],
    /// Share of values dropped.
    pub dropout: f64,
    /// Steps of training.
    pub steps: usize,
    /// Steps of the rescorer's.
    pub rescorer_steps: usize,
}

/// Steps of an utterance that the rescorer takes, 12 s; the longest of 250 had 10 s of signs.
pub const UTTERANCE: usize = 300;
/// Hypotheses that it judges, and glosses of one with its beginning.
pub const HYPOTHESES: usize = 12;
pub const LENGTH: usize = 20;
/// The distance between steps in each of its blocks: together they look 1.2 s to either side.
const RESCORER_DILATIONS: [usize; 4] = [1, 3, 9, 18];
/// Layers of its decoder.
const RESCORER_LAYERS: usize = 2;
/// Share of values that its training drops.
const RESCORER_DROPOUT: f64 = 0.1;

/// All recipes. Their data may be used and passed on, so that their weights may ship.
pub const LIVE_RECIPES: [LiveRecipe; 2] = [
    LiveRecipe {
        name: "asl-hall",
        corpus: "asl-hall",
        width: 128,
        dilations: &[1, 2, 4, 8, 16],
        dropout: 0.0,
        steps: 2400,
        rescorer_steps: 900,
    },
    LiveRecipe {
        name: "ksl-hall",
        corpus: "ksl-hall",
        width: 128,
        dilations: &[1, 2, 4, 8, 16],
        dropout: 0.0,
        steps: 1200,
        rescorer_steps: 450,
    },
];

impl LiveRecipe {
    /// The recipe of a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        LIVE_RECIPES.iter().find(|r| r.name == name)
    }

    /// The names of all recipes, as a text.
    pub fn names() -> String {
        LIVE_RECIPES.map(|r| r.name).join(", ")
    }

    /// The corpus that it learns.
    pub fn synth(&self) -> &'static synth::Recipe {
        synth::Recipe::find(self.corpus).expect("a test looks up the corpus of every recipe")
    }

    /// The sizes of the network.
    pub fn net(&self, glosses: usize) -> LiveNetConfig {
        LiveNetConfig {
            features: stream::WIDTH,
            width: self.width,
            dilations: self.dilations.to_vec(),
            glosses,
            dropout: self.dropout,
        }
    }

    /// The sizes of the rescorer.
    pub fn rescorer(&self, glosses: usize) -> RescoreNetConfig {
        RescoreNetConfig {
            width: self.width,
            dilations: RESCORER_DILATIONS.to_vec(),
            layers: RESCORER_LAYERS,
            glosses,
            dropout: RESCORER_DROPOUT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_has_its_corpus() {
        for recipe in &LIVE_RECIPES {
            assert!(synth::Recipe::find(recipe.corpus).is_some(), "{}", recipe.name);
        }
    }
}
