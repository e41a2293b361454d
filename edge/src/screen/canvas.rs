//! The canvas: pixels that `embedded-graphics` can draw on, and smooth shapes that it cannot.
//!
//! Status and diagnostics use the [`DrawTarget`]; the signer is drawn with the
//! antialiased fills below it. Every pixel is opaque at all times, but after
//! [`Canvas::make_transparent`], of which a studio's overlay is made.

use std::convert::Infallible;

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use tiny_skia::{Color, FillRule, Paint, Path, PathBuilder, Pixmap, PremultipliedColorU8, Stroke, Transform};

/// The largest width or height of a canvas, in pixels: that of the largest screen.
pub const MAX_SIDE_PX: u32 = boards::MAX_SCREEN_PX;

/// Shapes that reach farther than this are not drawn: tiny-skia counts quarter pixels in 16 bits.
const FAR_PX: f32 = 8000.0;
/// The widest line.
const MAX_LINE_PX: f32 = 100.0;

/// A picture that is drawn on, one RGBA pixel after the other, colours times alpha, row by row.
#[derive(Debug, Clone)]
pub struct Canvas {
    pixmap: Pixmap,
}

impl Canvas {
    /// A black canvas. Sides are kept between 1 and [`MAX_SIDE_PX`].
    pub fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width.clamp(1, MAX_SIDE_PX), height.clamp(1, MAX_SIDE_PX));
        let mut pixmap = Pixmap::new(width, height).expect("sides are between 1 and MAX_SIDE_PX");
        pixmap.fill(Color::BLACK);
        Self { pixmap }
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.pixmap.width()
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.pixmap.height()
    }

    /// The pixels as R, G, B, A, row by row, colours times alpha.
    pub fn rgba(&self) -> &[u8] {
        self.pixmap.data()
    }

    /// The pixels as R, G, B, row by row; of a canvas that is opaque.
    pub fn rgb(&self) -> Vec<u8> {
        self.rgba().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect()
    }

    /// Makes all of it transparent.
    pub fn make_transparent(&mut self) {
        self.pixmap.fill(Color::TRANSPARENT);
    }

    /// Fills all of it.
    pub fn fill(&mut self, color: Rgb888) {
        self.pixmap.fill(skia(color));
    }

    /// Fills a rectangle, in pixels from the top left corner.
    pub fn rectangle(&mut self, x: f32, y: f32, width: f32, height: f32, color: Rgb888) {
        if let Some(rect) = tiny_skia::Rect::from_xywh(x, y, width, height) {
            self.pixmap.fill_rect(rect, &paint(color), Transform::identity(), None);
        }
    }

    /// Fills a rectangle with round corners.
    pub fn round_rectangle(&mut self, [x, y, w, h]: [f32; 4], radius: f32, color: Rgb888) {
        let r = radius.min(w / 2.0).min(h / 2.0).max(0.0);
        let mut path = PathBuilder::new();
        path.move_to(x + r, y);
        path.line_to(x + w - r, y);
        path.quad_to(x + w, y, x + w, y + r);
        path.line_to(x + w, y + h - r);
        path.quad_to(x + w, y + h, x + w - r, y + h);
        path.line_to(x + r, y + h);
        path.quad_to(x, y + h, x, y + h - r);
        path.line_to(x, y + r);
        path.quad_to(x, y, x + r, y);
        path.close();
        self.fill_built(path, color);
    }

    /// Fills an ellipse.
    pub fn ellipse(&mut self, center: [f32; 2], rx: f32, ry: f32, color: Rgb888) {
        if !drawable(&[center, [rx, ry]]) {
            return;
        }
        let rect = tiny_skia::Rect::from_xywh(center[0] - rx, center[1] - ry, 2.0 * rx, 2.0 * ry);
        if let Some(path) = rect.and_then(PathBuilder::from_oval) {
            self.fill_path(&path, color);
        }
    }

    /// Fills a disc.
    pub fn disc(&mut self, center: [f32; 2], radius: f32, color: Rgb888) {
        self.ellipse(center, radius, radius, color);
    }

    /// Fills a polygon.
    pub fn polygon(&mut self, points: &[[f32; 2]], color: Rgb888) {
        self.fill_built(outline(points, true), color);
    }

    /// Fills a closed curve that passes smoothly by the points.
    pub fn blob(&mut self, points: &[[f32; 2]], color: Rgb888) {
        self.fill_built(smooth(points), color);
    }

    /// Fills a polygon whose edges are covered by a line afterwards: smoothing them would be in vain.
    pub fn polygon_under(&mut self, points: &[[f32; 2]], color: Rgb888) {
        if let Some(path) = outline(points, true).finish() {
            let ragged = Paint { anti_alias: false, ..paint(color) };
            self.pixmap.fill_path(&path, &ragged, FillRule::Winding, Transform::identity(), None);
        }
    }

    /// Draws a line through the points, with round ends and joins.
    pub fn line(&mut self, points: &[[f32; 2]], width: f32, color: Rgb888) {
        self.stroke_built(outline(points, false), width, color);
    }

    /// Draws the outline of a polygon, with round joins.
    pub fn polygon_line(&mut self, points: &[[f32; 2]], width: f32, color: Rgb888) {
        self.stroke_built(outline(points, true), width, color);
    }

    /// Fills a limb from `a` (radius `ra`) to `b` (radius `rb`); an end is round where its flag is set.
    pub fn limb(&mut self, a: ([f32; 2], f32, bool), b: ([f32; 2], f32, bool), color: Rgb888) {
        let ((pa, ra, round_a), (pb, rb, round_b)) = (a, b);
        if !drawable(&[pa, pb, [ra, rb]]) {
            return;
        }
        let (dx, dy) = (pb[0] - pa[0], pb[1] - pa[1]);
        let length = dx.hypot(dy);
        if length < 1e-3 {
            if round_a || round_b {
                self.disc(pa, ra.max(rb), color);
            }
            return;
        }
        // One outline in all: every edge costs, and inner ones are not seen.
        let along = [dx / length, dy / length];
        let side = |p: [f32; 2], r: f32| [p[0] - along[1] * r, p[1] + along[0] * r];
        let mut path = PathBuilder::new();
        let start = side(pa, ra);
        path.move_to(start[0], start[1]);
        let end = side(pb, rb);
        path.line_to(end[0], end[1]);
        half_turn(&mut path, pb, rb, along, round_b);
        let end = side(pa, -ra);
        path.line_to(end[0], end[1]);
        half_turn(&mut path, pa, ra, along.map(|v| -v), round_a);
        path.close();
        self.fill_built(path, color);
    }

    /// Copies an RGB picture into a rectangle, nearest pixel; nothing where it has too few bytes.
    pub fn picture(&mut self, rgb: &[u8], size: (u32, u32), area: [u32; 4]) {
        self.copy(rgb, size, area, false);
    }

    /// The same as a mirror shows it.
    pub fn mirror(&mut self, rgb: &[u8], size: (u32, u32), area: [u32; 4]) {
        self.copy(rgb, size, area, true);
    }

    fn copy(&mut self, rgb: &[u8], (width, height): (u32, u32), [x, y, w, h]: [u32; 4], mirrored: bool) {
        let needed = u64::from(width) * u64::from(height) * 3;
        if needed == 0 || w == 0 || h == 0 || (rgb.len() as u64) < needed {
            return;
        }
        let (cw, ch) = (self.width(), self.height());
        let pixels = self.pixmap.pixels_mut();
        for row in y..y.saturating_add(h).min(ch) {
            let source_row = ((row - y) as u64 * u64::from(height) / u64::from(h)) as usize;
            for column in x..x.saturating_add(w).min(cw) {
                let column_of = if mirrored { w - 1 - (column - x) } else { column - x };
                let source_column = (u64::from(column_of) * u64::from(width) / u64::from(w)) as usize;
                let at = (source_row * width as usize + source_column) * 3;
                pixels[(row * cw + column) as usize] = opaque(rgb[at], rgb[at + 1], rgb[at + 2]);
            }
        }
    }

    /// Mixes a colour into one pixel, by `alpha` from 0 (nothing) to 255 (all of it).
    pub fn blend(&mut self, x: i32, y: i32, color: Rgb888, alpha: u8) {
        let (w, h) = (self.width() as i32, self.height() as i32);
        if x < 0 || y < 0 || x >= w || y >= h {
            return;
        }
        let pixel = &mut self.pixmap.pixels_mut()[(y * w + x) as usize];
        let mix = |under: u8, over: u8| {
            let alpha = u32::from(alpha);
            ((u32::from(under) * (255 - alpha) + u32::from(over) * alpha + 127) / 255) as u8
        };
        *pixel =
            opaque(mix(pixel.red(), color.r()), mix(pixel.green(), color.g()), mix(pixel.blue(), color.b()));
    }

    fn fill_built(&mut self, path: PathBuilder, color: Rgb888) {
        if let Some(path) = path.finish() {
            self.fill_path(&path, color);
        }
    }

    fn fill_path(&mut self, path: &Path, color: Rgb888) {
        self.pixmap.fill_path(path, &paint(color), FillRule::Winding, Transform::identity(), None);
    }

    fn stroke_built(&mut self, path: PathBuilder, width: f32, color: Rgb888) {
        let stroke = Stroke {
            width: width.min(MAX_LINE_PX),
            line_cap: tiny_skia::LineCap::Round,
            line_join: tiny_skia::LineJoin::Round,
            ..Stroke::default()
        };
        if let Some(path) = path.finish() {
            self.pixmap.stroke_path(&path, &paint(color), &stroke, Transform::identity(), None);
        }
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.width(), self.height())
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb888>>,
    {
        let bounds = self.bounding_box();
        let width = self.width() as i32;
        let target = self.pixmap.pixels_mut();
        for Pixel(at, color) in pixels {
            if bounds.contains(at) {
                target[(at.y * width + at.x) as usize] = opaque(color.r(), color.g(), color.b());
            }
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, color: Rgb888) -> Result<(), Infallible> {
        let area = area.intersection(&self.bounding_box());
        let width = self.width() as usize;
        let pixel = opaque(color.r(), color.g(), color.b());
        for row in area.rows() {
            let start = row as usize * width + area.top_left.x as usize;
            self.pixmap.pixels_mut()[start..start + area.size.width as usize].fill(pixel);
        }
        Ok(())
    }

    fn clear(&mut self, color: Rgb888) -> Result<(), Infallible> {
        self.fill(color);
        Ok(())
    }
}

