//! `cargo xtask bundle`: program, models and lexicon of one board in one signed file.

pub(crate) mod contents;
mod key;

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, BufWriter, Cursor, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use boards::Board;
use models::bundle::write::{Recipe, Source, make};
use models::bundle::{self, Base, Keys, Manifest, NoBase, Packed, Version};
use models::store::Store;
use serde_json::json;

use crate::cargo::released;
use crate::ui::Ui;

/// zstd tries this hard where nobody says otherwise: the smallest that still fits a unit's memory.
const LEVEL: i32 = 19;

/// Puts program, models and lexicon into one signed file; the same files and key give the same bytes.
#[derive(Debug, clap::Args)]
pub struct Bundle {
    /// The board that it is for
    #[arg(long, required_unless_present = "new_key")]
    board: Option<String>,
    /// The secret key, as minisign writes it; its password in SIGNPOST_KEY_PASSWORD, or asked for
    #[arg(long, value_name = "FILE", required_unless_present_any = ["new_key", "dry_run"])]
    key: Option<PathBuf>,
    /// The version
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"))]
    version: Version,
    /// The least version that may install it
    #[arg(long, value_name = "VERSION", default_value = "0.0.0")]
    least: Version,
    /// Lets it take the place of a later version
    #[arg(long)]
    downgrade: bool,
    /// The program, where it is not target/TARGET/release/signpost
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Leaves out what the bundle of an installed version, signed with the same key, holds already
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Where to write, where it is not out/bundle/signpost-VERSION-BOARD.bundle
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How hard zstd tries
    #[arg(long, default_value_t = LEVEL, value_parser = clap::value_parser!(i32).range(1..=22))]
    level: i32,
    /// Only says what would go into it
    #[arg(long)]
    dry_run: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
    /// Makes a new key in this folder instead: signpost.key to keep, signpost.pub for the units
    #[arg(long, value_name = "FOLDER", exclusive = true)]
    new_key: Option<PathBuf>,
}

impl Bundle {
    /// Runs the command.
    ///
    /// # Errors
    /// What is missing or wrong, with the next step; no half bundle is left.
    pub fn run(&self, ui: &Ui) -> anyhow::Result<()> {
        if let Some(folder) = &self.new_key {
            return key::make(folder, ui);
        }
        let board = Board::named(self.board.as_deref().context("name the board with --board")?)?;
        if self.least > self.version {
            bail!("--least {} is later than --version {}; give an earlier one", self.least, self.version);
        }
        let store = Store::locate().context("neither HOME nor SIGNPOST_CACHE is set; set one of them")?;
        let program = self.program.clone().unwrap_or_else(|| released(&board.target));
        let sources = contents::of(&board, &program, &store)?;
        let warn = || contents::lacking(&board, &store).iter().for_each(|lacking| ui.step(lacking));
        if self.dry_run {
            warn();
            let sizes = sources.iter().filter_map(|source| fs::metadata(&source.path).ok());
            let bytes: u64 = sizes.map(|meta| meta.len()).sum();
            self.say(ui, &json!({ "files": sources.len(), "size": bytes }), || {
                format!("{} files with {bytes} bytes would go into it", sources.len())
            });
            return Ok(());
        }
        let key = key::read(self.key.as_deref().context("name the secret key with --key")?)?;
        let keys = Keys::parse(&key.public())?;
        let default = || PathBuf::from(format!("out/bundle/signpost-{}-{}.bundle", self.version, board.name));
        let out = self.out.clone().unwrap_or_else(default);
        let base: Box<dyn Base> = match &self.against {
            Some(path) => Box::new(Installed::open(path, &keys, &board)?),
            None => Box::new(NoBase),
        };
        let (version, least, downgrade) = (self.version, self.least, self.downgrade);
        let recipe = Recipe { board: board.name.clone(), version, least, downgrade, level: self.level };
        warn();
        let manifest = write(&recipe, &sources, &*base, &key, &out, ui)?;
        // What was written is opened and unpacked as a unit does it, before anybody carries it there.
        ui.step("checking it as a unit does");
        let mut written = bundle::Bundle::open(open(&out)?, &keys)?;
        written.check(&*base)?;
        self.report(&manifest, &out, ui)
    }

