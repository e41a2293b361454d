//! `signpost-host signx render`: five tracks and a video out of recorded landmarks.

use std::path::PathBuf;

use clap::Args;
use host::signx::rendered::{self, MAX_VIDEO, Options, Video};
use host::ui;
use models::pose::PoseTrack;

/// Renders recorded signing as people who were never recorded.
#[derive(Args)]
pub struct Render {
    /// A .pose file, a folder of them, or a corpus that `signpost-host synth` wrote.
    #[arg(long, value_name = "FILE|FOLDER")]
    poses: PathBuf,
    /// The folder that `utterances.jsonl` and a folder for each utterance are written to.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// What people, clothes, cameras, lights and backgrounds follow from.
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    people: u64,
    /// Frames a second, of which each shows the recorded one nearest to it; those of the recording, where none are named.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    fps: Option<f32>,
    /// Cuts recordings into pieces of at most so many frames, each by a person of its own. They say nothing, and teach
    /// Video2Pose, which needs many people more than long clips.
    #[arg(long, value_name = "FRAMES", value_parser = piece)]
    pieces: Option<usize>,
    /// Side of the video in pixels; 0 makes none.
    #[arg(long, value_name = "SIZE", default_value_t = 64, value_parser = side)]
    video: usize,
    /// Gives each pixel of the video its depth and its part as well.
    #[arg(long)]
    pixels: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

impl Render {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { poses, out, people, fps, pieces, video, pixels, json } = self;
        let video = Video { side: video, pixels };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let bar = ui::progress(0, "utterances");
        let options = Options { poses, out, seed: people, fps, piece: pieces, video, threads };
        let report = rendered::render(&options, |done, all| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        })?;
        bar.finish_and_clear();
        for id in &report.left_out {
            ui::say(format!("left out: {id} shows no shoulders"));
        }
        let [body, hands] = [report.error.body, report.error.hands];
        if json {
            let object = serde_json::json!({
                "utterances": report.utterances, "frames": report.frames, "left_out": report.left_out,
                "fit_error_percent_of_shoulder_width": {"body": body, "hands": hands},
            });
            return Ok(ui::result(object.to_string())?);
        }
        ui::result(format!(
            "{} utterances, {} frames, {} left out; joints lie {body:.1} % of a shoulder width from the recorded body, {hands:.1} % from recorded hands; written to {}",
            report.utterances,
            report.frames,
            report.left_out.len(),
            options.out.display()
        ))?;
        Ok(())
    }
}

fn side(text: &str) -> Result<usize, String> {
    let side = text.parse().ok().filter(|side| *side <= MAX_VIDEO);
    side.ok_or_else(|| format!("give a number of pixels up to {MAX_VIDEO}, for example 64"))
}

fn rate(text: &str) -> Result<f32, String> {
    let rate = text.parse().ok().filter(|rate| PoseTrack::FPS.contains(rate));
    rate.ok_or_else(|| "give frames a second, for example 12".into())
}

fn piece(text: &str) -> Result<usize, String> {
    let frames = text.parse().ok().filter(|frames| *frames > 0);
    frames.ok_or_else(|| "give a number of frames, for example 16".into())
}
