//! What the bytes of a camera's picture mean: how pixels are packed, and how their numbers are coded.
//!
//! Numbers and rules are those of the Video4Linux2 API (kernel documentation, "Image Formats"
//! and "Colorspaces"); nothing here talks to a driver.

use std::fmt;

use super::check_size;
use super::pixels::Rows;
use crate::Fault;

/// How pixels lie in a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Three bytes a pixel: red, green, blue (`RGB3`).
    Rgb,
    /// Three bytes a pixel: blue, green, red (`BGR3`).
    Bgr,
    /// A plane of Y, then one of U and V for two by two pixels (`NV12`).
    Nv12,
    /// Two pixels in four bytes: Y₀ U Y₁ V (`YUYV`).
    Yuyv,
    /// One JPEG a picture (`MJPG`).
    Mjpeg,
}

impl Packing {
    /// All that can be read, the one that costs least first.
    pub const ALL: [Self; 5] = [Self::Rgb, Self::Bgr, Self::Nv12, Self::Yuyv, Self::Mjpeg];

    /// The four letters by which drivers know it.
    pub const fn code(self) -> [u8; 4] {
        *match self {
            Self::Rgb => b"RGB3",
            Self::Bgr => b"BGR3",
            Self::Nv12 => b"NV12",
            Self::Yuyv => b"YUYV",
            Self::Mjpeg => b"MJPG",
        }
    }

    /// The packing that a driver means; some say `JPEG` for what others call `MJPG`.
    pub fn of(code: [u8; 4]) -> Option<Self> {
        let code = if code == *b"JPEG" { *b"MJPG" } else { code };
        Self::ALL.into_iter().find(|packing| packing.code() == code)
    }

    /// Whether its numbers are red, green and blue.
    const fn is_rgb(self) -> bool {
        matches!(self, Self::Rgb | Self::Bgr)
    }

    /// Bytes in a row of `width` pixels without padding, for NV12 in a row of either plane; `None` for
    /// pictures that have no rows of bytes.
    const fn row_bytes(self, width: usize) -> Option<usize> {
        match self {
            Self::Rgb | Self::Bgr => Some(width * 3),
            // Two pixels share their colour: a row of odd width ends in a whole pair.
            Self::Nv12 => Some(width.div_ceil(2) * 2),
            Self::Yuyv => Some(width.div_ceil(2) * 4),
            Self::Mjpeg => None,
        }
    }
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&code_name(self.code()))
    }
}

/// Four letters of a driver, whatever bytes they are.
pub fn code_name(code: [u8; 4]) -> String {
    code.escape_ascii().to_string()
}

/// The weights of red and blue in luma.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matrix {
    /// ITU-R BT.601: webcams.
    Bt601,
    /// ITU-R BT.709: high-definition grabbers.
    Bt709,
    /// SMPTE 240M, of which 709 came.
    Smpte240,
    /// ITU-R BT.2020, non-constant luminance.
    Bt2020,
}

/// How numbers stand for colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coding {
    /// For packings with luma.
    pub matrix: Matrix,
    /// Black to white is 0 to 255; otherwise it is 16 to 235.
    pub full_range: bool,
}

impl Coding {
    /// What a webcam's raw pictures are where the driver says nothing: BT.601 at video levels.
    pub const WEBCAM: Self = Self { matrix: Matrix::Bt601, full_range: false };

    /// What a driver says of its pictures: its `colorspace`, `ycbcr_enc` and `quantization`, as numbers of
    /// `videodev2.h`. What it leaves open is filled in as `V4L2_MAP_YCBCR_ENC_DEFAULT` and
    /// `V4L2_MAP_QUANTIZATION_DEFAULT` do; a number that is none of the header's is taken as left open.
    /// Pictures of the kernel's test driver `vivid` come out alike in every packing, to 3 levels, in each coding
    /// but BT.2020's constant luminance.
    pub fn of_v4l2(packing: Packing, colorspace: u32, encoding: u32, quantization: u32) -> Self {
        const SMPTE_240M: u32 = 2;
        const REC_709: u32 = 3;
        const JPEG: u32 = 7;
        const BT_2020: u32 = 10;
        const DCI_P3: u32 = 12;
        const XV_601: u32 = 3;
        const XV_709: u32 = 4;
        let matrix = match encoding {
            // The last is an old name of 601 at full range.
            1 | XV_601 | 5 => Matrix::Bt601,
            2 | XV_709 => Matrix::Bt709,
            // The second has constant luminance, which is other arithmetic; no camera is known to give it.
            6 | 7 => Matrix::Bt2020,
            8 => Matrix::Smpte240,
            _ => match colorspace {
                REC_709 | DCI_P3 => Matrix::Bt709,
                SMPTE_240M => Matrix::Smpte240,
                BT_2020 => Matrix::Bt2020,
                _ => Matrix::Bt601,
            },
        };
        let full_range = match quantization {
            // The wider colours of xvYCC are those beyond video levels, whatever the driver says.
            1 => packing.is_rgb() || ![XV_601, XV_709].contains(&encoding),
            2 => false,
            _ => packing.is_rgb() || colorspace == JPEG,
        };
        Self { matrix, full_range }
    }
}

