//! The fast engine on the CPU: ONNX Runtime, loaded when the program runs.
//!
//! Its library is the one that `ORT_DYLIB_PATH` names, or the one that set-up
//! brought. Where there is none, this engine is simply not available.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use models::store::Store;
use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::{Session, SessionInputValue};
use ort::value::TensorRef;

use super::{Engine, Tensor, one_line};
use crate::Fault;

/// Switches off what ONNX Runtime tells its makers. It must be `1` before the library is loaded.
pub const NO_TELEMETRY: &str = "ORT_DISABLE_TELEMETRY";

/// A network that ONNX Runtime runs.
pub struct Network {
    session: Session,
    threads: usize,
    path: PathBuf,
    outputs: Vec<Tensor>,
}

impl Network {
    /// Parses and optimises an ONNX file.
    pub fn load(bytes: &[u8], path: &Path, threads: usize) -> Result<Self, Fault> {
        let environment = environment().map_err(|why| Fault::Backend {
            wanted: super::Backend::OnnxRuntime.to_string(),
            why: why.clone(),
            have: super::Backend::Tract.to_string(),
        })?;
        let fault = |said: String| Fault::Network { path: path.into(), said: one_line(&said) };
        let mut builder = Session::builder(environment)
            .map_err(|e| fault(e.to_string()))?
            .with_intra_threads(threads.max(1))
            .map_err(|e| fault(e.to_string()))?
            // What goes wrong comes back as a fault: it is not to be printed as well.
            .with_log_level(LogLevel::Fatal)
            .map_err(|e| fault(e.to_string()))?
            // Threads that spin between runs would starve the rest of the unit.
            .with_config_entry("session.intra_op.allow_spinning", "0")
            .map_err(|e| fault(e.to_string()))?;
        let session = builder.commit_from_memory(bytes).map_err(|e| fault(e.to_string()))?;
        let outputs = vec![Tensor::default(); session.outputs().len()];
        Ok(Self { session, threads: threads.max(1), path: path.into(), outputs })
    }
}

impl Engine for Network {
    fn run(&mut self, inputs: &[Tensor]) -> Result<&[Tensor], Fault> {
        let path = &self.path;
        let fault = |said: String| Fault::Inference { path: path.clone(), said: one_line(&said) };
        if inputs.len() != self.session.inputs().len() {
            let wants = self.session.inputs().len();
            return Err(fault(format!("it takes {wants} inputs and was given {}", inputs.len())));
        }
        let values: Vec<SessionInputValue> = inputs
            .iter()
            .map(|t| TensorRef::from_array_view((t.shape.as_slice(), t.data.as_slice())).map(Into::into))
            .collect::<ort::Result<_>>()
            .map_err(|e| fault(e.to_string()))?;
        let outputs = self.session.run(values.as_slice()).map_err(|e| fault(e.to_string()))?;
        for (kept, value) in self.outputs.iter_mut().zip(outputs.values()) {
            let (shape, data) = value.try_extract_tensor::<f32>().map_err(|e| fault(e.to_string()))?;
            kept.assign(shape.iter().map(|&d| usize::try_from(d).unwrap_or(0)), data.iter().copied());
        }
        Ok(&self.outputs)
    }

    fn describe(&self) -> String {
        let plural = if self.threads == 1 { "" } else { "s" };
        format!("onnxruntime, {} thread{plural}", self.threads)
    }
}

/// The process's one environment, or why there is none.
pub fn environment() -> Result<&'static Environment, &'static String> {
    static ENVIRONMENT: OnceLock<Result<Environment, String>> = OnceLock::new();
    ENVIRONMENT.get_or_init(load).as_ref()
}

fn load() -> Result<Environment, String> {
    let path = std::env::var_os("ORT_DYLIB_PATH")
        .filter(|p| !p.is_empty())
        .map(PathBuf::from)
        .or_else(|| Store::locate().map(|store| store.onnxruntime()))
        .ok_or("there is no store to look for ONNX Runtime's library in")?;
    if !path.is_file() {
        return Err(format!("ONNX Runtime's library is not at {}", path.display()));
    }
    // The library makes an identifier and a database for its makers in the user's cache when it is
    // loaded, whatever its interface is told later; nothing of a unit may go to anybody.
    if std::env::var_os(NO_TELEMETRY).is_none_or(|v| v != "1") {
        return Err(format!("ONNX Runtime would report to its makers; set {NO_TELEMETRY}=1"));
    }
    let environment = ort::init_from(&path).map_err(|e| one_line(&e.to_string()))?;
    environment.with_telemetry(false).build().map_err(|e| one_line(&e.to_string()))
}
