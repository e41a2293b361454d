//! What `signpost read` prints: events as JSON lines for programs, or lines for people.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::path::Path;
use std::time::Instant;

use serde_json::json;

use super::captions::Captions;
use super::input::About;
use crate::Fault;
use crate::camera::Back;
use crate::language::{Caption, Event, Sign};

/// Progress is shown this often. Seconds of the source.
const PROGRESS_EVERY_S: f64 = 1.0;

/// Prints events, and counts what was seen.
pub struct Report {
    json: bool,
    out: BufWriter<Stdout>,
    progress: bool,
    shown_s: f64,
    last_s: f64,
    frames: u64,
    /// Frames in which a body or a hand was seen.
    seen: u64,
    started: Instant,
    /// Somebody closed the window before the end.
    closed: bool,
    /// What was read, where it is to be kept: a unit reads for weeks.
    captions: Option<Captions>,
}

impl Report {
    /// A report for programs (`json`) or for people.
    pub fn new(json: bool) -> Self {
        Self {
            json,
            out: BufWriter::new(io::stdout()),
            progress: io::stderr().is_terminal(),
            shown_s: f64::NEG_INFINITY,
            last_s: 0.0,
            frames: 0,
            seen: 0,
            started: Instant::now(),
            closed: false,
            captions: None,
        }
    }

    /// Says what is read, and by what.
    ///
    /// # Errors
    /// Where standard output is gone.
    pub fn source(&mut self, source: &str, about: &About) -> io::Result<()> {
        let [width, height, _] = about.size;
        if self.json {
            return self.line(json!({
                "event": "source", "t": 0.0, "source": source, "fps": about.fps, "width": width,
                "height": height, "frames": about.frames, "engine": about.engine, "format": about.format,
            }));
        }
        let by = about.engine.as_ref().map_or_else(String::new, |e| format!(", landmarks by {e}"));
        let format = about.format.clone().unwrap_or_else(|| format!("{width}x{height}"));
        writeln!(self.out, "{source}: {format} at {} frames a second{by}", about.fps)?;
        self.out.flush()
    }

    /// Says that the camera is gone.
    ///
    /// # Errors
    /// Where standard output is gone.
    pub fn camera_lost(&mut self, at_s: f64, why: &str) -> io::Result<()> {
        self.last_s = at_s;
        if self.json {
            return self.line(json!({ "event": "state", "t": at_s, "state": "no-camera", "why": why }));
        }
        self.clear_progress();
        writeln!(self.out, "{at_s:8.2} s  camera lost: {why}; waiting for it")?;
        self.out.flush()
    }

    /// Says that it is there again, and what it gives now.
    ///
    /// # Errors
    /// Where standard output is gone.
    pub fn camera_back(&mut self, at_s: f64, back: &Back) -> io::Result<()> {
        self.last_s = at_s;
        let [width, height] = back.size;
        if self.json {
            return self.line(json!({
                "event": "state", "t": at_s, "state": "ready", "fps": back.fps, "width": width,
                "height": height, "format": back.format,
            }));
        }
        self.clear_progress();
        writeln!(self.out, "{at_s:8.2} s  camera back: {} at {} frames a second", back.format, back.fps)?;
        self.out.flush()
    }

    /// Counts a frame and shows progress on a terminal.
    pub fn frame(&mut self, at_s: f64, somebody: bool, of: Option<u64>) {
        self.frames += 1;
        self.seen += u64::from(somebody);
        self.last_s = at_s;
        if self.progress && at_s - self.shown_s >= PROGRESS_EVERY_S {
            self.shown_s = at_s;
            let spent_s = self.started.elapsed().as_secs_f64();
            let left_s = |of: u64| of.saturating_sub(self.frames) as f64 * spent_s / self.frames as f64;
            match of {
                Some(of) => eprint!("\r{} of {of} frames, {:.0} s left ", self.frames, left_s(of)),
                None => eprint!("\r{} frames ", self.frames),
            }
        }
    }

