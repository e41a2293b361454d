//! What a fit goes by: landmarks of a recording in metres, and which point of the body each of them is.

use models::pose::holistic::FACE as FACE_MESH;
use models::pose::{Known, Pose, PoseTrack};
use models::vector::{norm, sub};

use super::super::landmark::{BODY, HAND, Landmark};
use super::super::skeleton::{FINGERS, Proportions, Skeleton, joint};

/// Where the hands begin in the layout of body and hands.
const HANDS: [usize; 2] = [BODY, BODY + HAND];
/// Shares of the lengths in a clip that count as a bone's own: others are foreshortened, or slips.
const LONG: f32 = 0.9;
/// Bones differ from those of a usual person by at most this share.
const MOST_OTHER: f32 = 0.2;
/// A person's landmarks lie within this, in metres; depth is what networks overstate most.
const FARTHEST: f32 = 5.0;
/// A landmark is believed from here on.
const SURE: f32 = 0.5;

/// One landmark of one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Target {
    pub landmark: Landmark,
    /// x to the signer's left, y up, z to the front, in metres; z from the shoulders, or from the hand's wrist.
    pub at: [f32; 3],
    /// How sure it is, 0 to 1.
    pub sure: f32,
}

/// A recording, ready to be fitted.
pub(super) struct Recording {
    pub proportions: Proportions,
    /// `[T]` landmarks that were seen.
    pub frames: Vec<Vec<Target>>,
    /// Whether z says anything.
    pub deep: bool,
}

/// Brings a track to metres; `None` where no frame shows both shoulders.
pub(super) fn recording(track: &PoseTrack) -> Option<Recording> {
    let track = centred(track.clone()).with_z_in_pixels();
    let (jaws, faces) = (jaws(&track), faces(&track));
    let mut track = track.to_layout(&Known::BodyHands75.layout());
    for (pose, face) in track.frames.iter_mut().zip(faces) {
        for (k, p) in face.into_iter().filter(|(k, _)| pose.seen(*k).is_none()).collect::<Vec<_>>() {
            (pose.points[k], pose.confidence[k]) = (p, 1.0);
        }
    }
    let shoulders = |pose: &Pose| Some([pose.seen(11)?, pose.seen(12)?]);
    let both: Vec<[[f32; 3]; 2]> = track.frames.iter().filter_map(shoulders).collect();
    let mut widths: Vec<f32> = both.iter().map(|[l, r]| flat(*l, *r)).collect();
    let width = percentile(&mut widths, 0.8).filter(|w| *w > 1.0 && w.is_finite())?;
    let middle = [0, 1].map(|i| {
        let mut values: Vec<f32> = both.iter().map(|[l, r]| (l[i] + r[i]) / 2.0).collect();
        percentile(&mut values, 0.5).unwrap_or(0.0)
    });
    let usual = Proportions::default();
    let metres = usual.shoulders / width;
    let proportions = measured(&track.frames, metres, &usual);
    let deep = deep(&track.frames, metres);
    let frames = track.frames.iter().zip(jaws).map(|(pose, jaw)| {
        let shoulder_z = shoulders(pose).map_or(0.0, |[l, r]| (l[2] + r[2]) / 2.0);
        let mut targets = vec![];
        for landmark in Landmark::all() {
            let k = landmark.row();
            let Some(p) = pose.seen(k) else { continue };
            let side = landmark.side_of_hand();
            // The body's own points of a hand are rough; its hand says it better.
            if landmark.is_rough_hand() && side.is_some_and(|s| pose.seen(HANDS[s]).is_some()) {
                continue;
            }
            let from_z = match side {
                Some(s) if k >= BODY => pose.points[HANDS[s]][2],
                _ => shoulder_z,
            };
            let at = [(p[0] - middle[0]) * metres, (middle[1] - p[1]) * metres, (from_z - p[2]) * metres];
            // What lies farther away is no landmark of this person.
            if at.iter().any(|v| v.abs() > FARTHEST) {
                continue;
            }
            targets.push(Target { landmark, at, sure: pose.confidence[k].clamp(0.05, 1.0) });
        }
        if let Some(open) = jaw {
            targets.push(Target { landmark: Landmark::Jaw, at: [open, 0.0, 0.0], sure: 1.0 });
        }
        targets
    });
    Some(Recording { proportions, frames: frames.collect(), deep })
}

/// The same with z about its own middle: some tools shift it with the picture, and only differences are used.
fn centred(mut track: PoseTrack) -> PoseTrack {
    let picture = track.layout.in_picture();
    let seen = |pose: &Pose| {
        (0..picture.len()).filter(|&k| picture[k]).filter_map(|k| Some(pose.seen(k)?[2])).collect::<Vec<_>>()
    };
    let mut all: Vec<f32> = track.frames.iter().flat_map(seen).collect();
    if let Some(middle) = percentile(&mut all, 0.5) {
        for pose in &mut track.frames {
            (0..picture.len()).filter(|&k| picture[k]).for_each(|k| pose.points[k][2] -= middle);
        }
    }
    track
}

/// Whether hands have a depth of their own: tips that lie off the wrist's plane by a centimetre now and then.
fn deep(frames: &[Pose], metres: f32) -> bool {
    let off = |pose: &Pose| {
        let tip = |at: usize| Some((pose.seen(at + 12)?[2] - pose.seen(at)?[2]).abs() * metres);
        HANDS.into_iter().filter_map(tip).collect::<Vec<_>>()
    };
    let mut all: Vec<f32> = frames.iter().flat_map(off).collect();
    percentile(&mut all, 0.8).is_some_and(|off| off > 0.01)
}

