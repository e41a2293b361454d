//! The thread screen: what people see, whatever the other threads do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use boards::Board;

use super::heart::Part;
use super::session::Session;
use super::shared::{Ending, News, Read, Shared, Trouble};
use super::state::{Event, Machine, SHOWN_AT_LEAST, State};
use super::words::{Say, Tongue};
use crate::Fault;
use crate::production::Signing;
use crate::screen::clock::{Clock, Wish};
use crate::screen::counter::{Counter, Letters, OnStage};
use crate::screen::playback::{Playback, Wording, caption_in};
use crate::screen::present::{Present, png};
use crate::screen::press::Press;
use crate::screen::{Caption, Picture, Screen, Span, Theme, Tone};

/// Where nothing is new the same picture is presented again so often, which is how the screen shows that it is
/// there.
const AGAIN: Duration = Duration::from_secs(1);
/// News is waited for no longer than this, so that states change in time.
const LOOK: Duration = Duration::from_millis(100);

/// A signing that was stopped, or is to be repeated, goes on after so long: whoever wanted that is gone, others wait.
const STANDS_AT_MOST: Duration = Duration::from_secs(300);

/// What is shown, and what is known of the visit.
pub struct Show {
    shared: Arc<Shared>,
    tongue: Tongue,
    letters: Letters,
    screen: Screen,
    machine: Machine,
    state: State,
    scene: Scene,
    /// When the scene began.
    scene_since: Option<Duration>,
    session: Session,
    read: Option<Box<Read>>,
    playing: Option<Playing>,
    /// Whether a camera is read; none until it is known.
    sees: Option<bool>,
    /// What the machine was told of it.
    told_sees: Option<bool>,
    /// Whether the picture drawn last says that nobody is seen.
    excuses: bool,
    /// A signing is shown in steps of this.
    step: Duration,
}

/// What the visitor looks at; it changes no faster than states do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scene {
    Nothing,
    Mirror,
    Signer,
    NoCamera,
}

struct Playing {
    playback: Playback<'static>,
    clock: Clock,
    told: Duration,
    /// For how long it has stood, or been repeated, since somebody last asked for something.
    stood: Duration,
}

impl Playing {
    fn wish(&mut self, wish: Wish) {
        self.clock.wish(wish);
        self.stood = Duration::ZERO;
    }

    fn pass(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.told);
        self.told = now;
        self.clock.pass(passed.as_secs_f32());
        let (stands, repeats) = (self.clock.stands(), self.clock.repeats());
        self.stood = if stands || repeats { self.stood + passed } else { Duration::ZERO };
        if self.stood >= STANDS_AT_MOST {
            self.wish(if repeats { Wish::Repeat } else { Wish::Pause });
        }
    }
}

impl Show {
    /// A screen that has shown nothing yet.
    pub fn new(
        shared: Arc<Shared>,
        board: &Board,
        tongue: Tongue,
        theme: Theme,
        left_after: Duration,
    ) -> Self {
        let screen = Screen::new(board.screen.width_px, board.screen.height_px, theme);
        Self::with_screen(shared, board, tongue, screen, left_after)
    }

    fn with_screen(
        shared: Arc<Shared>,
        board: &Board,
        tongue: Tongue,
        screen: Screen,
        left_after: Duration,
    ) -> Self {
        Self {
            shared,
            tongue,
            letters: Letters::of(&board.screen),
            screen,
            machine: Machine::new(left_after),
            state: State::Thinking,
            scene: Scene::Nothing,
            scene_since: None,
            session: Session::default(),
            read: None,
            playing: None,
            sees: None,
            told_sees: None,
            excuses: false,
            step: Duration::from_secs(1) / board.screen.rate_hz,
        }
    }

    /// Shows what comes until the unit ends.
    ///
    /// # Errors
    /// Where nothing can be presented any more.
    pub fn run(&mut self, to: &mut dyn Present) -> anyhow::Result<()> {
        let mut presented: Option<Duration> = None;
        while self.shared.ending().is_none() {
            let wait = if self.playing.is_some() { self.step } else { LOOK };
            let due = self.shared.now() + wait;
            let mut is_new = presented.is_none() || self.playing.is_some();
            while let Some(news) = self.shared.news.take(due.saturating_sub(self.shared.now())) {
                self.take(news, self.shared.now());
                is_new = true;
                // A frame is shown at once; behind it comes the next.
                if self.playing.is_none() {
                    break;
                }
            }
            for press in to.presses() {
                self.press(press);
                is_new = true;
            }
            is_new |= self.step(self.shared.now());
            let now = self.shared.now();
            if !is_new && presented.is_some_and(|at| now < at + AGAIN) {
                continue;
            }
            let begun = Instant::now();
            self.draw(true);
            match to.show(self.screen.canvas()) {
                // Whoever closes a window wants no more: that is an end like any other.
                Err(Fault::Closed) => {
                    self.shared.end(Ending::Ordered);
                    break;
                }
                shown => shown?,
            }
            self.shared.took("screen", begun);
            self.shared.beat(Part::Screen);
            // Only now people have been told.
            self.shared.heart().excuse(self.excuses, self.shared.now());
            presented = Some(now);
        }
        Ok(())
    }

