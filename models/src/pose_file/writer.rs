//! Writing frame by frame: a track of any length, in little memory.
//!
//! Version 0.2 holds all coordinates before all confidences, and says in front
//! how many frames there are. So the confidences wait in a file of their own,
//! and the count is put right at the end.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::write::{COUNT_BEFORE_END, Encoder, head};
use crate::error::Error;
use crate::pose::{Layout, Pose};

/// A `.pose` file of one signer in the making, version 0.2.
///
/// The bytes go to a file beside the path, so that a full disk or a pulled plug leaves what stood at the
/// path before. Without [`TrackWriter::finish`] nothing of them is kept.
pub struct TrackWriter {
    path: PathBuf,
    encoder: Encoder,
    frames: usize,
    /// Where the number of frames stands, in bytes from the start.
    count_at: u64,
    points: BufWriter<File>,
    confidences: BufWriter<File>,
    /// The bytes of one frame; its memory is used again for the next.
    block: Vec<u8>,
    beside: Beside,
}

impl TrackWriter {
    /// Starts a file of no frames.
    ///
    /// # Errors
    /// A count or a name of the layout does not fit the format, or the system refuses.
    pub fn create(path: impl AsRef<Path>, layout: &Layout, fps: f32, size: [u32; 3]) -> Result<Self, Error> {
        let path = path.as_ref();
        let encoder = Encoder::new(layout)?;
        let head = head(layout, size, fps, 0, 1)?;
        let (beside, points) = Beside::create(path, "part").map_err(Error::io("write", path))?;
        let (waiting, confidences) =
            Beside::create(path, "confidence.part").map_err(Error::io("write", path))?;
        // Without a name it is gone as soon as this program is, however that ends.
        drop(waiting);
        let mut writer = Self {
            path: path.to_owned(),
            encoder,
            frames: 0,
            count_at: head.len() as u64 - COUNT_BEFORE_END,
            points: BufWriter::new(points),
            confidences: BufWriter::new(confidences),
            block: Vec::new(),
            beside,
        };
        writer.points.write_all(&head).map_err(Error::io("write", path))?;
        Ok(writer)
    }

    /// Adds the pose of the next frame.
    ///
    /// # Errors
    /// The pose does not fit the layout, the format cannot count so many, or the system refuses.
    pub fn push(&mut self, pose: &Pose) -> Result<(), Error> {
        self.encoder.check(self.frames, pose)?;
        Encoder::count(self.frames + 1)?;
        self.block.clear();
        self.encoder.points(&mut self.block, pose);
        self.points.write_all(&self.block).map_err(Error::io("write", &self.path))?;
        self.block.clear();
        self.encoder.confidences(&mut self.block, pose);
        self.confidences.write_all(&self.block).map_err(Error::io("write", &self.path))?;
        self.frames += 1;
        Ok(())
    }

    /// How many frames were added.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Completes the file and puts it at its path.
    ///
    /// # Errors
    /// The system refuses; what stood at the path before is kept.
    pub fn finish(mut self) -> Result<(), Error> {
        let count = Encoder::count(self.frames)?;
        self.complete(count).map_err(Error::io("write", &self.path))
    }

    fn complete(&mut self, count: u32) -> io::Result<()> {
        self.points.flush()?;
        self.confidences.flush()?;
        let (points, confidences) = (self.points.get_mut(), self.confidences.get_mut());
        confidences.rewind()?;
        io::copy(confidences, points)?;
        points.seek(SeekFrom::Start(self.count_at))?;
        points.write_all(&count.to_le_bytes())?;
        points.sync_all()?;
        self.beside.become_file(&self.path)
    }
}

/// A file in the making, removed where it does not become one.
struct Beside(Option<PathBuf>);

impl Beside {
    /// Makes it in the same folder, under a name that no other program of this kind uses now.
    fn create(path: &Path, ending: &str) -> io::Result<(Self, File)> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = path.with_file_name(format!(".{name}.{}.{ending}", std::process::id()));
        // The confidences are written, and then read.
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&beside)?;
        Ok((Self(Some(beside)), file))
    }

    fn become_file(&mut self, path: &Path) -> io::Result<()> {
        if let Some(beside) = &self.0 {
            fs::rename(beside, path)?;
        }
        self.0 = None;
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(beside) = &self.0 {
            // What failed before is the error to tell.
            let _ = fs::remove_file(beside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pose::{Known, PoseTrack};
    use crate::pose_file::write_track;

    fn pose(t: usize) -> Pose {
        let value = |k: usize| (t * 1000 + k) as f32;
        Pose {
            points: (0..42).map(|k| [value(k), -value(k), 0.5]).collect(),
            confidence: (0..42).map(|k| (k % 3) as f32 / 2.0).collect(),
        }
    }

    #[track_caller]
    fn check(frames: usize) {
        let mut track = PoseTrack::new(Known::Hands42.layout(), 25.0, [640, 480, 0]);
        track.frames = (0..frames).map(pose).collect();
        let mut whole = Vec::new();
        write_track(&track, &mut whole).unwrap();

        let folder = folder(&format!("{frames}"));
        let path = folder.join("a.pose");
        let mut writer = TrackWriter::create(&path, &track.layout, track.fps, track.size).unwrap();
        track.frames.iter().for_each(|pose| writer.push(pose).unwrap());
        assert_eq!(writer.frames(), frames);
        assert!(!path.exists(), "nothing stands there before the end");
        writer.finish().unwrap();
        assert!(fs::read(&path).unwrap() == whole, "{frames} frames");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
        fs::remove_dir_all(folder).unwrap();
    }

    fn folder(case: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("signpost-writer-{}-{case}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn frame_by_frame_is_the_same_as_all_at_once() {
        check(0);
        check(1);
        check(300);
    }

    #[test]
    fn what_is_not_finished_leaves_the_old_file() {
        let folder = folder("old");
        let path = folder.join("a.pose");
        fs::write(&path, "old").unwrap();
        let layout = Known::Hands42.layout();
        let mut writer = TrackWriter::create(&path, &layout, 25.0, [640, 480, 0]).unwrap();
        writer.push(&pose(0)).unwrap();
        let said = writer.push(&Pose::unseen(41)).unwrap_err().to_string();
        assert!(said.contains("does not fit its layout, number is 1"), "{said}");
        drop(writer);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
        fs::remove_dir_all(folder).unwrap();
    }
}
