//! What somebody at the unit asks for: by keys, by the buttons of a remote control, or by touch.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Turn;
use super::event::{Device, Raw};
use crate::screen::clock::Wish;
use crate::screen::press::Press;

/// Where the kernel has its input devices.
const INPUTS: &str = "/dev/input";
/// How often it is looked for new ones.
const LOOK: Duration = Duration::from_secs(1);

/// `EV_KEY` and `EV_ABS` of `linux/input-event-codes.h`.
const KEY: u16 = 1;
const ABS: u16 = 3;
/// `ABS_X`, `ABS_Y`, and the same of the finger that `ABS_MT_…` tells of.
const ACROSS: [u16; 2] = [0x00, 0x35];
const DOWN: [u16; 2] = [0x01, 0x36];
/// `BTN_TOUCH`, and `BTN_LEFT` of a tablet or a mouse.
const TOUCH: [u16; 2] = [0x14a, 0x110];

/// A finger that moves farther than this was drawn over the screen. Shares of its side.
const DRAWN: f32 = 0.12;
/// A finger that rests so long was not just put down. Microseconds.
const RESTED_US: u64 = 800_000;

/// What a key asks for, by its place on an American keyboard: the same as in a window, and the keys of
/// remote controls.
fn of_key(code: u16) -> Option<Press> {
    Some(Press::Wish(match code {
        // KEY_ESC
        1 => return Some(Press::Close),
        // KEY_TAB, KEY_L, KEY_LANGUAGE
        15 | 38 | 0x170 => return Some(Press::NextLanguage),
        // KEY_SPACE, KEY_PLAYPAUSE
        57 | 164 => Wish::Pause,
        // KEY_ENTER, KEY_KPENTER, KEY_OK
        28 | 96 | 0x160 => Wish::Again,
        // KEY_R, KEY_MEDIA_REPEAT
        19 | 0x1b7 => Wish::Repeat,
        // KEY_LEFT, KEY_PREVIOUSSONG
        105 | 165 => Wish::SignBack,
        // KEY_RIGHT, KEY_NEXTSONG
        106 | 163 => Wish::SignOn,
        // KEY_MINUS, KEY_KPMINUS, KEY_DOWN, KEY_REWIND
        12 | 74 | 108 | 168 => Wish::Slower,
        // KEY_EQUAL, KEY_KPPLUS, KEY_UP, KEY_FASTFORWARD
        13 | 78 | 103 | 208 => Wish::Faster,
        // KEY_COMMA, KEY_DOT
        51 => Wish::FrameBack,
        52 => Wish::FrameOn,
        _ => return None,
    }))
}

/// A finger or a pen on its way over the screen.
#[derive(Debug, Clone, Copy, Default)]
struct Finger {
    /// Where it is, in the device's numbers.
    at: [i32; 2],
    /// Where and when it was put down; before that, none.
    down: Option<([i32; 2], u64)>,
    /// Whether it was put down and its place is still to come.
    fresh: bool,
}

impl Finger {
    /// Takes an event of a device that reaches so far; gives what was asked for with it.
    fn step(&mut self, raw: Raw, reach: [[i32; 2]; 2], turn: Turn) -> Option<Press> {
        match (raw.kind, raw.code) {
            (ABS, code) if ACROSS.contains(&code) => self.at[0] = raw.value,
            (ABS, code) if DOWN.contains(&code) => self.at[1] = raw.value,
            (KEY, code) if TOUCH.contains(&code) && raw.value == 1 => {
                (self.down, self.fresh) = (Some((self.at, raw.at_us)), true);
            }
            (KEY, code) if TOUCH.contains(&code) && raw.value == 0 => {
                let (from, since_us) = self.down.take()?;
                let place = |at: [i32; 2]| {
                    let share = |i: usize| {
                        let [least, most] = reach[i].map(f64::from);
                        (((f64::from(at[i]) - least) / (most - least)) as f32).clamp(0.0, 1.0)
                    };
                    turn.back([share(0), share(1)])
                };
                return Some(drawn(place(from), place(self.at), raw.at_us.saturating_sub(since_us)));
            }
            // The end of a report: what was put down in it lies where the report said.
            (0, 0) if self.fresh => {
                self.fresh = false;
                if let Some((from, _)) = &mut self.down {
                    *from = self.at;
                }
            }
            _ => {}
        }
        None
    }
}

/// What a finger asks for: to the side by signs, up and down the speed, resting the language, and else a tap.
fn drawn(from: [f32; 2], to: [f32; 2], us: u64) -> Press {
    let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    if dx.abs().max(dy.abs()) < DRAWN {
        return if us >= RESTED_US { Press::NextLanguage } else { Press::Tap(to) };
    }
    Press::Wish(match (dx.abs() >= dy.abs(), dx < 0.0, dy < 0.0) {
        (true, true, _) => Wish::SignBack,
        (true, false, _) => Wish::SignOn,
        (false, _, true) => Wish::Faster,
        (false, _, false) => Wish::Slower,
    })
}

/// All keys, buttons and touch screens of a unit, those too that are plugged in later.
pub struct Controls {
    folder: PathBuf,
    turn: Turn,
    devices: HashMap<PathBuf, (Device, Finger)>,
    look: Instant,
}

