//! How fluent stitched signing is: dictionary clips joined in several ways, beside people who sign the same glosses.
//!
//! `python tests/benches/movement.py DGS_FLUENT/assets OUT`, then `cargo xtask bench movement --prepared OUT
//! [--each yes] [--out FOLDER]`, where FOLDER gets the last method's tracks to look at. All tracks are brought to one signer and 25 frames a second, and their hands smoothed alike. Each row is
//! the mean over the sentences; time, speed and jerk are relative to the real signing (1 is best), distances are in
//! shoulder widths. What is measured:
//!
//! - *time*: of signs and the ways between them, without rest; then the least and the most of all sentences;
//! - *speed*, *jerk*: of the wrists of hands that sign, in the picture's plane;
//! - *DTW*: mean distance of both hands' landmarks along the best alignment; what either lacks is left out;
//! - *bones*: how far the lengths of arms and fingers are from their mean, 95 in 100 frames within, in per cent;
//! - *hits*: frames of ways in which a palm is in the head or the other palm, though it is not where the way begins or ends.

#![allow(clippy::unwrap_used, reason = "a bench may stop where something is missing")]

use std::path::Path;

use models::playback::{
    Frame, Limits, PARENTS, Point, Reduction, Style, Unit, Way, blend, normalise, reduce, smooth, stitch,
    timed, to_track,
};
use models::pose_file::{read_track, write_track_file};
use models::vector::{norm, sub};
use tests::bench::args;

const FPS: f32 = 25.0;

/// A method, and what is signed with it.
struct Method {
    name: &'static str,
    style: Style,
    bones: bool,
}

/// Each is the one before it and one thing more; the last is the unit's.
fn methods() -> Vec<Method> {
    let fluent = Style::FLUENT;
    let mut style = Style {
        sign: Limits::of(0.25, 0.2, 0.8),
        smaller: Reduction::NONE,
        way: Way::CLEAR,
        hold_s: 0.0,
        arms_hz: 6.0,
    };
    let mut all =
        vec![Method { name: "clips from arrival to departure, at most 0.8 s", style, bones: false }];
    type Step = fn(&mut Style, Style);
    let steps: [(&str, Step); 5] = [
        ("between their rests, at the pace of a sentence", |style, fluent| style.sign = fluent.sign),
        ("ways of a sentence", |style, fluent| style.way = fluent.way),
        ("the weak hand holds", |style, fluent| style.hold_s = fluent.hold_s),
        ("smaller, and nearer to the middle", |style, fluent| style.smaller = fluent.smaller),
        ("arms at 3.2 Hz", |style, fluent| style.arms_hz = fluent.arms_hz),
    ];
    for (name, step) in steps {
        step(&mut style, fluent);
        all.push(Method { name, style, bones: false });
    }
    all.push(Method { name: "bones keep their lengths", style, bones: true });
    all
}

fn main() {
    let args = args(&["prepared", "each", "out"]);
    let prepared = Path::new(args.get("prepared").expect("give --prepared"));
    let mut folders: Vec<_> = std::fs::read_dir(prepared).unwrap().map(|e| e.unwrap().path()).collect();
    folders.sort();
    let real: Vec<Vec<Frame>> = folders.iter().map(|folder| recorded(&folder.join("real.pose"))).collect();
    println!("| method | time | speed | jerk | DTW | bones, % | hits |\n|---|---|---|---|---|---|---|");
    let row = |name: &str, all: Vec<Measured>| {
        let mean = |of: fn(&Measured) -> f32| all.iter().map(of).sum::<f32>() / all.len() as f32;
        let time = || all.iter().map(|m| m.time);
        println!(
            "| {name} | {:.2} ({:.2} to {:.2}) | {:.2} | {:.2} | {:.3} | {:.1} | {} |",
            mean(|m| m.time),
            time().fold(f32::INFINITY, f32::min),
            time().fold(0.0, f32::max),
            mean(|m| m.speed),
            mean(|m| m.jerk),
            mean(|m| m.dtw),
            mean(|m| m.bones),
            all.iter().map(|m| m.hits).sum::<usize>(),
        );
        if args.contains_key("each") {
            for (folder, m) in folders.iter().zip(&all) {
                let name = folder.file_name().unwrap().to_string_lossy();
                println!(
                    "|   {name} | {:.2} | {:.2} | {:.2} | {:.3} | {:.1} | {} |",
                    m.time, m.speed, m.jerk, m.dtw, m.bones, m.hits
                );
            }
        }
    };
    row("real", real.iter().map(|real| Measured::of(real, &[], real)).collect());
    let peer = |folder: &std::path::PathBuf| recorded(&folder.join("spoken-to-signed.pose"));
    let peers: Vec<Vec<Frame>> = folders.iter().map(peer).collect();
    row(
        "`spoken-to-signed`",
        peers.iter().zip(&real).map(|(peer, real)| Measured::of(peer, &[], real)).collect(),
    );
    let clips: Vec<Vec<(Vec<Frame>, f32)>> = folders.iter().map(|folder| clips(folder)).collect();
    for method in methods() {
        let all = clips.iter().zip(&real).map(|(clips, real)| {
            let (frames, ways) = signed(clips, &method);
            Measured::of(&frames, &ways, real)
        });
        row(method.name, all.collect());
    }
    if let Some(out) = args.get("out") {
        let method = methods().pop().unwrap();
        for (clips, folder) in clips.iter().zip(&folders) {
            let name = folder.file_name().unwrap().to_string_lossy();
            let track = to_track(&signed(clips, &method).0, FPS);
            write_track_file(Path::new(out).join(format!("{name}.pose")), &track).unwrap();
        }
    }
}

