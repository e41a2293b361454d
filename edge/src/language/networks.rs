//! The networks of continuous signing on the unit's engines.

use models::live::{LiveManifest, RescoreInput, RescoreNetwork, RescoreOutput, StepNetwork, StepSaid};

use crate::Fault;
use crate::engine::{Engine, Tensor};

/// The network of one step.
pub(super) struct StepEngine {
    engine: Box<dyn Engine>,
    name: String,
    /// Features of a step `[1, F]` and the memory `[S, D]`.
    inputs: [Tensor; 2],
    /// Values of each output: logits, hidden, memory.
    expected: [usize; 3],
}

impl StepEngine {
    /// The network that a manifest describes, in an engine that is ready.
    pub fn over(manifest: &LiveManifest, engine: Box<dyn Engine>) -> Self {
        let LiveManifest { name, width, memory, hidden, .. } = manifest;
        let inputs = [&[1, *width], &[*memory, *hidden]].map(|shape| Tensor::zeros(shape));
        let expected = [manifest.logits(), *hidden, memory * hidden];
        Self { engine, name: name.clone(), inputs, expected }
    }
}

impl StepNetwork for StepEngine {
    type Error = Fault;

    fn step(&mut self, features: &[f32]) -> Result<StepSaid<'_>, Fault> {
        self.inputs[0].data.copy_from_slice(features);
        let outputs = self.engine.run(&self.inputs)?;
        let [logits, hidden, memory] = shaped(&self.name, outputs, self.expected)?;
        self.inputs[1].data.copy_from_slice(memory);
        Ok(StepSaid { logits, hidden })
    }

    fn reset(&mut self) {
        self.inputs[1].data.fill(0.0);
    }
}

/// The network that looks at a whole utterance again.
pub(super) struct RescoreEngine {
    engine: Box<dyn Engine>,
    name: String,
    /// Shapes of the inputs: what the live network made, which steps are there, glosses, their steps.
    shapes: [Vec<usize>; 4],
    /// Values of each output: CTC's, and what follows each prefix.
    expected: [usize; 2],
}

impl RescoreEngine {
    /// The network that a manifest describes, in an engine that is ready; `None` where it describes none.
    pub fn over(manifest: &LiveManifest, engine: Box<dyn Engine>) -> Option<Self> {
        let rescorer = manifest.rescorer.as_ref()?;
        let (steps, prefixes) = (rescorer.steps, vec![rescorer.hypotheses, rescorer.length]);
        let shapes = [vec![1, steps, manifest.hidden], vec![1, steps, 1], prefixes.clone(), prefixes];
        let labels = 1 + manifest.glosses.len();
        let expected = [steps * labels, rescorer.hypotheses * rescorer.length * labels];
        Some(Self { engine, name: manifest.name.clone(), shapes, expected })
    }
}

impl RescoreNetwork for RescoreEngine {
    type Error = Fault;

    fn rescore(&mut self, input: &RescoreInput) -> Result<RescoreOutput, Fault> {
        let [hidden, there, glosses, at] = &self.shapes;
        let inputs = [
            Tensor::new(hidden, input.hidden.clone())?,
            Tensor::new(there, input.there.clone())?,
            Tensor::new(glosses, input.glosses.clone())?,
            Tensor::new(at, input.at.clone())?,
        ];
        let [ctc, next] = shaped(&self.name, self.engine.run(&inputs)?, self.expected)?;
        Ok(RescoreOutput { ctc: ctc.to_vec(), next: next.to_vec() })
    }
}

/// The outputs of a network of this name, if they have as many values as they should.
fn shaped<'a, const N: usize>(
    name: &str,
    outputs: &'a [Tensor],
    expected: [usize; N],
) -> Result<[&'a [f32]; N], Fault> {
    let got: Vec<usize> = outputs.iter().map(|output| output.data.len()).collect();
    if got != expected {
        let what = format!("the outputs of {name}");
        return Err(Fault::Shape { what, expected: expected.into(), got });
    }
    Ok(std::array::from_fn(|n| outputs[n].data.as_slice()))
}
