//! A language model's folder, opened.

use std::path::Path;

use burn::tensor::backend::Backend;
use tokenizers::Tokenizer;

use super::weights::Weights;
use super::{Adapter, Config, Qwen};
use crate::Error;

/// A network with the tokenizer that its texts are cut by.
pub struct Language<B: Backend> {
    /// The network's sizes and constants.
    pub config: Config,
    /// The network.
    pub net: Qwen<B>,
    tokenizer: Tokenizer,
}

impl<B: Backend> Language<B> {
    /// Opens a folder with `config.json`, `.safetensors` and `tokenizer.json`, as they are published.
    ///
    /// # Errors
    /// [`Error::Language`] with the file that is missing or wrong.
    pub fn open(folder: &Path, device: &B::Device) -> Result<Self, Error> {
        let wrong = |(path, why)| Error::Language { path, why };
        let path = folder.join("config.json");
        let bytes = std::fs::read(&path).map_err(|e| wrong((path.clone(), e.to_string())))?;
        let config = Config::parse(&bytes).map_err(|why| wrong((path, why)))?;
        let path = folder.join("tokenizer.json");
        let bytes = std::fs::read(&path).map_err(|e| wrong((path.clone(), e.to_string())))?;
        let tokenizer = tokenizer(&bytes).map_err(|why| wrong((path.clone(), why)))?;
        let known = tokenizer.get_vocab_size(true);
        if known > config.vocab_size {
            let why = format!("it knows {known} tokens, and the weights are for {}", config.vocab_size);
            return Err(wrong((path, why)));
        }
        let mut weights = Weights::open(folder).map_err(wrong)?;
        let net = Qwen::load(&config, &mut weights, device).map_err(|why| wrong((folder.into(), why)))?;
        Ok(Self { config, net, tokenizer })
    }

    /// Puts the adapter in a folder on the network.
    ///
    /// # Errors
    /// [`Error::Language`] with the file that is missing or wrong.
    pub fn adapt(&mut self, folder: &Path, device: &B::Device) -> Result<Adapter, Error> {
        Adapter::load(folder, &mut self.net, device).map_err(|(path, why)| Error::Language { path, why })
    }

    /// A text as tokens. Marks such as `<|im_end|>` in it are tokens of their own.
    ///
    /// # Errors
    /// [`Error::Text`] where the tokenizer cannot cut it.
    pub fn tokens(&self, text: &str) -> Result<Vec<u32>, Error> {
        let cut = self.tokenizer.encode(text, false).map_err(|e| Error::Text { why: e.to_string() })?;
        Ok(cut.get_ids().to_vec())
    }

    /// Tokens as a text; marks are left out where `plain`.
    ///
    /// # Errors
    /// [`Error::Text`] where a token is none.
    pub fn text(&self, tokens: &[u32], plain: bool) -> Result<String, Error> {
        self.tokenizer.decode(tokens, plain).map_err(|e| Error::Text { why: e.to_string() })
    }
}

/// A tokenizer from its file. The library panics over what is no JSON and over one kind of normaliser, which no
/// model of the family has; so both are looked for first.
fn tokenizer(bytes: &[u8]) -> Result<Tokenizer, String> {
    let wrong = |e: &dyn std::fmt::Display| format!("it is no tokenizer.json ({e})");
    let file: serde_json::Value = serde_json::from_slice(bytes).map_err(|e| wrong(&e))?;
    if file["normalizer"].to_string().contains("Precompiled") {
        return Err(wrong(&"its normaliser is none of Qwen2.5"));
    }
    Tokenizer::from_bytes(bytes).map_err(|e| wrong(&e))
}
