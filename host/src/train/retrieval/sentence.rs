//! A sentence embedder that somebody else trained, as sentence-transformers publishes it: `model.onnx`, by itself or in
//! `onnx`, and `tokenizer.json`; `1_Pooling/config.json`, where it is there, says how tokens become one vector.
//!
//! It has read much of the world and knows words that no corpus of signing has; but it takes milliseconds a word and
//! hundreds of megabytes. So it runs here, and a unit gets its vectors of a list of words.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use tokenizers::{PaddingParams, PaddingStrategy, Tokenizer, TruncationParams};
use tract_onnx::prelude::*;

use crate::Error;

/// Tokens of a word or gloss, marks among them; the rest of a longer one is not read.
const TOKENS: usize = 16;
/// What fills up a short one, by the names that tokenizers have for it.
const PADDING: [&str; 3] = ["[PAD]", "<pad>", "<|endoftext|>"];

/// A sentence embedder, ready to run.
pub struct SentenceModel {
    folder: PathBuf,
    plan: Arc<TypedRunnableModel>,
    inputs: Vec<Input>,
    tokenizer: Tokenizer,
    pooling: Pooling,
}

/// What the network is told.
#[derive(Debug, Clone, Copy)]
enum Input {
    Tokens,
    There,
    Segments,
}

/// How the vectors of tokens become one.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default)]
struct Pooling {
    pooling_mode_cls_token: bool,
    pooling_mode_mean_tokens: bool,
}

impl Default for Pooling {
    fn default() -> Self {
        Self { pooling_mode_cls_token: false, pooling_mode_mean_tokens: true }
    }
}

impl SentenceModel {
    /// Opens a folder.
    ///
    /// # Errors
    /// [`Error::Sentence`] with the file that is missing or wrong.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let wrong = |path: &Path, why: String| Error::Sentence { path: path.into(), why };
        let path = folder.join("tokenizer.json");
        let bytes = std::fs::read(&path).map_err(|e| wrong(&path, e.to_string()))?;
        let tokenizer = tokenizer(&bytes).map_err(|why| wrong(&path, why))?;
        let path = folder.join("1_Pooling/config.json");
        let pooling: Pooling = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|e| wrong(&path, format!("it is no pooling's ({e})")))?,
            Err(_) => Pooling::default(),
        };
        if pooling.pooling_mode_cls_token == pooling.pooling_mode_mean_tokens {
            let why =
                "it pools otherwise than by the mean of tokens or by the first, and this program does not";
            return Err(wrong(&path, why.into()));
        }
        let path = Some(folder.join("onnx/model.onnx")).filter(|path| path.is_file());
        let path = path.unwrap_or_else(|| folder.join("model.onnx"));
        if !path.is_file() {
            return Err(wrong(&path, "it is not there".into()));
        }
        let (plan, inputs) = caught(|| load(&path)).map_err(|why| wrong(&path, why))?;
        Ok(Self { folder: folder.into(), plan, inputs, tokenizer, pooling })
    }

    /// A text as a vector of length 1.
    ///
    /// # Errors
    /// [`Error::Sentence`] where the network fails, or says what is no direction.
    pub fn embed(&self, text: &str) -> Result<Vec<f32>, Error> {
        let wrong = |why: String| Error::Sentence { path: self.folder.clone(), why };
        let cut = || self.tokenizer.encode(text, true).map_err(|e| TractError::msg(e.to_string()));
        let cut = caught(cut).map_err(wrong)?;
        let there = cut.get_attention_mask();
        let run = || -> TractResult<Vec<f32>> {
            let inputs = self.inputs.iter().map(|input| {
                let numbers = match input {
                    Input::Tokens => cut.get_ids(),
                    Input::There => there,
                    Input::Segments => cut.get_type_ids(),
                };
                let numbers: Vec<i64> = numbers.iter().map(|n| i64::from(*n)).collect();
                Ok(Tensor::from_shape(&[1, TOKENS], &numbers)?.into())
            });
            let outputs = self.plan.run(inputs.collect::<TractResult<TVec<TValue>>>()?)?;
            let said = outputs.first().ok_or_else(|| TractError::msg("it gives nothing"))?;
            let values: Vec<f32> = said.to_plain_array_view::<f32>()?.iter().copied().collect();
            match said.shape() {
                [1, TOKENS, _] => Ok(self.pooled(&values, there)),
                [1, _] => Ok(values),
                other => {
                    Err(TractError::msg(format!("it gives {other:?}, which is no vector of each token")))
                }
            }
        };
        let mut vector = caught(run).map_err(wrong)?;
        let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
        if !(length.is_finite() && length > 0.0) {
            return Err(wrong(format!("it says of {text:?} what has no direction")));
        }
        vector.iter_mut().for_each(|v| *v /= length);
        Ok(vector)
    }

    fn pooled(&self, tokens: &[f32], there: &[u32]) -> Vec<f32> {
        let width = tokens.len() / TOKENS;
        if self.pooling.pooling_mode_cls_token {
            return tokens[..width].to_vec();
        }
        let mut sum = vec![0.0; width];
        for (token, _) in tokens.chunks_exact(width).zip(there).filter(|(_, there)| **there > 0) {
            sum.iter_mut().zip(token).for_each(|(s, v)| *s += v);
        }
        // Its length is no matter: it is made 1.
        sum
    }
}

