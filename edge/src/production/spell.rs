//! Words letter by letter, and figures by the signs of their parts.

use super::dictionary::{Clip, Dictionary, MAX_LETTER};
use super::figure::{Part, month_name, number_name, units};
use super::text::folded;

/// Clips that sign something, and what of it they lack.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Spelled {
    pub clips: Vec<Clip>,
    /// Letters that the alphabet does not have; digits where it has no letter of their names.
    pub missing: String,
}

impl Spelled {
    fn add(&mut self, other: Self) {
        self.clips.extend(other.clips);
        self.missing.push_str(&other.missing);
    }

    fn of(clips: Vec<Clip>) -> Self {
        Self { clips, missing: String::new() }
    }
}

impl Dictionary {
    /// Letters of a word, the longest units first, and the letters that are missing.
    pub(super) fn spell(&self, word: &str) -> Spelled {
        let letters: Vec<char> = self.key(word).chars().collect();
        let mut spelled = Spelled::default();
        let mut at = 0;
        while at < letters.len() {
            let longest = MAX_LETTER.min(letters.len() - at);
            let unit = (1..=longest).rev().find_map(|n| {
                let unit: String = letters[at..at + n].iter().collect();
                self.letter(&unit).map(|clip| (n, clip))
            });
            if let Some((n, clip)) = unit {
                spelled.clips.push(clip);
                at += n;
                continue;
            }
            let simpler = folded(letters[at], &self.spoken).unwrap_or_default();
            let simpler: Vec<Option<Clip>> = simpler.chars().map(|c| self.letter(&c.to_string())).collect();
            if !simpler.is_empty() && simpler.iter().all(Option::is_some) {
                spelled.clips.extend(simpler.into_iter().flatten());
            } else {
                spelled.missing.push(letters[at]);
            }
            at += 1;
        }
        spelled
    }

    /// The clips of a figure, part by part in their order.
    pub(super) fn figure(&self, parts: &[Part]) -> Spelled {
        let mut all = Spelled::default();
        for part in parts {
            all.add(match part {
                Part::Number(digits) => self.number(digits),
                Part::Digits(digits) => self.digits(digits),
                Part::Year(digits) => self.year(digits),
                Part::Month(month) => {
                    let name = month_name(*month, &self.spoken).and_then(|name| self.known(name));
                    name.map_or_else(|| self.number(&month.to_string()), |clip| Spelled::of(vec![clip]))
                }
                Part::Word(words) => {
                    let known = words.iter().find_map(|word| self.known(word));
                    known.map_or_else(|| self.spell(words[0]), |clip| Spelled::of(vec![clip]))
                }
                Part::Said(word) => {
                    self.known(word).map_or_else(|| self.spell(word), |clip| Spelled::of(vec![clip]))
                }
                Part::Implied(word) => Spelled::of(self.known(word).into_iter().collect()),
            });
        }
        all
    }

    /// A sign of the word, in whatever form.
    fn known(&self, word: &str) -> Option<Clip> {
        let plain = || self.plainly(word).first().copied();
        self.sign(word).or_else(plain).or_else(|| self.by_stem(word).first().copied())
    }

    /// The sign of the whole number, or of what it is counted in, or of its digits, or the digits' names spelled.
    fn number(&self, digits: &str) -> Spelled {
        if let Some(clip) = self.sign(digits) {
            return Spelled::of(vec![clip]);
        }
        // A number that begins with 0 is one that is read by its digits (a code, a telephone).
        let value = Some(digits).filter(|d| d.len() == 1 || !d.starts_with('0')).and_then(|d| d.parse().ok());
        value.and_then(|value| self.counted(value)).map_or_else(|| self.digits(digits), Spelled::of)
    }

    /// A number by signs alone: whole, or by hundreds and thousands, or digit by digit; `None` where one is missing.
    pub(super) fn counted(&self, value: u64) -> Option<Vec<Clip>> {
        self.terms(value).or_else(|| {
            let digits = value.to_string();
            digits.chars().map(|c| self.whole(u64::from(c.to_digit(10)?))).collect()
        })
    }

    fn terms(&self, value: u64) -> Option<Vec<Clip>> {
        if let Some(clip) = self.whole(value) {
            return Some(vec![clip]);
        }
        let (unit, _) = *units(&self.spoken).iter().find(|(unit, _)| value >= *unit)?;
        let (times, rest) = (value / unit, value % unit);
        // English says "one hundred", the others "hundred".
        let one = times == 1 && (self.spoken == "de" || unit == 10);
        let mut clips = if one { vec![] } else { self.terms(times)? };
        clips.push(self.whole(unit)?);
        if rest > 0 {
            clips.extend(self.terms(rest)?);
        }
        Some(clips)
    }

    /// The one sign of a number, by its digits or its name.
    fn whole(&self, value: u64) -> Option<Clip> {
        let digits = value.to_string();
        let letter = || self.letter(&digits).filter(|_| value < 10);
        let named = || self.known(&number_name(value, &self.spoken)?);
        self.sign(&digits).or_else(letter).or_else(named)
    }

    /// A year: digit by digit in Chinese, by its halves in English, else as a number.
    fn year(&self, digits: &str) -> Spelled {
        if let Some(clip) = self.sign(digits) {
            return Spelled::of(vec![clip]);
        }
        let halves = || {
            let (century, rest) = digits.split_at_checked(2).filter(|(_, rest)| !rest.starts_with('0'))?;
            let half = |text: &str| self.whole(text.parse().ok()?);
            Some(Spelled::of(vec![half(century)?, half(rest)?]))
        };
        match self.spoken.as_str() {
            "zh" => self.digits(digits),
            "en" if digits.len() == 4 => halves().unwrap_or_else(|| self.number(digits)),
            _ => self.number(digits),
        }
    }

    fn digits(&self, digits: &str) -> Spelled {
        let mut all = Spelled::default();
        for value in digits.chars().filter_map(|c| c.to_digit(10)) {
            if let Some(clip) = self.whole(u64::from(value)) {
                all.clips.push(clip);
                continue;
            }
            let spelled = self.spell(self.digit_name(value).unwrap_or_default());
            if spelled.clips.is_empty() {
                all.missing.push_str(&value.to_string());
            } else {
                all.add(spelled);
            }
        }
        all
    }
}
