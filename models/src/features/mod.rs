//! The numbers that a recogniser sees: normalised landmarks, masks and velocities.
//!
//! Training and the unit call the same [`Version::compute`], so that a feature
//! computed in training is the feature that the unit computes. A version never
//! changes once weights were shipped with it: a better arithmetic gets a new name,
//! and the manifest beside the weights says which one they were trained on.
//!
//! A window of [`Sight`]s of any length and frame rate becomes `[T, F]` numbers:
//! the part of the window in which a hand is seen is resampled to T steps at equal
//! distances in time, and every step holds F values. No value is ever NaN or
//! infinite; what was not seen is 0 and its mask is 0.

mod hand;
mod hands;
mod sight;
mod sign;
mod steps;
pub mod stream;
mod tracks;

pub use sight::{BODY_POINTS, HAND_POINTS, Picker, Picture, Sight};

/// Values are cut off here, in units of their own scale: farther out is a landmark gone astray.
const LIMIT: f32 = 4.0;

/// Which arithmetic makes the features; the manifest names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// `sign-v1`: body and both hands, for signs.
    SignV1,
    /// `hand-v1`: the shape, orientation and path of the signing hand, for fingerspelling.
    HandV1,
    /// `hands-v1`: both hands alone, in slots of any order, for signs.
    HandsV1,
}

impl Version {
    /// Every version that this program can compute.
    pub const ALL: [Self; 3] = [Self::SignV1, Self::HandV1, Self::HandsV1];

