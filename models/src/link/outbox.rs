//! What waits to be sent: three queues before one wire.
//!
//! Control goes before logs and logs before bulk, frame by frame, except that bulk passes after each
//! [`LOGS_IN_A_ROW`] logs, so that a unit that logs without end can still be updated. What was once put on
//! the way (`ahead` bytes at most, and the rest of one frame) is not overtaken any more: that, and what the
//! system's driver holds, is the longest that a control message waits.

use std::collections::VecDeque;

use serde::Serialize;

use super::Error;
use super::frame::{self, Channel};

/// Frames of logs before a frame of bulk passes.
const LOGS_IN_A_ROW: u32 = 3;
/// Bytes that may wait in each channel: control holds answers and receipts, logs some hundred lines, bulk
/// only what keeps the wire busy.
const ROOM: [usize; 3] = [64 << 10, 64 << 10, 32 << 10];

/// Frames on their way out.
#[derive(Debug)]
pub struct Outbox {
    waiting: [VecDeque<Vec<u8>>; 3],
    bytes: [usize; 3],
    /// What goes to the wire next, and how much of it went.
    on_the_way: Vec<u8>,
    gone: usize,
    logs_in_a_row: u32,
}

impl Default for Outbox {
    fn default() -> Self {
        // The zero parts the first frame from whatever stood on the line before.
        let on_the_way = vec![0];
        Self { waiting: Default::default(), bytes: [0; 3], on_the_way, gone: 0, logs_in_a_row: 0 }
    }
}

impl Outbox {
    /// Puts a message into its channel's queue.
    ///
    /// # Errors
    /// [`Error::TooLong`], and [`Error::Full`] where the other end has taken nothing for so long that the
    /// queue is full.
    pub fn push(&mut self, channel: Channel, message: &impl Serialize) -> Result<(), Error> {
        let mut bytes = Vec::new();
        frame::encode(channel, message, &mut bytes)?;
        let queue = channel as usize;
        if self.bytes[queue] + bytes.len() > ROOM[queue] {
            return Err(Error::Full);
        }
        self.bytes[queue] += bytes.len();
        self.waiting[queue].push_back(bytes);
        Ok(())
    }

    /// The bytes that the wire is to take next: at most `ahead`, or one frame where that is longer.
    pub fn next(&mut self, ahead: usize) -> &[u8] {
        if self.gone == self.on_the_way.len() {
            self.on_the_way.clear();
            self.gone = 0;
        }
        // A frame that is cut is finished first; behind whole ones there may be room for more.
        while self.on_the_way.len() - self.gone < ahead {
            let Some(channel) = self.turn() else { break };
            let first = self.waiting[channel].front().expect("whose turn it is has a frame");
            if self.on_the_way.len() > self.gone && self.on_the_way.len() - self.gone + first.len() > ahead {
                break;
            }
            let frame = self.waiting[channel].pop_front().expect("it was there a line above");
            self.bytes[channel] -= frame.len();
            self.on_the_way.extend(frame);
            self.logs_in_a_row = match channel {
                1 => self.logs_in_a_row + 1,
                2 => 0,
                _ => self.logs_in_a_row,
            };
        }
        &self.on_the_way[self.gone..]
    }

    /// So many bytes of these are gone.
    pub fn sent(&mut self, bytes: usize) {
        self.gone += bytes;
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.gone == self.on_the_way.len() && self.waiting.iter().all(VecDeque::is_empty)
    }

    /// Bytes that wait in a channel, without those on the way.
    pub fn waiting(&self, channel: Channel) -> usize {
        self.bytes[channel as usize]
    }

    /// Throws away what waits, except for what is on the way: half a frame would spoil the next.
    pub fn clear(&mut self) {
        self.waiting = Default::default();
        self.bytes = [0; 3];
    }

    fn turn(&self) -> Option<usize> {
        let [control, logs, bulk] = [0, 1, 2].map(|queue| !self.waiting[queue].is_empty());
        match (control, logs, bulk) {
            (true, _, _) => Some(0),
            (_, true, true) => Some(if self.logs_in_a_row >= LOGS_IN_A_ROW { 2 } else { 1 }),
            (_, true, false) => Some(1),
            (_, false, true) => Some(2),
            (false, false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::frame::Decoder;

    /// Sends all behind the bytes that are gone already, and gives the channels of the frames in their order.
    fn order(outbox: &mut Outbox, ahead: usize, begun: &[u8]) -> Vec<Channel> {
        let mut decoder = Decoder::default();
        decoder.push(begun, |_, _| panic!("so few bytes are no frame"));
        let mut order = Vec::new();
        loop {
            let bytes = outbox.next(ahead);
            if bytes.is_empty() {
                return order;
            }
            let count = bytes.len().min(10);
            decoder.push(&bytes[..count], |channel, _| order.push(channel));
            outbox.sent(count);
        }
    }

    #[test]
    fn control_waits_for_what_is_on_the_way_and_no_more() {
        for ahead in [1, 300, 4096] {
            let mut outbox = Outbox::default();
            let block = vec![1u8; 200];
            for _ in 0..100 {
                outbox.push(Channel::Bulk, &block).unwrap();
            }
            let before = outbox.next(ahead);
            assert!(before.len() <= ahead.max(220), "{} bytes of {ahead}", before.len());
            let begun = before[..before.len().min(3)].to_vec();
            outbox.sent(begun.len());
            outbox.push(Channel::Control, &7u32).unwrap();
            let order = order(&mut outbox, ahead, &begun);
            let at = order.iter().position(|c| *c == Channel::Control).unwrap();
            assert!(at <= ahead / 200 + 1, "{at} frames before control, {ahead} bytes ahead");
            assert_eq!(order.len(), 101);
        }
    }

    #[test]
    fn logs_go_first_and_do_not_starve_bulk() {
        let mut outbox = Outbox::default();
        for _ in 0..9 {
            outbox.push(Channel::Bulk, &1u8).unwrap();
            outbox.push(Channel::Logs, &1u8).unwrap();
        }
        let order: Vec<u8> = order(&mut outbox, 1, &[]).iter().map(|c| *c as u8).collect();
        assert_eq!(order, [1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2]);
        assert!(outbox.is_empty());
    }

    #[test]
    fn a_peer_that_takes_nothing_costs_no_memory() {
        for channel in [Channel::Control, Channel::Logs, Channel::Bulk] {
            let mut outbox = Outbox::default();
            let pushed = (0..10_000).take_while(|_| outbox.push(channel, &vec![0u8; 100]).is_ok()).count();
            assert!(pushed >= 100, "{pushed}");
            assert!(outbox.waiting(channel) <= ROOM[channel as usize]);
            outbox.clear();
            assert_eq!(outbox.waiting(channel), 0);
        }
    }
}
