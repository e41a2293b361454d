//! GGUF, the form in which llama.cpp keeps quantized models (version 3; version 2 reads the same): what is known of the
//! model, then its tensors.

use std::collections::HashMap;
use std::ops::Range;

use half::{bf16, f16};

use super::blocks::Bits;

const MAGIC: &[u8; 4] = b"GGUF";
/// The version that is written; the one before differs in nothing that a small-endian file has.
const VERSION: u32 = 3;
const OLDEST: u32 = 2;
/// What tensors begin at a multiple of, where a file says nothing else.
const ALIGNMENT: u64 = 32;
/// Names and texts are shorter; of an array's texts each by itself.
const TEXT_LIMIT: u64 = 1 << 20;

/// How a tensor's numbers are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Numbers {
    /// 32 bits each.
    F32,
    /// 16 bits each.
    F16,
    /// 16 bits each, with the range of 32.
    Bf16,
    /// In blocks.
    Blocks(Bits),
    /// In a way that this program does not read.
    Other(String),
}

impl Numbers {
    /// The numbers of these bytes, which are not in blocks; or what is wrong.
    pub(super) fn values(&self, bytes: &[u8]) -> Result<Vec<f32>, String> {
        let pairs = || bytes.chunks_exact(2).map(|b| [b[0], b[1]]);
        let values: Vec<f32> = match self {
            Self::F32 => {
                bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
            }
            Self::F16 => pairs().map(|b| f16::from_le_bytes(b).to_f32()).collect(),
            Self::Bf16 => pairs().map(|b| bf16::from_le_bytes(b).to_f32()).collect(),
            Self::Blocks(_) => return Err("has blocks and is no matrix".into()),
            Self::Other(other) => {
                return Err(format!("is {other}, and this program reads F32, F16, BF16, Q8_0 and Q4_0"));
            }
        };
        match values.iter().all(|v| v.is_finite()) {
            true => Ok(values),
            false => Err("has values that are no numbers".into()),
        }
    }

    /// The number of GGML for it.
    fn id(&self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Blocks(Bits::Four) => 2,
            Self::Blocks(Bits::Eight) => 8,
            Self::Bf16 => 30,
            Self::Other(_) => u32::MAX,
        }
    }

    fn of(id: u32) -> Self {
        let known = [Self::F32, Self::F16, Self::Blocks(Bits::Four), Self::Blocks(Bits::Eight), Self::Bf16];
        known.into_iter().find(|n| n.id() == id).unwrap_or_else(|| Self::Other(format!("GGML's type {id}")))
    }

    /// Bytes of a tensor; none where it has no such shape, or nobody knows.
    fn bytes(&self, shape: &[usize]) -> Option<usize> {
        let count = || shape.iter().try_fold(1_usize, |n, d| n.checked_mul(*d));
        match self {
            Self::F32 => count()?.checked_mul(4),
            Self::F16 | Self::Bf16 => count()?.checked_mul(2),
            Self::Blocks(bits) => bits.of(shape.try_into().ok()?),
            Self::Other(_) => Some(0),
        }
    }
}

/// Where a tensor is in a file, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Rows first, as other programs write it; the file has it turned.
    pub shape: Vec<usize>,
    /// How its numbers are written.
    pub numbers: Numbers,
    /// Its bytes in the file.
    pub bytes: Range<usize>,
}

/// The tensors of a file, by the names of the published code where it is a Qwen2.5's.
///
/// # Errors
/// What is wrong with the file.
pub fn read(file: &[u8]) -> Result<HashMap<String, Stored>, String> {
    let mut rest = Rest { file, at: 0 };
    if rest.take(4)? != MAGIC {
        return Err("it is no GGUF file".into());
    }
    let version = rest.u32()?;
    if !(OLDEST..=VERSION).contains(&version) {
        return Err(format!("it is GGUF version {version}, and this program reads {OLDEST} and {VERSION}"));
    }
    let [count, facts] = [rest.u64()?, rest.u64()?];
    let mut alignment = ALIGNMENT;
    for _ in 0..facts {
        let name = rest.text()?;
        match rest.fact(&name)? {
            Fact::Text(model) if name == ARCHITECTURE && model != QWEN => {
                return Err(format!("it is of the family {model:?}, and this program runs {QWEN:?}"));
            }
            Fact::Number(n) if name == "general.alignment" => alignment = n.into(),
            _ => {}
        }
    }
    if !alignment.is_power_of_two() {
        return Err(format!("its tensors begin at multiples of {alignment}, which is no power of two"));
    }
    let mut heads = vec![];
    for _ in 0..count {
        let name = rest.text()?;
        let dimensions = rest.u32()?;
        if dimensions > 4 {
            return Err(format!("the tensor {name} has {dimensions} dimensions"));
        }
        let mut shape = vec![];
        for _ in 0..dimensions {
            shape.insert(0, usize::try_from(rest.u64()?).map_err(|e| e.to_string())?);
        }
        heads.push((name, shape, Numbers::of(rest.u32()?), rest.u64()?));
    }
    let begin = (rest.at as u64).next_multiple_of(alignment);
    let mut tensors = HashMap::new();
    for (name, shape, numbers, offset) in heads {
        let place = || {
            let first = usize::try_from(begin.checked_add(offset)?).ok()?;
            let end = first.checked_add(numbers.bytes(&shape)?)?;
            (end <= file.len()).then_some(first..end)
        };
        let bytes = place().ok_or_else(|| format!("the tensor {name} is not whole"))?;
        let name = published(&name);
        if tensors.insert(name.clone(), Stored { shape, numbers, bytes }).is_some() {
            return Err(format!("the tensor {name} stands there twice"));
        }
    }
    Ok(tensors)
}

