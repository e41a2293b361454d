//! Frames to landmarks: MediaPipe's holistic graph, rebuilt on its networks.
//!
//! The body is found and followed; its wrists and eyes say where hands and face
//! are looked for. Hands are found without a body too. What is not seen has
//! confidence 0: no landmark is invented.

mod anchors;
mod body;
mod crop;
mod detect;
mod face;
mod geometry;
mod hand;
mod hands;
mod network;
mod smooth;

use std::slice::from_ref;

use boards::Board;
use models::pose::Pose;
use models::store::Store;

use crate::Fault;
use crate::camera::Frame;
use crate::engine::Backend;
use crate::stage::{Stage, Stamp};
use body::BodyTracker;
use face::FaceTracker;
use hands::HandsTracker;

/// How the networks are run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Engines, the preferred one first.
    pub backends: Vec<Backend>,
    /// Threads that one network may use.
    pub threads: usize,
}

impl Options {
    /// What a board asks for.
    pub fn of(board: &Board) -> Self {
        let backends = board.engine.prefer.iter().map(|b| match b {
            boards::Backend::Tract => Backend::Tract,
            boards::Backend::OnnxRuntime => Backend::OnnxRuntime,
        });
        Self { backends: backends.collect(), threads: board.engine.threads as usize }
    }
}

impl Default for Options {
    /// The fastest engine that is there, on as many threads as the machine has, at most 4.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
        Self { backends: Backend::FASTEST_FIRST.to_vec(), threads }
    }
}

/// The networks that [`Holistic`] loads, by their names in the store.
pub const NETWORKS: [&str; 7] = [
    "pose_detection",
    "pose_landmark_full",
    "palm_detection_full",
    "hand_recrop",
    "hand_landmark_full",
    "face_detection_short_range",
    "face_landmark",
];

/// Landmarks in the holistic layout: body, face, left hand, right hand, body in metres.
pub const LANDMARKS: usize = body::POINTS + face::POINTS + 2 * hand::POINTS + body::POINTS;

/// Sees body, face and hands in a sequence of frames.
pub struct Holistic {
    body: BodyTracker,
    face: FaceTracker,
    hands: HandsTracker,
}

impl Holistic {
    /// Loads the [`NETWORKS`] from the store.
    ///
    /// # Errors
    /// As [`crate::engine::open`], and [`Fault::Shape`] on the first frame where a file holds another network.
    pub fn open(store: &Store, options: &Options) -> Result<Self, Fault> {
        Ok(Self {
            body: BodyTracker::open(store, options)?,
            face: FaceTracker::open(store, options)?,
            hands: HandsTracker::open(store, options)?,
        })
    }

    /// Which engine runs the networks, for logs.
    pub fn describe(&self) -> String {
        self.body.describe()
    }

    /// The landmarks of the next frame.
    ///
    /// Frames must come in order: what was seen last says where to look now.
    ///
    /// # Shapes
    /// - returns: [`LANDMARKS`] points in pixels of the frame, those of the body in metres last;
    ///   confidence is the body's visibility, the presence of a hand or the face, or 0
    ///
    /// # Errors
    /// [`Fault::Picture`] where the frame holds no picture, [`Fault::Inference`] where a network fails.
    pub fn see(&mut self, frame: &Frame) -> Result<Pose, Fault> {
        frame.check()?;
        let mut body = self.body.step(frame)?;
        self.hands.step(frame, body.as_ref())?;
        if body.as_ref().is_some_and(|body| self.hands.dwarf(body)) {
            self.body.reset();
            body = None;
        }
        let face = self.face.step(frame, body.as_ref())?;
        let [left, right] = self.hands.seen();

        let mut pose =
            Pose { points: Vec::with_capacity(LANDMARKS), confidence: Vec::with_capacity(LANDMARKS) };
        push(&mut pose, body::POINTS, body.as_ref().map(|b| (b.points.as_slice(), b.visibility.as_slice())));
        push(&mut pose, face::POINTS, face.map(|f| (f.points.as_slice(), from_ref(&f.presence))));
        for hand in [left, right] {
            push(&mut pose, hand::POINTS, hand.map(|h| (h.points.as_slice(), from_ref(&h.presence))));
        }
        push(&mut pose, body::POINTS, body.as_ref().map(|b| (b.world.as_slice(), b.visibility.as_slice())));
        Ok(pose)
    }
}

/// Adds `count` landmarks with a confidence each, or one for all; unseen ones where there is none.
fn push(pose: &mut Pose, count: usize, seen: Option<(&[[f32; 3]], &[f32])>) {
    let end = pose.points.len() + count;
    if let Some((points, confidence)) = seen {
        pose.points.extend(points);
        pose.confidence.extend(confidence.iter().cycle().take(count));
    }
    pose.points.resize(end, [0.0; 3]);
    pose.confidence.resize(end, 0.0);
}

impl Stage for Holistic {
    const NAME: &'static str = "vision";
    type In = Frame;
    type Out = Pose;

    fn step(&mut self, _at: Stamp, input: Frame) -> Result<Option<Pose>, Fault> {
        self.see(&input).map(Some)
    }

    fn reset(&mut self) {
        self.body.reset();
        self.face.reset();
        self.hands.reset();
    }
}
