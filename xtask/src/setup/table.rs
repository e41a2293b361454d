//! The table of what set-up brings: `wheels.toml` beside this file.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::Error;

/// The table that is built in.
const BUILT_IN: &str = include_str!("wheels.toml");

/// Everything that set-up can bring.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The wheels, in the order in which they are brought.
    pub wheel: Vec<Wheel>,
}

/// One wheel of PyPI, and what is taken out of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    /// What it is called; no other is called so.
    pub name: String,
    /// The package's name, where it is not that.
    #[serde(default)]
    package: Option<String>,
    /// Its version.
    pub version: String,
    /// The name of the file.
    pub file: String,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// The size of the file.
    pub bytes: u64,
    /// The most that what is taken out of it needs.
    pub unpacked_bytes: u64,
    /// The licence of what is taken.
    pub licence: String,
    /// The machine that it is for.
    pub machine: String,
    /// When it is brought.
    pub need: Need,
    /// What is in it, in a few words.
    pub what: String,
    /// What follows where it is not listed for the machine.
    pub without: String,
    /// What is taken.
    pub take: Vec<Take>,
}

/// When a wheel is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// Always.
    Always,
    /// Where the system has no `ffmpeg` program.
    Ffmpeg,
    /// Where the system has no `libclang`.
    Libclang,
}

/// One member of a wheel, or those of a folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Take {
    /// The member, or a folder, which ends in `/`.
    pub from: String,
    /// The file or the folder that it becomes, relative to the store.
    pub to: String,
    /// Of a folder, the ends of the names that are taken.
    #[serde(default)]
    pub only: Vec<String>,
    /// Of a network, the outputs that nobody reads: what is computed for them alone is left out.
    #[serde(default)]
    pub unused: Vec<String>,
    /// What is done with it.
    pub kind: Kind,
}

/// What is done with a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It is kept as it is.
    File,
    /// It is kept, and may be run.
    Program,
    /// It is a TFLite network and is kept as ONNX.
    Network,
}

impl Table {
    /// The table that is built in.
    pub fn built_in() -> Self {
        toml::from_str(BUILT_IN).expect("a test reads the table that is built in")
    }

    /// A table from a file.
    ///
    /// # Errors
    /// [`Error::Table`] where the file is not a table.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
        toml::from_str(&text).map_err(|e| Error::Table { path: path.into(), said: e.message().into() })
    }
}

impl Wheel {
    /// Whether it is listed for the machine that this program was built for.
    pub fn fits_this_machine(&self) -> bool {
        self.machine == "any" || self.machine == std::env::consts::ARCH
    }

    /// The package's name.
    pub fn package(&self) -> &str {
        self.package.as_deref().unwrap_or(&self.name)
    }

    /// The platforms that its file's name ends with: the wheel is that of the table, whatever machine asks.
    pub fn platforms(&self) -> impl Iterator<Item = &str> {
        let tag = self.file.trim_end_matches(".whl").rsplit('-').next().unwrap_or("any");
        tag.split('.')
    }

    /// Whether something in it is converted.
    pub fn has_networks(&self) -> bool {
        self.take.iter().any(|t| t.kind == Kind::Network)
    }

    /// A hash over what decides which files it leaves in the store.
    pub fn recipe(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(&self.sha256);
        for take in &self.take {
            hash.update(format!("{take:?}"));
        }
        format!("{:x}", hash.finalize())
    }
}

impl Take {
    /// Where the member of this name goes, relative to the store; `None` where it is not taken.
    ///
    /// # Errors
    /// [`Error::Outside`] where it would leave the store.
    pub fn target(&self, member: &str) -> Result<Option<PathBuf>, Error> {
        let target = match self.from.ends_with('/') {
            true => match member.strip_prefix(&self.from) {
                Some(rest) if self.only.iter().any(|end| member.ends_with(end)) => {
                    // Joining an absolute path would replace what stands before it.
                    PathBuf::from(format!("{}/{rest}", self.to))
                }
                _ => return Ok(None),
            },
            false if self.from == member => PathBuf::from(&self.to),
            false => return Ok(None),
        };
        match target.components().all(|c| matches!(c, Component::Normal(_))) {
            true => Ok(Some(target)),
            false => Err(Error::Outside { member: member.into() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_is_whole() {
        let table = Table::built_in();
        let mut names: Vec<&str> = table.wheel.iter().map(|wheel| wheel.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), table.wheel.len(), "what is brought is kept by its name");
        for wheel in &table.wheel {
            assert!(wheel.platforms().all(|p| p == "any" || p.starts_with("manylinux")), "{}", wheel.name);
            assert!(wheel.file.starts_with(&wheel.package().replace('-', "_")), "{}", wheel.name);
            assert_eq!(wheel.sha256.len(), 64, "{}", wheel.name);
            assert!(wheel.file.contains(&format!("-{}-", wheel.version)), "{}", wheel.name);
            for take in wheel.take.iter().filter(|t| t.only.is_empty()) {
                assert!(take.target(&take.from).unwrap().is_some(), "{}", take.from);
            }
        }
    }

    #[track_caller]
    fn check(member: &str, expect: Option<&str>) {
        let take = Take {
            from: "w/l/".into(),
            to: "lex".into(),
            only: vec![".pose".into()],
            unused: vec![],
            kind: Kind::File,
        };
        assert_eq!(take.target(member).ok(), Some(expect.map(PathBuf::from)), "{member}");
    }

    #[test]
    fn a_folder_gives_what_ends_as_asked() {
        check("w/l/ase/a.pose", Some("lex/ase/a.pose"));
        check("w/l/ase/a.py", None);
        check("w/other/a.pose", None);
    }

    #[test]
    fn nothing_leaves_the_store() {
        let take = Take {
            from: "w/".into(),
            to: "lex".into(),
            only: vec![".pose".into()],
            unused: vec![],
            kind: Kind::File,
        };
        for member in ["w/../../evil.pose", "w/a/../../../evil.pose"] {
            assert!(matches!(take.target(member), Err(Error::Outside { .. })), "{member}");
        }
        assert_eq!(take.target("w//etc/evil.pose").unwrap(), Some("lex/etc/evil.pose".into()));
    }
}
