//! `SHA256SUMS`: what `sha256sum` writes and `sha256sum -c` reads.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::io;
use std::io::Read as _;
use std::path::Path;

use sha2::Digest as _;
use sha2::Sha256;

use crate::disk;
use crate::name::is_file_name;

/// Digests by file, sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sums(BTreeMap<String, String>);

impl Sums {
    pub(crate) fn add(&mut self, file: &str, sha256: String) {
        self.0.insert(file.to_owned(), sha256);
    }

    pub(crate) fn get(&self, file: &str) -> Option<&str> {
        self.0.get(file).map(String::as_str)
    }

    /// The files, sorted.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(file, sha256)| (file.as_str(), sha256.as_str()))
    }

    /// Reads what was written by us, to the byte: what says the same in another way was changed by somebody.
    pub(crate) fn parse(content: &[u8]) -> Result<Self, String> {
        let text = str::from_utf8(content).map_err(|_| "it is no text".to_owned())?;
        let mut sums = Self::default();
        for (number, line) in text.lines().enumerate() {
            let (sha256, file) = line
                .split_once("  ")
                .filter(|(sha256, file)| is_sha256(sha256) && is_file_name(file))
                .ok_or_else(|| format!("line {} is not a SHA-256, two blanks and the name of a file", number + 1))?;
            sums.add(file, sha256.to_owned());
        }
        if sums.to_string() == text { Ok(sums) } else { Err("its lines are not sorted, or not complete".to_owned()) }
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files().try_for_each(|(file, sha256)| writeln!(f, "{sha256}  {file}"))
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a `String` does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The SHA-256 of some bytes, in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The length and the SHA-256 of a file.
pub(crate) fn sha256_of_file(path: &Path) -> io::Result<(u64, String)> {
    let (mut file, _) = disk::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((bytes, hex(&hasher.finalize()))),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                bytes += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_we_write_is_read() {
        let mut sums = Sums::default();
        sums.add("manifest.json", sha256(b"b"));
        sums.add("0001-a.tsv", sha256(b"a"));
        let text = sums.to_string();
        assert_eq!(
            text.lines().next(),
            Some("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  0001-a.tsv")
        );
        assert_eq!(Sums::parse(text.as_bytes()), Ok(sums));
        let upper = text.to_uppercase();
        let unsorted: String = text.lines().rev().map(|line| format!("{line}\n")).collect();
        let (binary, cut, windows) = (text.replace("  ", " *"), &text[..text.len() - 1], text.replace('\n', "\r\n"));
        for other in [&upper, &unsorted, &binary, cut, &windows, &text.replace("0001", "../0001"), &format!("{text}\n")]
        {
            assert!(Sums::parse(other.as_bytes()).is_err(), "{other}");
        }
    }
}
