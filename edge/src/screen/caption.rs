//! Text on the canvas: captions that wrap, mark the present word and keep it in sight.

use std::collections::{BTreeSet, VecDeque};

use cosmic_text::{
    Attrs, Buffer, Color, Family, FontSystem, Metrics, Shaping, SwashCache, SwashContent, Weight, fontdb,
};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use models::text::clipped;

use super::canvas::Canvas;
use super::theme::Theme;

/// Always there, where the system has no font; see `edge/assets/README.md`.
const FALLBACK_FONT: &[u8] = include_bytes!("../../assets/NotoSans-subset.ttf");
const FALLBACK_FAMILY: &str = "Noto Sans";
/// The Chinese and Korean letters of the kiosk's own words, which has to say what is wrong on any machine.
const OWN_WORDS_FONT: &[u8] = include_bytes!("../../assets/NotoSansCJK-subset.otf");
/// How high a capital letter of the fallback font is, in sizes of the font: `sCapHeight` of its OS/2 table.
pub const CAP_HEIGHT: f32 = 0.714;
/// How far apart lines stand, in sizes of the font.
pub const LINE_HEIGHT: f32 = 1.3;
/// Longest caption that is laid out, in bytes: far more than fits a screen.
const MAX_TEXT: usize = 4096;
/// Layouts that are kept: state, caption and note with their predecessors.
const MAX_LAID_OUT: usize = 8;

/// How a word of a caption is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// As plain text.
    #[default]
    Plain,
    /// Said already, or of less weight.
    Quiet,
    /// Marked: it is being signed now.
    Current,
    /// Not found, or unsure.
    Warn,
}

/// A word of a caption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The text, with the blanks that follow it.
    pub text: String,
    /// How it is shown.
    pub tone: Tone,
}

impl Span {
    /// A word that is shown so.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

/// What the caption band shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caption {
    /// The sentence, in large letters.
    pub words: Vec<Span>,
    /// A smaller line below it: how the present word is signed, what was not found.
    pub note: Vec<Span>,
    /// Whether the leading hand is shown enlarged: for spelling.
    pub close_up: bool,
}

impl Caption {
    /// A caption of plain text.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { words: vec![Span { text: text.into(), tone: Tone::Plain }], ..Self::default() }
    }
}

/// Lays out and draws text. It keeps fonts and glyphs, so one serves for all frames.
pub struct Typesetter {
    fonts: FontSystem,
    glyphs: SwashCache,
    /// Texts laid out lately: captions stay for many frames.
    laid_out: VecDeque<(Key, Buffer)>,
    /// Of which letters no font has all, by their code points without the last two digits.
    lacking: BTreeSet<u32>,
}

/// What a layout depends on: spans, size and width in bits, colour of plain text.
type Key = (Vec<Span>, u32, u32, [Rgb888; 4]);

impl std::fmt::Debug for Typesetter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Typesetter").finish_non_exhaustive()
    }
}

impl Typesetter {
    /// With the system's fonts for the scripts that the fallback font lacks.
    pub fn new() -> Self {
        let mut db = fontdb::Database::new();
        db.load_font_data(FALLBACK_FONT.to_vec());
        db.load_system_fonts();
        // Last: it has the name of a font that has all letters of its scripts, which is to be found first.
        db.load_font_data(OWN_WORDS_FONT.to_vec());
        Self::over(db)
    }

    /// With the fonts that ship only: the same picture on every machine.
    pub fn fallback_only() -> Self {
        let mut db = fontdb::Database::new();
        for font in [FALLBACK_FONT, OWN_WORDS_FONT] {
            db.load_font_data(font.to_vec());
        }
        Self::over(db)
    }

    fn over(mut db: fontdb::Database) -> Self {
        db.set_sans_serif_family(FALLBACK_FAMILY);
        Self {
            fonts: FontSystem::new_with_locale_and_db("en".into(), db),
            glyphs: SwashCache::new(),
            laid_out: VecDeque::new(),
            lacking: BTreeSet::new(),
        }
    }

