//! The residual block that networks over steps are made of.

use burn::module::Module;
use burn::nn::{Dropout, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::silu;
use burn::tensor::{Tensor, backend::Backend};

/// Steps that a block looks at.
pub const TAPS: usize = 3;

/// Where the steps lie that a block looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The step before, this one, the one after.
    Both,
    /// The two before and this one: nothing that is still to come.
    Past,
}

/// A residual block over steps at some distance from each other.
#[derive(Module, Debug)]
pub struct Block<B: Backend> {
    /// Over D.
    pub norm: LayerNorm<B>,
    /// `[3D, D]`: the three steps in order of time.
    pub mix: Linear<B>,
    /// `[D, D]`.
    pub out: Linear<B>,
    /// Distance between the steps.
    pub dilation: usize,
    /// Whether it looks back only, see [`Reach::Past`].
    pub past_only: bool,
    dropout: Dropout,
}

impl<B: Backend> Block<B> {
    /// A block of width `d` with random weights.
    pub fn new(d: usize, dilation: usize, reach: Reach, dropout: &Dropout, device: &B::Device) -> Self {
        Self {
            norm: LayerNormConfig::new(d).init(device),
            mix: LinearConfig::new(TAPS * d, d).init(device),
            out: LinearConfig::new(d, d).init(device),
            dilation,
            past_only: reach == Reach::Past,
            dropout: dropout.clone(),
        }
    }

    /// How many steps of the past the block must be given: twice its dilation, or once.
    pub fn memory(&self) -> usize {
        if self.past_only { (TAPS - 1) * self.dilation } else { self.dilation }
    }

    /// The window with what the neighbouring steps add to each step; beyond its ends all is 0.
    ///
    /// # Shapes
    /// - `x`: `[B, T, D]`, T larger than the memory
    /// - returns: `[B, T, D]`
    pub fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let y = self.norm.forward(x.clone());
        let taps = if self.past_only {
            vec![later(&y, 2 * self.dilation), later(&y, self.dilation), y]
        } else {
            vec![later(&y, self.dilation), y.clone(), earlier(&y, self.dilation)]
        };
        let y = silu(each_step(&self.mix, Tensor::cat(taps, 2))); // [B, T, D]
        x + each_step(&self.out, self.dropout.forward(y))
    }
}

/// What stood `by` steps before: `[B, T, D]`, the first steps 0.
fn later<B: Backend>(y: &Tensor<B, 3>, by: usize) -> Tensor<B, 3> {
    let [b, t, d] = y.dims();
    if by >= t {
        return Tensor::zeros([b, t, d], &y.device());
    }
    let edge = Tensor::zeros([b, by, d], &y.device());
    Tensor::cat(vec![edge, y.clone().narrow(1, 0, t - by)], 1)
}

/// What will stand `by` steps after: `[B, T, D]`, the last steps 0.
fn earlier<B: Backend>(y: &Tensor<B, 3>, by: usize) -> Tensor<B, 3> {
    let [b, t, d] = y.dims();
    if by >= t {
        return Tensor::zeros([b, t, d], &y.device());
    }
    let edge = Tensor::zeros([b, by, d], &y.device());
    Tensor::cat(vec![y.clone().narrow(1, by, t - by), edge], 1)
}

/// A linear layer over all steps of all clips as one matrix.
///
/// Given a tensor of three axes the layer multiplies clip by clip and adds the clips' gradients up afterwards.
///
/// # Shapes
/// - `x`: `[B, T, F]`
/// - returns: `[B, T, D]`
pub(super) fn each_step<B: Backend>(layer: &Linear<B>, x: Tensor<B, 3>) -> Tensor<B, 3> {
    let [b, t, f] = x.dims();
    let [_, d] = layer.weight.dims();
    layer.forward(x.reshape([b * t, f])).reshape([b, t, d])
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::nn::DropoutConfig;
    use burn::tensor::Distribution;

    use super::*;

    /// A sequence shorter than what a block looks at is one whose neighbours are 0.
    #[track_caller]
    fn check(reach: Reach, dilation: usize) {
        let device = Default::default();
        let block = Block::<Flex>::new(4, dilation, reach, &DropoutConfig::new(0.0).init(), &device);
        let long = Tensor::<Flex, 3>::random([1, 9, 4], Distribution::Default, &device);
        for t in 1..9 {
            let short = block.forward(long.clone().narrow(1, 0, t));
            assert_eq!(short.dims(), [1, t, 4]);
            if reach == Reach::Past {
                let whole = block.forward(long.clone()).narrow(1, 0, t);
                assert!((short - whole).abs().max().into_scalar() < 1e-5, "{t} steps, {dilation} apart");
            }
        }
    }

    #[test]
    fn a_block_takes_sequences_that_are_shorter_than_its_reach() {
        for dilation in [1, 2, 5] {
            check(Reach::Past, dilation);
            check(Reach::Both, dilation);
        }
    }
}
