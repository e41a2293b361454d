//! A user's own SMPL-X model: the `.npz` that is published under a licence of its own, read and never shipped.
//!
//! `v_template` `[V, 3]`, `f` `[F, 3]`, `weights` `[V, 55]`, `J_regressor` `[55, V]` and `kintree_table` `[2, 55]`
//! must be there; `shapedirs` `[V, 3, S]`, `posedirs` `[V, 3, 486]` and the means of the hands' poses
//! (`hands_meanl`, `hands_meanr`, 45 numbers each) are used where they are. What else stands in the file,
//! pickled objects among it, is not looked at.
//!
//! Equations are those of SMPL (Loper et al. 2015, equations 2 to 10) with SMPL-X's joints (Pavlakos et al. 2019).

use std::path::Path;

use models::vector::{add, sub};

use super::mesh::{INFLUENCES, Material, Mesh};
use super::part::Part;
use super::person::Person;
use super::pose::{BodyPose, Posed};
use super::render::Body;
use super::rotation::{IDENTITY, Vec3, apply, from_axis_angle};
use super::skeleton::{HAND_JOINTS, JOINTS, PARENTS, Skeleton, joint};
use crate::Error;
use crate::data::npy::{Array, Npz};

/// The most vertices of a model; the published one has 10475.
const MAX_VERTICES: usize = 200_000;
/// Numbers of the rotations that correct the surface: nine a joint but the pelvis.
const CORRECTIVES: usize = (JOINTS - 1) * 9;

/// A model as it is published.
#[derive(Debug, Clone, PartialEq)]
pub struct SmplX {
    template: Vec<Vec3>,
    faces: Vec<[u32; 3]>,
    /// `[V, 55]`
    weights: Vec<f32>,
    /// `[55, V]`
    regressor: Vec<f32>,
    /// `[V, 3, S]` and S.
    shape: (Vec<f32>, usize),
    /// `[V, 3, 486]`, or nothing.
    correctives: Vec<f32>,
    /// The means of both hands' poses, which SMPLer-X's hand poses count from.
    pub hand_means: [[Vec3; HAND_JOINTS]; 2],
}

