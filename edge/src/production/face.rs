//! Questions and negation on the face: they are grammar, and without them a question is a statement.
//!
//! Raised brows over a whole sentence ask whether; lowered ones with the head forward ask who, what or where; a head
//! that shakes with a negative sign negates. So it is in most sign languages that were described (Zeshan 2004,
//! "Interrogative constructions in signed languages" and "Hand, head, and face: negative constructions in sign
//! languages"), DGS, Swiss German and American signing among them.

use std::f32::consts::TAU;

use models::gloss::Convention;
use models::playback::{Expression, Frame, express};
use serde::Serialize;

use super::text::ends_sentence;
use super::{Provenance, Word};

/// How long a face takes to change, in seconds.
const CHANGE_S: f32 = 0.15;
/// How often a head shakes in a second, and how far to each side, in radians.
const SHAKE_HZ: f32 = 2.2;
const SHAKE: f32 = 0.3;
/// The least time of a shake: once to each side.
const SHAKE_S: f32 = 0.5;

/// What the face says of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Marking {
    /// A question that is answered by yes or no.
    PolarQuestion,
    /// A question for something: who, what, where, how.
    ContentQuestion,
    /// It is not so.
    Negation,
}

/// Words that ask for something, and words that negate, of one language.
struct Words {
    spoken: &'static str,
    ask: &'static [&'static str],
    negate: &'static [&'static str],
}

const WORDS: [Words; 5] = [
    Words {
        spoken: "de",
        ask: &[
            "wer", "wen", "wem", "wessen", "was", "wo", "woher", "wohin", "wann", "warum", "wieso",
            "weshalb", "wie", "wieviel", "welche", "welcher", "welches", "welchen", "welchem", "wofür",
            "womit",
        ],
        negate: &[
            "nicht", "kein", "keine", "keinen", "keinem", "keiner", "keines", "nie", "niemals", "nichts",
            "niemand", "nirgends", "nein",
        ],
    },
    Words {
        spoken: "en",
        ask: &["who", "whom", "whose", "what", "where", "when", "why", "how", "which"],
        negate: &[
            "not", "no", "never", "nothing", "nobody", "none", "nowhere", "don't", "doesn't", "didn't",
            "can't", "cannot", "won't", "isn't", "aren't", "wasn't",
        ],
    },
    Words {
        spoken: "fr",
        ask: &[
            "qui", "quoi", "où", "quand", "pourquoi", "comment", "combien", "quel", "quelle", "quels",
            "quelles",
        ],
        negate: &["pas", "non", "jamais", "rien", "personne", "aucun", "aucune"],
    },
    Words {
        spoken: "it",
        ask: &["chi", "cosa", "dove", "quando", "perché", "come", "quanto", "quale", "quali"],
        negate: &["non", "no", "mai", "niente", "nulla", "nessuno", "nessuna"],
    },
    Words {
        spoken: "zh",
        ask: &["什么", "谁", "哪", "哪里", "哪儿", "怎么", "怎样", "为什么", "何时", "多少", "几"],
        negate: &["不", "没", "没有", "别", "不是", "不能", "不要"],
    },
];

/// Says of each word what the face does with it, by the words and the marks between them.
pub(super) fn mark(words: &mut [Word], spoken: &str) {
    let known = WORDS.iter().find(|known| known.spoken == spoken);
    let is = |list: fn(&Words) -> &'static [&'static str], word: &Word| {
        let text = word.text.trim_end_matches(['+', '*', '^']).to_lowercase();
        known.is_some_and(|known| list(known).contains(&text.as_str()))
    };
    let mut first = 0;
    for last in 0..words.len() {
        let mark = ends(&words[last]);
        if mark.is_none() && last + 1 < words.len() {
            continue;
        }
        let sentence = &mut words[first..=last];
        if mark == Some(true) {
            let asks = sentence.iter().any(|word| is(|known| known.ask, word));
            let question = if asks { Marking::ContentQuestion } else { Marking::PolarQuestion };
            sentence.iter_mut().for_each(|word| word.face.push(question));
        }
        for word in sentence {
            if is(|known| known.negate, word) || Convention::of(&word.text).negated {
                word.face.push(Marking::Negation);
            }
        }
        first = last + 1;
    }
}

/// Whether a word ends its sentence, and then whether that is a question.
fn ends(word: &Word) -> Option<bool> {
    let own = if word.provenance == Provenance::Mark { word.text.as_str() } else { "" };
    ends_sentence(&format!("{own}{}", word.after))
}

/// Puts on the faces of a track what their words are marked with; `fps` is the track's rate.
pub(super) fn show(frames: &mut [Frame], words: &[Word], fps: f32) {
    let times = times(words);
    for (i, frame) in frames.iter_mut().enumerate() {
        let t = i as f32 / fps;
        let sum = times.iter().fold(Expression::default(), |sum, &(marking, span)| {
            sum.and(expression(marking, t - span[0]).times(strength(t, span)))
        });
        express(frame, sum);
    }
}

