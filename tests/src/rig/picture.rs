//! What the machine's display shows, and what can be said of it by counting.

use std::fs;
use std::path::Path;

use super::{Held, Why, fail};

/// A picture of R, G, B, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `[height × width × 3]`
    pub rgb: Vec<u8>,
}

impl Picture {
    /// Reads a PPM with 8 bits a colour (`P6`), as QEMU writes it.
    ///
    /// # Errors
    /// Where it is none.
    pub fn of_ppm(bytes: &[u8]) -> Held<Self> {
        let mut rest = bytes;
        let mut word = || -> Option<String> {
            let from = rest.iter().position(|b| !b.is_ascii_whitespace())?;
            let length = rest[from..].iter().position(u8::is_ascii_whitespace)?;
            let word = String::from_utf8(rest[from..from + length].to_vec()).ok()?;
            rest = &rest[from + length + 1..];
            Some(word)
        };
        let head = [word(), word(), word(), word()];
        let [Some(kind), Some(width), Some(height), Some(most)] = head else { return fail("no PPM") };
        let size = width.parse::<u32>().ok().zip(height.parse::<u32>().ok());
        match size {
            Some((width, height)) if kind == "P6" && most == "255" => {
                let length = 3 * width as usize * height as usize;
                if rest.len() != length {
                    return fail(format!("a PPM of {width}×{height} has {} bytes", rest.len()));
                }
                Ok(Self { width, height, rgb: rest.to_vec() })
            }
            _ => fail("no PPM with 8 bits a colour"),
        }
    }

    /// Reads a PNG.
    ///
    /// # Errors
    /// Where it is none.
    pub fn of_png(bytes: &[u8]) -> Held<Self> {
        let image = image::load_from_memory(bytes).map_err(|e| Why::Fail(e.to_string()))?.into_rgb8();
        Ok(Self { width: image.width(), height: image.height(), rgb: image.into_raw() })
    }

    /// Writes a PNG.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write_png(&self, path: &Path) -> Held<()> {
        let Self { width, height, rgb } = self;
        image::save_buffer(path, rgb, *width, *height, image::ColorType::Rgb8)
            .map_err(|e| Why::Fail(e.to_string()))
    }

    /// Reads the file that QEMU wrote.
    ///
    /// # Errors
    /// As [`Picture::of_ppm`].
    pub fn read_ppm(path: &Path) -> Held<Self> {
        Self::of_ppm(&fs::read(path)?)
    }

    /// The share of pixels that are another colour than in `other`, by more than rounding; all where sizes differ.
    pub fn differs(&self, other: &Self) -> f64 {
        if (self.width, self.height) != (other.width, other.height) {
            return 1.0;
        }
        let pixels = self.rgb.chunks_exact(3).zip(other.rgb.chunks_exact(3));
        let different = pixels.filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > 2)).count();
        different as f64 / (self.rgb.len() / 3) as f64
    }

    /// How many pixels have a colour.
    pub fn count(&self, color: [u8; 3]) -> usize {
        self.rgb.chunks_exact(3).filter(|pixel| *pixel == color).count()
    }

    /// Whether all of it is one colour.
    pub fn is_blank(&self) -> bool {
        let first = self.rgb.get(..3).map_or([0; 3], |p| [p[0], p[1], p[2]]);
        self.count(first) * 3 == self.rgb.len()
    }

    /// The same with a rectangle of it black: shares of its width and height, from the left and from above.
    pub fn without(&self, [left, top, right, bottom]: [f32; 4]) -> Self {
        let mut other = self.clone();
        let [from, to] =
            [left, right].map(|share| 3 * ((self.width as f32 * share) as usize).min(self.width as usize));
        let rows = [top, bottom].map(|share| (self.height as f32 * share) as usize);
        let lines = other.rgb.chunks_exact_mut(3 * self.width.max(1) as usize);
        for line in lines.take(rows[1]).skip(rows[0]) {
            line[from..to].fill(0);
        }
        other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> Picture {
        let rgb = (0..3 * width * height).map(|i| (i * 37 % 251) as u8).collect();
        Picture { width, height, rgb }
    }

    #[test]
    fn what_qemu_writes_is_read() {
        let whole = picture(4, 3);
        let ppm = [b"P6\n4 3\n255\n".as_slice(), &whole.rgb].concat();
        assert_eq!(Picture::of_ppm(&ppm).unwrap(), whole);
        for cut in 0..ppm.len() {
            assert!(Picture::of_ppm(&ppm[..cut]).is_err(), "{cut} bytes");
        }
        assert!(Picture::of_ppm(b"P6\n99999 99999\n255\nabc").is_err());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        whole.write_png(&path).unwrap();
        assert_eq!(Picture::of_png(&fs::read(path).unwrap()).unwrap(), whole);
    }

    #[test]
    fn a_part_is_left_out() {
        let whole = picture(4, 2);
        let part = whole.without([0.25, 0.5, 0.75, 1.0]);
        assert_eq!(part.rgb[..15], whole.rgb[..15]);
        assert_eq!((&part.rgb[15..21], &part.rgb[21..]), (&[0; 6][..], &whole.rgb[21..]));
        assert_eq!(whole.without([0.5, 0.0, 0.5, 1.0]), whole);
    }

    #[test]
    fn differences_are_counted() {
        let whole = picture(10, 10);
        let mut other = whole.clone();
        assert_eq!((whole.differs(&other), whole.is_blank()), (0.0, false));
        other.rgb[30] ^= 0x40;
        assert_eq!(whole.differs(&other), 0.01);
        assert_eq!(whole.differs(&picture(10, 9)), 1.0);
        assert!(Picture { width: 2, height: 1, rgb: vec![7; 6] }.is_blank());
        assert_eq!(Picture { width: 2, height: 1, rgb: vec![7, 7, 7, 1, 2, 3] }.count([1, 2, 3]), 1);
    }
}