    /// Draws spans of text in the rectangle `[x, y, width, height]`, at `size_px`.
    ///
    /// Text that is too long scrolls so that the current word is in sight.
    pub fn draw(
        &mut self,
        canvas: &mut Canvas,
        theme: &Theme,
        spans: &[Span],
        size_px: f32,
        [x, y, width, height]: [f32; 4],
    ) {
        if spans.is_empty() || width < size_px || height < size_px {
            return;
        }
        let (key, buffer) = self.take(theme, spans, size_px, width);
        self.paint(canvas, theme, spans, &buffer, size_px, [x, y, height]);
        self.keep(key, buffer);
    }

    fn paint(
        &mut self,
        canvas: &mut Canvas,
        theme: &Theme,
        spans: &[Span],
        buffer: &Buffer,
        size_px: f32,
        [x, y, height]: [f32; 3],
    ) {
        let line_height = buffer.metrics().line_height;
        let lines = buffer.layout_runs().count();
        let room = ((height / line_height) as usize).max(1);
        let is_current = |metadata: usize| spans.get(metadata).is_some_and(|s| s.tone == Tone::Current);
        let current = buffer
            .layout_runs()
            .position(|run| run.glyphs.iter().any(|g| is_current(g.metadata)))
            .unwrap_or(0);
        // The current line stands second from below where there is more to come.
        let first = (current + 2).saturating_sub(room).min(lines.saturating_sub(room));
        for run in buffer.layout_runs().skip(first).take(room) {
            let top = y + run.line_top - first as f32 * line_height;
            let marked = run.glyphs.iter().filter(|g| is_current(g.metadata) && !blank(run.text, g));
            let ends = marked.fold(None, |ends: Option<(f32, f32)>, g| {
                let (from, to) = ends.unwrap_or((f32::MAX, f32::MIN));
                Some((from.min(g.x), to.max(g.x + g.w)))
            });
            if let Some((from, to)) = ends {
                let pad = size_px * 0.14;
                let mark = [x + from - pad, top + pad * 0.4, to - from + 2.0 * pad, line_height - 0.8 * pad];
                canvas.round_rectangle(mark, size_px * 0.18, theme.mark);
            }
            for glyph in run.glyphs {
                let baseline = top + (run.line_y - run.line_top);
                let physical = glyph.physical((x, baseline), 1.0);
                let color = glyph.color_opt.map_or(theme.text, |c| Rgb888::new(c.r(), c.g(), c.b()));
                self.glyph(canvas, physical, color);
            }
        }
    }

    /// The size in pixels at which a one-line text fits `width`, at most `size_px`.
    pub fn fit(&mut self, theme: &Theme, spans: &[Span], size_px: f32, width: f32) -> f32 {
        let widest = self.width(theme, spans, size_px);
        if widest > width { size_px * width / widest } else { size_px }
    }

    /// The width in pixels of a one-line text.
    pub fn width(&mut self, theme: &Theme, spans: &[Span], size_px: f32) -> f32 {
        let (key, buffer) = self.take(theme, spans, size_px, f32::MAX);
        let widest = buffer.layout_runs().map(|run| run.line_w).fold(0.0, f32::max);
        self.keep(key, buffer);
        widest
    }

    /// The height in pixels of a text in lines of the width given.
    pub fn height(&mut self, theme: &Theme, spans: &[Span], size_px: f32, width: f32) -> f32 {
        let (key, buffer) = self.take(theme, spans, size_px, width);
        let lines = buffer.layout_runs().count();
        self.keep(key, buffer);
        lines as f32 * size_px * LINE_HEIGHT
    }

    /// Forgets all texts that were drawn.
    pub fn forget(&mut self) {
        self.laid_out.clear();
    }

