//! Clips as SignX reads them: up to five tracks of one length, brought to one rate.

use std::path::Path;

use burn::tensor::backend::Backend;
use models::features::HAND_POINTS;
use models::manifest::sha256;
use models::pose::PoseTrack;
use models::pose::rows::ROW_258;
use models::pose_file::read_track;
use models::signx::{about_wrist, at_rate, measure, own_rows};
use rayon::prelude::*;

use super::read::{Sources, Utterance as Tracks};
use super::track::{FRAME, Track};
use super::{Film, Frames, Preset};
use crate::Error;
use crate::data::{UTTERANCES, Utterance, utterances};
use crate::nn::numbers;

/// DWPose's shoulders, in the order of OpenPose's 18 points.
const DWPOSE_SHOULDERS: [usize; 2] = [5, 2];
/// Where the points of both hands stand in its row, behind those of the body.
const DWPOSE_HANDS: std::ops::Range<usize> = 3 * 18..3 * (18 + 2 * HAND_POINTS);
/// The number of Sapiens' last part.
const LAST_PART: f32 = 27.0;

/// A clip.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Clip {
    /// Of each track its numbers, `[T, W]`, in the order of [`Track::ALL`].
    pub tracks: [Option<Vec<f32>>; 5],
    /// `[T]`: which tracks have each frame.
    pub there: Vec<[bool; 5]>,
}

impl Clip {
    /// A clip of landmarks alone, in the signer's own measure.
    pub fn of_landmarks(track: &PoseTrack) -> Self {
        let rows = own_rows(track);
        let there = rows.chunks_exact(ROW_258).map(|row| {
            let mut there = [false; 5];
            there[Track::MediaPipe as usize] = row.iter().any(|v| *v != 0.0);
            there
        });
        let mut clip = Self { there: there.collect(), ..Self::default() };
        clip.tracks[Track::MediaPipe as usize] = Some(rows);
        clip
    }

    /// The clip of frames of one clip, with all tracks.
    pub fn of_frames<B: Backend>(frames: &Frames<B>) -> Self {
        let ([_, t, f], mut clip) = (frames.numbers.dims(), Self::default());
        let (numbers, there) = (numbers(frames.numbers.clone()), numbers(frames.there.clone()));
        assert_eq!(f, FRAME, "a frame of all tracks");
        clip.there = there.chunks_exact(5).map(|row| std::array::from_fn(|i| row[i] > 0.0)).collect();
        clip.tracks = Track::ALL.map(|track| {
            let rows = (0..t).flat_map(|row| &numbers[row * FRAME..][track.columns()]);
            Some(rows.copied().collect())
        });
        clip
    }

    /// The same with the other tracks of its recording, which has as many frames and a picture of this height by its
    /// width. DWPose's points are brought into the signer's own measure, as landmarks are, and labels of parts to 0 to 1.
    #[must_use]
    pub fn with(mut self, tracks: &Tracks, aspect: f32) -> Self {
        let there = tracks.presence();
        for track in Track::ALL.into_iter().filter(|track| *track != Track::MediaPipe) {
            let Some(frames) = tracks.track(track) else { continue };
            let mut values = frames.values.clone();
            match track {
                Track::DwPose => centre_points(&mut values, aspect),
                Track::Sapiens => values.iter_mut().for_each(|label| *label /= LAST_PART),
                Track::SmplerX | Track::MediaPipe | Track::PrimeDepth => {}
            }
            self.tracks[track as usize] = Some(values);
            let both = self.there.iter_mut().zip(&there);
            both.for_each(|(own, read)| own[track as usize] = read[track as usize]);
        }
        self
    }

    /// The same with some of the tracks of [`Track::ALL`] alone.
    #[must_use]
    pub fn only(mut self, reads: [bool; 5]) -> Self {
        let left = self.tracks.iter_mut().zip(reads).filter(|(_, read)| !read);
        left.for_each(|(track, _)| *track = None);
        self.there.iter_mut().for_each(|there| *there = std::array::from_fn(|i| there[i] && reads[i]));
        self
    }

