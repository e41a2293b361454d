//! A surface that follows a skeleton: triangles with part and material, and linear-blend skinning.

use models::vector::{add, cross, sub};

use super::part::Part;
use super::pose::Posed;
use super::rotation::{Mat3, Vec3, apply, unit};
use super::skeleton::{JOINTS, Skeleton};

/// Joints that a vertex follows at most.
pub const INFLUENCES: usize = 4;

/// Which joints a vertex follows, and how much each; the shares add up to 1.
pub type Weights = [(u8, f32); INFLUENCES];

/// What a surface is made of; the person says what colour that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the materials'")]
pub enum Material {
    Skin,
    Lips,
    Mouth,
    Teeth,
    EyeWhite,
    Iris,
    Hair,
    Top,
    TopTrim,
    Trousers,
    Shoes,
}

/// A surface at rest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mesh {
    /// `[V]` places at rest, in metres.
    pub vertices: Vec<Vec3>,
    /// `[V]` directions outwards at rest.
    pub normals: Vec<Vec3>,
    /// `[V]`
    pub weights: Vec<Weights>,
    /// `[F]` numbers of vertices.
    pub triangles: Vec<[u32; 3]>,
    /// `[F]` what each triangle belongs to, and what it is made of.
    pub faces: Vec<(Part, Material)>,
}

/// A ring of a tube: an ellipse about a centre.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ring {
    pub centre: Vec3,
    /// Half the ellipse's axes, as ways in space.
    pub axes: [Vec3; 2],
    /// More than 1 makes the ellipse squarer.
    pub square: f32,
    pub weights: Weights,
    /// What the band from this ring to the next is.
    pub face: (Part, Material),
}

/// A vertex that follows one joint alone.
pub(super) fn follows(joint: usize) -> Weights {
    shared(&[(joint, 1.0)])
}

/// A vertex that follows joints by shares, which are brought to add up to 1.
pub(super) fn shared(shares: &[(usize, f32)]) -> Weights {
    let total: f32 = shares.iter().map(|(_, share)| share).sum();
    let mut weights = [(shares[0].0 as u8, 0.0); INFLUENCES];
    for (weight, &(joint, share)) in weights.iter_mut().zip(shares) {
        *weight = (joint as u8, share / total);
    }
    weights
}

/// Follows `a` below 0, `b` above 1, and both in between, smoothly.
pub(super) fn between(a: usize, b: usize, place: f32) -> Weights {
    let t = place.clamp(0.0, 1.0);
    let share = t * t * (3.0 - 2.0 * t);
    shared(&[(a, 1.0 - share), (b, share)])
}

impl Mesh {
    /// Adds a tube through rings, each of as many points, with its ends closed.
    pub(super) fn tube(&mut self, rings: &[Ring], points: usize) {
        let start = self.vertices.len() as u32;
        for ring in rings {
            for k in 0..points {
                let (s, c) = (k as f32 / points as f32 * std::f32::consts::TAU).sin_cos();
                // A superellipse: exponents below 1 move points towards the corners.
                let out = |v: f32| v.signum() * v.abs().powf(1.0 / ring.square);
                let (c, s) = (out(c), out(s));
                self.vertices
                    .push([0, 1, 2].map(|i| ring.centre[i] + ring.axes[0][i] * c + ring.axes[1][i] * s));
                self.weights.push(ring.weights);
            }
        }
        let n = points as u32;
        for (band, ring) in (0..).zip(&rings[..rings.len() - 1]) {
            for k in 0..n {
                let (a, b) = (start + band * n + k, start + band * n + (k + 1) % n);
                self.triangle([a, b, a + n], ring.face);
                self.triangle([b, b + n, a + n], ring.face);
            }
        }
        for (first, ring) in [(true, rings[0]), (false, rings[rings.len() - 1])] {
            let centre = self.vertices.len() as u32;
            self.vertices.push(ring.centre);
            self.weights.push(ring.weights);
            let base = if first { start } else { start + n * (rings.len() as u32 - 1) };
            for k in 0..n {
                let (a, b) = (base + k, base + (k + 1) % n);
                self.triangle(if first { [b, a, centre] } else { [a, b, centre] }, ring.face);
            }
        }
    }

