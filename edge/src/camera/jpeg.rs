//! One picture of a Motion-JPEG camera to red, green and blue.
//!
//! It is decoded by the crate `zune-jpeg` from the driver's buffer into the frame's own pixels. JPEG is BT.601
//! at full range by definition (JFIF), whatever the driver says.

use std::borrow::Cow;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Start of a picture.
const SOI: u8 = 0xd8;
/// End of a picture.
const EOI: u8 = 0xd9;
/// Start of a picture's coded pixels: no table comes after it.
const SOS: u8 = 0xda;
/// Huffman tables.
const DHT: u8 = 0xc4;
/// A segment that says: this is Motion-JPEG, and Huffman tables that are left out are the standard's own
/// (OpenDML, "Motion JPEG DIB"). The byte after the name is 0: no fields, whole pictures.
const LEFT_OUT: [u8; 18] = *b"\xff\xe0\x00\x10AVI1\0\0\0\0\0\0\0\0\0\0";

/// Whether a picture's end is there. Coded pixels never look like it.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    bytes.windows(2).rev().any(|pair| pair == [0xff, EOI])
}

/// Decodes a picture of the size given; `None` where it is another, is damaged or is cut short. What is
/// missing in its last row of blocks is not noticed: see [`has_end`].
///
/// # Shapes
/// - returns: `[height, width, 3]`
pub(super) fn to_rgb(bytes: &[u8], [width, height]: [u32; 2]) -> Option<Vec<u8>> {
    let bytes = with_tables(bytes);
    let (width, height) = (width as usize, height as usize);
    // Headers are read leniently: what a camera puts between them harms nobody.
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(width)
        .set_max_height(height)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&*bytes), options);
    decoder.decode_headers().ok()?;
    if decoder.dimensions() != Some((width, height)) {
        return None;
    }
    // Pixels that are missing would be grey otherwise, and the picture pass for whole.
    let options = options.set_strict_mode(true);
    match decoder.input_colorspace()? {
        ColorSpace::YCbCr | ColorSpace::RGB => {
            decoder.set_options(options);
            let mut rgb = vec![0; width * height * 3];
            decoder.decode_into(&mut rgb).ok()?;
            Some(rgb)
        }
        ColorSpace::Luma => {
            decoder.set_options(options.jpeg_set_out_colorspace(ColorSpace::Luma));
            let mut grey = vec![0; width * height];
            decoder.decode_into(&mut grey).ok()?;
            Some(grey.into_iter().flat_map(|level| [level; 3]).collect())
        }
        // Cyan, magenta and the like come from print, not from cameras.
        _ => None,
    }
}

/// The picture with a word on its Huffman tables where it has none: most webcams leave them out.
fn with_tables(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.starts_with(&[0xff, SOI]) || has_tables(bytes) {
        return Cow::Borrowed(bytes);
    }
    let (start, rest) = bytes.split_at(2);
    Cow::Owned([start, &LEFT_OUT, rest].concat())
}

/// Whether Huffman tables stand before the coded pixels.
fn has_tables(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[mark, kind, high, low]) = bytes.get(at..at + 4) {
        match (mark, kind) {
            (0xff, DHT) => return true,
            (0xff, SOS) => return false,
            // Fill bytes before a marker.
            (0xff, 0xff) => at += 1,
            (0xff, _) => at += 2 + usize::from(u16::from_be_bytes([high, low])),
            // What stands between segments.
            _ => at += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};

    use super::*;

    const SIZE: [u32; 2] = [48, 32];

    fn picture() -> RgbImage {
        RgbImage::from_fn(SIZE[0], SIZE[1], |x, y| Rgb([(x * 5) as u8, (y * 7) as u8, 90]))
    }

    fn jpeg() -> Vec<u8> {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(&picture()).unwrap();
        bytes
    }

    /// The same picture without its Huffman tables: the encoder uses the standard's.
    fn abbreviated(jpeg: &[u8]) -> Vec<u8> {
        let (mut bytes, mut at) = (jpeg[..2].to_vec(), 2);
        loop {
            let length = 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            match jpeg[at + 1] {
                DHT => {}
                SOS => {
                    bytes.extend_from_slice(&jpeg[at..]);
                    return bytes;
                }
                _ => bytes.extend_from_slice(&jpeg[at..at + length]),
            }
            at += length;
        }
    }

    #[test]
    fn a_picture_is_what_it_was_before_it_was_packed() {
        let rgb = to_rgb(&jpeg(), SIZE).unwrap();
        let far = rgb.iter().zip(picture().as_raw()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(far.unwrap() <= 20, "{far:?} levels away");
        assert_eq!(to_rgb(&jpeg(), [SIZE[1], SIZE[0]]), None, "another size than was granted");
    }

    #[test]
    fn a_grey_picture_is_grey() {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 95)
            .write_image(&[77; 64], 8, 8, ExtendedColorType::L8)
            .unwrap();
        assert_eq!(to_rgb(&bytes, [8, 8]).unwrap(), [77; 8 * 8 * 3]);
    }

    #[test]
    fn tables_that_a_webcam_leaves_out_are_the_standards() {
        let whole = jpeg();
        let short = abbreviated(&whole);
        assert!(short.len() < whole.len() - 400, "tables take 420 bytes");
        assert_eq!(to_rgb(&short, SIZE), to_rgb(&whole, SIZE));
    }

    #[test]
    fn padding_behind_a_picture_is_no_harm() {
        let mut bytes = jpeg();
        bytes.resize(bytes.len() + 1000, 0);
        assert_eq!(to_rgb(&bytes, SIZE), to_rgb(&jpeg(), SIZE));
    }

    #[test]
    fn a_picture_that_is_cut_short_is_torn() {
        /// Rows of pixels in a row of blocks, at two by two.
        const BLOCK: usize = 16;
        for whole in [jpeg(), abbreviated(&jpeg())] {
            let expect = to_rgb(&whole, SIZE).unwrap();
            assert!(has_end(&whole));
            for length in 0..whole.len() {
                let cut = &whole[..length];
                assert!(!has_end(cut), "{length} of {} bytes", whole.len());
                if let Some(rgb) = to_rgb(cut, SIZE) {
                    let good = (SIZE[1] as usize - BLOCK) * SIZE[0] as usize * 3;
                    assert!(rgb[..good] == expect[..good], "{length} of {} bytes", whole.len());
                }
            }
        }
    }
}