    /// The layout of a text, as it was kept or made anew; [`Self::keep`] gives it back.
    fn take(&mut self, theme: &Theme, spans: &[Span], size_px: f32, width: f32) -> (Key, Buffer) {
        let colors = [theme.text, theme.quiet, theme.on_mark, theme.warn];
        let key = (spans.to_vec(), size_px.to_bits(), width.to_bits(), colors);
        let kept = self.laid_out.iter().position(|(k, _)| *k == key);
        match kept.and_then(|i| self.laid_out.remove(i)) {
            Some(kept) => kept,
            None => (key, self.lay_out(theme, spans, size_px, width)),
        }
    }

    fn keep(&mut self, key: Key, buffer: Buffer) {
        self.laid_out.truncate(MAX_LAID_OUT - 1);
        self.laid_out.push_front((key, buffer));
    }

    fn lay_out(&mut self, theme: &Theme, spans: &[Span], size_px: f32, width: f32) -> Buffer {
        let mut buffer = Buffer::new(&mut self.fonts, Metrics::new(size_px, size_px * LINE_HEIGHT));
        let mut left = MAX_TEXT;
        let base = Attrs::new().family(Family::Name(FALLBACK_FAMILY)).weight(Weight::NORMAL);
        let texts: Vec<(&str, Attrs)> = spans
            .iter()
            .enumerate()
            .map(|(i, span)| {
                let text = clipped(&span.text, left);
                left -= text.len();
                (text, base.clone().color(tone_color(theme, span.tone)).metadata(i))
            })
            .collect();
        let mut buffer_with_fonts = buffer.borrow_with(&mut self.fonts);
        buffer_with_fonts.set_size(Some(width), None);
        buffer_with_fonts.set_rich_text(texts, &base, Shaping::Advanced, None);
        buffer_with_fonts.shape_until_scroll(false);
        self.tell_lacking(&buffer);
        buffer
    }

    /// Says once of which letters no font has all. The letters themselves are what people say, and no matter of a log.
    fn tell_lacking(&mut self, buffer: &Buffer) {
        /// What a font shows in the place of what it has not.
        const NOT_THERE: u16 = 0;
        for run in buffer.layout_runs() {
            let lacking = run.glyphs.iter().filter(|glyph| glyph.glyph_id == NOT_THERE);
            let letters =
                lacking.filter_map(|glyph| run.text.get(glyph.start..glyph.end)).flat_map(str::chars);
            for letter in letters.filter(|letter| !letter.is_whitespace() && !letter.is_control()) {
                let page = u32::from(letter) >> 8;
                if self.lacking.insert(page) {
                    let [from, to] = [page << 8, page << 8 | 0xff].map(|code| format!("U+{code:04X}"));
                    journal::warn!(
                        "no font here has all letters from {} to {}, so some are not shown; install one, as fonts-noto-cjk for Chinese",
                        from.as_str(),
                        to.as_str()
                    );
                }
            }
        }
    }

    fn glyph(&mut self, canvas: &mut Canvas, physical: cosmic_text::PhysicalGlyph, color: Rgb888) {
        let Some(image) = self.glyphs.get_image(&mut self.fonts, physical.cache_key) else {
            return;
        };
        let (left, top) = (physical.x + image.placement.left, physical.y - image.placement.top);
        let width = image.placement.width.max(1) as usize;
        match image.content {
            SwashContent::Mask => {
                for (i, &alpha) in image.data.iter().enumerate() {
                    canvas.blend(left + (i % width) as i32, top + (i / width) as i32, color, alpha);
                }
            }
            // Colour emoji, where the system has a font for them.
            SwashContent::Color | SwashContent::SubpixelMask => {
                for (i, p) in image.data.chunks_exact(4).enumerate() {
                    let own = Rgb888::new(p[0], p[1], p[2]);
                    canvas.blend(left + (i % width) as i32, top + (i / width) as i32, own, p[3]);
                }
            }
        }
    }
}

impl Default for Typesetter {
    fn default() -> Self {
        Self::new()
    }
}

fn blank(text: &str, glyph: &cosmic_text::LayoutGlyph) -> bool {
    text.get(glyph.start..glyph.end).is_none_or(|t| t.trim().is_empty())
}

