//! What is known of every hand: its bones, their proportions, and how it hangs.

use crate::vector::{add, norm, sub};

use super::body::{Frame, Hand, PALM};

/// Bone lengths of a hand relative to their mean, each by the landmark at its far end (1 to 20).
/// The medians over the fingerspelling clips.
const BONES: [f32; 20] = [
    0.946, 0.897, 0.727, 0.602, 2.256, 1.049, 0.671, 0.503, 2.169, 1.133, 0.663, 0.473, 2.095, 1.053, 0.563,
    0.443, 2.097, 0.807, 0.461, 0.392,
];

/// The landmark that each landmark of a hand hangs on; the wrist hangs on itself.
pub const PARENTS: [usize; 21] = [0, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19];

/// A hand that hangs relaxed at a resting wrist.
pub fn relaxed_hand(side: usize) -> Hand {
    // The signer's left hand seen from its thumb side, fingers down and a little bent;
    // directions count, the lengths are those of `BONES`.
    const LEFT: Hand = [
        [0.0, 0.0, 0.0],
        [-0.22, 0.2, -0.12],
        [-0.3, 0.48, -0.22],
        [-0.3, 0.76, -0.26],
        [-0.28, 0.98, -0.28],
        [-0.14, 0.95, -0.22],
        [-0.16, 1.35, -0.3],
        [-0.15, 1.6, -0.26],
        [-0.13, 1.78, -0.2],
        [0.0, 1.0, -0.08],
        [-0.02, 1.44, -0.14],
        [-0.02, 1.7, -0.1],
        [0.0, 1.88, -0.04],
        [0.1, 0.96, 0.06],
        [0.1, 1.36, 0.02],
        [0.1, 1.6, 0.06],
        [0.1, 1.76, 0.12],
        [0.18, 0.88, 0.2],
        [0.2, 1.18, 0.18],
        [0.2, 1.36, 0.22],
        [0.2, 1.5, 0.26],
    ];
    let mut hand = [Frame::rest().wrists[side]; 21];
    for k in 1..21 {
        let parent = PARENTS[k];
        let [x, y, z] = sub(LEFT[k], LEFT[parent]);
        let bone = [if side == 0 { x } else { -x }, y, z];
        let length = PALM * BONES[k - 1] / BONES[8];
        hand[k] = add(hand[parent], bone.map(|v| v * length / norm(bone)));
    }
    hand
}

/// What the depth of a clip's hands must be multiplied by to be in the scale of x.
///
/// The published fingerspelling clips were scaled with depth in another unit than
/// x and y, so that their hands are flat. A hand's bones have known proportions:
/// the factor is the one that fits them best. Hands that are not flat keep theirs.
pub(super) fn depth_scale(hands: &[Hand]) -> f32 {
    let spread = |axis: usize| {
        hands.iter().map(|h| (1..21).map(|k| (h[k][axis] - h[0][axis]).abs()).sum::<f32>()).sum::<f32>()
    };
    let flat = spread(0).max(spread(1));
    if spread(2) > 0.05 * flat || flat == 0.0 {
        return 1.0;
    }
    let misfit = |factor: f32| {
        hands
            .iter()
            .map(|h| {
                let lengths: [f32; 20] = std::array::from_fn(|i| {
                    let d = sub(h[i + 1], h[PARENTS[i + 1]]);
                    norm([d[0], d[1], d[2] * factor])
                });
                let mean = (lengths.iter().sum::<f32>() / 20.0).max(1e-6);
                lengths.iter().zip(BONES).map(|(l, b)| (l / mean - b).powi(2)).sum::<f32>()
            })
            .sum::<f32>()
    };
    let factors = (0..=60).map(|i| 20.0 * 200f32.powf(i as f32 / 60.0));
    factors.min_by(|&a, &b| misfit(a).total_cmp(&misfit(b))).unwrap_or(1.0)
}
