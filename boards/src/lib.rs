//! What differs between boards, as checked data.
//!
//! One TOML file a board stands in `boards/data`, compiled in. A key that this
//! program does not know is an error: a misspelt setting must not be ignored.
//! [`module`] tells which board a machine is, from what the machine itself says.

pub mod error;
mod glibc;
pub mod module;
mod service;
mod system;

use serde::Deserialize;

pub use error::Error;
pub use glibc::Glibc;
pub use module::{Machine, NVIDIA, Part, Traits, UsbProduct};
pub use service::service;
pub use system::{SystemFile, slot_hook, system_files};

const SHIPPED: &[(&str, &str)] = &[
    ("desk", include_str!("../data/desk.toml")),
    ("jetson-agx-orin", include_str!("../data/jetson-agx-orin.toml")),
    ("jetson-orin-nano", include_str!("../data/jetson-orin-nano.toml")),
    ("jetson-orin-nx", include_str!("../data/jetson-orin-nx.toml")),
    ("jetson-xavier-nx", include_str!("../data/jetson-xavier-nx.toml")),
    ("qemu", include_str!("../data/qemu.toml")),
    ("qemu-arm", include_str!("../data/qemu-arm.toml")),
    ("qemu-pc", include_str!("../data/qemu-pc.toml")),
];

/// One kind of unit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Short name, as given on the command line.
    pub name: String,
    /// The name that people use.
    pub title: String,
    /// What its programs are compiled for, as `rustc` calls it.
    pub target: String,
    /// The newest version of the GNU C library that its system is sure to have, as in `2.35`; `None` where the program is
    /// built where it runs.
    pub glibc: Option<Glibc>,
    /// The device tree's `compatible` of a machine that has no module's part number.
    pub machine: Option<String>,
    /// The modules that are this board; none where it is recognised in another way, or not at all.
    #[serde(default, rename = "module")]
    pub modules: Vec<Module>,
    /// What to ask of a camera.
    pub camera: Camera,
    /// What runs the networks.
    pub engine: Engine,
    /// What people look at.
    pub screen: Screen,
    /// The technician's cable; `None` where only a person can say which port it is.
    pub link: Option<Link>,
    /// Where programs, models and lexicon lie.
    pub storage: Storage,
    /// What a new version has to prove.
    pub update: Update,
    /// When it is too hot.
    pub thermal: Thermal,
    /// What starts the unit anew when its program hangs; `None` where nothing does.
    pub watchdog: Option<Watchdog>,
    /// What its maker's own tool is told to put a system onto a module; `None` where there is no such tool.
    pub provision: Option<Provision>,
    /// Where whole systems lie; `None` where the board has one system, which nobody replaces from within.
    pub system: Option<System>,
}

/// A module, as it leaves NVIDIA.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// What its memory and the device tree call it, for example `p3767-0003`.
    pub part: Part,
    /// What it shows of itself over USB in recovery mode; modules of one memory size may share it.
    pub recovery: Option<UsbProduct>,
    /// The name that people use.
    pub title: String,
}

/// What to ask of a camera; it may answer with something else.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Camera {
    /// The device; `None` where only the command line says which one it is, if any.
    pub device: Option<String>,
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
    /// What the networks compute with.
    pub precision: Precision,
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

/// The numbers that networks compute with. The networks that ship have one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floating point.
    F32,
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
    /// How far a picture is turned, clockwise, to stand upright on the display as it hangs: 0, 90, 180 or 270.
    #[serde(default)]
    pub turned_deg: u32,
    /// Width of what lights up.
    pub width_mm: u32,
    /// How far from it people stand. Millimetres.
    pub viewing_distance_mm: u32,
}

/// The angle that a capital H of a screen has to fill (EN 301 549 V3.2.1, 5.1.4). Degrees.
pub const LETTER_DEGREES: f32 = 0.7;

impl Screen {
    /// How high a capital letter is at least, so that it fills [`LETTER_DEGREES`] for whoever stands where people
    /// stand: twice the distance times the tangent of half the angle. Pixels.
    pub fn least_letter_px(&self) -> f32 {
        let height_mm = 2.0 * self.viewing_distance_mm as f32 * (LETTER_DEGREES.to_radians() / 2.0).tan();
        height_mm * self.width_px as f32 / self.width_mm as f32
    }
}

/// The technician's cable, at the unit's end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The serial device.
    pub port: String,
}

/// Where programs, models and lexicon lie.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// The folder of the slots and their record.
    pub root: String,
    /// The most that one slot may hold. Millions of bytes.
    pub slot_mb: u32,
}