    /// The clip at another rate: of each moment the frame nearest to it, of those as near the earlier. What lies
    /// beyond the most frames is cut off. `stamps_s` `[T]` says when each frame was taken, in seconds, rising from 0.
    #[must_use]
    pub fn at_rate(&self, stamps_s: &[f64], fps: f32, most: usize) -> Self {
        self.taken(&at_rate(stamps_s, fps, most))
    }

    /// The frames of these numbers, in this order.
    #[must_use]
    pub fn taken(&self, frames: &[usize]) -> Self {
        let taken = |track: Track| {
            let (numbers, width) = (self.tracks[track as usize].as_ref()?, track.width());
            Some(frames.iter().flat_map(|t| &numbers[t * width..(t + 1) * width]).copied().collect())
        };
        Self { tracks: Track::ALL.map(taken), there: frames.iter().map(|t| self.there[*t]).collect() }
    }

    /// All that it holds, in a word.
    pub fn fingerprint(&self) -> String {
        let numbers = self.tracks.iter().flatten().flatten().flat_map(|v| v.to_le_bytes());
        format!("{:?}{}", self.there, sha256(&numbers.collect::<Vec<u8>>()))
    }

    /// Frames, T.
    pub fn frames(&self) -> usize {
        self.there.len()
    }

    /// Puts a frame into a row of all tracks, `[1959]`, and says which tracks have it, 1 or 0, `[5]`.
    pub fn write(&self, frame: usize, numbers: &mut [f32], there: &mut [f32]) {
        for (i, track) in Track::ALL.into_iter().enumerate() {
            there[i] = f32::from(u8::from(self.there[frame][i]));
            if let Some(values) = &self.tracks[i] {
                let width = track.width();
                numbers[track.columns()].copy_from_slice(&values[frame * width..(frame + 1) * width]);
            }
        }
    }

    /// The clip as a batch of one.
    pub fn frames_of<B: Backend>(&self, device: &B::Device) -> Frames<B> {
        let t = self.frames();
        let (mut numbers, mut there) = (vec![0.0; t * FRAME], vec![0.0; t * Track::ALL.len()]);
        let rows = numbers.chunks_exact_mut(FRAME).zip(there.chunks_exact_mut(Track::ALL.len()));
        rows.enumerate().for_each(|(frame, (numbers, there))| self.write(frame, numbers, there));
        Frames::new([numbers, there], 1, &Track::WIDTHS, device)
    }
}

/// Reads a corpus of continuous signing (see [`crate::data::utterances`]) as a preset wants it. Utterances whose
/// recording shows nobody are left out.
///
/// # Errors
/// Where the list or a recording cannot be read, or an utterance has no recording.
pub fn clips(folder: &Path, preset: &Preset) -> Result<Vec<(Utterance, Clip)>, Error> {
    let all = read(folder, preset, |_, _, _| Ok(()))?;
    Ok(all.into_iter().map(|(utterance, clip, ())| (utterance, clip)).collect())
}

/// The same with the video beside each recording, at the same frames.
///
/// # Errors
/// As [`clips`]; and where a video is missing or shorter than its tracks.
pub fn films(folder: &Path, preset: &Preset) -> Result<Vec<(Utterance, Clip, Film)>, Error> {
    let side = preset.video2pose.spatial.shown();
    read(folder, preset, |pose, track, frames| {
        Ok(Film::read(&Film::beside(pose), frames, side)?.marked(track, frames))
    })
}

