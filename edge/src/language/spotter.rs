//! Turns a run of guesses, several a second, into signs that are reported once each.
//!
//! A sliding window gives the same sign many times while it passes, and nonsense at
//! its edges. A sign counts when the same label stays on top for [`Rules::hold_s`]
//! with enough confidence; it counts again only after something else came between.

use std::collections::VecDeque;

/// One look of a recogniser at its window: labels with their probabilities, best first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Guess {
    /// At most [`Guess::KEEP`] pairs of label number and probability, best first; empty where no hand is seen.
    pub ranked: Vec<(usize, f32)>,
}

impl Guess {
    /// How many labels are kept, so that a person can pick another one.
    pub const KEEP: usize = 3;

    /// The best labels of a whole distribution `[G]`.
    pub fn of(probabilities: &[f32]) -> Self {
        let mut ranked: Vec<_> = probabilities.iter().copied().enumerate().collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked.truncate(Self::KEEP);
        Self { ranked }
    }

    /// The label on top and its probability.
    pub fn top(&self) -> Option<(usize, f32)> {
        self.ranked.first().copied()
    }
}

/// A run needs this many guesses, however far apart a slow camera puts them: one lucky frame is no sign.
const LEAST_GUESSES: usize = 3;

/// When a run of guesses is a sign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Least mean probability over the run.
    pub accept: f32,
    /// How long the label must stay on top, in seconds.
    pub hold_s: f64,
    /// How long it must be off the top before it may count again, in seconds.
    pub release_s: f64,
}

/// A label that stayed on top.
#[derive(Debug, Clone, PartialEq)]
pub struct Spotted {
    /// Label number.
    pub label: usize,
    /// Mean probability while it was on top.
    pub confidence: f32,
    /// The best labels at its best moment.
    pub best: Guess,
    /// When it came on top, in seconds of the source.
    pub from_s: f64,
    /// When it had stayed long enough.
    pub to_s: f64,
}

/// Watches one recogniser's guesses.
#[derive(Debug, Clone)]
pub struct Spotter {
    rules: Rules,
    run: Option<Run>,
    reported: Option<Reported>,
}

/// The label that was reported last.
#[derive(Debug, Clone, Copy)]
struct Reported {
    label: usize,
    /// Since when it has been off the top.
    off_s: Option<f64>,
    slide: Slide,
}

/// A doubled letter is signed by one that slides sideways and stays again.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Slide {
    /// The hand has not stayed yet since the sign was reported.
    Before,
    /// It stays.
    Stays,
    /// It slides.
    Slides,
}

#[derive(Debug, Clone)]
struct Run {
    label: usize,
    from_s: f64,
    guesses: VecDeque<(f64, f32)>,
    best: (f32, Guess),
}

impl Spotter {
    /// A spotter that has seen nothing.
    pub fn new(rules: Rules) -> Self {
        Self { rules, run: None, reported: None }
    }

    /// Takes the next guess; gives a sign at the moment when it has stayed long enough.
    ///
    /// `slid` says whether the hand went from one place to another within the window.
    pub fn step(&mut self, at_s: f64, guess: &Guess, slid: bool) -> Option<Spotted> {
        if self.is_still_reported(at_s, guess, slid) {
            self.run = None;
            return None;
        }
        let Some((label, probability)) = guess.top() else {
            self.run = None;
            return None;
        };
        let run = match &mut self.run {
            Some(run) if run.label == label => run,
            other => other.insert(Run {
                label,
                from_s: at_s,
                guesses: VecDeque::new(),
                best: (probability, guess.clone()),
            }),
        };
        run.guesses.push_back((at_s, probability));
        // Only the time that counts is kept: a weak start must not hold a clear sign back for ever.
        while run.guesses.len() > LEAST_GUESSES && at_s - run.guesses[1].0 >= self.rules.hold_s - 1e-6 {
            run.guesses.pop_front();
        }
        if probability > run.best.0 {
            run.best = (probability, guess.clone());
        }
        let held_s = at_s - run.guesses[0].0;
        let confidence = run.guesses.iter().map(|g| g.1).sum::<f32>() / run.guesses.len() as f32;
        let too_short = held_s + 1e-6 < self.rules.hold_s || run.guesses.len() < LEAST_GUESSES;
        if too_short || confidence < self.rules.accept {
            return None;
        }
        self.reported = Some(Reported { label, off_s: None, slide: Slide::Before });
        let run = self.run.take()?;
        Some(Spotted { label, confidence, best: run.best.1, from_s: run.from_s, to_s: at_s })
    }

