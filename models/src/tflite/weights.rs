//! Constants of a TFLite network as dense 32-bit floats, or as integers.

use half::f16;

use super::flat::at_most;
use super::{DimensionFormat, Error, Kind, Sparsity, Tensor};

/// The most values that one conversion reads and writes; the largest landmark network takes some 6 million.
const MAX_WEIGHTS: usize = 1 << 24;
/// The most values of an integer constant: sizes, paddings and positions are a few.
const MAX_INTEGERS: usize = 64;

/// What a conversion may still read and write.
///
/// A small file can name the same weights in every operator, or sparse ones that are huge when dense.
#[derive(Debug, Default)]
pub(super) struct Budget {
    spent: usize,
}

impl Budget {
    fn spend(&mut self, values: usize) -> Result<(), Error> {
        self.spent = self.spent.saturating_add(values);
        at_most("weights", self.spent, MAX_WEIGHTS)
    }
}

/// The values of a constant, row-major in its own shape.
pub(super) fn floats(tensor: &Tensor, budget: &mut Budget) -> Result<Vec<f32>, Error> {
    let count: usize = tensor.shape.iter().product();
    budget.spend(count + tensor.data.len() / 2 + tensor.sparsity.as_ref().map_or(0, positions))?;
    let stored: Vec<f32> = match tensor.kind {
        Kind::F32 => chunks(tensor)?.iter().map(|v| f32::from_le_bytes(*v)).collect(),
        Kind::F16 => chunks(tensor)?.iter().map(|v| f16::from_le_bytes(*v).to_f32()).collect(),
        Kind::I32 | Kind::Other(_) => return Err(misfit(tensor, "weights are floats or half floats")),
    };
    match &tensor.sparsity {
        Some(sparsity) => densify(tensor, sparsity, &stored),
        None if stored.len() == count => Ok(stored),
        None => Err(misfit(tensor, "its data must fill its shape")),
    }
}

/// The values of an integer constant.
pub(super) fn integers(tensor: &Tensor) -> Result<Vec<i64>, Error> {
    if tensor.kind != Kind::I32 || tensor.sparsity.is_some() {
        return Err(misfit(tensor, "sizes and positions are 32-bit integers"));
    }
    at_most("values in an integer constant", tensor.data.len() / 4, MAX_INTEGERS)?;
    let values: Vec<i64> = chunks(tensor)?.iter().map(|v| i32::from_le_bytes(*v).into()).collect();
    if values.len() != tensor.shape.iter().product::<usize>() {
        return Err(misfit(tensor, "its data must fill its shape"));
    }
    Ok(values)
}

fn positions(sparsity: &Sparsity) -> usize {
    let of = |level: &DimensionFormat| match level {
        DimensionFormat::Dense(_) => 0,
        DimensionFormat::Compressed { segments, indices } => segments.len() + indices.len(),
    };
    sparsity.levels.iter().map(of).sum()
}

fn chunks<'a, const N: usize>(tensor: &Tensor<'a>) -> Result<&'a [[u8; N]], Error> {
    match tensor.data.as_chunks() {
        (chunks, []) if !chunks.is_empty() => Ok(chunks),
        _ => Err(misfit(tensor, "a constant is a whole number of values")),
    }
}

/// Spreads the stored values over the shape; what is not stored is 0.
fn densify(tensor: &Tensor, sparsity: &Sparsity, stored: &[f32]) -> Result<Vec<f32>, Error> {
    let shape = &tensor.shape;
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    for (axis, level) in sparsity.order.iter().zip(&sparsity.levels) {
        if matches!(level, DimensionFormat::Dense(size) if *size != shape[*axis]) {
            return Err(misfit(tensor, "a dense level is as long as its axis"));
        }
    }
    let levels: Vec<_> =
        sparsity.order.iter().zip(&sparsity.levels).map(|(&a, l)| (l, shape[a], strides[a])).collect();
    let mut dense = vec![0.0; shape.iter().product()];
    scatter(&levels, 0, 0, stored, &mut dense)
        .ok_or_else(|| misfit(tensor, "its levels must lead to its values, inside its shape"))?;
    Ok(dense)
}

