//! Texts that have to fit.

/// The start of a text, at most `most` bytes, cut between characters.
pub fn clipped(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(["aé", "é", "", "abc"].map(|text| clipped(text, 2)), ["a", "é", "", "ab"]);
    }
}
