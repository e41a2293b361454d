//! What synthetic corpora are made of.

use models::manifest::HeldOut;

use crate::train;

/// A synthetic corpus.
pub struct Recipe {
    /// Its name.
    pub name: &'static str,
    /// Data sets whose signs it has.
    pub sources: &'static [&'static str],
    /// Data sets of other signs, which people make here without being understood: they bear no gloss.
    pub others: &'static [&'static str],
    /// Labels of the data sets that are no sign: gestures and hands that wait.
    pub neutral: &'static [&'static str],
    /// Whether all signs of an utterance are of one signer. ASL's sets have one signer each and share
    /// hardly a word, so that their sentences must be put together from several.
    pub one_signer: bool,
    /// The sentences, see [`super::Grammar`].
    pub grammar: &'static str,
}

/// The recipes. All of their data may be used and passed on: ASL's sets are MIT, `ksl13` is Apache-2.0.
pub const RECIPES: [Recipe; 2] = [
    Recipe {
        name: "asl-hall",
        sources: &["asl_traduttore_words", "asl11_tamtridung", "asl_traduttore_letters"],
        others: &["ksl13"],
        neutral: &["-", "space"],
        one_signer: false,
        grammar: include_str!("data/asl-hall.txt"),
    },
    Recipe {
        name: "ksl-hall",
        sources: &["ksl13"],
        others: &["asl_traduttore_words", "asl11_tamtridung"],
        neutral: &["-"],
        one_signer: true,
        grammar: include_str!("data/ksl-hall.txt"),
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

    /// The licence of one of its data sets, as the recipes of classifiers state it.
    pub fn licence(&self, stem: &str) -> &'static str {
        let signs = train::RECIPES.into_iter().flat_map(|r| r.sources).map(|s| (s.stem, s.licence));
        let others = train::RECIPES.into_iter().flat_map(|r| r.others).copied();
        signs.chain(others).find(|(name, _)| *name == stem).map_or("unknown", |(_, licence)| licence)
    }

    /// What is held out of one of its data sets.
    pub fn held_out(&self, stem: &str) -> HeldOut {
        held_out(stem)
    }
}

/// What is held out of a data set: what the shipped classifiers were not trained on either.
pub(super) fn held_out(stem: &str) -> HeldOut {
    let sources = train::RECIPES.into_iter().flat_map(|r| r.sources);
    sources.into_iter().find(|s| s.stem == stem).map_or(HeldOut::Nothing, |s| (s.held_out)())
}
