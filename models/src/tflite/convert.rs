//! The conversion: which layout each tensor has, and what it is called in the ONNX graph.

use super::emit::Padding;
use super::weights::Budget;
use super::{Activation, Error, Network, Op, Operator, Tensor};
use crate::onnx::{Builder, Dim, Value};

/// Counts up when the same `.tflite` turns into another `.onnx`, so that set-up converts again.
pub const CONVERTER_VERSION: u32 = 1;

/// TFLite's `[B, H, W, C]` to ONNX's `[B, C, H, W]`, as axes of the former.
pub(super) const TO_IMAGE: [usize; 4] = [0, 3, 1, 2];
/// And back.
const TO_PLAIN: [usize; 4] = [0, 2, 3, 1];
/// What names made here begin with, so that none is the name of an input or an output.
pub(super) const MARK: char = '#';
/// The constants between which Relu6 keeps its values.
pub(super) const RELU6: [&str; 2] = ["#zero", "#six"];

/// Converts a TFLite network to ONNX of the name given.
///
/// The inputs and outputs keep their names, order and shapes. Outputs named in `unused` are left out with
/// all that is computed for them alone.
///
/// # Errors
/// Where the bytes are damaged, too large, need something that the converter does not know, or have no such
/// output.
pub fn to_onnx(bytes: &[u8], name: &str, unused: &[impl AsRef<str>]) -> Result<Vec<u8>, Error> {
    convert(&Network::parse(bytes)?.without(unused)?, name)
}

fn convert(network: &Network, name: &str) -> Result<Vec<u8>, Error> {
    let mut conversion = Conversion::new(network, name)?;
    for (index, operator) in network.operators.iter().enumerate() {
        conversion.operator(index, operator)?;
    }
    conversion.finish()
}

/// Where a tensor of the run stands in the ONNX graph.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// Its name as `[B, C, H, W]`, once it has been needed so.
    pub image: Option<String>,
    /// Its name in TFLite's own layout, once it has been needed so.
    pub plain: Option<String>,
    /// Zeros around another tensor: not written until something needs them that cannot pad by itself.
    pub padded: Option<(usize, Padding)>,
    /// The constant that it is, behind Dequantize and Densify.
    pub constant: Option<usize>,
}

pub(super) struct Conversion<'n> {
    pub network: &'n Network<'n>,
    pub graph: Builder,
    pub places: Vec<Place>,
    pub budget: Budget,
}

impl<'n> Conversion<'n> {
    fn new(network: &'n Network<'n>, name: &str) -> Result<Self, Error> {
        let mut graph = Builder::new(name);
        let mut places = vec![Place::default(); network.tensors.len()];
        for (index, (tensor, place)) in network.tensors.iter().zip(&mut places).enumerate() {
            place.constant = (!tensor.data.is_empty()).then_some(index);
        }
        let mut names = std::collections::HashSet::new();
        for &end in network.inputs.iter().chain(&network.outputs) {
            let tensor = &network.tensors[end];
            if tensor.name.is_empty() || tensor.name.starts_with(MARK) || !names.insert(tensor.name) {
                return Err(misfit(tensor, "inputs and outputs have names of their own"));
            }
        }
        for &input in &network.inputs {
            let tensor = &network.tensors[input];
            graph.input(tensor.name, &dims(&tensor.shape));
            places[input].plain = Some(tensor.name.into());
        }
        let uses = |op: &Operator| op.op.activation() == Activation::Relu6;
        if network.operators.iter().any(uses) {
            graph.tensor_f32(RELU6[0], &[], &[0.0]);
            graph.tensor_f32(RELU6[1], &[], &[6.0]);
        }
        Ok(Self { network, graph, places, budget: Budget::default() })
    }

    fn finish(mut self) -> Result<Vec<u8>, Error> {
        for &output in &self.network.outputs {
            self.plain(output)?;
            let tensor = &self.network.tensors[output];
            self.graph.output(tensor.name, &dims(&tensor.shape));
        }
        let version = CONVERTER_VERSION.to_string();
        Ok(self.graph.finish(&[("converted_from", "tflite"), ("converter_version", &version)]))
    }

