//! SignX: a recogniser that fuses five pose tracks of the same signer (Fang et
//! al., "SignX: The Foundation Model for Sign Recognition").
//!
//! Each block of the paper has a file of its own, named as there; equations
//! carry the paper's numbers. What the paper leaves open is said where it was
//! decided.
//!
//! Legend: B clips, T frames, K tracks, F numbers of a frame, D width, Z width
//! of the latent, H heads, U tokens, V tokens that the codebook knows.

pub mod clip;
pub mod closer;
pub mod codebook;
pub mod convolve;
pub mod decode;
pub mod encode;
mod exported;
mod exported_video;
pub mod film;
pub mod find;
pub mod fuse;
pub mod loss;
pub mod model;
pub mod noise;
pub mod padmatch;
pub mod pose2gloss;
pub mod preset;
pub mod read;
pub mod rendered;
pub mod sampler;
pub mod schedule;
pub mod spatial;
pub mod track;
pub mod unit;
pub mod video2pose;

pub use clip::Clip;
pub use closer::{Closer, CloserConfig};
pub use codebook::{CodeBook, Past};
pub use encode::Encode;
pub use exported::Exported;
pub use exported_video::{ExportedVideo, VideoSizes};
pub use film::Film;
pub use find::Find;
pub use fuse::Fuse;
pub use model::{SignXManifest, SignXModel};
pub use noise::Noise;
pub use padmatch::PadMatch;
pub use pose2gloss::{Frames, Pose2Gloss, Pose2GlossConfig};
pub use preset::Preset;
pub use sampler::{Diffusion, Move};
pub use schedule::AlphaBar;
pub use spatial::{ShrinkConfig, Spatial, SpatialConfig};
pub use track::Track;
pub use video2pose::{Video2Gloss, Video2Pose, Video2PoseConfig};

/// The sizes of a transformer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Width, D.
    pub width: usize,
    /// Heads, H; D is a multiple.
    pub heads: usize,
    /// Width within a feed-forward layer.
    pub inner: usize,
    /// Layers.
    pub layers: usize,
}

impl Size {
    /// What a layer is made of.
    fn layer(self) -> [usize; 3] {
        [self.width, self.heads, self.inner]
    }
}
