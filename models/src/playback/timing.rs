//! How long a clip lasts in a sentence: lead-in and lead-out go, holds shrink, motion stays.

use crate::vector::{norm, sub};

use super::body::Frame;

/// A hand slower than this holds, in shoulder widths a second.
/// Hands that form a letter of the fingerspelling clips hold below 0.9 and move above it.
const SLOW: f32 = 0.9;
/// A hand that turns round without holding has arrived where it is slowest, and slower than this.
const TURNING: f32 = 1.6;
/// A hand that seems faster was lost or mistaken, and its way does not count.
const FASTEST: f32 = 8.0;

/// How long parts of a clip may last.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest hold, in seconds.
    pub hold_s: f32,
    /// Shortest whole, in seconds: what holds only is stretched to this.
    pub least_s: f32,
    /// Longest whole, in seconds: what moves longer is sped up.
    pub most_s: f32,
    /// How fast hands move at least in the mean, in shoulder widths a second; `None` for as fast as was recorded.
    pub pace: Option<f32>,
    /// Speeds are means over this time, in seconds: cameras show a frame twice, and landmarks tremble. 0 for letters,
    /// which are over before that.
    pub steady_s: f32,
    /// Whether the rests with which clips of dictionaries begin and end are no part of the sign.
    pub between_rests: bool,
}

impl Limits {
    /// As fast as was recorded.
    pub const fn of(hold_s: f32, least_s: f32, most_s: f32) -> Self {
        Self { hold_s, least_s, most_s, pace: None, steady_s: 0.0, between_rests: false }
    }
}

/// A hand that lies lower than this below the shoulders at an end of a clip rests there, in shoulder widths.
const RESTS: f32 = 0.9;
/// It has left its rest when it is this part of its way to the highest place of the clip; signs are made above.
const LEFT_REST: f32 = 0.35;
/// What a sign takes beside its way, in seconds: hands start and stop.
const START_S: f32 = 0.1;

/// A clip's frames on the sentence's clock, at `fps`.
pub fn timed(frames: &[Frame], clip_fps: f32, limits: Limits, fps: f32) -> Vec<Frame> {
    let raised = if limits.between_rests { raised(frames) } else { 0..frames.len() };
    let speeds = steady(&speeds(&frames[raised.clone()], clip_fps), limits.steady_s * clip_fps);
    let (first, last) = core(&speeds);
    let (core, speeds) = (&frames[raised.start + first..=raised.start + last], &speeds[first..=last]);
    let durations = durations(speeds, clip_fps, limits);
    let total: f32 = durations.iter().sum();
    let brisk = limits.pace.map_or(total, |pace| {
        let path: f32 =
            speeds.iter().zip(&durations).map(|(speed, seconds)| speed.min(FASTEST) * seconds).sum();
        (START_S + path / pace).min(total)
    });
    let wanted = brisk.clamp(limits.least_s, limits.most_s);
    let stretch = if total > 0.0 { wanted / total } else { 0.0 };
    let count = (wanted * fps).round().max(1.0) as usize;
    let (mut at, mut passed) = (0, 0.0);
    (0..count)
        .map(|i| {
            let time = (i as f32 + 0.5) * wanted / count as f32;
            while at < durations.len() && passed + durations[at] * stretch < time {
                passed += durations[at] * stretch;
                at += 1;
            }
            let part = durations.get(at).map_or(0.0, |d| (time - passed) / (d * stretch).max(1e-6));
            between(core, at, part)
        })
        .collect()
}

/// The frame between `at` and the next one.
fn between(frames: &[Frame], at: usize, part: f32) -> Frame {
    let last = frames.len() - 1;
    super::stitch::blend(&frames[at.min(last)], &frames[(at + 1).min(last)], part.clamp(0.0, 1.0))
}

