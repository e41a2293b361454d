//! Pose2Gloss as a unit runs it: the two networks of [`crate::export::signx`], by the engine that every unit has.

use models::translator::{
    Decoding, Encoded, Heard, Joint, Networks, Session, Sizes, StepInput, StepOutput, decode,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::clip::Clip;
use super::track::{FRAME, Track};
use super::{Preset, decode::Search};
use crate::Error;
use crate::evaluate::TranslatorNetworks;

/// The exported networks, loaded.
pub struct Exported {
    networks: TranslatorNetworks,
    sizes: Sizes,
    /// What the encoder reads.
    tracks: Vec<Track>,
}

impl Exported {
    /// Loads the bytes of an encoder of such tracks and of a step over so many tokens.
    ///
    /// # Errors
    /// [`Error::Network`] where the engine refuses one.
    pub fn new(
        name: &str,
        networks: [&[u8]; 2],
        tracks: Vec<Track>,
        (sizes, codes): (Sizes, usize),
    ) -> Result<Self, Error> {
        let width = tracks.iter().map(|track| track.width()).sum();
        let source = [[sizes.source, width], [sizes.source, tracks.len()]];
        let networks = TranslatorNetworks::new(name, networks, sizes, codes)?.of_frames(source);
        Ok(Self { networks, sizes, tracks })
    }

    /// Reads frames, and begins to say what follows; gives what they say by themselves as well.
    ///
    /// # Shapes
    /// - `numbers`: `[T, F]`, the tracks that it reads side by side
    /// - `there`: `[T, K]`, 1 or 0
    ///
    /// # Errors
    /// Where the engine fails.
    pub fn begin(
        &mut self,
        numbers: &[f32],
        there: &[f32],
    ) -> Result<(Session<'_, TranslatorNetworks>, Heard), Error> {
        let mut encoded = self.networks.encode(numbers, there)?;
        let seen: Vec<f32> =
            there.chunks_exact(self.tracks.len()).map(|t| t.iter().copied().fold(0.0, f32::max)).collect();
        let heard = Heard::of(&std::mem::take(&mut encoded.heard), &seen);
        Ok((Session::over(&mut self.networks, self.sizes, encoded, &seen), heard))
    }

    /// The tokens of a clip, without their end. A beam is as wide as the networks were exported for, or narrower.
    ///
    /// # Errors
    /// Where the engine fails.
    pub fn tokens(&mut self, clip: &Clip, preset: &Preset, how: Decoding) -> Result<Vec<u32>, Error> {
        let t = self.sizes.source;
        let (mut numbers, mut there) = (vec![], vec![]);
        for frame in 0..t {
            let (mut row, mut here) = ([0.0; FRAME], [0.0; Track::ALL.len()]);
            if frame < clip.frames() {
                clip.write(frame, &mut row, &mut here);
            }
            for track in &self.tracks {
                numbers.extend_from_slice(&row[track.columns()]);
                there.push(here[*track as usize]);
            }
        }
        self.tokens_of(&numbers, &there, preset, how)
    }

    /// The tokens of what [`super::ExportedVideo`] gives of a film, likewise.
    ///
    /// # Errors
    /// Where the engine fails.
    pub fn tokens_of_film(
        &mut self,
        [numbers, seen]: &[Vec<f32>; 2],
        preset: &Preset,
        how: Decoding,
    ) -> Result<Vec<u32>, Error> {
        let there: Vec<f32> = seen.iter().flat_map(|seen| vec![*seen; self.tracks.len()]).collect();
        self.tokens_of(numbers, &there, preset, how)
    }

    fn tokens_of(
        &mut self,
        numbers: &[f32],
        there: &[f32],
        preset: &Preset,
        how: Decoding,
    ) -> Result<Vec<u32>, Error> {
        let (mut session, heard) = self.begin(numbers, there)?;
        let Search { how, shaping, .. } = preset.search(how);
        let mut rng = StdRng::seed_from_u64(how.seed());
        decode(&mut Joint::new(&mut session, &heard, preset.heard), how, shaping, || rng.random())
    }
}

impl Networks for Exported {
    type Error = Error;

    fn encode(&mut self, source: &[f32], there: &[f32]) -> Result<Encoded, Error> {
        self.networks.encode(source, there)
    }

    fn step(&mut self, input: &StepInput) -> Result<StepOutput, Error> {
        self.networks.step(input)
    }
}
