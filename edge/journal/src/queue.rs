//! Lines that wait for a cable: the newest, in little memory.

use std::collections::VecDeque;

use crate::Entry;

/// So many lines wait at most.
const LINES: usize = 256;

/// A bounded queue that drops its oldest entries, and counts them.
#[derive(Debug)]
pub struct Queue {
    waiting: VecDeque<Entry>,
    dropped: u32,
}

impl Queue {
    pub const fn new() -> Self {
        Self { waiting: VecDeque::new(), dropped: 0 }
    }

    pub fn push(&mut self, entry: Entry) {
        if self.waiting.len() >= LINES {
            self.waiting.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
        self.waiting.push_back(entry);
    }

    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    /// The oldest line, or the oldest frames together; how many entries that are, and the count of the dropped.
    pub fn peek(&self, most: usize) -> Option<(Entry, usize, u32)> {
        let mut together = match self.waiting.front()? {
            Entry::Frames(first) => first.clone(),
            line => return Some((line.clone(), 1, self.dropped)),
        };
        let mut count = 1;
        for entry in self.waiting.iter().skip(1) {
            let Entry::Frames(next) = entry else { break };
            if together.len() + next.len() > most {
                break;
            }
            together.extend_from_slice(next);
            count += 1;
        }
        Some((Entry::Frames(together), count, self.dropped))
    }

    /// Removes entries that were taken; `dropped` is what it was when they were looked at. Of those some may
    /// have been dropped meanwhile, which were not lost after all.
    pub fn remove(&mut self, count: usize, dropped: u32) {
        let gone = (self.dropped - dropped) as usize;
        let taken = gone.min(count);
        self.dropped -= taken as u32;
        self.waiting.drain(..(count - taken).min(self.waiting.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(byte: u8, length: usize) -> Entry {
        Entry::Frames(vec![byte; length])
    }

    #[test]
    fn the_newest_lines_wait_and_the_others_are_counted() {
        let mut queue = Queue::new();
        assert_eq!(queue.peek(100), None);
        (0..300).for_each(|i| queue.push(frame(i as u8, 1)));
        assert_eq!((queue.dropped(), queue.waiting.len()), (44, LINES));
        assert_eq!(queue.peek(3).unwrap(), (Entry::Frames(vec![44, 45, 46]), 3, 44));
        // Meanwhile two more come, and two of those that were looked at make room for them.
        (0..2).for_each(|i| queue.push(frame(i, 1)));
        queue.remove(3, 44);
        assert_eq!((queue.dropped(), queue.peek(1).unwrap().0), (44, Entry::Frames(vec![47])));
    }

    #[test]
    fn a_frame_that_is_too_long_goes_alone_and_lines_are_not_mixed_with_frames() {
        let mut queue = Queue::new();
        let line = Entry::Line { at_ms: 1, level: crate::Level::Info, text: "a".into() };
        for entry in [frame(1, 50), frame(2, 1), line.clone(), frame(3, 1)] {
            queue.push(entry);
        }
        assert_eq!(queue.peek(10).unwrap().1, 1);
        queue.remove(1, 0);
        assert_eq!(queue.peek(10).unwrap(), (frame(2, 1), 1, 0));
        queue.remove(1, 0);
        assert_eq!(queue.peek(10).unwrap().0, line);
    }
}