impl SmplX {
    /// Reads a model.
    ///
    /// # Errors
    /// [`Error::Array`] where the file is no such model.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |why: String| Error::Array { path: path.to_owned(), why };
        let mut npz = Npz::open(path)?;
        let shaped = |array: Array, name: &str, shape: &[usize]| match array.shape == shape {
            true => Ok(array.values),
            false => Err(wrong(format!("its {name} is {:?}, and {shape:?} is wanted", array.shape))),
        };
        let template = npz.one_of(&["v_template"])?;
        let vertices = template.shape.first().copied().unwrap_or(0);
        if vertices == 0 || vertices > MAX_VERTICES {
            return Err(wrong(format!("it has {vertices} vertices")));
        }
        let template = triples(&shaped(template, "v_template", &[vertices, 3])?);
        let faces = npz.one_of(&["f"])?;
        let count = faces.shape.first().copied().unwrap_or(0);
        let faces = shaped(faces, "f", &[count, 3])?;
        if faces.iter().any(|v| v.fract() != 0.0 || !(0.0..vertices as f32).contains(v)) {
            return Err(wrong("its f names vertices that are not there".into()));
        }
        let weights = shaped(npz.one_of(&["weights"])?, "weights", &[vertices, JOINTS])?;
        let regressor = shaped(npz.one_of(&["J_regressor"])?, "J_regressor", &[JOINTS, vertices])?;
        let tree = shaped(npz.one_of(&["kintree_table"])?, "kintree_table", &[2, JOINTS])?;
        if (1..JOINTS).any(|j| tree[j] != PARENTS[j] as f32) {
            return Err(wrong("its kintree_table is not SMPL-X's, but that of another model".into()));
        }
        let shape = match npz.array("shapedirs")? {
            Some(array) => {
                let betas = array.shape.get(2).copied().unwrap_or(0);
                (shaped(array, "shapedirs", &[vertices, 3, betas])?, betas)
            }
            None => (vec![], 0),
        };
        let correctives = match npz.array("posedirs")? {
            Some(array) => shaped(array, "posedirs", &[vertices, 3, CORRECTIVES])?,
            None => vec![],
        };
        let mut hand_means = [[[0.0; 3]; HAND_JOINTS]; 2];
        for (means, name) in hand_means.iter_mut().zip(["hands_meanl", "hands_meanr"]) {
            if let Some(array) = npz.array(name)? {
                let values = triples(&shaped(array, name, &[HAND_JOINTS * 3])?);
                means.copy_from_slice(&values);
            }
        }
        let all = [&weights, &regressor, &shape.0, &correctives];
        if all.iter().any(|values| values.iter().any(|v| !v.is_finite()))
            || template.iter().chain(hand_means.iter().flatten()).flatten().any(|v| !v.is_finite())
        {
            return Err(wrong("it holds values that are no numbers".into()));
        }
        let faces = faces.chunks_exact(3).map(|f| [f[0] as u32, f[1] as u32, f[2] as u32]).collect();
        Ok(Self { template, faces, weights, regressor, shape, correctives, hand_means })
    }

    /// The surface at rest of somebody of this shape; components that are not given are 0.
    fn shaped(&self, betas: &[f32]) -> Vec<Vec3> {
        let (directions, count) = &self.shape;
        let used = betas.len().min(*count);
        let vertex = |(v, rest): (usize, &Vec3)| {
            [0, 1, 2].map(|i| {
                let from = (v * 3 + i) * count;
                rest[i] + (0..used).map(|b| directions[from + b] * betas[b]).sum::<f32>()
            })
        };
        self.template.iter().enumerate().map(vertex).collect()
    }

    /// Where the joints of a surface stand.
    fn skeleton(&self, surface: &[Vec3]) -> Skeleton {
        let rest: [Vec3; JOINTS] = std::array::from_fn(|j| {
            let row = &self.regressor[j * surface.len()..(j + 1) * surface.len()];
            let sum = |i: usize| row.iter().zip(surface).map(|(share, v)| share * v[i]).sum();
            [sum(0), sum(1), sum(2)]
        });
        // The model has no joint at a finger's tip: it lies as far again as the last bone.
        let tips = joint::HANDS.map(|hand| {
            super::skeleton::FINGERS.map(|finger| {
                let (last, before) = (rest[hand + finger + 2], rest[hand + finger + 1]);
                add(last, sub(last, before))
            })
        });
        Skeleton { rest, tips }
    }

    /// All vertices of a shape and a pose, with the corrections of the surface that bent joints ask for.
    pub fn vertices(&self, betas: &[f32], pose: &BodyPose) -> Vec<Vec3> {
        let mut surface = self.shaped(betas);
        let skeleton = self.skeleton(&surface);
        if !self.correctives.is_empty() {
            let mut bends = Vec::with_capacity(CORRECTIVES);
            for rotation in &pose.rotations[1..] {
                let turn = from_axis_angle(*rotation);
                bends.extend((0..9).map(|k| turn[k / 3][k % 3] - IDENTITY[k / 3][k % 3]));
            }
            for (vertex, rows) in surface.iter_mut().zip(self.correctives.chunks_exact(3 * CORRECTIVES)) {
                for (value, row) in vertex.iter_mut().zip(rows.chunks_exact(CORRECTIVES)) {
                    *value += row.iter().zip(&bends).map(|(a, b)| a * b).sum::<f32>();
                }
            }
        }
        // SMPL-X turns about the pelvis where the shape has it, and moves afterwards.
        let place = add(skeleton.rest[joint::PELVIS], pose.place);
        let local = std::array::from_fn(|j| from_axis_angle(pose.rotations[j]));
        let posed = Posed::of(&skeleton, &local, place);
        let moved = |(vertex, weights): (&Vec3, &[f32])| {
            let mut sum = [0.0; 3];
            for (j, share) in weights.iter().enumerate().filter(|(_, share)| **share != 0.0) {
                let at = add(posed.at[j], apply(&posed.turned[j], sub(*vertex, skeleton.rest[j])));
                sum = [0, 1, 2].map(|i| sum[i] + share * at[i]);
            }
            sum
        };
        surface.iter().zip(self.weights.chunks_exact(JOINTS)).map(moved).collect()
    }

    /// The model as a body that scenes show: each vertex follows the four joints that it follows most, and each
    /// triangle belongs to the part of the joint that it follows most. The pelvis is the origin.
    pub fn body(&self, person: Person, betas: &[f32]) -> Body {
        let mut surface = self.shaped(betas);
        let pelvis = self.skeleton(&surface).rest[joint::PELVIS];
        surface.iter_mut().for_each(|v| *v = sub(*v, pelvis));
        let skeleton = self.skeleton(&surface);
        let weights: Vec<_> = self
            .weights
            .chunks_exact(JOINTS)
            .map(|row| {
                let mut order: Vec<usize> = (0..JOINTS).collect();
                order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
                let total: f32 = order[..INFLUENCES].iter().map(|&j| row[j]).sum();
                std::array::from_fn(|k| (order[k] as u8, row[order[k]] / total.max(1e-9)))
            })
            .collect();
        let follows = |triangle: &[u32; 3]| weights[triangle[0] as usize][0].0;
        let mesh = Mesh {
            faces: self.faces.iter().map(|f| part_of(usize::from(follows(f)))).collect(),
            vertices: surface,
            normals: vec![],
            weights: weights.clone(),
            triangles: self.faces.clone(),
        };
        Body { skeleton, mesh: mesh.finish(), person }
    }
}

/// What a joint's surface is: the model wears nothing, so that clothes are painted on.
fn part_of(joint: usize) -> (Part, Material) {
    use joint::*;
    let side = |left: Part, of: [usize; 2]| if joint == of[0] { left } else { left.mirrored() };
    match joint {
        NECK | HEAD | JAW => (Part::FaceNeck, Material::Skin),
        j if EYES.contains(&j) => (Part::FaceNeck, Material::EyeWhite),
        j if HIPS.contains(&j) || KNEES.contains(&j) || j == PELVIS => {
            (Part::LowerClothing, Material::Trousers)
        }
        j if ANKLES.contains(&j) => (side(Part::LeftShoe, ANKLES), Material::Shoes),
        j if FEET.contains(&j) => (side(Part::LeftShoe, FEET), Material::Shoes),
        j if ELBOWS.contains(&j) => (side(Part::LeftLowerArm, ELBOWS), Material::Skin),
        j if WRISTS.contains(&j) => (side(Part::LeftHand, WRISTS), Material::Skin),
        j if j >= HANDS[1] => (Part::RightHand, Material::Skin),
        j if j >= HANDS[0] => (Part::LeftHand, Material::Skin),
        _ => (Part::UpperClothing, Material::Top),
    }
}

fn triples(values: &[f32]) -> Vec<Vec3> {
    values.chunks_exact(3).map(|v| [v[0], v[1], v[2]]).collect()
}
