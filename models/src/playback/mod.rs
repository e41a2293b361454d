//! Playing recorded signs: clips of any signer are brought to one standard signer and joined into one course.
//!
//! A clip becomes [`Frame`]s of the standard signer ([`normalise`]), is brought to the pace of a sentence
//! ([`timed`]) and made smaller ([`reduce`]), joined to its neighbours ([`stitch`]), freed of jitter and given
//! bones of constant lengths ([`Style::settle`]), and shows what the face says ([`express`]). The unit signs texts
//! with it, and synthesis makes training data with it, so that both move from sign to sign in the same way.

mod body;
mod bones;
mod clear;
mod face;
mod hand;
mod reduce;
mod smooth;
mod stitch;
mod style;
mod timing;
mod weak;

pub use body::{Frame, HEAD_POINTS, Hand, Point, Writer, normalise, to_track};
pub use face::{Expression, express};
pub use hand::{PARENTS, relaxed_hand};
pub use reduce::{Reduction, reduce};
pub use smooth::smooth;
pub use stitch::{Joins, Stitched, Unit, Way, blend, stitch};
pub use style::Style;
pub use timing::{Limits, timed};
