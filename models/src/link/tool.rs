//! The technician's end of the cable.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

use super::Error;
use super::frame::{Channel, Seen};
use super::line::{Incoming, Line};
use super::message::{
    Answer, Ask, Bulk, Caption, Control, Hash, Health, Hello, Logs, MAX_TEXT, Newer, Offer, Refusal, Role,
    Take, Trouble, Verdict, Word,
};
use super::receive::Receiver;
use super::send::Sender;
use super::staging::hash_of;
use super::unit::{SPEED_TRIAL, slack};
use super::wire::{Wire, same_speed};

/// A greeting is repeated so often: the unit may still be starting.
const GREET_EVERY: Duration = Duration::from_millis(300);
/// A question is repeated so often, besides what the line's own buffers delay it.
const ASK_EVERY: Duration = Duration::from_millis(700);
/// Most answers come within milliseconds; looking up a text's signs or hashing a large file takes longer.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// A version is checked, written and read back before the unit answers: a gigabyte on slow storage.
const INSTALLING: Duration = Duration::from_secs(600);
/// While the unit installs it reads nothing: a question that is repeated more often would fill the line.
const ASK_SELDOM: Duration = Duration::from_secs(15);
/// Without a word from the unit for so long a transfer is given up. It goes on where it was when run again.
const SILENCE: Duration = Duration::from_secs(10);
/// News that wait to be fetched; of more the oldest are dropped, and counted.
const NEWS: usize = 4096;
/// How often a transfer starts anew because the unit forgot it.
const FORGOTTEN: u32 = 3;
/// The largest picture of a screen. Bytes.
const MOST_PICTURE: u64 = 64 << 20;

/// What a unit tells without being asked.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// What it reads of a signer.
    Caption(Caption),
    /// What its program logs.
    Log(Logs),
}

/// How a file was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Bytes that the unit had already.
    pub had: u64,
    /// Blocks that went over the line.
    pub blocks: u64,
    /// Those of them that went again.
    pub repeated: u64,
}

/// The technician's end, with a unit that has answered its greeting.
#[derive(Debug)]
pub struct Tool<W> {
    line: Line<W>,
    unit: Hello,
    asked: u32,
    news: VecDeque<News>,
    missed: u64,
}

impl<W: Wire> Tool<W> {
    /// Greets the unit on a wire, and waits so long for its answer.
    ///
    /// # Errors
    /// What was seen instead: [`Error::Silent`], [`Error::Garbage`], [`Error::Echo`], [`Error::Version`],
    /// [`Error::NoAnswer`], [`Error::Stuck`], [`Error::Gone`].
    pub fn connect(wire: W, product: &str, patience: Duration) -> Result<Self, Error> {
        let mut line = Line::new(wire);
        let me = Hello::of_tool(product);
        let until = line.now() + patience;
        let mut again = line.now();
        let mut found = None;
        // A unit that was waiting for somebody tells what it has in one breath with its answer.
        let (mut news, mut missed) = (VecDeque::new(), 0);
        loop {
            let now = line.now();
            if now >= until {
                return Err(unanswered(&mut line, "the greeting", patience, Seen::default()));
            }
            if now >= again {
                line.push(Channel::Control, &Control::Hello(me.clone()))?;
                again = now + GREET_EVERY + slack(line.wire().speed());
            }
            line.pump(again.min(until) - now, &mut |incoming, _, _| match incoming {
                Incoming::Control(Control::Hello(hello)) => found = Some(hello),
                other => keep(&mut news, &mut missed, other),
            })?;
            match found.take() {
                Some(hello) if hello.role == Role::Tool => {
                    return Err(Error::Echo { port: line.wire().name() });
                }
                Some(unit) => {
                    me.agree(&unit)?;
                    return Ok(Self { line, unit, asked: 0, news, missed });
                }
                None => {}
            }
        }
    }

    /// Who the unit is.
    pub fn unit(&self) -> &Hello {
        &self.unit
    }

