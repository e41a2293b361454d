//! Low-rank adapters (LoRA, Hu et al. 2022, section 4.1) in the form in which `peft` passes them on:
//! `adapter_config.json` and `adapter_model.safetensors`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::module::{Module, Param};
use burn::tensor::{Distribution, Tensor, TensorData, backend::Backend};
use models::whole;
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde::{Deserialize, Serialize};

use super::matrix::Matrix;
use super::network::{Layer, Qwen};
use super::weights::Weights;

/// The projections of a layer, by the names of the published code.
pub const PROJECTIONS: [&str; 7] =
    ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

/// Its two files.
const CONFIG: &str = "adapter_config.json";
const MODEL: &str = "adapter_model.safetensors";
/// Larger ones are no low rank.
const RANK_LIMIT: usize = 4096;

/// A low-rank change of a projection: `x · A · B · scale`.
#[derive(Module, Debug)]
pub struct Lora<B: Backend> {
    /// `[in, R]`.
    pub a: Param<Tensor<B, 2>>,
    /// `[R, out]`.
    pub b: Param<Tensor<B, 2>>,
    scale: f64,
}

impl<B: Backend> Lora<B> {
    /// # Shapes
    /// - `x`: `[B, T, in]`
    /// - returns: `[B, T, out]`
    pub fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        x.matmul(self.a.val().unsqueeze()).matmul(self.b.val().unsqueeze()) * self.scale
    }
}

/// All low-rank changes of a network, apart from it: what is trained while the network stays as it was.
#[derive(Module, Debug)]
pub struct Adapters<B: Backend> {
    /// Of each layer, in the order of [`PROJECTIONS`].
    layers: Vec<Vec<Option<Lora<B>>>>,
}

/// What an adapter is: its rank, its weight, and which projections it changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adapter {
    /// Always `LORA`.
    pub peft_type: String,
    /// Its rank, R.
    pub r: usize,
    /// What is learnt counts this over R.
    pub lora_alpha: f64,
    /// Names of [`PROJECTIONS`].
    pub target_modules: Vec<String>,
    /// Whether what is learnt counts this over √R instead.
    #[serde(default)]
    pub use_rslora: bool,
    /// Whether it is of another kind (Liu et al. 2024), which this program does not have.
    #[serde(default)]
    pub use_dora: bool,
}

impl Adapter {
    /// An adapter of a rank, which counts twice, on these projections.
    pub fn new(r: usize, projections: &[&str]) -> Self {
        Self {
            peft_type: "LORA".into(),
            r,
            lora_alpha: 2.0 * r as f64,
            target_modules: projections.iter().map(|p| (*p).to_owned()).collect(),
            use_rslora: false,
            use_dora: false,
        }
    }

    fn scale(&self) -> f64 {
        let r = self.r as f64;
        self.lora_alpha / if self.use_rslora { r.sqrt() } else { r }
    }

    fn check(&self) -> Result<(), String> {
        if self.peft_type != "LORA" || self.use_dora {
            return Err("it is no plain LoRA adapter".into());
        }
        if !(1..=RANK_LIMIT).contains(&self.r) || !self.lora_alpha.is_finite() {
            return Err(format!("its rank is {} and its alpha {}", self.r, self.lora_alpha));
        }
        match self.target_modules.iter().find(|name| !PROJECTIONS.contains(&name.as_str())) {
            Some(unknown) => {
                Err(format!("it changes {unknown}, which is none of {}", PROJECTIONS.join(", ")))
            }
            None => Ok(()),
        }
    }

    /// Puts a new adapter on a network, which does not change what it says yet.
    ///
    /// # Errors
    /// What is wrong with the adapter.
    pub fn begin<B: Backend>(&self, net: &mut Qwen<B>, device: &B::Device) -> Result<(), String> {
        self.check()?;
        let deviation = 1.0 / (self.r as f64).sqrt();
        self.put(net, |_, [from, to]| {
            let a = Tensor::random([from, self.r], Distribution::Normal(0.0, deviation), device);
            Ok([a, Tensor::zeros([self.r, to], device)])
        })
    }

    /// Reads an adapter from its folder and puts it on a network.
    ///
    /// # Errors
    /// The path of a file and what is wrong with it.
    pub fn load<B: Backend>(
        folder: &Path,
        net: &mut Qwen<B>,
        device: &B::Device,
    ) -> Result<Self, (PathBuf, String)> {
        let path = folder.join(CONFIG);
        let wrong = |why: String| (path.clone(), why);
        let bytes = std::fs::read(&path).map_err(|e| wrong(e.to_string()))?;
        let adapter: Self =
            serde_json::from_slice(&bytes).map_err(|e| wrong(format!("it is no adapter's ({e})")))?;
        adapter.check().map_err(wrong)?;
        let path = folder.join(MODEL);
        let mut weights = Weights::read(std::slice::from_ref(&path))?;
        let put = adapter.put(net, |name, [from, to]| {
            // Files have them turned.
            let mut tensor = |part: &str, shape: [usize; 2]| {
                let values = weights.take(&format!("base_model.model.{name}.lora_{part}.weight"), &shape)?;
                Ok::<_, String>(Tensor::<B, 2>::from_data(TensorData::new(values, shape), device).transpose())
            };
            Ok([tensor("A", [adapter.r, from])?, tensor("B", [to, adapter.r])?])
        });
        put.map_err(|why| (path.clone(), why))?;
        match weights.left() {
            Some(left) => {
                Err((path.clone(), format!("the tensor {left} is on no projection that {CONFIG} names")))
            }
            None => Ok(adapter),
        }
    }

