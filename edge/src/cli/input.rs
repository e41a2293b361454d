//! Poses to read, wherever they come from: a `.pose` file, or a camera with the landmark networks behind it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use boards::Board;
use models::pose::{Known, Layout, Pose, PoseTrack};
use models::pose_file;
use models::store::Store;

use crate::Fault;
use crate::camera::{self, Back, Camera, Closer, Feed, Frame};
use crate::stage::{Stage, Stamp};
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

/// What a source of poses gives, and what becomes of its camera meanwhile.
pub enum Event {
    /// The next frame's pose.
    Seen(Seen),
    /// For a while no frame came, up to this time.
    Quiet(Stamp),
    /// The camera is gone; it is waited for.
    Lost {
        /// When it was missed.
        at: Stamp,
        /// What was tried, and what the system said.
        why: String,
    },
    /// The camera is there again: what was known of the picture before is stale.
    Back(Back),
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
    /// What a camera's pictures are before they are converted.
    pub format: Option<String>,
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
        seen: Option<Receiver<Result<Event, Fault>>>,
        closer: Closer,
        lost: Arc<AtomicU64>,
        thread: Option<JoinHandle<()>>,
    },
}

impl Input {
    /// The poses of a `.pose` file, or what the landmark networks of a board see in anything else.
    ///
    /// # Errors
    /// Where the file is no track of poses; those of [`Input::of_camera`].
    pub fn open(source: &str, board: &Board) -> Result<Self, Fault> {
        let path = Path::new(source);
        if !super::ends_in(path, &["pose"]) {
            return Self::of_camera(source, board);
        }
        Ok(Self::of_track(pose_file::read_track(path)?.with_z_in_pixels()))
    }

    /// The poses of a track, at its own rate.
    fn of_track(track: PoseTrack) -> Self {
        let about = About {
            layout: track.layout,
            fps: track.fps,
            size: track.size,
            frames: Some(track.frames.len() as u64),
            engine: None,
            format: None,
        };
        Self { about, from: From::Track { poses: track.frames.into_iter(), index: 0 } }
    }

    /// What the landmark networks of a board see in a video, in pictures or before its camera.
    ///
    /// # Errors
    /// Those of [`camera::open`] and [`Holistic::open`]; [`Fault::NoStore`] where set-up has not run.
    fn of_camera(source: &str, board: &Board) -> Result<Self, Fault> {
        // The source first: a missing file is found at once, the networks take a second to load.
        let camera = camera::open(source, &board.camera)?;
        let store = Store::locate().ok_or(Fault::NoStore)?;
        let holistic = Holistic::open(&store, &Options::of(board))?;
        let engine = Some(holistic.describe());
        Self::over(camera, engine, holistic, |_| ())
    }

    /// What vision sees before a camera; `engine` says what makes the poses, and `passed` is called on vision's thread
    /// whenever it has passed something on, with whether it is what it saw in a frame.
    ///
    /// # Errors
    /// [`Fault::Thread`].
    pub fn over<V>(
        camera: Box<dyn Camera>,
        engine: Option<String>,
        vision: V,
        passed: impl FnMut(bool) + Send + 'static,
    ) -> Result<Self, Fault>
    where
        V: Stage<In = Frame, Out = (Frame, Pose)> + 'static,
    {
        let feed = Feed::start(camera)?;
        let [width, height] = feed.size();
        let about = About {
            layout: Known::Holistic576.layout(),
            fps: feed.fps(),
            size: [width, height, 0],
            frames: feed.frames(),
            engine,
            format: feed.format().map(str::to_owned),
        };
        Self::of_stage(about, feed, vision, passed)
    }

    /// Starts vision on its own thread.
    fn of_stage<V>(
        about: About,
        feed: Feed,
        vision: V,
        passed: impl FnMut(bool) + Send + 'static,
    ) -> Result<Self, Fault>
    where
        V: Stage<In = Frame, Out = (Frame, Pose)> + 'static,
    {
        let lost = Arc::new(AtomicU64::new(0));
        let (sender, receiver) = sync_channel(QUEUE);
        let counted = Arc::clone(&lost);
        let closer = feed.closer();
        let thread = thread::Builder::new()
            .name(V::NAME.into())
            .spawn(move || watch(feed, vision, &sender, &counted, passed))
            .map_err(|source| Fault::Thread { name: V::NAME.into(), source })?;
        let from = From::Vision { seen: Some(receiver), closer, lost, thread: Some(thread) };
        Ok(Self { about, from })
    }

