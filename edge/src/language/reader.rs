//! The stage of the live path that reads: poses in, signs and captions out.

use std::ops::RangeInclusive;
use std::sync::Arc;

use models::features::Picker;
use models::pose::{Layout, Pose};

use super::captions::Captions;
use super::event::{Again, Heard};
use super::spotting::Spotting;
use super::{Activity, Caption, Change, Continuous, Event, Gate, Recogniser, Sign, Whole};
use crate::Fault;
use crate::stage::{Stage, Stamp};

/// Signing that lasted this long and gave no sign asks for a repeat. Seconds.
const REPEAT_AFTER_S: f64 = 0.6;
/// So many labels are given to confirm one of.
const CANDIDATES: usize = 3;

/// Reads one signer.
pub struct Reader {
    layout: Arc<Layout>,
    /// Width and height in pixels, where they are known.
    picture: Option<[u32; 2]>,
    picker: Picker,
    spotting: Spotting,
    continuous: Option<Continuous>,
    whole: Option<Whole>,
    gate: Gate,
    captions: Captions,
    utterance: Utterance,
}

/// What was read since the last onset, beside its caption.
#[derive(Debug, Default)]
struct Utterance {
    /// When the first of its signs came on top, in seconds.
    from_s: Option<f64>,
    /// Signs that settled.
    signs: usize,
    /// What is on top at present, and how sure it is.
    partial: Option<(String, f32)>,
    /// The last sign that was not sure enough.
    unsure: Option<Sign>,
    /// When signs settled that another model than the continuous one knew. Seconds.
    others_s: Vec<f64>,
}

impl Reader {
    /// A reader of poses in the layout given.
    ///
    /// # Errors
    /// [`Fault::NoHands`] where the layout has none: nothing could be recognised.
    pub fn new(layout: &Layout, recognisers: Vec<Recogniser>) -> Result<Self, Fault> {
        let picker = Picker::new(layout).ok_or(Fault::NoHands)?;
        Ok(Self {
            layout: Arc::new(layout.clone()),
            picture: None,
            picker,
            spotting: Spotting::new(recognisers),
            continuous: None,
            whole: None,
            gate: Gate::default(),
            captions: Captions::new(),
            utterance: Utterance::default(),
        })
    }

    /// Tells the recognisers how wide and high the picture is, in pixels.
    pub fn in_picture(mut self, size: [u32; 2]) -> Self {
        self.picker = self.picker.in_picture(size);
        self.picture = Some(size);
        self
    }

    /// Reads continuous signing as well.
    pub fn with_continuous(mut self, continuous: Continuous) -> Self {
        // A gloss may come this much after the hands went down, and still belongs to what they signed.
        self.gate = Gate::closing_after(continuous.manifest().delay_s);
        self.continuous = Some(continuous);
        self
    }

    /// Reads whole utterances when they are over, in the place of what was read live.
    pub fn with_whole(mut self, whole: Whole) -> Self {
        self.whole = Some(whole);
        self
    }

    /// The caption as it stands on the screen.
    pub fn caption(&self) -> &Caption {
        self.captions.shown()
    }

    /// What is on top at present and not settled yet, and how sure it is.
    pub fn partial(&self) -> Option<(&str, f32)> {
        self.utterance.partial.as_ref().map(|(text, confidence)| (text.as_str(), *confidence))
    }

    /// All that was read since the start.
    pub fn transcript(&self) -> &Caption {
        self.captions.transcript()
    }

    /// Whether somebody is signing.
    pub fn activity(&self) -> Activity {
        self.gate.activity()
    }

    /// Whether a hand was up in the last frame; where somebody is signing and none is, what they signed is not
    /// settled yet.
    pub fn sees_hand(&self) -> bool {
        self.gate.is_up()
    }

