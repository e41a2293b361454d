//! The stage of the live path that reads: poses in, signs and captions out.

use std::collections::VecDeque;

use models::features::{Picker, Sight};
use models::pose::{Layout, Pose};
use serde::Serialize;

use super::gate::CLOSE_S;
use super::recogniser::{Recogniser, slid};
use super::spotter::Guess;
use super::{Activity, Caption, Change, Gate};
use crate::Fault;
use crate::stage::{Stage, Stamp};

/// The classifiers look this often. Seconds of the source.
const LOOK_EVERY_S: f64 = 1.0 / 15.0;
/// Signing that lasted this long and gave no sign asks for a repeat. Seconds.
const REPEAT_AFTER_S: f64 = 0.6;
/// A stretch of signing of this length is also looked at as one sign, from onset to offset. Seconds. A
/// shorter one is no movement that a sign could be known by, a longer one is several signs.
pub(super) const ONE_SIGN_S: std::ops::RangeInclusive<f64> = 0.3..=4.0;
/// The caption goes from the screen after this long at rest: the next visitor must not read it. Seconds.
const CAPTION_KEPT_S: f64 = 6.0;
/// Words that a caption on the screen keeps.
const CAPTION_WORDS: usize = 50;
/// Words that the whole transcript keeps.
const TRANSCRIPT_WORDS: usize = 10_000;

/// Something that the reader has to say.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A hand came up, or all went down.
    State {
        /// Seconds of the source.
        t: f64,
        /// `watching` while a hand is up, `ready` otherwise.
        state: &'static str,
    },
    /// What is on top at present; it may change.
    Partial {
        /// Seconds of the source.
        t: f64,
        /// The label.
        text: String,
        /// 0 to 1.
        confidence: f32,
        /// Which model says so.
        model: String,
    },
    /// A sign that is settled.
    Sign(Sign),
    /// Somebody signed, and nothing was sure enough: the unit asks again.
    Repeat {
        /// Seconds of the source.
        t: f64,
        /// Onset of what was not understood.
        from: f64,
        /// Its offset.
        to: f64,
    },
    /// The caption as it stands now; empty when it was taken from the screen.
    Caption {
        /// Seconds of the source.
        t: f64,
        /// The text.
        text: String,
        /// That of its weakest word; 0 where there is none.
        confidence: f32,
    },
}

/// A sign that is settled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sign {
    /// Seconds of the source at which it settled.
    pub t: f64,
    /// When it came on top.
    pub from: f64,
    /// The label.
    pub text: String,
    /// 0 to 1.
    pub confidence: f32,
    /// Which model says so.
    pub model: String,
    /// The next best labels, for a person to pick from.
    pub others: Vec<(String, f32)>,
}

/// Reads one signer.
pub struct Reader {
    picker: Picker,
    recognisers: Vec<Recogniser>,
    window: VecDeque<Sight>,
    kept_s: f64,
    next_look_s: f64,
    gate: Gate,
    caption: Caption,
    transcript: Caption,
    captioned_s: f64,
    /// Signs since the last onset.
    signs: usize,
}

impl Reader {
    /// A reader of poses in the layout given.
    ///
    /// # Errors
    /// [`Fault::NoHands`] where the layout has none: nothing could be recognised.
    pub fn new(layout: &Layout, recognisers: Vec<Recogniser>) -> Result<Self, Fault> {
        let picker = Picker::new(layout).ok_or(Fault::NoHands)?;
        let longest = recognisers.iter().map(Recogniser::window_s).fold(0.0, f64::max);
        Ok(Self {
            picker,
            recognisers,
            window: VecDeque::new(),
            // An offset is known only when the gate closes: the whole stretch must still be there.
            kept_s: longest.max(ONE_SIGN_S.end() + 2.0 * CLOSE_S),
            next_look_s: 0.0,
            gate: Gate::default(),
            caption: Caption::keeping(CAPTION_WORDS),
            transcript: Caption::keeping(TRANSCRIPT_WORDS),
            captioned_s: 0.0,
            signs: 0,
        })
    }

    /// Tells the recognisers how wide and high the picture is, in pixels.
    pub fn in_picture(mut self, size: [u32; 2]) -> Self {
        self.picker = self.picker.in_picture(size);
        self
    }

    /// The caption as it stands on the screen.
    pub fn caption(&self) -> &Caption {
        &self.caption
    }

    /// All that was read since the start.
    pub fn transcript(&self) -> &Caption {
        &self.transcript
    }

