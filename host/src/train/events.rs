//! The log of a training for TensorBoard: scalars in an event file.
//!
//! The file is a row of TFRecords: the length, its masked CRC-32C, the bytes, their masked CRC-32C
//! (<https://www.tensorflow.org/tutorials/load_data/tfrecord>). The bytes are an `Event` of
//! tensorboard's `event.proto`, the first with the version of the file, the others with a `Summary`.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use prost::Message;

/// The name of the file; TensorBoard reads each file that has `tfevents` in its name, and a folder is a run.
pub const EVENTS: &str = "events.out.tfevents.signpost";
/// What TensorBoard expects first in a file.
const VERSION: &str = "brain.Event:2";

/// An event file that is being written. What is appended is in the file at once.
#[derive(Debug)]
pub struct Events {
    file: File,
    length: u64,
}

impl Events {
    /// A new file in the folder, in place of an older one.
    ///
    /// # Errors
    /// Those of the system.
    pub fn create(folder: &Path, wall_time: f64) -> io::Result<Self> {
        let mut events = Self { file: File::create(folder.join(EVENTS))?, length: 0 };
        let what = Event { wall_time, step: 0, version: Some(VERSION.into()), summary: None };
        events.put(&what)?;
        Ok(events)
    }

    /// The file in the folder as it was when it had this length; what was written later is cut off.
    /// None where it is not there, or shorter.
    ///
    /// # Errors
    /// Those of the system.
    pub fn cut(folder: &Path, length: u64) -> io::Result<Option<Self>> {
        let mut file = match File::options().write(true).open(folder.join(EVENTS)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        if file.metadata()?.len() < length {
            return Ok(None);
        }
        file.set_len(length)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Some(Self { file, length }))
    }

    /// Bytes of the file.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends the values of a step; `wall_time` in seconds since 1970.
    ///
    /// # Errors
    /// Those of the system.
    pub fn append(&mut self, wall_time: f64, step: usize, scalars: &[(&str, f32)]) -> io::Result<()> {
        let value =
            scalars.iter().map(|&(tag, value)| Value { tag: tag.into(), value: Some(value) }).collect();
        let step = step.try_into().unwrap_or(i64::MAX);
        self.put(&Event { wall_time, step, version: None, summary: Some(Summary { value }) })
    }

    fn put(&mut self, event: &Event) -> io::Result<()> {
        let bytes = event.encode_to_vec();
        let length = (bytes.len() as u64).to_le_bytes();
        let mut record = Vec::with_capacity(bytes.len() + 16);
        record.extend(length);
        record.extend(masked_crc(&length).to_le_bytes());
        record.extend(&bytes);
        record.extend(masked_crc(&bytes).to_le_bytes());
        self.file.write_all(&record)?;
        self.length += record.len() as u64;
        Ok(())
    }
}

/// `Event`, as far as we write it.
#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

/// `Summary`.
#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

/// `Summary.Value`, as far as we write it.
#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    value: Option<f32>,
}

/// The CRC of a TFRecord: rotated, and away from what a CRC of a CRC would give.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli, reflected), bit by bit: a log is kilobytes a minute.
fn crc32c(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| (c >> 1) ^ (POLYNOMIAL & (c & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        // RFC 3720, appendix B.4, and the check value of CRC-32C.
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
    }
}