/// What a new version has to prove before it stays.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// Within so long after it started. Seconds.
    pub prove_s: u32,
    /// It may start so often without having proven itself.
    pub starts: u8,
    /// So many frames have come from the camera, were read, and were shown.
    pub frames: u32,
}

/// Temperatures of the hottest sensor. Degrees Celsius.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thermal {
    /// From here on the unit says that it is hot.
    pub warn_c: u32,
    /// From here on it stops reading until it has cooled down.
    pub stop_c: u32,
}

/// What starts the unit anew when its program hangs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watchdog {
    /// The device.
    pub device: String,
    /// It bites when it was not fed for so long. Seconds.
    pub timeout_s: u32,
    /// A part of the program that makes no progress for so long hangs, and the program is started anew. Seconds.
    pub stall_s: u32,
}

/// What NVIDIA's flashing tool is told, from the folder that it comes in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provision {
    /// The tool, below that folder.
    pub command: String,
    /// What it is told before the configuration.
    #[serde(default)]
    pub args: Vec<String>,
    /// The configuration of module and carrier board: a file of this name with `.conf` lies in that folder.
    pub config: String,
    /// The device that the system goes onto.
    pub target: String,
}

/// Where whole systems lie, of which one runs and RAUC writes the other.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// What chooses the one that starts.
    pub boot: BootChain,
    /// The devices of their two root file systems (ext4); slot A and slot B.
    pub slots: [String; 2],
}

