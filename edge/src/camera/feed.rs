//! Reads a source on its own thread, one frame ahead.
//!
//! This is the one place where frames may be lost: a live camera puts its newest
//! frame into a slot of one, and what nobody fetched in time is gone and counted.
//! A file waits until its frame is fetched, so that none is lost. News of a camera
//! keeps its place between the frames. However the thread ends, even by a panic,
//! whoever waits for a frame is told.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::{Camera, Event, Frame};
use crate::Fault;
use crate::stage::Stamp;

/// What the thread is called.
const THREAD: &str = "camera";
/// News that may wait for somebody to hear it. Of more the oldest is forgotten, and a frame from before the
/// newest with it: what holds is the newest.
const NEWS: usize = 8;

/// A source that is being read.
pub struct Feed {
    slot: Arc<Slot>,
    fps: f32,
    size: [u32; 2],
    frames: Option<u64>,
    format: Option<String>,
    /// Of a live camera: it is free again when the feed is gone.
    thread: Option<JoinHandle<()>>,
}

/// Ends a feed from another thread.
#[derive(Clone)]
pub struct Closer(Arc<Slot>);

/// Where one frame lies between the two threads.
#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// News in its order, and among it at most one frame: the newest.
    waiting: VecDeque<Event>,
    /// Up to when nothing came, where nobody heard that yet.
    quiet: Option<Stamp>,
    /// Why the source gives no more; told after all that waits.
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
        let (live, format) = (camera.is_live(), camera.format());
        let end = Arc::clone(&slot);
        let thread = std::thread::Builder::new()
            .name(THREAD.into())
            .spawn(move || {
                // Before anything that could panic.
                let end = End(end);
                loop {
                    let next = camera.event();
                    end.0.lock().torn = camera.lost();
                    match next {
                        Ok(Some(event)) => {
                            if !end.0.put(event, live) {
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
        Ok(Self { slot, fps, size, frames, format, thread: live.then_some(thread) })
    }

    /// The next frame, or `None` after the last; waits for it, also while a camera is away.
    ///
    /// # Errors
    /// As [`Feed::event`].
    #[expect(clippy::should_implement_trait, reason = "as in `Camera`: a fault is no item of a sequence")]
    pub fn next(&mut self) -> Result<Option<Frame>, Fault> {
        loop {
            match self.event()? {
                Some(Event::Frame(frame)) => return Ok(Some(frame)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    /// The next frame or news of the camera, or `None` after the last or when the feed was closed.
    ///
    /// # Errors
    /// Those of the source, after all frames that came before and were not lost;
    /// [`Fault::ThreadDied`] where its thread panicked.
    pub fn event(&mut self) -> Result<Option<Event>, Fault> {
        self.slot.take().transpose()
    }

    /// How many frames were lost: nobody fetched them in time, or they came damaged from a live camera.
    pub fn lost(&self) -> u64 {
        let state = self.slot.lock();
        state.passed + state.torn
    }

    /// Frames a second, at the start.
    pub fn fps(&self) -> f32 {
        self.fps
    }

    /// Width and height in pixels, at the start.
    pub fn size(&self) -> [u32; 2] {
        self.size
    }

    /// How many frames there will be, as far as the source says.
    pub fn frames(&self) -> Option<u64> {
        self.frames
    }

    /// What a camera's pictures are before they are converted, at the start.
    pub fn format(&self) -> Option<&str> {
        self.format.as_deref()
    }

    /// What ends the feed for whoever waits in it.
    pub fn closer(&self) -> Closer {
        Closer(Arc::clone(&self.slot))
    }
}

impl Closer {
    /// Ends the feed: nothing is fetched from it any more.
    pub fn close(&self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

impl Drop for Feed {
    /// Tells the thread to stop. That of a live camera is waited for, which takes a fraction of a second: then
    /// the camera is free. That of a file ends at the next frame by itself.
    fn drop(&mut self) {
        self.closer().close();
        if let Some(thread) = self.thread.take() {
            // A panic in there was printed, and told as the feed's fault.
            let _ = thread.join();
        }
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
    /// Puts a frame or news in; false where nobody will fetch it.
    fn put(&self, next: Event, live: bool) -> bool {
        let mut state = self.lock();
        while !live && !state.waiting.is_empty() && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return false;
        }
        match next {
            Event::Quiet(until) => state.quiet = Some(until),
            next => {
                let is_frame = |event: &Event| matches!(event, Event::Frame(_));
                let full = state.waiting.iter().filter(|event| !is_frame(event)).count() == NEWS;
                if is_frame(&next) || full {
                    let before = state.waiting.len();
                    state.waiting.retain(|event| !is_frame(event));
                    state.passed += (before - state.waiting.len()) as u64;
                }
                if !is_frame(&next) && full {
                    state.waiting.pop_front();
                }
                state.waiting.push_back(next);
            }
        }
        self.changed.notify_all();
        true
    }

    fn take(&self) -> Option<Result<Event, Fault>> {
        let mut state = self.lock();
        while state.waiting.is_empty() && state.quiet.is_none() && !state.ended && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return None;
        }
        let next = state.waiting.pop_front();
        // Silence from before this is no news any more.
        let quiet = state.quiet.take().map(Event::Quiet);
        self.changed.notify_all();
        next.or(quiet).map(Ok).or_else(|| state.fault.take().map(Err))
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
        assert!((0..5).all(|n| slot.put(Event::Frame(frame(n)), true)));
        assert_eq!(slot.take().unwrap().unwrap(), Event::Frame(frame(4)));
        assert_eq!(slot.lock().passed, 4);
        // Whatever is fetched and whatever is lost, together it is all that came.
        let (got, lost) = fetched(Feed::start(Played::all(0..50, true)).unwrap());
        assert_eq!(got.len() as u64 + lost, 50);
        assert_eq!(got.last(), Some(&49));
        assert!(got.is_sorted());
    }

    fn lost(number: u64) -> Event {
        Event::Lost { at: Stamp::from_micros(number), why: "it went".into() }
    }

    /// What is fetched after all of it was put in, and how many frames were passed over.
    #[track_caller]
    fn check_order(put: &[Event], expect: &[Event], passed: u64) {
        let slot = Slot::default();
        assert!(put.iter().all(|event| slot.put(event.clone(), true)));
        slot.lock().ended = true;
        let got: Vec<Event> = std::iter::from_fn(|| slot.take().map(Result::unwrap)).collect();
        assert_eq!(got, expect);
        assert_eq!(slot.lock().passed, passed);
    }

    #[test]
    fn news_keeps_its_place_between_frames() {
        let [one, two, three] = [1, 2, 3].map(|n| Event::Frame(frame(n)));
        let quiet = |n| Event::Quiet(Stamp::from_micros(n));
        check_order(&[one.clone(), lost(2)], &[one.clone(), lost(2)], 0);
        check_order(&[one.clone(), lost(2), three.clone()], &[lost(2), three.clone()], 1);
        check_order(&[lost(1), two.clone(), three.clone()], &[lost(1), three.clone()], 1);
        check_order(&[quiet(1), quiet(2)], &[quiet(2)], 0);
        check_order(&[one.clone(), quiet(2)], std::slice::from_ref(&one), 0);
    }

    #[test]
    fn of_news_that_nobody_hears_the_newest_stays() {
        let all: Vec<Event> = (0..100).map(lost).collect();
        check_order(&all, &all[100 - NEWS..], 0);
        let with_frame = [&all[..NEWS], &[Event::Frame(frame(1))], &all[NEWS..]].concat();
        check_order(&with_frame, &all[100 - NEWS..], 1);
    }

    #[test]
    fn whoever_waits_is_let_go_when_the_feed_is_closed() {
        // Held, so that the camera waits for more numbers.
        let (numbers, receiver) = channel();
        let mut feed = Feed::start(Box::new(Played { numbers: receiver, live: false, torn: 0 })).unwrap();
        let closer = feed.closer();
        let waiting = std::thread::spawn(move || feed.event().unwrap());
        closer.close();
        assert_eq!(waiting.join().unwrap(), None);
        drop(numbers);
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
