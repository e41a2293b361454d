//! The build-id of a program: what its linker called these very bytes.
//!
//! The unit runs a stripped program, and its symbols lie on somebody's computer; both have the same build-id.
//! It stands in a note near the beginning of an ELF file (System V ABI, chapters 4 and 5; `NT_GNU_BUILD_ID`).

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Headers and notes of a program lie within so many bytes of its beginning.
const HEAD: u64 = 64 << 10;
/// A program header of kind `PT_NOTE`.
const PT_NOTE: u64 = 4;
/// Bytes of an ELF header, and of a program header, of 64 bits.
const HEADER: usize = 64;
const SEGMENT: usize = 56;
/// GNU's note of a build-id.
const NT_GNU_BUILD_ID: u64 = 3;
/// The longest build-id that is believed. Bytes.
const LONGEST: usize = 64;

/// The build-id of a program's file; `None` where it has none, or is no program of 64 bits.
///
/// # Errors
/// What the system said.
pub fn of_file(program: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    File::open(program)?.take(HEAD).read_to_end(&mut head)?;
    Ok(of_head(&head))
}

/// The same of the first bytes of a program.
pub fn of_head(head: &[u8]) -> Option<Vec<u8>> {
    // Of 64 bits, little-endian, as all our boards are.
    if head.get(..6)? != b"\x7fELF\x02\x01" || head.len() < HEADER {
        return None;
    }
    let (start, count) = (number(head, 32, 8)?, number(head, 56, 2)?);
    if number(head, 54, 2)? != SEGMENT as u64 {
        return None;
    }
    (0..count).find_map(|index| {
        let at = usize::try_from(start.checked_add(index * SEGMENT as u64)?).ok()?;
        if number(head, at, 4)? != PT_NOTE {
            return None;
        }
        let begin = usize::try_from(number(head, at.checked_add(8)?, 8)?).ok()?;
        let length = usize::try_from(number(head, at.checked_add(32)?, 8)?).ok()?;
        in_notes(head.get(begin..begin.checked_add(length)?)?)
    })
}

/// The build-id among notes that follow each other.
fn in_notes(mut notes: &[u8]) -> Option<Vec<u8>> {
    loop {
        let [name, length] = [0, 4].map(|at| number(notes, at, 4).and_then(|n| usize::try_from(n).ok()));
        let (name, length) = (name?, length?);
        let kind = number(notes, 8, 4)?;
        let begin = 12usize.checked_add(name.checked_next_multiple_of(4)?)?;
        let end = begin.checked_add(length)?;
        let value = notes.get(begin..end)?;
        if kind == NT_GNU_BUILD_ID && notes.get(12..16) == Some(b"GNU\0") && (1..=LONGEST).contains(&length) {
            return Some(value.to_vec());
        }
        notes = notes.get(end.checked_next_multiple_of(4)?..)?;
    }
}

/// A little-endian number of up to eight bytes.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program with one segment of notes: another one first, then the build-id.
    fn program(id: &[u8]) -> Vec<u8> {
        let note = |name: &[u8], kind: u32, value: &[u8]| {
            let numbers = [name.len() as u32, value.len() as u32, kind].map(u32::to_le_bytes).concat();
            let padded =
                |bytes: &[u8]| [bytes, &vec![0; bytes.len().next_multiple_of(4) - bytes.len()]].concat();
            [numbers, padded(name), padded(value)].concat()
        };
        let notes = [note(b"stapsdt\0", 3, b"x"), note(b"GNU\0", 1, b"abi!"), note(b"GNU\0", 3, id)].concat();
        let mut head = b"\x7fELF\x02\x01".to_vec();
        head.resize(HEADER + SEGMENT, 0);
        let mut put = |at: usize, bytes: &[u8]| head[at..at + bytes.len()].copy_from_slice(bytes);
        put(32, &(HEADER as u64).to_le_bytes());
        put(54, &(SEGMENT as u16).to_le_bytes());
        put(56, &1u16.to_le_bytes());
        put(HEADER, &4u32.to_le_bytes());
        put(HEADER + 8, &((HEADER + SEGMENT) as u64).to_le_bytes());
        put(HEADER + 32, &(notes.len() as u64).to_le_bytes());
        [head, notes].concat()
    }

    #[test]
    fn a_build_id_is_found_behind_other_notes_and_nowhere_else() {
        let id: Vec<u8> = (1..=20).collect();
        let whole = program(&id);
        assert_eq!(of_head(&whole), Some(id.clone()));
        for length in 0..whole.len() {
            assert_eq!(of_head(&whole[..length]), None, "cut at {length}");
        }
        // Whatever a flipped bit makes of it, it is read or not.
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(of_head(&flipped).is_none_or(|found| found.len() <= LONGEST));
        }
        assert_eq!(of_head(&program(&[])), None);
    }
}
