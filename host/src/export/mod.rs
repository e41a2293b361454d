//! A trained network as ONNX.

mod live;
mod rescore;
mod signx;
mod translator;
mod video;

use burn::module::Param;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::{Tensor, backend::Backend};
use models::features::Version;
use models::onnx::{Builder, Dim, Value};

use crate::nn::{Block, ClipNet, numbers};

pub use live::live_step;
pub use rescore::rescore_net;
pub use signx::signx;
pub use translator::translator;
pub use video::video2pose;

/// What LayerNorm adds to the variance: burn's default.
const EPSILON: f32 = 1e-5;
/// A shorter answer has no direction; training divides by no less.
pub const LEAST_LENGTH: f32 = 1e-6;

/// Standardises features: `(x - mean) / deviation`, per value of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// `[F]`.
    pub mean: Vec<f32>,
    /// `[F]`, above 0.
    pub deviation: Vec<f32>,
}

impl Scale {
    /// From the sums and the sums of squares of `n` steps.
    pub fn of(sum: &[f64], squares: &[f64], n: f64) -> Self {
        let mean: Vec<_> = sum.iter().map(|s| (s / n) as f32).collect();
        // A value that hardly varies must not be blown up.
        let deviation = squares
            .iter()
            .zip(sum)
            .map(|(q, s)| ((q / n - (s / n).powi(2)).max(0.0).sqrt() as f32).max(0.05));
        Self { deviation: deviation.collect(), mean }
    }

    /// Standardises a window in place.
    ///
    /// # Shapes
    /// - `window`: `[T, F]`, row-major
    pub fn apply(&self, window: &mut [f32]) {
        for row in window.chunks_exact_mut(self.mean.len()) {
            for (v, (mean, deviation)) in row.iter_mut().zip(self.mean.iter().zip(&self.deviation)) {
                *v = (*v - mean) / deviation;
            }
        }
    }
}

/// Networks as one ONNX: `features` `[1, T, F]`, as [`Version::compute`] gives them, to `logits` `[1, G]`,
/// the mean of what the networks give.
///
/// Standardising is folded into the first layers.
pub fn clip_nets<B: Backend>(name: &str, nets: &[ClipNet<B>], scale: &Scale, features: Version) -> Vec<u8> {
    let (t, f) = (features.frames(), features.width());
    let g = nets.first().map_or(0, |net| net.head.weight.dims()[1]);
    let mut graph = Graph::begin(name, features);
    for (i, net) in nets.iter().enumerate() {
        // A single network's tensors go by their plain names.
        graph.prefix = if nets.len() > 1 { format!("net{i}_") } else { String::new() };
        graph.net(net, scale, t, f);
    }
    let mut answer = "answer".to_owned();
    if nets.len() > 1 {
        let answers: Vec<_> = (0..nets.len()).map(|i| format!("net{i}_answer")).collect();
        let answers: Vec<_> = answers.iter().map(String::as_str).collect();
        graph.to.node("Mean", &answers, &["mean_answer"], vec![]);
        answer = "mean_answer".into();
    }
    graph.finish(&answer, "logits", g, features)
}

/// A network as ONNX: `features` `[1, T, F]`, as [`Version::compute`] gives them, to `embedding` `[1, E]`,
/// what the network gives brought to length 1.
pub fn embedding_net<B: Backend>(name: &str, net: &ClipNet<B>, scale: &Scale, features: Version) -> Vec<u8> {
    let [_, e] = net.head.weight.dims();
    let mut graph = Graph::begin(name, features);
    graph.net(net, scale, features.frames(), features.width());
    // Written out: engines differ in which norms they know.
    graph.to.node("Mul", &["answer", "answer"], &["squares"], vec![]);
    graph.to.tensor_i64("values", &[1], &[2]);
    graph.to.node("ReduceSum", &["squares", "values"], &["sum"], vec![("keepdims", Value::Int(1))]);
    graph.to.node("Sqrt", &["sum"], &["length"], vec![]);
    graph.to.tensor_f32("least", &[1], &[LEAST_LENGTH]);
    graph.to.node("Max", &["length", "least"], &["above_0"], vec![]);
    graph.to.node("Div", &["answer", "above_0"], &["point"], vec![]);
    graph.finish("point", "embedding", e, features)
}

/// A graph in the making; what one network adds bears its prefix.
struct Graph {
    to: Builder,
    prefix: String,
}

impl Graph {
    /// A graph with its input.
    fn begin(name: &str, features: Version) -> Self {
        let mut to = Builder::new(name);
        to.input("features", &[Dim::Fixed(1), Dim::Fixed(features.frames()), Dim::Fixed(features.width())]);
        Self { to, prefix: String::new() }
    }

    /// The whole graph, which gives `answer`, `[1, 1, G]`, as its output of `[1, G]`.
    fn finish(mut self, answer: &str, output: &str, g: usize, features: Version) -> Vec<u8> {
        self.to.tensor_i64("flat", &[2], &[1, g as i64]);
        self.to.node("Reshape", &[answer, "flat"], &[output], vec![]);
        self.to.output(output, &[Dim::Fixed(1), Dim::Fixed(g)]);
        self.to.finish(&[("features", features.name())])
    }

