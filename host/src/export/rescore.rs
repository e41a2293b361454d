//! The rescorer as ONNX: a whole utterance, and all that may have been said in it, at once.

use burn::tensor::backend::Backend;
use models::onnx::{Builder, Dim, Value};
use models::translator::NOT_THERE;

use super::{Graph, values};
use crate::nn::{LONGEST_TIME, RescoreNet, waves};

/// A network as ONNX: `hidden [1, T, D]`, `there [1, T, 1]`, `glosses [N, U]` and `at [N, U]` to `ctc [T, 1 + G]` and
/// `next [N, U, 1 + G]`, see [`models::live::Rescorer`].
///
/// The numbers of glosses and steps come as floats, the only tensors that every engine of the unit takes.
pub fn rescore_net<B: Backend>(
    name: &str,
    net: &RescoreNet<B>,
    steps: usize,
    [hypotheses, length]: [usize; 2],
) -> Vec<u8> {
    let mut graph = Graph { to: Builder::new(name), prefix: String::new() };
    let [labels, d] = net.embed.weight.dims();
    let (t, n, u) = (steps, hypotheses, length);
    graph.to.input("hidden", &[Dim::Fixed(1), Dim::Fixed(t), Dim::Fixed(d)]);
    graph.to.input("there", &[Dim::Fixed(1), Dim::Fixed(t), Dim::Fixed(1)]);
    graph.to.input("glosses", &[Dim::Fixed(n), Dim::Fixed(u)]);
    graph.to.input("at", &[Dim::Fixed(n), Dim::Fixed(u)]);

    graph.to.node("Mul", &["hidden", "there"], &["m0"], vec![]);
    for (i, block) in net.blocks.iter().enumerate() {
        let (x, open, next) = (format!("m{i}"), format!("m{i}_open"), format!("m{}", i + 1));
        graph.block(block, &format!("look{i}"), &x, &open, [1, t, d]);
        graph.to.node("Mul", &[&open, "there"], &[&next], vec![]);
    }
    let memory = format!("m{}", net.blocks.len());
    graph.linear("ctc_head", &memory, "ctc_whole", &net.ctc);
    graph.to.tensor_i64("ctc_shape", &[2], &[t as i64, labels as i64]);
    graph.to.node("Reshape", &["ctc_whole", "ctc_shape"], &["ctc"], vec![]);

    // What each step answers, and which steps are not there: (there - 1) * 1e4, turned to a row.
    graph.to.tensor_f32("times", &[t, d], &waves(t, d, LONGEST_TIME));
    graph.to.node("Add", &[&memory, "times"], &["steps"], vec![]);
    graph.to.tensor_f32("one", &[1], &[1.0]);
    graph.to.tensor_f32("far", &[1], &[-NOT_THERE]);
    graph.to.node("Sub", &["there", "one"], &["absent"], vec![]);
    graph.to.node("Mul", &["absent", "far"], &["absent_far"], vec![]);
    let turned = || vec![("perm", Value::Ints(vec![0, 2, 1]))];
    graph.to.node("Transpose", &["absent_far"], &["absent_steps"], turned());

    graph.to.node("Cast", &["glosses"], &["numbers"], vec![("to", Value::Int(7))]);
    graph.to.tensor_f32("embed", &[labels, d], &values(&net.embed.weight));
    graph.to.node("Gather", &["embed", "numbers"], &["embedded"], vec![("axis", Value::Int(0))]);
    graph.to.node("Cast", &["at"], &["at_steps"], vec![("to", Value::Int(7))]);
    graph.to.node("Gather", &["times", "at_steps"], &["when"], vec![("axis", Value::Int(0))]);
    graph.to.node("Add", &["embedded", "when"], &["d0"], vec![]);
    graph.to.tensor_f32("root", &[1], &[1.0 / (d as f32).sqrt()]);
    for (i, layer) in net.layers.iter().enumerate() {
        let name = |part: &str| format!("layer{i}_{part}");
        let (x, next) = (format!("d{i}"), format!("d{}", i + 1));
        graph.block(&layer.before, &name("before"), &x, &name("so_far"), [n, u, d]);
        graph.norm(&name("norm"), &name("so_far"), &name("asks"), &layer.norm);
        graph.linear(&name("query"), &name("asks"), &name("q"), &layer.query);
        graph.linear(&name("key"), "steps", &name("k"), &layer.key);
        graph.linear(&name("value"), "steps", &name("v"), &layer.value);
        graph.to.node("Transpose", &[&name("k")], &[&name("k_turned")], turned());
        graph.to.node("MatMul", &[&name("q"), &name("k_turned")], &[&name("raw")], vec![]);
        graph.to.node("Mul", &[&name("raw"), "root"], &[&name("scaled")], vec![]);
        graph.to.node("Add", &[&name("scaled"), "absent_steps"], &[&name("scores")], vec![]);
        graph.to.node("Softmax", &[&name("scores")], &[&name("share")], vec![("axis", Value::Int(2))]);
        graph.to.node("MatMul", &[&name("share"), &name("v")], &[&name("seen")], vec![]);
        graph.linear(&name("out"), &name("seen"), &name("added"), &layer.out);
        graph.to.node("Add", &[&name("so_far"), &name("added")], &[&next], vec![]);
    }
    graph.norm("last_norm", &format!("d{}", net.layers.len()), "last", &net.last_norm);
    graph.linear("head", "last", "next", &net.head);
    graph.to.output("ctc", &[Dim::Fixed(t), Dim::Fixed(labels)]);
    graph.to.output("next", &[Dim::Fixed(n), Dim::Fixed(u), Dim::Fixed(labels)]);
    graph.to.finish(&[])
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::nn::LinearConfig;
    use burn::tensor::{Distribution, Int, Tensor, TensorData};

    use models::live::{RescoreInput, RescoreNetwork};

    use super::*;
    use crate::evaluate::{RescoreRunner, RescoreSizes};
    use crate::nn::{LiveNetConfig, RescoreNetConfig};

    #[test]
    fn exported_it_says_what_it_said() {
        let device = Default::default();
        let (t, n, u, d, g) = (12, 3, 5, 8, 4);
        let live = LiveNetConfig { features: 5, width: d, dilations: vec![1], glosses: g, dropout: 0.5 };
        let live = live.init::<Flex>(&device);
        let config =
            RescoreNetConfig { width: d, dilations: vec![1, 2], layers: 2, glosses: g, dropout: 0.5 };
        let mut net = config.init::<Flex>(&live, &device);
        let hidden = Tensor::<Flex, 3>::random([1, t, d], Distribution::Default, &device);
        let there: Vec<f32> = (0..t).map(|i| f32::from(u8::from(i < 9))).collect();
        let mask = Tensor::<Flex, 3>::from_data(TensorData::new(there.clone(), [1, t, 1]), &device);
        let glosses: Vec<f32> =
            (0..n * u).map(|i| if i % u == 0 { 0.0 } else { (i % (g + 1)) as f32 }).collect();
        let numbers: Vec<i64> = glosses.iter().map(|v| *v as i64).collect();
        let at: Vec<i64> = (0..n * u).map(|i| (i % u * 2) as i64).collect();
        let times: Vec<f32> = at.iter().map(|v| *v as f32).collect();

        let (_, first) = net.memory(hidden.clone(), &mask);
        let own = live.head.forward(hidden.clone() * mask.clone());
        let far = (first - own.narrow(2, 0, g + 1)).abs().max().into_scalar();
        assert!(far < 1e-5, "before it has learnt anything it says what the live network does: {far}");

        // Blocks that add something.
        for block in &mut net.blocks {
            block.out = LinearConfig::new(d, d).init(&device);
        }
        let (memory, ctc) = net.memory(hidden.clone(), &mask);
        let memory = memory.repeat_dim(0, n);
        let next = net.next(
            memory,
            &mask.repeat_dim(0, n),
            Tensor::<Flex, 2, Int>::from_data(TensorData::new(numbers, [n, u]), &device),
            Tensor::<Flex, 2, Int>::from_data(TensorData::new(at, [n, u]), &device),
        );
        let network = rescore_net("test", &net, t, [n, u]);
        let sizes = RescoreSizes { steps: t, width: d, hypotheses: n, length: u, labels: 1 + g };
        let mut runner = RescoreRunner::from_bytes("test", &network, sizes).unwrap();
        let hidden: Vec<f32> = hidden.into_data().to_vec().unwrap();
        let input = RescoreInput { hidden, there, glosses, at: times };
        let said = runner.rescore(&input).unwrap();
        let near = |a: &[f32], b: Vec<f32>| {
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4)
        };
        assert!(near(&said.ctc, ctc.into_data().to_vec().unwrap()), "CTC");
        assert!(near(&said.next, next.into_data().to_vec().unwrap()), "what follows");
        // What stands in steps that are not there changes nothing.
        let mut noisy = input.clone();
        noisy.hidden[9 * d..].fill(7.0);
        let again = runner.rescore(&noisy).unwrap();
        assert!(
            near(&again.ctc[..9 * (g + 1)], said.ctc[..9 * (g + 1)].to_vec()) && near(&again.next, said.next)
        );
        // Another size than the manifest's is an error and no panic.
        let wrong = RescoreSizes { labels: 2, ..sizes };
        let refused =
            RescoreRunner::from_bytes("test", &network, wrong).unwrap().rescore(&input).unwrap_err();
        assert!(refused.to_string().contains("values"), "{refused}");
    }
}