    fn operator(&mut self, index: usize, operator: &Operator) -> Result<(), Error> {
        let node = Node { index, inputs: &operator.inputs, output: *single(index, &operator.outputs)? };
        let place = &self.places[node.output];
        if place.image.is_some()
            || place.plain.is_some()
            || place.padded.is_some()
            || place.constant.is_some()
        {
            return Err(misfit(&self.network.tensors[node.output], "each tensor is written once"));
        }
        let written = match operator.op {
            Op::Add(activation) => self.add(&node, activation),
            Op::Concatenation { axis } => self.concatenation(&node, axis),
            Op::Conv2d(window, activation) => self.conv(&node, window, activation, false),
            Op::DepthwiseConv2d(window, activation) => self.conv(&node, window, activation, true),
            Op::Densify | Op::Dequantize => self.constant(&node),
            Op::DepthToSpace { block } => self.depth_to_space(&node, block),
            Op::FullyConnected(activation) => self.fully_connected(&node, activation),
            Op::Logistic => self.elementwise(&node, "Sigmoid"),
            Op::MaxPool2d(window, size) => self.max_pool(&node, window, size),
            Op::Mean { keep } => self.mean(&node, keep),
            Op::Pad => self.pad(&node),
            Op::Prelu => self.prelu(&node),
            Op::Relu => self.elementwise(&node, "Relu"),
            Op::Reshape => self.reshape(&node),
            Op::ResizeBilinear { align_corners, half_pixel } => self.resize(&node, align_corners, half_pixel),
            Op::StridedSlice => self.strided_slice(&node),
        };
        written?;
        // Whoever reads the image later relies on its four axes.
        if self.places[node.output].image.is_some() {
            self.image_shape(node.output)?;
        }
        Ok(())
    }

    /// The name of a tensor in the layout asked for.
    pub(super) fn named(&mut self, index: usize, image: bool) -> Result<String, Error> {
        if image { self.image(index) } else { self.plain(index) }
    }

    /// The name of a tensor as `[B, C, H, W]`; transposes or pads it if nothing has yet.
    fn image(&mut self, index: usize) -> Result<String, Error> {
        let place = &self.places[index];
        if let Some(name) = &place.image {
            return Ok(name.clone());
        }
        if let Some((of, [top, left, bottom, right])) = place.padded {
            let [top, left, bottom, right] = [top, left, bottom, right].map(|p| p as i64);
            self.write_pad(of, index, [0, 0, top, left, 0, 0, bottom, right])?;
            return self.image(index);
        }
        let plain = place.plain.clone().ok_or_else(|| self.unwritten(index))?;
        self.image_shape(index)?;
        let image = self.define(index, true);
        self.graph.node("Transpose", &[&plain], &[&image], vec![("perm", ints(TO_IMAGE))]);
        Ok(image)
    }

    /// The name of a tensor in TFLite's layout; transposes it if nothing has yet.
    fn plain(&mut self, index: usize) -> Result<String, Error> {
        if let Some(name) = &self.places[index].plain {
            return Ok(name.clone());
        }
        if self.places[index].image.is_none() && self.places[index].padded.is_none() {
            return Err(self.unwritten(index));
        }
        let image = self.image(index)?;
        let plain = self.define(index, false);
        self.graph.node("Transpose", &[&image], &[&plain], vec![("perm", ints(TO_PLAIN))]);
        Ok(plain)
    }

    /// Names a tensor in one layout: as in the file where it is an output and plain.
    pub(super) fn define(&mut self, index: usize, image: bool) -> String {
        let place = &mut self.places[index];
        if image {
            return place.image.insert(format!("{MARK}{index}.image")).clone();
        }
        let name = match self.network.outputs.contains(&index) {
            true => self.network.tensors[index].name.into(),
            false => format!("{MARK}{index}.plain"),
        };
        place.plain.insert(name).clone()
    }

    pub(super) fn has_image(&self, index: usize) -> bool {
        self.places[index].image.is_some() || self.places[index].padded.is_some()
    }

