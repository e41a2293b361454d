//! The recipes of translators, each on a corpus of sentences.

use models::translator::{Direction, Sizes};

use crate::nn::TranslatorConfig;

/// How a translator is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TranslatorRecipe {
    /// The model's name.
    pub name: &'static str,
    /// From what into what.
    pub direction: Direction,
    /// Where its sentences are.
    pub corpus: Corpus,
    /// Pieces that the source is cut into.
    pub source_pieces: usize,
    /// Pieces of the target; where there is none, its words, of which the corpus has few.
    pub target_pieces: Option<usize>,
    /// What training makes of sentences before it learns them.
    pub varied: Varied,
    /// Width, D.
    pub width: usize,
    /// Heads, H.
    pub heads: usize,
    /// Width within a feed-forward layer.
    pub inner: usize,
    /// Layers of the encoder and of the decoder.
    pub layers: [usize; 2],
    /// Share of values that training drops.
    pub dropout: f32,
    /// Share of the probability that a target gives to all pieces alike (Szegedy et al. 2016).
    pub smoothing: f32,
    /// The highest learning rate.
    pub rate: f64,
    /// How often every sentence is seen.
    pub epochs: usize,
    /// How many networks are trained; their probabilities are averaged.
    pub networks: usize,
}

/// How sentences differ from time to time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Varied {
    /// Share of words that are cut smaller than need be, so that a word is seen cut in many ways (BPE-dropout, Provilkov
    /// et al. 2020, of some words instead of all: sentences stay short).
    pub cut_smaller: f32,
    /// Share of pairs that another pair, whichever it is, follows on both sides (Nguyen et al. 2021, "Data Augmentation
    /// by Concatenation for Low-Resource Translation"): words are seen in more places and beside others, and where the
    /// first sentence ends must be learnt.
    pub joined: f32,
}

/// A corpus of sentences, and what is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corpus {
    /// Its name.
    pub name: &'static str,
    /// Its sentences to learn, within the folder of the data sets.
    pub train: &'static str,
    /// Its sentences to be measured on.
    pub dev: &'static str,
    /// The licence of its sentences.
    pub licence: &'static str,
    /// The spoken language, as ISO 639-1.
    pub spoken: &'static str,
    /// The sign language, as ISO 639-3.
    pub signed: &'static str,
}

/// Weather forecasts.
const PHOENIX: Corpus = Corpus {
    name: "phoenix14t",
    train: "text/phoenix14t/train.tsv",
    dev: "text/phoenix14t/dev.tsv",
    licence: "CC BY-NC-SA, research",
    spoken: "de",
    signed: "gsg",
};

/// Everyday sentences.
const CE_CSL: Corpus = Corpus {
    name: "ce-csl",
    train: "text/ce_csl/train.csv",
    dev: "text/ce_csl/dev.csv",
    licence: "none stated, research",
    spoken: "zh",
    signed: "csl",
};

/// Sentences are written once: both directions of a corpus are made alike but for what is said of them here.
const fn recipe(name: &'static str, direction: Direction, corpus: Corpus) -> TranslatorRecipe {
    TranslatorRecipe {
        name,
        direction,
        corpus,
        source_pieces: 2000,
        target_pieces: None,
        varied: Varied { cut_smaller: 0.1, joined: 0.3 },
        width: 128,
        heads: 4,
        inner: 256,
        layers: [3, 2],
        dropout: 0.3,
        smoothing: 0.1,
        rate: 2e-3,
        epochs: 40,
        networks: 4,
    }
}

/// All recipes. Their data are for research: what is trained on them may not ship.
pub const TRANSLATOR_RECIPES: [TranslatorRecipe; 4] = [
    recipe("phoenix14t-gloss", Direction::TextToGloss, PHOENIX),
    TranslatorRecipe {
        target_pieces: Some(2500),
        ..recipe("phoenix14t-text", Direction::GlossToText, PHOENIX)
    },
    recipe("ce-csl-gloss", Direction::TextToGloss, CE_CSL),
    TranslatorRecipe { target_pieces: Some(3000), ..recipe("ce-csl-text", Direction::GlossToText, CE_CSL) },
];

/// Sentences of a batch.
pub const BATCH: usize = 48;
/// Pieces of the longest source and of the longest translation that the exported networks take.
const LONGEST: [usize; 2] = [96, 64];
/// Translations that are followed at once.
const BEAM: usize = 5;

impl TranslatorRecipe {
    /// The recipe of a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        TRANSLATOR_RECIPES.iter().find(|r| r.name == name)
    }

    /// The names of all recipes, as a text.
    pub fn names() -> String {
        TRANSLATOR_RECIPES.map(|r| r.name).join(", ")
    }

    /// The network, for so many pieces of the source and of the target.
    pub fn net(&self, pieces: [usize; 2]) -> TranslatorConfig {
        TranslatorConfig {
            pieces,
            width: self.width,
            heads: self.heads,
            inner: self.inner,
            layers: self.layers,
        }
    }

    /// The sizes of the exported networks.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            source: LONGEST[0],
            target: LONGEST[1],
            beam: BEAM,
            layers: self.layers[1] * self.networks,
            heads: self.heads,
            head: self.width / self.heads,
        }
    }
}