    /// The version that a manifest names, where this program knows it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.name() == name)
    }

    /// The name that manifests carry.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignV1 => "sign-v1",
            Self::HandV1 => "hand-v1",
            Self::HandsV1 => "hands-v1",
        }
    }

    /// Steps of a window, T.
    pub fn frames(self) -> usize {
        match self {
            Self::SignV1 => sign::STEPS,
            Self::HandV1 => hand::STEPS,
            Self::HandsV1 => hands::STEPS,
        }
    }

    /// Values of a step, F.
    pub fn width(self) -> usize {
        match self {
            Self::SignV1 => sign::WIDTH,
            Self::HandV1 => hand::WIDTH,
            Self::HandsV1 => hands::WIDTH,
        }
    }

    /// Computes the features of a window.
    ///
    /// Gives false where the window shows no hand (and, for signs, no body): all of
    /// `out` is 0 then, and there is nothing to recognise. Allocates nothing.
    ///
    /// # Shapes
    /// - `window`: any number of sights, in order of their stamps
    /// - `out`: `[T, F]`, row-major, `self.frames() * self.width()` long
    ///
    /// # Panics
    /// Where `out` has another length: that is a bug of the caller.
    pub fn compute(self, window: &[Sight], out: &mut [f32]) -> bool {
        assert_eq!(out.len(), self.frames() * self.width(), "the features' buffer has T x F values");
        out.fill(0.0);
        let something = match self {
            Self::SignV1 => sign::compute(window, out),
            Self::HandV1 => hand::compute(window, out),
            Self::HandsV1 => hands::compute(window, out),
        };
        for value in out.iter_mut() {
            *value = if value.is_finite() { value.clamp(-LIMIT, LIMIT) } else { 0.0 };
        }
        something
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A signer whose hands move, in a picture of the scale and place given.
    fn window(scale: f32, dx: f32, dy: f32) -> Vec<Sight> {
        (0..24)
            .map(|i| {
                let t = i as f32 / 24.0;
                let mut s = Sight::unseen(f64::from(i) / 20.0);
                let body =
                    [[0.0, -0.9], [0.5, 0.0], [-0.5, 0.0], [0.7, 0.8], [-0.7, 0.8], [0.5, 0.6], [-0.4, 0.3]];
                for (k, [x, y]) in body.into_iter().enumerate() {
                    s.body[k] = [x * scale + dx, y * scale + dy];
                    s.body_seen[k] = true;
                }
                for side in 0..2 {
                    s.hand_seen[side] = side == 1 || !(8..=10).contains(&i);
                    for k in 0..21 {
                        let turn = k as f32 * 0.3 + t * (1.0 + side as f32);
                        let reach = if k == 0 { 0.0 } else { 0.2 + 0.01 * k as f32 };
                        let x = 0.4 - 0.8 * side as f32 + 0.3 * t + reach * turn.cos();
                        let y = 0.4 - 0.2 * t * side as f32 + reach * turn.sin();
                        s.hands[side][k] = [x * scale + dx, y * scale + dy, reach * 0.3 * scale];
                    }
                }
                s
            })
            .collect()
    }

    fn features(version: Version, window: &[Sight]) -> Vec<f32> {
        let mut out = vec![f32::NAN; version.frames() * version.width()];
        assert!(version.compute(window, &mut out));
        out
    }

    #[track_caller]
    fn check_same(a: &[f32], b: &[f32]) {
        for (i, (a, b)) in a.iter().zip(b).enumerate() {
            assert!((a - b).abs() < 2e-3, "value {i}: {a} and {b}");
        }
    }

    #[test]
    fn names_round_trip() {
        for version in Version::ALL {
            assert_eq!(Version::parse(version.name()), Some(version));
        }
        assert_eq!(Version::parse("sign-v0"), None);
    }

    /// Values of the features of [`window`] spread over steps and columns, as they were when weights shipped.
    #[track_caller]
    fn check_golden(version: Version, expect: [f32; 32]) {
        let got = features(version, &window(200.0, 320.0, 240.0));
        // One value of every 32nd part, each time another column.
        let part = got.len() / 32;
        let got: Vec<f32> = (0..32).map(|i| got[i * part + i * 37 % part]).collect();
        for (i, (a, b)) in got.iter().zip(&expect).enumerate() {
            assert!((a - b).abs() < 1e-5, "{}: value {i} of {got:?}", version.name());
        }
    }

    #[test]
    fn a_version_never_changes() {
        check_golden(
            Version::SignV1,
            [
                0.0,
                0.21319363,
                0.16556932,
                0.20392431,
                0.037757136,
                0.4,
                -0.8666186,
                0.0,
                -0.8387088,
                0.33329934,
                0.41714102,
                -1.0319871,
                0.32727456,
                -1.0187737,
                0.6,
                0.45565933,
                0.3615022,
                0.22992036,
                0.3522329,
                0.95781785,
                0.2966172,
                -0.044053346,
                0.2873479,
                0.7,
                0.23173219,
                1.1667191,
                0.2224629,
                1.0106388,
                0.36537415,
                -0.47239664,
                -0.3607125,
                0.1880363,
            ],
        );
        check_golden(
            Version::HandV1,
            [
                0.61987036,
                0.95472527,
                -0.2554435,
                0.9545789,
                -0.4992553,
                0.9543718,
                -0.7193446,
                0.9540675,
                0.1613954,
                0.95359266,
                -0.58631164,
                1.2194895,
                0.3707715,
                0.169956,
                0.3615022,
                0.8424249,
                0.3522329,
                0.95950896,
                0.34296367,
                -0.074269116,
                0.33369437,
                0.94959366,
                0.32442504,
                -0.79021096,
                0.31515577,
                0.27369815,
                0.30588648,
                -0.01217719,
                0.2966172,
                0.20170657,
                0.2873479,
                0.9373749,
            ],
        );
    }

    #[test]
    fn place_and_size_in_the_picture_do_not_matter() {
        for version in Version::ALL {
            let here = features(version, &window(200.0, 320.0, 240.0));
            check_same(&here, &features(version, &window(200.0, 35.0, 610.0)));
            check_same(&here, &features(version, &window(631.0, 900.0, 500.0)));
        }
    }

    #[test]
    fn the_start_of_the_clock_does_not_matter() {
        for version in Version::ALL {
            let early = window(200.0, 320.0, 240.0);
            let late: Vec<_> = early.iter().map(|s| Sight { at_s: s.at_s + 5000.0, ..*s }).collect();
            check_same(&features(version, &early), &features(version, &late));
        }
    }

    #[test]
    fn a_left_handed_speller_looks_like_a_right_handed_one() {
        let right = window(200.0, 320.0, 240.0);
        let left: Vec<_> = right.iter().map(Sight::mirrored).collect();
        check_same(&features(Version::HandV1, &right), &features(Version::HandV1, &left));
    }

    #[test]
    fn mirroring_a_signer_changes_signs_and_twice_undoes_it() {
        let right = window(200.0, 320.0, 240.0);
        let left: Vec<_> = right.iter().map(Sight::mirrored).collect();
        let back: Vec<_> = left.iter().map(Sight::mirrored).collect();
        let of = |w: &[Sight]| features(Version::SignV1, w);
        check_same(&of(&right), &of(&back));
        assert!(of(&right).iter().zip(of(&left)).any(|(a, b)| (a - b).abs() > 0.1));
    }

    #[test]
    fn nothing_seen_gives_zeros_and_says_so() {
        for version in Version::ALL {
            for n in [0, 1, 30] {
                let window: Vec<_> = (0..n).map(|i| Sight::unseen(f64::from(i) / 30.0)).collect();
                let mut out = vec![f32::NAN; version.frames() * version.width()];
                assert!(!version.compute(&window, &mut out), "{n} empty frames");
                assert!(out.iter().all(|v| *v == 0.0));
            }
        }
    }

    #[test]
    fn broken_numbers_never_come_out() {
        let broken = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE, 0.0];
        for version in Version::ALL {
            for (n, bad) in broken.into_iter().enumerate() {
                let mut sights = window(200.0, 320.0, 240.0);
                for (i, s) in sights.iter_mut().enumerate() {
                    s.hands[i % 2][(i + n) % 21] = [bad; 3];
                    s.body[i % 7] = [bad; 2];
                    if i % 5 == n % 5 {
                        s.hands[1] = [[bad; 3]; 21];
                        s.at_s = f64::from(bad);
                    }
                }
                let mut out = vec![f32::NAN; version.frames() * version.width()];
                version.compute(&sights, &mut out);
                assert!(out.iter().all(|v| v.is_finite()), "{} with {bad}", version.name());
            }
        }
    }
}
