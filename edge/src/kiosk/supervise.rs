//! Threads with names and rules: what is done when one of them breaks.
//!
//! A thread that panics or gives up begins again, after a time that doubles with each failure in a row; or it ends
//! the unit, which is then started anew from outside. What hangs cannot be ended from within a program: the heart
//! notices it ([`super::heart`]), and the unit ends.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::shared::{Ending, Shared};
use crate::Fault;

/// The first pause before a thread begins again, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(30)];
/// A thread that worked for so long has not failed in a row.
const WORKED: Duration = Duration::from_secs(60);

/// What is done when a thread breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// It begins again.
    Restart,
    /// The unit ends, and is started anew from outside.
    FailUnit,
}

/// How long to wait before a thread begins again.
#[derive(Debug, Clone)]
pub struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(PAUSES[0])
    }
}

impl Pause {
    /// The pause after it worked for so long.
    pub fn after(&mut self, worked: Duration) -> Duration {
        if worked >= WORKED {
            self.0 = PAUSES[0];
        }
        let pause = self.0;
        self.0 = (self.0 * 2).min(PAUSES[1]);
        pause
    }
}

/// Runs work on a thread of its own until it is done or the unit ends, by a rule.
///
/// # Errors
/// [`Fault::Thread`].
pub fn spawn(
    shared: &Arc<Shared>,
    name: &'static str,
    rule: Rule,
    mut work: impl FnMut() -> anyhow::Result<()> + Send + 'static,
) -> Result<JoinHandle<()>, Fault> {
    let shared = Arc::clone(shared);
    let run = move || {
        let mut pause = Pause::default();
        loop {
            let begun = shared.now();
            let ended = catch_unwind(AssertUnwindSafe(&mut work));
            if shared.ending().is_some() {
                return;
            }
            let why = match ended {
                Ok(Ok(())) => return,
                Ok(Err(error)) => {
                    match error.downcast_ref::<Fault>() {
                        Some(Fault::ThreadDied { name }) => shared.crashed(name, &last_words(name)),
                        _ => journal::warn!("{}: {}", name, format!("{error:#}").as_str()),
                    }
                    format!("{error:#}")
                }
                Err(panic) => {
                    let said = said(&*panic);
                    shared.crashed(name, &said);
                    said
                }
            };
            if rule == Rule::FailUnit {
                return shared.end(Ending::Failed(format!("{name}: {why}")));
            }
            if shared.rest(pause.after(shared.now().saturating_sub(begun))) {
                return;
            }
        }
    };
    thread::Builder::new()
        .name(name.into())
        .spawn(run)
        .map_err(|source| Fault::Thread { name: name.into(), source })
}

/// What each thread said when it panicked last.
static LAST_WORDS: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);

/// Listens to what threads say when they panic, as well as printing it: some are joined by others, who only learn
/// that they died.
pub fn listen() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        let place = panic.location().map_or_else(String::new, |place| format!(" ({place})"));
        let said = format!("{}{place}", said(panic.payload()));
        let name = thread::current().name().unwrap_or("unnamed").to_owned();
        // Threads have a few names.
        LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner).insert(name, said);
    }));
}

fn last_words(thread: &str) -> String {
    let words = LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    words.get(thread).cloned().unwrap_or_else(|| "it panicked".into())
}

/// What a panic says.
fn said(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".into())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use boards::Board;

    use super::*;
    use crate::kiosk::crash::Crashes;

    fn shared(root: &std::path::Path) -> Arc<Shared> {
        let board = Board::named("desk").unwrap();
        Arc::new(Shared::new(&board, "1.2.3".into(), Crashes::open(root)))
    }

    #[test]
    fn a_thread_that_panics_or_gives_up_begins_again_and_what_broke_is_kept() {
        let root = tempfile::tempdir().unwrap();
        let shared = shared(root.path());
        let runs = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&runs);
        let work = move || match count.fetch_add(1, Ordering::SeqCst) {
            0 => panic!("a fault in this program, for the test"),
            1 => Err(Fault::NoFfmpeg.into()),
            2 => Err(Fault::ThreadDied { name: "vision".into() }.into()),
            _ => Ok(()),
        };
        spawn(&shared, "worker", Rule::Restart, work).unwrap().join().unwrap();
        assert_eq!((runs.load(Ordering::SeqCst), shared.ending()), (4, None));
        let kept = Crashes::open(root.path()).kept().clone();
        assert_eq!(kept.in_a_row, 2, "what only gave up has not broken");
        assert_eq!(kept.last.unwrap().thread, "vision");
    }

    #[test]
    fn a_thread_that_the_unit_cannot_do_without_ends_it() {
        let root = tempfile::tempdir().unwrap();
        let shared = shared(root.path());
        let work = || panic!("the screen, for the test");
        spawn(&shared, "screen", Rule::FailUnit, work).unwrap().join().unwrap();
        assert_eq!(shared.ending(), Some(Ending::Failed("screen: the screen, for the test".into())));
        assert_eq!(Crashes::open(root.path()).kept().last.as_ref().unwrap().thread, "screen");
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_work_ends_the_row() {
        let mut pause = Pause::default();
        let all: Vec<u64> = (0..9).map(|_| pause.after(Duration::ZERO).as_millis() as u64).collect();
        assert_eq!(all, [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(pause.after(WORKED), PAUSES[0]);
    }
}
