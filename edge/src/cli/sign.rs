//! `signpost sign`: text to signing.

use std::io::Write;
use std::path::{Path, PathBuf};

use boards::Board;
use clap::Args;
use models::annotation::{write_srt, write_vtt};
use models::pose_file::write_track_file;
use models::retrieval::Subword;
use models::store::Store;
use serde::Serialize;

use crate::Fault;
use crate::production::{self, Dictionary, Manner, Production, Provenance, Signing, Translator, Word};
use crate::screen::playback::Playback;
use crate::screen::present::{Pictures, Present, Video, write_png, write_whole};
use crate::screen::{Caption, MAX_SIDE_PX, Screen, State, Theme};
use crate::vision::Options;

/// Sides of a picture that can be asked for.
const SIDES_PX: std::ops::RangeInclusive<u32> = 160..=MAX_SIDE_PX;

/// Signs a text: shows it, or writes it to files.
#[derive(Debug, Args)]
pub struct Sign {
    /// The text.
    text: String,
    /// Sign language (ISO 639-3), for example `ase` or `gsg`.
    #[arg(long)]
    language: String,
    /// Spoken language of the text (ISO 639-1); the lexicon's own where not given.
    #[arg(long)]
    spoken: Option<String>,
    /// A lexicon folder with `index.csv`; may be given several times, the first that has a word wins.
    #[arg(long, value_name = "FOLDER")]
    lexicon: Vec<PathBuf>,
    /// A folder of a translator of text into glosses, which says what is signed of a sentence and in which order; where
    /// there is no such folder, each word is signed by itself.
    #[arg(long, value_name = "FOLDER")]
    translator: Option<PathBuf>,
    /// A file of an embedder, which finds signs for words that no lexicon has.
    #[arg(long, value_name = "FILE")]
    embedder: Option<PathBuf>,
    /// The board whose screen is drawn for.
    #[arg(long, default_value = "desk")]
    board: String,
    /// Frames a second; those of the board's screen where not given.
    #[arg(long)]
    fps: Option<f32>,
    /// How fast it is signed, 0.25 to 2.
    #[arg(long, default_value_t = 1.0, value_name = "TIMES")]
    speed: f32,
    /// The left hand leads.
    #[arg(long)]
    left_handed: bool,
    /// Size of the picture in pixels; that of the board's screen where not given.
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    size: Option<(u32, u32)>,
    /// Light bands instead of dark ones.
    #[arg(long)]
    light: bool,
    /// Where to write: FILE.mp4, FILE.gif, FILE.png (each sign once), FILE.pose, FILE.json, FILE.srt or
    /// FILE.vtt (subtitles), or FOLDER/ for pictures. May be given several times. A window opens where it is not given.
    #[arg(long, value_name = "FILE")]
    out: Vec<PathBuf>,
    /// Print one JSON object instead of a line for each word.
    #[arg(long)]
    json: bool,
}

/// What `--json` and `.json` hold.
#[derive(Debug, Serialize)]
struct Report<'a> {
    text: &'a str,
    language: &'a str,
    fps: f32,
    frames: usize,
    /// What the translator said, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    glosses: Option<&'a str>,
    words: &'a [Word],
}

/// What an output path asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Video,
    Sheet,
    Pictures,
    Pose,
    Json,
    Srt,
    Vtt,
}

impl Sign {
    /// Runs the command.
    ///
    /// # Errors
    /// What is wrong with the text, the lexicons or the outputs, in one sentence.
    pub fn run(&self) -> anyhow::Result<()> {
        // Outputs are checked first, so that nothing is done in vain.
        let outputs: Vec<(Kind, &Path)> =
            self.out.iter().map(|path| Ok((kind(path)?, path.as_path()))).collect::<Result<_, Fault>>()?;
        let board = Board::named(&self.board)?;
        let screen = &board.screen;
        let size = self.size.unwrap_or((screen.width_px, screen.height_px));
        let Self { speed, left_handed, .. } = *self;
        let manner = Manner { fps: self.fps.unwrap_or(screen.rate_hz as f32), speed, left_handed };
        let signing = self.production(&board)?.sign(&self.text, manner)?;
        self.print(&signing)?;
        let playback = Playback::new(&signing);
        for (kind, path) in &outputs {
            self.write(*kind, path, size, &signing, &playback)?;
            if !self.json {
                writeln!(std::io::stdout(), "wrote {}", path.display())?;
            }
        }
        // A program that reads JSON wants no window.
        if outputs.is_empty() && !self.json { self.show(size, &playback) } else { Ok(()) }
    }

