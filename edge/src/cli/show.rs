//! What a person sees while `signpost read` works: picture, landmarks, caption and state.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use models::pose::Pose;

use super::input::About;
use crate::Fault;
use crate::camera::Frame;
use crate::language::{Activity, Event, GAP, Reader};
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
    pace: Pace,
    repeat_until_s: f64,
    /// What somebody who is asked to repeat may have signed.
    perhaps: String,
}

/// What was read, and behind it what is on top at present.
pub fn words(reader: &Reader) -> Vec<Span> {
    let text = reader.caption().tail(CAPTION_COLUMNS);
    let tone = |word: &str| if word.trim() == GAP { Tone::Warn } else { Tone::Plain };
    let mut words: Vec<Span> =
        text.split_inclusive(' ').map(|w| Span { text: w.into(), tone: tone(w) }).collect();
    if let Some((partial, _)) = reader.partial() {
        // A letter stands in the caption as a capital.
        let is_letter = partial.chars().count() == 1;
        let partial = if is_letter { partial.to_uppercase() } else { partial.to_owned() };
        let text = if text.is_empty() { format!("{partial} …") } else { format!("  {partial} …") };
        words.push(Span { text, tone: Tone::Quiet });
    }
    words
}

/// How the time of the source becomes that of what is shown.
enum Pace {
    /// Somebody watches: nothing is shown before it is due, counted from here.
    Live(Instant),
    /// So many frames of a video were written, at so many a second: where the source gave none, the last one
    /// stands.
    Video { fps: f32, written: u64 },
    /// One picture for each that came.
    Pictures,
}

impl Show {
    /// To a video (`.mp4`, `.gif`), or to pictures in a folder.
    ///
    /// # Errors
    /// Where the video or the folder cannot be made.
    pub fn to_files(path: &Path, size: (u32, u32), about: &About) -> Result<Self, Fault> {
        if super::ends_in(path, &super::VIDEOS) {
            let pace = Pace::Video { fps: about.fps, written: 0 };
            return Ok(Self::new(Box::new(Video::create(path, size, about.fps)?), pace, size, about));
        }
        Ok(Self::new(Box::new(Pictures::new(path)?), Pace::Pictures, size, about))
    }

    /// To a window, at the pace of the source: frames of a file are held back until they are due.
    pub fn to_window(to: Box<dyn Present>, size: (u32, u32), about: &About) -> Self {
        Self::new(to, Pace::Live(Instant::now()), size, about)
    }