    /// Writes the adapter of a network into a folder.
    ///
    /// # Errors
    /// The path of a file and what the system said.
    pub fn save<B: Backend>(&self, net: &Qwen<B>, folder: &Path) -> Result<(), (PathBuf, std::io::Error)> {
        let put = |name: &str, bytes: &[u8]| {
            let path = folder.join(name);
            whole::write(&path, bytes).map_err(|e| (path, e))
        };
        std::fs::create_dir_all(folder).map_err(|e| (folder.to_owned(), e))?;
        let mut tensors: BTreeMap<String, (Vec<u8>, [usize; 2])> = BTreeMap::new();
        for (l, layer) in net.layers.iter().enumerate() {
            for (i, projection) in layer.projections.iter().enumerate() {
                let Some(lora) = &projection.lora else { continue };
                for (part, tensor) in [("A", &lora.a), ("B", &lora.b)] {
                    let turned = tensor.val().transpose();
                    let shape = turned.dims();
                    let values = turned.into_data().convert::<f32>();
                    let bytes = values.iter::<f32>().flat_map(f32::to_le_bytes).collect();
                    let name = format!("base_model.model.{}.lora_{part}.weight", name(l, i));
                    tensors.insert(name, (bytes, shape));
                }
            }
        }
        let views = tensors.iter().map(|(name, (bytes, shape))| {
            let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes);
            (name, view.expect("a tensor has the bytes of its shape"))
        });
        let bytes = serialize(views, None).expect("names and shapes are sound");
        put(MODEL, &bytes)?;
        put(CONFIG, &serde_json::to_vec_pretty(self).expect("an adapter has text keys only"))
    }

    fn put<B: Backend>(
        &self,
        net: &mut Qwen<B>,
        mut tensors: impl FnMut(&str, [usize; 2]) -> Result<[Tensor<B, 2>; 2], String>,
    ) -> Result<(), String> {
        for (l, layer) in net.layers.iter_mut().enumerate() {
            for (i, projection) in layer.projections.iter_mut().enumerate() {
                if self.target_modules.iter().any(|name| name == PROJECTIONS[i]) {
                    let [to, from] = projection.matrix.shape();
                    let [a, b] = tensors(&name(l, i), [from, to])?;
                    let [a, b] = [a, b].map(Param::from_tensor);
                    projection.lora = Some(Lora { a, b, scale: self.scale() });
                }
            }
        }
        Ok(())
    }
}

/// The name of a layer's projection in the published code.
pub(super) fn name(layer: usize, projection: usize) -> String {
    let part = if projection < 4 { "self_attn" } else { "mlp" };
    format!("model.layers.{layer}.{part}.{}", PROJECTIONS[projection])
}

impl<B: Backend> Qwen<B> {
    /// Its adapters, apart from it.
    pub fn adapters(&self) -> Adapters<B> {
        let of_layer = |layer: &Layer<B>| layer.projections.iter().map(|p| p.lora.clone()).collect();
        Adapters { layers: self.layers.iter().map(of_layer).collect() }
    }

    /// The network with these adapters instead of its own.
    ///
    /// # Panics
    /// Where they are another network's.
    #[must_use]
    pub fn with(mut self, adapters: &Adapters<B>) -> Self {
        assert_eq!(self.layers.len(), adapters.layers.len(), "adapters fit the network that they are from");
        for (layer, loras) in self.layers.iter_mut().zip(&adapters.layers) {
            for (projection, lora) in layer.projections.iter_mut().zip(loras) {
                projection.lora.clone_from(lora);
            }
        }
        self
    }

    /// The network with its adapters become part of its weights; on quantized ones they stay as they are.
    #[must_use]
    pub fn merged(mut self) -> Self {
        for projection in self.layers.iter_mut().flat_map(|layer| &mut layer.projections) {
            let Matrix::Whole(matrix) = &mut projection.matrix else { continue };
            if let Some(Lora { a, b, scale }) = projection.lora.take() {
                let change = a.val().matmul(b.val()) * scale;
                *matrix = Param::from_tensor(matrix.val() + change.transpose());
            }
        }
        self
    }
}
