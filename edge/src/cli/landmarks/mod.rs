//! `signpost landmarks`: every frame of a recording to landmarks in a `.pose` file.
//!
//! Recordings only. Each frame of one gives a pose, however long that takes; a live camera
//! goes on meanwhile and loses frames. What a camera sees is kept by `signpost read --out`.

mod report;

use std::num::NonZero;
use std::path::{Path, PathBuf};

use boards::Board;
use clap::Args;
use models::pose::Known;
use models::pose_file::TrackWriter;
use models::store::Store;

use crate::Fault;
use crate::camera::{self, Feed, first_frame};
use crate::vision::{Holistic, Options, Smoothing};
use report::{Report, Source};

/// Writes the landmarks of every frame of a video or of pictures.
#[derive(Debug, Args)]
pub struct Landmarks {
    /// A video, a folder of pictures, or one picture
    source: String,
    /// Where to write
    #[arg(long, value_name = "FILE.pose")]
    out: PathBuf,
    /// Leaves the landmarks as the networks give them, trembling and all
    #[arg(long)]
    raw: bool,
    /// Begins at the first frame at or after this time
    #[arg(long, value_name = "S", value_parser = time, default_value = "0")]
    from: f64,
    /// Ends before the first frame at or after this time
    #[arg(long, value_name = "S", value_parser = super::seconds)]
    to: Option<f64>,
    /// The board whose engines are used
    #[arg(long, default_value = "desk")]
    board: String,
    /// Threads that landmarks may use; as many as the board has where not given
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    /// Prints one JSON event a line
    #[arg(long)]
    json: bool,
}

impl Landmarks {
    /// Runs the command.
    ///
    /// # Errors
    /// Where the source, the output or an engine cannot be used. What was seen of a source that is
    /// damaged further on is kept.
    pub fn run(self) -> anyhow::Result<()> {
        let mut report = Report::new(self.json);
        self.make(&mut report).inspect_err(|error| {
            // Where nobody reads the events any more, the fault is told all the same.
            let _ = report.fault(error);
        })
    }

    fn make(&self, report: &mut Report) -> anyhow::Result<()> {
        let board = Board::named(&self.board)?;
        super::check_output(&self.out, &["pose"])?;
        if self.source.starts_with("/dev/") {
            return Err(Fault::Live { source_name: self.source.clone() }.into());
        }
        // The source first: a missing file is found at once, the networks take a second to load.
        let camera = camera::open_file(Path::new(&self.source), self.from)?;
        let store = Store::locate().ok_or(Fault::NoStore)?;
        let mut vision = Holistic::open(&store, &self.options(&board))?;
        let mut feed = Feed::start(camera)?;
        let [width, height] = feed.size();
        let source = Source {
            name: &self.source,
            layout: &Known::Holistic576.layout(),
            size: [width, height, 0],
            fps: feed.fps(),
            from_s: self.from,
            frames: fewer(feed.frames(), self.limit(feed.fps())),
            engine: vision.describe(),
            smooth: !self.raw,
        };
        report.source(&source)?;
        let writer = TrackWriter::create(&self.out, source.layout, source.fps, source.size);
        let mut writer = writer.map_err(Fault::from)?;
        let seen = self.follow(&mut feed, &mut vision, &mut writer, report);
        // Whatever went wrong, what was seen up to there is kept and said before the fault is.
        let kept = self.keep(writer, report);
        report.end(source.fps)?;
        seen?;
        kept
    }

    fn options(&self, board: &Board) -> Options {
        let options = Options::of(board);
        let threads = self.threads.map_or(options.threads, NonZero::get);
        let smooth = if self.raw { Smoothing::Off } else { options.smooth };
        Options { smooth, threads, ..options }
    }

    /// How many frames lie before the end that was asked for.
    fn limit(&self, fps: f32) -> Option<u64> {
        self.to.map(|to| first_frame(to, fps).saturating_sub(first_frame(self.from, fps)))
    }

    /// Sees frame after frame until the source ends, the part that was asked for is over, or something fails.
    fn follow(
        &self,
        feed: &mut Feed,
        vision: &mut Holistic,
        writer: &mut TrackWriter,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let limit = self.limit(feed.fps());
        while limit.is_none_or(|limit| (writer.frames() as u64) < limit) {
            let Some(frame) = feed.next()? else { break };
            let pose = vision.see(&frame)?;
            writer.push(&pose).map_err(Fault::from)?;
            report.frame(frame.at.seconds(), &pose, vision.hands())?;
        }
        Ok(())
    }

    /// # Errors
    /// [`Fault::NoFrame`] where there is nothing to keep; nothing is written then.
    fn keep(&self, writer: TrackWriter, report: &mut Report) -> anyhow::Result<()> {
        let frames = writer.frames();
        if frames == 0 {
            return Err(Fault::NoFrame { source_name: self.source.clone() }.into());
        }
        writer.finish().map_err(Fault::from)?;
        Ok(report.kept(&self.out, frames)?)
    }
}

/// The smaller of two numbers, as far as they are known.
fn fewer(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}

/// A time in seconds from the start.
fn time(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|s: &f64| s.is_finite() && *s >= 0.0);
    seconds.ok_or_else(|| "give a number of seconds from the start, for example 2.5".into())
}