    /// One network: from `features` to its `answer`, `[1, 1, G]`.
    fn net<B: Backend>(&mut self, net: &ClipNet<B>, scale: &Scale, t: usize, f: usize) {
        let prefix = self.prefix.clone();
        let name = |part: &str| format!("{prefix}{part}");
        let [_, d] = net.embed.weight.dims();
        let (weight, bias) = folded(&net.embed, scale);
        self.linear_of(&name("embed"), "features", &name("x0"), &[f, d], &weight, &bias);
        for (i, block) in net.blocks.iter().enumerate() {
            let (x, next) = (name(&format!("x{i}")), name(&format!("x{}", i + 1)));
            self.block(block, &name(&format!("block{i}")), &x, &next, [1, t, d]);
        }
        let normed = name("normed");
        self.norm(&name("norm"), &name(&format!("x{}", net.blocks.len())), &normed, &net.norm);
        self.linear(&name("attention"), &normed, &name("weight"), &net.attention); // [1, T, 1]
        let turn = vec![("perm", Value::Ints(vec![0, 2, 1]))];
        self.to.node("Transpose", &[&name("weight")], &[&name("weight_t")], turn);
        let along = |axis| vec![("axis", Value::Int(axis))];
        self.to.node("Softmax", &[&name("weight_t")], &[&name("share")], along(2));
        self.to.node("MatMul", &[&name("share"), &normed], &[&name("mean")], vec![]); // [1, 1, D]
        let over_time = vec![("axes", Value::Ints(vec![1])), ("keepdims", Value::Int(1))];
        self.to.node("ReduceMax", &[&normed], &[&name("most")], over_time); // [1, 1, D]
        self.to.node("Concat", &[&name("mean"), &name("most")], &[&name("pooled")], along(2)); // [1, 1, 2D]
        self.linear(&name("head"), &name("pooled"), &name("answer"), &net.head); // [1, 1, G]
    }

    /// One residual block: from the tensor `x` to the tensor `next`, both `[N, T, D]`.
    fn block<B: Backend>(
        &mut self,
        block: &Block<B>,
        prefix: &str,
        x: &str,
        next: &str,
        [n, t, d]: [usize; 3],
    ) {
        let name = |part: &str| format!("{prefix}_{part}");
        self.norm(&name("norm"), x, &name("y"), &block.norm);
        let step = block.dilation;
        let along = |axis| vec![("axis", Value::Int(axis))];
        // What stood, or will stand, so many steps away: the sequence moved, with zeros at its end.
        let mut moved = |tap: &str, by: usize, later: bool| {
            let (edge, part, out) = (format!("{tap}_edge"), format!("{tap}_part"), format!("{tap}_tap"));
            self.to.tensor_f32(&edge, &[n, by, d], &vec![0.0; n * by * d]);
            let range = if later { (0, t - by) } else { (by, t) };
            self.slice(&part, &name("y"), 1, range.0, range.1);
            let order = if later { [&*edge, &*part] } else { [&*part, &*edge] };
            self.to.node("Concat", &order, &[&out], along(1));
            out
        };
        let taps = if block.past_only {
            [moved(&name("oldest"), 2 * step, true), moved(&name("older"), step, true), name("y")]
        } else {
            [moved(&name("head"), step, true), name("y"), moved(&name("tail"), step, false)]
        };
        self.to.node("Concat", &taps.each_ref().map(String::as_str), &[&name("three")], along(2));
        self.linear(&name("mix"), &name("three"), &name("mixed"), &block.mix);
        self.silu(&name("mixed"), &name("bent"));
        self.linear(&name("out"), &name("bent"), &name("added"), &block.out);
        self.to.node("Add", &[x, &name("added")], &[next], vec![]);
    }

    /// What lies from `start` up to `end` along an axis.
    fn slice(&mut self, name: &str, input: &str, axis: usize, start: usize, end: usize) {
        let parts = [("starts", start), ("ends", end), ("axes", axis)].map(|(part, value)| {
            let tensor = format!("{name}_{part}");
            self.to.tensor_i64(&tensor, &[1], &[value as i64]);
            tensor
        });
        self.to.node("Slice", &[input, &parts[0], &parts[1], &parts[2]], &[name], vec![]);
    }

    /// x · sigmoid(x).
    fn silu(&mut self, input: &str, output: &str) {
        let gate = format!("{input}_gate");
        self.to.node("Sigmoid", &[input], &[&gate], vec![]);
        self.to.node("Mul", &[input, &gate], &[output], vec![]);
    }

