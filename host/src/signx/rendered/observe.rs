//! What five estimators would say of a rendered person, read off the body itself.

use models::pose::{Known, Pose, PoseTrack};

use super::super::read::DENSE_SIDE;
use super::stage::Stage;
use crate::body::fit::Fitted;
use crate::body::landmark::{BODY, DWPOSE_BODY, FACE, HAND, Landmark};
use crate::body::pose::{BodyPose, Posed};
use crate::body::render::{Picture, View};
use crate::body::rotation::{Vec3, about, apply, from_axis_angle, mul, to_axis_angle};
use crate::body::skeleton::joint;
use models::vector::{norm, sub};

/// Side of the picture that all is measured in, in pixels: a multiple of that of depth and parts, and of 64.
const FINE: usize = 192;
/// A point that lies so much behind the surface is hidden, in metres; joints lie within the body.
const HIDDEN: f32 = 0.09;
/// How sure points are that are seen, hidden, and outside of the picture.
const SEEN: [f32; 3] = [0.99, 0.6, 0.1];
/// Depth runs from this much before the shoulders, in metres, to the wall.
const NEAREST: f32 = 0.9;
/// Side of the picture that MediaPipe's landmarks are given in, in pixels.
const LANDMARK_SIDE: u32 = 512;

/// The tracks of an utterance, and its video.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// Frames a second.
    pub fps: f32,
    /// `[T]` poses with the pelvis' rotation and place as the camera sees them: x right, y down, z away.
    pub smplerx: Vec<BodyPose>,
    /// `[T, 128, 3]`: x and y in units of the picture, and score; body, left hand, right hand, face.
    pub dwpose: Vec<[[f32; 3]; 128]>,
    /// `[T]` of body and hands.
    pub mediapipe: PoseTrack,
    /// `[T, 24, 24]`: 0 nearest, 1 the wall.
    pub depth: Vec<f32>,
    /// `[T, 24, 24]` labels.
    pub parts: Vec<u8>,
    /// Side of the video in pixels.
    pub video_side: usize,
    /// `[T, side, side, 3]` sRGB.
    pub video: Vec<u8>,
    /// `[T, side, side]` depth and labels of the video's pixels, where they were asked for; depth as above.
    pub pixels: Option<(Vec<f32>, Vec<u8>)>,
}

/// What is made beside the tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Video {
    /// Its side in pixels; none is made where it is 0.
    pub side: usize,
    /// Whether each of its pixels gets a depth and a label as well.
    pub pixels: bool,
}

/// Renders a recording as a stage shows it.
pub fn observe(fitted: &Fitted, stage: &Stage, video: Video) -> Observed {
    let mut observed = Observed {
        fps: fitted.fps,
        smplerx: vec![],
        dwpose: vec![],
        mediapipe: PoseTrack::new(Known::BodyHands75.layout(), fitted.fps, [LANDMARK_SIDE, LANDMARK_SIDE, 0]),
        depth: vec![],
        parts: vec![],
        video_side: video.side,
        video: vec![],
        pixels: video.pixels.then(Default::default),
    };
    let view = stage.camera.view([FINE, FINE]);
    let wall = stage.camera.distance() + stage.background.away;
    let nearest = (stage.camera.distance() - NEAREST).max(0.0);
    let share = |z: &f32| ((z - nearest) / (wall - nearest)).clamp(0.0, 1.0);
    for pose in &fitted.poses {
        let pose = stage.worn(pose);
        let scene = stage.scene(&pose);
        let picture = scene.render([FINE, FINE], 1);
        let posed = Posed::new(&stage.body.skeleton, &pose);
        let seer = Seer { stage, posed: &posed, view: &view, picture: &picture };
        let before = observed.smplerx.last().map(|last: &BodyPose| last.rotations[joint::PELVIS]);
        observed.smplerx.push(seer.before_camera(&pose, before.unwrap_or([std::f32::consts::PI, 0.0, 0.0])));
        observed.dwpose.push(seer.dwpose());
        observed.mediapipe.frames.push(seer.mediapipe());
        let small = picture.shrunk([DENSE_SIDE, DENSE_SIDE]);
        observed.depth.extend(small.depth.iter().map(share));
        observed.parts.extend(small.parts);
        let side = video.side;
        if side > 0 {
            let shown = match FINE.is_multiple_of(side) {
                true => picture.shrunk([side, side]),
                false => scene.render([side, side], if side < FINE { 2 } else { 1 }),
            };
            observed.video.extend(shown.rgb);
            if let Some((depth, parts)) = &mut observed.pixels {
                depth.extend(shown.depth.iter().map(share));
                parts.extend(shown.parts);
            }
        }
    }
    observed
}

