//! Continuous signing: a causal network steps along with the camera, and a decoder says what it heard.
//!
//! Features, decoder and rules are those of `models::live`, which the evaluation on the host runs as well;
//! only the engine differs.

use models::features::{Sight, stream::Stream};
use models::live::{Decoder, LiveManifest, LiveModel, Said, Spoken};

use super::event::{Heard, Sign};
use crate::Fault;
use crate::engine::{self, Backend, Engine, Tensor};

/// A recogniser of continuous signing, ready to run.
pub struct Continuous {
    manifest: LiveManifest,
    engine: Box<dyn Engine>,
    stream: Stream,
    decoder: Decoder,
    /// Features of a step `[1, F]` and the memory `[S, D]`.
    inputs: [Tensor; 2],
    /// Times of the steps that were taken, the newest last; see [`KEPT_STEPS`].
    times_s: Vec<f64>,
    /// What began before this was said by another model.
    ignored_until_s: f64,
    /// Steps with an open sentence since the last onset.
    open_steps: usize,
}

/// No sign lasts longer than this, in steps; times before are forgotten.
const KEPT_STEPS: usize = 1024;
/// Two models of one movement do not begin at the very same moment: what begins so much after a sign that
/// another model settled still belongs to that one. Seconds.
const SAME_MOVEMENT_S: f64 = 0.2;

impl Continuous {
    /// Opens a model that ships by its name, or any by its folder.
    ///
    /// # Errors
    /// [`Fault::Format`] where the model is not whole, [`Fault::Backend`] where no engine is there.
    pub fn open(name_or_folder: &str, preference: &[Backend]) -> Result<Self, Fault> {
        let model = LiveModel::find(name_or_folder)?;
        let path = model.dir.join(models::manifest::NETWORK);
        // One thread: a step takes a fraction of a millisecond, and sharing it costs more.
        let engine = engine::open_bytes(&model.network, &path, engine::choose(preference)?, 1)?;
        Ok(Self::over(model.manifest, engine))
    }

    /// A recogniser over an engine that is ready.
    pub(super) fn over(manifest: LiveManifest, engine: Box<dyn Engine>) -> Self {
        Self {
            stream: Stream::default(),
            decoder: Decoder::new(manifest.glosses.len(), manifest.rules.clone()),
            inputs: [Tensor::zeros(&[1, manifest.width]), Tensor::zeros(&[manifest.memory, manifest.hidden])],
            times_s: vec![],
            ignored_until_s: f64::NEG_INFINITY,
            open_steps: 0,
            manifest,
            engine,
        }
    }

    /// What is known about the model.
    pub fn manifest(&self) -> &LiveManifest {
        &self.manifest
    }

    /// Takes the sight of the next frame, and adds what was heard to `heard`.
    ///
    /// # Errors
    /// [`Fault::Inference`] where the network fails.
    pub(super) fn push(&mut self, sight: &Sight, heard: &mut Vec<Heard>) -> Result<(), Fault> {
        let mut steps = std::mem::take(&mut self.stream);
        let mut done = Ok(());
        steps.push(sight, |at_s, row| {
            if done.is_ok() {
                done = self.step(at_s, row).map(|said| heard.extend(said));
            }
        });
        self.stream = steps;
        done
    }

    /// Ends an utterance: what leads is settled.
    pub(super) fn finish(&mut self) -> Option<Heard> {
        let said = self.decoder.finish();
        said.and_then(|said| self.heard(said))
    }

    /// Another model settled a sign at this time: what this one makes of the same movement is not said.
    pub(super) fn ignore_until(&mut self, at_s: f64) {
        self.ignored_until_s = at_s + SAME_MOVEMENT_S;
    }

    /// For how long a sentence was seen since [`Continuous::begin`]. Seconds.
    pub(super) fn open_s(&self) -> f64 {
        self.open_steps as f64 * self.manifest.step_s
    }

    /// An utterance begins.
    pub(super) fn begin(&mut self) {
        self.open_steps = 0;
    }

    /// Forgets all that was seen.
    pub(super) fn forget(&mut self) {
        self.stream = Stream::default();
        self.decoder.reset();
        self.inputs[1].data.fill(0.0);
        self.times_s.clear();
        self.ignored_until_s = f64::NEG_INFINITY;
        self.open_steps = 0;
    }

