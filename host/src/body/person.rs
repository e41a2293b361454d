//! Who is shown: measures, skin, hair and clothes, all drawn from a number.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::skeleton::Proportions;

/// Red, green, blue, 0 to 1, as light adds up.
pub type Colour = [f32; 3];

/// How hair is worn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the styles'")]
pub enum HairStyle {
    Bald,
    Short,
    Bob,
    Long,
    Tied,
}

/// How far sleeves reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sleeves {
    /// Over the upper arm's middle.
    Short,
    /// Below the elbow.
    Half,
    /// To the wrist.
    Long,
}

/// A person who was never recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Measures of the body.
    pub proportions: Proportions,
    /// The colour of the skin.
    pub skin: Colour,
    /// The colour of hair and brows.
    pub hair: Colour,
    /// How hair is worn.
    pub hair_style: HairStyle,
    /// The colour of the iris.
    pub iris: Colour,
    /// The colour of the top.
    pub top: Colour,
    /// The colour of collar and hems.
    pub trim: Colour,
    /// How far sleeves reach.
    pub sleeves: Sleeves,
    /// The colour of trousers.
    pub trousers: Colour,
}

/// Skin from light to dark, sampled from the Monk Skin Tone scale's ten tones, as sRGB.
const SKINS: [[u8; 3]; 10] = [
    [246, 237, 228],
    [243, 231, 219],
    [247, 234, 208],
    [234, 218, 186],
    [215, 189, 150],
    [160, 126, 86],
    [130, 92, 67],
    [96, 65, 52],
    [58, 49, 42],
    [41, 36, 32],
];
/// Hair from black to grey, as sRGB.
const HAIRS: [[u8; 3]; 7] =
    [[22, 18, 16], [38, 26, 20], [66, 42, 28], [104, 70, 42], [150, 112, 66], [120, 54, 32], [150, 148, 146]];
/// Irises, as sRGB.
const IRISES: [[u8; 3]; 5] = [[44, 28, 18], [70, 44, 24], [82, 84, 52], [70, 98, 120], [90, 110, 96]];
/// Skin seldom reflects as evenly as the scale's patches: it is a little redder and darker.
const RED: Colour = [0.93, 0.80, 0.74];

impl Person {
    /// The person of a number; the same number gives the same person.
    pub fn of(seed: u64) -> Self {
        Self::draw(&mut StdRng::seed_from_u64(seed))
    }

    /// Draws one.
    pub fn draw(rng: &mut StdRng) -> Self {
        let by = |rng: &mut StdRng, most: f32| 1.0 + rng.random_range(-most..=most);
        let usual = Proportions::default();
        let tall = by(rng, 0.08);
        let proportions = Proportions {
            shoulders: usual.shoulders * tall * by(rng, 0.08),
            upper_arm: usual.upper_arm * tall * by(rng, 0.05),
            forearm: usual.forearm * tall * by(rng, 0.05),
            palm: usual.palm * tall * by(rng, 0.08),
            fingers: std::array::from_fn(|_| by(rng, 0.06)),
            trunk: usual.trunk * tall * by(rng, 0.05),
            neck: usual.neck * tall * by(rng, 0.06),
            head: by(rng, 0.06),
            leg: usual.leg * tall * by(rng, 0.05),
            girth: rng.random_range(0.85..1.12),
        };
        let any = |rng: &mut StdRng| -> Colour { std::array::from_fn(|_| rng.random_range(0.02..0.75_f32)) };
        let skin = *SKINS.choose(rng).expect("there are skins");
        let top = any(rng);
        let styles = [
            HairStyle::Bald,
            HairStyle::Short,
            HairStyle::Short,
            HairStyle::Bob,
            HairStyle::Long,
            HairStyle::Tied,
        ];
        let share = rng.random_range(0.75..1.2_f32);
        Self {
            proportions,
            skin: std::array::from_fn(|i| linear(skin[i]) * RED[i] * by(rng, 0.03)),
            hair: HAIRS.choose(rng).expect("there are hairs").map(linear),
            hair_style: *styles.choose(rng).expect("there are styles"),
            iris: IRISES.choose(rng).expect("there are irises").map(linear),
            top,
            trim: top.map(|v| (v * share).min(1.0)),
            sleeves: *[Sleeves::Short, Sleeves::Half, Sleeves::Long].choose(rng).expect("there are sleeves"),
            trousers: any(rng).map(|v| v * 0.4),
        }
    }

    /// The same person with other measures.
    pub fn with_proportions(self, proportions: Proportions) -> Self {
        Self { proportions, ..self }
    }

    /// The same person with measures near to those of somebody else, so that hands which touched still touch when
    /// this person takes that one's pose: size and girth stay, limbs differ a little.
    pub fn near(self, other: &Proportions, rng: &mut StdRng) -> Self {
        let by = |rng: &mut StdRng, most: f32| 1.0 + rng.random_range(-most..=most);
        let proportions = Proportions {
            shoulders: other.shoulders * by(rng, 0.04),
            upper_arm: other.upper_arm * by(rng, 0.04),
            forearm: other.forearm * by(rng, 0.04),
            palm: other.palm * by(rng, 0.08),
            fingers: std::array::from_fn(|f| other.fingers[f] * by(rng, 0.05)),
            trunk: other.trunk * by(rng, 0.05),
            neck: other.neck * by(rng, 0.06),
            head: other.head * by(rng, 0.06),
            ..self.proportions
        };
        Self { proportions, ..self }
    }
}

/// An sRGB value as light adds up.
pub(super) fn linear(value: u8) -> f32 {
    let v = f32::from(value) / 255.0;
    if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
}

/// Light as an sRGB value; pictures ask [`Srgb`].
fn srgb(light: f32) -> u8 {
    let v = light.clamp(0.0, 1.0);
    let v = if v <= 0.003_130_8 { v * 12.92 } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 };
    (v * 255.0).round() as u8
}

/// sRGB values of light by a table, for millions of pixels.
pub(super) struct Srgb(Vec<u8>);

impl Srgb {
    /// Steps of light: the darkest tones lie closest.
    const STEPS: usize = 8192;

    pub fn new() -> Self {
        Self((0..=Self::STEPS).map(|k| srgb(k as f32 / Self::STEPS as f32)).collect())
    }

    pub fn of(&self, light: f32) -> u8 {
        self.0[(light.clamp(0.0, 1.0) * Self::STEPS as f32 + 0.5) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_always_the_same_person() {
        assert_eq!(Person::of(7), Person::of(7));
        assert_ne!(Person::of(7), Person::of(8));
        for value in 0..=255 {
            assert_eq!(srgb(linear(value)), value);
        }
    }
}