    fn new(to: Box<dyn Present>, pace: Pace, size: (u32, u32), about: &About) -> Self {
        Self {
            screen: Screen::new(size.0, size.1, Theme::DARK),
            rig: Rig::of(&about.layout),
            size: about.size,
            stance: None,
            to,
            pace,
            repeat_until_s: f64::NEG_INFINITY,
            perhaps: String::new(),
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
        for event in events {
            if let Event::Repeat { candidates, .. } = event {
                self.repeat_until_s = at_s + REPEAT_SHOWN_S;
                self.perhaps =
                    candidates.iter().map(|(name, _)| format!("{name}?")).collect::<Vec<_>>().join("  ");
            }
        }
        let state = match reader.activity() {
            Activity::Signing { .. } => State::Watching,
            Activity::Rest if at_s < self.repeat_until_s => State::PleaseRepeat,
            Activity::Rest => State::Ready,
        };
        let caption = self.caption(reader, state);
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
        self.present(at_s, true)
    }

    /// What was read, what is on top at present, and below it what to confirm or how sure it is.
    fn caption(&self, reader: &Reader, state: State) -> Caption {
        let mut caption = Caption { words: words(reader), ..Caption::default() };
        if state == State::PleaseRepeat && !self.perhaps.is_empty() {
            caption.note.push(Span { text: self.perhaps.clone(), tone: Tone::Warn });
        } else if let Some(confidence) = reader.caption().confidence() {
            let text = format!("sure: {:.0} %", confidence * 100.0);
            caption.note.push(Span { text, tone: Tone::Quiet });
        }
        caption
    }

    /// Says that there is no camera.
    ///
    /// # Errors
    /// As [`Show::frame`].
    pub fn no_camera(&mut self, at_s: f64) -> Result<(), Fault> {
        self.screen.no_camera();
        self.present(at_s, true)
    }

    /// Nothing came up to this time: what is shown stays.
    ///
    /// # Errors
    /// As [`Show::frame`]; above all, somebody may have closed the window.
    pub fn quiet(&mut self, at_s: f64) -> Result<(), Fault> {
        self.present(at_s, false)
    }

    /// Presents what was drawn, anew or once more.
    fn present(&mut self, at_s: f64, is_new: bool) -> Result<(), Fault> {
        let at_s = at_s.max(0.0);
        let canvas = self.screen.canvas();
        match &mut self.pace {
            Pace::Live(started) => {
                let due = *started + Duration::from_secs_f64(at_s);
                thread::sleep(due.saturating_duration_since(Instant::now()));
                self.to.show(canvas)
            }
            Pace::Video { fps, written } => {
                let due = (at_s * f64::from(*fps)).round() as u64 + 1;
                while *written < due {
                    self.to.show(canvas)?;
                    *written += 1;
                }
                Ok(())
            }
            Pace::Pictures if is_new => self.to.show(canvas),
            Pace::Pictures => Ok(()),
        }
    }

    /// Completes what was made.
    ///
    /// # Errors
    /// Where it cannot be completed.
    pub fn finish(self) -> Result<(), Fault> {
        self.to.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use models::pose::Known;

    use super::*;
    use crate::screen::Canvas;

    const SIZE: (u32, u32) = (80, 60);

    /// Keeps what it is shown.
    struct Presented(Arc<Mutex<Vec<Canvas>>>);

    impl Present for Presented {
        fn show(&mut self, canvas: &Canvas) -> Result<(), Fault> {
            self.0.lock().unwrap().push(canvas.clone());
            Ok(())
        }
        fn finish(self: Box<Self>) -> Result<(), Fault> {
            Ok(())
        }
    }

    /// What is told to the screen: a frame, the loss of the camera, or silence.
    enum Told {
        Frame,
        Lost,
        Quiet,
    }

    /// For each picture presented, whether it says that there is no camera.
    #[track_caller]
    fn check(pace: Pace, told: &[(f64, Told)], expect: &[bool]) {
        let layout = Known::Holistic576.layout();
        let about = About { layout, fps: 10.0, size: [8, 6, 0], frames: None, engine: None, format: None };
        let presented = Arc::new(Mutex::new(Vec::new()));
        let mut show = Show::new(Box::new(Presented(Arc::clone(&presented))), pace, SIZE, &about);
        let reader = Reader::new(&about.layout, vec![]).unwrap();
        let frame = Frame::new(Default::default(), 8, 6, vec![200; 8 * 6 * 3]).unwrap();
        for (at_s, told) in told {
            match told {
                Told::Frame => show.frame(*at_s, Some(&frame), &Pose::unseen(576), &reader, &[]).unwrap(),
                Told::Lost => show.no_camera(*at_s).unwrap(),
                Told::Quiet => show.quiet(*at_s).unwrap(),
            }
        }
        let mut gone = Screen::new(SIZE.0, SIZE.1, Theme::DARK);
        gone.no_camera();
        let presented = presented.lock().unwrap();
        let presented: Vec<bool> = presented.iter().map(|c| c.rgba() == gone.canvas().rgba()).collect();
        assert_eq!(presented, expect);
    }

    const VIDEO: Pace = Pace::Video { fps: 10.0, written: 0 };

    #[test]
    fn a_video_lasts_as_long_as_its_source() {
        use Told::{Frame, Lost, Quiet};
        check(VIDEO, &[(0.0, Frame), (0.1, Frame), (0.2, Frame)], &[false; 3]);
        // One frame was lost; two came sooner than the rate says.
        check(VIDEO, &[(0.0, Frame), (0.2, Frame), (0.24, Frame)], &[false; 3]);
        let away = [(0.0, Frame), (0.1, Quiet), (0.2, Lost), (0.35, Quiet), (0.5, Quiet), (0.6, Frame)];
        check(VIDEO, &away, &[false, false, true, true, true, true, false]);
    }

    #[test]
    fn of_pictures_there_is_one_for_each_that_came() {
        use Told::{Frame, Lost, Quiet};
        let away = [(0.0, Frame), (0.3, Quiet), (0.5, Lost), (0.7, Quiet), (0.8, Frame)];
        check(Pace::Pictures, &away, &[false, true, false]);
    }
}