    /// Takes the pose of the next frame.
    ///
    /// # Errors
    /// [`Fault::Inference`] where a classifier fails.
    pub fn read(&mut self, at: Stamp, pose: &Pose) -> Result<Vec<Event>, Fault> {
        let at_s = at.seconds();
        let sight = self.picker.pick(at_s, pose);
        self.spotting.push(sight);
        let mut events = Vec::new();
        let mut heard = Vec::new();
        if let Some(continuous) = &mut self.continuous {
            continuous.push(&sight, &mut heard)?;
        }
        if let Some(whole) = &mut self.whole {
            whole.push(at_s, pose);
        }
        match self.gate.step(&sight) {
            Change::None => {}
            Change::Onset => {
                self.begin();
                if let Some(continuous) = &mut self.continuous {
                    continuous.begin();
                }
                self.whole.iter_mut().for_each(Whole::begin);
                events.push(Event::State { t: at_s, state: "watching" });
            }
            Change::Offset { from_s, to_s } => {
                // What came with the frame that ended it is of the utterance still.
                heard.drain(..).for_each(|heard| self.note(at_s, heard, &mut events));
                self.offset(at_s, from_s, to_s, &mut events)?;
            }
        }
        events.extend(self.captions.end_word_in_time(at_s));
        let at_rest = self.gate.activity() == Activity::Rest;
        if at_rest {
            events.extend(self.captions.fade(at_s));
        }
        if !at_rest {
            self.utterance.partial = None;
            heard.extend(self.spotting.look()?);
            // With no hand up nobody signs, whatever a network believes.
            heard.into_iter().for_each(|heard| self.note(at_s, heard, &mut events));
        }
        Ok(events)
    }

