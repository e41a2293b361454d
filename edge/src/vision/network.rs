//! A landmark network of the store with its input buffer, checked against the shapes that we count on.

use models::manifest::sha256;
use models::store::Store;

use crate::Fault;
use crate::engine::{self, Engine, Tensor};
use crate::vision::Options;

/// A network that takes one square picture.
pub struct Network {
    engine: Box<dyn Engine>,
    /// `[1, side, side, 3]`: fill it, then [`Network::run`].
    pub input: Tensor,
    name: &'static str,
    outputs: Vec<Vec<usize>>,
}

impl Network {
    /// Loads a network of the store; `outputs` are the shapes that its outputs must have, in order.
    ///
    /// Only the number of values of an output is checked: whether a row of 63 values
    /// also has axes of one is up to the converter.
    ///
    /// # Errors
    /// [`Fault::NotSetUp`], [`Fault::NoRecord`] or [`Fault::Damaged`] where the file is not the one that
    /// set-up brings; [`Fault::Backend`] and [`Fault::Network`] where it cannot be run.
    pub fn open(
        name: &'static str,
        side: usize,
        outputs: &[&[usize]],
        store: &Store,
        options: &Options,
    ) -> Result<Self, Fault> {
        let path = store.network(name);
        let bytes = engine::read(&path)?;
        // A changed weight would still run, and see hands where there are none.
        match store.recorded_sha256(&path) {
            Some(stated) if stated == sha256(&bytes) => {}
            Some(_) => return Err(Fault::Damaged { path }),
            None => return Err(Fault::NoRecord { path }),
        }
        let backend = engine::choose(&options.backends)?;
        let engine = engine::open_bytes(&bytes, &path, backend, options.threads)?;
        let input = Tensor::zeros(&[1, side, side, 3]);
        let outputs = outputs.iter().map(|shape| shape.to_vec()).collect();
        Ok(Self { engine, input, name, outputs })
    }

    /// Runs the network on its input; every output has as many values as promised.
    pub fn run(&mut self) -> Result<&[Tensor], Fault> {
        let outputs = self.engine.run(std::slice::from_ref(&self.input))?;
        for (number, expected) in self.outputs.iter().enumerate() {
            let got = outputs.get(number);
            let fits = got.is_some_and(|t| t.data.len() == expected.iter().product::<usize>());
            if !fits {
                return Err(Fault::Shape {
                    what: format!("output {number} of the network {}", self.name),
                    expected: expected.clone(),
                    got: got.map(|t| t.shape.clone()).unwrap_or_default(),
                });
            }
        }
        Ok(outputs)
    }

    /// Which engine runs it.
    pub fn describe(&self) -> String {
        self.engine.describe()
    }
}
