//! TEMPORARY experiment.
use std::sync::mpsc::sync_channel;
use burn::backend::{Autodiff, Flex};
use burn::module::AutodiffModule;
use burn::grad_clipping::GradientClippingConfig;
use burn::optim::{AdamWConfig, GradientsParams, Optimizer};
use burn::tensor::{Tensor, TensorData};
use super::*;
use crate::nn::LiveNetConfig;
use crate::synth::{Recipe, Split, Synth};
type B = Autodiff<Flex>;
#[test]
#[ignore]
fn try_out() {
    let env = |k: &str, or: f64| std::env::var(k).map_or(or, |v| v.parse().unwrap());
    let name = std::env::var("SYN").unwrap_or("asl-hall".into());
    let data = std::path::PathBuf::from("/work/shared/data");
    let synth = Synth::new(Recipe::find(&name).unwrap(), &data, Split::Train, 1, false).unwrap();
    let val = Synth::new(Recipe::find(&name).unwrap(), &data, Split::Val, 1, false).unwrap();
    let batches = Batches::new(&synth);
    let held = Batches::new(&val);
    let g = batches.glosses().len();
    let device = Default::default();
    let steps = env("STEPS", 300.0) as usize;
    let rate = env("RATE", 3e-3);
    let config = LiveNetConfig { features: models::features::stream::WIDTH, width: env("D", 128.0) as usize, dilations: vec![1, 2, 4, 8, 16], glosses: g, dropout: env("DROP", 0.1) };
    let mut net = config.init::<B>(&device);
    let mut opt = AdamWConfig::new().with_weight_decay(0.02).with_grad_clipping(Some(GradientClippingConfig::Norm(1.0))).init::<B, crate::nn::LiveNet<B>>();
    let start = std::time::Instant::now();
    let mut shown = Losses::default();
    let (mut t_fwd, mut t_loss, mut t_back, mut frames) = (0.0, 0.0, 0.0, 0);
    let net = std::thread::scope(|scope| {
        let (send, get) = sync_channel(3);
        let b = &batches;
        scope.spawn(move || for s in 0..steps { if send.send(b.batch(s)).is_err() { return; } });
        for (step, mut batch) in get.into_iter().enumerate() {
            let t0 = std::time::Instant::now();
            let features = std::mem::take(&mut batch.features);
            frames += batch.steps * 16;
            let x = Tensor::<B, 3>::from_data(TensorData::new(features, [16, batch.steps, models::features::stream::WIDTH]), &device);
            let logits = net.forward(x);
            let values: Vec<f32> = logits.clone().into_data().to_vec().unwrap();
            t_fwd += t0.elapsed().as_secs_f64(); let t0 = std::time::Instant::now();
            let (l, gradient) = losses(&values, g, &batch);
            t_loss += t0.elapsed().as_secs_f64(); let t0 = std::time::Instant::now();
            let gradient = Tensor::<B, 3>::from_data(TensorData::new(gradient, [16, batch.steps, 1 + g + 6]), &device);
            let loss = (logits * gradient).sum();
            let grads = GradientsParams::from_grads(loss.backward(), &net);
            let share = (step + 1) as f64 / steps as f64;
            let lr = if share < 0.05 { rate * share / 0.05 } else { rate * 0.5 * (1.0 + (std::f64::consts::PI * (share - 0.05) / 0.95).cos()) };
            net = opt.step(lr, net, grads);
            t_back += t0.elapsed().as_secs_f64();
            let k = 0.05;
            shown.ctc += k * (l.ctc - shown.ctc); shown.sign += k * (l.sign - shown.sign); shown.sentence += k * (l.sentence - shown.sentence);
            if (step + 1) % 50 == 0 { println!("{} ctc {:.3} sign {:.3} sentence {:.3} {:.0} s; fwd {t_fwd:.1} loss {t_loss:.1} back {t_back:.1}; {frames} frames", step + 1, shown.ctc, shown.sign, shown.sentence, start.elapsed().as_secs_f64()); }
        }
        net
    });
    // greedy WER
    let net = net.valid();
    for (name, b) in [("train", &batches), ("val", &held)] {
        let (mut errors, mut words, mut idle) = (0, 0, 0);
        for i in 0..10 {
            let mut batch = b.batch(100_000 + i);
            let features = std::mem::take(&mut batch.features);
            let x = Tensor::<Flex, 3>::from_data(TensorData::new(features, [16, batch.steps, models::features::stream::WIDTH]), &device);
            let out: Vec<f32> = net.forward(x).into_data().to_vec().unwrap();
            let w = 1 + g + 6;
            for (n, s) in batch.sequences.iter().enumerate() {
                let mut said = vec![]; let mut last = 0;
                for t in 0..batch.lengths[n] {
                    let row = &out[(n * batch.steps + t) * w..][..1 + g];
                    let best = (0..=g).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap();
                    if best != last && best != 0 { said.push(best.to_string()); }
                    last = best;
                }
                let truth: Vec<String> = s.targets.iter().map(|t| t.label.to_string()).collect();
                let e = models::metrics::words::align(&truth, &said).iter().filter(|e| !matches!(e, models::metrics::words::Edit::Hit(..))).count();
                if truth.is_empty() { idle += said.len(); }
                errors += e; words += truth.len();
            }
        }
        println!("{name}: WER {:.3} ({errors} of {words}), idle {idle}", errors as f64 / words as f64);
    }
}
