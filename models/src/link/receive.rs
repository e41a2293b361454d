//! The receiving end of a transfer: blocks in any order in, a file in order out, and receipts.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use super::message::{Got, Offer, Take, Verdict};
use super::send::{WINDOW, place};

/// Blocks after which a receipt is due.
const REPORT_AFTER: u32 = 16;
/// And it is due so long after a block in any case.
const REPORT_WITHIN: Duration = Duration::from_millis(10);

/// Knows which blocks are here, and holds those that came too early: at most a window of them.
#[derive(Debug)]
pub struct Receiver {
    transfer: u32,
    length: u64,
    block: u32,
    /// All blocks before this one are written.
    next: u32,
    blocks: u32,
    early: BTreeMap<u32, Vec<u8>>,
    unreported: u32,
    due: Option<Duration>,
    verdict: Option<Verdict>,
}

impl Receiver {
    /// Takes an offered file from where it stands.
    pub fn new(offer: &Offer, take: &Take) -> Self {
        let count = |bytes: u64| u32::try_from(bytes.div_ceil(u64::from(offer.block.max(1))));
        Self {
            transfer: take.transfer,
            length: offer.length,
            block: offer.block.max(1),
            next: count(take.from).unwrap_or(u32::MAX),
            blocks: count(offer.length).unwrap_or(u32::MAX),
            early: BTreeMap::new(),
            unreported: 0,
            due: None,
            verdict: None,
        }
    }

    /// What its blocks bear.
    pub fn transfer(&self) -> u32 {
        self.transfer
    }

    /// Takes a block and writes what is in order now. What came twice, too early or with another length is
    /// not written.
    ///
    /// # Errors
    /// What `write` said; the transfer cannot go on then.
    pub fn block(
        &mut self,
        index: u32,
        bytes: &[u8],
        now: Duration,
        mut write: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let within = self.due.get_or_insert(now + REPORT_WITHIN);
        *within = (*within).min(now + REPORT_WITHIN);
        let beyond = self.early.last_key_value().map_or(self.next, |(last, _)| last + 1);
        let wanted = index >= self.next
            && index < self.blocks
            && index - self.next <= WINDOW
            && bytes.len() == place(index, self.block, self.length).1
            && self.verdict.is_none();
        if !wanted {
            return Ok(());
        }
        self.unreported += 1;
        if index > beyond || self.unreported >= REPORT_AFTER {
            self.due = Some(now);
        }
        if index > self.next {
            self.early.insert(index, bytes.into());
            return Ok(());
        }
        write(bytes)?;
        self.next += 1;
        while let Some(bytes) = self.early.remove(&self.next) {
            write(&bytes)?;
            self.next += 1;
        }
        if self.is_complete() {
            self.due = Some(now);
        }
        Ok(())
    }

    /// Whether all blocks are written.
    pub fn is_complete(&self) -> bool {
        self.next == self.blocks
    }

    /// How it ended. The next receipts say so.
    pub fn end(&mut self, verdict: Verdict, now: Duration) {
        self.early.clear();
        self.verdict = Some(verdict);
        self.due = Some(now);
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.verdict.is_some()
    }

    /// The receipt that is due, if one is.
    pub fn receipt(&mut self, now: Duration) -> Option<Got> {
        if now < self.due? {
            return None;
        }
        self.due = None;
        self.unreported = 0;
        let mut seen = Vec::new();
        for index in self.early.keys() {
            let bit = (index - self.next - 1) as usize;
            seen.resize(bit / 8 + 1, 0u8);
            seen[bit / 8] |= 1 << (bit % 8);
        }
        Some(Got { transfer: self.transfer, next: self.next, seen, verdict: self.verdict.clone() })
    }

    /// How long until a receipt is due.
    pub fn due_in(&self, now: Duration) -> Option<Duration> {
        self.due.map(|due| due.saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const AT: Duration = Duration::from_secs(1);

    /// Gives blocks of a file of 55 bytes, ten a block, and compares what is written and reported.
    #[track_caller]
    fn check(blocks: &[(u32, usize)], written: usize, next: u32, seen: &[u8]) {
        let offer = Offer { name: "a".into(), length: 55, hash: [0; 32], block: 10, afresh: false };
        let mut receiver = Receiver::new(&offer, &Take { transfer: 3, from: 0, hash: [0; 32] });
        let mut file = Vec::new();
        for (index, length) in blocks {
            let bytes = vec![*index as u8; *length];
            receiver.block(*index, &bytes, AT, |bytes| file.write_all(bytes)).unwrap();
        }
        let expect: Vec<u8> = (0..written).map(|i| (i / 10) as u8).collect();
        assert_eq!(file, expect);
        assert_eq!(receiver.is_complete(), written == 55);
        let got = receiver.receipt(AT + REPORT_WITHIN).unwrap();
        assert_eq!((got.next, got.seen.as_slice(), got.verdict), (next, seen, None));
        assert_eq!(receiver.receipt(AT + REPORT_WITHIN * 9), None, "nothing new");
    }

    #[test]
    fn blocks_of_any_order_become_the_file() {
        check(&[(0, 10), (1, 10)], 20, 2, &[]);
        check(&[(3, 10), (1, 10)], 0, 0, &[0b101]);
        check(&[(3, 10), (1, 10), (0, 10), (0, 10), (1, 10)], 20, 2, &[1]);
        check(&[(5, 5), (4, 10), (3, 10), (2, 10), (1, 10), (0, 10)], 55, 6, &[]);
    }

    #[test]
    fn blocks_that_are_not_the_files_are_left_out() {
        check(&[(0, 9), (5, 10), (6, 10), (u32::MAX, 10), (1, 0)], 0, 0, &[]);
    }

    #[test]
    fn a_gap_is_reported_at_once_and_an_end_again_and_again() {
        let offer = Offer { name: "a".into(), length: 50, hash: [0; 32], block: 10, afresh: false };
        let mut receiver = Receiver::new(&offer, &Take { transfer: 3, from: 10, hash: [0; 32] });
        receiver.block(1, &[0; 10], AT, |_| Ok(())).unwrap();
        assert_eq!(receiver.receipt(AT), None);
        receiver.block(3, &[0; 10], AT, |_| Ok(())).unwrap();
        assert_eq!(receiver.receipt(AT).unwrap().seen, [1]);
        receiver.end(Verdict::Whole, AT);
        for _ in 0..2 {
            assert_eq!(receiver.receipt(AT + REPORT_WITHIN).unwrap().verdict, Some(Verdict::Whole));
            receiver.block(4, &[0; 10], AT, |_| panic!("nothing is written any more")).unwrap();
        }
    }
}
