//! The kiosk: one program that stands at a counter for months, reads and signs, and looks after itself.
//!
//! ```text
//! camera ─▶ vision ─▶ language ─┬─▶ screen          threads, each with a rule (`supervise`)
//!                               └─▶ link ◀─▶ tool   queues between them are bounded (`queue`)
//!                     link ─▶ production ─▶ screen
//! ```
//!
//! [`state`] is what it does at present, [`words`] what it says, and both are pure. The watchdogs are fed only
//! while camera, inference and screen go on ([`heart`]); what broke is kept for a technician ([`crash`]).

pub mod crash;
pub mod governor;
pub mod heart;
mod heat;
mod link;
mod production;
pub mod queue;
mod reading;
mod replay;
mod session;
pub mod shared;
mod show;
pub mod state;
pub mod supervise;
pub(crate) mod unit;
pub mod vitals;
pub mod watchdog;
pub mod words;

pub use reading::Source;