/// One frame with its picture.
struct Seer<'a> {
    stage: &'a Stage,
    posed: &'a Posed,
    view: &'a View,
    picture: &'a Picture,
}

/// A point in the picture.
#[derive(Debug, Clone, Copy)]
struct Spot {
    /// In units of the picture.
    x: f32,
    y: f32,
    /// Metres from the camera's plane.
    z: f32,
    /// 0 seen, 1 hidden, 2 outside.
    how: usize,
}

impl Seer<'_> {
    fn place(&self, landmark: Landmark) -> Vec3 {
        let body = &self.stage.body;
        let (joint, rest) = landmark.anchor(&body.skeleton, &body.person.proportions);
        self.posed.point(&body.skeleton, joint, rest)
    }

    fn spot(&self, place: Vec3) -> Spot {
        let ([x, y], z) = self.view.project(place);
        let side = FINE as f32;
        let inside = (0.0..side).contains(&x) && (0.0..side).contains(&y);
        let how = match inside {
            false => 2,
            true => usize::from(z - self.picture.depth[y as usize * FINE + x as usize] > HIDDEN),
        };
        Spot { x: x / side, y: y / side, z, how }
    }

    fn of(&self, landmark: Landmark) -> Spot {
        self.spot(self.place(landmark))
    }

    /// As SMPLer-X gives a pose: the pelvis in the camera's frame, which looks along z with y down.
    ///
    /// Upright people are turned by about half a turn then, which two opposite axes say alike: the one nearer to
    /// that of the frame `before` is taken, so that the numbers do not jump.
    fn before_camera(&self, pose: &BodyPose, before: Vec3) -> BodyPose {
        let flipped = about([1.0, 0.0, 0.0], std::f32::consts::PI);
        let turn = mul(&flipped, self.view.axes());
        let mut out = pose.clone();
        let whole = to_axis_angle(&mul(&turn, &from_axis_angle(pose.rotations[joint::PELVIS])));
        let angle = norm(whole);
        let other = whole.map(|v| v * (1.0 - std::f32::consts::TAU / angle.max(1e-3)));
        let far = |v: Vec3| norm(sub(v, before));
        out.rotations[joint::PELVIS] = if far(other) < far(whole) { other } else { whole };
        out.place = apply(&turn, sub(pose.place, self.view.place));
        out
    }

    /// As DWPose gives points: none outside of the picture.
    fn dwpose(&self) -> [[f32; 3]; 128] {
        let shoulders = [11, 12].map(|k| self.place(Landmark::Body(k)));
        let neck = [0, 1, 2].map(|i| (shoulders[0][i] + shoulders[1][i]) / 2.0);
        let body = DWPOSE_BODY.map(|k| k.map_or_else(|| self.spot(neck), |k| self.of(Landmark::Body(k))));
        let hands = (0..2).flat_map(|side| (0..HAND).map(move |k| Landmark::Hand(side, k)));
        let others = hands.chain((0..FACE).map(Landmark::Face)).map(|landmark| self.of(landmark));
        let mut points = [[0.0; 3]; 128];
        for (point, spot) in points.iter_mut().zip(body.into_iter().chain(others)) {
            if spot.how < 2 {
                *point = [spot.x, spot.y, SEEN[spot.how]];
            }
        }
        points
    }

    /// As MediaPipe gives landmarks: the body whole, a hand where most of it is in the picture; z from the hips or
    /// from the wrist, in pixels as x has them there.
    fn mediapipe(&self) -> Pose {
        let side = LANDMARK_SIDE as f32;
        // Pixels a metre takes at a depth: the view's are those of its own picture.
        let scale = |z: f32| self.view.scale(z) * side / FINE as f32;
        let mut pose = Pose::unseen(BODY + 2 * HAND);
        let hips = [23, 24].map(|k| self.of(Landmark::Body(k)).z);
        let hip = (hips[0] + hips[1]) / 2.0;
        for k in 0..BODY {
            let spot = self.of(Landmark::Body(k));
            pose.points[k] = [spot.x * side, spot.y * side, (spot.z - hip) * scale(hip)];
            pose.confidence[k] = SEEN[spot.how];
        }
        for hand in 0..2 {
            let spots: Vec<Spot> = (0..HAND).map(|k| self.of(Landmark::Hand(hand, k))).collect();
            if 2 * spots.iter().filter(|spot| spot.how == 2).count() > HAND {
                continue;
            }
            let wrist = spots[0].z;
            for (k, spot) in spots.iter().enumerate() {
                let row = Landmark::Hand(hand, k).row();
                pose.points[row] = [spot.x * side, spot.y * side, (spot.z - wrist) * scale(wrist)];
                pose.confidence[row] = 1.0;
            }
        }
        pose
    }
}