/// What chooses the system that starts, and counts its tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BootChain {
    /// NVIDIA's UEFI, asked by its program `nvbootctrl`.
    Nvbootctrl,
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

    /// All boards that ship, by name.
    pub fn shipped() -> impl Iterator<Item = Self> {
        SHIPPED.iter().map(|(name, text)| Self::parse(name, text).expect("a test parses every board"))
    }

    /// A board from the text of its file.
    ///
    /// # Errors
    /// [`Error::Malformed`] for anything but the known keys, [`Error::OutOfRange`] for values that no board has.
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let board: Self = toml::from_str(text)
            .map_err(|e| Error::Malformed { name: name.into(), said: e.to_string().trim().into() })?;
        let [watchdog_s, stall_s] = board.watchdog.as_ref().map_or([10, 2], |w| [w.timeout_s, w.stall_s]);
        let bounds: [(&'static str, u32, u32, u32, &'static str); 18] = [
            ("camera.width_px", board.camera.width_px, 64, 7680, "64 to 7680"),
            ("camera.height_px", board.camera.height_px, 64, 4320, "64 to 4320"),
            ("camera.rate_hz", board.camera.rate_hz, 1, 120, "1 to 120"),
            ("engine.prefer", board.engine.prefer.len() as u32, 1, 2, "one or two backends"),
            ("engine.threads", board.engine.threads, 1, 64, "1 to 64"),
            ("screen.width_px", board.screen.width_px, 320, MAX_SCREEN_PX, "320 to 4096"),
            ("screen.height_px", board.screen.height_px, 200, MAX_SCREEN_PX, "200 to 4096"),
            ("screen.rate_hz", board.screen.rate_hz, 10, 60, "10 to 60"),
            ("screen.width_mm", board.screen.width_mm, 50, 3000, "50 to 3000"),
            (
                "screen.viewing_distance_mm",
                board.screen.viewing_distance_mm,
                250,
                5000,
                "250 to 5000, from where eyes are",
            ),
            ("storage.slot_mb", board.storage.slot_mb, 64, 16_384, "64 to 16384"),
            ("update.prove_s", board.update.prove_s, 10, 3600, "10 to 3600"),
            ("update.starts", board.update.starts.into(), 1, 10, "1 to 10"),
            ("update.frames", board.update.frames, 1, 10_000, "1 to 10000"),
            ("thermal.stop_c", board.thermal.stop_c, 50, 110, "50 to 110"),
            (
                "thermal.warn_c",
                board.thermal.warn_c,
                40,
                board.thermal.stop_c.saturating_sub(1),
                "40 or more, below stop_c",
            ),
            ("watchdog.timeout_s", watchdog_s, 5, 600, "5 to 600"),
            // What hangs is written down before the watchdog bites.
            ("watchdog.stall_s", stall_s, 2, watchdog_s / 2, "2 or more, half of timeout_s at most"),
        ];
        for (key, value, least, most, range) in bounds {
            if !(least..=most).contains(&value) {
                return Err(Error::OutOfRange { name: name.into(), key, value, range });
            }
        }
        let turned = board.screen.turned_deg;
        if !matches!(turned, 0 | 90 | 180 | 270) {
            let (name, key, range) = (name.into(), "screen.turned_deg", "0, 90, 180 or 270");
            return Err(Error::OutOfRange { name, key, value: turned, range });
        }
        // They become lines of RAUC's, and one image written over itself leaves no system.
        if let Some([a, b]) = board.system.as_ref().map(|system| &system.slots) {
            let device = |d: &str| d.starts_with("/dev/") && d.bytes().all(|byte| byte.is_ascii_graphic());
            if !device(a) || !device(b) || a == b {
                return Err(Error::Slots { name: name.into(), slots: [a.clone(), b.clone()] });
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
        for (name, text) in SHIPPED {
            assert_eq!(Board::named(name).unwrap().name, *name);
            assert!(text.starts_with('#'), "{name} says what it is");
        }
        assert_eq!(Board::shipped().count(), SHIPPED.len());
    }

    /// The figures of EN 301 549's own table (5.1.4): 500 mm need 6.1 mm, 250 mm need 3.1 mm, 100 mm need 1.2 mm.
    #[test]
    fn letters_are_as_high_as_the_standard_says() {
        let mut screen = Board::named("desk").unwrap().screen;
        // A pixel is a millimetre.
        screen.width_mm = screen.width_px;
        for (distance_mm, letter_mm) in [(500, 6.1), (250, 3.1), (100, 1.2)] {
            screen.viewing_distance_mm = distance_mm;
            let letter = screen.least_letter_px();
            assert!((letter - letter_mm).abs() < 0.05, "{letter} mm at {distance_mm} mm");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        check("threads = 2", "treads = 2", "treads");
        check("threads = 2", "threads = 0", "engine.threads is 0, but must be 1 to 64");
        check("\"tract\"", "\"tensorflow\"", "tensorflow");
        check("\"f32\"", "\"int4\"", "int4");
        check("rate_hz = 30\n\n[engine]", "\n[engine]", "rate_hz");
        check("width_px = 1280\nheight_px = 800", "width_px = 4097\nheight_px = 800", "must be 320 to 4096");
        check("height_px = 800\nrate_hz = 30", "height_px = 800\nrate_hz = 61", "must be 10 to 60");
        check("width_mm = 331", "width_mm = 3", "screen.width_mm is 3, but must be 50 to 3000");
        check("distance_mm = 600", "distance_mm = 6", "viewing_distance_mm is 6, but must be 250 to 5000");
        check("slot_mb = 1024", "slot_mb = 1", "storage.slot_mb is 1, but must be 64 to 16384");
        check("warn_c = 85", "warn_c = 95", "thermal.warn_c is 95, but must be 40 or more, below stop_c");
        check("stop_c = 95", "stop_c = 0", "thermal.stop_c is 0");
        check(
            "stop_c = 95",
            "stop_c = 95\n[watchdog]\ndevice = \"w\"\ntimeout_s = 1\nstall_s = 2",
            "watchdog.timeout_s",
        );
        check(
            "stop_c = 95",
            "stop_c = 95\n[watchdog]\ndevice = \"w\"\ntimeout_s = 9\nstall_s = 5",
            "watchdog.stall_s",
        );
        let system = |slots: &str| format!("stop_c = 95\n[system]\nboot = \"nvbootctrl\"\nslots = {slots}");
        let two = "must be two devices below /dev";
        check("stop_c = 95", &system(r#"["/dev/a", "/dev/a"]"#), two);
        check("stop_c = 95", &system(r#"["/dev/a", "b"]"#), two);
        check("stop_c = 95", &system(r#"["/dev/a", "/dev/b\n[handlers]"]"#), two);
        check("stop_c = 95", &system(r#"["/dev/a"]"#), "length 2");
        check("stop_c = 95", &system(r#"["/dev/a", "/dev/b"]"#).replace("nvbootctrl", "grub"), "grub");
        check("[camera]", "[[module]]\npart = \"0003\"\ntitle = \"\"\n[camera]", "write it like p3767-0003");
        let error = Board::named("toaster").unwrap_err().to_string();
        let all = "desk, jetson-agx-orin, jetson-orin-nano, jetson-orin-nx, jetson-xavier-nx, qemu, qemu-arm, qemu-pc";
        assert_eq!(error, format!("no board is called `toaster`; choose one of: {all}"));
    }
}
