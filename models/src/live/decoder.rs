//! Best path of CTC as it comes in: partial glosses that settle, each with what speaks for it.

use super::{BIO, Evidence, Rules, softmax};

/// A gloss that led before counts as the same sign when it leads again after a shorter break than this, in steps.
const SAME_SIGN: usize = 4;
/// A run is settled when the lead was lost, or when it lasted so many steps and is sure enough.
const LONG_RUN: usize = 6;
/// After so many steps (0.64 s) a run is told of as it is: by then it is known whether it will ever be sure.
const LONGEST_RUN: usize = 16;
/// Evidence of the gate is looked for so many steps around a run: it is late by other steps than glosses are.
const AROUND: usize = 10;
/// Other glosses that are given to choose from.
const OTHERS: usize = 3;

/// A gloss that was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Spoken {
    /// Its number among the glosses, from 0.
    pub gloss: usize,
    /// 0 to 1.
    pub confidence: f32,
    /// What spoke for it.
    pub evidence: Evidence,
    /// The step at which it began to lead.
    pub from: usize,
    /// The step at which it was settled.
    pub at: usize,
    /// When it began to lead, and when it was settled; in seconds of the source.
    pub from_s: f64,
    /// See above.
    pub at_s: f64,
    /// The next best glosses and their shares, best first.
    pub others: Vec<(usize, f32)>,
}

/// What the decoder has to say after a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// This gloss leads; it may change.
    Partial {
        /// Its number.
        gloss: usize,
        /// Its probability in this step.
        probability: f32,
    },
    /// This gloss is settled.
    Settled(Spoken),
    /// Something was signed, and it is not sure enough what.
    Unsure(Spoken),
}

/// Whether somebody signs, as the network sees it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Gate {
    /// The probability of being inside a sign.
    pub sign: f32,
    /// The probability of being inside a sentence.
    pub sentence: f32,
}

/// Decodes steps as they come.
#[derive(Debug, Clone)]
pub struct Decoder {
    glosses: usize,
    rules: Rules,
    /// Whether what the network says about signs and sentences is heard at all.
    gated: bool,
    step: usize,
    /// When the last step was, in seconds.
    at_s: f64,
    run: Option<Run>,
    /// The gloss that was settled last, and the last step at which it led.
    last: Option<(usize, usize)>,
    /// The probabilities of being inside a sign in the last steps.
    signs: [f32; AROUND],
    gate: Gate,
    row: Vec<f32>,
}

/// Steps in which one gloss leads.
#[derive(Debug, Clone)]
struct Run {
    gloss: usize,
    from: usize,
    from_s: f64,
    peak: f32,
    /// `[G]`: the sums of all probabilities.
    mass: Vec<f32>,
    /// Highest probability of a sign.
    sign: f32,
    /// Whether it was told of: a sign is told of once.
    said: bool,
}

impl Decoder {
    /// A decoder of so many glosses.
    pub fn new(glosses: usize, rules: Rules) -> Self {
        Self {
            glosses,
            rules,
            gated: true,
            step: 0,
            at_s: 0.0,
            run: None,
            last: None,
            signs: [0.0; AROUND],
            gate: Gate::default(),
            row: vec![],
        }
    }

    /// The decoder without its gate: every step counts as one within a sign and within a sentence.
    pub fn without_gate(self) -> Self {
        Self { gated: false, ..self }
    }

    /// What the gate says after the last step.
    pub fn gate(&self) -> Gate {
        self.gate
    }

    /// Takes the logits of the next step, and when it was in seconds of the source.
    ///
    /// # Shapes
    /// - `logits`: `[1 + G + 3 + 3]`: blank and glosses, BIO of signs, BIO of sentences
    ///
    /// # Panics
    /// Where the logits are not as many: that is a bug of the caller.
    pub fn step(&mut self, at_s: f64, logits: &[f32]) -> Option<Said> {
        let labels = 1 + self.glosses;
        assert_eq!(logits.len(), labels + 2 * BIO, "a step has a logit for each label and class");
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        row.extend_from_slice(logits);
        let (said, gate) = row.split_at_mut(labels);
        let (sign, sentence) = gate.split_at_mut(BIO);
        [&mut *said, sign, sentence].into_iter().for_each(softmax);
        self.gate = match self.gated {
            true => Gate { sign: 1.0 - sign[0], sentence: 1.0 - sentence[0] },
            false => Gate { sign: 1.0, sentence: 1.0 },
        };
        self.at_s = at_s;
        self.signs.rotate_left(1);
        self.signs[AROUND - 1] = self.gate.sign;
        let out = self.lead(said);
        self.row = row;
        self.step += 1;
        out
    }

