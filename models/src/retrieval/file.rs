//! The file of an embedder: a line with the SHA-256 of all that follows, a line of JSON, then the vectors as
//! half-precision floats, little-endian.
//!
//! A file that was cut or changed is refused whole: a vector that is half there would put a word beside any other.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use half::f16;

use super::{Subword, SubwordManifest};
use crate::Error;
use crate::manifest::sha256;

/// How the first line begins; the number is the format's.
const HEAD: &str = "signpost-embedder 1 ";
/// The largest file that is read, in bytes: a hundred thousand vectors of 256 values.
pub const EMBEDDER_LIMIT: u64 = 64 << 20;

impl Subword {
    /// Reads an embedder's file.
    ///
    /// # Errors
    /// [`Error::Embedder`] where it is cut, changed, or not of this format, [`Error::TooLarge`], and
    /// [`Error::Io`] where the system refuses it.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io("read", path))?;
        let mut bytes = Vec::new();
        file.take(EMBEDDER_LIMIT + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
        if bytes.len() as u64 > EMBEDDER_LIMIT {
            return Err(Error::TooLarge { path: path.to_owned(), limit: EMBEDDER_LIMIT });
        }
        Self::parse(&bytes).map_err(|why| Error::Embedder { path: path.to_owned(), why })
    }

    /// Writes the file whole: whoever is stopped meanwhile leaves the old one.
    ///
    /// # Errors
    /// [`Error::Io`] where the system refuses it.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        crate::whole::write(path, self.bytes()).map_err(Error::io("write", path))
    }

    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut body = serde_json::to_vec(self.manifest()).expect("texts and numbers can be written");
        body.push(b'\n');
        body.extend(self.rows().iter().flat_map(|v| v.to_le_bytes()));
        let mut bytes = format!("{HEAD}{}\n", sha256(&body)).into_bytes();
        bytes.extend(body);
        bytes
    }

    /// What bytes say, or what is wrong with them.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let (head, body) = line(bytes).ok_or("it has no second line")?;
        let stated = head.strip_prefix(HEAD.as_bytes()).ok_or_else(|| {
            format!("it does not begin with {HEAD:?}, so another version of this program wrote it, or none")
        })?;
        if stated != sha256(body).as_bytes() {
            return Err("it was cut or changed after it was written".into());
        }
        let (manifest, values) = line(body).ok_or("it has no vectors")?;
        let manifest: SubwordManifest =
            serde_json::from_slice(manifest).map_err(|e| format!("it says nothing that is known ({e})"))?;
        let pairs = values.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return Err("its last value is half there".into());
        }
        let rows = pairs.map(|pair| f16::from_le_bytes([pair[0], pair[1]]).to_f32());
        Self::new(manifest, rows)
    }
}

/// The first line, without its end, and what follows it.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|b| *b == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::super::subword::tests::{manifest, rows};
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let dir = std::env::temp_dir().join(format!("signpost-embedder-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("embedder");
        let embedder = Subword::new(manifest(), rows()).unwrap();
        let (written, absent) = (embedder.write(&path), Subword::read(&dir.join("absent")));
        let read = Subword::read(&path);
        std::fs::write(&path, b"hello").unwrap();
        let other = Subword::read(&path);
        std::fs::remove_dir_all(&dir).unwrap();
        written.unwrap();
        assert_eq!(read.unwrap(), embedder);
        assert!(absent.unwrap_err().to_string().contains("absent"));
        assert!(other.unwrap_err().to_string().contains("train it again"));
    }

    #[test]
    fn any_cut_and_any_flipped_bit_is_found() {
        let whole = Subword::new(manifest(), rows()).unwrap().bytes();
        for length in 0..whole.len() {
            assert!(Subword::parse(&whole[..length]).is_err(), "cut at {length}");
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(Subword::parse(&flipped).is_err(), "byte {at}");
        }
    }

    /// What is said of a body with the right sum before it.
    #[track_caller]
    fn check(body: &[u8], expect: &str) {
        let bytes = [format!("{HEAD}{}\n", sha256(body)).as_bytes(), body].concat();
        let why = Subword::parse(&bytes).unwrap_err();
        assert!(why.contains(expect), "{why}");
    }

    #[test]
    fn what_could_not_be_compared_with_is_refused() {
        check(b"", "no vectors");
        check(b"{}\n", "nothing that is known");
        let mut manifest = serde_json::to_vec(&manifest()).unwrap();
        manifest.push(b'\n');
        check(&manifest, "0 values");
        manifest.push(7);
        check(&manifest, "half there");
    }
}