    /// Ends the source: what was being signed is settled as if the hands had gone down.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn finish(&mut self) -> Result<Vec<Event>, Fault> {
        let mut events = self.close()?;
        let last_s = self.spotting.last().map(|last| last.at_s);
        let told = self.captions.end_word(last_s.unwrap_or_default());
        events.extend(last_s.and(told));
        Ok(events)
    }

    /// The source breaks off and may go on later: settles what was being signed as [`Reader::finish`] does, and
    /// forgets the poses before. What was read so far stays.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn interrupt(&mut self) -> Result<Vec<Event>, Fault> {
        let events = self.close()?;
        self.forget();
        Ok(events)
    }

    /// Closes the gate.
    fn close(&mut self) -> Result<Vec<Event>, Fault> {
        let mut events = Vec::new();
        if let (Change::Offset { from_s, to_s }, Some(last)) = (self.gate.close(), self.spotting.last()) {
            let at_s = last.at_s;
            self.offset(at_s, from_s, to_s, &mut events)?;
        }
        Ok(events)
    }

    /// Forgets the utterance in progress.
    fn forget(&mut self) {
        self.spotting.forget();
        if let Some(continuous) = &mut self.continuous {
            continuous.forget();
        }
        self.whole.iter_mut().for_each(Whole::forget);
        self.gate.reset();
        self.begin();
    }

    /// An utterance begins; gives the text of the one before and its confidence, and what else was read of it.
    fn begin(&mut self) -> (Option<(String, f32)>, Utterance) {
        (self.captions.begin(), std::mem::take(&mut self.utterance))
    }

    /// The hands went down: a stretch that gave no sign yet is looked at as a whole, or else asked for again.
    fn offset(&mut self, at_s: f64, from_s: f64, to_s: f64, events: &mut Vec<Event>) -> Result<(), Fault> {
        if let Some(continuous) = &mut self.continuous {
            let mut heard = vec![];
            continuous.finish(&mut heard)?;
            heard.into_iter().for_each(|heard| self.note(at_s, heard, events));
        }
        if let Some(whole) = &mut self.whole
            && let Some(heard) = whole.finish(&self.layout, self.picture)?
        {
            self.note(at_s, heard, events);
        }
        if self.utterance.signs == 0
            && let Some(heard) = self.spotting.look_at_whole(at_s, from_s, to_s)?
        {
            self.note(at_s, heard, events);
        }
        let (caption, Utterance { from_s: begun_s, signs, unsure, .. }) = self.begin();
        if let Some((text, confidence)) = caption {
            let from = begun_s.unwrap_or(from_s);
            events.push(Event::Utterance { t: at_s, from, to: to_s.max(from), text, confidence });
        }
        // A person who scratches an ear is not asked to repeat that: where the network sees sentences, it has
        // to have seen one.
        let lasted_s = self.continuous.as_ref().map_or(to_s - from_s, Continuous::open_s);
        let nothing = signs == 0 && lasted_s >= REPEAT_AFTER_S;
        if nothing || unsure.is_some() {
            let candidates = unsure.map_or_else(Vec::new, |sign| {
                std::iter::once((sign.text, sign.confidence)).chain(sign.others).take(CANDIDATES).collect()
            });
            events.push(Event::Repeat { t: at_s, from: from_s, to: to_s, candidates });
        }
        self.spotting.reset();
        events.push(Event::State { t: at_s, state: "ready" });
        Ok(())
    }

    /// Takes what a model heard into the caption, and reports it.
    fn note(&mut self, at_s: f64, heard: Heard, events: &mut Vec<Event>) {
        match heard {
            Heard::Partial { text, confidence, model } => {
                self.utterance.partial = Some((text.clone(), confidence));
                events.push(Event::Partial { t: at_s, text, confidence, model });
            }
            Heard::Unsure { sign, spelled } => {
                if spelled && self.captions.doubt_letter(&sign) {
                    events.extend(self.captions.tell(at_s));
                } else {
                    self.captions.doubt(&sign);
                    if self.utterance.signs > 0 {
                        self.captions.fill_gaps();
                        events.extend(self.captions.tell(at_s));
                    }
                }
                self.utterance.unsure = Some(sign);
            }
            Heard::Sign { sign, spelled } => self.settle(sign, spelled, events),
            Heard::Again { from_s, to_s, signs } => self.read_again(at_s, from_s..=to_s, signs, events),
        }
    }

    /// Puts what was read when the utterance was over in the place of what was read live.
    fn read_again(
        &mut self,
        at_s: f64,
        time_s: RangeInclusive<f64>,
        signs: Vec<Again>,
        events: &mut Vec<Event>,
    ) {
        // What another model knew within this time is not known to the one that looked again.
        if self.utterance.others_s.iter().any(|at_s| time_s.contains(at_s)) {
            return;
        }
        events.extend(self.captions.replace(at_s, time_s.clone(), &signs));
        self.utterance.unsure.take_if(|sign| time_s.contains(&sign.t));
        if let Some(unsure) = signs.iter().rfind(|again| !again.sure) {
            self.utterance.unsure = Some(unsure.sign.clone());
        }
        self.utterance.signs = self.captions.signs();
        if let Some(first) = signs.iter().find(|again| again.sure) {
            self.utterance.from_s.get_or_insert(first.sign.t);
        }
    }

    /// Reports a sign and adds it to the caption; one movement is one sign, so that no other model says it again.
    fn settle(&mut self, sign: Sign, spelled: bool, events: &mut Vec<Event>) {
        if let Some(continuous) = &mut self.continuous {
            if continuous.manifest().name == sign.model {
                self.spotting.reset();
            } else {
                self.utterance.others_s.push(sign.t);
                continuous.ignore_until(sign.t);
            }
        }
        self.utterance.signs += 1;
        self.utterance.partial = None;
        self.utterance.from_s.get_or_insert(sign.from);
        self.captions.settle(&sign, spelled);
        let t = sign.t;
        events.push(Event::Sign(sign));
        events.extend(self.captions.tell(t));
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
        self.captions.reset();
    }
}

#[cfg(test)]
mod tests {
    use models::features::Version;
    use models::manifest::{Kind, Manifest};
    use models::pose::Known;

    use super::*;
    use crate::engine::{Engine, Tensor};
    use crate::language::posed::posed;

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
        let mut events = Vec::new();
        let frames = |seconds: f32| (seconds * FPS) as u64;
        for i in 0..frames(hand_s) + frames(nobody_s) {
            let pose = if i < frames(hand_s) { posed(&layout, true) } else { Pose::unseen(layout.len()) };
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
        assert_eq!(kinds(&events), ["state", "sign", "caption", "utterance", "state"]);
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
        assert_eq!(kinds(&sure.interrupt().unwrap()), ["utterance", "state"]);
        assert!(sure.spotting.last().is_none(), "poses before the gap are no context of those after it");
        let after = show(&mut sure, &mut start, 1.0, 1.0);
        assert_eq!(kinds(&after), ["state", "sign", "caption", "utterance", "state"]);
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
