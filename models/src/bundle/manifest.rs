//! What a bundle says of itself: for which board, which version, which files.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{Error, FILES_LIMIT, MANIFEST, SIGNATURE, Sum, TOTAL_LIMIT, Version};

/// The longest name of a file, with its folders. Bytes.
const NAME_LIMIT: usize = 200;
/// So many folders deep at most.
const DEPTH_LIMIT: usize = 8;

/// What a bundle says of itself. In a slot it stands beside the files that it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The board that the program runs on.
    pub board: String,
    /// The version of all of it.
    pub version: Version,
    /// The least version that may install it.
    pub least: Version,
    /// Whoever has the key allows that it takes the place of a later version.
    pub downgrade: bool,
    /// The files, by name.
    pub files: Vec<Entry>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name below the slot, with `/` between folders.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// Their SHA-256.
    pub sha256: Sum,
    /// Whether it is a program.
    pub executable: bool,
    /// How it lies in the bundle.
    pub packed: Packed,
}

/// How a file lies in a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Packed {
    /// As one zstd frame.
    Whole {
        /// Bytes of the frame.
        size: u64,
        /// Their SHA-256.
        sha256: Sum,
    },
    /// As one zstd frame that needs the installed file of this name as its prefix.
    Delta {
        /// Bytes of the frame.
        size: u64,
        /// Their SHA-256.
        sha256: Sum,
        /// The SHA-256 of the installed file.
        from: Sum,
    },
    /// Not at all: the installed file of this name is the same.
    Kept,
}

impl Packed {
    /// Bytes that it takes in the bundle.
    pub fn size(&self) -> u64 {
        match self {
            Self::Whole { size, .. } | Self::Delta { size, .. } => *size,
            Self::Kept => 0,
        }
    }
}

impl Manifest {
    /// Reads a manifest, and checks all that can be known without the files.
    ///
    /// # Errors
    /// [`Error::Manifest`], [`Error::Name`].
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        let manifest: Self =
            serde_json::from_slice(text).map_err(|e| Error::Manifest { said: e.to_string() })?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The text that is signed: the same for the same manifest.
    pub fn text(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("a manifest has string keys only");
        text.push(b'\n');
        text
    }

    /// # Errors
    /// What is wrong with the names and sizes.
    pub(super) fn check(&self) -> Result<(), Error> {
        let refuse = |said: String| Err(Error::Manifest { said });
        if self.files.is_empty() || self.files.len() > FILES_LIMIT {
            return refuse(format!("{} files, where 1 to {FILES_LIMIT} are allowed", self.files.len()));
        }
        let mut seen = HashSet::new();
        let mut folders = HashSet::new();
        for entry in &self.files {
            let name = &entry.name;
            let wrong = |why| Err(Error::Name { name: name.clone(), why });
            if let Some(why) = objection(name) {
                return wrong(why);
            }
            if !seen.insert(name.as_str()) {
                return wrong("twice");
            }
            folders.extend(name.match_indices('/').map(|(at, _)| &name[..at]));
        }
        if let Some(name) = seen.intersection(&folders).next() {
            return Err(Error::Name { name: (*name).into(), why: "which is also a folder" });
        }
        let sum = |size: fn(&Entry) -> u64| {
            self.files.iter().try_fold(0u64, |sum, e| sum.checked_add(size(e))).filter(|s| *s <= TOTAL_LIMIT)
        };
        if sum(|e| e.size).is_none() || sum(|e| e.packed.size()).is_none() {
            return refuse(format!("it declares more than {TOTAL_LIMIT} bytes"));
        }
        Ok(())
    }

    /// Bytes of all files, unpacked.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|e| e.size).sum()
    }

    /// Whether a unit may install it.
    ///
    /// # Errors
    /// [`Error::OtherBoard`], [`Error::TooOld`], [`Error::Older`], [`Error::TooLarge`].
    pub fn suits(&self, board: &str, installed: Option<Version>, most_bytes: u64) -> Result<(), Error> {
        if self.board != board {
            return Err(Error::OtherBoard { bundle: self.board.clone(), unit: board.into() });
        }
        match installed {
            Some(installed) if installed < self.least => {
                return Err(Error::TooOld { least: self.least, installed });
            }
            Some(installed) if self.version < installed && !self.downgrade => {
                return Err(Error::Older { bundle: self.version, installed });
            }
            _ => {}
        }
        if self.size() > most_bytes {
            return Err(Error::TooLarge { size: self.size(), most: most_bytes });
        }
        Ok(())
    }

    /// Whether both give the same slot, however they are packed.
    pub fn is_same(&self, other: &Self) -> bool {
        let same = |(a, b): (&Entry, &Entry)| {
            (&a.name, a.sha256, a.size, a.executable) == (&b.name, b.sha256, b.size, b.executable)
        };
        (&self.board, self.version) == (&other.board, other.version)
            && self.files.len() == other.files.len()
            && self.files.iter().zip(&other.files).all(same)
    }
}

