//! Makes the lexicon that a unit opens: one file, of each sign its best recording, repaired and brought to one signer
//! and one rate; and pages of pictures to look through it.

mod build;
mod import;
mod page;
mod repair;
mod warp;

pub use build::{BuildOptions, BuildReport, Refused, build};
pub use import::{About, ImportOptions, ImportReport, Row, Sequence, import, read_h5, read_json};
pub use page::show;
