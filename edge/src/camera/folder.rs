//! A folder of pictures, read in the order of their names; or one picture.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

use super::{Camera, Frame, MAX_PIXELS, check_size};
use crate::Fault;
use crate::stage::Stamp;

/// The rate of a folder of pictures: they bear no time, and most signing is recorded at this.
pub const DEFAULT_FPS: f32 = 25.0;

/// Pictures as a clip.
pub struct Folder {
    pictures: Vec<PathBuf>,
    fps: f32,
    size: [u32; 2],
    index: usize,
}

impl Folder {
    /// Opens a folder, or one picture; all must have the size of the first.
    ///
    /// # Errors
    /// [`Fault::NoPictures`] where there is none, [`Fault::Picture`] where the first cannot be read.
    pub fn open(path: &Path, fps: f32) -> Result<Self, Fault> {
        let pictures = list(path)?;
        let first = pictures.first().ok_or_else(|| Fault::NoPictures { path: path.into() })?;
        let first = load(first)?;
        Ok(Self { size: [first.width(), first.height()], pictures, fps, index: 0 })
    }

    /// Leaves the next pictures out: the one after them is the first.
    pub fn pass_over(&mut self, pictures: u64) {
        let known = self.pictures.len();
        self.pictures.drain(..usize::try_from(pictures).map_or(known, |n| n.min(known)));
    }
}

impl Camera for Folder {
    fn next(&mut self) -> Result<Option<Frame>, Fault> {
        let Some(path) = self.pictures.get(self.index) else { return Ok(None) };
        let at = Stamp::of_frame(self.index as u64, self.fps);
        self.index += 1;
        let picture = load(path)?;
        let size = [picture.width(), picture.height()];
        if size != self.size {
            let said =
                format!("{}×{} px after pictures of {}×{}", size[0], size[1], self.size[0], self.size[1]);
            return Err(Fault::Picture { from: path.display().to_string(), said });
        }
        Frame::new(at, size[0], size[1], picture.into_rgb8().into_raw()).map(Some)
    }

    fn fps(&self) -> f32 {
        self.fps
    }

    fn size(&self) -> [u32; 2] {
        self.size
    }

    fn frames(&self) -> Option<u64> {
        Some(self.pictures.len() as u64)
    }
}

/// True for the names of pictures that can be read.
pub fn is_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    ["jpg", "jpeg", "png"].contains(&ending.as_str())
}

fn list(path: &Path) -> Result<Vec<PathBuf>, Fault> {
    if !path.is_dir() {
        return Ok(vec![path.into()]);
    }
    let fault = |source| Fault::file(path, source);
    let mut pictures = Vec::new();
    for entry in std::fs::read_dir(path).map_err(fault)? {
        let file = entry.map_err(fault)?.path();
        if is_picture(&file) && file.is_file() {
            pictures.push(file);
        }
    }
    pictures.sort();
    Ok(pictures)
}

/// Decodes a picture and turns it upright, as its camera noted.
fn load(path: &Path) -> Result<DynamicImage, Fault> {
    let fault = |said: String| Fault::Picture { from: path.display().to_string(), said };
    let file = File::open(path).map_err(|source| Fault::file(path, source))?;
    let mut reader = ImageReader::new(BufReader::new(file));
    reader = reader.with_guessed_format().map_err(|e| fault(e.to_string()))?;
    let mut limits = Limits::default();
    // Eight bytes a pixel hold the widest that a picture may come in.
    limits.max_alloc = Some(MAX_PIXELS * 8);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|e| fault(e.to_string()))?;
    let (width, height) = decoder.dimensions();
    check_size(&path.display().to_string(), width, height)?;
    let orientation = decoder.orientation().map_err(|e| fault(e.to_string()))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| fault(e.to_string()))?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;

    fn save(dir: &Path, name: &str, shade: u8, side: u32) {
        RgbImage::from_pixel(side, side, Rgb([shade; 3])).save(dir.join(name)).unwrap();
    }

    #[test]
    fn pictures_come_by_name_and_other_files_do_not() {
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), "b.png", 20, 4);
        save(dir.path(), "a.PNG", 10, 4);
        std::fs::write(dir.path().join("notes.txt"), "no picture").unwrap();
        let mut folder = Folder::open(dir.path(), 10.0).unwrap();
        assert_eq!((folder.size(), folder.frames()), ([4, 4], Some(2)));
        assert_eq!(folder.next().unwrap().unwrap().rgb[0], 10);
        let second = folder.next().unwrap().unwrap();
        assert_eq!((second.rgb[0], second.at), (20, Stamp::from_micros(100_000)));
        assert!(folder.next().unwrap().is_none());
    }

    #[test]
    fn a_part_begins_with_its_first_picture() {
        let dir = tempfile::tempdir().unwrap();
        for shade in 0..4 {
            save(dir.path(), &format!("{shade}.png"), shade, 4);
        }
        let mut folder = Folder::open(dir.path(), 10.0).unwrap();
        folder.pass_over(3);
        assert_eq!(folder.frames(), Some(1));
        let frame = folder.next().unwrap().unwrap();
        assert_eq!((frame.rgb[0], frame.at), (3, Stamp::default()));
        folder.pass_over(u64::MAX);
        assert!(folder.next().unwrap().is_none());
    }

    #[test]
    fn one_picture_is_a_clip_of_one_frame() {
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), "one.jpg", 90, 8);
        let mut one = Folder::open(&dir.path().join("one.jpg"), DEFAULT_FPS).unwrap();
        assert_eq!(one.frames(), Some(1));
        assert!(one.next().unwrap().is_some() && one.next().unwrap().is_none());
    }

    #[test]
    fn empty_folders_damaged_and_uneven_pictures_are_faults() {
        let dir = tempfile::tempdir().unwrap();
        let said = Folder::open(dir.path(), 25.0).err().unwrap().to_string();
        assert!(said.contains("no picture"), "{said}");
        save(dir.path(), "a.png", 0, 4);
        save(dir.path(), "b.png", 0, 5);
        std::fs::write(dir.path().join("c.png"), [0x89, b'P', b'N', b'G']).unwrap();
        let mut folder = Folder::open(dir.path(), 25.0).unwrap();
        assert!(folder.next().is_ok());
        assert!(folder.next().unwrap_err().to_string().contains("b.png"));
        assert!(folder.next().unwrap_err().to_string().contains("c.png"));
        assert!(folder.next().unwrap().is_none());
    }
}
