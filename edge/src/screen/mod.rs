//! What people see: the signer, captions and state, on one canvas.
//!
//! A [`Screen`] draws whole frames: [`Screen::signing`] for text to sign,
//! [`Screen::reading`] for sign to text. Presenters ([`present`]) take its canvas
//! to a window, to pictures or to a video.

mod canvas;
mod caption;
mod face;
mod figure;
mod hand;
pub mod playback;
pub mod present;
mod signer;
mod theme;

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
    /// The signing has ended and is being read.
    Thinking,
    /// It was not understood.
    PleaseRepeat,
    /// The screen signs.
    Signing,
}

impl State {
    /// The word shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Watching => "watching",
            Self::Thinking => "thinking",
            Self::PleaseRepeat => "please repeat",
            Self::Signing => "signing",
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
}

impl Stance {
    /// The stance of the first pose that shows both shoulders.
    pub fn of<'a>(rig: &Rig, poses: impl IntoIterator<Item = &'a Pose>) -> Option<Self> {
        poses.into_iter().find_map(|pose| {
            let l = rig.joint(pose, Joint::LeftShoulder)?;
            let r = rig.joint(pose, Joint::RightShoulder)?;
            let shoulders = (l[0] - r[0]).hypot(l[1] - r[1]);
            let middle = [(l[0] + r[0]) / 2.0, (l[1] + r[1]) / 2.0];
            (shoulders > 1e-3).then_some(Self { middle, shoulders })
        })
    }
}

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

    /// The canvas, to draw more on it.
    pub fn canvas_mut(&mut self) -> &mut Canvas {
        &mut self.canvas
    }

    /// Draws the signer of one pose with caption and state.
    pub fn signing(&mut self, rig: &Rig, pose: &Pose, stance: Stance, caption: &Caption, state: State) {
        let areas = Areas::of(&self.canvas);
        self.canvas.fill(self.theme.stage);
        let view = View::upper_body(stance.middle, stance.shoulders, areas.stage);
        signer::draw(&mut self.canvas, &self.theme, rig, pose, &view);
        self.bands(&areas, caption, state);
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
        let [x, y, w, h] = areas.stage;
        let scale = (w / picture.width.max(1) as f32).min(h / picture.height.max(1) as f32);
        let (shown_w, shown_h) = (picture.width as f32 * scale, picture.height as f32 * scale);
        let origin = [x + (w - shown_w) / 2.0, y + (h - shown_h) / 2.0];
        let area = [origin[0] as u32, origin[1] as u32, shown_w as u32, shown_h as u32];
        self.canvas.picture(picture.rgb, (picture.width, picture.height), area);
        if let Some((rig, pose)) = landmarks {
            landmarks_over(&mut self.canvas, &self.theme, rig, pose, &View { scale, origin });
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
            State::PleaseRepeat => (theme.warn, Tone::Warn),
            State::Watching | State::Thinking | State::Signing => (theme.mark, Tone::Plain),
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
