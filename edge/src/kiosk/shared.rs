//! What the kiosk's threads have in common: queues, what is known of the unit, and how it ends.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use boards::Board;
use models::link::message::{Caption, Word};
use models::pose::Pose;
use models::update::proof::Sign;
use models::utc;

use super::crash::{Crash, Crashes};
use super::governor::Governor;
use super::heart::{Heart, Part};
use super::queue::Queue;
use super::session::WAITING;
use super::state::Hands;
use super::vitals::Vitals;
use super::words::Say;
use crate::camera::Frame;
use crate::production::Signing;
use crate::screen::{Rig, Span};

/// Where no watchdog says how long nothing may go on. Seconds.
const LIMIT_S: u32 = 15;
/// News that may wait for the screen: more would only be late.
const NEWS: usize = 8;
/// Texts that may wait to be made into signing: more than are taken, so that whoever asks never waits for room.
const REQUESTS: usize = WAITING + 1;
/// Captions that may wait for the cable.
const TOLD: usize = 64;
/// Signs of health that may wait for whoever judges a version on trial.
const SIGNS: usize = 256;

/// What the screen is told.
#[derive(Debug)]
pub enum News {
    /// A frame was read.
    Read(Box<Read>),
    /// The visitor's hands went down, and this is what they signed.
    Said(String),
    /// It was not understood; what it may have been.
    Repeat(Vec<String>),
    /// Whether there is a camera whose pictures are read.
    Sees(bool),
    /// A text is to be signed.
    Came(String),
    /// It was made into signing.
    Ready(String, Box<Signing>),
    /// It cannot be signed.
    Fails(String),
    /// Somebody wants the screen as a PNG.
    Shot(SyncSender<Result<Vec<u8>, String>>),
}

/// A frame that was read.
#[derive(Debug)]
pub struct Read {
    /// The picture.
    pub frame: Frame,
    /// What was seen in it.
    pub pose: Pose,
    /// What it is drawn with.
    pub rig: Rig,
    /// The caption as it stands.
    pub words: Vec<Span>,
    /// Whether somebody is in it.
    pub somebody: bool,
    /// What their hands do.
    pub hands: Hands,
}

/// A text that somebody wants signed, and where the answer goes.
#[derive(Debug)]
pub struct Request {
    /// The text.
    pub text: String,
    /// Each word with where its signs came from, and milliseconds; or why it cannot be signed.
    pub answer: SyncSender<Result<(Vec<Word>, u32), String>>,
}

/// Something that keeps the unit from doing all that it is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// No camera.
    Camera,
    /// Networks or models that cannot be used.
    Reading,
    /// No lexicon, or none that can be used.
    Signing,
    /// So hot that nothing is read.
    Hot,
    /// Hot enough to read less.
    Warm,
    /// No room on the storage.
    Disk,
}

impl Trouble {
    /// What people are told.
    pub fn say(self) -> Say {
        match self {
            Self::Camera => Say::NoCamera,
            Self::Reading => Say::CannotRead,
            Self::Signing => Say::CannotSign,
            Self::Hot => Say::Hot,
            Self::Warm => Say::Warm,
            Self::Disk => Say::DiskFull,
        }
    }

    /// What a technician's tool calls it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Reading => "reading",
            Self::Signing => "signing",
            Self::Hot | Self::Warm => "heat",
            Self::Disk => "disk",
        }
    }
}

/// How the program ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Somebody asked for it.
    Ordered,
    /// Another version is to be started.
    Restart,
    /// It cannot go on, for this reason; whoever watches it starts it anew.
    Failed(String),
}

/// Who is to forget a visit: each forgets by itself, between two frames.
#[derive(Debug, Clone, Copy)]
pub enum Forgets {
    /// What is followed in pictures.
    Vision,
    /// What was read.
    Language,
}

/// What the threads share.
#[derive(Debug)]
pub struct Shared {
    begun: Instant,
    version: String,
    ending: Mutex<Option<Ending>>,
    ended: Condvar,
    heart: Mutex<Heart>,
    vitals: Mutex<Vitals>,
    troubles: Mutex<BTreeMap<Trouble, String>>,
    governor: Mutex<Governor>,
    crashes: Mutex<Crashes>,
    crashed: Mutex<Option<Duration>>,
    state: Mutex<&'static str>,
    camera_on: AtomicBool,
    shown: AtomicBool,
    forget: [AtomicBool; 2],
    waiting: AtomicUsize,
    /// To the screen.
    pub news: Queue<News>,
    /// To production.
    pub requests: Queue<Request>,
    /// To the cable.
    pub captions: Queue<Caption>,
    /// To whoever judges a version on trial.
    pub signs: Queue<Sign>,
}

impl Shared {
    /// Of a unit that begins now.
    pub fn new(board: &Board, version: String, crashes: Crashes) -> Self {
        let limit_s = board.watchdog.as_ref().map_or(LIMIT_S, |watchdog| watchdog.stall_s);
        Self {
            begun: Instant::now(),
            version,
            ending: Mutex::new(None),
            ended: Condvar::new(),
            heart: Mutex::new(Heart::new(Duration::from_secs(limit_s.into()))),
            vitals: Mutex::default(),
            troubles: Mutex::default(),
            governor: Mutex::new(Governor::new(&board.thermal)),
            crashes: Mutex::new(crashes),
            crashed: Mutex::default(),
            state: Mutex::new("starting"),
            camera_on: AtomicBool::new(false),
            shown: AtomicBool::new(false),
            forget: Default::default(),
            waiting: AtomicUsize::new(0),
            news: Queue::new(NEWS),
            requests: Queue::new(REQUESTS),
            captions: Queue::new(TOLD),
            signs: Queue::new(SIGNS),
        }
    }

