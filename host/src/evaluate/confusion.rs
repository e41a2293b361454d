//! Which sign was taken for which other, as a picture: a row a label of the data, a column an answer.

use std::collections::HashMap;
use std::io::Cursor;
use std::path::Path;

use image::{ImageFormat, Rgb, RgbImage};
use models::whole;
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use crate::Error;

/// More labels than this make a picture that nobody can look at.
const LIMIT: usize = 400;

/// A letter is so many pixels high.
const LINE: u32 = 16;
/// A letter is so many pixels wide.
const LETTER: u32 = get_raster_width(FontWeight::Regular, RasterHeight::Size16) as u32;
/// The space around parts of the picture, in pixels.
const GAP: u32 = 8;
/// Labels longer than this many letters are cut.
const LABEL: usize = 28;

const WHITE: Rgb<u8> = Rgb([255, 255, 255]);
const INK: Rgb<u8> = Rgb([20, 20, 30]);
const GRID: Rgb<u8> = Rgb([214, 218, 226]);
/// What a cell of the diagonal is where all clips of the row lie in it.
const RIGHT: Rgb<u8> = Rgb([22, 101, 52]);
/// What any other cell is where all clips of the row lie in it.
const WRONG: Rgb<u8> = Rgb([178, 24, 24]);

/// How often each label of the data got each answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConfusionMatrix {
    labels: Vec<String>,
    place: HashMap<String, usize>,
    /// (row, column) → clips.
    counts: HashMap<(usize, usize), usize>,
}

impl ConfusionMatrix {
    /// A matrix of these labels, in this order, without clips.
    pub fn new(labels: impl IntoIterator<Item = String>) -> Self {
        let labels: Vec<_> = labels.into_iter().collect();
        let place = labels.iter().cloned().zip(0..).collect();
        Self { labels, place, counts: HashMap::new() }
    }

    /// Counts a clip. One whose label or answer is none of the matrix's is not counted.
    pub fn add(&mut self, label: &str, answer: &str) {
        if let (Some(&row), Some(&column)) = (self.place.get(label), self.place.get(answer)) {
            *self.counts.entry((row, column)).or_insert(0) += 1;
        }
    }

    /// Writes the picture, as PNG: those labels that have clips or were answered, in the matrix's order.
    ///
    /// Each row is shaded by its own share, green where it is right and red where it is not, and states its
    /// clips. A label with letters that the built-in font (Latin) does not have is `#` and its place in the
    /// matrix, from 1.
    ///
    /// # Errors
    /// [`Error::ManyLabels`], or where the file cannot be written.
    pub fn write(&self, path: &Path, title: &str) -> Result<(), Error> {
        let picture = self.draw(title)?;
        let mut bytes = Cursor::new(Vec::new());
        let encoded = picture.write_to(&mut bytes, ImageFormat::Png);
        encoded.expect("a picture of this size and kind is encoded in memory");
        whole::write(path, bytes.into_inner()).map_err(Error::io("write", path))
    }

    /// The picture.
    fn draw(&self, title: &str) -> Result<RgbImage, Error> {
        let occurs = |k: &usize| self.counts.keys().any(|(row, column)| row == k || column == k);
        let shown: Vec<usize> = (0..self.labels.len()).filter(occurs).collect();
        if shown.len() > LIMIT {
            return Err(Error::ManyLabels { labels: shown.len(), limit: LIMIT });
        }
        let clips = |row: usize| -> usize {
            shown.iter().filter_map(|&column| self.counts.get(&(row, column))).sum()
        };
        let names: Vec<String> = shown.iter().map(|&k| self.name(k)).collect();
        let totals: Vec<String> = shown.iter().map(|&row| clips(row).to_string()).collect();
        let widest =
            |texts: &[String]| texts.iter().map(|t| t.chars().count()).max().unwrap_or(0) as u32 * LETTER;
        let digits = self.counts.values().max().copied().unwrap_or(0).to_string().len() as u32;
        let [cell_w, cell_h] = [(digits * LETTER + GAP).max(LINE + GAP), LINE + GAP];
        let side = shown.len() as u32;

        // Title; names of columns, upright; rows with name, cells and clips.
        let legend = "rows: signed (clips at the right), columns: answered";
        let left = GAP + widest(&names) + GAP;
        let top = GAP + 2 * LINE + GAP + widest(&names) + GAP;
        let text_width = title.chars().count().max(legend.chars().count()) as u32 * LETTER;
        let width = (left + side * cell_w + GAP + widest(&totals)).max(GAP + text_width) + GAP;
        let height = top + side * cell_h + GAP;
        let mut picture = RgbImage::from_pixel(width, height, WHITE);
        text(&mut picture, [GAP, GAP], title, INK, false);
        text(&mut picture, [GAP, GAP + LINE], legend, INK, false);

        for (i, (&row, name)) in (0_u32..).zip(shown.iter().zip(&names)) {
            let y = top + i * cell_h;
            let letters = name.chars().count() as u32 * LETTER;
            text(&mut picture, [left - GAP / 2 - letters, y + GAP / 2], name, INK, false);
            text(&mut picture, [left + i * cell_w + (cell_w - LINE) / 2, top - GAP / 2], name, INK, true);
            text(&mut picture, [left + side * cell_w + GAP, y + GAP / 2], &totals[i as usize], INK, false);
            let all = clips(row).max(1);
            for (j, &column) in (0_u32..).zip(&shown) {
                let x = left + j * cell_w;
                fill(&mut picture, [x, y], [cell_w, cell_h], GRID);
                let count = self.counts.get(&(row, column)).copied().unwrap_or(0);
                let share = count as f32 / all as f32;
                let shade = mix(WHITE, if row == column { RIGHT } else { WRONG }, shade(share));
                fill(&mut picture, [x + 1, y + 1], [cell_w - 1, cell_h - 1], shade);
                if count > 0 {
                    let count = count.to_string();
                    let ink = if share > 0.7 { WHITE } else { INK };
                    let letters = count.len() as u32 * LETTER;
                    text(&mut picture, [x + (cell_w - letters) / 2, y + GAP / 2], &count, ink, false);
                }
            }
        }
        Ok(picture)
    }

