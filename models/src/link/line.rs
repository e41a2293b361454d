//! A wire with frames on it: bytes in, messages out, and the other way round.

use std::io;
use std::time::Duration;

use super::Error;
use super::frame::{Channel, Decoder, Seen};
use super::message::{Bulk, Control, Logs, Newer};
use super::outbox::Outbox;
use super::wire::{Wire, time_of};

/// Bytes that go out before what is more urgent, where the line's speed is not known: enough for a pty's
/// or a USB driver's buffers, over in a millisecond.
const AHEAD: usize = 16 << 10;
/// Bytes read at once.
const READ: usize = 64 << 10;
/// Bytes that a block may have. With fewer, the frame around it is more than a tenth of it; with the most it
/// fills the buffers of a pty or a USB driver, which lose nothing.
pub const BLOCKS: std::ops::RangeInclusive<u32> = 128..=4096;
/// A block on a real line takes at most so long: control waits for it.
const BLOCK_TIME: Duration = Duration::from_millis(25);
/// The most bytes of a block on a real line: at one flipped byte in ten thousand a tenth of such is lost.
const MOST_BLOCK_SERIAL: u32 = 1024;
/// Bytes shown of what is no frame.
const SAMPLE: usize = 40;

/// One message that came in.
#[derive(Debug, PartialEq)]
pub enum Incoming<'a> {
    /// Of the control channel.
    Control(Control),
    /// Of the log channel.
    Logs(Logs),
    /// Of the bulk channel.
    Bulk(Bulk<'a>),
    /// A whole frame that this program does not understand: who sent it is newer.
    Newer(Newer),
}

/// A wire with frames on it.
#[derive(Debug)]
pub struct Line<W> {
    wire: W,
    decoder: Decoder,
    outbox: Outbox,
    buffer: Vec<u8>,
    /// When the wire last took a byte, or there was none to take.
    moved: Duration,
    /// The first bytes that came, to show where no frame is among them.
    sample: Vec<u8>,
}

impl<W: Wire> Line<W> {
    /// Puts frames on a wire.
    pub fn new(wire: W) -> Self {
        let moved = wire.now();
        let (decoder, outbox) = (Decoder::default(), Outbox::default());
        Self { wire, decoder, outbox, buffer: vec![0; READ], moved, sample: Vec::new() }
    }

    /// Sends what waits and gives what comes, until something came, all has been sent that waited, or the
    /// time is over.
    ///
    /// Answers may be put into the outbox while a message is handled; they go out before this returns, as
    /// far as the wire takes them.
    ///
    /// # Errors
    /// [`Error::Gone`].
    pub fn pump(
        &mut self,
        patience: Duration,
        each: &mut dyn FnMut(Incoming<'_>, &mut Outbox, Duration),
    ) -> Result<(), Error> {
        let until = self.wire.now() + patience;
        let waited = !self.outbox.is_empty();
        loop {
            self.flush()?;
            let came = self.wire.read(&mut self.buffer);
            let came = came.map_err(|e| self.gone(&e))?;
            if came > 0 {
                if self.decoder.seen().frames == 0 {
                    let room = SAMPLE.saturating_sub(self.sample.len());
                    self.sample.extend_from_slice(&self.buffer[..came.min(room)]);
                }
                let now = self.wire.now();
                let outbox = &mut self.outbox;
                self.decoder.push(&self.buffer[..came], |channel, message| {
                    each(read(channel, message), outbox, now);
                });
                return self.flush();
            }
            let now = self.wire.now();
            let more = !self.outbox.is_empty();
            if now >= until || (waited && !more) {
                return Ok(());
            }
            self.wire.wait(until - now, more).map_err(|e| self.gone(&e))?;
        }
    }

    /// Puts a message into its channel's queue.
    ///
    /// # Errors
    /// Those of [`Outbox::push`].
    pub fn push(&mut self, channel: Channel, message: &impl serde::Serialize) -> Result<(), Error> {
        self.outbox.push(channel, message)
    }

    /// Whether another block should be put into the queue.
    pub fn wants_bulk(&self) -> bool {
        self.outbox.waiting(Channel::Bulk) < self.ahead().max(1)
    }

    /// What waits to go out.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// The wire.
    pub fn wire(&mut self) -> &mut W {
        &mut self.wire
    }

    /// The time, as the wire has it.
    pub fn now(&self) -> Duration {
        self.wire.now()
    }

    /// What came in so far.
    pub fn seen(&self) -> Seen {
        self.decoder.seen()
    }

    /// The first bytes that came, as text.
    pub fn sample(&self) -> String {
        String::from_utf8_lossy(&self.sample).into_owned()
    }

    /// For how long the wire has taken no byte although some waited.
    pub fn stuck_for(&self) -> Duration {
        self.wire.now().saturating_sub(self.moved)
    }

    /// Bytes of a block that suit the line.
    pub fn block(&self) -> u32 {
        let Some(speed) = self.wire.speed() else { return *BLOCKS.end() };
        let bytes = BLOCK_TIME.as_secs_f64() / time_of(1, Some(speed)).as_secs_f64();
        (bytes as u32).clamp(*BLOCKS.start(), MOST_BLOCK_SERIAL)
    }

    fn ahead(&self) -> usize {
        // On a real line nothing goes ahead but one frame: control waits for that and no more.
        if self.wire.speed().is_some() { 0 } else { AHEAD }
    }

    /// Sends what the wire takes now.
    ///
    /// # Errors
    /// [`Error::Gone`].
    pub fn flush(&mut self) -> Result<(), Error> {
        let ahead = self.ahead().max(1);
        loop {
            let bytes = self.outbox.next(ahead);
            if bytes.is_empty() {
                self.moved = self.wire.now();
                return Ok(());
            }
            let count = match self.wire.write(bytes) {
                Ok(count) => count,
                Err(error) => return Err(self.gone(&error)),
            };
            self.outbox.sent(count);
            if count == 0 {
                return Ok(());
            }
            self.moved = self.wire.now();
        }
    }

    fn gone(&self, error: &io::Error) -> Error {
        Error::Gone { port: self.wire.name(), said: error.to_string() }
    }
}

/// The message of a frame, as [`Decoder::push`] gives it.
pub fn read(channel: Channel, message: &[u8]) -> Incoming<'_> {
    let newer = |_| Incoming::Newer(Newer::Other);
    match channel {
        Channel::Control => match whole(message) {
            Ok(control) => Incoming::Control(control),
            Err(_) => Incoming::Newer(Newer::of(message)),
        },
        Channel::Logs => whole(message).map_or_else(newer, Incoming::Logs),
        Channel::Bulk => whole(message).map_or_else(newer, Incoming::Bulk),
    }
}

/// A message that fills its frame: one with something behind it is another message than it seems to be.
fn whole<'a, M: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<M, postcard::Error> {
    match postcard::take_from_bytes(bytes)? {
        (message, []) => Ok(message),
        _ => Err(postcard::Error::DeserializeBadEncoding),
    }
}
