//! The processors that the rig's machine may have, each with what differs from the others'.

use std::path::{Path, PathBuf};

use super::{Held, Why};

/// A processor, and the machine that is built around it.
#[derive(Debug, PartialEq, Eq)]
pub struct Processor {
    /// The unit's board.
    pub board: &'static str,
    /// As Rust calls it.
    pub name: &'static str,
    /// As Debian calls it.
    pub debian: &'static str,
    /// QEMU's program and Debian's package of it.
    pub qemu: [&'static str; 2],
    /// QEMU's machine.
    pub machine: &'static str,
    /// What QEMU pretends to have where the computer cannot run its instructions itself.
    pub emulated: &'static str,
    /// Where its kernel prints.
    pub console: &'static str,
    /// What takes symbols out of its programs.
    pub strip: &'static str,
}

/// All of them, the usual one first.
pub static PROCESSORS: [Processor; 2] = [
    Processor {
        board: "qemu-pc",
        name: "x86_64",
        debian: "amd64",
        qemu: ["qemu-system-x86_64", "qemu-system-x86"],
        machine: "q35",
        // From before AVX and FMA: QEMU computes those by software, three times as slowly as what they stand for.
        emulated: "Westmere",
        console: "ttyS0",
        strip: "strip",
    },
    Processor {
        board: "qemu-arm",
        name: "aarch64",
        debian: "arm64",
        qemu: ["qemu-system-aarch64", "qemu-system-arm"],
        machine: "virt",
        emulated: "cortex-a57",
        console: "ttyAMA0",
        strip: "aarch64-linux-gnu-strip",
    },
];

impl Processor {
    /// The one of a board.
    ///
    /// # Errors
    /// Where no machine is made for it.
    pub fn of(board: &str) -> Held<&'static Self> {
        let boards = || PROCESSORS.each_ref().map(|processor| processor.board).join(", ");
        let found = PROCESSORS.iter().find(|processor| processor.board == board);
        found.ok_or_else(|| {
            Why::Fail(format!("the rig has no machine for the board {board}; name one of {}", boards()))
        })
    }

    /// This computer's.
    ///
    /// # Errors
    /// [`Why::Skip`] where no machine is made with that.
    pub fn here() -> Held<&'static Self> {
        let skip =
            || Why::Skip(format!("the rig has no machine with a processor {}", std::env::consts::ARCH));
        PROCESSORS.iter().find(|processor| processor.is_here()).ok_or_else(skip)
    }

    /// Whether it is this computer's.
    pub fn is_here(&self) -> bool {
        self.name == std::env::consts::ARCH
    }

    /// A package of Debian for it, as apt is asked for one.
    pub fn package(&self, name: &str) -> String {
        if self.is_here() { name.to_owned() } else { format!("{name}:{}", self.debian) }
    }

    /// Where its programs lie, beside this computer's in `programs`.
    pub fn programs(&self, programs: &Path) -> PathBuf {
        let target = programs.parent().unwrap_or(programs);
        if self.is_here() {
            programs.to_owned()
        } else {
            target.join(format!("{}-unknown-linux-gnu/release", self.name))
        }
    }

    /// Where its libraries lie, where they are not this computer's.
    pub fn libraries(&self) -> [PathBuf; 2] {
        let folder = format!("{}-linux-gnu", self.name);
        [Path::new("/usr/lib").join(&folder), Path::new("/lib").join(folder)]
    }
}
