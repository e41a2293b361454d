//! `config.json` of a Qwen2.5 model, as far as the network follows from it.

use serde::Deserialize;

/// More than any network of the family has; a file that states more is broken.
const WIDTH_LIMIT: usize = 1 << 16;
const LAYER_LIMIT: usize = 1 << 10;
const VOCABULARY_LIMIT: usize = 1 << 20;

/// The sizes and constants of a network. Names are those of the file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    /// Always `qwen2`.
    pub model_type: String,
    /// Tokens that the network knows, V; a tokenizer may know fewer.
    pub vocab_size: usize,
    /// Width, D.
    pub hidden_size: usize,
    /// Width within the gated layer.
    pub intermediate_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Heads that ask, H.
    pub num_attention_heads: usize,
    /// Heads that are asked; each serves H over so many.
    #[serde(default)]
    num_key_value_heads: Option<usize>,
    /// The longest text, in tokens.
    pub max_position_embeddings: usize,
    /// What is added to the mean square.
    pub rms_norm_eps: f64,
    /// The base of the rotary embedding's angles (Su et al. 2021).
    #[serde(default)]
    rope_theta: Option<f64>,
    /// The same where newer files state it.
    #[serde(default)]
    rope_parameters: Option<Rope>,
    /// Another arithmetic of long texts, which this program does not have.
    #[serde(default)]
    rope_scaling: Option<serde_json::Value>,
    /// Whether what is said is looked up in the embedding.
    #[serde(default)]
    pub tie_word_embeddings: bool,
    /// Always `silu`.
    #[serde(default)]
    hidden_act: Option<String>,
    /// Whether some layers see the last tokens only, which this program does not do.
    #[serde(default)]
    use_sliding_window: bool,
    /// What ends a text.
    #[serde(default)]
    eos_token_id: Ends,
}

/// The newer form of the rotary embedding's constants.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Rope {
    rope_theta: f64,
}

/// One token or several.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(untagged)]
enum Ends {
    #[default]
    None,
    One(u32),
    Several(Vec<u32>),
}

impl Config {
    /// Reads a file; or what is wrong with it.
    ///
    /// # Errors
    /// A sentence on what this program cannot do with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let config: Self =
            serde_json::from_slice(bytes).map_err(|e| format!("it is no config.json of a model ({e})"))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        if self.model_type != "qwen2" {
            return Err(format!("its model_type is {:?}, and this program runs \"qwen2\"", self.model_type));
        }
        if self.hidden_act.as_deref().is_some_and(|act| act != "silu") {
            return Err("its hidden_act is not \"silu\"".into());
        }
        if self.use_sliding_window {
            return Err("it uses a sliding window, which this program does not".into());
        }
        let plain = |scaling: &serde_json::Value| scaling.is_null() || scaling["rope_type"] == "default";
        if self.rope_scaling.as_ref().is_some_and(|scaling| !plain(scaling)) {
            return Err("it scales its rotary embedding, which this program does not".into());
        }
        let (d, h, kv) = (self.hidden_size, self.num_attention_heads, self.key_value_heads());
        let sizes = [d, self.intermediate_size, h, kv, self.max_position_embeddings];
        let large = sizes[..4].iter().any(|n| *n > WIDTH_LIMIT)
            || self.num_hidden_layers > LAYER_LIMIT
            || self.vocab_size > VOCABULARY_LIMIT;
        if large || sizes.contains(&0) || self.num_hidden_layers == 0 || self.vocab_size == 0 {
            return Err("its sizes are none of a language model".into());
        }
        if !d.is_multiple_of(h) || !h.is_multiple_of(kv) || !(d / h).is_multiple_of(2) {
            return Err(format!("its width {d} cannot be parted into {h} heads, of which {kv} are asked"));
        }
        if !(self.rms_norm_eps > 0.0 && self.theta() > 1.0) {
            return Err("its rms_norm_eps or rope_theta is no number that makes sense".into());
        }
        Ok(())
    }

    /// Heads that are asked.
    pub fn key_value_heads(&self) -> usize {
        self.num_key_value_heads.unwrap_or(self.num_attention_heads)
    }

    /// Values of a head, K.
    pub fn head(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }

    /// The base of the rotary embedding's angles.
    pub fn theta(&self) -> f64 {
        self.rope_theta.or(self.rope_parameters.as_ref().map(|r| r.rope_theta)).unwrap_or(10_000.0)
    }

    /// Tokens that end a text.
    pub fn ends(&self) -> &[u32] {
        match &self.eos_token_id {
            Ends::None => &[],
            Ends::One(one) => std::slice::from_ref(one),
            Ends::Several(several) => several,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(key: &str, value: serde_json::Value) -> Result<Config, String> {
        let mut file = json!({
            "model_type": "qwen2", "vocab_size": 320, "hidden_size": 32, "intermediate_size": 48,
            "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
            "max_position_embeddings": 128, "rms_norm_eps": 1e-6, "rope_theta": 1e6, "eos_token_id": 2
        });
        file[key] = value;
        Config::parse(file.to_string().as_bytes())
    }

    #[test]
    fn what_is_not_stated_has_its_usual_value() {
        let config = with("rope_theta", json!(null)).unwrap();
        assert_eq!((config.theta(), config.head(), config.ends()), (10_000.0, 8, &[2][..]));
        assert_eq!(with("num_key_value_heads", json!(null)).unwrap().key_value_heads(), 4);
        assert_eq!(with("eos_token_id", json!([7, 9])).unwrap().ends(), [7, 9]);
        let newer = with("rope_parameters", json!({"rope_theta": 5e5, "rope_type": "default"})).unwrap();
        assert_eq!(newer.theta(), 1e6, "what is stated outright counts");
    }

    #[track_caller]
    fn check_refused(key: &str, value: serde_json::Value, expect: &str) {
        let refused = with(key, value).unwrap_err();
        assert!(refused.contains(expect), "{refused}");
    }

    #[test]
    fn what_this_program_cannot_do_is_refused() {
        check_refused("model_type", json!("llama"), "\"qwen2\"");
        check_refused("hidden_act", json!("gelu"), "silu");
        check_refused("use_sliding_window", json!(true), "sliding window");
        check_refused("rope_scaling", json!({"rope_type": "yarn"}), "rotary");
        check_refused("hidden_size", json!(30), "cannot be parted");
        check_refused("vocab_size", json!(u64::MAX), "none of a language model");
        check_refused("num_key_value_heads", json!(3), "cannot be parted");
        check_refused("rms_norm_eps", json!(0.0), "no number that makes sense");
        check_refused("vocab_size", json!("many"), "no config.json");
    }
}
