//! The layouts of MediaPipe Holistic, with the names, limbs and colours that pose-format writes.

use super::{Component, Layout, face};

/// Component of the body in the picture.
pub const BODY: &str = "POSE_LANDMARKS";
/// Component of the face mesh.
pub const FACE: &str = "FACE_LANDMARKS";
/// Component of the signer's left hand.
pub const LEFT_HAND: &str = "LEFT_HAND_LANDMARKS";
/// Component of the signer's right hand.
pub const RIGHT_HAND: &str = "RIGHT_HAND_LANDMARKS";
/// Component of the body in metres around the hips.
pub const WORLD: &str = "POSE_WORLD_LANDMARKS";
/// Landmarks of the face around each eyebrow, the left one first: inwards along its lower edge, outwards along its upper.
pub const BROWS: [[usize; 10]; 2] =
    [[276, 283, 282, 295, 285, 336, 296, 334, 293, 300], [46, 53, 52, 65, 55, 107, 66, 105, 63, 70]];

/// MediaPipe's `PoseLandmark`, in order.
pub(super) const BODY_POINTS: [&str; 33] = [
    "NOSE",
    "LEFT_EYE_INNER",
    "LEFT_EYE",
    "LEFT_EYE_OUTER",
    "RIGHT_EYE_INNER",
    "RIGHT_EYE",
    "RIGHT_EYE_OUTER",
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
    "LEFT_PINKY",
    "RIGHT_PINKY",
    "LEFT_INDEX",
    "RIGHT_INDEX",
    "LEFT_THUMB",
    "RIGHT_THUMB",
    "LEFT_HIP",
    "RIGHT_HIP",
    "LEFT_KNEE",
    "RIGHT_KNEE",
    "LEFT_ANKLE",
    "RIGHT_ANKLE",
    "LEFT_HEEL",
    "RIGHT_HEEL",
    "LEFT_FOOT_INDEX",
    "RIGHT_FOOT_INDEX",
];

/// MediaPipe's `HandLandmark`, in order.
pub(super) const HAND_POINTS: [&str; 21] = [
    "WRIST",
    "THUMB_CMC",
    "THUMB_MCP",
    "THUMB_IP",
    "THUMB_TIP",
    "INDEX_FINGER_MCP",
    "INDEX_FINGER_PIP",
    "INDEX_FINGER_DIP",
    "INDEX_FINGER_TIP",
    "MIDDLE_FINGER_MCP",
    "MIDDLE_FINGER_PIP",
    "MIDDLE_FINGER_DIP",
    "MIDDLE_FINGER_TIP",
    "RING_FINGER_MCP",
    "RING_FINGER_PIP",
    "RING_FINGER_DIP",
    "RING_FINGER_TIP",
    "PINKY_MCP",
    "PINKY_PIP",
    "PINKY_DIP",
    "PINKY_TIP",
];

/// `POSE_CONNECTIONS`, in the order in which pose-format writes them.
#[rustfmt::skip]
const BODY_LIMBS: [(u16, u16); 35] = [
    (15, 21), (16, 20), (18, 20), (3, 7), (14, 16), (23, 25), (28, 30), (11, 23), (27, 31), (6, 8), (15, 17),
    (24, 26), (16, 22), (4, 5), (5, 6), (29, 31), (12, 24), (23, 24), (0, 1), (9, 10), (1, 2), (0, 4), (11, 13),
    (30, 32), (28, 32), (15, 19), (16, 18), (25, 27), (26, 28), (12, 14), (17, 19), (2, 3), (11, 12), (27, 29),
    (13, 15),
];

/// `HAND_CONNECTIONS`, in the order in which pose-format writes them.
#[rustfmt::skip]
const HAND_LIMBS: [(u16, u16); 21] = [
    (3, 4), (0, 5), (17, 18), (0, 17), (13, 14), (13, 17), (18, 19), (5, 6), (5, 9), (14, 15), (0, 1), (9, 10),
    (1, 2), (9, 13), (10, 11), (19, 20), (6, 7), (15, 16), (2, 3), (11, 12), (7, 8),
];

/// pose-format's `hand_colors`: one a landmark; it lets some pass 255.
#[rustfmt::skip]
pub(super) const HAND_COLORS: [[u16; 3]; 21] = [
    [232, 232, 232],
    [192, 0, 0], [227, 35, 35], [262, 70, 70], [297, 105, 105],
    [0, 0, 192], [35, 35, 227], [70, 70, 262], [105, 105, 297],
    [0, 192, 0], [35, 227, 35], [70, 262, 70], [105, 297, 105],
    [0, 192, 192], [35, 227, 227], [70, 262, 262], [105, 297, 297],
    [255, 128, 0], [255, 178, 102], [255, 153, 51], [255, 128, 0],
];

/// Parts of the names of body landmarks that the reduced layout leaves out: face, hands and feet.
const NOT_REDUCED: [&str; 11] =
    ["EAR", "NOSE", "MOUTH", "EYE", "THUMB", "PINKY", "INDEX", "KNEE", "ANKLE", "HEEL", "FOOT_INDEX"];

/// Body, face with or without irises, both hands, and the body in metres: 576 or 586 landmarks.
pub(super) fn holistic(refined: bool) -> Layout {
    let world = Component { name: WORLD.into(), ..body() };
    let [left, right] = hands();
    Layout { components: vec![body(), face_mesh(refined), left, right, world] }
}

/// The 178 landmarks that pose-format's `reduce_holistic` keeps: 8 of the body, 128 of the face, both hands.
pub(super) fn reduced() -> Layout {
    let trunk = body().pick(|name| !NOT_REDUCED.iter().any(|part| name.contains(part)));
    let contour: Vec<String> = face::CONTOUR.iter().map(u16::to_string).collect();
    let face = face_mesh(false).pick(|name| contour.iter().any(|c| c == name));
    let [left, right] = hands();
    Layout { components: vec![trunk, face, left, right] }
}

/// The 75 landmarks of a 258-value row: body and both hands.
pub(super) fn body_and_hands() -> Layout {
    let [left, right] = hands();
    Layout { components: vec![body(), left, right] }
}

/// The 42 landmarks of a 126-value row: both hands.
pub(super) fn two_hands() -> Layout {
    Layout { components: hands().into() }
}

fn body() -> Component {
    component(BODY, BODY_POINTS.map(String::from).into(), BODY_LIMBS.into(), vec![[255, 0, 0]])
}

fn hands() -> [Component; 2] {
    [LEFT_HAND, RIGHT_HAND].map(|name| {
        component(name, HAND_POINTS.map(String::from).into(), HAND_LIMBS.into(), HAND_COLORS.into())
    })
}

fn face_mesh(refined: bool) -> Component {
    let count = if refined { face::REFINED } else { face::MESH };
    let irises: &[_] = if refined { &face::IRIS_LIMBS } else { &[] };
    let limbs = face::MESH_LIMBS.iter().chain(irises).copied().collect();
    component(FACE, (0..count).map(|k| k.to_string()).collect(), limbs, vec![[128, 0, 0]])
}

fn component(name: &str, points: Vec<String>, limbs: Vec<(u16, u16)>, colors: Vec<[u16; 3]>) -> Component {
    Component { name: name.into(), points, limbs, colors, format: "XYZC".into() }
}
