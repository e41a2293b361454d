//! No bytes, sizes or strides of a camera make its pictures' converters panic, hang or exhaust memory.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use edge::camera::{Coding, Format, Matrix, Packing};
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use tests::fuzz::{Random, rounds};

/// Sides at which converters go other ways: none, one pixel, around the widths of vectors, 8K and beyond.
const SIDES: [u32; 16] = [0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 127, 4320, 7680, u32::MAX];

fn coding(random: &mut Random) -> Coding {
    let matrix = [Matrix::Bt601, Matrix::Bt709, Matrix::Smpte240, Matrix::Bt2020][random.below(4)];
    Coding { matrix, full_range: random.below(2) == 0 }
}

/// Converts: a picture has all of its pixels, and what is too short for them is none.
#[track_caller]
fn check(format: Format, bytes: &[u8]) -> bool {
    let _ = format.has_end(bytes);
    let Some(rgb) = format.to_rgb(bytes) else { return false };
    assert_eq!(rgb.len() as u64, 3 * u64::from(format.width) * u64::from(format.height), "{format:?}");
    // Four pixels share their colour at most.
    assert!(format.packing == Packing::Mjpeg || rgb.len() <= 2 * bytes.len() + 64, "{format:?}");
    true
}

#[test]
fn raw_pictures_of_any_size_stride_and_length() {
    let mut random = Random(21);
    let noise: Vec<u8> = (0..1 << 20).map(|_| random.below(256) as u8).collect();
    let mut whole = 0;
    for _ in 0..20 * rounds() {
        let packing = Packing::ALL[random.below(4)];
        let mut side =
            || if random.below(2) == 0 { SIDES[random.below(16)] } else { random.below(300) as u32 };
        let (width, height) = (side(), side());
        let row = u64::from(width) * if packing == Packing::Nv12 { 1 } else { 3 };
        let stride = match random.below(5) {
            0 => 0,
            1 => random.below(1000) as u32,
            2 => u32::MAX - random.below(3) as u32,
            _ => u32::try_from(row + random.below(70) as u64).unwrap_or(u32::MAX),
        };
        let format = Format { packing, width, height, stride, coding: coding(&mut random) };
        // As many bytes as are needed, or a few more or less, or any number.
        let rows = u64::from(height) * if packing == Packing::Nv12 { 3 } else { 2 } / 2;
        let needed = rows.saturating_mul(u64::from(stride.max(1))).min(noise.len() as u64) as usize;
        let length = match random.below(3) {
            0 => random.below(noise.len()),
            _ => (needed + random.below(130)).saturating_sub(random.below(130)).min(noise.len()),
        };
        whole += u32::from(check(format, &noise[..length]));
    }
    assert!(whole > 2 * rounds(), "only {whole} pictures were whole: the rest tests little");
}

#[test]
fn pictures_of_8k_and_one_pixel_are_converted() {
    let noise = vec![77; 7680 * 4320 * 3];
    for packing in [Packing::Rgb, Packing::Bgr, Packing::Nv12, Packing::Yuyv] {
        for (width, height) in [(7680, 4320), (1, 1), (1, 4320), (7680, 1), (7679, 4319)] {
            let format = Format { packing, width, height, stride: 0, coding: Coding::WEBCAM };
            assert!(check(format, &noise), "{format}");
        }
        let format = Format { packing, width: 7681, height: 4320, stride: 0, coding: Coding::WEBCAM };
        assert!(!check(format, &noise), "more than is taken in");
    }
}

#[test]
fn jpegs_of_any_bytes() {
    let mut random = Random(22);
    let seed = |width: u32, height: u32, colour: ExtendedColorType, channels: usize| {
        let pixels: Vec<u8> =
            (0..width as usize * height as usize * channels).map(|i| (i * 37) as u8).collect();
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, 70).write_image(&pixels, width, height, colour).unwrap();
        jpeg
    };
    let seeds = [seed(48, 32, ExtendedColorType::Rgb8, 3), seed(33, 9, ExtendedColorType::L8, 1)];
    let of =
        |width, height| Format { packing: Packing::Mjpeg, width, height, stride: 0, coding: Coding::WEBCAM };
    assert!(check(of(48, 32), &seeds[0]) && check(of(33, 9), &seeds[1]), "the seeds are whole");
    for (seed, format) in seeds.iter().zip([of(48, 32), of(33, 9)]) {
        for length in 0..seed.len() {
            check(format, &seed[..length]);
        }
        let mut bytes = seed.clone();
        for at in 0..seed.len() {
            for value in [seed[at] ^ 1, seed[at] ^ 0x80, 0, 0xff, 0xd9, 0xda, 0xc4] {
                bytes[at] = value;
                check(format, &bytes);
            }
            bytes[at] = seed[at];
        }
    }
    for _ in 0..5 * rounds() {
        let (a, b) = (random.below(2), random.below(2));
        let size = [of(48, 32), of(33, 9), of(SIDES[random.below(16)], SIDES[random.below(16)])];
        check(size[random.below(3)], &random.mutate(&seeds[a], &seeds[b]));
    }
}
