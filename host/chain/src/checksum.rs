//! SHA-256 checksums, and the normal form of a text they are taken over.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A SHA-256 checksum, shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum([u8; 32]);

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a SHA-256 checksum of 64 hexadecimal digits")]
pub struct InvalidChecksum(pub String);

impl Checksum {
    /// The checksum of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Thousands of these are compared at every start, so they are not formatted byte by byte.
        const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            text.push(DIGITS[usize::from(byte >> 4)]);
            text.push(DIGITS[usize::from(byte & 15)]);
        }
        f.pad(&text)
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

const NO_DIGIT: u8 = 0x80;
/// The value of each byte as a hexadecimal digit.
const DIGIT: [u8; 256] = {
    let mut table = [NO_DIGIT; 256];
    let mut value: u8 = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value as usize] as usize] = value;
        table[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    table
};

impl FromStr for Checksum {
    type Err = InvalidChecksum;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidChecksum(text.to_owned());
        if text.len() != 64 {
            return Err(invalid());
        }
        // Thousands of these are read at every start, so whether all of it is digits is asked once, at the end.
        let mut bytes = [0; 32];
        let mut wrong = 0;
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let (high, low) = (DIGIT[usize::from(pair[0])], DIGIT[usize::from(pair[1])]);
            wrong |= high | low;
            *byte = high << 4 | low & 15;
        }
        if wrong & NO_DIGIT == 0 { Ok(Self(bytes)) } else { Err(invalid()) }
    }
}

impl Serialize for Checksum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Checksum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A checksum over a sequence of fields, each preceded by its length, so that no two sequences give the same bytes.
#[derive(Debug)]
pub(crate) struct FieldHasher(Sha256);

impl FieldHasher {
    /// Starts with a name that tells this kind of checksum, and its version, from all others.
    pub(crate) fn new(kind: &str) -> Self {
        let mut hasher = Self(Sha256::new());
        hasher.text(kind);
        hasher
    }

    /// Adds a text: its length in bytes as 8 bytes, lowest first, then the text in UTF-8.
    pub(crate) fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.update(text.as_bytes());
    }

    /// Adds a text that may be missing: the number 0, or the number 1 and the text.
    pub(crate) fn optional(&mut self, text: Option<&str>) {
        self.number(usize::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    /// Adds a number as 8 bytes, lowest first.
    pub(crate) fn number(&mut self, number: usize) {
        self.0.update((number as u64).to_le_bytes());
    }

    pub(crate) fn finish(self) -> Checksum {
        Checksum(self.0.finalize().into())
    }
}

/// Lines as they are counted: without a byte order mark, every line ended by `\n`, whichever system wrote them.
pub(crate) fn normalise_line_ends(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")) } else { Cow::Borrowed(text) }
}

/// The normal form of a text, over which checksums are taken: no byte order mark, every line ended by `\n`, and exactly
/// one `\n` after the last character that is not white space.
pub fn normalise(text: &str) -> Cow<'_, str> {
    let lines = normalise_line_ends(text);
    let trimmed = lines.trim_end().len();
    if lines.get(trimmed..) == Some("\n") {
        return lines;
    }
    let mut owned = lines.into_owned();
    owned.truncate(trimmed);
    owned.push('\n');
    Cow::Owned(owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_checksum_in_and_out() {
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Checksum::of(b"abc").to_string(), text);
        assert_eq!(text.to_uppercase().parse(), Ok(Checksum::of(b"abc")));
        for bad in ["", "ba78", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(bad.parse::<Checksum>(), Err(InvalidChecksum(bad.to_owned())));
        }
    }

    #[test]
    fn the_normal_form_ignores_how_a_file_was_saved() {
        for text in ["a\nb\n", "\u{feff}a\r\nb\r\n", "a\rb", "a\nb \n\n\t\n"] {
            assert_eq!(normalise(text), "a\nb\n", "{text:?}");
        }
        assert_eq!(normalise(""), "\n");
        assert_eq!(normalise("a  \nb\n"), "a  \nb\n");
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let hash = |fields: &[&str]| {
            let mut hasher = FieldHasher::new("test");
            fields.iter().for_each(|field| hasher.text(field));
            hasher.finish()
        };
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
    }
}
