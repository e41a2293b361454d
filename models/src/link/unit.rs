//! The unit's end of the cable.

use std::collections::VecDeque;
use std::io::Cursor;
use std::time::Duration;

use super::frame::Channel;
use super::line::{BLOCKS, Incoming, Line};
use super::message::{
    Answer, Ask, Bulk, Caption, Control, Hash, Health, Hello, Logs, MAX_TEXT, MAX_TROUBLES, Newer, Offer,
    Refusal, Role, Take, Trouble, Verdict, Word,
};
use super::outbox::Outbox;
use super::receive::Receiver;
use super::send::Sender;
use super::staging::{Part, Staging, hash_of};
use super::wire::{Wire, time_of};
use super::{Error, tool::fill};

/// A tool that was not heard for so long is gone: nothing is sent to it any more.
const TOOL_GONE: Duration = Duration::from_secs(10);
/// A new speed that brings no frame for so long is given up.
pub const SPEED_TRIAL: Duration = Duration::from_secs(2);
/// Answers that are kept, for questions that are asked again.
const REMEMBERED: usize = 8;
/// The largest file that is taken. Bytes.
const MOST_FILE: u64 = 64 << 30;
/// Bits a second that a tool may ask for.
pub const SPEEDS: std::ops::RangeInclusive<u32> = 9600..=4_000_000;

/// What a unit does for a tool. What is not overridden is refused in words.
pub trait Duties {
    /// Who the unit is.
    fn hello(&self) -> Hello;

    /// How it is. What the link itself knows is filled in by [`Unit`].
    fn health(&mut self) -> Health;

    /// Signs a text.
    ///
    /// # Errors
    /// Why it does not, and what to do.
    fn sign(&mut self, text: &str) -> Result<(Vec<Word>, u32), String> {
        let _ = text;
        Err("it has no lexicon; start it with one".into())
    }

    /// The screen as a PNG.
    ///
    /// # Errors
    /// Why there is none, and what to do.
    fn screenshot(&mut self) -> Result<Vec<u8>, String> {
        Err("it has no screen".into())
    }

    /// Installs a file of the staging folder.
    ///
    /// # Errors
    /// Why it does not, and what to do.
    fn install(&mut self, file: &Hash) -> Result<(), String> {
        let _ = file;
        Err(NO_SLOTS.into())
    }

    /// Keeps what runs now.
    ///
    /// # Errors
    /// Why it does not, and what to do.
    fn confirm(&mut self) -> Result<(), String> {
        Err(NO_SLOTS.into())
    }

    /// Goes back to what ran before.
    ///
    /// # Errors
    /// Why it does not, and what to do.
    fn roll_back(&mut self) -> Result<(), String> {
        Err(NO_SLOTS.into())
    }

    /// What is wrong with the unit, the gravest first.
    fn troubles(&mut self) -> Vec<Trouble> {
        Vec::new()
    }

    /// A file is whole in the staging folder.
    fn arrived(&mut self, offer: &Offer) {
        let _ = offer;
    }
}

const NO_SLOTS: &str = "its program runs from a folder and not from a storage slot; install it by hand";

/// The unit's end.
pub struct Unit<W, D> {
    line: Line<W>,
    /// The speed that every tool begins with.
    first_speed: Option<u32>,
    trial: Option<Trial>,
    rest: Rest<D>,
}

/// A speed that has to prove itself.
struct Trial {
    before: u32,
    /// Frames that had come before.
    frames: u64,
    until: Duration,
}

/// All but the line, so that both can be used at once.
struct Rest<D> {
    duties: D,
    staging: Staging,
    /// The tool that greeted, and when it was last heard.
    tool: Option<Duration>,
    /// Whether anything came in this step.
    heard: bool,
    answered: VecDeque<(u32, Answer)>,
    arriving: Option<Arriving>,
    leaving: Option<(Sender, Cursor<Vec<u8>>)>,
    transfers: u32,
    /// What the line must do once the answers are out.
    new_speed: Option<u32>,
    block: u32,
    speed: Option<u32>,
    spoiled: u32,
}

