//! A camera that may vanish and come back: whatever happens to it, this goes on.
//!
//! Anything that goes wrong with an open camera ends in the same way: it is closed, said to be lost, and
//! opened again under the same name, at first soon and then at most once a second, for as long as it takes.
//! It is said to be back with its first whole picture, since a camera that opens and gives nothing is none.
//! No call waits longer than [`SLICE`] and what the driver itself takes, so that whoever reads can stop.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use super::device::{Clock, Device, Opener, SystemClock};
use super::format::Packing;
use super::negotiate::{self, Chosen, Refused};
use super::timeline::Timeline;
use super::{Back, Camera, Event, Frame};
use crate::Fault;

/// The longest that one call waits for a picture. A camera at 10 frames a second gives one within it.
pub const SLICE: Duration = Duration::from_millis(150);
/// A driver that says "not yet" is asked again so much later.
const NOT_YET: Duration = Duration::from_millis(5);
/// A camera that gave pictures and then gives none for so long has stalled.
const STALLED: Duration = Duration::from_secs(2);
/// Webcams take a second or two to their first picture; one that takes longer than this gives none.
const FIRST_FRAME: Duration = Duration::from_secs(5);
/// Webcams begin with torn pictures, and a loose cable tears some; so many in a row are no accident.
const TORN_IN_A_ROW: u32 = 10;
/// A lost camera is looked for after the shorter of these, then after twice as long, up to the longer.
const LOOK_AFTER: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];
/// More pictures than come in this time no driver leaves out at once: the program may be halted for so long.
const LONGEST_GAP: Duration = Duration::from_secs(600);
/// Pictures that a driver may have kept since it was started: it has a few buffers, and fills some again.
const STALE: u32 = 8;
/// A camera's reasons that are remembered as told, while it is away. There are far fewer.
const REASONS: usize = 32;

/// A live camera that is opened as often as it comes back.
pub struct Steadfast<O, C = SystemClock> {
    opener: O,
    wanted: boards::Camera,
    clock: C,
    timeline: Timeline,
    /// The format and rate of the last whole picture, or of the first opening.
    set: Chosen,
    stream: Option<Stream>,
    outage: Option<Outage>,
    /// A picture that waits behind the news of its camera's return.
    waiting: Option<Frame>,
    /// Packings that gave nothing but torn pictures.
    doubted: Vec<Packing>,
    lost: u64,
}

/// A camera that is open and streams.
struct Stream {
    device: Box<dyn Device>,
    set: Chosen,
    opened: Duration,
    /// When it gave its last whole picture, or was first asked for one.
    heard: Option<Duration>,
    /// The driver's number of its last picture.
    sequence: Option<u32>,
    torn_in_a_row: u32,
    gave_any: bool,
    /// Its pictures have an end, so that one without is cut short.
    ends: bool,
}

/// From the loss of a camera to its first picture after it.
struct Outage {
    next_look: Duration,
    pause: Duration,
    /// Reasons that were told already: each is told once.
    told: VecDeque<String>,
}

/// What came of waiting for a picture.
enum Came {
    Whole(Frame),
    Nothing,
    /// The stream is over, and why.
    Over(String),
}

impl<O: Opener> Steadfast<O> {
    /// Opens a camera for the first time.
    ///
    /// It is asked for the size and rate in `wanted`; the driver may give others.
    ///
    /// # Errors
    /// [`Fault::Camera`] where it cannot be opened now: a camera that was never there is a mistake in its name.
    pub fn open(name: &Path, opener: O, wanted: &boards::Camera) -> Result<Self, Fault> {
        Self::with_clock(name, opener, wanted, SystemClock::default())
    }
}

