//! The recipes: of the models that ship, and of those that research data keeps from shipping.

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
    /// How many networks are trained from different random weights; the model gives their mean.
    pub networks: usize,
    /// How examples are drawn.
    pub draw: Draw,
    /// Of the labels that are learnt the model answers with those up to this subset of the corpus only.
    pub tier: Option<u32>,
}

/// How examples are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    /// Share of examples that show no sign of the model.
    pub none: f32,
    /// Share of the probability that a target gives to all labels alike (Szegedy et al. 2016).
    pub smoothing: f32,
    /// Share of examples that are mixed with another (Zhang et al. 2018).
    pub mixed: f32,
    /// The most of the other that is mixed in.
    pub mixed_most: f32,
}

/// Of a few signs with many clips each.
const FEW_SIGNS: Draw = Draw { none: 0.12, smoothing: 0.05, mixed: 0.25, mixed_most: 0.3 };
/// Of hundreds of signs with half a dozen clips each.
const MANY_SIGNS: Draw = Draw { none: 0.03, smoothing: 0.1, mixed: 0.3, mixed_most: 0.4 };

/// A data set of a recipe.
pub struct RecipeSource {
    /// The name of its files.
    pub stem: &'static str,
    /// The licence of the recordings.
    pub licence: &'static str,
    /// What is kept out of training.
    pub held_out: fn() -> HeldOut,
}

/// Signs of many signers from hands alone: all 300 glosses are learnt, those of a tier are answered.
///
/// The recordings are for research (C-UDA): what is trained on them may not ship.
const fn wlasl(name: &'static str, tier: Option<u32>) -> Recipe {
    Recipe {
        name,
        features: Version::HandsV1,
        sources: &[RecipeSource {
            stem: "wlasl300_hands_trainval",
            licence: "C-UDA, research",
            held_out: || HeldOut::Split("val".into()),
        }],
        lexicon: false,
        others: &[("ksl13", "Apache-2.0")],
        ends_are_rest: false,
        ways_are_rest: false,
        strength: Strength::HANDS,
        width: 128,
        dilations: &[1, 2, 4],
        dropout: 0.3,
        steps: 1600,
        networks: 2,
        draw: MANY_SIGNS,
        tier,
    }
}

/// All recipes: first those of the shipped models, whose data may be used and passed on.
pub const RECIPES: [Recipe; 5] = [
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
        networks: 1,
        draw: FEW_SIGNS,
        tier: None,
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
        networks: 1,
        draw: FEW_SIGNS,
        tier: None,
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
        networks: 1,
        draw: FEW_SIGNS,
        tier: None,
    },
    wlasl("wlasl100", Some(100)),
    wlasl("wlasl300", None),
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