/// The tokenizer, which makes all texts as long as the network is told.
fn tokenizer(bytes: &[u8]) -> Result<Tokenizer, String> {
    let wrong = |e: &dyn std::fmt::Display| format!("it is no tokenizer.json ({e})");
    // Over what is no JSON the library always panics; that much is easily told beforehand.
    serde_json::from_slice::<serde_json::Value>(bytes).map_err(|e| wrong(&e))?;
    let open = || Tokenizer::from_bytes(bytes).map_err(|e| TractError::msg(e.to_string()));
    let mut tokenizer = caught(open).map_err(|e| wrong(&e))?;
    let known = tokenizer.get_padding().map(|p| (p.pad_id, p.pad_token.clone()));
    let named = || PADDING.into_iter().find_map(|name| Some((tokenizer.token_to_id(name)?, name.to_owned())));
    let (pad_id, pad_token) = known.or_else(named).ok_or("it has no token that fills up")?;
    tokenizer.with_padding(Some(PaddingParams {
        strategy: PaddingStrategy::Fixed(TOKENS),
        pad_id,
        pad_token,
        ..PaddingParams::default()
    }));
    let cut = TruncationParams { max_length: TOKENS, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(cut)).map_err(|e| wrong(&e))?;
    Ok(tokenizer)
}

/// What a library gives. Over some broken networks and tokenizers it panics, and nobody but their makers can tell which
/// those are.
fn caught<T>(run: impl FnOnce() -> TractResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(given) => given.map_err(|e| format!("{e:#}")),
        Err(_) => Err("the library that runs it gave up on it".into()),
    }
}

/// The network for one text of [`TOKENS`] tokens, and what its inputs are.
fn load(path: &Path) -> TractResult<(Arc<TypedRunnableModel>, Vec<Input>)> {
    let mut model = tract_onnx::onnx().model_for_path(path)?;
    let names: Vec<String> =
        model.input_outlets()?.iter().map(|outlet| model.node(outlet.node).name.clone()).collect();
    let mut inputs = vec![];
    for (i, name) in names.iter().enumerate() {
        inputs.push(match name.as_str() {
            "input_ids" => Input::Tokens,
            "attention_mask" => Input::There,
            "token_type_ids" => Input::Segments,
            other => {
                return Err(TractError::msg(format!("its input {other:?} is none of a sentence embedder")));
            }
        });
        model.set_input_fact(i, i64::fact([1, TOKENS]).into())?;
    }
    Ok((model.into_optimized()?.into_runnable()?, inputs))
}
