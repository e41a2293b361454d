//! Batches of clips, never twice in the same form: at another pace, with other proportions, now and then without a track
//! that they have, or without a moment of all.
//!
//! A corpus shows a handful of people, and strangers are to be read: the sizes are judgement.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use burn::tensor::backend::Backend;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, RngCore, SeedableRng};

use crate::data::augment::normal;
use crate::signx::track::{FRAME, Track};
use crate::signx::{Clip, Frames};
use crate::train::plan::step_seed;

/// The batches of so many steps are drawn together and sorted by length, so that little of a batch is padding.
const POOL: usize = 8;
/// Clips are signed at a speed within this range, which is another after so many frames.
const SPEED: std::ops::RangeInclusive<f64> = 0.8..=1.25;
const PACE: usize = 16;
/// What a number is off by throughout a clip, as other people's bodies make it: the standard deviation, in deviations
/// of that number in the corpus.
const OFF: f32 = 0.1;
/// The share of clips of which a moment is not seen, and the most frames of it.
const BLINK: f64 = 0.5;
const BLINKS: usize = 4;
/// The share of tracks that are left out where there is another, so that any subset will do.
const WITHOUT: f64 = 0.2;
/// Tracks.
const TRACKS: usize = Track::ALL.len();

/// Draws batches.
pub struct Batches<'a> {
    examples: &'a [(Vec<u32>, Clip)],
    /// Parts of a step, and the most clips of a part.
    shape: [usize; 2],
    /// `[1959]`: how much each number deviates.
    deviation: &'a [f32],
    seed: u64,
    /// The epoch of the last batch, with the clips of each of its batches.
    epoch: Mutex<Option<(usize, Vec<Vec<usize>>)>>,
}

/// Clips side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Clips, B, and frames, T.
    pub shape: [usize; 2],
    /// `[B, T, 1959]`
    pub numbers: Vec<f32>,
    /// `[B, T, 5]`
    pub there: Vec<f32>,
    /// `[B]`: tokens, the last an end.
    pub rows: Vec<Vec<u32>>,
    /// `[B]`: the number of the clip, and which of its frames are shown.
    pub shown: Vec<(usize, Vec<usize>)>,
    /// Its number.
    pub number: usize,
    /// What is random in the step follows from it.
    pub seed: u64,
}

impl Batch {
    /// What the tracks show, and what the clips say.
    pub fn into_parts<B: Backend>(self) -> (Frames<B>, Vec<Vec<u32>>) {
        let [clips, _] = self.shape;
        (Frames::new([self.numbers, self.there], clips, &Track::WIDTHS, &Default::default()), self.rows)
    }
}

impl<'a> Batches<'a> {
    /// Of tokens and their clips, whose numbers deviate so much: a step takes so many parts of at most so many clips.
    pub fn new(examples: &'a [(Vec<u32>, Clip)], shape: [usize; 2], deviation: &'a [f32], seed: u64) -> Self {
        Self { examples, shape, deviation, seed, epoch: Mutex::new(None) }
    }

    /// Batches in which every clip is seen once.
    pub fn of_epoch(&self) -> usize {
        let ([parts, size], clips) = (self.shape, self.examples.len());
        (clips.div_ceil(parts * size) * parts).min(clips)
    }

    /// Steps in which every clip is seen so often; at least one.
    pub fn steps(&self, epochs: usize) -> usize {
        let [parts, _] = self.shape;
        (epochs * self.of_epoch() / parts).max(1)
    }

    /// The batch of a number, which follows from it alone.
    pub fn batch(&self, number: usize) -> Batch {
        let (epoch, place) = (number / self.of_epoch(), number % self.of_epoch());
        let mut last = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(of, _)| *of != epoch) {
            *last = Some((epoch, self.draw(epoch)));
        }
        let (_, batches) = last.as_ref().expect("it was drawn just before");
        let mut rng = StdRng::seed_from_u64(step_seed(!self.seed, number));
        let clips: Vec<_> =
            batches[place].iter().map(|i| Played::new(&self.examples[*i], &mut rng)).collect();
        let frames = clips.iter().map(|clip| clip.frames.len()).max().unwrap_or(0);
        let shape = [clips.len(), frames];
        let mut numbers = vec![0.0; clips.len() * frames * FRAME];
        let mut there = vec![0.0; clips.len() * frames * TRACKS];
        for (i, played) in clips.iter().enumerate() {
            let off: Vec<f32> = self.deviation.iter().map(|d| OFF * d * normal(&mut rng)).collect();
            for (t, frame) in played.frames.iter().enumerate() {
                let row = i * frames + t;
                let (numbers, there) =
                    (&mut numbers[row * FRAME..][..FRAME], &mut there[row * TRACKS..][..TRACKS]);
                played.example.1.write(*frame, numbers, there);
                numbers.iter_mut().zip(&off).for_each(|(number, off)| *number += off);
                for (there, with) in there.iter_mut().zip(played.with) {
                    *there *= f32::from(u8::from(with && !played.unseen.contains(&t)));
                }
            }
        }
        let rows = clips.iter().map(|played| played.example.0.clone()).collect();
        let frames = clips.into_iter().map(|played| played.frames);
        let shown = batches[place].iter().copied().zip(frames).collect();
        Batch { shape, numbers, there, rows, shown, number, seed: rng.next_u64() }
    }

    /// The batches of an epoch. Those of a step are about as long as each other, because threads that learn them wait for
    /// the longest.
    fn draw(&self, epoch: usize) -> Vec<Vec<usize>> {
        let mut rng = StdRng::seed_from_u64(step_seed(self.seed, epoch));
        let ([parts, size], clips, batches) = (self.shape, self.examples.len(), self.of_epoch());
        let mut order: Vec<usize> = (0..clips).collect();
        order.shuffle(&mut rng);
        for pool in order.chunks_mut(POOL * parts * size) {
            pool.sort_by_key(|i| self.examples[*i].1.frames());
        }
        let first = |batch: usize| batch * clips / batches;
        let mut steps: Vec<usize> = (0..batches).step_by(parts).collect();
        steps.shuffle(&mut rng);
        let batches = steps.into_iter().flat_map(|step| step..(step + parts).min(batches));
        batches.map(|batch| order[first(batch)..first(batch + 1)].to_vec()).collect()
    }
}