/// Goes from one side of a limb's end to the other: round, in two quarter circles, or straight.
///
/// `outwards` points away from the limb; the path stands a quarter turn from it.
fn half_turn(path: &mut PathBuilder, center: [f32; 2], radius: f32, outwards: [f32; 2], round: bool) {
    /// Control points of a cubic curve lie this far along the tangents of a quarter circle.
    const QUARTER: f32 = 0.5523;
    let at = |forward: f32, aside: f32| {
        [
            center[0] + radius * (outwards[0] * forward - outwards[1] * aside),
            center[1] + radius * (outwards[1] * forward + outwards[0] * aside),
        ]
    };
    let end = at(0.0, -1.0);
    if !round {
        path.line_to(end[0], end[1]);
        return;
    }
    let ([a, b], tip) = ([at(QUARTER, 1.0), at(1.0, QUARTER)], at(1.0, 0.0));
    path.cubic_to(a[0], a[1], b[0], b[1], tip[0], tip[1]);
    let [a, b] = [at(1.0, -QUARTER), at(QUARTER, -1.0)];
    path.cubic_to(a[0], a[1], b[0], b[1], end[0], end[1]);
}

/// Whether coordinates are numbers and near the canvas: poses come from outside.
fn drawable(points: &[[f32; 2]]) -> bool {
    points.iter().flatten().all(|v| v.abs() <= FAR_PX)
}

