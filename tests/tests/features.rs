//! `hands-v1` as an independent implementation computes it: see `parity/hands_v1/make.py`.

use models::features::{Picture, Sight, Version};
use serde::Deserialize;

/// The largest difference that single precision explains.
const ROUNDING: f32 = 1e-3;

/// The fixture.
#[derive(Deserialize)]
struct Expected {
    fps: f64,
    picture: Where,
    /// `[T][2]` hands of 63 numbers, where they were found.
    hands: Vec<[Option<Vec<f32>>; 2]>,
    shape: [usize; 2],
    every: usize,
    features: Vec<f32>,
}

#[derive(Deserialize)]
struct Where {
    middle: [f32; 2],
    height: f32,
}

#[test]
fn hands_v1_is_what_an_independent_implementation_computes() {
    let expected: Expected =
        serde_json::from_str(include_str!("../parity/hands_v1/expected.json")).expect("the fixture is whole");
    let window: Vec<_> = (0..)
        .zip(&expected.hands)
        .map(|(i, hands)| {
            let mut sight = Sight::unseen(f64::from(i) / expected.fps);
            let Where { middle, height } = expected.picture;
            sight.picture = Some(Picture { middle, height });
            for (slot, hand) in hands.iter().enumerate() {
                let Some(hand) = hand else { continue };
                sight.hand_seen[slot] = true;
                sight.hands[slot].as_flattened_mut().copy_from_slice(hand);
            }
            sight
        })
        .collect();
    let version = Version::HandsV1;
    assert_eq!([version.frames(), version.width()], expected.shape);
    let mut out = vec![0.0; version.frames() * version.width()];
    assert!(version.compute(&window, &mut out), "hands are seen");
    for (n, (got, expect)) in out.iter().step_by(expected.every).zip(&expected.features).enumerate() {
        let (step, value) = (n * expected.every / version.width(), n * expected.every % version.width());
        assert!((got - expect).abs() < ROUNDING, "step {step}, value {value}: {got}, not {expect}");
    }
}
