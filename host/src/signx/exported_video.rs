//! Video2Pose as a unit runs it: the two networks of [`crate::export::video2pose`], by the engine that every unit has.

use std::path::Path;

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

use super::{Film, SignXModel, Track, Video2Pose};
use crate::evaluate::Network;
use crate::nn::{Drops, numbers};
use crate::random::split_mix;
use crate::{Error, export};

/// The file of what looks at a frame.
pub const LOOK: &str = "look.onnx";
/// The file of what gives the tracks of a clip.
pub const GIVE: &str = "tracks.onnx";
/// The largest difference of a number of a track, in its deviations, that rounding explains.
const ROUNDING: f32 = 1e-3;
/// Frames that exported networks are compared over.
const COMPARED: usize = 3;

/// The exported networks, loaded.
pub struct ExportedVideo {
    look: Network,
    give: Network,
    sizes: VideoSizes,
}

/// The sizes of the exported networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoSizes {
    /// Height and width of a frame, pixels.
    pub picture: usize,
    /// Numbers that tell a frame, D and two of each point.
    pub width: usize,
    /// Frames of a clip, T.
    pub frames: usize,
    /// Numbers of a frame of the tracks that it gives, F.
    pub numbers: usize,
}

impl ExportedVideo {
    /// Loads the bytes of what looks at a frame and of what gives the tracks.
    ///
    /// # Errors
    /// [`Error::Network`] where the engine refuses one.
    pub fn new(name: &str, [look, give]: &[Vec<u8>; 2], sizes: VideoSizes) -> Result<Self, Error> {
        Ok(Self { look: Network::new(name, look)?, give: Network::new(name, give)?, sizes })
    }

    /// The tracks of a film, `[T, F]`, and which of the T frames it has, `[T]`, 1 or 0. What is longer is cut off.
    ///
    /// # Errors
    /// Where the engine fails.
    pub fn frames(&self, film: &Film) -> Result<[Vec<f32>; 2], Error> {
        let VideoSizes { picture, width, frames, numbers } = self.sizes;
        let (mut features, mut seen) = (vec![0.0; frames * width], vec![0.0; frames]);
        let shown = film.frames.chunks_exact(film.size().max(1)).zip(features.chunks_exact_mut(width));
        for ((frame, feature), seen) in shown.zip(&mut seen) {
            let values: Vec<f32> = frame.iter().map(|v| f32::from(*v) / 255.0).collect();
            let [given] = self.look.run(&[(&[picture, picture, 3], &values)], [width])?;
            feature.copy_from_slice(&given);
            *seen = 1.0;
        }
        let inputs: [(&[usize], &[f32]); 2] = [(&[frames, width], &features), (&[frames, 1], &seen)];
        let [given] = self.give.run(&inputs, [frames * numbers])?;
        Ok([given, seen])
    }
}

impl<B: Backend> SignXModel<B> {
    /// The networks that a unit reads videos by, loaded; none, where no Video2Pose was trained for this model.
    ///
    /// # Errors
    /// [`Error::Network`] where the engine refuses one.
    pub fn exported_video(&self) -> Result<Option<ExportedVideo>, Error> {
        let open = |video| {
            ExportedVideo::new(&self.manifest.name, &self.video_networks(video), self.video_sizes(video))
        };
        self.video.as_ref().map(open).transpose()
    }

    /// Writes `look.onnx` and `tracks.onnx` into a folder, and gives the largest difference of a number to what the
    /// network gives of some made-up frames, in the number's deviations. `None` where the model reads no videos.
    ///
    /// # Errors
    /// [`Error::Export`] where they differ by more than rounding, and others where a file cannot be written.
    pub fn export_video(&self, out: &Path) -> Result<Option<f32>, Error> {
        let Some(video) = &self.video else { return Ok(None) };
        let networks = self.video_networks(video);
        let far = self.video_apart(video, &networks)?;
        if far.is_nan() || far > ROUNDING {
            return Err(Error::Export { found: far, limit: ROUNDING });
        }
        std::fs::create_dir_all(out).map_err(Error::io("make the folder", out))?;
        for (name, bytes) in [LOOK, GIVE].into_iter().zip(&networks) {
            let path = out.join(name);
            models::whole::write(&path, bytes).map_err(Error::io("write", &path))?;
        }
        Ok(Some(far))
    }

    fn video_networks(&self, video: &Video2Pose<B>) -> [Vec<u8>; 2] {
        let tracks: Vec<usize> = self.tracks().into_iter().map(|track| track as usize).collect();
        export::video2pose(&self.manifest.name, video, &tracks, self.preset.frames)
    }

    fn video_sizes(&self, video: &Video2Pose<B>) -> VideoSizes {
        VideoSizes {
            picture: video.spatial.shown(),
            width: video.width(),
            frames: self.preset.frames,
            numbers: self.tracks().into_iter().map(Track::width).sum(),
        }
    }

    fn video_apart(&self, video: &Video2Pose<B>, networks: &[Vec<u8>; 2]) -> Result<f32, Error> {
        let sizes = self.video_sizes(video);
        let exported = ExportedVideo::new(&self.manifest.name, networks, sizes)?;
        let (mut state, side) = (1, sizes.picture);
        let pixels = (0..COMPARED * side * side * 3).map(|_| (split_mix(&mut state) >> 56) as u8);
        let film = Film { side, frames: pixels.collect(), marks: vec![] };
        let [theirs, seen] = exported.frames(&film)?;
        let device = video.spatial.device();
        let frames = film.batch(&device);
        let standardised = |tracks: Vec<Tensor<B, 2>>| -> Vec<f32> {
            let read = self.tracks().into_iter().map(|track| tracks[track as usize].clone());
            numbers(Tensor::cat(read.collect(), 1))
        };
        let there = Tensor::ones([1, COMPARED], &device);
        let ours = standardised(video.standardised(frames, &there, &mut Drops::none()));
        let theirs = TensorData::new(theirs[..COMPARED * sizes.numbers].to_vec(), [COMPARED, sizes.numbers]);
        let theirs = Tensor::<B, 2>::from_data(theirs, &device);
        let mut start = 0;
        let theirs = self.tracks().into_iter().map(|track| {
            start += track.width();
            let given = theirs.clone().narrow(1, start - track.width(), track.width());
            video.projections[track as usize].standard.of(given)
        });
        let theirs = numbers(Tensor::cat(theirs.collect(), 1));
        let far = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs());
        let right = seen.iter().sum::<f32>() == COMPARED as f32;
        Ok(far.fold(if right { 0.0 } else { f32::NAN }, |a, b| {
            if b.is_nan() || a.is_nan() { f32::NAN } else { a.max(b) }
        }))
    }
}
