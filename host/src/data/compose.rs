//! New signs out of recorded ones: another handshape on the same path, or the same sign backwards.
//!
//! A sign is told by handshape, place and movement (Stokoe 1960), and these combine freely. An
//! embedding that must tell signs apart which nobody recorded learns more from many made-up
//! combinations of a few recorded parts than from the few recorded signs.

use models::features::Sight;

/// The path, place and body of one clip with the hand of another, which opens and turns as it did there.
///
/// Both hands take the shape, mirrored where it was recorded of the other hand. `None` where a clip
/// shows no hand.
pub fn compose(path: &[Sight], shape: &[Sight]) -> Option<Vec<Sight>> {
    let side = signing_side(shape)?;
    let shown: Vec<_> = shape.iter().filter(|s| s.hand_size(side).is_some()).collect();
    let (from_size, to_sizes) = (mean_size(shape, side)?, [mean_size(path, 0), mean_size(path, 1)]);
    signing_side(path)?;
    let mut out = path.to_vec();
    let last = out.len().max(2) - 1;
    for (i, sight) in out.iter_mut().enumerate() {
        let signed = shown[i * (shown.len() - 1) / last];
        for (to, to_size) in to_sizes.into_iter().enumerate() {
            let (true, Some(to_size)) = (sight.hand_seen[to], to_size) else { continue };
            let mirrored;
            let hand = if to == side {
                &signed.hands[side]
            } else {
                mirrored = signed.mirrored();
                &mirrored.hands[to]
            };
            let (wrist, by) = (sight.hands[to][0], to_size / from_size);
            for (p, q) in sight.hands[to].iter_mut().zip(hand) {
                *p = [0, 1, 2].map(|c| wrist[c] + (q[c] - hand[0][c]) * by);
            }
        }
    }
    Some(out)
}

/// The clip backwards, in the same time.
pub fn reversed(clip: &[Sight]) -> Vec<Sight> {
    let ends = clip.first().map_or(0.0, |s| s.at_s) + clip.last().map_or(0.0, |s| s.at_s);
    clip.iter().rev().map(|s| Sight { at_s: ends - s.at_s, ..*s }).collect()
}

/// The hand that is seen in more frames; `None` where none is.
fn signing_side(clip: &[Sight]) -> Option<usize> {
    let [left, right] = [0, 1].map(|side| clip.iter().filter(|s| s.hand_size(side).is_some()).count());
    (left + right > 0).then(|| usize::from(right >= left))
}

fn mean_size(clip: &[Sight], side: usize) -> Option<f32> {
    let sizes: Vec<_> = clip.iter().filter_map(|s| s.hand_size(side)).collect();
    (!sizes.is_empty()).then(|| sizes.iter().sum::<f32>() / sizes.len() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hand of the side and size given that goes to the right, its fingers spread by `spread`.
    fn clip(side: usize, size: f32, spread: f32) -> Vec<Sight> {
        (0..10_u8)
            .map(|i| {
                let mut s = Sight::unseen(f64::from(i) / 20.0);
                s.hand_seen[side] = true;
                for (k, p) in s.hands[side].iter_mut().enumerate() {
                    let along = if k == 0 { 0.0 } else { size };
                    *p = [f32::from(i) * 5.0 + spread * k as f32, -along, 0.0];
                }
                s
            })
            .collect()
    }

    #[test]
    fn the_path_stays_and_the_shape_is_the_others() {
        let (path, shape) = (clip(1, 100.0, 0.0), clip(1, 50.0, 1.0));
        let made = compose(&path, &shape).unwrap();
        for (made, path) in made.iter().zip(&path) {
            assert_eq!(
                (made.at_s, made.hand_seen, made.hands[1][0]),
                (path.at_s, path.hand_seen, path.hands[1][0])
            );
        }
        let spread = |s: &Sight| s.hands[1][20][0] - s.hands[1][0][0];
        assert!(spread(&made[3]) > 30.0, "twenty pixels of a hand half as large: {}", spread(&made[3]));
        // From the other hand: the fingers spread to the other side.
        let other = compose(&path, &clip(0, 50.0, 1.0)).unwrap();
        assert!((spread(&other[3]) + spread(&made[3])).abs() < 1e-3, "{}", spread(&other[3]));
        assert_eq!(compose(&path, &[Sight::unseen(0.0)]), None);
        assert_eq!(compose(&[], &shape), None);
    }

    #[test]
    fn backwards_twice_is_forwards() {
        let clip = clip(1, 50.0, 1.0);
        let back = reversed(&clip);
        assert_eq!((back[0].hands, back[0].at_s), (clip[9].hands, 0.0));
        let twice = reversed(&back);
        assert!(twice.iter().zip(&clip).all(|(a, b)| a.hands == b.hands && (a.at_s - b.at_s).abs() < 1e-9));
    }
}
