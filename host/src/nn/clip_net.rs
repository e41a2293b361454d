//! A small network that names the sign of a whole window of features.
//!
//! Legend: B clips, T steps, F features, D width, G labels.
//!
//! Each step is embedded; residual blocks look to both sides over 3 steps with
//! growing distance between them; the window is pooled by attention and by its
//! maximum. The data sets are a thousand clips of a few people, so the network is
//! kept to some ten thousand weights a block and is never deeper than it must be.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::{silu, softmax};
use burn::tensor::{Int, Tensor, backend::Backend};

/// Steps that a block looks at.
pub const TAPS: usize = 3;

/// The sizes of a [`ClipNet`].
#[derive(Debug, Clone, PartialEq)]
pub struct ClipNetConfig {
    /// Values of a step, F.
    pub features: usize,
    /// Width, D.
    pub width: usize,
    /// The distance between the steps that each block looks at.
    pub dilations: Vec<usize>,
    /// Labels, G.
    pub labels: usize,
    /// Share of values that training drops before each block's last layer and before the head.
    pub dropout: f64,
}

/// Names the sign of a window.
#[derive(Module, Debug)]
pub struct ClipNet<B: Backend> {
    /// `[F, D]`.
    pub embed: Linear<B>,
    /// The blocks, in order.
    pub blocks: Vec<Block<B>>,
    /// Over D, before pooling.
    pub norm: LayerNorm<B>,
    /// `[D, 1]`: how much a step counts.
    pub attention: Linear<B>,
    /// `[2D, G]`.
    pub head: Linear<B>,
    dropout: Dropout,
}

/// A residual block over neighbouring steps.
#[derive(Module, Debug)]
pub struct Block<B: Backend> {
    /// Over D.
    pub norm: LayerNorm<B>,
    /// `[3D, D]`: the step before, this one, the one after.
    pub mix: Linear<B>,
    /// `[D, D]`.
    pub out: Linear<B>,
    /// Distance between the steps.
    pub dilation: usize,
    dropout: Dropout,
}

impl ClipNetConfig {
    /// A network with random weights.
    pub fn init<B: Backend>(&self, device: &B::Device) -> ClipNet<B> {
        let (d, dropout) = (self.width, DropoutConfig::new(self.dropout).init());
        ClipNet {
            embed: LinearConfig::new(self.features, d).init(device),
            blocks: self
                .dilations
                .iter()
                .map(|&dilation| Block {
                    norm: LayerNormConfig::new(d).init(device),
                    mix: LinearConfig::new(TAPS * d, d).init(device),
                    out: LinearConfig::new(d, d).init(device),
                    dilation,
                    dropout: dropout.clone(),
                })
                .collect(),
            norm: LayerNormConfig::new(d).init(device),
            attention: LinearConfig::new(d, 1).init(device),
            head: LinearConfig::new(2 * d, self.labels).init(device),
            dropout,
        }
    }
}

impl<B: Backend> ClipNet<B> {
    /// Logits of each label.
    ///
    /// # Shapes
    /// - `features`: `[B, T, F]`, standardised
    /// - returns: `[B, G]`, not normalised
    pub fn forward(&self, features: Tensor<B, 3>) -> Tensor<B, 2> {
        let mut x = each_step(&self.embed, features); // [B, T, D]
        for block in &self.blocks {
            x = block.forward(x);
        }
        let x = self.norm.forward(x);
        let weights = softmax(self.attention.forward(x.clone()), 1); // [B, T, 1]
        let mean = weights.swap_dims(1, 2).matmul(x.clone()); // [B, 1, D]
        let most = x.max_dim(1); // [B, 1, D]
        let pooled = Tensor::cat(vec![mean, most], 2).squeeze_dim::<2>(1); // [B, 2D]
        self.head.forward(self.dropout.forward(pooled)) // [B, G]
    }
}

impl<B: Backend> ClipNet<B> {
    /// The same network with some of its labels only, in the order given.
    pub fn answering(mut self, labels: &[i32]) -> Self {
        let keep = |device: &B::Device| Tensor::<B, 1, Int>::from_ints(labels, device);
        self.head.weight = self.head.weight.map(|w| {
            let keep = keep(&w.device());
            w.select(1, keep)
        });
        self.head.bias = self.head.bias.map(|bias| {
            bias.map(|b| {
                let keep = keep(&b.device());
                b.select(0, keep)
            })
        });
        self
    }
}

impl<B: Backend> Block<B> {
    /// The window with what the neighbouring steps add to each step.
    ///
    /// # Shapes
    /// - `x`: `[B, T, D]`, T larger than the dilation
    /// - returns: `[B, T, D]`
    pub fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let [b, t, d] = x.dims();
        let y = self.norm.forward(x.clone());
        let edge = Tensor::zeros([b, self.dilation, d], &y.device());
        let before = Tensor::cat(vec![edge.clone(), y.clone().narrow(1, 0, t - self.dilation)], 1);
        let after = Tensor::cat(vec![y.clone().narrow(1, self.dilation, t - self.dilation), edge], 1);
        let y = Tensor::cat(vec![before, y, after], 2); // [B, T, 3D]
        let y = silu(each_step(&self.mix, y)); // [B, T, D]
        x + each_step(&self.out, self.dropout.forward(y))
    }
}

/// A linear layer over all steps of all clips as one matrix.
///
/// Given a tensor of three axes the layer multiplies clip by clip and adds the clips' gradients up afterwards.
///
/// # Shapes
/// - `x`: `[B, T, F]`
/// - returns: `[B, T, D]`
fn each_step<B: Backend>(layer: &Linear<B>, x: Tensor<B, 3>) -> Tensor<B, 3> {
    let [b, t, f] = x.dims();
    let [_, d] = layer.weight.dims();
    layer.forward(x.reshape([b * t, f])).reshape([b, t, d])
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::Distribution;

    use super::*;

    #[test]
    fn labels_that_are_left_keep_their_logits() {
        let device = Default::default();
        let config = ClipNetConfig { features: 5, width: 8, dilations: vec![1], labels: 4, dropout: 0.5 };
        let net = config.init::<Flex>(&device);
        let batch = Tensor::<Flex, 3>::random([1, 6, 5], Distribution::Default, &device);
        let all: Vec<f32> = net.forward(batch.clone()).into_data().to_vec().unwrap();
        let some: Vec<f32> = net.answering(&[3, 0]).forward(batch).into_data().to_vec().unwrap();
        assert_eq!(some, [all[3], all[0]]);
    }

    #[test]
    fn a_clip_gets_the_same_logits_alone_and_in_a_batch() {
        let device = Default::default();
        let config = ClipNetConfig { features: 5, width: 8, dilations: vec![1, 2], labels: 3, dropout: 0.5 };
        let net = config.init::<Flex>(&device);
        let batch = Tensor::<Flex, 3>::random([4, 6, 5], Distribution::Default, &device);
        let together = net.forward(batch.clone()).narrow(0, 2, 1);
        let alone = net.forward(batch.narrow(0, 2, 1));
        let far = (together - alone).abs().max().into_scalar();
        assert!(far < 1e-5, "differs by {far}");
    }
}
