//! What the unit says to a technician: lines with a level, at the places where one helps.
//!
//! [`info!`], [`warn!`] and [`error!`] take a text and values for its `{}`: numbers, truth values and `&str`.
//! Without the feature `defmt` a line is words: it goes to the service's log, and waits in a bounded queue for
//! a cable. With it a line is a frame of some bytes; its words, file and line stand in the program's symbols,
//! and `cargo xtask monitor` puts them together by the program's build-id. Whoever has the cable takes lines
//! out with [`hand`]. The queue keeps the newest; what found no room is counted.
//!
//! This crate alone names defmt. Nothing that anybody signed may stand in a line.

mod queue;

#[cfg(feature = "defmt")]
mod frames;
#[cfg(not(feature = "defmt"))]
mod lines;

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

#[cfg(feature = "defmt")]
#[doc(hidden)]
pub use defmt;
#[cfg(not(feature = "defmt"))]
#[doc(hidden)]
pub use lines::line;
use queue::Queue;

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something does not work.
    Error,
    /// Something works, but not as it should.
    Warn,
    /// Something happened.
    Info,
}

/// What waits for a cable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A line in words.
    Line {
        /// Since the program's first line. Milliseconds.
        at_ms: u64,
        /// How grave it is.
        level: Level,
        /// What happened.
        text: String,
    },
    /// Frames of defmt, each with its end.
    Frames(Vec<u8>),
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue::new());

/// Something happened that a technician should know of.
#[macro_export]
macro_rules! info {
    ($($words:tt)+) => { $crate::__log!(info, Info, $($words)+) };
}

/// Something works, but not as it should.
#[macro_export]
macro_rules! warn {
    ($($words:tt)+) => { $crate::__log!(warn, Warn, $($words)+) };
}

/// Something does not work.
#[macro_export]
macro_rules! error {
    ($($words:tt)+) => { $crate::__log!(error, Error, $($words)+) };
}

#[cfg(feature = "defmt")]
#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    ($name:ident, $level:ident, $($words:tt)+) => {{
        use $crate::defmt;
        defmt::$name!($($words)+);
    }};
}

#[cfg(not(feature = "defmt"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    ($name:ident, $level:ident, $($words:tt)+) => {
        $crate::line($crate::Level::$level, format_args!($($words)+))
    };
}

/// Hands what waits to whoever has a cable, oldest first, with frames together up to so many bytes; what is not
/// taken (`false`) goes on waiting. With each goes how many lines found no room since the program began.
pub fn hand(most: usize, take: &mut dyn FnMut(&Entry, u32) -> bool) {
    loop {
        // Not held while a cable is written to: others go on logging.
        let (entry, count, dropped) = match locked().peek(most) {
            Some(next) => next,
            None => return,
        };
        if !take(&entry, dropped) {
            return;
        }
        locked().remove(count, dropped);
    }
}

/// How many lines found no room since the program began.
pub fn dropped() -> u32 {
    locked().dropped()
}

fn locked() -> std::sync::MutexGuard<'static, Queue> {
    // Whoever died while logging left the queue whole: it is changed in single steps.
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When the first line was said.
fn begun() -> Instant {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    *BEGUN.get_or_init(Instant::now)
}