    /// How the unit is.
    ///
    /// # Errors
    /// Where it does not say.
    pub fn health(&mut self) -> Result<Health, Error> {
        const WHAT: &str = "its health";
        match self.ask(WHAT, Ask::Health, PATIENCE)? {
            Answer::Health(health) => Ok(health),
            _ => Err(Error::Unexpected { what: WHAT }),
        }
    }

    /// What is wrong with the unit, as it sees itself, the gravest first.
    ///
    /// # Errors
    /// Where it does not say.
    pub fn troubles(&mut self) -> Result<Vec<Trouble>, Error> {
        const WHAT: &str = "what is wrong with it";
        match self.ask(WHAT, Ask::Troubles, PATIENCE)? {
            Answer::Troubles { troubles } => Ok(troubles),
            _ => Err(Error::Unexpected { what: WHAT }),
        }
    }

    /// Lets the unit sign a text; gives each word with where its signs came from, and milliseconds.
    ///
    /// # Errors
    /// Where it does not sign.
    pub fn sign(&mut self, text: &str) -> Result<(Vec<Word>, u32), Error> {
        const WHAT: &str = "a text to sign";
        if text.len() > MAX_TEXT {
            return Err(Error::TooLong { length: text.len(), most: MAX_TEXT });
        }
        match self.ask(WHAT, Ask::Sign { text: text.into() }, PATIENCE)? {
            Answer::Signing { words, length_ms } => Ok((words, length_ms)),
            _ => Err(Error::Unexpected { what: WHAT }),
        }
    }

    /// Lets the unit do something to which there is no other answer than that it is done.
    ///
    /// # Errors
    /// Where it is not done.
    pub fn order(&mut self, what: &'static str, ask: Ask) -> Result<(), Error> {
        match self.ask(what, ask, PATIENCE)? {
            Answer::Done => Ok(()),
            _ => Err(Error::Unexpected { what }),
        }
    }

    /// Lets the unit install a file that it has, into the slot that does not run.
    ///
    /// # Errors
    /// Where it is not done; what the unit says about the file.
    pub fn install(&mut self, file: Hash) -> Result<(), Error> {
        const WHAT: &str = "to install the file";
        match self.ask_each(WHAT, Ask::Install { file }, INSTALLING, ASK_SELDOM)? {
            Answer::Done => Ok(()),
            _ => Err(Error::Unexpected { what: WHAT }),
        }
    }

    /// Waits so long for news, and gives the next.
    ///
    /// # Errors
    /// [`Error::Gone`].
    pub fn news(&mut self, patience: Duration) -> Result<Option<News>, Error> {
        if self.news.is_empty() {
            self.pump(patience, &mut |_| {})?;
        }
        Ok(self.news.pop_front())
    }

    /// News that were dropped because nobody fetched them.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Asks for another speed on both ends, and tries it. Gives what is set then; `None` where the line has
    /// no speed.
    ///
    /// # Errors
    /// [`Error::Speed`] where the line does not work at it: both ends are back at the old one.
    pub fn speed(&mut self, baud: u32) -> Result<Option<u32>, Error> {
        const WHAT: &str = "another speed";
        let Some(before) = self.line.wire().speed() else { return Ok(None) };
        self.ask(WHAT, Ask::Speed { baud }, PATIENCE)?;
        let set = self.line.wire().set_speed(baud);
        let said = match set {
            Ok(set) if same_speed(baud, set) => {
                match self.ask("its health", Ask::Health, SPEED_TRIAL - Duration::from_millis(500)) {
                    Ok(_) => return Ok(Some(set)),
                    Err(_) => "nothing readable came".to_owned(),
                }
            }
            Ok(set) => format!("this computer's port was set to {set}"),
            Err(error) => error.to_string(),
        };
        let port = self.line.wire().name();
        let back = self.line.wire().set_speed(before);
        back.map_err(|e| Error::Gone { port, said: e.to_string() })?;
        // By then the unit has given it up as well.
        let until = self.line.now() + SPEED_TRIAL;
        while self.line.now() < until {
            self.pump(until.saturating_sub(self.line.now()), &mut |_| {})?;
        }
        self.health()?;
        Err(Error::Speed { baud, kept: before, said })
    }

