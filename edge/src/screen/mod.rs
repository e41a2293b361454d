//! What people see: the signer, captions and state, on one canvas.
//!
//! A [`Screen`] draws whole frames: [`Screen::signing`] for text to sign,
//! [`Screen::reading`] for sign to text. Presenters ([`present`]) take its canvas
//! to a window, to pictures or to a video.

mod canvas;
mod caption;
pub mod clock;
pub mod counter;
mod face;
pub mod feed_show;
mod figure;
#[cfg(test)]
pub(crate) mod golden;
mod hand;
mod no_camera;
pub mod playback;
pub mod present;
pub mod press;
mod signer;
mod theme;

use embedded_graphics::pixelcolor::Rgb888;
use models::pose::Pose;

pub use canvas::{Canvas, MAX_SIDE_PX};
pub use caption::{Caption, Span, Tone, Typesetter};
pub use figure::{Joint, Rig, View};
pub use theme::{Theme, contrast};

/// What the unit is doing, in the words that it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody signs and nothing is asked.
    Ready,
    /// Somebody signs.
    Watching,
    /// It was not understood.
    PleaseRepeat,
    /// The screen signs.
    Signing,
    /// The camera is gone, and waited for.
    NoCamera,
}

impl State {
    /// The word shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Watching => "watching",
            Self::PleaseRepeat => "please repeat",
            Self::Signing => "signing",
            Self::NoCamera => "no camera",
        }
    }
}

/// Where a signer stands, so that the view of a whole track is one and the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stance {
    /// Middle of the shoulders, in the pose's coordinates.
    pub middle: [f32; 2],
    /// Width of the shoulders, in the pose's coordinates.
    pub shoulders: f32,
    /// How far below the shoulders the signing reaches, in shoulder widths.
    pub below: f32,
}

impl Stance {
    /// Where the picture ends where nothing is signed farther down, in shoulder widths.
    pub const WAIST: f32 = 1.0;

    /// The stance of the first pose that shows both shoulders.
    pub fn of<'a>(rig: &Rig, poses: impl IntoIterator<Item = &'a Pose>) -> Option<Self> {
        poses.into_iter().find_map(|pose| {
            let l = rig.joint(pose, Joint::LeftShoulder)?;
            let r = rig.joint(pose, Joint::RightShoulder)?;
            let shoulders = (l[0] - r[0]).hypot(l[1] - r[1]);
            let middle = [(l[0] + r[0]) / 2.0, (l[1] + r[1]) / 2.0];
            (shoulders > 1e-3).then_some(Self { middle, shoulders, below: Self::WAIST })
        })
    }

    /// Where no shoulders are known: the picture of the size given, as it lies.
    pub fn of_picture([width, height, _]: [u32; 3]) -> Self {
        let [w, h] = [width as f32, height as f32];
        Self { middle: [w / 2.0, h / 2.0], shoulders: (h / 2.0).max(1.0), below: Self::WAIST }
    }
}

/// What is played to a viewer, and goes on by itself.
pub trait Show {
    /// Lets time pass, in seconds.
    fn pass(&mut self, seconds: f32);

    /// Does what the viewer asks for.
    fn wish(&mut self, wish: clock::Wish);

    /// Draws the present moment.
    fn draw(&self, screen: &mut Screen);

    /// How long until it is worth drawing again, in seconds.
    fn wait_s(&self) -> f32;
}

/// What lies behind a signer who is laid over other pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backdrop {
    /// Nothing: the signer's edges are mixed with nothing either.
    Transparent,
    /// The green that studios take out.
    Green,
}

/// Chroma-key green.
const KEY_GREEN: Rgb888 = Rgb888::new(0x00, 0xb1, 0x40);

/// A picture from the camera or a file: R, G, B, row by row.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    /// `[height × width × 3]`
    pub rgb: &'a [u8],
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

