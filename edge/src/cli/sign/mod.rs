//! `signpost sign`: text to signing.

mod outputs;

use std::io::Write;
use std::path::{Path, PathBuf};

use boards::Board;
use clap::{Args, ValueEnum};
use models::retrieval::Subword;
use models::store::Store;

use crate::Fault;
#[cfg(any(feature = "drm", feature = "window"))]
use crate::feed::Backlog;
use crate::feed::Lines;
use crate::production::{self, Dictionary, Manner, Production, Provenance, Signing, Translator, Word};
use crate::screen::{Backdrop, MAX_SIDE_PX, Theme};
#[cfg(any(feature = "drm", feature = "window"))]
use crate::screen::{Show, feed_show::FeedShow, playback::Playback, present};
use crate::vision::Options;

use outputs::{Kind, Outputs, Report};

/// Sides of a picture that can be asked for.
const SIDES_PX: std::ops::RangeInclusive<u32> = 160..=MAX_SIDE_PX;

/// Signs a text: shows it, or writes it to files.
#[derive(Debug, Args)]
pub struct Sign {
    /// The text; `-` signs the lines of standard input, one after the other.
    #[arg(required_unless_present = "feed")]
    text: Option<String>,
    /// A file whose lines are signed, one after the other. In a window it is followed as it grows, and where lines come
    /// faster than they can be signed, the oldest ones are left out.
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    feed: Option<PathBuf>,
    #[command(flatten)]
    signed: Signed,
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
    /// The signer alone, without captions, to be laid over other pictures: on nothing (pictures in a folder), or on
    /// the green that studios take out.
    #[arg(long, value_enum, value_name = "BACKDROP", requires = "out")]
    over: Option<Over>,
    /// Where to write: FILE.mp4, FILE.gif, FILE.png (each sign once), FILE.pose, FILE.json, FILE.srt or
    /// FILE.vtt (subtitles), or FOLDER/ for pictures. May be given several times. A window opens where it is not given.
    #[arg(long, value_name = "FILE")]
    out: Vec<PathBuf>,
    /// Show it on the unit's own screen instead of in a window.
    #[arg(long, conflicts_with_all = ["out", "size"])]
    screen: bool,
    /// Print one JSON object instead of a line for each word.
    #[arg(long)]
    json: bool,
}

/// What texts are signed with.
#[derive(Debug, Clone, Args)]
pub struct Signed {
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
}

impl Signed {
    /// What signs the text: lexicons, and a translator and an embedder where they were given.
    ///
    /// # Errors
    /// What is wrong with a lexicon, the translator or the embedder.
    pub fn production(&self, board: &Board) -> anyhow::Result<Production> {
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
}

/// What a signer alone stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Over {
    Alpha,
    Green,
}

/// Lines that wait for the screen; more are left out.
#[cfg(any(feature = "drm", feature = "window"))]
const BACKLOG: usize = 20;

impl Sign {
    /// Runs the command.
    ///
    /// # Errors
    /// What is wrong with the text, the lexicons or the outputs, in one sentence.
    pub fn run(&self) -> anyhow::Result<()> {
        // Outputs are checked first, so that nothing is done in vain.
        let outputs: Vec<(Kind, &Path)> = self
            .out
            .iter()
            .map(|path| Ok((Kind::of(path)?, path.as_path())))
            .collect::<Result<_, Fault>>()?;
        let board = Board::named(&self.board)?;
        let screen = &board.screen;
        let size = self.size(&board);
        let Self { speed, left_handed, .. } = *self;
        let manner = Manner { fps: self.fps.unwrap_or(screen.rate_hz as f32), speed, left_handed };
        manner.check()?;
        let mut production = self.signed.production(&board)?;
        // A program that reads JSON wants no window.
        let window = outputs.is_empty() && !self.json;
        let over = self.over.map(|over| match over {
            Over::Alpha => Backdrop::Transparent,
            Over::Green => Backdrop::Green,
        });
        let begin =
            || Outputs::begin(&outputs, size, (self.theme(), over), &self.signed.language, manner.fps);
        if let Some(lines) = self.lines(window)? {
            return if window {
                self.show_feed(lines, production, manner, &board)
            } else {
                self.write_feed(lines, production, manner, begin)
            };
        }
        let text = self.text.as_deref().unwrap_or_default();
        let signing = production.sign(text, manner)?;
        self.print(text, &signing)?;
        if window {
            self.show(&board, &signing)?;
        } else {
            let mut outputs = begin()?;
            outputs.add(text, &signing)?;
            self.finish(outputs)?;
        }
        Ok(signing.complete()?)
    }

    /// The lines of a feed, where one is to be signed.
    fn lines(&self, follow: bool) -> Result<Option<Lines>, Fault> {
        if let Some(path) = &self.feed {
            return Ok(Some(Lines::of_file(path, follow).map_err(|source| Fault::file(path, source))?));
        }
        let piped = || Lines::of(std::io::BufReader::new(std::io::stdin()));
        Ok((self.text.as_deref() == Some("-")).then(piped))
    }

