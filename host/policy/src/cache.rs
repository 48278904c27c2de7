//! Native code of components, compiled once and kept on disk.
//!
//! What is kept here is executed, so the folder must belong to the user alone: nobody else can write to it. The same is asked
//! of every entry, because the folder may have been open to others before. Every entry ends with a seal, a hash over the
//! component's digest and the code, by which damage is noticed. An entry that is damaged, or made by another version, is
//! compiled again, never trusted. The seal is checked at every start, so it is a fast hash; against somebody who can write to
//! the folder no hash would help.

use std::fs;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use wasmtime::Engine;
use wasmtime::component::Component;
use xxhash_rust::xxh3::Xxh3Default;

use crate::Refusal;
use crate::builtin;
use crate::component::extent;
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
    ///
    /// # Errors
    /// It is no component, or too large to be compiled.
    pub(crate) fn load(
        &self,
        engine: &'static Engine,
        digest: &[u8; 32],
        wasm: &[u8],
    ) -> Result<(Component, bool), Refusal> {
        let Cache::Folder(folder) = self else {
            return Ok((loaded(engine, &compiled(wasm, digest)?)?, false));
        };
        let entry = entry(folder, digest);
        if let Err(reason) = make_private(folder).and_then(|()| is_guarded(folder)) {
            tracing::warn!("native code is not cached in `{}`: {reason}", folder.display());
            return Ok((loaded(engine, &compiled(wasm, digest)?)?, false));
        }
        match cached(engine, &entry, digest) {
            Ok(component) => return Ok((component, true)),
            Err(Uncached::Missing) => {}
            Err(Uncached::Useless(reason)) => tracing::debug!("`{}` is compiled again: {reason}", entry.display()),
        }
        let code = compiled(wasm, digest)?;
        if let Err(error) = write(folder, &entry, digest, &code, true) {
            tracing::warn!("native code can't be cached in `{}`: {error}", folder.display());
        }
        Ok((loaded(engine, &code)?, false))
    }
}

/// What the lint policies have said is kept beside, and whatever else can be made again.
impl Cache {
    /// Something of this user, sealed under its name. What is missing, damaged or somebody else's counts as not there.
    #[must_use]
    pub fn recall(&self, name: &str) -> Option<Vec<u8>> {
        let Cache::Folder(folder) = self else { return None };
        is_private(folder).and_then(|()| is_guarded(folder)).ok()?;
        let mut file = open(&folder.join(name)).ok()?;
        own(&file).ok()?;
        let mut content = Vec::new();
        file.read_to_end(&mut content).ok()?;
        let length = content.len().checked_sub(usize::try_from(SEAL).ok()?)?;
        let seal = content.split_off(length);
        if seal != seal_of(name.as_bytes(), &content) {
            tracing::debug!("`{name}` in the cache is damaged, and is made again");
            return None;
        }
        Some(content)
    }

    /// Keeps something under a name, which must be a file's.
    ///
    /// # Errors
    /// Why it can't be kept.
    pub fn keep(&self, name: &str, content: &[u8]) -> Result<(), String> {
        let Cache::Folder(folder) = self else { return Ok(()) };
        make_private(folder).and_then(|()| is_guarded(folder))?;
        // What a crash loses is asked again.
        write(folder, &folder.join(name), name.as_bytes(), content, false).map_err(|error| error.to_string())
    }
}

fn seal_of(name: &[u8], content: &[u8]) -> [u8; 16] {
    let mut hasher = Xxh3Default::new();
    hasher.update(name);
    hasher.update(content);
    hasher.digest128().to_be_bytes()
}

fn compiled(wasm: &[u8], digest: &[u8; 32]) -> Result<Vec<u8>, Refusal> {
    extent::check(wasm)?;
    // What `extent` allows is measured without optimisations, which a foreign component could be made to be slow for.
    compile(wasm, builtin::is_embedded_lint(digest)).map_err(|error| no_component(&error))
}

fn loaded(engine: &Engine, code: &[u8]) -> Result<Component, Refusal> {
    deserialize(engine, Code::Memory(code)).map_err(|error| no_component(&error))
}

fn no_component(error: &wasmtime::Error) -> Refusal {
    Refusal::NotAComponent { what: format!("{error:#}"), help: "build it again; the file may be damaged" }
}

fn entry(folder: &Path, digest: &[u8; 32]) -> PathBuf {
    folder.join(format!("{}-{}.native", hex(digest), key()))
}

/// Why an entry is not taken.
enum Uncached {
    Missing,
    Useless(String),
}

