//! How fast landmarks are: each network alone, the whole signer, and MediaPipe's own Holistic beside it.
//!
//! `cargo xtask bench vision --video FILE [--mediapipe PYTHON]`. Everything that is compared runs in one
//! process tree, in turns, on the same frames: only the ratios count, because other programs share the
//! machine. The best round is the one that was disturbed least.

#![allow(clippy::unwrap_used, reason = "a bench may stop where something is missing")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use edge::camera::{Camera, Frame, Video};
use edge::engine::{self, Backend, Tensor};
use edge::vision::{Holistic, Options};
use models::pose::Pose;
use models::store::Store;
use tests::bench::{self, Peer, args};

/// The networks of the live path, and the side of the picture that each takes.
const NETWORKS: [(&str, usize); 7] = [
    ("pose_detection", 224),
    ("pose_landmark_full", 256),
    ("palm_detection_full", 192),
    ("hand_recrop", 256),
    ("hand_landmark_full", 224),
    ("face_detection_short_range", 128),
    ("face_landmark", 192),
];
/// Turns of each network.
const NETWORK_ROUNDS: usize = 30;
/// Turns of the whole signer.
const ROUNDS: usize = 5;
/// Frames of the video that are run in one turn.
const MOST_FRAMES: usize = 150;

fn main() {
    let args = args(&["video", "mediapipe", "threads"]);
    let threads: usize = args.get("threads").map_or(2, |t| t.parse().expect("--threads takes a number"));
    let store = Store::locate().expect("the store is not known; run `cargo xtask setup`");
    println!("engines here: {}", bench::list(engine::available()));
    networks(&store);
    let Some(video) = args.get("video").map(PathBuf::from) else {
        println!("no --video FILE: the whole signer is not timed");
        return;
    };
    let frames = read(&video);
    signer(&store, &video, &frames, threads, args.get("mediapipe").map(Path::new));
    memory(&video);
}

/// Every network of the live path on every engine.
fn networks(store: &Store) {
    let kinds: Vec<(Backend, usize)> = engine::available()
        .into_iter()
        .flat_map(|b| if b == Backend::Tract { vec![(b, 1)] } else { vec![(b, 1), (b, 2)] })
        .collect();
    let title: Vec<String> = kinds.iter().map(|(b, t)| format!("{b} {t}")).collect();
    println!("\nbest ms of one run, by engine and threads\n| network | {} |", title.join(" | "));
    println!("|---|{}", "---|".repeat(kinds.len()));
    for (name, side) in NETWORKS {
        let path = store.network(name);
        let bytes = engine::read(&path).unwrap();
        let open = |&(b, t): &(Backend, usize)| engine::open_bytes(&bytes, &path, b, t).unwrap();
        let mut engines: Vec<_> = kinds.iter().map(open).collect();
        let input = [Tensor::new(&[1, side, side, 3], bench::noise(side * side * 3)).unwrap()];
        let mut best = vec![Duration::MAX; engines.len()];
        for _ in 0..NETWORK_ROUNDS {
            for (engine, best) in engines.iter_mut().zip(&mut best) {
                let start = Instant::now();
                engine.run(&input).unwrap();
                *best = start.elapsed().min(*best);
            }
        }
        let times: Vec<String> = best.iter().map(|t| format!("{:.1}", t.as_secs_f64() * 1e3)).collect();
        println!("| {name} | {} |", times.join(" | "));
    }
}

