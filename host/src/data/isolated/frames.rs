//! The frames of a data set: half floats, unpacked, and how many of them make a row.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;
use half::f16;

use super::FRAMES_LIMIT;
use crate::Error;

/// Values of a row with body and hands, and with hands alone.
const WIDTHS: [usize; 2] = [258, 126];
/// The longest row.
const WIDEST: usize = WIDTHS[0];
/// So many values are looked at to tell the widths apart.
const SAMPLE: usize = 400_000;

/// Rows of half floats. They stay packed: as floats they would take twice the room.
pub(super) struct Frames {
    bytes: Vec<u8>,
    width: usize,
}

impl Frames {
    /// Unpacks the frames of a data set whose index reaches up to frame `total`.
    pub fn read(path: &Path, total: usize) -> Result<Self, Error> {
        let bytes = unpack(path)?;
        let values = bytes.len() / 2;
        let width = width(&bytes, total);
        let width = width.ok_or_else(|| Error::Width { path: path.to_owned(), values, frames: total })?;
        Ok(Self { bytes, width })
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.bytes.len() / 2 / self.width
    }

    /// Whether rows have a body beside the hands.
    pub fn has_body(&self) -> bool {
        self.width == WIDTHS[0]
    }

    /// One row, through a buffer that the caller keeps.
    pub fn row<'a>(&self, i: usize, buffer: &'a mut Row) -> &'a [f32] {
        let row = &self.bytes[i * self.width * 2..][..self.width * 2];
        buffer.0.iter_mut().zip(row.chunks_exact(2)).for_each(|(v, half)| *v = value(half));
        &buffer.0[..self.width]
    }
}

/// Room for a row.
pub(super) struct Row([f32; WIDEST]);

impl Default for Row {
    fn default() -> Self {
        Self([0.0; WIDEST])
    }
}

fn value(half: &[u8]) -> f32 {
    f16::from_le_bytes([half[0], half[1]]).to_f32()
}

/// How many values make a row: as many as fit the index exactly, else any that leaves no rest.
///
/// An index may list a part of the frames only. Where both widths leave no rest, values one row
/// apart resemble each other at the right width.
fn width(bytes: &[u8], total: usize) -> Option<usize> {
    let values = bytes.len() / 2;
    let exact = WIDTHS.into_iter().find(|w| total > 0 && values == total * w);
    let fits = |w: &usize| total > 0 && values.is_multiple_of(*w) && values / w >= total;
    exact.or_else(|| match WIDTHS.map(|w| fits(&w)) {
        [true, true] if unlike(bytes, WIDTHS[1]) < unlike(bytes, WIDTHS[0]) => Some(WIDTHS[1]),
        _ => WIDTHS.into_iter().find(fits),
    })
}

/// The mean difference of values that lie `width` apart.
fn unlike(bytes: &[u8], width: usize) -> f64 {
    let values = || bytes.chunks_exact(2).take(SAMPLE).map(value);
    let differences = values().zip(values().skip(width)).map(|(a, b)| f64::from((a - b).abs()));
    let (sum, n) =
        differences.filter(|d| d.is_finite()).fold((0.0, 0.0_f64), |(sum, n), d| (sum + d, n + 1.0));
    sum / n.max(1.0)
}

/// Unpacks a gzip file; never more than [`FRAMES_LIMIT`] rows of the widest kind.
fn unpack(path: &Path) -> Result<Vec<u8>, Error> {
    const LIMIT: usize = FRAMES_LIMIT * WIDEST * 2;
    let wrong = |why: String| Error::Frames { path: path.to_owned(), why };
    let broken = |e: std::io::Error| wrong(format!("its gzip data is broken or cut off ({e})"));
    let mut packed = BufReader::new(File::open(path).map_err(Error::io("read", path))?);
    let mut bytes = Vec::new();
    loop {
        let mut member = GzDecoder::new(packed);
        let left = LIMIT + 1 - bytes.len();
        member.by_ref().take(left as u64).read_to_end(&mut bytes).map_err(broken)?;
        if bytes.len() > LIMIT {
            return Err(wrong(format!("it holds more than the {FRAMES_LIMIT} frames that are read at most")));
        }
        packed = member.into_inner();
        // Tapes and some copying tools fill the end with zeros, as gzip itself allows.
        if !skip_zeros(&mut packed).map_err(broken)? {
            break;
        }
    }
    if !bytes.len().is_multiple_of(2) {
        return Err(wrong("it ends in the middle of a number".into()));
    }
    Ok(bytes)
}

/// Passes over bytes of 0; false at the end of the file.
fn skip_zeros(file: &mut impl BufRead) -> std::io::Result<bool> {
    loop {
        let buffer = file.fill_buf()?;
        let (zeros, length) = (buffer.iter().take_while(|b| **b == 0).count(), buffer.len());
        file.consume(zeros);
        if zeros < length || length == 0 {
            return Ok(length > 0);
        }
    }
}

#[cfg(test)]
impl Frames {
    /// Frames of the values given, rounded to half floats.
    pub fn of(values: &[f32], width: usize) -> Self {
        Self { bytes: values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect(), width }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of someone who moves slowly.
    fn rows(frames: usize, width: usize) -> Vec<u8> {
        let value =
            |i: usize| 0.5 + 0.3 * ((i % width) as f32 * 1.7).sin() + 0.1 * ((i / width) as f32 * 0.1).sin();
        Frames::of(&(0..frames * width).map(value).collect::<Vec<_>>(), width).bytes
    }

    #[track_caller]
    fn check(bytes: &[u8], total: usize, expect: Option<usize>) {
        assert_eq!(width(bytes, total), expect, "{} values, {total} frames", bytes.len() / 2);
    }

    #[test]
    fn rows_are_found_whether_the_index_lists_all_of_them_or_a_part() {
        for w in WIDTHS {
            check(&rows(30, w), 30, Some(w));
            check(&rows(31, w), 30, Some(w));
            check(&rows(30, w), 31, None);
            check(&rows(30, w), 0, None);
            // 42 frames of 258 values are 86 frames of 126 as well.
            check(&rows(126, w), 5, Some(w));
            check(&rows(258 * 21, w), 5, Some(w));
        }
        check(&rows(42, 258), 86, Some(126));
        check(&vec![0; 258 * 126 * 2], 3, Some(258));
        check(&[0; 200], 1, None);
    }
}