    /// Whether the label on top is the one that was reported, and not a new sign of the same label.
    fn is_still_reported(&mut self, at_s: f64, guess: &Guess, slid: bool) -> bool {
        let Some(reported) = &mut self.reported else { return false };
        if guess.top().is_none_or(|(label, _)| label != reported.label) {
            reported.off_s.get_or_insert(at_s);
            return false;
        }
        if reported.off_s.is_some_and(|since_s| at_s - since_s >= self.rules.release_s) {
            return false;
        }
        reported.off_s = None;
        reported.slide = match (reported.slide, slid) {
            (Slide::Before, true) => Slide::Before,
            (Slide::Before | Slide::Stays, false) => Slide::Stays,
            (Slide::Stays | Slide::Slides, true) => Slide::Slides,
            (Slide::Slides, false) => return false,
        };
        true
    }

    /// Forgets the run in progress and what was reported.
    pub fn reset(&mut self) {
        self.run = None;
        self.reported = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { accept: 0.6, hold_s: 0.2, release_s: 0.15 };

    /// One letter a guess, a tenth of a second apart; a capital letter is sure, a small one is not, `.` sees no hand.
    #[track_caller]
    fn check(guesses: &str, expect: &str) {
        let mut spotter = Spotter::new(RULES);
        let mut found = String::new();
        for (i, c) in guesses.chars().enumerate() {
            let probability = if c.is_uppercase() { 0.9 } else { 0.3 };
            let label = c.to_ascii_uppercase() as usize;
            let guess =
                if c == '.' { Guess::default() } else { Guess { ranked: vec![(label, probability)] } };
            if let Some(s) = spotter.step(i as f64 * 0.1, &guess, false) {
                found.push(s.label as u8 as char);
            }
        }
        assert_eq!(found, expect, "{guesses}");
    }

    #[test]
    fn a_label_counts_once_when_it_stays() {
        check("AAAAAAAA", "A");
        check("AA", "");
        check("ABABABAB", "");
        check("AAABBBCCC", "ABC");
    }

    #[test]
    fn a_label_counts_again_after_a_break() {
        check("AAAA...AAAA", "AA");
        check("AAAAxxAAAA", "AA");
        check("AAAA.AAAA", "A");
    }

    #[test]
    fn what_is_not_sure_does_not_count() {
        check("aaaaaaaa", "");
        check("aaaaAAA", "A");
    }

    #[test]
    fn a_label_that_slides_and_stays_counts_twice() {
        let guess = Guess { ranked: vec![(7, 0.9)] };
        // `-` stays, `>` slides.
        let count = |movement: &str| {
            let mut spotter = Spotter::new(RULES);
            let steps = movement.chars().enumerate();
            steps.filter(|(i, c)| spotter.step(*i as f64 * 0.1, &guess, *c == '>').is_some()).count()
        };
        assert_eq!(count("-----------"), 1);
        assert_eq!(count("----->>>----"), 2);
        assert_eq!(count(">>>>>-------"), 1, "it came sliding");
        assert_eq!(count("----->>>>>>>"), 1, "it never stays again");
    }

    #[test]
    fn a_slow_camera_needs_as_many_guesses() {
        let guess = Guess { ranked: vec![(7, 0.9)] };
        let mut spotter = Spotter::new(RULES);
        let found: Vec<_> = (0..4).map(|i| spotter.step(f64::from(i), &guess, false).is_some()).collect();
        assert_eq!(found, [false, false, true, false]);
    }

    #[test]
    fn ranks_and_keeps_three() {
        assert_eq!(Guess::of(&[0.1, 0.5, 0.15, 0.25]).ranked, vec![(1, 0.5), (3, 0.25), (2, 0.15)]);
        assert_eq!(Guess::of(&[]).top(), None);
    }
}
