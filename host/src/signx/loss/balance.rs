//! How losses are weighed (equation 12 and table 2).
//!
//! The paper's weights are learnable, and it says no more. A weight that is learnt by the loss that it weighs becomes 0,
//! unless being low costs something: here each is `e^-s` and costs `ln(1 + e^s)` (Kendall et al. 2018, with the
//! regulariser of Liebel and Körner 2018, which is never below 0). The numbers of table 2 stand before them, so that a
//! weight that decays takes its cost with it.

use burn::module::{Module, Param};
use burn::tensor::activation::softplus;
use burn::tensor::{Tensor, backend::Backend};

/// Learnable weights of losses.
#[derive(Module, Debug)]
pub struct Balance<B: Backend> {
    /// The `s` of each loss, 0 at first, which is a weight of 1.
    pub logs: Param<Tensor<B, 1>>,
}

impl<B: Backend> Balance<B> {
    /// Weights of 1 for so many losses.
    pub fn new(losses: usize, device: &B::Device) -> Self {
        Self { logs: Param::from_tensor(Tensor::zeros([losses], device)) }
    }

    /// All losses as one: `[1]`.
    ///
    /// # Shapes
    /// - `losses`: `[L]`
    /// - `weights`: `[L]`, table 2's at this time of the training
    pub fn total(&self, losses: Tensor<B, 1>, weights: &[f32]) -> Tensor<B, 1> {
        let logs = self.logs.val();
        let weights = Tensor::<B, 1>::from_floats(weights, &logs.device());
        (weights * (losses * logs.clone().neg().exp() + softplus(logs, 1.0))).sum()
    }
}

/// A value that goes from one number to another over a training, along a straight line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decay {
    /// At its beginning.
    pub from: f32,
    /// In its end.
    pub to: f32,
}

impl Decay {
    /// The value after a share of the training.
    pub fn at(self, share: f32) -> f32 {
        self.from + (self.to - self.from) * share.clamp(0.0, 1.0)
    }
}

/// The weights of table 2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Of predicted noise.
    pub noise: Decay,
    /// Of the text.
    pub text: f32,
    /// Of word matching.
    pub word: f32,
    /// Of n-grams.
    pub ngram: f32,
    /// Of the contrast.
    pub contrast: f32,
    /// Of the frames' own glosses, a help that the paper does not have ([`crate::train::signx`]).
    pub ctc: f32,
}

impl Weights {
    /// How many losses they weigh.
    pub const LOSSES: usize = 6;
    /// Their names, in order.
    pub const NAMES: [&str; Self::LOSSES] = ["noise", "text", "word", "ngram", "contrast", "ctc"];

    /// The same but for one, which weighs nothing; `None` where it has no loss of that name.
    pub fn without(mut self, name: &str) -> Option<Self> {
        match name {
            "noise" => self.noise = Decay { from: 0.0, to: 0.0 },
            "text" => self.text = 0.0,
            "word" => self.word = 0.0,
            "ngram" => self.ngram = 0.0,
            "contrast" => self.contrast = 0.0,
            "ctc" => self.ctc = 0.0,
            _ => return None,
        }
        Some(self)
    }

    /// The weights after a share of the training.
    pub fn at(&self, share: f32) -> [f32; Self::LOSSES] {
        [self.noise.at(share), self.text, self.word, self.ngram, self.contrast, self.ctc]
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};

    use super::*;

    #[test]
    fn a_weight_that_is_learnt_goes_towards_its_loss_and_not_to_nothing() {
        let device = Default::default();
        // Where the loss is constant the weight comes to rest: L e^-s = e^s / (1 + e^s).
        for loss in [0.05_f32, 1.0, 7.0] {
            let mut balance = Balance::<Autodiff<Flex>>::new(1, &device);
            for _ in 0..3000 {
                let losses = Tensor::from_floats([loss], &device);
                let gradients = balance.total(losses, &[1.0]).backward();
                let gradient = balance.logs.val().grad(&gradients).unwrap();
                let moved = balance.logs.val().inner() - gradient * 0.05;
                balance.logs = Param::from_tensor(Tensor::from_inner(moved).require_grad());
            }
            let s = balance.logs.val().inner().into_scalar();
            let rest = loss * (-s).exp() - s.exp() / (1.0 + s.exp());
            assert!(rest.abs() < 1e-3 && (-s).exp() > 0.1, "{loss}: weight {}", (-s).exp());
        }
        let decay = Decay { from: 0.5, to: 0.0 };
        assert_eq!([0.0, 0.5, 1.0, 2.0].map(|share| decay.at(share)), [0.5, 0.25, 0.0, 0.0]);
    }
}
