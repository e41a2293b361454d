//! Made-up data sets, small enough to be written by a test.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use half::f16;

/// Frames of someone who waves, as rows of the width given.
pub fn rows(frames: usize, width: usize) -> Vec<f32> {
    (0..frames * width)
        .map(|i| 0.4 + 0.2 * ((i % width) as f32 * 0.7 + (i / width) as f32 * 0.1).sin())
        .collect()
}

/// Writes `NAME.f16.gz` and `NAME.tsv` into a folder and gives their stem.
///
/// # Panics
/// Where they cannot be written.
pub fn isolated(folder: &Path, name: &str, index: &str, values: &[f32]) -> PathBuf {
    let bytes: Vec<u8> = values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
    let mut gz = GzEncoder::new(vec![], Compression::fast());
    gz.write_all(&bytes).expect("memory takes all that is written");
    let frames = gz.finish().expect("memory takes all that is written");
    std::fs::write(folder.join(format!("{name}.f16.gz")), frames).expect("the folder can be written");
    std::fs::write(folder.join(format!("{name}.tsv")), index).expect("the folder can be written");
    folder.join(name)
}
