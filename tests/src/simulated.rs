//! A camera that fails in every way in which one can through Video4Linux, by a seed: the same in every run.
//!
//! Its time is its own and passes only when somebody waits. It keeps account of what it gave, so that a test
//! can ask where every picture went.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use edge::camera::{Clock, Device, Frame, Granted, Opener, Packing, Raw, Wish};
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::fuzz::Random;

/// Errors of the system, by their numbers on Linux.
const ENOENT: i32 = 2;
const EINTR: i32 = 4;
const EIO: i32 = 5;
const ENXIO: i32 = 6;
const EAGAIN: i32 = 11;
const EACCES: i32 = 13;
const EBUSY: i32 = 16;
const ENODEV: i32 = 19;
const EINVAL: i32 = 22;
const ENOSPC: i32 = 28;
const EPIPE: i32 = 32;
const EPROTO: i32 = 71;

/// A picture bears its number in so many bits, each a square of so many pixels.
const BITS: u32 = 24;
const SQUARE: u32 = 8;
/// Squares in a row.
const COLUMNS: u32 = 8;
const DARK: u8 = 50;
const BRIGHT: u8 = 200;

/// A picture reaches the program so much after it was taken, at most. Microseconds.
const LATENCY_US: usize = 20_000;

/// What the camera gave, and how often it failed.
#[derive(Debug, Default)]
pub struct Account {
    /// Pictures that were handed out whole, by number, with the time at which each was taken.
    pub whole: BTreeMap<u32, Duration>,
    /// Pictures that were handed out damaged.
    pub torn: u64,
    /// Pictures that were left out between two that were handed out, as its numbering shows.
    pub left_out: u64,
    /// How often it vanished or broke.
    pub unplugged: u32,
    /// How often each thing went wrong.
    pub failures: BTreeMap<&'static str, u32>,
    /// Devices that are open now, and the most that ever were at once.
    pub open: [u32; 2],
}

/// The camera, its cable, and its time. Clones share one.
#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

struct State {
    random: Random,
    now: Duration,
    account: Account,
    /// It breaks so often, and then gives nothing any more.
    breaks: u32,
    /// What is plugged in at present.
    model: Model,
    /// Nobody finds it before this.
    away_until: Duration,
    pictures: u32,
}

/// What a camera is.
#[derive(Debug, Clone)]
struct Model {
    has: Vec<Packing>,
    size: [u32; 2],
    padding: u32,
    fps: f32,
    colours: [u32; 3],
    /// Its clock against the world's, or none where its stamps are empty.
    clock_us: Option<i64>,
    /// Its bus carries JPEG only.
    narrow: bool,
}

/// How an open camera is broken.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Broken {
    /// It gives this error for ever.
    Error(i32),
    /// It gives nothing.
    Silent,
    /// It gives torn pictures.
    Torn,
}

/// An open camera.
struct Open {
    world: World,
    model: Model,
    granted: Option<Granted>,
    streaming: bool,
    broken: Option<Broken>,
    /// Pictures until it breaks.
    left: u32,
    /// When the next one is taken.
    due: Duration,
    sequence: u32,
    handed_out: bool,
    buffer: Vec<u8>,
}

impl World {
    /// A camera that will break so often.
    pub fn new(seed: u64, breaks: u32) -> Self {
        let mut random = Random(seed);
        let model = Model::any(&mut random, Duration::ZERO);
        Self(Arc::new(Mutex::new(State {
            random,
            now: Duration::ZERO,
            account: Account::default(),
            breaks,
            model,
            away_until: Duration::ZERO,
            pictures: 0,
        })))
    }

    /// What it gave so far.
    pub fn account<R>(&self, look: impl FnOnce(&Account) -> R) -> R {
        look(&self.lock().account)
    }

