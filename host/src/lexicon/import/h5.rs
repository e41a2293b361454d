//! Sequences as HDF5.
//!
//! A dataset `[T, …]` is a sequence under its own name; where it is called `frames`, `landmarks`, `keypoints`, `poses`,
//! `sequence` or `data`, under its group's. A group with datasets `pose`, `face`, `left_hand` or `right_hand` is one
//! sequence of these parts. `fps`, `width` and `height` are attributes of the dataset, of its group or of the file.

use std::collections::HashMap;

use hdf5_pure::{AttrValue, Dataset, File, Group};

use super::{About, DEEPEST, FRAMES, Found, MAX_FRAMES, Part, Row, Sequence, in_frame};

/// The most numbers of a frame: body, face with irises and hands, each landmark with a visibility.
const MAX_NUMBERS: u64 = 4 * (33 + 478 + 42);
/// Groups that are looked into; a file may name a group twice, and within itself.
const MOST_GROUPS: usize = 1 << 17;

impl About {
    /// What is said here, or else what was said further out.
    fn within(self, attributes: &HashMap<String, AttrValue>) -> Self {
        let number = |name: &str| attributes.get(name).and_then(number);
        let side = |i: usize, name: &str| number(name).map(|side| side as u32).or(self.size[i]);
        Self {
            fps: number("fps").or_else(|| number("frame_rate")).map(|fps| fps as f32).or(self.fps),
            size: [side(0, "width"), side(1, "height")],
        }
    }
}

/// The sequences of a file's bytes; `stem` is the file's name.
///
/// # Errors
/// It is no HDF5, or its list of contents is broken.
pub fn read_h5(bytes: Vec<u8>, stem: &str) -> Result<Found, String> {
    let broken = |error: hdf5_pure::Error| format!("it is no HDF5 that can be read ({error}); copy it again");
    let file = File::from_bytes(bytes).map_err(broken)?;
    let mut found = vec![];
    let mut left = MOST_GROUPS;
    look(&file.root(), stem, About::default(), DEEPEST, &mut left, &mut found).map_err(broken)?;
    Ok(found)
}

fn look(
    group: &Group,
    name: &str,
    outside: About,
    deep: usize,
    left: &mut usize,
    found: &mut Found,
) -> Result<(), hdf5_pure::Error> {
    let about = outside.within(&group.attrs()?);
    let mut datasets = group.datasets()?;
    datasets.sort();
    let parts: Vec<_> = datasets.iter().filter_map(|name| Some((Part::named(name)?, name))).collect();
    if !parts.is_empty() {
        found.push((name.to_owned(), of_parts(group, &parts).map(|frames| Sequence { about, frames })));
    }
    for dataset in datasets.iter().filter(|name| Part::named(name).is_none()) {
        let own = if FRAMES.contains(&dataset.as_str()) { name } else { dataset };
        let opened = group.dataset(dataset)?;
        let about = about.within(&opened.attrs()?);
        let frames = rows(&opened).and_then(|rows| {
            let row = |(t, row): (usize, Vec<f32>)| Row::of_numbers(&row).map_err(in_frame(t));
            rows.into_iter().enumerate().map(row).collect::<Result<_, _>>()
        });
        found.push((own.to_owned(), frames.map(|frames| Sequence { about, frames })));
    }
    let mut groups = group.groups()?;
    groups.sort();
    for inner in groups {
        if deep > 0 && *left > 0 {
            *left -= 1;
            look(&group.group(&inner)?, &inner, about, deep - 1, left, found)?;
        }
    }
    Ok(())
}

/// Frames of a group's parts.
fn of_parts(group: &Group, parts: &[(Part, &String)]) -> Result<Vec<Row>, String> {
    let mut frames: Option<Vec<Row>> = None;
    for (part, name) in parts {
        let dataset = group.dataset(name).map_err(|error| error.to_string())?;
        let rows = rows(&dataset).map_err(|why| format!("{name}: {why}"))?;
        let frames = frames.get_or_insert_with(|| vec![Row::default(); rows.len()]);
        if frames.len() != rows.len() {
            return Err(format!("{name} has {} frames, and another part {}", rows.len(), frames.len()));
        }
        for (t, (frame, row)) in frames.iter_mut().zip(rows).enumerate() {
            frame.put(*part, row).map_err(in_frame(t)).map_err(|why| format!("{name}, {why}"))?;
        }
    }
    Ok(frames.unwrap_or_default())
}

/// The rows of a dataset `[T, …]`.
fn rows(dataset: &Dataset) -> Result<Vec<Vec<f32>>, String> {
    let shape = dataset.shape().map_err(|error| error.to_string())?;
    let [length, rest @ ..] = shape.as_slice() else {
        return Err("it is one number, and no sequence".into());
    };
    let width = rest.iter().try_fold(1_u64, |a, b| a.checked_mul(*b)).unwrap_or(u64::MAX);
    // Before anything is made so large.
    if *length > MAX_FRAMES as u64 || width > MAX_NUMBERS {
        return Err(format!("its shape is {shape:?}, which no sign has"));
    }
    if *length == 0 || width == 0 {
        return Ok(vec![]);
    }
    let numbers = dataset.read_f32().map_err(|error| error.to_string())?;
    Ok(numbers.chunks(width as usize).map(<[f32]>::to_vec).collect())
}

fn number(value: &AttrValue) -> Option<f64> {
    Some(match value {
        AttrValue::F32(v) => f64::from(*v),
        AttrValue::F64(v) => *v,
        AttrValue::I32(v) => f64::from(*v),
        AttrValue::U32(v) => f64::from(*v),
        AttrValue::I64(v) => *v as f64,
        AttrValue::U64(v) => *v as f64,
        _ => return None,
    })
}
