//! Native code of components, compiled once and kept on disk.
//!
//! What is kept here is executed, so the folder must belong to the user alone: nobody else can write to it. Every entry ends
//! with a seal, a hash over the component's digest and the code, by which damage is noticed. An entry that is damaged, or made
//! by another version, is compiled again, never trusted. The seal is checked at every start, so it is a fast hash; against
//! somebody who can write to the folder no hash would help.

use std::fs;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use wasmtime::Engine;
use wasmtime::component::Component;
use xxhash_rust::xxh3::Xxh3Default;

use crate::engine::compile;
use crate::engine::key;

/// Bytes of the seal at the end of an entry.
const SEAL: u64 = 16;

/// Where native code is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cache {
    /// In this folder.
    Folder(PathBuf),
    /// Nowhere: every command compiles what it needs.
    None,
}

impl Cache {
    /// The user's cache folder: `RUNNER_CACHE_DIR` if given, else `runner` in the system's place for caches.
    pub fn of_user(configured: Option<PathBuf>) -> Self {
        match configured.or_else(|| dirs::cache_dir().map(|folder| folder.join("runner"))) {
            Some(folder) if folder.is_absolute() => Cache::Folder(folder),
            _ => Cache::None,
        }
    }

    /// The native code of a component, compiled if it is not there. `true`: it was there.
    pub(crate) fn load(
        &self,
        engine: &'static Engine,
        digest: &[u8; 32],
        wasm: &[u8],
    ) -> wasmtime::Result<(Component, bool)> {
        let Cache::Folder(folder) = self else {
            return Ok((compiled(engine, wasm)?, false));
        };
        let entry = entry(folder, digest);
        if let Err(reason) = make_private(folder) {
            tracing::warn!("native code is not cached in `{}`: {reason}", folder.display());
            return Ok((compiled(engine, wasm)?, false));
        }
        match check(&entry, digest) {
            Ok(()) => match deserialize(engine, Code::File(&entry)) {
                Ok(component) => return Ok((component, true)),
                Err(error) => tracing::debug!("`{}` is compiled again: {error:#}", entry.display()),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::debug!("`{}` is compiled again: {error}", entry.display()),
        }
        let code = compile(wasm)?;
        if let Err(error) = write(folder, &entry, digest, &code) {
            tracing::warn!("native code can't be cached in `{}`: {error}", folder.display());
        }
        Ok((deserialize(engine, Code::Memory(&code))?, false))
    }
}

fn compiled(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Component> {
    deserialize(engine, Code::Memory(&compile(wasm)?))
}

fn entry(folder: &Path, digest: &[u8; 32]) -> PathBuf {
    folder.join(format!("{}-{}.native", hex(digest), key()))
}

/// Checks the seal of an entry. The native code itself is mapped, not read, when it is loaded.
fn check(entry: &Path, digest: &[u8; 32]) -> io::Result<()> {
    if !fs::symlink_metadata(entry)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut file = fs::File::open(entry)?;
    let length = file.metadata()?.len().checked_sub(SEAL).ok_or_else(|| io::Error::other("it is cut off"))?;
    let mut hasher = Xxh3Default::new();
    hasher.update(digest);
    let mut code = (&mut file).take(length);
    let mut buffer = [0; 32 * 1024];
    loop {
        match code.read(&mut buffer)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    let mut seal = Vec::new();
    file.read_to_end(&mut seal)?;
    if seal == hasher.digest128().to_be_bytes() { Ok(()) } else { Err(io::Error::other("its checksum is wrong")) }
}

/// Writes an entry so that no other process ever sees a part of it. The seal stands at the end, where it does not disturb
/// the mapping.
fn write(folder: &Path, entry: &Path, digest: &[u8; 32], code: &[u8]) -> io::Result<()> {
    let mut hasher = Xxh3Default::new();
    hasher.update(digest);
    hasher.update(code);
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    file.write_all(code)?;
    file.write_all(&hasher.digest128().to_be_bytes())?;
    file.as_file().sync_all()?;
    file.persist(entry).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(unix)]
pub(crate) fn make_private(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::DirBuilderExt as _;
    use std::os::unix::fs::MetadataExt as _;

    let metadata = match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| error.to_string())?;
            fs::symlink_metadata(folder).map_err(|error| error.to_string())?
        }
        found => found.map_err(|error| error.to_string())?,
    };
    if !metadata.is_dir() {
        return Err("it is not a folder".to_owned());
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err("it belongs to another user".to_owned());
    }
    if metadata.mode() & 0o022 != 0 {
        return Err("others may write to it; `chmod 700` makes it private".to_owned());
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn make_private(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Native code, where it is.
#[derive(Clone, Copy)]
enum Code<'a> {
    Memory(&'a [u8]),
    File(&'a Path),
}

/// The only unsafe function of the workspace.
#[expect(unsafe_code, reason = "native code can be loaded in no other way")]
fn deserialize(engine: &Engine, code: Code<'_>) -> wasmtime::Result<Component> {
    // SAFETY: wasmtime asks that the bytes are what its own compiler wrote, and that a file does not change while it is
    // mapped. They come straight from the compiler, or from a sealed entry of a folder that only this user can write to,
    // where entries are replaced by renaming and never written in place. Entries of other engines are refused by wasmtime
    // itself.
    unsafe {
        match code {
            Code::Memory(bytes) => Component::deserialize(engine, bytes),
            Code::File(path) => Component::deserialize_file(engine, path),
        }
    }
}
