//! The live recogniser as ONNX: one step, with the network's memory as a tensor that goes in and comes out.

use burn::tensor::backend::Backend;
use models::features::stream;
use models::onnx::{Builder, Dim, Value};

use super::{Graph, Scale, folded};
use crate::nn::LiveNet;

/// A network as ONNX: `features [1, F]` and `state [S, D]` to `logits [1, C]`, `hidden [1, D]` and
/// `next_state [S, D]`.
///
/// The state holds, block after block, what each block still has to look back at; the first is 0. Standardising
/// is folded into the first layer.
pub fn live_step<B: Backend>(name: &str, net: &LiveNet<B>, scale: &Scale) -> Vec<u8> {
    let mut graph = Graph { to: Builder::new(name), prefix: String::new() };
    let [f, d] = net.embed.weight.dims();
    let (memory, [_, classes]) = (net.memory(), net.head.weight.dims());
    graph.to.input("features", &[Dim::Fixed(1), Dim::Fixed(f)]);
    graph.to.input("state", &[Dim::Fixed(memory), Dim::Fixed(d)]);
    let (weight, bias) = folded(&net.embed, scale);
    graph.linear_of("embed", "features", "x0", &[f, d], &weight, &bias);
    let (mut row, mut states) = (0, vec![]);
    for (i, block) in net.blocks.iter().enumerate() {
        let name = |part: &str| format!("block{i}_{part}");
        let (x, next, long) = (format!("x{i}"), format!("x{}", i + 1), block.memory());
        graph.norm(&name("norm"), &x, &name("y"), &block.norm);
        graph.slice(&name("past"), "state", 0, row, row + long);
        graph.slice(&name("oldest"), "state", 0, row, row + 1);
        graph.slice(&name("older"), "state", 0, row + block.dilation, row + block.dilation + 1);
        let along = |axis| vec![("axis", Value::Int(axis))];
        let taps = [name("oldest"), name("older"), name("y")];
        graph.to.node("Concat", &taps.each_ref().map(String::as_str), &[&name("three")], along(1));
        graph.linear(&name("mix"), &name("three"), &name("mixed"), &block.mix);
        graph.silu(&name("mixed"), &name("bent"));
        graph.linear(&name("out"), &name("bent"), &name("added"), &block.out);
        graph.to.node("Add", &[&x, &name("added")], &[&next], vec![]);
        graph.slice(&name("kept"), &name("past"), 0, 1, long);
        graph.to.node("Concat", &[&name("kept"), &name("y")], &[&name("state")], along(0));
        states.push(name("state"));
        row += long;
    }
    graph.norm("norm", &format!("x{}", net.blocks.len()), "hidden", &net.norm);
    graph.linear("head", "hidden", "logits", &net.head);
    let states: Vec<&str> = states.iter().map(String::as_str).collect();
    graph.to.node("Concat", &states, &["next_state"], vec![("axis", Value::Int(0))]);
    graph.to.output("logits", &[Dim::Fixed(1), Dim::Fixed(classes)]);
    graph.to.output("hidden", &[Dim::Fixed(1), Dim::Fixed(d)]);
    graph.to.output("next_state", &[Dim::Fixed(memory), Dim::Fixed(d)]);
    graph.to.finish(&[("features", stream::NAME)])
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::{Distribution, Tensor};

    use models::live::StepNetwork;

    use super::*;
    use crate::evaluate::Stepper;
    use crate::nn::LiveNetConfig;

    #[test]
    fn step_by_step_it_says_what_the_whole_sequence_says() {
        let device = Default::default();
        let config =
            LiveNetConfig { features: 5, width: 8, dilations: vec![1, 2, 4], glosses: 3, dropout: 0.5 };
        let net = config.init::<Flex>(&device);
        let scale = Scale { mean: vec![0.3; 5], deviation: vec![2.0; 5] };
        let steps = 40;
        let sequence = Tensor::<Flex, 3>::random([1, steps, 5], Distribution::Default, &device);
        let mut rows: Vec<f32> = sequence.clone().into_data().to_vec().unwrap();
        let standard = (sequence - 0.3) / 2.0;
        let whole: Vec<f32> = net.forward(standard.clone()).into_data().to_vec().unwrap();
        let hidden: Vec<f32> = net.hidden(standard).into_data().to_vec().unwrap();
        let network = live_step("test", &net, &scale);
        let mut stepper = Stepper::from_bytes("test", &network, 5, [net.memory(), 8]).unwrap();
        let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
        for (t, row) in rows.chunks_exact_mut(5).enumerate() {
            let said = stepper.step(row).unwrap();
            assert!(near(said.logits, &whole[t * 10..][..10]), "logits of step {t}");
            assert!(near(said.hidden, &hidden[t * 8..][..8]), "hidden of step {t}");
        }
        stepper.reset();
        assert!(near(stepper.step(&rows[..5]).unwrap().logits, &whole[..10]), "a reset forgets all");
    }
}
