//! SignX's Pose2Gloss as ONNX: one network that reads a clip, with all steps of the sampler, and one that goes on by a
//! gloss. The second is a translator's, and so is what the first gives, so that [`models::translator::Session`] runs
//! both:
//!
//! | tensor | shape | what it is |
//! |---|---|---|
//! | `frames` | `[T, F]` | the tracks side by side |
//! | `there` | `[T, 5]` | 1 where a track has the frame, else 0 |
//! | `keys`, `values` | `[L * H, K, T]`, `[L * H, T, K]` | what the decoder's layers look at |
//! | `heard` | `[T, V]` | what each frame says by itself, logarithms of probabilities |

use burn::nn::Linear;
use burn::tensor::backend::Backend;
use models::onnx::{Builder, Dim, Value};
use models::translator::{NOT_THERE, Sizes};

use super::translator::{Decoder, along, names, step};
use super::{Graph, Scale, folded, values};
use crate::nn::transformer::EncoderLayer;
use crate::nn::{LONGEST_PLACE, numbers, waves};
use crate::signx::{Diffusion, Fuse, Noise, Pose2Gloss};

/// A network as two: the bytes of its encoder and of its step. `sizes.source` are frames.
pub fn signx<B: Backend>(
    name: &str,
    net: &Pose2Gloss<B>,
    diffusion: &Diffusion,
    sizes: &Sizes,
) -> [Vec<u8>; 2] {
    let codebook = &net.codebook;
    let decoder = Decoder {
        codes: &codebook.codes,
        layers: &codebook.layers,
        norm: &codebook.norm,
        bias: &codebook.bias,
    };
    [encoder(name, net, diffusion, sizes), step(name, &[decoder], sizes)]
}

fn encoder<B: Backend>(name: &str, net: &Pose2Gloss<B>, diffusion: &Diffusion, sizes: &Sizes) -> Vec<u8> {
    let Sizes { source: t, layers, heads: h, head: k, .. } = *sizes;
    let tracks = net.encode.tracks.len();
    let f = net.encode.tracks.iter().map(|track| track.standard.width()).sum();
    let mut graph = Graph { to: Builder::new(name), prefix: String::new() };
    graph.to.input("frames", &[Dim::Fixed(t), Dim::Fixed(f)]);
    graph.to.input("there", &[Dim::Fixed(t), Dim::Fixed(tracks)]);
    graph.to.tensor_f32("one", &[1], &[1.0]);
    graph.to.tensor_f32("far", &[1], &[-NOT_THERE]);
    graph.tracks(net, t);
    graph.fuse(&net.fuse, [t, tracks]);
    graph.linear("padmatch", "fused", "projected", &net.padmatch.project);
    graph.norm("padmatch_norm", "projected", "latent", &net.padmatch.norm); // [T, Z]

    let over_tracks = vec![("axes", Value::Ints(vec![1])), ("keepdims", Value::Int(1))];
    graph.to.node("ReduceMax", &["there"], &["seen"], over_tracks);
    graph.to.node("Sub", &["seen", "one"], &["unseen"], vec![]);
    graph.to.node("Mul", &["unseen", "far"], &["absent_column"], vec![]);
    graph.shaped("absent_column", "absent", &[1, 1, t]);
    let mut z = "latent".to_owned();
    for (i, step) in diffusion.moves().into_iter().enumerate() {
        let (noise, next) = (format!("noise{i}"), format!("latent{}", i + 1));
        graph.noise(&net.noise, &z, &noise, step.at, t);
        for (part, share, of) in [("keeps", step.keeps, &z), ("adds", step.adds, &noise)] {
            graph.to.tensor_f32(&format!("{part}{i}"), &[1], &[share]);
            graph.to.node("Mul", &[of, &format!("{part}{i}")], &[&format!("{part}{i}_of")], vec![]);
        }
        graph.to.node("Add", &[&format!("keeps{i}_of"), &format!("adds{i}_of")], &[&next], vec![]);
        z = next;
    }

    let d = sizes.width();
    graph.linear("memory", &z, "remembered", &net.codebook.memory);
    graph.placed("remembered", "memory_placed", [t, d]);
    let (mut keys, mut seen) = (vec![], vec![]);
    for (l, layer) in net.codebook.layers.iter().enumerate() {
        let name = |part: &str| format!("to{l}_{part}");
        let mut kept = |part: &str, linear: &Linear<B>, order: [i64; 3]| {
            let weights = name(&format!("{part}_linear"));
            graph.heads_of(&weights, "memory_placed", &name(part), linear, (&[t, h, k], &order));
        };
        kept("keys", &layer.source.key, [1, 2, 0]);
        kept("values", &layer.source.value, [1, 0, 2]);
        keys.push(name("keys"));
        seen.push(name("values"));
    }
    graph.to.node("Concat", &names(&keys), &["keys"], along(0));
    graph.to.node("Concat", &names(&seen), &["values"], along(0));
    let codes = net.codebook.codes.weight.val();
    let [v, _] = codes.dims();
    graph.linear_of("hear", "remembered", "hears", &[d, v], &numbers(codes.transpose()), &vec![0.0; v]);
    graph.to.node("LogSoftmax", &["hears"], &["heard"], along(1));
    graph.to.output("keys", &[Dim::Fixed(layers * h), Dim::Fixed(k), Dim::Fixed(t)]);
    graph.to.output("values", &[Dim::Fixed(layers * h), Dim::Fixed(t), Dim::Fixed(k)]);
    graph.to.output("heard", &[Dim::Fixed(t), Dim::Fixed(v)]);
    graph.to.finish(&[])
}

