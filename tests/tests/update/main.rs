//! An update with the power cut at every write, sync and rename of it: the unit starts the old version or
//! the new one, and the next try completes.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

mod cuts;
mod deeds;
mod files;
mod life;
mod rules;
mod storage;
