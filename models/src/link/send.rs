//! The sending end of a transfer: which block goes out next.
//!
//! Selective repeat. A line keeps the order of what is put on it, so that every block that was sent before
//! one that arrived has arrived as well or is lost: it is repeated at once, without a timer. Only the last
//! blocks, behind which nothing comes, and receipts that were lost themselves need one.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::message::{Got, Offer, Take};

/// Blocks on the way that no receipt has named yet. Both ends hold memory for so many.
pub const WINDOW: u32 = 256;
/// Without news for so long, the oldest block is sent again; doubled each time up to [`MOST_PATIENCE`].
const PATIENCE: Duration = Duration::from_millis(400);
/// The longest time between two such tries.
const MOST_PATIENCE: Duration = Duration::from_secs(1);

/// Knows which blocks are on the way.
#[derive(Debug)]
pub struct Sender {
    transfer: u32,
    length: u64,
    block: u32,
    blocks: u32,
    /// All blocks before this one are there.
    base: u32,
    /// Those from `base` on that were sent.
    window: VecDeque<Slot>,
    /// Those of them that are lost and not sent again yet.
    lost: BTreeSet<u32>,
    sent: u64,
    repeated: u64,
    /// The highest order of a block that is there.
    newest: u64,
    /// When a receipt last said something new, or a block was sent.
    since: Duration,
    first_patience: Duration,
    patience: Duration,
}

#[derive(Debug)]
struct Slot {
    /// It was the so-manieth that was sent, when it was last sent.
    order: u64,
    there: bool,
}

impl Sender {
    /// Sends an offered file as the other end takes it. `slack` is how long the line's own buffers delay
    /// what goes through them.
    pub fn new(offer: &Offer, take: &Take, slack: Duration, now: Duration) -> Self {
        let block = offer.block.max(1);
        let count = |bytes: u64| u32::try_from(bytes.div_ceil(u64::from(block))).unwrap_or(u32::MAX);
        Self {
            transfer: take.transfer,
            length: offer.length,
            block,
            blocks: count(offer.length),
            base: count(take.from.min(offer.length)),
            window: VecDeque::with_capacity(WINDOW as usize),
            lost: BTreeSet::new(),
            sent: 0,
            repeated: 0,
            newest: 0,
            since: now,
            first_patience: PATIENCE + slack,
            patience: PATIENCE + slack,
        }
    }

    /// The block that is to go out now; `None` while receipts are to be waited for.
    pub fn next(&mut self, now: Duration) -> Option<u32> {
        let fresh = self.base + self.window.len() as u32;
        let index = if let Some(lost) = self.lost.pop_first() {
            lost
        } else if fresh < self.blocks && (self.window.len() as u32) < WINDOW {
            self.window.push_back(Slot { order: 0, there: false });
            fresh
        } else if now >= self.since + self.patience {
            self.patience = (self.patience * 2).min(MOST_PATIENCE.max(self.first_patience));
            self.base + self.window.iter().position(|slot| !slot.there)? as u32
        } else {
            return None;
        };
        self.since = now;
        self.sent += 1;
        self.repeated += u64::from(index != fresh);
        self.window[(index - self.base) as usize].order = self.sent;
        Some(index)
    }

    /// What its blocks bear.
    pub fn transfer(&self) -> u32 {
        self.transfer
    }

    /// Where a block lies in the file, and how long it is. Bytes.
    pub fn place(&self, index: u32) -> (u64, usize) {
        place(index, self.block, self.length)
    }

    /// Takes a receipt; those of another transfer, or that make no sense, change nothing.
    pub fn got(&mut self, got: &Got, now: Duration) {
        let fresh = self.base + self.window.len() as u32;
        if got.transfer != self.transfer || got.next > fresh {
            return;
        }
        let mut newest = 0;
        while self.base < got.next {
            let slot = self.window.pop_front().expect("`next` lies within the window");
            newest = newest.max(if slot.there { 0 } else { slot.order });
            self.base += 1;
        }
        let bits = got.seen.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
        for (offset, _) in bits.enumerate().filter(|(_, seen)| *seen) {
            let index = u64::from(got.next) + 1 + offset as u64;
            let slot = index.checked_sub(u64::from(self.base));
            if let Some(slot) = slot.and_then(|at| self.window.get_mut(at as usize)).filter(|s| !s.there) {
                slot.there = true;
                newest = newest.max(slot.order);
            }
        }
        if newest == 0 {
            return;
        }
        self.newest = self.newest.max(newest);
        (self.since, self.patience) = (now, self.first_patience);
        let lost = self.window.iter().enumerate().filter(|(_, slot)| !slot.there && slot.order < self.newest);
        self.lost = lost.map(|(at, _)| self.base + at as u32).collect();
    }