/// What a camera's pictures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// How pixels lie.
    pub packing: Packing,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from one row's start to the next; 0 where rows follow without padding.
    pub stride: u32,
    /// Ignored for JPEG, which says it itself.
    pub coding: Coding,
}

impl Format {
    /// # Errors
    /// [`Fault::Picture`] where there is no pixel, or there are more than are taken in.
    pub fn check(&self, source: &str) -> Result<(), Fault> {
        check_size(source, self.width, self.height).map(|_| ())
    }

    /// How rows lie; `None` for a JPEG, and where a row does not fit between two rows' starts.
    pub(super) fn rows(&self) -> Option<Rows> {
        let bytes = self.packing.row_bytes(self.width as usize)?;
        let stride = if self.stride == 0 { bytes } else { self.stride as usize };
        (stride >= bytes).then_some(Rows { stride, bytes })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { packing, width, height, coding, .. } = self;
        write!(f, "{packing} {width}x{height}")?;
        let matrix = match coding.matrix {
            Matrix::Bt601 => "BT.601",
            Matrix::Bt709 => "BT.709",
            Matrix::Smpte240 => "SMPTE 240M",
            Matrix::Bt2020 => "BT.2020",
        };
        let range = if coding.full_range { "full" } else { "limited" };
        match packing {
            Packing::Mjpeg => Ok(()),
            packing if packing.is_rgb() => write!(f, ", {range} range"),
            _ => write!(f, ", {matrix}, {range} range"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(packing: Packing, said: [u32; 3], matrix: Matrix, full_range: bool) {
        let coding = Coding::of_v4l2(packing, said[0], said[1], said[2]);
        assert_eq!(coding, Coding { matrix, full_range }, "{packing} {said:?}");
    }

    #[test]
    fn what_the_driver_leaves_open_is_filled_in_as_the_header_says() {
        check(Packing::Yuyv, [0, 0, 0], Matrix::Bt601, false);
        check(Packing::Yuyv, [8, 0, 0], Matrix::Bt601, false);
        check(Packing::Nv12, [3, 0, 0], Matrix::Bt709, false);
        check(Packing::Yuyv, [7, 0, 0], Matrix::Bt601, true);
        check(Packing::Yuyv, [10, 0, 0], Matrix::Bt2020, false);
        check(Packing::Rgb, [8, 0, 0], Matrix::Bt601, true);
    }

    #[test]
    fn what_the_driver_says_holds() {
        check(Packing::Yuyv, [8, 2, 1], Matrix::Bt709, true);
        check(Packing::Nv12, [3, 1, 2], Matrix::Bt601, false);
        check(Packing::Bgr, [8, 0, 2], Matrix::Bt601, false);
        check(Packing::Yuyv, [8, 3, 1], Matrix::Bt601, false);
        check(Packing::Rgb, [8, 4, 1], Matrix::Bt709, true);
        check(Packing::Nv12, [2, 0, 0], Matrix::Smpte240, false);
        check(Packing::Yuyv, [u32::MAX, u32::MAX, u32::MAX], Matrix::Bt601, false);
    }

    #[test]
    fn codes_are_known_both_ways_and_any_bytes_can_be_named() {
        for packing in Packing::ALL {
            assert_eq!(Packing::of(packing.code()), Some(packing));
        }
        assert_eq!(Packing::of(*b"JPEG"), Some(Packing::Mjpeg));
        assert_eq!(Packing::of([0, 255, b'\n', b'Y']), None);
        assert_eq!(code_name([0, 255, b'\n', b'Y']), r"\x00\xff\nY");
    }
}
