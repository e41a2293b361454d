//! Makes bundles: the same files, versions and key give the same bytes.

use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;

use zstd::stream::write::Encoder;

use super::sign::SigningKey;
use super::{
    Base, DELTA_LIMIT, DELTA_WINDOW_LOG, Entry, Error, FORMAT, MAGIC, Manifest, Packed, Sum, Version,
    WINDOW_LOG,
};

/// What goes into a bundle beside its files.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The board that it is for.
    pub board: String,
    /// Its version.
    pub version: Version,
    /// The least version that may install it.
    pub least: Version,
    /// It may take the place of a later version.
    pub downgrade: bool,
    /// How hard zstd tries, 1 to 22.
    pub level: i32,
}

/// A file that goes into a bundle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Its name in a slot.
    pub name: String,
    /// Whether it is a program.
    pub executable: bool,
    /// Where it is.
    pub path: PathBuf,
}

/// Makes a bundle; what is the same in `base` is left out. `scratch` takes the packed files until all are
/// known. `on` hears how many of the files are done.
///
/// # Errors
/// A file that cannot be read, a name that no bundle may have, a place that cannot be written.
pub fn make(
    recipe: &Recipe,
    sources: &[Source],
    base: &dyn Base,
    key: &SigningKey,
    scratch: &mut (impl Read + Write + Seek),
    out: &mut impl Write,
    on: &mut dyn FnMut(usize),
) -> Result<Manifest, Error> {
    let mut sources: Vec<&Source> = sources.iter().collect();
    // Whatever order a folder was read in.
    sources.sort();
    let mut files = Vec::new();
    for (done, source) in sources.into_iter().enumerate() {
        on(done);
        files.push(pack(source, base, recipe.level, scratch)?);
    }
    let Recipe { board, version, least, downgrade, .. } = recipe.clone();
    let manifest = Manifest { board, version, least, downgrade, files };
    manifest.check()?;
    let text = manifest.text();
    let signature = key.sign(&text, &format!("signpost {version} for {}", manifest.board));
    let unwritten = |e: io::Error| Error::io("write the bundle", &e);
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    out.write_all(&MAGIC).map_err(unwritten)?;
    for part in [&FORMAT.to_le_bytes()[..], &length(signature.as_bytes()), &length(&text)] {
        out.write_all(part).map_err(unwritten)?;
    }
    out.write_all(signature.as_bytes()).map_err(unwritten)?;
    out.write_all(&text).map_err(unwritten)?;
    scratch.rewind().map_err(unwritten)?;
    io::copy(scratch, out).map_err(unwritten)?;
    out.flush().map_err(unwritten)?;
    Ok(manifest)
}

fn pack(source: &Source, base: &dyn Base, level: i32, scratch: &mut impl Write) -> Result<Entry, Error> {
    let unread = |e: io::Error| Error::io(format!("read {}", source.path.display()), &e);
    let unwritten = |e: io::Error| Error::io("write the bundle", &e);
    let bytes = std::fs::read(&source.path).map_err(unread)?;
    let sha256 = Sum::of(&bytes);
    let mut old = Vec::new();
    let has_old = match base.open(&source.name).map_err(unread)? {
        Some(mut file) => file.read_to_end(&mut old).map(|_| true).map_err(unread)?,
        None => false,
    };
    let from = Sum::of(&old);
    let packed = if has_old && from == sha256 {
        Packed::Kept
    } else {
        let whole = squeeze(&bytes, &[], level).map_err(unwritten)?;
        let both_fit = has_old && bytes.len().max(old.len()) as u64 <= DELTA_LIMIT;
        let delta = both_fit.then(|| squeeze(&bytes, &old, level)).transpose().map_err(unwritten)?;
        let (frame, packed) = match delta {
            Some(delta) if delta.len() < whole.len() => {
                let packed = Packed::Delta { size: delta.len() as u64, sha256: Sum::of(&delta), from };
                (delta, packed)
            }
            _ => {
                let packed = Packed::Whole { size: whole.len() as u64, sha256: Sum::of(&whole) };
                (whole, packed)
            }
        };
        scratch.write_all(&frame).map_err(unwritten)?;
        packed
    };
    let Source { name, executable, .. } = source.clone();
    Ok(Entry { name, size: bytes.len() as u64, sha256, executable, packed })
}

/// One zstd frame, of what is new against `prefix` where there is one.
fn squeeze(bytes: &[u8], prefix: &[u8], level: i32) -> io::Result<Vec<u8>> {
    let mut encoder = Encoder::with_ref_prefix(Vec::new(), level, prefix)?;
    encoder.set_pledged_src_size(Some(bytes.len() as u64))?;
    let most = if prefix.is_empty() {
        WINDOW_LOG
    } else {
        // What is far away in the old file must be within reach.
        encoder.long_distance_matching(true)?;
        DELTA_WINDOW_LOG
    };
    let needed = usize::BITS - (bytes.len() + prefix.len()).leading_zeros();
    encoder.window_log(needed.clamp(10, most))?;
    encoder.write_all(bytes)?;
    encoder.finish()
}
