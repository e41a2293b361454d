//! Continuous signing: a causal network steps along with the camera, and what it says becomes words and seconds.
//!
//! The loop itself is [`Transcriber`] of `models::live`, which the evaluation on the host runs as well.

use models::features::Sight;
use models::live::{
    LiveManifest, LiveModel, LookedAgain, Moment, RESCORE, Rescored, Said, Spoken, Transcriber,
};

use super::event::{Again, Heard, Sign};
use super::networks::{RescoreEngine, StepEngine};
use crate::Fault;
use crate::engine::{self, Backend, Engine};

/// A recogniser of continuous signing, ready to run.
pub struct Continuous {
    manifest: LiveManifest,
    transcriber: Transcriber<StepEngine, RescoreEngine>,
    /// What began before this was said by another model.
    ignored_until_s: f64,
    /// Steps with an open sentence since the last onset.
    open_steps: usize,
}

/// A gloss of an utterance that was looked at again leaves a gap where its confidence is at least this share of
/// what is shown; below it nothing was signed.
const DOUBT: f32 = 0.5;
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
        let backend = engine::choose(preference)?;
        // One thread: a step takes a fraction of a millisecond, and sharing it costs more.
        let open = |bytes: &[u8], file| engine::open_bytes(bytes, &model.dir.join(file), backend, 1);
        let engine = open(&model.network, models::manifest::NETWORK)?;
        let rescorer = model.rescorer.as_ref().map(|bytes| open(bytes, RESCORE)).transpose()?;
        Ok(Self::over(model.manifest, engine, rescorer))
    }

    /// A recogniser over an engine that is ready.
    pub(super) fn over(
        manifest: LiveManifest,
        engine: Box<dyn Engine>,
        rescorer: Option<Box<dyn Engine>>,
    ) -> Self {
        let rescorer = rescorer.and_then(|engine| RescoreEngine::over(&manifest, engine));
        let transcriber = Transcriber::new(&manifest, StepEngine::over(&manifest, engine), rescorer);
        Self { manifest, transcriber, ignored_until_s: f64::NEG_INFINITY, open_steps: 0 }
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
        let mut moments = vec![];
        let done = self.transcriber.push(sight, |moment| moments.push(moment));
        for moment in moments {
            self.open_steps += usize::from(moment.gate.sentence > self.manifest.rules.sentence);
            self.note(moment, heard);
        }
        done
    }

    /// Ends an utterance: what leads is settled, and all of it is looked at again.
    ///
    /// # Errors
    /// As [`Continuous::push`].
    pub(super) fn finish(&mut self, heard: &mut Vec<Heard>) -> Result<(), Fault> {
        let moment = self.transcriber.finish()?;
        self.note(moment, heard);
        Ok(())
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
        self.transcriber.reset();
        self.ignored_until_s = f64::NEG_INFINITY;
        self.open_steps = 0;
    }

    fn note(&self, Moment { said, again, .. }: Moment, heard: &mut Vec<Heard>) {
        heard.extend(said.and_then(|said| self.heard(said)));
        heard.extend(again.and_then(|again| self.heard_again(again)));
    }

    /// What the rescorer makes of an utterance, in words and seconds.
    fn heard_again(&self, LookedAgain { times_s, looked, .. }: LookedAgain) -> Option<Heard> {
        let (rescorer, from_s, to_s) =
            (self.manifest.rescorer.as_ref()?, *times_s.first()?, *times_s.last()?);
        let accept = rescorer.accept;
        let judged = rescorer.judge(&looked).into_iter().filter(|g| g.confidence >= DOUBT * accept);
        let again = |Rescored { gloss, at, confidence, .. }: Rescored| {
            let t = times_s[at.min(times_s.len() - 1)];
            let text = self.manifest.glosses[gloss].clone();
            let (spelled, sure) = (is_letter(&text), confidence >= accept);
            let model = self.manifest.name.clone();
            Again { sign: Sign { t, from: t, text, confidence, model, others: vec![] }, spelled, sure }
        };
        Some(Heard::Again { from_s, to_s, signs: judged.map(again).collect() })
    }

    /// What the decoder said, in words and seconds.
    fn heard(&self, said: Said) -> Option<Heard> {
        let model = || self.manifest.name.clone();
        let gloss = |n: usize| self.manifest.glosses[n].clone();
        let sign = |spoken: Spoken| Sign {
            t: spoken.at_s,
            from: spoken.from_s,
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
}

/// Whether a gloss is a letter of the alphabet: letters that follow one another are a word that is spelled.
fn is_letter(gloss: &str) -> bool {
    let mut chars = gloss.chars();
    chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
}

#[cfg(test)]
mod tests {
    use models::features::stream;
    use models::live::{BIO, Rescorer, Rules};
    use models::manifest::Kind;
    use models::pose::Known;

    use super::*;
    use crate::engine::Tensor;
    use crate::language::posed::posed;
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

    /// What the rescorer makes of an utterance: its script, as that of [`Told`], from the utterance's first step.
    struct ToldAgain {
        script: Vec<char>,
        outputs: [Tensor; 2],
    }

    impl Engine for ToldAgain {
        fn run(&mut self, inputs: &[Tensor]) -> Result<&[Tensor], Fault> {
            let there = inputs[1].data.iter().filter(|there| **there == 1.0).count();
            assert!((1..AGAIN.steps).contains(&there), "{there} steps");
            for (row, said) in self.outputs[0].data.chunks_exact_mut(3).zip(&self.script) {
                let (label, sure) = match said {
                    'h' => (1, 6.0),
                    't' => (2, 6.0),
                    '?' => (2, 1.2),
                    _ => (0, 6.0),
                };
                row.fill(0.0);
                row[label] = sure;
            }
            Ok(&self.outputs)
        }

        fn describe(&self) -> String {
            "told again".into()
        }
    }

    /// Believes CTC's probabilities as they are.
    const AGAIN: Rescorer = Rescorer {
        sha256: String::new(),
        steps: 40,
        hypotheses: 2,
        length: 4,
        attention: 0.0,
        confidence: [0.0, 0.0, 1.0],
        accept: 0.7,
    };

    fn told(script: &str) -> Continuous {
        told_again(script, None)
    }

    fn told_again(script: &str, again: Option<&str>) -> Continuous {
        let rescorer = again.map(|script| -> Box<dyn Engine> {
            let outputs = [&[40, 3][..], &[2, 4, 3]].map(Tensor::zeros);
            let script = script.chars().chain(std::iter::repeat('.')).take(40).collect();
            Box::new(ToldAgain { script, outputs })
        });
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
            rescorer: again.map(|_| AGAIN),
            data: vec![],
            metrics: vec![],
            recipe: String::new(),
        };
        let outputs = [&[1, 3 + 2 * BIO][..], &[1, 2], &[1, 2]].map(Tensor::zeros);
        let engine = Told { script: script.chars().collect(), outputs, step: 0.0 };
        Continuous::over(manifest, Box::new(engine), rescorer)
    }

    /// Reads a signer whose hand is up where `hand` has a `^`, one letter a step; the events but partial ones.
    fn read(script: &str, hand: &str) -> (Vec<Event>, Reader) {
        read_by(told(script), hand)
    }

    fn read_by(continuous: Continuous, hand: &str) -> (Vec<Event>, Reader) {
        let layout = Known::BodyHands75.layout();
        let mut reader = Reader::new(&layout, vec![]).unwrap().with_continuous(continuous);
        let mut events = vec![];
        for (i, up) in hand.chars().enumerate() {
            let pose = posed(&layout, up == '^');
            events.extend(reader.read(Stamp::of_frame(i as u64, FPS), &pose).unwrap());
        }
        events.extend(reader.finish().unwrap());
        events.retain(|e| !matches!(e, Event::Partial { .. }));
        (events, reader)
    }

    /// The labels that are given to confirm one of, each time that somebody is asked to repeat.
    fn asked(events: &[Event]) -> Vec<Vec<&str>> {
        let candidates = events.iter().filter_map(|event| match event {
            Event::Repeat { candidates, .. } => Some(candidates),
            _ => None,
        });
        candidates.map(|c| c.iter().map(|(label, _)| label.as_str()).collect()).collect()
    }

    #[track_caller]
    fn check(script: &str, hand: &str, caption: &str, repeats: &[&[&str]]) {
        let (events, reader) = read(script, hand);
        assert_eq!(reader.caption().text(), caption, "{events:?}");
        assert_eq!(asked(&events), repeats, "{events:?}");
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

    /// What the caption says as time goes on, and what is asked for in the end.
    #[track_caller]
    fn check_again(script: &str, again: &str, captions: &[&str], repeats: &[&[&str]]) {
        let (events, reader) = read_by(told_again(script, Some(again)), &"^".repeat(script.len()));
        let shown: Vec<&str> = events
            .iter()
            .filter_map(|event| match event {
                Event::Caption { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(shown, captions, "{events:?}");
        assert_eq!(reader.transcript().text(), *captions.last().unwrap());
        assert_eq!(asked(&events), repeats, "{events:?}");
    }

    #[test]
    fn an_utterance_is_read_again_when_it_is_over() {
        // It begins eight steps before the gate opens.
        check_again("........hh..................", "........tt", &["HELLO", "TEA"], &[]);
        check_again("........hh..tt..............", "........hh", &["HELLO", "HELLO TEA", "HELLO"], &[]);
        check_again("........hh..................", "........hh..tt", &["HELLO", "HELLO TEA"], &[]);
        check_again("........hh..................", "........hh", &["HELLO"], &[]);
        check_again("........hh", "........tt", &["HELLO", "TEA"], &[]);
    }

    #[test]
    fn what_is_not_sure_the_second_time_is_asked_for() {
        check_again(
            "........hh..tt..............",
            "........hh..?",
            &["HELLO", "HELLO TEA", "HELLO [?]"],
            &[&["TEA"]],
        );
        check_again("........hh..................", "........?.", &["HELLO", ""], &[&["TEA"]]);
        check_again(
            "........hh..??..............",
            "........hh..tt",
            &["HELLO", "HELLO [?]", "HELLO TEA"],
            &[],
        );
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
            Heard::Partial { .. } | Heard::Unsure { .. } | Heard::Again { .. } => None,
        });
        assert_eq!(signs.collect::<Vec<_>>(), ["TEA"]);
    }
}
