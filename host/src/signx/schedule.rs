//! How much of a latent is left at each level of noise (the α of equation 4, which is the ᾱ of Ho et al. 2020).

/// A schedule of noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlphaBar {
    /// Variances grow along a straight line, from 1e-4 to 0.02 (Ho et al. 2020, section 4).
    Linear,
    /// What is left falls as a squared cosine (Nichol and Dhariwal 2021, equation 17).
    Cosine,
}

/// Variances of the first and of the last level of 1000 (Ho et al. 2020). With fewer levels each is so much larger
/// that as much noise is reached in the end.
const LINEAR: [f64; 2] = [1e-4, 0.02];
/// Levels that [`LINEAR`] is meant for.
const LINEAR_LEVELS: f64 = 1000.0;
/// Keeps the first variances above nothing (Nichol and Dhariwal 2021, section 3.2).
const OFFSET: f64 = 0.008;
/// The largest variance of a level (the same).
const LARGEST: f64 = 0.999;

impl AlphaBar {
    /// What is left at each level: `[levels + 1]`, from 1 at level 0, which has no noise, down.
    pub fn levels(self, levels: usize) -> Vec<f64> {
        let n = levels as f64;
        let cosine =
            |level: f64| ((level / n + OFFSET) / (1.0 + OFFSET) * std::f64::consts::FRAC_PI_2).cos().powi(2);
        let variance = |level: f64| match self {
            Self::Linear => {
                let share = if levels > 1 { (level - 1.0) / (n - 1.0) } else { 0.0 };
                (LINEAR[0] + (LINEAR[1] - LINEAR[0]) * share) * LINEAR_LEVELS / n
            }
            Self::Cosine => 1.0 - cosine(level) / cosine(level - 1.0),
        };
        let mut left = 1.0;
        let each = (1..=levels).map(|level| {
            left *= 1.0 - variance(level as f64).min(LARGEST);
            left
        });
        std::iter::once(1.0).chain(each).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_is_left_at_every_level_and_hardly_anything_in_the_end() {
        for schedule in [AlphaBar::Linear, AlphaBar::Cosine] {
            for levels in [1, 2, 50, 1000] {
                let left = schedule.levels(levels);
                assert_eq!((left.len(), left[0]), (levels + 1, 1.0));
                assert!(left.windows(2).all(|w| w[1] < w[0] && w[1] > 0.0), "{schedule:?} {levels}");
            }
            assert!(schedule.levels(1000)[1000] < 1e-4, "{schedule:?}");
        }
    }
}