    /// Since the program began, by a clock that nobody sets.
    pub fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Ends the program; the first reason counts.
    pub fn end(&self, ending: Ending) {
        lock(&self.ending).get_or_insert(ending);
        self.ended.notify_all();
        self.news.close();
        self.requests.close();
    }

    /// How it ends, where it does.
    pub fn ending(&self) -> Option<Ending> {
        lock(&self.ending).clone()
    }

    /// Waits so long, or until the program ends; whether it does.
    pub fn rest(&self, time: Duration) -> bool {
        let ending = lock(&self.ending);
        let waited = self.ended.wait_timeout_while(ending, time, |ending| ending.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_some()
    }

    /// A part went on.
    pub fn beat(&self, part: Part) {
        lock(&self.heart).beat(part, self.now());
        let sign = match part {
            Part::Camera => Some(Sign::Frame),
            Part::Inference => Some(Sign::Inference),
            Part::Screen => Some(Sign::Picture),
            Part::Language | Part::Production | Part::Link => None,
        };
        if let Some(sign) = sign {
            self.signs.offer(sign);
        }
        if part == Part::Screen {
            self.shown.store(true, Ordering::Relaxed);
        }
    }

    /// Vision has handed something to language: what it saw in a frame, or news of the camera.
    pub fn hand_over(&self, saw: bool) {
        self.heart().hand_over(self.now());
        if saw {
            self.beat(Part::Inference);
        }
    }

    /// A part is at work until what this gives is dropped, whatever ends the work.
    pub fn at_work(&self, part: Part) -> AtWork<'_> {
        self.beat(part);
        AtWork { shared: self, part }
    }

    /// Whether anything was ever presented.
    pub fn has_shown(&self) -> bool {
        self.shown.load(Ordering::Relaxed)
    }

    /// What is known of how the unit goes on.
    pub fn heart(&self) -> MutexGuard<'_, Heart> {
        lock(&self.heart)
    }

    /// The unit's figures.
    pub fn vitals(&self) -> MutexGuard<'_, Vitals> {
        lock(&self.vitals)
    }

    /// How much is read.
    pub fn governor(&self) -> MutexGuard<'_, Governor> {
        lock(&self.governor)
    }

    /// What broke.
    pub fn crashes(&self) -> MutexGuard<'_, Crashes> {
        lock(&self.crashes)
    }

    /// A stage did its work in the time since then.
    pub fn took(&self, stage: &'static str, since: Instant) {
        self.vitals().took(stage, self.now(), since.elapsed());
    }

    /// What the unit is doing, in a word, for a technician.
    pub fn state(&self) -> &'static str {
        *lock(&self.state)
    }

    /// See [`Shared::state`].
    pub fn set_state(&self, state: &'static str) {
        *lock(&self.state) = state;
    }

    /// Something is wrong, or no longer. What is new is logged.
    pub fn trouble(&self, trouble: Trouble, said: Option<String>) {
        let mut troubles = lock(&self.troubles);
        let before = match &said {
            Some(said) => troubles.insert(trouble, said.clone()),
            None => troubles.remove(&trouble),
        };
        drop(troubles);
        if before != said {
            match &said {
                Some(said) => journal::warn!("{}", said.as_str()),
                None => journal::info!("{}: mended", trouble.kind()),
            }
        }
    }

    /// Whether something is wrong.
    pub fn has_trouble(&self, trouble: Trouble) -> bool {
        lock(&self.troubles).contains_key(&trouble)
    }

    /// How many texts wait to be signed.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// See [`Shared::waiting`].
    pub fn set_waiting(&self, texts: usize) {
        self.waiting.store(texts, Ordering::Relaxed);
    }

    /// All that is wrong, the gravest first.
    pub fn troubles(&self) -> Vec<(Trouble, String)> {
        lock(&self.troubles).iter().map(|(trouble, said)| (*trouble, said.clone())).collect()
    }

    /// Whether pictures of a camera come in.
    pub fn camera_on(&self) -> bool {
        self.camera_on.load(Ordering::Relaxed)
    }

    /// See [`Shared::camera_on`].
    pub fn set_camera_on(&self, on: bool) {
        self.camera_on.store(on, Ordering::Relaxed);
    }

    /// The visit is over: whatever knows of it is to forget it.
    pub fn forget_visit(&self) {
        self.forget.iter().for_each(|flag| flag.store(true, Ordering::Relaxed));
        self.captions.clear();
    }

    /// Whether somebody is to forget the visit; said once.
    pub fn is_to_forget(&self, who: Forgets) -> bool {
        self.forget[who as usize].swap(false, Ordering::Relaxed)
    }

    /// Something broke: it is kept for a technician.
    pub fn crashed(&self, thread: &str, said: &str) {
        let uptime = self.now();
        *lock(&self.crashed) = Some(uptime);
        journal::error!("the thread `{}` broke: {}", thread, said);
        let crash = Crash {
            at: utc::text(SystemTime::now()),
            thread: thread.into(),
            said: said.into(),
            version: self.version.clone(),
            uptime_s: uptime.as_secs(),
        };
        if let Err(error) = self.crashes().note(crash) {
            journal::error!("what broke cannot be kept: {}", error.to_string().as_str());
        }
    }

    /// When something broke last, in this run.
    pub fn last_crash(&self) -> Option<Duration> {
        *lock(&self.crashed)
    }
}

/// A part at work.
#[derive(Debug)]
pub struct AtWork<'a> {
    shared: &'a Shared,
    part: Part,
}

impl AtWork<'_> {
    /// It went on.
    pub fn goes_on(&self) {
        self.shared.beat(self.part);
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.shared.heart().rest(self.part);
    }
}

/// What is guarded here is whole between any two statements: a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
