//! Finds the turns of all joints by which the body's points fall on their landmarks (Gauss-Newton with damping).

use super::super::rotation::{IDENTITY, Mat3, Vec3, about, apply, mul};
use super::super::skeleton::{JOINTS, PARENTS, Proportions, Skeleton, joint};
use super::freedom::{Freedom, chains, freedoms, hangs_on};
use super::target::Target;
use crate::body::landmark::Landmark;
use models::vector::{add, cross, sub};

/// How far landmarks of the body, and of hands, stray from the point that they are, in metres.
const BODY_STRAY: f32 = 0.012;
const HAND_STRAY: f32 = 0.006;
/// The same along the view, where networks guess.
const BODY_DEPTH_STRAY: f32 = 0.15;
const HAND_DEPTH_STRAY: f32 = 0.014;
/// Points of the hand that the body's network guesses, and hips, which a table may hide.
const ROUGH_STRAY: f32 = 0.05;
/// Beyond so many strays a landmark is taken for a slip, and pulls less and less.
const SLIP: f32 = 4.0;
/// Half the width that hands keep before, how far before the shoulders' middle the trunk's front is, and how
/// strictly that is kept, in metres.
const TRUNK_WIDE: f32 = 0.27;
const TRUNK_DEEP: f32 = 0.16;
const TRUNK_STRAY: f32 = 0.04;
/// How far the pelvis strays from below the middle of the recording, in metres.
const PLACE_STRAY: f32 = 0.12;
/// The first damping.
const DAMPING: f32 = 1e-3;

/// The unknowns of a frame: a turn a freedom, then the pelvis' x and y.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    pub turns: Vec<f32>,
    pub place: [f32; 2],
}

/// A body and a camera that all frames of a recording share.
pub(super) struct Solver {
    pub freedoms: Vec<Freedom>,
    chains: Vec<Vec<usize>>,
    pub skeleton: Skeleton,
    /// `[76]`: the joint that each landmark is fixed to, and its place from there at rest.
    anchors: Vec<(usize, Vec3)>,
    /// How far the camera is from the shoulders, in metres.
    away: f32,
    deep: bool,
}

/// What the neighbours in time ask of a frame.
pub(super) struct Neighbour<'a> {
    pub state: &'a State,
    /// How many frames of 25 a second lie between.
    pub frames: f32,
}

/// The body by a state.
struct Stand {
    local: [Mat3; JOINTS],
    turned: [Mat3; JOINTS],
    at: [Vec3; JOINTS],
    /// The axis of each freedom as it stands.
    axes: Vec<Vec3>,
}

impl Solver {
    pub fn new(proportions: &Proportions, away: f32, deep: bool) -> Self {
        let freedoms = freedoms();
        let chains = chains(&freedoms);
        let skeleton = Skeleton::new(proportions);
        let anchor = |landmark: Landmark| {
            let (joint, rest) = landmark.anchor(&skeleton, proportions);
            (joint, sub(rest, skeleton.rest[joint]))
        };
        let anchors = Landmark::all().chain([Landmark::Jaw]).map(anchor).collect();
        Self { freedoms, chains, skeleton, anchors, away, deep }
    }

    /// Everything where it likes to be.
    pub fn rest(&self) -> State {
        State { turns: self.freedoms.iter().map(|f| f.rest).collect(), place: [0.0, self.shoulders_down()] }
    }

    /// States to begin from: at rest, and with bent arms that are turned one way and the other.
    pub fn starts(&self) -> [State; 3] {
        [None, Some(0.9), Some(-0.7)].map(|twist| {
            let mut state = self.rest();
            let Some(twist) = twist else { return state };
            let mut counts = [0; JOINTS];
            for (turn, f) in state.turns.iter_mut().zip(&self.freedoms) {
                let which = counts[f.joint];
                counts[f.joint] += 1;
                // A shoulder's last freedom turns the arm, an elbow's first one bends it.
                if joint::SHOULDERS.contains(&f.joint) && which == 2 {
                    *turn = twist;
                } else if joint::ELBOWS.contains(&f.joint) && which == 0 {
                    *turn = -1.9;
                }
            }
            state
        })
    }

