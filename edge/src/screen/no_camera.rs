//! What people see while there is no camera: a camera struck through, and plain large words.

use super::{Areas, Caption, Screen, Span, State, Tone};

/// Said in two lines, so that they are large on a narrow screen too.
const WORDS: [&str; 2] = ["No camera.", "Please wait."];

impl Screen {
    /// Says that the camera is gone and waited for.
    pub fn no_camera(&mut self) {
        let areas = Areas::of(&self.canvas);
        self.canvas.fill(self.theme.band);
        let [x, y, w, h] = areas.stage;
        self.struck_camera([x + w / 2.0, y + h * 0.27], h.min(w) * 0.36);
        let lines = WORDS.map(|words| [Span { text: words.into(), tone: Tone::Plain }]);
        let theme = self.theme;
        let mut size = h * 0.2;
        for line in &lines {
            size = size.min(self.text.fit(&theme, line, size, w * 0.9));
        }
        for (line, top) in lines.iter().zip([0.5, 0.74]) {
            let left = x + (w - self.text.width(&theme, line, size)) / 2.0;
            self.text.draw(&mut self.canvas, &theme, line, size, [left, y + h * top, w, h * 0.3]);
        }
        self.bands(&areas, &Caption::default(), State::NoCamera);
    }

    /// A video camera of the width given around a point, with a stroke through it.
    pub(super) fn struck_camera(&mut self, [x, y]: [f32; 2], width: f32) {
        let (theme, unit) = (self.theme, width / 8.0);
        let at = |dx: f32, dy: f32| [x + dx * unit, y + dy * unit];
        let [left, top] = at(-4.0, -2.0);
        self.canvas.round_rectangle([left, top, 5.2 * unit, 4.0 * unit], 0.7 * unit, theme.quiet);
        self.canvas.polygon(&[at(1.6, 0.0), at(4.0, -1.6), at(4.0, 1.6)], theme.quiet);
        let stroke = [at(-3.6, 2.8), at(3.6, -2.8)];
        // A gap on both sides of the stroke, so that it is seen on the camera.
        self.canvas.line(&stroke, 1.5 * unit, theme.band);
        self.canvas.line(&stroke, 0.7 * unit, theme.warn);
    }
}
