//! Poses to read, wherever they come from: a `.pose` file, or a camera with the landmark networks behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use models::pose::{Known, Layout, Pose, PoseTrack};
use models::store::Store;

use crate::Fault;
use crate::camera::{self, Feed, Frame};
use crate::stage::Stamp;
use crate::vision::{Holistic, Options};

/// Frames that may wait between vision and language: enough to keep both at work, few enough to stay live.
const QUEUE: usize = 2;

/// One frame on its way from vision to language.
pub struct Seen {
    /// When it was taken.
    pub at: Stamp,
    /// The picture, where there is one.
    pub frame: Option<Frame>,
    /// What was seen in it.
    pub pose: Pose,
}

/// What is known of a source before its first frame.
#[derive(Debug, Clone)]
pub struct About {
    /// The layout of its poses.
    pub layout: Arc<Layout>,
    /// Frames a second.
    pub fps: f32,
    /// Width, height and depth in pixels.
    pub size: [u32; 3],
    /// How many frames there will be, where that is known.
    pub frames: Option<u64>,
    /// What makes the poses: an engine, or nothing where they are read from a file.
    pub engine: Option<String>,
}

/// A source of poses.
pub struct Input {
    /// What is known of it.
    pub about: About,
    from: From,
}

enum From {
    Track {
        poses: std::vec::IntoIter<Pose>,
        index: u64,
    },
    Vision {
        seen: Option<Receiver<Result<Seen, Fault>>>,
        lost: Arc<AtomicU64>,
        thread: Option<JoinHandle<()>>,
    },
}

impl Input {
    /// The poses of a track, at its own rate.
    pub fn of_track(track: PoseTrack) -> Self {
        let about = About {
            layout: track.layout,
            fps: track.fps,
            size: track.size,
            frames: Some(track.frames.len() as u64),
            engine: None,
        };
        Self { about, from: From::Track { poses: track.frames.into_iter(), index: 0 } }
    }

    /// What the landmark networks see in a video, in pictures or before a camera.
    ///
    /// # Errors
    /// Those of [`camera::open`] and [`Holistic::open`]; [`Fault::NoStore`] where set-up has not run.
    pub fn of_camera(source: &str, options: &Options) -> Result<Self, Fault> {
        // The source first: a missing file is found at once, the networks take a second to load.
        let camera = camera::open(source)?;
        let store = Store::locate().ok_or(Fault::NoStore)?;
        let mut holistic = Holistic::open(&store, options)?;
        let engine = Some(holistic.describe());
        let mut feed = Feed::start(camera)?;
        let [width, height] = feed.size();
        let about = About {
            layout: Known::Holistic576.layout(),
            fps: feed.fps(),
            size: [width, height, 0],
            frames: feed.frames(),
            engine,
        };
        let lost = Arc::new(AtomicU64::new(0));
        let (sender, receiver) = sync_channel(QUEUE);
        let counted = Arc::clone(&lost);
        let thread = thread::Builder::new()
            .name("vision".into())
            .spawn(move || watch(&mut feed, &mut holistic, &sender, &counted))
            .map_err(|source| Fault::Thread { name: "vision".into(), source })?;
        let from = From::Vision { seen: Some(receiver), lost, thread: Some(thread) };
        Ok(Self { about, from })
    }

    /// The next frame's pose, or `None` after the last.
    ///
    /// # Errors
    /// Those of the source and of the networks, after all frames that came before.
    pub fn next(&mut self) -> Result<Option<Seen>, Fault> {
        match &mut self.from {
            From::Track { poses, index } => Ok(poses.next().map(|pose| {
                let at = Stamp::of_frame(*index, self.about.fps);
                *index += 1;
                Seen { at, frame: None, pose }
            })),
            From::Vision { seen, .. } => seen.as_ref().and_then(|s| s.recv().ok()).transpose(),
        }
    }

    /// How many frames were lost before landmarks, because the networks were slower than a live camera.
    pub fn lost(&self) -> u64 {
        match &self.from {
            From::Track { .. } => 0,
            From::Vision { lost, .. } => lost.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Input {
    /// Stops vision at its next frame and waits for it, so that no network runs on behind the program's back.
    fn drop(&mut self) {
        if let From::Vision { seen, thread, .. } = &mut self.from {
            drop(seen.take());
            if let Some(thread) = thread.take() {
                // A panic in there was printed; there is nothing left to save.
                let _ = thread.join();
            }
        }
    }
}

/// Runs on the vision thread until the source ends, fails, or nobody listens any more.
fn watch(feed: &mut Feed, holistic: &mut Holistic, seen: &SyncSender<Result<Seen, Fault>>, lost: &AtomicU64) {
    while let Some(next) = feed.next().transpose() {
        let result = next.and_then(|frame| {
            holistic.see(&frame).map(|pose| Seen { at: frame.at, frame: Some(frame), pose })
        });
        lost.store(feed.lost(), Ordering::Relaxed);
        let failed = result.is_err();
        if seen.send(result).is_err() || failed {
            break;
        }
    }
}