/// Frames a second of the whole signer, ours and MediaPipe's in turns.
fn signer(store: &Store, video: &Path, frames: &[Frame], threads: usize, python: Option<&Path>) {
    let of = |backend: Backend| Options { backends: vec![backend], threads, ..Options::default() };
    let mut theirs = python.map(|python| MediaPipe::start(python, frames));
    let kinds = engine::available();
    let mut times: Vec<Vec<[Duration; 2]>> = vec![Vec::new(); kinds.len() + 1];
    let mut seen = Vec::new();
    for _ in 0..ROUNDS {
        for (kind, times) in kinds.iter().zip(&mut times) {
            let mut vision = Holistic::open(store, &of(*kind)).unwrap();
            vision.see(&frames[0]).unwrap();
            let (start, worked) = (Instant::now(), bench::processor_time());
            let poses: Vec<Pose> = frames.iter().map(|frame| vision.see(frame).unwrap()).collect();
            times.push([start.elapsed(), bench::processor_time() - worked]);
            seen = poses;
        }
        if let Some(theirs) = &mut theirs {
            times.last_mut().unwrap().push(theirs.round());
        }
    }
    let in_view = |k: usize| seen.iter().filter(|pose| pose.confidence[k] > 0.0).count();
    println!(
        "\n{}: {} frames of {}×{}; body in {}, left hand in {}, right hand in {}, face in {}",
        video.file_name().unwrap_or_default().to_string_lossy(),
        frames.len(),
        frames[0].width,
        frames[0].height,
        in_view(0),
        in_view(501),
        in_view(522),
        in_view(33),
    );
    println!(
        "| {ROUNDS} turns | frames a second, best | median | processor ms a frame, least |\n|---|---|---|---|"
    );
    let rate = |time: Duration| frames.len() as f64 / time.as_secs_f64();
    let row = |name: String, times: &mut Vec<[Duration; 2]>| {
        times.sort();
        let (best, median) = (rate(times[0][0]), rate(times[times.len() / 2][0]));
        let worked = times.iter().map(|t| t[1]).min().unwrap_or_default().as_secs_f64() * 1e3;
        println!("| {name} | {best:.1} | {median:.1} | {:.1} |", worked / frames.len() as f64);
        [best, median]
    };
    let ours: Vec<[f64; 2]> = kinds
        .iter()
        .zip(&mut times)
        .map(|(kind, times)| row(format!("{kind}, {threads} threads"), times))
        .collect();
    match theirs {
        Some(theirs) => {
            let name = format!("MediaPipe {} Holistic in Python", theirs.version);
            let [best, median] = row(name, times.last_mut().unwrap());
            for ([our_best, our_median], kind) in ours.iter().zip(kinds) {
                println!(
                    "{kind} is {:.2}× MediaPipe (best), {:.2}× (median)",
                    our_best / best,
                    our_median / median
                );
            }
        }
        None => println!("MediaPipe was not timed: give --mediapipe PYTHON, one that has mediapipe 0.10.21"),
    }
}

/// The most memory that the program took to read the video, without the decoder's own process.
fn memory(video: &Path) {
    let out = std::env::temp_dir().join(format!("signpost-bench-{}.pose", std::process::id()));
    let mut child = Command::new(tests::program("signpost"))
        .arg("landmarks")
        .arg(video)
        .arg("--out")
        .arg(&out)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(bench::peak_mib(child.id()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = std::fs::remove_file(out);
    println!("\n`signpost landmarks`: at most {peak} MiB of memory");
}

fn read(video: &Path) -> Vec<Frame> {
    let mut source = Video::open(video).unwrap_or_else(|e| panic!("{e}"));
    let mut frames = Vec::new();
    while let Some(frame) = source.next().unwrap() {
        frames.push(frame);
        if frames.len() == MOST_FRAMES {
            break;
        }
    }
    frames
}

/// MediaPipe in a process of its own.
struct MediaPipe {
    peer: Peer,
    version: String,
    frames: PathBuf,
}

impl MediaPipe {
    fn start(python: &Path, frames: &[Frame]) -> Self {
        let path = std::env::temp_dir().join(format!("signpost-bench-{}.rgb", std::process::id()));
        let mut file = std::fs::File::create(&path).unwrap();
        frames.iter().for_each(|frame| file.write_all(&frame.rgb).unwrap());
        let mut command = Command::new(python);
        command
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/holistic.py"))
            .arg(&path)
            .args([frames[0].width.to_string(), frames[0].height.to_string()])
            .env("GLOG_minloglevel", "3")
            .stderr(Stdio::null());
        let mut peer = Peer::start(&mut command, "mediapipe");
        let version = peer.answer();
        Self { peer, version, frames: path }
    }

    /// How long one turn took, and how long the processors worked for it.
    fn round(&mut self) -> [Duration; 2] {
        let answer = self.peer.ask("");
        let (time, worked) = answer.split_once(' ').expect("MediaPipe answers with two times");
        [time, worked].map(|t| Duration::from_secs_f64(t.parse().expect("it answers with seconds")))
    }
}

impl Drop for MediaPipe {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.frames);
    }
}
