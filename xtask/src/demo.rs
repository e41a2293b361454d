//! `cargo xtask demo`: both directions, on the real networks.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, bail};
use models::metrics::edit_distance;
use serde_json::Value;

use crate::{cargo, setup, ui::Ui};

/// Spelled letter by letter in the demo: the lexicon that set-up brings holds manual alphabets and no words.
const TEXT: &str = "HELLO I AM SIGNPOST";

/// Signs a sentence, then reads: its own signing, or a person where a video or a camera is given.
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// Reads a signer in this video
    #[arg(long, value_name = "FILE", conflicts_with = "camera")]
    video: Option<PathBuf>,
    /// Reads a signer before this camera, for example /dev/video0
    #[arg(long, value_name = "DEV")]
    camera: Option<PathBuf>,
    /// What is signed
    #[arg(long, default_value = TEXT)]
    text: String,
    /// Where the files go
    #[arg(long, value_name = "DIR", default_value = "out/demo")]
    out: PathBuf,
}

impl Demo {
    /// Runs the demo.
    ///
    /// # Errors
    /// Where set-up, the build or one of the two directions fails.
    pub fn run(&self, ui: &Ui) -> anyhow::Result<()> {
        let store = setup::ensure(ui)?;
        let programs = cargo::build(&store, ui)?;
        let signpost = programs.join("signpost");
        std::fs::create_dir_all(&self.out).with_context(|| {
            format!("{} cannot be made; name another folder with --out", self.out.display())
        })?;
        let [signing, poses] = ["signing.mp4", "signing.pose"].map(|name| self.out.join(name));
        self.sign(&signpost, &signing, &poses, ui)?;
        match (&self.video, &self.camera) {
            (Some(video), _) => self.read_video(&signpost, video, ui)?,
            (None, Some(camera)) => read_camera(&signpost, camera, ui)?,
            (None, None) => self.read_back(&signpost, &poses, ui)?,
        }
        ui.answer(&format!("play:  {}", signing.display()));
        if self.video.is_none() && self.camera.is_none() {
            ui.step("to read a person: cargo xtask demo --camera /dev/video0, or --video FILE");
        }
        Ok(())
    }

    /// Text to signing, as a video and as poses.
    fn sign(&self, signpost: &Path, video: &Path, poses: &Path, ui: &Ui) -> anyhow::Result<()> {
        ui.step("text to signing:");
        let mut sign = Command::new(signpost);
        sign.args(["sign", &self.text, "--language", "ase", "--out"]).arg(video).arg("--out").arg(poses);
        run(&mut sign)
    }

    /// The signing's own poses through the recogniser.
    fn read_back(&self, signpost: &Path, poses: &Path, ui: &Ui) -> anyhow::Result<()> {
        ui.step("signing to text, from the poses just made:");
        let mut read = Command::new(signpost);
        // What the user has enrolled is no letter.
        read.arg("read").arg(poses).args(["--model", "asl-letters", "--no-enrolled", "--json"]);
        let caption = caption(&mut read)?;
        let (meant, read) = (letters(&self.text), letters(&caption));
        ui.answer(&format!("meant: {}", self.text));
        ui.answer(&format!("read:  {caption}"));
        // Words are spelled one after the other without a pause, so that nothing tells where one ends.
        ui.answer(&format!(
            "wrong: {} of {} letters, spaces left out",
            edit_distance(&meant, &read),
            meant.len()
        ));
        Ok(())
    }

    /// A person in a video to text, with the landmarks drawn over the picture.
    fn read_video(&self, signpost: &Path, video: &Path, ui: &Ui) -> anyhow::Result<()> {
        let name = video.file_stem().unwrap_or_default().to_string_lossy();
        let [shown, poses] = ["mp4", "pose"].map(|ending| self.out.join(format!("{name}.read.{ending}")));
        ui.step("signing to text:");
        let mut read = Command::new(signpost);
        read.arg("read").arg(video).args(["--model", "asl-letters", "--show"]).arg(&shown);
        run(read.arg("--out").arg(&poses))?;
        ui.answer(&format!("play:  {}", shown.display()));
        Ok(())
    }
}

/// A person before a camera to text, until the window is closed.
fn read_camera(signpost: &Path, camera: &Path, ui: &Ui) -> anyhow::Result<()> {
    ui.step("signing to text, until the window is closed:");
    run(Command::new(signpost).arg("read").arg(camera).args(["--model", "asl-letters", "--show", "window"]))
}

/// Runs a program to its end.
fn run(command: &mut Command) -> anyhow::Result<()> {
    ended_well(command.status().with_context(|| could_not_start(command))?)
}

/// The caption that `signpost read --json` ends with.
fn caption(read: &mut Command) -> anyhow::Result<String> {
    let output = read.stderr(Stdio::inherit()).output().with_context(|| could_not_start(read))?;
    ended_well(output.status)?;
    let lines = String::from_utf8_lossy(&output.stdout);
    let last = lines.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
    let caption = last.as_ref().and_then(|end| end["caption"].as_str());
    Ok(caption.context("the recogniser ended without a caption; run the demo again")?.to_owned())
}

fn ended_well(status: ExitStatus) -> anyhow::Result<()> {
    if !status.success() {
        bail!("the demo stops here; the line above says why");
    }
    Ok(())
}

fn could_not_start(command: &Command) -> String {
    format!(
        "{} could not be started; run the demo again to build it",
        command.get_program().to_string_lossy()
    )
}

/// What of a text can be spelled, as the recogniser writes it.
fn letters(text: &str) -> Vec<char> {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_distance(meant: &str, read: &str, expect: usize) {
        assert_eq!(edit_distance(&letters(meant), &letters(read)), expect, "{meant} and {read}");
    }

    #[test]
    fn distance_counts_letters_and_no_spaces() {
        check_distance("Hello, I am Signpost", "HELLOIAMSIGNPOST", 0);
        check_distance("kitten", "sitting", 3);
        check_distance("how", "", 3);
        check_distance("", "how", 3);
    }

    #[test]
    fn a_recogniser_that_fails_stops_the_demo() {
        let last_words = r#"echo '{"event":"end","caption":"HELLO"}'; exit "$0""#;
        let caption = |code: &str| caption(Command::new("sh").args(["-c", last_words, code]));
        assert_eq!(caption("0").unwrap(), "HELLO");
        assert!(caption("1").unwrap_err().to_string().contains("the line above says why"));
    }
}
