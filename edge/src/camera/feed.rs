//! Reads a source on its own thread, one frame ahead.
//!
//! This is the one place where frames may be lost: a live camera puts its newest
//! frame into a slot of one, and what nobody fetched in time is gone and counted.
//! A file waits until its frame is fetched, so that none is lost. However the
//! thread ends, even by a panic, whoever waits for a frame is told.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{Camera, Frame};
use crate::Fault;

/// What the thread is called.
const THREAD: &str = "camera";

/// A source that is being read.
pub struct Feed {
    slot: Arc<Slot>,
    fps: f32,
    size: [u32; 2],
    frames: Option<u64>,
}

/// Where one frame lies between the two threads.
#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Option<Frame>,
    /// Why the source gives no more; told after the frame that waits.
    fault: Option<Fault>,
    /// The source has given its last.
    ended: bool,
    /// Nobody will fetch any more.
    closed: bool,
    /// Frames that nobody fetched in time.
    passed: u64,
    /// Frames that the source itself could not use.
    torn: u64,
}

impl Feed {
    /// Starts to read a source.
    ///
    /// # Errors
    /// [`Fault::Thread`] where the system gives no thread.
    pub fn start(mut camera: Box<dyn Camera>) -> Result<Self, Fault> {
        let slot = Arc::new(Slot::default());
        let (fps, size, frames) = (camera.fps(), camera.size(), camera.frames());
        let live = camera.is_live();
        let end = Arc::clone(&slot);
        std::thread::Builder::new()
            .name(THREAD.into())
            .spawn(move || {
                // Before anything that could panic.
                let end = End(end);
                loop {
                    let next = camera.next();
                    end.0.lock().torn = camera.lost();
                    match next {
                        Ok(Some(frame)) => {
                            if !end.0.put(frame, live) {
                                break;
                            }
                        }
                        Ok(None) => break,
                        Err(fault) => {
                            end.0.lock().fault = Some(fault);
                            break;
                        }
                    }
                }
            })
            .map_err(|source| Fault::Thread { name: THREAD.into(), source })?;
        Ok(Self { slot, fps, size, frames })
    }

    /// The next frame, or `None` after the last; waits for it.
    ///
    /// # Errors
    /// Those of the source, after all frames that came before and were not lost;
    /// [`Fault::ThreadDied`] where its thread panicked.
    #[expect(clippy::should_implement_trait, reason = "as in `Camera`: a fault is no item of a sequence")]
    pub fn next(&mut self) -> Result<Option<Frame>, Fault> {
        self.slot.take().transpose()
    }

    /// How many frames were lost: nobody fetched them in time, or they came damaged from a live camera.
    pub fn lost(&self) -> u64 {
        let state = self.slot.lock();
        state.passed + state.torn
    }

    /// Frames a second.
    pub fn fps(&self) -> f32 {
        self.fps
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [u32; 2] {
        self.size
    }

    /// How many frames there will be, as far as the source says.
    pub fn frames(&self) -> Option<u64> {
        self.frames
    }
}

impl Drop for Feed {
    /// Tells the thread to stop; it ends at the source's next frame and is not waited for.
    fn drop(&mut self) {
        self.slot.lock().closed = true;
        self.slot.changed.notify_all();
    }
}

/// Tells of the end when the thread is over, however it ends.
struct End(Arc<Slot>);

impl Drop for End {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if std::thread::panicking() {
            state.fault = Some(Fault::ThreadDied { name: THREAD.into() });
        }
        state.ended = true;
        self.0.changed.notify_all();
    }
}

