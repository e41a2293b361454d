//! Weights in the `.safetensors` form: one file, or several with an index that says which tensor is where.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::Deserialize;

/// The one file, and the index of several.
const WHOLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// The bytes of a folder's weights, and where each tensor is in them.
pub struct Weights {
    files: Vec<Vec<u8>>,
    /// The file of each tensor.
    places: HashMap<String, usize>,
    taken: HashSet<String>,
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

    /// Reads these files.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn read(paths: &[PathBuf]) -> Result<Self, (PathBuf, String)> {
        let mut weights = Self { files: vec![], places: HashMap::new(), taken: HashSet::new() };
        for path in paths {
            let wrong = |why: String| (path.clone(), why);
            let bytes = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
            weights.add(bytes).map_err(wrong)?;
        }
        Ok(weights)
    }

    /// The bytes of one file.
    ///
    /// # Errors
    /// Where they are no such file.
    pub fn of(bytes: Vec<u8>) -> Result<Self, String> {
        let mut weights = Self { files: vec![], places: HashMap::new(), taken: HashSet::new() };
        weights.add(bytes)?;
        Ok(weights)
    }

    fn add(&mut self, bytes: Vec<u8>) -> Result<(), String> {
        let tensors =
            SafeTensors::deserialize(&bytes).map_err(|e| format!("it is no .safetensors file ({e})"))?;
        for name in tensors.names() {
            if self.places.insert(name.to_owned(), self.files.len()).is_some() {
                return Err(format!("the tensor {name} stands there twice"));
            }
        }
        self.files.push(bytes);
        Ok(())
    }

    /// Whether there is a tensor of the name.
    pub fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// The names that begin so.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// A tensor's values, row-major, and its shape.
    ///
    /// # Errors
    /// Where it is not there, or its numbers are of a kind that is not known.
    pub fn any(&mut self, name: &str) -> Result<(Vec<f32>, Vec<usize>), String> {
        let place = self.places.get(name).ok_or_else(|| format!("the tensor {name} is missing"))?;
        let tensors = SafeTensors::deserialize(&self.files[*place]).map_err(|e| e.to_string())?;
        let view = tensors.tensor(name).map_err(|e| e.to_string())?;
        self.taken.insert(name.to_owned());
        Ok((values(name, &view)?, view.shape().to_vec()))
    }

    /// A tensor's values, row-major.
    ///
    /// # Errors
    /// Where it is not there or has another shape, its numbers are of a kind that is not known, or one is none.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let (values, found) = self.any(name)?;
        if found != shape {
            return Err(format!("the tensor {name} is {found:?}, and config.json asks for {shape:?}"));
        }
        Ok(values)
    }

    /// The first tensor that nobody asked for.
    pub fn left(&self) -> Option<&str> {
        // Older files keep the rotary embedding's angles, which follow from the configuration.
        let left =
            self.names().filter(|name| !self.taken.contains(*name) && !name.ends_with("rotary_emb.inv_freq"));
        left.min()
    }
}

fn values(name: &str, view: &TensorView) -> Result<Vec<f32>, String> {
    let bytes = view.data();
    let pairs = || bytes.chunks_exact(2).map(|b| [b[0], b[1]]);
    let values: Vec<f32> = match view.dtype() {
        Dtype::F32 => bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        Dtype::F16 => pairs().map(|b| f16::from_le_bytes(b).to_f32()).collect(),
        Dtype::BF16 => pairs().map(|b| bf16::from_le_bytes(b).to_f32()).collect(),
        other => {
            return Err(format!("the tensor {name} is {other:?}, and this program reads F32, F16 and BF16"));
        }
    };
    match values.iter().all(|v| v.is_finite()) {
        true => Ok(values),
        false => Err(format!("the tensor {name} has values that are no numbers")),
    }
}
