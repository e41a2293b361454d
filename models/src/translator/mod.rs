//! The small translator between sentences and glosses, but for the engine that runs its networks.
//!
//! A sentence is brought into one form ([`text`]), cut into [`Pieces`], encoded by one network, and translated
//! piece by piece by another ([`Steps`]) under a [`search`]; [`translate`] does it all. [`TranslatorModel`] is a folder with all of it.

mod decode;
mod joint;
mod model;
mod pieces;
mod search;
mod session;
pub mod text;

pub use decode::{Decoding, Shaping, decode, found, likeliest, sampled};
pub use joint::{Heard, Joint};
pub use model::{Direction, ENCODER, STEP, Sizes, TranslatorManifest, TranslatorModel};
pub use pieces::{BEGIN, BEGINS, END, Pieces, UNKNOWN};
pub use search::{Found, Steps, search};
pub use session::{Encoded, NOT_THERE, Networks, Session, StepInput, StepOutput, log_probs, translate};
