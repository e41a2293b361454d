//! The task of the recipes: a [`ClipNet`] that names the sign of a window.

use burn::tensor::activation::log_softmax;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Tensor, TensorData};
use models::features::Sight;
use models::manifest::sha256;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::examples::{Batch, Examples};
use super::fit::{Parts, Task};
use super::plan::step_seed;
use crate::data::Clip;
use crate::export::Scale;
use crate::nn::ClipNet;

/// Examples a step, B.
const BATCH: usize = 64;

/// Names the sign of windows that are drawn from clips.
pub struct ClipTask<'a> {
    /// Where windows are drawn from.
    pub examples: &'a Examples<'a>,
    /// What brings them to one scale.
    pub scale: &'a Scale,
    /// What the batches follow from, with their step.
    pub seed: u64,
    /// Frames and values of a window, T and F.
    pub shape: [usize; 2],
    /// Labels, G.
    pub labels: usize,
}

impl<B: AutodiffBackend> Task<B> for ClipTask<'_> {
    type Net = ClipNet<B>;
    type Batch = Batch;

    fn batch(&self, step: usize) -> Batch {
        self.examples.batch(BATCH, self.scale, &mut StdRng::seed_from_u64(step_seed(self.seed, step)))
    }

    fn loss(&self, net: &ClipNet<B>, batch: Batch) -> (Tensor<B, 1>, Parts<B>) {
        let ([t, f], device) = (self.shape, Default::default());
        let features = Tensor::<B, 3>::from_data(TensorData::new(batch.features, [BATCH, t, f]), &device);
        let targets = TensorData::new(batch.targets, [BATCH, self.labels]);
        let targets = Tensor::<B, 2>::from_data(targets, &device);
        let log_probs = log_softmax(net.forward(features), 1); // [B, G]
        ((log_probs * targets).sum().neg() / BATCH as f32, vec![])
    }
}

/// A hash of clips with their labels, in their order: other clips give another.
pub fn fingerprint<'a>(clips: impl IntoIterator<Item = &'a Clip>) -> String {
    let of = |clip: &Clip| {
        let mut bytes = format!("{:?}", (&clip.label, &clip.group, clip.seq, clip.sights.len())).into_bytes();
        clip.sights.iter().for_each(|sight| put(sight, &mut bytes));
        sha256(&bytes)
    };
    sha256(clips.into_iter().map(of).collect::<String>().as_bytes())
}

fn put(sight: &Sight, bytes: &mut Vec<u8>) {
    let Sight { at_s, body, body_seen, hands, hand_seen, picture } = sight;
    let picture = picture.map_or([f32::NAN; 3], |p| [p.middle[0], p.middle[1], p.height]);
    let numbers = body.as_flattened().iter().chain(hands.as_flattened().as_flattened()).chain(&picture);
    bytes.extend(at_s.to_le_bytes());
    numbers.for_each(|n| bytes.extend(n.to_le_bytes()));
    bytes.extend(body_seen.iter().chain(hand_seen).map(|seen| u8::from(*seen)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_clips_have_another_fingerprint() {
        let clip = |label: &str, frames: i32| Clip {
            label: label.into(),
            group: "g".into(),
            seq: 0,
            split: String::new(),
            tier: None,
            sights: (0..frames).map(|i| Sight::unseen(f64::from(i))).collect(),
        };
        let clips = [clip("a", 2), clip("b", 3)];
        let own = fingerprint(&clips);
        let changed = |change: &dyn Fn(&mut [Clip; 2])| {
            let mut clips = clips.clone();
            change(&mut clips);
            fingerprint(&clips)
        };
        assert_eq!(changed(&|_| {}), own);
        assert_ne!(changed(&|clips| clips.swap(0, 1)), own);
        assert_ne!(changed(&|clips| clips[1].label = "c".into()), own);
        assert_ne!(changed(&|clips| clips[1].sights[2].hands[1][20][2] = 1.0), own);
        assert_ne!(changed(&|clips| clips[1].sights[0].hand_seen[0] = true), own);
        assert_ne!(changed(&|clips| clips[0].sights.truncate(1)), own);
    }
}
