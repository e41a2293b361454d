//! Trunk, arms and legs, dressed.

use models::vector::{cross, sub};

use super::super::mesh::{Material, Mesh, Ring, Weights, between, follows, shared};
use super::super::part::Part;
use super::super::person::{Person, Sleeves};
use super::super::rotation::unit;
use super::super::skeleton::{Skeleton, joint};

/// Points around the trunk, and around an arm or a leg.
const ROUND: usize = 24;
const LIMB_ROUND: usize = 14;
/// The trunk from the hips up: height beside the trunk's, half its width and half its depth in metres, its middle
/// to the front.
const TRUNK: [[f32; 4]; 13] = [
    [-0.26, 0.146, 0.095, 0.0],
    [-0.12, 0.160, 0.108, 0.0],
    [0.02, 0.156, 0.108, 0.005],
    [0.14, 0.147, 0.102, 0.007],
    [0.26, 0.138, 0.098, 0.008],
    [0.42, 0.140, 0.100, 0.010],
    [0.58, 0.149, 0.108, 0.010],
    [0.74, 0.158, 0.108, 0.006],
    [0.86, 0.156, 0.096, 0.000],
    [0.95, 0.143, 0.078, -0.008],
    [1.00, 0.118, 0.066, -0.010],
    [1.05, 0.085, 0.057, -0.010],
    [1.085, 0.064, 0.054, -0.008],
];
/// Trousers are worn up to this height of the trunk.
const WAIST: f32 = 0.1;
/// Half an arm's thickness in metres from the shoulder to the wrist, by the share of the way: upper arm, forearm.
const UPPER_ARM: [[f32; 2]; 8] = [
    [-0.42, 0.030],
    [-0.2, 0.047],
    [-0.03, 0.057],
    [0.08, 0.058],
    [0.25, 0.053],
    [0.5, 0.048],
    [0.75, 0.044],
    [0.9, 0.042],
];
const FOREARM: [[f32; 2]; 7] =
    [[-0.02, 0.042], [0.1, 0.043], [0.28, 0.042], [0.5, 0.037], [0.75, 0.031], [0.92, 0.0275], [1.04, 0.026]];
/// Cloth stands off the skin by so much, in metres.
const CLOTH: f32 = 0.006;

/// Adds the trunk and the legs.
pub(super) fn add(mesh: &mut Mesh, skeleton: &Skeleton, person: &Person) {
    let p = &person.proportions;
    let girth = p.girth;
    let wide = p.shoulders / 0.345;
    let rings: Vec<Ring> = TRUNK
        .iter()
        .map(|&[high, half_wide, deep, front]| {
            let lower = high < WAIST;
            let face = match lower {
                true => (Part::LowerClothing, Material::Trousers),
                false => (Part::UpperClothing, Material::Top),
            };
            // Shoulders are bone: they grow with the skeleton, the belly with girth.
            let belly = if high > 0.8 { 1.0 } else { girth };
            Ring {
                centre: [0.0, high * p.trunk, front],
                axes: [[half_wide * wide * belly, 0.0, 0.0], [0.0, 0.0, -deep * girth]],
                square: 1.1,
                weights: spine(skeleton, high * p.trunk),
                face,
            }
        })
        .collect();
    mesh.tube(&rings, ROUND);
    // The collar of the top.
    let collar = |high: f32, grow: f32| Ring {
        centre: [0.0, high * p.trunk, -0.008],
        axes: [[0.064 * grow, 0.0, 0.0], [0.0, 0.0, -0.056 * grow]],
        square: 1.0,
        weights: shared(&[(joint::SPINE3, 0.7), (joint::NECK, 0.3)]),
        face: (Part::UpperClothing, Material::TopTrim),
    };
    mesh.tube(&[collar(1.055, 1.12), collar(1.085, 1.08), collar(1.10, 1.02)], LIMB_ROUND);
    for side in 0..2 {
        add_leg(mesh, skeleton, person, side);
    }
}

/// The trunk follows the joints of the spine that lie next to it.
fn spine(skeleton: &Skeleton, y: f32) -> Weights {
    let chain = [joint::PELVIS, joint::SPINE1, joint::SPINE2, joint::SPINE3];
    let heights = chain.map(|j| skeleton.rest[j][1]);
    let above = heights.iter().rposition(|&h| h <= y).unwrap_or(0);
    match (chain.get(above), chain.get(above + 1)) {
        (Some(&a), Some(&b)) => between(a, b, (y - heights[above]) / (heights[above + 1] - heights[above])),
        _ => follows(joint::SPINE3),
    }
}

