//! Frames as PNG pictures in a folder.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ExtendedColorType, ImageEncoder, codecs::png};

use super::{Present, write_whole};
use crate::Fault;
use crate::screen::Canvas;

/// Writes `00000.png`, `00001.png` … into a folder.
#[derive(Debug)]
pub struct Pictures {
    folder: PathBuf,
    next: usize,
}

impl Pictures {
    /// Makes the folder where it is missing.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(folder: &Path) -> Result<Self, Fault> {
        std::fs::create_dir_all(folder).map_err(|source| Fault::file(folder, source))?;
        Ok(Self { folder: folder.to_owned(), next: 0 })
    }
}

impl Present for Pictures {
    fn show(&mut self, canvas: &Canvas) -> Result<(), Fault> {
        write_png(&self.folder.join(format!("{:05}.png", self.next)), canvas)?;
        self.next += 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), Fault> {
        Ok(())
    }
}

/// Writes one picture, whole or not at all; with an alpha channel where something of it is transparent.
///
/// # Errors
/// The file cannot be written.
pub fn write_png(path: &Path, canvas: &Canvas) -> Result<(), Fault> {
    let bytes = encoded(canvas).map_err(|error| Fault::file(path, std::io::Error::other(error)))?;
    write_whole(path, &bytes)
}

/// One picture as the bytes of a PNG.
///
/// # Errors
/// [`Fault::Picture`] where it cannot be written so.
pub fn png(canvas: &Canvas) -> Result<Vec<u8>, Fault> {
    encoded(canvas).map_err(|error| Fault::Picture { from: "the screen".into(), said: error.to_string() })
}

fn encoded(canvas: &Canvas) -> image::ImageResult<Vec<u8>> {
    let opaque = canvas.rgba().chunks_exact(4).all(|p| p[3] == 255);
    let (pixels, color): (Vec<u8>, _) = if opaque {
        (canvas.rgb(), ExtendedColorType::Rgb8)
    } else {
        // A canvas holds colours times alpha; a PNG has them apart.
        let apart = |p: &[u8]| [0, 1, 2, 3].map(|i| if i == 3 { p[3] } else { divided(p[i], p[3]) });
        (canvas.rgba().chunks_exact(4).flat_map(apart).collect(), ExtendedColorType::Rgba8)
    };
    let mut bytes = Cursor::new(Vec::new());
    let encoder =
        png::PngEncoder::new_with_quality(&mut bytes, png::CompressionType::Fast, png::FilterType::Adaptive);
    encoder.write_image(&pixels, canvas.width(), canvas.height(), color)?;
    Ok(bytes.into_inner())
}

/// A colour without the alpha that it was multiplied by.
fn divided(color: u8, alpha: u8) -> u8 {
    let whole = u32::from(color) * 255 + u32::from(alpha) / 2;
    whole.checked_div(u32::from(alpha)).map_or(0, |c| c.min(255) as u8)
}
