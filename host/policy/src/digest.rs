//! The name of a component: SHA-256 over its bytes.

use std::fmt;
use std::str::FromStr;

use crate::cache::hex;

/// SHA-256 over the bytes of a file, written as `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Digest(sha2::Sha256::digest(bytes).into())
    }

    pub(crate) fn new(digest: [u8; 32]) -> Self {
        Digest(digest)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 digits alone.
    pub fn hexadecimal(&self) -> String {
        hex(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "sha256:{}", self.hexadecimal())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A text is not a digest.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a digest: `sha256:` and 64 digits from 0 to 9 and a to f")]
pub struct NotADigest(String);

impl FromStr for Digest {
    type Err = NotADigest;

    /// Takes lower-case digits only, so that a digest has one spelling and texts can be compared.
    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let not_a_digest = || NotADigest(crate::printable(text));
        let digits = text.strip_prefix("sha256:").ok_or_else(not_a_digest)?.as_bytes();
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        if digits.len() != 64 {
            return Err(not_a_digest());
        }
        let mut digest = [0; 32];
        for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
            let (high, low) = value(pair[0]).zip(value(pair[1])).ok_or_else(not_a_digest)?;
            *byte = high << 4 | low;
        }
        Ok(Digest(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_as_it_is_written() {
        let digest = Digest::of(b"abc");
        assert_eq!(digest.to_string(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digest.to_string().parse(), Ok(digest));
    }

    #[test]
    fn other_spellings_are_no_digests() {
        let right = Digest::of(b"abc").to_string();
        for wrong in [
            String::new(),
            right.replace("sha256", "sha512"),
            right.replace("sha256:", ""),
            right.to_uppercase(),
            right.replace("ba78", "BA78"),
            right[..70].to_owned(),
            format!("{right}0"),
            right.replace("ba", "é"),
        ] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }
}