    fn step(&mut self, at_s: f64, row: &[f32]) -> Result<Option<Heard>, Fault> {
        self.inputs[0].data.copy_from_slice(row);
        let outputs = self.engine.run(&self.inputs)?;
        let [logits, _, state] = outputs else {
            let (expected, got) = (vec![3], vec![outputs.len()]);
            return Err(Fault::Shape {
                what: format!("the outputs of {}", self.manifest.name),
                expected,
                got,
            });
        };
        let expected = [self.manifest.logits(), self.inputs[1].data.len()];
        let got = [logits.data.len(), state.data.len()];
        if expected != got {
            let what = format!("the outputs of {}", self.manifest.name);
            return Err(Fault::Shape { what, expected: expected.into(), got: got.into() });
        }
        self.inputs[1].data.copy_from_slice(&state.data);
        if self.times_s.len() == 2 * KEPT_STEPS {
            self.times_s.drain(..KEPT_STEPS);
        }
        self.times_s.push(at_s);
        let said = self.decoder.step(&logits.data);
        self.open_steps += usize::from(self.decoder.in_sentence());
        Ok(said.and_then(|said| self.heard(said)))
    }

    /// What the decoder said, in words and seconds.
    fn heard(&self, said: Said) -> Option<Heard> {
        let model = || self.manifest.name.clone();
        let gloss = |n: usize| self.manifest.glosses[n].clone();
        let sign = |spoken: Spoken| Sign {
            t: self.time(spoken.at),
            from: self.time(spoken.from),
            text: gloss(spoken.gloss),
            confidence: spoken.confidence,
            model: model(),
            others: spoken.others.iter().map(|&(n, share)| (gloss(n), share)).collect(),
        };
        let heard = match said {
            Said::Partial { gloss: n, probability } => {
                return Some(Heard::Partial { text: gloss(n), confidence: probability, model: model() });
            }
            Said::Settled(spoken) => {
                let sign = sign(spoken);
                let spelled = is_letter(&sign.text);
                Heard::Sign { sign, spelled }
            }
            Said::Unsure(spoken) => {
                let sign = sign(spoken);
                let spelled = is_letter(&sign.text);
                Heard::Unsure { sign, spelled }
            }
        };
        let (Heard::Sign { sign, .. } | Heard::Unsure { sign, .. }) = &heard else { return None };
        (sign.from >= self.ignored_until_s).then_some(heard)
    }

    /// The time of a step that was taken, in seconds of the source.
    fn time(&self, step: usize) -> f64 {
        let back = self.decoder.steps().saturating_sub(step + 1);
        let newest = self.times_s.len().saturating_sub(1);
        self.times_s.get(newest.saturating_sub(back)).copied().unwrap_or(0.0)
    }
}

/// Whether a gloss is a letter of the alphabet: letters that follow one another are a word that is spelled.
fn is_letter(gloss: &str) -> bool {
    let mut chars = gloss.chars();
    chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
}

#[cfg(test)]
mod tests {
    use models::features::stream;
    use models::live::{BIO, Rules};
    use models::manifest::Kind;
    use models::pose::{Known, Pose};

    use super::*;
    use crate::language::{Event, Reader};
    use crate::stage::Stamp;

    const FPS: f32 = 25.0;

    /// Says what it is told to, one letter a step: `.` blank, `h` HELLO, `t` TEA, `?` hardly TEA. Each is said
    /// within a sentence, a blank without one.
    struct Told {
        script: Vec<char>,
        outputs: [Tensor; 3],
        step: f32,
    }

    impl Engine for Told {
        fn run(&mut self, inputs: &[Tensor]) -> Result<&[Tensor], Fault> {
            assert_eq!(inputs[1].data[0], self.step, "the memory comes back as it was given");
            let said = self.script.get(self.step as usize).copied().unwrap_or('.');
            self.step += 1.0;
            let mut logits = vec![0.0; 3 + 2 * BIO];
            match said {
                'h' => logits[1] = 6.0,
                't' => logits[2] = 6.0,
                '?' => logits[2] = 0.9,
                _ => logits[0] = 6.0,
            }
            logits[if said == '.' { 3 + BIO } else { 3 + BIO + 2 }] = 5.0;
            self.outputs[0].data = logits;
            self.outputs[2].data = vec![self.step; 2];
            Ok(&self.outputs)
        }

        fn describe(&self) -> String {
            "told".into()
        }
    }

    fn told(script: &str) -> Continuous {
        let manifest = LiveManifest {
            name: "hall".into(),
            kind: Kind::Continuous,
            sha256: String::new(),
            features: stream::NAME.into(),
            step_s: stream::STEP_S,
            width: stream::WIDTH,
            memory: 1,
            hidden: 2,
            glosses: vec!["HELLO".into(), "TEA".into()],
            delay_s: 0.44,
            gate_delay_s: 0.16,
            rules: Rules { accept: 0.7, doubt: 0.3, ..Rules::PLAIN },
            rescorer: None,
            data: vec![],
            metrics: vec![],
            recipe: String::new(),
        };
        let outputs = [&[1, 3 + 2 * BIO][..], &[1, 2], &[1, 2]].map(Tensor::zeros);
        Continuous::over(manifest, Box::new(Told { script: script.chars().collect(), outputs, step: 0.0 }))
    }