    /// Whether it has broken as often as it should, and will give nothing more.
    pub fn is_over(&self) -> bool {
        let state = self.lock();
        state.account.unplugged >= state.breaks
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for World {
    fn now(&self) -> Duration {
        self.lock().now
    }

    fn wait(&mut self, time: Duration) {
        self.lock().now += time;
    }
}

impl State {
    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.random.below(times) == 0
    }

    fn fails(&mut self, what: &'static str, error: i32) -> io::Error {
        *self.account.failures.entry(what).or_default() += 1;
        io::Error::from_raw_os_error(error)
    }

    fn any(&mut self, errors: &[i32]) -> i32 {
        errors[self.random.below(errors.len())]
    }
}

impl Model {
    fn any(random: &mut Random, now: Duration) -> Self {
        let has = match random.below(5) {
            0 => vec![Packing::Mjpeg],
            1 => vec![Packing::Yuyv, Packing::Mjpeg],
            2 => vec![Packing::Nv12],
            3 => vec![Packing::Rgb, Packing::Bgr],
            _ => vec![Packing::Bgr],
        };
        let narrow = has.contains(&Packing::Mjpeg) && random.below(2) == 0;
        Self {
            size: [[64, 48], [72, 40], [65, 49], [96, 24]][random.below(4)],
            padding: [0, 1, 7, 32][random.below(4)],
            fps: [10.0, 15.0, 30.0, 60.0][random.below(4)],
            colours: [random.below(13) as u32, random.below(9) as u32, random.below(3) as u32],
            clock_us: match random.below(4) {
                0 => None,
                1 => Some(-(now.as_micros() as i64)),
                _ => Some(0),
            },
            has,
            narrow,
        }
    }
}

impl Opener for World {
    fn open(&mut self) -> io::Result<Box<dyn Device>> {
        let mut state = self.lock();
        if state.now < state.away_until {
            let error = state.any(&[ENOENT, ENOENT, ENXIO, ENODEV]);
            return Err(state.fails("not there", error));
        }
        if state.account.unplugged > 0 && state.once_in(6) {
            let error = state.any(&[EACCES, EBUSY, EIO, EPROTO]);
            return Err(state.fails("there, and cannot be opened", error));
        }
        let over = state.account.unplugged >= state.breaks;
        let broken = if over {
            Some(Broken::Silent)
        } else if state.account.unplugged > 0 && state.once_in(12) {
            *state.account.failures.entry("opened, and broken from the start").or_default() += 1;
            Some([Broken::Silent, Broken::Torn, Broken::Error(EIO)][state.random.below(3)])
        } else {
            None
        };
        state.account.open[0] += 1;
        state.account.open[1] = state.account.open[1].max(state.account.open[0]);
        let (model, due) = (state.model.clone(), state.now);
        // Numbers begin anywhere, and run over.
        let sequence = if state.once_in(2) { 0 } else { u32::MAX - state.random.below(20) as u32 };
        let left = state.random.below(40) as u32;
        let world = self.clone();
        let (granted, streaming, handed_out, buffer) = (None, false, false, Vec::new());
        Ok(Box::new(Open {
            world,
            model,
            granted,
            streaming,
            broken,
            left,
            due,
            sequence,
            handed_out,
            buffer,
        }))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.world.lock().account.open[0] -= 1;
    }
}

impl Device for Open {
    fn offers(&mut self) -> io::Result<Vec<[u8; 4]>> {
        self.may_fail("asked what it offers", &[ENODEV, EIO])?;
        // Some drivers say that they have what they do not grant.
        let codes = [Packing::Yuyv, Packing::Mjpeg].into_iter().chain(self.model.has.iter().copied());
        Ok(codes.map(Packing::code).chain([*b"H264", [0, 255, 1, 254]]).collect())
    }

