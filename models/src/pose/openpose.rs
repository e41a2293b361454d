//! The layouts of OpenPose (137 landmarks) and of DWPose, with pose-format's names, limbs and colours.
//!
//! pose-format has no layout for DWPose as sign-language corpora store it (18
//! body landmarks of OpenPose's older model, 68 of the face, both hands). It
//! gets OpenPose's component and landmark names, so that tools that know those
//! find shoulders and hands.

use super::{Component, Layout, holistic::HAND_COLORS};

/// Component of the body.
pub const BODY: &str = "pose_keypoints_2d";
/// Component of the face.
pub const FACE: &str = "face_keypoints_2d";
/// Component of the signer's left hand.
pub const LEFT_HAND: &str = "hand_left_keypoints_2d";
/// Component of the signer's right hand.
pub const RIGHT_HAND: &str = "hand_right_keypoints_2d";

/// Landmarks of the face without pupils.
const FACE_68: usize = 68;
/// Landmarks of the face with pupils.
const FACE_70: usize = 70;

/// The body's landmarks, in OpenPose's `BODY_25` order.
#[rustfmt::skip]
const BODY_25: [&str; 25] = [
    "Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "MidHip", "RHip", "RKnee",
    "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar", "LBigToe", "LSmallToe", "LHeel", "RBigToe",
    "RSmallToe", "RHeel",
];

/// The body's landmarks, in the order of OpenPose's older model, which DWPose gives.
#[rustfmt::skip]
const BODY_18: [&str; 18] = [
    "Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "RHip", "RKnee", "RAnkle",
    "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar",
];

/// The hand's landmarks: base, thumb, and four fingers from the palm to the tip.
#[rustfmt::skip]
pub(super) const HAND_POINTS: [&str; 21] = [
    "BASE", "T_STT", "T_BCMC", "T_MCP", "T_IP", "I_CMC", "I_MCP", "I_PIP", "I_DIP", "M_CMC", "M_MCP", "M_PIP",
    "M_DIP", "R_CMC", "R_MCP", "R_PIP", "R_DIP", "P_CMC", "P_MCP", "P_PIP", "P_DIP",
];

/// Limbs of `BODY_25`; everything sprouts out of the neck.
#[rustfmt::skip]
const BODY_25_LIMBS: [(u16, u16); 24] = [
    (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (0, 16), (0, 15), (0, 18), (0, 17), (1, 0), (8, 9),
    (9, 10), (10, 11), (8, 12), (12, 13), (13, 14), (11, 24), (11, 22), (22, 23), (14, 21), (14, 19), (19, 20),
];

/// Limbs of `BODY_18`, likewise.
#[rustfmt::skip]
const BODY_18_LIMBS: [(u16, u16); 17] = [
    (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (0, 15), (0, 14), (0, 17), (0, 16), (1, 0), (1, 8), (8, 9),
    (9, 10), (1, 11), (11, 12), (12, 13),
];

#[rustfmt::skip]
const HAND_LIMBS: [(u16, u16); 20] = [
    (0, 1), (0, 5), (0, 9), (0, 13), (0, 17), (1, 2), (2, 3), (3, 4), (5, 6), (6, 7), (7, 8), (9, 10), (10, 11),
    (11, 12), (13, 14), (14, 15), (15, 16), (17, 18), (18, 19), (19, 20),
];

#[rustfmt::skip]
const FACE_LIMBS: [(u16, u16); 65] = [
    (8, 7), (7, 6), (6, 5), (5, 4), (4, 3), (3, 2), (2, 1), (1, 0), (8, 9), (9, 10), (10, 11), (11, 12), (12, 13),
    (13, 14), (14, 15), (15, 16), (48, 49), (49, 50), (50, 51), (51, 52), (52, 53), (53, 54), (54, 55), (55, 56),
    (56, 57), (57, 58), (58, 59), (59, 48), (60, 61), (61, 62), (62, 63), (63, 64), (64, 65), (65, 66), (66, 67),
    (67, 60), (27, 28), (28, 29), (29, 30), (30, 31), (31, 32), (32, 33), (33, 34), (34, 35), (30, 33), (17, 18),
    (18, 19), (19, 20), (20, 21), (22, 23), (23, 24), (24, 25), (25, 26), (36, 37), (37, 38), (38, 39), (39, 40),
    (40, 41), (41, 36), (42, 43), (43, 44), (44, 45), (45, 46), (46, 47), (47, 42),
];

/// Body 25, face 70, both hands: 137 landmarks.
pub(super) fn openpose() -> Layout {
    layout(&BODY_25, &BODY_25_LIMBS, FACE_70)
}

/// Body 18, face 68, both hands: 128 landmarks.
pub(super) fn dwpose() -> Layout {
    layout(&BODY_18, &BODY_18_LIMBS, FACE_68)
}

/// The name of a face landmark: its region, and its number in the face.
pub(super) fn face_point(k: usize) -> String {
    let region = match k {
        0..17 => "FB",
        17..27 => "FEB",
        27..36 => "FN",
        36..48 => "FE",
        48..60 => "FLO",
        60..68 => "FLI",
        _ => "FP",
    };
    format!("{region}_{k}")
}

/// The number in the face of the landmark of that name.
pub(super) fn face_number(point: &str) -> Option<usize> {
    let (_, number) = point.split_once('_')?;
    number.parse().ok().filter(|&k| k < FACE_70 && face_point(k) == point)
}

fn layout(body: &[&str], body_limbs: &[(u16, u16)], face: usize) -> Layout {
    let component = |name: &str, points: Vec<String>, limbs: &[(u16, u16)], colors: &[[u16; 3]]| Component {
        name: name.into(),
        points,
        limbs: limbs.into(),
        colors: colors.into(),
        format: "XYC".into(),
    };
    let hand = |name: &str| component(name, HAND_POINTS.map(String::from).into(), &HAND_LIMBS, &HAND_COLORS);
    Layout {
        components: vec![
            component(BODY, body.iter().map(|&p| p.into()).collect(), body_limbs, &[[255, 0, 0]]),
            component(FACE, (0..face).map(face_point).collect(), &FACE_LIMBS, &[[128, 0, 0]]),
            hand(LEFT_HAND),
            hand(RIGHT_HAND),
        ],
    }
}