impl Picture<'_> {
    /// As large as it fits whole into a rectangle and in its middle: how places of the picture lie then, and the
    /// rectangle that it fills. Rectangles are `[x, y, width, height]` in pixels.
    fn fitted(&self, [x, y, w, h]: [f32; 4]) -> (View, [f32; 4]) {
        let scale = (w / self.width.max(1) as f32).min(h / self.height.max(1) as f32);
        let (wide, tall) = (self.width as f32 * scale, self.height as f32 * scale);
        let origin = [x + (w - wide) / 2.0, y + (h - tall) / 2.0];
        (View { scale, origin }, [origin[0], origin[1], wide, tall])
    }
}

/// Draws whole frames on a canvas that it owns.
#[derive(Debug)]
pub struct Screen {
    canvas: Canvas,
    text: Typesetter,
    theme: Theme,
}

impl Screen {
    /// A screen of the size given, in pixels.
    pub fn new(width: u32, height: u32, theme: Theme) -> Self {
        Self::with_fonts(width, height, theme, Typesetter::new())
    }

    /// The same with fonts that the caller chose.
    pub fn with_fonts(width: u32, height: u32, theme: Theme, text: Typesetter) -> Self {
        Self { canvas: Canvas::new(width, height), text, theme }
    }

    /// The frame drawn last.
    pub fn canvas(&self) -> &Canvas {
        &self.canvas
    }

    /// Forgets what was shown: the picture, and the texts that are kept to be drawn again.
    pub fn forget(&mut self) {
        self.canvas.fill(self.theme.band);
        self.text.forget();
    }

    /// The canvas, to draw more on it.
    pub fn canvas_mut(&mut self) -> &mut Canvas {
        &mut self.canvas
    }

    /// Draws the signer of one pose with caption and state.
    ///
    /// A caption that asks for it shows the leading hand once more, enlarged, where there is room.
    pub fn signing(&mut self, rig: &Rig, pose: &Pose, stance: Stance, caption: &Caption, state: State) {
        let areas = Areas::of(&self.canvas);
        self.canvas.fill(self.theme.stage);
        let view = View::upper_body(&stance, areas.stage);
        signer::draw(&mut self.canvas, &self.theme, rig, pose, &view);
        if caption.close_up
            && let Some(area) = areas.close_up()
        {
            signer::close_up(&mut self.canvas, &self.theme, rig, pose, &view, area);
        }
        self.bands(&areas, caption, state);
    }

    /// Draws the signer of one pose alone, over all of the canvas.
    pub fn signer_over(&mut self, rig: &Rig, pose: &Pose, stance: Stance, backdrop: Backdrop) {
        match backdrop {
            Backdrop::Transparent => self.canvas.make_transparent(),
            Backdrop::Green => self.canvas.fill(KEY_GREEN),
        }
        let all = [0.0, 0.0, self.canvas.width() as f32, self.canvas.height() as f32];
        signer::draw(&mut self.canvas, &self.theme, rig, pose, &View::upper_body(&stance, all));
    }

    /// Draws a camera's picture with the landmarks found in it, caption and state.
    ///
    /// Poses are in pixels of the picture. Nothing is mirrored here.
    pub fn reading(
        &mut self,
        picture: Picture,
        landmarks: Option<(&Rig, &Pose)>,
        caption: &Caption,
        state: State,
    ) {
        let areas = Areas::of(&self.canvas);
        self.canvas.fill(self.theme.band);
        let (view, area) = picture.fitted(areas.stage);
        self.canvas.picture(picture.rgb, (picture.width, picture.height), area.map(|side| side as u32));
        if let Some((rig, pose)) = landmarks {
            landmarks_over(&mut self.canvas, &self.theme, rig, pose, &view);
        }
        self.bands(&areas, caption, state);
    }

