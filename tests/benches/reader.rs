//! What reading costs a frame behind the landmarks: gate, features, network, decoder, captions.
//!
//! `cargo xtask bench reader --pose FILE [--model asl-hall] [--frames 20000]`. The poses go through the reader
//! in a loop, as fast as one core can, with each engine in turn.

#![allow(clippy::unwrap_used, reason = "a bench may stop where something is missing")]

use std::time::{Duration, Instant};

use edge::engine;
use edge::language::{Continuous, Reader, Recogniser, Whole};
use edge::stage::Stamp;
use models::manifest::Kind;
use models::pose_file::read_track;
use tests::bench::{args, processor_time};

/// The engines take turns so many times: what else the machine does falls on all alike.
const TURNS: u64 = 4;

fn main() {
    let args = args(&["pose", "model", "frames"]);
    let file = args.get("pose").expect("give --pose FILE");
    let model = args.get("model").map_or("asl-hall", String::as_str);
    let frames: u64 = args.get("frames").map_or(20_000, |v| v.parse().expect("a number"));
    let track = read_track(file).unwrap().with_z_in_pixels();
    println!("{} frames at {} a second, {model}", track.frames.len(), track.fps);
    println!("| engine | frames | processor ms a frame | median ms | 99 of 100 within ms | most ms |");
    println!("|---|---|---|---|---|---|");
    let mut runs: Vec<_> = engine::available()
        .into_iter()
        .map(|backend| {
            let preference = [backend];
            let [width, height, _] = track.size;
            let reader =
                |recognisers| Reader::new(&track.layout, recognisers).unwrap().in_picture([width, height]);
            let reader = match Kind::of(model).unwrap() {
                Kind::Continuous => {
                    reader(vec![]).with_continuous(Continuous::open(model, &preference).unwrap())
                }
                Kind::Utterance => reader(vec![]).with_whole(Whole::open(model, &preference).unwrap()),
                Kind::Isolated | Kind::Embedding(_) => {
                    reader(vec![Recogniser::open(model, &preference, 1).unwrap()])
                }
            };
            (backend, reader, Duration::ZERO, Vec::with_capacity(frames as usize))
        })
        .collect();
    for turn in 0..TURNS {
        for (_, reader, processor, times) in &mut runs {
            let before = processor_time();
            for index in turn * frames / TURNS..(turn + 1) * frames / TURNS {
                let pose = &track.frames[(index % track.frames.len() as u64) as usize];
                let start = Instant::now();
                reader.read(Stamp::of_frame(index, track.fps), pose).unwrap();
                times.push(start.elapsed());
            }
            *processor += processor_time() - before;
        }
    }
    for (backend, _, processor, mut times) in runs {
        times.sort();
        let ms = |t: Duration| t.as_secs_f64() * 1e3;
        let at = |share: f64| ms(times[(share * (times.len() - 1) as f64) as usize]);
        let each = ms(processor) / times.len() as f64;
        println!("| {backend} | {frames} | {each:.3} | {:.3} | {:.3} | {:.3} |", at(0.5), at(0.99), at(1.0));
    }
}