impl<O: Opener, C: Clock> Steadfast<O, C> {
    /// The same by another clock.
    ///
    /// # Errors
    /// As [`Steadfast::open`].
    pub fn with_clock(name: &Path, mut opener: O, wanted: &boards::Camera, clock: C) -> Result<Self, Fault> {
        let stream = Stream::open(&mut opener, wanted, &[], &clock).map_err(|refused| {
            let (tried, next) = told(refused);
            Fault::Camera { device: name.into(), tried, next: next.into() }
        })?;
        Ok(Self {
            opener,
            wanted: wanted.clone(),
            clock,
            timeline: Timeline::default(),
            set: stream.set,
            stream: Some(stream),
            outage: None,
            waiting: None,
            doubted: Vec::new(),
            lost: 0,
        })
    }

    /// What comes next.
    fn step(&mut self) -> Event {
        if let Some(frame) = self.waiting.take() {
            return Event::Frame(frame);
        }
        let Some(stream) = &mut self.stream else { return self.look() };
        match stream.next(&mut self.clock, &mut self.timeline, &mut self.lost) {
            Came::Whole(frame) => {
                self.set = stream.set;
                if self.outage.take().is_none() {
                    return Event::Frame(frame);
                }
                let format = self.set.format.to_string();
                let back = Back { at: frame.at, size: self.size(), fps: self.fps(), format };
                self.waiting = Some(frame);
                Event::Back(back)
            }
            Came::Nothing => self.quiet(),
            Came::Over(why) => {
                // What was granted but never came whole is not asked for first again.
                if stream.torn_in_a_row >= TORN_IN_A_ROW && !stream.gave_any {
                    self.doubted.push(stream.set.format.packing);
                    if self.doubted.len() >= Packing::ALL.len() {
                        self.doubted.clear();
                    }
                }
                self.stream = None;
                self.miss(why)
            }
        }
    }

    /// Looks for a camera that is lost, when it is time to.
    fn look(&mut self) -> Event {
        let now = self.clock.now();
        let next_look = self.outage.as_ref().map_or(now, |outage| outage.next_look);
        if now < next_look {
            self.clock.wait((next_look - now).min(SLICE));
            return self.quiet();
        }
        match Stream::open(&mut self.opener, &self.wanted, &self.doubted, &self.clock) {
            Ok(stream) => {
                self.stream = Some(stream);
                self.quiet()
            }
            Err(refused) => self.miss(told(refused).0),
        }
    }

    /// Notes that there is no camera, and tells why where that is new.
    fn miss(&mut self, why: String) -> Event {
        let now = self.clock.now();
        let [shortest, longest] = LOOK_AFTER;
        let outage = self.outage.get_or_insert_with(|| Outage {
            next_look: now,
            pause: shortest,
            told: VecDeque::new(),
        });
        outage.next_look = now + outage.pause;
        outage.pause = (outage.pause * 2).min(longest);
        if outage.told.contains(&why) {
            return self.quiet();
        }
        if outage.told.len() == REASONS {
            outage.told.pop_front();
        }
        outage.told.push_back(why.clone());
        Event::Lost { at: self.timeline.now(now), why }
    }

    fn quiet(&self) -> Event {
        Event::Quiet(self.timeline.now(self.clock.now()))
    }
}

impl Stream {
    /// Opens, sets and starts a camera.
    fn open(
        opener: &mut impl Opener,
        wanted: &boards::Camera,
        doubted: &[Packing],
        clock: &impl Clock,
    ) -> Result<Self, Refused> {
        let mut device = opener.open().map_err(|e| Refused::System("opening it", e))?;
        let set = negotiate::start(&mut *device, wanted, doubted)?;
        let opened = clock.now();
        Ok(Self {
            device,
            set,
            opened,
            heard: None,
            sequence: None,
            torn_in_a_row: 0,
            gave_any: false,
            ends: false,
        })
    }

