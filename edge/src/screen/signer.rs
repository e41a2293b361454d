//! The signer: torso, head, arms and hands, what is farther away first.

use models::pose::Pose;

use super::canvas::Canvas;
use super::face::{self, Head};
use super::figure::{HAND_POINTS, Joint, Rig, View};
use super::hand::{self, Side};
use super::theme::Theme;

/// Radii of an arm at shoulder, elbow and wrist, in shoulder widths.
const ARM: [f32; 3] = [0.125, 0.095, 0.062];
/// Where the sleeve ends on the upper arm, from shoulder (0) to elbow (1).
const SLEEVE: f32 = 1.0;
/// How far a sleeve goes around the elbow of an arm that is folded, from elbow (0) to wrist (1).
const CUFF: f32 = 0.12;
/// How far clothes go on below the hips, in shoulder widths: beyond any picture, so that nobody floats in it.
const LEGS: f32 = 1.5;
/// A hand this far behind the ears is drawn behind the head, in shoulder widths.
const BEHIND: f32 = 0.15;

/// One arm, in pixels of the canvas.
struct Arm {
    shoulder: [f32; 3],
    elbow: Option<[f32; 3]>,
    wrist: Option<[f32; 3]>,
    /// The depth of the arm's own wrist; that of a hand's is about itself.
    wrist_depth: Option<f32>,
    hand: Option<[[f32; 3]; HAND_POINTS]>,
    side: Side,
}

impl Arm {
    fn of(rig: &Rig, pose: &Pose, view: &View, side: Side) -> Option<Self> {
        let (shoulder, elbow, wrist) = match side {
            Side::Left => (Joint::LeftShoulder, Joint::LeftElbow, Joint::LeftWrist),
            Side::Right => (Joint::RightShoulder, Joint::RightElbow, Joint::RightWrist),
        };
        let joint = |j| rig.joint(pose, j).map(|p| view.at(p));
        let hand = rig.hand(pose, side as usize).map(|h| h.map(|p| view.at(p)));
        let own = joint(wrist);
        // The hand's own wrist is the better one: the arm ends where the hand begins.
        let wrist = hand.map(|h| h[0]).or(own);
        let wrist_depth = own.map(|p| p[2]);
        Some(Self { shoulder: joint(shoulder)?, elbow: joint(elbow), wrist, wrist_depth, hand, side })
    }

    fn depth(&self) -> f32 {
        self.wrist_depth.unwrap_or(self.shoulder[2])
    }

    fn draw(&self, canvas: &mut Canvas, theme: &Theme, unit: f32) {
        let flat = |p: [f32; 3]| [p[0], p[1]];
        let [rs, re, rw] = ARM.map(|r| r * unit);
        let edge = 0.014 * unit;
        let shoulder = flat(self.shoulder);
        if let Some(elbow) = self.elbow {
            let depth = elbow[2];
            let elbow = flat(elbow);
            let along =
                |t: f32, from: [f32; 2], to: [f32; 2]| [0, 1].map(|i| from[i] + (to[i] - from[i]) * t);
            // Of the two halves of an arm that is folded the nearer one hides the other.
            let folded = self.wrist.is_some_and(|wrist| {
                (0..2).map(|i| (elbow[i] - shoulder[i]) * (wrist[i] - elbow[i])).sum::<f32>() < 0.0
            });
            let forearm_last = folded && self.wrist_depth.is_some_and(|wrist| wrist < depth);
            let forearm = |canvas: &mut Canvas| {
                if let Some(wrist) = self.wrist.map(flat) {
                    canvas.limb((elbow, re * 0.9 + edge, true), (wrist, rw + edge, true), theme.line);
                    canvas.limb((elbow, re * 0.9, true), (wrist, rw, true), theme.skin_back);
                }
            };
            if !forearm_last {
                forearm(canvas);
            }
            let cuff = along(SLEEVE, shoulder, elbow);
            canvas.limb((shoulder, rs + edge, true), (cuff, re + edge, true), theme.shirt_line);
            canvas.limb((shoulder, rs, true), (cuff, re, true), theme.shirt);
            if let Some(wrist) = self.wrist.filter(|_| forearm_last) {
                forearm(canvas);
                // The sleeve goes around the elbow.
                canvas.limb(
                    (elbow, re, true),
                    (along(CUFF, elbow, flat(wrist)), re * 0.9 + edge, false),
                    theme.shirt,
                );
            }
        }
        if let Some(hand) = &self.hand {
            hand::draw(canvas, theme, hand, self.side);
        }
    }
}

