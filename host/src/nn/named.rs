//! A network's weights in the `.safetensors` form, each by the names of the parts that it is in: `encode.tracks.0.…`.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use safetensors::tensor::{Dtype, TensorView};

use crate::aurallm::Weights;

/// The bytes of a network's weights, 32 bits each.
pub fn save<B: Backend, M: Module<B>>(net: &M) -> Vec<u8> {
    let mut taken = Taken::default();
    net.visit(&mut taken);
    let views = taken.found.iter().map(|(name, bytes, shape)| {
        let view =
            TensorView::new(Dtype::F32, shape.clone(), bytes).expect("as many bytes as the shape says");
        (name, view)
    });
    safetensors::serialize(views, None).expect("every name stands there once")
}

/// A network with the weights of such bytes.
///
/// # Errors
/// What is wrong with them: they are no such file, or a tensor is missing, too many, of another shape, or not finite.
pub fn load<B: Backend, M: Module<B>>(net: M, bytes: Vec<u8>) -> Result<M, String> {
    let mut given = Given { weights: Weights::of(bytes)?, at: vec![], wrong: None };
    let net = net.map(&mut given);
    if let Some(wrong) = given.wrong {
        return Err(wrong);
    }
    match given.weights.left() {
        Some(left) => Err(format!("the tensor {left} is none of the network's")),
        None => Ok(net),
    }
}

/// How many numbers the weights of a network are. None of them is drawn for it.
pub fn parameters<B: Backend, M: Module<B>>(net: &M) -> usize {
    let mut counted = Counted(0);
    net.visit(&mut counted);
    counted.0
}

struct Counted(usize);

impl<B: Backend> ModuleVisitor<B> for Counted {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.0 += param.lazy_shape().num_elements();
    }
}

/// Names, bytes and shapes.
#[derive(Default)]
struct Taken {
    at: Vec<String>,
    found: Vec<(String, Vec<u8>, Vec<usize>)>,
}

impl<B: Backend> ModuleVisitor<B> for Taken {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.at.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.at.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let data = param.val().into_data().convert::<f32>();
        let bytes = data.iter::<f32>().flat_map(f32::to_le_bytes).collect();
        self.found.push((self.at.join("."), bytes, data.shape.to_vec()));
    }
}

struct Given {
    weights: Weights,
    at: Vec<String>,
    wrong: Option<String>,
}

impl<B: Backend> ModuleMapper<B> for Given {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.at.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.at.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let name = self.at.join(".");
        let wanted = param.lazy_shape().to_vec();
        let wrong = match self.weights.any(&name) {
            Ok((values, shape)) if shape == wanted => {
                return param.map(|own| {
                    let values = Tensor::from_data(TensorData::new(values, shape), &own.device());
                    values.set_require_grad(own.is_require_grad())
                });
            }
            Ok((_, shape)) => format!("the tensor {name} is {shape:?}, and the network's is {wanted:?}"),
            Err(why) => why,
        };
        self.wrong.get_or_insert(wrong);
        param
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::nn::{Linear, LinearConfig};

    use super::*;

    fn net(from: usize, to: usize) -> Linear<Flex> {
        LinearConfig::new(from, to).init(&Default::default())
    }

    #[track_caller]
    fn check_refused(from: usize, to: usize, bytes: Vec<u8>, expect: &str) {
        let said = load(net(from, to), bytes).unwrap_err();
        assert!(said.contains(expect), "{said}");
    }

    #[test]
    fn weights_are_written_and_read_by_name() {
        let first = net(2, 3);
        let bytes = save(&first);
        let second = load(net(2, 3), bytes.clone()).unwrap();
        assert_eq!(first.weight.val().into_data(), second.weight.val().into_data());
        assert_eq!(parameters::<Flex, _>(&net(4, 5)), 25);
        check_refused(3, 3, bytes.clone(), "the tensor weight is [2, 3], and the network's is [3, 3]");
        check_refused(2, 3, bytes[..bytes.len() - 1].to_vec(), "it is no .safetensors file");
        let unbiased = LinearConfig::new(2, 3).with_bias(false).init::<Flex>(&Default::default());
        check_refused(2, 3, save(&unbiased), "the tensor bias is missing");
        assert!(load(unbiased, bytes).unwrap_err().contains("the tensor bias is none"));
    }
}
