//! How far found points lie from where they are. The paper has no such loss: it tells Video2Pose's maps what to look for
//! long before the tracks would.

use burn::tensor::{Tensor, backend::Backend};

/// The picture's side, in the unit that the error is told in.
const SIDE: f32 = 64.0;
/// Errors above it count by how far they are, and no longer by the square (Huber 1964): a point that is taken for another
/// is no worse for lying far away.
const BEND: f32 = 2.0;

/// Huber's loss of the places of points that are seen, in 64ths of the picture, across and down: `[1]`.
///
/// # Shapes
/// - `found`: `[N, K, 2]`, from 0 to 1
/// - `marks`: `[N, K, 3]`, as [`Film`](super::super::Film) tells them
pub fn places<B: Backend>(found: Tensor<B, 3>, marks: Tensor<B, 3>) -> Tensor<B, 1> {
    let (true_places, seen) = (marks.clone().narrow(2, 0, 2), marks.narrow(2, 2, 1));
    let far = (found - true_places).abs() * SIDE;
    let near = far.clone().clamp_max(BEND);
    let lost = near.clone().powi_scalar(2) / (2.0 * BEND) + far - near;
    (lost.sum_dim(2) * seen.clone()).sum() / seen.sum().clamp_min(1.0)
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;

    #[test]
    fn near_points_lose_by_the_square_and_far_ones_by_the_distance() {
        let device = Default::default();
        let check = |found: [[f32; 2]; 2], expect: f32| {
            let found = Tensor::<Flex, 3>::from_floats([found], &device);
            // The second is not seen.
            let marks = Tensor::from_floats([[[0.5, 0.25, 1.0], [0.0, 0.0, 0.0]]], &device);
            let lost = places(found, marks).into_scalar();
            assert!((lost - expect).abs() < 1e-5, "{lost}, not {expect}");
        };
        check([[0.5, 0.25], [0.9, 0.9]], 0.0);
        // One 64th across: 1 / 4.
        check([[0.5 + 1.0 / 64.0, 0.25], [0.9, 0.9]], 0.25);
        // Eight down: 8 - 1; and one across.
        check([[0.5 + 1.0 / 64.0, 0.25 + 8.0 / 64.0], [0.0, 0.0]], 7.25);
    }
}
