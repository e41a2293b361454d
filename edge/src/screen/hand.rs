//! A hand whose shape can be read: palm and every finger bone as filled shapes, far ones first.
//!
//! Each bone is a tapered limb with a dark line along its sides, so that a finger
//! in front of another, or a thumb across the palm, stands out. Lines end at the
//! joints, so that a finger looks like one piece where it is straight and shows
//! a crease where it folds. Nails mark the backs of finger tips.

use embedded_graphics::pixelcolor::Rgb888;
use models::vector::{cross, norm, sub};

use super::canvas::Canvas;
use super::figure::HAND_POINTS;
use super::theme::{Theme, mix};

/// The bones of a finger, from the palm to the tip, as landmark numbers.
const FINGERS: [[usize; 4]; 5] =
    [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16], [17, 18, 19, 20]];
/// Radius of each finger at its base and at its tip, in palm lengths; drawn from hands in photographs.
const RADII: [(f32, f32); 5] = [(0.15, 0.105), (0.115, 0.085), (0.12, 0.088), (0.112, 0.082), (0.098, 0.07)];
/// Half the thickness of the palm's edge, in palm lengths.
const PALM_EDGE: f32 = 0.11;
/// Width of the lines, in palm lengths.
const LINE: f32 = 0.032;

/// How far the thumb is brought forward, in palm lengths: networks place a thumb that lies across
/// the fingers a little behind them. Chosen by eye on the fingerspelling clips: it shows the thumb
/// in front in S and leaves it below the fingers in M, N and T.
const THUMB_FORWARD: f32 = 0.2;

/// Which hand is drawn; it decides which side of the palm is the back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The signer's left.
    Left,
    /// The signer's right.
    Right,
}

/// The palm's length in the coordinates given: wrist to the middle finger's base.
pub fn palm_length(hand: &[[f32; 3]; HAND_POINTS]) -> f32 {
    let length = |a: usize, b: usize| norm(sub(hand[b], hand[a]));
    // The palm's width serves when the palm points at the viewer: it is 0.9 of the length.
    length(0, 9).max(length(5, 17) * 1.1)
}

