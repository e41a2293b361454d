//! The conversion: which layout each tensor has, and what becomes of each operator.

use super::emit::{Padding, joined, permuted, same_padding};
use super::weights::{self, Budget};
use super::{Activation, Error, Network, Op, Operator, Tensor, Window};
use crate::onnx::{Builder, Dim, Value};

/// Counts up when the same `.tflite` turns into another `.onnx`, so that set-up converts again.
pub const CONVERTER_VERSION: u32 = 1;

/// TFLite's `[B, H, W, C]` to ONNX's `[B, C, H, W]`, as axes of the former.
const TO_IMAGE: [usize; 4] = [0, 3, 1, 2];
/// And back.
const TO_PLAIN: [usize; 4] = [0, 2, 3, 1];
/// What names made here begin with, so that none is the name of an input or an output.
const MARK: char = '#';
/// The constants between which Relu6 keeps its values.
const RELU6: [&str; 2] = ["#zero", "#six"];

/// Converts a TFLite network to ONNX of the name given.
///
/// The inputs and outputs keep their names, order and shapes.
///
/// # Errors
/// Where the bytes are damaged, too large, or need something that the converter does not know.
pub fn to_onnx(bytes: &[u8], name: &str) -> Result<Vec<u8>, Error> {
    let network = Network::parse(bytes)?;
    let mut conversion = Conversion::new(&network, name)?;
    for (index, operator) in network.operators.iter().enumerate() {
        conversion.operator(index, operator)?;
    }
    conversion.finish()
}

/// Where a tensor of the run stands in the ONNX graph.
#[derive(Debug, Clone, Default)]
struct Place {
    /// Its name as `[B, C, H, W]`, once it has been needed so.
    image: Option<String>,
    /// Its name in TFLite's own layout, once it has been needed so.
    plain: Option<String>,
    /// Zeros around another tensor: not written until something needs them that cannot pad by itself.
    padded: Option<(usize, Padding)>,
    /// The constant that it is, behind Dequantize and Densify.
    constant: Option<usize>,
}