/// The family, as GGUF names it.
const QWEN: &str = "qwen2";
const ARCHITECTURE: &str = "general.architecture";

/// Names of tensors: llama.cpp's, and those of the published code.
const WHOLE: [(&str, &str); 3] =
    [("token_embd", "model.embed_tokens"), ("output_norm", "model.norm"), ("output", "lm_head")];
/// The same of a layer.
const LAYER: [(&str, &str); 9] = [
    ("attn_norm", "input_layernorm"),
    ("ffn_norm", "post_attention_layernorm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_output", "self_attn.o_proj"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
];

/// The name of the published code; the same where there is none.
fn published(name: &str) -> String {
    renamed(name, ("blk.", "model.layers."), |(short, long)| (short, long))
}

/// The name of llama.cpp.
fn short(name: &str) -> String {
    renamed(name, ("model.layers.", "blk."), |(short, long)| (long, short))
}

fn renamed(
    name: &str,
    (from, to): (&str, &str),
    way: impl Fn((&'static str, &'static str)) -> (&'static str, &'static str),
) -> String {
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
    let find = |names: &[(&'static str, &'static str)], stem: &str| {
        names.iter().map(|pair| way(*pair)).find(|(known, _)| *known == stem).map(|(_, other)| other)
    };
    if let Some(other) = find(&WHOLE, stem) {
        return format!("{other}.{end}");
    }
    let layer = stem.strip_prefix(from).and_then(|rest| rest.split_once('.'));
    match layer.and_then(|(layer, part)| Some((layer, find(&LAYER, part)?))) {
        Some((layer, other)) => format!("{to}{layer}.{other}.{end}"),
        None => name.into(),
    }
}

/// What is known of a model, as far as this program looks at it.
enum Fact {
    Text(String),
    Number(u32),
    Other,
}

/// A file from here on.
struct Rest<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Rest<'a> {
    fn take(&mut self, count: u64) -> Result<&'a [u8], String> {
        let end = usize::try_from(count).ok().and_then(|n| self.at.checked_add(n));
        let bytes = end.and_then(|end| self.file.get(self.at..end)).ok_or("it ends too early")?;
        self.at += bytes.len();
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().expect("four bytes")))
    }

    fn u64(&mut self) -> Result<u64, String> {
        Ok(u64::from_le_bytes(self.take(8)?.try_into().expect("eight bytes")))
    }

    fn text(&mut self) -> Result<String, String> {
        let length = self.u64()?;
        if length > TEXT_LIMIT {
            return Err(format!("it has a text of {length} bytes"));
        }
        // What is no UTF-8 is no name that anybody asks for.
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn fact(&mut self, name: &str) -> Result<Fact, String> {
        match self.u32()? {
            4 => Ok(Fact::Number(self.u32()?)),
            8 => Ok(Fact::Text(self.text()?)),
            9 => {
                let (kind, count) = (self.u32()?, self.u64()?);
                if kind == 8 {
                    for _ in 0..count {
                        self.text()?;
                    }
                } else {
                    let size =
                        size(kind).ok_or_else(|| format!("its {name} is of the unknown kind {kind}"))?;
                    self.take(count.checked_mul(size).ok_or("it ends too early")?)?;
                }
                Ok(Fact::Other)
            }
            kind => {
                let size = size(kind).ok_or_else(|| format!("its {name} is of the unknown kind {kind}"))?;
                self.take(size).map(|_| Fact::Other)
            }
        }
    }
}

