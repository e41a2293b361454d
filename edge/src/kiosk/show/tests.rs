//! The kiosk's screen: what it shows in each state, that it forgets, and that nothing flashes.

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
    let words = vec![Span::new(words, Tone::Plain)];
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
    show.session.said(Say::Counter, &answered);
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
    assert!(show.screen.canvas().rgba() == before.screen.canvas().rgba(), "it looks as if nobody had come");
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
    let blink = |period: usize| (0..60).map(move |i| if (i / period).is_multiple_of(2) { 0.0 } else { 1.0 });
    assert_eq!(flashes_in_a_second(&changes(blink(2)), 30), 7);
    assert_eq!(flashes_in_a_second(&changes(blink(5)), 30), 3);
    assert_eq!(flashes_in_a_second(&changes((0..60).map(|i| i as f32 / 60.0)), 30), 0);
    assert!(changes((0..60).map(|i| 0.85 + 0.15 * (i % 2) as f32)).is_empty(), "bright ones do not count");
}
