//! Numeric arrays of NumPy: `.npy` files, and `.npz` archives of them.
//!
//! Pose estimators store their results so. All values become `f32`; whole numbers below 2^24, which labels and
//! vertex numbers are, stay exact. Arrays of Python objects are pickled programs and are never opened.
//!
//! The format is NumPy's NEP 1: a magic number, a version, a header that is a Python dictionary of three keys, and
//! the values. The readers here check every length before memory is taken for it.

mod header;
mod npz;
mod write;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use half::f16;

use crate::Error;

pub use npz::Npz;
pub use write::{Values, npy_bytes, write_npy, write_npz};

/// The largest array that is read, in bytes: the largest of a published SMPL-X model takes 120 MB.
const MAX_BYTES: u64 = 1 << 29;

/// An array in the order of C: the last axis runs fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Its axes; none for a single number.
    pub shape: Vec<usize>,
    /// All values.
    pub values: Vec<f32>,
}

impl Array {
    /// Reads the bytes of a `.npy` file.
    ///
    /// # Errors
    /// What is wrong with them, as a part of a sentence.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let (header, body) = header::parse(bytes)?;
        let count = header.shape.iter().try_fold(1_usize, |n, &axis| n.checked_mul(axis));
        let size = header.kind.size;
        let wanted = count.and_then(|n| n.checked_mul(size));
        let (Some(count), Some(wanted)) = (count, wanted) else {
            return Err(format!("it claims {:?} values", header.shape));
        };
        if body.len() != wanted {
            return Err(format!(
                "{:?} values take {wanted} bytes, and {} are there",
                header.shape,
                body.len()
            ));
        }
        let values = header.kind.values(body);
        debug_assert_eq!(values.len(), count);
        let values = if header.fortran { to_c_order(&values, &header.shape) } else { values };
        Ok(Self { shape: header.shape, values })
    }

    /// Reads a `.npy` file.
    ///
    /// # Errors
    /// [`Error::Array`] where it is none, and where it cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = read_limited(path)?;
        Self::parse(&bytes).map_err(|why| Error::Array { path: path.to_owned(), why })
    }

    /// The number of frames where each takes `width` values; an array of one frame may lack the axis of time.
    pub fn frames(&self, width: usize) -> Option<usize> {
        let frames = self.values.len() / width;
        let whole = frames * width == self.values.len();
        let leading = self.shape.first().is_some_and(|&axis| axis == frames);
        (whole && (leading || frames == 1)).then_some(frames)
    }
}

/// What one value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    class: Class,
    /// Bytes of one value, at most 8.
    size: usize,
    /// Whether the most significant byte comes first.
    swapped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Bool,
    Signed,
    Unsigned,
    Float,
}

impl Kind {
    /// All values of as many bytes. Pixels and what estimators write have loops of their own: a video is millions.
    fn values(self, body: &[u8]) -> Vec<f32> {
        match (self.class, self.size, self.swapped) {
            (Class::Unsigned, 1, _) => body.iter().map(|v| f32::from(*v)).collect(),
            (Class::Float, 4, false) => body.as_chunks().0.iter().map(|v| f32::from_le_bytes(*v)).collect(),
            _ => body.chunks_exact(self.size).map(|bytes| self.value(bytes)).collect(),
        }
    }

    /// The value of as many bytes.
    fn value(self, bytes: &[u8]) -> f32 {
        let mut little = [0_u8; 8];
        little[..bytes.len()].copy_from_slice(bytes);
        if self.swapped {
            little[..bytes.len()].reverse();
        }
        let whole = u64::from_le_bytes(little);
        match (self.class, self.size) {
            (Class::Bool, _) => f32::from(u8::from(whole != 0)),
            (Class::Unsigned, _) => whole as f32,
            (Class::Signed, size) => {
                let unused = 64 - 8 * size as u32;
                (((whole << unused) as i64) >> unused) as f32
            }
            (Class::Float, 2) => f16::from_bits(whole as u16).to_f32(),
            (Class::Float, 4) => f32::from_bits(whole as u32),
            (Class::Float, _) => f64::from_bits(whole) as f32,
        }
    }
}

