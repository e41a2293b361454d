//! What training drops.

use burn::tensor::{Tensor, TensorData, backend::Backend};

use crate::random::split_mix;

/// What is dropped in a step of training, which follows from a seed; nothing where there is none.
///
/// burn's own dropout draws from a generator that all of a backend's networks share, and takes a tenth of the
/// time of a step.
#[derive(Debug)]
pub struct Drops(Option<(u64, f32)>);

impl Drops {
    /// Nothing is dropped.
    pub fn none() -> Self {
        Self(None)
    }

    /// A share of all values is dropped.
    pub fn new(seed: u64, share: f32) -> Self {
        Self(Some((seed, share)))
    }

    /// The tensor with some values dropped, and the others larger for it (Srivastava et al. 2014).
    pub(crate) fn of<B: Backend, const D: usize>(&mut self, x: Tensor<B, D>) -> Tensor<B, D> {
        let Some((state, share)) = &mut self.0 else { return x };
        let (shape, kept) = (x.dims(), 1.0 / (1.0 - *share));
        let least = (*share * 65_536.0) as u16;
        let mut values = vec![0.0; shape.iter().product()];
        // One number decides over four values.
        for values in values.chunks_mut(4) {
            let number = split_mix(state);
            for (i, value) in values.iter_mut().enumerate() {
                *value = if (number >> (16 * i)) as u16 >= least { kept } else { 0.0 };
            }
        }
        let device = x.device();
        x * Tensor::from_data(TensorData::new(values, shape), &device)
    }
}
