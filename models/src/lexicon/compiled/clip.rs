//! A clip of the standard signer as bytes.

use std::sync::Arc;

use half::f16;

use crate::playback::{Frame, HEAD_POINTS, Hand, Point};

/// Bits of the parts that a clip has.
const HANDS: [u8; 2] = [1, 2];
const FACE: u8 = 4;
/// Landmarks of MediaPipe's face mesh with irises.
const FACE_POINTS: usize = 478;
/// Numbers of what every clip has: head, elbows and wrists.
const BODY: usize = 3 * (HEAD_POINTS + 4);
const HAND: usize = 3 * 21;
/// The longest clip, in frames: more than five minutes at 200 frames a second.
const LONGEST: usize = u16::MAX as usize;
/// How hard it is packed: this is done once, on a workstation.
const LEVEL: i32 = 19;

/// Packs a clip; none where it is empty or too long.
pub fn pack(frames: &[Frame]) -> Option<Vec<u8>> {
    if frames.is_empty() || frames.len() > LONGEST {
        return None;
    }
    let mut parts = 0;
    for (side, bit) in HANDS.into_iter().enumerate() {
        parts |= if frames.iter().any(|f| f.hands[side].is_some()) { bit } else { 0 };
    }
    parts |= if frames.iter().any(|f| f.face.iter().any(Option::is_some)) { FACE } else { 0 };
    let rows: Vec<Vec<u16>> = frames.iter().map(|frame| numbers(frame, parts)).collect();
    let (t, channels) = (rows.len(), width(parts));
    let mut bytes = vec![0; 2 * t * channels];
    let (low, high) = bytes.split_at_mut(t * channels);
    for channel in 0..channels {
        let mut before = 0;
        for (i, row) in rows.iter().enumerate() {
            let [l, h] = row[channel].wrapping_sub(before).to_le_bytes();
            (low[channel * t + i], high[channel * t + i]) = (l, h);
            before = row[channel];
        }
    }
    let packed = zstd::bulk::compress(&bytes, LEVEL).ok()?;
    Some([&(t as u16).to_le_bytes()[..], &[parts], &packed].concat())
}

/// Unpacks a clip; none where the bytes are none.
pub fn unpack(bytes: &[u8]) -> Option<Vec<Frame>> {
    let (head, packed) = bytes.split_at_checked(3)?;
    let (t, parts) = (usize::from(u16::from_le_bytes([head[0], head[1]])), head[2]);
    if t == 0 || parts > 7 {
        return None;
    }
    let channels = width(parts);
    let bytes = zstd::bulk::decompress(packed, 2 * t * channels).ok()?;
    if bytes.len() != 2 * t * channels {
        return None;
    }
    let (low, high) = bytes.split_at(t * channels);
    let mut before = vec![0_u16; channels];
    let frames = (0..t).map(|i| {
        for (channel, value) in before.iter_mut().enumerate() {
            let place = channel * t + i;
            *value = value.wrapping_add(u16::from_le_bytes([low[place], high[place]]));
        }
        frame(&before, parts)
    });
    frames.collect()
}

/// Numbers of a frame.
fn width(parts: u8) -> usize {
    let hands = HANDS.iter().filter(|bit| parts & **bit != 0).count();
    BODY + hands * HAND + if parts & FACE != 0 { 3 * FACE_POINTS } else { 0 }
}

/// A frame's numbers, as the bits of 16-bit floats.
fn numbers(frame: &Frame, parts: u8) -> Vec<u16> {
    let mut out = Vec::with_capacity(width(parts));
    let mut put =
        |p: Option<Point>| out.extend(p.unwrap_or([f32::NAN; 3]).map(|v| f16::from_f32(v).to_bits()));
    let body = frame.head.iter().chain(&frame.elbows).chain(&frame.wrists);
    body.for_each(|p| put(Some(*p)));
    for (side, bit) in HANDS.into_iter().enumerate() {
        if parts & bit != 0 {
            (0..21).for_each(|k| put(frame.hands[side].map(|hand| hand[k])));
        }
    }
    if parts & FACE != 0 {
        (0..FACE_POINTS).for_each(|k| put(frame.face.get(k).copied().flatten()));
    }
    out
}