    /// Takes what the other threads tell.
    pub fn take(&mut self, news: News, now: Duration) {
        match news {
            News::Read(read) => {
                let seen = Event::Seen { somebody: read.somebody, hands: read.hands };
                self.machine.tell(now, seen);
                self.read = Some(read);
            }
            News::Said(text) => {
                self.machine.tell(now, Event::Understood);
                self.session.said(Say::Visitor, &text);
                (self.session.last, self.session.perhaps) = (Some(text), Vec::new());
            }
            News::Repeat(perhaps) => {
                self.machine.tell(now, Event::NotUnderstood);
                self.session.perhaps = perhaps;
            }
            News::Sees(sees) => self.sees = Some(sees),
            News::Came(text) => {
                self.machine.tell(now, Event::TextCame);
                self.session.came(text);
            }
            News::Ready(text, signing) => {
                self.session.settled(&text);
                self.session.ready.push_back((text, *signing));
            }
            News::Fails(text) => {
                self.machine.tell(now, Event::TextFails);
                self.session.settled(&text);
                self.session.said(Say::NotSigned, &text);
            }
            News::Shot(answer) => {
                // Nobody who stands before a counter is on a technician's picture of its screen.
                self.draw(false);
                let shot = png(self.screen.canvas()).map_err(|fault| fault.to_string());
                // Whoever asked may have gone.
                let _ = answer.send(shot);
            }
        }
    }

    /// Does what somebody at the screen asks for.
    pub fn press(&mut self, press: Press) {
        match (press, &mut self.playing) {
            (Press::NextLanguage, _) => self.tongue = self.tongue.next(),
            (Press::Wish(wish), Some(playing)) => playing.wish(wish),
            (Press::Tap(_), Some(playing)) => playing.wish(Wish::Pause),
            // A unit is not closed by whoever stands before it.
            (Press::Wish(_) | Press::Tap(_) | Press::Close, _) => {}
        }
    }

    /// Lets time pass; whether what is shown changed.
    pub fn step(&mut self, now: Duration) -> bool {
        if let Some(playing) = &mut self.playing {
            playing.pass(now);
            if playing.clock.over() {
                self.playing = None;
                self.machine.tell(now, Event::TextOver);
            }
        }
        if self.playing.is_none()
            && let Some((text, signing)) = self.session.ready.pop_front()
        {
            self.machine.tell(now, Event::TextBegins);
            self.session.said(Say::Counter, &text);
            self.play(signing, now);
        }
        let sees = self.sees.map(|sees| sees && !self.shared.has_trouble(Trouble::Hot));
        if sees != self.told_sees
            && let Some(sees) = sees
        {
            self.told_sees = Some(sees);
            self.machine.tell(now, Event::Sees(sees));
        }
        self.shared.set_waiting(self.session.coming.len() + self.session.ready.len());
        let step = self.machine.step(now);
        if step.left {
            self.forget();
        }
        let changed = step.state != self.state || step.left;
        self.state = step.state;
        let changed = self.change_scene(now) || changed;
        self.shared.set_state(Say::Doing(step.state).in_words(Tongue::English));
        changed
    }

    /// Whether the visitor looks at something else from now on.
    fn change_scene(&mut self, now: Duration) -> bool {
        let wanted = match self.state {
            State::Signing if self.playing.is_some() => Scene::Signer,
            State::OutOfOrder => Scene::NoCamera,
            _ if self.read.is_some() && self.sees == Some(true) => Scene::Mirror,
            _ => Scene::Nothing,
        };
        let held = self.scene_since.is_some_and(|since| now < since + SHOWN_AT_LEAST);
        if wanted == self.scene || held {
            return false;
        }
        (self.scene, self.scene_since) = (wanted, Some(now));
        if self.sees != Some(true) {
            // What was seen last is no picture of now.
            self.read = None;
        }
        true
    }

