//! What somebody who stands before a screen asks for, by keys or by touch.

use super::clock::Wish;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Press {
    /// Something about the signing that is shown.
    Wish(Wish),
    /// The next language.
    NextLanguage,
    /// The end, where the program may end.
    Close,
    /// A finger was put down and lifted here, 0 to 1 from the left and from above of the picture.
    Tap([f32; 2]),
}
