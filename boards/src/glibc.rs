//! Versions of the GNU C library: a program runs with the one that it was linked to, and with all that are newer.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// What the names of its versions begin with, in the programs that need them; names stand between zeros.
const VERSION: &[u8] = b"\0GLIBC_";

/// A version, for example `2.35`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Glibc {
    major: u32,
    minor: u32,
}

impl Glibc {
    /// The newest that a program (ELF) asks for by name; `None` where it asks for none.
    pub fn needed(program: &[u8]) -> Option<Self> {
        let places = program.windows(VERSION.len()).enumerate().filter(|(_, bytes)| *bytes == VERSION);
        let version = |(at, _)| {
            let name = &program[at + VERSION.len()..];
            let name = &name[..name.iter().position(|byte| *byte == 0)?];
            // `GLIBC_2.2.5` and its like are older than all that have two numbers here; `GLIBC_PRIVATE` is no version.
            std::str::from_utf8(name).ok()?.parse().ok()
        };
        places.filter_map(version).max()
    }
}

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Glibc {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('.');
        let numbers = numbers.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        let (major, minor) =
            numbers.ok_or_else(|| format!("`{text}` is no version of glibc; write it like 2.35"))?;
        Ok(Self { major, minor })
    }
}

impl TryFrom<String> for Glibc {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(program: &[u8], expect: Option<&str>) {
        assert_eq!(Glibc::needed(program).map(|version| version.to_string()).as_deref(), expect);
    }

    #[test]
    fn the_newest_version_that_a_program_names_is_found() {
        check(b"\x7fELF\0GLIBC_2.4\0GLIBC_2.35\0GLIBC_2.17\0", Some("2.35"));
        check(b"\x7fELF\0GLIBC_2.2.5\0GLIBC_PRIVATE\0libc.so.6\0", None);
        check(b"\x7fELF says GLIBC_2.40 in words\0GLIBC_2.17\0", Some("2.17"));
        check(b"\x7fELF\0GLIBC_2.99", None);
        check(b"", None);
        let version = |text: &str| text.parse::<Glibc>();
        assert!(version("2.9").unwrap() < version("2.31").unwrap());
        assert!(version("2").is_err() && version("2.x").is_err() && version("").is_err());
    }
}
