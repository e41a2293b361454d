//! A hand: the palm, and five fingers that stand by themselves.

use models::vector::{self, cross, norm, sub};

use super::super::mesh::{Material, Mesh, Ring, between, follows};
use super::super::part::Part;
use super::super::person::Person;
use super::super::rotation::{Vec3, unit};
use super::super::skeleton::{FINGERS, Skeleton, joint};

/// Points around a finger, and around the palm.
const ROUND: usize = 8;
const PALM_ROUND: usize = 14;
/// Half a finger's thickness at its knuckle, its joints and its tip beside the palm's length: thumb, index, middle,
/// ring, little.
const THICK: [[f32; 4]; 5] = [
    [0.165, 0.130, 0.112, 0.090],
    [0.108, 0.098, 0.088, 0.072],
    [0.110, 0.100, 0.090, 0.074],
    [0.104, 0.095, 0.085, 0.070],
    [0.092, 0.082, 0.074, 0.062],
];
/// The palm from the wrist on, beside its length: how far along, half its width, half its thickness, its middle
/// towards the thumb.
const PALM: [[f32; 4]; 6] = [
    [-0.10, 0.24, 0.15, 0.0],
    [0.10, 0.31, 0.19, 0.0],
    [0.40, 0.39, 0.18, -0.02],
    [0.75, 0.44, 0.155, -0.05],
    [0.97, 0.43, 0.125, -0.06],
    [1.06, 0.38, 0.08, -0.06],
];
/// The palm ends nearer to the wrist on the little finger's side.
const SLANT: f32 = 0.32;

/// Adds the hand of a side.
pub(super) fn add(mesh: &mut Mesh, skeleton: &Skeleton, person: &Person, side: usize) {
    let palm = person.proportions.palm;
    let face = ([Part::LeftHand, Part::RightHand][side], Material::Skin);
    let wrist_joint = joint::WRISTS[side];
    let wrist = skeleton.rest[wrist_joint];
    let out = if side == 0 { 1.0 } else { -1.0 };
    let rings: Vec<Ring> = PALM
        .iter()
        .map(|&[along, wide, thick, aside]| Ring {
            centre: [
                wrist[0] + out * palm * (along + SLANT * aside.min(0.0)),
                wrist[1] - 0.02 * palm,
                wrist[2] + aside * palm,
            ],
            // The slanted end: what lies towards the thumb lies farther along.
            axes: [
                [out * palm * SLANT * wide * along.clamp(0.0, 1.0) * 0.5, 0.0, wide * palm],
                [0.0, thick * palm * out, 0.0],
            ],
            square: 1.35,
            weights: follows(wrist_joint),
            face,
        })
        .collect();
    mesh.tube(&rings, PALM_ROUND);
    for (f, &finger) in FINGERS.iter().enumerate() {
        let first = joint::HANDS[side] + finger;
        let joints = [wrist_joint, first, first + 1, first + 2];
        let places: [Vec3; 4] = [
            skeleton.rest[first],
            skeleton.rest[first + 1],
            skeleton.rest[first + 2],
            skeleton.tips[side][f],
        ];
        add_finger(mesh, joints, places, THICK[f].map(|t| t * palm), face, f == 0);
    }
}

/// A finger: `joints` from the palm on, `places` of its three joints and its tip.
fn add_finger(
    mesh: &mut Mesh,
    joints: [usize; 4],
    places: [Vec3; 4],
    thick: [f32; 4],
    face: (Part, Material),
    thumb: bool,
) {
    let way = unit(sub(places[3], places[0]), [1.0, 0.0, 0.0]);
    let across = unit(cross([0.0, 1.0, 0.0], way), [0.0, 0.0, 1.0]);
    let up = cross(way, across);
    let ring = |centre: Vec3, thick: f32, weights| Ring {
        centre,
        axes: [across.map(|v| v * thick), up.map(|v| v * thick * 0.92)],
        square: 1.0,
        weights,
        face,
    };
    let mut rings = vec![];
    // It begins within the palm, so that no gap opens when it bends.
    let root = if thumb { 0.25 } else { 0.45 };
    let long = norm(sub(places[1], places[0]));
    let back = vector::add(places[0], way.map(|v| -v * long * root));
    rings.push(ring(back, thick[0] * 0.9, follows(joints[0])));
    for bone in 0..3 {
        let (from, to) = (places[bone], places[bone + 1]);
        let at = |share: f32| [0, 1, 2].map(|i| from[i] + (to[i] - from[i]) * share);
        let wide = |share: f32| thick[bone] + (thick[bone + 1] - thick[bone]) * share;
        // Around each joint the skin follows both bones.
        for (share, place) in [(-0.14, 0.15), (0.0, 0.5), (0.14, 0.85)] {
            if share < 0.0 && bone == 0 {
                continue;
            }
            let knuckle = if share == 0.0 { 1.05 } else { 1.0 };
            rings.push(ring(
                at(share),
                wide(share.max(0.0)) * knuckle,
                between(joints[bone], joints[bone + 1], place),
            ));
        }
        rings.push(ring(at(0.5), wide(0.5) * 0.97, follows(joints[bone + 1])));
    }
    // A round tip.
    let last = places[3];
    let end = joints[3];
    for (share, wide) in [(0.55, 1.0), (0.8, 0.93), (0.95, 0.7), (1.04, 0.35)] {
        let at = [0, 1, 2].map(|i| places[2][i] + (last[i] - places[2][i]) * share);
        rings.push(ring(at, thick[3] * wide, follows(end)));
    }
    mesh.tube(&rings, ROUND);
}