    /// Signs all lines into the outputs. One that cannot be signed is said, and the others are signed.
    fn write_feed(
        &self,
        mut lines: Lines,
        mut production: Production,
        manner: Manner,
        begin: impl FnOnce() -> Result<Outputs, Fault>,
    ) -> anyhow::Result<()> {
        let mut outputs = begin()?;
        let (mut signed, mut failed, mut complete) = (0, 0, Ok(()));
        let broken = loop {
            let line = match lines.next_line() {
                Ok(Some(line)) => line,
                Ok(None) => break None,
                Err(error) => break Some(error),
            };
            match production.sign(&line, manner) {
                Ok(signing) => {
                    self.print(&line, &signing)?;
                    outputs.add(&line, &signing)?;
                    complete = complete.and(signing.complete());
                    signed += 1;
                }
                Err(fault) => {
                    writeln!(std::io::stderr(), "signpost: {}", left_out(&line, &fault))?;
                    failed += 1;
                }
            }
        };
        // What came before a feed broke off is kept.
        if signed > 0 {
            self.finish(outputs)?;
        }
        if let Some(error) = broken {
            return Err(Fault::file(self.source(), error).into());
        }
        Ok(Fault::of_feed(signed, failed, 0).and(complete)?)
    }

    /// Where the lines of a feed come from.
    fn source(&self) -> PathBuf {
        self.feed.clone().unwrap_or_else(|| "standard input".into())
    }

    fn finish(&self, outputs: Outputs) -> anyhow::Result<()> {
        for path in outputs.finish()? {
            if !self.json {
                writeln!(std::io::stdout(), "wrote {}", path.display())?;
            }
        }
        Ok(())
    }

    fn print(&self, text: &str, signing: &Signing) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.json {
            let report = Report {
                text,
                language: &self.signed.language,
                fps: signing.track.fps,
                frames: signing.track.frames.len(),
                glosses: signing.glosses.as_deref(),
                words: &signing.words,
            };
            writeln!(out, "{}", serde_json::to_string(&report)?)?;
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

    #[cfg(any(feature = "drm", feature = "window"))]
    fn show(&self, board: &Board, signing: &Signing) -> anyhow::Result<()> {
        self.play(&mut present::Watched::new(&Playback::new(signing)), board)
    }

    #[cfg(any(feature = "drm", feature = "window"))]
    fn show_feed(
        &self,
        lines: Lines,
        mut production: Production,
        manner: Manner,
        board: &Board,
    ) -> anyhow::Result<()> {
        let backlog = Backlog::fill(lines, BACKLOG);
        let mut show = FeedShow::new(backlog, |line| {
            let signing = production.sign(line, manner);
            if let Err(fault) = &signing {
                // Who watches sees that it was left out; a standard error that is closed is no reason to stop.
                let _ = writeln!(std::io::stderr(), "signpost: {}", left_out(line, fault));
            }
            signing
        });
        self.play(&mut show, board)?;
        Ok(show.verdict(&self.source())?)
    }

    #[cfg(any(feature = "drm", feature = "window"))]
    fn play(&self, show: &mut dyn Show, board: &Board) -> anyhow::Result<()> {
        #[cfg(feature = "drm")]
        if self.screen {
            return Ok(present::drm::play_show(show, board, self.theme())?);
        }
        #[cfg(feature = "window")]
        return Ok(present::play_show(show, self.size(board), self.theme())?);
        #[cfg(not(feature = "window"))]
        Err(no_window().into())
    }

    #[cfg(not(any(feature = "drm", feature = "window")))]
    fn show(&self, _: &Board, _: &Signing) -> anyhow::Result<()> {
        Err(no_window().into())
    }

    #[cfg(not(any(feature = "drm", feature = "window")))]
    fn show_feed(&self, _: Lines, _: Production, _: Manner, _: &Board) -> anyhow::Result<()> {
        Err(no_window().into())
    }

    /// Width and height of what is drawn. Pixels.
    fn size(&self, board: &Board) -> (u32, u32) {
        self.size.unwrap_or((board.screen.width_px, board.screen.height_px))
    }

    fn theme(&self) -> Theme {
        if self.light { Theme::LIGHT } else { Theme::DARK }
    }
}

#[cfg(not(feature = "window"))]
fn no_window() -> Fault {
    Fault::NoDisplay { why: "this program was built without windows".into() }
}

/// Why a line of a feed is not signed.
fn left_out(line: &str, fault: &Fault) -> String {
    const SHOWN: usize = 40;
    let shown: String = line.chars().take(SHOWN).collect();
    let more = if shown.len() < line.len() { "…" } else { "" };
    format!("left out: \"{shown}{more}\": {fault}")
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

/// `1280x800`, each side within [`SIDES_PX`].
fn size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once(['x', 'X', '×']).and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    sides.filter(|(w, h)| SIDES_PX.contains(w) && SIDES_PX.contains(h)).ok_or_else(|| {
        let (least, most) = SIDES_PX.into_inner();
        format!("give WIDTHxHEIGHT, each {least} to {most}, for example 1280x800")
    })
}