    /// A label as the font can write it.
    fn name(&self, label: usize) -> String {
        let name = &self.labels[label];
        if !name.chars().all(|c| get_raster(c, FontWeight::Regular, RasterHeight::Size16).is_some()) {
            return format!("#{}", label + 1);
        }
        let letters = name.chars().count();
        if letters > LABEL {
            name.chars().take(LABEL - 2).chain("..".chars()).collect()
        } else {
            name.clone()
        }
    }
}

/// How strong the colour of a share is: a single clip of many must still be seen.
fn shade(share: f32) -> f32 {
    if share > 0.0 { 0.12 + 0.88 * share } else { 0.0 }
}

fn mix(from: Rgb<u8>, to: Rgb<u8>, share: f32) -> Rgb<u8> {
    let channel = |k: usize| {
        let [from, to] = [from.0[k], to.0[k]].map(f32::from);
        (from + (to - from) * share).round() as u8
    };
    Rgb([channel(0), channel(1), channel(2)])
}

fn fill(picture: &mut RgbImage, [x, y]: [u32; 2], [w, h]: [u32; 2], colour: Rgb<u8>) {
    for y in y..y + h {
        for x in x..x + w {
            picture.put_pixel(x, y, colour);
        }
    }
}

/// Writes a line from its upper left corner; upright, from its lower left corner upwards.
fn text(picture: &mut RgbImage, [x, y]: [u32; 2], line: &str, ink: Rgb<u8>, upright: bool) {
    for (at, letter) in (0_u32..).zip(line.chars()) {
        // Titles may hold what the font does not.
        let letter = get_raster(letter, FontWeight::Regular, RasterHeight::Size16)
            .or_else(|| get_raster('?', FontWeight::Regular, RasterHeight::Size16));
        for (v, row) in (0_u32..).zip(letter.iter().flat_map(|l| l.rows())) {
            for (u, strength) in (at * LETTER..).zip(row) {
                let place = if upright { (x + v, y.saturating_sub(u + 1)) } else { (x + u, y + v) };
                if let Some(pixel) = picture.get_pixel_mut_checked(place.0, place.1) {
                    *pixel = mix(*pixel, ink, f32::from(*strength) / 255.0);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(labels: &[&str], clips: &[(&str, &str)]) -> ConfusionMatrix {
        let mut matrix = ConfusionMatrix::new(labels.iter().map(|l| (*l).to_owned()));
        clips.iter().for_each(|(label, answer)| matrix.add(label, answer));
        matrix
    }

    #[test]
    fn cells_are_where_they_belong() {
        let clips = [("hello", "hello"), ("hello", "yes"), ("yes", "yes"), ("hello", "absent")];
        let picture = matrix(&["hello", "never", "yes"], &clips).draw("a title").unwrap();
        // "never" does not occur: two rows. A cell is 24 × 24, the names are five letters wide.
        let left = GAP + 5 * LETTER + GAP;
        let top = GAP + 2 * LINE + GAP + 5 * LETTER + GAP;
        assert_eq!(picture.height(), top + 2 * 24 + GAP);
        let cell = |row: u32, column: u32| *picture.get_pixel(left + column * 24 + 2, top + row * 24 + 2);
        assert_eq!(cell(1, 1), RIGHT, "all of yes is right");
        assert_eq!(cell(1, 0), WHITE);
        assert_eq!(cell(0, 0), mix(WHITE, RIGHT, shade(0.5)));
        assert_eq!(cell(0, 1), mix(WHITE, WRONG, shade(0.5)));
        // The names of both rows stand at the left, and a line that is not there leaves no ink.
        let ink = |y: u32| {
            let dark = |x: u32, y: u32| picture.get_pixel(x, y).0.iter().all(|c| *c < 128);
            (y..y + 24).flat_map(|y| (0..left).map(move |x| (x, y))).filter(|&(x, y)| dark(x, y)).count()
        };
        assert!(ink(top) > ink(top + 24), "hello has more ink than yes: {} and {}", ink(top), ink(top + 24));
        assert!(ink(top + 24) > 20, "{}", ink(top + 24));
    }

    #[test]
    fn labels_that_the_font_does_not_have_are_numbers() {
        let long = "a".repeat(40);
        let matrix = matrix(&["straße", "你好", &long], &[]);
        assert_eq!([0, 1].map(|k| matrix.name(k)), ["straße", "#2"]);
        assert_eq!(matrix.name(2).chars().count(), LABEL);
        assert!(matrix.draw("nothing").unwrap().height() > 0, "a matrix without clips is a picture as well");
    }

    #[test]
    fn too_many_labels_are_refused() {
        let labels: Vec<_> = (0..=LIMIT).map(|k| k.to_string()).collect();
        let mut matrix = ConfusionMatrix::new(labels.iter().cloned());
        labels.iter().for_each(|l| matrix.add(l, l));
        let said = matrix.draw("").unwrap_err().to_string();
        assert!(said.starts_with("401 labels are too many for a picture (at most 400)"), "{said}");
    }
}
