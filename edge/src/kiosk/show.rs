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
                self.session.said(self.say(Say::Visitor), &text);
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
                self.session.said(self.say(Say::NotSigned), &text);
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
            self.session.said(self.say(Say::Counter), &text);
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
        self.shared.set_state(Say::from(step.state).in_words(Tongue::English));
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
        let shown = Counter {
            state: (self.say(Say::from(self.state)), tone),
            camera: self.shared.camera_on().then(|| self.say(Say::CameraOn)),
            stage,
            caption: &caption,
            clerk: self.say(Say::Counter),
            talk: &self.session.talk,
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
                Some(playing) => caption_in(playing.playback.words(), playing.clock.at_s(), self.wording()),
                None => Caption::default(),
            },
            State::Thinking => {
                let note = vec![span(self.say(Say::OneMoment), Tone::Quiet)];
                Caption { words: live(), note, close_up: false }
            }
            State::Watching => Caption { words: live(), ..Caption::default() },
            State::PleaseRepeat => {
                let perhaps = self.session.perhaps.iter().map(|name| format!("{name}?  "));
                let note = perhaps.map(|name| span(&name, Tone::Warn)).collect();
                Caption { note, ..plain(Say::SignAgain) }
            }
            State::OutOfOrder => {
                let why = self.shared.troubles();
                let why = why.first().map_or(Say::OneMoment, |(trouble, _)| trouble.say());
                let note = vec![span(self.say(Say::TellStaff), Tone::Plain)];
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

    fn wording(&self) -> Wording {
        let from: fn(_) -> &'static str = match self.tongue {
            Tongue::English => |from| Say::From(from).in_words(Tongue::English),
            Tongue::German => |from| Say::From(from).in_words(Tongue::German),
            Tongue::Chinese => |from| Say::From(from).in_words(Tongue::Chinese),
            Tongue::Korean => |from| Say::From(from).in_words(Tongue::Korean),
        };
        let not_found = self.say(Say::From(crate::production::Provenance::NotFound));
        Wording { from, not_found, missing: self.say(Say::Missing) }
    }
}

impl From<State> for Say {
    fn from(state: State) -> Self {
        match state {
            State::Rest => Self::Rest,
            State::Watching => Self::Watching,
            State::Thinking => Self::Thinking,
            State::PleaseRepeat => Self::PleaseRepeat,
            State::Signing => Self::Signing,
            State::OutOfOrder => Self::OutOfOrder,
        }
    }
}

