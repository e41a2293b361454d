//! Signs that are enrolled from a few examples, by where an embedding puts them.
//!
//! An embedding model maps a window of features to a point on the unit sphere, signs that are
//! signed alike near each other, whether it was trained on them or not. A sign is enrolled by the
//! points of three to five examples; a window is the sign of the nearest example, or none where
//! even that is far. Nothing is trained. The nearest example was measured to be better than the
//! mean of the examples (Snell et al. 2017): people sign one sign with either hand, and the mean of
//! a left-handed and a right-handed example is neither.
//!
//! Legend: E values of an embedding, S enrolled signs.

mod file;

use crate::gloss::label_key;
use crate::manifest::{NONE, confidences};

/// A sign is enrolled by so many examples.
pub const EXAMPLES: std::ops::RangeInclusive<usize> = 3..=5;
/// What it costs that a window is like an example's mirror image and not like the example: a cosine.
///
/// Without mirror images hardly anybody with the other hand is understood; at no cost signs are confused
/// that are each other's mirror image. On the data set that the threshold is set on this cost names most
/// clips rightly.
pub const MIRROR_COST: f32 = 0.05;
/// Examples of one sign are no less similar to the nearest other example than this: a cosine.
///
/// On three data sets of unknown signs it passes 94 of 100 sets of three to five true examples, or more,
/// and refuses 92 of 100, or more, in which one is of another sign.
pub const SAME: f32 = 0.75;
/// More signs than this are no enrolment but a corpus: train a model on them.
pub const MOST_SIGNS: usize = 1000;
/// A longer label fits no caption. Characters.
pub const LONGEST_LABEL: usize = 60;

/// The signs of a unit, and which network's arithmetic they lie in.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrolled {
    /// SHA-256 of the network that embedded them, in hexadecimal: another's points mean nothing beside these.
    pub network: String,
    /// In the order in which they were enrolled; each label once.
    pub signs: Vec<Sign>,
}

/// An enrolled sign.
#[derive(Debug, Clone, PartialEq)]
pub struct Sign {
    /// What a caption says.
    pub label: String,
    /// Three to five.
    pub examples: Vec<Example>,
}

/// An example of a sign: where the embedding puts it.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// `[E]`, of length 1.
    pub signed: Vec<f32>,
    /// `[E]`: the same clip as a mirror shows it, which is how somebody with the other hand signs it.
    pub mirrored: Vec<f32>,
}

impl Enrolled {
    /// No sign yet, of a network with this SHA-256.
    pub fn none_of(network: &str) -> Self {
        Self { network: network.into(), signs: vec![] }
    }

    /// The sign with this label, however it is written.
    pub fn find(&self, label: &str) -> Option<usize> {
        let key = label_key(label);
        self.signs.iter().position(|sign| label_key(&sign.label) == key)
    }
}

/// What keeps a text from being a sign's label, as the end of a sentence; `None` where it may be one.
pub fn no_label(text: &str) -> Option<&'static str> {
    if label_key(text).is_empty() || text.trim() != text {
        return Some("is no word");
    }
    if label_key(text) == label_key(NONE) {
        return Some("stands for no sign at all");
    }
    if text.chars().count() > LONGEST_LABEL {
        return Some("is too long for a caption");
    }
    text.chars().any(char::is_control).then_some("has characters that cannot be shown")
}

/// The examples of signs, ready to be compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Gallery {
    /// `[S]`.
    signs: Vec<Vec<Example>>,
    none: f32,
}

impl Gallery {
    /// That of signs; `none` is how similar every window is to no sign.
    pub fn new<'a>(signs: impl IntoIterator<Item = &'a [Example]>, none: f32) -> Self {
        Self { signs: signs.into_iter().map(<[Example]>::to_vec).collect(), none }
    }

    /// How similar a window is to each sign, and last to none: the logits of a classifier.
    ///
    /// # Shapes
    /// - `embedding`: `[E]`, of length 1
    /// - returns: `[S + 1]`, cosines
    pub fn logits(&self, embedding: &[f32]) -> Vec<f32> {
        self.signs.iter().map(|examples| nearest(embedding, examples)).chain([self.none]).collect()
    }

    /// The sign that a window shows and how sure that is, 0 to 1; `None` where none is likelier than each.
    pub fn answer(&self, embedding: &[f32], temperature: f32) -> Option<(usize, f32)> {
        let mut sure = self.logits(embedding);
        confidences(&mut sure, temperature);
        let (best, sure) = sure.into_iter().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
        (best < self.signs.len()).then_some((best, sure))
    }
}

