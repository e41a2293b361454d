//! YUYV, the raw format of webcams, to red, green and blue.

/// Converts a picture of two-byte pixels (Y₀ U Y₁ V), BT.601 at video levels.
///
/// `stride` is the number of bytes between two rows' starts. `None` where the
/// bytes are too few for the size.
///
/// # Shapes
/// - returns: `[height, width, 3]`
pub fn yuyv_to_rgb(bytes: &[u8], width: usize, height: usize, stride: usize) -> Option<Vec<u8>> {
    // Two pixels share their colour, so a row of odd width still ends in a whole pair.
    let row_bytes = width.div_ceil(2).checked_mul(4)?;
    let needed = stride.checked_mul(height.checked_sub(1)?)?.checked_add(row_bytes)?;
    if width == 0 || stride < row_bytes || bytes.len() < needed {
        return None;
    }
    let mut rgb = Vec::with_capacity(width * height * 3);
    for row in 0..height {
        let pairs = bytes[row * stride..][..row_bytes].chunks_exact(4);
        let pixels = pairs.flat_map(|p| [[p[0], p[1], p[3]], [p[2], p[1], p[3]]]);
        rgb.extend(pixels.take(width).flat_map(convert));
    }
    Some(rgb)
}

/// The matrix of ITU-R BT.601 in 8 fractional bits.
fn convert([y, u, v]: [u8; 3]) -> [u8; 3] {
    let y = 298 * (i32::from(y) - 16) + 128;
    let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
    [y + 409 * v, y - 100 * u - 208 * v, y + 516 * u].map(|c| (c >> 8).clamp(0, 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(yuv: [u8; 3], expect: [u8; 3]) {
        let [y, u, v] = yuv;
        let got = yuyv_to_rgb(&[y, u, y, v], 2, 1, 4).unwrap();
        let near = got.iter().zip([expect, expect].concat()).all(|(a, b)| a.abs_diff(b) <= 1);
        assert!(near, "{yuv:?}: {got:?} instead of {expect:?}");
    }

    #[test]
    fn the_colour_bars_of_bt_601() {
        check([235, 128, 128], [255, 255, 255]);
        check([16, 128, 128], [0, 0, 0]);
        check([81, 90, 240], [255, 0, 0]);
        check([145, 54, 34], [0, 255, 0]);
        check([41, 240, 110], [0, 0, 255]);
        check([126, 128, 128], [128, 128, 128]);
    }

    #[test]
    fn two_pixels_share_their_colour_and_rows_may_be_padded() {
        let bytes = [235, 128, 16, 128, 9, 9, 16, 128, 235, 128];
        let rgb = yuyv_to_rgb(&bytes, 2, 2, 6).unwrap();
        assert_eq!(rgb, [255, 255, 255, 0, 0, 0, 0, 0, 0, 255, 255, 255]);
        assert_eq!(yuyv_to_rgb(&bytes[..4], 1, 1, 4).unwrap(), [255; 3]);
    }

    #[test]
    fn too_few_bytes_are_no_picture() {
        assert_eq!(yuyv_to_rgb(&[0; 7], 2, 2, 4), None);
        assert_eq!(yuyv_to_rgb(&[0; 8], 2, 2, 2), None);
        assert_eq!(yuyv_to_rgb(&[], 0, 0, 0), None);
        assert_eq!(yuyv_to_rgb(&[0; 8], usize::MAX, usize::MAX, usize::MAX), None);
    }
}
