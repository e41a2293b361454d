//! Where utterances begin and end, and what the network made of their steps: for looking at each of them again.

use std::collections::VecDeque;

use super::{Gate, LiveManifest};

/// An utterance begins so many steps before the gate opens: it opens late.
const LEAD: usize = 8;
/// An utterance is over when the gate was closed for so many steps (0.48 s). The gloss of the last sign is then
/// settled, and a sentence is not torn where the gate flickers.
const PAUSE: usize = 12;

/// Cuts what is signed into utterances.
#[derive(Debug, Clone)]
pub struct Cutter {
    /// Width of a step, D.
    width: usize,
    /// Steps that are kept of an utterance.
    most: usize,
    /// The gate is open above this probability of being inside a sentence.
    open: f32,
    step: usize,
    /// What the network made of the last steps, or of those of the utterance: `[up to most, D]`, and when they were.
    hidden: VecDeque<f32>,
    times_s: VecDeque<f64>,
    utterance: Option<Open>,
}

/// An utterance that goes on.
#[derive(Debug, Clone, Copy)]
struct Open {
    from: usize,
    /// Steps since the gate closed.
    closed: usize,
    too_long: bool,
}

/// An utterance that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// Its steps, counted from the first that the cutter took. Utterances do not overlap.
    pub steps: std::ops::Range<usize>,
    /// None where it was longer than the rescorer takes.
    pub rows: Option<Rows>,
}

/// The steps of an utterance.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// `[T]`: when each was, in seconds of the source.
    pub times_s: Vec<f64>,
    /// `[T, D]`: what the network made of each.
    pub hidden: Vec<f32>,
}

impl Cutter {
    /// A cutter for a model; one without a rescorer has the times of its utterances alone.
    pub fn of(manifest: &LiveManifest) -> Self {
        let most = manifest.rescorer.as_ref().map_or(0, |r| r.steps);
        Self::new(manifest.hidden, most, manifest.rules.sentence)
    }

    /// A cutter that keeps up to `most` steps of width `width`; the gate is open above `open`.
    pub fn new(width: usize, most: usize, open: f32) -> Self {
        Self {
            width,
            most,
            open,
            step: 0,
            hidden: VecDeque::new(),
            times_s: VecDeque::new(),
            utterance: None,
        }
    }

    /// Takes the next step, and when it was in seconds; gives the utterance that is over with it.
    ///
    /// # Shapes
    /// - `hidden`: `[D]`
    ///
    /// # Panics
    /// Where it has another width: that is a bug of the caller.
    pub fn step(&mut self, at_s: f64, gate: Gate, hidden: &[f32]) -> Option<Cut> {
        assert_eq!(hidden.len(), self.width, "a step is as wide as the network");
        let step = self.step;
        self.step += 1;
        let is_open = gate.sentence > self.open;
        if self.utterance.is_none() {
            self.keep(at_s, hidden, LEAD + usize::from(is_open));
            if is_open {
                let kept = self.times_s.len();
                let too_long = kept > self.most;
                self.utterance = Some(Open { from: step + 1 - kept, closed: 0, too_long });
            }
            return None;
        }
        if step - self.utterance.as_ref()?.from >= self.most {
            self.hidden.clear();
            self.times_s.clear();
            self.utterance.as_mut()?.too_long = true;
        } else {
            self.hidden.extend(hidden);
            self.times_s.push_back(at_s);
        }
        let utterance = self.utterance.as_mut()?;
        utterance.closed = if is_open { 0 } else { utterance.closed + 1 };
        if utterance.closed < PAUSE { None } else { self.finish() }
    }

    /// Ends the sequence: an utterance that goes on is over.
    pub fn finish(&mut self) -> Option<Cut> {
        let Open { from, too_long, .. } = self.utterance.take()?;
        let hidden = Vec::from(std::mem::take(&mut self.hidden));
        let times_s = Vec::from(std::mem::take(&mut self.times_s));
        Some(Cut { steps: from..self.step, rows: (!too_long).then_some(Rows { times_s, hidden }) })
    }

    /// Forgets all; the next step is the first.
    pub fn reset(&mut self) {
        *self = Self::new(self.width, self.most, self.open);
    }

    /// Keeps the last steps before an utterance.
    fn keep(&mut self, at_s: f64, hidden: &[f32], rows: usize) {
        self.hidden.extend(hidden);
        self.times_s.push_back(at_s);
        while self.times_s.len() > rows {
            self.hidden.drain(..self.width);
            self.times_s.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cuts steps in which `#` is an open gate; step `i` is at second `i / 4` and has the hidden values `[i, -i]`.
    fn cut(gate: &str, most: usize) -> Vec<Cut> {
        let mut cutter = Cutter::new(2, most, 0.5);
        let mut cuts = vec![];
        for (i, c) in gate.chars().enumerate() {
            let gate = Gate { sign: 0.0, sentence: if c == '#' { 0.9 } else { 0.1 } };
            cuts.extend(cutter.step(i as f64 / 4.0, gate, &[i as f32, -(i as f32)]));
        }
        cuts.extend(cutter.finish());
        cuts
    }

    #[track_caller]
    fn check(gate: &str, expect: &[(usize, usize)]) {
        let cuts = cut(gate, 100);
        let steps: Vec<_> = cuts.iter().map(|c| (c.steps.start, c.steps.end)).collect();
        assert_eq!(steps, expect, "{gate}");
        for cut in cuts {
            let hidden = cut.steps.clone().flat_map(|i| [i as f32, -(i as f32)]).collect();
            let times_s = cut.steps.map(|i| i as f64 / 4.0).collect();
            assert_eq!(cut.rows, Some(Rows { times_s, hidden }), "each step has its own row");
        }
    }

    #[test]
    fn utterances_have_the_steps_before_and_the_pause_after() {
        check("..........", &[]);
        check("##..............", &[(0, 14)]);
        check("...........##.............................", &[(3, 25)]);
        check("....##......#...##", &[(0, 18)]);
        check("##............##............", &[(0, 14), (14, 28)]);
        check("##................##............", &[(0, 14), (14, 32)]);
    }

    #[test]
    fn a_long_one_is_cut_without_its_steps() {
        let long = "#".repeat(30) + &".".repeat(20) + "#" + &".".repeat(20);
        let cuts = cut(&long, 25);
        assert_eq!((cuts[0].steps.clone(), &cuts[0].rows), (0..42, &None));
        assert_eq!((cuts[1].steps.clone(), cuts[1].rows.as_ref().unwrap().hidden.len()), (42..63, 2 * 21));
        assert!(cut(&long, 42)[0].rows.is_some(), "as many as it may have");
        assert!(cut(&long, 0).iter().all(|c| c.rows.is_none()), "there is nobody to look at them");
    }

    #[test]
    fn a_reset_forgets_the_utterance() {
        let mut cutter = Cutter::new(1, 9, 0.5);
        cutter.step(0.0, Gate { sign: 0.0, sentence: 1.0 }, &[1.0]);
        cutter.reset();
        assert_eq!(cutter.finish(), None);
    }
}
