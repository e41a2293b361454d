//! What `signpost landmarks` prints: events as JSON lines for programs, or lines for people.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::ops::Range;
use std::path::Path;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use models::pose::holistic::{BODY, FACE};
use models::pose::{Layout, Pose};
use serde::Serialize;
use serde_json::json;

use crate::Fault;
use crate::vision::Hand;

/// What is known of a source before its first frame.
pub struct Source<'a> {
    /// As it was named.
    pub name: &'a str,
    /// The layout of its poses.
    pub layout: &'a Layout,
    /// Width, height and depth in pixels.
    pub size: [u32; 3],
    /// Frames a second.
    pub fps: f32,
    /// Where in the source the first frame is searched.
    pub from_s: f64,
    /// How many frames there will be, where that is known.
    pub frames: Option<u64>,
    /// What makes the poses, and why nothing else does.
    pub engine: String,
    /// Whether they are smoothed.
    pub smooth: bool,
}

/// What was seen in one frame; parts that were not seen are left out.
#[derive(Serialize)]
struct Frame {
    event: &'static str,
    /// Seconds from the first frame.
    t: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Body>,
    #[serde(skip_serializing_if = "Option::is_none")]
    face: Option<Part>,
    hands: Hands,
}

#[derive(Serialize)]
struct Body {
    /// In the mean over the landmarks.
    visibility: f32,
}

#[derive(Serialize)]
struct Hands {
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<OneHand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    right: Option<OneHand>,
}

#[derive(Serialize)]
struct OneHand {
    presence: f32,
    /// How likely it looks like a left hand, whichever arm it is on.
    left_handed: f32,
    /// `[21][3]`: x, y and z in metres from the middle of the hand.
    world: Vec<[f32; 3]>,
}

impl OneHand {
    fn of(hand: &Hand) -> Self {
        Self { presence: hand.presence, left_handed: hand.left, world: hand.world.to_vec() }
    }
}

#[derive(Serialize)]
struct Part {
    presence: f32,
}

/// Prints events, and counts what was seen.
pub struct Report {
    json: bool,
    out: BufWriter<Stdout>,
    bar: Option<ProgressBar>,
    /// Where body and face are in a pose.
    parts: [Range<usize>; 2],
    /// In how many frames body, face, left and right hand were seen.
    seen: [u64; 4],
    frames: u64,
    last_s: f64,
    started: Instant,
}

impl Report {
    /// A report for programs (`json`) or for people.
    pub fn new(json: bool) -> Self {
        Self {
            json,
            out: BufWriter::new(io::stdout()),
            bar: None,
            parts: Default::default(),
            seen: [0; 4],
            frames: 0,
            last_s: 0.0,
            started: Instant::now(),
        }
    }

    /// Says what is seen, and by what.
    ///
    /// # Errors
    /// Where standard output is gone.
    pub fn source(&mut self, source: &Source) -> io::Result<()> {
        self.parts = [BODY, FACE].map(|part| source.layout.range(part).unwrap_or_default());
        self.started = Instant::now();
        let Source { name, size: [width, height, _], fps, from_s, frames, engine, smooth, .. } = source;
        if self.json {
            let component =
                |c: &models::pose::Component| json!({ "name": c.name, "landmarks": c.points.len() });
            let layout: Vec<_> = source.layout.components.iter().map(component).collect();
            self.line(&json!({
                "event": "source", "t": 0.0, "source": name, "layout": layout, "width": width, "height": height,
                "fps": fps, "from": from_s, "frames": frames, "engine": engine, "smooth": smooth,
            }))?;
        } else {
            writeln!(self.out, "{name}: {width}x{height} at {fps} frames a second, landmarks by {engine}")?;
            self.out.flush()?;
        }
        self.bar = io::stderr().is_terminal().then(|| bar(*frames));
        Ok(())
    }