    fn play(&mut self, signing: Signing, now: Duration) {
        let playback = Playback::owned(signing);
        let clock = playback.clock();
        self.playing = Some(Playing { playback, clock, told: now, stood: Duration::ZERO });
    }

    /// The visitor has left: nothing of the visit is known any more.
    fn forget(&mut self) {
        self.session = Session::default();
        self.read = None;
        self.scene = Scene::Nothing;
        self.screen.forget();
        self.shared.forget_visit();
        journal::info!("the visitor has left; the visit is forgotten");
    }

    /// Draws the present moment, with or without the camera's picture.
    pub fn draw(&mut self, with_picture: bool) {
        let pose = self.playing.as_ref().and_then(|p| p.playback.pose_at(&p.clock));
        let caption = self.caption();
        let troubles = self.shared.troubles();
        let unseen = |(trouble, _): &(Trouble, String)| {
            matches!(trouble, Trouble::Camera | Trouble::Reading | Trouble::Hot)
        };
        self.excuses = troubles.iter().any(unseen);
        let notices: Vec<&str> = troubles.iter().map(|(trouble, _)| self.say(trouble.say())).collect();
        let waiting = self.session.waiting();
        let stage = match (self.scene, &self.playing, &pose, &self.read) {
            (Scene::Signer, Some(playing), Some(pose), _) => {
                let (rig, stance) = playing.playback.view();
                OnStage::Signer(rig, pose, stance)
            }
            (Scene::NoCamera, ..) => OnStage::NoCamera,
            (Scene::Mirror, _, _, Some(read)) => {
                let rgb: &[u8] = if with_picture { &read.frame.rgb } else { &[] };
                let picture = Picture { rgb, width: read.frame.width, height: read.frame.height };
                OnStage::Mirror(picture, Some((&read.rig, &read.pose)))
            }
            _ => OnStage::Nothing,
        };
        let tone = match self.state {
            State::PleaseRepeat | State::OutOfOrder => Tone::Warn,
            State::Rest => Tone::Quiet,
            State::Watching | State::Thinking | State::Signing => Tone::Plain,
        };
        let talk = self.session.talk.iter().map(|(who, text)| (self.say(*who), text.as_str()));
        let talk: Vec<_> = talk.collect();
        let shown = Counter {
            state: (self.say(Say::Doing(self.state)), tone),
            camera: self.shared.camera_on().then(|| self.say(Say::CameraOn)),
            stage,
            caption: &caption,
            clerk: self.say(Say::Counter),
            talk: &talk,
            waiting: (self.say(Say::ToSign), &waiting),
            notices: &notices,
        };
        self.screen.counter(&shown, self.letters);
    }

    /// What stands in large letters before the visitor.
    fn caption(&self) -> Caption {
        let plain = |say: Say| Caption::plain(self.say(say));
        let live = || self.read.as_ref().map(|read| read.words.clone()).unwrap_or_default();
        match self.state {
            State::Signing => match &self.playing {
                Some(playing) => {
                    let from = |provenance| self.say(Say::From(provenance));
                    let wording = Wording { from: &from, missing: self.say(Say::Missing) };
                    caption_in(playing.playback.words(), playing.clock.at_s(), wording)
                }
                None => Caption::default(),
            },
            State::Thinking => {
                let note = vec![Span::new(self.say(Say::OneMoment), Tone::Quiet)];
                Caption { words: live(), note, close_up: false }
            }
            State::Watching => Caption { words: live(), ..Caption::default() },
            State::PleaseRepeat => {
                let perhaps = self.session.perhaps.iter().map(|name| format!("{name}?  "));
                let note = perhaps.map(|name| Span::new(&name, Tone::Warn)).collect();
                Caption { note, ..plain(Say::SignAgain) }
            }
            State::OutOfOrder => {
                let why = self.shared.troubles();
                let why = why.first().map_or(Say::OneMoment, |(trouble, _)| trouble.say());
                let note = vec![Span::new(self.say(Say::TellStaff), Tone::Plain)];
                Caption { note, ..plain(why) }
            }
            State::Rest => match &self.session.last {
                Some(last) => Caption::plain(last.clone()),
                None => plain(Say::Welcome),
            },
        }
    }

    fn say(&self, say: Say) -> &'static str {
        say.in_words(self.tongue)
    }
}

#[cfg(test)]
mod tests;
