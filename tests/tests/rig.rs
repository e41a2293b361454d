//! The rig's whole story, where this computer has what it needs and somebody asks for it: see `tests::rig`.

use std::io::Write;

use tests::rig::{Options, Processor, Why, tell};

/// Where it is set, the story is told.
const ASKED: &str = "SIGNPOST_RIG";

#[test]
fn a_whole_unit_lives_through_its_story() {
    let test = "a_whole_unit_lives_through_its_story";
    if std::env::var_os(ASKED).is_none() {
        return tests::skip(test, format!("emulated it takes some nine minutes (set {ASKED}=1)"));
    }
    let out = tempfile::tempdir().expect("a folder for pictures");
    let programs = tests::program("signpost").parent().expect("programs lie in a folder").to_owned();
    let told = Processor::here()
        .and_then(|processor| tell(&Options { out: out.path().into(), programs, processor, hot_plugs: 1 }));
    match told {
        // Past the test's own capture, as what skips: who runs the tests sees how long it took.
        Ok(teller) => drop(writeln!(std::io::stderr(), "{}", teller.summary())),
        Err(Why::Skip(why)) => tests::skip(test, why),
        Err(Why::Fail(why)) => {
            let log = std::fs::read_to_string(out.path().join("unit.log")).unwrap_or_default();
            let last: Vec<&str> = log.lines().rev().take(40).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            panic!("{why}\nthe machine said last:\n{}", last.join("\n"));
        }
    }
}
