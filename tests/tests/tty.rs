//! The serial port itself, against the kernel's ptys.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use models::link::Wire;
use models::link::tty::{BAUD, Port};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

const PATIENCE: Duration = Duration::from_secs(5);

/// A pty: the end that stands for the cable, and the path of the other.
fn pty() -> (File, PathBuf) {
    let end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&end).unwrap();
    unlockpt(&end).unwrap();
    let name = ptsname(&end, Vec::new()).unwrap().into_string().unwrap();
    (File::from(end), name.into())
}

#[test]
fn all_bytes_pass_as_they_are_and_nothing_is_echoed() {
    let (mut cable, path) = pty();
    let mut port = Port::open(&path, BAUD).unwrap();
    assert_eq!(port.speed(), None, "a pty has no speed");
    let all: Vec<u8> = (0..=255).collect();
    cable.write_all(&all).unwrap();
    let mut came = vec![0; 1000];
    port.wait(PATIENCE, false).unwrap();
    let count = port.read(&mut came).unwrap();
    assert_eq!(came[..count], all);
    assert_eq!(port.read(&mut came).unwrap(), 0, "nothing more is there");
    assert_eq!(port.write(&all).unwrap(), 256);
    let count = cable.read(&mut came).unwrap();
    assert_eq!(came[..count], all, "and no echo of what came before");
}

#[test]
fn a_port_that_nobody_empties_takes_no_more_and_does_not_wait() {
    let (_cable, path) = pty();
    let mut port = Port::open(&path, BAUD).unwrap();
    let mut taken = 0;
    loop {
        match port.write(&[0; 4096]).unwrap() {
            0 => break,
            count => taken += count,
        }
        assert!(taken < 1 << 20, "a pty holds some kilobytes");
    }
    assert_eq!(port.read(&mut [0; 10]).unwrap(), 0);
}

#[test]
fn a_cable_that_is_pulled_is_noticed() {
    let (cable, path) = pty();
    let mut port = Port::open(&path, BAUD).unwrap();
    drop(cable);
    // Whether the wait says it or the read after it is the kernel's choice.
    let read = port.wait(PATIENCE, false).and_then(|()| port.read(&mut [0; 10]));
    assert!(read.is_err(), "{read:?}");
}

#[test]
fn a_port_is_one_programs_alone() {
    let (_cable, path) = pty();
    let _port = Port::open(&path, BAUD).unwrap();
    let error = Port::open(&path, BAUD).unwrap_err().to_string();
    assert!(error.contains("another program has it"), "{error}");
}