/// `[T]`: landmarks of the body's head that a face mesh shows as well, for layouts whose body has no head.
fn faces(track: &PoseTrack) -> Vec<Vec<(usize, [f32; 3])>> {
    /// Number in the body, and name in the mesh.
    const SAME: [(usize, &str); 7] =
        [(0, "4"), (1, "362"), (3, "263"), (4, "133"), (6, "33"), (9, "291"), (10, "61")];
    let find = |name: &str| track.layout.index(FACE_MESH, name);
    let same: Vec<(usize, usize)> = SAME.iter().filter_map(|(k, name)| Some((*k, find(name)?))).collect();
    let of = |pose: &Pose| same.iter().filter_map(|&(k, at)| Some((k, pose.seen(at)?))).collect();
    track.frames.iter().map(of).collect()
}

/// `[T]`: how far the jaw is open, in radians, where a face mesh shows it.
fn jaws(track: &PoseTrack) -> Vec<Option<f32>> {
    /// Inner lips, and the face from brow to chin.
    const LIPS: [&str; 2] = ["13", "14"];
    const FACE: [&str; 2] = ["10", "152"];
    /// An open jaw of one radian parts the lips by so much of the face's height.
    const OPEN: f32 = 0.45;
    let find = |name: &str| track.layout.index(FACE_MESH, name);
    let numbers = [LIPS[0], LIPS[1], FACE[0], FACE[1]].map(find);
    let [Some(upper), Some(lower), Some(brow), Some(chin)] = numbers else {
        return vec![None; track.frames.len()];
    };
    let open = |pose: &Pose| {
        let parted = norm(sub(pose.seen(upper)?, pose.seen(lower)?));
        let high = norm(sub(pose.seen(brow)?, pose.seen(chin)?));
        (high > 1.0).then(|| (parted / high / OPEN).min(0.5))
    };
    track.frames.iter().map(open).collect()
}

/// The measures of who was recorded, as far as a picture gives them.
fn measured(frames: &[Pose], metres: f32, usual: &Proportions) -> Proportions {
    let near = |found: Option<f32>, usual: f32| {
        found.map_or(usual, |v| v.clamp(usual * (1.0 - MOST_OTHER), usual * (1.0 + MOST_OTHER)))
    };
    let length = |pairs: &[[usize; 2]]| {
        let sure = |pose: &Pose, k: usize| pose.confidence[k] > SURE;
        let of = |pose: &Pose| {
            let seen = pairs.iter().filter(|[a, b]| sure(pose, *a) && sure(pose, *b));
            seen.map(|&[a, b]| flat(pose.points[a], pose.points[b]) * metres).collect::<Vec<_>>()
        };
        let mut all: Vec<f32> = frames.iter().flat_map(of).collect();
        percentile(&mut all, LONG)
    };
    let middle = |pose: &Pose, a: usize, b: usize| {
        let (p, q) = (pose.seen(a)?, pose.seen(b)?);
        Some([(p[0] + q[0]) / 2.0, (p[1] + q[1]) / 2.0, 0.0])
    };
    let heights = |upper: [usize; 2], lower: [usize; 2]| {
        let of =
            |pose: &Pose| Some(flat(middle(pose, upper[0], upper[1])?, middle(pose, lower[0], lower[1])?));
        let mut all: Vec<f32> = frames.iter().filter_map(of).map(|v| v * metres).collect();
        percentile(&mut all, 0.5)
    };
    let head = near(length(&[[7, 8]]).map(|ears| ears / 0.15), 1.0);
    // The eyes stand above the shoulders by neck and head.
    let neck = near(heights([2, 5], [11, 12]).map(|high| high - 0.075 * head), usual.neck);
    let hand = |a: usize, b: usize| {
        let of = |pose: &Pose| HANDS.map(|at| Some(norm(sub(pose.seen(at + a)?, pose.seen(at + b)?))));
        let mut all: Vec<f32> = frames.iter().flat_map(of).flatten().map(|v| v * metres).collect();
        percentile(&mut all, 0.6)
    };
    let palm = near(hand(0, 9), usual.palm);
    let fingers = std::array::from_fn(|f| {
        let bone = |k: usize| hand(1 + 4 * f + k, 2 + 4 * f + k);
        let long = (0..3).map(bone).sum::<Option<f32>>();
        let skeleton = Skeleton::new(&Proportions { palm, ..usual.clone() });
        let first = joint::HANDS[0] + FINGERS[f];
        let chain =
            [skeleton.rest[first], skeleton.rest[first + 1], skeleton.rest[first + 2], skeleton.tips[0][f]];
        let of_usual: f32 = chain.windows(2).map(|w| norm(sub(w[1], w[0]))).sum();
        near(long.map(|long| long / of_usual), 1.0)
    });
    Proportions {
        upper_arm: near(length(&[[11, 13], [12, 14]]), usual.upper_arm),
        forearm: near(length(&[[13, 15], [14, 16]]), usual.forearm),
        trunk: near(heights([11, 12], [23, 24]).map(|high| high - 0.075), usual.trunk),
        palm,
        fingers,
        head,
        neck,
        ..usual.clone()
    }
}

/// The distance in the picture.
fn flat(a: [f32; 3], b: [f32; 3]) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// The value below which that share of the values lies.
fn percentile(values: &mut [f32], share: f32) -> Option<f32> {
    values.sort_by(f32::total_cmp);
    values.get(((values.len().max(1) - 1) as f32 * share).round() as usize).copied()
}