fn tone_color(theme: &Theme, tone: Tone) -> Color {
    let c = match tone {
        Tone::Plain => theme.text,
        Tone::Quiet => theme.quiet,
        Tone::Current => theme.on_mark,
        Tone::Warn => theme.warn,
    };
    Color::rgb(c.r(), c.g(), c.b())
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    fn span(text: &str, tone: Tone) -> Span {
        Span { text: text.into(), tone }
    }

    fn drawn(spans: &[Span], area: [f32; 4]) -> Canvas {
        let mut canvas = Canvas::new(400, 100);
        Typesetter::fallback_only().draw(&mut canvas, &Theme::DARK, spans, 24.0, area);
        canvas
    }

    fn count(canvas: &Canvas, color: Rgb888) -> usize {
        canvas.rgba().chunks(4).filter(|p| p[..3] == [color.r(), color.g(), color.b()]).count()
    }

    #[track_caller]
    fn check_has_glyphs(text: &str) {
        let canvas = drawn(&[span(text, Tone::Plain)], [0.0, 0.0, 400.0, 100.0]);
        assert!(count(&canvas, Theme::DARK.text) > 20, "{text:?} was not drawn");
    }

    #[test]
    fn letters_that_no_font_has_are_noted() {
        let mut text = Typesetter::fallback_only();
        text.width(&Theme::DARK, &[Span::new("Łódź, 2\u{a0}€ їжак\n", Tone::Plain)], 20.0);
        assert!(text.lacking.is_empty(), "{:x?}", text.lacking);
        text.width(&Theme::DARK, &[Span::new("a 龘 b", Tone::Plain)], 20.0);
        assert_eq!(text.lacking, [0x9f].into());
    }

    #[test]
    fn the_fallback_font_has_latin_greek_and_cyrillic() {
        check_has_glyphs("Straße, łódź, ñ");
        check_has_glyphs("Καλημέρα");
        check_has_glyphs("Ґанок, їжак");
    }

    #[test]
    fn what_the_kiosk_says_is_drawn_with_the_fonts_that_ship() {
        let mut text = Typesetter::fallback_only();
        for say in crate::kiosk::words::Say::ALL {
            for tongue in crate::kiosk::words::Tongue::value_variants() {
                let words = [span(say.in_words(*tongue), Tone::Plain)];
                let (_, buffer) = text.take(&Theme::DARK, &words, 24.0, f32::MAX);
                // Glyph 0 is the box that stands for a letter that no font has.
                let lacks = buffer.layout_runs().flat_map(|run| run.glyphs).any(|glyph| glyph.glyph_id == 0);
                assert!(!lacks, "run edge/assets/cjk.py: a letter of {words:?} is not in the font");
            }
        }
    }

    #[test]
    fn the_current_word_is_marked() {
        let plain = drawn(&[span("one two", Tone::Plain)], [0.0, 0.0, 400.0, 100.0]);
        assert_eq!(count(&plain, Theme::DARK.mark), 0);
        let marked =
            drawn(&[span("one ", Tone::Plain), span("two", Tone::Current)], [0.0, 0.0, 400.0, 100.0]);
        assert!(count(&marked, Theme::DARK.mark) > 300);
    }

    #[test]
    fn long_text_scrolls_to_the_current_word() {
        let mut spans = vec![span("word ", Tone::Plain); 200];
        spans.push(span("last", Tone::Current));
        let canvas = drawn(&spans, [0.0, 0.0, 400.0, 70.0]);
        assert!(count(&canvas, Theme::DARK.mark) > 300);
    }

    #[test]
    fn nothing_is_drawn_where_there_is_no_room_and_huge_text_is_cut() {
        let canvas = drawn(&[span("word", Tone::Plain)], [0.0, 0.0, 10.0, 5.0]);
        assert_eq!(count(&canvas, Theme::DARK.text), 0);
        assert_eq!(clipped("aé", 2), "a");
        drawn(&[span(&"ж".repeat(100_000), Tone::Plain)], [0.0, 0.0, 400.0, 100.0]);
    }
}