    /// Whether somebody is signing.
    pub fn activity(&self) -> Activity {
        self.gate.activity()
    }

    /// Takes the pose of the next frame.
    ///
    /// # Errors
    /// [`Fault::Inference`] where a classifier fails.
    pub fn read(&mut self, at: Stamp, pose: &Pose) -> Result<Vec<Event>, Fault> {
        let at_s = at.seconds();
        let sight = self.picker.pick(at_s, pose);
        self.window.push_back(sight);
        while self.window.front().is_some_and(|s| at_s - s.at_s > self.kept_s) {
            self.window.pop_front();
        }
        let mut events = Vec::new();
        match self.gate.step(&sight) {
            Change::None => {}
            Change::Onset => {
                self.signs = 0;
                events.push(Event::State { t: at_s, state: "watching" });
            }
            Change::Offset { from_s, to_s } => self.offset(at_s, from_s, to_s, &mut events)?,
        }
        let at_rest = self.gate.activity() == Activity::Rest;
        if at_rest && at_s - self.captioned_s > CAPTION_KEPT_S && self.caption.confidence().is_some() {
            self.caption.clear();
            events.push(Event::Caption { t: at_s, text: String::new(), confidence: 0.0 });
        }
        if at_s + 1e-6 >= self.next_look_s && matches!(self.gate.activity(), Activity::Signing { .. }) {
            self.next_look_s = at_s + LOOK_EVERY_S;
            self.look(at_s, &mut events)?;
        }
        Ok(events)
    }

