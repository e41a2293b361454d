//! Frames to landmarks: MediaPipe's holistic graph, rebuilt on its networks.
//!
//! The body is found and followed; its wrists and eyes say where hands and face
//! are looked for. Hands are found without a body too. What is not seen has
//! confidence 0: no landmark is invented.

mod anchors;
mod body;
mod crew;
mod crop;
mod detect;
mod face;
mod geometry;
mod hand;
mod hands;
mod network;
mod sides;
mod signer;
mod smooth;

use std::slice::from_ref;

use boards::Board;
use models::pose::Pose;
use models::store::Store;

use crate::Fault;
use crate::camera::Frame;
use crate::engine::{self, Backend};
use crate::stage::{Stage, Stamp};
use body::{Body, BodyTracker};
use crew::Crew;
use face::FaceTracker;
pub use hand::Hand;
use hands::HandsTracker;

/// How the networks are run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Engines, the preferred one first.
    pub backends: Vec<Backend>,
    /// Threads that landmarks may use: one network alone, or several side by side.
    pub threads: usize,
    /// What tremble is taken out of.
    pub smooth: Smoothing,
}

/// What tremble is taken out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Smoothing {
    /// Nothing: the landmarks are the networks' own.
    Off,
    /// The body, as in MediaPipe's package.
    Body,
    /// Body, face and hands: the live view.
    All,
}

impl Options {
    /// What a board asks for.
    pub fn of(board: &Board) -> Self {
        let backends = board.engine.prefer.iter().map(|b| match b {
            boards::Backend::Tract => Backend::Tract,
            boards::Backend::OnnxRuntime => Backend::OnnxRuntime,
        });
        Self { backends: backends.collect(), threads: board.engine.threads as usize, smooth: Smoothing::All }
    }

    /// The same for a network that runs beside others.
    fn on_one_thread(&self) -> Self {
        Self { threads: 1, ..self.clone() }
    }
}

impl Default for Options {
    /// The fastest engine that is there, on as many threads as the machine has, at most 4.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
        Self { backends: Backend::FASTEST_FIRST.to_vec(), threads, smooth: Smoothing::All }
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
    passed_over: Vec<(Backend, String)>,
    crew: Crew,
    body: BodyTracker,
    face: FaceTracker,
    hands: HandsTracker,
    /// Frames for which no body is searched while a hand is followed.
    doubt: u32,
}

/// How many frames a body that was none is not searched again while the hand that it was is followed.
const DOUBT: u32 = 15;

impl Holistic {
    /// Loads the [`NETWORKS`] from the store.
    ///
    /// # Errors
    /// [`Fault::NotSetUp`], [`Fault::NoRecord`] or [`Fault::Damaged`] where a file is not the one that set-up
    /// brings; [`Fault::Backend`] and [`Fault::Network`] where it cannot be run. A file that holds another
    /// network gives [`Fault::Shape`] on the first frame.
    pub fn open(store: &Store, options: &Options) -> Result<Self, Fault> {
        Ok(Self {
            passed_over: engine::passed_over(&options.backends),
            crew: Crew::new(options.threads)?,
            body: BodyTracker::open(store, options)?,
            face: FaceTracker::open(store, options)?,
            hands: HandsTracker::open(store, options)?,
            doubt: 0,
        })
    }

