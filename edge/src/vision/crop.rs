//! Cuts a rotated rectangle out of a frame, as the input of a network.

use super::geometry::Roi;
use crate::camera::Frame;
use crate::engine::Tensor;

/// What lies beyond the picture's edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Border {
    /// Black: for detectors, which look at the whole picture.
    Zero,
    /// The nearest pixel of the edge: for landmark networks; black costs them 10 px.
    Replicate,
}

/// Places between two pixels that are told apart.
const STEPS: i32 = 32;

/// Samples `roi` of a frame into `out`, bilinearly.
///
/// The sampling grid is that of MediaPipe on the CPU: output pixel `i` of `n` stands at
/// `i / n` of the rectangle, and a frame's pixel stands at its own number. So is the rounding, of
/// places to a 32nd of a pixel and of colours to whole numbers (OpenCV's `warpPerspective`): without
/// it bodies lie more than twice as far from MediaPipe's.
///
/// # Shapes
/// - `out`: `[1, H, W, 3]`, red, green, blue; pixel values 0–255 become `range`
pub fn crop(frame: &Frame, roi: &Roi, range: [f32; 2], border: Border, out: &mut Tensor) {
    let [height, width] = [out.shape[1], out.shape[2]];
    let scale = (range[1] - range[0]) / 255.0;
    let across = roi.rotate([roi.size[0] / width as f32, 0.0]);
    let down = roi.rotate([0.0, roi.size[1] / height as f32]);
    let corner = roi.point([0.0, 0.0]);
    let sampler = Sampler::new(frame, border);
    for (row, line) in out.data.chunks_exact_mut(width * 3).enumerate() {
        let start = [corner[0] + down[0] * row as f32, corner[1] + down[1] * row as f32];
        for (column, pixel) in line.chunks_exact_mut(3).enumerate() {
            let at = [start[0] + across[0] * column as f32, start[1] + across[1] * column as f32];
            let value = sampler.sample(at);
            for (out, v) in pixel.iter_mut().zip(value) {
                *out = range[0] + v * scale;
            }
        }
    }
}

struct Sampler<'a> {
    rgb: &'a [u8],
    width: i32,
    height: i32,
    border: Border,
}

impl<'a> Sampler<'a> {
    fn new(frame: &'a Frame, border: Border) -> Self {
        // A frame is checked when it is taken in: its sides are far below the range of i32.
        Self { rgb: &frame.rgb, width: frame.width as i32, height: frame.height as i32, border }
    }

    /// The colour at a place between four pixels: whole numbers, 0–255.
    fn sample(&self, [x, y]: [f32; 2]) -> [f32; 3] {
        let [x, y] = [x, y].map(|v| floor(v * STEPS as f32 + 0.5));
        let (x0, y0) = (x.div_euclid(STEPS), y.div_euclid(STEPS));
        let (fx, fy) = (x.rem_euclid(STEPS), y.rem_euclid(STEPS));
        let mix = |a: u8, b: u8, c: u8, d: u8| {
            let [a, b, c, d] = [a, b, c, d].map(i32::from);
            let (above, below) = (a * (STEPS - fx) + b * fx, c * (STEPS - fx) + d * fx);
            let sum = above * (STEPS - fy) + below * fy;
            ((sum + STEPS * STEPS / 2) / (STEPS * STEPS)) as f32
        };
        // Most places lie inside, where the four pixels are two runs of six bytes.
        if x0 >= 0 && y0 >= 0 && x0 < self.width - 1 && y0 < self.height - 1 {
            let at = (y0 as usize * self.width as usize + x0 as usize) * 3;
            let above = &self.rgb[at..at + 6];
            let below = &self.rgb[at + self.width as usize * 3..][..6];
            return std::array::from_fn(|c| mix(above[c], above[c + 3], below[c], below[c + 3]));
        }
        let [a, b] = [self.pixel(x0, y0), self.pixel(x0 + 1, y0)];
        let [c, d] = [self.pixel(x0, y0 + 1), self.pixel(x0 + 1, y0 + 1)];
        std::array::from_fn(|k| mix(a[k], b[k], c[k], d[k]))
    }

    #[inline]
    fn pixel(&self, x: i32, y: i32) -> [u8; 3] {
        let (cx, cy) = (x.clamp(0, self.width - 1), y.clamp(0, self.height - 1));
        if self.border == Border::Zero && (cx != x || cy != y) {
            return [0; 3];
        }
        let at = (cy as usize * self.width as usize + cx as usize) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }
}

