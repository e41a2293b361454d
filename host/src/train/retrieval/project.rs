//! The directions that hold most of a sparse matrix: its truncated singular value decomposition, by subspace
//! iteration (Halko et al. 2011, "Finding Structure with Randomness", algorithm 4.4).

use crate::random::split_mix;

/// Rounds of the iteration; the directions that matter stand apart from the others after a few.
const ROUNDS: usize = 12;

/// A row of a sparse matrix: columns and values.
pub type Row = Vec<(u32, f64)>;

/// The first right singular vectors of a matrix of so many columns, as `[columns][width]`; as many as there are
/// columns where these are fewer.
pub fn directions(rows: &[Row], columns: usize, width: usize, seed: u64) -> Vec<Vec<f64>> {
    let width = width.min(columns);
    let mut state = seed;
    let mut random = || split_mix(&mut state) as f64 / u64::MAX as f64 - 0.5;
    let mut basis: Vec<Vec<f64>> = (0..columns).map(|_| (0..width).map(|_| random()).collect()).collect();
    for _ in 0..ROUNDS {
        let mut next = vec![vec![0.0; width]; columns];
        for row in rows {
            let mut product = vec![0.0; width];
            for (column, value) in row {
                product.iter_mut().zip(&basis[*column as usize]).for_each(|(p, b)| *p += value * b);
            }
            for (column, value) in row {
                next[*column as usize].iter_mut().zip(&product).for_each(|(n, p)| *n += value * p);
            }
        }
        orthonormal(&mut next, width);
        basis = next;
    }
    basis
}

/// Makes the columns of `[rows][width]` orthogonal and of length 1 (modified Gram-Schmidt); what depends on columns
/// before it becomes zero.
fn orthonormal(matrix: &mut [Vec<f64>], width: usize) {
    let mut columns: Vec<Vec<f64>> = (0..width).map(|j| matrix.iter().map(|row| row[j]).collect()).collect();
    for j in 0..width {
        let (done, rest) = columns.split_at_mut(j);
        let column = &mut rest[0];
        let before = length(column);
        for other in done.iter() {
            let along: f64 = column.iter().zip(other).map(|(a, b)| a * b).sum();
            column.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
        }
        let left = length(column);
        let scale = if left > before * 1e-9 { 1.0 / left } else { 0.0 };
        column.iter_mut().for_each(|v| *v *= scale);
    }
    for (i, row) in matrix.iter_mut().enumerate() {
        row.iter_mut().zip(&columns).for_each(|(v, column)| *v = column[i]);
    }
}

fn length(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_directions_are_found() {
        // Two groups of columns that never meet, and one that is weak.
        let rows = vec![
            vec![(0, 3.0), (1, 3.0)],
            vec![(0, 3.0), (1, 3.0)],
            vec![(2, 2.0), (3, 2.0)],
            vec![(4, 0.1)],
        ];
        let found = directions(&rows, 5, 2, 1);
        let at = |column: usize, direction: usize| found[column][direction].abs();
        let half = 0.5_f64.sqrt();
        for (column, direction) in [(0, 0), (1, 0), (2, 1), (3, 1)] {
            assert!((at(column, direction) - half).abs() < 1e-6, "{found:?}");
            assert!(at(column, 1 - direction) < 1e-6);
        }
        assert!(at(4, 0) < 1e-6 && at(4, 1) < 1e-6);
        assert_eq!(found, directions(&rows, 5, 2, 1), "a seed gives the same");
    }

    #[test]
    fn there_are_no_more_directions_than_columns() {
        let found = directions(&[vec![(0, 1.0)], vec![(1, 2.0)]], 2, 9, 1);
        assert!(found.iter().all(|row| row.len() == 2));
    }
}
