//! Runs networks: one trait, `tract` always, ONNX Runtime where its library is found.
//!
//! A network is an ONNX file. Which engine runs it is decided once, when it is
//! opened, in the order that the caller prefers; asking only for one that is not
//! there is an error that lists those that are. [`decoder`] runs the two networks that say something piece by piece.

pub mod decoder;
mod onnxruntime;
mod tract;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::Fault;
pub use onnxruntime::NO_TELEMETRY;

/// No network of ours is near this size; a larger file is refused before it is read.
const MAX_MODEL_BYTES: u64 = 512 << 20;

/// A dense float tensor, row-major.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tensor {
    /// The sizes of its axes.
    pub shape: Vec<usize>,
    /// The product of `shape` values.
    pub data: Vec<f32>,
}

impl Tensor {
    /// A tensor of zeros.
    pub fn zeros(shape: &[usize]) -> Self {
        Self { shape: shape.to_vec(), data: vec![0.0; shape.iter().product()] }
    }

    /// A tensor of the shape and values given.
    ///
    /// # Errors
    /// [`Fault::Shape`] where the values are not as many as the shape says.
    pub fn new(shape: &[usize], data: Vec<f32>) -> Result<Self, Fault> {
        if shape.iter().product::<usize>() != data.len() {
            return Err(Fault::Shape {
                what: "tensor".into(),
                expected: shape.to_vec(),
                got: vec![data.len()],
            });
        }
        Ok(Self { shape: shape.to_vec(), data })
    }

    /// Takes over a shape and values, in the memory that it has.
    fn assign(&mut self, shape: impl IntoIterator<Item = usize>, data: impl IntoIterator<Item = f32>) {
        self.shape.clear();
        self.shape.extend(shape);
        self.data.clear();
        self.data.extend(data);
    }
}

/// A network that is loaded and ready to run.
pub trait Engine: Send {
    /// Runs the network once.
    ///
    /// Takes the inputs and gives the outputs in the order in which the file names them. The outputs
    /// lie in memory of the engine's own, which the next run uses again.
    ///
    /// # Errors
    /// [`Fault::Inference`] where the inputs do not fit or the engine fails.
    fn run(&mut self, inputs: &[Tensor]) -> Result<&[Tensor], Fault>;

    /// Which engine this is, and on how many threads, for logs.
    fn describe(&self) -> String;
}

/// An engine that this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backend {
    /// Pure Rust, always there.
    Tract,
    /// ONNX Runtime on the CPU, where its library is found.
    OnnxRuntime,
}

impl Backend {
    /// The order in which they are tried where a board does not say: fastest first.
    pub const FASTEST_FIRST: [Self; 2] = [Self::OnnxRuntime, Self::Tract];
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tract => "tract",
            Self::OnnxRuntime => "onnxruntime",
        })
    }
}

impl FromStr for Backend {
    type Err = Fault;

    /// Reads the name that a board file uses.
    fn from_str(name: &str) -> Result<Self, Fault> {
        Self::FASTEST_FIRST.into_iter().find(|b| b.to_string() == name).ok_or_else(|| Fault::Backend {
            wanted: name.into(),
            why: "no such engine".into(),
            have: have(),
        })
    }
}

/// The engines that can run here.
pub fn available() -> Vec<Backend> {
    Backend::FASTEST_FIRST.into_iter().filter(|b| is_available(*b).is_ok()).collect()
}

/// Loads a network from bytes whose hash the caller has checked; `path` is only named in faults.
///
/// `threads` is the number of threads that one run may use, at least 1; `tract` always uses one.
///
/// # Errors
/// [`Fault::Backend`] where the engine is not there, [`Fault::Network`] where the bytes are not a
/// network that it can run.
pub fn open_bytes(
    bytes: &[u8],
    path: &Path,
    backend: Backend,
    threads: usize,
) -> Result<Box<dyn Engine>, Fault> {
    match backend {
        Backend::Tract => Ok(Box::new(tract::Network::load(bytes, path)?)),
        Backend::OnnxRuntime => Ok(Box::new(onnxruntime::Network::load(bytes, path, threads)?)),
    }
}

/// The first engine of `preference` that is there.
///
/// # Errors
/// [`Fault::Backend`] where none is: it says why not, and which there are.
pub fn choose(preference: &[Backend]) -> Result<Backend, Fault> {
    preference.iter().copied().find(|b| is_available(*b).is_ok()).ok_or_else(|| {
        let names: Vec<_> = preference.iter().map(ToString::to_string).collect();
        let why: Vec<_> = passed_over(preference).into_iter().map(|(_, why)| why).collect();
        let why = if why.is_empty() { "none was named".into() } else { why.join(", ") };
        Fault::Backend { wanted: names.join(", "), why, have: have() }
    })
}

/// The engines of `preference` before the one that [`choose`] takes, with the reason why each cannot run.
pub fn passed_over(preference: &[Backend]) -> Vec<(Backend, String)> {
    preference.iter().map_while(|b| is_available(*b).err().map(|why| (*b, why))).collect()
}

fn is_available(backend: Backend) -> Result<(), String> {
    match backend {
        Backend::Tract => Ok(()),
        Backend::OnnxRuntime => onnxruntime::environment().map(|_| ()).map_err(Clone::clone),
    }
}

