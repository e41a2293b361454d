//! The rig: a whole unit on a real kernel, in an emulated machine, through one story.
//!
//! The machine boots Debian's own kernel, has the kernel's test camera `vivid`, a graphics card, USB with both ends of
//! a cable, a hardware watchdog and a disk with the unit's two slots. What is filmed for the camera is a real person
//! where recordings are at hand, and otherwise the signer that the unit draws. `cargo xtask rig` runs it.
//!
//! Where the computer can run the machine's instructions itself (KVM on Intel's or AMD's own support) it does. Elsewhere
//! all of it is emulated, and the machine's clock counts instructions: to the unit it is a slow processor in real
//! time, whatever the computer beside it does, so that what is read never depends on how busy that is.

mod archive;
mod debian;
mod elf;
mod guest;
mod image;
mod machine;
pub mod picture;
mod processor;
mod qmp;
mod story;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use processor::{PROCESSORS, Processor};
pub use story::tell;

/// What the process ends with where the rig cannot run here at all.
pub const SKIPPED: u8 = 77;

/// Why the story ends early.
#[derive(Debug)]
pub enum Why {
    /// Something that the rig needs is not on this computer.
    Skip(String),
    /// Something did not hold, or broke.
    Fail(String),
}

impl fmt::Display for Why {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Skip(said) | Self::Fail(said)) = self;
        to.write_str(said)
    }
}

impl From<io::Error> for Why {
    fn from(error: io::Error) -> Self {
        Self::Fail(error.to_string())
    }
}

/// What a part of the story gives.
pub type Held<T> = Result<T, Why>;

/// Fails with a sentence.
fn fail<T>(said: impl Into<String>) -> Held<T> {
    Err(Why::Fail(said.into()))
}

/// What the rig is run with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where screenshots and the unit's log go.
    pub out: PathBuf,
    /// The programs that were built for this computer: `signpost`, `xtask` and the unit's own where it has the same
    /// processor.
    pub programs: PathBuf,
    /// The machine's.
    pub processor: &'static Processor,
    /// How often the display is pulled.
    pub hot_plugs: u32,
}

/// The story's checks, as they are told to whoever runs it.
pub struct Teller {
    out: PathBuf,
    begun: Instant,
    last: Instant,
    passed: usize,
}

impl Teller {
    fn new(out: &Path) -> Self {
        Self { out: out.to_owned(), begun: Instant::now(), last: Instant::now(), passed: 0 }
    }

    /// A check held.
    fn held(&mut self, what: &str) {
        self.passed += 1;
        let (all, step) = (self.begun.elapsed(), self.last.elapsed());
        self.last = Instant::now();
        println!("{:6.1} s  ({:5.1} s)  {what}", all.as_secs_f64(), step.as_secs_f64());
    }

    /// Keeps a picture beside the check that it belongs to.
    fn keep(&self, name: &str, picture: &picture::Picture) -> Held<()> {
        picture.write_png(&self.out.join(format!("{:02}-{name}.png", self.passed + 1)))
    }

    /// How many checks held, and how long it took.
    pub fn summary(&self) -> String {
        format!("{} checks passed in {:.0} s", self.passed, self.begun.elapsed().as_secs_f64())
    }
}

/// Asks again and again until something is so; fails with `what` once it took too long.
fn until<T>(what: &str, most: Duration, mut ask: impl FnMut() -> Held<Option<T>>) -> Held<T> {
    const AGAIN: Duration = Duration::from_millis(300);
    let end = Instant::now() + most;
    loop {
        if let Some(found) = ask()? {
            return Ok(found);
        }
        if Instant::now() >= end {
            return fail(format!("{what} did not come in {} s", most.as_secs()));
        }
        std::thread::sleep(AGAIN);
    }
}
