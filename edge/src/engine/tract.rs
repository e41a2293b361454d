//! The engine that is always there: `tract`, in pure Rust.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tract_onnx::prelude::*;

use super::{Engine, Tensor, one_line};
use crate::Fault;

/// A network that `tract` runs, on one thread.
pub struct Network {
    plan: Arc<TypedRunnableModel>,
    path: PathBuf,
    outputs: Vec<Tensor>,
}

impl Network {
    /// Parses and optimises an ONNX file.
    pub fn load(bytes: &[u8], path: &Path) -> Result<Self, Fault> {
        let fault = |said: String| Fault::Network { path: path.into(), said };
        // The optimiser asserts where a damaged graph contradicts itself; to us that is one more broken file.
        let plan = catch_unwind(|| {
            tract_onnx::onnx().model_for_read(&mut Cursor::new(bytes))?.into_optimized()?.into_runnable()
        })
        .map_err(|_| fault("its graph contradicts itself".into()))?
        .map_err(|e| fault(cause(&e)))?;
        Ok(Self { plan, path: path.into(), outputs: Vec::new() })
    }

    fn fault(&self, said: String) -> Fault {
        Fault::Inference { path: self.path.clone(), said }
    }
}

impl Engine for Network {
    fn run(&mut self, inputs: &[Tensor]) -> Result<&[Tensor], Fault> {
        let values: TVec<TValue> = inputs
            .iter()
            .map(|t| tract_onnx::prelude::Tensor::from_shape(&t.shape, &t.data).map(IntoTValue::into_tvalue))
            .collect::<TractResult<_>>()
            .map_err(|e| self.fault(cause(&e)))?;
        let outputs = catch_unwind(AssertUnwindSafe(|| self.plan.run(values)))
            .map_err(|_| self.fault("the input does not fit it".into()))?
            .map_err(|e| self.fault(cause(&e)))?;
        let mut kept = std::mem::take(&mut self.outputs);
        kept.resize_with(outputs.len(), Tensor::default);
        for (kept, value) in kept.iter_mut().zip(&outputs) {
            let view = value.to_plain_array_view::<f32>().map_err(|e| self.fault(cause(&e)))?;
            kept.assign(view.shape().iter().copied(), view.iter().copied());
        }
        self.outputs = kept;
        Ok(&self.outputs)
    }

    fn describe(&self) -> String {
        "tract, 1 thread".into()
    }
}

/// The root of a chain of errors is the part that a person can use.
fn cause(error: &TractError) -> String {
    one_line(&error.root_cause().to_string())
}
