//! Letters out of a fingerspelling lexicon: one `.pose` clip each, by another signer than the data sets'.

use std::path::Path;

use models::features::Picker;
use models::lexicon::Lexicon;
use models::pose::PoseTrack;

use super::Clip;
use crate::Error;

/// How manifests name the lexicon's ASL letters.
pub const LEXICON: &str = "fingerspelling lexicon of spoken-to-signed 0.4.0, ase";

/// The clips of single letters in one sign language.
///
/// # Errors
/// Where the lexicon or one of its clips cannot be read.
pub fn letters(folder: &Path, signed_language: &str) -> Result<Vec<Clip>, Error> {
    let lexicon = Lexicon::open(folder)?;
    let mut clips = Vec::new();
    for entry in lexicon.entries(signed_language) {
        let label = entry.glosses.to_lowercase();
        if label.chars().count() == 1 {
            clips.extend(clip(label, signed_language, &lexicon.clip(entry)?));
        }
    }
    if clips.is_empty() {
        let what = format!("the lexicon {} for {signed_language}", folder.display());
        return Err(Error::NoClips { what, next: "run `cargo xtask setup` to bring the lexicon".into() });
    }
    Ok(clips)
}

/// A track as a clip; `None` where its layout has no hands.
fn clip(label: String, group: &str, track: &PoseTrack) -> Option<Clip> {
    let picker = Picker::new(&track.layout)?;
    let at_s = |i: usize| i as f64 / f64::from(track.fps);
    let sights = track.frames.iter().enumerate().map(|(i, pose)| picker.pick(at_s(i), pose)).collect();
    Some(Clip { label, group: group.to_owned(), seq: 0, sights })
}
