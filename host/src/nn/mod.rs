//! Networks, in burn, generic over its backends.

mod block;
mod clip_net;
mod live_net;
mod rescore_net;
mod translator;
mod waves;

pub use block::{Block, Reach};
pub use clip_net::{ClipNet, ClipNetConfig};
pub use live_net::{LiveNet, LiveNetConfig};
pub use rescore_net::{LONGEST as LONGEST_TIME, RescoreNet, RescoreNetConfig};
pub use translator::{Attention, Drops, Forward, LONGEST as LONGEST_PLACE, Translator, TranslatorConfig};
pub use waves::waves;