/// When each marking is on the face: words that follow each other with the same marking share it.
fn times(words: &[Word]) -> Vec<(Marking, [f32; 2])> {
    let mut times: Vec<(Marking, [f32; 2])> = vec![];
    for word in words.iter().filter(|word| word.to_s > word.from_s) {
        for &marking in &word.face {
            let going_on = times.iter_mut().rev().find(|(other, _)| *other == marking);
            match going_on.filter(|(_, span)| word.from_s - span[1] < CHANGE_S) {
                Some((_, span)) => span[1] = word.to_s,
                None => times.push((marking, [word.from_s, word.to_s])),
            }
        }
    }
    for (marking, span) in &mut times {
        let lacks = SHAKE_S - (span[1] - span[0]);
        if *marking == Marking::Negation && lacks > 0.0 {
            *span = [span[0] - lacks / 2.0, span[1] + lacks / 2.0];
        }
    }
    times
}

fn expression(marking: Marking, since_s: f32) -> Expression {
    match marking {
        Marking::PolarQuestion => Expression { brows: 1.0, forward: 0.08, ..Expression::default() },
        Marking::ContentQuestion => Expression { brows: -1.0, forward: 0.12, ..Expression::default() },
        Marking::Negation => {
            Expression { turn: SHAKE * (TAU * SHAKE_HZ * since_s).sin(), ..Expression::default() }
        }
    }
}

/// How much of an expression is on the face: it comes before its sign and goes after it, from 0 to 1.
fn strength(t: f32, [from_s, to_s]: [f32; 2]) -> f32 {
    let inside = ((t - from_s) / CHANGE_S + 1.0).min((to_s - t) / CHANGE_S + 1.0).clamp(0.0, 1.0);
    inside * inside * (3.0 - 2.0 * inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Word> {
        let mut now = 0.0;
        text.split(' ')
            .map(|written| {
                let word = written.trim_end_matches(|c: char| c.is_ascii_punctuation() && c != '\'');
                now += 0.5;
                Word {
                    after: written[word.len()..].into(),
                    from_s: now - 0.5,
                    to_s: now,
                    provenance: Provenance::Lexicon,
                    ..Word::unsigned(word)
                }
            })
            .collect()
    }

    #[track_caller]
    fn check(spoken: &str, text: &str, expect: &str) {
        let mut words = words(text);
        mark(&mut words, spoken);
        let letter = |marking: &Marking| match marking {
            Marking::PolarQuestion => 'p',
            Marking::ContentQuestion => 'c',
            Marking::Negation => 'n',
        };
        let shown: Vec<String> = words.iter().map(|word| word.face.iter().map(letter).collect()).collect();
        assert_eq!(shown.join("-"), expect, "{text}");
    }

    #[test]
    fn questions_and_negation_are_marked() {
        check("de", "Kommen Sie morgen?", "p-p-p");
        check("de", "Wo ist das Amt?", "c-c-c-c");
        check("de", "Das geht nicht.", "--n");
        check("en", "Fine. Are you not well?", "-p-p-pn-p");
        check("en", "What? Yes.", "c-");
        check("de", "MORGEN neg-KOMMEN", "-n");
        check("uk", "Хто не йде?", "p-p-p");
    }

    #[test]
    fn a_marking_lasts_as_long_as_its_words_and_a_shake_at_least_once_to_each_side() {
        let mut question = words("Are you well?");
        mark(&mut question, "en");
        assert_eq!(times(&question), [(Marking::PolarQuestion, [0.0, 1.5])]);
        let mut short = words("no");
        short[0].to_s = 0.1;
        mark(&mut short, "en");
        let [(Marking::Negation, [from_s, to_s])] = times(&short)[..] else { panic!("one shake") };
        assert!((to_s - from_s - SHAKE_S).abs() < 1e-6 && (from_s + to_s - 0.1).abs() < 1e-6);
    }

    #[test]
    fn brows_are_up_while_it_is_asked_and_a_head_shakes_to_both_sides() {
        let nose = |text: &str| -> Vec<[f32; 3]> {
            let mut words = words(text);
            mark(&mut words, "en");
            let mut frames = vec![Frame::rest(); 60];
            show(&mut frames, &words, 25.0);
            frames.iter().map(|frame| frame.head[0]).collect()
        };
        let still = Frame::rest().head[0];
        assert!(nose("you go.").iter().all(|p| *p == still));
        let shaken = nose("not");
        let most = |sign: f32| shaken.iter().map(|p| (p[0] - still[0]) * sign).fold(0.0, f32::max);
        assert!(most(1.0) > 0.05 && most(-1.0) > 0.05, "{} {}", most(1.0), most(-1.0));
        assert!(shaken[30..].iter().all(|p| *p == still), "it is over with its word");
    }
}