fn span(text: &str, tone: Tone) -> Span {
    Span { text: text.into(), tone }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;
    use models::playback::{Frame as Posture, relaxed_hand, to_track};
    use models::pose::{Pose, PoseTrack};

    use super::*;
    use crate::camera::Frame;
    use crate::kiosk::crash::Crashes;
    use crate::kiosk::state::Hands;
    use crate::production::{Provenance, Sign, Source, Word};
    use crate::screen::golden;
    use crate::screen::{Canvas, Rig, Stance, Typesetter, View};

    /// A second of somebody with a raised right hand.
    fn track() -> PoseTrack {
        let mut posture = Posture::rest();
        let hand = relaxed_hand(1);
        let up = [-0.4 - hand[0][0], -0.3 - hand[0][1], -0.2 - hand[0][2]];
        let raised = hand.map(|p| [p[0] + up[0], p[1] + up[1], p[2] + up[2]]);
        (posture.wrists[1], posture.hands[1]) = (raised[0], Some(raised));
        to_track(&vec![posture; 30], 30.0)
    }

    /// A text of one word that is spelled with one letter.
    fn signing(text: &str) -> Signing {
        let source = Source { lexicon: "".into(), clip: "".into(), line: 2 };
        let sign = Sign { gloss: "T".into(), from_s: 0.0, to_s: 1.0, source, unusable: None };
        let mut word = Word::unsigned(text);
        (word.provenance, word.signs, word.to_s) = (Provenance::Spelled, vec![sign], 1.0);
        Signing { track: track(), words: vec![word], glosses: None }
    }

    /// A picture of somebody drawn before a wall, with the landmarks where they are, or of the wall alone.
    fn read(somebody: bool, hands: Hands, words: &str) -> Box<Read> {
        const SIZE: (u32, u32) = (320, 180);
        let track = track();
        let rig = Rig::of(&track.layout);
        let mut screen = Screen::with_fonts(SIZE.0, SIZE.1, Theme::LIGHT, Typesetter::fallback_only());
        let mut pose = Pose::unseen(track.layout.len());
        if somebody {
            let stance = Stance::of(&rig, &track.frames).unwrap();
            screen.signer_over(&rig, &track.frames[0], stance, crate::screen::Backdrop::Green);
            let view = View::upper_body(&stance, [0.0, 0.0, SIZE.0 as f32, SIZE.1 as f32]);
            pose = track.frames[0].clone();
            pose.points.iter_mut().for_each(|point| *point = view.at(*point));
        } else {
            screen.canvas_mut().fill(embedded_graphics::pixelcolor::Rgb888::new(0x00, 0xb1, 0x40));
        }
        let frame = Frame::new(Default::default(), SIZE.0, SIZE.1, screen.canvas().rgb()).unwrap();
        let words = vec![span(words, Tone::Plain)];
        Box::new(Read { frame, pose, rig, words, somebody, hands })
    }

    /// A kiosk whose screen is half as fine as the desk's, so that pictures stay small.
    fn show(tongue: Tongue, tall: bool) -> (Show, tempfile::TempDir) {
        let root = tempfile::tempdir().unwrap();
        let mut board = Board::named("desk").unwrap();
        let screen = &mut board.screen;
        (screen.width_px, screen.height_px) = (screen.width_px / 2, screen.height_px / 2);
        if tall {
            // The same glass, turned.
            screen.width_mm = screen.width_mm * screen.height_px / screen.width_px;
            (screen.width_px, screen.height_px) = (screen.height_px, screen.width_px);
        }
        let (width, height) = (screen.width_px, screen.height_px);
        let shared = Arc::new(Shared::new(&board, "1.2.3".into(), Crashes::open(root.path())));
        let screen = Screen::with_fonts(width, height, Theme::DARK, Typesetter::fallback_only());
        (Show::with_screen(shared, &board, tongue, screen, Duration::from_secs(20)), root)
    }

    /// Leads a kiosk to a state and draws it.
    fn lead(show: &mut Show, state: State) {
        let at = Duration::from_secs;
        let words = |say: Say| say.in_words(show.tongue).to_owned();
        let (asked, answered, came) = (words(Say::Welcome), words(Say::OneMoment), words(Say::TellStaff));
        show.take(News::Sees(true), at(1));
        show.shared.set_camera_on(true);
        show.step(at(1));
        show.take(News::Said(asked.clone()), at(2));
        show.session.said(show.say(Say::Counter), &answered);
        let taken = match state {
            State::Rest => vec![News::Read(read(true, Hands::Down, ""))],
            State::Watching => vec![News::Read(read(true, Hands::Up, &answered))],
            State::Thinking => vec![News::Read(read(true, Hands::Settling, &answered))],
            State::PleaseRepeat => {
                let perhaps = vec!["TEA".into(), "TIE".into()];
                vec![News::Repeat(perhaps), News::Read(read(true, Hands::Down, ""))]
            }
            State::Signing => vec![
                News::Came(asked.clone()),
                News::Came(came.clone()),
                News::Ready(asked.clone(), Box::new(signing(&asked))),
            ],
            State::OutOfOrder => {
                show.shared.set_camera_on(false);
                show.shared.trouble(Trouble::Camera, Some("it was unplugged; plug it in".into()));
                vec![News::Sees(false)]
            }
        };
        taken.into_iter().for_each(|news| show.take(news, at(3)));
        show.step(at(4));
        show.step(at(4) + Duration::from_millis(500));
        assert_eq!(show.state, state);
        show.draw(true);
    }

    #[test]
    fn each_state_is_shown_in_each_language() {
        for tongue in Tongue::value_variants() {
            let code = tongue.to_possible_value().unwrap();
            for state in State::ALL {
                let (mut show, _root) = show(*tongue, false);
                lead(&mut show, state);
                golden::check(
                    &format!("kiosk-{state:?}-{}", code.get_name()).to_lowercase(),
                    show.screen.canvas(),
                );
            }
        }
    }

    #[test]
    fn a_screen_that_is_higher_than_wide_has_the_counter_below() {
        for state in [State::Signing, State::PleaseRepeat] {
            let (mut show, _root) = show(Tongue::German, true);
            lead(&mut show, state);
            golden::check(&format!("kiosk-{state:?}-tall").to_lowercase(), show.screen.canvas());
        }
    }

    #[test]
    fn whoever_stands_before_it_stops_the_signing_and_changes_its_language() {
        let (mut show, _root) = show(Tongue::Korean, false);
        lead(&mut show, State::Signing);
        let at = |show: &Show| show.playing.as_ref().map(|playing| playing.clock.at_s());
        let mut now = Duration::from_secs(5);
        let mut pass = |show: &mut Show, seconds: u64| {
            now += Duration::from_secs(seconds);
            show.step(now);
        };
        show.press(Press::Tap([0.5, 0.5]));
        pass(&mut show, 1);
        let stopped = at(&show);
        assert!(stopped.is_some());
        pass(&mut show, 100);
        assert_eq!(at(&show), stopped, "it stands");
        show.press(Press::Wish(Wish::Slower));
        show.press(Press::Close);
        pass(&mut show, 250);
        assert_eq!(at(&show), stopped, "somebody was there in the meantime");
        pass(&mut show, 51);
        pass(&mut show, 100);
        assert_eq!(at(&show), None, "nobody came back: it went on to its end");
        show.press(Press::Wish(Wish::Pause));
        show.press(Press::NextLanguage);
        assert_eq!(show.tongue, Tongue::English, "the first follows the last");
    }

    #[test]
    fn nothing_of_a_visit_is_left_when_the_visitor_has_left() {
        let (mut before, _root) = show(Tongue::English, false);
        before.take(News::Sees(true), Duration::from_secs(1));
        before.step(Duration::from_secs(1));
        before.step(Duration::from_secs(2));
        before.draw(true);
        let (mut show, _root) = show(Tongue::English, false);
        lead(&mut show, State::PleaseRepeat);
        show.shared.set_camera_on(false);
        assert!(!show.session.talk.is_empty() && show.read.is_some());
        assert!(show.step(Duration::from_secs(100)), "the visitor has left");
        assert!(show.session.talk.is_empty() && show.session.last.is_none() && show.read.is_none());
        show.step(Duration::from_secs(101));
        show.draw(true);
        assert!(
            show.screen.canvas().rgba() == before.screen.canvas().rgba(),
            "it looks as if nobody had come"
        );
        for who in [crate::kiosk::shared::Forgets::Vision, crate::kiosk::shared::Forgets::Language] {
            assert!(show.shared.is_to_forget(who) && !show.shared.is_to_forget(who));
        }
    }

    #[test]
    fn a_technicians_picture_shows_no_visitor() {
        let (mut show, _root) = show(Tongue::English, false);
        lead(&mut show, State::Watching);
        let key = [0x00, 0xb1, 0x40];
        let wall = |canvas: &[u8], step: usize| canvas.chunks(step).filter(|p| p[..3] == key).count();
        assert!(wall(show.screen.canvas().rgba(), 4) > 1000, "the mirror shows the wall");
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        show.take(News::Shot(answer), Duration::from_secs(5));
        let shot = image::load_from_memory(&answered.recv().unwrap().unwrap()).unwrap().into_rgb8();
        assert_eq!(wall(shot.as_raw(), 3), 0);
        let text = shot.pixels().filter(|p| p.0 == [0xff, 0xff, 0xff]).count();
        assert!(text > 200, "its words are there");
    }

    #[test]
    fn where_nobody_is_seen_the_picture_says_so_before_anything_is_excused() {
        let (mut show, _root) = show(Tongue::English, false);
        lead(&mut show, State::Rest);
        assert!(!show.excuses);
        show.shared.trouble(Trouble::Camera, Some("it was unplugged; plug it in".into()));
        assert!(!show.excuses, "nobody has been told yet");
        show.draw(true);
        assert!(show.excuses);
    }

    /// WCAG 2.2, 2.3.1: whatever happens in whatever order, no more than a quarter of any ten degrees of the field of
    /// view flashes more than three times in a second. Here all of the screen's spots are counted together.
    #[test]
    fn nothing_flashes() {
        const RATE: usize = 30;
        let (mut show, _root) = show(Tongue::English, false);
        let period = Duration::from_secs(1) / RATE as u32;
        let mut course: Vec<Vec<f32>> = Vec::new();
        for tick in 0..4 * RATE {
            let now = Duration::from_secs(1) + period * tick as u32;
            let news = match tick % 6 {
                0 => News::Sees(tick % 12 == 0),
                1 => News::Read(read(true, Hands::Up, "TEA")),
                2 => News::Repeat(vec![]),
                3 => News::Read(read(true, Hands::Down, "")),
                // A text takes its time to be made into signing, or to be given up.
                4 if tick % 24 == 4 => News::Came("TEA".into()),
                5 if tick % 24 == 5 => News::Fails("TEA".into()),
                _ => News::Repeat(vec!["TIE".into()]),
            };
            show.take(news, now);
            show.step(now);
            show.draw(true);
            course.push(spots(show.screen.canvas()));
        }
        let flashing = (0..course[0].len())
            .filter(|spot| flashes_in_a_second(&changes(course.iter().map(|frame| frame[*spot])), RATE) > 3)
            .count();
        let screen = Board::named("desk").unwrap().screen;
        let px_per_mm = show.screen.canvas().width() as f32 / screen.width_mm as f32;
        let field_px = 2.0 * screen.viewing_distance_mm as f32 * 5f32.to_radians().tan() * px_per_mm;
        let most = std::f32::consts::FRAC_PI_4 * field_px * field_px / 4.0;
        assert!(((flashing * 64) as f32) < most, "{flashing} spots flash, of {most} pixels that may");
    }

    /// The mean relative luminance of each spot of 8 × 8 pixels.
    fn spots(canvas: &Canvas) -> Vec<f32> {
        let (width, height) = (canvas.width() as usize / 8, canvas.height() as usize / 8);
        let black = embedded_graphics::pixelcolor::Rgb888::new(0, 0, 0);
        let of = |at: usize| {
            let p = &canvas.rgba()[at..at + 3];
            let color = embedded_graphics::pixelcolor::Rgb888::new(p[0], p[1], p[2]);
            // The contrast with black is the luminance, but for the constant of the formula.
            crate::screen::contrast(color, black) * 0.05 - 0.05
        };
        let spot = |i: usize| {
            let (x, y) = (i % width * 8, i / width * 8);
            let all = (0..64).map(|k| of(((y + k / 8) * canvas.width() as usize + x + k % 8) * 4));
            all.sum::<f32>() / 64.0
        };
        (0..width * height).map(spot).collect()
    }

    /// When a luminance changed by a tenth or more, with the darker side below 0.8, and not as it had changed before:
    /// two such changes are a flash.
    fn changes(course: impl Iterator<Item = f32>) -> Vec<usize> {
        let (mut changes, mut extreme, mut rising) = (Vec::new(), None::<f32>, None::<bool>);
        for (at, light) in course.enumerate() {
            let last = *extreme.get_or_insert(light);
            if (light - last).abs() >= 0.1 && light.min(last) < 0.8 {
                let up = light > last;
                if rising != Some(up) {
                    changes.push(at);
                }
                (rising, extreme) = (Some(up), Some(light));
            } else if rising.is_some_and(|rising| if rising { light > last } else { light < last }) {
                extreme = Some(light);
            }
        }
        changes
    }

    fn flashes_in_a_second(changes: &[usize], rate: usize) -> usize {
        let within = |from: &usize| changes.iter().filter(|at| (*from..*from + rate).contains(at)).count();
        changes.iter().map(within).max().unwrap_or(0) / 2
    }

    #[test]
    fn flashes_are_counted_as_the_standard_counts_them() {
        let blink =
            |period: usize| (0..60).map(move |i| if (i / period).is_multiple_of(2) { 0.0 } else { 1.0 });
        assert_eq!(flashes_in_a_second(&changes(blink(2)), 30), 7);
        assert_eq!(flashes_in_a_second(&changes(blink(5)), 30), 3);
        assert_eq!(flashes_in_a_second(&changes((0..60).map(|i| i as f32 / 60.0)), 30), 0);
        assert!(
            changes((0..60).map(|i| 0.85 + 0.15 * (i % 2) as f32)).is_empty(),
            "bright ones do not count"
        );
    }
}