/// Reads all utterances, side by side, and `more` of each by the path of its landmarks, these, and the numbers of its
/// frames.
fn read<M: Send>(
    folder: &Path,
    preset: &Preset,
    more: impl Fn(&Path, &PoseTrack, &[usize]) -> Result<M, Error> + Sync,
) -> Result<Vec<(Utterance, Clip, M)>, Error> {
    let one = |(index, utterance): (usize, Utterance)| {
        let Some(pose) = &utterance.pose else {
            let why = format!("{} has no pose", utterance.id);
            return Err(Error::Utterances { path: folder.join(UTTERANCES), line: index + 1, why });
        };
        let pose = folder.join(pose);
        let track = read_track(&pose)?.with_z_in_pixels();
        let even = (0..track.frames.len()).map(|i| i as f64 / f64::from(track.fps));
        let stamps = utterance.stamps_s.clone().filter(|stamps| stamps.len() == track.frames.len());
        let stamps = stamps.unwrap_or_else(|| even.collect());
        let sources = Sources::of(folder, &utterance);
        let [width, height, _] = track.size;
        let mut clip = Clip::of_landmarks(&track);
        let others = sources.paths.iter().zip(preset.reads).filter(|(path, read)| *read && path.is_some());
        if others.count() > usize::from(preset.reads[Track::MediaPipe as usize]) {
            clip = clip.with(&sources.read()?, height as f32 / width.max(1) as f32);
        }
        let frames = at_rate(&stamps, preset.fps, preset.frames);
        let clip = clip.only(preset.reads).taken(&frames);
        if !clip.there.iter().flatten().any(|there| *there) {
            return Ok(None);
        }
        let more = more(&pose, &track, &frames)?;
        Ok(Some((utterance, clip, more)))
    };
    let each: Vec<_> = utterances(folder)?.into_par_iter().enumerate().map(one).collect();
    // Of several errors the first in the list's order, always the same.
    let found: Vec<_> = each.into_iter().filter_map(Result::transpose).collect::<Result<_, Error>>()?;
    if found.is_empty() {
        let next = "give a corpus whose recordings show somebody".into();
        return Err(Error::NoClips { what: folder.display().to_string(), next });
    }
    Ok(found)
}

