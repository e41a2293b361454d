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
    /// What the network made of the last steps, or of those of the utterance: `[up to most, D]`.
    hidden: VecDeque<f32>,
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
    /// `[T, D]`: what the network made of these steps; none where it was longer than the rescorer takes.
    pub hidden: Option<Vec<f32>>,
}

impl Cutter {
    /// A cutter for a model; one without a rescorer has the times of its utterances alone.
    pub fn of(manifest: &LiveManifest) -> Self {
        let most = manifest.rescorer.as_ref().map_or(0, |r| r.steps);
        Self::new(manifest.hidden, most, manifest.rules.sentence)
    }

    /// A cutter that keeps up to `most` steps of width `width`; the gate is open above `open`.
    pub fn new(width: usize, most: usize, open: f32) -> Self {
        Self { width, most, open, step: 0, hidden: VecDeque::new(), utterance: None }
    }

    /// Takes the next step; gives the utterance that is over with it.
    ///
    /// # Shapes
    /// - `hidden`: `[D]`
    ///
    /// # Panics
    /// Where it has another width: that is a bug of the caller.
    pub fn step(&mut self, gate: Gate, hidden: &[f32]) -> Option<Cut> {
        assert_eq!(hidden.len(), self.width, "a step is as wide as the network");
        let step = self.step;
        self.step += 1;
        let is_open = gate.sentence > self.open;
        if self.utterance.is_none() {
            self.keep(hidden, LEAD + usize::from(is_open));
            if is_open {
                let kept = self.hidden.len() / self.width;
                let too_long = kept > self.most;
                self.utterance = Some(Open { from: step + 1 - kept, closed: 0, too_long });
            }
            return None;
        }
        if step - self.utterance.as_ref()?.from >= self.most {
            self.hidden.clear();
            self.utterance.as_mut()?.too_long = true;
        } else {
            self.hidden.extend(hidden);
        }
        let utterance = self.utterance.as_mut()?;
        utterance.closed = if is_open { 0 } else { utterance.closed + 1 };
        if utterance.closed < PAUSE { None } else { self.finish() }
    }

    /// Ends the sequence: an utterance that goes on is over.
    pub fn finish(&mut self) -> Option<Cut> {
        let Open { from, too_long, .. } = self.utterance.take()?;
        let hidden = Vec::from(std::mem::take(&mut self.hidden));
        Some(Cut { steps: from..self.step, hidden: (!too_long).then_some(hidden) })
    }

    /// Forgets all; the next step is the first.
    pub fn reset(&mut self) {
        *self = Self::new(self.width, self.most, self.open);
    }

    /// Keeps the last steps before an utterance.
    fn keep(&mut self, hidden: &[f32], rows: usize) {
        self.hidden.extend(hidden);
        while self.hidden.len() > rows * self.width {
            self.hidden.drain(..self.width);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cuts steps in which `#` is an open gate; step `i` has the hidden values `[i, -i]`.
    fn cut(gate: &str, most: usize) -> Vec<Cut> {
        let mut cutter = Cutter::new(2, most, 0.5);
        let mut cuts = vec![];
        for (i, c) in gate.chars().enumerate() {
            let gate = Gate { sign: 0.0, sentence: if c == '#' { 0.9 } else { 0.1 } };
            cuts.extend(cutter.step(gate, &[i as f32, -(i as f32)]));
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
            let rows: Vec<f32> = cut.steps.flat_map(|i| [i as f32, -(i as f32)]).collect();
            assert_eq!(cut.hidden, Some(rows), "each step has its own row");
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
        assert_eq!((cuts[0].steps.clone(), &cuts[0].hidden), (0..42, &None));
        assert_eq!((cuts[1].steps.clone(), cuts[1].hidden.as_ref().unwrap().len()), (42..63, 2 * 21));
        assert!(cut(&long, 42)[0].hidden.is_some(), "as many as it may have");
        assert!(cut(&long, 0).iter().all(|c| c.hidden.is_none()), "there is nobody to look at them");
    }

    #[test]
    fn a_reset_forgets_the_utterance() {
        let mut cutter = Cutter::new(1, 9, 0.5);
        cutter.step(Gate { sign: 0.0, sentence: 1.0 }, &[1.0]);
        cutter.reset();
        assert_eq!(cutter.finish(), None);
    }
}
