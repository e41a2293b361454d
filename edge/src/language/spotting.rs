//! Signs that are spotted one by one: classifiers that look at a window of the last sights.

use std::collections::VecDeque;

use models::features::Sight;

use super::event::{Heard, Sign};
use super::gate::CLOSE_S;
use super::recogniser::{Recogniser, slid};
use super::spotter::Guess;
use crate::Fault;

/// The classifiers look this often. Seconds of the source.
const LOOK_EVERY_S: f64 = 1.0 / 15.0;
/// A stretch of signing of this length is also looked at as one sign, from onset to offset. Seconds. A
/// shorter one is no movement that a sign could be known by, a longer one is several signs.
const ONE_SIGN_S: std::ops::RangeInclusive<f64> = 0.3..=4.0;

/// Classifiers and what they look at.
pub(super) struct Spotting {
    recognisers: Vec<Recogniser>,
    window: VecDeque<Sight>,
    kept_s: f64,
    next_look_s: f64,
}

impl Spotting {
    pub fn new(recognisers: Vec<Recogniser>) -> Self {
        let longest = recognisers.iter().map(Recogniser::window_s).fold(0.0, f64::max);
        Self {
            recognisers,
            window: VecDeque::new(),
            // An offset is known only when the gate closes: the whole stretch must still be there.
            kept_s: longest.max(ONE_SIGN_S.end() + 2.0 * CLOSE_S),
            next_look_s: 0.0,
        }
    }

    /// Takes the sight of the next frame.
    pub fn push(&mut self, sight: Sight) {
        self.window.push_back(sight);
        while self.window.front().is_some_and(|s| sight.at_s - s.at_s > self.kept_s) {
            self.window.pop_front();
        }
    }

    /// The surest sign that settled, or what is on top; every classifier looks at its window, if it is time to.
    ///
    /// # Errors
    /// [`Fault::Inference`] where a classifier fails.
    pub fn look(&mut self) -> Result<Option<Heard>, Fault> {
        let window = &*self.window.make_contiguous();
        let Some(at_s) = window.last().map(|s| s.at_s).filter(|at_s| at_s + 1e-6 >= self.next_look_s) else {
            return Ok(None);
        };
        self.next_look_s = at_s + LOOK_EVERY_S;
        let mut surest: Option<(usize, Sign)> = None;
        let mut partial: Option<(f32, usize, usize)> = None;
        for (n, recogniser) in self.recognisers.iter_mut().enumerate() {
            let from = window.partition_point(|s| at_s - s.at_s > recogniser.window_s());
            let guess = recogniser.look(&window[from..])?;
            // A sign moves from place to place by its nature; only a letter that does so is doubled.
            let slides = recogniser.spells() && slid(&window[from..]);
            if let Some((label, confidence)) = guess.top()
                && partial.is_none_or(|(most, ..)| confidence > most)
            {
                partial = Some((confidence, n, label));
            }
            if let Some(s) = recogniser.spotter.step(at_s, &guess, slides)
                && surest.as_ref().is_none_or(|(_, sign)| s.confidence > sign.confidence)
            {
                surest = Some((n, sign(recogniser, at_s, s.from_s, s.label, s.confidence, &s.best)));
            }
        }
        if let Some((n, sign)) = surest {
            return Ok(Some(self.settle(n, sign)));
        }
        Ok(partial.map(|(confidence, n, label)| {
            let manifest = self.recognisers[n].manifest();
            Heard::Partial { text: manifest.labels[label].clone(), confidence, model: manifest.name.clone() }
        }))
    }

    /// A stretch of signing that gave no sign, looked at as a whole.
    ///
    /// # Errors
    /// As [`Spotting::look`].
    pub fn look_at_whole(&mut self, at_s: f64, from_s: f64, to_s: f64) -> Result<Option<Heard>, Fault> {
        if !ONE_SIGN_S.contains(&(to_s - from_s)) {
            return Ok(None);
        }
        let window = &*self.window.make_contiguous();
        let span = window.partition_point(|s| s.at_s < from_s)..window.partition_point(|s| s.at_s <= to_s);
        let mut surest: Option<(usize, Sign)> = None;
        for (n, recogniser) in self.recognisers.iter_mut().enumerate().filter(|(_, r)| !r.spells()) {
            let guess = recogniser.look(&window[span.clone()])?;
            if let Some((label, confidence)) = guess.top()
                && confidence >= recogniser.accept()
                && surest.as_ref().is_none_or(|(_, sign)| confidence > sign.confidence)
            {
                surest = Some((n, sign(recogniser, at_s, from_s, label, confidence, &guess)));
            }
        }
        Ok(surest.map(|(n, sign)| self.settle(n, sign)))
    }

    /// The last sight.
    pub fn last(&self) -> Option<&Sight> {
        self.window.back()
    }

    /// Lets every classifier start afresh.
    pub fn reset(&mut self) {
        self.recognisers.iter_mut().for_each(|r| r.spotter.reset());
    }

    /// Forgets all that was seen.
    pub fn forget(&mut self) {
        self.window.clear();
        self.next_look_s = 0.0;
        self.reset();
    }

    /// Lets the other classifiers start afresh: one movement is one sign.
    fn settle(&mut self, by: usize, sign: Sign) -> Heard {
        for (_, other) in self.recognisers.iter_mut().enumerate().filter(|(n, _)| *n != by) {
            other.spotter.reset();
        }
        // A word's sign may have a name of one letter ("I"), so that the model decides, not the label.
        Heard::Sign { sign, spelled: self.recognisers[by].spells() }
    }
}

fn sign(by: &Recogniser, t: f64, from: f64, label: usize, confidence: f32, best: &Guess) -> Sign {
    let manifest = by.manifest();
    let name = |label: usize| manifest.labels[label].clone();
    Sign {
        t,
        from,
        text: name(label),
        confidence,
        model: manifest.name.clone(),
        others: best.ranked.iter().filter(|(l, _)| *l != label).map(|&(l, p)| (name(l), p)).collect(),
    }
}
