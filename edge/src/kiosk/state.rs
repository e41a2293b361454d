//! What a kiosk is doing: the one state machine of its screen, without a clock, a thread or a file.
//!
//! It is told what happens and what time it is, and says which state is shown and when a visitor has left.
//! No state ends because somebody was slow: with a visitor before the camera only what visitor or counter do
//! changes anything. The one time limit is how long nobody has to be seen until a visitor has left, and whoever
//! runs the kiosk can lengthen it ([`LEFT_AFTER`]).

use std::ops::RangeInclusive;
use std::time::Duration;

/// A state is shown for so long at least. Whatever happens, the screen changes less than three times a second,
/// so that no flash is more than that (WCAG 2.2, 2.3.1), and a state that nobody could read is not shown.
pub const SHOWN_AT_LEAST: Duration = Duration::from_millis(400);
/// How long nobody is seen until a visitor has left. Seconds: the usual, and what can be chosen.
pub const LEFT_AFTER_S: u32 = 20;
/// See [`LEFT_AFTER_S`].
pub const LEFT_AFTER: RangeInclusive<u32> = 5..=3600;

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Nobody signs and nothing is asked.
    Rest,
    /// Somebody signs.
    Watching,
    /// Hands went down and what they signed is not settled, or a text is being made into signing.
    Thinking,
    /// It was not understood.
    PleaseRepeat,
    /// The screen signs.
    Signing,
    /// It cannot see anybody.
    OutOfOrder,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Rest, Self::Watching, Self::Thinking, Self::PleaseRepeat, Self::Signing, Self::OutOfOrder];
}

/// What the hands before the camera do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hands {
    /// None is up, and nothing is open.
    Down,
    /// One is up.
    Up,
    /// None is up any more, and what was signed is not settled yet.
    Settling,
}

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A frame was read.
    Seen {
        /// Somebody is in it.
        somebody: bool,
        /// What their hands do.
        hands: Hands,
    },
    /// What was signed was not understood.
    NotUnderstood,
    /// Something was.
    Understood,
    /// A text came and is to be signed.
    TextCame,
    /// A text that came is signed from now on.
    TextBegins,
    /// It cannot be signed.
    TextFails,
    /// Its signing is over.
    TextOver,
    /// Whether anybody could be seen: whether there is a camera, and networks that read its pictures.
    Sees(bool),
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What is to be shown.
    pub state: State,
    /// The visitor has left: all that is known of the visit is to be forgotten. Said once a visit.
    pub left: bool,
}

/// The machine.
#[derive(Debug, Clone)]
pub struct Machine {
    left_after: Duration,
    shown: State,
    since: Duration,
    /// None until it is known.
    sees: Option<bool>,
    hands: Hands,
    repeat: bool,
    /// Texts that came and do not sign yet.
    waiting: usize,
    signing: bool,
    /// When there was last a sign of a visit; none where it was said that the visitor left.
    visit: Option<Duration>,
}

impl Machine {
    /// One that takes a visitor to have left when nobody was seen for so long.
    pub fn new(left_after: Duration) -> Self {
        Self {
            left_after,
            shown: State::Thinking,
            since: Duration::ZERO,
            sees: None,
            hands: Hands::Down,
            repeat: false,
            waiting: 0,
            signing: false,
            visit: None,
        }
    }

    /// Takes what happened, so long after the program's start.
    pub fn tell(&mut self, now: Duration, event: Event) {
        match event {
            Event::Seen { somebody, hands } => {
                if hands == Hands::Up && self.hands == Hands::Down {
                    self.repeat = false;
                }
                self.hands = hands;
                if somebody || hands != Hands::Down {
                    self.visit = Some(now);
                }
            }
            Event::NotUnderstood => self.repeat = true,
            Event::Understood => self.repeat = false,
            Event::TextCame => self.waiting += 1,
            Event::TextBegins => {
                self.waiting = self.waiting.saturating_sub(1);
                self.signing = true;
            }
            Event::TextFails => self.waiting = self.waiting.saturating_sub(1),
            Event::TextOver => self.signing = false,
            Event::Sees(sees) => {
                self.sees = Some(sees);
                if !sees {
                    (self.hands, self.repeat) = (Hands::Down, false);
                }
            }
        }
        if matches!(event, Event::TextCame | Event::TextBegins | Event::TextFails | Event::TextOver) {
            self.visit = Some(now);
        }
    }

    /// What is to be shown, so long after the program's start.
    pub fn step(&mut self, now: Duration) -> Step {
        if self.signing || self.waiting > 0 {
            // However long a signing takes, it is no absence.
            self.visit = Some(now);
        }
        let left = self.visit.is_some_and(|seen| now >= seen + self.left_after);
        if left {
            (self.visit, self.repeat) = (None, false);
        }
        let wanted = self.wanted();
        if wanted != self.shown && (now >= self.since + SHOWN_AT_LEAST || self.since.is_zero()) {
            // A time of zero stands for a screen that has shown nothing yet.
            (self.shown, self.since) = (wanted, now.max(Duration::from_nanos(1)));
        }
        Step { state: self.shown, left }
    }

