//! What a person sees while `signpost read` works: picture, landmarks, caption and state.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use models::pose::Pose;

use super::input::About;
use crate::Fault;
use crate::camera::Frame;
use crate::language::{Activity, Event, Reader};
use crate::screen::present::{Pictures, Present, Video};
use crate::screen::{Caption, Picture, Rig, Screen, Span, Stance, State, Theme, Tone};

/// "Please repeat" stays on the screen for so long. Seconds of the source.
const REPEAT_SHOWN_S: f64 = 2.0;
/// Letters of a caption that fit into its band in two lines.
const CAPTION_COLUMNS: usize = 72;

/// Draws each frame that was read, and presents it.
pub struct Show {
    screen: Screen,
    rig: Rig,
    /// Of the picture that the poses are in.
    size: [u32; 3],
    stance: Option<Stance>,
    to: Box<dyn Present>,
    /// When the first frame was due, where somebody watches.
    started: Option<Instant>,
    repeat_until_s: f64,
}

impl Show {
    /// To a video (`.mp4`, `.gif`), or to pictures in a folder.
    ///
    /// # Errors
    /// Where the video or the folder cannot be made.
    pub fn to_files(path: &Path, size: (u32, u32), about: &About) -> Result<Self, Fault> {
        let to: Box<dyn Present> = if super::ends_in(path, &super::VIDEOS) {
            Box::new(Video::create(path, size, about.fps)?)
        } else {
            Box::new(Pictures::new(path)?)
        };
        Ok(Self::new(to, size, about))
    }

    /// To a window, at the pace of the source: frames of a file are held back until they are due.
    pub fn to_window(to: Box<dyn Present>, size: (u32, u32), about: &About) -> Self {
        Self { started: Some(Instant::now()), ..Self::new(to, size, about) }
    }

    fn new(to: Box<dyn Present>, size: (u32, u32), about: &About) -> Self {
        Self {
            screen: Screen::new(size.0, size.1, Theme::DARK),
            rig: Rig::of(&about.layout),
            size: about.size,
            stance: None,
            to,
            started: None,
            repeat_until_s: f64::NEG_INFINITY,
        }
    }

    /// Draws a frame with what was read up to it.
    ///
    /// # Errors
    /// Where it cannot be presented.
    pub fn frame(
        &mut self,
        at_s: f64,
        frame: Option<&Frame>,
        pose: &Pose,
        reader: &Reader,
        events: &[Event],
    ) -> Result<(), Fault> {
        if events.iter().any(|e| matches!(e, Event::Repeat { .. })) {
            self.repeat_until_s = at_s + REPEAT_SHOWN_S;
        }
        let state = match reader.activity() {
            Activity::Signing { .. } => State::Watching,
            Activity::Rest if at_s < self.repeat_until_s => State::PleaseRepeat,
            Activity::Rest => State::Ready,
        };
        let mut caption = Caption::plain(reader.caption().tail(CAPTION_COLUMNS));
        if let Some(confidence) = reader.caption().confidence() {
            let text = format!("sure: {:.0} %", confidence * 100.0);
            caption.note.push(Span { text, tone: Tone::Quiet });
        }
        match frame {
            Some(frame) => {
                let picture = Picture { rgb: &frame.rgb, width: frame.width, height: frame.height };
                self.screen.reading(picture, Some((&self.rig, pose)), &caption, state);
            }
            None => {
                self.stance = self.stance.or_else(|| Stance::of(&self.rig, [pose]));
                let stance = self.stance.unwrap_or_else(|| Stance::of_picture(self.size));
                self.screen.signing(&self.rig, pose, stance, &caption, state);
            }
        }
        if let Some(started) = self.started {
            let due = started + Duration::from_secs_f64(at_s.max(0.0));
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        self.to.show(self.screen.canvas())
    }

    /// Completes what was made.
    ///
    /// # Errors
    /// Where it cannot be completed.
    pub fn finish(self) -> Result<(), Fault> {
        self.to.finish()
    }
}