struct Conversion<'n> {
    network: &'n Network<'n>,
    graph: Builder,
    places: Vec<Place>,
    budget: Budget,
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

    fn add(&mut self, node: &Node, activation: Activation) -> Result<(), Error> {
        let (a, b) = (node.input(0)?, node.input(1)?);
        if self.shape(a) != self.shape(b) {
            return Err(misfit(&self.network.tensors[b], "both sides of a sum have one shape"));
        }
        let image = self.has_image(a);
        let (a, b) = (self.named(a, image)?, self.named(b, image)?);
        self.activated("Add", &[&a, &b], node, image, vec![], activation);
        Ok(())
    }

    fn concatenation(&mut self, node: &Node, axis: i32) -> Result<(), Error> {
        let parts = (0..node.inputs.len()).map(|i| node.input(i)).collect::<Result<Vec<_>, _>>()?;
        let first = *parts.first().ok_or_else(|| node.unsupported("at least one input"))?;
        let rank = self.shape(first).len();
        let axis = if axis < 0 { i64::from(axis) + rank as i64 } else { axis.into() };
        let axis = usize::try_from(axis).ok().filter(|a| *a < rank);
        let axis = axis.ok_or_else(|| node.unsupported("an axis that its inputs do not have"))?;
        let image = self.has_image(first);
        let names = parts.iter().map(|&p| self.named(p, image)).collect::<Result<Vec<_>, _>>()?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let axis = if image { position(axis) } else { axis };
        let output = self.define(node.output, image);
        self.graph.node("Concat", &names, &[&output], vec![("axis", Value::Int(axis as i64))]);
        Ok(())
    }

    fn conv(&mut self, node: &Node, window: Window, act: Activation, depthwise: bool) -> Result<(), Error> {
        let (input, weights) = (node.input(0)?, self.constant_of(node.input(1)?)?);
        let [_, height, width, channels] = self.image_shape(input)?;
        let [o, h, w, i] = four(weights).ok_or_else(|| misfit(weights, "the weights have four axes"))?;
        // To ONNX's [C_out, C_in / groups, H, W].
        let (groups, to, shape) = match depthwise {
            true if o == 1 && i % channels == 0 => (channels, [3, 0, 1, 2], [i, 1, h, w]),
            false if i == channels => (1, TO_IMAGE, [o, i, h, w]),
            _ => return Err(misfit(weights, "the weights have as many channels as the image")),
        };
        let values = permuted(&weights::floats(weights, &mut self.budget)?, [o, h, w, i], to);
        let weights_name = format!("{MARK}{}.weights", node.output);
        self.graph.tensor_f32(&weights_name, &shape, &values);
        let bias = node.optional(2).map(|b| self.vector(node, b, shape[0], "bias")).transpose()?;

        // A Pad before a convolution is the convolution's own padding.
        let (input, mut padding) = self.places[input].padded.unwrap_or((input, Padding::default()));
        if window.same {
            padding = joined(padding, same_padding([height, width], [h, w], window));
        }
        let input = self.named(input, true)?;
        let inputs: Vec<&str> =
            [Some(input.as_str()), Some(&weights_name), bias.as_deref()].into_iter().flatten().collect();
        let attributes = vec![
            ("dilations", ints(window.dilation)),
            ("group", Value::Int(groups as i64)),
            ("kernel_shape", ints([h, w])),
            ("pads", ints(padding)),
            ("strides", ints(window.stride)),
        ];
        self.activated("Conv", &inputs, node, true, attributes, act);
        Ok(())
    }

    /// Dequantize and Densify: the constant is read, and made dense floats, where it is used.
    fn constant(&mut self, node: &Node) -> Result<(), Error> {
        let source = node.input(0)?;
        let constant = self.places[source].constant;
        let constant = constant
            .ok_or_else(|| misfit(&self.network.tensors[source], "only constants are dequantized"))?;
        self.places[node.output].constant = Some(constant);
        Ok(())
    }

    fn depth_to_space(&mut self, node: &Node, block: usize) -> Result<(), Error> {
        let input = self.named(node.input(0)?, true)?;
        let output = self.define(node.output, true);
        // TFLite keeps a block's pixels outermost among the channels, as ONNX's DCR does.
        let attributes = vec![("blocksize", Value::Int(block as i64)), ("mode", Value::Text("DCR".into()))];
        self.graph.node("DepthToSpace", &[&input], &[&output], attributes);
        Ok(())
    }

    fn fully_connected(&mut self, node: &Node, activation: Activation) -> Result<(), Error> {
        let (input, weights) = (node.input(0)?, self.constant_of(node.input(1)?)?);
        let (&[_, f], &[out, f_in]) = (self.shape(input), weights.shape.as_slice()) else {
            return Err(misfit(weights, "a fully connected layer takes rows and two axes of weights"));
        };
        if f != f_in {
            return Err(misfit(weights, "the weights have as many columns as the input"));
        }
        let values = weights::floats(weights, &mut self.budget)?;
        let weights_name = format!("{MARK}{}.weights", node.output);
        self.graph.tensor_f32(&weights_name, &[out, f], &values);
        let bias = node.optional(2).map(|b| self.vector(node, b, out, "bias")).transpose()?;
        let input = self.named(input, false)?;
        let inputs: Vec<&str> =
            [Some(input.as_str()), Some(&weights_name), bias.as_deref()].into_iter().flatten().collect();
        self.activated("Gemm", &inputs, node, false, vec![("transB", Value::Int(1))], activation);
        Ok(())
    }

    fn elementwise(&mut self, node: &Node, op: &str) -> Result<(), Error> {
        let input = node.input(0)?;
        let image = self.has_image(input);
        let input = self.named(input, image)?;
        let output = self.define(node.output, image);
        self.graph.node(op, &[&input], &[&output], vec![]);
        Ok(())
    }

    fn max_pool(&mut self, node: &Node, window: Window, size: [usize; 2]) -> Result<(), Error> {
        let input = node.input(0)?;
        let [_, height, width, _] = self.image_shape(input)?;
        let padding =
            if window.same { same_padding([height, width], size, window) } else { Padding::default() };
        let input = self.named(input, true)?;
        let output = self.define(node.output, true);
        let attributes =
            vec![("kernel_shape", ints(size)), ("pads", ints(padding)), ("strides", ints(window.stride))];
        self.graph.node("MaxPool", &[&input], &[&output], attributes);
        Ok(())
    }

    /// Mean over height and width: the only one that the landmark networks take.
    fn mean(&mut self, node: &Node, keep: bool) -> Result<(), Error> {
        let input = node.input(0)?;
        self.image_shape(input)?;
        let mut axes = weights::integers(&self.network.tensors[node.input(1)?])?;
        axes.sort_unstable();
        if axes != [1, 2] {
            return Err(node.unsupported("a mean over other axes than height and width"));
        }
        let input = self.named(input, true)?;
        let output = self.define(node.output, keep);
        let attributes = vec![("axes", Value::Ints(vec![2, 3])), ("keepdims", Value::Int(keep.into()))];
        self.graph.node("ReduceMean", &[&input], &[&output], attributes);
        Ok(())
    }

    fn pad(&mut self, node: &Node) -> Result<(), Error> {
        let input = node.input(0)?;
        self.image_shape(input)?;
        let pads = weights::integers(&self.network.tensors[node.input(1)?])?;
        let &[0, 0, top, bottom, left, right, front, back] = pads.as_slice() else {
            return Err(node.unsupported("a padding other than of an image's edges and channels"));
        };
        let around = [(0, 0), (top, bottom), (left, right), (front, back)];
        let sizes = self.shape(input).iter().zip(around).map(|(&size, (a, b))| size as i64 + a + b);
        if pads.iter().any(|p| *p < 0) || !sizes.eq(self.shape(node.output).iter().map(|&d| d as i64)) {
            return Err(misfit(
                &self.network.tensors[node.output],
                "it is as large as what it pads and the padding",
            ));
        }
        if (front, back) == (0, 0) {
            let padding = [top, left, bottom, right].map(|p| p as usize);
            self.places[node.output].padded = Some((input, padding));
            return Ok(());
        }
        self.write_pad(input, node.output, [0, front, top, left, 0, back, bottom, right])
    }

    fn write_pad(&mut self, input: usize, output: usize, pads: [i64; 8]) -> Result<(), Error> {
        let input = self.named(input, true)?;
        let pads_name = format!("{MARK}{output}.pads");
        self.graph.tensor_i64(&pads_name, &[8], &pads);
        let output = self.define(output, true);
        self.graph.node(
            "Pad",
            &[&input, &pads_name],
            &[&output],
            vec![("mode", Value::Text("constant".into()))],
        );
        Ok(())
    }

    fn prelu(&mut self, node: &Node) -> Result<(), Error> {
        let input = node.input(0)?;
        let [_, _, _, channels] = self.image_shape(input)?;
        let slope = self.vector(node, node.input(1)?, channels, "slope")?;
        let input = self.named(input, true)?;
        let output = self.define(node.output, true);
        self.graph.node("PRelu", &[&input, &slope], &[&output], vec![]);
        Ok(())
    }

    fn reshape(&mut self, node: &Node) -> Result<(), Error> {
        let input = node.input(0)?;
        let shape: Vec<i64> = self.shape(node.output).iter().map(|&d| d as i64).collect();
        if self.shape(input).iter().product::<usize>() != self.shape(node.output).iter().product::<usize>() {
            return Err(misfit(&self.network.tensors[node.output], "a reshape keeps the number of values"));
        }
        let input = self.named(input, false)?;
        let shape_name = format!("{MARK}{}.shape", node.output);
        self.graph.tensor_i64(&shape_name, &[shape.len()], &shape);
        let output = self.define(node.output, false);
        self.graph.node("Reshape", &[&input, &shape_name], &[&output], vec![]);
        Ok(())
    }

    fn resize(&mut self, node: &Node, align_corners: bool, half_pixel: bool) -> Result<(), Error> {
        let input = node.input(0)?;
        let [batch, _, _, channels] = self.image_shape(input)?;
        let &[height, width] = weights::integers(&self.network.tensors[node.input(1)?])?.as_slice() else {
            return Err(node.unsupported("a size that is not height and width"));
        };
        if [batch as i64, height, width, channels as i64].iter().ne(self
            .shape(node.output)
            .iter()
            .map(|&d| d as i64)
            .collect::<Vec<_>>()
            .iter())
        {
            return Err(misfit(
                &self.network.tensors[node.output],
                "it has the size that its operator asks for",
            ));
        }
        let mode = match (align_corners, half_pixel) {
            (true, true) => return Err(node.unsupported("corners both aligned and half a pixel out")),
            (true, false) => "align_corners",
            (false, true) => "half_pixel",
            (false, false) => "asymmetric",
        };
        let input = self.named(input, true)?;
        let sizes_name = format!("{MARK}{}.sizes", node.output);
        self.graph.tensor_i64(&sizes_name, &[4], &[batch as i64, channels as i64, height, width]);
        let output = self.define(node.output, true);
        let attributes = vec![
            ("coordinate_transformation_mode", Value::Text(mode.into())),
            ("mode", Value::Text("linear".into())),
        ];
        self.graph.node("Resize", &[&input, "", "", &sizes_name], &[&output], attributes);
        Ok(())
    }

    fn strided_slice(&mut self, node: &Node) -> Result<(), Error> {
        let input = node.input(0)?;
        self.image_shape(input)?;
        let mut inputs = vec![self.named(input, true)?];
        for (i, what) in ["starts", "ends", "axes", "steps"].into_iter().enumerate() {
            let values = match what {
                "axes" => (0..4).map(|a| position(a) as i64).collect(),
                "steps" => weights::integers(&self.network.tensors[node.input(3)?])?,
                _ => weights::integers(&self.network.tensors[node.input(i + 1)?])?,
            };
            if values.len() != 4 || (what == "steps" && values.iter().any(|s| *s < 1)) {
                return Err(node.unsupported("a slice other than forward, over four axes"));
            }
            let name = format!("{MARK}{}.{what}", node.output);
            self.graph.tensor_i64(&name, &[4], &values);
            inputs.push(name);
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let output = self.define(node.output, true);
        self.graph.node("Slice", &inputs, &[&output], vec![]);
        Ok(())
    }

    /// Writes a node, and another for its activation.
    fn activated(
        &mut self,
        op: &str,
        inputs: &[&str],
        node: &Node,
        image: bool,
        attributes: Vec<(&str, Value)>,
        activation: Activation,
    ) {
        let output = self.define(node.output, image);
        if activation == Activation::None {
            return self.graph.node(op, inputs, &[&output], attributes);
        }
        let before = format!("{MARK}{}.sum", node.output);
        self.graph.node(op, inputs, &[&before], attributes);
        match activation {
            Activation::None | Activation::Relu => self.graph.node("Relu", &[&before], &[&output], vec![]),
            Activation::Relu6 => self.graph.node("Clip", &[&before, RELU6[0], RELU6[1]], &[&output], vec![]),
        }
    }

    /// A constant with one value a channel: a bias `[C]`, or a slope as `[C, 1, 1]`.
    fn vector(&mut self, node: &Node, index: usize, channels: usize, what: &str) -> Result<String, Error> {
        let tensor = self.constant_of(index)?;
        if tensor.shape.last() != Some(&channels) || tensor.shape.iter().product::<usize>() != channels {
            return Err(misfit(tensor, "it has one value for each channel"));
        }
        let values = weights::floats(tensor, &mut self.budget)?;
        let shape: &[usize] = if what == "slope" { &[channels, 1, 1] } else { &[channels] };
        let name = format!("{MARK}{}.{what}", node.output);
        self.graph.tensor_f32(&name, shape, &values);
        Ok(name)
    }

    /// The name of a tensor in the layout asked for.
    fn named(&mut self, index: usize, image: bool) -> Result<String, Error> {
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
    fn define(&mut self, index: usize, image: bool) -> String {
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

    fn has_image(&self, index: usize) -> bool {
        self.places[index].image.is_some() || self.places[index].padded.is_some()
    }

    fn shape(&self, index: usize) -> &'n [usize] {
        &self.network.tensors[index].shape
    }

    /// The shape `[B, H, W, C]` of a tensor that must be an image.
    fn image_shape(&self, index: usize) -> Result<[usize; 4], Error> {
        let tensor = &self.network.tensors[index];
        four(tensor).ok_or_else(|| misfit(tensor, "an image has four axes"))
    }

    fn constant_of(&self, index: usize) -> Result<&'n Tensor<'n>, Error> {
        let constant = self.places[index].constant;
        let tensors = &self.network.tensors;
        constant.map(|c| &tensors[c]).ok_or_else(|| misfit(&tensors[index], "weights are constants"))
    }

    fn unwritten(&self, index: usize) -> Error {
        misfit(&self.network.tensors[index], "it is read before an operator has written it")
    }
}

/// An operator with what it takes and gives.
struct Node<'o> {
    index: usize,
    inputs: &'o [Option<usize>],
    output: usize,
}

impl Node<'_> {
    fn input(&self, i: usize) -> Result<usize, Error> {
        self.optional(i).ok_or_else(|| self.unsupported("more inputs than it has"))
    }

    fn optional(&self, i: usize) -> Option<usize> {
        self.inputs.get(i).copied().flatten()
    }

    fn unsupported(&self, what: &str) -> Error {
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
fn position(axis: usize) -> usize {
    TO_PLAIN[axis]
}

fn four(tensor: &Tensor) -> Option<[usize; 4]> {
    tensor.shape.as_slice().try_into().ok()
}

fn dims(shape: &[usize]) -> Vec<Dim<'static>> {
    shape.iter().map(|&d| Dim::Fixed(d)).collect()
}

fn ints<const N: usize>(values: [usize; N]) -> Value {
    Value::Ints(values.iter().map(|&v| v as i64).collect())
}

fn misfit(tensor: &Tensor, expected: &'static str) -> Error {
    Error::Tensor { name: tensor.name.into(), shape: tensor.shape.clone(), expected }
}