/// Draws the signer of one pose. A pose without shoulders shows its hands alone.
pub fn draw(canvas: &mut Canvas, theme: &Theme, rig: &Rig, pose: &Pose, view: &View) {
    let joint = |j| rig.joint(pose, j).map(|p| view.at(p));
    let (Some(left), Some(right)) = (joint(Joint::LeftShoulder), joint(Joint::RightShoulder)) else {
        for side in [Side::Left, Side::Right] {
            if let Some(hand) = rig.hand(pose, side as usize) {
                hand::draw(canvas, theme, &hand.map(|p| view.at(p)), side);
            }
        }
        return;
    };
    let unit = (left[0] - right[0]).hypot(left[1] - right[1]).max(1.0);
    let head = Head::of(rig, pose, view);
    let mut arms: Vec<Arm> =
        [Side::Left, Side::Right].into_iter().filter_map(|side| Arm::of(rig, pose, view, side)).collect();
    arms.sort_by(|a, b| b.depth().total_cmp(&a.depth()));
    let behind = |arm: &Arm| head.is_some_and(|h| arm.depth() > h.depth + BEHIND * unit);

    if let Some(head) = &head {
        face::hair(canvas, theme, head);
    }
    for arm in arms.iter().filter(|a| behind(a)) {
        arm.draw(canvas, theme, unit);
    }
    let hips = joint(Joint::LeftHip).zip(joint(Joint::RightHip));
    torso(canvas, theme, (left, right), hips, head.as_ref(), unit);
    if let Some(head) = &head {
        face::draw(canvas, theme, rig, pose, view, head);
    }
    for arm in arms.iter().filter(|a| !behind(a)) {
        arm.draw(canvas, theme, unit);
    }
}

/// Draws the leading hand once more in a square `[x, y, width, height]`: the right one where it is seen.
pub fn close_up(
    canvas: &mut Canvas,
    theme: &Theme,
    rig: &Rig,
    pose: &Pose,
    view: &View,
    [x, y, w, h]: [f32; 4],
) {
    let found = [Side::Right, Side::Left]
        .into_iter()
        .find_map(|side| Some((side, rig.hand(pose, side as usize)?.map(|p| view.at(p)))));
    let Some((side, hand)) = found else { return };
    // The palm gets a fixed length, so that the picture does not pump as fingers open and close,
    // unless the hand would not fit.
    let bounds = [0, 1].map(|i| {
        let along = hand.iter().map(|p| p[i]);
        (along.clone().fold(f32::MAX, f32::min), along.fold(f32::MIN, f32::max))
    });
    let extent = bounds.iter().map(|(low, high)| high - low).fold(1e-3, f32::max);
    let scale = (0.36 * w / hand::palm_length(&hand).max(1e-3)).min(0.78 * w / extent);
    let middle = bounds.map(|(low, high)| (low + high) / 2.0);
    let center = [x + w / 2.0, y + h / 2.0];
    canvas.round_rectangle([x, y, w, h], 0.06 * w, theme.band);
    let edge = 0.012 * w;
    canvas.round_rectangle([x + edge, y + edge, w - 2.0 * edge, h - 2.0 * edge], 0.05 * w, theme.stage);
    let place = |p: [f32; 3]| {
        [center[0] + (p[0] - middle[0]) * scale, center[1] + (p[1] - middle[1]) * scale, p[2] * scale]
    };
    hand::draw(canvas, theme, &hand.map(place), side);
}

type Pair = ([f32; 3], [f32; 3]);

fn torso(
    canvas: &mut Canvas,
    theme: &Theme,
    (left, right): Pair,
    hips: Option<Pair>,
    head: Option<&Head>,
    unit: f32,
) {
    let middle = [(left[0] + right[0]) / 2.0, (left[1] + right[1]) / 2.0];
    let neck = 0.15 * unit;
    if let Some(head) = head {
        let top = [head.center[0], head.center[1] + head.ry * 0.55];
        let base = [middle[0], middle[1] + 0.02 * unit];
        let edge = 0.012 * unit;
        canvas.limb((top, neck + edge, false), (base, neck * 1.15 + edge, false), theme.line);
        canvas.limb((top, neck, false), (base, neck * 1.15, true), theme.skin_back);
    }
    let hips = hips.map_or(
        (
            [middle[0] + 0.34 * unit, middle[1] + 1.4 * unit],
            [middle[0] - 0.34 * unit, middle[1] + 1.4 * unit],
        ),
        |(l, r)| ([l[0], l[1]], [r[0], r[1]]),
    );
    let widen = 0.09 * unit;
    let outline = [
        [middle[0] + neck * 1.1, middle[1] - 0.13 * unit],
        [left[0] - 0.06 * unit, left[1] - 0.115 * unit],
        [left[0] + widen, left[1] + 0.0 * unit],
        [left[0] + 0.5 * widen, left[1] + 0.3 * unit],
        [hips.0[0] + 1.3 * widen, hips.0[1]],
        [hips.0[0] + 1.3 * widen, hips.0[1] + LEGS * unit],
        [hips.1[0] - 1.3 * widen, hips.1[1] + LEGS * unit],
        [hips.1[0] - 1.3 * widen, hips.1[1]],
        [right[0] - 0.5 * widen, right[1] + 0.3 * unit],
        [right[0] - widen, right[1]],
        [right[0] + 0.06 * unit, right[1] - 0.115 * unit],
        [middle[0] - neck * 1.1, middle[1] - 0.13 * unit],
        [middle[0], middle[1] + 0.16 * unit],
    ];
    canvas.polygon_under(&outline, theme.shirt);
    canvas.polygon_line(&outline, 0.014 * unit, theme.shirt_line);
}
