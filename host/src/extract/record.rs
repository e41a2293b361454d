//! What is kept about each video: that its landmarks are whole and what they were made from, or why there are none.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use models::manifest::{sha256, sha256_of};
use serde::{Deserialize, Serialize};

/// A record is some hundred bytes; what is larger is none.
const RECORD_LIMIT: u64 = 1 << 20;

/// What landmarks are made from: where any of it changes, they are made again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Of the video's bytes, or of the list of a folder's pictures with theirs.
    pub video_sha256: String,
    /// Where the part begins, in microseconds from the start.
    pub start_us: Option<u64>,
    /// Where it ends.
    pub end_us: Option<u64>,
    /// Not smoothed.
    pub raw: bool,
    /// The board whose engines were used.
    pub board: String,
    /// What made them, with its version.
    pub program: String,
}

/// In how many frames something was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seen {
    /// A body.
    pub body: u64,
    /// A face.
    pub face: u64,
    /// The signer's left hand.
    pub left_hand: u64,
    /// The signer's right hand.
    pub right_hand: u64,
}

/// `ID.done`: the landmarks beside it are whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// As the manifest names it.
    pub id: String,
    /// Where the video was.
    pub video: String,
    /// Of the bytes of `ID.pose`.
    pub pose_sha256: String,
    /// How many frames it has.
    pub frames: u64,
    /// What was seen in them.
    pub seen: Seen,
    /// What ran the networks.
    pub engine: String,
    /// What it was made from.
    pub origin: Origin,
}

/// `quarantine/ID.json`: why there are no landmarks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// As the manifest names it.
    pub id: String,
    /// Where the video was.
    pub video: String,
    /// What went wrong, in one sentence.
    pub reason: String,
    /// The end of what the program said on standard error.
    pub stderr: String,
    /// What they were to be made from.
    pub origin: Origin,
}

/// Reads a record; `None` where there is none, or what is there is not one.
pub fn read<R: for<'a> Deserialize<'a>>(path: &Path) -> Option<R> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(RECORD_LIMIT).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

impl Done {
    /// True where the landmarks at a path are those that this was written for.
    pub fn vouches_for(&self, pose: &Path) -> bool {
        File::open(pose).and_then(sha256_of).is_ok_and(|hash| hash == self.pose_sha256)
    }
}

/// The hash of each video, or why it cannot be read. Many entries may be parts of one video: it is read once.
#[derive(Default)]
pub struct Videos(Mutex<HashMap<PathBuf, Arc<Hashed>>>);

type Hashed = OnceLock<Result<String, String>>;

impl Videos {
    /// The SHA-256 of a video.
    pub fn hash(&self, video: &Path) -> Result<String, String> {
        let cell = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(video.to_owned()).or_default())
        };
        cell.get_or_init(|| hash(video).map_err(|e| e.to_string())).clone()
    }
}

/// The hash of a file, or of what `sha256sum *` prints in a folder of pictures.
fn hash(video: &Path) -> std::io::Result<String> {
    let kind = std::fs::metadata(video)?;
    if kind.is_file() {
        return sha256_of(File::open(video)?);
    }
    if !kind.is_dir() {
        return Err(std::io::Error::other("neither a file nor a folder"));
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(video)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    let mut list = Vec::new();
    for file in files {
        list.extend(sha256_of(File::open(&file)?)?.into_bytes());
        list.extend(b"  ");
        list.extend(file.file_name().unwrap_or_default().as_encoded_bytes());
        list.push(b'\n');
    }
    Ok(sha256(&list))
}