    /// Sends a file, going on where an earlier try stopped. `on` hears how many bytes the unit has.
    ///
    /// # Errors
    /// Where it is not whole on the unit: what stopped it, and what to do.
    pub fn push(
        &mut self,
        name: &str,
        file: &mut (impl Read + Seek),
        on: &mut dyn FnMut(u64),
    ) -> Result<Sent, Error> {
        let unread = |e: io::Error| Error::file("read", name, &e);
        let length = file.seek(SeekFrom::End(0)).map_err(unread)?;
        let hash = hash_from_start(file, length).map_err(unread)?;
        let block = self.line.block();
        let mut offer = Offer { name: short(name), length, hash, block, afresh: false };
        let mut times = 0;
        let mut sent = Sent { had: 0, blocks: 0, repeated: 0 };
        loop {
            let take = match self.ask("a file", Ask::Offer(offer.clone()), PATIENCE)? {
                Answer::There => return Ok(Sent { had: length, ..sent }),
                Answer::Take(take) => take,
                _ => return Err(Error::Unexpected { what: "a file" }),
            };
            // What it has is another file's beginning: its part was damaged.
            if hash_from_start(file, take.from).map_err(unread)? != take.hash && !offer.afresh {
                offer.afresh = true;
                continue;
            }
            offer.afresh = false;
            if times == 0 {
                sent.had = take.from;
            }
            let (end, counts) = self.send(name, file, &offer, &take, on)?;
            sent.blocks += counts.0;
            sent.repeated += counts.1;
            match end {
                Some(Verdict::Whole) => return Ok(sent),
                Some(Verdict::Failed { why }) => return Err(Error::NotKept { name: name.into(), why }),
                Some(Verdict::Spoiled { found }) if times > 0 => {
                    return Err(Error::Spoiled { name: name.into(), sent: hash, found });
                }
                Some(Verdict::Spoiled { .. }) => offer.afresh = true,
                None if times >= FORGOTTEN => return Err(Error::Forgotten { name: name.into(), times }),
                None => {}
            }
            times += 1;
        }
    }

    /// A picture of the screen, as a PNG.
    ///
    /// # Errors
    /// Where the unit has none, or it does not arrive.
    pub fn screenshot(&mut self) -> Result<Vec<u8>, Error> {
        const WHAT: &str = "a picture of the screen";
        let (transfer, offer) = match self.ask(WHAT, Ask::Screenshot, PATIENCE)? {
            Answer::Picture { transfer, offer } if offer.length <= MOST_PICTURE => (transfer, offer),
            _ => return Err(Error::Unexpected { what: WHAT }),
        };
        let take = Take { transfer, from: 0, hash: offer.hash };
        let mut receiver = Receiver::new(&offer, &take);
        let mut png = Vec::new();
        let (mut heard, mut seen) = (self.line.now(), self.line.seen());
        while !receiver.is_complete() {
            let before = png.len();
            self.pump(Duration::from_millis(10), &mut |incoming| {
                if let (Incoming::Bulk(Bulk::Block { transfer: of, index, bytes }), now) = incoming
                    && *of == transfer
                {
                    let put = |bytes: &[u8]| {
                        png.extend_from_slice(bytes);
                        Ok(())
                    };
                    receiver.block(*index, bytes, now, put).expect("memory takes what is put there");
                }
            })?;
            let now = self.line.now();
            if png.len() > before {
                (heard, seen) = (now, self.line.seen());
            }
            if now > heard + SILENCE {
                return Err(unanswered(&mut self.line, WHAT, SILENCE, seen));
            }
            if let Some(got) = receiver.receipt(now) {
                self.line.push(Channel::Control, &Control::Got(got))?;
            }
        }
        let found = hash_of(&mut png.as_slice(), u64::MAX).expect("memory can be read");
        let verdict = if found == offer.hash { Verdict::Whole } else { Verdict::Spoiled { found } };
        receiver.end(verdict.clone(), self.line.now());
        if let Some(got) = receiver.receipt(self.line.now()) {
            self.line.push(Channel::Control, &Control::Got(got))?;
        }
        self.line.flush()?;
        match verdict {
            Verdict::Whole => Ok(png),
            _ => Err(Error::Spoiled { name: offer.name, sent: offer.hash, found }),
        }
    }