/// What is wrong with a name, if anything.
fn objection(name: &str) -> Option<&'static str> {
    let parts: Vec<&str> = name.split('/').collect();
    if name.len() > NAME_LIMIT || parts.len() > DEPTH_LIMIT {
        Some("which is too long or too deep")
    } else if name.starts_with('/') || parts.iter().any(|p| matches!(*p, "" | "." | "..")) {
        Some("which leads out of its folder")
    } else if name.chars().any(|c| c.is_control() || c == '\\') {
        Some("which has characters that no name has")
    } else if [MANIFEST, SIGNATURE].contains(&name) {
        Some("which is the manifest's own")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(names: &[&str]) -> Manifest {
        let entry = |name: &&str| Entry {
            name: (*name).into(),
            size: 1,
            sha256: Sum::of(b"a"),
            executable: false,
            packed: Packed::Kept,
        };
        Manifest {
            board: "desk".into(),
            version: Version(0, 2, 0),
            least: Version(0, 1, 0),
            downgrade: false,
            files: names.iter().map(entry).collect(),
        }
    }

    #[track_caller]
    fn check(names: &[&str], expect: &str) {
        let error = Manifest::parse(&manifest(names).text()).expect_err("it is refused").to_string();
        assert!(error.contains(expect), "{error}");
    }

    #[test]
    fn names_that_climb_out_or_stand_twice_are_refused() {
        let good = manifest(&["bin/signpost", "models/a.b/c..d", "lexicon/index.csv"]);
        assert_eq!(Manifest::parse(&good.text()).unwrap(), good);
        for name in ["../a", "a/../b", "/etc/passwd", "a//b", "a/", ".", "", "a/./b", ".."] {
            check(&[name], "leads out of its folder");
        }
        check(&["a\\b"], "characters that no name has");
        check(&["a\nb"], "characters that no name has");
        check(&["a\0b"], "characters that no name has");
        check(&["manifest.json"], "the manifest's own");
        check(&[&"a/".repeat(9)[..17]], "too deep");
        check(&[&"a".repeat(201)], "too long");
        check(&["a", "b", "a"], "twice");
        check(&["a/b", "c", "a"], "also a folder");
        check(&[], "0 files");
    }

    #[test]
    fn sizes_are_summed_without_wrapping_round() {
        for size in [u64::MAX, u64::MAX / 2 + 1, TOTAL_LIMIT] {
            let mut large = manifest(&["a", "b"]);
            large.files.iter_mut().for_each(|e| e.size = size);
            let error = Manifest::parse(&large.text()).unwrap_err().to_string();
            assert!(error.contains("declares more than"), "{error}");
        }
    }

    #[test]
    fn what_does_not_suit_says_why() {
        #[track_caller]
        fn refused(manifest: &Manifest, board: &str, installed: Version, expect: &str) {
            let error = manifest.suits(board, Some(installed), 100).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        }
        let m = manifest(&["a"]);
        m.suits("desk", Some(Version(0, 1, 5)), 100).unwrap();
        m.suits("desk", Some(m.version), 100).unwrap();
        m.suits("desk", None, 100).unwrap();
        refused(&m, "qemu", Version(0, 1, 5), "for board `desk`, and this unit is a `qemu`");
        refused(&m, "desk", Version(0, 0, 9), "install 0.1.0 first");
        refused(&m, "desk", Version(0, 3, 0), "made with --downgrade");
        let allowed = Manifest { downgrade: true, ..m.clone() };
        allowed.suits("desk", Some(Version(0, 3, 0)), 100).unwrap();
        assert!(matches!(m.suits("desk", None, 0), Err(Error::TooLarge { size: 1, most: 0 })));
    }

    #[test]
    fn unknown_keys_are_errors() {
        let text = String::from_utf8(manifest(&["a"]).text()).unwrap();
        let error = Manifest::parse(text.replace("least", "lest").as_bytes()).unwrap_err().to_string();
        assert!(error.contains("lest"), "{error}");
    }
}
