//! Reads recorded landmarks with a live recogniser, as a unit would read the signer.

use models::features::{Picker, stream::Stream};
use models::live::{Decoder, Gate, LiveModel, Rules, Said, Spoken};
use models::pose::PoseTrack;

use super::Stepper;
use crate::Error;

/// A gloss that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// What the decoder said.
    pub spoken: Spoken,
    /// When it began to lead, and when it was settled; in seconds of the source.
    pub from_s: f64,
    /// See above.
    pub at_s: f64,
}

/// What was read of a recording.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// The glosses in order.
    pub settled: Vec<Settled>,
    /// How often something was signed that was not sure enough.
    pub unsure: usize,
    /// `[T]`: what the gate said at each step.
    pub gate: Vec<Gate>,
    /// The time of the first step, in seconds.
    pub start_s: f64,
}

/// Runs a live recogniser over recordings.
pub struct LiveRunner {
    stepper: Stepper,
    decoder: Decoder,
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
        let decoder = Decoder::new(model.manifest.glosses.len(), rules);
        Ok(Self { stepper: Stepper::new(model)?, decoder })
    }

    /// Reads a recording; `stamps_s` says when each frame was taken, in seconds.
    ///
    /// # Errors
    /// [`Error::Network`] where the network fails. A layout without hands reads as nothing.
    pub fn read(&mut self, track: &PoseTrack, stamps_s: &[f64]) -> Result<Reading, Error> {
        let mut reading = Reading::default();
        let Some(picker) = Picker::new(&track.layout) else { return Ok(reading) };
        self.stepper.reset();
        self.decoder.reset();
        let (mut stream, mut steps) = (Stream::default(), vec![]);
        for (pose, &at_s) in track.frames.iter().zip(stamps_s) {
            stream.push(&picker.pick(at_s, pose), |at_s, row| steps.push((at_s, *row)));
        }
        reading.start_s = steps.first().map_or(0.0, |(at_s, _)| *at_s);
        let times: Vec<f64> = steps.iter().map(|(at_s, _)| *at_s).collect();
        let note = |said: Option<Said>, reading: &mut Reading| match said {
            Some(Said::Settled(spoken)) => {
                let time = |step: usize| times[step.min(times.len() - 1)];
                let (from_s, at_s) = (time(spoken.from), time(spoken.at));
                reading.settled.push(Settled { spoken, from_s, at_s });
            }
            Some(Said::Unsure(_)) => reading.unsure += 1,
            Some(Said::Partial { .. }) | None => {}
        };
        for (_, row) in &steps {
            let said = self.stepper.step(row)?;
            let decoded = self.decoder.step(said.logits);
            reading.gate.push(self.decoder.gate());
            note(decoded, &mut reading);
        }
        let last = self.decoder.finish();
        note(last, &mut reading);
        Ok(reading)
    }
}
