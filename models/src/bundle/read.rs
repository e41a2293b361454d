//! Reads bundles, and believes nothing that no key vouches for.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use minisign_verify::{PublicKey, Signature};
use sha2::{Digest, Sha256};
use zstd::stream::read::Decoder;

use super::{
    DELTA_LIMIT, DELTA_WINDOW_LOG, Entry, Error, FORMAT, HEADER, MAGIC, MANIFEST_LIMIT, Manifest, Packed,
    SIGNATURE_LIMIT, Sum, TRUSTED, WINDOW_LOG,
};

/// Bytes that are handed on at once.
const PIECE: usize = 64 << 10;
/// A file of keys has a few lines. Bytes.
const KEYS_LIMIT: u64 = 64 << 10;

/// The public keys that are trusted.
#[derive(Debug, Clone)]
pub struct Keys(Vec<PublicKey>);

impl Keys {
    /// The keys that the unit with this root trusts.
    ///
    /// # Errors
    /// [`Error::KeyFile`]; those of [`Keys::parse`].
    pub fn trusted_in(root: &Path) -> Result<Self, Error> {
        let path = root.join(TRUSTED);
        let read = std::fs::metadata(&path).and_then(|meta| {
            if meta.len() > KEYS_LIMIT {
                return Err(io::Error::other("it is too large to be a file of keys"));
            }
            std::fs::read_to_string(&path)
        });
        Self::parse(&read.map_err(|_| Error::KeyFile { path })?)
    }

    /// Keys as minisign writes them, a comment and a line of base64 each; several may follow each other, so
    /// that a new key can be trusted before the old one is given up.
    ///
    /// # Errors
    /// [`Error::Keys`], [`Error::NoKeys`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys = lines.filter(|line| !line.starts_with("untrusted comment:"));
        let keys: Result<Vec<_>, _> = keys.map(PublicKey::from_base64).collect();
        let keys = keys.map_err(|e| Error::Keys { said: e.to_string() })?;
        if keys.is_empty() { Err(Error::NoKeys) } else { Ok(Self(keys)) }
    }

    /// That one of the keys signed these bytes.
    ///
    /// # Errors
    /// [`Error::Signature`], [`Error::WrongKey`], [`Error::Tampered`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let unreadable = |said: String| Error::Signature { said };
        let text = std::str::from_utf8(signature).map_err(|e| unreadable(e.to_string()))?;
        let signature = Signature::decode(text).map_err(|e| unreadable(e.to_string()))?;
        let mut said = Error::WrongKey;
        for key in &self.0 {
            match key.verify(message, &signature, false) {
                Ok(()) => return Ok(()),
                Err(minisign_verify::Error::UnexpectedKeyId) => {}
                Err(minisign_verify::Error::InvalidSignature) => said = Error::Tampered,
                Err(error) => said = unreadable(error.to_string()),
            }
        }
        Err(said)
    }
}

/// The installed files, which differences are made against.
pub trait Base {
    /// Opens a file by its name in the manifest; `None` where there is none.
    ///
    /// # Errors
    /// What the system said.
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read + '_>>>;
}

/// Nothing is installed.
#[derive(Debug, Clone, Copy)]
pub struct NoBase;

impl Base for NoBase {
    fn open(&self, _: &str) -> io::Result<Option<Box<dyn Read + '_>>> {
        Ok(None)
    }
}

/// A bundle whose manifest somebody vouches for who is trusted.
#[derive(Debug, Clone)]
pub struct Bundle<R> {
    reader: R,
    manifest: Manifest,
    text: Vec<u8>,
    signature: Vec<u8>,
    /// Where each packed file begins.
    starts: Vec<u64>,
}

impl<R: Read + Seek> Bundle<R> {
    /// Opens a bundle: checks the signature, then reads the manifest, and compares the length of all.
    ///
    /// # Errors
    /// Why it is refused; of the files themselves nothing was looked at yet.
    pub fn open(mut reader: R, keys: &Keys) -> Result<Self, Error> {
        let Beginning { length, start, signature, text } = beginning(&mut reader)?;
        keys.verify(&text, &signature)?;
        let manifest = Manifest::parse(&text)?;
        let starts = starts(&manifest, start, length)?;
        Ok(Self { reader, manifest, text, signature, starts })
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The manifest as it was signed.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The signature.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Unpacks all files to nowhere, so that whatever is wrong is known before anything is changed.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&mut self, base: &dyn Base) -> Result<(), Error> {
        for index in 0..self.manifest.files.len() {
            self.unpack(index, base, &mut |_| Ok(()))?;
        }
        Ok(())
    }

