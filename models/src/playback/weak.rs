//! The hand that is not needed: between two signs that need it, it holds instead of going down and up again.

use super::body::Frame;
use super::stitch::Unit;

/// Lets each hand hold where it was through units that do not need it and last no longer than this together, in seconds.
pub fn hold_between(units: &mut [Unit], fps: f32, longest_s: f32) {
    for side in 0..2 {
        let mut last: Option<usize> = None;
        for u in 0..units.len() {
            if !needs(&units[u], side) {
                continue;
            }
            if let Some(from) = last.replace(u).filter(|from| from + 1 < u) {
                let between = &units[from + 1..u];
                let lasts_s: f32 = between.iter().map(|u| u.frames.len() as f32 / fps + u.pause_s).sum();
                let held = units[from].frames.last().filter(|f| f.hands[side].is_some()).cloned();
                if let Some(held) = held.filter(|_| lasts_s <= longest_s) {
                    let frames = units[from + 1..u].iter_mut().flat_map(|u| &mut u.frames);
                    frames.for_each(|frame| take_arm(frame, &held, side));
                }
            }
        }
    }
}

fn needs(unit: &Unit, side: usize) -> bool {
    unit.frames.iter().any(|frame| frame.hands[side].is_some())
}

fn take_arm(frame: &mut Frame, held: &Frame, side: usize) {
    frame.elbows[side] = held.elbows[side];
    frame.wrists[side] = held.wrists[side];
    frame.hands[side] = held.hands[side];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playback::hand::relaxed_hand;

    /// Units of ten frames whose left hand is up where it says so.
    #[track_caller]
    fn check(up: &[bool], expect: &[bool]) {
        let unit = |&up: &bool| {
            let mut frame = Frame::rest();
            frame.hands = [up.then(|| relaxed_hand(0)), Some(relaxed_hand(1))];
            Unit { frames: vec![frame; 10], word: 0, letter: false, repeats: false, pause_s: 0.0 }
        };
        let mut units: Vec<Unit> = up.iter().map(unit).collect();
        hold_between(&mut units, 25.0, 1.0);
        let held: Vec<bool> = units.iter().map(|unit| needs(unit, 0)).collect();
        assert_eq!(held, expect);
    }

    #[test]
    fn it_holds_between_signs_that_need_it_and_not_for_long() {
        check(&[true, false, true], &[true, true, true]);
        check(&[true, false, false, true], &[true, true, true, true]);
        check(&[true, false, false, false, true], &[true, false, false, false, true]);
        check(&[false, true, false], &[false, true, false]);
    }
}