/// Adds the arm of a side, from within the trunk to the wrist.
pub(super) fn add_arm(mesh: &mut Mesh, skeleton: &Skeleton, person: &Person, side: usize) {
    let (shoulder, elbow, wrist) = (joint::SHOULDERS[side], joint::ELBOWS[side], joint::WRISTS[side]);
    let girth = person.proportions.girth;
    let out = if side == 0 { 1.0 } else { -1.0 };
    let parts = [[Part::LeftUpperArm, Part::LeftLowerArm], [Part::RightUpperArm, Part::RightLowerArm]][side];
    let covered = match person.sleeves {
        Sleeves::Short => 0.62,
        Sleeves::Half => 1.18,
        Sleeves::Long => 1.95,
    };
    let mut rings = vec![];
    for (lower, from, to, profile) in
        [(false, shoulder, elbow, &UPPER_ARM[..]), (true, elbow, wrist, &FOREARM)]
    {
        let (a, b) = (skeleton.rest[from], skeleton.rest[to]);
        for &[share, thick] in profile {
            let along = share + if lower { 1.0 } else { 0.0 };
            let sleeve = along < covered;
            let weights = match (lower, share) {
                (false, share) if share < 0.3 => {
                    // The shoulder's cap follows collar and arm.
                    between(joint::COLLARS[side], shoulder, (share + 0.3) / 0.42)
                }
                (false, share) => between(shoulder, elbow, (share - 0.82) / 0.36),
                (true, share) if share < 0.5 => between(shoulder, elbow, (share + 0.18) / 0.36),
                (true, share) => between(elbow, wrist, (share - 0.84) / 0.32),
            };
            let thick = thick * girth.sqrt() + if sleeve { CLOTH } else { 0.0 };
            // Wrists are flat, shoulders lie deeper than they are high.
            let (flat, deep) = match along {
                a if a > 1.7 => (0.82, 1.12),
                a if a < 0.0 => (0.9, 1.05),
                _ => (1.0, 1.0),
            };
            rings.push(Ring {
                centre: [0, 1, 2].map(|i| {
                    a[i] + (b[i] - a[i]) * share - if i == 1 { (-along).max(0.0) * 0.06 } else { 0.0 }
                }),
                axes: [[0.0, 0.0, thick * deep], [0.0, thick * flat * out, 0.0]],
                square: 1.0,
                weights,
                face: match sleeve {
                    true if along + 0.13 >= covered => (Part::UpperClothing, Material::TopTrim),
                    true => (Part::UpperClothing, Material::Top),
                    false => (parts[usize::from(lower)], Material::Skin),
                },
            });
        }
    }
    mesh.tube(&rings, LIMB_ROUND);
}

/// Adds the leg of a side, with its shoe.
fn add_leg(mesh: &mut Mesh, skeleton: &Skeleton, person: &Person, side: usize) {
    let joints = [joint::HIPS[side], joint::KNEES[side], joint::ANKLES[side]];
    let face = (Part::LowerClothing, Material::Trousers);
    let girth = person.proportions.girth;
    let mut rings = vec![];
    for (bone, profile) in
        [[[0.0, 0.062], [0.3, 0.07], [0.8, 0.06]], [[0.08, 0.06], [0.4, 0.056], [1.0, 0.05]]]
            .iter()
            .enumerate()
    {
        let (a, b) = (skeleton.rest[joints[bone]], skeleton.rest[joints[bone + 1]]);
        let way = unit(sub(b, a), [0.0, -1.0, 0.0]);
        let across = unit(cross(way, [0.0, 0.0, 1.0]), [1.0, 0.0, 0.0]);
        let deep = cross(way, across);
        for &[share, thick] in profile {
            let thick = thick * girth.sqrt();
            rings.push(Ring {
                centre: [0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * share),
                axes: [across.map(|v| v * thick), deep.map(|v| v * thick)],
                square: 1.0,
                weights: match bone {
                    0 => between(joints[0], joints[1], (share - 0.7) / 0.6),
                    _ => between(joints[0], joints[1], (share + 0.3) / 0.6),
                },
                face,
            });
        }
    }
    mesh.tube(&rings, LIMB_ROUND);
    let [ankle, foot] = [skeleton.rest[joints[2]], skeleton.rest[joint::FEET[side]]];
    let shoe = (if side == 0 { Part::LeftShoe } else { Part::RightShoe }, Material::Shoes);
    let middle = [0, 1, 2].map(|i| (ankle[i] + foot[i]) / 2.0 + if i == 2 { 0.02 } else { 0.0 });
    mesh.ellipsoid(middle, [0.048, 0.045, 0.13], follows(joints[2]), shoe, LIMB_ROUND);
}
