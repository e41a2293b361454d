//! Reads data sets of isolated signs: `STEM.f16.gz` (frames) with `STEM.tsv` (clips).
//!
//! A row has 258 values (33 body points of x, y, z, visibility, then the left and the
//! right hand of 21 × x, y, z) or 126 (two hands). A hand of zeros or with a NaN was
//! not seen. x and z are in units of the picture's width, y of its height; the shape
//! of the picture is not recorded, see [`Aspect`].

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use half::f16;
use models::features::{HAND_POINTS, Sight};

use super::Clip;
use crate::Error;

/// Values of a row with body and hands, and with hands alone.
const WIDTHS: [usize; 2] = [258, 126];
/// Values of the body in a row, and of a hand.
const BODY: usize = 33 * 4;
const HAND: usize = HAND_POINTS * 3;
/// Where the body points that features use stand in a row, in the order of `BODY_POINTS`.
const BODY_ROWS: [usize; 7] = [0, 11, 12, 13, 14, 15, 16];

/// The frame rate is not recorded; a webcam with MediaPipe Holistic gave about this. Frames a second.
const NOMINAL_FPS: f64 = 20.0;
/// The longest index that is read, in bytes.
const INDEX_LIMIT: u64 = 64 << 20;
/// The most frames that are held in memory: some 14 hours at 20 a second.
const FRAMES_LIMIT: usize = 1_000_000;

/// Width over height of the pictures that a data set was taken from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aspect {
    /// Whichever of 4:3 and 16:9 makes the hands' bones keep their length best as the hands turn.
    Guess,
    /// Known.
    Known(f32),
}

/// A data set of isolated signs.
#[derive(Debug, Clone, PartialEq)]
pub struct Isolated {
    /// The name of its files, without folder and ending.
    pub name: String,
    /// Width over height of its pictures, given or guessed.
    pub aspect: f32,
    /// `[N]` clips, in the order of the index.
    pub clips: Vec<Clip>,
}

/// A line of the index.
struct Entry {
    offset: usize,
    frames: usize,
    label: String,
    group: String,
    seq: u32,
}

impl Isolated {
    /// Reads `STEM.f16.gz` and `STEM.tsv`.
    ///
    /// # Errors
    /// Where a file is missing, too large, cut off, or not in the form described above.
    pub fn read(stem: &Path, aspect: Aspect) -> Result<Self, Error> {
        let entries = read_index(&with_ending(stem, ".tsv"))?;
        let total = entries.iter().map(|e| e.offset + e.frames).max().unwrap_or(0);
        let path = with_ending(stem, ".f16.gz");
        let values = read_frames(&path, total)?;
        let Some(width) = WIDTHS.into_iter().find(|w| total > 0 && values.len() == total * w) else {
            return Err(Error::Width { path, values: values.len(), frames: total });
        };
        let aspect = match aspect {
            Aspect::Known(aspect) => aspect,
            Aspect::Guess => guess_aspect(&values, width),
        };
        let clips = entries
            .into_iter()
            .map(|e| {
                let rows = values[e.offset * width..][..e.frames * width].chunks_exact(width);
                let sights = rows.enumerate().map(|(i, row)| sight(i, row, aspect)).collect();
                Clip { label: e.label, group: e.group, seq: e.seq, sights }
            })
            .collect();
        let name = stem.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        Ok(Self { name, aspect, clips })
    }
}

/// One row as a sight.
fn sight(index: usize, row: &[f32], aspect: f32) -> Sight {
    let mut sight = Sight::unseen(index as f64 / NOMINAL_FPS);
    let (body, hands) = row.split_at(row.len() - 2 * HAND);
    if body.len() == BODY && body.iter().any(|v| *v != 0.0) {
        for (slot, &k) in BODY_ROWS.iter().enumerate() {
            let [x, y] = [body[k * 4] * aspect, body[k * 4 + 1]];
            sight.body_seen[slot] = x.is_finite() && y.is_finite();
            sight.body[slot] = [x, y];
        }
    }
    for (side, hand) in hands.chunks_exact(HAND).enumerate() {
        sight.hand_seen[side] = hand.iter().all(|v| v.is_finite()) && hand.iter().any(|v| *v != 0.0);
        if sight.hand_seen[side] {
            for (point, xyz) in sight.hands[side].iter_mut().zip(hand.chunks_exact(3)) {
                *point = [xyz[0] * aspect, xyz[1], xyz[2] * aspect];
            }
        }
    }
    sight
}

/// The shape of picture in which the palm's bones vary least in length.
fn guess_aspect(values: &[f32], width: usize) -> f32 {
    const BONES: [(usize, usize); 9] =
        [(0, 5), (0, 9), (0, 17), (5, 17), (5, 6), (6, 7), (9, 10), (13, 14), (17, 18)];
    let spread = |aspect: f32| {
        let (mut sum, mut squares, mut n) = ([0.0_f64; BONES.len()], [0.0_f64; BONES.len()], 0.0_f64);
        for (i, row) in values.chunks_exact(width).enumerate() {
            let sight = sight(i, row, aspect);
            for side in (0..2).filter(|&side| sight.hand_seen[side]) {
                let hand = &sight.hands[side];
                let length = BONES.map(|(a, b)| {
                    (0..3).map(|c| f64::from(hand[a][c] - hand[b][c]).powi(2)).sum::<f64>().sqrt()
                });
                let mean = length.iter().sum::<f64>() / BONES.len() as f64;
                if mean > 0.0 {
                    for (bone, length) in length.iter().enumerate() {
                        sum[bone] += length / mean;
                        squares[bone] += (length / mean).powi(2);
                    }
                    n += 1.0;
                }
            }
        }
        let each = sum.iter().zip(&squares).map(|(s, q)| {
            let mean = s / n;
            (q / n - mean * mean).max(0.0).sqrt() / mean
        });
        if n == 0.0 { 0.0 } else { each.sum::<f64>() }
    };
    let [narrow, wide] = [4.0 / 3.0, 16.0 / 9.0];
    if spread(wide) < spread(narrow) { wide } else { narrow }
}

