//! Pictures of a person: colour, depth and parts, by a rasteriser with a depth buffer.
//!
//! A [`Scene`] is a dressed body in a pose, a camera, lights and a background; it gives a [`Picture`] of any size.
//! Nothing in it is random: who wants variety draws the scene.

mod camera;
mod raster;

use super::mesh::{Material, Mesh};
use super::part::Part;
use super::person::{Colour, Person, Srgb};
use super::pose::{BodyPose, Posed};
use super::rotation::{Vec3, unit};
use super::skeleton::Skeleton;
use models::vector::{dot, norm, sub};

pub use camera::{Camera, View};
use raster::{Corner, Raster};

/// A person, ready to be posed.
#[derive(Debug, Clone)]
pub struct Body {
    /// The joints at rest.
    pub skeleton: Skeleton,
    /// The surface at rest.
    pub mesh: Mesh,
    /// Colours, and the measures that the skeleton was made by.
    pub person: Person,
}

/// Where light comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Light {
    /// The way to the lamp.
    pub from: Vec3,
    /// What the lamp gives.
    pub lamp: Colour,
    /// What comes from everywhere, more from above.
    pub sky: Colour,
}

impl Default for Light {
    fn default() -> Self {
        Self { from: [0.35, 0.6, 0.8], lamp: [0.75; 3], sky: [0.45; 3] }
    }
}

/// What stands behind the person.
#[derive(Debug, Clone, PartialEq)]
pub struct Background {
    /// The colour above and below.
    pub colours: [Colour; 2],
    /// Things on the wall: left, top, right and bottom as shares of the picture, and the colour.
    pub things: Vec<([f32; 4], Colour)>,
    /// How far the wall is from the shoulders, in metres.
    pub away: f32,
}

impl Default for Background {
    fn default() -> Self {
        Self { colours: [[0.35, 0.38, 0.42], [0.22, 0.23, 0.25]], things: vec![], away: 1.2 }
    }
}

/// All that a picture shows.
#[derive(Debug, Clone)]
pub struct Scene<'a> {
    /// Who is shown.
    pub body: &'a Body,
    /// How the person stands.
    pub pose: &'a BodyPose,
    /// From where it is seen.
    pub camera: &'a Camera,
    /// How it is lit.
    pub light: &'a Light,
    /// What is behind.
    pub background: &'a Background,
}

/// A picture, row by row from above.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Width and height in pixels.
    pub size: [usize; 2],
    /// `[H, W, 3]` sRGB.
    pub rgb: Vec<u8>,
    /// `[H, W]` metres from the camera's plane.
    pub depth: Vec<f32>,
    /// `[H, W]` labels of [`Part`].
    pub parts: Vec<u8>,
}

impl Body {
    /// Dresses a person in this project's own surface.
    pub fn new(person: Person) -> Self {
        Self { skeleton: Skeleton::new(&person.proportions), mesh: super::figure(&person), person }
    }

    fn colour(&self, material: Material) -> Colour {
        let person = &self.person;
        match material {
            Material::Skin => person.skin,
            Material::Lips => [0, 1, 2].map(|i| person.skin[i] * [0.86, 0.55, 0.55][i]),
            Material::Mouth => [0.10, 0.02, 0.02],
            Material::Teeth => [0.75, 0.72, 0.66],
            Material::EyeWhite => [0.72, 0.71, 0.69],
            Material::Iris => person.iris.map(|v| v * 0.5),
            Material::Hair => person.hair,
            Material::Top => person.top,
            Material::TopTrim => person.trim,
            Material::Trousers => person.trousers,
            Material::Shoes => [0.05, 0.045, 0.04],
        }
    }
}