    /// Unpacks one file, piece by piece. Only when this has ended well are the pieces the file.
    ///
    /// # Errors
    /// What is wrong with the file, or what `sink` said.
    pub fn unpack(
        &mut self,
        index: usize,
        base: &dyn Base,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let entry = &self.manifest.files[index];
        let mut out = Out { entry, sha: Sha256::new(), size: 0, sink };
        let said = |e: &dyn ToString| Error::Unpack { name: entry.name.clone(), said: e.to_string() };
        let (size, prefix, window) = match entry.packed {
            Packed::Kept => return kept(entry, base, &mut out),
            Packed::Whole { size, sha256 } => {
                vouched(&mut self.reader, self.starts[index], entry, size, sha256)?;
                (size, Vec::new(), WINDOW_LOG)
            }
            Packed::Delta { size, sha256, from } => {
                vouched(&mut self.reader, self.starts[index], entry, size, sha256)?;
                (size, prefix(entry, base, from)?, DELTA_WINDOW_LOG)
            }
        };
        let packed = BufReader::with_capacity(PIECE, (&mut self.reader).take(size));
        let mut decoder = Decoder::with_ref_prefix(packed, &prefix).map_err(|e| said(&e))?.single_frame();
        decoder.window_log_max(window).map_err(|e| said(&e))?;
        out.pour(&mut decoder)?;
        let rest = decoder.finish();
        if !rest.buffer().is_empty() || rest.get_ref().limit() > 0 {
            return Err(said(&"something follows its frame"));
        }
        out.finish()
    }
}

/// What a bundle says of itself before anybody vouched for it. A tool that is about to send it may ask;
/// a unit never does.
///
/// # Errors
/// Where it is no bundle, or its manifest cannot be read.
pub fn peek(mut reader: impl Read + Seek) -> Result<Manifest, Error> {
    Manifest::parse(&beginning(&mut reader)?.text)
}

/// The same, after every packed file was found to be the one that the manifest means: what a tool can know of
/// a bundle without the key that it was signed with, before it sends the bundle or puts it onto a stick.
///
/// # Errors
/// Where it is no bundle, was cut off, or was spoiled on its way.
pub fn examine(mut reader: impl Read + Seek) -> Result<Manifest, Error> {
    let Beginning { length, start, text, .. } = beginning(&mut reader)?;
    let manifest = Manifest::parse(&text)?;
    for (entry, start) in manifest.files.iter().zip(starts(&manifest, start, length)?) {
        match entry.packed {
            Packed::Kept => {}
            Packed::Whole { size, sha256 } | Packed::Delta { size, sha256, .. } => {
                vouched(&mut reader, start, entry, size, sha256)?;
            }
        }
    }
    Ok(manifest)
}

/// Where each packed file begins in a bundle that is as long as all of them.
fn starts(manifest: &Manifest, mut start: u64, length: u64) -> Result<Vec<u64>, Error> {
    let starts = manifest.files.iter().map(|entry| {
        let own = start;
        // The manifest's check has summed them.
        start += entry.packed.size();
        own
    });
    let starts = starts.collect();
    match length.checked_sub(start) {
        None => Err(Error::Truncated { missing: start - length }),
        Some(0) => Ok(starts),
        Some(extra) => Err(Error::Trailing { extra }),
    }
}

/// What stands before the files.
struct Beginning {
    /// Of the whole bundle. Bytes.
    length: u64,
    /// Where the files begin.
    start: u64,
    signature: Vec<u8>,
    text: Vec<u8>,
}