    /// The state line above and the caption band below.
    fn bands(&mut self, areas: &Areas, caption: &Caption, state: State) {
        let theme = self.theme;
        for [x, y, w, h] in [areas.state, areas.caption] {
            self.canvas.rectangle(x, y, w, h, theme.band);
        }
        let [x, y, w, h] = areas.state;
        let dot = h * 0.2;
        let (dot_color, tone) = match state {
            State::Ready => (theme.quiet, Tone::Quiet),
            State::PleaseRepeat | State::NoCamera => (theme.warn, Tone::Warn),
            State::Watching | State::Signing => (theme.mark, Tone::Plain),
        };
        self.canvas.disc([x + h * 0.6, y + h / 2.0], dot, dot_color);
        let label = [Span { text: state.word().into(), tone }];
        let size = h * 0.55;
        self.text.draw(&mut self.canvas, &theme, &label, size, [x + h, y + h * 0.12, w - h, h]);

        let [x, y, w, h] = areas.caption;
        let pad = h * 0.09;
        let note_height = if caption.note.is_empty() { 0.0 } else { h * 0.3 };
        let size = h * 0.27;
        let inner = [x + 2.0 * pad, y + pad, w - 4.0 * pad, h - 1.5 * pad - note_height];
        self.text.draw(&mut self.canvas, &theme, &caption.words, size, inner);
        if !caption.note.is_empty() {
            let note = [inner[0], y + h - note_height, inner[2], note_height];
            let size = self.text.fit(&theme, &caption.note, h * 0.18, inner[2]);
            self.text.draw(&mut self.canvas, &theme, &caption.note, size, note);
        }
    }
}

/// Where things stand, for any size of canvas: `[x, y, width, height]` each.
struct Areas {
    state: [f32; 4],
    stage: [f32; 4],
    caption: [f32; 4],
}

impl Areas {
    fn of(canvas: &Canvas) -> Self {
        let (w, h) = (canvas.width() as f32, canvas.height() as f32);
        let state = (h * 0.06).round();
        let caption = (h * 0.22).round();
        Self {
            state: [0.0, 0.0, w, state],
            stage: [0.0, state, w, h - state - caption],
            caption: [0.0, h - caption, w, caption],
        }
    }

    /// Room for the enlarged hand beside the signer, on the signer's left; none on narrow screens.
    fn close_up(&self) -> Option<[f32; 4]> {
        let [x, y, w, h] = self.stage;
        let margin = h * 0.04;
        let side = ((w - h) / 2.0 - 2.0 * margin).min(h * 0.62);
        (side >= h * 0.3).then_some([x + w - side - margin, y + margin, side, side])
    }
}

/// Landmarks as thin lines, so that a person sees what the unit saw.
fn landmarks_over(canvas: &mut Canvas, theme: &Theme, rig: &Rig, pose: &Pose, view: &View) {
    const HAND_LINES: [[usize; 5]; 5] =
        [[0, 1, 2, 3, 4], [0, 5, 6, 7, 8], [5, 9, 10, 11, 12], [9, 13, 14, 15, 16], [0, 17, 18, 19, 20]];
    let flat = |p: [f32; 3]| {
        let p = view.at(p);
        [p[0], p[1]]
    };
    let width = (canvas.height() as f32 / 260.0).max(1.5);
    let arms = [
        [Joint::LeftShoulder, Joint::LeftElbow, Joint::LeftWrist],
        [Joint::RightShoulder, Joint::RightElbow, Joint::RightWrist],
    ];
    let mut lines: Vec<Vec<[f32; 2]>> = Vec::new();
    for arm in arms {
        lines.push(arm.iter().map_while(|&j| rig.joint(pose, j)).map(flat).collect());
    }
    for hand in (0..2).filter_map(|side| rig.hand(pose, side)) {
        lines.extend(HAND_LINES.iter().map(|line| line.iter().map(|&k| flat(hand[k])).collect()));
    }
    for (line_width, color) in [(2.2 * width, theme.line), (width, theme.mark)] {
        for line in lines.iter().filter(|l| l.len() > 1) {
            canvas.line(line, line_width, color);
        }
    }
}

#[cfg(test)]
mod tests {
    use models::pose::Known;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::golden::check as check_golden;
    use super::*;

