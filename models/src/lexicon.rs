//! Lexicon folders: which clip signs which gloss.