fn beginning(reader: &mut (impl Read + Seek)) -> Result<Beginning, Error> {
    let unread = |e: io::Error| Error::io("read the bundle", &e);
    let length = reader.seek(SeekFrom::End(0)).map_err(unread)?;
    reader.rewind().map_err(unread)?;
    let mut header = [0; HEADER];
    let there = &mut header[..HEADER.min(usize::try_from(length).unwrap_or(HEADER))];
    reader.read_exact(there).map_err(unread)?;
    let known = MAGIC.len().min(there.len());
    if known == 0 || there[..known] != MAGIC[..known] {
        return Err(Error::NotABundle);
    }
    let missing = |whole: u64| whole.checked_sub(length).filter(|missing| *missing > 0);
    if let Some(missing) = missing(HEADER as u64) {
        return Err(Error::Truncated { missing });
    }
    let number = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes"));
    let (format, signature, manifest) = (number(8), number(12), number(16));
    if format != FORMAT {
        return Err(Error::TooNew { format });
    }
    let limits = [("signature", signature, SIGNATURE_LIMIT), ("manifest", manifest, MANIFEST_LIMIT)];
    for (part, length, most) in limits {
        if length > most {
            return Err(Error::Header { part, length: length.into(), most: most.into() });
        }
    }
    let start = HEADER as u64 + u64::from(signature) + u64::from(manifest);
    if let Some(missing) = missing(start) {
        return Err(Error::Truncated { missing });
    }
    let mut piece = |length: u32| {
        let mut bytes = vec![0; length as usize];
        reader.read_exact(&mut bytes).map(|()| bytes).map_err(unread)
    };
    Ok(Beginning { length, start, signature: piece(signature)?, text: piece(manifest)? })
}

/// That a packed file is the one that was signed; goes back to its beginning.
fn vouched(
    reader: &mut (impl Read + Seek),
    start: u64,
    entry: &Entry,
    size: u64,
    expected: Sum,
) -> Result<(), Error> {
    let unread = |e: io::Error| Error::io("read the bundle", &e);
    reader.seek(SeekFrom::Start(start)).map_err(unread)?;
    let (found, _) = Sum::of_reader(&mut reader.by_ref().take(size)).map_err(unread)?;
    if found != expected {
        return Err(Error::Spoiled { name: entry.name.clone(), expected, found });
    }
    reader.seek(SeekFrom::Start(start)).map_err(unread)?;
    Ok(())
}

fn installed<'a>(entry: &Entry, base: &'a dyn Base) -> Result<Box<dyn Read + 'a>, Error> {
    let file = base.open(&entry.name).map_err(|e| Error::io(format!("read {}", entry.name), &e))?;
    file.ok_or_else(|| Error::Base { name: entry.name.clone() })
}

/// The installed file that a difference was made against.
fn prefix(entry: &Entry, base: &dyn Base, from: Sum) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = installed(entry, base)?.take(DELTA_LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|e| Error::io(format!("read {}", entry.name), &e))?;
    let fits = bytes.len() as u64 <= DELTA_LIMIT && entry.size <= DELTA_LIMIT;
    if fits && Sum::of(&bytes) == from { Ok(bytes) } else { Err(Error::Base { name: entry.name.clone() }) }
}

/// A file that is the same as the installed one.
fn kept(entry: &Entry, base: &dyn Base, out: &mut Out<'_>) -> Result<(), Error> {
    out.pour(&mut installed(entry, base)?).and_then(|()| out.finish()).map_err(|error| match error {
        // It is not the bundle that is wrong but what it is used on.
        Error::Bomb { name, .. } | Error::Content { name, .. } => Error::Base { name },
        other => other,
    })
}

/// Takes what is unpacked, counts it, and hands it on.
struct Out<'a> {
    entry: &'a Entry,
    sha: Sha256,
    size: u64,
    sink: &'a mut dyn FnMut(&[u8]) -> Result<(), Error>,
}

impl Out<'_> {
    fn pour(&mut self, from: &mut dyn Read) -> Result<(), Error> {
        let name = || self.entry.name.clone();
        let mut piece = vec![0; PIECE];
        loop {
            let count = match from.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(Error::Unpack { name: name(), said: e.to_string() }),
            };
            self.size += count as u64;
            if self.size > self.entry.size {
                return Err(Error::Bomb { name: name(), size: self.entry.size });
            }
            self.sha.update(&piece[..count]);
            (self.sink)(&piece[..count])?;
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        let found = Sum(self.sha.finalize_reset().into());
        let (expected, name) = (self.entry.sha256, self.entry.name.clone());
        if found != expected || self.size != self.entry.size {
            return Err(Error::Content { name, expected, found, size: self.size });
        }
        Ok(())
    }
}
