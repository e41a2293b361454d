//! `signpost-host train` of a recogniser of continuous signing, on the real clips: both its stages, and what is made of
//! their result.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use models::live::{LiveModel, RESCORE};
use serde_json::Value;
use tests::{data, program, run};

const STEPS: &str = "8";

/// Steps of the rescorer where the recipe's 2400 are these: its own in proportion.
const RESCORER_STEPS: usize = 3;

#[test]
fn a_recogniser_is_trained_in_two_stages_and_goes_on_in_the_second() {
    let Some(data) = data("a_recogniser_is_trained_in_two_stages_and_goes_on_in_the_second") else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let train = || {
        let mut command = Command::new(program("signpost-host"));
        command.args(["train", "asl-hall", "--steps", STEPS, "--save-every", "1"]);
        command.arg("--data").arg(&data).arg("--out").arg(&out);
        command
    };
    let checkpoint = out.join("rescorer/checkpoint/state.bin");
    let mut killed = train().stderr(Stdio::null()).spawn().unwrap();
    while !checkpoint.is_file() && killed.try_wait().unwrap().is_none() {}
    killed.kill().unwrap();
    assert!(!killed.wait().unwrap().success() && checkpoint.is_file(), "it was killed in its second stage");

    let output = train().output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("asl-hall: goes on from step {STEPS} of {STEPS}")), "{said}");
    assert!(said.contains("asl-hall rescorer: goes on from step"), "{said}");
    assert!(said.contains(&format!("of {RESCORER_STEPS}, as ")), "{said}");
    assert!(!checkpoint.exists() && !out.join("checkpoint").exists(), "no checkpoint stays");

    let model = LiveModel::open(&out).unwrap();
    let rescorer = model.manifest.rescorer.as_ref().unwrap();
    assert_eq!(model.rescorer.as_deref().unwrap(), fs::read(out.join(RESCORE)).unwrap());
    assert!(rescorer.confidence.iter().all(|w| w.is_finite()) && rescorer.accept >= 0.6);

    let corpus = dir.path().join("corpus");
    let made = run("signpost-host", synth(&data, &corpus));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let whole = evaluate(&out, &corpus, &[]);
    let live = evaluate(&out, &corpus, &["--live"]);
    // Nobody can read after so few steps; both ways count the same signs.
    let signs = |report: &Value| ["hits", "substitutions", "deletions"].map(|k| report[k].as_u64().unwrap());
    assert_eq!(signs(&whole).iter().sum::<u64>(), signs(&live).iter().sum::<u64>());
    assert_eq!((&live["live"]["rescored"], &live["live"]["rescored_after_s"]), (&0.into(), &Value::Null));
}

#[test]
fn what_a_recogniser_cannot_go_without_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().to_str().unwrap();
    let args = ["train", "asl-hall", "--data", dir, "--out", dir, "--without", "augmentation,noise"];
    assert!(
        tests::refusal(&run("signpost-host", args)).contains("\"noise\" is not synthesis or augmentation")
    );
}

fn synth(data: &Path, corpus: &Path) -> Vec<String> {
    let [data, corpus] = [data, corpus].map(|path| path.to_str().unwrap());
    ["synth", "asl-hall", "--data", data, "--out", corpus, "--split", "val", "--count", "3"]
        .map(Into::into)
        .to_vec()
}

/// The report of an evaluation.
#[track_caller]
fn evaluate(model: &Path, corpus: &Path, more: &[&str]) -> Value {
    let [model, corpus] = [model, corpus].map(|path| path.to_str().unwrap());
    let output = run(
        "signpost-host",
        ["evaluate", "continuous", "--model", model, "--data", corpus, "--json"].iter().chain(more),
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
