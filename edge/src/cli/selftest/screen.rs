//! Whether a picture can be drawn for the screen, given away, and read back as it was.

use boards::Board;
use image::RgbImage;

use super::paper::Found;
use crate::screen::present::write_png;
use crate::screen::{Caption, Picture, Screen, State, Theme};

/// A caption in the scripts that captions are written in.
const WORDS: &str = "Signpost 0123456789 ÄÖÜß";

/// Draws a caption over a test picture, writes it as a PNG, and reads that back.
pub fn check(board: &Board) -> Found {
    let (width, height) = (board.screen.width_px, board.screen.height_px);
    let mut screen = Screen::new(width, height, Theme::DARK);
    let bars: Vec<u8> = (0..64u32 * 48).flat_map(|at| [at as u8, (at >> 3) as u8, (at >> 6) as u8]).collect();
    let mut draw = |words: &str| {
        let picture = Picture { rgb: &bars, width: 64, height: 48 };
        screen.reading(picture, None, &Caption::plain(words), State::Ready);
        screen.canvas().clone()
    };
    let (blank, canvas) = (draw(""), draw(WORDS));
    if blank.rgba() == canvas.rgba() {
        return Found::failed("no letter of a caption was drawn; install the program again");
    }
    // Into memory's file system or the disk's, whichever the system keeps for what is short-lived.
    let folder = std::env::temp_dir().join(format!("signpost-selftest-{}", std::process::id()));
    let path = folder.join("screen.png");
    let read = std::fs::create_dir_all(&folder).map_err(|e| e.to_string()).and_then(|()| {
        write_png(&path, &canvas).map_err(|e| e.to_string())?;
        image::open(&path).map(|picture| picture.to_rgb8()).map_err(|e| e.to_string())
    });
    // It shows nobody; where it cannot be removed the system does.
    let _ = std::fs::remove_dir_all(&folder);
    match read {
        Err(said) => Found::failed(format!("{} cannot be used ({said}); free some space", folder.display())),
        Ok(picture) if same(&picture, canvas.rgba()) => {
            let said = format!("a picture of {width}×{height} with a caption was drawn and read back");
            Found::passed(said).with("width_px", width).with("height_px", height)
        }
        Ok(_) => Found::failed("the picture reads otherwise than it was drawn; have the board replaced"),
    }
}

fn same(picture: &RgbImage, rgba: &[u8]) -> bool {
    picture.as_raw().chunks_exact(3).eq(rgba.chunks_exact(4).map(|pixel| &pixel[..3]))
}
