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
