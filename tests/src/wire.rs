//! A simulated cable: two ends, a clock of its own, and everything that befalls a real one.
//!
//! All runs in one thread. Whenever the tool's end waits, the clock goes on to the next event and the unit
//! takes a step, so that minutes on a bad line pass in milliseconds and every run is the same.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use models::link::Wire;

use crate::fuzz::Random;

/// Bytes that a driver holds before it takes no more.
const DRIVER: u64 = 4096;
/// The unit's timers are looked at so often.
const TICK: Duration = Duration::from_millis(1);
/// Bytes that arrive at once.
const PIECE: usize = 64;

/// The fastest speed of a driver that sets another one beyond it.
const MOST_SPEED: u32 = 460_800;

/// Which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The technician's.
    Tool = 0,
    /// The unit's.
    Unit = 1,
}

/// What befalls whole frames: what is given goes on instead.
pub type Fate = Box<dyn FnMut(Vec<u8>) -> Vec<Vec<u8>>>;

/// What the cable is like, and what happens on it.
pub struct Cable {
    now: Duration,
    random: Random,
    /// Bytes a second where the ends have no speed of their own; 0 is without limit.
    rate: u64,
    /// How many of a million bytes are flipped.
    flipped: usize,
    /// Speeds of the ends, where it is a serial line.
    speeds: [Option<u32>; 2],
    /// The fastest speed at which anything arrives.
    bearable: u32,
    /// What the ends' drivers set where they are asked for more than [`MOST_SPEED`].
    stubborn: [Option<u32>; 2],
    /// The drivers take no bytes, because nobody reads on the other end.
    clogged: bool,
    /// The cable is pulled when so many bytes have left the tool.
    pulled_after: u64,
    ways: [Way; 2],
}

#[derive(Default)]
struct Way {
    arriving: VecDeque<(Duration, Vec<u8>)>,
    /// When the last byte taken will have left.
    free_at: Duration,
    /// Bytes taken so far.
    taken: u64,
    fate: Option<Fate>,
    frame: Vec<u8>,
}

/// One end of a cable.
#[derive(Clone)]
pub struct End {
    cable: Rc<RefCell<Cable>>,
    side: Side,
    peer: Rc<RefCell<Box<dyn FnMut()>>>,
}

impl Cable {
    /// A line of so many bytes a second (0: without limit), of which so many in a million are flipped.
    pub fn new(rate: u64, flipped: usize, seed: u64) -> Self {
        Self {
            now: Duration::ZERO,
            random: Random(seed),
            rate,
            flipped,
            speeds: [None; 2],
            bearable: u32::MAX,
            stubborn: [None; 2],
            clogged: false,
            pulled_after: u64::MAX,
            ways: Default::default(),
        }
    }

    /// A serial line, on which nothing arrives at more than `bearable` bits a second.
    pub fn serial(baud: u32, bearable: u32) -> Self {
        Self { speeds: [Some(baud); 2], bearable, ..Self::new(0, 0, 1) }
    }

    /// The same, with a driver on this side that sets this speed when it is asked for one that it has not.
    pub fn with_stubborn(mut self, side: Side, baud: u32) -> Self {
        self.stubborn[side as usize] = Some(baud);
        self
    }

    /// The same, with so many bytes of a million flipped.
    pub fn flipping(mut self, in_a_million: usize) -> Self {
        self.flipped = in_a_million;
        self
    }

    /// The same, with nobody who reads.
    pub fn clogged(mut self) -> Self {
        self.clogged = true;
        self
    }

    /// The same, pulled when so many bytes have left the tool.
    pub fn pulled_after(mut self, bytes: u64) -> Self {
        self.pulled_after = bytes;
        self
    }

    /// The same, with a fate for each frame that this side sends.
    pub fn with_fate(mut self, side: Side, fate: Fate) -> Self {
        self.ways[side as usize].fate = Some(fate);
        self
    }

    /// The two ends.
    pub fn ends(self) -> [End; 2] {
        let cable = Rc::new(RefCell::new(self));
        let peer: Rc<RefCell<Box<dyn FnMut()>>> = Rc::new(RefCell::new(Box::new(|| {})));
        [Side::Tool, Side::Unit].map(|side| End { cable: Rc::clone(&cable), side, peer: Rc::clone(&peer) })
    }

    fn bytes_a_second(&self, side: Side) -> u64 {
        self.speeds[side as usize].map_or(self.rate, |baud| u64::from(baud / 10))
    }

    /// Bytes that a driver has taken and not sent yet.
    fn backlog(&self, side: Side) -> u64 {
        let left = self.ways[side as usize].free_at.saturating_sub(self.now);
        (left.as_secs_f64() * self.bytes_a_second(side) as f64) as u64
    }

    fn is_pulled(&self) -> bool {
        self.ways[Side::Tool as usize].taken >= self.pulled_after
    }

