//! Neck, head, face and hair.

use super::super::mesh::{Material, Mesh, Ring, Weights, between, follows, shared};
use super::super::part::Part;
use super::super::person::{HairStyle, Person};
use super::super::rotation::Vec3;
use super::super::skeleton::{Skeleton, joint};

/// Points around the head, and around its smaller parts.
const ROUND: usize = 24;
const SMALL: usize = 10;
/// A usual head from the chin up, from its joint in metres: height, half its width, half its depth, its middle to
/// the front.
const HEAD: [[f32; 4]; 14] = [
    [-0.062, 0.016, 0.014, 0.068],
    [-0.055, 0.030, 0.028, 0.060],
    [-0.040, 0.045, 0.046, 0.044],
    [-0.020, 0.056, 0.063, 0.026],
    [0.005, 0.063, 0.076, 0.014],
    [0.030, 0.068, 0.084, 0.008],
    [0.060, 0.071, 0.088, 0.002],
    [0.085, 0.073, 0.092, -0.002],
    [0.115, 0.074, 0.094, -0.006],
    [0.140, 0.070, 0.089, -0.009],
    [0.160, 0.061, 0.078, -0.011],
    [0.175, 0.048, 0.062, -0.012],
    [0.186, 0.030, 0.040, -0.012],
    [0.191, 0.012, 0.016, -0.012],
];
const FACE: Part = Part::FaceNeck;

/// Adds all of it.
pub(super) fn add(mesh: &mut Mesh, skeleton: &Skeleton, person: &Person) {
    let size = person.proportions.head;
    let head = skeleton.rest[joint::HEAD];
    let at = |x: f32, y: f32, z: f32| [head[0] + x * size, head[1] + y * size, head[2] + z * size];
    neck(mesh, skeleton, person);
    let rings: Vec<Ring> = HEAD
        .iter()
        .map(|&[y, wide, deep, front]| Ring {
            centre: at(0.0, y, front),
            axes: [[wide * size, 0.0, 0.0], [0.0, 0.0, -deep * size]],
            square: 1.05,
            weights: jaw_share(y),
            face: (FACE, Material::Skin),
        })
        .collect();
    mesh.tube(&rings, ROUND);
    let on_head = follows(joint::HEAD);
    let mut ball = |centre: [f32; 3], half: [f32; 3], weights: Weights, part: Part, material: Material| {
        let centre = at(centre[0], centre[1], centre[2]);
        mesh.ellipsoid(centre, half.map(|v| v * size), weights, (part, material), SMALL);
    };
    // The nose: its back, its tip and its wings.
    ball([0.0, 0.060, 0.090], [0.0085, 0.024, 0.012], on_head, FACE, Material::Skin);
    ball([0.0, 0.036, 0.098], [0.0120, 0.011, 0.013], on_head, FACE, Material::Skin);
    for (side, out) in [(0, 1.0), (1, -1.0)] {
        ball([out * 0.010, 0.032, 0.090], [0.007, 0.006, 0.008], on_head, FACE, Material::Skin);
        ball([out * 0.077, 0.050, -0.004], [0.009, 0.030, 0.019], on_head, FACE, Material::Skin);
        let eye = follows(joint::EYES[side]);
        ball([out * 0.031, 0.076, 0.079], [0.0145, 0.0078, 0.0085], eye, FACE, Material::EyeWhite);
        ball([out * 0.031, 0.076, 0.0838], [0.0066, 0.0068, 0.0048], eye, FACE, Material::Iris);
        // The lid above the eye, and the brow.
        ball([out * 0.031, 0.0845, 0.0805], [0.0165, 0.0042, 0.0075], on_head, FACE, Material::Skin);
        ball([out * 0.033, 0.0985, 0.0845], [0.0175, 0.0036, 0.0052], on_head, FACE, Material::Hair);
    }
    let jaw = follows(joint::JAW);
    ball([0.0, -0.0105, 0.0835], [0.0160, 0.0030, 0.0050], on_head, Part::UpperTeeth, Material::Teeth);
    ball([0.0, -0.0070, 0.0870], [0.0240, 0.0048, 0.0062], on_head, Part::UpperLip, Material::Lips);
    ball([0.0, -0.0165, 0.0860], [0.0205, 0.0058, 0.0068], jaw, Part::LowerLip, Material::Lips);
    // The mouth's inside stretches from lip to lip.
    let inside =
        [(-0.0180, 0.2), (-0.0155, 0.8), (-0.0125, 1.0), (-0.0095, 0.8), (-0.0070, 0.2)].map(|(y, wide)| {
            Ring {
                centre: at(0.0, y, 0.0850),
                axes: [[0.0190 * wide * size, 0.0, 0.0], [0.0, 0.0, -0.0062 * (0.6 + 0.4 * wide) * size]],
                square: 1.0,
                weights: between(joint::JAW, joint::HEAD, (y + 0.0155) / 0.006),
                face: (Part::Tongue, Material::Mouth),
            }
        });
    mesh.tube(&inside, SMALL);
    hair(mesh, person, at);
}