    /// Bytes that are there for certain.
    pub fn done(&self) -> u64 {
        (u64::from(self.base) * u64::from(self.block)).min(self.length)
    }

    /// Whether all blocks are there. The verdict may still be on its way.
    pub fn is_done(&self) -> bool {
        self.base == self.blocks
    }

    /// How many blocks were sent, and how many of them again.
    pub fn counts(&self) -> (u64, u64) {
        (self.sent, self.repeated)
    }
}

/// Where a block lies in a file of that length, and how long it is. Bytes.
pub fn place(index: u32, block: u32, length: u64) -> (u64, usize) {
    let from = (u64::from(index) * u64::from(block)).min(length);
    (from, (length - from).min(u64::from(block)) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(blocks: u32) -> Sender {
        let length = u64::from(blocks) * 10;
        let offer = Offer { name: "a".into(), length, hash: [0; 32], block: 10, afresh: false };
        Sender::new(&offer, &Take { transfer: 1, from: 0, hash: [0; 32] }, Duration::ZERO, Duration::ZERO)
    }

    fn got(next: u32, seen: &[u8]) -> Got {
        Got { transfer: 1, next, seen: seen.into(), verdict: None }
    }

    /// The blocks that go out one after the other until one has to wait.
    #[track_caller]
    fn check(sender: &mut Sender, at_ms: u64, expect: &[u32]) {
        let now = Duration::from_millis(at_ms);
        let next: Vec<u32> = std::iter::from_fn(|| sender.next(now)).collect();
        assert_eq!(next, expect);
    }

    #[test]
    fn what_was_overtaken_is_repeated_at_once_and_once() {
        let mut sender = sender(8);
        check(&mut sender, 0, &[0, 1, 2, 3, 4, 5, 6, 7]);
        // 0, 3 and 4 are here: 1 and 2 were overtaken, 5 to 7 may be on the way.
        sender.got(&got(1, &[0b110]), Duration::ZERO);
        check(&mut sender, 1, &[1, 2]);
        sender.got(&got(1, &[0b110]), Duration::ZERO);
        check(&mut sender, 2, &[]);
        // 6 came, which was sent before the repetition: 5 is lost, 1 and 2 are on the way.
        sender.got(&got(1, &[0b10110]), Duration::ZERO);
        check(&mut sender, 3, &[5]);
        // 2 came: 1, repeated before it, is lost again, and 7 as well.
        sender.got(&got(1, &[0b10111]), Duration::ZERO);
        check(&mut sender, 4, &[1, 7]);
        sender.got(&got(8, &[]), Duration::ZERO);
        assert!(sender.is_done());
        assert_eq!((sender.done(), sender.counts()), (80, (13, 5)));
    }

    #[test]
    fn the_last_block_is_repeated_after_a_while_ever_more_patiently() {
        let mut sender = sender(2);
        check(&mut sender, 0, &[0, 1]);
        sender.got(&got(1, &[]), Duration::ZERO);
        check(&mut sender, 399, &[]);
        check(&mut sender, 400, &[1]);
        check(&mut sender, 1199, &[]);
        check(&mut sender, 1200, &[1]);
        sender.got(&got(2, &[]), Duration::from_millis(1300));
        check(&mut sender, 9000, &[]);
    }

    #[test]
    fn receipts_of_nonsense_change_nothing() {
        let mut sender = sender(3);
        check(&mut sender, 0, &[0, 1, 2]);
        sender.got(&Got { transfer: 2, ..got(3, &[]) }, Duration::ZERO);
        sender.got(&got(4, &[]), Duration::ZERO);
        sender.got(&got(u32::MAX, &[0xff; 32]), Duration::ZERO);
        assert_eq!(sender.done(), 0);
        sender.got(&got(0, &[0xff; 500]), Duration::ZERO);
        check(&mut sender, 1, &[0]);
    }

    #[test]
    fn no_more_than_the_window_is_on_the_way() {
        let mut sender = sender(1000);
        let all: Vec<u32> = (0..WINDOW).collect();
        check(&mut sender, 0, &all);
        sender.got(&got(2, &[]), Duration::ZERO);
        check(&mut sender, 0, &[WINDOW, WINDOW + 1]);
    }
}