    /// A right hand that makes an L with its palm to the viewer, in palm lengths from the wrist.
    const L_SHAPE: [[f32; 3]; 21] = [
        [0.0, 0.0, 0.0],
        [0.35, -0.15, -0.1],
        [0.65, -0.4, -0.15],
        [0.95, -0.5, -0.2],
        [1.2, -0.55, -0.2],
        [0.35, -0.95, 0.0],
        [0.4, -1.45, -0.02],
        [0.42, -1.8, -0.02],
        [0.44, -2.05, -0.02],
        [0.1, -1.0, 0.0],
        [0.12, -1.3, -0.35],
        [0.1, -0.95, -0.45],
        [0.08, -0.7, -0.35],
        [-0.12, -0.95, 0.0],
        [-0.12, -1.2, -0.33],
        [-0.12, -0.85, -0.42],
        [-0.12, -0.65, -0.3],
        [-0.33, -0.85, 0.0],
        [-0.35, -1.05, -0.25],
        [-0.33, -0.8, -0.32],
        [-0.31, -0.65, -0.25],
    ];

    /// A signer with the right hand raised, with or without a face of ellipses.
    fn signer(with_face: bool) -> (Rig, Pose) {
        let layout = Known::Holistic586.layout();
        let mut pose = Pose::unseen(layout.len());
        let mut put = |component: &str, point: &str, at: [f32; 3]| {
            let k = layout.index(component, point).unwrap();
            pose.points[k] = at;
            pose.confidence[k] = 1.0;
        };
        for (name, at) in [
            ("NOSE", [500.0, 230.0, -60.0]),
            ("LEFT_EYE", [524.0, 205.0, -50.0]),
            ("RIGHT_EYE", [476.0, 205.0, -50.0]),
            ("LEFT_EAR", [557.0, 215.0, 0.0]),
            ("RIGHT_EAR", [443.0, 215.0, 0.0]),
            ("MOUTH_LEFT", [520.0, 258.0, -50.0]),
            ("MOUTH_RIGHT", [480.0, 258.0, -50.0]),
            ("LEFT_SHOULDER", [650.0, 400.0, 0.0]),
            ("RIGHT_SHOULDER", [350.0, 400.0, 0.0]),
            ("LEFT_ELBOW", [705.0, 640.0, 0.0]),
            ("RIGHT_ELBOW", [290.0, 610.0, 0.0]),
            ("LEFT_WRIST", [700.0, 850.0, 0.0]),
            ("RIGHT_WRIST", [330.0, 430.0, -80.0]),
            ("LEFT_HIP", [590.0, 820.0, 0.0]),
            ("RIGHT_HIP", [410.0, 820.0, 0.0]),
        ] {
            put("POSE_LANDMARKS", name, at);
        }
        let hand = layout.components.iter().find(|c| c.name == "RIGHT_HAND_LANDMARKS").unwrap();
        for (name, p) in hand.points.iter().zip(L_SHAPE) {
            put(&hand.name, name, [330.0 + 84.0 * p[0], 430.0 + 84.0 * p[1], 84.0 * p[2]]);
        }
        if with_face {
            for (numbers, center, rx, ry) in face::test_curves() {
                for (i, n) in numbers.iter().enumerate() {
                    let angle = std::f32::consts::TAU * i as f32 / numbers.len() as f32;
                    let at = [center[0] + rx * angle.sin(), center[1] - ry * angle.cos(), -50.0];
                    put("FACE_LANDMARKS", &n.to_string(), at);
                }
            }
        }
        (Rig::of(&layout), pose)
    }

    fn screen(width: u32, height: u32) -> Screen {
        Screen::with_fonts(width, height, Theme::DARK, Typesetter::fallback_only())
    }

    fn caption() -> Caption {
        let span = |text: &str, tone| Span { text: text.into(), tone };
        Caption {
            words: vec![
                span("Hallo ", Tone::Quiet),
                span("Łódź", Tone::Current),
                span(" їжак!", Tone::Plain),
            ],
            note: vec![span("spelled   ", Tone::Quiet), span("L", Tone::Current)],
            close_up: true,
        }
    }

    #[test]
    fn a_signer_with_a_face_and_an_enlarged_hand() {
        let (rig, pose) = signer(true);
        let mut screen = screen(480, 300);
        let stance = Stance::of(&rig, [&pose]).unwrap();
        screen.signing(&rig, &pose, stance, &caption(), State::Signing);
        check_golden("signer-face", screen.canvas());
    }

