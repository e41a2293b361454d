//! What an hour of fuzzing found worth keeping, read again: bytes that a reader took or refused in a way of its
//! own. `tests/corpus` has a file a reader and an input a line, as hexadecimal digits.
//!
//! To look for more, run `fuzz_link` and `fuzz_update` with `SIGNPOST_FUZZ_SECONDS` and `SIGNPOST_FUZZ_CORPUS`
//! set, and add what is short.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use models::bundle::{Manifest, NoBase, examine};
use models::link::Channel;
use models::link::frame::{Decoder, MAX_MESSAGE};
use models::link::line::{Incoming, read};
use models::update::{Slot, Unit, boot, confirm, install};
use tests::bundles::{bundle, files, open, recipe};
use tests::disk::SimDisk;

/// Hands each input of a file to a reader, which says what it made of it; so many answers differ at least.
fn check(name: &str, least: usize, mut read: impl FnMut(&[u8]) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name).with_extension("hex");
    let text = std::fs::read_to_string(path).unwrap();
    let digits = |line: &str, at| u8::from_str_radix(&line[at..at + 2], 16).unwrap();
    let inputs = text.lines().map(|line| (0..line.len()).step_by(2).map(|at| digits(line, at)).collect());
    let answers: BTreeSet<String> = inputs.map(|input: Vec<u8>| read(&input)).collect();
    assert!(answers.len() >= least, "{name}: only {} answers", answers.len());
}

#[test]
fn messages_and_frames_that_were_found_are_read_or_refused() {
    check("message", 20, |input| {
        let channel = [Channel::Control, Channel::Logs, Channel::Bulk];
        let channel = channel.into_iter().find(|channel| *channel as u8 == input[0]).unwrap();
        match read(channel, &input[1..]) {
            Incoming::Control(control) => format!("{control:?}"),
            Incoming::Logs(logs) => format!("{logs:?}"),
            Incoming::Bulk(bulk) => format!("{bulk:?}"),
            Incoming::Newer(newer) => format!("{newer:?}"),
        }
    });
    check("frames", 3, |input| {
        let mut lengths = Vec::new();
        Decoder::default().push(input, |_, message| {
            assert!(message.len() <= MAX_MESSAGE);
            lengths.push(message.len());
        });
        format!("{lengths:?}")
    });
}

#[test]
fn bundles_and_manifests_that_were_found_start_nothing_but_what_is_whole() {
    let disk = SimDisk::new();
    let unit = |running| Unit { board: "desk", slot_bytes: 1 << 20, starts: 2, running };
    let mut first = open(bundle(&recipe(1), &files(1), &NoBase)).unwrap();
    install(&disk, &mut first, &unit(None), &mut |_| {}).unwrap();
    boot(&disk).unwrap();
    confirm(&disk, Slot::A).unwrap();
    for (name, least) in [("bundle", 5), ("signed", 10)] {
        check(name, least, |input| {
            let _ = examine(Cursor::new(input));
            let mut bundle = match open(input.to_vec()) {
                Ok(bundle) => bundle,
                Err(error) => return error.to_string(),
            };
            let disk = disk.fork();
            let done = install(&disk, &mut bundle, &unit(Some(Slot::A)), &mut |_| {});
            let start = boot(&disk).unwrap();
            assert!(start.trial == done.is_ok() && (start.trial || start.slot == Slot::A));
            done.map_or_else(|error| error.to_string(), |done| format!("{done:?}"))
        });
    }
    check("manifest", 10, |input| match Manifest::parse(input) {
        Ok(manifest) => {
            assert!(Manifest::parse(&manifest.text()).unwrap() == manifest);
            "read".into()
        }
        Err(error) => error.to_string(),
    });
}
