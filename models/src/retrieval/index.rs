//! Rows that are compared with: normalised once, so that a cosine is a dot product.

/// The rows of a lexicon's signs, `[N, D]`, each of length 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    width: usize,
    rows: Vec<f32>,
}

/// The row that lies nearest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// Its number, in the order in which rows were added.
    pub row: usize,
    /// The cosine, from -1 to 1, times the length of what was looked for.
    pub cosine: f32,
}

impl Index {
    /// An index of vectors of so many values.
    pub fn new(width: usize) -> Self {
        Self { width, rows: vec![] }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len().checked_div(self.width).unwrap_or(0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a row, and says whether it could be: nothing has a cosine with a vector of another width, of no length,
    /// or of broken numbers.
    pub fn push(&mut self, row: &[f32]) -> bool {
        let length = dot(row, row).sqrt();
        let good = row.len() == self.width && length.is_finite() && length > 0.0;
        if good {
            self.rows.extend(row.iter().map(|v| v / length));
        }
        good
    }

    /// The row with the highest cosine to `[D]` (eq. 1); of rows that are alike the first.
    pub fn nearest(&self, query: &[f32]) -> Option<Nearest> {
        self.nearest_of(query, 0..self.len())
    }

    /// The same among some rows.
    pub fn nearest_of(&self, query: &[f32], rows: impl IntoIterator<Item = usize>) -> Option<Nearest> {
        if query.len() != self.width {
            return None;
        }
        let mut best: Option<Nearest> = None;
        for row in rows {
            let Some(values) = self.rows.get(row * self.width..(row + 1) * self.width) else { continue };
            let cosine = dot(query, values);
            // A broken number is greater than nothing.
            if cosine > best.map_or(f32::NEG_INFINITY, |best| best.cosine) {
                best = Some(Nearest { row, cosine });
            }
        }
        best
    }
}

/// The sum of products, in eight lanes that a processor adds side by side.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 8;
    let mut sums = [0.0_f32; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_by_angle_and_not_by_length() {
        let mut index = Index::new(2);
        assert!(index.push(&[10.0, 0.0]) && index.push(&[0.0, 0.1]) && index.push(&[3.0, 4.0]));
        let Nearest { row, cosine } = index.nearest(&[0.3, 0.4]).unwrap();
        assert_eq!(row, 2);
        assert!((cosine - 0.5).abs() < 1e-6, "a short vector is known by half: {cosine}");
        assert_eq!(index.nearest_of(&[0.3, 0.4], [0, 1]).unwrap().row, 1);
        assert_eq!(index.len(), 3);
    }

    #[test]
    fn what_has_no_angle_is_no_row() {
        let mut index = Index::new(2);
        for row in [&[0.0, 0.0][..], &[1.0], &[f32::NAN, 1.0], &[f32::INFINITY, 0.0], &[]] {
            assert!(!index.push(row), "{row:?}");
        }
        assert!(index.is_empty() && index.nearest(&[1.0, 0.0]).is_none());
        assert!(index.push(&[1.0, 0.0]));
        assert_eq!(index.nearest(&[f32::NAN, 0.0]), None);
        assert_eq!(index.nearest(&[1.0]), None);
    }

    #[test]
    fn a_dot_product_of_any_width_is_whole() {
        for width in [1, 7, 8, 9, 31, 256] {
            let a: Vec<f32> = (0..width).map(|i| i as f32).collect();
            let expect: f32 = a.iter().map(|v| v * v).sum();
            assert!((dot(&a, &a) - expect).abs() <= expect * 1e-6, "{width}");
        }
    }
}
