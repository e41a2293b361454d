//! Words cut into pieces by merges of byte-pair encoding (Sennrich et al. 2016), and put together again.
//!
//! A word begins with [`BEGINS`], so that pieces say where words part. What is known of a language is a list
//! of merges, the most frequent first; a word of which no merge is known falls into its characters.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

/// Stands before the first letter of each word.
pub const BEGINS: char = '▁';
/// The piece that ends a sentence; it also fills what is not there.
pub const END: u32 = 0;
/// The piece that a translation begins with.
pub const BEGIN: u32 = 1;
/// What no piece is known for.
pub const UNKNOWN: u32 = 2;
/// Pieces that are no text.
const MARKS: [&str; 3] = ["<end>", "<begin>", "<unknown>"];
/// Merging takes time by the square of a word's length, so longer ones are cut part by part; what has no spaces
/// is longer.
const PART: usize = 200;

/// What a [`Pieces`] is stored as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// Single characters, and whole words where the vocabulary is of words.
    first: Vec<String>,
    /// Pairs of pieces by their numbers; each makes the next piece.
    merges: Vec<[u32; 2]>,
}

/// The pieces of one side of a translation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Pieces {
    /// All pieces: the marks, those that stand by themselves, then one for each merge.
    pieces: Vec<String>,
    numbers: HashMap<String, u32>,
    /// What two pieces make; the lower, the earlier it is merged.
    merges: HashMap<[u32; 2], u32>,
    /// Pieces from here on are merged ones.
    merged_from: usize,
}

impl TryFrom<Stored> for Pieces {
    type Error = String;

    fn try_from(Stored { first, merges }: Stored) -> Result<Self, String> {
        let mut pieces: Vec<String> = MARKS.map(str::to_owned).into();
        pieces.extend(first);
        let merged_from = pieces.len();
        let mut known = HashMap::new();
        for pair in merges {
            let part = |n: u32| pieces.get(n as usize).filter(|_| n as usize >= MARKS.len());
            let (Some(a), Some(b)) = (part(pair[0]), part(pair[1])) else {
                return Err(format!(
                    "a merge joins {} and {}, which are no pieces before it",
                    pair[0], pair[1]
                ));
            };
            // Merges of merges could double a piece each time.
            if a.len() + b.len() > 8 * PART {
                return Err("a merge makes a piece longer than any word".into());
            }
            let joined = format!("{a}{b}");
            known.insert(pair, pieces.len() as u32);
            pieces.push(joined);
        }
        if pieces.iter().any(String::is_empty) {
            return Err("a piece is empty".into());
        }
        let numbers: HashMap<_, _> = (0..).zip(&pieces).map(|(n, piece)| (piece.clone(), n)).collect();
        if numbers.len() < pieces.len() {
            return Err("a piece stands there twice".into());
        }
        Ok(Self { pieces, numbers, merges: known, merged_from })
    }
}

impl From<Pieces> for Stored {
    fn from(pieces: Pieces) -> Self {
        let mut merges: Vec<_> = pieces.merges.into_iter().collect();
        merges.sort_unstable_by_key(|(_, made)| *made);
        Self {
            first: pieces.pieces[MARKS.len()..pieces.merged_from].to_vec(),
            merges: merges.into_iter().map(|(pair, _)| pair).collect(),
        }
    }
}