/// Puts the values below one node of the outermost level where they belong.
///
/// `node` counts the nodes of the level above, `offset` is where they lie in `dense`.
/// No two paths end at the same stored value, so that this ends after as many steps
/// as the file has values and segments. `None` where a path leads outside.
fn scatter(
    levels: &[(&DimensionFormat, usize, usize)],
    node: usize,
    offset: usize,
    stored: &[f32],
    dense: &mut [f32],
) -> Option<()> {
    let Some(((level, size, stride), inner)) = levels.split_first() else {
        dense[offset] = *stored.get(node)?;
        return Some(());
    };
    match level {
        DimensionFormat::Dense(count) => {
            for i in 0..*count {
                scatter(inner, node.checked_mul(*count)? + i, offset + i * stride, stored, dense)?;
            }
        }
        DimensionFormat::Compressed { segments, indices } => {
            let (from, to) = (*segments.get(node)?, *segments.get(node + 1)?);
            let children = indices.get(from..to)?;
            for (child, i) in (from..to).zip(children) {
                let inside = (i < size).then_some(offset + i * stride)?;
                scatter(inner, child, inside, stored, dense)?;
            }
        }
    }
    Some(())
}

fn misfit(tensor: &Tensor, expected: &'static str) -> Error {
    Error::Tensor { name: tensor.name.into(), shape: tensor.shape.clone(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compressed(segments: &[usize], indices: &[usize]) -> DimensionFormat {
        DimensionFormat::Compressed { segments: segments.into(), indices: indices.into() }
    }

    #[track_caller]
    fn check(shape: [usize; 2], levels: [DimensionFormat; 2], order: [usize; 2], expect: Option<&[f32]>) {
        let data: Vec<u8> = [1.0f32, 2.0, 3.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        let sparsity = Sparsity { order: order.into(), levels: levels.into() };
        let tensor = Tensor {
            name: "sparse",
            shape: shape.into(),
            kind: Kind::F32,
            data: &data,
            sparsity: Some(sparsity),
        };
        assert_eq!(floats(&tensor, &mut Budget::default()).ok().as_deref(), expect);
    }

    #[test]
    fn rows_of_sparse_columns() {
        let columns = compressed(&[0, 2, 3], &[0, 3, 1]);
        check(
            [2, 4],
            [DimensionFormat::Dense(2), columns],
            [0, 1],
            Some(&[1.0, 0.0, 0.0, 2.0, 0.0, 3.0, 0.0, 0.0]),
        );
    }

    #[test]
    fn columns_outermost() {
        let rows = compressed(&[0, 1, 1, 3], &[1, 0, 1]);
        check([2, 3], [DimensionFormat::Dense(3), rows], [1, 0], Some(&[0.0, 0.0, 2.0, 1.0, 0.0, 3.0]));
    }

    #[test]
    fn paths_that_lead_outside_are_refused() {
        let dense = DimensionFormat::Dense(2);
        check([2, 4], [dense.clone(), compressed(&[0, 2, 3], &[0, 4, 1])], [0, 1], None);
        check([2, 4], [dense.clone(), compressed(&[0, 2, 4], &[0, 3, 1])], [0, 1], None);
        check([2, 4], [dense.clone(), compressed(&[2, 0, 3], &[0, 3, 1])], [0, 1], None);
        check([2, 4], [dense.clone(), compressed(&[0], &[0, 3, 1])], [0, 1], None);
        check([2, 4], [dense.clone(), compressed(&[0, 2, 4], &[0, 3, 1, 2])], [0, 1], None);
        check([3, 4], [dense, compressed(&[0, 2, 3], &[0, 3, 1])], [0, 1], None);
    }

    #[test]
    fn a_small_file_cannot_name_endless_weights() {
        let levels = vec![compressed(&[0, 1], &[0])];
        let tensor = Tensor {
            name: "huge",
            shape: vec![MAX_WEIGHTS / 4 - 16],
            kind: Kind::F32,
            data: &[0; 4],
            sparsity: Some(Sparsity { order: vec![0], levels }),
        };
        let mut budget = Budget::default();
        for _ in 0..4 {
            assert!(floats(&tensor, &mut budget).is_ok());
        }
        assert!(matches!(floats(&tensor, &mut budget), Err(Error::TooLarge { what: "weights", .. })));
    }
}
