//! Whether the camera gives pictures. None of them is kept.

use std::time::{Duration, Instant};

use boards::Board;

use super::paper::{Found, rounded};
use crate::camera::{self, Event};

/// So many frames are taken: more than a driver holds from before.
const FRAMES: u32 = 30;
/// A camera that has given nothing for so long gives nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes some frames.
pub fn check(source: Option<&str>, board: &Board) -> Found {
    let Some(source) = source.or(board.camera.device.as_deref()) else {
        return Found::not_present("this board names no camera; name one with --source to have it tried");
    };
    let mut camera = match camera::open(source, &board.camera) {
        Ok(camera) => camera,
        Err(fault) => return Found::failed(fault.to_string()),
    };
    let [width, height] = camera.size();
    let begun = Instant::now();
    let (mut frames, mut lit) = (0, false);
    let figures = |found: Found, frames: u32| {
        let rate = f64::from(frames) / begun.elapsed().as_secs_f64().max(1e-6);
        let found = found.with("width_px", width).with("height_px", height).with("frames", frames);
        found.with("rate_hz", rounded(rate))
    };
    while frames < FRAMES && begun.elapsed() < PATIENCE {
        match camera.event() {
            Ok(Some(Event::Frame(frame))) => {
                frames += 1;
                // A cap on the lens, or a sensor that is dead, gives one value everywhere.
                lit |= frame.rgb.iter().any(|value| value.abs_diff(frame.rgb[0]) > 2);
            }
            Ok(Some(Event::Lost { why, .. })) => return figures(Found::failed(why), frames),
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(fault) => return figures(Found::failed(fault.to_string()), frames),
        }
    }
    if frames == 0 {
        let said = format!("{source} gave no picture in {} s", PATIENCE.as_secs());
        return figures(Found::failed(format!("{said}; plug the camera out and in")), frames);
    }
    if !lit {
        let next = "take the cap off its lens, and have it replaced if it stays dark";
        return figures(Found::failed(format!("all pictures of {source} are of one colour; {next}")), frames);
    }
    figures(Found::passed(format!("{source} gives pictures of {width}×{height}")), frames)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::selftest::paper::Outcome;

    #[track_caller]
    fn check(shade: fn(u32) -> u8, expect: (Outcome, &str)) {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("pictures");
        std::fs::create_dir(&source).unwrap();
        for name in ["0.png", "1.png"] {
            let picture = image::RgbImage::from_fn(64, 48, |x, _| image::Rgb([shade(x); 3]));
            picture.save(source.join(name)).unwrap();
        }
        let board = Board::named("desk").unwrap();
        let found = super::check(source.to_str(), &board);
        assert!((found.outcome, found.said.contains(expect.1)) == (expect.0, true), "{}", found.said);
        assert_eq!((&found.figures["frames"], &found.figures["width_px"]), (&2.into(), &64.into()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no picture is kept");
    }

    #[test]
    fn a_camera_that_sees_passes_and_a_dark_one_does_not() {
        check(|x| x as u8, (Outcome::Passed, "gives pictures of 64×48"));
        check(|_| 16, (Outcome::Failed, "are of one colour; take the cap off its lens"));
    }

    #[test]
    fn a_camera_that_is_not_there_fails_where_the_board_names_one() {
        let mut board = Board::named("desk").unwrap();
        assert_eq!(super::check(None, &board).outcome, Outcome::NotPresent);
        board.camera.device = Some("/dev/video-none".into());
        let found = super::check(None, &board);
        assert!(found.outcome == Outcome::Failed && found.said.contains("/dev/video-none"), "{}", found.said);
    }
}