    fn ask(&mut self, wish: Wish) -> io::Result<Granted> {
        self.may_fail("asked for a format", &[ENODEV, EBUSY, EINVAL, EIO])?;
        let has = &self.model.has;
        let packing = if has.contains(&wish.packing) { wish.packing } else { has[0] };
        let [width, height] = self.model.size;
        let row = match packing {
            Packing::Rgb | Packing::Bgr => 3 * width,
            Packing::Nv12 => width.div_ceil(2) * 2,
            Packing::Yuyv => width.div_ceil(2) * 4,
            Packing::Mjpeg => 0,
        };
        let stride = if row == 0 { 0 } else { row + self.model.padding };
        let fps = if self.world.lock().once_in(5) { None } else { Some(self.model.fps) };
        let granted =
            Granted { code: packing.code(), width, height, stride, colours: self.model.colours, fps };
        self.granted = Some(granted);
        Ok(granted)
    }

    fn start(&mut self) -> io::Result<()> {
        self.may_fail("started", &[EPIPE, ENODEV, EIO])?;
        let granted = self.granted.expect("a format is asked for before it starts");
        if self.model.narrow && granted.code != Packing::Mjpeg.code() {
            return Err(self.world.lock().fails("too much for the bus", ENOSPC));
        }
        self.streaming = true;
        Ok(())
    }

    fn next(&mut self, patience: Duration) -> io::Result<Option<Raw<'_>>> {
        assert!(self.streaming, "pictures are fetched after the start only");
        let granted = self.granted.expect("it has started");
        let world = self.world.clone();
        let mut state = world.lock();
        if self.broken.is_none() && self.left == 0 {
            self.broken = Some(state.break_it());
        }
        match self.broken {
            Some(Broken::Error(EAGAIN)) => return Err(io::Error::from_raw_os_error(EAGAIN)),
            Some(Broken::Error(error)) => return Err(io::Error::from_raw_os_error(error)),
            Some(Broken::Silent) => {
                state.now += patience;
                return Ok(None);
            }
            Some(Broken::Torn) | None => {}
        }
        if state.once_in(50) {
            let error = state.any(&[EAGAIN, EINTR]);
            return Err(state.fails("nothing yet", error));
        }
        let arrives = self.due + Duration::from_micros(state.random.below(LATENCY_US) as u64);
        if arrives > state.now + patience {
            state.now += patience;
            return Ok(None);
        }
        state.now = state.now.max(arrives);
        self.left = self.left.saturating_sub(1);
        let taken = self.due;
        self.due =
            taken.max(state.now.saturating_sub(patience)) + Duration::from_secs_f32(1.0 / self.model.fps);
        // Pictures for which the driver had no buffer.
        let left_out = if state.once_in(30) { 1 + state.random.below(5) as u32 } else { 0 };
        self.sequence = self.sequence.wrapping_add(1 + left_out);
        if self.handed_out {
            state.account.left_out += u64::from(left_out);
        }
        self.handed_out = true;
        let stamp_us = match self.model.clock_us {
            _ if state.once_in(40) => {
                *state.account.failures.entry("a stamp that is nonsense").or_default() += 1;
                [i64::MIN, -1, 0, 1 << 40, i64::MAX][state.random.below(5)]
            }
            Some(clock_us) => taken.as_micros() as i64 + clock_us,
            None => 0,
        };
        self.buffer = packed(&granted, state.pictures);
        let torn = self.broken == Some(Broken::Torn) || state.once_in(25);
        let damaged = torn && state.once_in(3);
        if torn {
            state.account.torn += 1;
            if !damaged {
                *state.account.failures.entry("a picture cut short").or_default() += 1;
                let most = if granted.code == *b"MJPG" { self.buffer.len() / 2 } else { self.buffer.len() };
                self.buffer.truncate(state.random.below(most));
            }
        } else {
            let picture = state.pictures;
            state.account.whole.insert(picture, taken);
            // What lies behind a picture in its buffer.
            self.buffer.extend((0..state.random.below(64)).map(|_| 0));
        }
        state.pictures += 1;
        drop(state);
        Ok(Some(Raw { bytes: &self.buffer, stamp_us, sequence: self.sequence, damaged }))
    }
}

