//! What a live recogniser makes of a corpus: hypotheses to score, when each gloss came, and what was said
//! where nobody signed.

use std::path::Path;

use models::features::stream::STEP_S;
use models::live::{Gate, LiveModel};
use models::pose_file::read_track;
use serde::Serialize;

use super::latency::Latencies;
use super::live::{Caption, LiveRunner, Reading};
use crate::Error;
use crate::data::{TimedGloss, Utterance, utterances};

/// Which captions of a recogniser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Captions {
    /// As they were shown while somebody signed.
    Live,
    /// As they stood after each utterance was looked at again, where the model can.
    Rescored,
}

/// How a recogniser is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct How {
    /// Which of its captions.
    pub captions: Captions,
    /// Whether it heeds its gate; without one somebody is taken to sign all the time.
    pub gated: bool,
}

/// How a recogniser does live.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct LiveReport {
    /// From the end of a sign to its gloss, over the signs that were read right: the mean, seconds.
    pub latency_mean_s: f64,
    /// The same: 95 of 100 are no later.
    pub latency_p95_s: f64,
    /// The same: the latest.
    pub latency_most_s: f64,
    /// Signs whose gloss came later than 0.64 s and one frame of the camera after their end.
    pub latency_late: usize,
    /// Signs that latency was measured on.
    pub latency_n: usize,
    /// Minutes of recordings in which nobody signs.
    pub idle_minutes: f64,
    /// Glosses that were shown in them.
    pub idle_false: usize,
    /// The same in ten minutes; `null` where there are no such recordings.
    pub idle_false_in_ten_minutes: Option<f64>,
    /// How often the unit would have asked to repeat a sign.
    pub unsure: usize,
    /// Utterances that were looked at again.
    pub rescored: usize,
    /// From the end of a recording's last sign to the captions that stand: the mean over the recordings whose
    /// last sign lies in an utterance that was looked at again, seconds; `null` where there are none.
    pub rescored_after_s: Option<f64>,
}

/// What a recogniser made of a corpus.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Transcript {
    /// Hypotheses, in the corpus's order.
    pub utterances: Vec<Utterance>,
    /// `[N]`: when somebody signed a sentence, in seconds.
    pub sentences: Vec<Vec<[f64; 2]>>,
    /// `[N]`: when there was a sign.
    pub signs: Vec<Vec<[f64; 2]>>,
    /// How it did live.
    pub live: LiveReport,
}

/// Reads all recordings of a corpus; `tell` hears how many are done.
///
/// # Errors
/// Where the corpus or a recording cannot be read, or the network fails.
pub fn transcribe(
    model: &LiveModel,
    data: &Path,
    how: How,
    tell: impl Fn(usize, usize),
) -> Result<Transcript, Error> {
    let corpus = utterances(data)?;
    let folder = if data.is_dir() { data } else { data.parent().unwrap_or(Path::new(".")) };
    let runner = LiveRunner::new(model)?;
    let runner = if how.captions == Captions::Live { runner.live_only() } else { runner };
    let mut runner = if how.gated { runner } else { runner.without_gate() };
    let (mut out, mut latencies, mut ends) = (Transcript::default(), Latencies::default(), vec![]);
    let rescorer = model.manifest.rescorer.as_ref().filter(|_| how.captions == Captions::Rescored);
    for (done, utterance) in corpus.iter().enumerate() {
        tell(done, corpus.len());
        let Some(pose) = &utterance.pose else {
            let what = format!("the utterance {} in {}", utterance.id, data.display());
            let next =
                "give its .pose file in \"pose\", or score what was read of it with --hypothesis".into();
            return Err(Error::NoClips { what, next });
        };
        let track = read_track(folder.join(pose))?.with_z_in_pixels();
        let even = || (0..track.frames.len()).map(|i| i as f64 / f64::from(track.fps.max(1e-3))).collect();
        let stamps =
            utterance.stamps_s.clone().filter(|s| s.len() == track.frames.len()).unwrap_or_else(even);
        let reading = runner.read(&track, &stamps)?;
        let timed = |captions: Vec<Caption>| -> Vec<TimedGloss> {
            let gloss = |c: Caption| TimedGloss {
                gloss: model.manifest.glosses[c.gloss].clone(),
                start_s: c.from_s.max(0.0),
                end_s: c.to_s.max(c.from_s).max(0.0),
                confidence: Some(f64::from(c.confidence)),
            };
            captions.into_iter().map(gloss).collect()
        };
        let live = timed(reading.live());
        latencies.note(&utterance.glosses, &live, frame_s(&stamps));
        let glosses = match rescorer {
            Some(rescorer) => {
                out.live.rescored += reading.again.len();
                ends.extend(utterance.glosses.last().and_then(|last| after(last.end_s, &reading)));
                timed(reading.rescored(rescorer))
            }
            None => live,
        };
        if utterance.glosses.is_empty() {
            out.live.idle_minutes += stamps.last().copied().unwrap_or(0.0) / 60.0;
            out.live.idle_false += glosses.len();
        }
        out.live.unsure += reading.unsure;
        let delay_s = model.manifest.gate_delay_s;
        out.sentences.push(spans(&reading, |g| g.sentence > model.manifest.rules.sentence, delay_s));
        out.signs.push(spans(&reading, |g| g.sign > 0.5, delay_s));
        out.utterances.push(Utterance { id: utterance.id.clone(), glosses, ..Utterance::default() });
    }
    let live = &mut out.live;
    latencies.report(live);
    live.rescored_after_s = (!ends.is_empty()).then(|| ends.iter().sum::<f64>() / ends.len() as f64);
    live.idle_false_in_ten_minutes =
        (live.idle_minutes > 0.0).then(|| live.idle_false as f64 / live.idle_minutes * 10.0);
    Ok(out)
}

