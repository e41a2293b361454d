//! The loop of reading live: sights become steps, the network looks at each, decoder and cutter follow what it
//! says, and an utterance that is over is looked at again.
//!
//! The unit and the evaluation both run this one; they differ in the engine that runs the networks
//! ([`StepNetwork`], [`RescoreNetwork`]). So what is scored is what a visitor sees.

use super::{
    Cut, Cutter, Decoder, Gate, LiveManifest, Looked, RescoreInput, RescoreOutput, Rescorer, Rows, Said,
};
use crate::features::Sight;
use crate::features::stream::Stream;

/// Runs the network of one step, and keeps its memory.
pub trait StepNetwork {
    /// What may go wrong.
    type Error;

    /// Takes the features of the next step.
    ///
    /// # Shapes
    /// - `features`: `[F]`, not standardised
    ///
    /// # Errors
    /// Where the network fails, or gives other shapes than its manifest states.
    fn step(&mut self, features: &[f32]) -> Result<StepSaid<'_>, Self::Error>;

    /// Forgets all; the next step is the first.
    fn reset(&mut self);
}

/// What the network says at a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepSaid<'a> {
    /// `[1 + G + 3 + 3]`.
    pub logits: &'a [f32],
    /// `[D]`.
    pub hidden: &'a [f32],
}

/// Runs the network that looks at a whole utterance again.
pub trait RescoreNetwork {
    /// What may go wrong.
    type Error;

    /// Looks at an utterance and at what may have been said.
    ///
    /// # Errors
    /// Where the network fails, or gives other shapes than its manifest states.
    fn rescore(&mut self, input: &RescoreInput) -> Result<RescoreOutput, Self::Error>;
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// When the step was, in seconds of the source.
    pub at_s: f64,
    /// Whether somebody signs.
    pub gate: Gate,
    /// What the decoder has to say.
    pub said: Option<Said>,
    /// The utterance that is over with this step, looked at again.
    pub again: Option<LookedAgain>,
}

/// An utterance that was looked at again when it was over.
#[derive(Debug, Clone, PartialEq)]
pub struct LookedAgain {
    /// Its steps.
    pub steps: std::ops::Range<usize>,
    /// `[T]`: when each of them was, in seconds of the source.
    pub times_s: Vec<f64>,
    /// What the rescorer thinks of it.
    pub looked: Looked,
}

/// Reads a signer live.
pub struct Transcriber<N, R> {
    network: N,
    stream: Stream,
    decoder: Decoder,
    cutter: Cutter,
    rescorer: Option<(Rescorer, R)>,
    /// Width of the network, D.
    width: usize,
    /// The time of the last step.
    at_s: f64,
}

impl<N: StepNetwork, R: RescoreNetwork<Error = N::Error>> Transcriber<N, R> {
    /// A transcriber over networks that are ready. Without the second one, or where the manifest knows of none,
    /// what was read live stands.
    pub fn new(manifest: &LiveManifest, network: N, rescorer: Option<R>) -> Self {
        Self {
            network,
            stream: Stream::default(),
            decoder: Decoder::new(manifest.glosses.len(), manifest.rules.clone()),
            cutter: Cutter::of(manifest),
            rescorer: manifest.rescorer.clone().zip(rescorer),
            width: manifest.hidden,
            at_s: 0.0,
        }
    }

    /// The same without its gate: somebody is taken to sign all the time.
    pub fn without_gate(self) -> Self {
        Self { decoder: self.decoder.without_gate(), ..self }
    }

    /// The same without looking at utterances again.
    pub fn live_only(self) -> Self {
        Self { rescorer: None, ..self }
    }

    /// Takes the next sight; `each` is given what the steps that it completes come to, in order.
    ///
    /// # Errors
    /// Those of the networks; steps after the one that failed are left out.
    pub fn push(&mut self, sight: &Sight, mut each: impl FnMut(Moment)) -> Result<(), N::Error> {
        let mut stream = std::mem::take(&mut self.stream);
        let mut done = Ok(());
        stream.push(sight, |at_s, row| {
            if done.is_ok() {
                done = self.step(at_s, row).map(&mut each);
            }
        });
        self.stream = stream;
        done
    }

    /// Ends the utterance: what leads is settled, and what was signed is looked at again.
    ///
    /// # Errors
    /// As [`Transcriber::push`].
    pub fn finish(&mut self) -> Result<Moment, N::Error> {
        let (said, gate) = (self.decoder.finish(), self.decoder.gate());
        let cut = self.cutter.finish();
        Ok(Moment { at_s: self.at_s, gate, said, again: self.look_again(cut)? })
    }

    /// Forgets all that was seen.
    pub fn reset(&mut self) {
        self.network.reset();
        self.stream.reset();
        self.decoder.reset();
        self.cutter.reset();
    }

    fn step(&mut self, at_s: f64, row: &[f32]) -> Result<Moment, N::Error> {
        self.at_s = at_s;
        let StepSaid { logits, hidden } = self.network.step(row)?;
        let said = self.decoder.step(at_s, logits);
        let gate = self.decoder.gate();
        let cut = self.cutter.step(at_s, gate, hidden);
        Ok(Moment { at_s, gate, said, again: self.look_again(cut)? })
    }

    /// Looks at an utterance again; `None` where what was read live stands.
    fn look_again(&mut self, cut: Option<Cut>) -> Result<Option<LookedAgain>, N::Error> {
        let (Some(Cut { steps, rows: Some(rows) }), Some((rescorer, network))) = (cut, &mut self.rescorer)
        else {
            return Ok(None);
        };
        let Rows { times_s, hidden } = rows;
        let looked = rescorer.look(&hidden, self.width, |input| network.rescore(input))?;
        Ok(looked.map(|looked| LookedAgain { steps, times_s, looked }))
    }
}
