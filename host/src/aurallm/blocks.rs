//! Matrices whose numbers have eight or four bits: GGML's `Q8_0` and `Q4_0`, blocks of 32 numbers of a row, each with
//! one scale of 16 bits.

use std::ops::Range;
use std::sync::Arc;

use half::f16;
use rayon::prelude::*;

/// Numbers of a block.
pub const BLOCK: usize = 32;
/// Bytes of a block's scale.
const SCALE: usize = 2;

/// Rows that a thread multiplies before it looks for others.
const SHARE: usize = 64;

/// How many bits a number has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bits {
    /// `Q8_0`: from -127 to 127, times the scale.
    Eight,
    /// `Q4_0`: from -8 to 7, times the scale.
    Four,
}

/// A matrix in blocks.
#[derive(Debug, Clone)]
pub struct Blocks {
    bits: Bits,
    shape: [usize; 2],
    /// The file that they stand in, which all of its matrices share.
    file: Arc<Vec<u8>>,
    place: Range<usize>,
}

impl Bits {
    /// Bytes of a block.
    pub fn bytes(self) -> usize {
        SCALE
            + match self {
                Self::Eight => BLOCK,
                Self::Four => BLOCK / 2,
            }
    }

    /// Bytes of a matrix; none where its rows are no whole blocks.
    pub fn of(self, [rows, columns]: [usize; 2]) -> Option<usize> {
        let blocks = columns.is_multiple_of(BLOCK).then_some(columns / BLOCK)?;
        rows.checked_mul(blocks)?.checked_mul(self.bytes())
    }
}

impl Blocks {
    /// Rounds a matrix: `[rows, columns]`, row-major. Every number is rounded by itself.
    ///
    /// # Errors
    /// Where rows are no whole blocks.
    pub fn round(bits: Bits, values: &[f32], shape: [usize; 2]) -> Result<Self, String> {
        let [_, columns] = shape;
        let size = bits.of(shape).ok_or_else(|| format!("rows of {columns} are no blocks of {BLOCK}"))?;
        let mut bytes = Vec::with_capacity(size);
        for block in values.chunks_exact(BLOCK) {
            match bits {
                Bits::Eight => eight(block, &mut bytes),
                Bits::Four => four(block, &mut bytes),
            }
        }
        let place = 0..bytes.len();
        Ok(Self { bits, shape, file: bytes.into(), place })
    }

    /// A matrix whose bytes stand somewhere in a file; none where they are more or fewer than its blocks have, or a scale
    /// is no number.
    pub fn read(bits: Bits, file: &Arc<Vec<u8>>, place: Range<usize>, shape: [usize; 2]) -> Option<Self> {
        let bytes = file.get(place.clone())?;
        let finite = |block: &[u8]| scale(block).is_finite();
        let whole = bits.of(shape)? == bytes.len() && bytes.chunks_exact(bits.bytes()).all(finite);
        whole.then(|| Self { bits, shape, file: file.clone(), place })
    }

    /// Rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// The blocks, row by row.
    pub fn bytes(&self) -> &[u8] {
        &self.file[self.place.clone()]
    }

    /// The numbers of a row.
    pub fn row(&self, row: usize) -> Vec<f32> {
        let mut values = vec![0.0; self.shape[1]];
        self.write(row, &mut values);
        values
    }

    /// All numbers, `[rows, columns]`.
    pub fn values(&self) -> Vec<f32> {
        let mut values = vec![0.0; self.shape[0] * self.shape[1]];
        for (row, values) in values.chunks_exact_mut(self.shape[1]).enumerate() {
            self.write(row, values);
        }
        values
    }

    /// The products of vectors and all rows.
    ///
    /// # Shapes
    /// - `x`: `[N, columns]`
    /// - returns: `[N, rows]`
    pub fn times(&self, x: &[f32]) -> Vec<f32> {
        let [rows, columns] = self.shape;
        let n = x.len() / columns;
        let mut products = vec![0.0; rows * n]; // [rows, N]
        products.par_chunks_mut(n.max(1) * SHARE).enumerate().for_each(|(share, products)| {
            let mut values = vec![0.0; columns];
            for (row, products) in products.chunks_exact_mut(n).enumerate() {
                self.write(share * SHARE + row, &mut values);
                products.iter_mut().zip(x.chunks_exact(columns)).for_each(|(p, x)| *p = dot(x, &values));
            }
        });
        (0..n).flat_map(|i| products.iter().skip(i).step_by(n)).copied().collect()
    }

    fn write(&self, row: usize, values: &mut [f32]) {
        let (size, blocks) = (self.bits.bytes(), self.shape[1] / BLOCK);
        let bytes = &self.bytes()[row * blocks * size..(row + 1) * blocks * size];
        let (values, _) = values.as_chunks_mut::<BLOCK>();
        for (block, values) in bytes.chunks_exact(size).zip(values) {
            let (d, numbers) = (scale(block), &block[SCALE..]);
            match self.bits {
                Bits::Eight => of_eight(d, numbers.try_into().expect("a block's numbers"), values),
                Bits::Four => of_four(d, numbers.try_into().expect("a block's numbers"), values),
            }
        }
    }
}

