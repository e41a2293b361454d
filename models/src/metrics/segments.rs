//! Who says when a sign, or a sentence, begins and ends: measures of the sign-language-processing
//! project's `segmentation` (Moryossef et al. 2023, and its version of 2026), on frames.

use super::share;

/// What a frame is: before or between segments, the first of one, or within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bio {
    /// In no segment.
    Outside,
    /// The first frame of a segment.
    Begin,
    /// A later frame of a segment.
    Inside,
}

/// The frames of segments in time, as that project's `create_bio` makes them.
///
/// # Shapes
/// - `segments`: start and end of each in milliseconds, in the order in which they are laid down
/// - returns: `[T]`; a segment covers ⌊start⌋ to ⌈end⌉ in frames, both included, and no frame past the last
pub fn frames(segments: &[(u32, u32)], count: usize, fps: f64) -> Vec<Bio> {
    let mut frames = vec![Bio::Outside; count];
    let Some(last) = count.checked_sub(1) else { return frames };
    for &(start_ms, end_ms) in segments {
        let start = (f64::from(start_ms) * fps / 1000.0).floor().min(last as f64) as usize;
        let end = (f64::from(end_ms) * fps / 1000.0).ceil().min(last as f64) as usize;
        frames[start] = Bio::Begin;
        if start < end {
            frames[start + 1..=end].fill(Bio::Inside);
        }
    }
    frames
}

/// How many frames it takes to hold all segments.
pub fn frames_needed(segments: &[(u32, u32)], fps: f64) -> usize {
    let ends = segments.iter().map(|(_, end)| (f64::from(*end) * fps / 1000.0).ceil() as usize + 1);
    ends.max().unwrap_or(0)
}

/// Segments that frames show: each begins where one begins.
pub fn count(frames: &[Bio]) -> usize {
    frames.iter().filter(|f| **f == Bio::Begin).count()
}

/// Frame F1: the mean over "outside", "begin" and "inside", as far as either side has them, of each one's F1
/// (scikit-learn's macro average). 0 without frames.
///
/// # Shapes
/// - `hypothesis`, `reference`: `[T]`
pub fn frame_f1(hypothesis: &[Bio], reference: &[Bio]) -> f64 {
    let (mut sum, mut kinds) = (0.0, 0_usize);
    for kind in [Bio::Outside, Bio::Begin, Bio::Inside] {
        let of = |frames: &[Bio]| frames.iter().filter(|f| **f == kind).count();
        let both = hypothesis.iter().zip(reference).filter(|(h, r)| **h == kind && h == r).count();
        let either = of(hypothesis) + of(reference);
        if either > 0 {
            sum += 2.0 * both as f64 / either as f64;
            kinds += 1;
        }
    }
    sum / kinds.max(1) as f64
}

/// Intersection over union of the frames that lie in any segment; 1 where neither side has one.
///
/// # Shapes
/// - `hypothesis`, `reference`: `[T]`
pub fn iou(hypothesis: &[Bio], reference: &[Bio]) -> f64 {
    let within = |f: &Bio| *f != Bio::Outside;
    let pairs = || hypothesis.iter().zip(reference).map(|(h, r)| (within(h), within(r)));
    let either = pairs().filter(|(h, r)| *h || *r).count();
    if either == 0 { 1.0 } else { share(pairs().filter(|(h, r)| *h && *r).count(), either) }
}

/// Segments found over segments there are; where there are none it is their number, and 1 where none were found.
pub fn percentage(hypothesis: usize, reference: usize) -> f64 {
    match (hypothesis, reference) {
        (0, 0) => 1.0,
        (found, 0) => found as f64,
        (found, there) => share(found, there),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(frames: &[Bio]) -> String {
        frames.iter().map(|f| ['O', 'B', 'I'][*f as usize]).collect()
    }

    #[track_caller]
    fn check(segments: &[(u32, u32)], expect: &str) {
        let frames = frames(segments, expect.len(), 25.0);
        assert_eq!(letters(&frames), expect, "{segments:?}");
    }

    #[test]
    fn segments_become_frames() {
        check(&[], "OOO");
        check(&[(40, 80), (160, 200)], "OBIOBIOO");
        check(&[(41, 81)], "OBIIO");
        check(&[(40, 40)], "OBO");
        // The next sign begins in the frame in which one ends.
        check(&[(0, 80), (80, 120)], "BIBIO");
        check(&[(80, 4_000_000_000), (4_000_000_000, u32::MAX)], "OOBIB");
        check(&[(0, 80)], "");
        assert_eq!(frames_needed(&[(0, 81), (0, 40)], 25.0), 4);
        assert_eq!(frames_needed(&[], 25.0), 0);
    }

    #[test]
    fn measures_of_easy_cases() {
        let read = |text: &str| -> Vec<Bio> {
            text.chars().map(|c| [Bio::Outside, Bio::Begin, Bio::Inside]["OBI".find(c).unwrap()]).collect()
        };
        let (a, b) = (read("OBIIO"), read("OBIOO"));
        assert_eq!((frame_f1(&a, &a), iou(&a, &a)), (1.0, 1.0));
        assert!((iou(&a, &b) - 2.0 / 3.0).abs() < 1e-12);
        // O: 2·2/5, B: 1, I: 2·1/3.
        assert!((frame_f1(&a, &b) - (0.8 + 1.0 + 2.0 / 3.0) / 3.0).abs() < 1e-12);
        assert_eq!((count(&a), percentage(0, 0), percentage(2, 0), percentage(1, 2)), (1, 1.0, 2.0, 0.5));
        assert_eq!((frame_f1(&[], &[]), iou(&[], &[])), (0.0, 1.0));
    }
}