impl Open {
    fn may_fail(&self, when: &'static str, errors: &[i32]) -> io::Result<()> {
        let mut state = self.world.lock();
        // The first opening must succeed: a camera that was never there is another case.
        if state.account.unplugged > 0 && state.once_in(40) {
            let error = state.any(errors);
            return Err(state.fails(when, error));
        }
        Ok(())
    }
}

impl State {
    /// The camera vanishes, or stays and serves no more; perhaps another one is plugged in instead.
    fn break_it(&mut self) -> Broken {
        self.account.unplugged += 1;
        let (what, broken) = match self.random.below(7) {
            0 | 1 => ("unplugged", Broken::Error(ENODEV)),
            2 => ("an error of the bus", Broken::Error(EIO)),
            3 => ("an error of the driver", Broken::Error(EINVAL)),
            4 => ("stalled", Broken::Silent),
            5 => ("not yet, for ever", Broken::Error(EAGAIN)),
            _ => ("torn, for ever", Broken::Torn),
        };
        *self.account.failures.entry(what).or_default() += 1;
        if matches!(broken, Broken::Error(ENODEV | EIO)) {
            let away_s = match self.random.below(50) {
                0 => 3600.0,
                n => n as f32 * 0.2,
            };
            self.away_until = self.now + Duration::from_secs_f32(away_s);
            if self.once_in(2) {
                self.model = Model::any(&mut self.random, self.now);
            }
        }
        if self.account.unplugged >= self.breaks { Broken::Silent } else { broken }
    }
}

/// The bytes of a picture that bears a number.
fn packed(granted: &Granted, number: u32) -> Vec<u8> {
    let (width, height) = (granted.width, granted.height);
    let grey = |x: u32, y: u32| {
        let bit = (y / SQUARE).min(BITS / COLUMNS - 1) * COLUMNS + (x / SQUARE).min(COLUMNS - 1);
        if number >> bit & 1 == 1 { BRIGHT } else { DARK }
    };
    let row = |y: u32| (0..width).map(move |x| grey(x, y));
    let even = width.div_ceil(2) as usize * 2;
    let rows: Vec<Vec<u8>> = match &granted.code {
        b"MJPG" => {
            let pixels: Vec<u8> = (0..height).flat_map(row).flat_map(|v| [v; 3]).collect();
            let mut jpeg = Vec::new();
            JpegEncoder::new_with_quality(&mut jpeg, 80)
                .write_image(&pixels, width, height, ExtendedColorType::Rgb8)
                .expect("a small picture can be encoded");
            return jpeg;
        }
        b"YUYV" => (0..height)
            .map(|y| {
                let mut bytes: Vec<u8> = row(y).flat_map(|v| [v, 128]).collect();
                bytes.resize(even * 2, 128);
                bytes
            })
            .collect(),
        b"NV12" => {
            let luma = (0..height).map(|y| {
                let mut bytes: Vec<u8> = row(y).collect();
                bytes.resize(even, 0);
                bytes
            });
            luma.chain((0..height.div_ceil(2)).map(|_| vec![128; even])).collect()
        }
        _ => (0..height).map(|y| row(y).flat_map(|v| [v; 3]).collect()).collect(),
    };
    let mut bytes = Vec::new();
    for row in rows {
        bytes.resize(bytes.len().next_multiple_of(granted.stride as usize), 99);
        bytes.extend(row);
    }
    bytes
}

/// The number that a picture bears.
pub fn number(frame: &Frame) -> u32 {
    (0..BITS)
        .filter(|bit| {
            let (x, y) = (bit % COLUMNS * SQUARE + SQUARE / 2, bit / COLUMNS * SQUARE + SQUARE / 2);
            frame.rgb[3 * (y * frame.width + x) as usize] > 128
        })
        .map(|bit| 1 << bit)
        .sum()
}
