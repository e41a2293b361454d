//! Finds the parts of a signer in a pose, whatever the layout's order.

use models::pose::{Layout, Pose, holistic};

use super::Stance;

/// Landmarks of a hand.
pub const HAND_POINTS: usize = 21;

/// Body landmarks that are drawn. Left and right are the signer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Joint {
    Nose,
    LeftEye,
    RightEye,
    LeftEar,
    RightEar,
    MouthLeft,
    MouthRight,
    LeftShoulder,
    RightShoulder,
    LeftElbow,
    RightElbow,
    LeftWrist,
    RightWrist,
    LeftHip,
    RightHip,
}

const JOINTS: [&str; 15] = [
    "NOSE",
    "LEFT_EYE",
    "RIGHT_EYE",
    "LEFT_EAR",
    "RIGHT_EAR",
    "MOUTH_LEFT",
    "MOUTH_RIGHT",
    "LEFT_SHOULDER",
    "RIGHT_SHOULDER",
    "LEFT_ELBOW",
    "RIGHT_ELBOW",
    "LEFT_WRIST",
    "RIGHT_WRIST",
    "LEFT_HIP",
    "RIGHT_HIP",
];

/// Where in a pose each part stands, for one layout. Made once a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rig {
    joints: [Option<usize>; JOINTS.len()],
    hands: [Option<usize>; 2],
    /// By number in MediaPipe's face mesh.
    face: Vec<Option<usize>>,
}

impl Rig {
    /// Looks up the parts by their names in MediaPipe Holistic; parts that the layout lacks are not drawn.
    pub fn of(layout: &Layout) -> Self {
        let hands = [holistic::LEFT_HAND, holistic::RIGHT_HAND]
            .map(|name| layout.range(name).filter(|r| r.len() == HAND_POINTS).map(|r| r.start));
        let mut face = vec![None; 478];
        if let Some(range) = layout.range(holistic::FACE)
            && let Some(component) = layout.components.iter().find(|c| c.name == holistic::FACE)
        {
            for (k, name) in component.points.iter().enumerate() {
                if let Some(slot) = name.parse::<usize>().ok().and_then(|n| face.get_mut(n)) {
                    *slot = Some(range.start + k);
                }
            }
        }
        Self { joints: JOINTS.map(|name| layout.index(holistic::BODY, name)), hands, face }
    }

    /// One body landmark, where it was seen.
    pub fn joint(&self, pose: &Pose, joint: Joint) -> Option<[f32; 3]> {
        seen(pose, self.joints[joint as usize]?)
    }

    /// The 21 landmarks of the left (0) or right (1) hand, where all were seen.
    pub fn hand(&self, pose: &Pose, side: usize) -> Option<[[f32; 3]; HAND_POINTS]> {
        let start = self.hands[side]?;
        let mut hand = [[0.0; 3]; HAND_POINTS];
        for (k, point) in hand.iter_mut().enumerate() {
            *point = seen(pose, start + k)?;
        }
        Some(hand)
    }

    /// One landmark of MediaPipe's face mesh, where it was seen.
    pub fn face(&self, pose: &Pose, number: usize) -> Option<[f32; 3]> {
        seen(pose, (*self.face.get(number)?)?)
    }

    /// Several landmarks of the face, where all of them were seen.
    pub fn face_points(&self, pose: &Pose, numbers: &[usize]) -> Option<Vec<[f32; 3]>> {
        numbers.iter().map(|&n| self.face(pose, n)).collect()
    }
}

/// A landmark that was seen and is a place.
fn seen(pose: &Pose, k: usize) -> Option<[f32; 3]> {
    if k >= pose.points.len() || k >= pose.confidence.len() {
        return None;
    }
    pose.seen(k).filter(|p| p.iter().all(|v| v.is_finite()))
}

/// Maps coordinates of a pose to pixels of the canvas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Pixels of the canvas for one pixel of the pose.
    pub scale: f32,
    /// Where the pose's origin lies on the canvas.
    pub origin: [f32; 2],
}

impl View {
    /// Shows the upper body in the area `x, y, width, height`: from a little above the head to where
    /// the signing reaches, as interpreters are framed on television.
    pub fn upper_body(stance: &Stance, [x, y, w, h]: [f32; 4]) -> Self {
        const ABOVE: f32 = 1.04; // Shoulder widths from mid-shoulder to the upper edge.
        const WIDE: f32 = 2.6;
        let tall = ABOVE + stance.below.clamp(Stance::WAIST, 2.0 * Stance::WAIST);
        let scale = (h / tall).min(w / WIDE) / stance.shoulders.max(1e-3);
        let unit = scale * stance.shoulders;
        let top = y + (h - unit * tall) / 2.0;
        Self {
            scale,
            origin: [x + w / 2.0 - stance.middle[0] * scale, top + ABOVE * unit - stance.middle[1] * scale],
        }
    }

    /// A point of the pose in pixels of the canvas; z in the same scale.
    pub fn at(&self, p: [f32; 3]) -> [f32; 3] {
        [p[0] * self.scale + self.origin[0], p[1] * self.scale + self.origin[1], p[2] * self.scale]
    }
}
