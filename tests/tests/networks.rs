//! The converted landmark networks answer as the TFLite interpreter does, in both engines.
//!
//! `parity/tflite/networks.json` holds what the interpreter answers to a made-up
//! picture; `make.py` beside it says how it was made.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::collections::BTreeMap;
use std::io::Cursor;

use models::store::Store;
use tests::skip;

/// The largest distance from the interpreter's answer, as a part of the output's largest absolute value.
///
/// The interpreter's own two sets of kernels differ by up to 4.1e-5 of it on these outputs
/// (`kernels_differ` in the fixture).
const TOLERANCE: f64 = 1e-4;
/// The body network's silhouette, which set-up leaves out.
const SILHOUETTE: (&str, &str) = ("pose_landmark_full", "Identity_2");
/// What is added to it: the logistic function near 0 is good to some 1e-7, however small its value.
const ABSOLUTE: f64 = 1e-6;
/// The edge of the picture's blocks, as in `make.py`.
const BLOCK_PX: usize = 16;
/// The step from one kept value to the next, as in `make.py`.
const STRIDE: usize = 7919;
/// No output is left out.
const NONE: &[&str] = &[];

/// One output of a network: its shape and its values, row-major.
type Output = (Vec<usize>, Vec<f32>);

/// A network, and what the interpreter answers.
#[derive(serde::Deserialize)]
struct Case {
    /// The shape of its one input, `[1, H, W, 3]`.
    input: [usize; 4],
    outputs: Vec<Expect>,
    #[serde(skip)]
    onnx: Vec<u8>,
}

#[derive(serde::Deserialize)]
struct Expect {
    name: String,
    shape: Vec<usize>,
    absmax: f64,
    mean_abs: f64,
    kernels_differ: f64,
    values: Vec<f64>,
}

#[test]
fn tract_answers_as_tflite() {
    for (name, case) in cases("tract_answers_as_tflite") {
        check("tract", &name, &case, &tract(&case));
    }
}

#[test]
fn onnx_runtime_answers_as_tflite() {
    const TEST: &str = "onnx_runtime_answers_as_tflite";
    let Some(library) = Store::locate().map(|s| s.onnxruntime()).filter(|l| l.is_file()) else {
        return skip(TEST, "the store has no libonnxruntime.so (run `cargo xtask setup`)");
    };
    let environment = ort::init_from(library).unwrap().with_telemetry(false).build().unwrap();
    for (name, case) in cases(TEST) {
        check("onnxruntime", &name, &case, &onnx_runtime(&environment, &case));
    }
}

/// What is left of a network without one of its outputs answers as before.
#[test]
fn an_output_that_is_left_out_changes_no_other() {
    let fixture = include_str!("../parity/tflite/networks.json");
    let mut case = serde_json::from_str::<BTreeMap<String, Case>>(fixture).unwrap().remove("tiny").unwrap();
    let tiny = include_bytes!("../parity/tflite/tiny.tflite");
    let whole = models::tflite::to_onnx(tiny, "tiny", NONE).unwrap().len();
    while case.outputs.len() > 1 {
        let left_out = case.outputs.remove(0).name;
        let names: Vec<&str> = case.outputs.iter().map(|o| o.name.as_str()).collect();
        let unused: Vec<&str> =
            ["part", "again", "mean", "layer"].into_iter().filter(|n| !names.contains(n)).collect();
        case.onnx = models::tflite::to_onnx(tiny, "tiny", &unused).unwrap();
        assert!(case.onnx.len() < whole, "without {left_out} there is less to compute");
        check("tract", "tiny", &case, &tract(&case));
    }
    let said = models::tflite::to_onnx(tiny, "tiny", &["mask"]).unwrap_err().to_string();
    assert!(said.contains("\"mask\""), "{said}");
}