impl Graph {
    /// Equation 1: `features` `[T * K, D]` and `there_cube` `[T, K, 1]` of `frames` and `there`.
    fn tracks<B: Backend>(&mut self, net: &Pose2Gloss<B>, t: usize) {
        let (mut start, mut features) = (0, vec![]);
        let d = net.fuse.attention.query.weight.dims()[0];
        for (i, track) in net.encode.tracks.iter().enumerate() {
            let name = |part: &str| format!("track{i}_{part}");
            let end = start + track.standard.width();
            self.slice(&name("numbers"), "frames", 1, start, end);
            self.slice(&name("there"), "there", 1, i, i + 1);
            let scale =
                Scale { mean: values(&track.standard.mean), deviation: values(&track.standard.deviation) };
            let (weight, bias) = folded(&track.into, &scale);
            self.linear_of(&name("into"), &name("numbers"), &name("x"), &[end - start, d], &weight, &bias);
            let x = match &track.beside {
                Some(linear) => {
                    self.to.node("Mul", &[&name("x"), &name("there")], &[&name("x_there")], vec![]);
                    self.beside(&name("beside"), &name("x_there"), [t, d], linear)
                }
                None => name("x"),
            };
            self.forward(&name("forward"), &x, &name("said"), &track.forward);
            self.to.node("Mul", &[&name("said"), &name("there")], &[&name("feature")], vec![]);
            features.push(name("feature"));
            start = end;
        }
        let k = features.len();
        self.to.node("Concat", &names(&features), &["features_wide"], along(1)); // [T, K * D]
        self.shaped("features_wide", "features", &[t * k, d]);
        self.shaped("there", "there_cube", &[t, k, 1]);
    }

    /// Frames with what is seen beside each of them added, `[T, D]` both.
    fn beside<B: Backend>(
        &mut self,
        name: &str,
        input: &str,
        [t, d]: [usize; 2],
        linear: &Linear<B>,
    ) -> String {
        let now = |part: &str| format!("{name}_{part}");
        let window = linear.weight.dims()[0] / d;
        let reach = window / 2;
        self.to.tensor_f32(&now("nothing"), &[reach, d], &vec![0.0; reach * d]);
        self.to.node("Concat", &[&now("nothing"), input, &now("nothing")], &[&now("long")], along(0));
        let seen: Vec<String> = (0..window).map(|i| now(&format!("from{i}"))).collect();
        for (i, part) in seen.iter().enumerate() {
            self.slice(part, &now("long"), 0, i, i + t);
        }
        self.to.node("Concat", &names(&seen), &[&now("seen")], along(1));
        self.linear(name, &now("seen"), &now("added"), linear);
        self.to.node("Add", &[input, &now("added")], &[&now("x")], vec![]);
        now("x")
    }

    /// Equation 2: `fused` `[T, D]` of `features`.
    fn fuse<B: Backend>(&mut self, fuse: &Fuse<B>, [t, tracks]: [usize; 2]) {
        let (attention, rows) = (&fuse.attention, t * tracks);
        let (d, h) = (attention.query.weight.dims()[0], attention.heads);
        let parted = [t, tracks, h, d / h];
        self.norm("fuse_norm", "features", "fuse_asks", &attention.norm);
        let query_like: [i64; 4] = [0, 2, 1, 3];
        self.heads_of("fuse_q", "fuse_asks", "fuse_query", &attention.query, (&parted, &query_like));
        self.heads_of("fuse_k", "fuse_asks", "fuse_key", &attention.key, (&parted, &[0, 2, 3, 1]));
        self.heads_of("fuse_v", "fuse_asks", "fuse_value", &attention.value, (&parted, &query_like));
        self.to.node("Sub", &["there", "one"], &["tracks_gone"], vec![]);
        self.to.node("Mul", &["tracks_gone", "far"], &["tracks_absent_rows"], vec![]);
        self.shaped("tracks_absent_rows", "tracks_absent", &[t, 1, 1, tracks]);
        let (from, scale) = (["fuse_query", "fuse_key", "fuse_value"], self.scale(d / h));
        self.look_along("fuse_look", from, "tracks_absent", (&scale, 3));
        let order = vec![("perm", Value::Ints(query_like.to_vec()))];
        self.to.node("Transpose", &["fuse_look"], &["fuse_turned"], order);
        self.shaped("fuse_turned", "fuse_seen", &[rows, d]);
        self.linear("fuse_o", "fuse_seen", "fuse_added", &attention.out);
        self.to.node("Add", &["features", "fuse_added"], &["fuse_rows"], vec![]);
        self.shaped("fuse_rows", "fuse_cube", &[t, tracks, d]);
        self.to.node("Mul", &["fuse_cube", "there_cube"], &["fuse_there"], vec![]);
        self.to.tensor_i64("over_tracks", &[1], &[1]);
        let dropped = || vec![("keepdims", Value::Int(0))];
        self.to.node("ReduceSum", &["fuse_there", "over_tracks"], &["fuse_sum"], dropped()); // [T, D]
        let kept = vec![("keepdims", Value::Int(1))];
        self.to.node("ReduceSum", &["there", "over_tracks"], &["how_many_or_none"], kept); // [T, 1]
        self.to.node("Max", &["how_many_or_none", "one"], &["how_many"], vec![]);
        self.to.node("Div", &["fuse_sum", "how_many"], &["fused"], vec![]);
    }

