//! How fast files go over the cable: frames alone, and 30 MB over a pty between two threads.
//!
//! `cargo xtask bench link [--megabytes 30] [--runs 5]`. Nothing is compared with others: no other tool
//! speaks to this unit. What a bad line leaves is no matter of speed here and stands in `tests/tests/link.rs`.

#![allow(clippy::unwrap_used, reason = "a bench may stop where something is missing")]

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use models::link::frame::{Decoder, encode};
use models::link::message::{Bulk, Health, Hello};
use models::link::tty::{BAUD, Port};
use models::link::{Channel, Duties, Staging, Tool, Unit};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tests::bench::args;
use tests::fuzz::Random;

struct Nothing;

impl Duties for Nothing {
    fn hello(&self) -> Hello {
        Hello::of_unit("bench", "desk", "1")
    }

    fn health(&mut self) -> Health {
        unreachable!("nobody asks in this bench")
    }
}

fn main() {
    let args = args(&["megabytes", "runs"]);
    let number = |name: &str, or: usize| args.get(name).map_or(or, |v| v.parse().expect("a number"));
    let mut random = Random(1);
    let bytes: Vec<u8> = (0..number("megabytes", 30) * 1_000_000).map(|_| random.below(256) as u8).collect();
    frames(&bytes);
    println!("\n| over a pty, run | MB/s | blocks | again |\n|---|---|---|---|");
    for run in 1..=number("runs", 5) {
        let folder = tempfile::tempdir().unwrap();
        let (rate, sent) = over_a_pty(&bytes, folder.path().into());
        println!("| {run} | {rate:.1} | {} | {} |", sent.blocks, sent.repeated);
    }
}

/// Writes and reads the frames of a file, without a line.
fn frames(bytes: &[u8]) {
    println!("| bytes a block | write, MB/s | read, MB/s |\n|---|---|---|");
    for size in [256, 1024, 4096] {
        let begun = Instant::now();
        let mut stream = Vec::with_capacity(bytes.len() * 2);
        for (index, block) in bytes.chunks(size).enumerate() {
            let block = Bulk::Block { transfer: 1, index: index as u32, bytes: block };
            encode(Channel::Bulk, &block, &mut stream).unwrap();
        }
        let written = begun.elapsed();
        let begun = Instant::now();
        let mut read = 0;
        Decoder::default().push(&stream, |_, message| read += message.len());
        assert!(read >= bytes.len());
        let rate = |time: Duration| bytes.len() as f64 / 1e6 / time.as_secs_f64();
        println!("| {size} | {:.0} | {:.0} |", rate(written), rate(begun.elapsed()));
    }
}

/// Sends a file through two ptys, between which a thread carries bytes as a cable would.
fn over_a_pty(bytes: &[u8], folder: PathBuf) -> (f64, models::link::tool::Sent) {
    let [(near, tool), (far, unit)] = [(); 2].map(|()| {
        let end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&end).unwrap();
        unlockpt(&end).unwrap();
        let name = ptsname(&end, Vec::new()).unwrap().into_string().unwrap();
        (std::fs::File::from(end), PathBuf::from(name))
    });
    // Both are open, and raw, before a byte goes over.
    let (tool, unit) = (Port::open(&tool, BAUD).unwrap(), Port::open(&unit, BAUD).unwrap());
    let carry = |from: &std::fs::File, to: &std::fs::File| {
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        // It ends when the other side of the pty is closed, which is an error to who reads here.
        std::thread::spawn(move || drop(std::io::copy(&mut from, &mut to)))
    };
    let carriers = [carry(&near, &far), carry(&far, &near)];
    let over = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&over);
    let serving = std::thread::spawn(move || {
        let mut unit = Unit::new(unit, Staging::open(&folder).unwrap(), Nothing);
        while !stop.load(Ordering::Relaxed) {
            unit.step(Duration::from_millis(20)).unwrap();
        }
    });
    let mut tool = Tool::connect(tool, "bench", Duration::from_secs(5)).unwrap();
    let begun = Instant::now();
    let sent = tool.push("file", &mut Cursor::new(bytes), &mut |_| {}).unwrap();
    let rate = bytes.len() as f64 / 1e6 / begun.elapsed().as_secs_f64();
    over.store(true, Ordering::Relaxed);
    serving.join().unwrap();
    drop(tool);
    for carrier in carriers {
        carrier.join().unwrap();
    }
    (rate, sent)
}
