//! `signpost enrol` from end to end: real clips of signs that no model was taught, and what is refused.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use host::data::{Aspect, recordings};
use models::enrolment::{Enrolled, Example, Sign};
use models::manifest::{Model, Role};
use models::pose::{Known, Pose, PoseTrack};
use models::pose_file::write_track_file;
use serde_json::Value;
use tempfile::TempDir;
use tests::fuzz::{Random, rounds};
use tests::{data, made, program, refusal, text};

/// Runs `signpost` with a state folder of its own.
fn signpost(state: &TempDir, args: &[&str]) -> Output {
    let mut command = Command::new(program("signpost"));
    command.args(args).env("SIGNPOST_STATE", state.path().join("state")).output().expect("the program starts")
}

/// Runs what must succeed; standard output and standard error.
#[track_caller]
fn done(state: &TempDir, args: &[&str]) -> (String, String) {
    let output = signpost(state, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {said}");
    (String::from_utf8(output.stdout).unwrap(), said)
}

/// Clips of a sign of a data set as `.pose` files: every `step`th, so many.
fn clips(state: &TempDir, data: &Path, label: &str, step: usize, count: usize) -> Vec<PathBuf> {
    let all = recordings(&data.join("isolated/asl11_tamtridung"), Aspect::Guess).unwrap();
    let of_label = all.into_iter().filter(|r| r.label == label).step_by(step).take(count);
    of_label
        .enumerate()
        .map(|(i, recording)| {
            let path = state.path().join(format!("{label}-{i}.pose"));
            write_track_file(&path, &recording.track).unwrap();
            path
        })
        .collect()
}

/// The signs that are read of a clip, by which model.
#[track_caller]
fn read(state: &TempDir, clip: &Path, more: &[&str]) -> Vec<(String, String)> {
    let (out, _) = done(state, &[&["read", "--json", "--model", "ksl13", text(clip)], more].concat());
    let events = out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let signs = events.filter(|e| e["event"] == "sign");
    signs.map(|e| (e["text"].as_str().unwrap().into(), e["model"].as_str().unwrap().into())).collect()
}

#[test]
fn a_sign_is_enrolled_read_after_a_restart_and_taken_back() {
    let test = "a_sign_is_enrolled_read_after_a_restart_and_taken_back";
    let Some(data) = data(test) else { return };
    let state = TempDir::new().unwrap();
    let clips_of = |label| clips(&state, &data, label, 5, 9);
    let (hungry, father) = (clips_of("hungry"), clips_of("father"));
    let paths = |clips: &[PathBuf]| clips.iter().map(|c| text(c).to_owned()).collect::<Vec<_>>();
    let add = |label: &str, clips: &[PathBuf], more: &[&str]| {
        let paths = paths(clips);
        let paths: Vec<_> = paths.iter().map(String::as_str).collect();
        signpost(&state, &[&["enrol", "add", label][..], &paths, more].concat())
    };
    assert!(read(&state, &hungry[5], &[]).iter().all(|(_, model)| model != "enrolled"));

    let dry = add("Hunger", &hungry[..5], &["--dry-run"]);
    assert!(dry.status.success(), "{}", String::from_utf8_lossy(&dry.stderr));
    assert!(!state.path().join("state").exists(), "a dry run wrote something");
    for (label, clips) in [("Hunger", &hungry), ("Vater", &father)] {
        let added = add(label, &clips[..5], &[]);
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    }
    // Each command is a process of its own: what is read survived a restart.
    let enrolled = |label: &str| (label.to_owned(), "enrolled".to_owned());
    let mut right = 0;
    for (label, clips) in [("Hunger", &hungry), ("Vater", &father)] {
        for clip in &clips[5..] {
            let signs = read(&state, clip, &[]);
            eprintln!("{label}: {signs:?}");
            right += usize::from(signs.contains(&enrolled(label)));
            let other = if label == "Vater" { "Hunger" } else { "Vater" };
            assert!(!signs.contains(&enrolled(other)), "{label} was read as {other}");
        }
    }
    assert!(right >= 6, "{right} of 8 clips are read as what was enrolled");
    assert!(read(&state, &hungry[5], &["--no-enrolled"]).iter().all(|(_, model)| model != "enrolled"));
    let (_, said) = done(&state, &["read", "--model", "ksl13", text(&hungry[5])]);
    assert!(said.contains("enrolled signs are read as well: 2"), "{said}");

    // A writer that was killed half-way leaves its part beside the file, which stays as it was.
    let file = state.path().join("state/enrolled.signs");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(file.with_extension("1.part"), &whole[..whole.len() / 2]).unwrap();
    let (list, _) = done(&state, &["enrol", "list", "--json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let expect =
        serde_json::json!([{ "label": "Hunger", "examples": 5 }, { "label": "Vater", "examples": 5 }]);
    assert_eq!(list["signs"], expect);

    let check = |output: Output, expect: &str| {
        let said = refusal(&output);
        assert!(said.contains(expect), "{said}");
    };
    check(add("hunger", &hungry[..3], &[]), "enrolled already");
    check(
        add("Mix", &[hungry[0].clone(), hungry[1].clone(), father[0].clone()], &[]),
        "father-0.pose does not resemble",
    );
    let again = add("Nochmal", &hungry[5..8], &["--dry-run"]);
    let warned = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(again.status.success() && warned.contains("resembles \"Hunger\""), "{warned}");

    done(&state, &["enrol", "remove", "HUNGER"]);
    for clip in &hungry[5..] {
        assert!(!read(&state, clip, &[]).contains(&enrolled("Hunger")));
    }
    check(signpost(&state, &["enrol", "remove", "Hunger"]), "choose one of [Vater]");
}

#[test]
fn an_embedding_is_trained_on_all_sets_but_those_left_out_and_scored_on_these() {
    let folder = TempDir::new().unwrap();
    let isolated = folder.path().join("data/isolated");
    std::fs::create_dir_all(&isolated).unwrap();
    let mut index = String::from("offset_frames\tn_frames\tlabel\tgroup\tseq\textra\n");
    for clip in 0..14 {
        index += &format!("{}\t10\t{}\ta\t{clip}\t\n", 10 * clip, ["yes", "no"][clip % 2]);
    }
    for (name, width) in [
        ("ksl13", 258),
        ("asl_traduttore_words", 258),
        ("asl11_tamtridung", 258),
        ("asl_traduttore_letters", 126),
    ] {
        made::isolated(&isolated, name, &index, &made::rows(140, width));
    }
    let train = |more: &[&str]| {
        let (data, out) = (folder.path().join("data"), folder.path().join("out"));
        let args = ["train", "sign-embedding", "--steps", "2", "--data", text(&data), "--out", text(&out)];
        tests::run("signpost-host", [&args, more].concat())
    };
    for (without, expect) in [
        ("ksl31", "some of ksl13, asl_traduttore_words"),
        ("ksl13,asl_traduttore_words", "leave fewer data sets out"),
    ] {
        let said = refusal(&train(&["--without", without]));
        assert!(said.contains(expect), "{said}");
    }
    let trained = train(&["--without", "ksl13"]);
    let said = String::from_utf8_lossy(&trained.stderr).into_owned();
    assert!(trained.status.success() && said.contains("2 signs, 14 clips to train on"), "{said}");
    let model = Model::open(&folder.path().join("out")).unwrap();
    let learnt: Vec<_> = model.manifest.data.iter().map(|s| (s.name.as_str(), s.role)).collect();
    let expect = [
        ("asl_traduttore_words", Role::Signs),
        ("asl_traduttore_letters", Role::Handshapes),
        ("asl11_tamtridung", Role::Threshold),
    ];
    assert_eq!(learnt, expect);
    assert!(model.manifest.recipe.ends_with("--steps 2 --without ksl13"), "{}", model.manifest.recipe);

    let (model, stem) = (folder.path().join("out"), isolated.join("ksl13"));
    let args = ["evaluate", "enrolment", "--json", "--model", text(&model), "--data", text(&stem)];
    let scored = tests::run("signpost-host", args);
    assert!(scored.status.success(), "{}", String::from_utf8_lossy(&scored.stderr));
    let report: Value = serde_json::from_slice(&scored.stdout).unwrap();
    assert_eq!((&report["signs"], &report["n"]), (&2.into(), &160.into()), "{report}");
}

/// Signs of a network that is not the one that ships.
fn of_another_network() -> Enrolled {
    let example = Example { signed: vec![0.6, 0.8], mirrored: vec![-0.6, 0.8] };
    let sign = Sign { label: "Amt".into(), examples: vec![example; 3] };
    Enrolled { network: "12ab".into(), signs: vec![sign] }
}

#[test]
fn what_cannot_be_enrolled_is_refused_in_one_sentence() {
    let state = TempDir::new().unwrap();
    let at = |name: &str| state.path().join(name);
    let layout = Known::BodyHands75.layout();
    for name in ["1.pose", "2.pose", "3.pose"] {
        let mut track = PoseTrack::new(layout.clone(), 25.0, [640, 480, 0]);
        track.frames = vec![Pose::unseen(layout.len()); 30];
        write_track_file(at(name), &track).unwrap();
    }
    let [a, b, c] = ["1.pose", "2.pose", "3.pose"].map(|name| text(&at(name)).to_owned());
    let check = |args: &[&str], expect: &str| {
        let said = refusal(&signpost(&state, args));
        assert!(said.contains(expect), "{said}");
    };
    check(&["enrol", "add", "Amt", &a, &b], "2 clips were given; record the sign three to five times");
    check(&["enrol", "add", "Amt", &a, &b, &a], "was given twice");
    check(&["enrol", "add", "<none>", &a, &b, &c], "stands for no sign");
    check(&["enrol", "add", "Amt", &a, &b, "/dev/video0"], "film a video");
    check(&["enrol", "add", "Amt", &a, &b, &c], "1.pose shows no hand");
    check(&["enrol", "add", "Amt", &a, &b, "absent.pose"], "1.pose shows no hand");
    check(&["enrol", "remove", "Amt"], "\"Amt\" is not enrolled; nothing is");
    check(&["read", &a, "--model", "sign-embedding"], "names no signs by itself");
    check(&["read", &a, "--signs", "absent.signs"], "absent.signs is not there");
    assert!(!state.path().join("state").exists(), "something was kept");

    let (file, other) = (at("cut.signs"), at("other.signs"));
    of_another_network().write(&other).unwrap();
    let whole = std::fs::read(&other).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 3]).unwrap();
    check(&["read", &a, "--signs", text(&file)], "was cut or changed");
    check(&["enrol", "list", "--signs", text(&file)], "was cut or changed");
    for args in [&["read", &a][..], &["enrol", "add", "Haus", &a, &b, &c]] {
        check(&[args, &["--signs", text(&other)]].concat(), "enrol again");
    }
    assert_eq!(std::fs::read(&other).unwrap(), whole, "what was refused is as it was");
    done(&state, &["enrol", "remove", "Amt", "--signs", text(&other)]);
    assert_eq!(Enrolled::read(&other).unwrap().unwrap().signs, []);
}

#[test]
fn files_of_any_bytes_are_read_or_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("signs");
    of_another_network().write(&path).unwrap();
    let seed = std::fs::read(&path).unwrap();
    let body = seed.iter().position(|b| *b == b'\n').unwrap() + 1;
    let mut random = Random(7);
    let mut opened = 0;
    for round in 0..rounds() {
        let mut bytes = random.mutate(&seed, b"[[1e39,null]],{\"label\":\"\\u0000\"},[[[[[[");
        if round % 2 == 0 {
            // With the right sum, so that what lies behind it is tried as well.
            let changed = random.mutate(&seed[body..], b"[[1e39,null]],{\"label\":\"\\u0000\"},[[[[[[");
            bytes = format!("signpost-enrolled 1 {}\n", models::manifest::sha256(&changed)).into_bytes();
            bytes.extend(changed);
        }
        std::fs::write(&path, &bytes).unwrap();
        match Enrolled::read(&path) {
            Ok(enrolled) => {
                let enrolled = enrolled.expect("the file is there");
                assert!(enrolled.signs.iter().all(|s| (3..=5).contains(&s.examples.len())));
                assert!(
                    enrolled
                        .signs
                        .iter()
                        .flat_map(|s| &s.examples)
                        .all(|e| e.signed.iter().all(|v| v.is_finite()))
                );
                opened += 1;
            }
            Err(error) => assert_eq!(error.to_string().lines().count(), 1, "one sentence: {error}"),
        }
    }
    assert!(opened > 0, "some changes leave a file that can be read");
}