/// The values of an array that was stored with its first axis running fastest.
fn to_c_order(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let mut strides = vec![1_usize; shape.len()];
    for axis in 1..shape.len() {
        strides[axis] = strides[axis - 1] * shape[axis - 1];
    }
    let place = |mut at: usize| {
        let mut from = 0;
        for (axis, &length) in shape.iter().enumerate().rev() {
            from += at % length * strides[axis];
            at /= length;
        }
        from
    };
    (0..values.len()).map(|at| values[place(at)]).collect()
}

/// The bytes of a file that is no longer than an array may be.
fn read_limited(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io("read", path))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(models::Error::TooLarge { path: path.to_owned(), limit: MAX_BYTES }.into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of version 1 with that header and those bytes.
    fn file(descr: &str, fortran: &str, shape: &str, body: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(body);
        bytes
    }

    #[track_caller]
    fn check(descr: &str, body: &[u8], expect: f32) {
        let array = Array::parse(&file(descr, "False", "()", body)).unwrap();
        assert_eq!((array.shape, array.values), (vec![], vec![expect]), "{descr}");
    }

    #[test]
    fn every_kind_of_number_is_read() {
        check("|b1", &[1], 1.0);
        check("|u1", &[200], 200.0);
        check("|i1", &[0xff], -1.0);
        check("<i2", &(-2_i16).to_le_bytes(), -2.0);
        check(">i2", &(-2_i16).to_be_bytes(), -2.0);
        check("<u4", &70_000_u32.to_le_bytes(), 70_000.0);
        check("<i8", &(-5_i64).to_le_bytes(), -5.0);
        check("<f2", &f16::from_f32(0.5).to_le_bytes(), 0.5);
        check("<f4", &1.5_f32.to_le_bytes(), 1.5);
        check(">f8", &(-2.25_f64).to_be_bytes(), -2.25);
    }

    #[test]
    fn both_orders_give_the_same_array() {
        let c: Vec<u8> = (0..6).collect();
        let fortran = [0, 3, 1, 4, 2, 5];
        let a = Array::parse(&file("|u1", "False", "(2, 3)", &c)).unwrap();
        let b = Array::parse(&file("|u1", "True", "(2, 3)", &fortran)).unwrap();
        assert_eq!(a, b);
        assert_eq!(a.values, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    }

    #[track_caller]
    fn check_error(bytes: &[u8], expect: &str) {
        let said = Array::parse(bytes).unwrap_err();
        assert!(said.contains(expect), "{said:?} does not contain {expect:?}");
    }

    #[test]
    fn what_is_no_array_is_refused() {
        check_error(b"PK", "does not begin");
        check_error(&file("|O", "False", "(1,)", &[0]), "pickled");
        check_error(&file("<c8", "False", "(1,)", &[0; 8]), "<c8");
        check_error(&file("|u1", "False", "(3,)", &[0]), "take 3 bytes, and 1 are there");
        check_error(&file("<f8", "False", "(4611686018427387904, 8)", &[]), "it claims");
        check_error(&file("<f8", "Maybe", "(1,)", &[0; 8]), "fortran_order");
        check_error(&file("<f8", "False", "(1", &[0; 8]), "shape");
    }

    #[test]
    fn frames_want_an_axis_of_time() {
        let array =
            |shape: &[usize]| Array { shape: shape.into(), values: vec![0.0; shape.iter().product()] };
        assert_eq!(array(&[4, 21, 3]).frames(63), Some(4));
        assert_eq!(array(&[21, 3]).frames(63), Some(1));
        assert_eq!(array(&[1, 63]).frames(63), Some(1));
        assert_eq!(array(&[63, 4]).frames(63), None, "another axis leads");
        assert_eq!(array(&[4, 20, 3]).frames(63), None);
    }
}