impl Controls {
    /// Those that the kernel has, before a display that hangs like this. That there are none is no fault.
    pub fn new(turn: Turn) -> Self {
        Self::at(Path::new(INPUTS), turn)
    }

    fn at(folder: &Path, turn: Turn) -> Self {
        Self { folder: folder.to_owned(), turn, devices: HashMap::new(), look: Instant::now() }
    }

    /// What was asked for since; nothing is waited for.
    pub fn presses(&mut self) -> Vec<Press> {
        self.look();
        let mut all = vec![];
        let turn = self.turn;
        // A device that cannot be read any more was pulled.
        self.devices.retain(|_, (device, finger)| {
            let Ok(events) = device.read() else { return false };
            for raw in events {
                let key = (raw.kind == KEY && raw.value == 1).then(|| of_key(raw.code)).flatten();
                let touch = device.reach.and_then(|reach| finger.step(raw, reach, turn));
                all.extend(key.into_iter().chain(touch));
            }
            true
        });
        all
    }

    fn look(&mut self) {
        let now = Instant::now();
        if now < self.look {
            return;
        }
        self.look = now + LOOK;
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_event = entry.file_name().to_string_lossy().starts_with("event");
            if !is_event || self.devices.contains_key(&path) {
                continue;
            }
            if let Ok(device) = Device::open(&path) {
                self.devices.insert(device.path().to_owned(), (device, Finger::default()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REACH: [[i32; 2]; 2] = [[0, 1000], [-100, 100]];

    /// Puts a finger down and lifts it elsewhere, so many milliseconds later.
    #[track_caller]
    fn check(turn: Turn, from: [i32; 2], to: [i32; 2], ms: u64, expect: Press) {
        let mut finger = Finger::default();
        let raw = |at_us, kind, code, value| Raw { at_us, kind, code, value };
        let end = 1_000_000 + ms * 1000;
        let events = [
            // The place may come before the touch or after it.
            raw(1_000_000, KEY, TOUCH[0], 1),
            raw(1_000_000, ABS, ACROSS[1], from[0]),
            raw(1_000_000, ABS, DOWN[1], from[1]),
            raw(1_000_000, 0, 0, 0),
            raw(end, ABS, ACROSS[0], to[0]),
            raw(end, ABS, DOWN[0], to[1]),
            raw(end, 0, 0, 0),
            raw(end, KEY, TOUCH[0], 0),
        ];
        let found: Vec<Press> = events.into_iter().filter_map(|e| finger.step(e, REACH, turn)).collect();
        assert_eq!(found, [expect]);
    }

    #[test]
    fn a_finger_says_what_it_wants() {
        check(Turn::None, [500, 0], [510, 0], 100, Press::Tap([0.51, 0.5]));
        check(Turn::Half, [500, 0], [510, 0], 100, Press::Tap([0.49, 0.5]));
        check(Turn::None, [500, 0], [510, 0], 900, Press::NextLanguage);
        check(Turn::None, [700, 0], [300, 10], 100, Press::Wish(Wish::SignBack));
        check(Turn::None, [300, 0], [700, 10], 100, Press::Wish(Wish::SignOn));
        check(Turn::None, [500, 50], [500, -50], 100, Press::Wish(Wish::Faster));
        check(Turn::None, [500, -50], [500, 50], 100, Press::Wish(Wish::Slower));
        // Upward on a display that hangs on its side is to the side on the display.
        check(Turn::Quarter, [300, 0], [700, 0], 100, Press::Wish(Wish::Faster));
        // Beyond the edge is at the edge.
        check(Turn::None, [2000, 0], [2000, 0], 100, Press::Tap([1.0, 0.5]));
    }

    #[test]
    fn keys_ask_for_what_they_ask_for_in_a_window() {
        for (code, expect) in [
            (57, Some(Press::Wish(Wish::Pause))),
            (28, Some(Press::Wish(Wish::Again))),
            (19, Some(Press::Wish(Wish::Repeat))),
            (12, Some(Press::Wish(Wish::Slower))),
            (13, Some(Press::Wish(Wish::Faster))),
            (105, Some(Press::Wish(Wish::SignBack))),
            (106, Some(Press::Wish(Wish::SignOn))),
            (51, Some(Press::Wish(Wish::FrameBack))),
            (52, Some(Press::Wish(Wish::FrameOn))),
            (15, Some(Press::NextLanguage)),
            (1, Some(Press::Close)),
            (2, None),
        ] {
            assert_eq!(of_key(code), expect, "key {code}");
        }
    }

    #[test]
    fn keyboards_come_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let mut controls = Controls::at(folder.path(), Turn::None);
        assert_eq!(controls.presses(), []);
        // What was pulled gives its end, and is forgotten.
        std::fs::write(folder.path().join("event3"), "").unwrap();
        std::fs::write(folder.path().join("mouse0"), "").unwrap();
        controls.look = Instant::now();
        assert_eq!(controls.presses(), []);
        assert!(controls.devices.is_empty());
        let mut press = [0; 24];
        press[16..24].copy_from_slice(&[1, 0, 57, 0, 1, 0, 0, 0]);
        std::fs::write(folder.path().join("event3"), press).unwrap();
        controls.look = Instant::now();
        controls.look();
        let (device, _) = controls.devices.get_mut(&folder.path().join("event3")).unwrap();
        assert_eq!(device.reach, None);
    }
}
