//! The arithmetic of evaluation: no file is read here and nothing is printed.
//!
//! Each metric names the program whose figures it equals; `tests/tests/metrics.rs` holds it to fixtures
//! made by those programs. [`words`] counts wrong glosses, [`bleu`], [`chrf`] and [`rouge`] compare texts,
//! [`calibration`] compares confidences with what came true, [`segments`] compares who says when a sign is.

pub mod bleu;
pub mod calibration;
pub mod chrf;
pub mod rouge;
pub mod segments;
pub mod tokenize;
pub mod words;

pub use words::edit_distance;

/// The version of sacreBLEU whose BLEU and chrF these are; signatures state it.
pub const SACREBLEU: &str = "2.6.0";

/// White space as Python's `str.split` and `str.strip` know it: Unicode's, and four separators of ASCII.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// A share; 0 of nothing.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