    /// The pelvis of someone whose shoulders are at height 0.
    fn shoulders_down(&self) -> f32 {
        -self.skeleton.rest[joint::SHOULDERS[0]][1]
    }

    /// The rotations of all joints by a state.
    pub fn rotations(&self, state: &State) -> [Mat3; JOINTS] {
        self.stand(state).local
    }

    /// Where a landmark stands in the picture by a state, in metres at the shoulders' distance.
    pub fn seen(&self, state: &State, landmarks: impl Iterator<Item = Landmark>) -> Vec<[f32; 2]> {
        let stand = self.stand(state);
        landmarks
            .map(|landmark| {
                let p = self.point(&stand, landmark);
                let near = self.nearer(p[2]);
                [p[0] * near, p[1] * near]
            })
            .collect()
    }

    /// How far a state is from the landmarks, and from how people stand.
    pub fn cost(&self, state: &State, targets: &[Target]) -> f32 {
        self.build(state, targets, &[], &mut System::new(self.freedoms.len() + 2))
    }

    /// Goes so many steps towards the landmarks.
    pub fn solve(&self, state: &mut State, targets: &[Target], neighbours: &[Neighbour<'_>], steps: usize) {
        let n = self.freedoms.len() + 2;
        let mut damping = DAMPING;
        let mut system = System::new(n);
        let mut cost = self.build(state, targets, neighbours, &mut system);
        for _ in 0..steps {
            let Some(step) = system.step(damping, |k, ahead| self.stuck(state, k, ahead)) else {
                damping *= 10.0;
                continue;
            };
            let next = self.moved(state, &step);
            let mut there = System::new(n);
            let found = self.build(&next, targets, neighbours, &mut there);
            if found < cost {
                let better = (cost - found) / cost;
                (*state, cost, system) = (next, found, there);
                damping = (damping * 0.3).max(1e-5);
                if better < 1e-4 {
                    break;
                }
            } else {
                damping *= 8.0;
            }
        }
    }

    /// Whether a freedom stands at its limit and would go beyond.
    fn stuck(&self, state: &State, k: usize, ahead: f32) -> bool {
        self.freedoms.get(k).is_some_and(|f| {
            let turn = state.turns[k];
            (turn <= f.limits[0] && ahead < 0.0) || (turn >= f.limits[1] && ahead > 0.0)
        })
    }

    fn moved(&self, state: &State, step: &[f32]) -> State {
        let turn = |(k, f): (usize, &Freedom)| {
            (state.turns[k] + step[k].clamp(-0.6, 0.6)).clamp(f.limits[0], f.limits[1])
        };
        let [x, y] = [step[step.len() - 2], step[step.len() - 1]];
        State {
            turns: self.freedoms.iter().enumerate().map(turn).collect(),
            place: [state.place[0] + x, state.place[1] + y],
        }
    }

    fn stand(&self, state: &State) -> Stand {
        let mut local = [IDENTITY; JOINTS];
        let mut turned = local;
        let mut at = [[state.place[0], state.place[1], 0.0]; JOINTS];
        let mut axes = vec![[0.0; 3]; self.freedoms.len()];
        let mut next = 0;
        for joint in 0..JOINTS {
            let mut whole = IDENTITY;
            if joint > 0 {
                let parent = PARENTS[joint];
                let bone = sub(self.skeleton.rest[joint], self.skeleton.rest[parent]);
                at[joint] = add(at[parent], apply(&turned[parent], bone));
                whole = turned[parent];
            }
            while let Some(f) = self.freedoms.get(next).filter(|f| f.joint == joint) {
                axes[next] = apply(&whole, f.axis);
                let turn = about(f.axis, state.turns[next]);
                whole = mul(&whole, &turn);
                local[joint] = mul(&local[joint], &turn);
                next += 1;
            }
            turned[joint] = whole;
        }
        Stand { local, turned, at, axes }
    }

    fn point(&self, stand: &Stand, landmark: Landmark) -> Vec3 {
        let (joint, from) = self.anchors[landmark.row()];
        add(stand.at[joint], apply(&stand.turned[joint], from))
    }

    /// How much larger what stands at z appears.
    fn nearer(&self, z: f32) -> f32 {
        self.away / (self.away - z).max(0.2 * self.away)
    }

    /// The normal equations at a state, and how far it is from what is asked.
    fn build(
        &self,
        state: &State,
        targets: &[Target],
        neighbours: &[Neighbour<'_>],
        system: &mut System,
    ) -> f32 {
        let stand = self.stand(state);
        let n = self.freedoms.len();
        let shoulder_z = (stand.at[joint::SHOULDERS[0]][2] + stand.at[joint::SHOULDERS[1]][2]) / 2.0;
        let mut cost = 0.0;
        let mut columns: Vec<(usize, f32)> = Vec::with_capacity(n + 2);
        for target in targets {
            if target.landmark == Landmark::Jaw {
                let k = self.freedoms.iter().position(|f| f.joint == joint::JAW).expect("the jaw can open");
                cost += system.add(&[(k, 1.0)], target.at[0] - state.turns[k], 1.0 / 0.05);
                continue;
            }
            let (on, _) = self.anchors[target.landmark.row()];
            let p = self.point(&stand, target.landmark);
            let near = self.nearer(p[2]);
            let hand = matches!(target.landmark, Landmark::Hand(..));
            let stray = match target.landmark {
                Landmark::Hand(..) => HAND_STRAY,
                Landmark::Body(17..=24) => ROUGH_STRAY,
                Landmark::Body(25..) => continue,
                _ => BODY_STRAY,
            };
            let miss = [0, 1].map(|i| target.at[i] - p[i] * near);
            let far = miss[0].hypot(miss[1]) / stray;
            // Cauchy's weight: a slip far away pulls little.
            let weight = (target.sure / (1.0 + (far / SLIP).powi(2))).sqrt() / stray;
            let ways: Vec<Vec3> = self.chains[on]
                .iter()
                .map(|&f| cross(stand.axes[f], sub(p, stand.at[self.freedoms[f].joint])))
                .collect();
            for i in 0..2 {
                columns.clear();
                for (&f, way) in self.chains[on].iter().zip(&ways) {
                    columns.push((f, near * way[i] + p[i] * near * near / self.away * way[2]));
                }
                columns.push((n + i, near));
                cost += system.add(&columns, miss[i], weight);
            }
            // Of the body only arms have a depth worth asking for.
            if !self.deep || !(hand || matches!(target.landmark, Landmark::Body(13..=16))) {
                continue;
            }
            columns.clear();
            let (from, stray) = if hand {
                let side = target.landmark.side_of_hand().unwrap_or(0);
                let wrist = joint::WRISTS[side];
                for &f in &self.chains[on] {
                    let pivot = if hangs_on(wrist, self.freedoms[f].joint) {
                        stand.at[wrist]
                    } else {
                        stand.at[self.freedoms[f].joint]
                    };
                    columns.push((f, cross(stand.axes[f], sub(p, pivot))[2]));
                }
                (stand.at[wrist][2], HAND_DEPTH_STRAY)
            } else {
                columns.extend(self.chains[on].iter().zip(&ways).map(|(&f, way)| (f, way[2])));
                (shoulder_z, BODY_DEPTH_STRAY)
            };
            let miss = target.at[2] - (p[2] - from);
            let far = miss / stray;
            let weight = (target.sure / (1.0 + (far / SLIP).powi(2))).sqrt() / stray;
            cost += system.add(&columns, miss, weight);
        }
        cost += self.before_the_trunk(&stand, shoulder_z, system, &mut columns);
        for (k, f) in self.freedoms.iter().enumerate() {
            cost += system.add(&[(k, 1.0)], f.rest - state.turns[k], 0.5 / f.stray);
            for other in neighbours {
                let pace = f.pace * other.frames.max(0.2).sqrt();
                cost += system.add(&[(k, 1.0)], other.state.turns[k] - state.turns[k], 1.0 / pace);
            }
        }
        for i in 0..2 {
            cost += system.add(
                &[(n + i, 1.0)],
                -state.place[i] + if i == 1 { self.shoulders_down() } else { 0.0 },
                1.0 / PLACE_STRAY,
            );
            for other in neighbours {
                cost += system.add(&[(n + i, 1.0)], other.state.place[i] - state.place[i], 1.0 / 0.02);
            }
        }
        cost
    }

    /// Forearms and hands go round the trunk on its front: a picture alone does not say so.
    fn before_the_trunk(
        &self,
        stand: &Stand,
        shoulder_z: f32,
        system: &mut System,
        columns: &mut Vec<(usize, f32)>,
    ) -> f32 {
        let (middle, top) = (stand.at[joint::SPINE3][0], stand.at[joint::SHOULDERS[0]][1]);
        let mut cost = 0.0;
        for side in 0..2 {
            // Wrist, knuckles and tips.
            for k in [0, 9, 17, 4, 8, 12, 16, 20] {
                let landmark = Landmark::Hand(side, k);
                let (on, p) = (self.anchors[landmark.row()].0, self.point(stand, landmark));
                let before = (p[0] - middle).abs() < TRUNK_WIDE && p[1] < top;
                let lacks = shoulder_z + TRUNK_DEEP - p[2];
                if !before || lacks <= 0.0 {
                    continue;
                }
                columns.clear();
                columns.extend(
                    self.chains[on]
                        .iter()
                        .map(|&f| (f, cross(stand.axes[f], sub(p, stand.at[self.freedoms[f].joint]))[2])),
                );
                cost += system.add(columns, lacks, 1.0 / TRUNK_STRAY);
            }
        }
        cost
    }
}

/// Normal equations: `JᵀWJ` and `JᵀWr`.
struct System {
    n: usize,
    matrix: Vec<f32>,
    right: Vec<f32>,
}

impl System {
    fn new(n: usize) -> Self {
        Self { n, matrix: vec![0.0; n * n], right: vec![0.0; n] }
    }

    /// Adds one row, and gives its part of the cost.
    fn add(&mut self, columns: &[(usize, f32)], miss: f32, weight: f32) -> f32 {
        let square = weight * weight;
        for &(a, va) in columns {
            self.right[a] += square * va * miss;
            let row = &mut self.matrix[a * self.n..(a + 1) * self.n];
            for &(b, vb) in columns {
                row[b] += square * va * vb;
            }
        }
        square * miss * miss
    }

    /// The step by Cholesky's factors; unknowns that are stuck stay. `None` where damping is too small.
    fn step(&self, damping: f32, stuck: impl Fn(usize, f32) -> bool) -> Option<Vec<f32>> {
        let n = self.n;
        let free: Vec<usize> = (0..n).filter(|&k| !stuck(k, self.right[k])).collect();
        let m = free.len();
        let mut l = vec![0.0_f32; m * m];
        for i in 0..m {
            for j in 0..=i {
                let mut sum = self.matrix[free[i] * n + free[j]];
                if i == j {
                    sum += damping * sum + 1e-4;
                }
                let (ri, rj) = (&l[i * m..i * m + j], &l[j * m..j * m + j]);
                sum -= ri.iter().zip(rj).map(|(a, b)| a * b).sum::<f32>();
                if i == j {
                    if sum <= 0.0 || !sum.is_finite() {
                        return None;
                    }
                    l[i * m + i] = sum.sqrt();
                } else {
                    l[i * m + j] = sum / l[j * m + j];
                }
            }
        }
        let mut x: Vec<f32> = free.iter().map(|&k| self.right[k]).collect();
        for i in 0..m {
            let sum: f32 = (0..i).map(|j| l[i * m + j] * x[j]).sum();
            x[i] = (x[i] - sum) / l[i * m + i];
        }
        for i in (0..m).rev() {
            let sum: f32 = (i + 1..m).map(|j| l[j * m + i] * x[j]).sum();
            x[i] = (x[i] - sum) / l[i * m + i];
        }
        let mut step = vec![0.0; n];
        for (k, v) in free.into_iter().zip(x) {
            step[k] = v;
        }
        Some(step)
    }
}
