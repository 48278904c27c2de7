//! Native code of components, compiled once and kept on disk.
//!
//! What is kept here is executed, so the folder must belong to the user alone, and every entry carries the SHA-256 of its
//! content. An entry that is damaged, or made by another version, is compiled again, never trusted.

use std::fs;
use std::hash::Hash as _;
use std::hash::Hasher;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use sha2::Digest as _;
use sha2::Sha256;
use wasmtime::Engine;
use wasmtime::component::Component;

const SEAL: usize = 32;

/// Where native code is kept.
#[derive(Clone, Debug)]
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
    pub(crate) fn load(&self, engine: &Engine, digest: &[u8; 32], wasm: &[u8]) -> wasmtime::Result<(Component, bool)> {
        let Cache::Folder(folder) = self else {
            return Ok((Component::new(engine, wasm)?, false));
        };
        let entry = folder.join(format!("{}-{}.native", hex(digest), engine_key(engine)));
        if let Err(reason) = make_private(folder) {
            tracing::warn!("native code is not cached in `{}`: {reason}", folder.display());
            return Ok((Component::new(engine, wasm)?, false));
        }
        match read(&entry) {
            Ok(code) => match deserialize(engine, &code) {
                Ok(component) => return Ok((component, true)),
                Err(error) => tracing::debug!("`{}` is compiled again: {error:#}", entry.display()),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::debug!("`{}` is compiled again: {error}", entry.display()),
        }
        let code = engine.precompile_component(wasm)?;
        if let Err(error) = write(folder, &entry, &code) {
            tracing::warn!("native code can't be cached in `{}`: {error}", folder.display());
        }
        Ok((deserialize(engine, &code)?, false))
    }
}

/// Reads an entry and checks its seal.
fn read(entry: &Path) -> io::Result<Vec<u8>> {
    if !fs::symlink_metadata(entry)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut content = fs::read(entry)?;
    if content.len() < SEAL {
        return Err(io::Error::other("it is cut off"));
    }
    let code = content.split_off(SEAL);
    if Sha256::digest(&code).as_slice() != content {
        return Err(io::Error::other("its checksum is wrong"));
    }
    Ok(code)
}

/// Writes an entry so that no other process ever sees a part of it.
fn write(folder: &Path, entry: &Path, code: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    file.write_all(&Sha256::digest(code))?;
    file.write_all(code)?;
    file.as_file().sync_all()?;
    file.persist(entry).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(unix)]
fn make_private(folder: &Path) -> Result<(), String> {
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
fn make_private(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())
}

/// Names the engine: version of wasmtime, settings of the compiler and the processor.
fn engine_key(engine: &Engine) -> String {
    struct Sha(Sha256);
    impl Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut hasher = Sha(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hex(&hasher.0.finalize()[..8])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The only unsafe function of the workspace.
#[expect(unsafe_code, reason = "native code can be loaded in no other way")]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: wasmtime asks that the bytes are what its own compiler wrote. They come straight from the compiler, or from a
    // sealed entry of a folder that only this user can write to; the bytes are in our memory, so nobody changes them
    // meanwhile. Entries of other engines are refused by wasmtime itself.
    unsafe { Component::deserialize(engine, code) }
}
