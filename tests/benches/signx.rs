//! What SignX's Pose2Gloss costs for an utterance: tracks to glosses, on two threads.
//!
//! `cargo xtask bench signx --model FOLDER [--seconds 4] [--turns 20]`. All five tracks are made-up numbers, which cost as
//! much as any. The network as it was trained (burn) and as it is exported (tract) take turns, by steps of the sampler.

#![allow(clippy::unwrap_used, reason = "a bench may stop where something is missing")]

use std::path::Path;
use std::time::Instant;

use host::aurallm::Cpu;
use host::signx::{Clip, SignXModel, Track};
use tests::bench::args;

fn main() {
    let args = args(&["model", "seconds", "turns"]);
    let folder = args.get("model").expect("give --model FOLDER, which `train signx-small` wrote");
    let number = |name: &str, usual: usize| args.get(name).map_or(usual, |v| v.parse().expect("a number"));
    let (seconds, turns) = (number("seconds", 4), number("turns", 20));
    let open = || SignXModel::<Cpu>::open(Path::new(folder), &Default::default()).unwrap();
    let fps = open().preset.fps;
    let frames = (seconds as f32 * fps) as usize;
    println!("{seconds} s, {frames} frames at {fps} a second, {} times", turns);
    println!("| engine | sampling steps | median ms | most ms | glosses |");
    println!("|---|---|---|---|---|");
    for steps in [0, 1, 2, 4, 8] {
        let mut model = open();
        model.preset.diffusion.steps = steps;
        model.preset.frames = frames;
        let clip = clip(frames);
        let how = model.preset.beam;
        let (mut burn, mut tract) = (Vec::new(), Vec::new());
        let mut exported = model.exported().unwrap();
        let mut said = [0; 2];
        for _ in 0..turns {
            let begun = Instant::now();
            said[0] = model.read(&clip, how).len();
            burn.push(begun.elapsed());
            let begun = Instant::now();
            said[1] = model.read_exported(&mut exported, &clip, how).unwrap().len();
            tract.push(begun.elapsed());
        }
        for ((engine, mut times), said) in [("burn", burn), ("tract", tract)].into_iter().zip(said) {
            times.sort();
            let ms = |at: usize| times[at].as_secs_f64() * 1e3;
            println!("| {engine} | {steps} | {:.1} | {:.1} | {said} |", ms(turns / 2), ms(turns - 1));
        }
    }
}

/// A clip of all tracks.
fn clip(frames: usize) -> Clip {
    let mut state = 1_u32;
    let mut number = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    let tracks = Track::ALL.map(|track| Some((0..frames * track.width()).map(|_| number()).collect()));
    Clip { tracks, there: vec![[true; 5]; frames] }
}
