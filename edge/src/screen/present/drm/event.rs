//! Keys, buttons and touch as the kernel gives them: `/dev/input/event*`.
//!
//! The layout is that of `linux/input.h` for processors of 64 bits, which all boards have.

#![allow(unsafe_code, reason = "the range of a touch screen comes from an ioctl")]

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::ioctl::{Getter, Opcode, ioctl, opcode};

/// Bytes of one event: a time of two 64-bit numbers, then type, code and value.
const EVENT: usize = 24;
/// Events that are read at once.
const AT_ONCE: usize = 64;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw {
    /// When it happened. Microseconds of the kernel's clock.
    pub at_us: u64,
    /// `EV_SYN`, `EV_KEY`, `EV_ABS` and others.
    pub kind: u16,
    /// Which key or axis.
    pub code: u16,
    /// Pressed (1), let go (0), held (2); or the place on the axis.
    pub value: i32,
}

impl Raw {
    /// Events in the order in which they were read; a part of one at the end is no event.
    pub fn all(bytes: &[u8]) -> impl Iterator<Item = Self> {
        bytes.chunks_exact(EVENT).map(|event| {
            let (time, rest) = event.split_at(16);
            let number = |at: usize| i64::from_le_bytes(time[at..at + 8].try_into().expect("eight bytes"));
            let us = number(0).saturating_mul(1_000_000).saturating_add(number(8));
            Self {
                at_us: us.max(0) as u64,
                kind: u16::from_le_bytes([rest[0], rest[1]]),
                code: u16::from_le_bytes([rest[2], rest[3]]),
                value: i32::from_le_bytes([rest[4], rest[5], rest[6], rest[7]]),
            }
        })
    }
}

/// `struct input_absinfo`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
struct Axis {
    value: i32,
    minimum: i32,
    maximum: i32,
    fuzz: i32,
    flat: i32,
    resolution: i32,
}

/// `EVIOCGABS`: the range of an axis.
const fn range_of(axis: u8) -> Opcode {
    opcode::read::<Axis>(b'E', 0x40 + axis)
}

/// A keyboard, a remote control, a button or a touch screen.
pub struct Device {
    path: PathBuf,
    file: File,
    /// The least and the greatest place across and down; of one that nobody points with, none.
    pub reach: Option<[[i32; 2]; 2]>,
}

impl Device {
    /// Opens a device; nothing is waited for when it is read.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let file = File::options().read(true).custom_flags(flags).open(path)?;
        let across = axis::<{ range_of(0) }>(&file);
        let down = axis::<{ range_of(1) }>(&file);
        Ok(Self { path: path.to_owned(), file, reach: across.zip(down).map(|(x, y)| [x, y]) })
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What happened since; nothing where nothing did.
    ///
    /// # Errors
    /// Where the device is gone.
    pub fn read(&mut self) -> io::Result<Vec<Raw>> {
        let mut events = Vec::new();
        let mut bytes = [0; EVENT * AT_ONCE];
        loop {
            match self.file.read(&mut bytes) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => events.extend(Raw::all(&bytes[..count])),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(events),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The least and the greatest place on an axis; none where the device has no such axis.
fn axis<const RANGE: Opcode>(file: &File) -> Option<[i32; 2]> {
    // SAFETY: `EVIOCGABS` writes one `struct input_absinfo`, which `Axis` is, and `RANGE` bears its size.
    let axis = unsafe { ioctl(file, Getter::<RANGE, Axis>::new()) }.ok()?;
    (axis.maximum > axis.minimum).then_some([axis.minimum, axis.maximum])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_as_the_kernel_writes_them() {
        let mut bytes = vec![];
        bytes.extend(2i64.to_le_bytes());
        bytes.extend(500_000i64.to_le_bytes());
        bytes.extend([1, 0, 57, 0, 1, 0, 0, 0]);
        bytes.extend((-1i64).to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend([3, 0, 0x35, 0, 0xff, 0xff, 0xff, 0xff]);
        bytes.extend([9; 23]);
        let found: Vec<Raw> = Raw::all(&bytes).collect();
        let expect = [
            Raw { at_us: 2_500_000, kind: 1, code: 57, value: 1 },
            Raw { at_us: 0, kind: 3, code: 0x35, value: -1 },
        ];
        assert_eq!(found, expect);
        // As <linux/input.h> has it: EVIOCGABS(ABS_X).
        assert_eq!(range_of(0), 0x8018_4540);
    }

    #[test]
    fn a_device_that_is_no_device_has_no_axes_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("event0");
        std::fs::write(&path, "").unwrap();
        let mut device = Device::open(&path).unwrap();
        assert_eq!((device.reach, device.path()), (None, path.as_path()));
        assert!(device.read().is_err());
        assert!(Device::open(&folder.path().join("event1")).is_err());
    }
}
