//! Made-up data sets, small enough to be written by a test.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use half::f16;
use models::playback::{Frame, relaxed_hand, to_track};
use models::pose::PoseTrack;

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

/// A clip as dictionaries have it: the right hand goes up, holds, and goes down, at 25 frames a second.
pub fn hand_up() -> PoseTrack {
    let frames: Vec<Frame> = (0..50)
        .map(|t| {
            let raised = (t as f32 / 10.0).min((49 - t) as f32 / 10.0).min(1.0);
            let mut frame = Frame::rest();
            let hand = relaxed_hand(1);
            let up = [-0.4 - hand[0][0], -0.3 - hand[0][1], -0.2 - hand[0][2]].map(|way| way * raised);
            let moved = hand.map(|p| [p[0] + up[0], p[1] + up[1], p[2] + up[2]]);
            (frame.wrists[1], frame.hands[1]) = (moved[0], Some(moved));
            frame
        })
        .collect();
    to_track(&frames, 25.0)
}