struct Arriving {
    offer: Offer,
    receiver: Receiver,
    /// Gone once the file is whole or given up.
    part: Option<Part>,
}

impl<W: Wire, D: Duties> Unit<W, D> {
    /// A unit on a wire, with the folder that files go into.
    pub fn new(wire: W, staging: Staging, duties: D) -> Self {
        let mut line = Line::new(wire);
        let rest = Rest {
            duties,
            staging,
            tool: None,
            heard: false,
            answered: VecDeque::new(),
            arriving: None,
            leaving: None,
            transfers: 0,
            new_speed: None,
            block: line.block(),
            speed: None,
            spoiled: 0,
        };
        Self { first_speed: line.wire().speed(), trial: None, line, rest }
    }

    /// Handles what comes, at most so long.
    ///
    /// # Errors
    /// [`Error::Gone`]; [`Error::File`] does not end it but is told to the tool.
    pub fn step(&mut self, patience: Duration) -> Result<(), Error> {
        let Self { line, rest, first_speed, .. } = self;
        let speed = line.wire().speed();
        (rest.block, rest.speed) = (line.block(), speed);
        rest.spoiled = u32::try_from(line.seen().spoiled).unwrap_or(u32::MAX);
        let due = rest.arriving.as_ref().and_then(|a| a.receiver.due_in(line.now()));
        let sending = rest.leaving.is_some();
        let patience = patience.min(due.unwrap_or(patience)).min(if sending { STIR } else { patience });
        line.pump(patience, &mut |incoming, outbox, now| rest.take(incoming, outbox, now))?;
        let now = line.now();
        if std::mem::take(&mut rest.heard) {
            // What it was asked may have taken long, and it listened to nobody meanwhile.
            rest.tool = rest.tool.map(|_| now);
        }
        if let Some(got) = rest.arriving.as_mut().and_then(|a| a.receiver.receipt(now)) {
            // Where there is no room the tool is not reading; it asks again with another block.
            let _ = line.push(Channel::Control, &Control::Got(got));
        }
        if let Some((sender, bytes)) = &mut rest.leaving {
            fill(line, sender, bytes).map_err(|_| Error::Full)?;
        }
        if rest.tool.is_some_and(|heard| now >= heard + TOOL_GONE) {
            rest.tool = None;
            rest.leaving = None;
            line.outbox().clear();
            // The next tool begins at the first speed again.
            rest.new_speed = first_speed.filter(|first| Some(*first) != speed);
        }
        line.flush()?;
        self.change_speed()
    }

    /// Sends what was read of a signer, where a tool listens.
    pub fn caption(&mut self, caption: Caption) {
        if self.has_tool() {
            // A tool that reads too slowly misses captions rather than answers.
            let _ = self.line.push(Channel::Control, &Control::Caption(caption));
        }
    }

    /// Sends a log message, where a tool listens; `false` where there was no room for it.
    pub fn log(&mut self, log: &Logs) -> bool {
        self.has_tool() && self.line.push(Channel::Logs, log).is_ok()
    }

    /// Whether a tool has greeted and was heard of late.
    pub fn has_tool(&self) -> bool {
        self.rest.tool.is_some()
    }

    /// Parts with the line, as when its port is gone.
    pub fn into_duties(self) -> D {
        self.rest.duties
    }

    /// What the unit does.
    pub fn duties(&mut self) -> &mut D {
        &mut self.rest.duties
    }

    /// Sets another speed once all is said at the old one, and the old one again where no frame comes at it.
    fn change_speed(&mut self) -> Result<(), Error> {
        let now = self.line.now();
        let frames = self.line.seen().frames;
        if let Some(trial) = &self.trial {
            if frames > trial.frames {
                self.trial = None;
            } else if now >= trial.until {
                let before = trial.before;
                self.trial = None;
                return self.set_speed(before);
            }
        }
        let Some(baud) = self.rest.new_speed.filter(|_| self.line.outbox().is_empty()) else { return Ok(()) };
        self.rest.new_speed = None;
        // The first speed needs no trial: where all else fails it is gone back to.
        if Some(baud) != self.first_speed
            && let Some(before) = self.line.wire().speed()
        {
            self.trial = Some(Trial { before, frames, until: now + SPEED_TRIAL });
        }
        self.set_speed(baud)
    }

