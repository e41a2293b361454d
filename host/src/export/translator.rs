//! The small translator as ONNX: one network that reads the source, one that goes on by a piece.
//!
//! The tensors are those of [`models::translator::TranslatorModel`]'s module.

use burn::module::Param;
use burn::nn::{Embedding, LayerNorm, Linear};
use burn::tensor::{Tensor, backend::Backend};
use models::onnx::{Builder, Dim, Value};
use models::translator::{NOT_THERE, Sizes};

use super::{Graph, values};
use crate::nn::transformer::DecoderLayer;
use crate::nn::{Attention, Forward, LONGEST_PLACE, Translator, waves};

/// Translators of the same sizes as the networks of one: the bytes of its encoder and of its step.
pub fn translator<B: Backend>(name: &str, nets: &[Translator<B>], sizes: &Sizes) -> [Vec<u8>; 2] {
    let decoders = nets.iter().map(|net| Decoder {
        codes: &net.target,
        layers: &net.decoder,
        norm: &net.decoder_norm,
        bias: &net.bias,
    });
    let decoders: Vec<_> = decoders.collect();
    [encoder(name, nets, sizes), step(name, &decoders, sizes)]
}

/// What says what follows: the half of a network that [`step`] is made of.
pub(super) struct Decoder<'a, B: Backend> {
    /// `[V, D]`: pieces go in by it, and are looked up in it.
    pub codes: &'a Embedding<B>,
    /// In order.
    pub layers: &'a [DecoderLayer<B>],
    /// Over D.
    pub norm: &'a LayerNorm<B>,
    /// `[V]`.
    pub bias: &'a Param<Tensor<B, 1>>,
}

pub(super) fn along(axis: i64) -> Vec<(&'static str, Value)> {
    vec![("axis", Value::Int(axis))]
}

