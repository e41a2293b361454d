//! Versions: three numbers that grow.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A version of the product, for example `0.2.0`. The first number counts most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(pub u32, pub u32, pub u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(major, minor, patch) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Option<Vec<u32>> = text.split('.').map(number).collect();
        match numbers.as_deref() {
            Some([major, minor, patch]) => Ok(Self(*major, *minor, *patch)),
            _ => Err(format!("`{text}` is no version; give three numbers, for example 0.2.0")),
        }
    }
}

/// A number in the one way to write it, so that a version has one text.
fn number(text: &str) -> Option<u32> {
    let number = text.parse().ok()?;
    (u32::to_string(&number) == text).then_some(number)
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<Version>) {
        let read: Result<Version, _> = text.parse();
        assert_eq!(read.clone().ok(), expect, "{read:?}");
        assert!(expect.is_none_or(|version| version.to_string() == text));
    }

    #[test]
    fn a_version_has_one_text() {
        check("0.2.10", Some(Version(0, 2, 10)));
        for wrong in ["", "1", "1.2", "1.2.3.4", "01.2.3", "+1.2.3", "1.2.x", "1.2.4294967296", "1.2.3-rc"] {
            check(wrong, None);
        }
        assert!(Version(0, 10, 0) > Version(0, 9, 9) && Version(1, 0, 0) > Version(0, 10, 0));
    }
}
