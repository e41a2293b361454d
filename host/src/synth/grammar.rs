//! Sentences to sign: a written grammar that people who sign can read and mend.
//!
//! `data/asl-hall.txt` says what its lines mean.

use std::collections::HashMap;

use rand::Rng;
use rand::rngs::StdRng;

/// One thing to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A sign.
    Gloss(String),
    /// A word letter by letter, in capitals.
    Spelled(String),
    /// A short pause.
    Pause,
}

/// A sentence: what is signed, and what it means in a spoken language.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sentence {
    /// In the order of signing.
    pub tokens: Vec<Token>,
    /// Its meaning; empty where it has none.
    pub text: String,
}

/// A weighted grammar without recursion.
#[derive(Debug, Clone, PartialEq)]
pub struct Grammar {
    sentences: Vec<(u32, Line)>,
    sets: HashMap<String, Vec<Line>>,
}

/// One line: glosses, `$sets` and `%name`, and the text with the same marks in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    signed: Vec<String>,
    text: String,
}

/// The mark of a name to spell.
const NAME: &str = "%name";
/// Sets within sets go no deeper.
const DEEPEST: usize = 8;

impl Grammar {
    /// Reads a grammar.
    ///
    /// # Errors
    /// One sentence with the line that is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut grammar = Self { sentences: vec![], sets: HashMap::new() };
        let lines = text.lines().enumerate().map(|(i, l)| (i + 1, l.trim()));
        for (number, line) in lines.filter(|(_, l)| !l.is_empty() && !l.starts_with('#')) {
            let wrong = |why: &str| format!("line {number} of the grammar: {why}");
            let (head, rest) =
                line.split_once(char::is_whitespace).ok_or_else(|| wrong("it has no glosses"))?;
            let (signed, text) = rest.split_once('/').ok_or_else(|| wrong("it has no / and meaning"))?;
            let signed: Vec<String> = signed.split_whitespace().map(str::to_owned).collect();
            if signed.is_empty() {
                return Err(wrong("it has no glosses"));
            }
            let line = Line { signed, text: text.trim().to_owned() };
            match head.strip_prefix('$') {
                Some(_) => grammar.sets.entry(head.to_owned()).or_default().push(line),
                None => {
                    let weight =
                        head.parse().map_err(|_| wrong("it begins with neither a number nor a $SET"))?;
                    grammar.sentences.push((weight, line));
                }
            }
        }
        if grammar.sentences.iter().all(|(weight, _)| *weight == 0) {
            return Err("the grammar has no sentence that ever comes; give one a number above 0".into());
        }
        let lines = || grammar.sentences.iter().map(|(_, l)| l).chain(grammar.sets.values().flatten());
        if let Some(set) =
            lines().flat_map(|l| &l.signed).find(|s| s.starts_with('$') && !grammar.sets.contains_key(*s))
        {
            return Err(format!("no line of the grammar fills {set}"));
        }
        if lines().any(|l| !grammar.ends(l, DEEPEST)) {
            return Err(format!("a set of the grammar holds itself, or sets lie more than {DEEPEST} deep"));
        }
        Ok(grammar)
    }

    /// All glosses that sentences may have.
    pub fn glosses(&self) -> impl Iterator<Item = &str> {
        let lines = self.sentences.iter().map(|(_, l)| l).chain(self.sets.values().flatten());
        lines.flat_map(|l| &l.signed).map(String::as_str).filter(|s| !s.starts_with(['$', '%']) && *s != ",")
    }

    /// Draws a sentence; `name` gives names to spell.
    pub fn draw(&self, rng: &mut StdRng, mut name: impl FnMut(&mut StdRng) -> String) -> Sentence {
        let total: u32 = self.sentences.iter().map(|(weight, _)| weight).sum();
        let mut at = rng.random_range(0..total);
        let line = self.sentences.iter().find(|(weight, _)| match at.checked_sub(*weight) {
            Some(left) => {
                at = left;
                false
            }
            None => true,
        });
        let (_, line) = line.expect("a number below the sum of the weights lies in one of them");
        let mut sentence = Sentence::default();
        sentence.text = self.fill(line, &mut sentence.tokens, rng, &mut name);
        sentence
    }

    /// Adds what a line signs and gives its text. What fills a mark in the glosses fills it in the text.
    fn fill(
        &self,
        line: &Line,
        tokens: &mut Vec<Token>,
        rng: &mut StdRng,
        name: &mut impl FnMut(&mut StdRng) -> String,
    ) -> String {
        let (mut text, mut left) = (String::new(), line.text.as_str());
        for part in &line.signed {
            let filled = if part == "," {
                tokens.push(Token::Pause);
                continue;
            } else if part == NAME {
                let name = name(rng);
                tokens.push(Token::Spelled(name.to_uppercase()));
                name
            } else if let Some(lines) = self.sets.get(part) {
                self.fill(&lines[rng.random_range(0..lines.len())], tokens, rng, name)
            } else {
                tokens.push(Token::Gloss(part.clone()));
                continue;
            };
            match left.split_once(part.as_str()) {
                Some((before, after)) => {
                    text.push_str(before);
                    text.push_str(&filled);
                    left = after;
                }
                // The text names what was signed in another order.
                None => text = text.replacen(part.as_str(), &filled, 1),
            }
        }
        text + left
    }

    fn ends(&self, line: &Line, deep: usize) -> bool {
        deep > 0
            && line.signed.iter().filter_map(|s| self.sets.get(s)).flatten().all(|l| self.ends(l, deep - 1))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::super::RECIPES;
    use super::*;

    #[track_caller]
    fn check(grammar: &str, glosses: &str, text: &str) {
        let grammar = Grammar::parse(grammar).unwrap();
        let sentence = grammar.draw(&mut StdRng::seed_from_u64(1), |_| "Ann".into());
        let said: Vec<String> = sentence.tokens.iter().map(|t| format!("{t:?}")).collect();
        assert_eq!((said.join(" ").as_str(), sentence.text.as_str()), (glosses, text));
    }

    #[test]
    fn sentences_are_filled_with_their_text() {
        check("1 HELLO , %name / Hi, I am %name.", r#"Gloss("HELLO") Pause Spelled("ANN")"#, "Hi, I am Ann.");
        check(
            "1 I GET $x / I get $x now.\n$x TEA / a tea",
            r#"Gloss("I") Gloss("GET") Gloss("TEA")"#,
            "I get a tea now.",
        );
        check("0 NO / No.\n1 YES / Yes.", r#"Gloss("YES")"#, "Yes.");
        check("1 $b $a / $a of $b\n$a A / x\n$b B / y", r#"Gloss("B") Gloss("A")"#, "x of y");
    }

    #[track_caller]
    fn check_refusal(grammar: &str, part: &str) {
        let said = Grammar::parse(grammar).unwrap_err();
        assert!(said.contains(part), "{said}");
    }

    #[test]
    fn grammars_that_cannot_be_drawn_from_are_refused() {
        check_refusal("", "no sentence");
        check_refusal("0 A / a", "no sentence");
        check_refusal("1 A", "line 1");
        check_refusal("# a\nx A / a", "line 2");
        check_refusal("1 $x / a", "fills $x");
        check_refusal("1 $x / a\n$x $x / b", "holds itself");
    }

    #[test]
    fn every_set_of_the_shipped_grammars_is_filled_in_the_text() {
        for recipe in &RECIPES {
            let grammar = Grammar::parse(recipe.grammar).unwrap();
            for seed in 0..500 {
                let sentence = grammar.draw(&mut StdRng::seed_from_u64(seed), |_| "Ann".into());
                assert!(!sentence.text.contains(['$', '%']), "{sentence:?}");
                assert!(sentence.text.ends_with(['.', '?']) && !sentence.tokens.is_empty(), "{sentence:?}");
            }
        }
    }
}
