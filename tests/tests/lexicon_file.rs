//! Recordings become one file, which signs as they do.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::Path;

use models::lexicon::Lexicon;
use models::playback::{Frame, relaxed_hand, to_track};
use models::pose::{Known, PoseTrack};
use models::pose_file::{read_track, write_track_file};

/// A recording at 30 frames a second: rest, a right hand that goes to a place and stays, rest.
fn recording(at: [f32; 2]) -> PoseTrack {
    let hand = relaxed_hand(1);
    let frame = |t: usize| {
        let mut frame = Frame::rest();
        let part = (t as f32 - 20.0).min(79.0 - t as f32) / 10.0;
        if part > 0.0 {
            let part = part.min(1.0);
            let by = [0, 1].map(|i| (at[i] - hand[0][i]) * part);
            frame.wrists[1] = [hand[0][0] + by[0], hand[0][1] + by[1], hand[0][2]];
            frame.hands[1] = Some(hand.map(|p| [p[0] + by[0], p[1] + by[1], p[2]]));
        }
        frame
    };
    to_track(&(0..100).map(frame).collect::<Vec<_>>(), 30.0)
}

/// Three recordings of a house, of which the third is of something else; a tree, an empty clip and a broken one.
fn folder(dir: &Path) {
    let places = [("a", [-0.4, 0.1]), ("b", [-0.42, 0.12]), ("c", [0.3, -0.5]), ("d", [-0.1, -0.3])];
    for (name, at) in places {
        write_track_file(dir.join(format!("{name}.pose")), &recording(at)).unwrap();
    }
    write_track_file(dir.join("e.pose"), &to_track(&vec![Frame::rest(); 20], 30.0)).unwrap();
    fs::write(dir.join("f.pose"), [0, 0, 0x80]).unwrap();
    let rows = [
        ("c", "house", 0),
        ("a", "house", 1),
        ("b", "House", 2),
        ("d", "tree", 0),
        ("e", "air", 0),
        ("f", "x", 0),
    ];
    let rows = rows.map(|(clip, word, priority)| {
        format!("{clip}.pose,en,ase,0,0,{word},{},{priority}\n", word.to_uppercase())
    });
    let head = "path,spoken_language,signed_language,start,end,words,glosses,priority\n";
    fs::write(dir.join("index.csv"), head.to_owned() + &rows.concat() + ",,,,,,,\n").unwrap();
}

#[test]
fn the_best_recordings_become_a_file_that_signs_as_they_do() {
    let dir = tempfile::tempdir().unwrap();
    let (from, file) = (dir.path().join("signs"), dir.path().join("signs.lexicon"));
    fs::create_dir(&from).unwrap();
    folder(&from);
    let path = |p: &Path| p.to_str().unwrap().to_owned();
    let build = |more: &[&str]| {
        let paths = [path(&from), path(&file)];
        let args = [&["lexicon", "build", &paths[0], "--out", &paths[1], "--json"], more].concat();
        let output = tests::run("signpost-host", args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let all = build(&["--all"]);
    assert_eq!((&all["signs"], &all["others"]), (&4.into(), &0.into()));
    let report = build(&[]);
    assert_eq!(
        (&report["signs"], &report["recordings"], &report["others"]),
        (&2.into(), &6.into(), &2.into())
    );
    let refused: Vec<&str> =
        report["refused"].as_array().unwrap().iter().map(|r| r["why"].as_str().unwrap()).collect();
    assert_eq!(refused.len(), 3, "{refused:?}");
    assert!(refused.iter().any(|why| why.contains("no hand is seen")), "{refused:?}");

    let lexicon = Lexicon::open(&file).unwrap();
    let house = lexicon.find("ase", Some("en"), "house");
    assert_eq!(house.len(), 1);
    assert_ne!(house[0].path, Path::new("c.pose"), "two of three agree on another");
    let again = fs::read(&file).unwrap();
    build(&[]);
    assert_eq!(fs::read(&file).unwrap(), again, "the same recordings, the same bytes");

    // The tree is one recording, so folder and file must sign it alike.
    let signed = |lexicon: &Path, to: &str| {
        let out = dir.path().join(to);
        let args = ["sign", "tree", "--language", "ase", "--lexicon", &path(lexicon), "--out", &path(&out)]
            .map(str::to_owned);
        let output = tests::run("signpost", args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        read_track(out).unwrap()
    };
    let (a, b) = (signed(&from, "a.pose"), signed(&file, "b.pose"));
    assert!(a.frames.len().abs_diff(b.frames.len()) <= 1, "{} and {}", a.frames.len(), b.frames.len());
    let wrist = a.layout.index("POSE_LANDMARKS", "RIGHT_WRIST").unwrap();
    let middle = |track: &PoseTrack| track.frames[track.frames.len() / 2].points[wrist];
    let (p, q) = (middle(&a), middle(&b));
    assert!(
        (p[0] - q[0]).hypot(p[1] - q[1]) < 6.0,
        "{p:?} and {q:?}: a fiftieth of the shoulders' 300 pixels"
    );
}

/// A broken clip, a clip with other landmarks and a sign that stands there twice: the rest is signed, and the exit
/// status says what is not.
#[test]
fn what_is_wrong_with_a_lexicon_is_said_and_the_rest_is_signed() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("signs");
    fs::create_dir(&from).unwrap();
    folder(&from);
    // The same sign in another layout.
    let other = read_track(from.join("d.pose")).unwrap().to_layout(&Known::BodyHands75.layout());
    write_track_file(from.join("other.pose"), &other).unwrap();
    let index = fs::read_to_string(from.join("index.csv")).unwrap();
    let rows = "other.pose,en,ase,0,0,pond,POND,0\nd.pose,en,ase,0,0,tree,TREE,0\n";
    fs::write(from.join("index.csv"), index + rows).unwrap();
    let sign = |text: &str| {
        let out = dir.path().join("signed.pose");
        let out = tests::text(&out);
        let arguments = ["sign", text, "--language", "ase", "--lexicon", tests::text(&from), "--out", out];
        (tests::run("signpost", arguments), read_track(out))
    };
    let (output, signed) = sign("tree pond tree");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let hand = |track: &PoseTrack| {
        let right = track.layout.index("RIGHT_HAND_LANDMARKS", "WRIST").unwrap();
        track.frames.iter().filter(|pose| pose.seen(right).is_some()).count()
    };
    let whole = hand(&signed.unwrap());
    let (output, signed) = sign("tree x pond");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("X cannot be signed") && said.contains("all others were"), "{said}");
    let rest = hand(&signed.unwrap());
    assert!(rest > 0 && rest < whole, "{rest} of {whole} frames show a hand");
}

#[test]
fn pages_show_the_signs_that_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("signs");
    fs::create_dir(&from).unwrap();
    folder(&from);
    let (lexicon, out) = (from.to_str().unwrap(), dir.path().join("pages"));
    let show = |like: &str| {
        tests::run(
            "signpost-host",
            ["lexicon", "show", lexicon, "--out", out.to_str().unwrap(), "--like", like],
        )
    };
    assert!(show("tree").status.success());
    let page = fs::read_to_string(out.join("page-1.html")).unwrap();
    assert_eq!((page.matches("<section").count(), page.matches("<svg").count()), (1, 6));
    assert!(show("").status.success());
    let page = fs::read_to_string(out.join("page-1.html")).unwrap();
    assert_eq!(page.matches("<section").count(), 6);
    assert!(page.contains("no hand is seen"), "what cannot be shown is said");
    assert!(tests::refusal(&show("nothing like it")).contains("no sign like"));
}
