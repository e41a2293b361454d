//! What is done to a recording before it is kept: rest goes, spikes go, lost hands come back where both ends are
//! known, and the rate is made the lexicon's.

use models::playback::{Frame, Point, blend};
use models::vector::{norm, sub};

/// A wrist below this is at rest; from the middle of the shoulders down, in shoulder widths.
const RESTING: f32 = 1.1;
/// What stays before a sign begins and after it ends, so that playing may choose where to come in. Seconds.
const MARGIN_S: f32 = 0.2;
/// No wrist is faster, in shoulder widths a second. Set by hand, well above what signing reaches.
const FASTEST: f32 = 40.0;
/// Hands that are lost for longer cannot be filled in. Seconds.
const LONGEST_GAP_S: f32 = 0.6;
/// A recording with more lost or mended frames than this share shows another sign than was made.
const MOST_MENDED: f32 = 0.4;
/// A shorter one is no sign. Seconds.
const SHORTEST_S: f32 = 0.1;
/// A longer one is no single sign. Seconds.
const LONGEST_S: f32 = 15.0;

/// From when a hand is raised until none is, with a margin at both ends.
pub fn trimmed(frames: &[Frame], fps: f32) -> Vec<Frame> {
    let raised = |frame: &Frame| (0..2).any(|s| frame.hands[s].is_some() && frame.wrists[s][1] < RESTING);
    let first = frames.iter().position(raised);
    let last = frames.iter().rposition(raised);
    let (Some(first), Some(last)) = (first, last) else { return vec![] };
    let margin = (MARGIN_S * fps).round() as usize;
    frames[first.saturating_sub(margin)..(last + margin + 1).min(frames.len())].to_vec()
}

/// The recording without spikes and gaps, and how many of its frames were mended.
///
/// # Errors
/// Why it cannot be used.
pub fn repaired(mut frames: Vec<Frame>, fps: f32) -> Result<(Vec<Frame>, usize), String> {
    let seconds = frames.len() as f32 / fps;
    if seconds < SHORTEST_S {
        return Err(format!("hands are raised in it for {seconds:.2} s only"));
    }
    if seconds > LONGEST_S {
        return Err(format!(
            "hands are raised in it for {seconds:.0} s, which is no single sign; cut it with start and end"
        ));
    }
    let mut mended = vec![false; frames.len()];
    for side in 0..2 {
        despiked(&mut frames, side, fps, &mut mended);
        let lost = filled(&mut frames, side, fps, &mut mended);
        if let Some(lost) = lost {
            let hand = ["left", "right"][side];
            return Err(format!("the {hand} hand is lost for {lost:.1} s in the middle of it"));
        }
    }
    let count = mended.iter().filter(|m| **m).count();
    let share = count as f32 / frames.len() as f32;
    if share > MOST_MENDED {
        return Err(format!("hands are lost or jump in {:.0} of 100 frames", share * 100.0));
    }
    Ok((frames, count))
}

/// Takes away hands that jump there and back: a detector saw something else for a moment.
fn despiked(frames: &mut [Frame], side: usize, fps: f32, mended: &mut [bool]) {
    let most = FASTEST / fps;
    let flat = |p: Point| [p[0], p[1], 0.0];
    let far = |a: &Frame, b: &Frame| norm(sub(flat(a.wrists[side]), flat(b.wrists[side])));
    for t in 1..frames.len().saturating_sub(1) {
        let (before, now, after) = (&frames[t - 1], &frames[t], &frames[t + 1]);
        if [before, now, after].iter().any(|f| f.hands[side].is_none()) {
            continue;
        }
        if far(before, now) > most && far(now, after) > most && far(before, after) < most {
            frames[t].hands[side] = None;
            mended[t] = true;
        }
    }
}

