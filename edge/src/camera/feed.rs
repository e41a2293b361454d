//! Reads a source on its own thread, one frame ahead.
//!
//! This is the one place where frames may be lost: a live camera puts its newest
//! frame into a slot of one, and what nobody fetched in time is gone and counted.
//! A file waits until its frame is fetched, so that none is lost.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{Camera, Frame};
use crate::Fault;

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
    waiting: Option<Result<Frame, Fault>>,
    /// The source has given its last.
    ended: bool,
    /// Nobody will fetch any more.
    closed: bool,
    lost: u64,
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
            .name("camera".into())
            .spawn(move || {
                while let Some(next) = camera.next().transpose() {
                    let failed = next.is_err();
                    if !end.put(next, live) || failed {
                        break;
                    }
                }
                end.finish();
            })
            .map_err(|source| Fault::Thread { name: "camera".into(), source })?;
        Ok(Self { slot, fps, size, frames })
    }

    /// The next frame, or `None` after the last; waits for it.
    ///
    /// # Errors
    /// Those of the source, after all frames that came before.
    #[expect(clippy::should_implement_trait, reason = "as in `Camera`: a fault is no item of a sequence")]
    pub fn next(&mut self) -> Result<Option<Frame>, Fault> {
        self.slot.take().transpose()
    }

    /// How many frames were lost because nobody fetched them in time.
    pub fn lost(&self) -> u64 {
        self.slot.lock().lost
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

impl Slot {
    /// Puts a frame in; false where nobody will fetch it.
    fn put(&self, next: Result<Frame, Fault>, live: bool) -> bool {
        let mut state = self.lock();
        while !live && state.waiting.is_some() && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return false;
        }
        if state.waiting.replace(next).is_some() {
            state.lost += 1;
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
        next
    }

    fn finish(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
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
    }

    impl Camera for Played {
        fn next(&mut self) -> Result<Option<Frame>, Fault> {
            match self.numbers.recv() {
                Ok(666) => Err(Fault::NoFfmpeg),
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
        let (send, numbers) = channel();
        (0..50).for_each(|n| send.send(n).unwrap());
        drop(send);
        let feed = Feed::start(Box::new(Played { numbers, live: false })).unwrap();
        assert_eq!(fetched(feed), ((0..50).collect(), 0));
    }

    #[test]
    fn of_a_live_camera_the_newest_wins_and_the_rest_is_counted() {
        let slot = Slot::default();
        assert!((0..5).all(|n| slot.put(Ok(frame(n)), true)));
        assert_eq!(slot.take().unwrap().unwrap(), frame(4));
        assert_eq!(slot.lock().lost, 4);
        // Whatever is fetched and whatever is lost, together it is all that came.
        let (send, numbers) = channel();
        (0..50).for_each(|n| send.send(n).unwrap());
        drop(send);
        let (got, lost) = fetched(Feed::start(Box::new(Played { numbers, live: true })).unwrap());
        assert_eq!(got.len() as u64 + lost, 50);
        assert_eq!(got.last(), Some(&49));
        assert!(got.is_sorted());
    }

    #[test]
    fn a_fault_comes_after_the_frames_before_it_and_ends_the_feed() {
        let (send, numbers) = channel();
        [1, 666, 2].into_iter().for_each(|n| send.send(n).unwrap());
        let mut feed = Feed::start(Box::new(Played { numbers, live: false })).unwrap();
        assert_eq!(feed.next().unwrap(), Some(frame(1)));
        assert!(feed.next().is_err());
        assert!(feed.next().unwrap().is_none());
    }
}
