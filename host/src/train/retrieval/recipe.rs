//! The recipes of embedders, each on a translator's corpus.

use models::manifest::Source;
use models::retrieval::SubwordManifest;

use crate::train::translator::{Corpus, TranslatorRecipe};

/// How an embedder is made.
pub struct RetrievalRecipe {
    /// Its name.
    pub name: &'static str,
    /// The translator whose corpus it learns from.
    translator: &'static str,
    /// Values of a vector, D.
    pub width: usize,
    /// Buckets of runs of letters.
    pub buckets: usize,
    /// How much a word must be seen to be believed: the length of what was seen of a word that is half known. On
    /// PHOENIX14T 3 was better than 6 (93 words of 844 against 88 at a precision of three quarters).
    pub doubt: f64,
}

const fn recipe(name: &'static str, translator: &'static str) -> RetrievalRecipe {
    RetrievalRecipe { name, translator, width: 256, buckets: 16_384, doubt: 3.0 }
}

/// All recipes. Their data are for research: what is trained on them may not ship.
pub const RETRIEVAL_RECIPES: [RetrievalRecipe; 2] =
    [recipe("phoenix14t-embedder", "phoenix14t-gloss"), recipe("ce-csl-embedder", "ce-csl-gloss")];

impl RetrievalRecipe {
    /// The recipe of a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        RETRIEVAL_RECIPES.iter().find(|r| r.name == name)
    }

    /// The names of all recipes, as a text.
    pub fn names() -> String {
        RETRIEVAL_RECIPES.map(|r| r.name).join(", ")
    }

    /// What is known of an embedder before it is made.
    pub fn blank(&self, data: Vec<Source>, recipe: String) -> SubwordManifest {
        let Corpus { spoken, signed, .. } = self.corpus();
        SubwordManifest {
            name: self.name.into(),
            spoken: spoken.into(),
            signed: signed.into(),
            width: 0,
            buckets: 0,
            threshold: 1.0,
            words: vec![],
            labels: vec![],
            data,
            metrics: vec![],
            recipe,
        }
    }

    /// Its corpus.
    pub fn corpus(&self) -> Corpus {
        TranslatorRecipe::find(self.translator).expect("it names a recipe of this program").corpus
    }
}