    /// Ends the sequence: what leads is settled.
    pub fn finish(&mut self) -> Option<Said> {
        let said = self.run.take().and_then(|run| self.judge(&run));
        self.last = None;
        said
    }

    /// Forgets all.
    pub fn reset(&mut self) {
        *self = Self { gated: self.gated, ..Self::new(self.glosses, self.rules.clone()) };
    }

    /// Who leads in this step, and what that ends.
    fn lead(&mut self, probabilities: &[f32]) -> Option<Said> {
        let best = (0..probabilities.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]))?;
        let leader = best.checked_sub(1);
        let ended = match &self.run {
            Some(run) if leader != Some(run.gloss) => self.run.take(),
            _ => None,
        };
        let settled = ended.as_ref().and_then(|run| self.judge(run));
        let Some(gloss) = leader else { return settled };
        let run = self.run.get_or_insert_with(|| Run {
            gloss,
            from: self.step,
            from_s: self.at_s,
            peak: 0.0,
            mass: vec![0.0; self.glosses],
            sign: self.signs.iter().copied().fold(0.0, f32::max),
            said: false,
        });
        run.peak = run.peak.max(probabilities[best]);
        run.sign = run.sign.max(self.gate.sign);
        run.mass.iter_mut().zip(&probabilities[1..]).for_each(|(sum, p)| *sum += p);
        if settled.is_some() {
            return settled;
        }
        let lasted = self.step - run.from + 1;
        let partial = Said::Partial { gloss, probability: probabilities[best] };
        if run.said || lasted < LONG_RUN {
            return (!run.said).then_some(partial);
        }
        let mut run = self.run.take()?;
        let goes_on = self.goes_on(&run);
        let spoken = (!goes_on).then(|| self.weigh(&run));
        let waits = |spoken: &Spoken| spoken.confidence < self.rules.accept && lasted < LONGEST_RUN;
        run.said = !spoken.as_ref().is_some_and(waits);
        let said = if run.said { spoken.and_then(|spoken| self.tell(spoken)) } else { Some(partial) };
        self.run = Some(run);
        said
    }

    /// What a run that is over comes to.
    fn judge(&mut self, run: &Run) -> Option<Said> {
        if self.goes_on(run) || run.said {
            return None;
        }
        let spoken = self.weigh(run);
        self.tell(spoken)
    }

    /// Whether a run is of the sign that was settled last, which leads on or flickered.
    fn goes_on(&mut self, run: &Run) -> bool {
        let Some((gloss, until)) = &mut self.last else { return false };
        let same = *gloss == run.gloss && (run.said || run.from < *until + SAME_SIGN);
        if same {
            *until = self.step;
        }
        same
    }

    /// What speaks for a run.
    fn weigh(&self, run: &Run) -> Spoken {
        let Run { gloss, from, from_s, peak, sign, .. } = *run;
        let own = run.mass[gloss].max(f32::MIN_POSITIVE);
        let mut others: Vec<(usize, f32)> =
            run.mass.iter().copied().enumerate().filter(|(g, _)| *g != gloss).collect();
        others.sort_by(|a, b| b.1.total_cmp(&a.1));
        others.truncate(OTHERS);
        let rival = others.first().map_or(0.0, |(_, mass)| mass / own);
        let evidence = Evidence { peak, mass: own, rival, sign };
        let confidence = self.rules.sure(&evidence);
        let total: f32 = run.mass.iter().sum();
        others.iter_mut().for_each(|(_, mass)| *mass /= total);
        Spoken { gloss, confidence, evidence, from, at: self.step, from_s, at_s: self.at_s, others }
    }

    /// Tells of a sign.
    fn tell(&mut self, spoken: Spoken) -> Option<Said> {
        if spoken.confidence >= self.rules.accept {
            self.last = Some((spoken.gloss, spoken.at));
            return Some(Said::Settled(spoken));
        }
        (spoken.confidence >= self.rules.doubt).then_some(Said::Unsure(spoken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps as letters: `.` blank, `a` and `b` sure, `A` and `B` doubtful; what was settled comes back.
    fn decode(steps: &str) -> String {
        let rules = Rules { accept: 0.7, doubt: 0.3, ..Rules::PLAIN };
        let mut decoder = Decoder::new(2, rules);
        let mut out = String::new();
        let mut note = |said: Option<Said>| match said {
            Some(Said::Settled(spoken)) => out.push(['a', 'b'][spoken.gloss]),
            Some(Said::Unsure(spoken)) => out.push(['A', 'B'][spoken.gloss]),
            Some(Said::Partial { .. }) | None => {}
        };
        for (n, c) in steps.chars().enumerate() {
            let mut logits = [0.0; 3 + 2 * BIO];
            match c {
                'a' => logits[1] = 4.0,
                'b' => logits[2] = 4.0,
                'A' => logits[1] = 0.9,
                'B' => logits[2] = 0.9,
                _ => logits[0] = 4.0,
            }
            note(decoder.step(n as f64, &logits));
        }
        note(decoder.finish());
        out
    }

    #[test]
    fn runs_settle_when_they_end() {
        assert_eq!(decode("...aaa...bb.."), "ab");
        assert_eq!(decode("aaabbb"), "ab");
        assert_eq!(decode("a"), "a");
        assert_eq!(decode("......"), "");
    }

    #[test]
    fn a_sign_that_flickers_is_one_and_a_repeated_one_is_two() {
        assert_eq!(decode("aa.aa"), "a");
        assert_eq!(decode("aa.......aa"), "aa");
    }

    #[test]
    fn a_sign_that_goes_on_is_said_before_it_ends_and_once() {
        let mut decoder = Decoder::new(1, Rules::PLAIN);
        let mut logits = [0.0; 2 + 2 * BIO];
        logits[1] = 4.0;
        let said: Vec<_> = (0..40).filter_map(|n| decoder.step(f64::from(n), &logits)).collect();
        let settled = said.iter().filter(|s| matches!(s, Said::Settled(_))).count();
        assert_eq!(settled, 1);
        assert!(matches!(said[LONG_RUN - 1], Said::Settled(_)));
        assert_eq!(decoder.finish(), None);
    }

    #[test]
    fn a_sign_that_goes_on_is_told_of_once_and_when_it_is_sure() {
        let rules = Rules { confidence: [-2.2, 0.0, 1.0, 0.0, 0.0], accept: 0.5, ..Rules::PLAIN };
        // The sum of the probabilities must reach 9: it is not sure before that, and it is doubted if it never is.
        let told = |led: usize| {
            let mut decoder = Decoder::new(1, rules.clone());
            let mut told = vec![];
            for n in 0..40 {
                let mut logits = [0.0; 2 + 2 * BIO];
                logits[usize::from(n < led)] = 9.0;
                match decoder.step(f64::from(n as u32), &logits) {
                    Some(Said::Settled(_)) => told.push(('s', n)),
                    Some(Said::Unsure(_)) => told.push(('u', n)),
                    Some(Said::Partial { .. }) | None => {}
                }
            }
            told
        };
        assert_eq!(told(30), [('s', 9)]);
        assert_eq!(told(8), [('u', 8)], "it lost the lead before it was sure");
        let never = Rules { accept: 1.0, doubt: 0.0, ..rules.clone() };
        let mut decoder = Decoder::new(1, never);
        let mut logits = [0.0; 2 + 2 * BIO];
        logits[1] = 9.0;
        let unsure = |n: u32| match decoder.step(f64::from(n), &logits) {
            Some(Said::Unsure(_)) => Some(n as usize),
            _ => None,
        };
        assert_eq!((0..40).filter_map(unsure).collect::<Vec<_>>(), [LONGEST_RUN - 1], "once, and not later");
    }

    #[test]
    fn what_is_not_sure_is_doubted() {
        assert_eq!(decode("..AA..bb"), "Ab");
    }
}
