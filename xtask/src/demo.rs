//! `cargo xtask demo`: both directions, on the real networks.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::{cargo, setup, ui::Ui};

/// Spelled letter by letter in the demo: every letter of it is in the manual alphabet, none is doubled.
const TEXT: &str = "SIGNPOST";

/// Signs a sentence, reads it back, and reads a person where a video or a camera is given.
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
        if let Some(video) = &self.video {
            return self.read_video(&signpost, video, ui);
        }
        if let Some(camera) = &self.camera {
            let mut read = Command::new(&signpost);
            read.arg("read").arg(camera).args(["--model", "asl-letters", "--show", "window"]);
            return run(&mut read);
        }
        self.sign_and_read_back(&signpost, ui)
    }

    /// Text to signing, and the signing's own poses through the recogniser.
    fn sign_and_read_back(&self, signpost: &Path, ui: &Ui) -> anyhow::Result<()> {
        let [video, poses] = ["signing.mp4", "signing.pose"].map(|name| self.out.join(name));
        ui.step("text to signing:");
        run(Command::new(signpost)
            .args(["sign", &self.text, "--language", "ase", "--out"])
            .arg(&video)
            .arg("--out")
            .arg(&poses))?;

        ui.step("signing to text, from the poses just made:");
        let mut read = Command::new(signpost);
        read.arg("read").arg(&poses).args(["--model", "asl-letters", "--json"]);
        let read = caption(&mut read)?;
        ui.answer(&format!("meant: {}", self.text));
        ui.answer(&format!("read:  {read}"));
        ui.answer(&format!("play:  {}", video.display()));
        ui.step("to read a person: cargo xtask demo --camera /dev/video0, or --video FILE");
        Ok(())
    }

    /// A person in a video to text, with the landmarks drawn over the picture.
    fn read_video(&self, signpost: &Path, video: &Path, ui: &Ui) -> anyhow::Result<()> {
        let name = video.file_stem().unwrap_or_default().to_string_lossy();
        let [shown, poses] = ["mp4", "pose"].map(|ending| self.out.join(format!("{name}.read.{ending}")));
        ui.step("signing to text:");
        run(Command::new(signpost)
            .arg("read")
            .arg(video)
            .args(["--model", "asl-letters", "--show"])
            .arg(&shown)
            .arg("--out")
            .arg(&poses))?;
        ui.answer(&format!("play:  {}", shown.display()));
        Ok(())
    }
}

/// Runs a program to its end.
fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| could_not_start(command))?;
    if !status.success() {
        bail!("the demo stops here; the line above says why");
    }
    Ok(())
}

/// The caption that `signpost read --json` ends with.
fn caption(read: &mut Command) -> anyhow::Result<String> {
    let output = read.stderr(Stdio::inherit()).output().with_context(|| could_not_start(read))?;
    let lines = String::from_utf8_lossy(&output.stdout);
    let last: serde_json::Value = lines
        .lines()
        .last()
        .and_then(|line| serde_json::from_str(line).ok())
        .context("the recogniser printed no events; the line above says why")?;
    Ok(last["caption"].as_str().unwrap_or_default().to_string())
}

fn could_not_start(command: &Command) -> String {
    format!(
        "{} could not be started; run the demo again to build it",
        command.get_program().to_string_lossy()
    )
}
