//! TFLite networks, as far as MediaPipe's landmark networks need them: read from the flatbuffer, written as ONNX.
//!
//! TFLite keeps images as `[B, H, W, C]` and ONNX engines want `[B, C, H, W]`. The
//! converted graph takes and gives what the TFLite network takes and gives (same
//! names, same order, same shapes), and is `[B, C, H, W]` inside: one transpose
//! behind the input, one before each reshape and each output that is an image.
//! Weights stored as half floats, or sparse, are folded to dense 32-bit floats.
//!
//! The bytes come from outside. Every offset is checked, every size is capped, and
//! whatever is not understood is an error that names it: see [`Error`].
//!
//! Source: `tensorflow/compiler/mlir/lite/schema/schema.fbs`, version 3.

mod convert;
mod emit;
mod flat;
mod network;
mod operator;
mod weights;
mod write;

pub use convert::{CONVERTER_VERSION, to_onnx};
pub use network::{DimensionFormat, Kind, Network, Operator, Sparsity, Tensor};
pub use operator::{Activation, Op, Window};

/// Why a TFLite network cannot be read or converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes do not begin as a TFLite file does.
    #[error("this is no TFLite network (version 3): run `cargo xtask setup` to fetch it again")]
    NotTflite,
    /// An offset or a length leads outside the file, or two parts contradict each other.
    #[error("the TFLite network is damaged at byte {at} ({what}): run `cargo xtask setup` to fetch it again")]
    Damaged {
        /// What was being read.
        what: &'static str,
        /// Where in the file.
        at: usize,
    },
    /// An index names a tensor, a buffer or an operator code that the file does not have.
    #[error(
        "the TFLite network names {what} {index}, which it does not have: run `cargo xtask setup` to fetch it again"
    )]
    Index {
        /// What the index counts.
        what: &'static str,
        /// The index seen.
        index: i64,
    },
    /// A size above the limit that the landmark networks stay far below.
    #[error(
        "the TFLite network asks for {found} {what}, more than the limit of {limit}: use the network that set-up brings"
    )]
    TooLarge {
        /// What is counted.
        what: &'static str,
        /// The number seen.
        found: u64,
        /// The most that is taken.
        limit: u64,
    },
    /// A tensor whose shape, type or data do not fit the place where it stands.
    #[error(
        "tensor {name:?} of shape {shape:?} does not fit: {expected}; run `cargo xtask setup` to fetch the network again"
    )]
    Tensor {
        /// Its name.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// What was expected instead.
        expected: &'static str,
    },
    /// An output that was to be left out is not there.
    #[error("the TFLite network has no output {name:?}: use the network that set-up brings")]
    NoOutput {
        /// The name asked for.
        name: String,
    },
    /// An operator, or an option of one, that the converter does not know.
    #[error(
        "operator {index} needs {what}, which the converter does not know: use the network that set-up brings"
    )]
    Unsupported {
        /// Position of the operator in the graph.
        index: usize,
        /// What is not known.
        what: String,
    },
}
