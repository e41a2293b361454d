//! The two networks of a decoder, a translator's or that of whole utterances, on the unit's engines.

use std::path::Path;

use models::translator::{ENCODER, Encoded, Networks, STEP, Sizes, StepInput, StepOutput};

use super::{Backend, Engine, Tensor, choose, open_bytes};
use crate::Fault;

/// What the networks take and give.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The shapes of what the encoder takes.
    pub source: [[usize; 2]; 2],
    /// Of the decoder's tensors.
    pub sizes: Sizes,
    /// Pieces that may be said.
    pub pieces: usize,
    /// Whether the encoder says what each place of its source says by itself.
    pub hears: bool,
}

/// The networks, and their inputs, which keep their memory from step to step.
pub struct DecoderEngines {
    encoder: Box<dyn Engine>,
    step: Box<dyn Engine>,
    name: String,
    sizes: Sizes,
    pieces: usize,
    hears: bool,
    read: [Tensor; 2],
    stepped: [Tensor; 8],
}

impl DecoderEngines {
    /// Gives the bytes of an encoder and of a step, which lie in a folder, to the first engine that is there.
    ///
    /// # Errors
    /// [`Fault::Network`] where the engine refuses a network, [`Fault::Backend`] where no engine is there.
    pub fn open(
        name: &str,
        dir: &Path,
        [encoder, step]: [Vec<u8>; 2],
        shape: Shape,
        (preference, threads): (&[Backend], usize),
    ) -> Result<Self, Fault> {
        let backend = choose(preference)?;
        // Each network's bytes go as soon as an engine has them.
        let open = |bytes: Vec<u8>, file| open_bytes(&bytes, &dir.join(file), backend, threads);
        Ok(Self::over(name, [open(encoder, ENCODER)?, open(step, STEP)?], shape))
    }

    /// Over engines that are ready.
    pub(crate) fn over(name: &str, [encoder, step]: [Box<dyn Engine>; 2], shape: Shape) -> Self {
        let Shape { source, sizes, pieces, hears } = shape;
        Self {
            encoder,
            step,
            name: name.into(),
            sizes,
            pieces,
            hears,
            read: source.map(|shape| Tensor::zeros(&shape)),
            stepped: sizes.step_inputs().map(|shape| Tensor::zeros(&shape)),
        }
    }
}

impl Networks for DecoderEngines {
    type Error = Fault;

    fn encode(&mut self, source: &[f32], there: &[f32]) -> Result<Encoded, Fault> {
        for (tensor, values) in self.read.iter_mut().zip([source, there]) {
            tensor.data.copy_from_slice(values);
        }
        let kept = self.sizes.layers * self.sizes.width() * self.sizes.source;
        let given = self.encoder.run(&self.read)?;
        if !self.hears {
            let [keys, values] = shaped(&self.name, given, [kept; 2])?;
            return Ok(Encoded { keys, values, heard: vec![] });
        }
        let [keys, values, heard] = shaped(&self.name, given, [kept, kept, self.sizes.source * self.pieces])?;
        Ok(Encoded { keys, values, heard })
    }

    fn step(&mut self, input: &StepInput) -> Result<StepOutput, Fault> {
        for (tensor, values) in self.stepped.iter_mut().zip(input.all()) {
            tensor.data.copy_from_slice(values);
        }
        let Sizes { beam, layers, .. } = self.sizes;
        let kept = layers * beam * self.sizes.width();
        let expected = [beam * self.pieces, kept, kept];
        let [next, keys, values] = shaped(&self.name, self.step.run(&self.stepped)?, expected)?;
        Ok(StepOutput { next, keys, values })
    }
}

/// The outputs of a network of this name, if they have as many values as they should.
fn shaped<const N: usize>(
    name: &str,
    outputs: &[Tensor],
    expected: [usize; N],
) -> Result<[Vec<f32>; N], Fault> {
    let got: Vec<usize> = outputs.iter().map(|output| output.data.len()).collect();
    if got != expected {
        let what = format!("the outputs of {name}");
        return Err(Fault::Shape { what, expected: expected.into(), got });
    }
    Ok(std::array::from_fn(|n| outputs[n].data.clone()))
}
