//! Letters that were read one by one, to the word that was spelled.
//!
//! A noisy channel. The signer spelled a name of a list, or any other word; letters get lost, come in that
//! nobody spelled, and are taken for others. A name is read only where it is far likelier than all the rest
//! together, a letter that was seen clearly is never taken for another, and letters that were all clear stay
//! as they are: Michel must not become Michael because more people are called that.

/// Common first names, see the file's head.
pub const NAMES: &str = include_str!("../data/names.txt");

/// How often a letter is lost, and how often one comes in, on synthetic development data.
const LOST: f64 = 0.05;
const COMES_IN: f64 = 0.02;
/// The share of spelled words that are on the list.
const LISTED: f64 = 0.5;
/// What is left for letters that are neither on top nor among the next best, each.
const ANY: f64 = 1e-3;
/// The same where the letter on top was seen clearly: above this confidence.
const CLEAR: f32 = 0.9;
const ANY_BUT_CLEAR: f64 = 1e-5;
/// A name is read where it is at least so likely.
const SURE: f64 = 0.9;
/// Letters of the alphabet that chance picks from.
const ALPHABET: f64 = 26.0;
/// More letters than any name has; longer runs are left as they are.
const LONGEST: usize = 24;

/// A letter that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// The letter on top, a capital; `None` where it was not sure enough to be shown.
    pub shown: Option<char>,
    /// Letters that it may be and how likely each is, together at most 1; the one on top first.
    pub likely: Vec<(char, f32)>,
}

impl Letter {
    /// Whether it was seen so clearly that it is not another.
    fn is_clear(&self) -> bool {
        self.shown.is_some() && self.likely.first().is_some_and(|(_, p)| *p >= CLEAR)
    }

    /// How likely it is that the signer spelled this one.
    fn worth(&self, spelled: char) -> f64 {
        let any = if self.is_clear() { ANY_BUT_CLEAR } else { ANY };
        let given = self.likely.iter().position(|(letter, _)| *letter == spelled);
        match given.map(|n| (n, f64::from(self.likely[n].1))) {
            Some((n, p)) if n == 0 || !self.is_clear() => p.max(any),
            _ => any,
        }
    }
}

/// Words that are likely to be spelled.
#[derive(Debug, Clone, PartialEq)]
pub struct Names {
    names: Vec<Vec<char>>,
    /// `[27, 27]`: how likely each letter follows another, the row and column 26 for a word's edge.
    follows: Vec<f64>,
}

const EDGE: usize = 26;

impl Default for Names {
    fn default() -> Self {
        Self::parse(NAMES)
    }
}

impl Names {
    /// The names of a text, apart by blanks or lines; lines that begin with `#` are left out, and so is what has
    /// other letters than those of the English alphabet.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let words = lines.flat_map(str::split_whitespace);
        let spelled = words.filter(|w| w.chars().all(|c| c.is_ascii_alphabetic()) && w.len() <= LONGEST);
        let mut names: Vec<Vec<char>> =
            spelled.map(|w| w.chars().map(|c| c.to_ascii_uppercase()).collect()).collect();
        names.sort();
        names.dedup();
        // One more of each than was counted: pairs that no name has are spelled all the same.
        let mut follows = vec![1.0; 27 * 27];
        for name in &names {
            let places = name.iter().map(|c| place(*c)).chain([EDGE]);
            std::iter::once(EDGE).chain(name.iter().map(|c| place(*c))).zip(places).for_each(|(a, b)| {
                follows[a * 27 + b] += 1.0;
            });
        }
        for row in follows.chunks_exact_mut(27) {
            let sum: f64 = row.iter().sum();
            row.iter_mut().for_each(|p| *p /= sum);
        }
        Self { names, follows }
    }

    /// The name that was spelled, in capitals, and how likely it is; `None` where no name is likely enough.
    pub fn read(&self, letters: &[Letter]) -> Option<(String, f32)> {
        if letters.is_empty() || letters.len() > LONGEST || self.names.is_empty() {
            return None;
        }
        let other = (1.0 - LISTED).ln() + self.any_word(letters);
        let each = (LISTED / self.names.len() as f64).ln();
        let scores: Vec<f64> = self.names.iter().map(|name| each + spelled_as(letters, name)).collect();
        let best = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]))?;
        let top = scores[best].max(other);
        let total: f64 = scores.iter().chain([&other]).map(|s| (s - top).exp()).sum();
        let share = (scores[best] - top).exp() / total;
        let as_shown = letters.iter().map(|l| l.shown).eq(self.names[best].iter().copied().map(Some));
        if letters.iter().all(Letter::is_clear) && !as_shown {
            return None;
        }
        (share >= SURE).then(|| (self.names[best].iter().collect(), share as f32))
    }

    /// How likely the letters are if any word was spelled, by pairs of letters, against letters by chance.
    fn any_word(&self, letters: &[Letter]) -> f64 {
        // Forward over the 26 letters that each may have been.
        let mut now = vec![0.0; 27];
        now[EDGE] = 1.0;
        let mut scale = 0.0;
        for letter in letters {
            let mut next = vec![0.0; 27];
            for (to, slot) in next.iter_mut().enumerate().take(EDGE) {
                let from: f64 = now.iter().enumerate().map(|(f, p)| p * self.follows[f * 27 + to]).sum();
                *slot = from * letter.worth((b'A' + to as u8) as char) * ALPHABET;
            }
            let sum: f64 = next.iter().sum::<f64>().max(f64::MIN_POSITIVE);
            scale += sum.ln();
            now = next.iter().map(|p| p / sum).collect();
        }
        scale
    }
}

