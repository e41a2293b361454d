//! Runs the network of a live recogniser step by step with tract, the engine that every unit has.

use std::sync::Arc;

use models::features::stream;
use models::live::{LiveModel, StepNetwork, StepSaid};
use tract_onnx::prelude::*;

use super::engine::{plan, refused};
use crate::Error;

/// A network of one step and its memory.
pub struct Stepper {
    plan: Arc<TypedRunnableModel>,
    name: String,
    shape: [usize; 2],
    features: usize,
    state: TValue,
    said: [Vec<f32>; 2],
}

impl Stepper {
    /// Loads the network of an opened model.
    ///
    /// # Errors
    /// [`Error::Network`] where the engine refuses it.
    pub fn new(model: &LiveModel) -> Result<Self, Error> {
        let m = &model.manifest;
        Self::from_bytes(&m.name, &model.network, stream::WIDTH, [m.memory, m.hidden])
    }

    /// Loads a network that takes `features [1, F]` and `state [S, D]`.
    ///
    /// # Errors
    /// [`Error::Network`] where the engine refuses it.
    pub fn from_bytes(name: &str, network: &[u8], features: usize, shape: [usize; 2]) -> Result<Self, Error> {
        let plan = plan(name, network)?;
        let state = zeros(shape);
        Ok(Self { plan, name: name.to_owned(), shape, features, state, said: Default::default() })
    }
}

impl StepNetwork for Stepper {
    type Error = Error;

    fn step(&mut self, features: &[f32]) -> Result<StepSaid<'_>, Error> {
        let run = || {
            let input = Tensor::from_shape(&[1, self.features], features)?;
            let outputs = self.plan.run(tvec!(input.into(), self.state.clone()))?;
            let [logits, hidden, state] = outputs.as_slice() else {
                return Err(TractError::msg("it does not give three tensors"));
            };
            Ok(([flat(logits)?, flat(hidden)?], state.clone()))
        };
        (self.said, self.state) = run().map_err(|e| refused(&self.name, &e))?;
        let [logits, hidden] = &self.said;
        Ok(StepSaid { logits, hidden })
    }

    fn reset(&mut self) {
        self.state = zeros(self.shape);
    }
}

fn zeros(shape: [usize; 2]) -> TValue {
    Tensor::zero::<f32>(&shape).expect("a state has a size that fits in memory").into()
}

/// The values of a tensor, row-major.
pub(super) fn flat(value: &TValue) -> TractResult<Vec<f32>> {
    Ok(value.to_plain_array_view::<f32>()?.iter().copied().collect())
}