/// The native code of an entry. It is mapped, not read.
fn cached(engine: &Engine, path: &Path, digest: &[u8; 32]) -> Result<Component, Uncached> {
    let useless = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Uncached::Missing,
        _ => Uncached::Useless(error.to_string()),
    };
    let mut file = open(path).map_err(useless)?;
    let opened = own(&file).map_err(useless)?;
    check_seal(&mut file, digest).map_err(useless)?;
    let component = deserialize(engine, Code::File(path)).map_err(|error| Uncached::Useless(format!("{error:#}")))?;
    // It is mapped by its name. Nothing of it runs before it is known to be the file that was looked at.
    let mapped = open(path).and_then(|file| own(&file)).map_err(useless)?;
    if opened == mapped { Ok(component) } else { Err(Uncached::Useless("it was replaced just now".to_owned())) }
}

/// Which file it is: its device and its number there.
type Place = (u64, u64);

#[cfg(unix)]
fn open(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;

    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    fs::OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)
}

/// Whether an entry is a file of this user alone, so that it was written by this user and can be changed by nobody else.
#[cfg(unix)]
fn own(file: &fs::File) -> io::Result<Place> {
    use std::os::unix::fs::MetadataExt as _;

    let metadata = file.metadata()?;
    let wrong = |reason: &str| Err(io::Error::other(reason.to_owned()));
    if !metadata.is_file() {
        return wrong("it is not a regular file");
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return wrong("it belongs to another user");
    }
    if metadata.mode() & 0o022 != 0 {
        return wrong("others may write to it");
    }
    if metadata.nlink() != 1 {
        return wrong("it has another name as well");
    }
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<fs::File> {
    fs::File::open(path)
}

#[cfg(not(unix))]
fn own(file: &fs::File) -> io::Result<Place> {
    if file.metadata()?.is_file() { Ok((0, 0)) } else { Err(io::Error::other("it is not a regular file")) }
}

fn check_seal(file: &mut fs::File, digest: &[u8; 32]) -> io::Result<()> {
    let length = file.metadata()?.len().checked_sub(SEAL).ok_or_else(|| io::Error::other("it is cut off"))?;
    let mut hasher = Xxh3Default::new();
    hasher.update(digest);
    let mut code = (&mut *file).take(length);
    let mut buffer = [0; 32 * 1024];
    loop {
        match code.read(&mut buffer)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    let mut seal = Vec::new();
    file.take(SEAL + 1).read_to_end(&mut seal)?;
    if seal == hasher.digest128().to_be_bytes() { Ok(()) } else { Err(io::Error::other("its checksum is wrong")) }
}

/// Writes an entry so that no other process ever sees a part of it. The seal stands at the end, where it does not disturb
/// the mapping.
fn write(folder: &Path, entry: &Path, name: &[u8], content: &[u8], synced: bool) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    file.write_all(content)?;
    file.write_all(&seal_of(name, content))?;
    if synced {
        file.as_file().sync_all()?;
    }
    file.persist(entry).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(unix)]
pub(crate) fn make_private(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::DirBuilderExt as _;

    if let Err(error) = fs::symlink_metadata(folder)
        && error.kind() == io::ErrorKind::NotFound
    {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| error.to_string())?;
    }
    is_private(folder)
}

/// Whether a folder belongs to this user, and nobody else can write to it.
#[cfg(unix)]
fn is_private(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;

    let metadata = fs::symlink_metadata(folder).map_err(|error| error.to_string())?;
    if !metadata.is_dir() {
        return Err("it is not a folder".to_owned());
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err("it belongs to another user".to_owned());
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(
            "others may write to it, so what is in it may be theirs: remove it, or name another folder".to_owned()
        );
    }
    Ok(())
}

#[cfg(not(unix))]
fn is_private(folder: &Path) -> Result<(), String> {
    if folder.is_dir() { Ok(()) } else { Err("it is not a folder".to_owned()) }
}

/// Whether the folders above are such that nobody else can put another one in the place of this one.
#[cfg(unix)]
fn is_guarded(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;

    /// Everybody may write, and rename what others have there.
    const OPEN: u32 = 0o002;
    const STICKY: u32 = 0o1000;

    let folder = folder.canonicalize().map_err(|error| error.to_string())?;
    for above in folder.ancestors().skip(1) {
        let mode = fs::metadata(above).map_err(|error| error.to_string())?.mode();
        if mode & OPEN != 0 && mode & STICKY == 0 {
            return Err(format!("everybody may write to `{}`; name another folder", above.display()));
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn is_guarded(_folder: &Path) -> Result<(), String> {
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn make_private(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
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
    // mapped. They come straight from the compiler, or from a sealed entry that belongs to this user alone, in a folder that
    // only this user can write to, where entries are replaced by renaming and never written in place. Entries of other
    // engines are refused by wasmtime itself.
    unsafe {
        match code {
            Code::Memory(bytes) => Component::deserialize(engine, bytes),
            Code::File(path) => Component::deserialize_file(engine, path),
        }
    }
}
