//! The likeliest sequences of glosses by CTC: prefix beam search (Graves and Jaitly 2014, Hannun et al. 2014).

use std::collections::HashMap;

/// Glosses less likely than this in a step are not tried: the logarithm of one in 8000.
const LEAST: f64 = -9.0;
/// Nor more glosses than these in a step. A network that knows nothing else would cost seconds.
const TRIED: usize = 12;

/// A sequence of glosses that may have been signed.
#[derive(Debug, Clone, PartialEq)]
pub struct Hypothesis {
    /// Numbers of glosses, from 0.
    pub glosses: Vec<usize>,
    /// The step at which each is likeliest, on the way through the steps that is worth most.
    pub at: Vec<usize>,
    /// The logarithm of its probability over all ways that the beam kept.
    pub log_probability: f64,
}

/// A prefix: the logarithms of its probabilities, ending in a blank and ending in its last gloss.
#[derive(Debug, Clone)]
struct Prefix {
    blank: f64,
    label: f64,
    /// The way that is worth most, and where it has its glosses.
    way: Way,
}

/// One way to a prefix.
#[derive(Debug, Clone)]
struct Way {
    worth: f64,
    at: Vec<usize>,
    /// How likely the last gloss was at its time.
    peak: f64,
}

/// What the last step of a way says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Blank,
    Label,
}

impl Prefix {
    const NEVER: Self = Self {
        blank: f64::NEG_INFINITY,
        label: f64::NEG_INFINITY,
        way: Way { worth: f64::NEG_INFINITY, at: vec![], peak: f64::NEG_INFINITY },
    };

    fn total(&self) -> f64 {
        log_add(self.blank, self.label)
    }
}

/// The `width` likeliest sequences, likeliest first; none of them is impossible.
///
/// # Shapes
/// - `log_probabilities`: `[T, 1 + G]`, the blank first
pub fn beam_search(log_probabilities: &[f32], labels: usize, width: usize) -> Vec<Hypothesis> {
    let nothing = Prefix { blank: 0.0, way: Way { worth: 0.0, ..Prefix::NEVER.way }, ..Prefix::NEVER };
    let mut beam: Vec<(Vec<usize>, Prefix)> = vec![(vec![], nothing)];
    for (step, row) in log_probabilities.chunks_exact(labels).enumerate() {
        let mut likely: Vec<(usize, f64)> =
            row.iter().map(|said| f64::from(*said)).enumerate().skip(1).filter(|(_, s)| *s > LEAST).collect();
        likely.sort_by(|(a, a_said), (b, b_said)| b_said.total_cmp(a_said).then(a.cmp(b)));
        likely.truncate(TRIED);
        let mut next: HashMap<Vec<usize>, Prefix> = HashMap::new();
        let mut add = |glosses: Vec<usize>, last: Last, way: Way| {
            if way.worth == f64::NEG_INFINITY {
                return;
            }
            let entry = next.entry(glosses).or_insert(Prefix::NEVER);
            let sum = if last == Last::Blank { &mut entry.blank } else { &mut entry.label };
            *sum = log_add(*sum, way.worth);
            if way.worth > entry.way.worth {
                entry.way = way;
            }
        };
        for (glosses, prefix) in &beam {
            let Way { at, peak, .. } = &prefix.way;
            let all = prefix.total();
            let silent = Way { worth: all + f64::from(row[0]), at: at.clone(), peak: *peak };
            add(glosses.clone(), Last::Blank, silent);
            for &(label, said) in &likely {
                let longer: Vec<usize> = glosses.iter().copied().chain([label - 1]).collect();
                let begun = |before: f64| {
                    let at = at.iter().copied().chain([step]).collect();
                    Way { worth: before + said, at, peak: said }
                };
                if glosses.last() != Some(&(label - 1)) {
                    add(longer, Last::Label, begun(all));
                    continue;
                }
                // The gloss goes on, or was made again after a blank.
                let mut goes_on = Way { worth: prefix.label + said, at: at.clone(), peak: *peak };
                if let Some(at) = goes_on.at.last_mut().filter(|_| said > *peak) {
                    (*at, goes_on.peak) = (step, said);
                }
                add(glosses.clone(), Last::Label, goes_on);
                add(longer, Last::Label, begun(prefix.blank));
            }
        }
        beam = next.into_iter().collect();
        // By probability, and by the glosses where that is the same: the order must not follow from hashing.
        beam.sort_by(|(a_glosses, a), (b_glosses, b)| {
            b.total().total_cmp(&a.total()).then_with(|| a_glosses.cmp(b_glosses))
        });
        beam.truncate(width);
    }
    beam.into_iter()
        .map(|(glosses, prefix)| {
            let log_probability = prefix.total();
            Hypothesis { glosses, at: prefix.way.at, log_probability }
        })
        .collect()
}