impl Scene<'_> {
    /// The picture of a width and height in pixels; each is seen `fine` times as finely, and then averaged.
    pub fn render(&self, size: [usize; 2], fine: usize) -> Picture {
        let large = size.map(|side| side * fine);
        let posed = Posed::new(&self.body.skeleton, self.pose);
        let (vertices, normals) = self.body.mesh.posed(&self.body.skeleton, &posed);
        let view = self.camera.view(large);
        let corners: Vec<Corner> = vertices
            .iter()
            .zip(&normals)
            .map(|(&vertex, &normal)| {
                let ([x, y], z) = view.project(vertex);
                Corner { x, y, z, light: self.lit(vertex, normal, view.place) }
            })
            .collect();
        let mut raster = Raster::new(large);
        for (triangle, &(part, material)) in self.body.mesh.triangles.iter().zip(&self.body.mesh.faces) {
            let three = triangle.map(|k| corners[k as usize]);
            raster.draw(three, self.body.colour(material), part.label());
        }
        raster.shade_edges(size[0].max(size[1]) * fine);
        let wall = self.camera.distance() + self.background.away;
        self.picture(&raster, size, fine, wall)
    }

    /// The light that falls on a place of the surface.
    fn lit(&self, vertex: Vec3, normal: Vec3, eye: Vec3) -> Colour {
        let to_eye = sub(eye, vertex);
        let normal = if dot(normal, to_eye) < 0.0 { normal.map(|v| -v) } else { normal };
        let from = unit(self.light.from, [0.0, 1.0, 0.0]);
        // Skin and cloth scatter: light reaches a little around the edge.
        let lamp = ((dot(normal, from) + 0.25) / 1.25).max(0.0);
        let sky = 0.65 + 0.35 * normal[1];
        // Surfaces seen from the side are darker, so that shapes stand off what is behind.
        let facing = dot(normal, to_eye) / norm(to_eye).max(1e-6);
        let rim = 0.55 + 0.45 * facing.clamp(0.0, 1.0).sqrt();
        [0, 1, 2].map(|i| (self.light.lamp[i] * lamp + self.light.sky[i] * sky) * rim)
    }

    fn picture(&self, raster: &Raster, size: [usize; 2], fine: usize, wall: f32) -> Picture {
        let ([width, height], table) = (size, Srgb::new());
        let (mut rgb, mut depth, mut parts) = (
            Vec::with_capacity(width * height * 3),
            Vec::with_capacity(width * height),
            Vec::with_capacity(width * height),
        );
        let wide = width * fine;
        for y in 0..height {
            for x in 0..width {
                let mut sum = [0.0; 3];
                let (mut far, mut counts) = (0.0, [0_usize; Part::ALL.len()]);
                for dy in 0..fine {
                    for dx in 0..fine {
                        let k = (y * fine + dy) * wide + x * fine + dx;
                        let seen = raster.depth[k].is_finite();
                        let colour = if seen { raster.rgb[k] } else { self.behind(x, y, size) };
                        sum = [0, 1, 2].map(|i| sum[i] + colour[i]);
                        far += if seen { raster.depth[k].min(wall) } else { wall };
                        counts[usize::from(raster.parts[k])] += 1;
                    }
                }
                let all = (fine * fine) as f32;
                rgb.extend(sum.map(|v| table.of(v / all)));
                depth.push(far / all);
                parts.push(commonest(&counts));
            }
        }
        Picture { size, rgb, depth, parts }
    }

    /// The colour of the wall at a pixel.
    fn behind(&self, x: usize, y: usize, [width, height]: [usize; 2]) -> Colour {
        let (u, v) = ((x as f32 + 0.5) / width as f32, (y as f32 + 0.5) / height as f32);
        let inside = |[left, top, right, bottom]: [f32; 4]| u >= left && u < right && v >= top && v < bottom;
        let things = &self.background.things;
        things.iter().rev().find(|(area, _)| inside(*area)).map_or_else(
            || {
                [0, 1, 2]
                    .map(|i| self.background.colours[0][i] * (1.0 - v) + self.background.colours[1][i] * v)
            },
            |(_, colour)| *colour,
        )
    }
}