/// The frame of such numbers; none where a number of the body is none.
fn frame(numbers: &[u16], parts: u8) -> Option<Frame> {
    let mut points = numbers.chunks_exact(3).map(|c| [0, 1, 2].map(|i| f16::from_bits(c[i]).to_f32()));
    let mut body = || points.next().filter(|p| p.iter().all(|v| v.is_finite()));
    let mut frame = Frame::rest();
    for slot in frame.head.iter_mut().chain(&mut frame.elbows).chain(&mut frame.wrists) {
        *slot = body()?;
    }
    let seen = |p: Point| p.iter().all(|v| v.is_finite()).then_some(p);
    for (side, bit) in HANDS.into_iter().enumerate() {
        if parts & bit != 0 {
            let all: Vec<Option<Point>> = points.by_ref().take(21).map(seen).collect();
            // A hand is seen whole or not at all.
            let hand: Option<Vec<Point>> = all.into_iter().collect();
            frame.hands[side] = hand.and_then(|hand| Hand::try_from(hand).ok());
        }
    }
    if parts & FACE != 0 {
        let face: Vec<Option<Point>> = points.map(seen).collect();
        if face.iter().any(Option::is_some) {
            frame.face = Arc::new(face);
        }
    }
    Some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a 16-bit float makes of a number below two.
    const ROUNDING: f32 = 1.0 / 1024.0;

    fn clip() -> Vec<Frame> {
        let frame = |t: usize| {
            let mut frame = Frame::rest();
            let at = t as f32 / 20.0;
            if (3..12).contains(&t) {
                frame.hands[1] = Some(std::array::from_fn(|k| [k as f32 / 40.0 - at, at, -at / 3.0]));
                frame.wrists[1] = [-at, at, -at / 3.0];
            }
            if t > 5 {
                let face = (0..FACE_POINTS).map(|k| (k % 7 != 0).then_some([k as f32 / 900.0, at, 0.0]));
                frame.face = Arc::new(face.collect());
            }
            frame
        };
        (0..16).map(frame).collect()
    }

    fn points(frame: &Frame) -> Vec<Option<Point>> {
        let body = frame.head.iter().chain(&frame.elbows).chain(&frame.wrists).map(|p| Some(*p));
        let hands = (0..2).flat_map(|s| (0..21).map(move |k| frame.hands[s].map(|h| h[k])));
        body.chain(hands).chain(frame.face.iter().copied()).collect()
    }

    #[test]
    fn a_clip_comes_back_but_for_rounding() {
        let clip = clip();
        let packed = pack(&clip).unwrap();
        let back = unpack(&packed).unwrap();
        assert_eq!(back.len(), clip.len());
        for (a, b) in clip.iter().zip(&back) {
            let (a, b) = (points(a), points(b));
            assert_eq!(a.len(), b.len());
            for (a, b) in a.iter().zip(&b) {
                assert_eq!(a.is_some(), b.is_some());
                let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
                assert!((0..3).all(|i| (a[i] - b[i]).abs() < ROUNDING), "{a:?} {b:?}");
            }
        }
        assert_eq!(pack(&back).unwrap(), packed, "packed again nothing is lost");
        assert!(pack(&[]).is_none());
        let still = vec![Frame::rest(); 100];
        assert!(pack(&still).unwrap().len() < 400, "what does not move takes no room");
    }

    #[test]
    fn broken_bytes_are_no_clip() {
        let packed = pack(&clip()).unwrap();
        for at in 0..packed.len().min(64) {
            assert!(unpack(&packed[..at]).is_none());
        }
        for wrong in [0, 200] {
            // Fewer frames than are packed, or more.
            let mut packed = packed.clone();
            packed[0] = wrong;
            assert!(unpack(&packed).is_none());
        }
    }
}