    /// Which engine runs the networks, and why not another, for logs.
    pub fn describe(&self) -> String {
        let not = |(backend, why): &(Backend, String)| format!("; not {backend}: {why}");
        self.body.describe() + &self.passed_over.iter().map(not).collect::<String>()
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
        let mut body = self.body(frame)?;
        let (hands, face) = {
            let (hands, face, body) = (&mut self.hands, &mut self.face, body.as_ref());
            self.crew.join(|| hands.step(frame, body, &self.crew), || face.step(frame, body))
        };
        hands?;
        face?;
        if body.as_ref().is_some_and(|body| self.hands.dwarf(body)) {
            body = self.doubt();
            self.face.reset();
        }
        let face = self.face.seen();
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

    /// The left and the right hand of the last frame, each where it was seen.
    pub fn hands(&self) -> [Option<&Hand>; 2] {
        self.hands.seen()
    }

    /// The body in the frame, where it is not a hand that was mistaken for one.
    fn body(&mut self, frame: &Frame) -> Result<Option<Body>, Fault> {
        self.doubt = self.doubt.saturating_sub(1);
        if self.doubt > 0 && self.hands.follows() {
            return Ok(None);
        }
        let Some(body) = self.body.step(frame)? else { return Ok(None) };
        let mistaken = self.hands.dwarf(&body)
            || (body.is_new && !self.hands.follows() && self.hands.palms_dwarf(frame, &body)?);
        Ok(if mistaken { self.doubt() } else { Some(body) })
    }

    /// Gives the body up.
    fn doubt(&mut self) -> Option<Body> {
        self.body.reset();
        self.doubt = DOUBT;
        None
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
    // A landmark that is surely hidden is nowhere.
    for (point, confidence) in pose.points.iter_mut().zip(&pose.confidence).skip(end - count) {
        if *confidence == 0.0 {
            *point = [0.0; 3];
        }
    }
}

impl Stage for Holistic {
    const NAME: &'static str = "vision";
    type In = Frame;
    /// The frame comes back with what was seen in it: the screen shows both.
    type Out = (Frame, Pose);

    fn step(&mut self, _at: Stamp, input: Frame) -> Result<Option<(Frame, Pose)>, Fault> {
        let pose = self.see(&input)?;
        Ok(Some((input, pose)))
    }

    fn reset(&mut self) {
        self.body.reset();
        self.face.reset();
        self.hands.reset();
        self.doubt = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::camera::{Camera, DEFAULT_FPS, Folder};

    /// The folder of others' results on real pictures; where it is absent this says that the test skips.
    pub(super) fn oracle(test: &str) -> Option<PathBuf> {
        let data = std::env::var_os("SIGNPOST_DATA").map_or_else(
            || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")),
            PathBuf::from,
        );
        let dir = data.join("oracle");
        if !dir.is_dir() {
            eprintln!("{test} skips: no real data at {} (set SIGNPOST_DATA)", dir.display());
            return None;
        }
        Some(dir)
    }

    fn opened(test: &str, backends: &[Backend]) -> Option<Holistic> {
        let store = Store::locate().filter(|s| NETWORKS.iter().all(|n| s.network(n).is_file()));
        let Some(store) = store else {
            eprintln!("{test} skips: the store holds no networks (cargo xtask setup)");
            return None;
        };
        let options = Options { backends: backends.to_vec(), ..Options::default() };
        Some(Holistic::open(&store, &options).unwrap())
    }

    fn flat(width: u32, height: u32, shade: u8) -> Frame {
        let rgb = vec![shade; width as usize * height as usize * 3];
        Frame { at: Stamp::default(), width, height, rgb }
    }

    #[test]
    fn where_nobody_is_nothing_is_seen() {
        let Some(mut vision) = opened("where_nobody_is_nothing_is_seen", &Backend::FASTEST_FIRST) else {
            return;
        };
        let sizes = [(640, 480, 0), (640, 480, 255), (1, 1, 128), (1, 4000, 60), (7680, 4320, 128)];
        for (width, height, shade) in sizes {
            let pose = vision.see(&flat(width, height, shade)).unwrap();
            assert_eq!(pose, Pose::unseen(LANDMARKS), "{width}×{height}");
        }
    }

    #[test]
    fn a_frame_without_picture_is_a_fault_and_the_next_works() {
        let Some(mut vision) =
            opened("a_frame_without_picture_is_a_fault_and_the_next_works", &Backend::FASTEST_FIRST)
        else {
            return;
        };
        let short = Frame { rgb: vec![0; 5], ..flat(2, 2, 0) };
        for bad in [flat(0, 0, 0), flat(0, 9, 0), short] {
            let said = vision.see(&bad).unwrap_err().to_string();
            assert!(said.contains("frame holds no picture"), "{said}");
        }
        assert!(vision.step(Stamp::default(), flat(8, 8, 0)).unwrap().is_some());
        vision.reset();
        assert!(vision.see(&flat(8, 8, 0)).is_ok());
    }

    #[test]
    fn a_store_without_networks_is_a_fault_that_says_what_to_do() {
        let empty = tempfile::tempdir().unwrap();
        let said = Holistic::open(&Store::at(empty.path()), &Options::default()).err().unwrap().to_string();
        assert!(said.contains("pose_detection.onnx is missing"), "{said}");
        // A network of which nothing is known could be damaged, and would be run.
        let store = Store::at(empty.path());
        std::fs::create_dir_all(empty.path().join("networks")).unwrap();
        std::fs::write(store.network("pose_detection"), b"anything").unwrap();
        let said = Holistic::open(&store, &Options::default()).err().unwrap().to_string();
        assert!(said.contains("no record of") && said.contains("pose_detection.onnx"), "{said}");
    }

    /// The expected landmarks were made with a lighter network: MediaPipe 0.10.21 itself lies
    /// 6.4 px from them on this photo with the network that we use, and we lie 0.6 px from it.
    #[test]
    fn every_engine_sees_the_body_that_mediapipe_sees() {
        let test = "every_engine_sees_the_body_that_mediapipe_sees";
        let Some(dir) = oracle(test) else { return };
        let text = std::fs::read_to_string(dir.join("mediapipe_expected/pose_landmarks.pbtxt")).unwrap();
        let read = |name: &str| -> Vec<f32> {
            text.lines().filter_map(|l| l.trim().strip_prefix(name)?.parse().ok()).collect()
        };
        let (x, y, seen) = (read("x: "), read("y: "), read("visibility: "));
        let photo = dir.join("tfjs/pose.jpg");
        let frame = Folder::open(&photo, DEFAULT_FPS).unwrap().next().unwrap().unwrap();
        let mut first: Option<Pose> = None;
        for backend in engine::available() {
            let Some(mut vision) = opened(test, &[backend]) else { return };
            let pose = vision.see(&frame).unwrap();
            let away = |k: usize| {
                let [px, py, _] = pose.points[k];
                (px - x[k] * frame.width as f32).hypot(py - y[k] * frame.height as f32)
            };
            let visible: Vec<f32> = (0..body::POINTS).filter(|k| seen[*k] > 0.9).map(away).collect();
            let mean = visible.iter().sum::<f32>() / visible.len() as f32;
            assert!(visible.len() > 20 && mean < 8.0, "{backend}: {mean} px over {}", visible.len());
            let first = first.get_or_insert_with(|| pose.clone());
            for (k, (a, b)) in first.points.iter().zip(&pose.points).enumerate() {
                assert!((a[0] - b[0]).hypot(a[1] - b[1]) < 0.5, "{backend}, landmark {k}: {a:?} and {b:?}");
            }
        }
    }
}
