//! Arithmetic of metrics that more than one program needs.

/// How many symbols must be put in, taken out or changed to make one sequence of the other (Levenshtein).
pub fn edit_distance<T: PartialEq>(a: &[T], b: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        // The row above, one place to the left.
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, expect: usize) {
        assert_eq!(edit_distance(a.as_bytes(), b.as_bytes()), expect, "{a} and {b}");
    }

    #[test]
    fn distance_counts_changes() {
        check("kitten", "sitting", 3);
        check("", "ab", 2);
        check("ab", "", 2);
        check("same", "same", 0);
    }
}
