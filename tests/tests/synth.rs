//! `signpost-host synth`, on the real clips: what never crosses the split, and what never differs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use host::synth::{ClipId, RECIPES, Recipe, Split, Synth, Without};
use models::pose_file::read_track;
use models::utterance::{INDEX, Utterance};
use tests::{data, refusal, run, text};

fn synth(recipe: &'static Recipe, data: &Path, split: Split) -> Synth {
    Synth::new(recipe, data, split, 3, false).unwrap()
}

#[test]
fn clips_and_signers_never_cross_the_split() {
    let Some(data) = data("clips_and_signers_never_cross_the_split") else { return };
    for recipe in &RECIPES {
        let [train, val] = [Split::Train, Split::Val].map(|split| {
            let synth = synth(recipe, &data, split);
            let clips: Vec<ClipId> = synth.clips().cloned().collect();
            let used: BTreeSet<usize> = (0..60).flat_map(|n| synth.utterance(n).clips).collect();
            used.into_iter()
                .map(|i| clips[i].clone())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .chain(clips.clone())
                .collect::<BTreeSet<ClipId>>()
        });
        assert!(train.is_disjoint(&val), "{}", recipe.name);
        let groups = |clips: &BTreeSet<ClipId>| -> BTreeSet<String> {
            clips.iter().filter(|c| c.set == "ksl13").map(|c| c.group.clone()).collect()
        };
        assert!(groups(&train).is_disjoint(&groups(&val)), "{}", recipe.name);
        check_neighbours(&train, &val);
    }
}

/// Of a signer who is in both parts, clips of a label keep apart by more than the sequence's neighbours.
#[track_caller]
fn check_neighbours(train: &BTreeSet<ClipId>, val: &BTreeSet<ClipId>) {
    let mut first: BTreeMap<(&str, &str, &str), u32> = BTreeMap::new();
    for clip in val {
        let least = first.entry((&clip.set, &clip.group, &clip.label)).or_insert(clip.seq);
        *least = clip.seq.min(*least);
    }
    for clip in train {
        if let Some(held) = first.get(&(&*clip.set, &*clip.group, &*clip.label)) {
            assert!(clip.seq + 5 < *held, "{clip:?} neighbours {held}");
        }
    }
}

#[test]
fn a_number_gives_one_utterance_whatever_was_drawn_before() {
    let Some(data) = data("a_number_gives_one_utterance_whatever_was_drawn_before") else { return };
    let [one, other] = [0, 1].map(|_| synth(&RECIPES[1], &data, Split::Val));
    let drawn: Vec<_> = one.endless().take(8).collect();
    assert_eq!(other.utterance(7), drawn[7]);
    assert_ne!(drawn[6].track, drawn[7].track);
    let train = synth(&RECIPES[1], &data, Split::Train);
    assert_ne!(train.utterance(7).glosses, drawn[7].glosses);
}

