//! The video of a clip, as Video2Pose looks at it.

use std::path::{Path, PathBuf};

use burn::tensor::{Tensor, TensorData, backend::Backend};
use image::RgbImage;
use image::imageops::{FilterType, resize};
use models::features::HAND_POINTS;
use models::pose::PoseTrack;
use models::pose::rows::{ROW_258, track_to_rows258};

use crate::Error;
use crate::data::npy::Npz;

/// The file beside an utterance's tracks: `frames` `[T, H, W, 3]`, sRGB from 0 to 255.
pub const VIDEO: &str = "video.npz";
/// Landmarks that a film tells the places of, K: MediaPipe's of the body down to the hips, and both hands'.
pub const MARKS: usize = TRUNK + 2 * HAND;
/// Landmarks of the body down to the hips, of its 33: the first [`MARKS`].
pub const TRUNK: usize = 25;
const BODY: usize = 33;
const HAND: usize = HAND_POINTS;
/// Colours of a pixel.
const COLOURS: usize = 3;
/// The largest side of a frame, in pixels.
const MAX_SIDE: usize = 2048;

/// The frames of a clip.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Film {
    /// Height and width of a frame, in pixels.
    pub side: usize,
    /// `[T, side, side, 3]`, sRGB.
    pub frames: Vec<u8>,
    /// `[T, MARKS, 3]`: where landmarks are in each frame, across and down from 0 to 1, and 1 where they are seen in it,
    /// else 0. Empty, where nobody told.
    pub marks: Vec<f32>,
}

impl Film {
    /// The frames of these numbers of a video, each brought to a square of this side.
    ///
    /// # Errors
    /// [`Error::Array`] where it is no video, or lacks such a frame.
    pub fn read(path: &Path, frames: &[usize], side: usize) -> Result<Self, Error> {
        let wrong = |why: String| Error::Array { path: path.to_owned(), why };
        let video = Npz::open(path)?.one_of(&["frames"])?;
        let &[count, height, width, COLOURS] = video.shape.as_slice() else {
            return Err(wrong(format!("its frames are {:?}, and [T, H, W, 3] is a video", video.shape)));
        };
        if height.max(width) > MAX_SIDE || height.min(width) == 0 {
            let why = format!("its frames are {width} x {height}, and 1 to {MAX_SIDE} a side are read");
            return Err(wrong(why));
        }
        if let Some(frame) = frames.iter().find(|frame| **frame >= count) {
            return Err(wrong(format!("it has {count} frames, and its tracks go on to frame {frame}")));
        }
        let size = height * width * COLOURS;
        let mut film =
            Self { side, frames: Vec::with_capacity(frames.len() * side * side * COLOURS), marks: vec![] };
        for &frame in frames {
            let pixels = video.values[frame * size..(frame + 1) * size].iter().map(|v| *v as u8).collect();
            let picture = RgbImage::from_raw(width as u32, height as u32, pixels)
                .expect("a frame has three values a pixel");
            let square = match (height, width) == (side, side) {
                true => picture,
                false => resize(&picture, side as u32, side as u32, FilterType::Triangle),
            };
            film.frames.extend(square.into_raw());
        }
        Ok(film)
    }

    /// The same film, told where the landmarks of these frames of its track are.
    #[must_use]
    pub fn marked(mut self, track: &PoseTrack, frames: &[usize]) -> Self {
        let rows = track_to_rows258(track);
        for frame in frames {
            let (body, hands) = rows[frame * ROW_258..(frame + 1) * ROW_258].split_at(BODY * 4);
            let body = body.chunks_exact(4).take(TRUNK).map(|p| ([p[0], p[1]], p[3] > 0.0));
            let hands = hands.chunks_exact(HAND * 3).flat_map(|hand| {
                // A hand that was not detected is zeros.
                let detected = hand.iter().any(|v| *v != 0.0);
                hand.chunks_exact(3).map(move |p| ([p[0], p[1]], detected))
            });
            for ([x, y], there) in body.chain(hands) {
                self.marks.extend(mark([x, y], there));
            }
        }
        self
    }

    /// Where the video of an utterance stands: beside its landmarks.
    pub fn beside(pose: &Path) -> PathBuf {
        pose.with_file_name(VIDEO)
    }