/// Bytes of a number of a kind.
fn size(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

/// A file that is being written.
pub struct Writer {
    facts: Vec<u8>,
    known: u64,
    heads: Vec<u8>,
    tensors: Vec<u8>,
    count: u64,
}

/// What is said of a model.
pub enum Said<'a> {
    /// A number.
    Count(u32),
    /// A fraction.
    Real(f32),
    /// Yes or no.
    Truth(bool),
    /// A text.
    Text(&'a str),
    /// Texts.
    Texts(&'a [String]),
    /// Numbers.
    Kinds(&'a [i32]),
}

impl Writer {
    /// A file of the family that this program runs.
    pub fn new() -> Self {
        let mut writer = Self { facts: vec![], known: 0, heads: vec![], tensors: vec![], count: 0 };
        writer.fact(ARCHITECTURE, Said::Text(QWEN));
        writer
    }

    /// Says something of the model.
    pub fn fact(&mut self, name: &str, said: Said) {
        self.known += 1;
        text(&mut self.facts, name);
        let out = &mut self.facts;
        match said {
            Said::Count(n) => out.extend([4_u32, n].into_iter().flat_map(u32::to_le_bytes)),
            Said::Real(v) => {
                out.extend(6_u32.to_le_bytes());
                out.extend(v.to_le_bytes());
            }
            Said::Truth(truth) => {
                out.extend(7_u32.to_le_bytes());
                out.push(truth.into());
            }
            Said::Text(said) => {
                out.extend(8_u32.to_le_bytes());
                text(out, said);
            }
            Said::Texts(texts) => {
                out.extend([9_u32, 8].into_iter().flat_map(u32::to_le_bytes));
                out.extend((texts.len() as u64).to_le_bytes());
                texts.iter().for_each(|said| text(out, said));
            }
            Said::Kinds(kinds) => {
                out.extend([9_u32, 5].into_iter().flat_map(u32::to_le_bytes));
                out.extend((kinds.len() as u64).to_le_bytes());
                out.extend(kinds.iter().flat_map(|k| k.to_le_bytes()));
            }
        }
    }

    /// Adds a tensor, rows first, by its name in the published code.
    pub fn tensor(&mut self, name: &str, shape: &[usize], numbers: &Numbers, bytes: &[u8]) {
        self.count += 1;
        self.tensors.resize(self.tensors.len().next_multiple_of(ALIGNMENT as usize), 0);
        text(&mut self.heads, &short(name));
        self.heads.extend((shape.len() as u32).to_le_bytes());
        self.heads.extend(shape.iter().rev().flat_map(|d| (*d as u64).to_le_bytes()));
        self.heads.extend(numbers.id().to_le_bytes());
        self.heads.extend((self.tensors.len() as u64).to_le_bytes());
        self.tensors.extend(bytes);
    }

    /// The file.
    pub fn finish(self) -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        file.extend(VERSION.to_le_bytes());
        file.extend([self.count, self.known].into_iter().flat_map(u64::to_le_bytes));
        file.extend(self.facts);
        file.extend(self.heads);
        file.resize(file.len().next_multiple_of(ALIGNMENT as usize), 0);
        file.extend(self.tensors);
        file
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_two_programs() {
        let pairs = [
            ("token_embd.weight", "model.embed_tokens.weight"),
            ("output.weight", "lm_head.weight"),
            ("blk.11.attn_q.bias", "model.layers.11.self_attn.q_proj.bias"),
            ("blk.0.ffn_norm.weight", "model.layers.0.post_attention_layernorm.weight"),
            ("rope_freqs.weight", "rope_freqs.weight"),
            ("blk.0.unknown.weight", "blk.0.unknown.weight"),
        ];
        for (llama, code) in pairs {
            assert_eq!((published(llama).as_str(), short(code).as_str()), (code, llama));
        }
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let mut writer = Writer::new();
        writer.fact("a", Said::Texts(&["x".into(), "yz".into()]));
        writer.fact("b", Said::Kinds(&[1, -1, 3]));
        writer.fact("c", Said::Truth(true));
        writer.fact("d", Said::Real(0.5));
        writer.fact("e", Said::Count(9));
        writer.tensor("model.norm.weight", &[3], &Numbers::F32, &[1; 12]);
        writer.tensor("lm_head.weight", &[2, 32], &Numbers::Blocks(Bits::Four), &[2; 36]);
        let file = writer.finish();
        let tensors = read(&file).unwrap();
        assert_eq!(tensors.len(), 2);
        let [norm, head] = ["model.norm.weight", "lm_head.weight"].map(|name| &tensors[name]);
        assert_eq!((&norm.shape[..], &norm.numbers), (&[3][..], &Numbers::F32));
        assert_eq!((&head.shape[..], &head.numbers), (&[2, 32][..], &Numbers::Blocks(Bits::Four)));
        assert_eq!((&file[norm.bytes.clone()], &file[head.bytes.clone()]), (&[1; 12][..], &[2; 36][..]));
        for cut in [3, 10, 30, file.len() - 1] {
            assert!(read(&file[..cut]).is_err(), "{cut} bytes");
        }
        let mut later = file.clone();
        later[4] = 4;
        assert!(read(&later).unwrap_err().contains("version 4"));
    }
}
