//! Networks, in burn, generic over its backends.

mod block;
mod clip_net;
mod live_net;
mod rescore_net;

pub use block::{Block, Reach};
pub use clip_net::{ClipNet, ClipNetConfig};
pub use live_net::{LiveNet, LiveNetConfig};
pub use rescore_net::{NOT_THERE, RescoreNet, RescoreNetConfig, times as rescore_times};
