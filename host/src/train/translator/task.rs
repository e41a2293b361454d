//! What a translator is trained to do: to say what follows each piece of a translation.

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Int, Tensor, TensorData};

use super::batches::{Batch, Batches};
use crate::nn::{Drops, Translator};
use crate::train::fit::{Parts, Task};
use crate::train::gradient::followed;

/// Trains a [`Translator`].
pub struct TranslatorTask<'a> {
    /// Where batches come from.
    pub batches: &'a Batches,
    /// What the right piece is not given.
    pub smoothing: f32,
    /// Share of values that are dropped.
    pub dropout: f32,
}

impl<B: AutodiffBackend> Task<B> for TranslatorTask<'_> {
    type Net = Translator<B>;
    type Batch = Batch;

    fn batch(&self, step: usize) -> Batch {
        self.batches.batch(step)
    }

    fn loss(&self, net: &Translator<B>, batch: Batch) -> (Tensor<B, 1>, Parts<B>) {
        let mut drops = Drops::new(batch.seed, self.dropout);
        let memory = net.encode(rows(&batch.source), &batch.lengths, &mut drops);
        let logits = net.decode(rows(&batch.said), &memory, &batch.lengths, &mut drops); // [B * U, V]
        (followed(logits, &batch.follows, self.smoothing), vec![])
    }
}

/// Rows of pieces: `[B, T]`.
pub fn rows<B: burn::tensor::backend::Backend>(pieces: &[Vec<u32>]) -> Tensor<B, 2, Int> {
    let longest = pieces.first().map_or(0, Vec::len);
    let numbers: Vec<i64> = pieces.iter().flatten().map(|p| i64::from(*p)).collect();
    Tensor::from_data(TensorData::new(numbers, [pieces.len(), longest]), &Default::default())
}