/// A path along the points.
fn outline(points: &[[f32; 2]], closed: bool) -> PathBuilder {
    let mut path = PathBuilder::new();
    if !drawable(points) {
        return path;
    }
    for (i, p) in points.iter().enumerate() {
        if i == 0 {
            path.move_to(p[0], p[1]);
        } else {
            path.line_to(p[0], p[1]);
        }
    }
    if closed && !points.is_empty() {
        path.close();
    }
    path
}

/// A closed path whose corners are the control points of quadratic curves.
fn smooth(points: &[[f32; 2]]) -> PathBuilder {
    let mut path = PathBuilder::new();
    let n = points.len();
    if n < 3 || !drawable(points) {
        return path;
    }
    let middle = |a: [f32; 2], b: [f32; 2]| [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
    let start = middle(points[n - 1], points[0]);
    path.move_to(start[0], start[1]);
    for i in 0..n {
        let end = middle(points[i], points[(i + 1) % n]);
        path.quad_to(points[i][0], points[i][1], end[0], end[1]);
    }
    path.close();
    path
}

fn paint(color: Rgb888) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color(skia(color));
    paint.anti_alias = true;
    paint
}

fn skia(color: Rgb888) -> Color {
    Color::from_rgba8(color.r(), color.g(), color.b(), 255)
}