    fn set_speed(&mut self, baud: u32) -> Result<(), Error> {
        let port = self.line.wire().name();
        let set = self.line.wire().set_speed(baud);
        set.map(|_| ()).map_err(|e| Error::Gone { port, said: e.to_string() })
    }
}

/// While something is sent nothing waits longer than this.
const STIR: Duration = Duration::from_millis(20);

/// How long the system's own buffers, 4 KiB each way, delay what goes through them.
pub(super) fn slack(speed: Option<u32>) -> Duration {
    time_of(2 * 4096, speed)
}

impl<D: Duties> Rest<D> {
    fn take(&mut self, incoming: Incoming<'_>, outbox: &mut Outbox, now: Duration) {
        self.heard = true;
        let reply = match incoming {
            Incoming::Control(Control::Hello(hello)) => {
                // Two units on one line would greet each other for ever.
                if hello.role == Role::Unit {
                    return;
                }
                self.tool = Some(now);
                self.answered.clear();
                Control::Hello(self.duties.hello())
            }
            Incoming::Control(Control::Ask { id, ask }) => {
                let known = self.answered.iter().find(|(known, _)| *known == id).map(|(_, a)| a.clone());
                let answer = known.unwrap_or_else(|| {
                    let answer = self.answer(ask, now);
                    self.answered.truncate(REMEMBERED - 1);
                    self.answered.push_front((id, answer.clone()));
                    answer
                });
                Control::Answer { id, answer }
            }
            Incoming::Control(Control::Got(got)) => {
                if let Some((sender, _)) = &mut self.leaving {
                    sender.got(&got, now);
                    if got.verdict.is_some() {
                        self.leaving = None;
                    }
                }
                return;
            }
            Incoming::Newer(Newer::Ask(id)) => {
                Control::Answer { id, answer: Answer::Refused(Refusal::Unknown) }
            }
            Incoming::Bulk(Bulk::Block { transfer, index, bytes }) => {
                match self.arriving.as_mut().filter(|a| a.receiver.transfer() == transfer) {
                    Some(arriving) => {
                        arriving.block(index, bytes, now);
                        self.finish(now);
                        return;
                    }
                    None => Control::NoTransfer { transfer },
                }
            }
            Incoming::Control(_) | Incoming::Logs(_) | Incoming::Newer(_) => return,
        };
        if let Err(Error::TooLong { length, .. }) = outbox.push(Channel::Control, &reply)
            && let Control::Answer { id, .. } = reply
        {
            let why = format!("its answer of {length} bytes does not fit into a frame; ask for less at once");
            let answer = Answer::Refused(Refusal::Cannot { why });
            // A refusal is short; where even that finds no room the tool asks again.
            let _ = outbox.push(Channel::Control, &Control::Answer { id, answer });
        }
    }

    fn answer(&mut self, ask: Ask, now: Duration) -> Answer {
        let done = |done: Result<(), String>| done.map(|()| Answer::Done);
        let answer = match ask {
            Ask::Health => {
                let health = self.duties.health();
                Ok(Answer::Health(Health { spoiled: self.spoiled, ..health }))
            }
            Ask::Sign { text } if text.len() > MAX_TEXT => Err(format!(
                "the text has {} bytes, and {MAX_TEXT} is the most; send it in parts",
                text.len()
            )),
            Ask::Sign { text } => {
                self.duties.sign(&text).map(|(words, length_ms)| Answer::Signing { words, length_ms })
            }
            Ask::Offer(offer) => self.offered(offer, now),
            Ask::Install { file } => match self.staging.has(&file) {
                Ok(true) => done(self.duties.install(&file)),
                Ok(false) => Err("the file is not there; push it first".into()),
                Err(error) => Err(error.to_string()),
            },
            Ask::Confirm => done(self.duties.confirm()),
            Ask::RollBack => done(self.duties.roll_back()),
            Ask::Troubles => {
                let mut troubles = self.duties.troubles();
                troubles.truncate(MAX_TROUBLES);
                Ok(Answer::Troubles { troubles })
            }
            Ask::Screenshot => self.duties.screenshot().map(|png| self.picture(png, now)),
            Ask::Speed { .. } if self.speed.is_none() => {
                Err("its end of the cable has no speed that could be set".into())
            }
            Ask::Speed { baud } if SPEEDS.contains(&baud) => {
                self.new_speed = Some(baud);
                Ok(Answer::Speed { baud })
            }
            Ask::Speed { .. } => {
                Err(format!("{} to {} bits a second can be set", SPEEDS.start(), SPEEDS.end()))
            }
        };
        answer.unwrap_or_else(|why| Answer::Refused(Refusal::Cannot { why }))
    }