    pub(super) fn shape(&self, index: usize) -> &'n [usize] {
        &self.network.tensors[index].shape
    }

    /// The shape `[B, H, W, C]` of a tensor that must be an image.
    pub(super) fn image_shape(&self, index: usize) -> Result<[usize; 4], Error> {
        let tensor = &self.network.tensors[index];
        four(tensor).ok_or_else(|| misfit(tensor, "an image has four axes"))
    }

    pub(super) fn constant_of(&self, index: usize) -> Result<&'n Tensor<'n>, Error> {
        let constant = self.places[index].constant;
        let tensors = &self.network.tensors;
        constant.map(|c| &tensors[c]).ok_or_else(|| misfit(&tensors[index], "weights are constants"))
    }

    fn unwritten(&self, index: usize) -> Error {
        misfit(&self.network.tensors[index], "it is read before an operator has written it")
    }
}

/// An operator with what it takes and gives.
pub(super) struct Node<'o> {
    pub index: usize,
    pub inputs: &'o [Option<usize>],
    pub output: usize,
}

impl Node<'_> {
    pub fn input(&self, i: usize) -> Result<usize, Error> {
        self.optional(i).ok_or_else(|| self.unsupported("more inputs than it has"))
    }

    pub fn optional(&self, i: usize) -> Option<usize> {
        self.inputs.get(i).copied().flatten()
    }

    pub fn unsupported(&self, what: &str) -> Error {
        Error::Unsupported { index: self.index, what: what.into() }
    }
}

fn single(index: usize, outputs: &[usize]) -> Result<&usize, Error> {
    match outputs {
        [output] => Ok(output),
        _ => Err(Error::Unsupported { index, what: format!("{} outputs", outputs.len()) }),
    }
}

/// Where an axis of `[B, H, W, C]` stands in `[B, C, H, W]`.
pub(super) fn position(axis: usize) -> usize {
    TO_PLAIN[axis]
}

pub(super) fn four(tensor: &Tensor) -> Option<[usize; 4]> {
    tensor.shape.as_slice().try_into().ok()
}

fn dims(shape: &[usize]) -> Vec<Dim<'static>> {
    shape.iter().map(|&d| Dim::Fixed(d)).collect()
}

pub(super) fn ints<const N: usize>(values: [usize; N]) -> Value {
    Value::Ints(values.iter().map(|&v| v as i64).collect())
}

pub(super) fn misfit(tensor: &Tensor, expected: &'static str) -> Error {
    Error::Tensor { name: tensor.name.into(), shape: tensor.shape.clone(), expected }
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    /// A network of tensors, each by its name, shape and integers, and of operators from one to the next.
    fn network<'a>(tensors: &'a [(&'a str, Vec<usize>, Vec<u8>)], op: Op, constant: usize) -> Network<'a> {
        let run = tensors.len() - 1;
        let tensors = tensors.iter().map(|(name, shape, data)| Tensor {
            name,
            shape: shape.clone(),
            kind: if data.is_empty() { Kind::F32 } else { Kind::I32 },
            data,
            sparsity: None,
        });
        let operator = |i| Operator { op, inputs: vec![Some(i), Some(constant)], outputs: vec![i + 1] };
        let operators = (0..run - 1).map(operator).collect();
        Network { tensors: tensors.collect(), operators, inputs: vec![0], outputs: vec![run - 1] }
    }

    #[test]
    fn a_long_row_of_paddings_does_not_recurse() {
        const COUNT: usize = 20_000;
        let mut tensors: Vec<_> = (0..=COUNT).map(|i| ("t", vec![1, 4 + i, 4, 3], vec![])).collect();
        (tensors[0].0, tensors[COUNT].0) = ("in", "out");
        let pads: Vec<u8> = [0, 0, 1, 0, 0, 0, 0, 0].iter().flat_map(|p: &i32| p.to_le_bytes()).collect();
        tensors.push(("pads", vec![4, 2], pads));
        assert!(convert(&network(&tensors, Op::Pad, COUNT + 1), "pads").is_ok());
    }

    #[test]
    fn what_reads_itself_is_refused() {
        let tensors = [("in", vec![1], vec![]), ("out", vec![1], vec![]), ("none", vec![1], vec![])];
        let mut network = network(&tensors, Op::Relu, 2);
        network.operators[0].inputs = vec![Some(1)];
        assert!(matches!(convert(&network, "loop"), Err(Error::Tensor { .. })));
    }
}