fn opaque(r: u8, g: u8, b: u8) -> PremultipliedColorU8 {
    PremultipliedColorU8::from_rgba(r, g, b, 255).expect("an opaque colour is premultiplied already")
}

#[cfg(test)]
mod tests {
    use embedded_graphics::primitives::{Circle, Line, PrimitiveStyle};

    use super::*;

    fn pixel(canvas: &Canvas, x: u32, y: u32) -> [u8; 3] {
        let at = ((y * canvas.width() + x) * 4) as usize;
        canvas.rgba()[at..at + 3].try_into().unwrap()
    }

    #[test]
    fn embedded_graphics_draws_inside_and_is_cut_at_the_edge() {
        let mut canvas = Canvas::new(40, 30);
        canvas.clear(Rgb888::BLUE).unwrap();
        Line::new(Point::new(-10, 5), Point::new(60, 5))
            .into_styled(PrimitiveStyle::with_stroke(Rgb888::RED, 1))
            .draw(&mut canvas)
            .unwrap();
        Circle::new(Point::new(30, 20), 40)
            .into_styled(PrimitiveStyle::with_fill(Rgb888::GREEN))
            .draw(&mut canvas)
            .unwrap();
        canvas.fill_solid(&Rectangle::new(Point::new(-5, -5), Size::new(7, 7)), Rgb888::WHITE).unwrap();
        assert_eq!(pixel(&canvas, 0, 0), [255, 255, 255]);
        assert_eq!(pixel(&canvas, 2, 2), [0, 0, 255]);
        assert_eq!(pixel(&canvas, 39, 5), [255, 0, 0]);
        assert_eq!(pixel(&canvas, 39, 29), [0, 255, 0]);
        assert!(canvas.rgba().chunks(4).all(|p| p[3] == 255));
    }

    #[test]
    fn shapes_of_no_size_or_not_numbers_draw_nothing() {
        let mut canvas = Canvas::new(8, 8);
        canvas.polygon(&[], Rgb888::RED);
        canvas.blob(&[[1.0, 1.0]], Rgb888::RED);
        canvas.limb(([f32::NAN, 1.0], 2.0, true), ([2.0, 2.0], 1.0, true), Rgb888::RED);
        canvas.disc([3.0, 3.0], -1.0, Rgb888::RED);
        canvas.picture(&[0; 3], (4, 4), [0, 0, 8, 8]);
        assert!(canvas.rgba().chunks(4).all(|p| p == [0, 0, 0, 255]));
    }

    #[test]
    fn edges_of_shapes_are_antialiased() {
        let mut canvas = Canvas::new(21, 21);
        canvas.disc([10.5, 10.5], 8.0, Rgb888::WHITE);
        let greys = canvas.rgba().chunks(4).filter(|p| p[0] != 0 && p[0] != 255).count();
        assert!(greys > 20, "{greys} grey pixels");
    }

    #[test]
    fn a_mirror_shows_what_a_picture_shows_the_other_way_round() {
        let rgb: Vec<u8> = (1..=6).flat_map(|v| [v * 20, 0, 0]).collect();
        let mut canvas = Canvas::new(3, 2);
        canvas.mirror(&rgb, (3, 2), [0, 0, 3, 2]);
        let reds: Vec<u8> = (0..6).map(|i| pixel(&canvas, i % 3, i / 3)[0]).collect();
        assert_eq!(reds, [60, 40, 20, 120, 100, 80]);
    }

    #[test]
    fn blending_mixes_by_alpha() {
        let mut canvas = Canvas::new(2, 1);
        canvas.blend(0, 0, Rgb888::WHITE, 128);
        canvas.blend(5, 0, Rgb888::WHITE, 255);
        assert_eq!((pixel(&canvas, 0, 0), pixel(&canvas, 1, 0)), ([128; 3], [0; 3]));
    }
}