/// A recording at the common rate, smoothed as what is stitched.
fn recorded(path: &Path) -> Vec<Frame> {
    let track = read_track(path).unwrap();
    let frames = normalise(&track).unwrap_or_else(|| panic!("{} shows hands", path.display()));
    let count = (frames.len() as f32 / track.fps * FPS) as usize;
    let mut frames: Vec<Frame> = (0..count)
        .map(|i| {
            let at = i as f32 * track.fps / FPS;
            let t = (at as usize).min(frames.len() - 1);
            blend(&frames[t], &frames[(t + 1).min(frames.len() - 1)], at.fract())
        })
        .collect();
    smooth(&mut frames, FPS);
    frames
}

fn clips(folder: &Path) -> Vec<(Vec<Frame>, f32)> {
    let path = |number: usize| folder.join(format!("{number}.pose"));
    let clip = |number| {
        let track = read_track(path(number)).unwrap();
        Some((normalise(&track)?, track.fps))
    };
    (0..).take_while(|&number| path(number).exists()).filter_map(clip).collect()
}

/// The signing without its rests, and the ways in it.
fn signed(clips: &[(Vec<Frame>, f32)], method: &Method) -> (Vec<Frame>, Vec<[usize; 2]>) {
    let style = method.style;
    let unit = |(word, (frames, fps)): (usize, &(Vec<Frame>, f32))| {
        let mut frames = timed(frames, *fps, style.sign, FPS);
        reduce(&mut frames, style.smaller);
        Unit { frames, word, letter: false, repeats: false, pause_s: 0.0 }
    };
    let stitched = stitch(clips.iter().enumerate().map(unit).collect(), FPS, &style.joins());
    let mut frames = stitched.frames;
    if method.bones {
        let clear = vec![0.0; frames.len()];
        style.settle(&mut frames, FPS, &clear);
    } else {
        style.smooth(&mut frames, FPS);
    }
    let cores: Vec<[usize; 2]> =
        stitched.cores_s.iter().map(|core| core.map(|t| (t * FPS).round() as usize)).collect();
    let (begin, end) = (cores[0][0], cores[cores.len() - 1][1]);
    let ways = cores.windows(2).map(|pair| [pair[0][1] - begin, pair[1][0] - begin]).collect();
    (frames[begin..end].to_vec(), ways)
}

struct Measured {
    time: f32,
    speed: f32,
    jerk: f32,
    dtw: f32,
    bones: f32,
    hits: usize,
}

impl Measured {
    fn of(frames: &[Frame], ways: &[[usize; 2]], real: &[Frame]) -> Self {
        Self {
            time: frames.len() as f32 / real.len() as f32,
            speed: rate(frames, 1) / rate(real, 1),
            jerk: rate(frames, 3) / rate(real, 3),
            dtw: dtw(frames, real),
            bones: bones(frames),
            hits: ways.iter().map(|&way| hits(frames, way)).sum(),
        }
    }
}

