//! `signpost-host signx read`: reads a corpus of continuous signing.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use host::aurallm::Cpu;
use host::data::write_utterances;
use host::signx::{SignXModel, Track, clip, model};
use host::ui;
use models::translator::Decoding;

/// Reads a corpus of continuous signing: writes what was said in the corpus's form, which
/// `signpost-host evaluate continuous --hypothesis` scores.
#[derive(Args)]
pub struct Read {
    /// The model's folder.
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,
    /// The corpus: a folder with utterances.jsonl.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to write what was said.
    #[arg(long, value_name = "FILE.jsonl")]
    said: PathBuf,
    /// Sequences that are followed at once, where not the preset's number; 1 is greedy.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=32))]
    beam: Option<u8>,
    /// Draws glosses by chance instead, which follows from this number.
    #[arg(long, value_name = "SEED", conflicts_with = "beam")]
    sample: Option<u64>,
    /// Steps in which the latent is denoised, where not the preset's number; 0 leaves it as it is.
    #[arg(long, value_name = "N")]
    steps: Option<u16>,
    /// Share of what frames say by themselves, where not the preset's; 0 leaves them unheard, 1 hears nothing else.
    #[arg(long, value_name = "SHARE")]
    heard: Option<f32>,
    /// Divides the logarithms of probabilities: below 1 the likelier become likelier still.
    #[arg(long, value_name = "T")]
    temperature: Option<f32>,
    /// Reads this track only; may be given several times.
    #[arg(long = "track", value_name = "TRACK", conflicts_with = "video")]
    tracks: Vec<String>,
    /// Reads the videos beside the landmarks instead of the tracks.
    #[arg(long)]
    video: bool,
    /// Reads by the networks that `signx export` writes, as a unit does.
    #[arg(long)]
    exported: bool,
}

/// Which tracks are read, where some are named; as before where none is.
pub fn tracks(names: &[String], before: [bool; 5]) -> anyhow::Result<[bool; 5]> {
    let mut reads = if names.is_empty() { before } else { [false; Track::ALL.len()] };
    for name in names {
        let track = Track::find(name);
        let track = track.with_context(|| format!("--track {name:?}: tracks are {}", Track::names()))?;
        reads[track as usize] = true;
    }
    Ok(reads)
}

impl Read {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        let mut model = SignXModel::<Cpu>::open(&self.model, &Default::default())?;
        if let Some(steps) = self.steps {
            model.preset.diffusion.steps = steps.into();
        }
        let mut how = model.preset.beam;
        match (self.beam, &mut how) {
            (Some(1), _) => how = Decoding::Greedy,
            (Some(wanted), Decoding::Beam { beam, .. }) => *beam = wanted.into(),
            _ => {}
        }
        if let Some(wanted) = self.sample {
            how = model.preset.sampled;
            if let Decoding::Sampled { seed, .. } = &mut how {
                *seed = wanted;
            }
        }
        if let Some(share) = self.heard {
            anyhow::ensure!((0.0..=1.0).contains(&share), "--heard {share} is not from 0 to 1");
            model.preset.heard = share;
        }
        if let Some(temperature) = self.temperature {
            anyhow::ensure!(temperature > 0.0, "--temperature {temperature} is not above 0");
            model.preset.shaping.temperature = temperature;
        }
        model.preset.reads = tracks(&self.tracks, model.preset.reads)?;
        let fps = model.preset.fps;
        let said: Vec<_> = if self.video {
            let films = clip::films(&self.data, &model.preset)?;
            let bar = ui::progress(films.len(), "utterances read");
            let next = "give a folder that `train signx-video` wrote, or leave --video out";
            let none = || format!("{} reads no videos; {next}", self.model.display());
            let looks = self.exported.then(|| model.exported_video()).transpose()?.flatten();
            let mut exported =
                looks.map(|video| Ok::<_, host::Error>((video, model.exported()?))).transpose()?;
            let read = films.iter().map(|(utterance, clip, film)| {
                bar.inc(1);
                let said = match &mut exported {
                    Some((video, exported)) => model.read_film_exported((video, exported), film, how)?,
                    None => model.read_film(film, how).with_context(none)?,
                };
                Ok(model::hypothesis(utterance, clip.frames(), fps, said))
            });
            read.collect::<anyhow::Result<_>>()?
        } else {
            let clips = clip::clips(&self.data, &model.preset)?;
            let mut exported = self.exported.then(|| model.exported()).transpose()?;
            let bar = ui::progress(clips.len(), "utterances read");
            let read = clips.iter().map(|(utterance, clip)| {
                bar.inc(1);
                let said = match &mut exported {
                    Some(exported) => model.read_exported(exported, clip, how)?,
                    None => model.read(clip, how),
                };
                Ok(model::hypothesis(utterance, clip.frames(), fps, said))
            });
            read.collect::<anyhow::Result<_>>()?
        };
        write_utterances(&self.said, &said)?;
        ui::say(format!("{} utterances, written to {}", said.len(), self.said.display()));
        Ok(())
    }
}