    /// Waits for a picture and converts it out of the driver's buffer.
    fn next(&mut self, clock: &mut impl Clock, timeline: &mut Timeline, lost: &mut u64) -> Came {
        let heard = self.heard.unwrap_or_else(|| self.begin(clock.now()));
        let raw = match self.device.next(SLICE) {
            Ok(Some(raw)) => raw,
            Ok(None) => return self.silence(heard, clock.now()),
            Err(e) if [ErrorKind::WouldBlock, ErrorKind::Interrupted].contains(&e.kind()) => {
                clock.wait(NOT_YET);
                return self.silence(heard, clock.now());
            }
            Err(error) => return Came::Over(format!("reading a picture: {error}")),
        };
        let now = clock.now();
        *lost += u64::from(skipped(self.sequence.replace(raw.sequence), raw.sequence, self.set.fps));
        let format = self.set.format;
        let has_end = format.has_end(raw.bytes);
        self.ends |= has_end;
        let is_whole = !raw.damaged && has_end == self.ends;
        let rgb = is_whole.then(|| format.to_rgb(raw.bytes)).flatten();
        let Some(rgb) = rgb else {
            *lost += 1;
            self.torn_in_a_row += 1;
            if self.torn_in_a_row < TORN_IN_A_ROW {
                return Came::Nothing;
            }
            return Came::Over(format!("{TORN_IN_A_ROW} pictures in a row are no whole {format}"));
        };
        let at = timeline.place(raw.stamp_us, now);
        (self.heard, self.torn_in_a_row, self.gave_any) = (Some(now), 0, true);
        Came::Whole(Frame { at, width: format.width, height: format.height, rgb })
    }

    /// Begins to be asked. The driver fills its buffers from the start on, and then leaves pictures out: where
    /// networks were loaded meanwhile, those in the buffers are stale, and nobody missed the others.
    fn begin(&mut self, now: Duration) -> Duration {
        if now.saturating_sub(self.opened) > SLICE {
            let mut stale = 0;
            while stale < STALE && matches!(self.device.next(Duration::ZERO), Ok(Some(_))) {
                stale += 1;
            }
        }
        self.heard = Some(now);
        now
    }

    /// Nothing came: is that still a camera?
    fn silence(&self, heard: Duration, now: Duration) -> Came {
        let patience = if self.gave_any { STALLED } else { FIRST_FRAME };
        if now.saturating_sub(heard) < patience {
            return Came::Nothing;
        }
        Came::Over(format!("no picture for {} s", patience.as_secs()))
    }
}

/// How many pictures a driver left out between two of its numbers.
fn skipped(last: Option<u32>, this: u32, fps: f32) -> u32 {
    let Some(last) = last else { return 0 };
    // A number beyond that, and one that stands still or goes back, is none.
    let most = (fps * LONGEST_GAP.as_secs_f32()) as u32;
    let skipped = this.wrapping_sub(last).wrapping_sub(1);
    if skipped > most { 0 } else { skipped }
}

/// What was tried and how it ended, and what to do.
fn told(refused: Refused) -> (String, &'static str) {
    match refused {
        Refused::System(tried, error) => {
            let next = match error.kind() {
                ErrorKind::NotFound => "plug it in, and see what it is called with `ls /dev/video*`",
                ErrorKind::PermissionDenied => "add this user to the group `video` and log in again",
                ErrorKind::ResourceBusy => "close the other program that uses it",
                _ => "plug it in again, without a hub between, or try another camera",
            };
            (format!("{tried}: {error}"), next)
        }
        Refused::Formats(codes) => (
            format!("it has {codes}, and none of these can be read"),
            "use a camera that has one of RGB3, BGR3, NV12, YUYV and MJPG",
        ),
    }
}

impl<O: Opener, C: Clock> Camera for Steadfast<O, C> {
    fn next(&mut self) -> Result<Option<Frame>, Fault> {
        loop {
            if let Event::Frame(frame) = self.step() {
                return Ok(Some(frame));
            }
        }
    }

    fn event(&mut self) -> Result<Option<Event>, Fault> {
        Ok(Some(self.step()))
    }

    fn fps(&self) -> f32 {
        self.set.fps
    }

    fn size(&self) -> [u32; 2] {
        [self.set.format.width, self.set.format.height]
    }

    fn frames(&self) -> Option<u64> {
        None
    }

    fn is_live(&self) -> bool {
        true
    }

    fn lost(&self) -> u64 {
        self.lost
    }

    fn format(&self) -> Option<String> {
        Some(self.set.format.to_string())
    }
}