    /// Prints what the reader has to say.
    ///
    /// # Errors
    /// Where standard output is gone.
    pub fn events(&mut self, events: &[Event]) -> io::Result<()> {
        if let Some(captions) = &mut self.captions {
            captions.note(events);
        }
        if events.iter().any(|e| matches!(e, Event::Sign(_) | Event::Repeat { .. })) {
            self.clear_progress();
        }
        for event in events {
            if self.json {
                self.line(serde_json::to_value(event)?)?;
                continue;
            }
            match event {
                Event::Sign(Sign { t, text, confidence, others, .. }) => {
                    let others: Vec<_> = others.iter().map(|(o, p)| format!("{o} {p:.2}")).collect();
                    writeln!(self.out, "{t:8.2} s  {text:<16} {confidence:.2}   ({})", others.join(", "))?;
                }
                Event::Repeat { t, from, to, candidates } => {
                    let names: Vec<_> = candidates.iter().map(|(name, _)| format!("{name}?")).collect();
                    let perhaps = if names.is_empty() {
                        String::new()
                    } else {
                        format!("; perhaps {}", names.join(" "))
                    };
                    let when = format!("signed from {from:.2} s to {to:.2} s");
                    writeln!(self.out, "{t:8.2} s  please repeat    ({when}{perhaps})")?;
                }
                Event::State { .. }
                | Event::Partial { .. }
                | Event::Utterance { .. }
                | Event::Caption { .. } => {}
            }
        }
        self.out.flush()
    }

    /// Says where the landmarks were kept.
    ///
    /// # Errors
    /// Where standard output is gone.
    pub fn kept(&mut self, path: &Path, frames: usize) -> io::Result<()> {
        if self.json {
            return self.line(json!({ "event": "kept", "t": self.last_s, "path": path, "frames": frames }));
        }
        writeln!(self.out, "landmarks of {frames} frames: {}", path.display())
    }

    /// Keeps what is read from now on, with its times.
    pub fn keep_captions(&mut self) {
        self.captions = Some(Captions::default());
    }

    /// What was kept so far; none where nothing is to be kept.
    pub fn captions(&self) -> Option<&Captions> {
        self.captions.as_ref()
    }

    /// Says where the captions were kept.
    ///
    /// # Errors
    /// Where standard output is gone.
    pub fn captions_kept(&mut self, path: &Path) -> io::Result<()> {
        let count = self.captions.as_ref().map_or(0, Captions::utterances);
        if self.json {
            let line = json!({ "event": "kept", "t": self.last_s, "path": path, "utterances": count });
            return self.line(line);
        }
        writeln!(self.out, "captions of {count} utterances: {}", path.display())
    }

    /// Prints the whole caption and the counts.
    ///
    /// # Errors
    /// Where standard output is gone.
    pub fn end(&mut self, caption: &Caption, lost: u64) -> io::Result<()> {
        self.clear_progress();
        let (text, confidence) = (caption.text(), caption.confidence());
        if self.json {
            return self.line(json!({
                "event": "end", "t": self.last_s, "caption": text, "confidence": confidence,
                "frames": self.frames, "seen": self.seen, "lost": lost,
            }));
        }
        let lost = if lost > 0 { format!(", {lost} lost before landmarks") } else { String::new() };
        writeln!(self.out, "{} frames, somebody seen in {}{lost}", self.frames, self.seen)?;
        match confidence {
            Some(confidence) => writeln!(self.out, "read: {text}   ({confidence:.2})")?,
            None => writeln!(self.out, "read: nothing that was sure enough; please repeat")?,
        }
        self.out.flush()
    }

    /// Notes that somebody closed the window: no frame need have shown anybody by then.
    pub fn closed(&mut self) {
        self.closed = true;
    }

    /// # Errors
    /// [`Fault::Nobody`] where no frame showed a body or a hand.
    pub fn somebody_was_seen(&self, source: &str) -> Result<(), Fault> {
        if self.seen == 0 && !self.closed {
            return Err(Fault::Nobody { source_name: source.into(), frames: self.frames });
        }
        Ok(())
    }

    fn clear_progress(&self) {
        if self.progress {
            eprint!("\r{:50}\r", "");
        }
    }

    fn line(&mut self, value: serde_json::Value) -> io::Result<()> {
        writeln!(self.out, "{value}")?;
        self.out.flush()
    }
}