/// Speed of the hands from each frame to the next, in shoulder widths a second. `[T]`, the last as the one before.
fn speeds(frames: &[Frame], fps: f32) -> Vec<f32> {
    let mut speeds: Vec<f32> = frames
        .windows(2)
        .map(|pair| {
            let moved = (0..2).filter_map(|side| {
                let (a, b) = (pair[0].hands[side].as_ref()?, pair[1].hands[side].as_ref()?);
                let sum: f32 = (0..21)
                    .map(|k| {
                        let d = sub(b[k], a[k]);
                        norm([d[0], d[1], 0.0])
                    })
                    .sum();
                Some(sum / 21.0)
            });
            // Where no hand is seen nothing is said, so that nothing is worth keeping.
            moved.reduce(f32::max).map_or(f32::INFINITY, |m| m * fps)
        })
        .collect();
    speeds.push(speeds.last().copied().unwrap_or(0.0));
    speeds
}

/// Each speed as the mean of so many frames about it.
fn steady(speeds: &[f32], frames: f32) -> Vec<f32> {
    let about = (frames / 2.0).round() as usize;
    (0..speeds.len())
        .map(|t| {
            let near = &speeds[t.saturating_sub(about)..(t + about + 1).min(speeds.len())];
            near.iter().sum::<f32>() / near.len() as f32
        })
        .collect()
}

/// The frames between the rests with which dictionary clips begin and end; all where it does neither.
fn raised(frames: &[Frame]) -> std::ops::Range<usize> {
    // The higher hand that is seen, or the higher arm.
    let height = |frame: &Frame| {
        let seen = (0..2).filter(|&side| frame.hands[side].is_some()).map(|side| frame.wrists[side][1]);
        seen.reduce(f32::min).unwrap_or(frame.wrists[0][1].min(frame.wrists[1][1]))
    };
    let heights: Vec<f32> = frames.iter().map(height).collect();
    let highest = heights.iter().copied().fold(f32::INFINITY, f32::min);
    let left = |rest: f32, height: f32| rest < RESTS || height < rest - LEFT_REST * (rest - highest);
    let (Some(&begin), Some(&end)) = (heights.first(), heights.last()) else { return 0..0 };
    let first = heights.iter().position(|&height| left(begin, height));
    let last = heights.iter().rposition(|&height| left(end, height));
    match (first, last) {
        (Some(first), Some(last)) if first < last => first..last + 1,
        _ => 0..frames.len(),
    }
}

/// The first and last frame that belong to the sign.
///
/// A hand is raised fast and then slows down as it arrives; it leaves in the same way.
fn core(speeds: &[f32]) -> (usize, usize) {
    let first = arrival(speeds.iter().copied());
    let last = speeds.len() - 1 - arrival(speeds.iter().rev().copied());
    if first <= last { (first, last) } else { (0, speeds.len() - 1) }
}

/// How many frames pass before the hand has arrived.
fn arrival(speeds: impl Iterator<Item = f32> + Clone) -> usize {
    let following = speeds.clone().skip(1).chain(std::iter::once(f32::INFINITY));
    let arrived = |(speed, next): (f32, f32)| speed < SLOW || (speed <= next && speed < TURNING);
    speeds.zip(following).position(arrived).unwrap_or(0)
}

/// How long each frame is shown: motion as it was, holds shortened. `[T]`, seconds.
///
/// Of a hold at the start its end is kept, and of a clip that holds only its
/// stillest part: before that the hand is still forming.
fn durations(speeds: &[f32], fps: f32, limits: Limits) -> Vec<f32> {
    let mut durations = vec![1.0 / fps; speeds.len()];
    let mut start = 0;
    while start < speeds.len() {
        let end = (start..speeds.len()).find(|&t| speeds[t] >= SLOW).unwrap_or(speeds.len());
        let held = (end - start) as f32 / fps;
        if held > limits.hold_s {
            let kept = ((limits.hold_s * fps).round() as usize).clamp(1, end - start);
            let all = start == 0 && end == speeds.len();
            if all {
                let stillest = stillest(speeds, kept);
                durations[..stillest].fill(0.0);
                durations[stillest + kept..].fill(0.0);
            } else if start == 0 {
                durations[..end - kept].fill(0.0);
            } else {
                durations[start..end].fill(limits.hold_s / (end - start) as f32);
            }
        }
        start = end + 1;
    }
    durations
}

