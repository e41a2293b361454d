//! Writes a language model again with numbers of eight or four bits, so that a small machine can keep it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use models::whole;
use serde::Deserialize;

use super::blocks::Bits;
use super::gguf::{Numbers, Said, Writer};
use super::weights::{QUANTIZED, Weights};
use super::{Blocks, Config, Cpu, Qwen};
use crate::Error;

/// What llama.cpp calls the two forms, and the version of its blocks.
const FILE_TYPES: [u32; 2] = [7, 2];
const BLOCKS_VERSION: u32 = 2;

/// Kinds of tokens, by llama.cpp's numbers.
const NORMAL: i32 = 1;
const CONTROL: i32 = 3;
const ADDED: i32 = 4;
const UNUSED: i32 = 5;

/// What a GGUF file says of a tokenizer.
#[derive(Deserialize)]
struct Tokenizer {
    model: Model,
    #[serde(default)]
    added_tokens: Vec<Added>,
}

#[derive(Deserialize)]
struct Model {
    vocab: HashMap<String, usize>,
    merges: Vec<Merge>,
}

/// Two pieces that become one, in the newer and the older form.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Pair([String; 2]),
    Line(String),
}

#[derive(Deserialize)]
struct Added {
    id: usize,
    content: String,
    #[serde(default)]
    special: bool,
}

/// Writes `model.gguf`, which llama.cpp runs as well, and beside it the model's `config.json` and `tokenizer.json`.
/// Matrices are rounded, the embedding among them; norms and biases stay as they are. Returns the bytes of the weights
/// before and after.
///
/// # Errors
/// [`Error::Language`] where the model is not whole, is quantized already or has rows that are no whole blocks, and
/// where the folder cannot be written; [`Error::Argument`] where whole weights stand in it.
pub fn quantize(model: &Path, bits: Bits, out: &Path) -> Result<[usize; 2], Error> {
    if let Some(whole) = Weights::whole(out) {
        let expected = format!("a folder without the weights of another model, and {whole} stands there");
        return Err(Error::Argument { option: "--out", given: out.display().to_string(), expected });
    }
    let wrong = |(path, why)| Error::Language { path, why };
    let read = |name: &str| {
        let path = model.join(name);
        std::fs::read(&path).map(|bytes| (path.clone(), bytes)).map_err(|e| wrong((path, e.to_string())))
    };
    let (path, config) = read("config.json")?;
    let parsed = Config::parse(&config).map_err(|why| wrong((path, why)))?;
    let (path, tokenizer) = read("tokenizer.json")?;
    let cut: Tokenizer = serde_json::from_slice(&tokenizer)
        .map_err(|e| wrong((path.clone(), format!("it is no tokenizer.json of Qwen2.5 ({e})"))))?;
    let mut writer = Writer::new();
    sizes(&mut writer, &parsed, bits);
    tokens(&mut writer, &parsed, &cut).map_err(|why| wrong((path, why)))?;
    let mut weights = Weights::open(model).map_err(wrong)?;
    let here = |why| wrong((model.into(), why));
    tensors(&mut writer, &mut weights, &parsed, bits).map_err(here)?;
    let before = weights.bytes();
    let gguf = Arc::new(writer.finish());
    let net = |weights: &mut Weights| Qwen::<Cpu>::load(&parsed, weights, &Default::default());
    Weights::quantized(gguf.clone()).and_then(|mut weights| net(&mut weights)).map_err(here)?;

    std::fs::create_dir_all(out).map_err(Error::io("make the folder", out))?;
    for (name, bytes) in [(QUANTIZED, &*gguf), ("tokenizer.json", &tokenizer), ("config.json", &config)] {
        let path = out.join(name);
        whole::write(&path, bytes).map_err(Error::io("write", &path))?;
    }
    Ok([before, gguf.len()])
}

fn sizes(writer: &mut Writer, config: &Config, bits: Bits) {
    writer.fact("general.quantization_version", Said::Count(BLOCKS_VERSION));
    writer.fact("general.file_type", Said::Count(FILE_TYPES[usize::from(bits == Bits::Four)]));
    let counts = [
        ("block_count", config.num_hidden_layers),
        ("context_length", config.max_position_embeddings),
        ("embedding_length", config.hidden_size),
        ("feed_forward_length", config.intermediate_size),
        ("attention.head_count", config.num_attention_heads),
        ("attention.head_count_kv", config.key_value_heads()),
    ];
    for (name, count) in counts {
        writer.fact(&format!("qwen2.{name}"), Said::Count(count as u32));
    }
    writer.fact("qwen2.rope.freq_base", Said::Real(config.theta() as f32));
    writer.fact("qwen2.attention.layer_norm_rms_epsilon", Said::Real(config.rms_norm_eps as f32));
}

fn tokens(writer: &mut Writer, config: &Config, cut: &Tokenizer) -> Result<(), String> {
    let mut tokens: Vec<String> = (0..config.vocab_size).map(|i| format!("[PAD{i}]")).collect();
    let mut kinds = vec![UNUSED; tokens.len()];
    let known = cut.model.vocab.iter().map(|(text, id)| (text, *id, NORMAL));
    let added = cut.added_tokens.iter();
    let added = added.map(|a| (&a.content, a.id, if a.special { CONTROL } else { ADDED }));
    for (text, id, kind) in known.chain(added) {
        let (Some(token), Some(of)) = (tokens.get_mut(id), kinds.get_mut(id)) else {
            return Err(format!(
                "its token {id} is beyond the {} that the weights are for",
                config.vocab_size
            ));
        };
        token.clone_from(text);
        *of = kind;
    }
    let merge = |merge: &Merge| match merge {
        Merge::Pair([first, second]) => format!("{first} {second}"),
        Merge::Line(line) => line.clone(),
    };
    let merges: Vec<String> = cut.model.merges.iter().map(merge).collect();
    writer.fact("tokenizer.ggml.model", Said::Text("gpt2"));
    writer.fact("tokenizer.ggml.pre", Said::Text("qwen2"));
    writer.fact("tokenizer.ggml.tokens", Said::Texts(&tokens));
    writer.fact("tokenizer.ggml.token_type", Said::Kinds(&kinds));
    writer.fact("tokenizer.ggml.merges", Said::Texts(&merges));
    writer.fact("tokenizer.ggml.add_bos_token", Said::Truth(false));
    if let Some(end) = config.ends().first() {
        writer.fact("tokenizer.ggml.eos_token_id", Said::Count(*end));
    }
    Ok(())
}

fn tensors(writer: &mut Writer, weights: &mut Weights, config: &Config, bits: Bits) -> Result<(), String> {
    if weights.are_quantized() {
        return Err("its weights are quantized already".into());
    }
    let mut names: Vec<String> = weights.names().map(str::to_owned).collect();
    names.sort_unstable();
    // What is said is looked up in the embedding, and what follows from the configuration is no weight.
    names.retain(|name| !(config.tie_word_embeddings && name == "lm_head.weight" || Weights::follows(name)));
    for name in names {
        let (values, shape) = weights.any(&name)?;
        match <[usize; 2]>::try_from(&shape[..]) {
            Ok(sizes) => {
                let blocks = Blocks::round(bits, &values, sizes).map_err(|why| format!("{name}: {why}"))?;
                writer.tensor(&name, &shape, &Numbers::Blocks(bits), blocks.bytes());
            }
            Err(_) => {
                let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                writer.tensor(&name, &shape, &Numbers::F32, &bytes);
            }
        }
    }
    Ok(())
}