    /// Counts a frame.
    ///
    /// # Errors
    /// Where standard output is gone.
    pub fn frame(&mut self, at_s: f64, pose: &Pose, hands: [Option<&Hand>; 2]) -> io::Result<()> {
        // Of the face all landmarks have the confidence of the first.
        let [body, face] = self.parts.clone().map(|part| &pose.confidence[part]);
        let [left, right] = hands.map(|hand| hand.map(OneHand::of));
        let presence = |part: &[f32]| part.first().filter(|c| **c > 0.0).map(|c| Part { presence: *c });
        let visible = body.iter().any(|c| *c > 0.0);
        let visibility = body.iter().sum::<f32>() / body.len() as f32;
        let frame = Frame {
            event: "frame",
            t: at_s,
            body: visible.then_some(Body { visibility }),
            face: presence(face),
            hands: Hands { left, right },
        };
        let seen = [visible, frame.face.is_some(), frame.hands.left.is_some(), frame.hands.right.is_some()];
        self.seen.iter_mut().zip(seen).for_each(|(count, seen)| *count += u64::from(seen));
        self.frames += 1;
        self.last_s = at_s;
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        if self.json { self.line(&frame) } else { Ok(()) }
    }

    /// Says where the landmarks were kept.
    ///
    /// # Errors
    /// Where standard output is gone.
    pub fn kept(&mut self, path: &Path, frames: usize) -> io::Result<()> {
        self.clear();
        if self.json {
            return self.line(&json!({ "event": "kept", "t": self.last_s, "path": path, "frames": frames }));
        }
        writeln!(self.out, "landmarks of {frames} frames: {}", path.display())?;
        self.out.flush()
    }

    /// Prints the counts.
    ///
    /// # Errors
    /// Where standard output is gone.
    pub fn end(&mut self, fps: f32) -> io::Result<()> {
        self.clear();
        let spent_s = self.started.elapsed().as_secs_f64();
        let (frames, seconds) = (self.frames, self.frames as f64 / f64::from(fps));
        let speed = frames as f64 / spent_s;
        let [body, face, left, right] = self.seen;
        if self.json {
            return self.line(&json!({
                "event": "end", "t": self.last_s, "frames": frames, "seconds": seconds,
                "frames_a_second": speed,
                "seen": { "body": body, "face": face, "left_hand": left, "right_hand": right },
            }));
        }
        writeln!(self.out, "{frames} frames ({seconds:.1} s) in {spent_s:.1} s, {speed:.1} a second")?;
        if frames > 0 && self.seen == [0; 4] {
            writeln!(self.out, "nobody was seen in any of them")?;
        } else if frames > 0 {
            writeln!(
                self.out,
                "seen: body in {body}, face in {face}, left hand in {left}, right hand in {right}"
            )?;
        }
        self.out.flush()
    }

    /// Tells programs what went wrong; people are told by whoever called the command.
    ///
    /// # Errors
    /// Where standard output is gone.
    pub fn fault(&mut self, error: &anyhow::Error) -> io::Result<()> {
        self.clear();
        if !self.json {
            return Ok(());
        }
        self.line(&json!({
            "event": "fault", "t": self.last_s, "of": culprit(error), "said": error.to_string(),
        }))
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, value)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}

/// What a fault lies in, for whoever works through many sources: one `source` says nothing of the
/// next, and neither does a fault of the `program` that it brought to light; on this `machine`, with
/// its set-up, disk and command line, no other source would do better.
fn culprit(error: &anyhow::Error) -> &'static str {
    match error.downcast_ref() {
        Some(
            Fault::Ffmpeg { .. }
            | Fault::CutShort { .. }
            | Fault::Picture { .. }
            | Fault::NoPictures { .. }
            | Fault::NoFrame { .. }
            | Fault::Format(models::Error::PoseUnwritable { .. }),
        ) => "source",
        Some(Fault::Inference { .. } | Fault::Shape { .. } | Fault::ThreadDied { .. }) => "program",
        _ => "machine",
    }
}

fn bar(frames: Option<u64>) -> ProgressBar {
    let bar = frames.map_or_else(ProgressBar::no_length, ProgressBar::new);
    bar.set_draw_target(ProgressDrawTarget::stderr());
    let template = match frames {
        Some(_) => "{bar:30} {pos}/{len} frames, {elapsed} passed, {eta} left",
        None => "{pos} frames, {elapsed} passed",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