    fn offered(&mut self, offer: Offer, now: Duration) -> Result<Answer, String> {
        if offer.length > MOST_FILE || !BLOCKS.contains(&offer.block) {
            return Err(format!(
                "{} bytes in blocks of {} are not taken; at most {} GiB in blocks of {} to {} are",
                offer.length,
                offer.block,
                MOST_FILE >> 30,
                BLOCKS.start(),
                BLOCKS.end()
            ));
        }
        if self.staging.has(&offer.hash).map_err(|e| e.to_string())? {
            return Ok(Answer::There);
        }
        // What was arriving is closed before its part is opened again.
        self.arriving = None;
        let (part, from, hash) = self.staging.part(&offer).map_err(|e| e.to_string())?;
        let take = Take { transfer: self.number(&offer.hash), from, hash };
        let receiver = Receiver::new(&offer, &take);
        self.arriving = Some(Arriving { offer, receiver, part: Some(part) });
        self.finish(now);
        Ok(Answer::Take(take))
    }

    fn picture(&mut self, png: Vec<u8>, now: Duration) -> Answer {
        let hash = hash_of(&mut png.as_slice(), u64::MAX).expect("memory can be read");
        let length = png.len() as u64;
        let offer = Offer { name: "screen.png".into(), length, hash, block: self.block, afresh: true };
        let take = Take { transfer: self.number(&hash), from: 0, hash };
        self.leaving = Some((Sender::new(&offer, &take, slack(self.speed), now), Cursor::new(png)));
        Answer::Picture { transfer: take.transfer, offer }
    }

    /// A number for a transfer. Blocks of an earlier one may still be on the line, also when this program was
    /// started anew meanwhile: those of another file bear another number, and those of this one do no harm.
    fn number(&mut self, hash: &Hash) -> u32 {
        self.transfers = self.transfers.wrapping_add(1);
        let [a, b, c, d, ..] = *hash;
        u32::from_le_bytes([a, b, c, d]).wrapping_add(self.transfers)
    }

    /// Gives a file its name when all of it is here.
    fn finish(&mut self, now: Duration) {
        let Some(arriving) = &mut self.arriving else { return };
        if !arriving.receiver.is_complete() {
            return;
        }
        let Some(part) = arriving.part.take() else { return };
        let verdict = match part.finish() {
            Ok(Ok(_)) => {
                self.duties.arrived(&arriving.offer);
                Verdict::Whole
            }
            Ok(Err(found)) => Verdict::Spoiled { found },
            Err(error) => Verdict::Failed { why: in_words(&error) },
        };
        arriving.receiver.end(verdict, now);
    }
}

impl Arriving {
    fn block(&mut self, index: u32, bytes: &[u8], now: Duration) {
        let part = &mut self.part;
        let written = self.receiver.block(index, bytes, now, |bytes| match part {
            Some(part) => part.append(bytes),
            None => Ok(()),
        });
        if let Err(error) = written {
            self.part = None;
            self.receiver.end(Verdict::Failed { why: in_words(&error) }, now);
        }
    }
}

/// What the system said about the staging folder, with the next step.
fn in_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            "its disk is full; free some space there".into()
        }
        _ => format!("{error}; see whether its staging folder can be written"),
    }
}
