//! Whether the networks of this unit compute what they computed where they were released.
//!
//! Each network that the unit runs gets an input that is made from its place alone, in every engine that is
//! there, and is held to answers that ONNX Runtime's Python package gave on another machine
//! (`edge/assets/selftest`, with the script that made them). A network with other bytes than those was not
//! tested with this program, and that is a failure too.

use std::path::{Path, PathBuf};

use boards::Board;
use models::manifest::sha256;
use models::store::{self, Store};
use serde::Deserialize;

use super::paper::{Found, rounded};
use crate::engine::{self, Backend, Tensor};

const GOLDEN: &str = include_str!("../../../assets/selftest/golden.json");
/// The largest distance from the golden answer, as a part of the output's largest absolute value. The engines
/// differ from it by up to 1.3e-5 on x86-64; kernels for other processors round otherwise.
const TOLERANCE: f64 = 1e-3;
/// The step from one kept value to the next, as in `make.py`.
const STRIDE: usize = 7919;

/// One network and its answers.
#[derive(Debug, Deserialize)]
struct Case {
    network: String,
    sha256: String,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
}

#[derive(Debug, Deserialize)]
struct Input {
    shape: Vec<usize>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Noise,
    Signed,
    Ones,
    Glosses,
    Steps,
}

#[derive(Debug, Deserialize)]
struct Output {
    values: usize,
    absmax: f64,
    kept: Vec<f64>,
}

impl Kind {
    /// The value at a place, as `values` of `make.py` has it.
    fn value(self, at: usize) -> f32 {
        let noise = || {
            let product = (at as u64).wrapping_mul(2_654_435_761) % (1 << 32);
            (product >> 8) as f32 / (1 << 24) as f32
        };
        match self {
            Self::Noise => noise(),
            Self::Signed => noise() * 2.0 - 1.0,
            Self::Ones => 1.0,
            Self::Glosses => (at % 40) as f32,
            Self::Steps => (at % 20 * 10) as f32,
        }
    }
}

/// Runs all networks in all engines that are there.
pub fn check(board: &Board) -> Found {
    let cases: Vec<Case> = serde_json::from_str(GOLDEN).expect("a test reads it");
    let store = Store::locate();
    let backends = engine::available();
    let mut worst = (0.0, String::new());
    for case in &cases {
        let path = place(&case.network, store.as_ref());
        let path = match path {
            Ok(path) => path,
            Err(said) => return Found::failed(said),
        };
        for backend in &backends {
            match differ(case, &path, *backend, board.engine.threads as usize) {
                Err(said) => return Found::failed(said),
                Ok(difference) if difference > worst.0 => {
                    worst = (difference, format!("{} in {backend}", case.network));
                }
                Ok(_) => {}
            }
        }
    }
    let names: Vec<String> = backends.iter().map(ToString::to_string).collect();
    let (differ, network) = worst;
    let figures = |found: Found| {
        // Parts in a million, so that three digits say something.
        let found = found.with("networks", cases.len()).with("largest_difference_ppm", rounded(differ * 1e6));
        found.with("tolerance_ppm", rounded(TOLERANCE * 1e6))
    };
    if differ > TOLERANCE {
        let next =
            "its processor or memory computes wrongly: run it again, and have the board replaced if it stays";
        return figures(Found::failed(format!("{network} answers otherwise than it should; {next}")));
    }
    figures(Found::passed(format!(
        "{} networks answer as they should in {}",
        cases.len(),
        names.join(" and ")
    )))
}

/// The file of a network: a shipped model's, or one of the store.
fn place(network: &str, store: Option<&Store>) -> Result<PathBuf, String> {
    let (model, file) = match network.split_once('/') {
        Some((model, part)) => (model, format!("{part}.onnx")),
        None => (network, models::manifest::NETWORK.to_owned()),
    };
    if store::SHIPPED.contains(&model) {
        let folder = store::weights(model);
        return folder.map(|folder| folder.join(file)).ok_or_else(|| {
            format!("the model {model} is not there; install a whole bundle, or run this in the checkout")
        });
    }
    let none = || "no store is known; set SIGNPOST_CACHE, or run `cargo xtask setup`".to_owned();
    store.map(|store| store.network(network)).ok_or_else(none)
}

