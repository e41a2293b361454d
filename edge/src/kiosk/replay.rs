//! A recording in the place of a camera: at its own pace, over and over, like somebody who never tires.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::Fault;
use crate::camera::{self, Camera, Event, Frame};
use crate::stage::Stamp;

/// No call waits longer, so that whoever reads can stop.
const SLICE: Duration = Duration::from_millis(100);

/// A video or pictures, played as a camera gives frames.
pub struct Replay {
    path: PathBuf,
    camera: Box<dyn Camera>,
    begun: Instant,
    /// How much later than its own time a frame is: as long as all rounds before took.
    offset: Duration,
    last: Stamp,
    waiting: Option<Frame>,
}

impl Replay {
    /// Opens a recording.
    ///
    /// # Errors
    /// Those of [`camera::open_file`].
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let camera = camera::open_file(path, 0.0)?;
        let (offset, last) = Default::default();
        Ok(Self { path: path.into(), camera, begun: Instant::now(), offset, last, waiting: None })
    }

    /// The next frame at its place in time; at the end the first one again.
    fn fetch(&mut self) -> Result<Option<Frame>, Fault> {
        let mut next = self.camera.next()?;
        if next.is_none() {
            self.camera = camera::open_file(&self.path, 0.0)?;
            let frame = Duration::from_secs_f32(1.0 / self.camera.fps().max(1.0));
            self.offset = self.last.since(Stamp::default()) + frame;
            next = self.camera.next()?;
        }
        Ok(next.map(|frame| {
            let at = frame.at.since(Stamp::default()) + self.offset;
            self.last = Stamp::from_micros(u64::try_from(at.as_micros()).unwrap_or(u64::MAX));
            Frame { at: self.last, ..frame }
        }))
    }
}

impl Camera for Replay {
    fn next(&mut self) -> Result<Option<Frame>, Fault> {
        loop {
            match self.event()? {
                Some(Event::Frame(frame)) => return Ok(Some(frame)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    fn event(&mut self) -> Result<Option<Event>, Fault> {
        if self.waiting.is_none() {
            self.waiting = self.fetch()?;
        }
        let Some(frame) = self.waiting.take() else { return Ok(None) };
        let due = frame.at.since(Stamp::default());
        let early = due.saturating_sub(self.begun.elapsed());
        thread::sleep(early.min(SLICE));
        if early > SLICE {
            let now = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.waiting = Some(frame);
            return Ok(Some(Event::Quiet(Stamp::from_micros(now))));
        }
        Ok(Some(Event::Frame(frame)))
    }

    fn fps(&self) -> f32 {
        self.camera.fps()
    }

    fn size(&self) -> [u32; 2] {
        self.camera.size()
    }

    fn frames(&self) -> Option<u64> {
        None
    }

    fn is_live(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_begins_again_and_time_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["0.png", "1.png"] {
            image::RgbImage::new(2, 2).save(folder.path().join(name)).unwrap();
        }
        let mut replay = Replay::open(folder.path()).unwrap();
        let period = 1.0 / f64::from(replay.fps());
        let stamps: Vec<f64> = (0..5).map(|_| replay.next().unwrap().unwrap().at.seconds()).collect();
        for (n, at_s) in stamps.iter().enumerate() {
            assert!((at_s - n as f64 * period).abs() < 1e-4, "{stamps:?}");
        }
        assert!(replay.begun.elapsed().as_secs_f64() >= 4.0 * period, "at its own pace");
        assert!(replay.is_live() && replay.frames().is_none());
    }
}
