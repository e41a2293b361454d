//! What we see in a clip or a photo.

use std::ops::Range;
use std::path::Path;

use edge::camera::{Camera, DEFAULT_FPS, Folder, Frame, Video};
use edge::stage::{Stage, Stamp};
use edge::vision::{Holistic, Options, Smoothing};
use models::pose::Pose;
use serde::Deserialize;

/// Where body, face and hands are in the holistic layout, and the body in metres.
const BODY: Range<usize> = 0..33;
const FACE: Range<usize> = 33..501;
const HANDS: [(Side, Range<usize>); 2] = [(Side::Left, 501..522), (Side::Right, 522..543)];
const BODY_WORLD: Range<usize> = 543..576;

/// A place in pixels.
pub type Place = [f32; 2];
/// A place in metres.
pub type Space = [f32; 3];

/// The person's own left or right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Left,
    Right,
}

/// A hand in one frame.
#[derive(Debug, Clone)]
pub struct Hand {
    pub side: Side,
    /// `[21]`
    pub points: Vec<Place>,
    /// The same points in metres from the middle of the hand, where they are known.
    pub world: Option<Vec<Space>>,
}

/// A body in one frame.
#[derive(Debug, Clone)]
pub struct Body {
    /// `[33]`
    pub points: Vec<Place>,
    /// How likely each is to be seen, 0 to 1.
    pub visibility: Vec<f32>,
    /// The same points in metres from the middle of the hips.
    pub world: Vec<Space>,
}

/// One person in one frame.
#[derive(Debug, Clone, Default)]
pub struct Person {
    pub hands: Vec<Hand>,
    pub body: Option<Body>,
    /// `[468]`
    pub face: Option<Vec<Place>>,
}

impl Person {
    fn of(pose: &Pose, seen_hands: [Option<&edge::vision::Hand>; 2]) -> Self {
        let seen = |points: &Range<usize>| pose.confidence[points.start] > 0.0;
        let flat = |points: Range<usize>| -> Vec<Place> {
            pose.points[points].iter().map(|p| [p[0], p[1]]).collect()
        };
        let hands = HANDS.into_iter().zip(seen_hands).filter_map(|((side, points), hand)| {
            assert_eq!(seen(&points), hand.is_some(), "the pose has what the accessor has");
            Some(Hand { side, points: flat(points), world: Some(hand?.world.to_vec()) })
        });
        Self {
            hands: hands.collect(),
            body: seen(&BODY).then(|| Body {
                points: flat(BODY),
                visibility: pose.confidence[BODY].to_vec(),
                world: pose.points[BODY_WORLD].to_vec(),
            }),
            face: seen(&FACE).then(|| flat(FACE)),
        }
    }
}

/// Which stamps our program is fed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamps {
    /// The video's own.
    True,
    /// Those of 30 frames a second, whatever the video: MediaPipe's Python package believes in them.
    Believed,
}

/// The package smooths bodies and nothing else.
fn as_the_package() -> Options {
    Options { smooth: Smoothing::Body, ..Options::default() }
}

/// Our program.
pub struct Ours(Holistic);

impl Ours {
    /// Loads it; where the store is not filled this says that the test skips.
    pub fn open(test: &str) -> Option<Self> {
        Some(Self(Holistic::open(&tests::store(test)?, &as_the_package()).unwrap()))
    }

    /// The person in every frame of a video, and the first frame.
    pub fn in_clip(&mut self, path: &Path, stamps: Stamps) -> (Vec<Person>, Frame) {
        let mut video = Video::open(path).unwrap();
        let (mut persons, mut first) = (Vec::new(), None);
        self.0.reset();
        while let Some(mut frame) = video.next().unwrap() {
            if stamps == Stamps::Believed {
                frame.at = Stamp::from_micros(33_333 * persons.len() as u64);
            }
            let pose = self.0.see(&frame).unwrap();
            persons.push(Person::of(&pose, self.0.hands()));
            first.get_or_insert(frame);
        }
        assert_eq!(Some(persons.len() as u64), video.frames(), "every frame gives a pose");
        (persons, first.expect("a clip has frames"))
    }

    /// The person in a photo, and the photo.
    pub fn in_photo(&mut self, path: &Path) -> (Person, Frame) {
        let photo = Folder::open(path, DEFAULT_FPS).unwrap().next().unwrap().expect("one picture");
        self.0.reset();
        let pose = self.0.see(&photo).unwrap();
        (Person::of(&pose, self.0.hands()), photo)
    }
}
