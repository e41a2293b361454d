//! Whole-system images: what RAUC is told of a board, and the files that a unit's system needs for it.
//!
//! All of it is off until somebody puts these files into a system: the unit's program neither needs nor calls RAUC.

use crate::{Board, BootChain, System};

/// What both slots are called, by the boot chain and by RAUC.
const SLOTS: [&str; 2] = ["A", "B"];

/// A file that a unit's system needs to take whole-system images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemFile {
    /// Where it lies, below the root of the unit's file system.
    pub place: &'static str,
    /// What stands in it.
    pub text: String,
    /// Whether it is a program.
    pub executable: bool,
}

/// The files of a board's system; none where the board has no slots for whole systems.
///
/// The keyring, which says whose images are trusted, is not among them: whoever signs makes it.
pub fn system_files(board: &Board) -> Vec<SystemFile> {
    let Some(system) = &board.system else { return Vec::new() };
    let file = |place, text: &str| SystemFile { place, text: text.into(), executable: false };
    let backend = match system.boot {
        BootChain::Nvbootctrl => include_str!("../rauc/nvbootctrl"),
    };
    vec![
        file("etc/rauc/system.conf", &configuration(board, system)),
        SystemFile { place: "usr/lib/signpost/rauc-boot", text: backend.into(), executable: true },
        file("etc/systemd/system/signpost-system.service", include_str!("../rauc/signpost-system.service")),
        file("etc/systemd/system/signpost-system.path", include_str!("../rauc/signpost-system.path")),
        file(
            "etc/systemd/system/signpost.service.d/system.conf",
            include_str!("../rauc/signpost.service.conf"),
        ),
    ]
}

/// The program that goes into an image, and that RAUC calls when the image was written into a slot.
pub fn slot_hook(system: &System) -> &'static str {
    match system.boot {
        BootChain::Nvbootctrl => include_str!("../rauc/slot-hook"),
    }
}

/// RAUC's `system.conf`.
fn configuration(board: &Board, system: &System) -> String {
    let slots = system.slots.iter().zip(SLOTS).enumerate().map(|(index, (device, name))| {
        format!("[slot.rootfs.{index}]\ndevice={device}\ntype=ext4\nresize=true\nbootname={name}\n")
    });
    include_str!("../rauc/system.conf")
        .replace("{board}", &board.name)
        .replace("{slots}\n", &slots.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_with_two_systems_says_so_to_rauc() {
        let board = Board::named("jetson-orin-nano").unwrap();
        let files = system_files(&board);
        let conf = &files[0].text;
        for line in [
            "compatible=jetson-orin-nano",
            "bootloader=custom",
            "bootloader-custom-backend=/usr/lib/signpost/rauc-boot",
            "device=/dev/disk/by-partlabel/APP\ntype=ext4\nresize=true\nbootname=A",
            "device=/dev/disk/by-partlabel/APP_b\ntype=ext4\nresize=true\nbootname=B",
        ] {
            assert!(conf.contains(&format!("\n{line}\n")), "{line} is not in {conf}");
        }
        assert!(!conf.contains(['{', '}']), "{conf}");
        // What is called lies where it is called.
        let programs: Vec<&str> =
            files.iter().filter(|file| file.executable).map(|file| file.place).collect();
        assert_eq!(programs, ["usr/lib/signpost/rauc-boot"]);
    }

    #[test]
    fn boards_that_have_one_system_have_nothing_for_rauc() {
        let with: Vec<String> = Board::shipped()
            .filter(|board| !system_files(board).is_empty())
            .map(|board| board.name)
            .collect();
        assert_eq!(with, ["jetson-agx-orin", "jetson-orin-nano", "jetson-orin-nx"]);
    }
}
