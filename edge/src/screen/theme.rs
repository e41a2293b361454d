//! Colours, chosen so that text and hands stand out (WCAG 2.2 contrast ratios).

use embedded_graphics::pixelcolor::{Rgb888, RgbColor};

/// The colours of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Behind the signer.
    pub stage: Rgb888,
    /// Behind captions and state.
    pub band: Rgb888,
    /// Text of captions.
    pub text: Rgb888,
    /// Text of less weight: words done, notes.
    pub quiet: Rgb888,
    /// Behind the word that is being signed.
    pub mark: Rgb888,
    /// Text on `mark`.
    pub on_mark: Rgb888,
    /// Words that could not be signed, or that the reader is unsure of.
    pub warn: Rgb888,
    /// Skin that faces the viewer: palms, face.
    pub skin: Rgb888,
    /// Skin that faces away: backs of hands.
    pub skin_back: Rgb888,
    /// The thumb, a little apart from the fingers so that its place is seen.
    pub thumb: Rgb888,
    /// Nails.
    pub nail: Rgb888,
    /// Lines between fingers and around hands.
    pub line: Rgb888,
    /// The shirt, plain and dark, as interpreters wear it.
    pub shirt: Rgb888,
    /// Edges of the shirt.
    pub shirt_line: Rgb888,
    /// Hair and brows.
    pub hair: Rgb888,
    /// Lips.
    pub lip: Rgb888,
    /// Inside of the mouth.
    pub mouth: Rgb888,
    /// White of the eye.
    pub eye: Rgb888,
}

impl Theme {
    /// Dark bands, for halls.
    pub const DARK: Self = Self {
        stage: Rgb888::new(0x9f, 0xb4, 0xc4),
        band: Rgb888::new(0x10, 0x18, 0x20),
        text: Rgb888::new(0xff, 0xff, 0xff),
        quiet: Rgb888::new(0xb8, 0xc4, 0xcf),
        mark: Rgb888::new(0xff, 0xd2, 0x3f),
        on_mark: Rgb888::new(0x10, 0x18, 0x20),
        warn: Rgb888::new(0xff, 0xa0, 0x7a),
        skin: Rgb888::new(0xf2, 0xc9, 0xa5),
        skin_back: Rgb888::new(0xe0, 0xae, 0x86),
        thumb: Rgb888::new(0xf7, 0xb2, 0x8c),
        nail: Rgb888::new(0xff, 0xee, 0xe6),
        line: Rgb888::new(0x4a, 0x26, 0x17),
        shirt: Rgb888::new(0x23, 0x36, 0x52),
        shirt_line: Rgb888::new(0x14, 0x20, 0x33),
        hair: Rgb888::new(0x3a, 0x26, 0x1c),
        lip: Rgb888::new(0xa8, 0x3c, 0x3c),
        mouth: Rgb888::new(0x4d, 0x12, 0x18),
        eye: Rgb888::new(0xff, 0xff, 0xff),
    };

    /// Light bands, for bright rooms and print.
    pub const LIGHT: Self = Self {
        stage: Rgb888::new(0xd9, 0xe4, 0xec),
        band: Rgb888::new(0xff, 0xff, 0xff),
        text: Rgb888::new(0x10, 0x18, 0x20),
        quiet: Rgb888::new(0x44, 0x50, 0x5c),
        mark: Rgb888::new(0x0b, 0x3d, 0x91),
        on_mark: Rgb888::new(0xff, 0xff, 0xff),
        warn: Rgb888::new(0x9a, 0x2a, 0x00),
        ..Self::DARK
    };
}

/// The contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance).
pub fn contrast(a: Rgb888, b: Rgb888) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(color: Rgb888) -> f32 {
    let linear = |v: u8| {
        let v = f32::from(v) / 255.0;
        if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(color.r()) + 0.7152 * linear(color.g()) + 0.0722 * linear(color.b())
}

/// A colour between two others: `t` from 0 (`a`) to 1 (`b`).
pub(super) fn mix(a: Rgb888, b: Rgb888, t: f32) -> Rgb888 {
    let t = t.clamp(0.0, 1.0);
    let mix = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * t).round() as u8;
    Rgb888::new(mix(a.r(), b.r()), mix(a.g(), b.g()), mix(a.b(), b.b()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: Rgb888, b: Rgb888, at_least: f32) {
        let ratio = contrast(a, b);
        assert!(ratio >= at_least, "{a:?} on {b:?} has contrast {ratio:.2}, wanted {at_least}");
    }

    #[test]
    fn contrast_is_that_of_the_standard() {
        assert!((contrast(Rgb888::WHITE, Rgb888::BLACK) - 21.0).abs() < 0.01);
        assert!((contrast(Rgb888::new(0x77, 0x77, 0x77), Rgb888::WHITE) - 4.48).abs() < 0.01);
    }

    #[test]
    fn text_reaches_level_aaa_and_shapes_reach_three_to_one() {
        for theme in [Theme::DARK, Theme::LIGHT] {
            for text in [theme.text, theme.quiet, theme.warn] {
                check(text, theme.band, 7.0);
            }
            check(theme.on_mark, theme.mark, 7.0);
            check(theme.mark, theme.band, 3.0);
            for skin in [theme.skin, theme.skin_back, theme.thumb] {
                check(skin, theme.shirt, 4.5);
                check(skin, theme.line, 4.5);
            }
            check(theme.line, theme.stage, 4.5);
            check(theme.shirt, theme.stage, 4.5);
            check(theme.lip, theme.skin, 3.0);
        }
    }
}
