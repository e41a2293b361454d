//! Joint decoding: what a network says next, weighed against what the frames of the source say by themselves (Hori et
//! al. 2017, section 3.3).
//!
//! A network that looks at frames by attention may leave a piece out, say it twice or end too early, and be sure of it.
//! Frames that each say a piece of their own or none (CTC, Graves et al. 2006) know how many there were.

use super::pieces::{BEGIN, END};
use super::search::Steps;
use crate::live::log_add;

/// What each frame says by itself. Its blank is [`END`].
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    log_probs: Vec<f32>,
    pieces: usize,
}

/// How likely frames say pieces so far, no more and no less, at each frame; logarithms.
#[derive(Debug, Clone)]
struct Prefix {
    /// `[T]`: the last frame says the last piece.
    spoken: Vec<f64>,
    /// `[T]`: the last frame says none.
    silent: Vec<f64>,
    /// How likely the pieces are with whatever follows.
    log_prob: f64,
    last: u32,
}

impl Heard {
    /// Of logarithms of probabilities, `[T, V]`.
    ///
    /// # Panics
    /// Where they are not whole frames.
    #[must_use]
    pub fn new(log_probs: Vec<f32>, pieces: usize) -> Self {
        assert!(pieces > 0 && log_probs.len().is_multiple_of(pieces), "every frame has all pieces");
        Self { log_probs, pieces }
    }

    /// The same of those frames alone that are there: `there` `[T]`, 1 or 0.
    ///
    /// # Panics
    /// Where they are not as many frames.
    #[must_use]
    pub fn of(log_probs: &[f32], there: &[f32]) -> Self {
        let pieces = log_probs.len() / there.len().max(1);
        let frames = log_probs.chunks_exact(pieces.max(1)).zip(there).filter(|(_, there)| **there > 0.0);
        Self::new(frames.flat_map(|(frame, _)| frame.iter().copied()).collect(), pieces)
    }

    /// The frames that show pieces most, in their order and each in another, and how likely each says its piece by
    /// itself; `None` where there are fewer frames than pieces.
    #[must_use]
    pub fn places(&self, pieces: &[u32]) -> Option<Vec<(usize, f32)>> {
        let says = |frame: usize, piece: u32| self.log_probs[frame * self.pieces + piece as usize];
        let frames = self.frames().count();
        // Of each piece, how well it and those before it can be shown up to each frame, and where it is then.
        let mut best: Vec<Vec<(f32, usize)>> = vec![];
        for (u, &piece) in pieces.iter().enumerate() {
            let (mut row, mut top) = (vec![], (f32::NEG_INFINITY, 0));
            for frame in 0..frames {
                let before = match (u.checked_sub(1), frame.checked_sub(1)) {
                    (None, _) => 0.0,
                    (Some(u), Some(frame)) => best[u][frame].0,
                    (Some(_), None) => f32::NEG_INFINITY,
                };
                let sum = before + says(frame, piece);
                if sum > top.0 {
                    top = (sum, frame);
                }
                row.push(top);
            }
            best.push(row);
        }
        let (mut places, mut end) = (vec![], frames);
        for (row, &piece) in best.iter().zip(pieces).rev() {
            let (sum, frame) = *row.get(end.checked_sub(1)?)?;
            if sum == f32::NEG_INFINITY {
                return None;
            }
            places.push((frame, says(frame, piece).exp()));
            end = frame;
        }
        places.reverse();
        Some(places)
    }

    /// Of each frame logarithms of probabilities, `[T, V]`.
    #[must_use]
    pub fn log_probs(&self) -> &[f32] {
        &self.log_probs
    }

    fn frames(&self) -> impl Iterator<Item = &[f32]> {
        self.log_probs.chunks_exact(self.pieces)
    }

    /// Nothing was said yet.
    fn begin(&self) -> Prefix {
        let silent = self.frames().scan(0.0, |sum, frame| {
            *sum += f64::from(frame[END as usize]);
            Some(*sum)
        });
        let silent: Vec<f64> = silent.collect();
        Prefix { spoken: vec![f64::NEG_INFINITY; silent.len()], silent, log_prob: 0.0, last: BEGIN }
    }

    /// How likely a prefix was complete before each frame, so that `piece` may begin there: `φ` of Hori et al. 2017,
    /// algorithm 2. The same piece again needs a frame of silence between.
    fn opens(prefix: &Prefix, piece: u32) -> impl Iterator<Item = f64> {
        let begins = if prefix.last == BEGIN { 0.0 } else { f64::NEG_INFINITY };
        let again = prefix.last == piece;
        let before = prefix.silent.iter().zip(&prefix.spoken);
        let before =
            before.map(move |(silent, spoken)| if again { *silent } else { log_add(*silent, *spoken) });
        std::iter::once(begins).chain(before)
    }

