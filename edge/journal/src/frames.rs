//! Lines as frames of defmt (`rzcobs`), each of which is read without those before it.

#![allow(unsafe_code, reason = "a logger of defmt is an unsafe trait")]

use std::cell::UnsafeCell;

use critical_section::RestoreState;

use crate::{Entry, begun, locked};

/// The frame that is being written.
struct Frame {
    encoder: defmt::Encoder,
    bytes: Vec<u8>,
    restore: RestoreState,
}

struct Shared(UnsafeCell<Frame>);

// SAFETY: it is touched between `acquire` and `release` only, which hold the process's one critical section.
unsafe impl Sync for Shared {}

static FRAME: Shared = Shared(UnsafeCell::new(Frame {
    encoder: defmt::Encoder::new(),
    bytes: Vec::new(),
    restore: RestoreState::invalid(),
}));

#[defmt::global_logger]
struct Logger;

// SAFETY: one thread at a time is between `acquire` and `release`, and defmt calls nothing but `write` there.
unsafe impl defmt::Logger for Logger {
    fn acquire() {
        // SAFETY: `release` gives it back.
        let restore = unsafe { critical_section::acquire() };
        // SAFETY: the critical section is held.
        let frame = unsafe { &mut *FRAME.0.get() };
        frame.restore = restore;
        frame.encoder.start_frame(|bytes| frame.bytes.extend_from_slice(bytes));
    }

    unsafe fn flush() {}

    unsafe fn release() {
        // SAFETY: the critical section is held.
        let frame = unsafe { &mut *FRAME.0.get() };
        frame.encoder.end_frame(|bytes| frame.bytes.extend_from_slice(bytes));
        locked().push(Entry::Frames(std::mem::take(&mut frame.bytes)));
        let restore = frame.restore;
        // SAFETY: `acquire` took it with this state.
        unsafe { critical_section::release(restore) };
    }

    unsafe fn write(bytes: &[u8]) {
        // SAFETY: the critical section is held.
        let frame = unsafe { &mut *FRAME.0.get() };
        frame.encoder.write(bytes, |bytes| frame.bytes.extend_from_slice(bytes));
    }
}

defmt::timestamp!("{=u64:us}", u64::try_from(begun().elapsed().as_micros()).unwrap_or(u64::MAX));
