//! Draws triangles with a depth buffer.

use super::super::person::Colour;

/// Nearer than this nothing is drawn, in metres.
const NEAR: f32 = 0.05;
/// What stands nearer by as much throws a soft shade on what is beside it in the picture, in metres.
const STEP: [f32; 2] = [0.006, 0.05];
/// How dark that shade is at most.
const SHADE: f32 = 0.42;

/// A corner as the camera sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Corner {
    /// Pixels.
    pub x: f32,
    pub y: f32,
    /// Metres from the camera's plane.
    pub z: f32,
    /// The light that falls there.
    pub light: Colour,
}

/// Colours, depth and labels of all pixels.
pub(super) struct Raster {
    width: usize,
    height: usize,
    pub rgb: Vec<Colour>,
    /// Infinite where nothing was drawn.
    pub depth: Vec<f32>,
    pub parts: Vec<u8>,
}

impl Raster {
    pub fn new([width, height]: [usize; 2]) -> Self {
        let all = width * height;
        Self { width, height, rgb: vec![[0.0; 3]; all], depth: vec![f32::INFINITY; all], parts: vec![0; all] }
    }

    /// Draws a triangle of one colour and label.
    pub fn draw(&mut self, [a, b, c]: [Corner; 3], colour: Colour, part: u8) {
        if a.z.min(b.z).min(c.z) < NEAR {
            return;
        }
        let area = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
        if area.abs() < 1e-9 {
            return;
        }
        let span = |low: f32, high: f32, end: usize| {
            // A pixel is drawn where its middle lies within.
            let first = (low - 0.5).ceil().max(0.0) as usize;
            let last = (high - 0.5).floor().min(end as f32 - 1.0);
            (first, if last < 0.0 { 0 } else { last as usize + 1 })
        };
        let (x0, x1) = span(a.x.min(b.x).min(c.x), a.x.max(b.x).max(c.x), self.width);
        let (y0, y1) = span(a.y.min(b.y).min(c.y), a.y.max(b.y).max(c.y), self.height);
        // Shares of the corners change evenly along a row and from row to row.
        let share = |p: Corner, q: Corner, px: f32, py: f32| {
            ((p.x - px) * (q.y - py) - (q.x - px) * (p.y - py)) / area
        };
        let step = [(b.y - c.y) / area, (c.y - a.y) / area];
        for y in y0..y1 {
            let (px, py) = (x0 as f32 + 0.5, y as f32 + 0.5);
            let (mut wa, mut wb) = (share(b, c, px, py), share(c, a, px, py));
            for k in y * self.width + x0..y * self.width + x1 {
                let wc = 1.0 - wa - wb;
                if wa >= 0.0 && wb >= 0.0 && wc >= 0.0 {
                    let z = wa * a.z + wb * b.z + wc * c.z;
                    if z < self.depth[k] {
                        self.depth[k] = z;
                        self.parts[k] = part;
                        self.rgb[k] = [0, 1, 2]
                            .map(|i| colour[i] * (wa * a.light[i] + wb * b.light[i] + wc * c.light[i]));
                    }
                }
                wa += step[0];
                wb += step[1];
            }
        }
    }

    /// Darkens what stands right behind an edge, so that fingers stand off palms and faces.
    pub fn shade_edges(&mut self, side: usize) {
        let reach = (side as f32 / 110.0).round().max(1.0) as isize;
        let ways: [[isize; 2]; 8] = [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [1, -1], [-1, 1], [-1, -1]];
        for y in 0..self.height as isize {
            for x in 0..self.width as isize {
                let k = y as usize * self.width + x as usize;
                let own = self.depth[k];
                if !own.is_finite() {
                    continue;
                }
                let mut shade = 0.0;
                for [dx, dy] in ways {
                    let (nx, ny) = (x + dx * reach, y + dy * reach);
                    if nx < 0 || ny < 0 || nx >= self.width as isize || ny >= self.height as isize {
                        continue;
                    }
                    let nearer = own - self.depth[ny as usize * self.width + nx as usize];
                    if nearer.is_finite() {
                        shade += ((nearer - STEP[0]) / (STEP[1] - STEP[0])).clamp(0.0, 1.0);
                    }
                }
                let left = 1.0 - SHADE * (shade / 3.0).min(1.0);
                self.rgb[k] = self.rgb[k].map(|v| v * left);
            }
        }
    }
}