    /// What signs the text: lexicons, and a translator and an embedder where they were given.
    fn production(&self, board: &Board) -> anyhow::Result<Production> {
        let folders = if self.lexicon.is_empty() {
            Store::locate()
                .map(|s| s.lexicon())
                .filter(|l| l.join("index.csv").is_file())
                .into_iter()
                .collect()
        } else {
            self.lexicon.clone()
        };
        let lexicons = production::open_lexicons(&folders)?;
        let mut dictionary = Dictionary::new(lexicons, &self.language, self.spoken.as_deref())?;
        if let Some(path) = &self.embedder {
            dictionary = dictionary.with_embedder(path, Subword::read(path).map_err(Fault::from)?)?;
        }
        let production = Production::new(dictionary);
        let Some(dir) = &self.translator else { return Ok(production) };
        if !dir.exists() {
            let dir = dir.display();
            writeln!(
                std::io::stderr(),
                "signpost: there is no translator in {dir}; each word is signed by itself"
            )?;
            return Ok(production);
        }
        let translator = Translator::open(dir, &Options::of(board).backends, board.engine.threads as usize)?;
        Ok(production.with_translator(translator)?)
    }

    fn print(&self, signing: &Signing) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&self.report(signing))?)?;
            return Ok(());
        }
        if let Some(glosses) = &signing.glosses {
            writeln!(out, "glosses: {glosses}")?;
        }
        for word in signing.words.iter().filter(|w| w.provenance != Provenance::Mark) {
            writeln!(out, "{}", line(word))?;
        }
        let seconds = signing.track.duration_s();
        writeln!(
            out,
            "{seconds:.1} s of signing, {} frames at {} a second",
            signing.track.frames.len(),
            signing.track.fps
        )?;
        Ok(())
    }

    fn report<'a>(&'a self, signing: &'a Signing) -> Report<'a> {
        Report {
            text: &self.text,
            language: &self.language,
            fps: signing.track.fps,
            frames: signing.track.frames.len(),
            glosses: signing.glosses.as_deref(),
            words: &signing.words,
        }
    }

    fn write(
        &self,
        kind: Kind,
        path: &Path,
        size: (u32, u32),
        signing: &Signing,
        playback: &Playback,
    ) -> anyhow::Result<()> {
        match kind {
            Kind::Pose => write_track_file(path, &signing.track).map_err(Fault::from)?,
            Kind::Json => {
                let mut json = serde_json::to_vec_pretty(&self.report(signing))?;
                json.push(b'\n');
                write_whole(path, &json)?;
            }
            Kind::Video => {
                self.frames(Box::new(Video::create(path, size, signing.track.fps)?), size, playback)?
            }
            Kind::Pictures => self.frames(Box::new(Pictures::new(path)?), size, playback)?,
            Kind::Sheet => self.sheet(path, signing, playback)?,
            Kind::Srt => write_whole(path, write_srt(&signing.subtitles()).map_err(Fault::from)?.as_bytes())?,
            Kind::Vtt => write_whole(path, write_vtt(&signing.subtitles()).map_err(Fault::from)?.as_bytes())?,
        }
        Ok(())
    }

    fn frames(
        &self,
        mut to: Box<dyn Present>,
        (width, height): (u32, u32),
        playback: &Playback,
    ) -> Result<(), Fault> {
        let mut screen = Screen::new(width, height, self.theme());
        for frame in 0..playback.len() {
            playback.draw(&mut screen, frame);
            to.show(screen.canvas())?;
        }
        to.finish()
    }

    /// One picture that shows each sign at its middle.
    fn sheet(&self, path: &Path, signing: &Signing, playback: &Playback) -> Result<(), Fault> {
        const COLUMNS: usize = 5;
        const MAX_SIGNS: usize = 100;
        const TILE: (u32, u32) = (400, 400);
        let signs: Vec<_> = signing
            .words
            .iter()
            .flat_map(|w| &w.signs)
            .filter(|s| s.unusable.is_none())
            .take(MAX_SIGNS)
            .collect();
        let columns = signs.len().clamp(1, COLUMNS);
        let rows = signs.len().div_ceil(columns).max(1);
        let mut sheet = Screen::new(TILE.0 * columns as u32, TILE.1 * rows as u32, self.theme());
        let mut tile = Screen::new(TILE.0, TILE.1, self.theme());
        for (i, sign) in signs.iter().enumerate() {
            let frame = ((sign.from_s + sign.to_s) / 2.0 * playback.fps()) as usize;
            let Some((rig, pose, stance)) = playback.pose(frame) else { continue };
            tile.signing(rig, pose, stance, &Caption::plain(sign.gloss.as_str()), State::Signing);
            let rgb: Vec<u8> =
                tile.canvas().rgba().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
            let (x, y) = ((i % columns) as u32 * TILE.0, (i / columns) as u32 * TILE.1);
            sheet.canvas_mut().picture(&rgb, TILE, [x, y, TILE.0, TILE.1]);
        }
        write_png(path, sheet.canvas())
    }

    #[cfg(feature = "window")]
    fn show(&self, size: (u32, u32), playback: &Playback) -> anyhow::Result<()> {
        Ok(crate::screen::present::play(playback, size, self.theme())?)
    }

    #[cfg(not(feature = "window"))]
    fn show(&self, _: (u32, u32), _: &Playback) -> anyhow::Result<()> {
        let why = "this program was built without windows".into();
        Err(Fault::NoDisplay { why }.into())
    }

    fn theme(&self) -> Theme {
        if self.light { Theme::LIGHT } else { Theme::DARK }
    }
}