/// Fills gaps in a hand that are short; the length of one that is too long, in seconds, where there is one.
fn filled(frames: &mut [Frame], side: usize, fps: f32, mended: &mut [bool]) -> Option<f32> {
    let known: Vec<usize> = (0..frames.len()).filter(|&t| frames[t].hands[side].is_some()).collect();
    for ends in known.windows(2) {
        let (from, to) = (ends[0], ends[1]);
        let gap_s = (to - from - 1) as f32 / fps;
        // A hand that went down and came up again was not lost.
        let down = (from..=to).any(|t| frames[t].wrists[side][1] > RESTING);
        if gap_s > LONGEST_GAP_S {
            if down {
                continue;
            }
            return Some(gap_s);
        }
        for t in from + 1..to {
            let part = (t - from) as f32 / (to - from) as f32;
            let between = blend(&frames[from], &frames[to], part);
            frames[t].hands[side] = between.hands[side];
            frames[t].wrists[side] = between.wrists[side];
            frames[t].elbows[side] = between.elbows[side];
            mended[t] = true;
        }
    }
    None
}

/// The same movement at another rate.
pub fn resampled(frames: &[Frame], from_fps: f32, to_fps: f32) -> Vec<Frame> {
    let Some(last) = frames.len().checked_sub(1) else { return vec![] };
    let count = (last as f32 / from_fps * to_fps).round() as usize + 1;
    let frame = |i: usize| {
        let at = (i as f32 * from_fps / to_fps).min(last as f32);
        let (before, part) = (at as usize, at.fract());
        if part < 1e-4 { frames[before].clone() } else { blend(&frames[before], &frames[before + 1], part) }
    };
    (0..count).map(frame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FPS: f32 = 25.0;

    /// A right hand that is raised at frame 20, goes to the side, and is down again at frame 60 of 80.
    fn clip() -> Vec<Frame> {
        let frame = |t: usize| {
            let mut frame = Frame::rest();
            if (20..60).contains(&t) {
                let wrist = [-0.3 - t as f32 / 200.0, 0.1, -0.2];
                frame.wrists[1] = wrist;
                frame.hands[1] =
                    Some(std::array::from_fn(|k| [wrist[0] + k as f32 / 80.0, wrist[1], wrist[2]]));
            }
            frame
        };
        (0..80).map(frame).collect()
    }

    #[test]
    fn rest_goes_but_for_a_margin() {
        let kept = trimmed(&clip(), FPS);
        assert_eq!(kept.len(), 40 + 2 * 5);
        assert!(kept[4].hands[1].is_none() && kept[5].hands[1].is_some());
        assert!(trimmed(&vec![Frame::rest(); 9], FPS).is_empty());
        assert!(repaired(vec![], FPS).unwrap_err().contains("0.00 s only"));
    }

    #[test]
    fn a_spike_and_a_short_gap_are_mended_and_a_long_gap_is_refused() {
        let whole = trimmed(&clip(), FPS);
        assert_eq!(repaired(whole.clone(), FPS).unwrap(), (whole.clone(), 0));
        let mut hurt = whole.clone();
        hurt[15].wrists[1] = [2.5, 0.0, 0.0];
        for frame in &mut hurt[30..34] {
            frame.hands[1] = None;
        }
        let (mended, count) = repaired(hurt, FPS).unwrap();
        assert_eq!(count, 5);
        for (a, b) in mended.iter().zip(&whole) {
            assert!(norm(sub(a.wrists[1], b.wrists[1])) < 0.01, "{:?} {:?}", a.wrists[1], b.wrists[1]);
        }
        let mut lost = whole.clone();
        for frame in &mut lost[12..32] {
            frame.hands[1] = None;
        }
        assert!(repaired(lost, FPS).unwrap_err().contains("right hand is lost for 0.8 s"));
        let mut flickering = whole;
        for t in (6..44).step_by(2) {
            flickering[t].hands[1] = None;
        }
        assert!(repaired(flickering.clone(), FPS).is_ok());
        for t in (7..44).step_by(4) {
            flickering[t].hands[1] = None;
        }
        assert!(repaired(flickering, FPS).unwrap_err().contains("of 100 frames"));
    }

    #[test]
    fn another_rate_is_the_same_movement() {
        let whole = trimmed(&clip(), FPS);
        assert_eq!(resampled(&whole, FPS, FPS), whole);
        let faster = resampled(&whole, FPS, 50.0);
        assert_eq!(faster.len(), 2 * whole.len() - 1);
        assert_eq!(faster[20], whole[10]);
        let middle = (whole[10].wrists[1][0] + whole[11].wrists[1][0]) / 2.0;
        assert!((faster[21].wrists[1][0] - middle).abs() < 1e-3);
        assert!(resampled(&[], FPS, 50.0).is_empty());
    }
}
