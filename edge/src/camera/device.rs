//! What the program needs of a camera's driver, so that a simulated one can stand in for it.
//!
//! The driver keeps a few buffers, which it fills in turn; whoever reads must give each back soon. All that
//! may fail gives what the system said, and nothing here decides what that means: `steadfast` does.

use std::io;
use std::time::{Duration, Instant};

use super::format::{Coding, Format, Packing};

/// Opens one camera as often as it comes back.
pub trait Opener: Send {
    /// Opens what lies under the camera's name now.
    ///
    /// # Errors
    /// What the system said.
    fn open(&mut self) -> io::Result<Box<dyn Device>>;
}

/// A camera that is open. Dropping it stops it and sets it free.
pub trait Device: Send {
    /// The codes of the packings that it offers.
    ///
    /// # Errors
    /// What the system said.
    fn offers(&mut self) -> io::Result<Vec<[u8; 4]>>;

    /// Asks for a format and a rate. Drivers grant others than were asked for: only what comes back counts.
    ///
    /// # Errors
    /// What the system said.
    fn ask(&mut self, wish: Wish) -> io::Result<Granted>;

    /// Starts to stream in the format that was granted last.
    ///
    /// # Errors
    /// What the system said; another format may then be asked for.
    fn start(&mut self) -> io::Result<()>;

    /// Waits so long for a picture and lends it out until the next call; `None` where none came.
    ///
    /// # Errors
    /// What the system said. `WouldBlock` and `Interrupted` mean that nothing came.
    fn next(&mut self, patience: Duration) -> io::Result<Option<Raw<'_>>>;
}

/// What a driver is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// How pixels lie.
    pub packing: Packing,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Frames a second.
    pub rate_hz: u32,
}

/// What it gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Granted {
    /// The packing's code; it may be one that nobody asked for.
    pub code: [u8; 4],
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from one row's start to the next; 0 where it does not say.
    pub stride: u32,
    /// `colorspace`, `ycbcr_enc` and `quantization`, as the driver numbers them.
    pub colours: [u32; 3],
    /// Frames a second, where it says.
    pub fps: Option<f32>,
}

impl Granted {
    /// What its pictures are, where they can be read.
    pub fn format(&self) -> Option<Format> {
        let packing = Packing::of(self.code)?;
        let [colorspace, encoding, quantization] = self.colours;
        let coding = Coding::of_v4l2(packing, colorspace, encoding, quantization);
        Some(Format { packing, width: self.width, height: self.height, stride: self.stride, coding })
    }
}

/// A picture in the driver's own buffer.
#[derive(Debug)]
pub struct Raw<'a> {
    /// What the driver wrote.
    pub bytes: &'a [u8],
    /// When, by the driver's clock. Microseconds.
    pub stamp_us: i64,
    /// The driver's number of the picture; numbers that are left out were lost.
    pub sequence: u32,
    /// The driver knows that something is missing.
    pub damaged: bool,
}

/// Time as the program sees it: how long nothing came, and when to try again.
pub trait Clock: Send {
    /// Time since some moment in the past.
    fn now(&self) -> Duration;
    /// Lets time pass.
    fn wait(&mut self, time: Duration);
}

/// The system's monotonic clock.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn wait(&mut self, time: Duration) {
        std::thread::sleep(time);
    }
}