/// The place of a capital in the alphabet.
fn place(letter: char) -> usize {
    (letter as usize).wrapping_sub('A' as usize).min(EDGE)
}

/// How likely the letters are if this name was spelled, against letters by chance: the best alignment.
fn spelled_as(letters: &[Letter], name: &[char]) -> f64 {
    let (lost, comes_in) = (LOST.ln(), COMES_IN.ln());
    let kept = (1.0 - LOST - COMES_IN).ln();
    let mut row: Vec<f64> = (0..=name.len()).map(|n| n as f64 * lost).collect();
    for letter in letters {
        let mut before = row[0];
        row[0] += comes_in;
        for (n, spelled) in name.iter().enumerate() {
            let matched = before + kept + (letter.worth(*spelled) * ALPHABET).ln();
            before = row[n + 1];
            row[n + 1] = matched.max(before + comes_in).max(row[n] + lost);
        }
    }
    row[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Capitals were seen clearly, small letters hardly, `?` hardly and not shown.
    #[track_caller]
    fn check(letters: &str, expect: Option<&str>) {
        let letter = |c: char| match c {
            '?' => Letter { shown: None, likely: vec![('E', 0.3), ('S', 0.2)] },
            c if c.is_ascii_uppercase() => Letter { shown: Some(c), likely: vec![(c, 0.97), ('S', 0.02)] },
            c => Letter { shown: Some(c.to_ascii_uppercase()), likely: vec![(c.to_ascii_uppercase(), 0.7)] },
        };
        let read = Names::default().read(&letters.chars().map(letter).collect::<Vec<_>>());
        assert_eq!(read.as_ref().map(|(name, _)| name.as_str()), expect, "{letters}: {read:?}");
        assert!(read.is_none_or(|(_, sure)| (0.9..=1.0).contains(&sure)));
    }

    #[test]
    fn names_are_read_through_noise() {
        check("MICHAEL", Some("MICHAEL"));
        check("MICHeL", Some("MICHAEL"));
        check("MICHA?L", Some("MICHAEL"));
        check("eliZABETH", None);
        check("JeSSlCA", Some("JESSICA"));
        check("GABRIEL", Some("GABRIEL"));
    }

    #[test]
    fn a_word_that_is_no_name_stays_as_it_was_spelled() {
        for word in ["ANNE", "TIM", "ALEXANDRE", "KINDNESS", "MICHEL", "XQ", "A", "BRO", "MARTIN", "JOHAN"] {
            check(word, None);
        }
    }

    #[test]
    fn any_letters_are_taken() {
        let none = Letter { shown: None, likely: vec![] };
        let odd = Letter { shown: Some('Ü'), likely: vec![('Ü', 0.9), ('\u{10ffff}', f32::NAN)] };
        assert_eq!(Names::default().read(&[]), None);
        assert_eq!(Names::default().read(&vec![none; 1000]), None);
        assert_eq!(Names::default().read(&[odd.clone(), odd]), None);
        assert_eq!(Names::parse("# none\n").read(&[]), None);
    }
}
