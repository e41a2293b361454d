//! A unit among many: it takes the rollouts of an Eclipse hawkBit server, and tells an MQTT broker how it is.
//!
//! This is a program of its own, `signpost-fleet`, and off where nobody starts it: the unit's program has no
//! part of it and opens no network connection. What a server says is believed no more than a USB stick: a
//! bundle goes through the same check of its signature and into the same slots ([`models::update`]), and the
//! server is told of success only when the new version has proven itself.
//!
//! ```text
//! server  ◀─poll, progress, outcome─  agent  ──install──▶ models::update ──▶ slots, update record
//!    └──────bundle, in pieces──────▶  server            └─ task (fleet.json): which action, how far
//! broker  ◀─state, version, heat────  mqtt   ◀── health file that `signpost` writes
//! ```

pub mod agent;
pub mod config;
pub mod error;
pub mod health;
pub mod machine;
pub mod mqtt;
pub mod outcome;
pub mod server;
pub mod task;

pub use agent::Agent;
pub use config::Config;
pub use error::Error;
pub use machine::{Machine, Service};
pub use server::Server;
pub use task::{Stage, Task};