    /// A prefix with a piece more.
    fn goes_on(&self, prefix: &Prefix, piece: u32) -> Prefix {
        let (mut spoken, mut silent) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        let mut next = Prefix { spoken: vec![], silent: vec![], log_prob: f64::NEG_INFINITY, last: piece };
        for (frame, opens) in self.frames().zip(Self::opens(prefix, piece)) {
            let says = f64::from(frame[piece as usize]);
            silent = log_add(silent, spoken) + f64::from(frame[END as usize]);
            spoken = log_add(spoken, opens) + says;
            next.log_prob = log_add(next.log_prob, opens + says);
            next.spoken.push(spoken);
            next.silent.push(silent);
        }
        next
    }

    /// How likely each piece follows a prefix, or its end: `[V]`, logarithms.
    fn follows(&self, prefix: &Prefix) -> Vec<f32> {
        let mut sums = vec![f64::NEG_INFINITY; self.pieces];
        let [any, again] = [BEGIN, prefix.last].map(|piece| Self::opens(prefix, piece).collect::<Vec<_>>());
        for ((frame, any), again) in self.frames().zip(any).zip(again) {
            for (piece, (sum, says)) in sums.iter_mut().zip(frame).enumerate() {
                let opens = if piece as u32 == prefix.last { again } else { any };
                *sum = log_add(*sum, opens + f64::from(*says));
            }
        }
        let whole = prefix.spoken.last().zip(prefix.silent.last());
        sums[END as usize] = whole.map_or(0.0, |(spoken, silent)| log_add(*spoken, *silent));
        sums.into_iter().map(|sum| (sum - prefix.log_prob) as f32).collect()
    }
}

/// A network and what its source's frames say, as one network. Its numbers are no longer probabilities that sum to 1.
pub struct Joint<'a, S> {
    network: &'a mut S,
    heard: &'a Heard,
    /// The share of what the frames say, from 0 to 1.
    share: f32,
    /// What each sequence of the last step had said.
    said: Vec<Prefix>,
}

impl<'a, S: Steps> Joint<'a, S> {
    /// A network at its beginning.
    pub fn new(network: &'a mut S, heard: &'a Heard, share: f32) -> Self {
        let said = vec![heard.begin(); network.beam()];
        Self { network, heard, share, said }
    }
}

impl<S: Steps> Steps for Joint<'_, S> {
    type Error = S::Error;

    fn beam(&self) -> usize {
        self.network.beam()
    }

    fn longest(&self) -> usize {
        self.network.longest()
    }

    fn step(&mut self, follows: &[usize], pieces: &[u32]) -> Result<Vec<f32>, S::Error> {
        let mut log_probs = self.network.step(follows, pieces)?;
        if self.share <= 0.0 {
            return Ok(log_probs);
        }
        let goes_on = |(&follows, &piece): (&usize, &u32)| match piece {
            BEGIN => self.said[follows].clone(),
            piece => self.heard.goes_on(&self.said[follows], piece),
        };
        self.said = follows.iter().zip(pieces).map(goes_on).collect();
        for (row, said) in log_probs.chunks_exact_mut(self.heard.pieces).zip(&self.said) {
            for (network, frames) in row.iter_mut().zip(self.heard.follows(said)) {
                // Nothing of what is impossible, where a share of 0 would make no number of it.
                *network = weighed(*network, 1.0 - self.share) + weighed(frames, self.share);
            }
        }
        Ok(log_probs)
    }
}

