//! Which board a machine is, from what it says itself.
//!
//! Three things speak, and they are not worth the same. The module's own memory holds the part number that
//! NVIDIA wrote in the factory ("Jetson EEPROM Layout" in the Jetson Linux Developer Guide, bytes 20 to 49:
//! `699-cnnnn-pppp-vvv r`, board `nnnn`, stock-keeping unit `pppp`). The device tree's `compatible` names the
//! module that the system was *flashed for*, as `nvidia,p3768-0000+p3767-0003`: carrier board, then module.
//! The device tree's `model` is words that whoever made the carrier board chose: systems are known that call
//! an Orin Nano an Orin NX. So the memory is believed first and `compatible` second; where they differ the
//! wrong system was flashed, which is said as such; `model` is only ever repeated.
//!
//! The part numbers stand in `boards/data` and come from NVIDIA's tables; no such module was at hand.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;

use crate::{Board, Error};

/// The module's memory on a running Jetson: bus 0, address 0x50.
const EEPROM: &str = "sys/bus/i2c/devices/0-0050/eeprom";
/// Where the kernel shows the device tree.
const DEVICE_TREE: &str = "proc/device-tree";
/// Where the part number stands in the module's memory.
const PART_NUMBER: std::ops::Range<usize> = 20..50;

/// A part number: board and stock-keeping unit, for example `p3767-0003`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Part {
    board: u16,
    sku: u16,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{:04}-{:04}", self.board, self.sku)
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let part = text.strip_prefix('p').and_then(|t| t.split_once('-'));
        part.and_then(|(board, sku)| Some(Self { board: number(board)?, sku: number(sku)? }))
            .ok_or_else(|| format!("`{text}` is no part number; write it like p3767-0003"))
    }
}

impl TryFrom<String> for Part {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Who makes the modules, in USB's numbering.
pub const NVIDIA: u16 = 0x0955;

/// A product number of USB, of its maker [`NVIDIA`]: four hexadecimal digits, for example `7523`.
///
/// In recovery mode a module shows which it is by this alone, before anything on it runs ("To Determine
/// Whether the Developer Kit Is in Force Recovery Mode" in the Quick Start of the Jetson Linux Developer Guide).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct UsbProduct(pub u16);

impl fmt::Display for UsbProduct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}", self.0)
    }
}

impl TryFrom<String> for UsbProduct {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u16::from_str_radix(&text, 16).ok().filter(|_| digits);
        number.map(Self).ok_or_else(|| format!("`{text}` is no USB product number; write it like 7523"))
    }
}

/// Four digits.
fn number(text: &str) -> Option<u16> {
    let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().expect("four digits fit"))
}

impl Part {
    /// The part number in a module's memory; `None` where there is none.
    pub fn of_eeprom(memory: &[u8]) -> Option<Self> {
        let text = memory.get(PART_NUMBER)?;
        let mut fields = text.split(|b| *b == b'-').map(|f| std::str::from_utf8(f).unwrap_or_default());
        if fields.next() != Some("699") {
            return None;
        }
        // The first digit is the class of the board and no part of its number.
        let board = fields.next()?.get(1..)?;
        Some(Self { board: number(board)?, sku: number(fields.next()?)? })
    }

    /// The module in one `compatible` of a device tree: `nvidia,p3768-0000+p3767-0003-super` or
    /// `nvidia,p3767-0003`.
    fn of_compatible(compatible: &str) -> Option<Self> {
        let parts = compatible.strip_prefix("nvidia,")?;
        // What follows the number is a variant of the system, not of the module.
        parts.rsplit('+').next()?.get(..10)?.parse().ok()
    }
}

/// What a machine says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traits {
    /// The device tree's `model`; empty where there is no device tree.
    pub model: String,
    /// The device tree's `compatible`, the most particular first.
    pub compatible: Vec<String>,
    /// The part number in the module's memory.
    pub part: Option<Part>,
}

impl Traits {
    /// What this machine says; nothing where it has no device tree, as a desktop.
    pub fn of_this_machine() -> Self {
        Self::below(Path::new("/"))
    }

    /// What the machine says whose system lies below a folder.
    pub fn below(root: &Path) -> Self {
        let read = |path: &str| std::fs::read(root.join(path)).unwrap_or_default();
        let text = |name: &str| -> Vec<String> {
            let bytes = read(&format!("{DEVICE_TREE}/{name}"));
            // A list in a device tree has a zero byte behind each entry.
            let entries = bytes.split(|b| *b == 0).filter(|entry| !entry.is_empty());
            entries.map(|entry| String::from_utf8_lossy(entry).into_owned()).collect()
        };
        Self {
            model: text("model").into_iter().next().unwrap_or_default(),
            compatible: text("compatible"),
            part: Part::of_eeprom(&read(EEPROM)),
        }
    }