    /// Ends the source: what was being signed is settled as if the hands had gone down.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn finish(&mut self) -> Result<Vec<Event>, Fault> {
        let mut events = Vec::new();
        if let (Change::Offset { from_s, to_s }, Some(last)) = (self.gate.close(), self.window.back()) {
            let at_s = last.at_s;
            self.offset(at_s, from_s, to_s, &mut events)?;
        }
        Ok(events)
    }

    /// The source breaks off and may go on later: settles what was being signed as [`Reader::finish`] does, and
    /// forgets the poses before. What was read so far stays.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn interrupt(&mut self) -> Result<Vec<Event>, Fault> {
        let events = self.finish()?;
        self.forget();
        Ok(events)
    }

    /// Forgets the utterance in progress.
    fn forget(&mut self) {
        self.window.clear();
        self.gate = Gate::default();
        self.signs = 0;
        self.next_look_s = 0.0;
        for recogniser in &mut self.recognisers {
            recogniser.spotter.reset();
        }
    }

    /// Lets every classifier look at its window, and reports the surest sign that settled.
    fn look(&mut self, at_s: f64, events: &mut Vec<Event>) -> Result<(), Fault> {
        let window = &*self.window.make_contiguous();
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
            self.settle(n, sign, events);
        } else if let Some((confidence, n, label)) = partial {
            let manifest = self.recognisers[n].manifest();
            let (text, model) = (manifest.labels[label].clone(), manifest.name.clone());
            events.push(Event::Partial { t: at_s, text, confidence, model });
        }
        Ok(())
    }

    /// The hands went down: a stretch that gave no sign yet is looked at as a whole, or else asked for again.
    fn offset(&mut self, at_s: f64, from_s: f64, to_s: f64, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.signs == 0 && ONE_SIGN_S.contains(&(to_s - from_s)) {
            let window = &*self.window.make_contiguous();
            let span =
                window.partition_point(|s| s.at_s < from_s)..window.partition_point(|s| s.at_s <= to_s);
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
            if let Some((n, sign)) = surest {
                self.settle(n, sign, events);
            }
        }
        if self.signs == 0 && to_s - from_s >= REPEAT_AFTER_S {
            events.push(Event::Repeat { t: at_s, from: from_s, to: to_s });
        }
        for recogniser in &mut self.recognisers {
            recogniser.spotter.reset();
        }
        events.push(Event::State { t: at_s, state: "ready" });
        Ok(())
    }

    /// Reports the sign of classifier `by`, adds it to the caption, and lets the other classifiers start
    /// afresh: one movement is one sign.
    fn settle(&mut self, by: usize, sign: Sign, events: &mut Vec<Event>) {
        for (_, other) in self.recognisers.iter_mut().enumerate().filter(|(n, _)| *n != by) {
            other.spotter.reset();
        }
        self.signs += 1;
        self.captioned_s = sign.t;
        // A word's sign may have a name of one letter ("I"), so that the model decides, not the label.
        let spelled = self.recognisers[by].spells();
        for caption in [&mut self.caption, &mut self.transcript] {
            match (spelled, sign.text.as_str()) {
                (true, "space") => caption.space(),
                (true, letter) => caption.letter(&letter.to_uppercase(), sign.t, sign.confidence),
                (false, text) => caption.sign(text, sign.t, sign.confidence),
            }
        }
        let t = sign.t;
        events.push(Event::Sign(sign));
        if let Some(confidence) = self.caption.confidence() {
            events.push(Event::Caption { t, text: self.caption.text(), confidence });
        }
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

impl Stage for Reader {
    const NAME: &'static str = "language";
    type In = Pose;
    type Out = Vec<Event>;

    fn step(&mut self, at: Stamp, input: Pose) -> Result<Option<Vec<Event>>, Fault> {
        let events = self.read(at, &input)?;
        Ok((!events.is_empty()).then_some(events))
    }

    fn reset(&mut self) {
        self.forget();
        self.caption.clear();
        self.transcript.clear();
        self.captioned_s = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use models::features::Version;
    use models::manifest::{Kind, Manifest};
    use models::pose::Known;

    use super::*;
    use crate::engine::{Engine, Tensor};

    const FPS: f32 = 30.0;

    /// Says the same whatever it is shown.
    struct Always([Tensor; 1]);

    impl Engine for Always {
        fn run(&mut self, _: &[Tensor]) -> Result<&[Tensor], Fault> {
            Ok(&self.0)
        }

        fn describe(&self) -> String {
            "always".into()
        }
    }

    fn always(version: Version, logits: [f32; 3]) -> Recogniser {
        let manifest = Manifest {
            name: "letters".into(),
            kind: Kind::Isolated,
            sha256: String::new(),
            features: version.name().into(),
            frames: version.frames(),
            width: version.width(),
            labels: vec!["a".into(), "b".into(), "<none>".into()],
            rest: vec!["<none>".into()],
            temperature: 1.0,
            threshold: 0.5,
            data: vec![],
            metrics: vec![],
            recipe: String::new(),
        };
        let answer = Tensor::new(&[1, 3], logits.to_vec()).unwrap();
        Recogniser::over(manifest, version, Box::new(Always([answer])))
    }

    /// A raised right hand and shoulders for the seconds given, then nobody for the seconds given.
    fn show(reader: &mut Reader, start: &mut u64, hand_s: f32, nobody_s: f32) -> Vec<Event> {
        let layout = Known::BodyHands75.layout();
        let hand = layout.range("RIGHT_HAND_LANDMARKS").unwrap();
        let shoulders =
            ["LEFT_SHOULDER", "RIGHT_SHOULDER"].map(|s| layout.index("POSE_LANDMARKS", s).unwrap());
        let mut events = Vec::new();
        let frames = |seconds: f32| (seconds * FPS) as u64;
        for i in 0..frames(hand_s) + frames(nobody_s) {
            let mut pose = Pose::unseen(layout.len());
            if i < frames(hand_s) {
                for (n, k) in hand.clone().enumerate() {
                    pose.points[k] = [100.0 + n as f32, 100.0 + (n * n % 37) as f32, 0.0];
                    pose.confidence[k] = 1.0;
                }
                for (n, k) in shoulders.into_iter().enumerate() {
                    pose.points[k] = [150.0 - 100.0 * n as f32, 90.0, 0.0];
                    pose.confidence[k] = 1.0;
                }
            }
            events.extend(reader.read(Stamp::of_frame(*start, FPS), &pose).unwrap());
            *start += 1;
        }
        events.retain(|e| !matches!(e, Event::Partial { .. }));
        events
    }

    fn reader(version: Version, logits: [f32; 3]) -> Reader {
        Reader::new(&Known::BodyHands75.layout(), vec![always(version, logits)]).unwrap()
    }

    fn read(logits: [f32; 3]) -> (Vec<Event>, String) {
        let mut reader = reader(Version::HandV1, logits);
        let events = show(&mut reader, &mut 0, 1.0, 1.0);
        (events, reader.caption().text())
    }

    fn kinds(events: &[Event]) -> Vec<String> {
        let name = |e| serde_json::to_value(e).unwrap()["event"].as_str().unwrap().to_string();
        events.iter().map(name).collect()
    }

    #[test]
    fn a_sure_sign_is_said_once_and_captioned() {
        let (events, caption) = read([5.0, 0.0, 0.0]);
        assert_eq!(kinds(&events), ["state", "sign", "caption", "state"]);
        assert_eq!(caption, "A");
        let Event::Sign(sign) = &events[1] else { panic!("{events:?}") };
        assert_eq!((sign.text.as_str(), sign.model.as_str()), ("a", "letters"));
        assert!(sign.confidence > 0.9 && sign.t < 0.5, "{sign:?}");
    }

    #[test]
    fn what_is_not_sure_asks_for_a_repeat() {
        let (events, caption) = read([0.1, 0.0, 0.0]);
        assert_eq!(kinds(&events), ["state", "repeat", "state"]);
        assert_eq!(caption, "");
    }

    #[test]
    fn what_is_no_sign_is_not_said() {
        let (events, caption) = read([0.0, 0.0, 5.0]);
        assert_eq!(kinds(&events), ["state", "repeat", "state"]);
        assert_eq!(caption, "");
    }

    #[test]
    fn the_screen_forgets_and_the_transcript_does_not() {
        let mut reader = reader(Version::HandV1, [5.0, 0.0, 0.0]);
        let mut start = 0;
        let mut events = show(&mut reader, &mut start, 1.0, 8.0);
        let Some(Event::Caption { t, text, .. }) = events.pop() else { panic!("{events:?}") };
        assert!(text.is_empty() && (6.0..7.0).contains(&t), "{text} at {t} s");
        assert_eq!(reader.caption().text(), "");
        show(&mut reader, &mut start, 1.0, 1.0);
        assert_eq!(reader.caption().text(), "A");
        assert_eq!(reader.transcript().text(), "A A");
    }

    /// Signing that breaks off with the camera, and what is read after it came back.
    #[test]
    fn a_source_that_breaks_off_settles_what_was_signed_and_starts_afresh() {
        let mut unsure = reader(Version::HandV1, [0.1, 0.0, 0.0]);
        show(&mut unsure, &mut 0, 1.0, 0.0);
        assert_eq!(kinds(&unsure.interrupt().unwrap()), ["repeat", "state"]);
        assert_eq!(kinds(&unsure.interrupt().unwrap()), [""; 0], "it is said once");

        let mut sure = reader(Version::HandV1, [5.0, 0.0, 0.0]);
        let mut start = 0;
        assert_eq!(kinds(&show(&mut sure, &mut start, 1.0, 0.0)), ["state", "sign", "caption"]);
        assert_eq!(kinds(&sure.interrupt().unwrap()), ["state"]);
        assert!(sure.window.is_empty(), "poses before the gap are no context of those after it");
        let after = show(&mut sure, &mut start, 1.0, 1.0);
        assert_eq!(kinds(&after), ["state", "sign", "caption", "state"]);
        assert_eq!(sure.transcript().text(), "AA");
    }

    #[test]
    fn a_sign_whose_name_is_one_letter_is_a_word() {
        let mut reader = reader(Version::SignV1, [5.0, 0.0, 0.0]);
        let mut start = 0;
        show(&mut reader, &mut start, 1.0, 1.0);
        show(&mut reader, &mut start, 1.0, 1.0);
        assert_eq!(reader.caption().text(), "a a");
    }

    #[test]
    fn a_sign_that_moves_and_stays_is_one_sign() {
        let layout = Known::BodyHands75.layout();
        let hand = layout.range("RIGHT_HAND_LANDMARKS").unwrap();
        let mut reader = reader(Version::SignV1, [5.0, 0.0, 0.0]);
        let mut signs = 0;
        for i in 0..300_u64 {
            let mut pose = Pose::unseen(layout.len());
            for (k, point) in [("LEFT_SHOULDER", [150.0, 90.0, 0.0]), ("RIGHT_SHOULDER", [50.0, 90.0, 0.0])] {
                let k = layout.index("POSE_LANDMARKS", k).unwrap();
                (pose.points[k], pose.confidence[k]) = (point, 1.0);
            }
            // It stays for three seconds, goes 60 pixels aside in one, and stays again.
            let aside = 2.0 * (i.clamp(90, 120) - 90) as f32;
            for (n, k) in hand.clone().enumerate() {
                pose.points[k] = [100.0 + aside + n as f32, 100.0 + (n * n % 37) as f32, 0.0];
                pose.confidence[k] = 1.0;
            }
            let events = reader.read(Stamp::of_frame(i, FPS), &pose).unwrap();
            signs += events.iter().filter(|e| matches!(e, Event::Sign(_))).count();
        }
        assert_eq!(signs, 1);
    }

    #[test]
    fn poses_without_hands_are_refused() {
        let fault = Reader::new(&Layout::default(), vec![]).err().unwrap();
        assert!(matches!(fault, Fault::NoHands));
    }
}
