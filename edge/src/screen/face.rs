//! A face with brows, eyes and mouth where the track has them, a plain head otherwise.

use models::pose::Pose;
use models::pose::holistic::BROWS;

use super::canvas::Canvas;
use super::figure::{Joint, Rig, View};
use super::theme::{Theme, mix};

// Numbers in MediaPipe's face mesh, each list in order along its curve
// (mediapipe/python/solutions/face_mesh_connections.py). Left and right are the signer's.
const OVAL: [usize; 36] = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176,
    149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
];
const LIPS: [usize; 20] =
    [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185];
const MOUTH: [usize; 20] =
    [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191];
const EYES: [[usize; 16]; 2] = [
    [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466],
    [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246],
];
/// Centre and right edge of the iris, left eye first.
const IRISES: [[usize; 2]; 2] = [[473, 474], [468, 469]];
const NOSE_BRIDGE: [usize; 5] = [168, 6, 197, 195, 4];
const NOSTRILS: [usize; 5] = [98, 97, 2, 326, 327];

/// Where the head is, in pixels of the canvas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Head {
    /// Middle of the face.
    pub center: [f32; 2],
    /// Half the face's width.
    pub rx: f32,
    /// Half the face's height.
    pub ry: f32,
    /// How far the head is from the viewer, in pixels; the ears' depth.
    pub depth: f32,
}

impl Head {
    /// The head from the face mesh, or from ears and nose, or from the shoulders alone.
    pub fn of(rig: &Rig, pose: &Pose, view: &View) -> Option<Self> {
        let joint = |j| rig.joint(pose, j).map(|p| view.at(p));
        let ears = joint(Joint::LeftEar).zip(joint(Joint::RightEar));
        let depth = ears.map_or(f32::MAX, |(l, r)| (l[2] + r[2]) / 2.0);
        if let Some(oval) = mapped(rig, pose, view, &OVAL) {
            let [x0, x1] = bounds(&oval, 0);
            let [y0, y1] = bounds(&oval, 1);
            let center = [(x0 + x1) / 2.0, (y0 + y1) / 2.0];
            return Some(Self { center, rx: (x1 - x0) / 2.0, ry: (y1 - y0) / 2.0, depth });
        }
        let shoulders = joint(Joint::LeftShoulder).zip(joint(Joint::RightShoulder))?;
        let wide = (shoulders.0[0] - shoulders.1[0]).hypot(shoulders.0[1] - shoulders.1[1]);
        let center = match (joint(Joint::Nose), ears) {
            (Some(nose), _) => [nose[0], nose[1] - 0.01 * wide],
            (None, Some((l, r))) => [(l[0] + r[0]) / 2.0, (l[1] + r[1]) / 2.0],
            (None, None) => [
                (shoulders.0[0] + shoulders.1[0]) / 2.0,
                (shoulders.0[1] + shoulders.1[1]) / 2.0 - 0.58 * wide,
            ],
        };
        Some(Self { center, rx: 0.21 * wide, ry: 0.3 * wide, depth })
    }
}

/// Draws the hair behind the head.
pub fn hair(canvas: &mut Canvas, theme: &Theme, head: &Head) {
    let [x, y] = head.center;
    canvas.ellipse([x, y - head.ry * 0.28], head.rx * 1.2, head.ry * 1.0, theme.hair);
}

/// Draws the face.
pub fn draw(canvas: &mut Canvas, theme: &Theme, rig: &Rig, pose: &Pose, view: &View, head: &Head) {
    match mapped(rig, pose, view, &OVAL) {
        Some(oval) => {
            let edge = (head.rx * 0.035).max(1.0);
            canvas.blob(&grown(&oval, head.center, edge), theme.line);
            canvas.blob(&oval, theme.skin);
            fringe(canvas, theme, head);
            features(canvas, theme, rig, pose, view, head);
        }
        None => {
            canvas.ellipse(head.center, head.rx * 1.03, head.ry * 1.03, theme.line);
            canvas.ellipse(head.center, head.rx, head.ry, theme.skin);
            fringe(canvas, theme, head);
            plain_features(canvas, theme, rig, pose, view, head);
        }
    }
}

/// The hair's edge on the forehead: a signer's brows must stay free, raised ones too.
fn fringe(canvas: &mut Canvas, theme: &Theme, head: &Head) {
    let [x, y] = head.center;
    let (rx, ry) = (head.rx, head.ry);
    canvas.blob(
        &[
            [x - rx * 1.12, y - ry * 0.42],
            [x - rx * 0.8, y - ry * 0.84],
            [x, y - ry * 0.9],
            [x + rx * 0.8, y - ry * 0.84],
            [x + rx * 1.12, y - ry * 0.42],
            [x + rx * 1.2, y - ry * 0.95],
            [x, y - ry * 1.4],
            [x - rx * 1.2, y - ry * 0.95],
        ],
        theme.hair,
    );
}

