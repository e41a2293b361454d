//! Runs a live recogniser's rescorer with tract, the engine that every unit has.

use std::sync::Arc;

use models::live::{LiveModel, RescoreInput, RescoreNetwork, RescoreOutput};
use tract_onnx::prelude::*;

use super::engine::{plan, refused};
use super::stepper::flat;
use crate::Error;

/// A rescorer ready to run.
pub struct RescoreRunner {
    plan: Arc<TypedRunnableModel>,
    name: String,
    sizes: RescoreSizes,
}

/// The sizes of a rescorer's tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RescoreSizes {
    /// Steps of an utterance, T.
    pub steps: usize,
    /// Width of a step, D.
    pub width: usize,
    /// Hypotheses, N.
    pub hypotheses: usize,
    /// Glosses of a hypothesis and its beginning, U.
    pub length: usize,
    /// Blank and glosses, 1 + G.
    pub labels: usize,
}

impl RescoreRunner {
    /// Loads the rescorer of an opened model; `None` where it has none.
    ///
    /// # Errors
    /// [`Error::Network`] where the engine refuses it.
    pub fn of(model: &LiveModel) -> Result<Option<Self>, Error> {
        let (Some(rescorer), Some(network)) = (&model.manifest.rescorer, &model.rescorer) else {
            return Ok(None);
        };
        let sizes = RescoreSizes {
            steps: rescorer.steps,
            width: model.manifest.hidden,
            hypotheses: rescorer.hypotheses,
            length: rescorer.length,
            labels: 1 + model.manifest.glosses.len(),
        };
        Self::from_bytes(&model.manifest.name, network, sizes).map(Some)
    }

    /// Loads a rescorer.
    ///
    /// # Errors
    /// [`Error::Network`] where the engine refuses it.
    pub fn from_bytes(name: &str, network: &[u8], sizes: RescoreSizes) -> Result<Self, Error> {
        let plan = plan(name, network)?;
        Ok(Self { plan, name: name.to_owned(), sizes })
    }
}

impl RescoreNetwork for RescoreRunner {
    type Error = Error;

    fn rescore(&mut self, input: &RescoreInput) -> Result<RescoreOutput, Error> {
        let RescoreSizes { steps, width, hypotheses, length, labels } = self.sizes;
        let run = || {
            let inputs = tvec!(
                Tensor::from_shape(&[1, steps, width], &input.hidden)?.into(),
                Tensor::from_shape(&[1, steps, 1], &input.there)?.into(),
                Tensor::from_shape(&[hypotheses, length], &input.glosses)?.into(),
                Tensor::from_shape(&[hypotheses, length], &input.at)?.into(),
            );
            let outputs = self.plan.run(inputs)?;
            let [ctc, next] = outputs.as_slice() else {
                return Err(TractError::msg("it does not give two tensors"));
            };
            let output = RescoreOutput { ctc: flat(ctc)?, next: flat(next)? };
            let expect = [steps * labels, hypotheses * length * labels];
            if [output.ctc.len(), output.next.len()] != expect {
                let found = [ctc.shape(), next.shape()];
                return Err(TractError::msg(format!("it gives {found:?}, not {expect:?} values")));
            }
            Ok(output)
        };
        run().map_err(|e| refused(&self.name, &e))
    }
}
