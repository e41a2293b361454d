//! A signer of our own in three dimensions: skeleton, mesh, fit to recorded landmarks, and pictures of it.
//!
//! The skeleton has the joints of SMPL-X, so that its angles are what SMPLer-X gives; the mesh is made here and
//! belongs to this project. Coordinates are metres: x to the signer's left, y up, z to the front. A signer who
//! stands before the camera looks along z.

mod figure;
pub mod fit;
pub mod landmark;
pub mod mesh;
pub mod part;
pub mod person;
pub mod pose;
pub mod render;
pub mod rotation;
pub mod skeleton;
pub mod smplx;

pub use figure::figure;
