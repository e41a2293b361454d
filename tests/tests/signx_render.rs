//! A signer of our own: fitted to recorded signing, and rendered into five tracks that belong together.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use host::body::fit::{FitError, fit};
use models::pose_file::read_track;

/// Fits clips of people, and gives the mean error of each.
#[track_caller]
fn errors(clips: &[std::path::PathBuf]) -> Vec<(String, FitError)> {
    clips
        .iter()
        .map(|path| {
            let started = std::time::Instant::now();
            let track = read_track(path).unwrap();
            let frames = track.frames.len();
            let fitted = fit(&track).unwrap();
            let took = started.elapsed().as_secs_f64();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            eprintln!("{name}: {frames} frames {took:.2} s, {:?}", fitted.error);
            (name, fitted.error)
        })
        .collect()
}

#[test]
fn recorded_signing_is_fitted() {
    let Some(data) = tests::data("recorded_signing_is_fitted") else { return };
    let clips: Vec<_> = [
        "dgs_fluent/assets/sample_dataset/train/train_1_original.pose",
        "dgs_fluent/assets/sample_dataset/train/train_4_original.pose",
        "dgs_fluent/assets/sample_dataset/train/train_9_original.pose",
        "lexicon_sgg/assets/dummy_lexicon/sgg/pizza.pose",
        "pose_evaluation/pose_evaluation/utils/test/test_data/mediapipe/standard_landmarks/colin-1-HOUSE.pose",
        "segmentation/sign_language_segmentation/tests/example.pose",
    ]
    .iter()
    .map(|name| data.join("poses").join(name))
    .collect();
    for (name, error) in errors(&clips) {
        assert!(error.body < 10.0, "{name}: {error:?}");
        assert!(error.hands < 8.0, "{name}: {error:?}");
    }
}