fn have() -> String {
    available().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The bytes of a network's file.
///
/// # Errors
/// [`Fault::NotSetUp`] where it is missing, [`Fault::File`] where it cannot be read,
/// [`Fault::Network`] where it is far too large.
pub fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let file = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => Fault::NotSetUp { path: path.into() },
        _ => Fault::file(path, source),
    };
    let size = std::fs::metadata(path).map_err(file)?.len();
    if size > MAX_MODEL_BYTES {
        let said = format!("it has {size} bytes, more than any network of ours");
        return Err(Fault::Network { path: path.into(), said });
    }
    std::fs::read(path).map_err(file)
}

/// What an engine said, as a part of one sentence.
fn one_line(said: &str) -> String {
    said.lines().next().unwrap_or_default().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use models::onnx::{Builder, Dim};

    use super::*;

    /// Doubles `[B, T, 3]`, and gives the sum over the last axis as a second output.
    fn doubler() -> Vec<u8> {
        let mut graph = Builder::new("double");
        graph.input("x", &[Dim::Named("B"), Dim::Named("T"), Dim::Fixed(3)]);
        graph.tensor_f32("two", &[1], &[2.0]);
        graph.tensor_f32("ones", &[3, 1], &[1.0; 3]);
        graph.node("Mul", &["x", "two"], &["y"], vec![]);
        graph.node("MatMul", &["x", "ones"], &["sum"], vec![]);
        graph.output("y", &[Dim::Named("B"), Dim::Named("T"), Dim::Fixed(3)]);
        graph.output("sum", &[Dim::Named("B"), Dim::Named("T"), Dim::Fixed(1)]);
        graph.finish(&[])
    }

    fn opened(bytes: &[u8], backend: Backend) -> Result<Box<dyn Engine>, Fault> {
        open_bytes(bytes, Path::new("double.onnx"), backend, 1)
    }

    #[test]
    fn every_engine_gives_outputs_in_the_files_order_for_any_length() {
        for backend in available() {
            let mut engine = opened(&doubler(), backend).unwrap();
            for t in [1, 4] {
                let x = Tensor::new(&[1, t, 3], (0..3 * t).map(|v| v as f32).collect()).unwrap();
                let out = engine.run(std::slice::from_ref(&x)).unwrap();
                assert_eq!(out.len(), 2, "{backend}");
                assert_eq!(out[0].shape, [1, t, 3], "{backend}");
                assert_eq!(out[0].data, x.data.iter().map(|v| v * 2.0).collect::<Vec<_>>(), "{backend}");
                assert_eq!(out[1].shape, [1, t, 1], "{backend}");
                assert_eq!(out[1].data[0], 3.0, "{backend}");
            }
            assert!(engine.describe().contains(&backend.to_string()), "{}", engine.describe());
        }
    }

    #[test]
    fn inputs_that_do_not_fit_are_faults() {
        for backend in available() {
            let mut engine = opened(&doubler(), backend).unwrap();
            assert!(engine.run(&[]).is_err(), "{backend}: no input");
            assert!(engine.run(&[Tensor::zeros(&[1, 2, 5])]).is_err(), "{backend}: wrong axis");
            // It still works afterwards.
            assert!(engine.run(&[Tensor::zeros(&[1, 2, 3])]).is_ok(), "{backend}");
        }
        assert!(Tensor::new(&[2, 2], vec![0.0; 3]).is_err());
    }

    #[test]
    fn damaged_files_are_faults_that_say_what_to_do() {
        let whole = doubler();
        for backend in available() {
            for bad in [&b""[..], b"hello", &whole[..whole.len() / 2], &[0xff; 4096]] {
                let said = opened(bad, backend).err().expect("a damaged file must not load").to_string();
                assert!(said.contains("double.onnx") && said.contains("setup"), "{backend}: {said}");
            }
            // Not every flipped bit matters, but none may panic.
            for at in 0..whole.len() {
                let mut flipped = whole.clone();
                flipped[at] ^= 0x10;
                if let Ok(mut engine) = opened(&flipped, backend) {
                    let _ = engine.run(&[Tensor::zeros(&[1, 2, 3])]);
                }
            }
        }
    }

    #[test]
    fn an_engine_that_is_not_there_is_an_error_that_lists_those_that_are() {
        let said = choose(&[]).unwrap_err().to_string();
        assert!(said.contains("tract"), "{said}");
        let said = "tensorrt".parse::<Backend>().unwrap_err().to_string();
        assert!(said.contains("tensorrt") && said.contains("tract"), "{said}");
        assert_eq!("onnxruntime".parse::<Backend>().unwrap(), Backend::OnnxRuntime);
        assert_eq!(choose(&[Backend::Tract]).unwrap(), Backend::Tract);
        assert_eq!(passed_over(&[Backend::Tract, Backend::OnnxRuntime]), []);
    }

    #[test]
    fn a_missing_file_is_named() {
        let said = read(Path::new("nowhere/x.onnx")).unwrap_err().to_string();
        assert!(said.contains("xtask setup"), "{said}");
        assert!(said.contains("nowhere/x.onnx"), "{said}");
    }
}
