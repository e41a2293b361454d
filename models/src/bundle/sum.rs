//! SHA-256 sums, as people read them.

use std::fmt;
use std::io::{self, Read};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::manifest::hexadecimal;

/// A SHA-256; 64 hexadecimal digits where it is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sum(pub [u8; 32]);

impl Sum {
    /// Of bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Of all that a reader gives, and how much that is.
    ///
    /// # Errors
    /// What the reader said.
    pub fn of_reader(reader: &mut dyn Read) -> io::Result<(Self, u64)> {
        let mut sha = Sha256::new();
        let size = io::copy(reader, &mut sha)?;
        Ok((Self(sha.finalize().into()), size))
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hexadecimal(&self.0))
    }
}

impl fmt::Debug for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Sum> for String {
    fn from(sum: Sum) -> Self {
        sum.to_string()
    }
}

impl TryFrom<String> for Sum {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut sum = [0; 32];
        let digits = text.as_bytes();
        // Capital digits would give a sum two texts.
        let digit = |b: u8| (b as char).to_digit(16).filter(|_| !b.is_ascii_uppercase());
        let read = digits.len() == 64
            && sum.iter_mut().zip(digits.chunks(2)).all(|(byte, pair)| {
                match (digit(pair[0]), digit(pair[1])) {
                    (Some(high), Some(low)) => {
                        *byte = (high * 16 + low) as u8;
                        true
                    }
                    _ => false,
                }
            });
        read.then_some(Self(sum)).ok_or_else(|| format!("`{text}` is no SHA-256 of 64 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_has_one_text() {
        // FIPS 180-4: the message "abc".
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Sum::of(b"abc").to_string(), abc);
        assert_eq!(Sum::of_reader(&mut b"abc".as_slice()).unwrap(), (Sum::of(b"abc"), 3));
        assert_eq!(Sum::try_from(abc.to_string()).unwrap(), Sum::of(b"abc"));
        for wrong in [abc.to_uppercase(), abc[1..].into(), format!("{abc}0"), abc.replace('b', "g")] {
            assert!(Sum::try_from(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
