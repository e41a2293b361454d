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

#[cfg(test)]
mod tests {
    use super::super::{BIO, Rules};
    use super::*;
    use crate::features::stream::STEP_S;
    use crate::manifest::Kind;

    const GLOSSES: [&str; 2] = ["HELLO", "TEA"];

    /// Says what it is told to, one letter a step: `h` HELLO, `t` TEA, `.` nothing, `!` fails. Each but `.` is
    /// within a sentence.
    struct Told {
        script: Vec<char>,
        at: usize,
        said: [Vec<f32>; 2],
    }

    impl StepNetwork for Told {
        type Error = String;

        fn step(&mut self, _: &[f32]) -> Result<StepSaid<'_>, String> {
            let said = self.script.get(self.at).copied().unwrap_or('.');
            self.at += 1;
            let mut logits = vec![0.0; 1 + GLOSSES.len() + 2 * BIO];
            match said {
                'h' => logits[1] = 6.0,
                't' => logits[2] = 6.0,
                '!' => return Err(format!("step {}", self.at - 1)),
                _ => logits[0] = 6.0,
            }
            logits[if said == '.' { 6 } else { 8 }] = 5.0;
            self.said = [logits, vec![self.at as f32]];
            Ok(StepSaid { logits: &self.said[0], hidden: &self.said[1] })
        }

        fn reset(&mut self) {
            self.at = 0;
        }
    }

    /// Reads TEA in the third step of every utterance.
    struct Again;

    impl RescoreNetwork for Again {
        type Error = String;

        fn rescore(&mut self, input: &RescoreInput) -> Result<RescoreOutput, String> {
            let mut ctc = [6.0, 0.0, 0.0].repeat(input.there.len());
            ctc[2 * 3..3 * 3].copy_from_slice(&[0.0, 0.0, 6.0]);
            Ok(RescoreOutput { ctc, next: vec![0.0; input.glosses.len() * 3] })
        }
    }

    fn transcriber(script: &str) -> Transcriber<Told, Again> {
        let rescorer = Rescorer {
            sha256: String::new(),
            steps: 40,
            hypotheses: 2,
            length: 4,
            attention: 0.0,
            confidence: [0.0, 0.0, 1.0],
            accept: 0.5,
        };
        let manifest = LiveManifest {
            name: "told".into(),
            kind: Kind::Continuous,
            sha256: String::new(),
            features: crate::features::stream::NAME.into(),
            step_s: STEP_S,
            width: crate::features::stream::WIDTH,
            memory: 1,
            hidden: 1,
            glosses: GLOSSES.map(String::from).to_vec(),
            delay_s: 0.44,
            gate_delay_s: 0.16,
            rules: Rules::PLAIN,
            rescorer: Some(rescorer),
            data: vec![],
            metrics: vec![],
            recipe: String::new(),
        };
        let told = Told { script: script.chars().collect(), at: 0, said: Default::default() };
        Transcriber::new(&manifest, told, Some(Again))
    }

    /// What was settled and what was looked at again, as `gloss@step` and `[from-to] gloss@second`, in order.
    #[track_caller]
    fn check(mut transcriber: Transcriber<Told, Again>, steps: u32, expect: &str) {
        let mut told = vec![];
        let mut note = |Moment { said, again, .. }: Moment| {
            if let Some(Said::Settled(spoken)) = said {
                assert!((spoken.from_s - spoken.from as f64 * STEP_S).abs() < 1e-9, "{spoken:?}");
                told.push(format!("{}@{}", GLOSSES[spoken.gloss], spoken.at));
            }
            if let Some(LookedAgain { steps, times_s, looked }) = again {
                assert_eq!(times_s.len(), steps.len());
                let best = &looked.hypotheses[0];
                let (gloss, at_s) = (GLOSSES[best.glosses[0]], times_s[best.at[0]]);
                told.push(format!("[{}-{}] {gloss}@{at_s:.2}", steps.start, steps.end));
            }
        };
        for step in 0..steps {
            let sight = Sight::unseen(f64::from(step) * STEP_S);
            transcriber.push(&sight, &mut note).unwrap();
        }
        note(transcriber.finish().unwrap());
        assert_eq!(told.join(" "), expect);
    }

    #[test]
    fn what_was_read_is_looked_at_again_when_the_gate_closes() {
        check(transcriber("..........hhh"), 40, "HELLO@13 [2-25] TEA@0.16");
        check(transcriber("..........hhh"), 13, "HELLO@13 [2-13] TEA@0.16");
        check(transcriber("..........hhh").live_only(), 40, "HELLO@13");
    }

    #[test]
    fn without_its_gate_all_is_one_utterance() {
        check(transcriber("..........hhh").without_gate(), 30, "HELLO@13 [0-30] TEA@0.08");
        check(transcriber("..........hhh").without_gate(), 41, "HELLO@13");
    }

    #[test]
    fn a_network_that_fails_is_told_of_and_a_reset_begins_anew() {
        let mut transcriber = transcriber("hhh..!");
        let sight = |step: u32| Sight::unseen(f64::from(step) * STEP_S);
        let mut settled = 0;
        let mut note = |moment: Moment| settled += usize::from(matches!(moment.said, Some(Said::Settled(_))));
        let failed: Vec<String> =
            (0..6).filter_map(|step| transcriber.push(&sight(step), &mut note).err()).collect();
        assert_eq!((failed, settled), (vec!["step 5".to_owned()], 1));
        transcriber.reset();
        check(transcriber, 5, "HELLO@3 [0-5] TEA@0.08");
    }
}
