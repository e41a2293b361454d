//! A camera that fails in every way in which one can through Video4Linux, by a seed: the same in every run.
//!
//! Its time is its own and passes only when somebody waits. It keeps account of what it gave, so that a test
//! can ask where every picture went. Its pictures bear their numbers, or are those of a [`Film`] with a person in it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use edge::camera::{Clock, Device, Frame, Granted, Opener, Packing, Raw, Wish};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};

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
    /// What stands before it, where that is not the number of each picture.
    film: Option<Film>,
}

/// What a camera sees, over and over.
pub struct Film {
    /// Its pictures in each of [`FILMED`].
    pictures: Vec<Vec<RgbImage>>,
    /// The same as JPEG.
    jpegs: Vec<Vec<Vec<u8>>>,
    /// How long the camera lasts until it breaks, in the mean.
    lasts: Duration,
}

/// The sizes of pictures in which people are to be seen.
const FILMED: [[u32; 2]; 4] = [[320, 180], [256, 144], [240, 180], [321, 181]];
/// So many pictures of each opening come no faster than one in so long of real time, so that whoever looks at them
/// sees all. The others come as fast as they are taken, and the film stands still meanwhile: who is left out sees no
/// leaps.
const SLOWLY: (u32, Duration) = (45, Duration::from_millis(15));
/// The first opening is calm: so many pictures come in their own time before anything breaks.
pub const CALM: (u32, Duration) = (600, Duration::from_millis(33));
/// Waiting for a camera before which a film stands takes so much less of real time.
const FASTER: u32 = 50;

/// The lowest priority of a thread that there is.
const NICEST: i32 = 19;

impl Film {
    /// Pictures of any size, and how long the camera lasts.
    pub fn new(pictures: &[RgbImage], lasts: Duration) -> Self {
        let of_size = |[width, height]: [u32; 2]| -> Vec<RgbImage> {
            pictures.iter().map(|picture| resize(picture, width, height, FilterType::Triangle)).collect()
        };
        let pictures: Vec<Vec<RgbImage>> = FILMED.map(of_size).into();
        let jpegs = pictures.iter().map(|pictures| pictures.iter().map(jpeg).collect()).collect();
        Self { pictures, jpegs, lasts }
    }

    /// The bytes of a picture.
    fn packed(&self, granted: &Granted, number: u32) -> Vec<u8> {
        let size = FILMED.iter().position(|size| *size == [granted.width, granted.height]);
        let size = size.expect("a camera before a film has one of its sizes");
        let number = number as usize % self.pictures[size].len();
        if granted.code == Packing::Mjpeg.code() {
            return self.jpegs[size][number].clone();
        }
        packed(granted, |x, y| self.pictures[size][number].get_pixel(x, y).0)
    }
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
    /// Pictures that it gave.
    given: u32,
    buffer: Vec<u8>,
}

impl World {
    /// A camera that will break so often.
    pub fn new(seed: u64, breaks: u32) -> Self {
        Self::before(seed, breaks, None)
    }