/// The tiny network, and every landmark network that the store has.
fn cases(test: &str) -> BTreeMap<String, Case> {
    let fixture = include_str!("../parity/tflite/networks.json");
    let mut cases: BTreeMap<String, Case> = serde_json::from_str(fixture).unwrap();
    cases.retain(|name, case| {
        if name == "tiny" {
            case.onnx =
                models::tflite::to_onnx(include_bytes!("../parity/tflite/tiny.tflite"), name, NONE).unwrap();
            return true;
        }
        case.outputs.retain(|output| (name.as_str(), output.name.as_str()) != SILHOUETTE);
        match Store::locate().and_then(|s| std::fs::read(s.network(name)).ok()) {
            Some(onnx) => case.onnx = onnx,
            None => skip(test, format_args!("the store has no {name} (run `cargo xtask setup`)")),
        }
        !case.onnx.is_empty()
    });
    cases
}

#[track_caller]
fn check(engine: &str, network: &str, case: &Case, outputs: &[Output]) {
    assert_eq!(outputs.len(), case.outputs.len(), "{network}: number of outputs");
    for (expect, (shape, values)) in case.outputs.iter().zip(outputs) {
        let (name, range) = (&expect.name, expect.absmax);
        assert_eq!(*shape, expect.shape, "{network} {name}");
        let kept = expect.values.iter().enumerate();
        let distance = kept.map(|(k, v)| (f64::from(values[k * STRIDE % values.len()]) - v).abs());
        let worst = distance.fold(0.0, f64::max);
        let mean = values.iter().map(|v| f64::from(v.abs())).sum::<f64>() / values.len() as f64;
        let mean = (mean - expect.mean_abs).abs();
        println!(
            "{engine} {network} {name}: {worst:.1e} away on a range of {range:.4}, TFLite's own kernels {:.1e}",
            expect.kernels_differ
        );
        let tolerance = ABSOLUTE + range * TOLERANCE;
        assert!(worst <= tolerance, "{engine} {network} {name}: {worst} away on a range of {range}");
        assert!(
            mean <= tolerance,
            "{engine} {network} {name}: its mean is {mean} away on a range of {range}"
        );
    }
}

fn tract(case: &Case) -> Vec<Output> {
    use tract_onnx::prelude::*;
    let plan = tract_onnx::onnx().model_for_read(&mut Cursor::new(&case.onnx)).unwrap();
    let plan = plan.into_optimized().unwrap().into_runnable().unwrap();
    let input = Tensor::from_shape(&case.input, &picture(case.input)).unwrap();
    let outputs = plan.run(tvec!(input.into_tvalue())).unwrap();
    let views = outputs.iter().map(|o| o.to_plain_array_view::<f32>().unwrap());
    views.map(|v| (v.shape().to_vec(), v.iter().copied().collect())).collect()
}

fn onnx_runtime(environment: &ort::environment::Environment, case: &Case) -> Vec<Output> {
    let builder = ort::session::Session::builder(environment).unwrap();
    let mut session = builder.with_intra_threads(1).unwrap().commit_from_memory(&case.onnx).unwrap();
    let picture = picture(case.input);
    let input = ort::value::TensorRef::from_array_view((case.input, picture.as_slice())).unwrap();
    let outputs = session.run(ort::inputs![input]).unwrap();
    let views = outputs.values().map(|o| {
        let (shape, values) = o.try_extract_tensor::<f32>().unwrap();
        (shape.iter().map(|&d| d as usize).collect(), values.to_vec())
    });
    views.collect()
}

/// The picture of `make.py`: coarse blocks under fine noise.
fn picture([_, height, width, channels]: [usize; 4]) -> Vec<f32> {
    let mut state: u32 = 1;
    let mut draw = |count: usize| -> Vec<u32> {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 24
        };
        (0..count).map(|_| next()).collect()
    };
    let (down, across) = (height.div_ceil(BLOCK_PX), width.div_ceil(BLOCK_PX));
    let coarse = draw(down * across * channels);
    let fine = draw(height * width * channels);
    let value = |(i, fine): (usize, u32)| {
        let (y, x, c) = (i / channels / width, i / channels % width, i % channels);
        let block = coarse[(y / BLOCK_PX * across + x / BLOCK_PX) * channels + c];
        (3 * block + fine) as f32 / 1024.0
    };
    fine.into_iter().enumerate().map(value).collect()
}