#[test]
fn what_training_may_go_without_is_left_out() {
    let Some(data) = data("what_training_may_go_without_is_left_out") else { return };
    let made = |names: &[&str]| -> Vec<_> {
        let without = Without::named(&names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap();
        let synth = synth(&RECIPES[0], &data, Split::Train).without(without);
        (0..60).map(|number| synth.utterance(number)).collect()
    };
    let whole = made(&[]);
    let (alone, plain) = (made(&["synthesis"]), made(&["augmentation"]));
    // The longest has one sign or recorded gesture, and nothing else.
    assert!(alone.iter().all(|made| made.glosses.len() <= 1 && made.clips.len() == 1));
    assert!(alone.iter().any(|made| made.glosses.len() == 1) && alone.iter().any(|m| m.glosses.is_empty()));
    assert!(whole.iter().any(|made| made.glosses.len() > 3) && plain.iter().any(|m| m.glosses.len() > 3));
    // One camera for all, which sees all: no stamp is off the grid, and no landmark is lost for a moment.
    let even = |stamps: &[f64]| stamps.windows(2).all(|w| (w[1] - w[0] - 0.04).abs() < 1e-9);
    assert!(plain.iter().all(|made| even(&made.stamps_s)) && !whole.iter().all(|made| even(&made.stamps_s)));
    let shoulders =
        |made: &host::synth::Made| made.track.frames.iter().map(|f| f.points[11]).collect::<Vec<_>>();
    assert!(plain.iter().flat_map(shoulders).all(|p| p == plain[0].track.frames[0].points[11]));
    let refused = Without::named(&["noise".into()]).unwrap_err().to_string();
    assert!(refused.contains("synthesis or augmentation"), "{refused}");
}

#[test]
fn utterances_are_whole() {
    let Some(data) = data("utterances_are_whole") else { return };
    for recipe in &RECIPES {
        let synth = synth(recipe, &data, Split::Val);
        let vocabulary: BTreeSet<&str> = synth.glosses().collect();
        let mut met = BTreeSet::new();
        let mut idle = 0;
        for made in synth.endless().take(300) {
            assert_eq!(made.track.frames.len(), made.stamps_s.len());
            assert!(made.stamps_s.windows(2).all(|w| w[0] < w[1]), "{}", made.id);
            assert!((7.0..65.0).contains(&made.track.fps), "{}: {}", made.id, made.track.fps);
            let points = made.track.frames.iter().flat_map(|f| f.points.as_flattened());
            assert!(points.clone().all(|v| v.is_finite() && v.abs() < 5000.0), "{}", made.id);
            assert_eq!(made.track.clone().with_z_in_pixels(), made.track, "{}: depth is in pixels", made.id);
            let mut last = 0.0;
            for sign in &made.glosses {
                assert!(vocabulary.contains(&*sign.gloss));
                assert!(sign.start_s > last && sign.end_s - sign.start_s >= 0.1, "{}: {sign:?}", made.id);
                last = sign.end_s;
            }
            assert!(last < *made.stamps_s.last().unwrap(), "{}", made.id);
            idle += usize::from(made.glosses.is_empty());
            met.extend(made.glosses.into_iter().map(|g| g.gloss));
        }
        assert!((20..80).contains(&idle), "{}: {idle} of 300 without a sign", recipe.name);
        let missing: Vec<_> = vocabulary.iter().filter(|g| !met.contains(**g)).collect();
        assert!(missing.is_empty(), "{}: never signed: {missing:?}", recipe.name);
    }
}

#[test]
fn a_seed_writes_the_same_bytes() {
    let Some(data) = data("a_seed_writes_the_same_bytes") else { return };
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, more: &[&str]| {
        let out = folder.path().join(name);
        let mut args =
            vec!["synth", "ksl-hall", "--data", text(&data), "--out", text(&out), "--split", "val"];
        args.extend(["--count", "4"]);
        args.extend(more);
        let output = run("signpost-host", args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for entry in std::fs::read_dir(&out).unwrap().map(Result::unwrap) {
            files.insert(entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap());
        }
        files
    };
    let (a, b, c) = (make("a", &["--seed", "5"]), make("b", &["--seed", "5"]), make("c", &["--idle"]));
    assert!(a == b, "the same seed gives the same bytes");
    assert_eq!(a.len(), 5);
    for (name, files) in [("a", &a), ("c", &c)] {
        for line in String::from_utf8(files[INDEX].clone()).unwrap().lines() {
            let utterance: Utterance = serde_json::from_str(line).unwrap();
            let track = read_track(folder.path().join(name).join(utterance.pose.as_ref().unwrap())).unwrap();
            if let Some(stamps) = &utterance.stamps_s {
                assert_eq!(stamps.len(), track.frames.len());
            }
            assert_eq!(utterance.split.as_deref(), Some("val"));
            assert!(name == "a" || utterance.glosses.is_empty(), "nobody signs: {utterance:?}");
        }
    }
}

#[test]
fn bad_input_gets_one_sentence() {
    let said = |args: &[&str]| refusal(&run("signpost-host", args));
    assert!(said(&["synth", "bsl", "--data", ".", "--out", "x"]).contains("asl-hall, ksl-hall"));
    let absent = said(&["synth", "ksl-hall", "--data", "/nonexistent", "--out", "x"]);
    assert!(absent.contains("/nonexistent"), "{absent}");
}