fn features(canvas: &mut Canvas, theme: &Theme, rig: &Rig, pose: &Pose, view: &View, head: &Head) {
    let thin = (head.rx * 0.03).max(1.0);
    let shadow = mix(theme.skin, theme.line, 0.45);
    for side in 0..2 {
        if let Some(eye) = mapped(rig, pose, view, &EYES[side]) {
            canvas.polygon_line(&eye, 2.0 * thin, theme.line);
            canvas.polygon(&eye, theme.eye);
            iris(canvas, theme, rig, pose, view, (side, &eye));
            // The upper lid stays visible over the iris.
            canvas.line(&eye[8..], 1.6 * thin, theme.line);
        }
        if let Some(brow) = mapped(rig, pose, view, &BROWS[side]) {
            canvas.polygon(&brow, theme.hair);
            canvas.polygon_line(&brow, 1.5 * thin, theme.hair);
        }
    }
    if let Some(bridge) = mapped(rig, pose, view, &NOSE_BRIDGE) {
        canvas.line(&bridge[2..], thin, mix(theme.skin, theme.line, 0.2));
    }
    if let Some(nostrils) = mapped(rig, pose, view, &NOSTRILS) {
        canvas.line(&nostrils, 1.5 * thin, shadow);
    }
    if let Some(lips) = mapped(rig, pose, view, &LIPS) {
        canvas.polygon(&lips, theme.lip);
        canvas.polygon_line(&lips, thin, theme.lip);
    }
    if let Some(mouth) = mapped(rig, pose, view, &MOUTH) {
        canvas.polygon(&mouth, theme.mouth);
        canvas.polygon_line(&mouth, 0.8 * thin, theme.mouth);
    }
}

fn iris(
    canvas: &mut Canvas,
    theme: &Theme,
    rig: &Rig,
    pose: &Pose,
    view: &View,
    (side, eye): (usize, &[[f32; 2]]),
) {
    let [x0, x1] = bounds(eye, 0);
    let [y0, y1] = bounds(eye, 1);
    // No larger than the open eye, so that closed eyes look closed.
    let most = ((y1 - y0) * 0.52).max(0.5);
    let measured = mapped(rig, pose, view, &IRISES[side]);
    let (center, radius) = match measured.as_deref() {
        Some(&[c, edge]) => (c, (edge[0] - c[0]).hypot(edge[1] - c[1])),
        _ => ([(x0 + x1) / 2.0, (y0 + y1) / 2.0], (x1 - x0) * 0.22),
    };
    canvas.disc(center, radius.min(most), theme.hair);
}

/// Eyes and mouth from the few points of the body layout.
fn plain_features(canvas: &mut Canvas, theme: &Theme, rig: &Rig, pose: &Pose, view: &View, head: &Head) {
    let joint = |j| rig.joint(pose, j).map(|p| view.at(p)).map(|p| [p[0], p[1]]);
    for eye in [Joint::LeftEye, Joint::RightEye].into_iter().filter_map(joint) {
        canvas.ellipse(eye, head.rx * 0.13, head.ry * 0.06, theme.eye);
        canvas.disc(eye, head.ry * 0.055, theme.hair);
        let brow = eye[1] - head.ry * 0.17;
        canvas.line(
            &[[eye[0] - head.rx * 0.2, brow], [eye[0] + head.rx * 0.2, brow]],
            head.ry * 0.05,
            theme.hair,
        );
    }
    if let (Some(l), Some(r)) = (joint(Joint::MouthLeft), joint(Joint::MouthRight)) {
        canvas.line(&[l, r], head.ry * 0.07, theme.lip);
    }
}

fn mapped(rig: &Rig, pose: &Pose, view: &View, numbers: &[usize]) -> Option<Vec<[f32; 2]>> {
    let points = rig.face_points(pose, numbers)?;
    Some(points.into_iter().map(|p| view.at(p)).map(|p| [p[0], p[1]]).collect())
}

fn bounds(points: &[[f32; 2]], axis: usize) -> [f32; 2] {
    points.iter().fold([f32::MAX, f32::MIN], |[low, high], p| [low.min(p[axis]), high.max(p[axis])])
}

/// The outline moved outwards by `by` pixels.
fn grown(points: &[[f32; 2]], center: [f32; 2], by: f32) -> Vec<[f32; 2]> {
    points
        .iter()
        .map(|p| {
            let (dx, dy) = (p[0] - center[0], p[1] - center[1]);
            let far = dx.hypot(dy).max(1e-3);
            [p[0] + dx / far * by, p[1] + dy / far * by]
        })
        .collect()
}

/// Curves of a made-up face: numbers, centre, half width, half height.
#[cfg(test)]
pub(super) fn test_curves() -> Vec<(Vec<usize>, [f32; 2], f32, f32)> {
    let mut curves = vec![
        (OVAL.to_vec(), [500.0, 225.0], 62.0, 88.0),
        (LIPS.to_vec(), [500.0, 262.0], 24.0, 12.0),
        (MOUTH.to_vec(), [500.0, 262.0], 18.0, 6.0),
        (NOSE_BRIDGE.to_vec(), [500.0, 225.0], 2.0, 12.0),
    ];
    for side in 0..2 {
        let x = [526.0, 474.0][side];
        curves.push((EYES[side].to_vec(), [x, 205.0], 12.0, 6.0));
        curves.push((BROWS[side].to_vec(), [x, 187.0], 16.0, 3.0));
    }
    curves
}
