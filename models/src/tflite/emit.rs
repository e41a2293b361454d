//! Arithmetic of the conversion: weights in another order of axes, and TFLite's padding.

use super::Window;

/// Zeros around an image: top, left, bottom, right, as ONNX counts them.
pub(super) type Padding = [usize; 4];

/// The values of a tensor with its axes in another order: axis `i` of the result is axis `to[i]`.
///
/// # Shapes
/// - `values`: `shape`, row-major
/// - returns: `[shape[to[0]], shape[to[1]], shape[to[2]], shape[to[3]]]`, row-major
pub(super) fn permuted(values: &[f32], shape: [usize; 4], to: [usize; 4]) -> Vec<f32> {
    let strides = [shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1];
    let (size, step) = (to.map(|axis| shape[axis]), to.map(|axis| strides[axis]));
    let mut result = Vec::with_capacity(values.len());
    for a in 0..size[0] {
        for b in 0..size[1] {
            for c in 0..size[2] {
                let row = a * step[0] + b * step[1] + c * step[2];
                result.extend((0..size[3]).map(|d| values[row + d * step[3]]));
            }
        }
    }
    result
}

/// The zeros that keep `⌈size / stride⌉` windows: where their number is odd, the odd one is at the bottom or right.
pub(super) fn same_padding(size: [usize; 2], window: [usize; 2], moves: Window) -> Padding {
    let along = |axis: usize| {
        let (stride, reach) = (moves.stride[axis], (window[axis] - 1) * moves.dilation[axis] + 1);
        let total = ((size[axis].div_ceil(stride) - 1) * stride + reach).saturating_sub(size[axis]);
        (total / 2, total - total / 2)
    };
    let ((top, bottom), (left, right)) = (along(0), along(1));
    [top, left, bottom, right]
}

/// Zeros around zeros.
pub(super) fn joined(a: Padding, b: Padding) -> Padding {
    [0, 1, 2, 3].map(|side| a[side] + b[side])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permuting_moves_the_last_axis_to_the_front() {
        let values: Vec<f32> = (0..24u8).map(f32::from).collect();
        let image = permuted(&values, [1, 2, 3, 4], [0, 3, 1, 2]);
        assert_eq!(image[..7], [0.0, 4.0, 8.0, 12.0, 16.0, 20.0, 1.0]);
        assert_eq!(permuted(&image, [1, 4, 2, 3], [0, 2, 3, 1]), values);
    }

    #[track_caller]
    fn check(size: usize, window: usize, stride: usize, dilation: usize, expect: (usize, usize)) {
        let moves = Window { same: true, stride: [stride; 2], dilation: [dilation; 2] };
        let [top, left, bottom, right] = same_padding([size; 2], [window; 2], moves);
        assert_eq!(((top, bottom), (left, right)), (expect, expect));
    }

    #[test]
    fn the_odd_zero_is_behind() {
        check(192, 5, 2, 1, (1, 2));
        check(192, 3, 1, 1, (1, 1));
        check(7, 3, 2, 1, (1, 1));
        check(8, 2, 2, 1, (0, 0));
        check(3, 2, 2, 1, (0, 1));
        check(8, 1, 2, 1, (0, 0));
        check(8, 3, 1, 2, (2, 2));
    }
}