    /// Sends the blocks of a file until the unit has judged it; `None` where it forgot the transfer.
    fn send(
        &mut self,
        name: &str,
        file: &mut (impl Read + Seek),
        offer: &Offer,
        take: &Take,
        on: &mut dyn FnMut(u64),
    ) -> Result<(Option<Verdict>, (u64, u64)), Error> {
        let slack = slack(self.line.wire().speed());
        let mut sender = Sender::new(offer, take, slack, self.line.now());
        let (mut heard, mut seen) = (self.line.now(), self.line.seen());
        let mut judged = None;
        let mut forgotten = false;
        // The receipt with the verdict may be lost: the last block asks for it again.
        let mut prod = Duration::ZERO;
        loop {
            on(sender.done());
            fill(&mut self.line, &mut sender, file).map_err(|e| Error::file("read", name, &e))?;
            let now = self.line.now();
            if sender.is_done() && now >= prod {
                prod = now + ASK_EVERY + slack;
                fill_one(&mut self.line, &sender, file, offer).map_err(|e| Error::file("read", name, &e))?;
            }
            self.pump(Duration::from_millis(20), &mut |(incoming, now)| match incoming {
                Incoming::Control(Control::Got(got)) => {
                    sender.got(got, now);
                    if got.transfer == take.transfer {
                        judged = judged.take().or(got.verdict.clone());
                    }
                }
                Incoming::Control(Control::NoTransfer { transfer }) if *transfer == take.transfer => {
                    forgotten = true;
                }
                _ => {}
            })?;
            if judged.is_some() || forgotten {
                on(sender.done());
                return Ok((judged, sender.counts()));
            }
            let now = self.line.now();
            if self.line.seen().frames > seen.frames {
                (heard, seen) = (now, self.line.seen());
            }
            if self.line.stuck_for() > SILENCE {
                let port = self.line.wire().name();
                return Err(Error::Stuck { port, waited_s: SILENCE.as_secs_f64() });
            }
            if now > heard + SILENCE {
                return Err(unanswered(&mut self.line, "the blocks of a file", SILENCE, seen));
            }
        }
    }

    fn ask(&mut self, what: &'static str, ask: Ask, patience: Duration) -> Result<Answer, Error> {
        self.ask_each(what, ask, patience, ASK_EVERY)
    }

    /// Asks, and asks again so often until there is an answer.
    fn ask_each(
        &mut self,
        what: &'static str,
        ask: Ask,
        patience: Duration,
        every: Duration,
    ) -> Result<Answer, Error> {
        self.asked += 1;
        let id = self.asked;
        let question = Control::Ask { id, ask };
        let until = self.line.now() + patience;
        let mut again = self.line.now();
        let before = self.line.seen();
        let mut answer = None;
        let mut newer = false;
        loop {
            let now = self.line.now();
            if now >= until {
                return Err(unanswered(&mut self.line, what, patience, before));
            }
            if now >= again {
                self.line.push(Channel::Control, &question)?;
                again = now + every + slack(self.line.wire().speed());
            }
            self.pump(again.min(until) - now, &mut |(incoming, _)| match incoming {
                Incoming::Control(Control::Answer { id: of, answer: found }) if *of == id => {
                    answer = Some(found.clone());
                }
                Incoming::Newer(Newer::Answer(of)) if *of == id => newer = true,
                _ => {}
            })?;
            match answer.take() {
                Some(Answer::Refused(Refusal::Unknown)) => return Err(Error::UnitTooOld { what }),
                Some(Answer::Refused(Refusal::Cannot { why })) => return Err(Error::Refused { what, why }),
                Some(answer) => return Ok(answer),
                None if newer => return Err(Error::ToolTooOld { what }),
                None => {}
            }
        }
    }

