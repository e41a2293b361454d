//! `signpost read`: a signer in a video, in pictures, in a `.pose` file or before a camera, to signs and captions.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::PathBuf;

use boards::Board;
use clap::Args;
use models::manifest::Kind;
use models::pose::{Layout, PoseTrack};
use models::pose_file;

use super::captions;
use super::enrol::Signs;
use super::input::{Event, Input, Seen};
use super::kept::Kept;
use super::report::Report;
use super::show::Show;
use crate::Fault;
use crate::language::{Continuous, Embedder, Reader, Recogniser, Whole};
use crate::screen::present::{self, Present, SCREEN, WINDOW};
use crate::vision::Options;

/// Reads a signer and prints what is signed.
#[derive(Debug, Args)]
pub struct Read {
    /// A video, a folder of pictures, one picture, a `.pose` file, or a camera such as /dev/video0
    source: String,
    #[command(flatten)]
    models: Models,
    /// The board whose engines are used
    #[arg(long, default_value = "desk")]
    board: String,
    /// Keeps the landmarks
    #[arg(long, value_name = "FILE.pose")]
    out: Option<PathBuf>,
    /// Keeps what was read, with its times: subtitles (.srt, .vtt), or for ELAN (.eaf)
    #[arg(long, value_name = "FILE.srt|vtt|eaf")]
    captions: Option<PathBuf>,
    /// Shows picture, landmarks and caption: in a `window`, on the unit's own `screen`, in FILE.mp4, FILE.gif, or in a folder as pictures
    #[arg(long, value_name = "window|screen|FILE|FOLDER")]
    show: Option<PathBuf>,
    /// Stops after so many seconds of the source
    #[arg(long, value_name = "S", value_parser = super::seconds)]
    seconds: Option<f64>,
    /// Prints one JSON event a line
    #[arg(long)]
    json: bool,
}

/// What a signer is read with.
#[derive(Debug, Clone, Args)]
pub struct Models {
    /// A model that ships, or a model's folder; may be given more than once
    #[arg(long = "model", value_name = "NAME|FOLDER", default_value = "asl-letters")]
    models: Vec<String>,
    #[command(flatten)]
    signs: Signs,
    /// Does not read the signs that were enrolled on site
    #[arg(long, conflicts_with = "file")]
    no_enrolled: bool,
}

/// Models that were opened.
#[derive(Default)]
pub struct Opened {
    /// Classifiers of single signs.
    recognisers: Vec<Recogniser>,
    /// One that reads continuous signing.
    continuous: Option<Continuous>,
    /// One that reads whole utterances when they are over.
    whole: Option<Whole>,
}

impl Opened {
    /// Whether nothing was opened.
    pub fn is_empty(&self) -> bool {
        self.recognisers.is_empty() && self.continuous.is_none() && self.whole.is_none()
    }

    /// What reads with them poses in the layout given.
    ///
    /// # Errors
    /// Those of [`Reader::new`].
    pub fn reader(self, layout: &Layout) -> Result<Reader, Fault> {
        let mut reader = Reader::new(layout, self.recognisers)?;
        if let Some(continuous) = self.continuous {
            reader = reader.with_continuous(continuous);
        }
        if let Some(whole) = self.whole {
            reader = reader.with_whole(whole);
        }
        Ok(reader)
    }
}

impl Models {
    /// Opens each model that can be opened, those enrolled on site among them, and says what is wrong with the
    /// others.
    pub fn open_each(&self, options: &Options) -> (Opened, Vec<Fault>) {
        let (mut opened, mut faults) = (Opened::default(), vec![]);
        for name in &self.models {
            if let Err(fault) = open(name, &mut opened, options) {
                faults.push(fault);
            }
        }
        match self.enrolled(options) {
            Ok(enrolled) => opened.recognisers.extend(enrolled.map(|(recogniser, _, _)| recogniser)),
            Err(fault) => faults.push(fault),
        }
        (opened, faults)
    }

    /// Opens the models, whatever kind they are of.
    fn open(&self, options: &Options) -> Result<Opened, Fault> {
        let mut opened = Opened::default();
        self.models.iter().try_for_each(|name| open(name, &mut opened, options))?;
        Ok(opened)
    }

    /// A recogniser of what was enrolled on site, where anything was, with the file and how many signs it has.
    fn enrolled(&self, options: &Options) -> Result<Option<(Recogniser, PathBuf, usize)>, Fault> {
        let enrolled = if self.no_enrolled { None } else { self.signs.read()? };
        let Some((path, enrolled)) = enrolled.filter(|(_, e)| !e.signs.is_empty()) else { return Ok(None) };
        let recogniser = Embedder::open(&options.backends)?.recogniser(&enrolled)?;
        Ok(Some((recogniser, path, enrolled.signs.len())))
    }
}

/// Opens one model beside those that are open.
fn open(name: &str, opened: &mut Opened, options: &Options) -> Result<(), Fault> {
    let two = |first: &str| Fault::TwoContinuous { models: [first.into(), name.into()] };
    match Kind::of(name)? {
        // One thread each: these networks are far too small to share among several.
        Kind::Isolated | Kind::Embedding(_) => {
            opened.recognisers.push(Recogniser::open(name, &options.backends, 1)?)
        }
        Kind::Continuous => {
            let continuous = Continuous::open(name, &options.backends)?;
            if let Some(first) = opened.continuous.replace(continuous) {
                return Err(two(&first.manifest().name));
            }
        }
        Kind::Utterance => {
            let whole = Whole::open(name, &options.backends)?;
            if let Some(first) = opened.whole.replace(whole) {
                return Err(two(&first.manifest().name));
            }
        }
    }
    Ok(())
}

