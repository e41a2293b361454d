//! The bundle: program, models and lexicon of one version for one board, in one signed file.
//!
//! ```text
//! "SIGNPOST"                        8 bytes
//! format, little-endian             4
//! length S of the signature         4
//! length M of the manifest          4
//! signature, as minisign writes it  S   of the manifest's bytes, with Ed25519 over BLAKE2b-512
//! manifest, JSON                    M   board, versions, and of each file: name, sizes, hashes
//! files, zstd frames                    in the manifest's order, with nothing between or behind
//! ```
//!
//! The key vouches for the manifest and the manifest for every byte that follows: [`Bundle::open`] checks
//! the signature before it reads a word of the manifest, and a packed file's SHA-256 is checked before
//! the decompressor sees its first byte. Sizes that the manifest declares are limits. Whatever the bundle,
//! reading it takes a bounded amount of memory: [`WINDOW_LOG`] for a whole file, [`DELTA_LIMIT`] for the file
//! that a difference is made to, and a window of twice that.
//!
//! A bundle of differences holds of a changed file what is new in it against the file of the same name in
//! the installed version (zstd with that file as its prefix), and of an unchanged file nothing.
//!
//! With the feature `sign`, [`write`] makes bundles: the same files, versions and key give the same bytes.

pub mod error;
pub mod manifest;
pub mod read;
#[cfg(feature = "sign")]
pub mod sign;
pub mod sum;
pub mod version;
#[cfg(feature = "sign")]
pub mod write;

pub use error::Error;
pub use manifest::{Entry, Manifest, Packed};
pub use read::{Base, Bundle, Keys, NoBase, examine, peek};
pub use sum::Sum;
pub use version::Version;

/// How every bundle begins.
pub const MAGIC: [u8; 8] = *b"SIGNPOST";
/// The format that this program reads and writes.
pub const FORMAT: u32 = 1;
/// Before the signature: magic, format, and two lengths.
pub const HEADER: usize = 20;
/// A signature has four lines.
pub const SIGNATURE_LIMIT: u32 = 4096;
/// Ten thousand files take about three million bytes.
pub const MANIFEST_LIMIT: u32 = 4 << 20;
/// The lexicon that set-up brings has six hundred files.
pub const FILES_LIMIT: usize = 10_000;
/// No version of anything comes near this. Bytes.
pub const TOTAL_LIMIT: u64 = 16 << 30;
/// The logarithm of the largest window of a file that is packed whole: 16 MiB.
pub const WINDOW_LOG: u32 = 24;
/// A file, old or new, that is larger than this is packed whole: both must fit into memory. Bytes.
pub const DELTA_LIMIT: u64 = 64 << 20;
/// The logarithm of the largest window of a difference: old and new file.
pub const DELTA_WINDOW_LOG: u32 = 27;
/// Within a slot, the manifest that came with its files.
pub const MANIFEST: &str = "manifest.json";
/// Within a slot, the manifest's signature.
pub const SIGNATURE: &str = "manifest.json.minisig";
/// Within a slot, the unit's program. Models that ship lie in `weights` beside it, where it looks for them.
pub const PROGRAM: &str = "signpost";
/// Within a slot, what set-up brings: landmark networks, lexicon, ONNX Runtime, and the record of their hashes.
pub const STORE: &str = crate::store::BESIDE;
/// In a unit's root, the public keys of whoever may make bundles for it.
pub const TRUSTED: &str = "trusted.pub";