/// One word, for people: `HELLO  spelled  H E L L O`.
fn line(word: &Word) -> String {
    let glosses: Vec<&str> = word.glosses().collect();
    let mut line = format!("{}\t{}\t{}", word.text, word.provenance.words(), glosses.join(" "));
    if !word.missing.is_empty() && word.provenance != Provenance::NotFound {
        line.push_str(&format!("\tnot in this alphabet: {}", word.missing));
    }
    for sign in &word.signs {
        if let Some(why) = &sign.unusable {
            line.push_str(&format!("\n\t{} is left out: {why}", sign.gloss));
        }
    }
    line
}

fn kind(path: &Path) -> Result<Kind, Fault> {
    let ends_in_slash = path.as_os_str().as_encoded_bytes().last() == Some(&b'/');
    let kind = if ends_in_slash || path.is_dir() {
        Kind::Pictures
    } else {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("mp4" | "gif") => Kind::Video,
            Some("png") => Kind::Sheet,
            Some("pose") => Kind::Pose,
            Some("json") => Kind::Json,
            Some("srt") => Kind::Srt,
            Some("vtt") => Kind::Vtt,
            _ => return Err(Fault::UnknownOutput { path: path.to_owned() }),
        }
    };
    super::check_folder_of(path)?;
    Ok(kind)
}

/// `1280x800`, each side within [`SIDES_PX`].
fn size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once(['x', 'X', '×']).and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    sides.filter(|(w, h)| SIDES_PX.contains(w) && SIDES_PX.contains(h)).ok_or_else(|| {
        let (least, most) = SIDES_PX.into_inner();
        format!("give WIDTHxHEIGHT, each {least} to {most}, for example 1280x800")
    })
}
