//! Joint angles of a recorded signer: inverse kinematics from landmarks to SMPL-X's joints.
//!
//! Bones keep one length through a recording, taken from it; joints stay within what people can do; angles
//! change no faster than people move. Landmarks are seen through a camera whose distance is chosen so that
//! they fit best. What was not seen is where it likes to be, or goes on from its neighbours in time.
//!
//! A recording is solved forwards, each frame from the one before, and then backwards and forwards between both
//! neighbours, so that angles neither lag nor tremble. Legs stand: landmarks seldom show them.

mod freedom;
mod solve;
mod target;

use models::pose::PoseTrack;

use super::landmark::Landmark;
use super::pose::BodyPose;
use super::rotation::to_axis_angle;
use super::skeleton::{Proportions, Skeleton};
use solve::{Neighbour, Solver, State};
use target::Target;

/// Distances of the camera that are tried, in metres.
const AWAY: [f32; 4] = [1.0, 1.6, 2.6, 6.0];
/// So many frames of a recording decide about the camera's distance.
const TRIED: usize = 6;
/// Steps for a frame by itself, for one after another, and for one between two.
const STEPS: [usize; 3] = [30, 8, 4];
/// A frame costs so many times as much as others when it went astray, and another beginning must cost this share.
const ASTRAY: f32 = 1.3;
const BETTER: f32 = 0.8;
/// The paces of joints are those of this rate, in frames a second.
const PACE_FPS: f32 = 25.0;
/// Landmarks of the body that a fit is judged by: head, shoulders, elbows and wrists.
const JUDGED: std::ops::Range<usize> = 0..17;

/// A recording as angles.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// Measures of who was recorded.
    pub proportions: Proportions,
    /// `[T]` poses; the shoulders stand about at the origin.
    pub poses: Vec<BodyPose>,
    /// Frames a second.
    pub fps: f32,
    /// How well the angles fit.
    pub error: FitError,
}

/// Mean distances in the picture between landmarks and the body's points, in percent of the shoulders' width.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FitError {
    /// Head, shoulders, elbows and wrists.
    pub body: f64,
    /// The 21 landmarks of each hand that was seen.
    pub hands: f64,
    /// How many landmarks of the body, and of hands, the means are of.
    pub counts: [usize; 2],
}

/// Fits a recording; `None` where no frame shows both shoulders.
pub fn fit(track: &PoseTrack) -> Option<Fitted> {
    let recording = target::recording(track)?;
    let away = away(&recording);
    let solver = Solver::new(&recording.proportions, away, recording.deep);
    let between = PACE_FPS / track.fps;
    let mut states: Vec<State> = Vec::with_capacity(recording.frames.len());
    // The cost of a usual frame, which tells frames apart that went astray.
    let mut usual = f32::INFINITY;
    for targets in &recording.frames {
        let state = match states.last() {
            None => alone(&solver, targets),
            Some(last) => {
                let mut state = last.clone();
                let before = [Neighbour { state: last, frames: between }];
                solver.solve(&mut state, targets, &before, STEPS[1]);
                let cost = solver.cost(&state, targets);
                if cost > ASTRAY * usual {
                    let other = alone(&solver, targets);
                    if solver.cost(&other, targets) < BETTER * cost {
                        state = other;
                    }
                }
                state
            }
        };
        let cost = solver.cost(&state, targets);
        usual = if usual.is_finite() { usual + 0.1 * (cost - usual) } else { cost };
        states.push(state);
    }
    // Where the first frames showed little, those after them know better; two rounds spread that.
    for round in 0..2 {
        for i in 0..states.len() {
            let t = if round == 0 { states.len() - 1 - i } else { i };
            let mut state = states[t].clone();
            let beside = [t.checked_sub(1), Some(t + 1).filter(|&next| next < states.len())];
            let neighbours: Vec<Neighbour<'_>> = beside
                .into_iter()
                .flatten()
                .map(|t| Neighbour { state: &states[t], frames: between })
                .collect();
            solver.solve(&mut state, &recording.frames[t], &neighbours, STEPS[2]);
            states[t] = state;
        }
    }
    let poses = states.iter().map(|state| BodyPose {
        rotations: solver.rotations(state).map(|m| to_axis_angle(&m)),
        place: [state.place[0], state.place[1], 0.0],
    });
    Some(Fitted {
        poses: poses.collect(),
        fps: track.fps,
        error: error(&solver, &recording.frames, &states),
        proportions: recording.proportions,
    })
}

impl Fitted {
    /// The skeleton of who was recorded.
    pub fn skeleton(&self) -> Skeleton {
        Skeleton::new(&self.proportions)
    }
}

/// A frame that knows of no other: the best of several beginnings.
fn alone(solver: &Solver, targets: &[Target]) -> State {
    let ends = solver.starts().map(|mut state| {
        solver.solve(&mut state, targets, &[], STEPS[0]);
        (solver.cost(&state, targets), state)
    });
    let best = ends.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
    best.expect("there are beginnings").1
}

/// The distance of the camera with which some frames fit best, each by itself.
fn away(recording: &target::Recording) -> f32 {
    let rich = |targets: &&Vec<Target>| targets.iter().any(|t| matches!(t.landmark, Landmark::Hand(..)));
    let shown: Vec<Vec<Target>> = recording.frames.iter().filter(rich).cloned().collect();
    let some: Vec<Vec<Target>> = shown.iter().step_by(shown.len().div_ceil(TRIED).max(1)).cloned().collect();
    let miss = |away: f32| {
        let solver = Solver::new(&recording.proportions, away, recording.deep);
        let states: Vec<State> = some.iter().map(|targets| alone(&solver, targets)).collect();
        let error = error(&solver, &some, &states);
        error.body + error.hands
    };
    let misses = AWAY.map(miss);
    (0..AWAY.len()).min_by(|&a, &b| misses[a].total_cmp(&misses[b])).map_or(AWAY[1], |best| AWAY[best])
}

