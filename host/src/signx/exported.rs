//! Pose2Gloss as a unit runs it: the two networks of [`crate::export::signx`], by the engine that every unit has.

use models::translator::{Decoding, Heard, Joint, Networks, Session, Sizes, decode};
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
}

impl Exported {
    /// Loads the bytes of an encoder and of a step over so many tokens.
    ///
    /// # Errors
    /// [`Error::Network`] where the engine refuses one.
    pub fn new(name: &str, [encoder, step]: [&[u8]; 2], sizes: Sizes, codes: usize) -> Result<Self, Error> {
        let source = [[sizes.source, FRAME], [sizes.source, Track::ALL.len()]];
        let networks = TranslatorNetworks::of_frames(name, [encoder, step], source, sizes, codes)?;
        Ok(Self { networks, sizes })
    }

    /// Reads frames, and begins to say what follows; gives what they say by themselves as well.
    ///
    /// # Shapes
    /// - `numbers`: `[T, 1959]`
    /// - `there`: `[T, 5]`, 1 or 0
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
            there.chunks_exact(Track::ALL.len()).map(|t| t.iter().copied().fold(0.0, f32::max)).collect();
        let heard = Heard::of(&std::mem::take(&mut encoded.heard), &seen);
        Ok((Session::over(&mut self.networks, self.sizes, encoded, &seen), heard))
    }

    /// The tokens of a clip, without their end. A beam is as wide as the networks were exported for, or narrower.
    ///
    /// # Errors
    /// Where the engine fails.
    pub fn tokens(&mut self, clip: &Clip, preset: &Preset, how: Decoding) -> Result<Vec<u32>, Error> {
        let (t, k) = (self.sizes.source, Track::ALL.len());
        let (mut numbers, mut there) = (vec![0.0; t * FRAME], vec![0.0; t * k]);
        let rows = numbers.chunks_exact_mut(FRAME).zip(there.chunks_exact_mut(k)).take(clip.frames());
        rows.enumerate().for_each(|(frame, (numbers, there))| clip.write(frame, numbers, there));
        let (mut session, heard) = self.begin(&numbers, &there)?;
        let Search { how, shaping, .. } = preset.search(how);
        let mut rng = StdRng::seed_from_u64(how.seed());
        let chance = || rng.random();
        if preset.heard > 0.0 {
            decode(&mut Joint::new(&mut session, &heard, preset.heard), how, shaping, chance)
        } else {
            decode(&mut session, how, shaping, chance)
        }
    }
}