// Of arrays compilers know the length, and make few wide instructions of these.

fn of_eight(d: f32, numbers: &[u8; BLOCK], values: &mut [f32; BLOCK]) {
    for i in 0..BLOCK {
        values[i] = f32::from(numbers[i] as i8) * d;
    }
}

fn of_four(d: f32, numbers: &[u8; BLOCK / 2], values: &mut [f32; BLOCK]) {
    for i in 0..BLOCK / 2 {
        values[i] = f32::from((numbers[i] & 15) as i8 - 8) * d;
        values[BLOCK / 2 + i] = f32::from((numbers[i] >> 4) as i8 - 8) * d;
    }
}

fn scale(block: &[u8]) -> f32 {
    f16::from_le_bytes([block[0], block[1]]).to_f32()
}

/// The largest number is 127 scales.
fn eight(block: &[f32], bytes: &mut Vec<u8>) {
    let d = block.iter().fold(0.0, |most: f32, v| most.max(v.abs())) / 127.0;
    let by = if d == 0.0 { 0.0 } else { 1.0 / d };
    bytes.extend(f16::from_f32(d).to_le_bytes());
    bytes.extend(block.iter().map(|v| (v * by).round() as i8 as u8));
}

/// The number farthest from nothing is -8 scales, whatever its sign.
fn four(block: &[f32], bytes: &mut Vec<u8>) {
    let farthest = block.iter().fold(0.0, |far: f32, v| if v.abs() > far.abs() { *v } else { far });
    let d = farthest / -8.0;
    let by = if d == 0.0 { 0.0 } else { 1.0 / d };
    bytes.extend(f16::from_f32(d).to_le_bytes());
    // Twice as precise as it is written, so that no processor's way of multiplying decides how a number is rounded.
    let number = |v: f32| (f64::from(v) * f64::from(by) + 8.5).clamp(0.0, 15.0) as u8;
    let (low, high) = block.split_at(BLOCK / 2);
    bytes.extend(low.iter().zip(high).map(|(low, high)| number(*low) | number(*high) << 4));
}

/// Sums side by side, which a compiler keeps in wide registers; rows are whole blocks.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; BLOCK];
    for (a, b) in a.as_chunks::<BLOCK>().0.iter().zip(b.as_chunks::<BLOCK>().0) {
        for i in 0..BLOCK {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest error of a number, in scales of its block.
    #[track_caller]
    fn check(bits: Bits, limit: f32) {
        let value = |i: usize| ((i * 7919) % 1000) as f32 / 500.0 - 1.0;
        let values: Vec<f32> = (0..3 * 64).map(value).collect();
        let blocks = Blocks::round(bits, &values, [3, 64]).unwrap();
        assert_eq!(blocks.bytes().len(), bits.of([3, 64]).unwrap());
        for (found, meant) in blocks.values().chunks(BLOCK).zip(values.chunks(BLOCK)) {
            let most = meant.iter().fold(0.0, |most: f32, v| most.max(v.abs()));
            let far = found.iter().zip(meant).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(far <= limit * most, "{bits:?}: {far} of {most}");
        }
        assert_eq!(blocks.row(1), blocks.values()[64..128]);
        let x: Vec<f32> = (0..2 * 64).map(|i| value(i + 5)).collect();
        for (i, product) in blocks.times(&x).into_iter().enumerate() {
            let (x, row) = (&x[i / 3 * 64..][..64], blocks.row(i % 3));
            let meant: f64 = x.iter().zip(&row).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            assert!((f64::from(product) - meant).abs() < 1e-4, "{i}: {product} and {meant}");
        }
        let (file, end) = (Arc::new([&[9; 5], blocks.bytes()].concat()), 5 + blocks.bytes().len());
        let read = |place, shape| Blocks::read(bits, &file, place, shape).map(|b| b.values());
        assert_eq!(read(5..end, [3, 64]), Some(blocks.values()));
        assert_eq!(read(6..end, [3, 64]), None, "a byte is missing");
        assert_eq!((read(5..end, [3, 63]), read(5..end + 1, [3, 64])), (None, None));
    }

    #[test]
    fn numbers_are_rounded_and_nothing_else() {
        // Half a scale, and what the scale itself was rounded by; of four bits, the largest on the other side is cut.
        check(Bits::Eight, 0.6 / 127.0);
        check(Bits::Four, 1.01 / 8.0);
    }

    #[test]
    fn nothing_stays_nothing_and_uneven_rows_are_refused() {
        for bits in [Bits::Eight, Bits::Four] {
            let nothing = Blocks::round(bits, &[0.0; BLOCK], [1, BLOCK]).unwrap();
            assert_eq!(nothing.values(), [0.0; BLOCK]);
            let mut broken = nothing.bytes().to_vec();
            broken[..SCALE].copy_from_slice(&f16::NAN.to_le_bytes());
            let whole = 0..broken.len();
            assert!(Blocks::read(bits, &Arc::new(broken), whole, [1, BLOCK]).is_none());
            assert!(Blocks::round(bits, &[0.0; 48], [1, 48]).unwrap_err().contains("48"));
        }
        assert_eq!(Bits::Eight.of([usize::MAX, 64]), None);
    }
}
