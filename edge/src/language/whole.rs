//! Whole utterances, looked at when they are over: by themselves, or over what was read live.

use std::sync::Arc;

use models::pose::rows::ROW_258;
use models::pose::{Layout, Pose, PoseTrack};
use models::signx::{Gloss, UtteranceManifest, UtteranceModel, at_rate, own_rows, read};

use super::event::{Again, Heard, Sign};
use crate::Fault;
use crate::engine::Backend;
use crate::engine::decoder::{DecoderEngines, Shape};

/// Before the first hand is seen to be up it has moved already: so much belongs to the utterance. Seconds.
const BEFORE_S: f64 = 0.4;
/// A gloss of an utterance leaves a gap where its confidence is at least this share of what is shown; below it nothing
/// was signed.
const DOUBT: f32 = 0.5;

/// A recogniser of whole utterances, ready to run.
pub struct Whole {
    manifest: UtteranceManifest,
    networks: DecoderEngines,
    /// What was seen of the utterance, or shortly before it, with the seconds of the source.
    seen: Vec<(f64, Pose)>,
    is_open: bool,
}

impl Whole {
    /// Opens a model that ships by its name, or any by its folder.
    ///
    /// # Errors
    /// [`Fault::Format`] where the model is not whole, [`Fault::Backend`] where no engine is there.
    pub fn open(name_or_folder: &str, preference: &[Backend]) -> Result<Self, Fault> {
        let UtteranceModel { dir, manifest, networks } = UtteranceModel::find(name_or_folder)?;
        let shape = shape(&manifest);
        // One thread: an utterance takes some milliseconds.
        let networks = DecoderEngines::open(&manifest.name, &dir, networks, shape, (preference, 1))?;
        Ok(Self::over(manifest, networks))
    }

    /// A recogniser over engines that are ready.
    fn over(manifest: UtteranceManifest, networks: DecoderEngines) -> Self {
        Self { manifest, networks, seen: vec![], is_open: false }
    }

    /// What is known about the model.
    pub fn manifest(&self) -> &UtteranceManifest {
        &self.manifest
    }

    /// Takes the pose of the next frame.
    pub(super) fn push(&mut self, at_s: f64, pose: &Pose) {
        if !self.is_open {
            let first = self.seen.partition_point(|(seen_s, _)| *seen_s < at_s - BEFORE_S);
            self.seen.drain(..first);
        }
        // One frame more than it reads tells that there were too many.
        let ends = self.seen.first().zip(self.seen.last());
        let lasts_s = ends.map_or(0.0, |((first_s, _), (last_s, _))| last_s - first_s);
        if lasts_s <= self.longest_s() {
            self.seen.push((at_s, pose.clone()));
        }
    }

    /// An utterance begins.
    pub(super) fn begin(&mut self) {
        self.is_open = true;
    }

    /// The utterance is over: what it says; poses have this layout, in a picture of this width and height in pixels. Nothing is said of one that shows nobody or that is longer than the model
    /// reads, so that it is asked for again or stays as it was read live.
    ///
    /// # Errors
    /// [`Fault::Inference`] where a network fails.
    pub(super) fn finish(
        &mut self,
        layout: &Arc<Layout>,
        picture: Option<[u32; 2]>,
    ) -> Result<Option<Heard>, Fault> {
        self.is_open = false;
        let seen = std::mem::take(&mut self.seen);
        let Some([width, height]) = picture else { return Ok(None) };
        let (Some((from_s, _)), Some((to_s, _))) = (seen.first(), seen.last()) else { return Ok(None) };
        let (from_s, to_s) = (*from_s, *to_s);
        if to_s - from_s > self.longest_s() {
            return Ok(None);
        }
        let stamps: Vec<f64> = seen.iter().map(|(at_s, _)| at_s - from_s).collect();
        let mut track = PoseTrack::new(Arc::clone(layout), self.manifest.fps, [width, height, 0]);
        track.frames = seen.into_iter().map(|(_, pose)| pose).collect();
        let all = own_rows(&track.with_z_in_pixels());
        let frames = at_rate(&stamps, self.manifest.fps, self.manifest.sizes.source);
        let rows: Vec<&[f32]> = frames.iter().map(|t| &all[t * ROW_258..(t + 1) * ROW_258]).collect();
        let there: Vec<f32> =
            rows.iter().map(|row| f32::from(u8::from(row.iter().any(|v| *v != 0.0)))).collect();
        if there.iter().all(|there| *there == 0.0) {
            return Ok(None);
        }
        let glosses = read(&self.manifest, &mut self.networks, &rows.concat(), &there)?;
        let at = |frame: usize| from_s + stamps[frames[frame]];
        let accept = self.manifest.accept;
        let signs = glosses.into_iter().filter(|gloss| gloss.confidence >= DOUBT * accept);
        let again = |Gloss { gloss, at: frame, confidence, .. }: Gloss| {
            let (t, text) = (at(frame), self.manifest.glosses[gloss].clone());
            let model = self.manifest.name.clone();
            let sign = Sign { t, from: t, text, confidence, model, others: vec![] };
            Again { sign, spelled: false, sure: confidence >= accept }
        };
        Ok(Some(Heard::Again { from_s, to_s, signs: signs.map(again).collect() }))
    }

    /// Forgets all that was seen.
    pub(super) fn forget(&mut self) {
        self.seen.clear();
        self.is_open = false;
    }

