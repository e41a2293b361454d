//! The recipes of the shipped models.

use models::features::Version;
use models::manifest::HeldOut;

use crate::data::augment::Strength;

/// How a model is made.
pub struct Recipe {
    /// The model's name.
    pub name: &'static str,
    /// The arithmetic of its input.
    pub features: Version,
    /// The data sets that it learns.
    pub sources: &'static [RecipeSource],
    /// Whether it also learns the letters of the fingerspelling lexicon.
    pub lexicon: bool,
    /// Data sets that show other signs or none, each with its licence.
    pub others: &'static [(&'static str, &'static str)],
    /// Whether the first and last moments of a clip show no sign yet.
    pub ends_are_rest: bool,
    /// Whether the way from one clip's hand to another's shows no sign.
    pub ways_are_rest: bool,
    /// How strongly clips are changed.
    pub strength: Strength,
    /// Width of the network, D.
    pub width: usize,
    /// The distance between steps in each block.
    pub dilations: &'static [usize],
    /// Share of values dropped.
    pub dropout: f64,
    /// Steps of training.
    pub steps: usize,
}

/// A data set of a recipe.
pub struct RecipeSource {
    /// The name of its files.
    pub stem: &'static str,
    /// The licence of the recordings.
    pub licence: &'static str,
    /// What is kept out of training.
    pub held_out: fn() -> HeldOut,
}

/// The recipes of the shipped models. All of their data may be used and passed on.
pub const RECIPES: [Recipe; 3] = [
    Recipe {
        name: "ksl13",
        features: Version::SignV1,
        sources: &[RecipeSource {
            stem: "ksl13",
            licence: "Apache-2.0",
            held_out: || HeldOut::Group("MP_Data1".into()),
        }],
        lexicon: false,
        others: &[("asl_traduttore_words", "MIT"), ("asl11_tamtridung", "MIT")],
        ends_are_rest: true,
        ways_are_rest: false,
        strength: Strength::SIGN,
        width: 64,
        dilations: &[1, 2, 4],
        dropout: 0.3,
        steps: 900,
    },
    Recipe {
        name: "asl-words",
        features: Version::SignV1,
        sources: &[
            RecipeSource { stem: "asl_traduttore_words", licence: "MIT", held_out: || HeldOut::Last(30) },
            RecipeSource { stem: "asl11_tamtridung", licence: "MIT", held_out: || HeldOut::Last(14) },
        ],
        lexicon: false,
        others: &[("ksl13", "Apache-2.0")],
        ends_are_rest: false,
        ways_are_rest: false,
        strength: Strength::SIGN,
        width: 64,
        dilations: &[1, 2, 4],
        dropout: 0.3,
        steps: 1200,
    },
    Recipe {
        name: "asl-letters",
        features: Version::HandV1,
        sources: &[RecipeSource {
            stem: "asl_traduttore_letters",
            licence: "MIT",
            held_out: || HeldOut::Last(30),
        }],
        lexicon: true,
        others: &[("ksl13", "Apache-2.0")],
        ends_are_rest: false,
        ways_are_rest: true,
        strength: Strength::LETTER,
        width: 64,
        dilations: &[1, 2],
        dropout: 0.3,
        steps: 900,
    },
];

impl Recipe {
    /// The recipe of a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        RECIPES.iter().find(|r| r.name == name)
    }

    /// The names of all recipes, as a text.
    pub fn names() -> String {
        RECIPES.map(|r| r.name).join(", ")
    }
}