    fn report(&self, manifest: &Manifest, out: &Path, ui: &Ui) -> anyhow::Result<()> {
        let count = |is: fn(&Packed) -> bool| manifest.files.iter().filter(|e| is(&e.packed)).count();
        let (kept, deltas) =
            (count(|p| matches!(p, Packed::Kept)), count(|p| matches!(p, Packed::Delta { .. })));
        let (sum, bytes) = bundle::Sum::of_reader(&mut open(out)?)?;
        let (files, size) = (manifest.files.len(), manifest.size());
        let said = json!({
            "bundle": out, "board": manifest.board, "version": manifest.version, "files": files,
            "size": size, "bytes": bytes, "kept": kept, "deltas": deltas, "sha256": sum,
        });
        self.say(ui, &said, || {
            let new = match (kept, deltas) {
                (0, 0) => String::new(),
                _ => format!(" ({kept} files unchanged, {deltas} as differences)"),
            };
            format!(
                "{}: version {} for {}, {files} files of {size} bytes in {bytes}{new}",
                out.display(),
                manifest.version,
                manifest.board
            )
        });
        Ok(())
    }

    fn say(&self, ui: &Ui, json: &serde_json::Value, words: impl FnOnce() -> String) {
        ui.answer(&if self.json { json.to_string() } else { words() });
    }
}

fn open(path: &Path) -> anyhow::Result<File> {
    File::open(path).with_context(|| format!("{} cannot be read; see that it is there", path.display()))
}

/// Writes a bundle beside its place, and puts it there when it is whole.
fn write(
    recipe: &Recipe,
    sources: &[Source],
    base: &dyn Base,
    key: &models::bundle::sign::SigningKey,
    out: &Path,
    ui: &Ui,
) -> anyhow::Result<Manifest> {
    let place = || format!("{} cannot be written; name another file with --out", out.display());
    if let Some(folder) = out.parent() {
        fs::create_dir_all(folder).with_context(place)?;
    }
    let part = Part(out.with_extension("bundle.part"));
    let packed = Part(out.with_extension("bundle.packed"));
    let scratch = File::options().read(true).write(true).create(true).truncate(true).open(&packed.0);
    let mut scratch = scratch.with_context(place)?;
    let mut file = BufWriter::new(File::create(&part.0).with_context(place)?);
    let progress = ui.progress("packing", sources.len() as u64);
    let manifest =
        make(recipe, sources, base, key, &mut scratch, &mut file, &mut |done| progress.at(done as u64))?;
    drop(progress);
    file.into_inner().map_err(|e| e.into_error()).and_then(|file| file.sync_all()).with_context(place)?;
    fs::rename(&part.0, out).with_context(place)?;
    Ok(manifest)
}

/// A file that is not left behind.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        // Once it was renamed it is gone.
        let _ = fs::remove_file(&self.0);
    }
}

/// The files of an installed version, out of its bundle.
struct Installed(RefCell<bundle::Bundle<File>>);

impl Installed {
    fn open(path: &Path, keys: &Keys, board: &Board) -> anyhow::Result<Self> {
        let said = || format!("{} cannot be built upon", path.display());
        let bundle = bundle::Bundle::open(open(path)?, keys).with_context(said)?;
        let manifest = bundle.manifest();
        if manifest.board != board.name {
            bail!("{} is for board `{}`; name a bundle of `{}`", path.display(), manifest.board, board.name);
        }
        if manifest.files.iter().any(|entry| !matches!(entry.packed, Packed::Whole { .. })) {
            bail!("{} holds differences itself; name the whole bundle of that version", path.display());
        }
        Ok(Self(RefCell::new(bundle)))
    }
}

impl Base for Installed {
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read + '_>>> {
        let mut bundle = self.0.borrow_mut();
        let Some(index) = bundle.manifest().files.iter().position(|entry| entry.name == name) else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let unpacked = bundle.unpack(index, &NoBase, &mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        });
        unpacked.map_err(io::Error::other)?;
        Ok(Some(Box::new(Cursor::new(bytes))))
    }
}
