//! Networks, in burn, generic over its backends.

mod clip_net;

pub use clip_net::{Block, ClipNet, ClipNetConfig};
