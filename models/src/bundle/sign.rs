//! Signs as minisign does, but always in the same way.
//!
//! The format is minisign's (<https://jedisct1.github.io/minisign/>): Ed25519 over the BLAKE2b-512 of the
//! message, and once more over that signature and the trusted comment. Its own program mixes fresh randomness
//! into each signature and a time into the comment. RFC 8032 needs neither, and a bundle that is made twice
//! from the same files must be the same to the byte. minisign itself verifies what is written here.

use blake2::{Blake2b512, Digest};
use ed25519_compact::{KeyPair, SecretKey, Seed};

/// Ed25519 over a hash.
const PREHASHED: [u8; 2] = *b"ED";
/// Ed25519, of a key.
const ED25519: [u8; 2] = *b"Ed";
/// In a secret key of minisign's, before the key's number: algorithms, salt and limits of the password.
const MINISIGN_KEY: usize = 2 + 2 + 2 + 32 + 8 + 8;

/// Whoever makes bundles has one.
pub struct SigningKey {
    id: [u8; 8],
    pair: KeyPair,
}

impl SigningKey {
    /// A key from its number and 32 random bytes.
    pub fn new(id: [u8; 8], seed: [u8; 32]) -> Self {
        Self { id, pair: KeyPair::from_seed(Seed::new(seed)) }
    }

    /// A key out of minisign's own file, once that was decoded and decrypted; `None` where it is none.
    pub fn of_minisign(bytes: &[u8]) -> Option<Self> {
        let id = bytes.get(MINISIGN_KEY..MINISIGN_KEY + 8)?.try_into().ok()?;
        let sk = SecretKey::from_slice(bytes.get(MINISIGN_KEY + 8..MINISIGN_KEY + 72)?).ok()?;
        let pair = KeyPair { pk: sk.public_key(), sk };
        // A key that is still encrypted has another public half than it should.
        let sound = KeyPair::from_seed(pair.sk.seed()).pk == pair.pk;
        sound.then_some(Self { id, pair })
    }

    /// The signature of a message, as the text of its file.
    pub fn sign(&self, message: &[u8], comment: &str) -> String {
        let signature = self.pair.sk.sign(Blake2b512::digest(message), None);
        let global = self.pair.sk.sign([signature.as_slice(), comment.as_bytes()].concat(), None);
        let line = base64(&[&PREHASHED[..], &self.id, signature.as_slice()].concat());
        let global = base64(global.as_slice());
        format!("untrusted comment: a bundle of Signpost's\n{line}\ntrusted comment: {comment}\n{global}\n")
    }

    /// The public key, as the text of its file.
    pub fn public(&self) -> String {
        let line = base64(&[&ED25519[..], &self.id, self.pair.pk.as_slice()].concat());
        format!("untrusted comment: minisign public key {:016X}\n{line}\n", u64::from_le_bytes(self.id))
    }
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let three = |chunk: &[u8]| {
        let bits = (0..3).fold(0u32, |bits, i| bits << 8 | u32::from(*chunk.get(i).unwrap_or(&0)));
        let digit = |i: usize| match i <= chunk.len() {
            true => DIGITS[(bits >> (18 - 6 * i) & 63) as usize] as char,
            false => '=',
        };
        (0..4).map(digit).collect::<String>()
    };
    bytes.chunks(3).map(three).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{Error, Keys};

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, expect) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(text.as_bytes()), expect);
        }
    }

    #[test]
    fn what_is_signed_is_verified_and_always_the_same() {
        let key = SigningKey::new([1; 8], [2; 32]);
        let keys = Keys::parse(&key.public()).unwrap();
        let signature = key.sign(b"message", "a comment");
        assert_eq!(signature, SigningKey::new([1; 8], [2; 32]).sign(b"message", "a comment"));
        keys.verify(b"message", signature.as_bytes()).unwrap();
        let check = |message: &[u8], signature: &str| keys.verify(message, signature.as_bytes()).unwrap_err();
        assert!(matches!(check(b"massage", &signature), Error::Tampered));
        assert!(matches!(check(b"message", &signature.replace("a comment", "no comment")), Error::Tampered));
        assert!(matches!(check(b"message", &signature[..50]), Error::Signature { .. }));
        let other = SigningKey::new([3; 8], [4; 32]);
        assert!(matches!(check(b"message", &other.sign(b"message", "")), Error::WrongKey));
        // Somebody who claims to be the key.
        let forged = SigningKey::new([1; 8], [4; 32]);
        assert!(matches!(check(b"message", &forged.sign(b"message", "")), Error::Tampered));
        // A new key beside the old one.
        let both = Keys::parse(&format!("{}\n{}", other.public(), key.public())).unwrap();
        both.verify(b"message", signature.as_bytes()).unwrap();
        assert!(matches!(Keys::parse("\n"), Err(Error::NoKeys)));
        assert!(matches!(Keys::parse("untrusted comment: x\nAAAA"), Err(Error::Keys { .. })));
    }
}