impl Pieces {
    /// Whole words, the most frequent first: what is not among them is unknown.
    pub fn of_words<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let words = counted(texts).into_iter().map(|(word, _)| format!("{BEGINS}{word}")).collect();
        Stored { first: words, merges: vec![] }.try_into().expect("words are counted once each")
    }

    /// Learns at most `count` pieces from texts: all characters, then the pairs that stand side by side most
    /// often, each joined before the next is looked for. A pair that stands there once is not joined.
    pub fn learn<'a>(texts: impl IntoIterator<Item = &'a str>, count: usize) -> Self {
        let counted = counted(texts);
        let letters: HashSet<char> = counted.iter().flat_map(|(word, _)| word.chars()).collect();
        let mut letters: Vec<char> = letters.into_iter().chain([BEGINS]).collect();
        letters.sort_unstable();
        letters.dedup();
        let first: Vec<String> = letters.into_iter().map(String::from).collect();
        let mut pieces: Pieces =
            Stored { first, merges: vec![] }.try_into().expect("letters are there once each");
        let mut words: Vec<(Vec<u32>, usize)> =
            counted.iter().map(|(word, n)| (pieces.letters(word), *n)).collect();
        while pieces.len() < count {
            let mut pairs: HashMap<[u32; 2], usize> = HashMap::new();
            for (word, n) in &words {
                word.windows(2).for_each(|w| *pairs.entry([w[0], w[1]]).or_insert(0) += n);
            }
            // Of those that are as frequent the first by number, so that learning is repeatable. Two ways to
            // spell one piece would be two pieces that read the same.
            let new = |pair: &[u32; 2]| !pieces.numbers.contains_key(&pieces.joined(*pair));
            let most = pairs.into_iter().filter(|(pair, n)| *n > 1 && new(pair));
            let Some((pair, _)) = most.max_by_key(|(pair, n)| (*n, std::cmp::Reverse(*pair))) else { break };
            let made = pieces.add(pair);
            words.iter_mut().for_each(|(word, _)| join(word, pair, made));
        }
        pieces
    }

    /// How many pieces there are, the marks among them.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there are no pieces but the marks.
    pub fn is_empty(&self) -> bool {
        self.len() == MARKS.len()
    }

    /// A sentence, its words parted by white space, as the numbers of its pieces; no mark ends it.
    pub fn encode(&self, sentence: &str) -> Vec<u32> {
        self.encode_with(sentence, || false)
    }

    /// As [`Self::encode`], where `skip` says of each merge whether it is left out this time, so that a word is
    /// seen cut in many ways (BPE-dropout, Provilkov et al. 2020).
    pub fn encode_with(&self, sentence: &str, mut skip: impl FnMut() -> bool) -> Vec<u32> {
        let mut out = vec![];
        for word in sentence.split_whitespace() {
            if let Some(&whole) = self.numbers.get(&format!("{BEGINS}{word}"))
                && (whole as usize) < self.merged_from
            {
                out.push(whole);
                continue;
            }
            let mut letters = self.letters(word);
            // One mark is enough for a run of characters that nobody knows.
            letters.dedup_by(|a, b| *a == UNKNOWN && *b == UNKNOWN);
            for part in letters.chunks(PART) {
                let mut part = part.to_vec();
                loop {
                    let pairs = part.windows(2).filter_map(|w| self.merges.get_key_value(&[w[0], w[1]]));
                    let Some((&pair, &made)) = pairs.filter(|_| !skip()).min_by_key(|(_, made)| **made)
                    else {
                        break;
                    };
                    join(&mut part, pair, made);
                }
                out.extend(part);
            }
        }
        out
    }

    /// Pieces as a sentence; marks are left out.
    pub fn decode(&self, numbers: &[u32]) -> String {
        let texts = numbers.iter().filter(|n| **n as usize >= MARKS.len());
        let joined: String = texts.filter_map(|n| self.pieces.get(*n as usize)).map(String::as_str).collect();
        joined.replace(BEGINS, " ").trim().to_owned()
    }

    /// A word's characters; one that is not known is [`UNKNOWN`].
    fn letters(&self, word: &str) -> Vec<u32> {
        let number = |c: char| self.numbers.get(c.encode_utf8(&mut [0; 4])).copied().unwrap_or(UNKNOWN);
        std::iter::once(BEGINS).chain(word.chars()).map(number).collect()
    }

    fn joined(&self, [a, b]: [u32; 2]) -> String {
        format!("{}{}", self.pieces[a as usize], self.pieces[b as usize])
    }

    fn add(&mut self, pair: [u32; 2]) -> u32 {
        let (made, joined) = (self.pieces.len() as u32, self.joined(pair));
        self.merges.insert(pair, made);
        self.numbers.insert(joined.clone(), made);
        self.pieces.push(joined);
        made
    }
}

