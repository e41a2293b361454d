//! Weights in the `.safetensors` form: one file, or several with an index that says which tensor is where; or, of
//! language models, in one GGUF file, where they may be quantized.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safetensors::tensor::{Dtype, SafeTensors};
use serde::Deserialize;

use super::Blocks;
use super::gguf::{self, Numbers, Stored};

/// The one file, and the index of several.
const WHOLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// The one file of quantized weights.
pub const QUANTIZED: &str = "model.gguf";

/// The bytes of a folder's weights, and where each tensor is in them.
#[derive(Default)]
pub struct Weights {
    files: Vec<Arc<Vec<u8>>>,
    /// The file of each tensor, and its place there.
    tensors: HashMap<String, (usize, Stored)>,
    taken: HashSet<String>,
}

/// A matrix as its file has it, row-major.
pub enum Taken {
    /// Numbers of 32 bits.
    Whole(Vec<f32>),
    /// Quantized.
    Blocks(Blocks),
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Weights {
    /// Reads all files of a folder's weights.
    ///
    /// # Errors
    /// The path of a file and what is wrong with it.
    pub fn open(folder: &Path) -> Result<Self, (PathBuf, String)> {
        let quantized = folder.join(QUANTIZED);
        if quantized.is_file() {
            let wrong = |why: String| (quantized.clone(), why);
            if let Some(other) = Self::whole(folder) {
                return Err(wrong(format!("{other} stands beside it, and a model has one or the other")));
            }
            let bytes = std::fs::read(&quantized).map_err(|e| wrong(e.to_string()))?;
            return Self::quantized(bytes.into()).map_err(wrong);
        }
        let index = folder.join(INDEX);
        let names: Vec<String> = if index.is_file() {
            let wrong = |why: String| (index.clone(), why);
            let bytes = std::fs::read(&index).map_err(|e| wrong(e.to_string()))?;
            let Index { weight_map } = serde_json::from_slice(&bytes)
                .map_err(|e| wrong(format!("it is no index of weights ({e})")))?;
            let names: HashSet<String> = weight_map.into_values().collect();
            let mut names: Vec<_> = names.into_iter().collect();
            names.sort_unstable();
            if let Some(elsewhere) = names.iter().find(|name| Path::new(name).components().count() != 1) {
                return Err(wrong(format!("it names {elsewhere:?}, which is not beside it")));
            }
            names
        } else {
            vec![WHOLE.to_owned()]
        };
        let paths: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
        Self::read(&paths)
    }

    /// The file of a folder in which weights are whole, or that says which these are.
    pub fn whole(folder: &Path) -> Option<&'static str> {
        [WHOLE, INDEX].into_iter().find(|name| folder.join(name).is_file())
    }

