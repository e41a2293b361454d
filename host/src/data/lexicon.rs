//! Letters out of a fingerspelling lexicon: one `.pose` clip each, by another signer than the data sets'.

use std::path::Path;

use models::features::Picker;
use models::lexicon::Lexicon;
use models::pose_file;

use super::Clip;
use crate::Error;

/// The clips of single letters in one sign language.
///
/// # Errors
/// Where the lexicon or one of its clips cannot be read.
pub fn letters(folder: &Path, signed_language: &str) -> Result<Vec<Clip>, Error> {
    todo!()
}
