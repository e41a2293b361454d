//! A reader of flatbuffers that checks every offset, without unsafe code and without a schema compiler.
//!
//! A table begins with the distance back to its vtable; the vtable gives, for each
//! field, its distance from the table's start, 0 where the field has its default.
//! Strings, vectors and tables inside tables are distances forward.

use super::Error;

/// One table of a flatbuffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    start: usize,
    vtable: &'a [u8],
}

impl<'a> Table<'a> {
    /// The root table of a file with the four-byte identifier given.
    pub fn root(bytes: &'a [u8], identifier: &[u8; 4]) -> Result<Self, Error> {
        if bytes.get(4..8) != Some(identifier) {
            return Err(Error::NotTflite);
        }
        Self::at(bytes, follow(bytes, 0, "the root")?)
    }

    fn at(bytes: &'a [u8], start: usize) -> Result<Self, Error> {
        const WHAT: &str = "a table";
        let back = i64::from(i32::from_le_bytes(array(bytes, start, WHAT)?));
        let vtable = usize::try_from(start as i64 - back).map_err(|_| damaged(WHAT, start))?;
        let len = usize::from(u16::from_le_bytes(array(bytes, vtable, WHAT)?));
        let vtable = slice(bytes, vtable, len, WHAT)?;
        Ok(Self { bytes, start, vtable })
    }

    /// Where the field of this number lies, if it is not at its default.
    fn field(&self, number: usize) -> Option<usize> {
        let slot = 4 + 2 * number;
        let offset = u16::from_le_bytes(self.vtable.get(slot..slot + 2)?.try_into().ok()?);
        (offset != 0).then(|| self.start + usize::from(offset))
    }

    /// An unsigned byte, a small enumeration or a truth value; 0 by default.
    pub fn u8(&self, number: usize) -> Result<u8, Error> {
        self.field(number).map_or(Ok(0), |at| Ok(array::<1>(self.bytes, at, "a byte")?[0]))
    }

    /// A signed 32-bit integer.
    pub fn i32(&self, number: usize, default: i32) -> Result<i32, Error> {
        let read = |at| Ok(i32::from_le_bytes(array(self.bytes, at, "an integer")?));
        self.field(number).map_or(Ok(default), read)
    }

    /// A table inside this one.
    pub fn table(&self, number: usize) -> Result<Option<Self>, Error> {
        let read = |at| Self::at(self.bytes, follow(self.bytes, at, "a table")?);
        self.field(number).map(read).transpose()
    }

    /// Where the elements of a vector begin, and how many there are; `None` where the field is absent.
    fn vector(&self, number: usize, what: &'static str) -> Result<Option<(usize, usize)>, Error> {
        let Some(at) = self.field(number) else { return Ok(None) };
        let at = follow(self.bytes, at, what)?;
        let count = u32::from_le_bytes(array(self.bytes, at, what)?) as usize;
        Ok(Some((at + 4, count)))
    }

    /// A vector of values of `width` bytes, as one slice; empty by default.
    fn values(&self, number: usize, width: usize, what: &'static str) -> Result<&'a [u8], Error> {
        let Some((first, count)) = self.vector(number, what)? else { return Ok(&[]) };
        let len = count.checked_mul(width).ok_or_else(|| damaged(what, first))?;
        slice(self.bytes, first, len, what)
    }

    /// A vector of bytes; empty by default.
    pub fn bytes(&self, number: usize) -> Result<&'a [u8], Error> {
        self.values(number, 1, "a vector of bytes")
    }

    /// A vector of signed 32-bit integers; empty by default.
    pub fn i32s(&self, number: usize) -> Result<impl ExactSizeIterator<Item = i32> + use<'a>, Error> {
        let values = self.values(number, 4, "a vector of integers")?;
        Ok(values.as_chunks::<4>().0.iter().map(|v| i32::from_le_bytes(*v)))
    }

    /// A vector of unsigned 16-bit integers; empty by default.
    pub fn u16s(&self, number: usize) -> Result<impl ExactSizeIterator<Item = u16> + use<'a>, Error> {
        let values = self.values(number, 2, "a vector of integers")?;
        Ok(values.as_chunks::<2>().0.iter().map(|v| u16::from_le_bytes(*v)))
    }

    /// A text of at most `limit` bytes; empty by default.
    pub fn text(&self, number: usize, what: &'static str, limit: usize) -> Result<&'a str, Error> {
        let bytes = self.values(number, 1, what)?;
        at_most(what, bytes.len(), limit)?;
        std::str::from_utf8(bytes).map_err(|_| damaged(what, self.start))
    }

    /// A vector of at most `limit` tables; empty by default.
    pub fn tables(&self, number: usize, what: &'static str, limit: usize) -> Result<Vec<Self>, Error> {
        let Some((first, count)) = self.vector(number, what)? else { return Ok(vec![]) };
        at_most(what, count, limit)?;
        (0..count).map(|i| Self::at(self.bytes, follow(self.bytes, first + 4 * i, what)?)).collect()
    }
}

/// Checks a number from the file against the most that is taken.
pub(super) fn at_most(what: &'static str, found: usize, limit: usize) -> Result<(), Error> {
    if found > limit {
        return Err(Error::TooLarge { what, found: found as u64, limit: limit as u64 });
    }
    Ok(())
}

/// Follows the distance forward that stands at `at`.
fn follow(bytes: &[u8], at: usize, what: &'static str) -> Result<usize, Error> {
    let distance = u32::from_le_bytes(array(bytes, at, what)?) as usize;
    at.checked_add(distance).ok_or_else(|| damaged(what, at))
}

fn array<const N: usize>(bytes: &[u8], at: usize, what: &'static str) -> Result<[u8; N], Error> {
    slice(bytes, at, N, what)?.try_into().map_err(|_| damaged(what, at))
}

fn slice<'a>(bytes: &'a [u8], at: usize, len: usize, what: &'static str) -> Result<&'a [u8], Error> {
    let end = at.checked_add(len).ok_or_else(|| damaged(what, at))?;
    bytes.get(at..end).ok_or_else(|| damaged(what, at))
}

fn damaged(what: &'static str, at: usize) -> Error {
    Error::Damaged { what, at }
}