    /// Reads a signer whose hand is up where `hand` has a `^`, one letter a step; the events but partial ones.
    fn read(script: &str, hand: &str) -> (Vec<Event>, Reader) {
        let layout = Known::BodyHands75.layout();
        let points = layout.range("RIGHT_HAND_LANDMARKS").unwrap();
        let shoulders =
            ["LEFT_SHOULDER", "RIGHT_SHOULDER"].map(|s| layout.index("POSE_LANDMARKS", s).unwrap());
        let mut reader = Reader::new(&layout, vec![]).unwrap().with_continuous(told(script));
        let mut events = vec![];
        for (i, up) in hand.chars().enumerate() {
            let mut pose = Pose::unseen(layout.len());
            for (n, k) in shoulders.into_iter().enumerate() {
                (pose.points[k], pose.confidence[k]) = ([150.0 - 100.0 * n as f32, 90.0, 0.0], 1.0);
            }
            for (n, k) in points.clone().enumerate().filter(|_| up == '^') {
                let place = [100.0 + n as f32, 100.0 + (n * n % 37) as f32, 0.0];
                (pose.points[k], pose.confidence[k]) = (place, 1.0);
            }
            events.extend(reader.read(Stamp::of_frame(i as u64, FPS), &pose).unwrap());
        }
        events.extend(reader.finish().unwrap());
        events.retain(|e| !matches!(e, Event::Partial { .. }));
        (events, reader)
    }

    #[track_caller]
    fn check(script: &str, hand: &str, caption: &str, repeats: &[&[&str]]) {
        let (events, reader) = read(script, hand);
        assert_eq!(reader.caption().text(), caption, "{events:?}");
        let asked: Vec<Vec<&str>> = events
            .iter()
            .filter_map(|event| match event {
                Event::Repeat { candidates, .. } => {
                    Some(candidates.iter().map(|(l, _)| l.as_str()).collect())
                }
                _ => None,
            })
            .collect();
        assert_eq!(asked, repeats, "{events:?}");
    }

    #[test]
    fn glosses_are_captioned_as_they_end() {
        check(".....hhh....ttt.....", "^^^^^^^^^^^^^^^^^^^^", "HELLO TEA", &[]);
        let (events, _) = read(".....hhh............", "^^^^^^^^^^^^^^^^^^^^");
        let Some(Event::Sign(sign)) = events.iter().find(|e| matches!(e, Event::Sign(_))) else {
            panic!("{events:?}")
        };
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(near(sign.from, 0.2) && near(sign.t, 0.32), "{sign:?}");
    }

    #[test]
    fn what_ends_with_the_hands_belongs_to_them() {
        check("..........hhh...........", "^^^^^^^^^^______________", "HELLO", &[]);
        check("..........hhh", "^^^^^^^^^^^^^", "HELLO", &[]);
    }

    #[test]
    fn with_no_hand_up_nothing_is_said() {
        check(".....hhh......", "______________", "", &[]);
        check("....................hhh......", "^^^^^________________________", "", &[]);
    }

    #[test]
    fn what_is_missing_is_shown_and_asked_for() {
        check("..hh...??....", "^^^^^^^^^^^^^", "HELLO [?]", &[&["TEA", "HELLO"]]);
        check("..??...hh....", "^^^^^^^^^^^^^", "[?] HELLO", &[&["TEA", "HELLO"]]);
        check("..??...??..hh", "^^^^^^^^^^^^^", "[?] HELLO", &[&["TEA", "HELLO"]]);
        check("..??.........", "^^^^^^^^^^^^^", "", &[&["TEA", "HELLO"]]);
    }

    #[test]
    fn hands_that_sign_nothing_are_not_asked_to_repeat() {
        check("..............................", "^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^", "", &[]);
    }

    #[test]
    fn one_movement_that_another_model_knew_is_not_said_again() {
        let sight = |step: u32| Sight::unseen(f64::from(step) * stream::STEP_S);
        let mut continuous = told(".....hhh......ttt..");
        let mut heard = vec![];
        for step in 0..20 {
            continuous.push(&sight(step), &mut heard).unwrap();
            if step == 5 {
                continuous.ignore_until(sight(step).at_s);
            }
        }
        let signs = heard.iter().filter_map(|h| match h {
            Heard::Sign { sign, .. } => Some(sign.text.as_str()),
            Heard::Partial { .. } | Heard::Unsure { .. } => None,
        });
        assert_eq!(signs.collect::<Vec<_>>(), ["TEA"]);
    }
}
