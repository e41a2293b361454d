//! Carries bytes between the host end of the emulated USB cable and a port that leads out of the machine.
//!
//! `relay TTY PORT`: the tty is there while the cable is plugged in, and is opened anew when it came back.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How often it is looked whether the cable was plugged in, or somebody outside listens.
const LOOK: Duration = Duration::from_millis(100);

/// The cable's end while it is plugged in.
type Cable = Arc<Mutex<Option<File>>>;

/// Carries bytes both ways until the machine stops.
pub fn run(args: Vec<String>) -> io::Result<()> {
    let [tty, port] =
        <[String; 2]>::try_from(args).map_err(|_| io::Error::other("a tty and a port are needed"))?;
    let outside = File::options().read(true).write(true).open(port)?;
    let cable = Cable::default();
    let (inward, to) = (outside.try_clone()?, Arc::clone(&cable));
    thread::spawn(move || carry_in(inward, &to));
    carry_out(&PathBuf::from(tty), outside, &cable)
}

/// From outside into the cable; what comes while it is not plugged in is lost, as on a desk.
fn carry_in(mut outside: File, cable: &Cable) {
    let mut bytes = [0; 4096];
    loop {
        match outside.read(&mut bytes) {
            // Nobody outside has the port open.
            Ok(0) | Err(_) => thread::sleep(LOOK),
            Ok(count) => {
                // Not held while it is written: the cable may have to be forgotten meanwhile.
                let end = cable.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(File::try_clone);
                if let Some(Ok(mut end)) = end {
                    // Who pulled it is noticed by the other direction.
                    let _ = end.write_all(&bytes[..count]);
                }
            }
        }
    }
}

/// From the cable outside, each time that it is plugged in.
fn carry_out(tty: &Path, mut outside: File, cable: &Cable) -> io::Result<()> {
    let mut bytes = [0; 4096];
    loop {
        if let Ok(mut end) = open(tty) {
            *cable.lock().unwrap_or_else(PoisonError::into_inner) = Some(end.try_clone()?);
            while let Ok(count) = end.read(&mut bytes) {
                if count == 0 {
                    break;
                }
                // Where nobody outside listens it is lost.
                let _ = outside.write_all(&bytes[..count]);
            }
            *cable.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        thread::sleep(LOOK);
    }
}

/// Opens the tty so that it changes no byte.
fn open(tty: &Path) -> io::Result<File> {
    let file = File::options().read(true).write(true).open(tty)?;
    let raw = Command::new("stty").arg("-F").arg(tty).args(["raw", "-echo"]).status()?;
    if raw.success() { Ok(file) } else { Err(io::Error::other("stty refuses it")) }
}
