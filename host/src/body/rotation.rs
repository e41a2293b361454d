//! Rotations: matrices row by row, and axis-angle as SMPL-X stores it (Rodrigues' formula).

use models::vector::norm;

/// x, y and z.
pub type Vec3 = [f32; 3];
/// A matrix, row by row.
pub type Mat3 = [[f32; 3]; 3];

/// No rotation.
pub const IDENTITY: Mat3 = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// The matrix of a rotation by `|axis_angle|` radians about its direction.
pub fn from_axis_angle(axis_angle: Vec3) -> Mat3 {
    let angle = norm(axis_angle);
    if angle < 1e-8 {
        return IDENTITY;
    }
    about(axis_angle.map(|v| v / angle), angle)
}

/// The matrix of a rotation by an angle in radians about an axis of length 1.
pub fn about([x, y, z]: Vec3, angle: f32) -> Mat3 {
    let (s, c) = angle.sin_cos();
    let r = 1.0 - c;
    [
        [c + x * x * r, x * y * r - z * s, x * z * r + y * s],
        [y * x * r + z * s, c + y * y * r, y * z * r - x * s],
        [z * x * r - y * s, z * y * r + x * s, c + z * z * r],
    ]
}

/// The axis-angle of a rotation, of an angle from 0 to π.
pub fn to_axis_angle(m: &Mat3) -> Vec3 {
    // By way of the quaternion, which is exact near π as well (Shepperd 1978).
    let t = m[0][0] + m[1][1] + m[2][2];
    let (w, v) = if t > 0.0 {
        let s = (t + 1.0).sqrt() * 2.0;
        (0.25 * s, [(m[2][1] - m[1][2]) / s, (m[0][2] - m[2][0]) / s, (m[1][0] - m[0][1]) / s])
    } else {
        let i = (0..3).max_by(|&a, &b| m[a][a].total_cmp(&m[b][b])).expect("there are three axes");
        let (j, k) = ((i + 1) % 3, (i + 2) % 3);
        let s = (1.0 + m[i][i] - m[j][j] - m[k][k]).max(1e-12).sqrt() * 2.0;
        let mut v = [0.0; 3];
        v[i] = 0.25 * s;
        v[j] = (m[j][i] + m[i][j]) / s;
        v[k] = (m[k][i] + m[i][k]) / s;
        ((m[k][j] - m[j][k]) / s, v)
    };
    let (w, v) = if w < 0.0 { (-w, v.map(|x| -x)) } else { (w, v) };
    let length = norm(v);
    if length < 1e-9 {
        return [0.0; 3];
    }
    let angle = 2.0 * length.atan2(w);
    v.map(|x| x / length * angle)
}

/// `a` after `b`.
pub fn mul(a: &Mat3, b: &Mat3) -> Mat3 {
    std::array::from_fn(|i| {
        std::array::from_fn(|j| a[i][0] * b[0][j] + a[i][1] * b[1][j] + a[i][2] * b[2][j])
    })
}

/// A turned point.
pub fn apply(m: &Mat3, p: Vec3) -> Vec3 {
    [0, 1, 2].map(|i| m[i][0] * p[0] + m[i][1] * p[1] + m[i][2] * p[2])
}

/// The rotation back.
pub fn transposed(m: &Mat3) -> Mat3 {
    std::array::from_fn(|i| std::array::from_fn(|j| m[j][i]))
}

/// A direction of length 1; `instead` where there is none.
pub fn unit(v: Vec3, instead: Vec3) -> Vec3 {
    let length = norm(v);
    if length > 1e-9 { v.map(|x| x / length) } else { instead }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(axis_angle: Vec3, of: Vec3, expect: Vec3) {
        let m = from_axis_angle(axis_angle);
        let got = apply(&m, of);
        assert!((0..3).all(|i| (got[i] - expect[i]).abs() < 1e-5), "{axis_angle:?}: {got:?}");
        let back = from_axis_angle(to_axis_angle(&m));
        let far = (0..9).map(|i| (back[i / 3][i % 3] - m[i / 3][i % 3]).abs()).fold(0.0, f32::max);
        assert!(far < 1e-4, "{axis_angle:?} comes back as {:?}", to_axis_angle(&m));
        let whole = mul(&m, &transposed(&m));
        assert!((0..3).all(|i| (whole[i][i] - 1.0).abs() < 1e-5));
    }

    #[test]
    fn rotations_turn_and_come_back() {
        use std::f32::consts::{FRAC_PI_2, PI};
        check([0.0; 3], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]);
        check([0.0, 0.0, FRAC_PI_2], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]);
        check([PI, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, -1.0, 0.0]);
        check([0.0, -PI, 0.0], [1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]);
        check([0.0, 3.0, 0.0], [0.0, 5.0, 0.0], [0.0, 5.0, 0.0]);
        check([1e-5, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1e-5]);
    }
}