    fn wanted(&self) -> State {
        if self.signing {
            State::Signing
        } else if self.waiting > 0 || self.sees.is_none() {
            State::Thinking
        } else if self.sees == Some(false) {
            State::OutOfOrder
        } else {
            match self.hands {
                Hands::Up => State::Watching,
                Hands::Settling => State::Thinking,
                Hands::Down if self.repeat => State::PleaseRepeat,
                Hands::Down => State::Rest,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: Duration = Duration::from_secs(20);

    fn seen(somebody: bool, hands: Hands) -> Event {
        Event::Seen { somebody, hands }
    }

    /// Events at their times in seconds, and what is shown in the end; each event is looked at a second later.
    #[track_caller]
    fn check(events: &[(u64, Event)], expect: State) {
        let mut machine = Machine::new(LEFT);
        let mut shown = None;
        for (at_s, event) in events {
            machine.tell(Duration::from_secs(*at_s), *event);
            shown = Some(machine.step(Duration::from_secs(at_s + 1)).state);
        }
        assert_eq!(shown, Some(expect));
    }

    #[test]
    fn states_follow_what_happens() {
        use Event::{NotUnderstood, Sees, TextBegins, TextCame, TextFails, TextOver, Understood};
        let up = seen(true, Hands::Up);
        let down = seen(true, Hands::Down);
        check(&[(1, Sees(false))], State::OutOfOrder);
        check(&[(1, Sees(true))], State::Rest);
        check(&[(1, Sees(true)), (2, up)], State::Watching);
        check(&[(1, Sees(true)), (2, up), (3, seen(true, Hands::Settling))], State::Thinking);
        check(&[(1, Sees(true)), (2, up), (3, NotUnderstood), (4, down)], State::PleaseRepeat);
        check(&[(1, Sees(true)), (2, up), (3, NotUnderstood), (4, down), (5, up), (6, down)], State::Rest);
        check(&[(1, Sees(true)), (3, NotUnderstood), (4, Understood)], State::Rest);
        check(&[(1, Sees(true)), (2, TextCame)], State::Thinking);
        check(&[(1, Sees(true)), (2, TextCame), (3, TextFails)], State::Rest);
        check(&[(1, Sees(true)), (2, TextCame), (3, TextBegins), (4, up)], State::Signing);
        check(&[(1, Sees(true)), (2, TextCame), (3, TextBegins), (4, up), (5, TextOver)], State::Watching);
        check(&[(1, Sees(true)), (2, up), (3, Sees(false))], State::OutOfOrder);
    }

    #[test]
    fn it_signs_also_where_it_sees_nobody() {
        use Event::{Sees, TextBegins, TextCame, TextOver};
        check(&[(1, Sees(false)), (2, TextCame), (3, TextBegins)], State::Signing);
        check(&[(1, Sees(false)), (2, TextCame), (3, TextBegins), (4, TextOver)], State::OutOfOrder);
    }

    #[test]
    fn whoever_has_left_is_forgotten_once() {
        let mut machine = Machine::new(LEFT);
        let at = Duration::from_secs;
        machine.tell(at(1), Event::Sees(true));
        assert!(!machine.step(at(100)).left, "nobody came");
        machine.tell(at(100), seen(true, Hands::Down));
        machine.tell(at(101), seen(false, Hands::Down));
        machine.tell(at(102), Event::NotUnderstood);
        assert!(!machine.step(at(119)).left && machine.visit.is_some());
        let step = machine.step(at(120));
        assert!(step.left && machine.visit.is_none());
        assert_eq!(machine.step(at(121)), Step { state: State::Rest, left: false });
    }

    #[test]
    fn a_long_signing_is_no_absence() {
        let mut machine = Machine::new(LEFT);
        let at = Duration::from_secs;
        machine.tell(at(1), Event::TextCame);
        machine.tell(at(2), Event::TextBegins);
        assert!((3..200).all(|s| !machine.step(at(s)).left));
        machine.tell(at(200), Event::TextOver);
        assert!((200..220).all(|s| !machine.step(at(s)).left));
        assert!(machine.step(at(220)).left);
    }

    /// WCAG 2.2, 2.2.1: nothing that a visitor reads goes away by itself while the visitor is there.
    #[test]
    fn with_a_visitor_there_time_alone_changes_nothing() {
        for event in [Event::NotUnderstood, Event::TextFails, Event::TextOver, Event::Understood] {
            let mut machine = Machine::new(LEFT);
            machine.tell(Duration::ZERO, Event::Sees(true));
            machine.tell(Duration::ZERO, seen(true, Hands::Down));
            machine.tell(Duration::ZERO, event);
            let first = machine.step(SHOWN_AT_LEAST).state;
            for s in 1..7200 {
                machine.tell(Duration::from_secs(s), seen(true, Hands::Down));
                assert_eq!(machine.step(Duration::from_secs(s)), Step { state: first, left: false });
            }
        }
        // The one limit that there is can be made ten times as long and more (2.2.1, "adjust").
        assert!(*LEFT_AFTER.end() >= 10 * LEFT_AFTER_S && LEFT_AFTER.contains(&LEFT_AFTER_S));
    }

    #[test]
    fn however_fast_things_happen_a_state_can_be_read() {
        let mut machine = Machine::new(LEFT);
        let (mut last, mut since) = (None, Duration::ZERO);
        for ms in 0..20_000u64 {
            let now = Duration::from_millis(ms);
            let event = match ms % 7 {
                0 => Event::Sees(ms % 2 == 0),
                1 => seen(true, Hands::Up),
                2 => Event::TextCame,
                3 => Event::TextBegins,
                4 => Event::TextOver,
                5 => Event::NotUnderstood,
                _ => seen(true, Hands::Down),
            };
            machine.tell(now, event);
            let state = machine.step(now).state;
            if Some(state) != last {
                assert!(last.is_none() || now - since >= SHOWN_AT_LEAST || since.is_zero());
                (last, since) = (Some(state), now);
            }
        }
    }
}
