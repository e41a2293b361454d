//! Words that are put together from words, in languages that write such words as one.

use models::lexicon::plain;

use super::dictionary::{Clip, Dictionary};

/// A part of a word that has fewer letters is found in words that it has nothing to do with.
const MIN_PART: usize = 3;
/// Longer words are not taken apart: there are none, and looking takes time by the square.
const MAX_COMPOUND: usize = 60;

impl Dictionary {
    /// The signs of the words that a word is put together from: as few as there can be, and of those the ones with
    /// the longest beginnings. All of the word must be found.
    pub(super) fn compound(&self, word: &str) -> Option<Vec<Clip>> {
        let joints = joints(&self.spoken)?;
        let word = plain(word);
        // Where each letter begins, and where the last ends.
        let at: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
        let count = at.len() - 1;
        if count > MAX_COMPOUND {
            return None;
        }
        // What signs the word from each letter on, looked for from its end.
        let mut from: Vec<Option<Vec<Clip>>> = vec![None; count + 1];
        from[count] = Some(vec![]);
        for start in (0..count.saturating_sub(MIN_PART - 1)).rev() {
            let ends = (start + MIN_PART..=count).rev().filter(|&end| from[end].is_some());
            let signed = ends.filter_map(|end| {
                let part = &word[at[start]..at[end]];
                let rest = from[end].as_ref()?;
                let joined = || {
                    // Only between parts is there a joint.
                    let bare = joints.iter().filter_map(|joint| part.strip_suffix(joint));
                    let mut bare = bare.filter(|bare| !rest.is_empty() && bare.chars().count() >= MIN_PART);
                    bare.find_map(|bare| self.part(bare))
                };
                let clip = self.part(part).or_else(joined)?;
                Some(std::iter::once(clip).chain(rest.iter().copied()).collect::<Vec<_>>())
            });
            // Of as many parts the first, which begins with the longest.
            let fewest = signed.min_by_key(Vec::len);
            from[start] = fewest;
        }
        from.swap_remove(0).filter(|clips| clips.len() > 1)
    }
}

/// What stands between the parts of a word in a language that puts words together; `None` of the others.
fn joints(spoken: &str) -> Option<&'static [&'static str]> {
    match spoken {
        "de" => Some(&["s", "es", "n", "en", "er", "e"]),
        "nl" => Some(&["s", "en", "e"]),
        "sv" | "da" | "nb" | "no" => Some(&["s", "e"]),
        "et" | "fi" | "hu" => Some(&[]),
        _ => None,
    }
}
