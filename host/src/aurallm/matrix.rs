//! A matrix of the network, as precise as it was published or quantized.

use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor, TensorData, backend::Backend};

use super::Blocks;
use super::weights::{Taken, Weights};
use crate::nn::numbers;

/// Vectors beyond so many are multiplied with a matrix that was made whole again, for a moment: a product of two
/// matrices is faster by then.
const FEW: usize = 8;

/// What is added to a product.
pub type Bias<B> = Param<Tensor<B, 1>>;

/// A matrix `[out, in]`, as files have it.
#[derive(Module, Debug)]
pub enum Matrix<B: Backend> {
    /// Numbers of 32 bits.
    Whole(Param<Tensor<B, 2>>),
    /// Numbers that were rounded: nothing is learnt through it.
    Quantized(Quantized),
}

/// Rounded numbers in blocks.
#[derive(Module, Debug, Clone)]
pub struct Quantized {
    #[module(skip)]
    blocks: Blocks,
}

impl Quantized {
    /// The matrix, `[out, in]`.
    pub fn blocks(&self) -> &Blocks {
        &self.blocks
    }
}

impl<B: Backend> Matrix<B> {
    /// Takes it from a file.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn take(
        weights: &mut Weights,
        name: &str,
        shape: [usize; 2],
        device: &B::Device,
    ) -> Result<Self, String> {
        Ok(match weights.matrix(name, shape)? {
            Taken::Blocks(blocks) => Self::Quantized(Quantized { blocks }),
            Taken::Whole(values) => {
                Self::Whole(Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device)))
            }
        })
    }

    /// Outputs and inputs.
    pub fn shape(&self) -> [usize; 2] {
        match self {
            Self::Whole(matrix) => matrix.dims(),
            Self::Quantized(Quantized { blocks }) => blocks.shape(),
        }
    }

    /// The products with vectors.
    ///
    /// # Shapes
    /// - `x`: `[B, T, in]`
    /// - returns: `[B, T, out]`
    pub fn times(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let blocks = match self {
            Self::Whole(matrix) => return x.matmul(matrix.val().transpose().unsqueeze()),
            Self::Quantized(Quantized { blocks }) => blocks,
        };
        let ([b, t, _], [out, into], device) = (x.dims(), blocks.shape(), x.device());
        if b * t > FEW {
            let matrix = Tensor::<B, 2>::from_data(TensorData::new(blocks.values(), [out, into]), &device);
            return x.matmul(matrix.transpose().unsqueeze());
        }
        Tensor::from_data(TensorData::new(blocks.times(&numbers(x)), [b, t, out]), &device)
    }

    /// Its rows of these numbers.
    ///
    /// # Shapes
    /// - `rows`: `[B, T]`
    /// - returns: `[B, T, in]`
    pub fn rows(&self, rows: Tensor<B, 2, Int>) -> Tensor<B, 3> {
        let ([b, t], [_, into]) = (rows.dims(), self.shape());
        match self {
            Self::Whole(matrix) => matrix.val().select(0, rows.reshape([b * t])).reshape([b, t, into]),
            Self::Quantized(Quantized { blocks }) => {
                let device = rows.device();
                let each = rows.into_data().convert::<i64>();
                let values = each.iter::<i64>().flat_map(|row| blocks.row(row as usize)).collect();
                Tensor::from_data(TensorData::new(values, [b, t, into]), &device)
            }
        }
    }

    /// Whether it was quantized.
    pub fn quantized(&self) -> bool {
        matches!(self, Self::Quantized(_))
    }
}
