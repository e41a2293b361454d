//! SignX learns made-up signs, is killed and goes on, and reads what it learnt.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use host::data::{TimedGloss, Utterance, write_utterances};
use models::pose::rows::{ROW_258, rows258_to_track};
use models::pose_file::write_track_file;
use models::utterance::INDEX;
use safetensors::SafeTensors;
use serde_json::Value;
use tempfile::TempDir;

/// Frames a second, and frames of a sign and of a rest.
const FPS: f32 = 12.0;
const SIGN: usize = 6;
const REST: usize = 3;
/// Where the right hand is in each sign, in widths of the picture.
const SIGNS: [(&str, [f32; 2]); 3] = [("HIGH", [0.5, 0.2]), ("LOW", [0.5, 0.55]), ("ASIDE", [0.1, 0.5])];

/// A frame of somebody whose right hand is somewhere.
fn frame(hand: Option<[f32; 2]>) -> Vec<f32> {
    let mut row = vec![0.0; ROW_258];
    for (k, x) in [(11, 0.6), (12, 0.4)] {
        row[k * 4..k * 4 + 4].copy_from_slice(&[x, 0.4, 0.0, 1.0]);
    }
    if let Some([x, y]) = hand {
        for (i, point) in row[195..].chunks_exact_mut(3).enumerate() {
            point.copy_from_slice(&[x + 0.002 * i as f32, y + 0.003 * i as f32, 0.01]);
        }
    }
    row
}

/// A corpus of all utterances of one and two signs, in a turn that tells them apart.
fn corpus(folder: &Path, shift: f32) {
    fs::create_dir_all(folder).unwrap();
    let ones = (0..3).map(|a| vec![a]);
    let twos = (0..9).map(|i| vec![i / 3, i % 3]);
    let write = |(i, signs): (usize, Vec<usize>)| {
        let (mut rows, mut glosses) = (vec![], vec![]);
        let rest = |rows: &mut Vec<f32>| (0..REST).for_each(|_| rows.extend(frame(None)));
        for sign in signs {
            rest(&mut rows);
            let start_s = rows.len() as f64 / ROW_258 as f64 / f64::from(FPS);
            let (gloss, [x, y]) = SIGNS[sign];
            (0..SIGN).for_each(|_| rows.extend(frame(Some([x + shift, y]))));
            let end_s = rows.len() as f64 / ROW_258 as f64 / f64::from(FPS);
            glosses.push(TimedGloss { gloss: gloss.into(), start_s, end_s, confidence: None });
        }
        rest(&mut rows);
        let pose = format!("{i}.pose");
        write_track_file(folder.join(&pose), &rows258_to_track(&rows, FPS, [640, 640]).unwrap()).unwrap();
        Utterance { id: format!("u{i}"), pose: Some(pose), glosses, ..Utterance::default() }
    };
    let utterances: Vec<Utterance> = ones.chain(twos).enumerate().map(write).collect();
    write_utterances(&folder.join(INDEX), &utterances).unwrap();
}

struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        corpus(&dir.path().join("data/train"), 0.0);
        corpus(&dir.path().join("data/dev"), 0.01);
        Self(dir)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn train(&self, out: &str, steps: usize) -> Command {
        let mut command = self.stage("signx-tiny", "data", out, steps);
        command.args(["--save-every", "3"]);
        command
    }

    fn stage(&self, recipe: &str, data: &str, out: &str, steps: usize) -> Command {
        let mut command = Command::new(tests::program("signpost-host"));
        let rate = match recipe {
            "signx-video" => "0.005",
            "signx-adapt" | "signx-joint" => "0.001",
            _ => "0.01",
        };
        command.args(["train", recipe, "--rate", rate, "--steps"]).arg(steps.to_string());
        command.arg("--data").arg(self.at(data)).arg("--out").arg(self.at(out));
        command
    }

    /// The word error rate of what was said.
    fn wer(&self, said: &str, data: &str) -> f64 {
        let mut score = Command::new(tests::program("signpost-host"));
        score.args(["evaluate", "continuous", "--json", "--hypothesis"]).arg(self.at(said));
        let score = score.arg("--data").arg(self.at(data)).output().unwrap();
        assert!(score.status.success(), "{}", String::from_utf8_lossy(&score.stderr));
        let report = String::from_utf8(score.stdout).unwrap();
        let report: Value = serde_json::from_str(report.lines().last().unwrap()).unwrap();
        report["wer"].as_f64().unwrap()
    }

    /// Runs a command of SignX's with these options, whose values are names in the bench.
    #[track_caller]
    fn signx(&self, command: &str, options: &[(&str, &str)]) -> (bool, String) {
        let mut run = Command::new(tests::program("signpost-host"));
        run.arg("signx").args(command.split(' '));
        options.iter().for_each(|(option, name)| {
            run.arg(option).arg(self.at(name));
        });
        let output = run.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn a_killed_training_of_signx_ends_with_the_bytes_of_one_that_was_not() {
    let bench = Bench::new();
    assert!(bench.train("whole", 9).output().unwrap().status.success());
    let mut run = bench.train("killed", 9).stderr(Stdio::null()).spawn().unwrap();
    let checkpoint = bench.at("killed/checkpoint/state.bin");
    while !checkpoint.is_file() && run.try_wait().unwrap().is_none() {}
    run.kill().unwrap();
    assert!(!run.wait().unwrap().success() && checkpoint.is_file(), "it was killed after a checkpoint");
    let again = bench.train("killed", 9).output().unwrap();
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(again.status.success() && said.contains("goes on from step"), "{said}");
    for file in ["weights.safetensors", "manifest.json"] {
        let [whole, killed] = ["whole", "killed"].map(|out| fs::read(bench.at(out).join(file)).unwrap());
        assert!(whole == killed, "{file} differs");
    }
}

#[test]
fn it_reads_the_signs_that_it_learnt_and_refuses_a_model_that_was_changed() {
    let bench = Bench::new();
    let output = bench.train("model", 300).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let manifest: Value =
        serde_json::from_slice(&fs::read(bench.at("model/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["glosses"], serde_json::json!(["ASIDE", "HIGH", "LOW"]));

    let options = [("--model", "model"), ("--data", "data/dev"), ("--said", "said.jsonl")];
    let (done, said) = bench.signx("read", &options);
    assert!(done, "{said}");
    let wer = bench.wer("said.jsonl", "data/dev");
    // 21 signs. Who says the same of every utterance is right of a third of them.
    assert!(wer < 0.15, "{wer}");
    assert_eq!(manifest["metrics"][1]["value"], wer, "it reads what training measured");

    let (done, said) =
        bench.signx("read --exported", &[&options[..2], &[("--said", "exported.jsonl")]].concat());
    assert!(done, "{said}");
    let [ours, theirs] = ["said.jsonl", "exported.jsonl"].map(|said| fs::read(bench.at(said)).unwrap());
    assert!(ours == theirs, "exported it says the same");

    let (done, said) = bench.signx("export", &[("--model", "model"), ("--out", "onnx")]);
    assert!(
        done && bench.at("onnx/encoder.onnx").is_file() && bench.at("onnx/step.onnx").is_file(),
        "{said}"
    );

    read_on_a_unit(&bench);

    let path = bench.at("model/manifest.json");
    let stated = fs::read_to_string(&path).unwrap();
    fs::write(&path, stated.replace("\"measure\": 2", "\"measure\": 1")).unwrap();
    let (done, said) = bench.signx("read", &options);
    assert!(!done && said.contains("measure 1") && said.contains("train it again"), "{said}");
    fs::write(&path, stated).unwrap();

    let weights = bench.at("model/weights.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&weights, bytes).unwrap();
    let (done, said) = bench.signx("read", &options);
    assert!(!done && said.contains("not the file that the manifest vouches for"), "{said}");
    fs::remove_file(&weights).unwrap();
    let (done, said) = bench.signx("read", &options);
    assert!(!done && said.contains("weights.safetensors") && said.contains("give a folder"), "{said}");
}

/// A unit reads the same signs with it when they are over, by landmarks alone.
fn read_on_a_unit(bench: &Bench) {
    let options = [("--model", "model"), ("--dev", "data/dev"), ("--out", "unit")];
    let (done, said) = bench.signx("export", &options);
    assert!(!done && said.contains("mediapipe alone"), "{said}");
    let (done, said) = bench.signx("export --track mediapipe", &options);
    assert!(done && said.contains("a gloss is said from a confidence of"), "{said}");
    let signed: Vec<Utterance> = fs::read_to_string(bench.at("data/dev").join(INDEX))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut right = 0;
    for utterance in &signed {
        let mut read = Command::new(tests::program("signpost"));
        read.args(["read", "--json", "--no-enrolled", "--model"]).arg(bench.at("unit"));
        read.arg(bench.at("data/dev").join(utterance.pose.as_ref().unwrap()));
        let output = read.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).unwrap();
        let events = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let said = events.filter(|event| event["event"] == "utterance");
        let said: Vec<String> = said.map(|event| event["text"].as_str().unwrap().into()).collect();
        let glosses: Vec<&str> = utterance.glosses.iter().map(|gloss| gloss.gloss.as_str()).collect();
        right += usize::from(said.join(" ") == glosses.join(" "));
    }
    assert!(right >= 10, "{right} of {}", signed.len());
}

#[test]
fn its_second_stage_reads_the_video_of_the_signs() {
    let bench = Bench::new();
    // The same people in both: twelve are too few to read strangers by.
    for part in ["train", "dev"] {
        let render = Command::new(tests::program("signpost-host"))
            .args(["signx", "render", "--video", "24", "--poses"])
            .arg(bench.at("data").join(part))
            .arg("--out")
            .arg(bench.at("five").join(part))
            .output()
            .unwrap();
        assert!(render.status.success(), "{}", String::from_utf8_lossy(&render.stderr));
    }
    let output = bench.stage("signx-tiny", "five", "base", 300).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = bench.stage("signx-video", "five", "video", 3).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("--base"), "{said}");
    let output = bench
        .stage("signx-video", "five", "video", 1600)
        .arg("--base")
        .arg(bench.at("base"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let read = |model: &str| {
        let mut run = Command::new(tests::program("signpost-host"));
        run.args(["signx", "read", "--video", "--model"]).arg(bench.at(model));
        run.arg("--data").arg(bench.at("five/dev")).arg("--said").arg(bench.at("said.jsonl"));
        let output = run.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (done, said) = read("video");
    assert!(done, "{said}");
    let wer = bench.wer("said.jsonl", "five/dev");
    // Who says the same of every utterance is right of a third.
    let most = 0.25;
    assert!(wer < most, "{wer}");
    let manifest: Value =
        serde_json::from_slice(&fs::read(bench.at("video/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["metrics"][1]["value"], wer, "it reads what training measured");
    let (done, said) = read("base");
    assert!(!done && said.contains("reads no videos"), "{said}");

    let options = [("--model", "video"), ("--data", "five/dev"), ("--said", "exported.jsonl")];
    let (done, said) = bench.signx("read --video --exported", &options);
    assert!(done, "{said}");
    let [ours, theirs] = ["said.jsonl", "exported.jsonl"].map(|said| fs::read(bench.at(said)).unwrap());
    assert!(ours == theirs, "exported it says the same");
    let (done, said) = bench.signx("export", &[("--model", "video"), ("--out", "onnx")]);
    assert!(done && said.contains("what reads videos as well"), "{said}");
    assert!(["look.onnx", "tracks.onnx"].iter().all(|file| bench.at("onnx").join(file).is_file()));

    let adapt = |base: &str| {
        bench.stage("signx-adapt", "five", "adapted", 60).arg("--base").arg(bench.at(base)).output().unwrap()
    };
    let output = adapt("base");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("`train signx-video` wrote"), "{said}");
    symlink(bench.at("data/train"), bench.at("five/recorded")).unwrap();
    let output = adapt("video");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("12 utterances without a video"), "{said}");
    let (done, said) = read("adapted");
    assert!(done, "{said}");
    let adapted = bench.wer("said.jsonl", "five/dev");
    // What is left to learn is a sign or two of these few, which chance gives and takes.
    assert!(adapted < most, "{adapted} after, {wer} before");
    let [before, after] = ["video", "adapted"].map(|model| {
        ["weights.safetensors", "video2pose.safetensors"]
            .map(|file| fs::read(bench.at(model).join(file)).unwrap())
    });
    assert!(before[1] == after[1], "what gives the tracks stays");
    // More than the average of weights that stayed would be off by rounding.
    let memory = |bytes: &[u8]| values(bytes, "codebook.memory.weight");
    let moved = farthest(&memory(&before[0]), &memory(&after[0]));
    assert!(moved > 1e-3, "who reads the tracks has learnt: {moved}");

    let joint = bench.stage("signx-joint", "five", "joint", 60).arg("--base").arg(bench.at("video")).output();
    let joint = joint.unwrap();
    assert!(joint.status.success(), "{}", String::from_utf8_lossy(&joint.stderr));
    let (done, said) = read("joint");
    assert!(done, "{said}");
    let joint = bench.wer("said.jsonl", "five/dev");
    assert!(joint < most, "{joint} after, {wer} before");
    let looks = |model: &str| {
        let bytes = fs::read(bench.at(model).join("video2pose.safetensors")).unwrap();
        values(&bytes, "spatial.patches.weight")
    };
    let moved = farthest(&looks("video"), &looks("joint"));
    assert!(moved > 1e-3, "what gives the tracks has learnt as well: {moved}");

    let again = bench.stage("signx-video", "five", "again", 1).arg("--base").arg(bench.at("video")).output();
    let again = again.unwrap();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    // A rate of 0.005 moves a weight so far in a step; a new network's are 0.3 apart.
    let moved = farthest(&looks("video"), &looks("again"));
    assert!(moved < 0.02, "the second stage goes on from one that was learnt: {moved}");
}

/// The numbers of a tensor.
fn values(bytes: &[u8], name: &str) -> Vec<f32> {
    let tensors = SafeTensors::deserialize(bytes).unwrap();
    let values = tensors.tensor(name).unwrap();
    values.data().chunks_exact(4).map(|v| f32::from_le_bytes(v.try_into().unwrap())).collect()
}

fn farthest(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn it_goes_without_what_it_is_told_to() {
    let bench = Bench::new();
    let train = |part: &str| bench.train("model", 3).args(["--without", part]).output().unwrap();
    let output = train("diffusion,ngram,dwpose");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let manifest: Value =
        serde_json::from_slice(&fs::read(bench.at("model/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["without"], serde_json::json!(["diffusion", "ngram", "dwpose"]));
    let (done, said) =
        bench.signx("read", &[("--model", "model"), ("--data", "data/dev"), ("--said", "said.jsonl")]);
    assert!(done, "{said}");
    let output = train("luck");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("a loss (noise") && said.contains("luck"), "{said}");
    let output = bench.train("model", 3).arg("--base").arg(bench.at("model")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("--base") && said.contains("reads --steps"), "{said}");
    let output = train("mediapipe");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("whose recordings show somebody"), "{said}");
}
