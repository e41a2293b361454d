//! The live recogniser's network: it reads continuous signing step by step and never looks ahead.
//!
//! Legend: B sequences, T steps, F features, D width, G glosses.
//!
//! Each step is embedded; causal residual blocks look back over 3 steps with growing distance between them;
//! one linear head says which gloss is being completed (with CTC's blank), whether this is inside a sign, and
//! whether inside a sentence (BIO, Moryossef et al. 2023). What it says at a step is about a fixed time
//! before: the look-ahead is a delay of the answers, stated in the model's manifest.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Tensor, backend::Backend};
use models::live::BIO;

use super::block::{Block, Reach, each_step};

/// The sizes of a [`LiveNet`].
#[derive(Debug, Clone, PartialEq)]
pub struct LiveNetConfig {
    /// Values of a step, F.
    pub features: usize,
    /// Width, D.
    pub width: usize,
    /// The distance between the steps that each block looks at.
    pub dilations: Vec<usize>,
    /// Glosses, G, without the blank.
    pub glosses: usize,
    /// Share of values that training drops.
    pub dropout: f64,
}

/// Reads continuous signing.
#[derive(Module, Debug)]
pub struct LiveNet<B: Backend> {
    /// `[F, D]`.
    pub embed: Linear<B>,
    /// The blocks, in order.
    pub blocks: Vec<Block<B>>,
    /// Over D.
    pub norm: LayerNorm<B>,
    /// `[D, 1 + G + 3 + 3]`: blank and glosses, BIO of signs, BIO of sentences.
    pub head: Linear<B>,
    dropout: Dropout,
}

impl LiveNetConfig {
    /// A network with random weights.
    pub fn init<B: Backend>(&self, device: &B::Device) -> LiveNet<B> {
        let (d, dropout) = (self.width, DropoutConfig::new(self.dropout).init());
        let block = |&dilation: &usize| Block::new(d, dilation, Reach::Past, &dropout, device);
        LiveNet {
            embed: LinearConfig::new(self.features, d).init(device),
            blocks: self.dilations.iter().map(block).collect(),
            norm: LayerNormConfig::new(d).init(device),
            head: LinearConfig::new(d, 1 + self.glosses + 2 * BIO).init(device),
            dropout,
        }
    }
}

impl<B: Backend> LiveNet<B> {
    /// How many rows the blocks together look back at, S.
    pub fn memory(&self) -> usize {
        self.blocks.iter().map(Block::memory).sum()
    }

    /// What the network makes of each step, before its head.
    ///
    /// # Shapes
    /// - `features`: `[B, T, F]`, standardised
    /// - returns: `[B, T, D]`
    pub fn hidden(&self, features: Tensor<B, 3>) -> Tensor<B, 3> {
        let mut x = each_step(&self.embed, features);
        for block in &self.blocks {
            x = block.forward(x);
        }
        self.norm.forward(x)
    }

    /// Logits of each step.
    ///
    /// # Shapes
    /// - `features`: `[B, T, F]`, standardised
    /// - returns: `[B, T, 1 + G + 3 + 3]`, not normalised
    pub fn forward(&self, features: Tensor<B, 3>) -> Tensor<B, 3> {
        let hidden = self.dropout.forward(self.hidden(features));
        each_step(&self.head, hidden)
    }
}
