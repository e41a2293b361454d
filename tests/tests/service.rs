//! The unit's service, judged by systemd itself.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::process::Command;

use boards::Board;
use tests::skip;

/// The exposure that is let, of 10.
const MOST: f64 = 2.5;

/// What `systemd-analyze security` says about the service of every board; it stands in the README.
#[test]
fn a_service_is_exposed_less_than_is_let() {
    let test = "a_service_is_exposed_less_than_is_let";
    let folder = tempfile::tempdir().unwrap();
    for board in Board::shipped() {
        let path = folder.path().join("signpost.service");
        std::fs::write(&path, boards::service(&board)).unwrap();
        let analyze = |command: &[&str]| Command::new("systemd-analyze").args(command).arg(&path).output();
        let Ok(judged) = analyze(&["security", "--offline=true", "--no-pager"]) else {
            return skip(test, "no systemd-analyze (install systemd)");
        };
        let said = String::from_utf8_lossy(&judged.stdout).into_owned();
        let level = said.lines().find_map(|line| line.split_once("exposure level for signpost.service: "));
        let Some((_, level)) = level else {
            return skip(test, "this systemd-analyze judges no files (version 250 does)");
        };
        let exposure: f64 = level.split(' ').next().unwrap().parse().unwrap();
        eprintln!("{}: {exposure}", board.name);
        assert!(exposure < MOST, "{}: {exposure}", board.name);
        // What it does not understand it would pass over.
        let said = String::from_utf8_lossy(&judged.stderr).into_owned();
        assert!(!said.contains("Unknown") && !said.contains("Failed to parse"), "{said}");
    }
}

/// Any other place would be a folder, which pictures are put into.
#[test]
fn every_service_shows_on_the_units_own_screen() {
    let show = format!(" --show {} ", edge::screen::present::SCREEN);
    for board in Board::shipped() {
        assert!(boards::service(&board).contains(&show), "{}", board.name);
    }
}

/// With what stands around RAUC on a unit that takes whole systems.
#[test]
fn what_confirms_a_system_is_understood_by_systemd() {
    let test = "what_confirms_a_system_is_understood_by_systemd";
    let board = Board::named("jetson-orin-nano").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut units = vec![folder.path().join("signpost.service")];
    std::fs::write(&units[0], boards::service(&board)).unwrap();
    for file in boards::system_files(&board) {
        let Some(name) = file.place.strip_prefix("etc/systemd/system/") else { continue };
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &file.text).unwrap();
        // What is added to a unit is read with it.
        units.extend((!name.contains('/')).then_some(path));
    }
    let mut verify = Command::new("systemd-analyze");
    let Ok(judged) = verify.args(["verify", "--man=no"]).args(&units).output() else {
        return skip(test, "no systemd-analyze (install systemd)");
    };
    // That programs are not installed here is no fault of theirs.
    let said = String::from_utf8_lossy(&judged.stderr).into_owned();
    let ours = |line: &&str| line.contains("signpost") && !line.contains("not executable");
    assert_eq!(said.lines().filter(ours).collect::<Vec<_>>(), Vec::<&str>::new());
}
