//! What `signpost sign` writes: one signing, or one after the other.

use std::path::{Path, PathBuf};

use models::annotation::{write_srt, write_vtt};
use models::pose::Pose;
use models::pose_file::TrackWriter;
use serde::Serialize;

use crate::Fault;
use crate::cli::check_folder_of;
use crate::production::{Signing, Word, subtitles};
use crate::screen::playback::Playback;
use crate::screen::present::{Pictures, Present, Video, write_png, write_whole};
use crate::screen::{Backdrop, Caption, Rig, Screen, Stance, State, Theme};

/// Signs of a sheet at most, and how they lie there.
const SHEET_SIGNS: usize = 100;
const SHEET_COLUMNS: usize = 5;
const TILE_PX: (u32, u32) = (400, 400);

/// What `--json` prints and `.json` holds.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    pub text: &'a str,
    pub language: &'a str,
    pub fps: f32,
    pub frames: usize,
    /// What the translator said, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub glosses: Option<&'a str>,
    pub words: &'a [Word],
}

/// What an output path asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Video,
    Sheet,
    Pictures,
    Pose,
    Json,
    Srt,
    Vtt,
}

impl Kind {
    /// By the ending of a path whose folder is there.
    ///
    /// # Errors
    /// [`Fault::UnknownOutput`] or [`Fault::NoFolder`].
    pub fn of(path: &Path) -> Result<Self, Fault> {
        let ends_in_slash = path.as_os_str().as_encoded_bytes().last() == Some(&b'/');
        let kind = if ends_in_slash || path.is_dir() {
            Self::Pictures
        } else {
            let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
            match extension.to_str() {
                Some("mp4" | "gif") => Self::Video,
                Some("png") => Self::Sheet,
                Some("pose") => Self::Pose,
                Some("json") => Self::Json,
                Some("srt") => Self::Srt,
                Some("vtt") => Self::Vtt,
                _ => return Err(Fault::UnknownOutput { path: path.to_owned() }),
            }
        };
        check_folder_of(path)?;
        Ok(kind)
    }
}

/// Files that grow with each signing, in little memory however many there are.
pub struct Outputs {
    sinks: Vec<(PathBuf, Sink)>,
    size: (u32, u32),
    theme: Theme,
    /// The signer alone, where that is asked for.
    over: Option<Backdrop>,
    /// Made where there are pictures: it loads fonts.
    screen: Option<Screen>,
    language: String,
    fps: f32,
    frames: usize,
    texts: Vec<String>,
    glosses: Option<Vec<String>>,
    words: Vec<Word>,
    /// How far below the shoulders any signing reached, so that the view never jumps to and fro.
    below: f32,
}

enum Sink {
    Frames(Box<dyn Present>),
    Sheet(Vec<Tile>),
    Pose(Option<TrackWriter>),
    Json,
    Srt,
    Vtt,
}

/// A sign at its middle.
struct Tile {
    gloss: String,
    rig: Rig,
    pose: Pose,
    stance: Stance,
}

impl Outputs {
    /// Begins them; `size` in pixels, and the signer alone where there is a backdrop.
    ///
    /// # Errors
    /// Where a file or a program cannot be begun.
    pub fn begin(
        outputs: &[(Kind, &Path)],
        size: (u32, u32),
        (theme, over): (Theme, Option<Backdrop>),
        language: &str,
        fps: f32,
    ) -> Result<Self, Fault> {
        if over == Some(Backdrop::Transparent)
            && let Some((_, path)) = outputs.iter().find(|(kind, _)| *kind == Kind::Video)
        {
            return Err(Fault::NotTransparent { path: path.to_path_buf() });
        }
        let sink = |(kind, path): &(Kind, &Path)| {
            let sink = match kind {
                Kind::Video => Sink::Frames(Box::new(Video::create(path, size, fps)?)),
                Kind::Pictures => Sink::Frames(Box::new(Pictures::new(path)?)),
                Kind::Sheet => Sink::Sheet(vec![]),
                Kind::Pose => Sink::Pose(None),
                Kind::Json => Sink::Json,
                Kind::Srt => Sink::Srt,
                Kind::Vtt => Sink::Vtt,
            };
            Ok((path.to_path_buf(), sink))
        };
        Ok(Self {
            sinks: outputs.iter().map(sink).collect::<Result<_, Fault>>()?,
            size,
            theme,
            over,
            screen: None,
            language: language.into(),
            fps,
            frames: 0,
            texts: vec![],
            glosses: None,
            words: vec![],
            below: 0.0,
        })
    }

