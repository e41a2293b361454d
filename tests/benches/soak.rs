//! Hours of video in a loop, as fast as the machine can: does memory grow, or a frame take longer and longer?
//!
//! `cargo xtask bench soak --video FILE [--hours 10] [--threads N]`. The frames go through landmarks and the
//! reader as on a unit, with stamps that go on from loop to loop. It fails where memory or time grew.

#![allow(clippy::unwrap_used, reason = "a bench may stop where something is missing")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use edge::camera::{Camera, Frame, Video};
use edge::language::{Reader, Recogniser};
use edge::stage::Stamp;
use edge::vision::{Holistic, Options};
use models::pose::Known;
use models::store::Store;
use tests::bench::{self, args};

/// Lines of the table.
const WINDOWS: u64 = 20;
/// Memory may differ so much between the second window and the last, in MiB: what allocators keep.
const GROWTH_MIB: u64 = 8;
/// The median time of a frame may differ by this factor: other programs share the machine.
const DRIFT: f64 = 1.5;

fn main() -> ExitCode {
    let args = args(&["video", "hours", "threads"]);
    let number = |name: &str, or: f64| args.get(name).map_or(or, |v| v.parse().expect("a number"));
    let hours = number("hours", 10.0);
    let options = Options { threads: number("threads", 2.0) as usize, ..Options::default() };
    let mut source = Video::open(args.get("video").expect("give --video FILE").as_ref()).unwrap();
    let fps = source.fps();
    let mut clip: Vec<Frame> = std::iter::from_fn(|| source.next().unwrap()).collect();

    let store = Store::locate().expect("the store is not known; run `cargo xtask setup`");
    let mut vision = Holistic::open(&store, &options).unwrap();
    let letters = Recogniser::open("asl-letters", &options.backends, 1).unwrap();
    let mut reader = Reader::new(&Known::Holistic576.layout(), vec![letters]).unwrap();
    println!("{} frames at {fps} a second, {hours} hours of them; {}", clip.len(), vision.describe());
    println!("| hours | frames | MiB held | median ms | 95 of 100 within ms | body seen | signs |");
    println!("|---|---|---|---|---|---|---|");

    let frames = (hours * 3600.0 * f64::from(fps)) as u64;
    let window = (frames / WINDOWS).max(1);
    let mut rows: Vec<(u64, f64)> = Vec::new();
    let mut times: Vec<Duration> = Vec::with_capacity(window as usize);
    let (mut seen, mut signs) = (0, 0);
    for index in 0..frames {
        let start = Instant::now();
        let count = clip.len() as u64;
        let frame = &mut clip[(index % count) as usize];
        frame.at = Stamp::of_frame(index, fps);
        let pose = vision.see(frame).unwrap();
        signs += reader.read(frame.at, &pose).unwrap().len();
        times.push(start.elapsed());
        seen += u64::from(pose.confidence[0] > 0.0);
        if (index + 1) % window == 0 {
            times.sort();
            let ms = |share: f64| times[(share * (times.len() - 1) as f64) as usize].as_secs_f64() * 1e3;
            let held = bench::held_mib(std::process::id()).unwrap();
            let at = (index + 1) as f64 / f64::from(fps) / 3600.0;
            println!(
                "| {at:.2} | {} | {held} | {:.1} | {:.1} | {seen} | {signs} |",
                index + 1,
                ms(0.5),
                ms(0.95)
            );
            rows.push((held, ms(0.5)));
            times.clear();
        }
    }
    let ([_, second, ..], Some(last)) = (rows.as_slice(), rows.last()) else { return ExitCode::SUCCESS };
    let (grown, slower) = (last.0.saturating_sub(second.0), last.1 / second.1);
    println!("\nfrom the second window to the last: {grown} MiB more, median {slower:.2} of what it was");
    if grown > GROWTH_MIB || slower > DRIFT {
        println!("it grew: at most {GROWTH_MIB} MiB and {DRIFT} times are expected");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