    /// Which machine this is.
    ///
    /// # Errors
    /// [`Error::WrongSystem`], [`Error::UnknownModule`], [`Error::Nameless`].
    pub fn machine(&self) -> Result<Machine, Error> {
        let tree = self.compatible.iter().find_map(|c| {
            let part = Part::of_compatible(c)?;
            // Carrier boards have such numbers too.
            Machine::of(part).map(|_| part)
        });
        let unnamed = self.compatible.iter().find_map(|c| Part::of_compatible(c));
        match (self.part, tree) {
            (Some(part), tree) => {
                let machine = Machine::of(part)
                    .ok_or_else(|| Error::UnknownModule { part, model: self.model.clone() })?;
                match tree.and_then(Machine::of) {
                    // Modules of one board run the same system.
                    Some(tree) if tree.board.name != machine.board.name => Err(Error::WrongSystem {
                        module: machine.to_string(),
                        tree: tree.to_string(),
                        board: machine.board.name,
                    }),
                    _ => Ok(machine),
                }
            }
            (None, Some(tree)) => Ok(Machine::of(tree).expect("only those of a board are taken")),
            (None, None) => {
                let named = |b: &Board| b.machine.as_ref().is_some_and(|m| self.compatible.contains(m));
                match (Board::shipped().find(named), unnamed) {
                    (Some(board), _) => Ok(Machine { title: board.title.clone(), part: None, board }),
                    (None, Some(part)) => Err(Error::UnknownModule { part, model: self.model.clone() }),
                    (None, None) => Err(Error::Nameless { model: self.model.clone() }),
                }
            }
        }
    }
}

/// A machine that was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its board.
    pub board: Board,
    /// The name that people use for this very module.
    pub title: String,
    /// The module's part number, where it has one.
    pub part: Option<Part>,
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Some(part) => write!(f, "{} ({part})", self.title),
            None => write!(f, "{}", self.title),
        }
    }
}

impl Machine {
    /// The machine with a module of this number; `None` where no board has it.
    pub fn of(part: Part) -> Option<Self> {
        Board::shipped().find_map(|board| {
            let title = board.modules.iter().find(|m| m.part == part)?.title.clone();
            Some(Self { board, title, part: Some(part) })
        })
    }

    /// The modules that show this product number in recovery mode; none where no board has it.
    pub fn in_recovery(product: UsbProduct) -> Vec<Self> {
        let boards = Board::shipped().flat_map(|board| {
            let own: Vec<_> = board.modules.iter().filter(|m| m.recovery == Some(product)).cloned().collect();
            own.into_iter().map(move |m| Self { board: board.clone(), title: m.title, part: Some(m.part) })
        });
        boards.collect()
    }

    /// The sentence about a module in recovery mode that no board file names.
    pub fn unknown_in_recovery(product: UsbProduct) -> String {
        format!(
            "a module lies in recovery mode (USB {NVIDIA:04x}:{product}) that Signpost does not know; use one of the modules in boards/data, or describe this one there"
        )
    }