/// Draws a hand given in pixels of the canvas; z is away from the viewer.
pub fn draw(canvas: &mut Canvas, theme: &Theme, hand: &[[f32; 3]; HAND_POINTS], side: Side) {
    let unit = palm_length(hand);
    if !(1.0..1e5).contains(&unit) {
        return;
    }
    let facing = Facing::of(hand, side);
    let mut pieces: Vec<(f32, Piece)> = vec![(palm_depth(hand), Piece::Palm)];
    for (finger, joints) in FINGERS.iter().enumerate() {
        let first = usize::from(finger == 0); // The thumb's first bone lies in the palm's outline.
        for bone in 0..3 {
            let [a, b] = [joints[bone], joints[bone + 1]];
            let mut depth = (hand[a][2] + hand[b][2]) / 2.0;
            if finger == 0 {
                depth -= THUMB_FORWARD * unit;
            }
            if bone < 1 + first {
                // A base bone starts inside the palm and must not be hidden by it.
                depth = depth.min(palm_depth(hand) - 0.01 * unit);
            }
            pieces.push((depth, Piece::Bone { finger, bone }));
        }
    }
    pieces.sort_by(|a, b| b.0.total_cmp(&a.0));
    // One dark silhouette below all: the hand stands out from face and shirt.
    for &(_, piece) in &pieces {
        silhouette(canvas, theme, hand, unit, piece);
    }
    for (_, piece) in pieces {
        match piece {
            Piece::Palm => palm(canvas, theme, hand, unit, &facing),
            Piece::Bone { finger, bone } => phalanx(canvas, theme, hand, unit, &facing, finger, bone),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Piece {
    Palm,
    Bone { finger: usize, bone: usize },
}

/// Tells the back of a bone from its palm side.
struct Facing {
    /// From the index to the little finger.
    knuckles: [f32; 3],
    /// 1 for a right hand, −1 for a left one.
    sign: f32,
}

impl Facing {
    fn of(hand: &[[f32; 3]; HAND_POINTS], side: Side) -> Self {
        let sign = if side == Side::Right { 1.0 } else { -1.0 };
        Self { knuckles: sub(hand[17], hand[5]), sign }
    }

    /// How much the back of a bone with the direction given faces the viewer: −1 (palm) to 1 (back).
    ///
    /// A right hand held up with its palm to the viewer has its little finger to
    /// the left of the picture; `direction × knuckles` then points at the viewer,
    /// to negative z, out of the palm.
    fn back(&self, direction: [f32; 3]) -> f32 {
        self.sign * unit_vector(cross(direction, self.knuckles))[2]
    }
}

fn palm_depth(hand: &[[f32; 3]; HAND_POINTS]) -> f32 {
    [0, 5, 9, 13, 17].iter().map(|&k| hand[k][2]).sum::<f32>() / 5.0
}

/// The palm's outline: wrist, thumb side, knuckles, outer side.
fn palm_outline(hand: &[[f32; 3]; HAND_POINTS]) -> [[f32; 2]; 8] {
    let flat = |k: usize| [hand[k][0], hand[k][1]];
    // The wrist is as wide as half the knuckles.
    let across = sub(hand[17], hand[5]);
    let wrist = |t: f32| [hand[0][0] + across[0] * t, hand[0][1] + across[1] * t];
    let thumb = [hand[1][0] + (hand[2][0] - hand[1][0]) * 0.4, hand[1][1] + (hand[2][1] - hand[1][1]) * 0.4];
    let heel = [
        hand[17][0] + (hand[0][0] - hand[17][0]) * 0.6 + across[0] * 0.12,
        hand[17][1] + (hand[0][1] - hand[17][1]) * 0.6 + across[1] * 0.12,
    ];
    [wrist(-0.16), thumb, flat(5), flat(9), flat(13), flat(17), heel, wrist(0.22)]
}

fn silhouette(canvas: &mut Canvas, theme: &Theme, hand: &[[f32; 3]; HAND_POINTS], unit: f32, piece: Piece) {
    let line = LINE * unit;
    match piece {
        Piece::Palm => {
            let outline = palm_outline(hand);
            canvas.polygon_line(&outline, 2.0 * (PALM_EDGE * unit + line), theme.line);
        }
        Piece::Bone { finger, bone } => {
            let ((a, ra), (b, rb)) = ends(hand, unit, finger, bone);
            canvas.limb((a, ra + line, true), (b, rb + line, true), theme.line);
        }
    }
}

fn palm(canvas: &mut Canvas, theme: &Theme, hand: &[[f32; 3]; HAND_POINTS], unit: f32, facing: &Facing) {
    let outline = palm_outline(hand);
    let color = shade(theme, theme.skin, facing.back(sub(hand[9], hand[0])));
    canvas.polygon_line(&outline, 2.0 * (PALM_EDGE + LINE) * unit, theme.line);
    canvas.polygon(&outline, color);
    canvas.polygon_line(&outline, 2.0 * PALM_EDGE * unit, color);
}

fn phalanx(
    canvas: &mut Canvas,
    theme: &Theme,
    hand: &[[f32; 3]; HAND_POINTS],
    unit: f32,
    facing: &Facing,
    finger: usize,
    bone: usize,
) {
    let ((a, ra), (b, rb)) = ends(hand, unit, finger, bone);
    let [from, to] = [hand[FINGERS[finger][bone]], hand[FINGERS[finger][bone + 1]]];
    let direction = sub(to, from);
    let back = facing.back(direction);
    let base = if finger == 0 { theme.thumb } else { theme.skin };
    let color = shade(theme, base, back);
    let line = LINE * unit;
    let tip = bone == 2;
    canvas.limb((a, ra + line, false), (b, rb + line, tip), theme.line);
    canvas.limb((a, ra, true), (b, rb, true), color);
    // The thumb's nail lies across the fingers' nails: its place is not told by the knuckle line.
    if tip && finger != 0 && back > 0.35 {
        nail(canvas, theme, (a, b), rb, back);
    }
}

fn nail(canvas: &mut Canvas, theme: &Theme, (a, b): ([f32; 2], [f32; 2]), radius: f32, facing: f32) {
    let at = |t: f32| [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];
    let width = radius * 0.62 * facing.clamp(0.5, 1.0);
    canvas.limb((at(0.72), width, true), (at(1.05), width, true), theme.line);
    canvas.limb((at(0.74), width * 0.8, true), (at(1.03), width * 0.8, true), theme.nail);
}

type End = ([f32; 2], f32);

/// Where a bone starts and ends, with its radii, in pixels.
fn ends(hand: &[[f32; 3]; HAND_POINTS], unit: f32, finger: usize, bone: usize) -> (End, End) {
    let (base, tip) = RADII[finger];
    let radius = |joint: usize| unit * (base + (tip - base) * joint as f32 / 3.0);
    let point = |joint: usize| {
        let p = hand[FINGERS[finger][joint]];
        [p[0], p[1]]
    };
    ((point(bone), radius(bone)), (point(bone + 1), radius(bone + 1)))
}

/// Darker where the back of the hand faces the viewer.
fn shade(theme: &Theme, palm_color: Rgb888, back: f32) -> Rgb888 {
    let darker = mix(palm_color, theme.skin_back, 0.8);
    mix(palm_color, darker, (back + 1.0) / 2.0)
}

fn scaled(a: [f32; 3], by: f32) -> [f32; 3] {
    a.map(|v| v * by)
}

fn unit_vector(a: [f32; 3]) -> [f32; 3] {
    scaled(a, 1.0 / norm(a).max(1e-6))
}