/// Chin and lower jaw follow the jaw, the rest the head.
fn jaw_share(y: f32) -> Weights {
    between(joint::JAW, joint::HEAD, (y + 0.045) / 0.05)
}

fn neck(mesh: &mut Mesh, skeleton: &Skeleton, person: &Person) {
    let (below, head) = (skeleton.rest[joint::NECK], skeleton.rest[joint::HEAD]);
    let top = person.proportions.trunk;
    let thick = person.proportions.girth.sqrt();
    let ring = |y: f32, z: f32, wide: f32, weights: Weights| Ring {
        centre: [0.0, y, z],
        axes: [[wide * thick, 0.0, 0.0], [0.0, 0.0, -wide * thick * 1.02]],
        square: 1.0,
        weights,
        face: (FACE, Material::Skin),
    };
    let middle = (below[1] + head[1]) / 2.0;
    let rings = [
        ring(top * 1.01, -0.012, 0.050, follows(joint::SPINE3)),
        ring(below[1], -0.010, 0.056, shared(&[(joint::SPINE3, 0.4), (joint::NECK, 0.6)])),
        ring(middle, -0.006, 0.053, follows(joint::NECK)),
        ring(head[1] - 0.005, 0.0, 0.054, shared(&[(joint::NECK, 0.5), (joint::HEAD, 0.5)])),
        ring(head[1] + 0.03, 0.004, 0.054, follows(joint::HEAD)),
    ];
    mesh.tube(&rings, ROUND);
}

/// Hair: a grid around the head that is left out where the face is.
fn hair(mesh: &mut Mesh, person: &Person, at: impl Fn(f32, f32, f32) -> Vec3) {
    // How far hair stands off, where its line runs above the brow, and how low it reaches at the ears and behind.
    let (off, brow, side, back): (f32, f32, f32, f32) = match person.hair_style {
        HairStyle::Bald => return,
        HairStyle::Short => (0.009, 0.132, 0.045, 0.01),
        HairStyle::Bob => (0.016, 0.128, -0.055, -0.070),
        HairStyle::Long => (0.018, 0.130, -0.110, -0.170),
        HairStyle::Tied => (0.007, 0.134, 0.060, 0.010),
    };
    const COLUMNS: usize = 32;
    let lowest = side.min(back);
    let start = mesh.vertices.len() as u32;
    // Rows from the crown down; below the head's widest place hair hangs.
    let rows: Vec<[f32; 4]> = {
        let mut rows: Vec<[f32; 4]> =
            HEAD.iter().rev().copied().filter(|row| row[0] > 0.0f32.max(lowest)).collect();
        let mut y = 0.0;
        while y >= lowest + 0.02 {
            let narrow = 1.0 + y * 0.6;
            rows.push([y, 0.075 * narrow, 0.080 * narrow, -0.014]);
            y -= 0.02;
        }
        rows
    };
    // How low hair reaches in a direction: 1 is the front, −1 the back.
    let line = |front: f32| match front {
        f if f > 0.55 => brow - 0.012 * (1.0 - f),
        f if f > 0.05 => brow + (side - brow) * ((0.55 - f) / 0.5).powf(1.2),
        f => side + (back - side) * ((0.05 - f) / 1.05),
    };
    let front = |column: usize| (column as f32 / COLUMNS as f32 * std::f32::consts::TAU).cos();
    for &[y, wide, deep, middle] in &rows {
        for column in 0..COLUMNS {
            let (s, c) = (column as f32 / COLUMNS as f32 * std::f32::consts::TAU).sin_cos();
            let y = y.max(line(c) - 0.012);
            mesh.vertices.push(at(s * (wide + off), y + off * 0.8, middle + c * (deep + off)));
            mesh.weights.push(follows(joint::HEAD));
        }
    }
    let n = COLUMNS as u32;
    let face = (Part::Hair, Material::Hair);
    for (row, pair) in (0..).zip(rows.windows(2)) {
        for column in 0..COLUMNS {
            let next = (column + 1) % COLUMNS;
            // A band is there while its upper edge lies above the hair's line.
            if pair[0][0] < line(front(column)).max(line(front(next))) {
                continue;
            }
            let (a, b) = (start + row * n + column as u32, start + row * n + next as u32);
            mesh.triangle([a, a + n, b], face);
            mesh.triangle([b, a + n, b + n], face);
        }
    }
    let crown = mesh.vertices.len() as u32;
    mesh.vertices.push(at(0.0, 0.192 + off, -0.012));
    mesh.weights.push(follows(joint::HEAD));
    for column in 0..n {
        mesh.triangle([start + column, start + (column + 1) % n, crown], face);
    }
    if person.hair_style == HairStyle::Tied {
        mesh.ellipsoid(at(0.0, 0.125, -0.125), [0.038, 0.038, 0.034], follows(joint::HEAD), face, SMALL);
    }
}