/// The mean of the `order`th derivative of the wrists' places, over hands that are seen.
fn rate(frames: &[Frame], order: usize) -> f32 {
    let mut rates = vec![];
    for side in 0..2 {
        let seen = |t: usize| frames[t].hands[side].is_some();
        for t in (0..frames.len().saturating_sub(order)).filter(|&t| (t..=t + order).all(seen)) {
            let mut places: Vec<[f32; 2]> =
                (t..=t + order).map(|t| [frames[t].wrists[side][0], frames[t].wrists[side][1]]).collect();
            for _ in 0..order {
                places = places.windows(2).map(|p| [p[1][0] - p[0][0], p[1][1] - p[0][1]]).collect();
            }
            rates.push(places[0][0].hypot(places[0][1]) * FPS.powi(order as i32));
        }
    }
    rates.iter().sum::<f32>() / rates.len() as f32
}

/// The mean distance along the best alignment.
fn dtw(a: &[Frame], b: &[Frame]) -> f32 {
    let mut table = vec![vec![(f32::INFINITY, 0.0f32); b.len() + 1]; a.len() + 1];
    table[0][0].0 = 0.0;
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let steps = [table[i - 1][j - 1], table[i - 1][j], table[i][j - 1]];
            let best = steps.into_iter().min_by(|p, q| p.0.total_cmp(&q.0)).unwrap();
            let cost = apart(&a[i - 1], &b[j - 1]);
            table[i][j] = (best.0 + cost.unwrap_or(0.0), best.1 + if cost.is_some() { 1.0 } else { 0.0 });
        }
    }
    let (sum, count) = table[a.len()][b.len()];
    sum / count
}

/// The mean distance of the landmarks of hands that both frames have.
fn apart(a: &Frame, b: &Frame) -> Option<f32> {
    let both = (0..2).filter_map(|side| Some((a.hands[side].as_ref()?, b.hands[side].as_ref()?)));
    let sums: Vec<f32> = both
        .map(|(p, q)| (0..21).map(|k| (p[k][0] - q[k][0]).hypot(p[k][1] - q[k][1])).sum::<f32>() / 21.0)
        .collect();
    (!sums.is_empty()).then(|| sums.iter().sum::<f32>() / sums.len() as f32)
}

/// How far the lengths of bones are from their means, in per cent: 95 in 100 are nearer.
fn bones(frames: &[Frame]) -> f32 {
    let mut off = vec![];
    let mut add = |lengths: Vec<f32>| {
        let mean = lengths.iter().sum::<f32>() / lengths.len() as f32;
        off.extend(lengths.iter().map(|l| (l / mean - 1.0).abs() * 100.0));
    };
    for side in 0..2 {
        let shoulder = [if side == 0 { 0.5 } else { -0.5 }, 0.0, 0.0];
        let hands: Vec<&Frame> = frames.iter().filter(|f| f.hands[side].is_some()).collect();
        let length = |a: Point, b: Point| norm(sub(a, b));
        add(hands.iter().map(|f| length(f.elbows[side], shoulder)).collect());
        add(hands.iter().map(|f| length(f.wrists[side], f.elbows[side])).collect());
        for k in 1..21 {
            add(hands
                .iter()
                .map(|f| f.hands[side].as_ref().map_or(0.0, |h| length(h[k], h[PARENTS[k]])))
                .collect());
        }
    }
    off.sort_by(f32::total_cmp);
    off.get(off.len() * 95 / 100).copied().unwrap_or(0.0)
}

/// The frames of a way in which a palm is in the head or the other palm, though at its ends it is not.
fn hits(frames: &[Frame], [from, to]: [usize; 2]) -> usize {
    let inside = |frame: &Frame, side: usize| {
        let palm = |side: usize| frame.hands[side].map(|h| [0, 1, 2].map(|i| (h[0][i] + h[9][i]) / 2.0));
        let Some(own) = palm(side) else { return false };
        let head = [frame.head[0][0], frame.head[0][1], frame.head[7][2]];
        norm(sub(own, head)) < 0.25 || palm(1 - side).is_some_and(|other| norm(sub(own, other)) < 0.12)
    };
    let (first, last) = (&frames[from.saturating_sub(1)], &frames[to.min(frames.len() - 1)]);
    (0..2)
        .filter(|&side| !inside(first, side) && !inside(last, side))
        .map(|side| frames[from..to].iter().filter(|frame| inside(frame, side)).count())
        .sum()
}