/// Reads the index: tab-separated, the first line names the columns.
fn read_index(path: &Path) -> Result<Vec<Entry>, Error> {
    let mut text = String::new();
    let file = File::open(path).map_err(Error::io("read", path))?;
    file.take(INDEX_LIMIT + 1).read_to_string(&mut text).map_err(Error::io("read", path))?;
    if text.len() as u64 > INDEX_LIMIT {
        return Err(models::Error::TooLarge { path: path.to_owned(), limit: INDEX_LIMIT }.into());
    }
    let wrong = |line: usize, why: String| Error::Index { path: path.to_owned(), line, why };
    let mut lines = text.lines().enumerate().map(|(i, line)| (i + 1, line));
    let (_, header) = lines.next().ok_or_else(|| wrong(1, "the file is empty".into()))?;
    let names: Vec<_> = header.split('\t').map(str::trim).collect();
    let column = |name: &str| names.iter().position(|n| *n == name);
    let need = |name: &str| column(name).ok_or_else(|| wrong(1, format!("there is no column {name:?}")));
    let (offset, frames) = (need("offset_frames")?, need("n_frames")?);
    let label = column("label")
        .map_or_else(|| need("gloss"), Ok)
        .map_err(|_| wrong(1, "there is neither a column \"label\" nor a column \"gloss\"".into()))?;
    let (group, seq) = (column("group").or(column("split")), column("seq"));

    let mut entries = Vec::new();
    for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
        let cells: Vec<_> = text.split('\t').collect();
        let cell = |at: usize| {
            cells
                .get(at)
                .map(|c| c.trim())
                .ok_or_else(|| wrong(line, format!("column {:?} is missing", names[at])))
        };
        let number = |at: usize| {
            let text = cell(at)?;
            let number: Option<usize> = text.parse().ok().filter(|n| *n <= FRAMES_LIMIT);
            number.ok_or_else(|| {
                wrong(line, format!("{} is {text:?}, not a number up to {FRAMES_LIMIT}", names[at]))
            })
        };
        let entry = Entry {
            offset: number(offset)?,
            frames: number(frames)?,
            label: cell(label)?.to_owned(),
            group: group.map_or(Ok(""), cell)?.to_owned(),
            seq: seq.map_or(Ok(""), cell)?.parse().unwrap_or(0),
        };
        if entry.offset + entry.frames > FRAMES_LIMIT {
            return Err(wrong(
                line,
                format!("the clip ends after frame {FRAMES_LIMIT}, the most that is read"),
            ));
        }
        entries.push(entry);
    }
    if entries.is_empty() {
        return Err(wrong(2, "there is no clip".into()));
    }
    Ok(entries)
}

/// Unpacks the frames; never more than `frames` rows of the widest kind and one value.
fn read_frames(path: &Path, frames: usize) -> Result<Vec<f32>, Error> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let limit = frames * WIDTHS[0] * 2;
    let mut bytes = Vec::new();
    let wrong = |why: String| Error::Frames { path: path.to_owned(), why };
    MultiGzDecoder::new(file)
        .take(limit as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| wrong(format!("its gzip data is broken or cut off ({e})")))?;
    if bytes.len() > limit {
        return Err(wrong(format!("it holds more than the {frames} frames that the index counts")));
    }
    if bytes.len() % 2 != 0 {
        return Err(wrong("it ends in the middle of a number".into()));
    }
    Ok(bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect())
}

/// The path with an ending after its name; a stem may have dots of its own.
fn with_ending(stem: &Path, ending: &str) -> PathBuf {
    let mut path = stem.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of a rigid flat hand that turns in a picture of the aspect given.
    fn turning_hand(aspect: f32) -> Vec<f32> {
        let mut rows = vec![];
        for step in 0..40 {
            let (sin, cos) = (step as f32 * 0.15).sin_cos();
            rows.extend([0.0; HAND]);
            for k in 0..HAND_POINTS {
                let (along, across) = (0.05 * (k % 4) as f32 + 0.02, 0.03 * (k / 4) as f32);
                rows.extend([
                    0.5 + (along * cos - across * sin) / aspect,
                    0.5 + along * sin + across * cos,
                    0.0,
                ]);
            }
        }
        rows
    }

    #[test]
    fn the_shape_of_the_picture_shows_in_hands_that_turn() {
        for aspect in [4.0 / 3.0, 16.0 / 9.0] {
            assert_eq!(guess_aspect(&turning_hand(aspect), 126), aspect);
        }
        assert_eq!(guess_aspect(&[0.0; 126], 126), 4.0 / 3.0, "without a hand there is nothing to go by");
    }

    #[test]
    fn a_row_becomes_a_sight() {
        let mut row = vec![0.0; 258];
        row[..BODY].fill(0.5);
        row[BODY..BODY + HAND].fill(0.25);
        row[BODY + HAND] = f32::NAN;
        let sight = sight(20, &row, 2.0);
        assert_eq!(sight.at_s, 20.0 / NOMINAL_FPS);
        assert_eq!(sight.body_seen, [true; 7]);
        assert_eq!(sight.body[1], [1.0, 0.5], "x is stretched to the unit of y");
        assert_eq!(sight.hand_seen, [true, false], "a hand with a NaN was not seen");
        assert_eq!(sight.hands[0][3], [0.5, 0.25, 0.5]);
    }
}