    /// Reads these files.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn read(paths: &[PathBuf]) -> Result<Self, (PathBuf, String)> {
        let mut weights = Self::default();
        for path in paths {
            let wrong = |why: String| (path.clone(), why);
            let bytes = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
            weights.add_safetensors(bytes).map_err(wrong)?;
        }
        Ok(weights)
    }

    /// The bytes of one `.safetensors` file.
    ///
    /// # Errors
    /// Where they are no such file.
    pub fn of(bytes: Vec<u8>) -> Result<Self, String> {
        let mut weights = Self::default();
        weights.add_safetensors(bytes)?;
        Ok(weights)
    }

    /// The bytes of one GGUF file.
    ///
    /// # Errors
    /// Where they are no such file.
    pub fn quantized(bytes: Arc<Vec<u8>>) -> Result<Self, String> {
        let mut weights = Self::default();
        let tensors = gguf::read(&bytes)?;
        weights.add(bytes, tensors)?;
        Ok(weights)
    }

    fn add_safetensors(&mut self, bytes: Vec<u8>) -> Result<(), String> {
        let wrong = |e| format!("it is no .safetensors file ({e})");
        let (head, metadata) = SafeTensors::read_metadata(&bytes).map_err(wrong)?;
        // The head, and the number before it that says how long it is.
        let begin = head + 8;
        let stored = metadata.tensors().into_iter().map(|(name, info)| {
            let numbers = match info.dtype {
                Dtype::F32 => Numbers::F32,
                Dtype::F16 => Numbers::F16,
                Dtype::BF16 => Numbers::Bf16,
                other => Numbers::Other(format!("{other:?}")),
            };
            let (first, end) = info.data_offsets;
            (name, Stored { shape: info.shape.clone(), numbers, bytes: begin + first..begin + end })
        });
        let stored = stored.collect();
        self.add(bytes.into(), stored)
    }

    fn add(&mut self, bytes: Arc<Vec<u8>>, stored: HashMap<String, Stored>) -> Result<(), String> {
        for (name, stored) in stored {
            if stored.bytes.end > bytes.len() {
                return Err(format!("the tensor {name} is not whole"));
            }
            if self.tensors.insert(name.clone(), (self.files.len(), stored)).is_some() {
                return Err(format!("the tensor {name} stands there twice"));
            }
        }
        self.files.push(bytes);
        Ok(())
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> usize {
        self.files.iter().map(|file| file.len()).sum()
    }

    /// Whether any tensor has blocks.
    pub fn are_quantized(&self) -> bool {
        self.tensors.values().any(|(_, stored)| matches!(stored.numbers, Numbers::Blocks(_)))
    }

    /// Does without a tensor, if it is there.
    pub fn leave(&mut self, name: &str) {
        self.taken.insert(name.to_owned());
    }

    /// The names that begin so.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// A tensor's values, row-major, and its shape.
    ///
    /// # Errors
    /// Where it is not there, or its numbers are of a kind that is not known.
    pub fn any(&mut self, name: &str) -> Result<(Vec<f32>, Vec<usize>), String> {
        let (stored, file) = self.stored(name)?;
        let values = stored.numbers.values(&file[stored.bytes.clone()]);
        let found = (values.map_err(|why| format!("the tensor {name} {why}"))?, stored.shape.clone());
        self.taken.insert(name.to_owned());
        Ok(found)
    }

    /// A tensor's values, row-major.
    ///
    /// # Errors
    /// Where it is not there or has another shape, its numbers are of a kind that is not known, or one is none.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        self.check(name, shape)?;
        Ok(self.any(name)?.0)
    }

    /// A matrix, quantized where its file has it so.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn matrix(&mut self, name: &str, shape: [usize; 2]) -> Result<Taken, String> {
        self.check(name, &shape)?;
        let (Stored { numbers: Numbers::Blocks(bits), bytes, .. }, file) = self.stored(name)? else {
            return self.any(name).map(|(values, _)| Taken::Whole(values));
        };
        let blocks = Blocks::read(*bits, file, bytes.clone(), shape)
            .ok_or_else(|| format!("the tensor {name} has values that are no numbers"))?;
        self.taken.insert(name.to_owned());
        Ok(Taken::Blocks(blocks))
    }

    fn stored(&self, name: &str) -> Result<(&Stored, &Arc<Vec<u8>>), String> {
        let (file, stored) = self.tensors.get(name).ok_or_else(|| format!("the tensor {name} is missing"))?;
        Ok((stored, &self.files[*file]))
    }

    fn check(&self, name: &str, shape: &[usize]) -> Result<(), String> {
        let (Stored { shape: found, .. }, _) = self.stored(name)?;
        match found == shape {
            true => Ok(()),
            false => Err(format!("the tensor {name} is {found:?}, and config.json asks for {shape:?}")),
        }
    }

    /// The first tensor that nobody asked for.
    pub fn left(&self) -> Option<&str> {
        self.names().filter(|name| !self.taken.contains(*name) && !Self::follows(name)).min()
    }

    /// Whether a tensor follows from the configuration: older files keep the rotary embedding's angles.
    pub fn follows(name: &str) -> bool {
        name.ends_with("rotary_emb.inv_freq")
    }
}