/// Brings DWPose's points into the signer's own measure; their third number is a score. `aspect` is the picture's height
/// by its width. A hand whose wrist is not there has nothing that its points could be told from, and is not there.
///
/// # Shapes
/// - `rows`: `[T, 384]`
fn centre_points(rows: &mut [f32], aspect: f32) {
    let shoulders = rows.chunks_exact(Track::DwPose.width()).map(|row| {
        DWPOSE_SHOULDERS.map(|k| {
            let [x, y, score] = [0, 1, 2].map(|i| row[k * 3 + i]);
            (score > 0.0).then_some([x, y * aspect])
        })
    });
    let Some([x, y, apart]) = measure(shoulders) else { return };
    for point in rows.chunks_exact_mut(3).filter(|point| point[2] > 0.0) {
        point[0] = (point[0] - x) / apart;
        point[1] = (point[1] * aspect - y) / apart;
    }
    for row in rows.chunks_exact_mut(Track::DwPose.width()) {
        for hand in row[DWPOSE_HANDS].chunks_exact_mut(3 * HAND_POINTS) {
            if hand[2] > 0.0 {
                about_wrist(hand, 2);
                hand.chunks_exact_mut(3).filter(|point| point[2] <= 0.0).for_each(|point| point.fill(0.0));
            } else {
                hand.fill(0.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use models::pose::rows::rows258_to_track;

    use super::*;

    /// Somebody whose left hand moves, at a place and in a size of the picture.
    fn rows(frames: usize, at: [f32; 2], size: f32, aspect: f32) -> Vec<f32> {
        let mut rows = vec![0.0; frames * ROW_258];
        for (t, row) in rows.chunks_exact_mut(ROW_258).enumerate() {
            for (k, x) in [(11, 0.5), (12, -0.5)] {
                row[k * 4..k * 4 + 4].copy_from_slice(&[at[0] + x * size, at[1], 0.1 * size, 1.0]);
            }
            for (k, point) in row[132..195].chunks_exact_mut(3).enumerate() {
                point.copy_from_slice(&[
                    at[0] + (t + k) as f32 * 0.1 * size,
                    at[1] + 0.5 * size / aspect,
                    0.2 * size,
                ]);
            }
        }
        rows
    }

    /// Numbers of MediaPipe's track.
    fn numbers(clip: &Clip) -> &[f32] {
        clip.tracks[Track::MediaPipe as usize].as_deref().unwrap()
    }

    #[test]
    fn where_and_how_large_somebody_stands_does_not_matter() {
        let clip = |at, size: f32, picture: [u32; 2]| {
            let aspect = picture[1] as f32 / picture[0] as f32;
            Clip::of_landmarks(&rows258_to_track(&rows(4, at, size, aspect), 10.0, picture).unwrap())
        };
        let one = clip([0.5, 0.4], 0.2, [640, 480]);
        let hand = &numbers(&one)[3 * ROW_258 + 132..][..3];
        assert!(hand.iter().zip([0.3, 0.5, 0.2]).all(|(a, b)| (a - b).abs() < 1e-4), "{hand:?}");
        let finger = &numbers(&one)[3 * ROW_258 + 132 + 3 * 7..][..3];
        let about_wrist = [0.7, 0.0, 0.0];
        assert!(finger.iter().zip(about_wrist).all(|(a, b)| (a - b).abs() < 1e-4), "{finger:?}");
        assert!(numbers(&one)[195..258].iter().all(|v| *v == 0.0), "a hand that is not there stays away");
        let other = clip([0.3, 0.6], 0.35, [400, 800]);
        assert!(numbers(&one).iter().zip(numbers(&other)).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn dwpose_tells_fingers_from_the_wrist_that_it_saw() {
        const ASPECT: f32 = 0.75;
        let mut row = vec![0.0; Track::DwPose.width()];
        let mut put = |point: usize, place: [f32; 3]| row[3 * point..3 * point + 3].copy_from_slice(&place);
        put(DWPOSE_SHOULDERS[0], [0.6, 0.4, 0.9]);
        put(DWPOSE_SHOULDERS[1], [0.4, 0.4, 0.9]);
        let (left, right, face) = (18, 18 + HAND_POINTS, 18 + 2 * HAND_POINTS);
        put(left, [0.7, 0.6, 0.9]);
        put(left + 8, [0.72, 0.52, 0.8]);
        put(right + 8, [0.3, 0.5, 0.8]);
        put(face, [0.5, 0.2, 0.7]);
        centre_points(&mut row, ASPECT);
        let close = |point: usize, expect: [f32; 3]| {
            let found = &row[3 * point..3 * point + 3];
            assert!(found.iter().zip(expect).all(|(a, b)| (a - b).abs() < 1e-5), "{point}: {found:?}");
        };
        close(left, [1.0, 0.75, 0.9]);
        close(left + 8, [0.1, -0.3, 0.8]);
        close(left + 9, [0.0; 3]);
        close(right + 8, [0.0; 3]);
        close(face, [0.0, -0.75, 0.7]);
    }

    #[track_caller]
    fn check_rate(stamps_s: &[f64], fps: f32, most: usize, expect: &[usize]) {
        let track = rows258_to_track(&rows(10, [0.5, 0.5], 0.2, 1.0), 10.0, [100, 100]).unwrap();
        let mut clip = Clip::of_landmarks(&track);
        let width = Track::SmplerX.width();
        clip.tracks[0] = Some((0..10).flat_map(|t| vec![t as f32; width]).collect());
        clip.there[4] = [false; 5];
        let found = clip.at_rate(stamps_s, fps, most);
        let hands = numbers(&found).chunks_exact(ROW_258).map(|row| (row[132] * 10.0).round() as usize);
        assert_eq!(hands.collect::<Vec<_>>(), expect);
        let other = found.tracks[0].as_ref().unwrap().chunks_exact(width).map(|row| row[0] as usize);
        assert_eq!(other.collect::<Vec<_>>(), expect, "all tracks go together");
        assert!(found.there.iter().zip(expect).all(|(there, t)| there[2] == (*t != 4)));
    }

    #[test]
    fn a_clip_is_brought_to_one_rate() {
        let even: Vec<f64> = (0..10).map(|i| f64::from(i) * 0.1).collect();
        check_rate(&even, 5.0, 100, &[0, 2, 4, 6, 8]);
        check_rate(&even, 20.0, 4, &[0, 0, 1, 1]);
        let slow: Vec<f64> = (0..10).map(|i| f64::from(i) * 0.2).collect();
        check_rate(&slow, 5.0, 100, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        // The camera waited before its last frame.
        let mut late = even;
        late[9] = 1.25;
        check_rate(&late, 5.0, 100, &[0, 2, 4, 6, 8, 8, 9]);
        let nobody = rows258_to_track(&[0.0; 2 * ROW_258], 10.0, [100, 100]).unwrap();
        assert!(Clip::of_landmarks(&nobody).there.iter().all(|there| *there == [false; 5]));
        assert_eq!(Clip::default().at_rate(&[], 5.0, 9), Clip::default());
    }
}
