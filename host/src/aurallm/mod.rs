//! AuraLLM's language model (paper, section 4, "Accurate Sign Language Symbols"): a decoder of the Qwen2.5 family
//! as it is published, and low-rank adapters on it.
//!
//! [`Language`] is a folder opened: `config.json`, weights as `.safetensors` in one file or several, and
//! `tokenizer.json`. Nothing is fetched from anywhere. [`quantize`] writes the same with numbers of eight or four bits.

mod blocks;
mod candidates;
mod config;
mod generate;
mod gguf;
mod instruct;
mod language;
mod lora;
mod matrix;
mod network;
mod quantize;
mod runner;
mod weights;

pub use blocks::{Bits, Blocks};
/// Runs networks on this machine's processor, without gradients.
pub use burn::backend::Flex as Cpu;
pub use candidates::Candidates;
pub use config::Config;
pub use generate::generate;
pub use instruct::Instruction;
pub use language::Language;
pub use lora::{Adapter, Adapters, PROJECTIONS};
pub use matrix::Matrix;
pub use models::translator::Decoding;
pub use network::{Cache, Qwen};
pub use quantize::quantize;
pub use runner::LanguageRunner;
pub(crate) use weights::Weights;