    /// Equation 8: the noise in `input` at a level, `[T, Z]` both.
    fn noise<B: Backend>(&mut self, net: &Noise<B>, input: &str, output: &str, level: usize, t: usize) {
        let now = |part: &str| format!("{output}_{part}");
        let d = net.into.weight.dims()[1];
        self.linear("noise_into", input, &now("into"), &net.into);
        self.placed(&now("into"), &now("x0"), [t, d]);
        let when = net.when(&[level]);
        let (mut x, mut early) = (now("x0"), vec![]);
        for (l, layer) in net.layers.iter().enumerate() {
            let now = |part: &str| now(&format!("{l}_{part}"));
            if let Some(skip) = &layer.skip {
                let before: String = early.pop().expect("there are as many early layers as late ones");
                self.to.node("Concat", &[&x, &before], &[&now("both")], along(1));
                self.linear(&format!("noise{l}_skip"), &now("both"), &now("joined"), skip);
                x = now("joined");
            }
            // The level is known when the graph is written, and so is what it adds.
            self.to.tensor_f32(&now("when"), &[1, d], &numbers(layer.when.forward(when.clone())));
            self.to.node("Add", &[&x, &now("when")], &[&now("told")], vec![]);
            self.encoder_layer(&format!("noise{l}"), &now("told"), &now("out"), &layer.layer, t);
            x = now("out");
            if l < net.layers.len() / 2 {
                early.push(x.clone());
            }
        }
        self.norm("noise_norm", &x, &now("normed"), &net.norm);
        self.linear("noise_out", &now("normed"), output, &net.out);
    }

    /// A layer that looks at all frames that are not `absent`, `[T, D]`.
    pub(super) fn encoder_layer<B: Backend>(
        &mut self,
        name: &str,
        input: &str,
        output: &str,
        layer: &EncoderLayer<B>,
        t: usize,
    ) {
        let (part, now) = (|part: &str| format!("{name}_{part}"), |part: &str| format!("{output}_{part}"));
        let attention = &layer.attention;
        let (d, h) = (attention.query.weight.dims()[0], attention.heads);
        let parted = [t, h, d / h];
        self.norm(&part("norm"), input, &now("asks"), &attention.norm);
        for (which, linear, order) in [
            ("query", &attention.query, [1, 0, 2]),
            ("key", &attention.key, [1, 2, 0]),
            ("value", &attention.value, [1, 0, 2]),
        ] {
            self.heads_of(&part(which), &now("asks"), &now(which), linear, (&parted, &order));
        }
        let (from, scale) = ([now("query"), now("key"), now("value")], self.scale(d / h));
        self.look_along(&now("look"), from.each_ref().map(String::as_str), "absent", (&scale, 2));
        self.together(&now("look"), &now("seen"), [1, 0, 2], &[t, d]);
        self.linear(&part("out"), &now("seen"), &now("added"), &attention.out);
        self.to.node("Add", &[input, &now("added")], &[&now("looked")], vec![]);
        self.forward(&part("forward"), &now("looked"), output, &layer.forward);
    }

    /// The tensor that products of heads so wide are made smaller by: its name.
    fn scale(&mut self, head: usize) -> String {
        let name = format!("scale{head}");
        if !self.to.has(&name) {
            self.to.tensor_f32(&name, &[1], &[(head as f32).sqrt().recip()]);
        }
        name
    }

    /// Rows with waves that tell their places, `[T, D]`.
    pub(super) fn placed(&mut self, input: &str, output: &str, [t, d]: [usize; 2]) {
        let places = format!("places{d}");
        if !self.to.has(&places) {
            self.to.tensor_f32(&places, &[t, d], &waves(t, d, LONGEST_PLACE));
        }
        self.to.node("Add", &[input, &places], &[output], vec![]);
    }
}
