//! The weights of a network as values, and the moving average of them.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

/// The values of all parameters that are numbers with fractions.
pub struct Weights(HashMap<ParamId, TensorData>);

impl Weights {
    /// Those of a network.
    pub fn of<B: Backend, M: Module<B>>(net: &M) -> Self {
        let mut weights = Self(HashMap::new());
        net.visit(&mut weights);
        weights
    }

    /// Whether each of them is a number.
    pub fn finite(&self) -> bool {
        self.0.values().all(|w| w.clone().convert::<f32>().iter::<f32>().all(f32::is_finite))
    }
}

impl<B: Backend> ModuleVisitor<B> for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.0.insert(param.id, param.val().into_data());
    }
}

/// The average moved towards a network's weights; `keeps` is the share that it keeps of itself.
pub fn blend<B: Backend, M: Module<B>>(average: M, net: &M, keeps: f64) -> M {
    average.map(&mut Blend { with: Weights::of(net), keeps })
}

/// Moves parameters towards others.
struct Blend {
    with: Weights,
    keeps: f64,
}

impl<B: Backend> ModuleMapper<B> for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let other = self.with.0.remove(&param.id);
        param.map(|own| match other {
            Some(other) => {
                let other = Tensor::from_data(other, &own.device());
                own * self.keeps + other * (1.0 - self.keeps)
            }
            None => own,
        })
    }
}

/// The shapes of all parameters in the order of the network, as a text.
pub fn shapes<B: Backend, M: Module<B>>(net: &M) -> String {
    let mut shapes = Shapes(String::new());
    net.visit(&mut shapes);
    shapes.0
}

struct Shapes(String);

impl<B: Backend> ModuleVisitor<B> for Shapes {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.0 += &format!("{:?}", param.val().dims());
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::nn::LinearConfig;

    use super::*;

    #[test]
    fn an_average_moves_by_the_share_that_it_does_not_keep() {
        let device = Default::default();
        let net = LinearConfig::new(2, 3).init::<Flex>(&device);
        // Weights are drawn when they are first looked at, and a copy made before draws its own.
        net.weight.val();
        let double = |net: &burn::nn::Linear<Flex>| {
            let mut net = net.clone();
            net.weight = net.weight.map(|w| w * 2.0);
            net
        };
        let moved = blend(net.clone(), &double(&net), 0.75);
        let far = (moved.weight.val() - net.weight.val() * 1.25).abs().max().into_scalar();
        assert!(far < 1e-6, "{far}");
        assert_eq!(shapes::<Flex, _>(&net), "[2, 3][3]");
        assert!(Weights::of::<Flex, _>(&net).finite());
        let mut broken = net;
        broken.weight = broken.weight.map(|w| w / 0.0);
        assert!(!Weights::of::<Flex, _>(&broken).finite());
    }
}
