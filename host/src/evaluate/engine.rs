//! Runs a model's ONNX with tract, the engine that every unit has.

use std::sync::Arc;

use models::manifest::Model;
use tract_onnx::prelude::*;

use super::stepper::flat;
use crate::Error;

/// A network ready to run.
pub struct Runner {
    plan: Arc<TypedRunnableModel>,
    name: String,
    shape: [usize; 3],
    labels: usize,
}

impl Runner {
    /// Loads the network of an opened model.
    ///
    /// # Errors
    /// [`Error::Network`] where the engine refuses it.
    pub fn new(model: &Model) -> Result<Self, Error> {
        let m = &model.manifest;
        Self::from_bytes(&m.name, &model.network, [1, m.frames, m.width], m.outputs())
    }

    /// Loads a network that takes `shape` and gives `labels` logits.
    ///
    /// # Errors
    /// [`Error::Network`] where the engine refuses it.
    pub fn from_bytes(name: &str, network: &[u8], shape: [usize; 3], labels: usize) -> Result<Self, Error> {
        let plan = tract_onnx::onnx()
            .model_for_read(&mut &network[..])
            .and_then(|m| m.with_input_fact(0, f32::fact(shape).into()))
            .and_then(|m| m.into_optimized())
            .and_then(|m| m.into_runnable())
            .map_err(|e| refused(name, &e))?;
        Ok(Self { plan, name: name.to_owned(), shape, labels })
    }

    /// The logits of one window of features.
    ///
    /// # Shapes
    /// - `features`: `[T, F]`, row-major
    /// - returns: `[G]`
    ///
    /// # Errors
    /// [`Error::Network`] where the network does not take these features or gives another number of logits.
    pub fn logits(&self, features: &[f32]) -> Result<Vec<f32>, Error> {
        let run = || {
            let input = Tensor::from_shape(&self.shape, features)?;
            let output = self.plan.run(tvec!(input.into()))?;
            let Some(logits) = output.first() else { return Ok(vec![]) };
            let logits: Vec<f32> = logits.to_plain_array_view::<f32>()?.iter().copied().collect();
            Ok(logits)
        };
        let logits = run().map_err(|e| refused(&self.name, &e))?;
        if logits.len() != self.labels {
            let why = format!("it gives {} logits for {} labels", logits.len(), self.labels);
            return Err(Error::Network { model: self.name.clone(), why });
        }
        Ok(logits)
    }
}

/// A network whose inputs say their own shapes, ready to run.
pub struct Network {
    plan: Arc<TypedRunnableModel>,
    name: String,
}

impl Network {
    /// Loads a network of a model.
    ///
    /// # Errors
    /// [`Error::Network`] where the engine refuses it.
    pub fn new(model: &str, bytes: &[u8]) -> Result<Self, Error> {
        Ok(Self { plan: plan(model, bytes)?, name: model.to_owned() })
    }

    /// Runs it on inputs of such shapes, and checks how many values each of its outputs has.
    ///
    /// # Errors
    /// [`Error::Network`] where the engine fails, or the network gives another number of values.
    pub fn run<const N: usize>(
        &self,
        inputs: &[(&[usize], &[f32])],
        expect: [usize; N],
    ) -> Result<[Vec<f32>; N], Error> {
        let run = || {
            let inputs = inputs.iter().map(|(shape, data)| Ok(Tensor::from_shape(shape, data)?.into()));
            let outputs = self.plan.run(inputs.collect::<TractResult<TVec<TValue>>>()?)?;
            let given = outputs.iter().map(flat).collect::<TractResult<Vec<_>>>()?;
            let counts: Vec<_> = given.iter().map(Vec::len).collect();
            let wrong = || TractError::msg(format!("it gives {counts:?} values, not {expect:?}"));
            if counts != expect {
                return Err(wrong());
            }
            given.try_into().map_err(|_| wrong())
        };
        run().map_err(|e| refused(&self.name, &e))
    }
}

/// A plan of a network whose inputs say their own shapes.
pub(super) fn plan(model: &str, mut network: &[u8]) -> Result<Arc<TypedRunnableModel>, Error> {
    tract_onnx::onnx()
        .model_for_read(&mut network)
        .and_then(|m| m.into_optimized())
        .and_then(|m| m.into_runnable())
        .map_err(|e| refused(model, &e))
}

pub(super) fn refused(model: &str, error: &TractError) -> Error {
    Error::Network { model: model.to_owned(), why: format!("{error:#}") }
}