/// How well an example fits the other examples of its sign: below [`SAME`] it is another sign.
pub fn fit(examples: &[Example], which: usize) -> f32 {
    let others = examples.iter().enumerate().filter(|(i, _)| *i != which).map(|(_, e)| e);
    nearest(&examples[which].signed, others)
}

/// How similar the examples of one sign are to another sign, in the mean.
pub fn resemblance(examples: &[Example], other: &[Example]) -> f32 {
    let sum: f32 = examples.iter().map(|e| nearest(&e.signed, other)).sum();
    sum / examples.len().max(1) as f32
}

/// How similar a point is to the nearest of some examples, as signed or with the other hand; -1 without any.
fn nearest<'a>(point: &[f32], examples: impl IntoIterator<Item = &'a Example>) -> f32 {
    let to = |e: &Example| similarity(point, &e.signed).max(similarity(point, &e.mirrored) - MIRROR_COST);
    examples.into_iter().map(to).fold(-1.0, f32::max)
}

/// The cosine of the angle between two points of length 1.
fn similarity(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A point of two values at an angle in degrees, and its mirror image at another.
    fn example(degrees: f32, mirrored: f32) -> Example {
        let at = |degrees: f32| vec![degrees.to_radians().cos(), degrees.to_radians().sin()];
        Example { signed: at(degrees), mirrored: at(mirrored) }
    }

    /// Signs at 0° and at 60° whose mirror images lie at 180° and at 240°.
    fn gallery() -> Gallery {
        let [a, b] = [0.0, 60.0].map(|at| [-10.0, 0.0, 10.0].map(|d| example(at + d, at + 180.0 + d)));
        Gallery::new([a.as_slice(), &b], 0.8)
    }

    #[track_caller]
    fn check(degrees: f32, expect: Option<usize>) {
        let window = example(degrees, 0.0).signed;
        assert_eq!(gallery().answer(&window, 0.05).map(|(sign, _)| sign), expect, "{degrees}");
    }

    #[test]
    fn a_window_is_the_nearest_sign_in_either_hand_or_none() {
        check(5.0, Some(0));
        check(45.0, Some(1));
        check(175.0, Some(0));
        check(230.0, Some(1));
        check(120.0, None);
        check(300.0, None);
    }

    #[test]
    fn logits_are_cosines_with_none_last_and_the_other_hand_costs() {
        #[track_caller]
        fn near(logits: &[f32], expect: [f32; 3]) {
            assert!(logits.iter().zip(expect).all(|(a, b)| (a - b).abs() < 1e-6), "{logits:?}");
        }
        near(&gallery().logits(&example(0.0, 0.0).signed), [1.0, 50.0_f32.to_radians().cos(), 0.8]);
        near(&gallery().logits(&example(180.0, 0.0).signed), [0.95, 50.0_f32.to_radians().cos() - 0.05, 0.8]);
        let nobody = Gallery::new([], 0.8);
        assert_eq!((nobody.logits(&[1.0, 0.0]), nobody.answer(&[1.0, 0.0], 0.05)), (vec![0.8], None));
    }

    #[test]
    fn the_example_that_fits_least_is_the_odd_one() {
        let examples = [0.0, 10.0, 90.0, 5.0].map(|d| example(d, d));
        let fits: Vec<_> = (0..4).map(|i| fit(&examples, i)).collect();
        assert!((0..4).all(|i| (fits[i] < SAME) == (i == 2)), "{fits:?}");
        let alike = |a: &[Example], b: &[Example]| resemblance(a, b);
        assert!((alike(&examples[..2], &examples[..2]) - 1.0).abs() < 1e-6);
        let other_hand = [example(90.0, 5.0)];
        let expect = 5.0_f32.to_radians().cos() - MIRROR_COST;
        assert!((alike(&examples[..2], &other_hand) - expect).abs() < 1e-6, "a mirror image counts for less");
        assert_eq!(fit(&examples[..1], 0), -1.0, "one example has no others");
    }

    #[test]
    fn labels_are_words_that_a_caption_can_show() {
        for good in ["Amt", "THANK-YOU", "감사", "a", "I ❤ you"] {
            assert_eq!(no_label(good), None, "{good}");
        }
        for bad in ["", " ", "-", " a", "<none>", "a\nb", "a\u{1b}[2J", &"x".repeat(61)] {
            assert!(no_label(bad).is_some(), "{bad:?}");
        }
    }
}
