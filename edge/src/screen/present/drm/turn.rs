//! How a picture comes onto a display that hangs turned, or has another size.

/// How far the picture is turned, clockwise, to stand upright on the display as it hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The display stands as it was made to.
    None,
    /// By a quarter.
    Quarter,
    /// Upside down.
    Half,
    /// By three quarters.
    ThreeQuarters,
}

impl Turn {
    /// By so many degrees; a board file has 0, 90, 180 or 270.
    pub fn of(degrees: u32) -> Self {
        match degrees {
            90 => Self::Quarter,
            180 => Self::Half,
            270 => Self::ThreeQuarters,
            _ => Self::None,
        }
    }

    /// Whether width becomes height.
    fn on_its_side(self) -> bool {
        matches!(self, Self::Quarter | Self::ThreeQuarters)
    }

    /// Width and height on the display of a picture.
    pub fn size(self, [width, height]: [u32; 2]) -> [u32; 2] {
        if self.on_its_side() { [height, width] } else { [width, height] }
    }

    /// Where in the picture a place of the display lies; both from 0 to 1, from the left and from above.
    pub fn back(self, [x, y]: [f32; 2]) -> [f32; 2] {
        match self {
            Self::None => [x, y],
            Self::Quarter => [y, 1.0 - x],
            Self::Half => [1.0 - x, 1.0 - y],
            Self::ThreeQuarters => [1.0 - y, x],
        }
    }

    /// Copies a picture onto a display: turned, as large as it fits whole, in the middle.
    ///
    /// # Shapes
    /// - `rgba`: `[height × width × 4]` of the picture, opaque
    /// - `to`: rows of `pitch` bytes; each pixel B, G, R and a byte that nobody looks at
    pub fn copy(self, rgba: &[u8], picture: [u32; 2], to: &mut [u8], display: [u32; 2], pitch: usize) {
        let [width, height] = self.size(picture);
        let (across, down) = fit([width, height], display);
        let row_bytes = 4 * picture[0] as usize;
        let flip = |at: u32, side: u32| (side - 1 - at) as usize;
        for (row, y) in to.chunks_exact_mut(pitch).zip(&down) {
            for (pixel, x) in row.chunks_exact_mut(4).zip(&across) {
                let (Some(x), Some(y)) = (*x, *y) else {
                    pixel.copy_from_slice(&[0; 4]);
                    continue;
                };
                let [px, py] = match self {
                    Self::None => [x as usize, y as usize],
                    Self::Quarter => [y as usize, flip(x, width)],
                    Self::Half => [flip(x, width), flip(y, height)],
                    Self::ThreeQuarters => [flip(y, height), x as usize],
                };
                let from = &rgba[py * row_bytes + 4 * px..][..4];
                pixel.copy_from_slice(&[from[2], from[1], from[0], 255]);
            }
        }
    }
}

/// For each column and each row of a display, which one of a picture is seen there; none beside it.
fn fit(picture: [u32; 2], display: [u32; 2]) -> (Vec<Option<u32>>, Vec<Option<u32>>) {
    // As wide as the display, or as high: whichever is smaller.
    let [w, h] = picture.map(u64::from);
    let [dw, dh] = display.map(u64::from);
    let wide = dw * h <= dh * w;
    let shown = if wide { [dw, (h * dw / w).max(1)] } else { [(w * dh / h).max(1), dh] };
    let line = |side: u64, shown: u64, on: u64| {
        let before = (on - shown.min(on)) / 2;
        let place = move |at: u64| {
            let at = at.checked_sub(before).filter(|at| *at < shown)?;
            u32::try_from(at * side / shown).ok()
        };
        (0..on).map(place).collect()
    };
    (line(w, shown[0], dw), line(h, shown[1], dh))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The letters of a picture's rows as they stand on a display, a point where it is black.
    #[track_caller]
    fn check(turn: Turn, picture: &[&str], display: [u32; 2], expect: &[&str]) {
        let size = [picture[0].len() as u32, picture.len() as u32];
        let rgba: Vec<u8> = picture.concat().bytes().flat_map(|b| [b, b + 1, b + 2, 255]).collect();
        // A row is a little longer than its pixels, as the kernel may make it.
        let pitch = 4 * display[0] as usize + 8;
        let mut to = vec![7; pitch * display[1] as usize];
        turn.copy(&rgba, size, &mut to, display, pitch);
        let rows: Vec<String> = to
            .chunks_exact(pitch)
            .map(|row| {
                assert_eq!(row[pitch - 8..], [7; 8], "nothing is written behind a row");
                let pixels = row[..pitch - 8].chunks_exact(4);
                pixels
                    .map(|p| {
                        if p[2] == 0 {
                            '.'
                        } else {
                            assert_eq!(p[0], p[2] + 2);
                            p[2] as char
                        }
                    })
                    .collect()
            })
            .collect();
        assert_eq!(rows, expect);
    }

    #[test]
    fn a_picture_stands_upright_however_the_display_hangs() {
        let picture = ["abc", "def"];
        check(Turn::None, &picture, [3, 2], &["abc", "def"]);
        check(Turn::Quarter, &picture, [2, 3], &["da", "eb", "fc"]);
        check(Turn::Half, &picture, [3, 2], &["fed", "cba"]);
        check(Turn::ThreeQuarters, &picture, [2, 3], &["cf", "be", "ad"]);
    }

    #[test]
    fn another_size_is_filled_as_far_as_the_picture_stays_whole() {
        check(Turn::None, &["ab", "cd"], [4, 4], &["aabb", "aabb", "ccdd", "ccdd"]);
        check(Turn::None, &["ab", "cd"], [4, 2], &[".ab.", ".cd."]);
        check(Turn::None, &["ab", "cd"], [2, 4], &["..", "ab", "cd", ".."]);
        check(Turn::None, &["abcd", "efgh"], [2, 1], &["ac"]);
        check(Turn::Quarter, &["ab", "cd"], [4, 2], &[".ca.", ".db."]);
    }

    #[test]
    fn a_touch_lies_where_the_picture_was_copied_from() {
        let picture = [8u32, 6];
        for (degrees, turn) in
            [(0, Turn::None), (90, Turn::Quarter), (180, Turn::Half), (270, Turn::ThreeQuarters)]
        {
            assert_eq!(Turn::of(degrees), turn);
            let display = turn.size(picture);
            let rgba: Vec<u8> = (0..48).flat_map(|i| [i, 0, 0, 255]).collect();
            let mut to = vec![0; 4 * 48];
            turn.copy(&rgba, picture, &mut to, display, 4 * display[0] as usize);
            for (at, pixel) in to.chunks_exact(4).enumerate() {
                let [x, y] = [at as u32 % display[0], at as u32 / display[0]];
                let middle = [x, y].map(|v| v as f32 + 0.5);
                let [px, py] = turn.back([middle[0] / display[0] as f32, middle[1] / display[1] as f32]);
                let found = (py * 6.0) as u32 * 8 + (px * 8.0) as u32;
                assert_eq!(u32::from(pixel[2]), found, "{turn:?} at {x}, {y}");
            }
        }
    }
}
