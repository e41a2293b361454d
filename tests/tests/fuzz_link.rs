//! No bytes on the cable make tool or unit panic, hang or take much memory, and none of them become a file.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::io::Cursor;
use std::time::Duration;

use models::link::frame::{Decoder, MAX_MESSAGE, encode};
use models::link::line::{Incoming, read};
use models::link::message::{Answer, Bulk, Control, Health, Hello};
use models::link::{Channel, Duties, Staging, Tool, Unit, Wire};
use tests::fuzz::{Harvest, Random, each_round};
use tests::wire::Cable;

const FRAMES: &str = include_str!("../golden/link/v1.frames");

struct Nothing;

impl Duties for Nothing {
    fn hello(&self) -> Hello {
        Hello::of_unit("0.1.0", "desk", "7")
    }

    fn health(&mut self) -> Health {
        Health::default()
    }

    fn install(&mut self, _: &[u8; 32]) -> Result<(), String> {
        panic!("nothing was pushed that could be installed")
    }
}

/// All frames of version 1, one after the other, and each message without its frame.
fn seeds() -> (Vec<u8>, Vec<(Channel, Vec<u8>)>) {
    let digits = |hex: &str, i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
    let bytes = |hex: &str| (0..hex.len()).step_by(2).map(|i| digits(hex, i)).collect::<Vec<u8>>();
    let stream: Vec<u8> = FRAMES.lines().flat_map(|line| bytes(line.rsplit(' ').next().unwrap())).collect();
    let mut messages = Vec::new();
    Decoder::default().push(&stream, |channel, message| messages.push((channel, message.to_vec())));
    assert_eq!(messages.len(), FRAMES.lines().count());
    (stream, messages)
}

/// The memory that a message holds beside itself, in bytes, as far as its length is given by who sent it.
fn memory(incoming: &Incoming<'_>) -> usize {
    match incoming {
        Incoming::Control(Control::Answer { answer: Answer::Signing { words, .. }, .. }) => {
            size_of_val(words.as_slice())
                + words.iter().map(|w| w.text.len() + w.from.len() + w.glosses.len()).sum::<usize>()
        }
        Incoming::Control(Control::Answer { answer: Answer::Health(health), .. }) => {
            size_of_val(health.temperatures.as_slice()) + size_of_val(health.stages.as_slice())
        }
        Incoming::Control(Control::Answer { answer: Answer::Troubles { troubles }, .. }) => {
            size_of_val(troubles.as_slice())
                + troubles.iter().map(|t| t.kind.len() + t.said.len()).sum::<usize>()
        }
        Incoming::Control(Control::Got(got)) => got.seen.len(),
        _ => 0,
    }
}

#[test]
fn messages_of_any_bytes_are_read_or_refused() {
    let (stream, messages) = seeds();
    let mut harvest = Harvest::of("message");
    let mut check = |channel, bytes: &[u8]| {
        let incoming = read(channel, bytes);
        let held = memory(&incoming);
        assert!(held <= bytes.len() * 32, "{} bytes became {held}", bytes.len());
        // The names of its fields say what a message became.
        harvest.saw(&format!("{channel:?} {incoming:?}"), &[&[channel as u8], bytes].concat());
    };
    for (channel, message) in &messages {
        for length in 0..message.len() {
            check(*channel, &message[..length]);
        }
        for bit in 0..message.len().min(100) * 8 {
            let mut bytes = message.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            check(*channel, &bytes);
        }
    }
    let mut random = Random(1);
    for round in each_round() {
        let (channel, message) = &messages[round as usize % messages.len()];
        check(*channel, &random.mutate(message, &stream));
    }
}

#[test]
fn streams_of_any_bytes_give_only_frames_that_somebody_sent() {
    let (stream, messages) = seeds();
    let mut random = Random(2);
    let mut harvest = Harvest::of("frames");
    for _ in each_round() {
        let bytes = random.mutate(&stream, &stream);
        let mut decoder = Decoder::default();
        let mut came = String::new();
        for piece in bytes.chunks(1 + random.below(5000)) {
            decoder.push(piece, |channel, message| {
                assert!(message.len() <= MAX_MESSAGE);
                assert!(
                    messages.iter().any(|(c, m)| *c == channel && m == message),
                    "a frame out of nothing"
                );
                came.push_str(if message.len() > 40 { "long " } else { "short " });
            });
        }
        harvest.saw(&came, &bytes);
    }
}

#[test]
fn units_and_tools_survive_whatever_comes() {
    let (stream, messages) = seeds();
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(3);
    // Each round is twenty messages, both ways.
    for round in each_round().step_by(20).map(|round| round / 20) {
        // Whole frames of mutated messages, with noise between: what a broken or hostile program would send.
        let mut bytes = Vec::new();
        for _ in 0..20 {
            let (channel, message) = &messages[random.below(messages.len())];
            let message = random.mutate(message, &stream);
            let _ = encode(*channel, &Raw(&message), &mut bytes);
            if random.below(4) == 0 {
                bytes.extend(random.mutate(&stream[..40], &stream));
            }
        }
        let [mut tool, unit] = Cable::new(0, 0, 1).ends();
        let mut unit = Unit::new(unit, Staging::open(folder.path()).unwrap(), Nothing);
        for piece in bytes.chunks(3000) {
            tool.write(piece).unwrap();
            unit.step(Duration::ZERO).unwrap();
        }

        // And the other way round: a unit that greets well and then goes mad.
        let [tool, mut mad] = Cable::new(0, 0, 1).ends();
        let greeting = Control::Hello(Nothing.hello());
        let mut hello = Vec::new();
        encode(Channel::Control, &greeting, &mut hello).unwrap();
        mad.write(&hello).unwrap();
        let mut tool = Tool::connect(tool, "0.1.0", Duration::from_secs(1)).unwrap();
        mad.write(&bytes).unwrap();
        let refused = match round % 3 {
            0 => tool.health().is_err(),
            1 => tool.push("a", &mut Cursor::new(vec![1; 5000]), &mut |_| {}).is_err(),
            _ => tool.screenshot().is_err(),
        };
        assert!(refused || round % 3 == 0, "nobody received a file or sent a picture");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect();
    let whole = |path: &std::path::PathBuf| path.extension().is_none() && path.metadata().unwrap().len() > 0;
    assert!(!left.iter().any(whole), "{left:?}");
}

/// Bytes in the place of a message, as they are.
struct Raw<'a>(&'a [u8]);

impl serde::Serialize for Raw<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeTuple;
        let mut bytes = to.serialize_tuple(self.0.len())?;
        for byte in self.0 {
            bytes.serialize_element(byte)?;
        }
        bytes.end()
    }
}

#[test]
fn a_block_of_no_transfer_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let [mut tool, unit] = Cable::new(0, 0, 1).ends();
    let mut unit = Unit::new(unit, Staging::open(folder.path()).unwrap(), Nothing);
    let mut bytes = Vec::new();
    encode(Channel::Bulk, &Bulk::Block { transfer: 1, index: 0, bytes: &[1; 100] }, &mut bytes).unwrap();
    tool.write(&bytes).unwrap();
    unit.step(Duration::ZERO).unwrap();
    let mut answer = vec![0; 100];
    let count = tool.read(&mut answer).unwrap();
    let mut told = None;
    Decoder::default().push(&answer[..count], |channel, message| {
        if let Incoming::Control(Control::NoTransfer { transfer }) = read(channel, message) {
            told = Some(transfer);
        }
    });
    assert_eq!((told, std::fs::read_dir(folder.path()).unwrap().count()), (Some(1), 0));
}
