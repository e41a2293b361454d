//! Networks, in burn, generic over its backends.

mod block;
mod clip_net;
mod drops;
mod live_net;
mod named;
mod rescore_net;
pub mod transformer;
mod translator;
mod waves;

use burn::tensor::{Tensor, backend::Backend};

pub use block::{Block, Reach};
pub use clip_net::{ClipNet, ClipNetConfig};
pub use drops::Drops;
pub use live_net::{LiveNet, LiveNetConfig};
pub use named::{load, parameters, save};
pub use rescore_net::{LONGEST as LONGEST_TIME, RescoreNet, RescoreNetConfig};
pub use transformer::{Attention, Forward, LONGEST as LONGEST_PLACE};
pub use translator::{Translator, TranslatorConfig};
pub use waves::{wave, waves};

/// The values of a tensor, row-major.
pub(crate) fn numbers<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().to_vec().expect("converted to f32 just before")
}
