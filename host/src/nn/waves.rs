//! Places told by waves.

/// Places as waves (Vaswani et al. 2017, section 3.5): `[T, D]`. The longest is 2π times `longest` places long.
pub fn waves(t: usize, d: usize, longest: f32) -> Vec<f32> {
    (0..t).flat_map(|place| wave(place, d, longest)).collect()
}

/// One place of them: `[D]`.
pub fn wave(place: usize, d: usize, longest: f32) -> impl Iterator<Item = f32> {
    (0..d).map(move |k| {
        let wave = place as f32 / longest.powf((k / 2 * 2) as f32 / d as f32);
        if k % 2 == 0 { wave.sin() } else { wave.cos() }
    })
}
