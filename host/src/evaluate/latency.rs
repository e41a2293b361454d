//! How long after the end of a sign its gloss comes.

use models::gloss::label_key;
use models::utterance::TimedGloss;

use super::LiveReport;

/// A gloss may come so long after its sign's end, beside the frame that the unit waits for. The network decides
/// at most 0.44 s after it, and a gloss that leads is settled when it has led for 0.2 s. Seconds.
const LIMIT_S: f64 = 0.64;
/// Times are sums of steps; this much is rounding. Seconds.
const ROUNDING_S: f64 = 1e-6;

/// Latencies of a corpus.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    seconds: Vec<f64>,
    late: usize,
}

impl Latencies {
    /// Notes the signs of a recording that were read right; `frame_s` is the time from one of its frames to the next.
    pub fn note(&mut self, signed: &[TimedGloss], said: &[TimedGloss], frame_s: f64) {
        let found = right(signed, said).into_iter().map(|(i, j)| said[j].end_s - signed[i].end_s);
        let from = self.seconds.len();
        self.seconds.extend(found);
        self.late += self.seconds[from..].iter().filter(|s| **s > LIMIT_S + frame_s + ROUNDING_S).count();
    }

    /// Puts what was noted into a report.
    pub fn report(mut self, into: &mut LiveReport) {
        self.seconds.sort_by(f64::total_cmp);
        let n = self.seconds.len();
        (into.latency_n, into.latency_late) = (n, self.late);
        if let Some(last) = self.seconds.last() {
            into.latency_mean_s = self.seconds.iter().sum::<f64>() / n as f64;
            into.latency_p95_s = self.seconds[(n * 95 / 100).min(n - 1)];
            into.latency_most_s = *last;
        }
    }
}

/// Which signs were read right, and by which gloss: of all alignments with the fewest errors the one whose glosses
/// come nearest to the ends of their signs. Where one of two equal signs was missed, only time tells which.
fn right(signed: &[TimedGloss], said: &[TimedGloss]) -> Vec<(usize, usize)> {
    let keys = |glosses: &[TimedGloss]| glosses.iter().map(|g| label_key(&g.gloss)).collect::<Vec<_>>();
    let (r, h) = (keys(signed), keys(said));
    let apart = |i: usize, j: usize| (said[j].end_s - signed[i].end_s).abs();
    let width = h.len() + 1;
    // `cost[i * width + j]`: errors and seconds of the first i signs and the first j glosses.
    let mut cost = vec![(0, 0.0); (r.len() + 1) * width];
    let step = |cost: &[(usize, f64)], i: usize, j: usize| -> [(usize, f64); 3] {
        let with = |at: usize, errors: usize, seconds: f64| (cost[at].0 + errors, cost[at].1 + seconds);
        let never = (usize::MAX, 0.0);
        let at = i * width + j;
        let pair = |corner: usize| match r[i - 1] == h[j - 1] {
            true => with(corner, 0, apart(i - 1, j - 1)),
            false => with(corner, 1, 0.0),
        };
        [
            if i > 0 && j > 0 { pair(at - width - 1) } else { never },
            if i > 0 { with(at - width, 1, 0.0) } else { never },
            if j > 0 { with(at - 1, 1, 0.0) } else { never },
        ]
    };
    let best = |ways: [(usize, f64); 3]| {
        let order =
            |a: &usize, b: &usize| ways[*a].0.cmp(&ways[*b].0).then(ways[*a].1.total_cmp(&ways[*b].1));
        (0..3).min_by(order).expect("there are three ways")
    };
    for at in 1..cost.len() {
        let ways = step(&cost, at / width, at % width);
        cost[at] = ways[best(ways)];
    }
    let (mut i, mut j, mut found) = (r.len(), h.len(), vec![]);
    while i > 0 || j > 0 {
        match best(step(&cost, i, j)) {
            0 => {
                (i, j) = (i - 1, j - 1);
                if r[i] == h[j] {
                    found.push((i, j));
                }
            }
            1 => i -= 1,
            _ => j -= 1,
        }
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glosses(of: &[(&str, f64)]) -> Vec<TimedGloss> {
        let gloss = |&(gloss, end_s): &(&str, f64)| TimedGloss {
            gloss: gloss.into(),
            start_s: end_s - 0.2,
            end_s,
            confidence: None,
        };
        of.iter().map(gloss).collect()
    }

    /// The latencies of one recording at 25 frames a second, and how many are late.
    #[track_caller]
    fn check(signed: &[(&str, f64)], said: &[(&str, f64)], expect: &[f64], late: usize) {
        let mut found = Latencies::default();
        found.note(&glosses(signed), &glosses(said), 0.04);
        assert_eq!((found.seconds.as_slice(), found.late), (expect, late));
    }

    #[test]
    fn only_signs_that_were_read_right_count() {
        check(&[("A", 1.0), ("B", 2.0)], &[("a", 1.25), ("C", 2.5)], &[0.25], 0);
        check(&[("A", 1.0)], &[], &[], 0);
        check(&[], &[("A", 1.0)], &[], 0);
    }

    #[test]
    fn of_equal_signs_the_gloss_belongs_to_the_nearest() {
        check(&[("YOU", 1.0), ("YOU", 2.0)], &[("YOU", 2.25)], &[0.25], 0);
        check(&[("YOU", 1.0), ("YOU", 2.0)], &[("YOU", 1.25)], &[0.25], 0);
        check(&[("YOU", 1.0), ("NO", 2.0)], &[("YOU", 1.25), ("YOU", 1.75), ("NO", 2.5)], &[0.25, 0.5], 0);
        // Fewer errors come first, however late that makes a gloss.
        check(&[("YOU", 1.0), ("NO", 2.0)], &[("NO", 1.25), ("YOU", 4.0), ("NO", 4.5)], &[3.0, 2.5], 2);
    }

    #[test]
    fn a_frame_beyond_the_limit_is_not_late() {
        check(&[("A", 1.0)], &[("A", 1.68)], &[1.68 - 1.0], 0);
        check(&[("A", 1.0)], &[("A", 1.7)], &[1.7 - 1.0], 1);
    }

    #[test]
    fn a_report_has_mean_share_and_latest() {
        let (mut found, mut report) = (Latencies::default(), LiveReport::default());
        found.note(&glosses(&[("A", 1.0), ("B", 2.0)]), &glosses(&[("A", 1.25), ("B", 3.0)]), 0.04);
        found.report(&mut report);
        assert_eq!((report.latency_mean_s, report.latency_most_s), (0.625, 1.0));
        assert_eq!((report.latency_n, report.latency_late), (2, 1));
    }
}