/// The logarithm of the sum of two numbers that are given as logarithms.
pub fn log_add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Probabilities of each sequence of glosses by writing out every path.
    fn counted(log_probabilities: &[f32], labels: usize) -> HashMap<Vec<usize>, f64> {
        let steps = log_probabilities.len() / labels;
        let mut sums = HashMap::new();
        for path in 0..labels.pow(steps as u32) {
            let (mut rest, mut worth, mut said, mut last) = (path, 0.0, vec![], 0);
            for t in 0..steps {
                let label = rest % labels;
                rest /= labels;
                worth += f64::from(log_probabilities[t * labels + label]);
                if label != last && label != 0 {
                    said.push(label - 1);
                }
                last = label;
            }
            let sum = sums.entry(said).or_insert(f64::NEG_INFINITY);
            *sum = log_add(*sum, worth);
        }
        sums
    }

    #[test]
    fn a_wide_beam_finds_what_counting_finds() {
        let labels = 3;
        // Any numbers: steps of a linear congruence, normalised.
        let mut state = 7_u32;
        let mut log_probabilities: Vec<f32> = (0..6 * labels)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 24) as f32 * 3.0
            })
            .collect();
        for row in log_probabilities.chunks_exact_mut(labels) {
            super::super::softmax(row);
            row.iter_mut().for_each(|p| *p = p.ln());
        }
        let counted = counted(&log_probabilities, labels);
        let found = beam_search(&log_probabilities, labels, 1000);
        assert_eq!(found.len(), counted.len(), "a beam so wide keeps all");
        for hypothesis in &found {
            let expect = counted[&hypothesis.glosses];
            assert!((hypothesis.log_probability - expect).abs() < 1e-5, "{hypothesis:?}, counted {expect}");
            assert_eq!(hypothesis.at.len(), hypothesis.glosses.len());
            assert!(hypothesis.at.windows(2).all(|w| w[0] < w[1]), "{hypothesis:?}");
        }
        let order: Vec<f64> = found.iter().map(|h| h.log_probability).collect();
        assert!(order.is_sorted_by(|a, b| a >= b), "likeliest first");
        let narrow = beam_search(&log_probabilities, labels, 4);
        assert_eq!((narrow.len(), &narrow[0].glosses), (4, &found[0].glosses));
    }

    #[test]
    fn times_are_where_glosses_are_likeliest() {
        let mut rows = [[0.97_f32, 0.01, 0.02]; 12];
        rows[3] = [0.4, 0.59, 0.01];
        rows[4] = [0.1, 0.89, 0.01];
        rows[9] = [0.2, 0.01, 0.79];
        let logs: Vec<f32> = rows.as_flattened().iter().map(|p| p.ln()).collect();
        let best = &beam_search(&logs, 3, 8)[0];
        assert_eq!((best.glosses.as_slice(), best.at.as_slice()), (&[0, 1][..], &[4, 9][..]));
    }

    #[test]
    fn nothing_impossible_comes_out_and_no_step_says_nothing() {
        let sure = [0.0, f32::NEG_INFINITY, f32::NEG_INFINITY, 0.0];
        let found = beam_search(&sure, 2, 9);
        assert_eq!(found, [Hypothesis { glosses: vec![0], at: vec![1], log_probability: 0.0 }]);
        assert!(beam_search(&[], 2, 9)[0].glosses.is_empty());
        assert_eq!(beam_search(&[f32::NEG_INFINITY; 4], 2, 9), []);
    }
}