fn weighed(log_prob: f32, share: f32) -> f32 {
    if share > 0.0 { log_prob * share } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::search::search;
    use super::*;

    /// A network that knows nothing.
    struct Deaf {
        pieces: usize,
        beam: usize,
    }

    impl Steps for Deaf {
        type Error = std::convert::Infallible;

        fn beam(&self) -> usize {
            self.beam
        }

        fn longest(&self) -> usize {
            6
        }

        fn step(&mut self, follows: &[usize], _: &[u32]) -> Result<Vec<f32>, Self::Error> {
            Ok(vec![-(self.pieces as f32).ln(); follows.len() * self.pieces])
        }
    }

    /// Frames of five pieces, of which the marks are never said.
    fn frames(count: usize) -> Vec<f32> {
        let mut state = 7_u32;
        let mut weight = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            0.05 + (state >> 24) as f32 / 255.0
        };
        let frame = |_| {
            let [end, a, b] = [weight(), weight(), weight()];
            [end, 0.0, 0.0, a, b].map(|v| (v / (end + a + b)).ln())
        };
        (0..count).flat_map(frame).collect()
    }

    /// Probabilities of each sequence by writing out every path.
    fn counted(log_probs: &[f32], pieces: usize) -> HashMap<Vec<u32>, f64> {
        let mut paths = vec![(vec![], END, 1.0_f64)];
        for frame in log_probs.chunks_exact(pieces) {
            let go = |(said, last, p): &(Vec<u32>, u32, f64)| {
                let next = |piece: u32| {
                    let new = piece != END && piece != *last;
                    let said = said.iter().copied().chain(new.then_some(piece)).collect();
                    (said, piece, p * f64::from(frame[piece as usize]).exp())
                };
                [END, 3, 4].map(next)
            };
            paths = paths.iter().flat_map(go).collect();
        }
        let mut sums = HashMap::new();
        for (said, _, p) in paths {
            *sums.entry(said).or_insert(0.0) += p;
        }
        sums
    }

    #[test]
    fn frames_say_each_beginning_as_likely_as_all_paths_with_it() {
        let log_probs = frames(6);
        let (sums, heard) = (counted(&log_probs, 5), Heard::new(log_probs, 5));
        let mut open = vec![(vec![], heard.begin())];
        let mut looked = 0;
        for _ in 0..4 {
            let mut next = vec![];
            for (said, prefix) in open {
                let begins: f64 = sums.iter().filter(|(all, _)| all.starts_with(&said)).map(|(_, p)| p).sum();
                if begins == 0.0 {
                    continue;
                }
                let follows = heard.follows(&prefix);
                let near = |found: f32, expect: f64| {
                    assert!((f64::from(found).exp() - expect).abs() < 1e-5, "{said:?}: {found} {expect}");
                };
                near(follows[END as usize], sums.get(&said).unwrap_or(&0.0) / begins);
                for piece in [3, 4] {
                    let longer: Vec<u32> = said.iter().copied().chain([piece]).collect();
                    let with: f64 =
                        sums.iter().filter(|(all, _)| all.starts_with(&longer)).map(|(_, p)| p).sum();
                    near(follows[piece as usize], with / begins);
                    next.push((longer, heard.goes_on(&prefix, piece)));
                    looked += 1;
                }
            }
            open = next;
        }
        assert!(looked > 20, "{looked}");
    }

    #[test]
    fn frames_alone_are_searched_as_they_are() {
        let log_probs = frames(6);
        let (sums, heard) = (counted(&log_probs, 5), Heard::new(log_probs, 5));
        let best = sums.iter().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
        let Ok(found) = search(&mut Joint::new(&mut Deaf { pieces: 5, beam: 30 }, &heard, 1.0), 0.0);
        assert_eq!(&found[0].pieces, best.0);
        assert!((f64::from(found[0].log_prob).exp() - best.1).abs() < 1e-5);
        // Of a network alone, whatever frames say.
        let Ok(deaf) = search(&mut Joint::new(&mut Deaf { pieces: 5, beam: 3 }, &heard, 0.0), 0.0);
        assert!((deaf[0].log_prob + 5.0_f32.ln()).abs() < 1e-6 && deaf[0].pieces.is_empty());
    }

    #[test]
    fn no_frames_say_nothing() {
        let heard = Heard::new(vec![], 5);
        let Ok(found) = search(&mut Joint::new(&mut Deaf { pieces: 5, beam: 3 }, &heard, 0.5), 0.0);
        assert!(found[0].pieces.is_empty() && found[0].log_prob.is_finite());
    }

    #[test]
    fn places_are_those_that_show_the_pieces_best() {
        const FRAMES: usize = 6;
        let heard = Heard::new(frames(FRAMES), 5);
        let says = |frame: usize, piece: u32| heard.log_probs[frame * 5 + piece as usize];
        for pieces in [vec![3, 4, 3], vec![4], vec![3, 3, 4, 4, 3, 4]] {
            // Every choice of frames, as bits.
            let all = (0..1_u32 << FRAMES).filter(|chosen| chosen.count_ones() as usize == pieces.len());
            let sums = all.map(|chosen| {
                let frames = (0..FRAMES).filter(|frame| chosen >> frame & 1 == 1);
                frames.zip(&pieces).map(|(frame, piece)| says(frame, *piece)).sum::<f32>()
            });
            let best = sums.fold(f32::NEG_INFINITY, f32::max);
            let places = heard.places(&pieces).unwrap();
            assert!(places.is_sorted_by(|a, b| a.0 < b.0) && places.len() == pieces.len());
            assert!((places.iter().map(|(_, p)| p.ln()).sum::<f32>() - best).abs() < 1e-4, "{pieces:?}");
        }
        assert_eq!(heard.places(&[]), Some(vec![]));
        assert_eq!(heard.places(&[3; FRAMES + 1]), None);
        assert_eq!(Heard::new(vec![], 5).places(&[3]), None);
    }
}
