//! Frames that people looked at: what is drawn stays as it was.

use std::path::Path;

use super::{Canvas, present};

/// Compares with `edge/assets/golden/NAME.png`; `SIGNPOST_BLESS=1` writes it anew.
#[track_caller]
pub fn check(name: &str, canvas: &Canvas) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("assets/golden/{name}.png"));
    if std::env::var_os("SIGNPOST_BLESS").is_some() {
        present::write_png(&path, canvas).unwrap();
    }
    let golden = image::open(&path).unwrap().into_rgba8();
    assert_eq!((golden.width(), golden.height()), (canvas.width(), canvas.height()));
    // Rounding differs between processors: single steps are let go, a line out of place is not.
    let differ = golden.chunks(4).zip(canvas.rgba().chunks(4));
    let differ = differ.filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > 16)).count();
    assert!(differ <= 40, "{differ} pixels differ from {}", path.display());
}