fn error(solver: &Solver, frames: &[Vec<Target>], states: &[State]) -> FitError {
    let (mut sums, mut counts) = ([0.0_f64; 2], [0_usize; 2]);
    for (targets, state) in frames.iter().zip(states) {
        let places = solver.seen(state, targets.iter().map(|t| t.landmark));
        for (target, [x, y]) in targets.iter().zip(places) {
            let part = match target.landmark {
                Landmark::Body(k) if JUDGED.contains(&k) => 0,
                Landmark::Hand(..) => 1,
                _ => continue,
            };
            sums[part] += f64::from((target.at[0] - x).hypot(target.at[1] - y));
            counts[part] += 1;
        }
    }
    let percent = |part: usize| {
        sums[part] / counts[part].max(1) as f64 / f64::from(Proportions::default().shoulders) * 100.0
    };
    FitError { body: percent(0), hands: percent(1), counts }
}

#[cfg(test)]
mod tests {
    use models::pose::{Known, Pose};

    use super::super::pose::Posed;
    use super::super::skeleton::joint;
    use super::*;

    /// Someone who lifts both forearms and closes the right hand, seen from straight ahead and far away.
    fn recorded(frames: usize) -> (Vec<BodyPose>, PoseTrack) {
        let proportions = Proportions::default();
        let skeleton = Skeleton::new(&proportions);
        let mut track = PoseTrack::new(Known::BodyHands75.layout(), 25.0, [1000, 1000, 0]);
        let poses: Vec<BodyPose> = (0..frames)
            .map(|t| {
                let far = (t as f32 / frames as f32 * std::f32::consts::PI).sin();
                let mut pose = BodyPose::default();
                for (side, out) in [(0, 1.0), (1, -1.0)] {
                    pose.rotations[joint::SHOULDERS[side]] = [0.0, 0.0, -1.2 * out];
                    pose.rotations[joint::ELBOWS[side]] = [0.0, (-0.6 - 1.2 * far) * out, 0.0];
                }
                for finger in [joint::INDEX, joint::MIDDLE, joint::RING, joint::PINKY] {
                    for bone in 0..2 {
                        pose.rotations[joint::HANDS[1] + finger + bone] = [0.0, 0.0, 0.3 + 0.8 * far];
                    }
                }
                pose
            })
            .collect();
        track.frames = poses
            .iter()
            .map(|pose| {
                let posed = Posed::new(&skeleton, pose);
                let pixel = |landmark: Landmark| {
                    let (joint, rest) = landmark.anchor(&skeleton, &proportions);
                    let [x, y, z] = posed.point(&skeleton, joint, rest);
                    [500.0 + 600.0 * x, 700.0 - 600.0 * y, -600.0 * z]
                };
                Pose { points: Landmark::all().map(pixel).collect(), confidence: vec![1.0; 75] }
            })
            .collect();
        (poses, track)
    }

    #[test]
    fn angles_are_found_again() {
        let (poses, track) = recorded(12);
        let fitted = fit(&track).unwrap();
        assert!(fitted.error.body < 2.0 && fitted.error.hands < 1.5, "{:?}", fitted.error);
        assert_eq!(fitted.error.counts, [17 * 12, 42 * 12]);
        let skeleton = fitted.skeleton();
        for (pose, found) in poses.iter().zip(&fitted.poses) {
            let (a, b) = (Posed::new(&skeleton, pose), Posed::new(&skeleton, found));
            // Depth is what a picture says least about.
            for at in [joint::ELBOWS[0], joint::WRISTS[1], joint::HANDS[1] + 2] {
                let ([dx, dy, dz], shift) = (models::vector::sub(a.at[at], b.at[at]), b.at[joint::NECK]);
                let of = a.at[joint::NECK];
                let off = [dx - of[0] + shift[0], dy - of[1] + shift[1], dz];
                assert!(off[0].hypot(off[1]) < 0.035, "{at}: {off:?}");
            }
            let bent =
                |pose: &BodyPose| models::vector::norm(pose.rotations[joint::HANDS[1] + joint::MIDDLE + 1]);
            assert!((bent(pose) - bent(found)).abs() < 0.3, "{} {}", bent(pose), bent(found));
        }
    }

    #[test]
    fn whatever_was_recorded_angles_stay_within_what_people_can_do() {
        let mut state = 7_u64;
        let mut number = |most: f32| {
            (crate::random::split_mix(&mut state) >> 40) as f32 / (1 << 24) as f32 * 2.0 * most - most
        };
        for most in [1.0, 1e3, 1e9, f32::MAX / 4.0] {
            let mut track = recorded(4).1;
            for pose in &mut track.frames {
                pose.points.iter_mut().skip(13).for_each(|p| *p = [number(most), number(most), number(most)]);
                pose.confidence.iter_mut().for_each(|c| *c = number(1.0).abs());
            }
            let Some(fitted) = fit(&track) else { continue };
            for rotation in fitted.poses.iter().flat_map(|pose| pose.rotations) {
                let turned = models::vector::norm(rotation);
                assert!(turned <= std::f32::consts::PI + 1e-3, "{most}: {rotation:?}");
            }
            assert!(fitted.poses.iter().all(|pose| pose.place.iter().all(|v| v.abs() < 10.0)), "{most}");
        }
    }

    #[test]
    fn nobody_gives_nothing() {
        let track = PoseTrack { frames: vec![Pose::unseen(75)], ..recorded(1).1 };
        assert!(fit(&track).is_none());
    }
}
