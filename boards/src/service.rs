//! The unit's service, as systemd starts it: with the devices that its board names, and with nothing else.

use std::path::Path;

use crate::Board;

const TEMPLATE: &str = include_str!("../systemd/signpost.service");
/// Where systemd makes a service's own folder.
const STATE: &str = "/var/lib/";
/// How long systemd waits for a sign of life where the board has no watchdog of its own. Seconds.
const WATCHDOG_S: u32 = 30;

/// The text of `signpost.service` for a board.
pub fn service(board: &Board) -> String {
    let watchdog = board.watchdog.as_ref();
    let mut devices: Vec<(String, &str)> = vec![("drm".into(), "rw"), ("input".into(), "r")];
    let others = [
        board.camera.device.as_deref(),
        board.link.as_ref().map(|link| link.port.as_str()),
        watchdog.map(|watchdog| watchdog.device.as_str()),
    ];
    devices.extend(others.into_iter().flatten().map(|device| (class(device), "rw")));
    let devices = devices.iter().map(|(class, rights)| format!("DeviceAllow=char-{class} {rights}\n"));
    // Only root may use a watchdog, until somebody else is let.
    let open = |watchdog: &crate::Watchdog| {
        let device = &watchdog.device;
        format!("ExecStartPre=+-/bin/chgrp signpost {device}\nExecStartPre=+-/bin/chmod g+rw {device}\n")
    };
    // The program itself notices what hangs in it; systemd, when all of it does.
    let timeout_s = watchdog.map_or(WATCHDOG_S, |watchdog| watchdog.stall_s);
    let root = &board.storage.root;
    TEMPLATE
        .replace("{board}", &board.name)
        .replace("{root}", root)
        .replace("{state}", root.strip_prefix(STATE).unwrap_or("signpost"))
        .replace("{watchdog}", &watchdog.map(open).unwrap_or_default())
        .replace("{watchdog_s}", &timeout_s.to_string())
        .replace("{devices}", &devices.collect::<String>())
}

/// What the kernel calls a device's driver in `/proc/devices`: its name without the number, but for cameras.
fn class(device: &str) -> String {
    let name = Path::new(device).file_name().unwrap_or_default().to_string_lossy();
    match name.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "video" => "video4linux".into(),
        class => class.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_has_the_devices_of_its_board_and_no_others() {
        let devices = |name: &str| -> Vec<String> {
            let text = service(&Board::named(name).unwrap());
            text.lines().filter_map(|line| line.strip_prefix("DeviceAllow=")).map(str::to_owned).collect()
        };
        assert_eq!(devices("desk"), ["char-drm rw", "char-input r"]);
        let nano =
            ["char-drm rw", "char-input r", "char-video4linux rw", "char-ttyGS rw", "char-watchdog rw"];
        assert_eq!(devices("jetson-orin-nano"), nano);
        assert_eq!(devices("qemu"), ["char-drm rw", "char-input r", "char-hvc rw"]);
    }

    #[test]
    fn every_board_has_a_whole_service() {
        for board in Board::shipped() {
            let text = service(&board);
            assert!(!text.contains(['{', '}']), "{text}");
            assert!(text.contains(&format!("kiosk --board {} --root {}", board.name, board.storage.root)));
            assert!(text.contains("\nStateDirectory=signpost\n"), "{text}");
            assert_eq!(text.contains("chgrp"), board.watchdog.is_some());
        }
    }
}