impl Slot {
    /// Puts a frame in; false where nobody will fetch it.
    fn put(&self, next: Frame, live: bool) -> bool {
        let mut state = self.lock();
        while !live && state.waiting.is_some() && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return false;
        }
        if state.waiting.replace(next).is_some() {
            state.passed += 1;
        }
        self.changed.notify_all();
        true
    }

    fn take(&self) -> Option<Result<Frame, Fault>> {
        let mut state = self.lock();
        while state.waiting.is_none() && !state.ended {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let next = state.waiting.take();
        self.changed.notify_all();
        next.map(Ok).or_else(|| state.fault.take().map(Err))
    }

    /// The state is whole between any two statements: a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;
    use crate::stage::Stamp;

    fn frame(number: u64) -> Frame {
        Frame::new(Stamp::from_micros(number), 1, 1, vec![0; 3]).unwrap()
    }

    /// Gives a frame for each number sent to it.
    struct Played {
        numbers: Receiver<u64>,
        live: bool,
        torn: u64,
    }

    impl Played {
        fn all(numbers: impl IntoIterator<Item = u64>, live: bool) -> Box<Self> {
            let (send, receive) = channel();
            numbers.into_iter().for_each(|n| send.send(n).unwrap());
            Box::new(Self { numbers: receive, live, torn: 0 })
        }
    }

    impl Camera for Played {
        fn next(&mut self) -> Result<Option<Frame>, Fault> {
            match self.numbers.recv() {
                Ok(666) => Err(Fault::NoFfmpeg),
                Ok(999) => panic!("a fault in this program, for the test"),
                Ok(number) => Ok(Some(frame(number))),
                Err(_) => Ok(None),
            }
        }
        fn fps(&self) -> f32 {
            25.0
        }
        fn size(&self) -> [u32; 2] {
            [1, 1]
        }
        fn frames(&self) -> Option<u64> {
            None
        }
        fn is_live(&self) -> bool {
            self.live
        }
        fn lost(&self) -> u64 {
            self.torn
        }
    }

    fn fetched(mut feed: Feed) -> (Vec<u64>, u64) {
        let mut got = Vec::new();
        while let Some(f) = feed.next().unwrap() {
            got.push((f.at.seconds() * 1e6).round() as u64);
        }
        (got, feed.lost())
    }

    #[test]
    fn a_file_loses_nothing() {
        let feed = Feed::start(Played::all(0..50, false)).unwrap();
        assert_eq!(fetched(feed), ((0..50).collect(), 0));
    }

    #[test]
    fn of_a_live_camera_the_newest_wins_and_the_rest_is_counted() {
        let slot = Slot::default();
        assert!((0..5).all(|n| slot.put(frame(n), true)));
        assert_eq!(slot.take().unwrap().unwrap(), frame(4));
        assert_eq!(slot.lock().passed, 4);
        // Whatever is fetched and whatever is lost, together it is all that came.
        let (got, lost) = fetched(Feed::start(Played::all(0..50, true)).unwrap());
        assert_eq!(got.len() as u64 + lost, 50);
        assert_eq!(got.last(), Some(&49));
        assert!(got.is_sorted());
    }

    #[test]
    fn frames_that_came_damaged_are_lost_too() {
        let mut played = Played::all([1], true);
        played.torn = 7;
        assert_eq!(fetched(Feed::start(played).unwrap()), (vec![1], 7));
    }

    /// After frame 1 comes `last`, and then nothing more.
    #[track_caller]
    fn check_end(last: u64, live: bool, expect: &str) {
        let mut feed = Feed::start(Played::all([1, last, 2], live)).unwrap();
        assert_eq!(feed.next().unwrap(), Some(frame(1)));
        let said = feed.next().expect_err("the source failed").to_string();
        assert!(said.contains(expect), "{said}");
        assert!(feed.next().unwrap().is_none());
    }

    #[test]
    fn a_fault_comes_after_the_frames_before_it_and_ends_the_feed() {
        check_end(666, false, "no ffmpeg");
        check_end(666, true, "no ffmpeg");
    }

    #[test]
    fn a_camera_that_panics_is_a_fault_and_nobody_waits_for_ever() {
        check_end(999, false, "the thread `camera` died");
        check_end(999, true, "the thread `camera` died");
    }
}
