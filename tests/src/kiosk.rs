//! A kiosk for tests: the program itself, before a recording that is played over and over.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use models::store::Store;

use crate::{program, text};

/// Frames that are played; a second and more.
const FRAMES: usize = 40;

/// Pictures of somebody who signs, in a folder: of a real person where the real data is there, and else of our own
/// signer, drawn.
///
/// # Panics
/// Where they cannot be made.
pub fn pictures(folder: &Path) -> PathBuf {
    let (video, pictures) = (folder.join("signing.mp4"), folder.join("pictures"));
    let real = Some(crate::data_folder().join("oracle/tfjs/asl_hand.25fps.mp4"));
    let clip = real.filter(|clip| clip.is_file()).unwrap_or_else(|| {
        let signed = crate::run(
            "signpost",
            ["sign", "HELLO", "--language", "ase", "--size", "640x360", "--out", text(&video)],
        );
        assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
        video
    });
    std::fs::create_dir(&pictures).unwrap();
    let made = Command::new(edge::ffmpeg::program().unwrap())
        .args(["-v", "error", "-ss", "1", "-i", text(&clip), "-frames:v", &FRAMES.to_string(), "-q:v", "3"])
        .arg(pictures.join("%03d.jpg"))
        .status()
        .unwrap();
    assert!(made.success() && std::fs::read_dir(&pictures).unwrap().count() == FRAMES);
    pictures
}

/// A kiosk that runs; it ends with the test, whatever becomes of it.
#[derive(Debug)]
pub struct Kiosk {
    child: Child,
}

impl Kiosk {
    /// The command of one with its storage in a folder, whose screen is pictures in another.
    pub fn command(store: &Store, root: &Path, screen: &Path, more: &[&str]) -> Command {
        let mut command = Command::new(program("signpost"));
        Self::arguments(&mut command, root, screen, more);
        command.env("SIGNPOST_CACHE", store.root()).env("SIGNPOST_STATE", root.join("state"));
        command
    }

    /// Its command line.
    pub fn arguments(command: &mut Command, root: &Path, screen: &Path, more: &[&str]) {
        command.args(["kiosk", "--language", "ase", "--root", text(root), "--show", text(screen)]).args(more);
    }

    /// Starts one.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start(mut command: Command) -> Self {
        Self { child: command.stdin(Stdio::null()).spawn().unwrap() }
    }

    /// Asks it to end in order, and waits for it.
    ///
    /// # Panics
    /// Where it does not end within ten seconds.
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "it does not end");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// Where there is no `kill`.
    pub fn signal(&self, name: &str) {
        assert!(crate::signal(self.child.id(), name));
    }

    /// Its process.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Kiosk {
    fn drop(&mut self) {
        // It may be over already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
