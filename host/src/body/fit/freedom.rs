//! How joints can turn: about which axes, how far, and where they like to be.
//!
//! Shoulders turn forward and up, elbows are hinges that also turn the forearm, fingers bend and spread. The
//! limits are those of tables of joint mobility (Norkin and White, Measurement of Joint Motion), with some
//! room, because landmarks are not quite joints.

use models::vector::cross;

use super::super::rotation::{Vec3, unit};
use super::super::skeleton::{JOINTS, PARENTS, joint};

/// A turn of one joint about one axis. Those of a joint stand in the order in which they are applied from outside.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Freedom {
    pub joint: usize,
    /// In the joint's own frame at rest, of length 1.
    pub axis: Vec3,
    /// Least and most, in radians.
    pub limits: [f32; 2],
    /// Where it is when nothing is seen, and how far it strays from there, in radians.
    pub rest: f32,
    pub stray: f32,
    /// How far it turns from frame to frame at 25 frames a second, in radians.
    pub pace: f32,
}

const X: Vec3 = [1.0, 0.0, 0.0];
const Y: Vec3 = [0.0, 1.0, 0.0];
const Z: Vec3 = [0.0, 0.0, 1.0];

/// All freedoms, joint after joint.
pub(super) fn freedoms() -> Vec<Freedom> {
    use joint::*;
    let mut all = vec![];
    let mut add = |joint: usize, axis: Vec3, limits: [f32; 2], rest: f32, stray: f32, pace: f32| {
        all.push(Freedom { joint, axis: unit(axis, X), limits, rest, stray, pace });
    };
    add(PELVIS, Y, [-1.2, 1.2], 0.0, 0.3, 0.05);
    add(PELVIS, X, [-0.4, 0.5], 0.0, 0.08, 0.03);
    add(PELVIS, Z, [-0.4, 0.4], 0.0, 0.15, 0.03);
    add(SPINE1, X, [-0.3, 0.5], 0.0, 0.06, 0.03);
    add(SPINE1, Z, [-0.3, 0.3], 0.0, 0.08, 0.03);
    add(SPINE3, X, [-0.2, 0.3], 0.0, 0.06, 0.03);
    add(SPINE3, Y, [-0.4, 0.4], 0.0, 0.1, 0.05);
    add(SPINE3, Z, [-0.2, 0.2], 0.0, 0.06, 0.03);
    add(NECK, X, [-0.4, 0.4], 0.0, 0.15, 0.1);
    add(NECK, Y, [-0.5, 0.5], 0.0, 0.2, 0.1);
    add(NECK, Z, [-0.3, 0.3], 0.0, 0.15, 0.1);
    add(HEAD, X, [-0.5, 0.6], 0.0, 0.25, 0.1);
    add(HEAD, Y, [-0.9, 0.9], 0.0, 0.4, 0.1);
    add(HEAD, Z, [-0.4, 0.4], 0.0, 0.2, 0.1);
    add(JAW, X, [0.0, 0.5], 0.02, 0.3, 0.15);
    for (side, out) in [(0, 1.0), (1, -1.0)] {
        // What turns about x looks alike in a mirror, what turns about y and z is the other way round.
        let mirrored = |[x, y, z]: Vec3| [x, y * out, z * out];
        let [y, z] = [Y, Z].map(mirrored);
        add(COLLARS[side], z, [-0.2, 0.5], 0.0, 0.1, 0.06);
        add(COLLARS[side], y, [-0.4, 0.3], 0.0, 0.1, 0.06);
        add(SHOULDERS[side], z, [-1.75, 1.7], -1.2, 0.8, 0.15);
        add(SHOULDERS[side], y, [-2.3, 0.45], -0.4, 0.6, 0.15);
        add(SHOULDERS[side], X, [-2.2, 2.2], 0.2, 0.8, 0.15);
        add(ELBOWS[side], y, [-2.65, 0.03], -1.0, 1.2, 0.2);
        add(ELBOWS[side], X, [-1.7, 1.7], 0.0, 0.9, 0.2);
        add(WRISTS[side], z, [-1.4, 1.3], 0.0, 0.5, 0.2);
        add(WRISTS[side], y, [-0.6, 0.7], 0.0, 0.3, 0.15);
        let hand = HANDS[side];
        for (finger, pointing) in
            [(INDEX, [1.0, 0.0, 0.05]), (MIDDLE, X), (RING, [1.0, 0.0, -0.06]), (PINKY, [1.0, 0.0, -0.14])]
        {
            // A finger bends in the plane of its own bones and the palm's back.
            let bend = mirrored([-pointing[2], 0.0, pointing[0]]);
            add(hand + finger, y, [-0.35, 0.35], 0.0, 0.15, 0.15);
            add(hand + finger, bend, [-1.7, 0.45], -0.25, 0.8, 0.35);
            add(hand + finger + 1, bend, [-1.95, 0.1], -0.3, 0.8, 0.35);
            add(hand + finger + 2, bend, [-1.4, 0.15], -0.15, 0.5, 0.35);
        }
        // The thumb bends across the palm, and its first joint is a saddle.
        let pointing = unit([0.70, -0.22, 0.68], X);
        let bend = [0.322, 0.946, -0.025];
        let stand_off = unit(cross(pointing, bend), Y);
        let thumb = hand + THUMB;
        add(thumb, mirrored(stand_off), [-0.8, 0.9], 0.0, 0.4, 0.25);
        add(thumb, mirrored(bend), [-0.7, 0.9], 0.1, 0.4, 0.25);
        add(thumb, mirrored(pointing), [-0.8, 0.8], 0.0, 0.3, 0.25);
        add(thumb + 1, mirrored(bend), [-0.3, 1.1], 0.15, 0.5, 0.3);
        add(thumb + 2, mirrored(bend), [-0.4, 1.4], 0.2, 0.5, 0.3);
    }
    all.sort_by_key(|freedom| freedom.joint);
    all
}

/// Whether a joint hangs on another, or is it.
pub(super) fn hangs_on(mut joint: usize, other: usize) -> bool {
    while joint > other {
        joint = PARENTS[joint];
    }
    joint == other
}

/// `[55]`: the numbers of the freedoms that move each joint and what is fixed to it.
pub(super) fn chains(freedoms: &[Freedom]) -> Vec<Vec<usize>> {
    let moves = |joint: usize| {
        (0..freedoms.len()).filter(|&f| hangs_on(joint, freedoms[f].joint)).collect::<Vec<_>>()
    };
    (0..JOINTS).map(moves).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finger_is_moved_by_its_arm_alone() {
        let freedoms = freedoms();
        let chains = chains(&freedoms);
        let tip = joint::HANDS[1] + joint::INDEX + 2;
        let moved: Vec<usize> = chains[tip].iter().map(|&f| freedoms[f].joint).collect();
        assert!(moved.contains(&joint::WRISTS[1]) && moved.contains(&joint::SPINE3));
        assert!(!moved.contains(&joint::WRISTS[0]) && !moved.contains(&joint::NECK));
        for f in &freedoms {
            assert!(f.limits[0] <= f.rest && f.rest <= f.limits[1], "{f:?}");
        }
    }
}
