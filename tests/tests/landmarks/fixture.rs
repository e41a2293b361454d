//! What the Python package `mediapipe` 0.10.21 saw in a file.
//!
//! The fixtures, and the script that made them and says what they hold, lie in `parity/mediapipe`.

use std::path::{Path, PathBuf};

use edge::camera::Frame;
use flate2::read::GzDecoder;
use models::store::Store;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::compare::{HandBox, hand_box};
use crate::ours::{Body, Hand, Person, Place, Side, Space};

/// What the package's two solutions saw in one frame.
#[derive(Debug, Deserialize)]
pub struct Seen {
    /// Hands without a body.
    #[serde(deserialize_with = "hands")]
    pub hands: Vec<Hand>,
    /// Body, face and hands; not for close-ups.
    #[serde(default, deserialize_with = "person")]
    pub holistic: Option<Person>,
}

/// Which picture it saw.
#[derive(Debug, Deserialize)]
pub struct Picture {
    /// The video or photo, from the folder of real data.
    pub file: PathBuf,
    size: [u32; 2],
    /// The mean of all values, of a video's first frame.
    mean: f32,
}

impl Picture {
    /// We must have looked at the same picture, decoders apart.
    #[track_caller]
    pub fn check(&self, frame: &Frame) {
        let mean = frame.rgb.iter().map(|v| f64::from(*v)).sum::<f64>() / frame.rgb.len() as f64;
        assert_eq!([frame.width, frame.height], self.size, "{}", self.file.display());
        assert!((mean as f32 - self.mean).abs() < 0.2, "{}: {mean} and {}", self.file.display(), self.mean);
    }
}

/// What it saw in a video.
#[derive(Debug, Deserialize)]
pub struct Clip {
    #[serde(flatten)]
    pub picture: Picture,
    pub frames: Vec<Seen>,
}

/// What it saw in a photo.
#[derive(Debug, Deserialize)]
pub struct Photo {
    #[serde(flatten)]
    pub picture: Picture,
    #[serde(flatten)]
    pub seen: InPhoto,
}

/// What it saw in a photo: of some no more than boxes may be kept.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum InPhoto {
    Whole {
        #[serde(flatten)]
        seen: Seen,
        /// The face alone, where the other solutions saw none.
        #[serde(default, deserialize_with = "maybe_places")]
        face_mesh: Option<Vec<Place>>,
    },
    /// Middle and longer side of the box around each hand, in pixels.
    Boxes { boxes: Vec<[f32; 3]>, holistic_boxes: Vec<[f32; 3]> },
}

impl Photo {
    /// The boxes of the hands that `Hands` saw, and that `Holistic` saw.
    pub fn boxes(&self) -> [Vec<HandBox>; 2] {
        let around = |hands: &[Hand]| hands.iter().map(|h| hand_box(&h.points)).collect();
        let kept = |boxes: &[[f32; 3]]| {
            boxes.iter().map(|[x, y, size]| HandBox { middle: [*x, *y], size: *size }).collect()
        };
        match &self.seen {
            InPhoto::Whole { seen, .. } => {
                [around(&seen.hands), seen.holistic.as_ref().map_or_else(Vec::new, |p| around(&p.hands))]
            }
            InPhoto::Boxes { boxes, holistic_boxes } => [kept(boxes), kept(holistic_boxes)],
        }
    }
}

#[derive(Deserialize)]
struct Photos {
    photos: Vec<Photo>,
}

/// A hand as it is kept: whole numbers.
#[derive(Deserialize)]
struct KeptHand {
    side: Side,
    points: Vec<i32>,
    /// `Holistic` does not give it.
    world: Option<Vec<i32>>,
}

#[derive(Deserialize)]
struct KeptBody {
    points: Vec<i32>,
    visibility: Vec<i32>,
    world: Vec<i32>,
}

#[derive(Deserialize)]
struct KeptPerson {
    hands: Vec<KeptHand>,
    body: Option<KeptBody>,
    face: Option<Vec<i32>>,
}

/// From hundredths of a pixel.
fn places(kept: &[i32]) -> Vec<Place> {
    kept.as_chunks().0.iter().map(|p: &[i32; 2]| p.map(|v| v as f32 / 100.0)).collect()
}

/// From hundredths of a millimetre.
fn metres(kept: &[i32]) -> Vec<Space> {
    kept.as_chunks().0.iter().map(|p: &[i32; 3]| p.map(|v| v as f32 / 100_000.0)).collect()
}

impl From<KeptHand> for Hand {
    fn from(kept: KeptHand) -> Self {
        let world = kept.world.as_deref().map(metres);
        Self { side: kept.side, points: places(&kept.points), world }
    }
}

impl From<KeptBody> for Body {
    fn from(kept: KeptBody) -> Self {
        Self {
            points: places(&kept.points),
            visibility: kept.visibility.iter().map(|v| *v as f32 / 100.0).collect(),
            world: metres(&kept.world),
        }
    }
}

fn hands<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Hand>, D::Error> {
    Ok(Vec::<KeptHand>::deserialize(from)?.into_iter().map(Hand::from).collect())
}

fn person<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Person>, D::Error> {
    let kept = KeptPerson::deserialize(from)?;
    Ok(Some(Person {
        hands: kept.hands.into_iter().map(Hand::from).collect(),
        body: kept.body.map(Body::from),
        face: kept.face.map(|face| places(&face)),
    }))
}

fn maybe_places<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Place>>, D::Error> {
    Ok(Some(places(&Vec::<i32>::deserialize(from)?)))
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_reader(std::io::BufReader::new(GzDecoder::new(file))).unwrap()
}

fn committed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("parity/mediapipe/{name}.json.gz"))
}

/// What the package saw in a video whose results may be committed.
pub fn clip(name: &str) -> Clip {
    read(&committed(name))
}

/// What it saw in the photos.
pub fn photos() -> Vec<Photo> {
    read::<Photos>(&committed("photos")).photos
}

/// What it saw in a video that is for research only: from `$SIGNPOST_PARITY`, or `parity` in the store's folder.
///
/// Where it is absent this says that the test skips, and how to make it.
pub fn research_clip(test: &str, name: &str) -> Option<Clip> {
    let dir = std::env::var_os("SIGNPOST_PARITY")
        .map(PathBuf::from)
        .or_else(|| Some(Store::locate()?.root().join("parity")))?;
    let path = dir.join(format!("{name}.json.gz"));
    if path.is_file() {
        return Some(read(&path));
    }
    let how = "make it with tests/parity/mediapipe/make.py --out FOLDER and name FOLDER in SIGNPOST_PARITY";
    tests::skip(test, format_args!("no {}; {how}", path.display()));
    None
}
