//! Reads recorded landmarks with a live recogniser, as a unit would read the signer.

use models::features::Picker;
use models::live::{
    Gate, LiveManifest, LiveModel, LookedAgain, Moment, Rescorer, Rules, Said, Spoken, Transcriber,
};
use models::pose::PoseTrack;

use super::{RescoreRunner, Stepper};
use crate::Error;

/// A gloss as it stands in the end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Caption {
    /// Its number.
    pub gloss: usize,
    /// 0 to 1.
    pub confidence: f32,
    /// When it began to lead, or was likeliest; in seconds of the source.
    pub from_s: f64,
    /// When it was settled, or was likeliest.
    pub to_s: f64,
}

/// What was read of a recording.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// The glosses in order, as they were read live.
    pub settled: Vec<Spoken>,
    /// The utterances that were looked at again, in order.
    pub again: Vec<LookedAgain>,
    /// How often something was signed that was not sure enough.
    pub unsure: usize,
    /// `[T]`: what the gate said at each step.
    pub gate: Vec<Gate>,
    /// The time of the first step, in seconds.
    pub start_s: f64,
}

impl Reading {
    /// The glosses as they were shown while somebody signed.
    pub fn live(&self) -> Vec<Caption> {
        self.settled.iter().map(Caption::from).collect()
    }

    /// The glosses as they stood in the end: those of each utterance that was looked at again take the place
    /// of what was settled within it.
    pub fn rescored(&self, rescorer: &Rescorer) -> Vec<Caption> {
        let (mut captions, mut settled) = (vec![], self.settled.iter().peekable());
        for LookedAgain { steps, times_s, looked } in &self.again {
            while let Some(before) = settled.next_if(|s| s.at < steps.start) {
                captions.push(before.into());
            }
            while settled.next_if(|s| s.at < steps.end).is_some() {}
            captions.extend(rescorer.accepted(looked).iter().map(|g| {
                let at_s = times_s[g.at.min(times_s.len() - 1)];
                Caption { gloss: g.gloss, confidence: g.confidence, from_s: at_s, to_s: at_s }
            }));
        }
        captions.extend(settled.map(Caption::from));
        captions
    }

    fn note(&mut self, Moment { said, again, .. }: Moment) {
        match said {
            Some(Said::Settled(spoken)) => self.settled.push(spoken),
            Some(Said::Unsure(_)) => self.unsure += 1,
            Some(Said::Partial { .. }) | None => {}
        }
        self.again.extend(again);
    }
}

impl From<&Spoken> for Caption {
    fn from(&Spoken { gloss, confidence, from_s, at_s, .. }: &Spoken) -> Self {
        Self { gloss, confidence, from_s, to_s: at_s }
    }
}

/// Runs a live recogniser over recordings.
pub struct LiveRunner {
    transcriber: Transcriber<Stepper, RescoreRunner>,
}

impl LiveRunner {
    /// A runner of an opened model.
    ///
    /// # Errors
    /// [`Error::Network`] where the engine refuses its network.
    pub fn new(model: &LiveModel) -> Result<Self, Error> {
        Self::with_rules(model, model.manifest.rules.clone())
    }

    /// A runner with other rules than the model's.
    ///
    /// # Errors
    /// As [`LiveRunner::new`].
    pub fn with_rules(model: &LiveModel, rules: Rules) -> Result<Self, Error> {
        let manifest = LiveManifest { rules, ..model.manifest.clone() };
        let transcriber = Transcriber::new(&manifest, Stepper::new(model)?, RescoreRunner::of(model)?);
        Ok(Self { transcriber })
    }

    /// The runner without its rescorer.
    pub fn live_only(self) -> Self {
        Self { transcriber: self.transcriber.live_only() }
    }

    /// The runner without its gate: somebody is taken to sign all the time.
    pub fn without_gate(self) -> Self {
        Self { transcriber: self.transcriber.without_gate() }
    }

    /// Reads a recording; `stamps_s` says when each frame was taken, in seconds.
    ///
    /// # Errors
    /// [`Error::Network`] where the network fails. A layout without hands reads as nothing.
    pub fn read(&mut self, track: &PoseTrack, stamps_s: &[f64]) -> Result<Reading, Error> {
        let mut reading = Reading::default();
        let Some(picker) = Picker::new(&track.layout) else { return Ok(reading) };
        self.transcriber.reset();
        for (pose, &at_s) in track.frames.iter().zip(stamps_s) {
            self.transcriber.push(&picker.pick(at_s, pose), |moment| {
                if reading.gate.is_empty() {
                    reading.start_s = moment.at_s;
                }
                reading.gate.push(moment.gate);
                reading.note(moment);
            })?;
        }
        reading.note(self.transcriber.finish()?);
        Ok(reading)
    }
}

#[cfg(test)]
mod tests {
    use models::live::{Evidence, Hypothesis, Looked};

    use super::*;

    #[test]
    fn what_was_looked_at_again_takes_the_place_of_what_was_read_live() {
        let settled = |gloss, at: usize| {
            let evidence = Evidence { peak: 0.9, mass: 1.0, rival: 0.0, sign: 0.9 };
            let (from_s, at_s) = ((at - 1) as f64, at as f64);
            Spoken { gloss, confidence: 0.8, evidence, from: at - 1, at, from_s, at_s, others: vec![] }
        };
        let looked = Looked {
            hypotheses: vec![Hypothesis { glosses: vec![7, 8], at: vec![0, 3], log_probability: -0.1 }],
            attention: vec![-0.1],
            peaks: vec![vec![0.9, 0.4]],
        };
        let again = LookedAgain { steps: 10..15, times_s: (10..15).map(f64::from).collect(), looked };
        let reading = Reading {
            settled: vec![settled(1, 9), settled(2, 10), settled(3, 14), settled(4, 15)],
            again: vec![again],
            ..Reading::default()
        };
        // The confidence is CTC's probability.
        let rescorer = Rescorer {
            sha256: String::new(),
            steps: 9,
            hypotheses: 1,
            length: 9,
            attention: 0.5,
            confidence: [0.0, 0.0, 1.0],
            accept: 0.3,
        };
        let read =
            |captions: Vec<Caption>| -> Vec<_> { captions.iter().map(|c| (c.gloss, c.to_s)).collect() };
        assert_eq!(read(reading.live()), [(1, 9.0), (2, 10.0), (3, 14.0), (4, 15.0)]);
        assert_eq!(read(reading.rescored(&rescorer)), [(1, 9.0), (7, 10.0), (8, 13.0), (4, 15.0)]);
        let sure = Rescorer { accept: 0.5, ..rescorer };
        assert_eq!(read(reading.rescored(&sure)), [(1, 9.0), (7, 10.0), (4, 15.0)], "0.4 is not enough");
    }
}
