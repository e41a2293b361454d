//! Signs for words that no lexicon has, by what words are signed as: embeddings and their cosine.
//!
//! AuraLLM (Li et al. 2024, "Beyond Words", eq. 1) embeds the words of a sentence and those of a lexicon and takes
//! the entry with the highest cosine. Here a word that is known little is a short vector: its length says how much
//! was seen of it, so that a word seen once does not look as sure as one seen a hundred times. That is eq. 1 still,
//! in a space with one more dimension, which every word has to itself.
//!
//! [`Subword`] is the embedder that `signpost-host train` makes; [`Embed`] is what another one must do. Both are
//! asked for rows once, when a lexicon is opened; [`Index`] then compares by dot products alone.

mod file;
mod index;
mod subword;

pub use file::EMBEDDER_LIMIT;
pub use index::{Index, Nearest};
pub use subword::{Subword, SubwordManifest, bucket, grams};

/// Places words of a text and signs of a lexicon in one space.
pub trait Embed: Send + Sync {
    /// Values of a vector, D.
    fn width(&self) -> usize;

    /// The cosine from which a sign may stand for a word, as it was measured.
    fn threshold(&self) -> f32;

    /// A word of a text: `[D]`, not longer than 1 and the shorter, the less is known of it; `None` of a word that
    /// nothing is known of.
    fn word(&self, word: &str) -> Option<Vec<f32>>;

    /// A sign by its words (parted by a bar, possibly none) and its gloss (possibly empty): `[D]`, of any length.
    fn sign(&self, words: &str, gloss: &str) -> Option<Vec<f32>>;
}