/// The largest distance of one engine's answers from the golden ones, as a part of each output's largest value.
fn differ(case: &Case, path: &Path, backend: Backend, threads: usize) -> Result<f64, String> {
    let bytes = engine::read(path).map_err(|e| e.to_string())?;
    if sha256(&bytes) != case.sha256 {
        return Err(format!(
            "{} is another network than this program was tested with; install one bundle with both",
            path.display()
        ));
    }
    let shaped = |input: &Input| {
        let count = input.shape.iter().product();
        Tensor::new(&input.shape, (0..count).map(|at| input.kind.value(at)).collect())
    };
    let inputs: Vec<Tensor> =
        case.inputs.iter().map(shaped).collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    let mut network = engine::open_bytes(&bytes, path, backend, threads).map_err(|e| e.to_string())?;
    let outputs = network.run(&inputs).map_err(|e| e.to_string())?;
    let shape = |got: Vec<usize>| {
        format!("{} gives outputs of {got:?} values in {backend}; install the bundle again", path.display())
    };
    let got: Vec<usize> = outputs.iter().map(|output| output.data.len()).collect();
    if got != case.outputs.iter().map(|output| output.values).collect::<Vec<_>>() {
        return Err(shape(got));
    }
    let mut worst = 0.0f64;
    for (output, golden) in outputs.iter().zip(&case.outputs) {
        for (k, expect) in golden.kept.iter().enumerate() {
            let value = f64::from(output.data[k * STRIDE % output.data.len()]);
            let distance = (value - expect).abs() / golden.absmax.max(f64::MIN_POSITIVE);
            // What is no number is farther than anything.
            worst = worst.max(if distance.is_finite() { distance } else { f64::MAX });
        }
    }
    Ok(worst)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::NETWORKS;

    fn cases() -> Vec<Case> {
        serde_json::from_str(GOLDEN).unwrap()
    }

    /// The fixture is of the networks that ship: after one has changed, `edge/assets/selftest/make.py` is run again.
    #[test]
    fn every_network_that_the_unit_runs_has_its_answers() {
        let cases = cases();
        let has = |name: &str| cases.iter().any(|case| case.network == name);
        for name in store::SHIPPED.iter().chain(&NETWORKS) {
            assert!(has(name), "{name}: run edge/assets/selftest/make.py");
        }
        for case in cases.iter().filter(|case| !NETWORKS.contains(&case.network.as_str())) {
            let path = place(&case.network, None).unwrap();
            let bytes = engine::read(&path).unwrap();
            assert_eq!(sha256(&bytes), case.sha256, "{}: run edge/assets/selftest/make.py", case.network);
        }
    }

    #[test]
    fn every_engine_answers_as_the_golden_one_and_another_network_is_found() {
        let cases = cases();
        let letters = cases.iter().find(|case| case.network == "asl-letters").unwrap();
        let words = place("asl-words", None).unwrap();
        for backend in engine::available() {
            let path = place(&letters.network, None).unwrap();
            let differ = |case, path: &Path| super::differ(case, path, backend, 1);
            assert!(differ(letters, &path).unwrap() < TOLERANCE, "{backend}");
            let said = differ(letters, &words).unwrap_err();
            assert!(said.contains("is another network than this program was tested with"), "{said}");
            let mut wrong =
                cases.iter().find(|case| case.network == "asl-words").unwrap().outputs[0].kept.clone();
            wrong[0] += 0.01;
            let spoiled = Case {
                outputs: vec![Output { kept: wrong, values: 26, absmax: 4.0 }],
                network: "asl-words".into(),
                sha256: sha256(&engine::read(&words).unwrap()),
                inputs: vec![Input { shape: vec![1, 32, 169], kind: Kind::Signed }],
            };
            assert!(super::differ(&spoiled, &words, backend, 1).unwrap() > TOLERANCE, "{backend}");
        }
    }
}