    /// Frames, T.
    pub fn len(&self) -> usize {
        self.frames.len() / self.size().max(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Values of a frame.
    pub fn size(&self) -> usize {
        self.side * self.side * COLOURS
    }

    /// As a batch of one: `[1, T, side, side, 3]`, from 0 to 1.
    pub fn batch<B: Backend>(&self, device: &B::Device) -> Tensor<B, 5> {
        tensor(&self.frames, [1, self.len(), self.side], device)
    }
}

/// A landmark as films tell it: none is seen beyond the picture's edges.
pub fn mark([x, y]: [f32; 2], there: bool) -> [f32; 3] {
    let inside = there && [x, y].iter().all(|v| (0.0..=1.0).contains(v));
    if inside { [x, y, 1.0] } else { [0.0; 3] }
}

/// Frames side by side, `[B, T, side, side, 3]`, from 0 to 1.
///
/// # Shapes
/// - `frames`: `[B, T, side, side, 3]`, sRGB from 0 to 255
pub fn tensor<B: Backend>(frames: &[u8], [b, t, side]: [usize; 3], device: &B::Device) -> Tensor<B, 5> {
    let values: Vec<f32> = frames.iter().map(|v| f32::from(*v) / 255.0).collect();
    Tensor::from_data(TensorData::new(values, [b, t, side, side, COLOURS]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::npy::{Values, write_npz};

    /// A video of frames that are all of one grey.
    fn video(shape: &[usize], name: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(VIDEO);
        let size = shape[1..].iter().product::<usize>();
        let values: Vec<u8> = (0..shape[0]).flat_map(|t| vec![t as u8 * 10; size]).collect();
        write_npz(&path, &[(name, shape, Values::U8(&values))]).unwrap();
        (folder, path)
    }

    #[test]
    fn frames_are_chosen_and_brought_to_a_square() {
        let (_folder, path) = video(&[4, 6, 8, 3], "frames");
        let film = Film::read(&path, &[3, 0, 0, 1], 4).unwrap();
        assert_eq!((film.len(), film.side), (4, 4));
        let greys: Vec<u8> = film.frames.chunks_exact(film.size()).map(|frame| frame[5]).collect();
        assert_eq!(greys, [30, 0, 0, 10]);
        let batch = film.batch::<burn::backend::Flex>(&Default::default());
        assert_eq!(batch.dims(), [1, 4, 4, 4, 3]);
        assert!((batch.max().into_scalar() - 30.0 / 255.0).abs() < 1e-6);
    }

    #[test]
    fn a_film_is_told_where_landmarks_are() {
        let mut rows = vec![0.0; 2 * ROW_258];
        // A wrist, a hip that is beyond the edge, and a knee, which is none of them.
        for (k, x, y) in [(15, 0.25, 0.5), (23, 0.5, 1.25), (25, 0.5, 0.5)] {
            rows[ROW_258 + k * 4..][..4].copy_from_slice(&[x, y, 0.0, 0.9]);
        }
        rows[ROW_258 + BODY * 4 + HAND * 3..].fill(0.75);
        let track = models::pose::rows::rows258_to_track(&rows, 10.0, [640, 480]).unwrap();
        let film = Film::default().marked(&track, &[1, 0]);
        assert_eq!(film.marks.len(), 2 * MARKS * 3);
        let seen: Vec<(usize, [f32; 2])> = film
            .marks
            .chunks_exact(3)
            .enumerate()
            .filter(|(_, mark)| mark[2] > 0.0)
            .map(|(k, mark)| (k, [mark[0], mark[1]]))
            .collect();
        let hand = (TRUNK + HAND..MARKS).map(|k| (k, [0.75; 2]));
        let expect: Vec<_> = std::iter::once((15, [0.25, 0.5])).chain(hand).collect();
        assert_eq!(seen, expect, "of the second frame, which comes first");
    }

    #[track_caller]
    fn check_refused(shape: &[usize], name: &str, frame: usize, why: &str) {
        let (_folder, path) = video(shape, name);
        let error = Film::read(&path, &[frame], 4).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains(VIDEO), "{error}");
    }

    #[test]
    fn what_is_no_video_is_refused() {
        check_refused(&[2, 4, 4, 3], "frames", 2, "it has 2 frames");
        check_refused(&[2, 4, 4, 1], "frames", 0, "[T, H, W, 3] is a video");
        check_refused(&[2, 0, 4, 3], "frames", 0, "1 to 2048 a side");
        check_refused(&[2, 4, 4, 3], "pictures", 0, "it has no frames");
    }
}
