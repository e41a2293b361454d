//! `signpost-host extract`: a corpus whose runs are shared, killed and repeated, and videos that give nothing.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tests::{program, refusal, skip, store, text};

/// A corpus in a folder of its own.
struct Corpus {
    folder: tempfile::TempDir,
}

impl Corpus {
    fn new(lines: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("all.jsonl"), lines.join("\n")).unwrap();
        Self { folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, out: &str, more: &[&str]) -> Command {
        let mut command = Command::new(program("signpost-host"));
        command.args(["extract", "--json", "--manifest"]).arg(self.at("all.jsonl"));
        command.arg("--out").arg(self.at(out)).args(more);
        for name in ["ID", "COUNT", "MIN", "STEP"] {
            command.env_remove(format!("SLURM_ARRAY_TASK_{name}"));
        }
        command
    }

    /// Runs to the end; the events by id, and the last one.
    #[track_caller]
    fn run(&self, out: &str, more: &[&str]) -> (Output, BTreeMap<String, Value>, Value) {
        let output = self.command(out, more).output().unwrap();
        let lines = String::from_utf8(output.stdout.clone()).unwrap();
        let mut events: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let end = events.pop().unwrap_or_default();
        let by_id = events.into_iter().map(|e| (e["id"].as_str().unwrap().to_owned(), e)).collect();
        (output, by_id, end)
    }

    /// Uses a shell script in place of `signpost`. `$video` and `$out` are those of the command line,
    /// `$end` is the event that `signpost` ends with.
    fn fake(&self, script: &str) -> PathBuf {
        let path = self.at("fake");
        let text = format!(
            r#"#!/bin/sh
if [ "$1" = --version ]; then echo "signpost fake"; exit; fi
all="$*"
while [ "$1" != --out ]; do shift; done
out="$2"
while [ $# -gt 0 ]; do video="$1"; shift; done
end='{{"event":"end","frames":1,"seen":{{"body":0,"face":0,"left_hand":0,"right_hand":1}}}}'
{script}
"#
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// What is in an output folder, the lock aside: names and bytes.
    fn files(&self, out: &str) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.at(out)).unwrap().map(|entry| entry.unwrap().path());
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let files = entries.filter(|path| name(path) != ".lock" && name(path) != "quarantine");
        files
            .map(|path| (name(&path), fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))))
            .collect()
    }
}

/// The ids of the events of one kind.
fn of_kind<'a>(events: &'a BTreeMap<String, Value>, kind: &str) -> Vec<&'a str> {
    events.iter().filter(|(_, event)| event["event"] == kind).map(|(id, _)| id.as_str()).collect()
}

/// Copies the video; that is all that most of these tests need of `signpost`.
const COPY: &str = r#"cp "$video" "$out" && echo "$end""#;