    /// That this machine is the board that somebody wants.
    ///
    /// # Errors
    /// [`Error::OtherBoard`].
    pub fn is(&self, wanted: &Board) -> Result<(), Error> {
        if self.board.name == wanted.name {
            return Ok(());
        }
        let (wanted, board) = (wanted.title.clone(), self.board.name.clone());
        Err(Error::OtherBoard { machine: self.to_string(), wanted, board })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(number: &str) -> Vec<u8> {
        let mut memory = vec![0xff; 256];
        memory[..2].copy_from_slice(&[1, 0]);
        memory[20..20 + number.len()].copy_from_slice(number.as_bytes());
        memory
    }

    fn traits(eeprom: &str, compatible: &[&str], model: &str) -> Traits {
        Traits {
            model: model.into(),
            compatible: compatible.iter().map(|c| (*c).into()).collect(),
            part: Part::of_eeprom(&memory(eeprom)),
        }
    }

    #[track_caller]
    fn check(eeprom: &str, compatible: &[&str], model: &str, expect: Result<(&str, &str), &str>) {
        match (traits(eeprom, compatible, model).machine(), expect) {
            (Ok(machine), Ok((board, words))) => {
                assert_eq!((machine.board.name.as_str(), machine.to_string().as_str()), (board, words));
            }
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
            (said, _) => panic!("{said:?}"),
        }
    }

    #[test]
    fn modules_are_known_by_their_memory_and_by_the_device_tree() {
        let nano = Ok(("jetson-orin-nano", "Jetson Orin Nano 8GB (p3767-0003)"));
        check("699-13767-0003-300 N.1", &[], "", nano);
        check("", &["nvidia,p3768-0000+p3767-0003-super", "nvidia,p3767-0003", "nvidia,tegra234"], "", nano);
        check("", &["nvidia,p3767-0003", "nvidia,tegra234"], "", nano);
        let xavier = Ok(("jetson-xavier-nx", "Jetson Xavier NX 8GB (p3668-0001)"));
        check("699-13668-0001-100 K.0", &["nvidia,p3509-0000+p3668-0001", "nvidia,tegra194"], "", xavier);
        let agx = Ok(("jetson-agx-orin", "Jetson AGX Orin 64GB (p3701-0005)"));
        check("", &["nvidia,p3737-0000+p3701-0005", "nvidia,p3701-0005", "nvidia,tegra234"], "", agx);
        check(
            "",
            &["linux,dummy-virt"],
            "linux,dummy-virt",
            Ok(("qemu-arm", "Emulated Arm machine (QEMU virt)")),
        );
    }

    /// Both happen: the words are the carrier board's maker's, and images get onto the wrong module.
    #[test]
    fn the_model_is_not_believed_and_a_wrong_system_is_named() {
        check(
            "699-13767-0003-301 F.1",
            &["nvidia,p3768-0000+p3767-0003-super", "nvidia,p3767-0003"],
            "NVIDIA Jetson Orin NX Engineering Reference Developer Kit Super",
            Ok(("jetson-orin-nano", "Jetson Orin Nano 8GB (p3767-0003)")),
        );
        check(
            "699-13767-0000-300 G.3",
            &["nvidia,p3768-0000+p3767-0003", "nvidia,p3767-0003"],
            "",
            Err(
                "is a Jetson Orin NX 16GB (p3767-0000), but the system on it was made for a Jetson Orin Nano 8GB (p3767-0003); flash that system again for board `jetson-orin-nx`",
            ),
        );
        // The developer kit's device tree serves all modules of the board.
        check(
            "699-13701-0005-500 R.0",
            &["nvidia,p3737-0000+p3701-0000", "nvidia,tegra234"],
            "",
            Ok(("jetson-agx-orin", "Jetson AGX Orin 64GB (p3701-0005)")),
        );
    }

    #[test]
    fn what_is_not_known_is_said() {
        check("699-82888-0004-400 L.0", &[], "Jetson-AGX", Err("the module p2888-0004 is none"));
        check("", &["nvidia,p3450-0000", "nvidia,tegra210"], "Nano", Err("the module p3450-0000 is none"));
        check("", &["raspberrypi,5-model-b"], "Raspberry Pi 5", Err("calls itself \"Raspberry Pi 5\""));
        check("", &[], "", Err("name it with --board"));
    }

    #[test]
    fn a_machine_is_the_board_that_is_wanted_or_says_which_it_is() {
        let machine = Machine::of("p3767-0000".parse().unwrap()).unwrap();
        machine.is(&Board::named("jetson-orin-nx").unwrap()).unwrap();
        let error = machine.is(&Board::named("jetson-orin-nano").unwrap()).unwrap_err().to_string();
        let words =
            "a Jetson Orin NX 16GB (p3767-0000), and not a Jetson Orin Nano; use board `jetson-orin-nx`";
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn a_module_in_recovery_mode_is_known_by_its_product_number() {
        let of = |product| Machine::in_recovery(UsbProduct(product));
        let titles = |product| of(product).into_iter().map(|m| m.title).collect::<Vec<_>>();
        assert_eq!(titles(0x7323), ["Jetson Orin NX 16GB"]);
        let two = ["Jetson Orin Nano 8GB", "Jetson Orin Nano 8GB of the developer kit, with a card slot"];
        assert_eq!(titles(0x7523), two, "they differ in nothing that USB shows");
        assert!(of(0x7020).is_empty(), "a module that runs is in no recovery mode");
        // One number never leads to two boards.
        for module in Board::shipped().flat_map(|board| board.modules) {
            let Some(product) = module.recovery else { continue };
            let boards = of(product.0);
            assert!(boards.iter().all(|m| m.board.name == boards[0].board.name), "{product}");
        }
    }

    #[test]
    fn a_part_has_one_board() {
        let parts: Vec<Part> = Board::shipped().flat_map(|b| b.modules).map(|m| m.part).collect();
        for (i, part) in parts.iter().enumerate() {
            assert!(!parts[..i].contains(part), "{part} stands twice");
        }
    }

    #[test]
    fn the_traits_are_read_where_the_kernel_shows_them() {
        let root = std::env::temp_dir().join(format!("signpost-traits-{}", std::process::id()));
        assert_eq!(Traits::below(&root), Traits::default(), "nothing is there");
        let write = |path: &str, bytes: &[u8]| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        write("proc/device-tree/model", b"NVIDIA Jetson Orin NX\0");
        write(
            "proc/device-tree/compatible",
            b"nvidia,p3768-0000+p3767-0001\0nvidia,p3767-0001\0nvidia,tegra234\0",
        );
        write(EEPROM, &memory("699-13767-0001-300 A.0"));
        let found = Traits::below(&root);
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!((found.model.as_str(), found.compatible.len()), ("NVIDIA Jetson Orin NX", 3));
        assert_eq!(found.machine().unwrap().to_string(), "Jetson Orin NX 8GB (p3767-0001)");
    }
}
