//! Writes `.npy` and `.npz`; the same values give the same bytes.

use std::io::{Cursor, Write};
use std::path::Path;

use models::whole;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::Error;

/// Values of an array that is written.
#[derive(Debug, Clone, Copy)]
pub enum Values<'a> {
    /// Numbers.
    F32(&'a [f32]),
    /// Labels, or a picture.
    U8(&'a [u8]),
}

/// The bytes of a `.npy` file, version 1.
///
/// # Panics
/// Where the shape has another number of values, or more axes than fit into a header.
pub fn npy_bytes(shape: &[usize], values: Values<'_>) -> Vec<u8> {
    let (descr, count) = match values {
        Values::F32(values) => ("<f4", values.len()),
        Values::U8(values) => ("|u1", values.len()),
    };
    assert_eq!(shape.iter().product::<usize>(), count, "the shape is that of the values");
    let axes: String = shape.iter().map(|axis| format!("{axis}, ")).collect();
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}", axes.trim_end());
    // Values begin at a multiple of 64 bytes; the line break is the last of the header.
    const BEFORE: usize = 10;
    let end = (BEFORE + header.len() + 1).next_multiple_of(64);
    header.push_str(&" ".repeat(end - BEFORE - header.len() - 1));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).expect("a few axes fit").to_le_bytes());
    bytes.extend(header.as_bytes());
    match values {
        Values::F32(values) => bytes.extend(values.iter().flat_map(|v| v.to_le_bytes())),
        Values::U8(values) => bytes.extend(values),
    }
    bytes
}

/// Writes a `.npy` file.
///
/// # Errors
/// Where it cannot be written.
///
/// # Panics
/// As [`npy_bytes`].
pub fn write_npy(path: &Path, shape: &[usize], values: Values<'_>) -> Result<(), Error> {
    whole::write(path, npy_bytes(shape, values)).map_err(Error::io("write", path))
}

/// Writes a `.npz` archive of named arrays, packed.
///
/// # Errors
/// Where it cannot be written.
///
/// # Panics
/// As [`npy_bytes`].
pub fn write_npz(path: &Path, arrays: &[(&str, &[usize], Values<'_>)]) -> Result<(), Error> {
    let mut zip = ZipWriter::new(Cursor::new(vec![]));
    let pack = |zip: &mut ZipWriter<Cursor<Vec<u8>>>| -> Result<(), std::io::Error> {
        for (name, shape, values) in arrays {
            // A fixed time, so that the same values give the same bytes.
            let options = SimpleFileOptions::default()
                .compression_level(Some(1))
                .last_modified_time(zip::DateTime::default());
            zip.start_file(format!("{name}.npy"), options)?;
            zip.write_all(&npy_bytes(shape, *values))?;
        }
        Ok(())
    };
    pack(&mut zip).map_err(Error::io("pack", path))?;
    let bytes = zip.finish().map_err(std::io::Error::from).map_err(Error::io("pack", path))?.into_inner();
    whole::write(path, bytes).map_err(Error::io("write", path))
}

#[cfg(test)]
mod tests {
    use super::super::{Array, Npz};
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.npz");
        let (numbers, labels) = ([1.0, -2.5, 3.0, 4.0, 5.0, 6.0], [1, 2, 3]);
        let arrays: [(&str, &[usize], _); 2] =
            [("numbers", &[2, 3], Values::F32(&numbers)), ("labels", &[3], Values::U8(&labels))];
        write_npz(&path, &arrays).unwrap();
        let first = std::fs::read(&path).unwrap();
        write_npz(&path, &arrays).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first, "the same bytes again");
        let mut npz = Npz::open(&path).unwrap();
        let read = npz.array("numbers").unwrap().unwrap();
        assert_eq!(read, Array { shape: vec![2, 3], values: numbers.to_vec() });
        assert_eq!(npz.array("labels").unwrap().unwrap().values, [1.0, 2.0, 3.0]);
        assert_eq!(npz.array("none").unwrap(), None);
        let said = npz.one_of(&["a", "b"]).unwrap_err().to_string();
        assert!(said.contains("has no a or b, but labels, numbers"), "{said}");
    }
}