impl Read {
    /// Runs the command.
    ///
    /// # Errors
    /// Where the source, a model or an engine cannot be used, or where nobody was seen. What was
    /// read up to then is printed, and the landmarks up to then are kept.
    pub fn run(self) -> anyhow::Result<()> {
        let board = Board::named(&self.board)?;
        self.check_outputs()?;
        match &self.show {
            Some(to) if [WINDOW, SCREEN].map(OsStr::new).contains(&to.as_os_str()) => {
                present::on(to, &board.screen, |shown| self.read(&board, Some(shown)))?
            }
            _ => self.read(&board, None),
        }
    }

    fn read(&self, board: &Board, window: Option<Box<dyn Present + Send>>) -> anyhow::Result<()> {
        let options = Options::of(board);
        let mut opened = self.models.open(&options)?;
        if let Some((enrolled, path, count)) = self.models.enrolled(&options)? {
            let path = path.display();
            writeln!(io::stderr(), "signpost: enrolled signs are read as well: {count}, from {path}")?;
            opened.recognisers.push(enrolled);
        }

        let mut input = Input::open(&self.source, board)?;
        let [width, height, _] = input.about.size;
        let mut reader = opened.reader(&input.about.layout)?.in_picture([width, height]);
        let mut report = Report::new(self.json);
        if self.captions.is_some() {
            report.keep_captions();
        }
        report.source(&self.source, &input.about)?;
        let size = screen_size(board);
        let mut show = match (window, &self.show) {
            (Some(window), _) => Some(Show::to_window(window, size, &input.about)),
            (None, Some(files)) => Some(Show::to_files(files, size, &input.about)?),
            (None, None) => None,
        };

        let mut kept = Kept::new(&input.about, self.out.is_some());
        let read = self.follow(&mut input, &mut reader, &mut report, &mut kept, show.as_mut());
        // Whatever went wrong, the rest is kept and said before the fault is.
        let shown = show.map_or(Ok(()), Show::finish);
        let written = self.keep(kept.track(), &mut report);
        let captioned = self.keep_captions(&mut report);
        report.end(reader.transcript(), input.lost())?;
        read?;
        shown?;
        written?;
        captioned?;
        Ok(report.somebody_was_seen(&self.source)?)
    }

    fn keep(&self, track: &PoseTrack, report: &mut Report) -> anyhow::Result<()> {
        let Some(out) = self.out.as_ref().filter(|_| !track.frames.is_empty()) else { return Ok(()) };
        pose_file::write_track_file(out, track)?;
        Ok(report.kept(out, track.frames.len())?)
    }

    fn keep_captions(&self, report: &mut Report) -> anyhow::Result<()> {
        let (Some(path), Some(captions)) = (&self.captions, report.captions()) else { return Ok(()) };
        captions.write(path, &self.source)?;
        Ok(report.captions_kept(path)?)
    }

    /// What cannot work is said before the first frame.
    fn check_outputs(&self) -> Result<(), Fault> {
        if let Some(out) = &self.out {
            super::check_output(out, &["pose"])?;
        }
        if let Some(captions) = &self.captions {
            super::check_output(captions, &captions::ENDINGS)?;
        }
        let files =
            self.show.as_ref().filter(|to| ![WINDOW, SCREEN].map(OsStr::new).contains(&to.as_os_str()));
        match files {
            Some(folder) if folder.extension().is_none() => super::check_folder_of(folder)?,
            Some(video) => super::check_output(video, &super::VIDEOS)?,
            None => {}
        }
        let keeps = self.out.is_some() || self.captions.is_some() || files.is_some();
        if keeps && self.source.starts_with("/dev/") && self.seconds.is_none() {
            return Err(Fault::NeedsEnd { source_name: self.source.clone() });
        }
        Ok(())
    }

    /// Reads until the source ends, its time is over, or something fails.
    fn follow(
        &self,
        input: &mut Input,
        reader: &mut Reader,
        report: &mut Report,
        kept: &mut Kept,
        mut show: Option<&mut Show>,
    ) -> anyhow::Result<()> {
        let most_s = self.seconds.unwrap_or(f64::INFINITY);
        while let Some(event) = input.next()? {
            let shown = match event {
                Event::Seen(seen) if seen.at.seconds() > most_s => break,
                Event::Quiet(until) if until.seconds() > most_s => break,
                Event::Seen(Seen { at, frame, pose }) => {
                    let at_s = at.seconds();
                    let somebody = pose.confidence.iter().any(|c| *c > 0.0);
                    report.frame(at_s, somebody, input.about.frames);
                    // First of all, so that nothing that goes wrong below loses it.
                    kept.push(at_s, frame.as_ref().map(|f| [f.width, f.height]), &pose);
                    let events = reader.read(at, &pose)?;
                    report.events(&events)?;
                    show.as_mut().map(|show| show.frame(at_s, frame.as_ref(), &pose, reader, &events))
                }
                Event::Quiet(until) => show.as_mut().map(|show| show.quiet(until.seconds())),
                Event::Lost { at, why } => {
                    report.events(&reader.interrupt()?)?;
                    report.camera_lost(at.seconds(), &why)?;
                    show.as_mut().map(|show| show.no_camera(at.seconds()))
                }
                Event::Back(back) => {
                    report.events(&reader.interrupt()?)?;
                    report.camera_back(back.at.seconds(), &back)?;
                    None
                }
            };
            match shown {
                // Whoever closes the window wants no more: that is an end like any other.
                Some(Err(Fault::Closed)) => {
                    report.closed();
                    break;
                }
                Some(shown) => shown?,
                None => {}
            }
        }
        Ok(report.events(&reader.finish()?)?)
    }
}

fn screen_size(board: &Board) -> (u32, u32) {
    (board.screen.width_px, board.screen.height_px)
}