    fn put(&mut self, side: Side, bytes: &[u8]) -> usize {
        let room = if self.clogged { 0 } else { DRIVER.saturating_sub(self.backlog(side)) as usize };
        let left = self.pulled_after.saturating_sub(self.ways[Side::Tool as usize].taken);
        let room = if side == Side::Tool { room.min(usize::try_from(left).unwrap_or(room)) } else { room };
        let bytes = &bytes[..bytes.len().min(room)];
        self.ways[side as usize].taken += bytes.len() as u64;
        if self.ways[side as usize].fate.is_none() {
            self.send(side, bytes);
            return bytes.len();
        }
        for byte in bytes {
            let way = &mut self.ways[side as usize];
            way.frame.push(*byte);
            if *byte == 0 {
                let frame = std::mem::take(&mut way.frame);
                let fate = way.fate.as_mut().expect("it is there, as seen above");
                for frame in fate(frame) {
                    self.send(side, &frame);
                }
            }
        }
        bytes.len()
    }

    fn send(&mut self, side: Side, bytes: &[u8]) {
        let rate = self.bytes_a_second(side);
        for piece in bytes.chunks(PIECE) {
            let mut piece = piece.to_vec();
            let [a, b] = self.speeds;
            let deaf = a != b || a.is_some_and(|speed| speed > self.bearable);
            for byte in &mut piece {
                if deaf || (self.flipped > 0 && self.random.below(1_000_000) < self.flipped) {
                    *byte ^= 1 << self.random.below(8);
                }
            }
            let takes = if rate == 0 { 0.0 } else { piece.len() as f64 / rate as f64 };
            let way = &mut self.ways[side as usize];
            way.free_at = way.free_at.max(self.now) + Duration::from_secs_f64(takes);
            way.arriving.push_back((way.free_at, piece));
        }
    }

    fn get(&mut self, side: Side, into: &mut [u8]) -> usize {
        let way = &mut self.ways[1 - side as usize];
        let mut count = 0;
        while let Some((_, piece)) = way.arriving.front_mut().filter(|(at, _)| *at <= self.now) {
            let take = piece.len().min(into.len() - count);
            into[count..count + take].copy_from_slice(&piece[..take]);
            piece.drain(..take);
            count += take;
            if !piece.is_empty() {
                break;
            }
            way.arriving.pop_front();
        }
        count
    }

    fn is_ready(&self, side: Side, room: bool) -> bool {
        let came = self.ways[1 - side as usize].arriving.front().is_some_and(|(at, _)| *at <= self.now);
        came || (room && !self.clogged && self.backlog(side) < DRIVER / 2)
    }
}

impl End {
    /// What the unit does whenever time passes.
    pub fn set_peer(&self, peer: impl FnMut() + 'static) {
        *self.peer.borrow_mut() = Box::new(peer);
    }

    /// Time passes while this end is busy with something else.
    pub fn pass(&self, time: Duration) {
        self.cable.borrow_mut().now += time;
    }

    /// Bytes that have left this end.
    pub fn sent(&self) -> u64 {
        self.cable.borrow().ways[self.side as usize].taken
    }
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {:?}'s end", self.side)
    }
}

impl Wire for End {
    fn name(&self) -> String {
        "the simulated cable".into()
    }

    fn now(&self) -> Duration {
        self.cable.borrow().now
    }

    fn wait(&mut self, patience: Duration, room: bool) -> io::Result<()> {
        let until = self.now() + patience;
        loop {
            if self.side == Side::Tool {
                (self.peer.borrow_mut())();
            }
            let mut cable = self.cable.borrow_mut();
            if cable.is_pulled() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            if cable.is_ready(self.side, room) || cable.now >= until {
                return Ok(());
            }
            let arrivals = cable.ways.iter().filter_map(|way| way.arriving.front()).map(|(at, _)| *at);
            let next = arrivals.filter(|at| *at > cable.now).min();
            cable.now = (cable.now + TICK).min(until).min(next.unwrap_or(until));
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut cable = self.cable.borrow_mut();
        match cable.get(self.side, into) {
            0 if cable.is_pulled() => Err(io::ErrorKind::BrokenPipe.into()),
            count => Ok(count),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut cable = self.cable.borrow_mut();
        if cable.is_pulled() {
            Err(io::ErrorKind::BrokenPipe.into())
        } else {
            Ok(cable.put(self.side, bytes))
        }
    }

    fn speed(&self) -> Option<u32> {
        self.cable.borrow().speeds[self.side as usize]
    }

    fn set_speed(&mut self, baud: u32) -> io::Result<u32> {
        let mut cable = self.cable.borrow_mut();
        let set = cable.stubborn[self.side as usize].filter(|_| baud > MOST_SPEED).unwrap_or(baud);
        cable.speeds[self.side as usize] = Some(set);
        Ok(set)
    }
}
