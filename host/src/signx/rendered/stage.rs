//! Who stands where before which camera: all that is drawn by chance for an utterance.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::body::fit::Fitted;
use crate::body::person::Person;
use crate::body::pose::BodyPose;
use crate::body::render::{Background, Body, Camera, Light, Scene};

/// A dressed body, a camera, lights and a background.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Who signs.
    pub body: Body,
    /// From where it is seen.
    pub camera: Camera,
    /// How it is lit.
    pub light: Light,
    /// What is behind.
    pub background: Background,
    /// How much shorter or longer the trunk is than that of who was recorded, in metres.
    lower: f32,
}

impl Stage {
    /// Draws one for a recording.
    pub fn draw(seed: u64, fitted: &Fitted) -> Self {
        let rng = &mut StdRng::seed_from_u64(seed);
        let person = Person::draw(rng).near(&fitted.proportions, rng);
        let lower = person.proportions.trunk - fitted.proportions.trunk;
        let camera = Camera {
            aim: [rng.random_range(-0.08..0.08), rng.random_range(-0.1..0.03), 0.0],
            away: rng.random_range(1.3..3.2),
            turns: [
                rng.random_range(-0.3..0.3),
                rng.random_range(-0.08..0.16),
                rng.random_range(-0.05..0.05),
            ],
            high: rng.random_range(0.95..1.4),
        };
        let lamp = rng.random_range(0.45..0.95_f32);
        let warm = rng.random_range(-0.12..0.12_f32);
        let tinted = |bright: f32| [bright * (1.0 + warm), bright, bright * (1.0 - warm)];
        let light = Light {
            from: [rng.random_range(-0.9..0.9), rng.random_range(0.1..1.0), rng.random_range(0.35..1.0)],
            lamp: tinted(lamp),
            sky: tinted(rng.random_range(0.25..0.55)),
        };
        let colour = |rng: &mut StdRng| -> [f32; 3] {
            let grey = rng.random_range(0.03..0.8_f32);
            std::array::from_fn(|_| (grey * rng.random_range(0.75..1.25_f32)).min(1.0))
        };
        let colours = [colour(rng), colour(rng)];
        let things = (0..rng.random_range(0..5))
            .map(|_| {
                let (left, top) = (rng.random_range(-0.2..0.9_f32), rng.random_range(-0.2..0.9_f32));
                let (wide, high) = (rng.random_range(0.05..0.5_f32), rng.random_range(0.05..0.7_f32));
                ([left, top, left + wide, top + high], colour(rng))
            })
            .collect();
        let background = Background { colours, things, away: rng.random_range(0.4..2.5) };
        Self { body: Body::new(person), camera, light, background, lower }
    }

    /// A recorded pose as this person takes it, the shoulders where they were.
    pub fn worn(&self, pose: &BodyPose) -> BodyPose {
        let [x, y, z] = pose.place;
        BodyPose { place: [x, y - self.lower, z], ..pose.clone() }
    }

    /// The scene of a pose.
    pub fn scene<'a>(&'a self, pose: &'a BodyPose) -> Scene<'a> {
        Scene {
            body: &self.body,
            pose,
            camera: &self.camera,
            light: &self.light,
            background: &self.background,
        }
    }
}