/// A clip as it is shown this time.
struct Played<'a> {
    example: &'a (Vec<u32>, Clip),
    /// `[T']`: frames of the clip.
    frames: Vec<usize>,
    /// Which tracks are shown.
    with: [bool; TRACKS],
    /// In which of the frames none is.
    unseen: Range<usize>,
}

impl<'a> Played<'a> {
    fn new(example: &'a (Vec<u32>, Clip), rng: &mut StdRng) -> Self {
        let frames = paced(example.1.frames(), rng);
        let blink = if rng.random_bool(BLINK) { rng.random_range(1..=BLINKS) } else { 0 };
        let from = rng.random_range(0..=frames.len().saturating_sub(blink));
        // Something is left to read, however short it is.
        let unseen = if frames.len() > 2 * BLINKS { from..from + blink } else { 0..0 };
        let has: Vec<usize> = (0..TRACKS).filter(|i| example.1.tracks[*i].is_some()).collect();
        let kept = has.get(rng.random_range(0..has.len().max(1))).copied();
        let with = std::array::from_fn(|i| kept == Some(i) || !rng.random_bool(WITHOUT));
        Self { example, frames, with, unseen }
    }
}

/// Which of so many frames are shown, at a pace that changes.
fn paced(count: usize, rng: &mut StdRng) -> Vec<usize> {
    let speeds: Vec<f64> = (0..count / PACE + 2).map(|_| rng.random_range(SPEED)).collect();
    let (mut frames, mut at) = (vec![], 0.0_f64);
    while (at as usize) < count {
        frames.push(at as usize);
        let (knot, way) = (at as usize / PACE, at / PACE as f64 % 1.0);
        at += speeds[knot] * (1.0 - way) + speeds[knot + 1] * way;
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clip_is_seen_once_an_epoch_and_never_without_any_track() {
        let clip = |i: usize| {
            let frames = 5 + i;
            let mut clip = Clip { there: vec![[true, false, true, false, false]; frames], ..Clip::default() };
            for track in [Track::SmplerX, Track::MediaPipe] {
                clip.tracks[track as usize] = Some(vec![1.0; frames * track.width()]);
            }
            (vec![3 + i as u32, 0], clip)
        };
        let examples: Vec<_> = (0..23).map(clip).collect();
        let deviation = vec![0.5; FRAME];
        let batches = Batches::new(&examples, [2, 4], &deviation, 7);
        assert_eq!(batches.of_epoch(), 6);
        let (mut without, mut blinked) = (0, 0);
        for epoch in 0..4 {
            let mut seen = vec![];
            for batch in (epoch * 6..epoch * 6 + 6).map(|number| batches.batch(number)) {
                let [_, frames] = batch.shape;
                let numbers = batch.numbers.chunks_exact(frames * FRAME);
                let clips = batch.there.chunks_exact(frames * TRACKS).zip(numbers);
                for (row, (there, numbers)) in batch.rows.iter().zip(clips) {
                    let seen_at: Vec<usize> =
                        (0..frames).filter(|t| there[t * TRACKS..][..TRACKS].contains(&1.0)).collect();
                    let (first, last) = (seen_at[0], seen_at[seen_at.len() - 1]);
                    let count = f64::from(row[0] + 2);
                    let least = (count / 1.25).floor() as usize - BLINKS;
                    assert!(last < (count / 0.8).ceil() as usize && seen_at.len() >= least, "{count}");
                    blinked += usize::from(seen_at.len() < last + 1);
                    let shown = |track: usize| there[first * TRACKS + track] > 0.0;
                    assert!(!shown(1), "what is not there is not shown");
                    without += usize::from(!shown(0) || !shown(2));
                    let column = Track::MediaPipe.columns().start;
                    let number = |t: usize| numbers[t * FRAME + column];
                    assert!(number(first) == number(last), "a body keeps its proportions");
                    assert!(number(first) != 1.0 && (number(first) - 1.0).abs() < 5.0 * OFF * 0.5);
                }
                seen.extend(batch.rows.iter().map(|row| row[0]));
            }
            seen.sort_unstable();
            assert_eq!(seen, (3..26).collect::<Vec<u32>>());
        }
        assert!((10..40).contains(&without), "{without} of 92 were shown with one track");
        assert!((20..60).contains(&blinked), "{blinked} of 92 have a moment that is not seen");
        assert_eq!(batches.batch(3), batches.batch(3));
        for epoch in 0..4 {
            for step in batches.draw(epoch).chunks(2) {
                let (least, most) = (step.iter().flatten().min(), step.iter().flatten().max());
                assert!(
                    most.unwrap() - least.unwrap() < 8,
                    "a step's clips are neighbours by length: {step:?}"
                );
            }
        }
    }
}