    /// The next frame's pose or news of the camera, or `None` after the last. A live camera gives something
    /// several times a second.
    ///
    /// # Errors
    /// Those of the source and of the networks, after all frames that came before and were not lost;
    /// [`Fault::ThreadDied`] where one of the two threads panicked.
    pub fn next(&mut self) -> Result<Option<Event>, Fault> {
        match &mut self.from {
            From::Track { poses, index } => Ok(poses.next().map(|pose| {
                let at = Stamp::of_frame(*index, self.about.fps);
                *index += 1;
                Event::Seen(Seen { at, frame: None, pose })
            })),
            From::Vision { seen, thread, .. } => match seen.as_ref().and_then(|s| s.recv().ok()) {
                Some(seen) => seen.map(Some),
                // The thread is over: a panic is not the end of the source.
                None => thread.take().map_or(Ok(None), ended),
            },
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
        if let From::Vision { seen, closer, thread, .. } = &mut self.from {
            drop(seen.take());
            // A camera that is away gives no next frame.
            closer.close();
            if let Some(thread) = thread.take() {
                // A panic in there was printed; there is nothing left to save.
                let _ = thread.join();
            }
        }
    }
}

/// How a thread ended that gives nothing more.
fn ended<T>(thread: JoinHandle<()>) -> Result<Option<T>, Fault> {
    let name = thread.thread().name().unwrap_or_default().to_owned();
    thread.join().map(|()| None).map_err(|_| Fault::ThreadDied { name })
}

/// Runs on the vision thread until the source ends, fails, or nobody listens any more.
fn watch<V>(
    mut feed: Feed,
    mut vision: V,
    seen: &SyncSender<Result<Event, Fault>>,
    lost: &AtomicU64,
    mut passed: impl FnMut(bool),
) where
    V: Stage<In = Frame, Out = (Frame, Pose)>,
{
    while let Some(next) = feed.event().transpose() {
        let result = next.and_then(|event| see(&mut vision, event)).transpose();
        lost.store(feed.lost(), Ordering::Relaxed);
        let Some(result) = result else { continue };
        let (failed, saw) = (result.is_err(), matches!(result, Ok(Event::Seen(_))));
        if seen.send(result).is_err() || failed {
            break;
        }
        passed(saw);
    }
}

/// Sees what is in a frame, and passes news on. Where the camera went, nothing is followed any more.
fn see<V>(vision: &mut V, event: camera::Event) -> Result<Option<Event>, Fault>
where
    V: Stage<In = Frame, Out = (Frame, Pose)>,
{
    Ok(match event {
        camera::Event::Frame(frame) => vision
            .step(frame.at, frame)?
            .map(|(frame, pose)| Event::Seen(Seen { at: frame.at, frame: Some(frame), pose })),
        camera::Event::Quiet(until) => Some(Event::Quiet(until)),
        camera::Event::Lost { at, why } => {
            vision.reset();
            Some(Event::Lost { at, why })
        }
        // Where nobody heard of the loss in time, this is the first that is known of it.
        camera::Event::Back(back) => {
            vision.reset();
            Some(Event::Back(back))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use image::RgbImage;

    use super::*;
    use crate::camera::{DEFAULT_FPS, Folder};

    /// Sees nothing, says nothing of the first frame, and at frame `fault` or `panic` goes wrong.
    #[derive(Default)]
    struct Blind {
        frames: u64,
        fault: u64,
        panic: u64,
    }

    impl Stage for Blind {
        const NAME: &'static str = "blind";
        type In = Frame;
        type Out = (Frame, Pose);

        fn step(&mut self, _: Stamp, frame: Frame) -> Result<Option<(Frame, Pose)>, Fault> {
            self.frames += 1;
            assert!(self.frames != self.panic, "a fault in this program, for the test");
            if self.frames == self.fault {
                return Err(Fault::NoHands);
            }
            Ok((self.frames > 1).then(|| (frame, Pose::unseen(self.frames as usize))))
        }

        fn reset(&mut self) {
            self.frames = 0;
        }
    }

    fn input(feed: Feed, vision: Blind) -> Input {
        let layout = Known::Holistic576.layout();
        let about =
            About { layout, fps: DEFAULT_FPS, size: [2, 2, 0], frames: None, engine: None, format: None };
        Input::of_stage(about, feed, vision, |_| ()).unwrap()
    }

    /// Reads four pictures; the number of frames that came, and the fault that ended it.
    #[track_caller]
    fn check(fault: u64, panic: u64, expect: (usize, Option<&str>)) {
        let folder = tempfile::tempdir().unwrap();
        for name in 0..4 {
            RgbImage::new(2, 2).save(folder.path().join(format!("{name}.png"))).unwrap();
        }
        let feed = Feed::start(Box::new(Folder::open(folder.path(), DEFAULT_FPS).unwrap())).unwrap();
        let mut input = input(feed, Blind { fault, panic, ..Blind::default() });
        let mut came = 0;
        let said = loop {
            match input.next() {
                Ok(Some(Event::Seen(seen))) => {
                    came += 1;
                    assert_eq!(seen.at, Stamp::of_frame(came as u64, DEFAULT_FPS));
                }
                Ok(Some(_)) => panic!("a folder has no news"),
                Ok(None) => break None,
                Err(fault) => break Some(fault.to_string()),
            }
        };
        assert_eq!(came, expect.0);
        assert_eq!(said.is_some(), expect.1.is_some(), "{said:?}");
        assert!(said.unwrap_or_default().contains(expect.1.unwrap_or_default()));
        assert!(input.next().unwrap().is_none(), "after the end there is nothing");
    }

    #[test]
    fn vision_ends_with_its_source() {
        check(0, 0, (3, None));
    }

    #[test]
    fn a_fault_of_vision_comes_after_the_frames_before_it() {
        check(3, 0, (1, Some("no hand landmarks")));
    }

    #[test]
    fn a_panic_of_vision_is_a_fault_and_no_end() {
        check(0, 3, (1, Some("the thread `blind` died")));
    }

    /// A live camera that gives what it is sent, and is quiet once all was fetched.
    struct Sent(Receiver<camera::Event>);

    impl Camera for Sent {
        fn next(&mut self) -> Result<Option<Frame>, Fault> {
            unreachable!("a feed asks for events")
        }
        fn event(&mut self) -> Result<Option<camera::Event>, Fault> {
            Ok(Some(self.0.try_recv().unwrap_or(camera::Event::Quiet(Stamp::default()))))
        }
        fn fps(&self) -> f32 {
            DEFAULT_FPS
        }
        fn size(&self) -> [u32; 2] {
            [2, 2]
        }
        fn frames(&self) -> Option<u64> {
            None
        }
        fn is_live(&self) -> bool {
            true
        }
    }

    fn frame(number: u64) -> camera::Event {
        camera::Event::Frame(Frame::new(Stamp::from_micros(number), 1, 1, vec![0; 3]).unwrap())
    }

    /// The next event that is no silence: how many frames vision has seen in a row, or what happened.
    fn next(input: &mut Input) -> String {
        loop {
            match input.next().unwrap().expect("a live camera has no end") {
                Event::Seen(seen) => return seen.pose.points.len().to_string(),
                Event::Lost { why, .. } => return why,
                Event::Back(back) => return back.format,
                Event::Quiet(_) => {}
            }
        }
    }

    /// Sends frames one after the other until vision has seen some in a row; how many at first.
    fn seen_at_first(send: &Sender<camera::Event>, input: &mut Input) -> String {
        // `Blind` says nothing of the first; a live camera keeps its newest frame only.
        while let Ok(Some(event)) = input.next() {
            send.send(frame(1)).unwrap();
            if let Event::Seen(seen) = event {
                return seen.pose.points.len().to_string();
            }
        }
        panic!("a live camera has no end");
    }

    #[test]
    fn vision_forgets_what_it_followed_when_the_camera_goes_and_comes() {
        let lost = || ("lost", camera::Event::Lost { at: Stamp::default(), why: "lost".into() });
        let back = || {
            let (at, size, fps) = (Stamp::default(), [2, 2], DEFAULT_FPS);
            ("back", camera::Event::Back(Back { at, size, fps, format: "back".into() }))
        };
        for news in [vec![lost(), back()], vec![lost()], vec![back()]] {
            let (send, receiver) = channel();
            let mut input = input(Feed::start(Box::new(Sent(receiver))).unwrap(), Blind::default());
            assert_eq!(seen_at_first(&send, &mut input), "2");
            for (what, news) in news {
                send.send(news).unwrap();
                while next(&mut input) != what {}
            }
            assert_eq!(seen_at_first(&send, &mut input), "2", "it went on where it was");
        }
    }

    #[test]
    fn whoever_stops_while_the_camera_is_away_does_not_wait_for_it() {
        let (send, receiver) = channel();
        send.send(camera::Event::Lost { at: Stamp::default(), why: "pulled".into() }).unwrap();
        let mut input = input(Feed::start(Box::new(Sent(receiver))).unwrap(), Blind::default());
        assert_eq!(next(&mut input), "pulled");
        // Both threads are waited for.
        drop(input);
    }
}
