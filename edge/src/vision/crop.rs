//! Cuts a rotated rectangle out of a frame, as the input of a network.

use std::ops::Range;

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
    let picture = Picture::new(frame, border);
    let steps: [f32; 256] = std::array::from_fn(|v| range[0] + v as f32 * scale);
    for (row, line) in out.data.chunks_exact_mut(width * 3).enumerate() {
        let start = [corner[0] + down[0] * row as f32, corner[1] + down[1] * row as f32];
        let at = |column: usize| [start[0] + across[0] * column as f32, start[1] + across[1] * column as f32];
        let inside = picture.inside(start, across, width);
        for (column, out) in line.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let value = match inside.contains(&column) {
                true => picture.within(at(column)),
                false => picture.near_edge(at(column)),
            };
            *out = [steps[value[0] as usize], steps[value[1] as usize], steps[value[2] as usize]];
        }
    }
}

/// A pixel in the fixed-point numbers that say how far a place lies between two: OpenCV tells so many places apart.
const ONE: u32 = 32;

struct Picture<'a> {
    rgb: &'a [u8],
    width: i32,
    height: i32,
    border: Border,
}

impl<'a> Picture<'a> {
    fn new(frame: &'a Frame, border: Border) -> Self {
        // A frame is checked when it is taken in: its sides are far below the range of i32.
        Self { rgb: &frame.rgb, width: frame.width as i32, height: frame.height as i32, border }
    }

    /// The columns of a row whose places all have four pixels around them.
    fn inside(&self, start: [f32; 2], step: [f32; 2], columns: usize) -> Range<usize> {
        let mut range = [0.0, columns as f32];
        for (axis, pixels) in [self.width, self.height].into_iter().enumerate() {
            // A twentieth of a pixel from the edges: rounding must not lead out.
            let [low, high] = [0.05 - start[axis], pixels as f32 - 1.05 - start[axis]];
            if step[axis].abs() < 1e-6 {
                if low > 0.0 || high < 0.0 {
                    return 0..0;
                }
                continue;
            }
            let [a, b] = [low / step[axis], high / step[axis]];
            range = [range[0].max(a.min(b)), range[1].min(a.max(b))];
        }
        // What is not a number becomes 0.
        let [first, end] = [range[0].ceil() as usize, range[1].floor() as usize];
        if first < end { first..end.min(columns) } else { 0..0 }
    }

    /// The colour at a place between four pixels of the picture, 0–255.
    #[inline(always)]
    fn within(&self, place: [f32; 2]) -> [u8; 3] {
        let (x, y) = (fixed(place[0]), fixed(place[1]));
        let row = self.width as usize * 3;
        let at = (y / ONE) as usize * row + (x / ONE) as usize * 3;
        let (fx, fy) = (x % ONE, y % ONE);
        let (Some(above), Some(below)) = (self.rgb.get(at..at + 6), self.rgb.get(at + row..at + row + 6))
        else {
            // The corner of a rectangle that begins far outside is not known to a twentieth of a pixel.
            return self.near_edge(place);
        };
        // Written out: closures over three colours are not folded into the loop, which costs it half its speed.
        [
            mix([above[0], above[3], below[0], below[3]], fx, fy),
            mix([above[1], above[4], below[1], below[4]], fx, fy),
            mix([above[2], above[5], below[2], below[5]], fx, fy),
        ]
    }

    /// The same where some of the four pixels may lie beyond the edge.
    fn near_edge(&self, place: [f32; 2]) -> [u8; 3] {
        // Far outside, a saturated number is as good as the true one.
        let [x, y] = place.map(|v| if v.is_nan() { 0.0 } else { v.clamp(-1e5, 1e5) });
        let (x0, y0) = (x.floor(), y.floor());
        let (fx, fy) = (fixed(x - x0), fixed(y - y0));
        // Rounding may lead on to the next pixel.
        let (x0, y0) = (x0 as i32 + (fx / ONE) as i32, y0 as i32 + (fy / ONE) as i32);
        let (fx, fy) = (fx % ONE, fy % ONE);
        let [a, b] = [self.pixel(x0, y0), self.pixel(x0 + 1, y0)];
        let [c, d] = [self.pixel(x0, y0 + 1), self.pixel(x0 + 1, y0 + 1)];
        std::array::from_fn(|k| mix([a[k], b[k], c[k], d[k]], fx, fy))
    }

    fn pixel(&self, x: i32, y: i32) -> [u8; 3] {
        let (cx, cy) = (x.clamp(0, self.width - 1), y.clamp(0, self.height - 1));
        if self.border == Border::Zero && (cx != x || cy != y) {
            return [0; 3];
        }
        let at = (cy as usize * self.width as usize + cx as usize) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }
}

/// A number of pixels in units of `1 / ONE`.
#[inline(always)]
fn fixed(v: f32) -> u32 {
    (v * ONE as f32 + 0.5) as i32 as u32
}

/// Four pixels (above left and right, below left and right) weighed by how near each is.
#[inline(always)]
fn mix([a, b, c, d]: [u8; 4], fx: u32, fy: u32) -> u8 {
    let above = u32::from(a) * (ONE - fx) + u32::from(b) * fx;
    let below = u32::from(c) * (ONE - fx) + u32::from(d) * fx;
    ((above * (ONE - fy) + below * fy + ONE * ONE / 2) / (ONE * ONE)) as u8
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
