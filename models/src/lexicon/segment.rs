//! Writing without spaces, cut into the words of a lexicon.

/// A part of a run of writing without spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// As written.
    pub text: &'a str,
    /// Whether it is one of the words; what lies between words is one part, and nothing is left out.
    pub known: bool,
}

/// Cuts writing without spaces into words of at most `longest` characters.
///
/// All ways to cut it make a lattice; of these it takes one with the fewest characters that belong to no word, of
/// those one with the fewest words, and of those the one that begins with the longest.
pub fn segment<'a>(text: &'a str, longest: usize, is_word: impl Fn(&str) -> bool) -> Vec<Piece<'a>> {
    // Where each character begins, and where the last ends.
    let at: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let count = at.len() - 1;
    // From each character on: characters without a word, words, and where the first part ends and whether it is one.
    let mut best = vec![(0_usize, 0_usize, count, false); count + 1];
    for start in (0..count).rev() {
        let (lost, words, ..) = best[start + 1];
        best[start] = (lost + 1, words, start + 1, false);
        for end in start + 1..=count.min(start + longest) {
            let (lost, words, ..) = best[end];
            // A later end is a longer word, which wins where all else is alike.
            if (lost, words + 1) <= (best[start].0, best[start].1) && is_word(&text[at[start]..at[end]]) {
                best[start] = (lost, words + 1, end, true);
            }
        }
    }
    let mut pieces: Vec<Piece<'a>> = vec![];
    let (mut start, mut from) = (0, 0);
    while start < count {
        let (_, _, end, known) = best[start];
        if known {
            pieces.push(Piece { text: &text[at[start]..at[end]], known });
            from = end;
        } else {
            // Characters without a word that stand side by side are one part.
            let joined = pieces.last().is_some_and(|last| !last.known);
            if joined {
                pieces.pop();
            } else {
                from = start;
            }
            pieces.push(Piece { text: &text[at[from]..at[end]], known });
        }
        start = end;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, words: &str, expect: &str) {
        let words: Vec<&str> = words.split(' ').collect();
        let pieces = segment(text, 4, |word| words.contains(&word));
        let shown: Vec<String> = pieces
            .iter()
            .map(|p| if p.known { p.text.to_owned() } else { format!("({})", p.text) })
            .collect();
        assert_eq!(shown.join(" "), expect);
        assert_eq!(pieces.iter().map(|p| p.text).collect::<String>(), text, "nothing is left out");
    }

    #[test]
    fn the_fewest_words_and_nothing_left_out() {
        check("今天天气好", "今天 天天 天气 好 今 天", "今天 天气 好");
        // The longest beginning would leave a character without a word.
        check("研究生命", "研究生 研究 生命", "研究 生命");
        check("我的名字", "我 名字", "我 (的) 名字");
        check("龘龘好", "好", "(龘龘) 好");
        check("abc", "ab bc a c", "ab c");
        check("", "a", "");
        check("龘", "", "(龘)");
    }
}