    /// Adds an ellipsoid.
    pub(super) fn ellipsoid(
        &mut self,
        centre: Vec3,
        half: Vec3,
        weights: Weights,
        face: (Part, Material),
        points: usize,
    ) {
        let bands = points / 2;
        let ring = |band: usize| {
            let (s, c) = ((band as f32 + 0.5) / bands as f32 * std::f32::consts::PI).sin_cos();
            Ring {
                centre: [centre[0], centre[1] - half[1] * c, centre[2]],
                axes: [[half[0] * s, 0.0, 0.0], [0.0, 0.0, -half[2] * s]],
                square: 1.0,
                weights,
                face,
            }
        };
        self.tube(&(0..bands).map(ring).collect::<Vec<_>>(), points);
    }

    pub(super) fn triangle(&mut self, corners: [u32; 3], face: (Part, Material)) {
        self.triangles.push(corners);
        self.faces.push(face);
    }

    /// Finds the directions outwards, once all triangles are there.
    pub(super) fn finish(mut self) -> Self {
        self.normals = vec![[0.0; 3]; self.vertices.len()];
        for &[a, b, c] in &self.triangles {
            let [p, q, r] = [a, b, c].map(|k| self.vertices[k as usize]);
            let way = cross(sub(q, p), sub(r, p));
            for k in [a, b, c] {
                self.normals[k as usize] = add(self.normals[k as usize], way);
            }
        }
        self.normals.iter_mut().for_each(|n| *n = unit(*n, [0.0, 0.0, 1.0]));
        self
    }

    /// Where vertices stand in a pose, and their directions outwards (linear-blend skinning).
    pub fn posed(&self, skeleton: &Skeleton, posed: &Posed) -> (Vec<Vec3>, Vec<Vec3>) {
        // Each joint's motion as one matrix and one way.
        let motions: [(Mat3, Vec3); JOINTS] = std::array::from_fn(|j| {
            let turned = posed.turned[j];
            (turned, sub(posed.at[j], apply(&turned, skeleton.rest[j])))
        });
        let place = |(vertex, weights): (&Vec3, &Weights)| {
            let mut sum = [0.0; 3];
            for &(joint, share) in weights.iter().filter(|(_, share)| *share > 0.0) {
                let (turn, way) = &motions[usize::from(joint)];
                let moved = add(apply(turn, *vertex), *way);
                sum = [0, 1, 2].map(|i| sum[i] + share * moved[i]);
            }
            sum
        };
        let direction = |(normal, weights): (&Vec3, &Weights)| {
            let mut sum = [0.0; 3];
            for &(joint, share) in weights.iter().filter(|(_, share)| *share > 0.0) {
                let turned = apply(&motions[usize::from(joint)].0, *normal);
                sum = [0, 1, 2].map(|i| sum[i] + share * turned[i]);
            }
            unit(sum, *normal)
        };
        (
            self.vertices.iter().zip(&self.weights).map(place).collect(),
            self.normals.iter().zip(&self.weights).map(direction).collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::pose::BodyPose;
    use super::super::skeleton::{Proportions, joint};
    use super::*;

    #[test]
    fn a_vertex_between_two_joints_goes_half_the_way() {
        let skeleton = Skeleton::new(&Proportions::default());
        let elbow = skeleton.rest[joint::ELBOWS[0]];
        let mesh = Mesh {
            vertices: vec![[elbow[0] + 0.1, elbow[1], elbow[2]]],
            normals: vec![[0.0, 1.0, 0.0]],
            weights: vec![shared(&[(joint::SHOULDERS[0], 1.0), (joint::ELBOWS[0], 1.0)])],
            ..Mesh::default()
        };
        let mut pose = BodyPose::default();
        pose.rotations[joint::ELBOWS[0]] = [0.0, -std::f32::consts::FRAC_PI_2, 0.0];
        let (at, _) = mesh.posed(&skeleton, &Posed::new(&skeleton, &pose));
        let expect = [elbow[0] + 0.05, elbow[1], elbow[2] + 0.05];
        assert!((0..3).all(|i| (at[0][i] - expect[i]).abs() < 1e-5), "{at:?}");
    }

    #[test]
    fn surfaces_look_outwards() {
        let mut mesh = Mesh::default();
        mesh.ellipsoid([1.0, 2.0, 3.0], [0.1, 0.2, 0.3], follows(0), (Part::Torso, Material::Skin), 12);
        let mesh = mesh.finish();
        for (vertex, normal) in mesh.vertices.iter().zip(&mesh.normals) {
            assert!(models::vector::dot(sub(*vertex, [1.0, 2.0, 3.0]), *normal) > 0.0);
        }
    }
}