/// The mean time from one frame to the next, in seconds.
fn frame_s(stamps_s: &[f64]) -> f64 {
    match stamps_s {
        [first, .., last] => (last - first) / (stamps_s.len() - 1) as f64,
        _ => 0.0,
    }
}

/// How long after a time the utterance that it lies in was looked at again, in seconds.
fn after(at_s: f64, reading: &Reading) -> Option<f64> {
    let ends = reading.again.iter().filter_map(|again| Some((again.times_s.first()?, again.times_s.last()?)));
    ends.into_iter().find(|(from, to)| (**from..=**to).contains(&at_s)).map(|(_, to)| to - at_s)
}

/// The stretches of a reading in which the gate is open, in seconds of the source.
fn spans(reading: &Reading, open: impl Fn(&Gate) -> bool, delay_s: f64) -> Vec<[f64; 2]> {
    let mut spans: Vec<[f64; 2]> = vec![];
    let mut inside = false;
    for (step, gate) in reading.gate.iter().enumerate() {
        let at_s = (reading.start_s + step as f64 * STEP_S - delay_s).max(0.0);
        match (inside, open(gate), spans.last_mut()) {
            (true, true, Some(last)) => last[1] = at_s,
            (_, true, _) => spans.push([at_s, at_s]),
            _ => {}
        }
        inside = open(gate);
    }
    spans.retain(|[from, to]| to > from);
    spans
}

#[cfg(test)]
mod tests {
    use models::live::{Looked, LookedAgain};

    use super::*;

    #[test]
    fn stretches_are_earlier_by_the_gates_delay() {
        let gate = "..##..#..".chars().map(|c| Gate { sign: 0.0, sentence: f32::from(u8::from(c == '#')) });
        let reading = Reading { gate: gate.collect(), start_s: 1.0, ..Reading::default() };
        let found = spans(&reading, |g| g.sentence > 0.5, 0.04);
        assert_eq!(found.len(), 1, "one step is no stretch: {found:?}");
        assert!((found[0][0] - 1.04).abs() < 1e-9 && (found[0][1] - 1.08).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn an_utterance_is_looked_at_again_after_its_last_sign() {
        let looked = Looked { hypotheses: vec![], attention: vec![], peaks: vec![] };
        let again = |from_s: f64, to_s| LookedAgain {
            steps: 0..2,
            times_s: vec![from_s, to_s],
            looked: looked.clone(),
        };
        let reading = Reading { again: vec![again(0.0, 1.0), again(2.0, 4.0)], ..Reading::default() };
        assert_eq!(after(3.25, &reading), Some(0.75));
        assert_eq!(after(1.5, &reading), None, "it lies in none");
    }
}
