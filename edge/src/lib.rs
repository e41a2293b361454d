//! The unit: camera to captions, and text to signing.

pub mod camera;
pub mod cli;
pub mod engine;
pub mod fault;
pub mod feed;
pub mod ffmpeg;
pub mod kiosk;
pub mod language;
pub mod production;
pub mod screen;
pub mod stage;
pub mod vision;

pub use fault::Fault;
