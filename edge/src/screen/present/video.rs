//! Frames as a video, through the `ffmpeg` program.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;

use super::{Part, Present};
use crate::Fault;
use crate::ffmpeg;
use crate::screen::Canvas;

/// H.264 needs sides that are even.
const MP4: &[&str] = &[
    "-vf",
    "pad=ceil(iw/2)*2:ceil(ih/2)*2",
    "-c:v",
    "libx264",
    "-preset",
    "fast",
    "-crf",
    "18",
    "-pix_fmt",
    "yuv420p",
    "-movflags",
    "+faststart",
    "-f",
    "mp4",
];
/// Times in a GIF are hundredths of a second: 25 frames a second are exact. The palette is the film's own.
const GIF: &[&str] = &[
    "-vf",
    "fps=25,split[a][b];[a]palettegen=stats_mode=diff[p];[b][p]paletteuse=dither=none",
    "-loop",
    "0",
    "-f",
    "gif",
];

/// A video in the making.
///
/// It grows under another name and gets its own when it is complete, so that a
/// full disk or a kill leaves no half file under the name asked for.
#[derive(Debug)]
pub struct Video {
    path: PathBuf,
    part: Part,
    size: (u32, u32),
    child: Child,
    /// `None` once the last frame is in.
    frames: Option<ChildStdin>,
    said: Option<JoinHandle<String>>,
}

impl Video {
    /// Starts an `.mp4`, or a `.gif` where the path ends so.
    ///
    /// # Errors
    /// There is no `ffmpeg`, or it cannot be started.
    pub fn create(path: &Path, size: (u32, u32), fps: f32) -> Result<Self, Fault> {
        let part = Part::beside(path);
        let is_gif = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gif"));
        let mut child = Command::new(ffmpeg::program()?)
            .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"])
            .args(["-f", "rawvideo", "-pix_fmt", "rgba", "-s", &format!("{}x{}", size.0, size.1)])
            .args(["-r", &fps.to_string(), "-i", "pipe:0"])
            .args(if is_gif { GIF } else { MP4 })
            .arg(part.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Fault::Encode { path: path.to_owned(), said: error.to_string() })?;
        let frames = child.stdin.take();
        // Read while it runs, so that it never waits for us; only the last line is kept.
        let said = child.stderr.take().map(|stderr| {
            std::thread::spawn(move || {
                let lines = BufReader::new(stderr).lines().map_while(Result::ok);
                lines.filter(|line| !line.trim().is_empty()).last().unwrap_or_default()
            })
        });
        Ok(Self { path: path.to_owned(), part, size, child, frames, said })
    }

    /// Waits for the end and gives what was said last.
    fn end(&mut self) -> (bool, String) {
        drop(self.frames.take());
        let success = self.child.wait().is_ok_and(|status| status.success());
        let said = self.said.take().and_then(|said| said.join().ok()).unwrap_or_default();
        (success, said)
    }

    fn fault(&mut self) -> Fault {
        let (_, said) = self.end();
        let said = if said.is_empty() { "it ended early".into() } else { said };
        Fault::Encode { path: self.path.clone(), said }
    }
}

impl Present for Video {
    fn show(&mut self, canvas: &Canvas) -> Result<(), Fault> {
        let fits = (canvas.width(), canvas.height()) == self.size;
        let written = match &mut self.frames {
            Some(frames) if fits => frames.write_all(canvas.rgba()).is_ok(),
            _ => false,
        };
        if written { Ok(()) } else { Err(self.fault()) }
    }

    fn finish(mut self: Box<Self>) -> Result<(), Fault> {
        let (success, said) = self.end();
        if !success {
            return Err(Fault::Encode { path: self.path.clone(), said });
        }
        let part = std::mem::replace(&mut self.part, Part::beside(&self.path));
        part.complete()
    }
}

impl Drop for Video {
    fn drop(&mut self) {
        if self.frames.is_some() {
            // Not finished: the half file goes with its `Part`.
            drop(self.frames.take());
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