/// A corpus of small files that are no videos, for fakes: `{id}` holds its id.
fn texts(ids: &[&str]) -> Corpus {
    let line = |id: &&str| format!(r#"{{"id":"{id}","video":"{id}.mp4"}}"#);
    let corpus = Corpus::new(&ids.iter().map(line).collect::<Vec<_>>());
    ids.iter().for_each(|id| fs::write(corpus.at(&format!("{id}.mp4")), id).unwrap());
    corpus
}

#[test]
fn a_killed_shard_goes_on_and_the_result_is_that_of_one_run() {
    let test = "a_killed_shard_goes_on_and_the_result_is_that_of_one_run";
    if store(test).is_none() {
        return;
    }
    // Twelve parts of one video; of a person where there is real data, of a test picture otherwise.
    let line = |i: usize| {
        let (from, to) = (i as f32, i as f32 + 1.0);
        format!(r#"{{"id":"part/{i}","video":"clip.mp4","start_s":{from},"end_s":{to},"gloss":"K"}}"#)
    };
    let corpus = Corpus::new(&(0..12).map(line).collect::<Vec<_>>());
    let real = tests::data(test).map(|data| data.join("oracle/tfjs/asl_hand.25fps.mp4"));
    match real {
        Some(clip) => drop(fs::copy(clip, corpus.at("clip.mp4")).unwrap()),
        None => {
            let made = Command::new(edge::ffmpeg::program().unwrap())
                .args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=13"])
                .args(["-pix_fmt", "yuv420p", text(&corpus.at("clip.mp4"))])
                .status();
            assert!(made.unwrap().success());
        }
    }

    // Both at once, each in a process group of its own; the first is killed within its second video.
    let mut shards: Vec<Child> = ["0/2", "1/2"]
        .map(|shard| {
            let mut command = corpus.command("out", &["--shard", shard, "--jobs", "1"]);
            command.process_group(0).stdout(Stdio::piped()).spawn().unwrap()
        })
        .into();
    let mut lines = BufReader::new(shards[0].stdout.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(first["event"], "done", "{first}");
    while !is_writing(&corpus.at("out"), shards[0].id()) && shards[0].try_wait().unwrap().is_none() {}
    kill_group(&shards[0]);
    assert!(!shards[0].wait().unwrap().success(), "it was killed");
    let events = BufReader::new(shards[1].stdout.take().unwrap()).lines().count();
    assert!(shards[1].wait().unwrap().success());

    // What stood is not touched, the rest is made, and nothing of the dead run is left.
    let stood = made(&corpus.at("out"));
    let (output, by_id, end) = corpus.run("out", &["--shard", "0/2"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(end["total"], 12 - (events - 1), "{end}");
    assert!(end["skipped"].as_u64() >= Some(1) && end["done"].as_u64() >= Some(1), "{end}");
    let now = made(&corpus.at("out"));
    for (name, file) in &stood {
        assert_eq!(now.get(name), Some(file), "{name} was made twice");
    }
    for id in of_kind(&by_id, "done") {
        let name = format!("{}.done", id.replace('/', "%2F"));
        assert!(!stood.contains_key(&name), "{name} stood, and was made again");
    }

    // All of it in one run gives the same bytes.
    let (output, _, end) = corpus.run("one", &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(end["done"], 12);
    let (shared, one) = (corpus.files("out"), corpus.files("one"));
    assert_eq!(one.len(), 24);
    assert_eq!(shared.keys().collect::<BTreeSet<_>>(), one.keys().collect());
    for (name, bytes) in &one {
        assert!(shared[name] == *bytes, "{name} differs");
    }
    // And a run over what is all there does nothing.
    assert_eq!(corpus.run("out", &[]).2["skipped"], 12);
    assert_eq!(made(&corpus.at("out")), now);
}

/// Whether the run of this process has begun to write landmarks.
fn is_writing(out: &Path, process: u32) -> bool {
    let Ok(room) = fs::read_dir(out.join(format!(".run-{process}"))) else { return false };
    let parts = room.flatten().filter(|e| e.file_name().to_string_lossy().ends_with(".part"));
    parts.flat_map(|e| e.metadata()).any(|m| m.len() > 0)
}

/// Ends a process and all that it started, at once.
fn kill_group(leader: &Child) {
    let group = format!("-{}", leader.id());
    assert!(Command::new("kill").args(["-9", "--", &group]).status().unwrap().success());
}

/// The certificates that stand: inode and time of writing, which change where a file is written again.
fn made(out: &Path) -> BTreeMap<String, (u64, i64, i64)> {
    let files = fs::read_dir(out).unwrap().map(|e| e.unwrap());
    let done = files.filter(|e| e.file_name().to_string_lossy().ends_with(".done"));
    done.map(|e| {
        let meta = e.metadata().unwrap();
        (e.file_name().into_string().unwrap(), (meta.ino(), meta.mtime(), meta.mtime_nsec()))
    })
    .collect()
}

#[test]
fn poison_goes_into_quarantine_and_the_others_go_on() {
    let test = "poison_goes_into_quarantine_and_the_others_go_on";
    if store(test).is_none() {
        return;
    }
    let names = ["words", "cut", "none", "good"];
    let corpus = Corpus::new(&names.map(|n| format!(r#"{{"id":"{n}","video":"{n}.mp4"}}"#)));
    let made = Command::new(edge::ffmpeg::program().unwrap())
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10:duration=2"])
        .args(["-pix_fmt", "yuv420p", "-g", "1", "-movflags", "+faststart", text(&corpus.at("good.mp4"))])
        .status();
    assert!(made.unwrap().success());
    fs::write(corpus.at("words.mp4"), "this is no video").unwrap();
    let bytes = fs::read(corpus.at("good.mp4")).unwrap();
    fs::write(corpus.at("cut.mp4"), &bytes[..bytes.len() / 2]).unwrap();

    let (output, events, end) = corpus.run("out", &[]);
    let said = refusal(&output);
    assert!(
        said.contains("3 of 4 videos have no landmarks") && said.contains("--retry-quarantined"),
        "{said}"
    );
    assert_eq!(of_kind(&events, "done"), ["good"]);
    assert_eq!(of_kind(&events, "quarantined"), ["cut", "words"]);
    assert_eq!(of_kind(&events, "missing"), ["none"]);
    assert_eq!((&end["quarantined"], &end["missing"]), (&2.into(), &1.into()));
    assert_eq!(corpus.files("out").keys().collect::<Vec<_>>(), ["good.done", "good.pose"]);
    let record = |name: &str| -> Value {
        let path = corpus.at(&format!("out/quarantine/{name}.json"));
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    };
    for (name, why) in [("words", "words.mp4"), ("cut", "frames could be read")] {
        let record = record(name);
        assert_eq!(record["id"], name);
        assert!(record["reason"].as_str().unwrap().contains(why), "{record}");
        assert!(record["stderr"].as_str().unwrap().contains(why), "{record}");
    }

    // Mended, they stay in quarantine until somebody asks for them.
    for name in ["words.mp4", "cut.mp4", "none.mp4"] {
        fs::copy(corpus.at("good.mp4"), corpus.at(name)).unwrap();
    }
    let (_, events, _) = corpus.run("out", &[]);
    assert_eq!(of_kind(&events, "done"), ["none"]);
    assert_eq!(of_kind(&events, "skipped"), ["good"]);
    assert!(of_kind(&events, "quarantined").iter().all(|id| events[*id]["earlier"] == true));
    let (output, events, _) = corpus.run("out", &["--retry-quarantined"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(of_kind(&events, "done"), ["cut", "words"]);
    assert_eq!(fs::read_dir(corpus.at("out/quarantine")).unwrap().count(), 0);
}

#[test]
fn crashes_are_quarantined_with_what_was_said() {
    let corpus = texts(&["crash", "good", "panic", "silent"]);
    let fake = corpus.fake(
        r#"case "$video" in
*crash*) echo "half" > "$out"; echo "about to crash" >&2; kill -SEGV $$;;
*panic*) echo '{"event":"fault","of":"program","said":"a thread died"}'; exit 1;;
*silent*) exit 101;;
esac
cp "$video" "$out" && echo "$end""#,
    );
    let (output, events, _) = corpus.run("out", &["--signpost", text(&fake)]);
    refusal(&output);
    assert_eq!(of_kind(&events, "done"), ["good"]);
    let reason = |id: &str| events[id]["reason"].as_str().unwrap().to_owned();
    assert!(reason("crash").contains("killed by signal 11"), "{}", reason("crash"));
    assert_eq!(reason("panic"), "a thread died");
    assert!(reason("silent").contains("status 101"), "{}", reason("silent"));
    let record = fs::read_to_string(corpus.at("out/quarantine/crash.json")).unwrap();
    assert!(record.contains("about to crash"), "{record}");
    assert_eq!(corpus.files("out").keys().collect::<Vec<_>>(), ["good.done", "good.pose"]);
}

#[test]
fn a_video_without_end_is_stopped_and_quarantined() {
    let corpus = texts(&["a"]);
    let fake = corpus.fake("echo half > \"$out\"; exec sleep 1000");
    let (output, events, _) = corpus.run("out", &["--signpost", text(&fake), "--timeout-s", "0.1"]);
    refusal(&output);
    assert_eq!(events["a"]["reason"], "it took longer than 0.1 s and was stopped");
    assert!(corpus.files("out").is_empty());
}

#[test]
fn what_no_video_would_survive_ends_the_run_and_quarantines_nothing() {
    let corpus = texts(&["a", "b", "c"]);
    for (script, expect) in [
        (r#"echo '{"event":"fault","of":"machine","said":"the disk is full"}'; exit 1"#, "the disk is full"),
        ("echo 'error: unexpected argument' >&2; exit 2", "unexpected argument"),
        ("exit 127", "it said nothing"),
        ("exit 0", "did not say what it made"),
        (r#"echo "$end""#, "cannot read"),
    ] {
        let fake = corpus.fake(script);
        let said = refusal(&corpus.run("out", &["--signpost", text(&fake), "--jobs", "1"]).0);
        assert!(said.contains(expect), "{said}");
        assert!(corpus.files("out").is_empty());
        assert_eq!(fs::read_dir(corpus.at("out/quarantine")).unwrap().count(), 0);
    }
    for (path, expect) in [("none", "No such file"), ("/bin/echo", "its --version says")] {
        let said = refusal(&corpus.run("out", &["--signpost", path]).0);
        assert!(said.contains(expect) && said.contains("--signpost"), "{said}");
    }
}

#[test]
fn only_what_changed_is_made_again() {
    let corpus = texts(&["a", "b", "c", "d"]);
    let fake = corpus.fake(COPY);
    let run = |more: &[&str]| {
        let (output, events, _) = corpus.run("out", &[&["--signpost", text(&fake)], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        of_kind(&events, "done").join("")
    };
    assert_eq!(run(&[]), "abcd");
    assert_eq!(run(&[]), "");
    fs::write(corpus.at("a.mp4"), "another video").unwrap();
    fs::write(corpus.at("out/b.pose"), "changed").unwrap();
    fs::write(corpus.at("out/c.done"), "{").unwrap();
    fs::remove_file(corpus.at("out/d.done")).unwrap();
    assert_eq!(run(&[]), "abcd");
    assert_eq!(corpus.files("out")["a.pose"], b"another video");
    assert_eq!(corpus.files("out")["b.pose"], b"b");
    assert_eq!(run(&[]), "");
    assert_eq!(run(&["--raw"]), "abcd");
    assert_eq!(run(&["--raw"]), "");
    assert_eq!(run(&[]), "abcd");
    // Another line of the manifest leaves the others as they are.
    let more = r#"{"id":"e","video":"a.mp4"}
{"id":"a","video":"a.mp4","start_s":0.5}
{"id":"b","video":"b.mp4"}"#;
    fs::write(corpus.at("all.jsonl"), more).unwrap();
    assert_eq!(run(&[]), "ae");
    let now = corpus.fake(&format!("{COPY}\n# another"));
    let text = fs::read_to_string(&now).unwrap().replace("signpost fake", "signpost newer");
    fs::write(&now, text).unwrap();
    assert_eq!(run(&[]), "abe", "another version makes them again");
}

#[test]
fn a_video_that_turned_bad_takes_its_old_landmarks_away() {
    let corpus = texts(&["a"]);
    let good = corpus.fake(COPY);
    corpus.run("out", &["--signpost", text(&good)]);
    assert_eq!(corpus.files("out").len(), 2);
    fs::write(corpus.at("a.mp4"), "bad").unwrap();
    let bad = corpus.fake(r#"echo '{"event":"fault","of":"source","said":"bad"}'; exit 1"#);
    corpus.run("out", &["--signpost", text(&bad)]);
    assert!(corpus.files("out").is_empty(), "they are not of the video that is there");
}

#[test]
fn the_settings_and_the_part_reach_the_program() {
    let corpus = Corpus::new(&[
        r#"{"id":"-a","video":"-v.mp4","start_s":1.5,"end_s":61.0000004}"#.into(),
        r#"{"id":"b","video":"-v.mp4","end_s":0.25}"#.into(),
    ]);
    fs::write(corpus.at("-v.mp4"), "v").unwrap();
    let fake = corpus.fake(r#"echo "$all" > "$out"; echo "$end""#);
    let (output, _, _) = corpus.run("out", &["--signpost", text(&fake), "--raw", "--board", "desk"]);
    assert!(output.status.success());
    let files = corpus.files("out");
    let said = |name: &str| String::from_utf8(files[name].clone()).unwrap();
    let (a, b, video) = (said("-a.pose"), said("b.pose"), corpus.at("-v.mp4"));
    assert!(a.starts_with("landmarks --json --threads 1 --board desk --out "), "{a}");
    assert!(a.ends_with(&format!(" --raw --from 1.500000 --to 61.000000 -- {}\n", video.display())), "{a}");
    assert!(b.ends_with(&format!(" --raw --to 0.250000 -- {}\n", video.display())), "{b}");
}

#[test]
fn a_task_of_a_slurm_array_takes_its_shard() {
    let ids: Vec<String> = (0..30).map(|i| format!("clip{i}")).collect();
    let corpus = texts(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let fake = corpus.fake(COPY);
    let mut total = 0;
    for task in ["4", "5", "6"] {
        let mut command = corpus.command("out", &["--signpost", text(&fake)]);
        command.env("SLURM_ARRAY_TASK_ID", task).env("SLURM_ARRAY_TASK_COUNT", "3");
        let output = command.env("SLURM_ARRAY_TASK_MIN", "4").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let last = String::from_utf8(output.stdout).unwrap().lines().last().unwrap().to_owned();
        let end: Value = serde_json::from_str(&last).unwrap();
        assert_eq!(end["shard"], format!("{}/3", task.parse::<u32>().unwrap() - 4));
        total += end["done"].as_u64().unwrap();
    }
    assert_eq!(total, 30, "each in one shard");
}

#[test]
fn many_runs_over_one_folder_leave_it_whole() {
    let ids: Vec<String> = (0..20).map(|i| format!("clip{i}")).collect();
    let corpus = texts(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let fake = corpus.fake(COPY);
    let run = || corpus.command("out", &["--signpost", text(&fake)]).stdout(Stdio::null()).spawn().unwrap();
    let runs: Vec<Child> = (0..4).map(|_| run()).collect();
    for mut run in runs {
        assert!(run.wait().unwrap().success());
    }
    let (_, _, end) = corpus.run("out", &["--signpost", text(&fake)]);
    assert_eq!(end["skipped"], 20, "{end}");
    assert_eq!(corpus.files("out").len(), 40, "nothing is left beside them");
}

#[test]
fn a_manifest_that_is_wrong_is_refused_before_any_work() {
    let good = r#"{"id":"a","video":"a.mp4"}"#;
    for (line, expect) in [
        ("nonsense", "line 2"),
        (good, "the id \"a\" is that of line 1"),
        (r#"{"id":"b","video":"b.mp4","start_s":3,"end_s":2}"#, "not after its start_s"),
    ] {
        let corpus = Corpus::new(&[good.into(), line.into()]);
        let said = refusal(&corpus.run("out", &[]).0);
        assert!(said.contains(expect) && said.contains("all.jsonl"), "{said}");
        assert!(!corpus.at("out").exists());
    }
    let corpus = texts(&["a"]);
    fs::remove_file(corpus.at("all.jsonl")).unwrap();
    assert!(refusal(&corpus.run("out", &[]).0).contains("all.jsonl"));
    for wrong in [["--shard", "2/2"], ["--jobs", "0"], ["--timeout-s", "-1"]] {
        assert_eq!(corpus.run("out", &wrong).0.status.code(), Some(2));
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_said() {
    let test = "a_folder_that_cannot_be_written_is_said";
    if !Path::new("/proc").is_dir() {
        return skip(test, "this system has no /proc");
    }
    let corpus = texts(&["a"]);
    let fake = corpus.fake(COPY);
    let said = refusal(&corpus.run("/proc/none", &["--signpost", text(&fake)]).0);
    assert!(said.contains("/proc/none"), "{said}");
}
