//! What differs between boards, as checked data.
//!
//! One TOML file a board stands in `boards/data`, compiled in. A key that this
//! program does not know is an error: a misspelt setting must not be ignored.

use serde::Deserialize;

const SHIPPED: &[(&str, &str)] = &[("desk", include_str!("../data/desk.toml"))];

/// Why a board could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No board has this name.
    #[error("no board is called `{name}`; choose one of: {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The text is not a board.
    #[error("board `{name}`: {said}; correct the file and build again")]
    Malformed {
        /// Which board.
        name: String,
        /// What is wrong, and where.
        said: String,
    },
    /// A value is out of range.
    #[error("board `{name}`: {key} is {value}, but must be {range}; correct the file and build again")]
    OutOfRange {
        /// Which board.
        name: String,
        /// The key.
        key: &'static str,
        /// The value found.
        value: u32,
        /// What is allowed, in words.
        range: &'static str,
    },
}

/// One kind of unit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Short name, as given on the command line.
    pub name: String,
    /// The name that people use.
    pub title: String,
    /// What to ask of a camera.
    pub camera: Camera,
    /// What runs the networks.
    pub engine: Engine,
    /// What people look at.
    pub screen: Screen,
}

/// What to ask of a camera; it may answer with something else. Which one it is, the command line says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Camera {
    /// Picture width.
    pub width_px: u32,
    /// Picture height.
    pub height_px: u32,
    /// Frames a second.
    pub rate_hz: u32,
}

/// What runs the networks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// Backends in order of preference.
    pub prefer: Vec<Backend>,
    /// Threads for one network.
    pub threads: u32,
}

/// A program that runs networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// `tract`, in Rust; always there.
    Tract,
    /// ONNX Runtime, where its library is found.
    OnnxRuntime,
}

/// The screen.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Screen {
    /// Width.
    pub width_px: u32,
    /// Height.
    pub height_px: u32,
    /// Frames a second in which signing is made.
    pub rate_hz: u32,
}

/// The largest side of a screen, in pixels: the drawing library counts quarter pixels in 16 bits.
pub const MAX_SCREEN_PX: u32 = 4096;

impl Board {
    /// A board that ships, by its name.
    ///
    /// # Errors
    /// [`Error::Unknown`] lists the names that there are.
    pub fn named(name: &str) -> Result<Self, Error> {
        let known = || SHIPPED.iter().map(|(n, _)| *n).collect::<Vec<_>>().join(", ");
        let (_, text) = SHIPPED
            .iter()
            .find(|(n, _)| *n == name)
            .ok_or_else(|| Error::Unknown { name: name.into(), known: known() })?;
        Self::parse(name, text)
    }

    /// A board from the text of its file.
    ///
    /// # Errors
    /// [`Error::Malformed`] for anything but the known keys, [`Error::OutOfRange`] for values that no board has.
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let board: Self = toml::from_str(text)
            .map_err(|e| Error::Malformed { name: name.into(), said: e.to_string().trim().into() })?;
        let bounds: [(&'static str, u32, u32, u32, &'static str); 8] = [
            ("camera.width_px", board.camera.width_px, 64, 7680, "64 to 7680"),
            ("camera.height_px", board.camera.height_px, 64, 4320, "64 to 4320"),
            ("camera.rate_hz", board.camera.rate_hz, 1, 120, "1 to 120"),
            ("engine.prefer", board.engine.prefer.len() as u32, 1, 2, "one or two backends"),
            ("engine.threads", board.engine.threads, 1, 64, "1 to 64"),
            ("screen.width_px", board.screen.width_px, 320, MAX_SCREEN_PX, "320 to 4096"),
            ("screen.height_px", board.screen.height_px, 200, MAX_SCREEN_PX, "200 to 4096"),
            ("screen.rate_hz", board.screen.rate_hz, 10, 60, "10 to 60"),
        ];
        for (key, value, least, most, range) in bounds {
            if !(least..=most).contains(&value) {
                return Err(Error::OutOfRange { name: name.into(), key, value, range });
            }
        }
        Ok(board)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(replace: &str, with: &str, expect: &str) {
        let text = SHIPPED[0].1.replace(replace, with);
        let error = Board::parse("desk", &text).expect_err("the text is wrong").to_string();
        assert!(error.contains(expect), "{error}");
    }

    #[test]
    fn every_shipped_board_is_valid_and_bears_its_name() {
        for (name, _) in SHIPPED {
            assert_eq!(Board::named(name).unwrap().name, *name);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        check("threads = 2", "treads = 2", "treads");
        check("threads = 2", "threads = 0", "engine.threads is 0, but must be 1 to 64");
        check("\"tract\"", "\"tensorflow\"", "tensorflow");
        check("rate_hz = 30\n\n[engine]", "\n[engine]", "rate_hz");
        check("width_px = 1280\nheight_px = 800", "width_px = 4097\nheight_px = 800", "must be 320 to 4096");
        check("height_px = 800\nrate_hz = 30", "height_px = 800\nrate_hz = 61", "must be 10 to 60");
        let error = Board::named("toaster").unwrap_err().to_string();
        assert_eq!(error, "no board is called `toaster`; choose one of: desk");
    }
}
