//! `signpost kiosk`: a whole unit, which reads, signs, serves its cable and looks after itself.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::read::Models;
use super::sign::Signed;
use super::update::Place;
use super::update::serve::Cable;
use crate::kiosk::Source;
use crate::kiosk::state::{LEFT_AFTER, LEFT_AFTER_S};
use crate::kiosk::unit::{self, Settings};
use crate::kiosk::words::Tongue;
use crate::screen::Theme;
use crate::screen::present::{self, Present};

/// Runs a kiosk: reads the signer before the camera, signs texts that come along the cable, and shows both.
#[derive(Debug, Args)]
pub struct Kiosk {
    #[command(flatten)]
    place: Place,
    /// The camera, where it is not the board's; a video or pictures are played in its place, over and over
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    #[command(flatten)]
    models: Models,
    #[command(flatten)]
    signed: Signed,
    #[command(flatten)]
    cable: Cable,
    /// Where to show it: in a `window`, on the unit's own `screen`, or in a folder for pictures, which grows as long as it runs
    #[arg(long, value_name = "window|screen|FOLDER", default_value = present::WINDOW)]
    show: PathBuf,
    /// The language of the kiosk's own words
    #[arg(long, value_enum, value_name = "LANGUAGE", default_value = "en")]
    words: Tongue,
    /// A visitor has left when nobody was seen for so many seconds; then the visit is forgotten
    #[arg(long, value_name = "S", default_value_t = LEFT_AFTER_S, value_parser = left_after())]
    left_after: u32,
    /// A thread that makes no progress for so many seconds hangs, and the unit ends to be started anew; the board's
    /// where not given
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(2..=60))]
    stall_after: Option<u32>,
    /// A light screen instead of a dark one
    #[arg(long)]
    light: bool,
}

impl Kiosk {
    /// Runs the command.
    ///
    /// # Errors
    /// Where the unit cannot start, or cannot go on.
    pub fn run(self) -> anyhow::Result<()> {
        let home = self.place.open()?;
        let name = self.source.clone().or_else(|| home.board.camera.device.clone());
        let source = name.map(|name| Source::named(name, home.board.camera.clone())).transpose()?;
        let (show, screen) = (self.show.clone(), home.board.screen.clone());
        present::on(&show, &screen, |to| unit::run(home, self.settings(source), to))?
    }

    /// Runs it before a camera and a screen that nobody has to plug in.
    ///
    /// # Errors
    /// Where the unit cannot start, or cannot go on.
    pub fn run_before(self, camera: Source, screen: Box<dyn Present + Send>) -> anyhow::Result<()> {
        let home = self.place.open()?;
        unit::run(home, self.settings(Some(camera)), screen)
    }

    fn settings(self, source: Option<Source>) -> Settings {
        Settings {
            source,
            models: self.models,
            signed: self.signed,
            cable: self.cable,
            tongue: self.words,
            theme: if self.light { Theme::LIGHT } else { Theme::DARK },
            left_after: Duration::from_secs(self.left_after.into()),
            stall_after: self.stall_after.map(|s| Duration::from_secs(s.into())),
        }
    }
}

fn left_after() -> clap::builder::RangedI64ValueParser<u32> {
    let (least, most) = LEFT_AFTER.into_inner();
    clap::value_parser!(u32).range(i64::from(least)..=i64::from(most))
}