    /// The same before a film.
    pub fn before(seed: u64, breaks: u32, film: Option<Film>) -> Self {
        let mut random = Random(seed);
        let model = Model::any(&mut random, Duration::ZERO, film.is_some());
        Self(Arc::new(Mutex::new(State {
            random,
            now: Duration::ZERO,
            account: Account::default(),
            breaks,
            model,
            away_until: Duration::ZERO,
            pictures: 0,
            film,
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
        let real = self.lock().passes(time);
        thread::sleep(real);
    }
}

impl State {
    /// Its time passes; gives how much real time that takes.
    fn passes(&mut self, time: Duration) -> Duration {
        self.now += time;
        if self.film.is_some() { time / FASTER } else { Duration::ZERO }
    }

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
    fn any(random: &mut Random, now: Duration, films: bool) -> Self {
        let sizes = if films { FILMED } else { [[64, 48], [72, 40], [65, 49], [96, 24]] };
        let has = match random.below(5) {
            0 => vec![Packing::Mjpeg],
            1 => vec![Packing::Yuyv, Packing::Mjpeg],
            2 => vec![Packing::Nv12],
            3 => vec![Packing::Rgb, Packing::Bgr],
            _ => vec![Packing::Bgr],
        };
        let narrow = has.contains(&Packing::Mjpeg) && random.below(2) == 0;
        Self {
            size: sizes[random.below(4)],
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
        let most =
            state.film.as_ref().map_or(40, |film| (2.0 * film.lasts.as_secs_f32() * model.fps) as usize);
        let left = state.random.below(most) as u32;
        let is_calm = state.film.is_some() && state.account.unplugged == 0;
        let left = if is_calm { CALM.0 + left } else { left };
        let world = self.clone();
        let (granted, streaming, handed_out, given, buffer) = (None, false, false, 0, Vec::new());
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
            given,
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
                let real = state.passes(patience);
                drop(state);
                thread::sleep(real);
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
            state.passes(patience);
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
        let given = self.given;
        self.given += 1;
        let number = state.pictures;
        let (slow, pace) = if state.account.unplugged == 0 { CALM } else { SLOWLY };
        self.buffer = match &state.film {
            Some(film) => film.packed(&granted, given.min(slow)),
            None => packed(&granted, |x, y| [numbered(number, x, y); 3]),
        };
        // A real camera's pictures cost the others no time: who filled it gives way.
        if given == 0 && state.film.is_some() {
            let _ = rustix::process::nice(NICEST);
        }
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
            // A film is as long as memory lasts.
            if state.film.is_none() {
                state.account.whole.insert(picture, taken);
            }
            // What lies behind a picture in its buffer.
            self.buffer.extend((0..state.random.below(64)).map(|_| 0));
        }
        state.pictures += 1;
        let slowly = state.film.is_some() && given < slow;
        drop(state);
        thread::sleep(if slowly { pace } else { Duration::ZERO });
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
            let longest = if self.film.is_some() { 60.0 } else { 3600.0 };
            let away_s = match self.random.below(50) {
                0 => longest,
                n => n as f32 * 0.2,
            };
            self.away_until = self.now + Duration::from_secs_f32(away_s);
            if self.once_in(2) {
                self.model = Model::any(&mut self.random, self.now, self.film.is_some());
            }
        }
        if self.account.unplugged >= self.breaks { Broken::Silent } else { broken }
    }
}

/// The brightness of a place in a picture that bears a number.
fn numbered(number: u32, x: u32, y: u32) -> u8 {
    let bit = (y / SQUARE).min(BITS / COLUMNS - 1) * COLUMNS + (x / SQUARE).min(COLUMNS - 1);
    if number >> bit & 1 == 1 { BRIGHT } else { DARK }
}

/// The bytes of a picture, of which the colour of each place is known.
fn packed(granted: &Granted, colour: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
    let (width, height) = (granted.width, granted.height);
    let row = |y: u32| (0..width).map(|x| colour(x, y)).collect::<Vec<_>>();
    let luma = |[r, g, b]: [u8; 3]| ((77 * u32::from(r) + 150 * u32::from(g) + 29 * u32::from(b)) >> 8) as u8;
    let even = width.div_ceil(2) as usize * 2;
    let rows: Vec<Vec<u8>> = match &granted.code {
        b"MJPG" => return jpeg(&RgbImage::from_fn(width, height, |x, y| Rgb(colour(x, y)))),
        // Without colours: those have tests of their own.
        b"YUYV" => (0..height)
            .map(|y| {
                let mut bytes: Vec<u8> = row(y).into_iter().flat_map(|v| [luma(v), 128]).collect();
                bytes.resize(even * 2, 128);
                bytes
            })
            .collect(),
        b"NV12" => {
            let lumas = (0..height).map(|y| {
                let mut bytes: Vec<u8> = row(y).into_iter().map(luma).collect();
                bytes.resize(even, 0);
                bytes
            });
            lumas.chain((0..height.div_ceil(2)).map(|_| vec![128; even])).collect()
        }
        b"BGR3" => {
            (0..height).map(|y| row(y).into_iter().flat_map(|[r, g, b]| [b, g, r]).collect()).collect()
        }
        _ => (0..height).map(|y| row(y).concat()).collect(),
    };
    let mut bytes = Vec::new();
    for row in rows {
        bytes.resize(bytes.len().next_multiple_of(granted.stride as usize), 99);
        bytes.extend(row);
    }
    bytes
}

/// A picture as JPEG.
fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 80)
        .write_image(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8)
        .expect("a small picture can be encoded");
    jpeg
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