    /// Adds a signing behind those before.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add(&mut self, text: &str, signing: &Signing) -> Result<(), Fault> {
        let mut playback = Playback::new(signing);
        self.below = playback.reach(self.below);
        for (path, sink) in &mut self.sinks {
            match sink {
                Sink::Frames(to) => {
                    let (width, height) = self.size;
                    let screen = self.screen.get_or_insert_with(|| Screen::new(width, height, self.theme));
                    for frame in 0..playback.len() {
                        match self.over {
                            None => playback.draw(screen, frame),
                            Some(backdrop) => playback.draw_over(screen, frame, backdrop),
                        }
                        to.show(screen.canvas())?;
                    }
                }
                Sink::Sheet(tiles) => {
                    let room = SHEET_SIGNS.saturating_sub(tiles.len());
                    tiles.extend(self::tiles(signing, &playback).take(room));
                }
                Sink::Pose(writer) => {
                    let track = &signing.track;
                    let writer = match writer {
                        Some(writer) => writer,
                        None => {
                            writer.insert(TrackWriter::create(path, &track.layout, track.fps, track.size)?)
                        }
                    };
                    track.frames.iter().try_for_each(|pose| writer.push(pose))?;
                }
                Sink::Json | Sink::Srt | Sink::Vtt => {}
            }
        }
        let before_s = self.frames as f32 / self.fps;
        self.words.extend(signing.words.iter().map(|word| word.later(before_s)));
        self.frames += signing.track.frames.len();
        self.texts.push(text.into());
        if let Some(glosses) = &signing.glosses {
            self.glosses.get_or_insert_default().push(glosses.clone());
        }
        Ok(())
    }

    /// Completes all of them; gives their paths.
    ///
    /// # Errors
    /// Where one cannot be completed.
    pub fn finish(self) -> Result<Vec<PathBuf>, Fault> {
        let (text, glosses) = (self.texts.join("\n"), self.glosses.map(|glosses| glosses.join("\n")));
        let report = Report {
            text: &text,
            language: &self.language,
            fps: self.fps,
            frames: self.frames,
            glosses: glosses.as_deref(),
            words: &self.words,
        };
        let finish = |(path, sink): (PathBuf, Sink)| {
            match sink {
                Sink::Frames(to) => to.finish()?,
                Sink::Sheet(tiles) => write_png(&path, sheet(&tiles, self.theme).canvas())?,
                Sink::Pose(writer) => writer.map_or(Ok(()), TrackWriter::finish)?,
                Sink::Json => {
                    let json = serde_json::to_string_pretty(&report).expect("a report has text keys only");
                    write_whole(&path, format!("{json}\n").as_bytes())?;
                }
                Sink::Srt => write_whole(&path, write_srt(&subtitles(&self.words))?.as_bytes())?,
                Sink::Vtt => write_whole(&path, write_vtt(&subtitles(&self.words))?.as_bytes())?,
            }
            Ok(path)
        };
        self.sinks.into_iter().map(finish).collect()
    }
}

/// Each sign of a signing at its middle.
fn tiles<'a>(signing: &'a Signing, playback: &'a Playback) -> impl Iterator<Item = Tile> + 'a {
    let signs = signing.words.iter().flat_map(|w| &w.signs).filter(|s| s.unusable.is_none());
    signs.filter_map(|sign| {
        let frame = ((sign.from_s + sign.to_s) / 2.0 * playback.fps()) as usize;
        let (rig, pose, stance) = playback.pose(frame)?;
        Some(Tile { gloss: sign.gloss.clone(), rig: rig.clone(), pose: pose.clone(), stance })
    })
}

/// One picture of all tiles.
fn sheet(tiles: &[Tile], theme: Theme) -> Screen {
    let columns = tiles.len().clamp(1, SHEET_COLUMNS);
    let rows = tiles.len().div_ceil(columns).max(1);
    let mut sheet = Screen::new(TILE_PX.0 * columns as u32, TILE_PX.1 * rows as u32, theme);
    let mut screen = Screen::new(TILE_PX.0, TILE_PX.1, theme);
    for (i, tile) in tiles.iter().enumerate() {
        let caption = Caption::plain(tile.gloss.as_str());
        screen.signing(&tile.rig, &tile.pose, tile.stance, &caption, State::Signing);
        let (x, y) = ((i % columns) as u32 * TILE_PX.0, (i / columns) as u32 * TILE_PX.1);
        sheet.canvas_mut().picture(&screen.canvas().rgb(), TILE_PX, [x, y, TILE_PX.0, TILE_PX.1]);
    }
    sheet
}