    #[test]
    fn a_signer_without_a_face_on_a_narrow_screen() {
        let (rig, pose) = signer(false);
        let mut screen = screen(240, 240);
        let stance = Stance::of(&rig, [&pose]).unwrap();
        screen.signing(&rig, &pose, stance, &caption(), State::PleaseRepeat);
        check_golden("signer-plain", screen.canvas());
    }

    #[test]
    fn a_picture_that_is_read_shows_its_landmarks() {
        let (rig, pose) = signer(false);
        let rgb: Vec<u8> = (0..100u32 * 100).flat_map(|i| [(i % 100) as u8, (i / 100) as u8, 90]).collect();
        let small = Pose {
            points: pose.points.iter().map(|p| p.map(|v| v / 10.0)).collect(),
            confidence: pose.confidence.clone(),
        };
        let mut screen = screen(320, 200);
        let picture = Picture { rgb: &rgb, width: 100, height: 100 };
        screen.reading(picture, Some((&rig, &small)), &Caption::plain("THANK YOU"), State::Watching);
        check_golden("reading", screen.canvas());
    }

    #[test]
    fn a_missing_camera_is_said_in_large_words_and_shown() {
        for (name, width, height) in [("no-camera", 320, 200), ("no-camera-tall", 160, 240)] {
            let mut screen = screen(width, height);
            screen.no_camera();
            check_golden(name, screen.canvas());
        }
    }

    #[test]
    fn poses_from_outside_draw_or_do_not_and_never_panic() {
        let (rig, pose) = signer(true);
        let mut screen = screen(160, 160);
        let mut random = StdRng::seed_from_u64(7);
        let odd = [f32::NAN, f32::INFINITY, -1e30, 1e30, 1e6, 0.0, -0.0, 1e-30];
        for _ in 0..2000 {
            let mut pose = pose.clone();
            for _ in 0..random.random_range(1..200) {
                let k = random.random_range(0..pose.points.len());
                pose.points[k][random.random_range(0..3)] = odd[random.random_range(0..odd.len())];
                pose.confidence[k] = [0.0, 1.0, f32::NAN][random.random_range(0..3)];
            }
            let stance = Stance::of(&rig, [&pose]).unwrap_or(Stance {
                middle: [0.0; 2],
                shoulders: 1.0,
                below: f32::NAN,
            });
            screen.signing(&rig, &pose, stance, &caption(), State::Signing);
            let picture = Picture { rgb: &[0; 12], width: 2, height: 2 };
            screen.reading(picture, Some((&rig, &pose)), &Caption::default(), State::Watching);
        }
        // A layout that lacks everything, and a pose shorter than its layout.
        let empty = Rig::of(&models::pose::Layout::default());
        let stance = Stance { middle: [0.0; 2], shoulders: 0.0, below: 1.0 };
        screen.signing(&empty, &Pose::unseen(0), stance, &Caption::default(), State::Ready);
        screen.signing(&rig, &Pose::unseen(3), stance, &Caption::default(), State::Ready);
    }

    /// `cargo test --workspace --lib -- --ignored --nocapture a_frame_is_drawn` prints the figure.
    #[test]
    #[ignore = "measures this machine"]
    fn a_frame_is_drawn_within_a_period_of_sixty() {
        let (rig, pose) = signer(true);
        let stance = Stance::of(&rig, [&pose]).unwrap();
        let mut screen = screen(1280, 800);
        for (what, caption) in
            [("without text", Caption::default()), ("with text and enlarged hand", caption())]
        {
            let mut times: Vec<f64> = (0..200)
                .map(|_| {
                    let start = std::time::Instant::now();
                    screen.signing(&rig, &pose, stance, &caption, State::Signing);
                    start.elapsed().as_secs_f64() * 1e3
                })
                .collect();
            times.sort_by(f64::total_cmp);
            println!("{what}: best {:.2} ms, median {:.2} ms", times[0], times[100]);
            assert!(times[100] < 16.7);
        }
    }
}