pub(super) fn names(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

fn encoder<B: Backend>(name: &str, nets: &[Translator<B>], sizes: &Sizes) -> Vec<u8> {
    let Sizes { source: s, layers, heads: h, head: k, .. } = *sizes;
    let d = sizes.width();
    let mut graph = Graph { to: Builder::new(name), prefix: String::new() };
    graph.to.input("source", &[Dim::Fixed(1), Dim::Fixed(s)]);
    graph.to.input("there", &[Dim::Fixed(1), Dim::Fixed(s)]);
    graph.to.node("Cast", &["source"], &["numbers"], vec![("to", Value::Int(7))]);
    graph.to.tensor_f32("one", &[1], &[1.0]);
    graph.to.tensor_f32("far", &[1], &[-NOT_THERE]);
    graph.to.node("Sub", &["there", "one"], &["gone"], vec![]);
    graph.to.node("Mul", &["gone", "far"], &["absent_row"], vec![]);
    graph.shaped("absent_row", "absent", &[1, 1, s]);
    graph.to.tensor_f32("places", &[s, d], &waves(s, d, LONGEST_PLACE));
    graph.to.tensor_f32("root", &[1], &[(d as f32).sqrt()]);
    graph.to.tensor_f32("scale", &[1], &[(k as f32).sqrt().recip()]);
    let (mut keys, mut seen) = (vec![], vec![]);
    for (i, net) in nets.iter().enumerate() {
        let name = |part: &str| format!("net{i}_{part}");
        let [pieces, _] = net.source.weight.dims();
        graph.to.tensor_f32(&name("source"), &[pieces, d], &values(&net.source.weight));
        graph.to.node("Gather", &[&name("source"), "numbers"], &[&name("found")], along(0));
        graph.to.node("Mul", &[&name("found"), "root"], &[&name("large")], vec![]);
        graph.to.node("Add", &[&name("large"), "places"], &[&name("x0")], vec![]); // [1, S, D]
        for (l, layer) in net.encoder.iter().enumerate() {
            let name = |part: &str| format!("net{i}_layer{l}_{part}");
            let x = format!("net{i}_x{l}");
            let Attention { norm, query, key, value, out, .. } = &layer.attention;
            graph.norm(&name("norm"), &x, &name("asks"), norm);
            graph.heads(&name("query"), &name("asks"), query, [s, h, k], [1, 0, 2]); // [H, S, K]
            graph.heads(&name("key"), &name("asks"), key, [s, h, k], [1, 2, 0]); // [H, K, S]
            graph.heads(&name("value"), &name("asks"), value, [s, h, k], [1, 0, 2]);
            graph.look(&name("look"), [&name("query"), &name("key"), &name("value")], "absent");
            graph.together(&name("look"), &name("seen"), [1, 0, 2], &[1, s, d]);
            graph.linear(&name("out"), &name("seen"), &name("added"), out);
            graph.to.node("Add", &[&x, &name("added")], &[&name("looked")], vec![]);
            graph.forward(&name("forward"), &name("looked"), &format!("net{i}_x{}", l + 1), &layer.forward);
        }
        let last = format!("net{i}_x{}", net.encoder.len());
        graph.norm(&name("last_norm"), &last, &name("memory"), &net.encoder_norm);
        for (l, layer) in net.decoder.iter().enumerate() {
            let name = |part: &str| format!("net{i}_to{l}_{part}");
            let memory = format!("net{i}_memory");
            graph.heads(&name("keys"), &memory, &layer.source.key, [s, h, k], [1, 2, 0]);
            graph.heads(&name("values"), &memory, &layer.source.value, [s, h, k], [1, 0, 2]);
            keys.push(name("keys"));
            seen.push(name("values"));
        }
    }
    graph.to.node("Concat", &names(&keys), &["keys"], along(0));
    graph.to.node("Concat", &names(&seen), &["values"], along(0));
    graph.to.output("keys", &[Dim::Fixed(layers * h), Dim::Fixed(k), Dim::Fixed(s)]);
    graph.to.output("values", &[Dim::Fixed(layers * h), Dim::Fixed(s), Dim::Fixed(k)]);
    graph.to.finish(&[])
}

/// The network that goes on by a piece: the mean of what decoders of the same sizes say.
pub(super) fn step<B: Backend>(name: &str, nets: &[Decoder<B>], sizes: &Sizes) -> Vec<u8> {
    let Sizes { source: s, target: u, beam: n, layers, heads: h, head: k } = *sizes;
    let d = sizes.width();
    let mut graph = Graph { to: Builder::new(name), prefix: String::new() };
    graph.to.input("keys", &[Dim::Fixed(layers * h), Dim::Fixed(k), Dim::Fixed(s)]);
    graph.to.input("values", &[Dim::Fixed(layers * h), Dim::Fixed(s), Dim::Fixed(k)]);
    graph.to.input("absent", &[Dim::Fixed(1), Dim::Fixed(s)]);
    graph.to.input("pieces", &[Dim::Fixed(n)]);
    graph.to.input("place", &[Dim::Fixed(1)]);
    graph.to.input("past_keys", &[Dim::Fixed(layers * n * h), Dim::Fixed(k), Dim::Fixed(u)]);
    graph.to.input("past_values", &[Dim::Fixed(layers * n * h), Dim::Fixed(u), Dim::Fixed(k)]);
    graph.to.input("past", &[Dim::Fixed(1), Dim::Fixed(u)]);
    graph.to.node("Cast", &["pieces"], &["numbers"], vec![("to", Value::Int(7))]);
    graph.to.node("Cast", &["place"], &["which"], vec![("to", Value::Int(7))]);
    graph.to.tensor_f32("places", &[u + 1, d], &waves(u + 1, d, LONGEST_PLACE));
    graph.to.node("Gather", &["places", "which"], &["here"], along(0)); // [1, D]
    graph.shaped("absent", "absent_cube", &[1, 1, s]);
    graph.shaped("past", "past_cube", &[1, 1, u]);
    graph.to.tensor_f32("root", &[1], &[(d as f32).sqrt()]);
    graph.to.tensor_f32("scale", &[1], &[(k as f32).sqrt().recip()]);
    graph.to.tensor_i64("last_axis", &[1], &[2]);
    let (mut keys, mut said, mut answers, mut cached) = (vec![], vec![], vec![], 0);
    for (i, net) in nets.iter().enumerate() {
        let name = |part: &str| format!("net{i}_{part}");
        let [pieces, _] = net.codes.weight.dims();
        graph.to.tensor_f32(&name("target"), &[pieces, d], &values(&net.codes.weight));
        graph.to.node("Gather", &[&name("target"), "numbers"], &[&name("found")], along(0));
        graph.to.node("Mul", &[&name("found"), "root"], &[&name("large")], vec![]);
        graph.to.node("Add", &[&name("large"), "here"], &[&name("x0")], vec![]); // [N, D]
        for (l, layer) in net.layers.iter().enumerate() {
            let name = |part: &str| format!("net{i}_layer{l}_{part}");
            let x = format!("net{i}_x{l}");
            let Attention { norm, query, key, value, out, .. } = &layer.past;
            graph.norm(&name("norm"), &x, &name("asks"), norm);
            for (part, linear) in [("query", query), ("key", key), ("value", value)] {
                graph.linear(&name(part), &name("asks"), &name(&format!("{part}_row")), linear); // [N, D]
                graph.shaped(&name(&format!("{part}_row")), &name(part), &[n * h, 1, k]);
            }
            let rows = [cached * n * h, (cached + 1) * n * h];
            graph.slice(&name("past_keys"), "past_keys", 0, rows[0], rows[1]);
            graph.slice(&name("past_values"), "past_values", 0, rows[0], rows[1]);
            graph.to.node("MatMul", &[&name("query"), &name("past_keys")], &[&name("raw")], vec![]); // [NH, 1, U]
            graph.to.node("Mul", &[&name("query"), &name("key")], &[&name("own_each")], vec![]);
            let sum = vec![("keepdims", Value::Int(1))];
            graph.to.node("ReduceSum", &[&name("own_each"), "last_axis"], &[&name("own_raw")], sum); // [NH, 1, 1]
            graph.to.node("Mul", &[&name("raw"), "scale"], &[&name("scaled")], vec![]);
            graph.to.node("Mul", &[&name("own_raw"), "scale"], &[&name("own")], vec![]);
            graph.to.node("Add", &[&name("scaled"), "past_cube"], &[&name("before")], vec![]);
            graph.to.node("Concat", &[&name("before"), &name("own")], &[&name("all")], along(2));
            graph.to.node("Softmax", &[&name("all")], &[&name("share")], along(2));
            graph.slice(&name("share_before"), &name("share"), 2, 0, u);
            graph.slice(&name("share_own"), &name("share"), 2, u, u + 1);
            let seen = [name("share_before"), name("past_values"), name("seen_before")];
            graph.to.node("MatMul", &[&seen[0], &seen[1]], &[&seen[2]], vec![]); // [NH, 1, K]
            graph.to.node("Mul", &[&name("share_own"), &name("value")], &[&name("seen_own")], vec![]);
            graph.to.node("Add", &[&name("seen_before"), &name("seen_own")], &[&name("seen_heads")], vec![]);
            graph.shaped(&name("seen_heads"), &name("seen"), &[n, d]);
            graph.linear(&name("out"), &name("seen"), &name("added"), out);
            graph.to.node("Add", &[&x, &name("added")], &[&name("looked_back")], vec![]);
            for (part, found) in [("key", &mut keys), ("value", &mut said)] {
                graph.shaped(&name(&format!("{part}_row")), &name(&format!("{part}_new")), &[1, n, d]);
                found.push(name(&format!("{part}_new")));
            }

            let Attention { norm, query, out, .. } = &layer.source;
            graph.norm(&name("source_norm"), &name("looked_back"), &name("source_asks"), norm);
            graph.heads(&name("source_query"), &name("source_asks"), query, [n, h, k], [1, 0, 2]); // [H, N, K]
            graph.slice(&name("keys"), "keys", 0, cached * h, (cached + 1) * h);
            graph.slice(&name("values"), "values", 0, cached * h, (cached + 1) * h);
            let from = [name("source_query"), name("keys"), name("values")];
            graph.look(&name("source_look"), from.each_ref().map(String::as_str), "absent_cube");
            graph.together(&name("source_look"), &name("source_seen"), [1, 0, 2], &[n, d]);
            graph.linear(&name("source_out"), &name("source_seen"), &name("source_added"), out);
            graph.to.node("Add", &[&name("looked_back"), &name("source_added")], &[&name("looked")], vec![]);
            graph.forward(&name("forward"), &name("looked"), &format!("net{i}_x{}", l + 1), &layer.forward);
            cached += 1;
        }
        let last = format!("net{i}_x{}", net.layers.len());
        graph.norm(&name("last_norm"), &last, &name("last"), net.norm);
        let turned = vec![("perm", Value::Ints(vec![1, 0]))];
        graph.to.node("Transpose", &[&name("target")], &[&name("target_turned")], turned);
        graph.to.node("MatMul", &[&name("last"), &name("target_turned")], &[&name("product")], vec![]);
        graph.to.tensor_f32(&name("bias"), &[pieces], &values(net.bias));
        graph.to.node("Add", &[&name("product"), &name("bias")], &[&name("logits")], vec![]);
        graph.to.node("Softmax", &[&name("logits")], &[&name("answer")], along(1));
        answers.push(name("answer"));
    }
    let mut answer = answers[0].clone();
    if answers.len() > 1 {
        answer = "mean_answer".into();
        graph.to.node("Mean", &names(&answers), &[&answer], vec![]);
    }
    graph.to.node("Log", &[&answer], &["next"], vec![]);
    graph.to.node("Concat", &names(&keys), &["new_keys"], along(0));
    graph.to.node("Concat", &names(&said), &["new_values"], along(0));
    let pieces = nets[0].codes.weight.dims()[0];
    graph.to.output("next", &[Dim::Fixed(n), Dim::Fixed(pieces)]);
    graph.to.output("new_keys", &[Dim::Fixed(layers), Dim::Fixed(n), Dim::Fixed(d)]);
    graph.to.output("new_values", &[Dim::Fixed(layers), Dim::Fixed(n), Dim::Fixed(d)]);
    graph.to.finish(&[])
}

impl Graph {
    /// The same values in another shape.
    pub(super) fn shaped(&mut self, input: &str, output: &str, shape: &[usize]) {
        let tensor = format!("{output}_shape");
        let sizes: Vec<i64> = shape.iter().map(|n| *n as i64).collect();
        self.to.tensor_i64(&tensor, &[sizes.len()], &sizes);
        self.to.node("Reshape", &[input, &tensor], &[output], vec![]);
    }

    /// A linear layer whose values, `[T, D]`, are parted into heads: `[T, H, K]`, in the order asked for.
    fn heads<B: Backend>(
        &mut self,
        name: &str,
        input: &str,
        linear: &Linear<B>,
        shape: [usize; 3],
        order: [i64; 3],
    ) {
        self.heads_of(&format!("{name}_linear"), input, name, linear, (&shape, &order));
    }

    /// The same of rows of any shape, under a name of its weights.
    pub(super) fn heads_of<B: Backend>(
        &mut self,
        name: &str,
        input: &str,
        output: &str,
        linear: &Linear<B>,
        (shape, order): (&[usize], &[i64]),
    ) {
        let (row, parted) = (format!("{output}_row"), format!("{output}_parted"));
        self.linear(name, input, &row, linear);
        self.shaped(&row, &parted, shape);
        self.to.node("Transpose", &[&parted], &[output], vec![("perm", Value::Ints(order.to_vec()))]);
    }

    /// What each head sees: `[H, T, K]` of query `[H, T, K]`, key `[H, K, S]` and value `[H, S, K]`.
    fn look(&mut self, name: &str, from: [&str; 3], absent: &str) {
        self.look_along(name, from, absent, ("scale", 2));
    }

    /// The same of tensors with more axes before these; S is their last, by its number, and `scale` the tensor that
    /// products are made smaller by.
    pub(super) fn look_along(
        &mut self,
        name: &str,
        [query, key, value]: [&str; 3],
        absent: &str,
        (scale, last): (&str, i64),
    ) {
        let part = |part: &str| format!("{name}_{part}");
        self.to.node("MatMul", &[query, key], &[&part("raw")], vec![]);
        self.to.node("Mul", &[&part("raw"), scale], &[&part("scaled")], vec![]);
        self.to.node("Add", &[&part("scaled"), absent], &[&part("scores")], vec![]);
        self.to.node("Softmax", &[&part("scores")], &[&part("share")], along(last));
        self.to.node("MatMul", &[&part("share"), value], &[name], vec![]);
    }

    /// Heads side by side again.
    pub(super) fn together(&mut self, input: &str, output: &str, order: [i64; 3], shape: &[usize]) {
        let turned = format!("{output}_turned");
        self.to.node("Transpose", &[input], &[&turned], vec![("perm", Value::Ints(order.to_vec()))]);
        self.shaped(&turned, output, shape);
    }

    /// A feed-forward layer, and what it is added to.
    pub(super) fn forward<B: Backend>(&mut self, name: &str, input: &str, output: &str, layer: &Forward<B>) {
        let (part, now) = (|part: &str| format!("{name}_{part}"), |part: &str| format!("{output}_{part}"));
        self.norm(&part("norm"), input, &now("normed"), &layer.norm);
        self.linear(&part("up"), &now("normed"), &now("wide"), &layer.up);
        self.silu(&now("wide"), &now("bent"));
        self.linear(&part("down"), &now("bent"), &now("forward"), &layer.down);
        self.to.node("Add", &[input, &now("forward")], &[output], vec![]);
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::{Int, Tensor, TensorData, activation::softmax};
    use models::translator::{BEGIN, END, log_probs};

    use super::*;
    use crate::evaluate::TranslatorNetworks;
    use crate::nn::{Drops, TranslatorConfig};

    #[test]
    fn exported_they_say_what_their_mean_said() {
        let device = Default::default();
        let config = TranslatorConfig { pieces: [9, 7], width: 8, heads: 2, inner: 12, layers: [2, 2] };
        let nets: Vec<Translator<Flex>> = (0..2).map(|_| config.init(&device)).collect();
        let sizes = Sizes { source: 6, target: 5, beam: 3, layers: 4, heads: 2, head: 4 };
        let [encoder, step] = translator("test", &nets, &sizes);
        let mut networks = TranslatorNetworks::new("test", [&encoder, &step], sizes, 7).unwrap();
        let (source, target) = ([4, 3, 8], [5, 3, 6, 6]);
        let said = log_probs(sizes, &mut networks, &source, &target).unwrap();

        let row = |pieces: &[u32]| {
            let numbers: Vec<i64> = pieces.iter().map(|p| i64::from(*p)).collect();
            Tensor::<Flex, 2, Int>::from_data(TensorData::new(numbers, [1, pieces.len()]), &device)
        };
        // The padding of a batch changes nothing.
        let sources = row(&[&source[..], &[END, END, END]].concat());
        let lengths = [4];
        let each = nets.iter().map(|net| {
            let memory = net.encode(sources.clone(), &lengths, &mut Drops::none());
            let said = row(&[&[BEGIN], &target[..]].concat());
            softmax(net.decode(said, &memory, &lengths, &mut Drops::none()), 1)
        });
        let mean = each.reduce(|a, b| a + b).unwrap() / 2.0;
        let expect: Vec<f32> = mean.log().into_data().to_vec().unwrap();
        assert_eq!(said.len(), expect.len());
        assert!(said.iter().zip(&expect).all(|(a, b)| (a - b).abs() < 1e-4), "{said:?} {expect:?}");
        // Another size than the manifest's is an error and no panic.
        let mut wrong = TranslatorNetworks::new("test", [&encoder, &step], sizes, 6).unwrap();
        let refused = log_probs(sizes, &mut wrong, &source, &target).unwrap_err().to_string();
        assert!(refused.contains("values"), "{refused}");
    }
}