/// Where the stretch of `length` frames with the least motion begins.
fn stillest(speeds: &[f32], length: usize) -> usize {
    let motion = |start: usize| speeds[start..start + length].iter().sum::<f32>();
    (0..=speeds.len() - length).min_by(|&a, &b| motion(a).total_cmp(&motion(b))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_core(speeds: &[f32], expect: (usize, usize)) {
        assert_eq!(core(speeds), expect, "{speeds:?}");
    }

    #[test]
    fn lead_in_and_lead_out_go() {
        check_core(&[5.0, 3.0, 0.5, 0.1, 0.2, 2.0, 6.0], (2, 4));
        // The hand turns round at 1.2 and moves on: the movement is the letter.
        check_core(&[3.0, 1.2, 3.0, 5.0, 3.0, 0.3, 0.2, 4.0], (1, 6));
        check_core(&[4.0, 3.0, 4.0], (0, 2));
    }

    /// A right hand at these heights, frame by frame, and moved to the side as far as it says.
    fn at(places: impl IntoIterator<Item = [f32; 2]>) -> Vec<Frame> {
        places.into_iter().map(|[x, y]| Frame::rest().with_hand(1, [-0.5 + x, y, 0.0])).collect()
    }

    /// Half a second of rest, a hand that goes up in 0.3 s, to the side by a width, and down to rest again.
    fn citation() -> Vec<Frame> {
        let rest = || std::iter::repeat_n([0.0, 1.5], 12);
        let up = (1..8).map(|t| [0.0, 1.5 - t as f32 * 0.17]);
        let aside = (0..25).map(|t| [t as f32 / 24.0, 0.3]);
        let down = (1..8).map(|t| [1.0, 0.3 + t as f32 * 0.17]);
        at(rest().chain(up).chain(aside).chain(down).chain(rest().map(|[_, y]| [1.0, y])))
    }

    const FLUENT: Limits = Limits { steady_s: 0.1, between_rests: true, ..Limits::of(0.1, 0.1, 9.0) };

    #[test]
    fn of_a_citation_the_rests_go_and_the_sign_stays() {
        let between = raised(&citation());
        assert!((13..=16).contains(&between.start) && (47..=50).contains(&between.end), "{between:?}");
        let frames = timed(&citation(), 25.0, FLUENT, 25.0);
        let [first, last] = [&frames[0], &frames[frames.len() - 1]].map(|frame| frame.wrists[1]);
        assert!(first[0] < -0.4 && last[0] > 0.4, "{first:?} {last:?}");
        assert!(frames.iter().all(|frame| frame.wrists[1][1] < 0.7), "no frame of the ways up and down");
        // What never was at rest is left whole.
        assert_eq!(raised(&at([[0.0, 0.5]; 9])), 0..9);
        assert_eq!(raised(&at([[0.0, 1.5]; 9])), 0..9);
    }

    #[test]
    fn a_pace_makes_a_sign_as_short_as_its_way_and_never_longer() {
        let seconds = |pace| {
            let limits = Limits { pace, ..FLUENT };
            timed(&citation(), 25.0, limits, 25.0).len() as f32 / 25.0
        };
        let recorded = seconds(None);
        assert!((seconds(Some(2.0)) - 0.6).abs() < 0.12, "a width at two a second: {}", seconds(Some(2.0)));
        assert!((seconds(Some(0.1)) - recorded).abs() < 1e-6);
    }

    #[test]
    fn of_a_hold_the_stillest_part_is_kept() {
        let limits = Limits::of(0.2, 0.0, 1.0);
        let shown = durations(&[0.8, 0.5, 0.1, 0.1, 0.3, 0.6], 10.0, limits);
        assert_eq!(
            shown.iter().map(|&d| d > 0.0).collect::<Vec<_>>(),
            [false, false, true, true, false, false]
        );
    }

    #[test]
    fn motion_keeps_its_time_and_a_long_end_hold_is_shortened() {
        let limits = Limits::of(0.2, 0.0, 9.0);
        let shown = durations(&[0.1, 3.0, 3.0, 0.1, 0.1, 0.1, 0.1], 10.0, limits);
        assert_eq!(&shown[..3], [0.1; 3]);
        assert!((shown[3..].iter().sum::<f32>() - 0.2).abs() < 1e-6);
    }
}
