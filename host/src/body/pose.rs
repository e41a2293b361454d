//! How a person stands: a rotation a joint, and where the joints come to stand by it.

use super::rotation::{Mat3, Vec3, apply, from_axis_angle, mul};
use super::skeleton::{JOINTS, PARENTS, Skeleton};
use models::vector::{add, sub};

/// The rotations of all joints, as SMPL-X stores them.
#[derive(Debug, Clone, PartialEq)]
pub struct BodyPose {
    /// `[55]` rotations from rest, each in the frame of its parent, axis-angle in radians. Hands are flat at rest.
    pub rotations: [Vec3; JOINTS],
    /// Where the pelvis stands, in metres.
    pub place: Vec3,
}

impl Default for BodyPose {
    fn default() -> Self {
        Self { rotations: [[0.0; 3]; JOINTS], place: [0.0; 3] }
    }
}

/// Where joints stand, and how they are turned.
#[derive(Debug, Clone)]
pub struct Posed {
    /// `[55]` rotations from rest.
    pub turned: [Mat3; JOINTS],
    /// `[55]` places in metres.
    pub at: [Vec3; JOINTS],
}

impl Posed {
    /// Forward kinematics.
    pub fn new(skeleton: &Skeleton, pose: &BodyPose) -> Self {
        let local = std::array::from_fn(|j| from_axis_angle(pose.rotations[j]));
        Self::of(skeleton, &local, pose.place)
    }

    /// Forward kinematics of rotations as matrices.
    pub fn of(skeleton: &Skeleton, local: &[Mat3; JOINTS], place: Vec3) -> Self {
        let mut posed = Self { turned: *local, at: [place; JOINTS] };
        for joint in 1..JOINTS {
            let parent = PARENTS[joint];
            let bone = sub(skeleton.rest[joint], skeleton.rest[parent]);
            posed.at[joint] = add(posed.at[parent], apply(&posed.turned[parent], bone));
            posed.turned[joint] = mul(&posed.turned[parent], &local[joint]);
        }
        posed
    }

    /// Where a point that is fixed to a joint stands; `rest` is its place at rest.
    pub fn point(&self, skeleton: &Skeleton, joint: usize, rest: Vec3) -> Vec3 {
        add(self.at[joint], apply(&self.turned[joint], sub(rest, skeleton.rest[joint])))
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::FRAC_PI_2;

    use super::super::skeleton::{Proportions, joint};
    use super::*;

    #[test]
    fn an_arm_that_is_turned_down_hangs() {
        let skeleton = Skeleton::new(&Proportions::default());
        let mut pose = BodyPose { place: [0.0, 1.0, 0.0], ..BodyPose::default() };
        pose.rotations[joint::SHOULDERS[0]] = [0.0, 0.0, -FRAC_PI_2];
        let posed = Posed::new(&skeleton, &pose);
        let (shoulder, wrist) = (posed.at[joint::SHOULDERS[0]], posed.at[joint::WRISTS[0]]);
        assert!((wrist[0] - shoulder[0]).abs() < 1e-4, "straight below");
        assert!((shoulder[1] - wrist[1] - 0.525).abs() < 1e-4, "as far as the arm is long");
        let still = Posed::new(&skeleton, &BodyPose::default());
        let far = |(a, b): (&Vec3, &Vec3)| models::vector::norm(sub(*a, *b));
        assert!(still.at.iter().zip(&skeleton.rest).map(far).all(|far| far < 1e-5), "at rest nothing moves");
    }
}
