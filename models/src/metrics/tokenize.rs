//! How sacreBLEU cuts a line into tokens before BLEU counts them.
//!
//! Each does what the tokenizer of that name does in sacreBLEU, letter by letter, with its oddities: a
//! figure that differs from everybody else's is of no use.

use super::is_space;

/// A tokenizer of sacreBLEU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokenizer {
    /// Words as they stand, between white space: for glosses, and text that was cut before.
    None,
    /// That of `mteval-v13a.pl`, sacreBLEU's default: for languages in Latin script.
    V13a,
    /// Each Chinese character by itself, the rest as [`Self::V13a`] does its punctuation.
    Zh,
    /// Each character by itself.
    Char,
}

impl Tokenizer {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::V13a, Self::Zh, Self::Char];

    /// Its name in sacreBLEU and in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::V13a => "13a",
            Self::Zh => "zh",
            Self::Char => "char",
        }
    }

    /// The tokenizer of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }

    /// The tokens of a line.
    pub fn tokens(self, line: &str) -> Vec<String> {
        let line = line.trim_end_matches(is_space);
        let words = |line: &str| line.split(is_space).filter(|w| !w.is_empty()).map(str::to_owned).collect();
        match self {
            Self::None => words(line),
            Self::V13a => words(&punctuation(&v13a(line))),
            Self::Zh => words(&punctuation(&chinese(line.trim_matches(is_space)))),
            Self::Char => line.chars().filter(|c| !is_space(*c)).map(String::from).collect(),
        }
    }
}

/// What `13a` does before punctuation: joins broken lines, and resolves four entities of SGML.
fn v13a(line: &str) -> String {
    let mut line = line.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    if line.contains('&') {
        for (entity, letter) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
            line = line.replace(entity, letter);
        }
    }
    format!(" {line} ")
}

/// Puts spaces around Chinese characters.
fn chinese(line: &str) -> String {
    let mut out = String::with_capacity(line.len() * 2);
    for c in line.chars() {
        if is_chinese(c) {
            out.extend([' ', c, ' ']);
        } else {
            out.push(c);
        }
    }
    out
}

/// What sacreBLEU takes for Chinese.
///
/// It writes two blocks beyond U+FFFF with four hexadecimal digits too few, and so compares letters with
/// texts of two letters: U+2001..=U+2A6D and U+2F81..=U+2FA1 are taken for Chinese, and the blocks are not.
fn is_chinese(c: char) -> bool {
    matches!(c,
        '\u{2001}'..='\u{2a6d}' | '\u{2e80}'..='\u{2eff}' | '\u{2f00}'..='\u{2fdf}'
        | '\u{2ff0}'..='\u{303f}' | '\u{3100}'..='\u{312f}' | '\u{31a0}'..='\u{31bf}'
        | '\u{31c0}'..='\u{31ef}' | '\u{3200}'..='\u{33ff}' | '\u{3400}'..='\u{4db5}'
        | '\u{4e00}'..='\u{9fbb}' | '\u{f900}'..='\u{fa2d}' | '\u{fa30}'..='\u{fa6a}'
        | '\u{fa70}'..='\u{fad9}' | '\u{fe10}'..='\u{fe1f}' | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ffef}')
}

/// Puts spaces around punctuation, but leaves points and commas within numbers.
fn punctuation(line: &str) -> String {
    let digit = |c: char| c.is_ascii_digit();
    let stop = |c: char| matches!(c, '.' | ',');
    let mut spaced = String::with_capacity(line.len() * 2);
    for c in line.chars() {
        if matches!(c, '{'..='~' | '['..='`' | ' '..='&' | '('..='+' | ':'..='@' | '/') {
            spaced.extend([' ', c, ' ']);
        } else {
            spaced.push(c);
        }
    }
    let spaced = pairs(&spaced, |a, b| !digit(a) && stop(b), |a, b| [a, ' ', b, ' ']);
    let spaced = pairs(&spaced, |a, b| stop(a) && !digit(b), |a, b| [' ', a, ' ', b]);
    pairs(&spaced, |a, b| digit(a) && b == '-', |a, b| [a, ' ', b, ' '])
}

/// Writes each pair of letters that is meant otherwise, from the left, no letter in two pairs.
fn pairs(line: &str, meant: impl Fn(char, char) -> bool, write: impl Fn(char, char) -> [char; 4]) -> String {
    let mut out = String::with_capacity(line.len() * 2);
    let mut chars = line.chars().peekable();
    while let Some(a) = chars.next() {
        match chars.next_if(|b| meant(a, *b)) {
            Some(b) => out.extend(write(a, b)),
            None => out.push(a),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tokenizer: Tokenizer, line: &str, expect: &str) {
        assert_eq!(tokenizer.tokens(line).join("|"), expect, "{line:?} by {tokenizer:?}");
    }

    #[test]
    fn lines_are_cut_as_sacrebleu_cuts_them() {
        check(Tokenizer::None, " ICH  GEHEN,\u{1c}JETZT ", "ICH|GEHEN,|JETZT");
        check(
            Tokenizer::V13a,
            "Um 8,5 Grad, 1-2 &quot;ca.&quot; (ja).",
            "Um|8,5|Grad|,|1|-|2|\"|ca|.|\"|(|ja|)|.",
        );
        check(Tokenizer::V13a, "a-\nb\nc", "ab|c");
        check(Tokenizer::Zh, "10年的,区。ab", "10|年|的|,|区|。|ab");
        check(Tokenizer::Char, "ab ü。", "a|b|ü|。");
    }
}
