//! Frames of version 1 of the link, made by an independent implementation, are read and written for ever.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::collections::BTreeMap;

use models::link::Channel;
use models::link::frame::{Decoder, encode};
use models::link::line::{Incoming, read};
use models::link::message::{
    Answer, Ask, Bulk, Caption, CaptionKind, Control, Got, Health, Hello, Level, Logs, Offer, Refusal, Role,
    StageTime, Take, Temperature, Trouble, Verdict, Word,
};

const FRAMES: &str = include_str!("../golden/link/v1.frames");

#[test]
fn frames_of_version_1_mean_what_they_meant() {
    let frames = frames();
    let block: Vec<u8> = (0..=255).cycle().take(1024).collect();
    let expected = expected(&block);
    assert_eq!(expected.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names(), "all are listed");
    for (name, expect) in &expected {
        check(name, &frames[name], expect);
    }
}

/// A frame gives this message, and this message gives the frame.
#[track_caller]
fn check(name: &str, bytes: &[u8], expect: &Incoming<'_>) {
    let mut found = 0;
    Decoder::default().push(bytes, |channel, message| {
        assert_eq!(&read(channel, message), expect, "{name}");
        found += 1;
    });
    assert_eq!(found, 1, "{name} is one frame");
    let mut written = Vec::new();
    match expect {
        Incoming::Control(message) => encode(Channel::Control, message, &mut written).unwrap(),
        Incoming::Logs(message) => encode(Channel::Logs, message, &mut written).unwrap(),
        Incoming::Bulk(message) => encode(Channel::Bulk, message, &mut written).unwrap(),
        Incoming::Newer(_) => panic!("{name} is known"),
    }
    assert_eq!(written, bytes, "{name}");
}

fn expected(block: &[u8]) -> Vec<(&'static str, Incoming<'_>)> {
    let hash: [u8; 32] = std::array::from_fn(|i| i as u8);
    let hello = |role, newest, board: &str, unit: &str| {
        let (product, board, unit) = ("0.1.0".into(), board.into(), unit.into());
        Control::Hello(Hello { role, oldest: 1, newest, product, board, unit })
    };
    let offer = |name: &str, length, block, afresh| Offer { name: name.into(), length, hash, block, afresh };
    let ask = |id, ask| Incoming::Control(Control::Ask { id, ask });
    let answer = |id, answer| Incoming::Control(Control::Answer { id, answer });
    let got = |next, seen: &[u8], verdict| {
        Incoming::Control(Control::Got(Got { transfer: 9, next, seen: seen.into(), verdict }))
    };
    let caption = |at_ms, kind, text: &str, confidence| {
        Incoming::Control(Control::Caption(Caption { at_ms, kind, text: text.into(), confidence }))
    };
    let line = |at_ms, level, text: &str, dropped| {
        Incoming::Logs(Logs::Line { at_ms, level, text: text.into(), dropped })
    };
    let word = |text: &str, from: &str, glosses: &str| Word {
        text: text.into(),
        from: from.into(),
        glosses: glosses.into(),
    };
    let degrees = |name: &str, milli_celsius| Temperature { name: name.into(), milli_celsius };
    let health = Health {
        uptime_s: 86400,
        state: "watching".into(),
        fps: 29.5,
        frames: 2_500_000,
        lost: 3,
        temperatures: vec![degrees("cpu-thermal", 61500), degrees("freezer", -18000)],
        stages: vec![StageTime { name: "vision".into(), mean_us: 21000, most_us: 48000 }],
        logs_dropped: 5,
        spoiled: 6,
    };
    let words = vec![word("Zoë", "spelled", "Z O E"), word("tag", "lexicon", "TAG")];
    let troubles = |all: &[(&str, &str)]| Answer::Troubles {
        troubles: all.iter().map(|(kind, said)| Trouble::new(kind, said)).collect(),
    };
    let cannot = |why: &str| Answer::Refused(Refusal::Cannot { why: why.into() });
    vec![
        ("hello-tool", Incoming::Control(hello(Role::Tool, 1, "", ""))),
        ("hello-unit", Incoming::Control(hello(Role::Unit, 300, "desk", "Schalter 7"))),
        ("ask-health", ask(1, Ask::Health)),
        ("ask-sign", ask(2, Ask::Sign { text: "Guten Tag, Zoë".into() })),
        ("ask-offer", ask(3, Ask::Offer(offer("bundle", 30_000_000_000, 1024, false)))),
        ("ask-install", ask(4, Ask::Install { file: hash })),
        ("ask-confirm", ask(5, Ask::Confirm)),
        ("ask-roll-back", ask(6, Ask::RollBack)),
        ("ask-screenshot", ask(7, Ask::Screenshot)),
        ("ask-speed", ask(128, Ask::Speed { baud: 921_600 })),
        ("answer-health", answer(1, Answer::Health(health))),
        ("answer-signing", answer(2, Answer::Signing { words, length_ms: 5400 })),
        ("answer-take", answer(3, Answer::Take(Take { transfer: 4_000_000_000, from: 1024 * 77, hash }))),
        ("answer-there", answer(3, Answer::There)),
        (
            "answer-picture",
            answer(7, Answer::Picture { transfer: 9, offer: offer("screen.png", 70_000, 256, true) }),
        ),
        ("answer-done", answer(5, Answer::Done)),
        ("answer-speed", answer(128, Answer::Speed { baud: 921_600 })),
        ("answer-unknown", answer(8, Answer::Refused(Refusal::Unknown))),
        ("answer-cannot", answer(4, cannot("it has no slots"))),
        ("got", got(77, &[0, 0xff, 0x80], None)),
        ("got-whole", got(80, &[], Some(Verdict::Whole))),
        ("got-spoiled", got(80, &[], Some(Verdict::Spoiled { found: hash }))),
        ("got-failed", got(80, &[], Some(Verdict::Failed { why: "its disk is full".into() }))),
        ("no-transfer", Incoming::Control(Control::NoTransfer { transfer: 10 })),
        ("caption-sign", caption(1500, CaptionKind::Sign, "HALLO", 0.75)),
        ("caption", caption(2500, CaptionKind::Caption, "HALLO ZOË", 0.5)),
        ("caption-repeat", caption(3500, CaptionKind::Repeat, "", 0.0)),
        ("line-error", line(12_345_678_901, Level::Error, "no camera", 0)),
        ("line-warn", line(1, Level::Warn, "hot", 2)),
        ("line-info", line(0, Level::Info, "", 0)),
        (
            "defmt",
            Incoming::Logs(Logs::Defmt {
                build: (0..20).collect(),
                bytes: vec![1, 0, 2, 0, 3],
                dropped: 300,
            }),
        ),
        ("block", Incoming::Bulk(Bulk::Block { transfer: 9, index: 70_000, bytes: block })),
        ("block-empty", Incoming::Bulk(Bulk::Block { transfer: 0, index: 0, bytes: &[] })),
        ("ask-troubles", ask(9, Ask::Troubles)),
        ("answer-troubles", answer(9, troubles(&[("disk", "its disk is full; free some space")]))),
        ("answer-no-troubles", answer(10, troubles(&[]))),
    ]
}

fn names() -> Vec<&'static str> {
    FRAMES.lines().map(|line| line.split(' ').nth(1).unwrap()).collect()
}

fn frames() -> BTreeMap<&'static str, Vec<u8>> {
    let bytes = |hex: &str| {
        let digits = |i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digits).collect()
    };
    let line = |line: &'static str| {
        let mut parts = line.split(' ').skip(1);
        (parts.next().unwrap(), bytes(parts.next().unwrap()))
    };
    FRAMES.lines().map(line).collect()
}
