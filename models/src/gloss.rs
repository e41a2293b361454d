//! Gloss labels: how they are written, and when two are the same.
