//! What becomes of each operator: the nodes and constants that are written for it.

use super::convert::{Conversion, MARK, Node, RELU6, TO_IMAGE, four, ints, misfit, position};
use super::emit::{Padding, joined, permuted, same_padding};
use super::weights;
use super::{Activation, Error, Window};
use crate::onnx::Value;

impl Conversion<'_> {
    pub(super) fn add(&mut self, node: &Node, activation: Activation) -> Result<(), Error> {
        let (a, b) = (node.input(0)?, node.input(1)?);
        if self.shape(a) != self.shape(b) {
            return Err(misfit(&self.network.tensors[b], "both sides of a sum have one shape"));
        }
        let image = self.has_image(a);
        let (a, b) = (self.named(a, image)?, self.named(b, image)?);
        self.activated("Add", &[&a, &b], node, image, vec![], activation);
        Ok(())
    }

    pub(super) fn concatenation(&mut self, node: &Node, axis: i32) -> Result<(), Error> {
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

    pub(super) fn conv(
        &mut self,
        node: &Node,
        window: Window,
        act: Activation,
        depthwise: bool,
    ) -> Result<(), Error> {
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
        let bias = self.bias(node, shape[0])?;

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
    pub(super) fn constant(&mut self, node: &Node) -> Result<(), Error> {
        let source = node.input(0)?;
        let constant = self.places[source].constant;
        let constant = constant
            .ok_or_else(|| misfit(&self.network.tensors[source], "only constants are dequantized"))?;
        self.places[node.output].constant = Some(constant);
        Ok(())
    }

    pub(super) fn depth_to_space(&mut self, node: &Node, block: usize) -> Result<(), Error> {
        let input = self.named(node.input(0)?, true)?;
        let output = self.define(node.output, true);
        // TFLite keeps a block's pixels outermost among the channels, as ONNX's DCR does.
        let attributes = vec![("blocksize", Value::Int(block as i64)), ("mode", Value::Text("DCR".into()))];
        self.graph.node("DepthToSpace", &[&input], &[&output], attributes);
        Ok(())
    }

    pub(super) fn fully_connected(&mut self, node: &Node, activation: Activation) -> Result<(), Error> {
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
        let bias = self.bias(node, out)?;
        let input = self.named(input, false)?;
        let inputs: Vec<&str> =
            [Some(input.as_str()), Some(&weights_name), bias.as_deref()].into_iter().flatten().collect();
        self.activated("Gemm", &inputs, node, false, vec![("transB", Value::Int(1))], activation);
        Ok(())
    }

    pub(super) fn elementwise(&mut self, node: &Node, op: &str) -> Result<(), Error> {
        let input = node.input(0)?;
        let image = self.has_image(input);
        let input = self.named(input, image)?;
        let output = self.define(node.output, image);
        self.graph.node(op, &[&input], &[&output], vec![]);
        Ok(())
    }

    pub(super) fn max_pool(&mut self, node: &Node, window: Window, size: [usize; 2]) -> Result<(), Error> {
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
    pub(super) fn mean(&mut self, node: &Node, keep: bool) -> Result<(), Error> {
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

    pub(super) fn pad(&mut self, node: &Node) -> Result<(), Error> {
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
            if self.places[input].padded.is_some() {
                // Otherwise a long row of them would be written by as deep a recursion.
                self.named(input, true)?;
            }
            let padding = [top, left, bottom, right].map(|p| p as usize);
            self.places[node.output].padded = Some((input, padding));
            return Ok(());
        }
        self.write_pad(input, node.output, [0, front, top, left, 0, back, bottom, right])
    }

    pub(super) fn write_pad(&mut self, input: usize, output: usize, pads: [i64; 8]) -> Result<(), Error> {
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

    /// Negative values times a slope, as x + (1 − slope) · max(−x, 0).
    ///
    /// Two convolutions of each channel by itself, instead of ONNX's PRelu, which is
    /// slow in both engines: ONNX Runtime keeps its blocked layout through these, and
    /// the sum needs no pass of its own.
    pub(super) fn prelu(&mut self, node: &Node) -> Result<(), Error> {
        let input = node.input(0)?;
        let [_, _, _, channels] = self.image_shape(input)?;
        let slope = self.channel_values(node.input(1)?, channels)?;
        let rest: Vec<f32> = slope.iter().map(|s| 1.0 - s).collect();
        let input = self.named(input, true)?;
        let [minus, negative, positive, weights, bent] = ["minus", "negative", "positive", "rest", "bent"]
            .map(|part| format!("{MARK}{}.{part}", node.output));
        self.graph.tensor_f32(&minus, &[channels, 1, 1, 1], &vec![-1.0; channels]);
        self.graph.tensor_f32(&weights, &[channels, 1, 1, 1], &rest);
        let each = || vec![("group", Value::Int(channels as i64)), ("kernel_shape", ints([1, 1]))];
        self.graph.node("Conv", &[&input, &minus], &[&negative], each());
        self.graph.node("Relu", &[&negative], &[&positive], vec![]);
        self.graph.node("Conv", &[&positive, &weights], &[&bent], each());
        let output = self.define(node.output, true);
        self.graph.node("Add", &[&bent, &input], &[&output], vec![]);
        Ok(())
    }

    pub(super) fn reshape(&mut self, node: &Node) -> Result<(), Error> {
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

    pub(super) fn resize(&mut self, node: &Node, align_corners: bool, half_pixel: bool) -> Result<(), Error> {
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

    pub(super) fn strided_slice(&mut self, node: &Node) -> Result<(), Error> {
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

    /// Writes a bias, and gives its name.
    fn bias(&mut self, node: &Node, channels: usize) -> Result<Option<String>, Error> {
        let Some(index) = node.optional(2) else { return Ok(None) };
        let values = self.channel_values(index, channels)?;
        let name = format!("{MARK}{}.bias", node.output);
        self.graph.tensor_f32(&name, &[channels], &values);
        Ok(Some(name))
    }

    /// The values of a constant that has one for each channel.
    fn channel_values(&mut self, index: usize, channels: usize) -> Result<Vec<f32>, Error> {
        let tensor = self.constant_of(index)?;
        if tensor.shape.last() != Some(&channels) || tensor.shape.iter().product::<usize>() != channels {
            return Err(misfit(tensor, "it has one value for each channel"));
        }
        weights::floats(tensor, &mut self.budget)
    }
}