/// Rounds down. Far outside, a saturated number is as good as the true one.
fn floor(v: f32) -> i32 {
    let v = v.clamp(-1e6, 1e6);
    let cut = v as i32;
    cut - i32::from(v < cut as f32)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::camera::{Camera, Folder};
    use crate::stage::Stamp;
    use crate::vision::tests::oracle;

    /// Red is the column times ten, green the row times ten.
    fn ramp(width: u32, height: u32) -> Frame {
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8 * 10, y as u8 * 10, 7]));
        Frame::new(Stamp::default(), width, height, rgb.collect()).unwrap()
    }

    #[track_caller]
    fn check(roi: Roi, border: Border, size: usize, at: [usize; 2], expect: [f32; 3]) {
        let mut out = Tensor::zeros(&[1, size, size, 3]);
        crop(&ramp(8, 8), &roi, [0.0, 255.0], border, &mut out);
        let start = (at[1] * size + at[0]) * 3;
        let got = &out.data[start..start + 3];
        assert!(got.iter().zip(expect).all(|(a, b)| (a - b).abs() < 1e-2), "{got:?} instead of {expect:?}");
    }

    #[test]
    fn the_whole_picture_at_its_own_size_is_the_picture() {
        let whole = Roi::whole([8, 8]);
        check(whole, Border::Zero, 8, [0, 0], [0.0, 0.0, 7.0]);
        check(whole, Border::Zero, 8, [7, 3], [70.0, 30.0, 7.0]);
        // Twice as fine: every second pixel stands between two.
        check(whole, Border::Replicate, 16, [5, 4], [25.0, 20.0, 7.0]);
    }

    #[test]
    fn a_half_turn_shows_it_upside_down() {
        let roi = Roi { angle: std::f32::consts::PI, ..Roi::whole([8, 8]) };
        check(roi, Border::Replicate, 8, [1, 2], [70.0, 60.0, 7.0]);
    }

    #[test]
    fn beyond_the_edge_it_is_black_or_the_edge() {
        let roi = Roi { center: [-100.0, 3.0], size: [8.0, 8.0], angle: 0.0 };
        check(roi, Border::Zero, 8, [0, 4], [0.0, 0.0, 0.0]);
        check(roi, Border::Replicate, 8, [0, 4], [0.0, 30.0, 7.0]);
        let nowhere = Roi { center: [f32::NAN, 1e30], size: [f32::INFINITY; 2], angle: 0.0 };
        let mut out = Tensor::zeros(&[1, 4, 4, 3]);
        crop(&ramp(8, 8), &nowhere, [0.0, 1.0], Border::Replicate, &mut out);
    }

    #[test]
    fn values_become_the_range() {
        let mut out = Tensor::zeros(&[1, 1, 1, 3]);
        let frame = Frame::new(Stamp::default(), 1, 1, vec![0, 255, 0]).unwrap();
        crop(&frame, &Roi::whole([1, 1]), [-1.0, 1.0], Border::Replicate, &mut out);
        assert_eq!(out.data, [-1.0, 1.0, -1.0]);
    }

    /// Mean difference of a crop of MediaPipe's test picture to its golden, in steps of 255.
    fn golden(dir: &Path, name: &str, roi: [f32; 4], degrees: f32, keep_aspect: bool, border: Border) -> f32 {
        let load = |file: String| Folder::open(&dir.join(file), 25.0).unwrap().next().unwrap().unwrap();
        let frame = load("image_to_tensor_input.jpg".into());
        let expect = load(format!("{name}.png"));
        let (width, height) = (frame.width as f32, frame.height as f32);
        let roi = Roi {
            center: [roi[0] * width, roi[1] * height],
            size: [roi[2] * width, roi[3] * height],
            angle: degrees.to_radians(),
        };
        let roi = if keep_aspect { roi.squared() } else { roi };
        let mut out = Tensor::zeros(&[1, expect.height as usize, expect.width as usize, 3]);
        crop(&frame, &roi, [0.0, 255.0], border, &mut out);
        let away: f32 = out.data.iter().zip(&expect.rgb).map(|(a, b)| (a - f32::from(*b)).abs()).sum();
        away / out.data.len() as f32
    }

    #[test]
    fn crops_agree_with_the_goldens() {
        let Some(dir) = oracle("crops_agree_with_the_goldens") else { return };
        let (medium, large) = ([0.65, 0.4, 0.5, 0.5], [0.5, 0.5, 1.5, 1.1]);
        let cases = [
            ("medium_sub_rect_keep_aspect", medium, 0.0, true),
            ("medium_sub_rect_keep_aspect_with_rotation", medium, 90.0, true),
            ("medium_sub_rect_with_rotation", medium, -45.0, false),
            ("large_sub_rect", large, 0.0, false),
            ("large_sub_rect_keep_aspect", large, 0.0, true),
            ("large_sub_rect_keep_aspect_with_rotation", large, -15.0, true),
        ];
        for (name, roi, degrees, keep_aspect) in cases {
            let beyond = [(Border::Replicate, String::new()), (Border::Zero, "_border_zero".into())];
            for (border, ending) in beyond {
                let name = format!("{name}{ending}");
                let away = golden(&dir.join("tfjs"), &name, roi, degrees, keep_aspect, border);
                assert!(away < 0.05, "{name}: {away} of 255 away in the mean");
            }
        }
        let whole = [0.5, 0.5, 1.0, 1.0];
        let away = golden(&dir.join("tfjs"), "noop_except_range", whole, 0.0, false, Border::Replicate);
        assert!(away < 0.05, "noop_except_range: {away} of 255 away in the mean");
    }
}
