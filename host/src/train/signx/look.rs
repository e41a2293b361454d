//! Looks that videos are shown in while networks learn from them.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::signx::film::mark;

/// The most pixels that a clip is shifted by in training, of the 64 of `small`; the 24 of a depth picture are so far
/// apart.
const FARTHEST: i32 = 3;

/// How a clip is shown: light, clothes, rooms and cameras differ more than rendered ones do.
pub(super) struct Look {
    /// Which colour is shown as each.
    colours: [usize; 3],
    /// Of each colour.
    gain: [f32; 3],
    /// Of each colour, of 255.
    lift: [f32; 3],
    /// Pixels down and to the right.
    shift: [i32; 2],
}

impl Look {
    /// One look of all that there may be.
    pub(super) fn draw(rng: &mut StdRng) -> Self {
        let mut colours = [0, 1, 2];
        colours.shuffle(rng);
        Self {
            colours,
            gain: std::array::from_fn(|_| rng.random_range(0.8..1.2)),
            lift: std::array::from_fn(|_| rng.random_range(-25.0..25.0)),
            shift: std::array::from_fn(|_| rng.random_range(-FARTHEST..=FARTHEST)),
        }
    }

    /// Adds the landmarks of frames, `[T, MARKS, 3]` as films tell them, to such.
    pub(super) fn mark(&self, marks: &[f32], side: usize, into: &mut Vec<f32>) {
        let [down, right] = self.shift.map(|pixels| pixels as f32 / side as f32);
        let moved = |p: &[f32]| mark([p[0] + right, p[1] + down], p[2] > 0.0);
        into.extend(marks.chunks_exact(3).flat_map(moved));
    }

    /// Adds frames, `[T, side, side, 3]`, to such; what comes in at an edge is as the edge is.
    pub(super) fn show(&self, frames: &[u8], side: usize, into: &mut Vec<u8>) {
        let from = |at: usize, shift: i32| (at as i32 - shift).clamp(0, side as i32 - 1) as usize;
        for frame in frames.chunks_exact(side * side * 3) {
            for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
                let pixel = &frame[(from(y, self.shift[0]) * side + from(x, self.shift[1])) * 3..][..3];
                let colour = |c: usize| f32::from(pixel[self.colours[c]]) * self.gain[c] + self.lift[c];
                into.extend([0, 1, 2].map(|c| colour(c).clamp(0.0, 255.0) as u8));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_moves_the_picture_and_changes_its_colours_alike_everywhere() {
        let look =
            Look { colours: [2, 0, 1], gain: [1.0, 0.5, 1.0], lift: [0.0, 10.0, -20.0], shift: [1, -1] };
        // A frame whose rows and columns can be told.
        let side = 3;
        let frame: Vec<u8> = (0..side * side).flat_map(|i| [i as u8 * 10, 100, 200]).collect();
        let mut shown = vec![];
        look.show(&frame, side, &mut shown);
        // One down: the first row twice; one to the left: the last column twice.
        let from = [1, 2, 2, 1, 2, 2, 4, 5, 5];
        let expect = from.iter().flat_map(|i| [200, (i * 10) as u8 / 2 + 10, 80]).collect::<Vec<u8>>();
        assert_eq!(shown, expect);
        let mut marks = vec![];
        look.mark(&[0.5, 0.5, 1.0, 0.5, 0.8, 1.0, 0.5, 0.5, 0.0], 4, &mut marks);
        assert_eq!(marks, [0.25, 0.75, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], "the second left the picture");
    }
}