    fn norm<B: Backend>(&mut self, name: &str, input: &str, output: &str, norm: &LayerNorm<B>) {
        let (scale, shift) = (format!("{name}_scale"), format!("{name}_shift"));
        let [d] = norm.gamma.dims();
        // What runs several times has its weights once.
        if !self.to.has(&scale) {
            self.to.tensor_f32(&scale, &[d], &values(&norm.gamma));
            let zeros = || vec![0.0; d];
            self.to.tensor_f32(&shift, &[d], &norm.beta.as_ref().map_or_else(zeros, values));
        }
        let attributes = vec![("axis", Value::Int(-1)), ("epsilon", Value::Float(EPSILON))];
        self.to.node("LayerNormalization", &[input, &scale, &shift], &[output], attributes);
    }

    fn linear<B: Backend>(&mut self, name: &str, input: &str, output: &str, linear: &Linear<B>) {
        let shape = linear.weight.dims();
        let bias = linear.bias.as_ref().map_or_else(|| vec![0.0; shape[1]], values);
        self.linear_of(name, input, output, &shape, &values(&linear.weight), &bias);
    }

    fn linear_of(
        &mut self,
        name: &str,
        input: &str,
        output: &str,
        shape: &[usize; 2],
        weight: &[f32],
        bias: &[f32],
    ) {
        let [w, b] = ["weight", "bias"].map(|part| format!("{name}_{part}"));
        let product = format!("{output}_product");
        if !self.to.has(&w) {
            self.to.tensor_f32(&w, shape, weight);
            self.to.tensor_f32(&b, &[shape[1]], bias);
        }
        self.to.node("MatMul", &[input, &w], &[&product], vec![]);
        self.to.node("Add", &[&product, &b], &[output], vec![]);
    }
}

/// The first layer with standardising folded in: `[F, D]` weights and `[D]` bias.
fn folded<B: Backend>(embed: &Linear<B>, scale: &Scale) -> (Vec<f32>, Vec<f32>) {
    let [_, d] = embed.weight.dims();
    let mut weight = values(&embed.weight);
    let mut bias = embed.bias.as_ref().map_or_else(|| vec![0.0; d], values);
    for (row, (mean, deviation)) in weight.chunks_exact_mut(d).zip(scale.mean.iter().zip(&scale.deviation)) {
        for (weight, bias) in row.iter_mut().zip(&mut bias) {
            *weight /= deviation;
            *bias -= *weight * mean;
        }
    }
    (weight, bias)
}

/// The values of a parameter, row-major.
fn values<B: Backend, const D: usize>(param: &Param<Tensor<B, D>>) -> Vec<f32> {
    numbers(param.val())
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::Distribution;

    use super::*;
    use crate::evaluate::Runner;
    use crate::nn::ClipNetConfig;

    #[test]
    fn an_embedding_is_the_networks_answer_at_length_1() {
        let version = Version::SignV1;
        let (t, f) = (version.frames(), version.width());
        let device = Default::default();
        let config = ClipNetConfig { features: f, width: 8, dilations: vec![1], labels: 5, dropout: 0.5 };
        let net: ClipNet<Flex> = config.init(&device);
        let scale = Scale { mean: vec![0.0; f], deviation: vec![1.0; f] };
        let window = Tensor::<Flex, 3>::random([1, t, f], Distribution::Default, &device);
        let answer: Vec<f32> = net.forward(window.clone()).into_data().to_vec().unwrap();
        let length = answer.iter().map(|v| v * v).sum::<f32>().sqrt();
        let network = embedding_net("one", &net, &scale, version);
        let runner = Runner::from_bytes("one", &network, [1, t, f], 5).unwrap();
        let window: Vec<f32> = window.into_data().to_vec().unwrap();
        let exported = runner.logits(&window).unwrap();
        assert!(
            answer.iter().zip(&exported).all(|(a, b)| (a / length - b).abs() < 1e-4),
            "{answer:?} {exported:?}"
        );
    }

    #[test]
    fn several_networks_give_the_mean_of_their_logits() {
        let version = Version::HandV1;
        let (t, f) = (version.frames(), version.width());
        let device = Default::default();
        let config = ClipNetConfig { features: f, width: 8, dilations: vec![1, 2], labels: 3, dropout: 0.5 };
        let nets: Vec<ClipNet<Flex>> = (0..2).map(|_| config.init(&device)).collect();
        let scale = Scale { mean: vec![0.0; f], deviation: vec![1.0; f] };
        let window = Tensor::<Flex, 3>::random([1, t, f], Distribution::Default, &device);
        let each = nets.iter().map(|net| net.forward(window.clone()));
        let mean = each.reduce(|a, b| a + b).unwrap() / 2.0;
        let mean: Vec<f32> = mean.into_data().to_vec().unwrap();
        let network = clip_nets("two", &nets, &scale, version);
        let runner = Runner::from_bytes("two", &network, [1, t, f], 3).unwrap();
        let window: Vec<f32> = window.into_data().to_vec().unwrap();
        let exported = runner.logits(&window).unwrap();
        assert!(mean.iter().zip(&exported).all(|(a, b)| (a - b).abs() < 1e-4), "{mean:?} {exported:?}");
    }
}
