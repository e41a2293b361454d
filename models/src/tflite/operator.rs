//! The operators that the landmark networks are made of, with their options.

use super::Error;
use super::flat::Table;

/// The largest stride or dilation.
const MAX_STEP: i32 = 1 << 10;

/// What an operator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Sum of two tensors.
    Add(Activation),
    /// Tensors put one behind the other along an axis, negative from the last.
    Concatenation {
        /// The axis.
        axis: i32,
    },
    /// Convolution; weights `[C_out, H, W, C_in]`.
    Conv2d(Window, Activation),
    /// Convolution of each channel by itself; weights `[1, H, W, C_out]`.
    DepthwiseConv2d(Window, Activation),
    /// Weights with their zeros left out, made dense.
    Densify,
    /// Blocks of channels spread over the image.
    DepthToSpace {
        /// Pixels along a block's edge.
        block: usize,
    },
    /// Half floats made floats.
    Dequantize,
    /// `x · weightsᵀ + bias`; weights `[F_out, F_in]`.
    FullyConnected(Activation),
    /// The logistic function.
    Logistic,
    /// The largest value in each window of the size given, `[H, W]`.
    MaxPool2d(Window, [usize; 2]),
    /// Mean over axes.
    Mean {
        /// Whether the axes stay, with size 1.
        keep: bool,
    },
    /// Zeros around a tensor.
    Pad,
    /// Negative values times a slope for each channel.
    Prelu,
    /// Negative values made 0.
    Relu,
    /// The same values in another shape.
    Reshape,
    /// An image made larger or smaller, by linear interpolation.
    ResizeBilinear {
        /// Whether the corners' centres stay where they are.
        align_corners: bool,
        /// Whether a pixel's centre is half a pixel from its edge.
        half_pixel: bool,
    },
    /// A part of a tensor.
    StridedSlice,
}

/// How a window moves over an image; pairs are `[H, W]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Whether zeros around the image keep its size (divided by the stride).
    pub same: bool,
    /// Pixels from one window to the next.
    pub stride: [usize; 2],
    /// Pixels from one tap of the window to the next.
    pub dilation: [usize; 2],
}

/// The function that an operator applies to its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// None.
    None,
    /// max(x, 0).
    Relu,
    /// min(max(x, 0), 6).
    Relu6,
}

impl Op {
    /// The function that it applies to its result.
    pub fn activation(&self) -> Activation {
        match self {
            Self::Add(a) | Self::Conv2d(_, a) | Self::DepthwiseConv2d(_, a) | Self::FullyConnected(a) => *a,
            _ => Activation::None,
        }
    }

    /// The operator of a code, with the options in `table`; `index` is where it stands in the graph.
    pub(super) fn parse(index: usize, code: i32, table: Option<&Table>) -> Result<Self, Error> {
        let options = Options { index, table };
        Ok(match code {
            0 => Self::Add(options.activation(0)?),
            2 => match options.activation(1)? {
                Activation::None => Self::Concatenation { axis: options.i32(0)? },
                other => return Err(options.unsupported(format!("a concatenation with {other:?}"))),
            },
            3 => Self::Conv2d(options.window([2, 1], Some([5, 4]))?, options.activation(3)?),
            4 => Self::DepthwiseConv2d(options.window([2, 1], Some([6, 5]))?, options.activation(4)?),
            5 => Self::DepthToSpace { block: options.step(0, 0)? },
            6 => Self::Dequantize,
            9 => {
                if options.u8(1)? != 0 {
                    return Err(options.unsupported("shuffled weights".into()));
                }
                Self::FullyConnected(options.activation(0)?)
            }
            14 => Self::Logistic,
            17 => {
                if options.activation(5)? != Activation::None {
                    return Err(options.unsupported("a pool with an activation".into()));
                }
                Self::MaxPool2d(options.window([2, 1], None)?, [options.step(4, 0)?, options.step(3, 0)?])
            }
            19 => Self::Relu,
            22 => Self::Reshape,
            23 => {
                Self::ResizeBilinear { align_corners: options.u8(2)? != 0, half_pixel: options.u8(3)? != 0 }
            }
            34 => Self::Pad,
            40 => Self::Mean { keep: options.u8(0)? != 0 },
            45 => {
                for mask in 0..5 {
                    if options.i32(mask)? != 0 {
                        return Err(options.unsupported("a slice with masks".into()));
                    }
                }
                Self::StridedSlice
            }
            54 => Self::Prelu,
            124 => Self::Densify,
            other => return Err(options.unsupported(format!("the TFLite operator of code {other}"))),
        })
    }
}

/// The options of one operator; those that are not in the file have their defaults.
struct Options<'t, 'a> {
    index: usize,
    table: Option<&'t Table<'a>>,
}

impl Options<'_, '_> {
    fn u8(&self, field: usize) -> Result<u8, Error> {
        self.table.map_or(Ok(0), |t| t.u8(field))
    }

    fn i32(&self, field: usize) -> Result<i32, Error> {
        self.table.map_or(Ok(0), |t| t.i32(field, 0))
    }

    /// A stride, a dilation or a size: at least 1.
    fn step(&self, field: usize, default: i32) -> Result<usize, Error> {
        let step = self.table.map_or(Ok(default), |t| t.i32(field, default))?;
        match step {
            1..=MAX_STEP => Ok(step as usize),
            _ => Err(self.unsupported(format!("a step of {step} pixels"))),
        }
    }

    fn window(&self, stride: [usize; 2], dilation: Option<[usize; 2]>) -> Result<Window, Error> {
        let same = match self.u8(0)? {
            0 => true,
            1 => false,
            other => return Err(self.unsupported(format!("padding of kind {other}"))),
        };
        let [h, w] = stride;
        let stride = [self.step(h, 0)?, self.step(w, 0)?];
        let dilation = match dilation {
            Some([h, w]) => [self.step(h, 1)?, self.step(w, 1)?],
            None => [1, 1],
        };
        Ok(Window { same, stride, dilation })
    }

    fn activation(&self, field: usize) -> Result<Activation, Error> {
        match self.u8(field)? {
            0 => Ok(Activation::None),
            1 => Ok(Activation::Relu),
            3 => Ok(Activation::Relu6),
            other => Err(self.unsupported(format!("the activation of code {other}"))),
        }
    }

    fn unsupported(&self, what: String) -> Error {
        Error::Unsupported { index: self.index, what }
    }
}
