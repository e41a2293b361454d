//! A bounded queue between two threads that outlives both: either may break down and begin again.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A queue with room for so many.
#[derive(Debug)]
pub struct Queue<T> {
    most: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    /// With room for `most`.
    pub fn new(most: usize) -> Self {
        let state = State { waiting: VecDeque::with_capacity(most), closed: false };
        Self { most, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Puts something in as soon as there is room; `false` where nobody will take it any more.
    pub fn push(&self, item: T) -> bool {
        let mut state = self.lock();
        while state.waiting.len() >= self.most && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return false;
        }
        state.waiting.push_back(item);
        self.wake(state);
        true
    }

    /// Puts something in at once; where there is no room the oldest is given back.
    pub fn offer(&self, item: T) -> Option<T> {
        let mut state = self.lock();
        let oldest = if state.waiting.len() >= self.most { state.waiting.pop_front() } else { None };
        state.waiting.push_back(item);
        self.wake(state);
        oldest
    }

    /// What waits longest; waits at most so long for it.
    pub fn take(&self, patience: Duration) -> Option<T> {
        let until = Instant::now() + patience;
        let mut state = self.lock();
        while state.waiting.is_empty() && !state.closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let woken = self.changed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        let item = state.waiting.pop_front();
        self.wake(state);
        item
    }

    /// Throws away what waits.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.waiting.clear();
        self.wake(state);
    }

    /// Nobody takes anything any more: whoever waits is let go.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        self.wake(state);
    }

    /// Wakes whoever waits, once the queue is free: who hangs in the system's call for it keeps nobody else out.
    fn wake(&self, state: MutexGuard<'_, State<T>>) {
        drop(state);
        self.changed.notify_all();
    }

    /// The state is whole between any two statements: a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn what_is_pushed_waits_for_room_and_comes_out_in_order() {
        let queue = Arc::new(Queue::new(2));
        let pushing = thread::spawn({
            let queue = Arc::clone(&queue);
            move || (0..100).all(|n| queue.push(n))
        });
        let mut taken = Vec::new();
        while taken.len() < 100 {
            assert!(queue.lock().waiting.len() <= 2);
            taken.extend(queue.take(Duration::from_secs(10)));
        }
        assert!(pushing.join().unwrap() && taken.is_sorted());
    }

    #[test]
    fn what_is_offered_drives_the_oldest_out() {
        let queue = Queue::new(2);
        assert_eq!([1, 2, 3].map(|n| queue.offer(n)), [None, None, Some(1)]);
        assert_eq!(queue.take(Duration::ZERO), Some(2));
        queue.clear();
        assert_eq!((queue.take(Duration::ZERO), queue.lock().waiting.is_empty()), (None, true));
    }

    #[test]
    fn whoever_waits_is_let_go_when_the_queue_is_closed() {
        let queue = Arc::new(Queue::new(1));
        assert!(queue.push(1));
        let waiting = thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.push(2)
        });
        queue.close();
        assert!(!waiting.join().unwrap());
        assert_eq!(queue.take(Duration::from_secs(10)), Some(1), "what waited is still there");
        assert_eq!(queue.take(Duration::from_secs(10)), None);
    }
}