    /// The longest utterance that it reads. Seconds.
    fn longest_s(&self) -> f64 {
        (self.manifest.sizes.source - 1) as f64 / f64::from(self.manifest.fps)
    }
}

/// What the networks of such a model take and give.
fn shape(manifest: &UtteranceManifest) -> Shape {
    let source = manifest.sizes.source;
    Shape {
        source: [[source, ROW_258], [source, 1]],
        sizes: manifest.sizes,
        pieces: manifest.tokens(),
        hears: true,
    }
}

#[cfg(test)]
mod tests {
    use models::manifest::Kind;
    use models::pose::Known;
    use models::signx::MEASURE;
    use models::translator::Sizes;

    use super::*;
    use crate::engine::{Engine, Tensor};
    use crate::language::posed::posed;
    use crate::language::{Event, Reader};
    use crate::stage::Stamp;

    const FPS: f32 = 10.0;
    const SIZES: Sizes = Sizes { source: 40, target: 4, beam: 2, layers: 1, heads: 1, head: 2 };
    /// The marks, HELLO and TEA.
    const TOKENS: usize = 5;

    /// Gives the same whatever it is shown.
    struct Always(Vec<Tensor>);

    impl Engine for Always {
        fn run(&mut self, _: &[Tensor]) -> Result<&[Tensor], Fault> {
            Ok(&self.0)
        }

        fn describe(&self) -> String {
            "always".into()
        }
    }

    /// Hears what it is told to, one letter a frame: `h` HELLO, `t` TEA, `?` perhaps TEA, anything else nothing.
    fn told(script: &str) -> Whole {
        let manifest = UtteranceManifest {
            name: "whole".into(),
            kind: Kind::Utterance,
            sha256: String::new(),
            step_sha256: String::new(),
            measure: MEASURE,
            fps: FPS,
            sizes: SIZES,
            glosses: vec!["HELLO".into(), "TEA".into()],
            heard: 1.0,
            penalty: 0.0,
            // As sure as the frame is.
            confidence: [0.0, 0.0, 1.0],
            accept: 0.8,
            data: vec![],
            metrics: vec![],
            recipe: String::new(),
        };
        let says = |said: char| match said {
            'h' => [0.05, 0.0, 0.0, 0.9, 0.05],
            't' => [0.05, 0.0, 0.0, 0.05, 0.9],
            '?' => [0.2, 0.0, 0.0, 0.2, 0.6],
            _ => [0.98, 0.0, 0.0, 0.01, 0.01],
        };
        let heard = script.chars().chain(std::iter::repeat('.')).take(SIZES.source);
        let heard = heard.flat_map(|said| says(said).map(|p: f32| p.max(1e-9).ln())).collect();
        let tensor = |values: Vec<f32>| Tensor::new(&[values.len()], values).unwrap();
        let kept = tensor(vec![0.0; SIZES.width() * SIZES.source]);
        let encoder = Always(vec![kept.clone(), kept, tensor(heard)]);
        let (next, new) = (vec![-1.6; SIZES.beam * TOKENS], vec![0.0; SIZES.beam * SIZES.width()]);
        let step = Always(vec![tensor(next), tensor(new.clone()), tensor(new)]);
        let shape = shape(&manifest);
        let networks = DecoderEngines::over("whole", [Box::new(encoder), Box::new(step)], shape);
        Whole::over(manifest, networks)
    }

    /// Reads a signer whose hand is up where `hand` has a `^`, ten letters a second; what is said in the end, and how
    /// often somebody is asked to repeat.
    #[track_caller]
    fn check(script: &str, hand: &str, caption: &str, repeats: usize) {
        let layout = Known::BodyHands75.layout();
        let reader = Reader::new(&layout, vec![]).unwrap();
        let mut reader = reader.with_whole(told(script)).in_picture([200, 200]);
        let mut events = vec![];
        for (i, up) in hand.chars().enumerate() {
            let pose = posed(&layout, up == '^');
            events.extend(reader.read(Stamp::of_frame(i as u64, FPS), &pose).unwrap());
            if up == '^' {
                assert_eq!(reader.caption().text(), "", "nothing is said before it is over");
            }
        }
        events.extend(reader.finish().unwrap());
        assert_eq!(reader.transcript().text(), caption, "{events:?}");
        assert_eq!(
            events.iter().filter(|e| matches!(e, Event::Repeat { .. })).count(),
            repeats,
            "{events:?}"
        );
    }

    #[test]
    fn an_utterance_is_read_when_it_is_over() {
        check("...hh....tt...", "____^^^^^^^^^^^^________", "HELLO TEA", 0);
        check("...hh....tt...", "____^^^^^^^^^^^^", "HELLO TEA", 0);
        check("", "________________________", "", 0);
    }

    #[test]
    fn what_is_not_sure_is_asked_for() {
        check("...hh....??...", "____^^^^^^^^^^^^________", "HELLO [?]", 1);
        check("...??.........", "____^^^^^^^^^^^^________", "", 1);
        check("..............", "____^^^^^^^^^^^^________", "", 1);
    }

    #[test]
    fn what_is_longer_than_it_reads_is_asked_for() {
        let hand = format!("____{}________", "^".repeat(SIZES.source + 10));
        check("...hh....tt...", &hand, "", 1);
    }
}