    /// Sends and receives; news are kept, and everything is shown to `each`.
    fn pump(
        &mut self,
        patience: Duration,
        each: &mut dyn FnMut((&Incoming<'_>, Duration)),
    ) -> Result<(), Error> {
        let (news, missed) = (&mut self.news, &mut self.missed);
        self.line.pump(patience, &mut |incoming, _, now| {
            each((&incoming, now));
            keep(news, missed, incoming);
        })
    }
}

/// Keeps what is news, and the newest of it.
fn keep(news: &mut VecDeque<News>, missed: &mut u64, incoming: Incoming<'_>) {
    let new = match incoming {
        Incoming::Control(Control::Caption(caption)) => News::Caption(caption),
        Incoming::Logs(log) => News::Log(log),
        _ => return,
    };
    if news.len() == NEWS {
        news.pop_front();
        *missed += 1;
    }
    news.push_back(new);
}

/// Puts as many blocks into the queue as are wanted there.
pub(super) fn fill<W: Wire>(
    line: &mut Line<W>,
    sender: &mut Sender,
    file: &mut (impl Read + Seek),
) -> io::Result<()> {
    while line.wants_bulk() {
        let Some(index) = sender.next(line.now()) else { break };
        put(line, sender, index, file)?;
    }
    Ok(())
}

/// Puts the last block into the queue again.
fn fill_one<W: Wire>(
    line: &mut Line<W>,
    sender: &Sender,
    file: &mut (impl Read + Seek),
    offer: &Offer,
) -> io::Result<()> {
    let last = offer.length.div_ceil(u64::from(offer.block)).saturating_sub(1);
    put(line, sender, u32::try_from(last).unwrap_or(u32::MAX), file)
}

fn put<W: Wire>(
    line: &mut Line<W>,
    sender: &Sender,
    index: u32,
    file: &mut (impl Read + Seek),
) -> io::Result<()> {
    let (from, length) = sender.place(index);
    let mut bytes = vec![0; length];
    file.seek(SeekFrom::Start(from))?;
    file.read_exact(&mut bytes)?;
    let block = Bulk::Block { transfer: sender.transfer(), index, bytes: &bytes };
    // `wants_bulk` saw room for it; where there is none it is sent again later, as if it were lost.
    let _ = line.push(Channel::Bulk, &block);
    Ok(())
}

fn hash_from_start(file: &mut (impl Read + Seek), length: u64) -> io::Result<Hash> {
    file.seek(SeekFrom::Start(0))?;
    hash_of(file, length)
}

/// A name for people, cut to what fits into a message.
fn short(name: &str) -> String {
    name.chars().take(200).collect()
}

/// Why nothing was answered, from what came on the line since.
fn unanswered<W: Wire>(line: &mut Line<W>, what: &'static str, waited: Duration, before: Seen) -> Error {
    let port = line.wire().name();
    let waited_s = waited.as_secs_f64();
    let seen = line.seen();
    if line.stuck_for() >= waited / 2 && !line.outbox().is_empty() {
        return Error::Stuck { port, waited_s: line.stuck_for().as_secs_f64() };
    }
    match (seen.bytes, seen.frames + seen.newer) {
        (0, _) => Error::Silent { port, waited_s },
        (bytes, 0) => Error::Garbage { port, bytes, sample: line.sample() },
        _ => {
            let frames = seen.frames - before.frames;
            let heard = match (frames, seen.bytes - before.bytes) {
                (1.., _) => format!(
                    "{frames} other frames came, so the cable works: its program is busy or its question is lost, try again"
                ),
                (0, 1..) => "only spoiled bytes came: try a lower --baud or a shorter cable".to_owned(),
                (0, 0) => "nothing came any more: see that the cable sits and the unit has power".to_owned(),
            };
            Error::NoAnswer { port, what, waited_s, heard }
        }
    }
}
