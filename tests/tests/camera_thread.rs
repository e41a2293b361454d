//! A camera that comes and goes, on its thread: no picture is lost uncounted, no thread, memory or camera kept.
//!
//! This file holds one test: threads and memory are counted for the whole process.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::Path;

use edge::camera::{Event, Feed, Steadfast};
use tests::simulated::{World, number};

/// The process may grow by so much of the size of all pictures that came: a leak would keep a good part.
const GROWTH: usize = 20;
/// Bytes in the unit in which the system counts memory.
const PAGE: usize = 4096;

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// Memory of the process that is in use, in bytes.
fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * PAGE
}

fn feed(world: &World) -> Feed {
    let wanted = boards::Board::named("desk").unwrap().camera;
    let name = Path::new("/dev/video0");
    let camera = Steadfast::with_clock(name, world.clone(), &wanted, world.clone()).unwrap();
    Feed::start(Box::new(camera)).unwrap()
}

/// Follows a camera to its end; the bytes of all pictures that came.
fn follow(world: &World) -> usize {
    let mut feed = feed(world);
    let (mut received, mut bytes) = (Vec::new(), 0);
    let mut last = None;
    loop {
        let is_over = world.is_over();
        match feed.event().unwrap().expect("a live camera has no end") {
            Event::Frame(frame) => {
                assert!(last.is_none_or(|last| last < frame.at), "{last:?}, then {:?}", frame.at);
                last = Some(frame.at);
                bytes += frame.rgb.len();
                received.push(number(&frame));
            }
            Event::Quiet(_) if is_over => break,
            _ => {}
        }
    }
    world.account(|account| {
        assert!(received.is_sorted_by(|a, b| a < b));
        assert!(received.iter().all(|n| account.whole.contains_key(n)), "none is made up");
        let all = account.whole.len() as u64 + account.torn + account.left_out;
        assert_eq!(received.len() as u64 + feed.lost(), all, "each picture is received or counted as lost");
        assert_eq!(account.open[1], 1, "the old device is closed before a new one is opened");
        eprintln!(
            "{} failures, {} pictures received, {} counted as lost, {} torn or left out among them",
            account.unplugged,
            received.len(),
            feed.lost(),
            account.torn + account.left_out,
        );
    });
    bytes
}

#[test]
fn a_thousand_failures_keep_no_thread_memory_or_camera() {
    let before = threads();
    // Whatever is allocated once is there after these.
    follow(&World::new(11, 200));
    let settled = resident();
    let bytes: usize = (12..14).map(|seed| follow(&World::new(seed, 1000))).sum();
    let grown = resident().saturating_sub(settled);
    eprintln!("{} KiB of pictures, the process grew by {} KiB", bytes / 1024, grown / 1024);
    assert!(grown < bytes / GROWTH, "the process grew by {grown} bytes with {bytes} bytes of pictures");
    assert_eq!(threads(), before, "threads stayed behind");

    for seed in 100..300 {
        let world = World::new(seed, 50);
        let mut feed = feed(&world);
        // It is stopped anywhere: while it streams, while it is away, while it is looked for.
        for _ in 0..seed {
            feed.event().unwrap();
        }
        drop(feed);
        world.account(|account| assert_eq!(account.open[0], 0, "the camera is free again"));
    }
    assert_eq!(threads(), before, "threads stayed behind");
}
