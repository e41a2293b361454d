//! The recipe of the embedding that ships.

use models::features::Version;
use models::store::EMBEDDING;

use crate::data::augment::Strength;
use crate::nn::ClipNetConfig;

/// A data set by the name of its files, and the licence of its recordings.
pub type DataSet = (&'static str, &'static str);

/// How an embedding is made.
pub struct EmbeddingRecipe {
    /// The model's name.
    pub name: &'static str,
    /// The arithmetic of its input.
    pub features: Version,
    /// The data sets whose signs are learnt.
    pub signs: &'static [DataSet],
    /// A data set without bodies whose handshapes are learnt as well.
    pub handshapes: DataSet,
    /// The data set whose signs are enrolled to set the threshold; nothing else is learnt of it.
    pub threshold_on: DataSet,
    /// How strongly clips are changed.
    pub strength: Strength,
    /// Values of a point, E.
    pub values: usize,
    /// Width of the network, D.
    pub width: usize,
    /// The distance between steps in each block.
    pub dilations: &'static [usize],
    /// Share of values dropped.
    pub dropout: f64,
    /// Steps of training.
    pub steps: usize,
}

/// All recipes. Their data may be used and passed on, so that their weights may ship.
pub const EMBEDDING_RECIPES: [EmbeddingRecipe; 1] = [EmbeddingRecipe {
    name: EMBEDDING,
    features: Version::SignV1,
    signs: &[("ksl13", "Apache-2.0"), ("asl_traduttore_words", "MIT")],
    handshapes: ("asl_traduttore_letters", "MIT"),
    threshold_on: ("asl11_tamtridung", "MIT"),
    strength: Strength::ENROLMENT,
    values: 128,
    width: 96,
    dilations: &[1, 2, 4],
    dropout: 0.2,
    steps: 1200,
}];

impl EmbeddingRecipe {
    /// The recipe of a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        EMBEDDING_RECIPES.iter().find(|r| r.name == name)
    }

    /// The names of all recipes, as a text.
    pub fn names() -> String {
        EMBEDDING_RECIPES.map(|r| r.name).join(", ")
    }

    /// The sizes of the network.
    pub fn net(&self) -> ClipNetConfig {
        ClipNetConfig {
            features: self.features.width(),
            width: self.width,
            dilations: self.dilations.to_vec(),
            labels: self.values,
            dropout: self.dropout,
        }
    }
}