/// The words of texts with their counts, the most frequent first.
fn counted<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<(&'a str, usize)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    texts.into_iter().flat_map(str::split_whitespace).for_each(|word| *counts.entry(word).or_insert(0) += 1);
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable_by_key(|&(word, n)| (std::cmp::Reverse(n), word));
    counts
}

/// Joins a pair wherever it stands, from the left.
fn join(word: &mut Vec<u32>, pair: [u32; 2], made: u32) {
    let mut kept = 0;
    let mut i = 0;
    while i < word.len() {
        let here = word[i..].starts_with(&pair);
        word[kept] = if here { made } else { word[i] };
        i += if here { 2 } else { 1 };
        kept += 1;
    }
    word.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 4] = ["der regen regnet", "der regen", "die sonne", "regnet es"];

    fn cut(pieces: &Pieces, text: &str) -> String {
        let texts = pieces.encode(text).into_iter().map(|n| pieces.pieces[n as usize].as_str());
        texts.collect::<Vec<_>>().join("|")
    }

    #[test]
    fn what_is_frequent_becomes_a_piece() {
        let pieces = Pieces::learn(TEXTS, 40);
        assert_eq!(cut(&pieces, "der regen"), "▁der|▁regen");
        assert_eq!(cut(&pieces, "segen"), "▁|s|eg|en");
        assert_eq!(cut(&pieces, "dér 你好"), "▁d|<unknown>|r|▁|<unknown>");
        assert_eq!(pieces.decode(&pieces.encode("die sonne regnet")), "die sonne regnet");
        assert!(pieces.encode("  ").is_empty());
    }

    #[test]
    fn merges_that_are_left_out_cut_a_word_smaller() {
        let pieces = Pieces::learn(TEXTS, 40);
        assert_eq!(pieces.encode_with("regen", || true).len(), 6, "a mark and five letters");
        let mut turn = 0;
        let some = pieces.encode_with("regen", || {
            turn += 1;
            turn % 3 == 0
        });
        assert_eq!(pieces.decode(&some), "regen");
    }

    #[test]
    fn words_are_known_whole_or_not_at_all() {
        let pieces = Pieces::of_words(["WETTER MORGEN", "MORGEN REGEN"]);
        assert_eq!(pieces.len(), 6);
        let numbers = pieces.encode("REGEN HAGEL MORGEN");
        assert_eq!(numbers[1..], [UNKNOWN, 3]);
        assert_eq!(pieces.decode(&numbers), "REGEN MORGEN");
    }

    #[test]
    fn they_are_stored_and_read_again() {
        let pieces = Pieces::learn(TEXTS, 30);
        let text = serde_json::to_string(&pieces).unwrap();
        assert_eq!(serde_json::from_str::<Pieces>(&text).unwrap(), pieces);
        assert_eq!(Pieces::learn(TEXTS, 30), pieces, "learning is repeatable");
    }

    #[track_caller]
    fn check_refused(stored: &str, expect: &str) {
        let refused = serde_json::from_str::<Pieces>(stored).unwrap_err().to_string();
        assert!(refused.contains(expect), "{refused}");
    }

    #[test]
    fn what_is_stored_wrong_is_refused() {
        check_refused(r#"{"first":["a"],"merges":[[3,4]]}"#, "no pieces before it");
        check_refused(r#"{"first":["a"],"merges":[[0,3]]}"#, "no pieces before it");
        check_refused(r#"{"first":["a","a"],"merges":[]}"#, "twice");
        check_refused(r#"{"first":[""],"merges":[]}"#, "empty");
        let doubling: Vec<_> = (3..60).map(|n| format!("[{n},{n}]")).collect();
        check_refused(
            &format!(r#"{{"first":["a"],"merges":[{}]}}"#, doubling.join(",")),
            "longer than any word",
        );
    }
}
