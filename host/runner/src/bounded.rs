//! Reads files that people name on the command line or in case files: whole, but not without end.

use std::fs;
use std::io;
use std::io::Read;
use std::path::Path;

/// No recorded request or revision file comes near it.
const LARGEST: u64 = 256 << 20;

/// The content of an ordinary file. A pipe would wait for somebody to write, and a device might never end.
pub(crate) fn file(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    all(fs::File::open(path)?)
}

/// Everything that can be read, unless it is too much.
pub(crate) fn all(from: impl Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    from.take(LARGEST + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LARGEST {
        return Err(io::Error::other("it is larger than 256 MiB"));
    }
    Ok(content)
}

/// The same as text.
pub(crate) fn text(content: io::Result<Vec<u8>>) -> io::Result<String> {
    String::from_utf8(content?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}