impl Picture {
    /// The same at another size: means of colour and depth, and the label that most of a cell has.
    ///
    /// # Panics
    /// Where the picture's sides are no multiples of the new ones.
    pub fn shrunk(&self, size: [usize; 2]) -> Self {
        let [cell_x, cell_y] = [0, 1].map(|i| {
            assert!(self.size[i].is_multiple_of(size[i]), "cells have whole sides");
            self.size[i] / size[i]
        });
        let all = cell_x * cell_y;
        let mut small = Self { size, rgb: vec![], depth: vec![], parts: vec![] };
        for y in 0..size[1] {
            for x in 0..size[0] {
                let (mut rgb, mut depth, mut counts) = ([0_usize; 3], 0.0, [0_usize; Part::ALL.len()]);
                for dy in 0..cell_y {
                    for dx in 0..cell_x {
                        let k = (y * cell_y + dy) * self.size[0] + x * cell_x + dx;
                        rgb = [0, 1, 2].map(|i| rgb[i] + usize::from(self.rgb[3 * k + i]));
                        depth += self.depth[k];
                        counts[usize::from(self.parts[k])] += 1;
                    }
                }
                small.rgb.extend(rgb.map(|v| ((v + all / 2) / all) as u8));
                small.depth.push(depth / all as f32);
                small.parts.push(commonest(&counts));
            }
        }
        small
    }
}

/// The label that is there most often; of two the later one, so that something wins over the background.
fn commonest(counts: &[usize; Part::ALL.len()]) -> u8 {
    (0..counts.len()).max_by_key(|&k| counts[k]).unwrap_or(0) as u8
}

#[cfg(test)]
mod tests {
    use super::super::skeleton::{Proportions, joint};
    use super::*;

    fn rendered(pose: &BodyPose, size: usize) -> (Picture, Camera, Skeleton) {
        let body = Body::new(Person::of(3).with_proportions(Proportions::default()));
        let camera = Camera { aim: [0.0, 0.42, 0.0], away: 1.8, high: 1.3, ..Camera::default() };
        let (light, background) = (Light::default(), Background::default());
        let scene = Scene { body: &body, pose, camera: &camera, light: &light, background: &background };
        (scene.render([size, size], 1), camera, body.skeleton)
    }

    #[test]
    fn joints_lie_on_their_parts() {
        let mut pose = BodyPose::default();
        for (side, out) in [(0, 1.0), (1, -1.0)] {
            pose.rotations[joint::SHOULDERS[side]] = [0.0, 0.0, -1.2 * out];
            pose.rotations[joint::ELBOWS[side]] = [0.0, -2.0 * out, 0.0];
        }
        let (picture, camera, skeleton) = rendered(&pose, 192);
        let posed = Posed::new(&skeleton, &pose);
        let label = |at: Vec3| {
            let ([x, y], z) = camera.view([192, 192]).project(at);
            let k = y as usize * 192 + x as usize;
            (picture.parts[k], picture.depth[k] - z)
        };
        for (at, part) in [
            (posed.at[joint::HANDS[0] + joint::MIDDLE], Part::LeftHand),
            (posed.at[joint::HANDS[1] + joint::INDEX], Part::RightHand),
            (posed.at[joint::EYES[0]], Part::FaceNeck),
            (posed.at[joint::SPINE2], Part::UpperClothing),
        ] {
            let (found, off) = label(at);
            assert_eq!(found, part.label(), "{part:?}");
            assert!((-0.2..0.01).contains(&off), "{part:?}: the surface is {off} m behind the joint");
        }
        assert_eq!(picture.parts[0], Part::Background.label());
        assert!((picture.depth[0] - 3.0).abs() < 1e-3, "the wall is {} m away", picture.depth[0]);
    }

    #[test]
    fn smaller_pictures_say_the_same() {
        let (picture, ..) = rendered(&BodyPose::default(), 96);
        let Picture { depth, parts, .. } = picture.shrunk([24, 24]);
        assert_eq!((depth.len(), parts.len()), (576, 576));
        assert!(parts.contains(&Part::UpperClothing.label()) && parts.contains(&Part::FaceNeck.label()));
        let mean = |v: &[f32]| v.iter().sum::<f32>() / v.len() as f32;
        assert!((mean(&depth) - mean(&picture.depth)).abs() < 1e-3);
    }
}
