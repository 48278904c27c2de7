//! The interface `files`: granted folders, read-only. Every path is resolved by `cap-std` from the handle of a granted folder,
//! so that neither `..` nor a symbolic link leads out of it.

use std::io;
use std::io::Read as _;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use cap_std::fs::File;
use cap_std::fs::OpenOptions;

use super::Guest;
use crate::Grants;
use crate::Refusal;
use crate::bindings::runner::policy::files;
use crate::bindings::runner::policy::files::Entry;
use crate::bindings::runner::policy::files::Problem;
use crate::verdict::printable;

/// A granted folder.
#[derive(Clone)]
pub(super) struct Folder {
    /// As the configuration writes it.
    name: String,
    handle: Arc<Dir>,
}

/// Opens the granted folders.
pub(super) fn open(grants: &Grants, plugin: &str) -> Result<Vec<Folder>, Refusal> {
    let open = |grant: &crate::ReadGrant| match Dir::open_ambient_dir(&grant.path, ambient_authority()) {
        Ok(handle) => Ok(Folder { name: grant.name.clone(), handle: Arc::new(handle) }),
        Err(error) => Err(no_folder(&grant.name, &error.to_string(), plugin)),
    };
    grants.read.iter().map(open).collect()
}

/// A granted folder that can't be opened.
pub(super) fn no_folder(name: &str, reason: &str, plugin: &str) -> Refusal {
    Refusal::Grant {
        what: printable(&format!("can't be given the folder `{name}`: {reason}")),
        help: format!("check `read` in the `grants` of `[plugins.{plugin}]`"),
    }
}

impl files::Host for Guest {
    fn folders(&mut self) -> wasmtime::Result<Vec<String>> {
        self.count();
        Ok(self.folders.iter().map(|folder| folder.name.clone()).collect())
    }

    async fn read(&mut self, path: String) -> wasmtime::Result<Result<Vec<u8>, Problem>> {
        self.count();
        let limit = self.limits.answer;
        self.in_folder(path, move |folder, path| read(folder, path, limit)).await
    }

    async fn entries(&mut self, path: String) -> wasmtime::Result<Result<Vec<Entry>, Problem>> {
        self.count();
        let limit = self.limits.answer;
        self.in_folder(path, move |folder, path| entries(folder, path, limit)).await
    }
}

impl Guest {
    /// Runs something that may block on a thread where it does not keep the plugin's clock from ending the call.
    async fn in_folder<T: Send + 'static>(
        &mut self,
        path: String,
        work: impl FnOnce(&Dir, &str) -> Result<T, Problem> + Send + 'static,
    ) -> wasmtime::Result<Result<T, Problem>> {
        let Some((folder, rest)) = find(&self.folders, &path) else { return Ok(Err(Problem::Outside)) };
        let (folder, rest) = (Arc::clone(&folder.handle), rest.to_owned());
        let done = tokio::task::spawn_blocking(move || work(&folder, &rest)).await;
        Ok(done.unwrap_or_else(|panicked| Err(Problem::Other(panicked.to_string()))))
    }
}

/// The granted folder that a path starts with, and what follows. Of two that fit it is the inner one.
fn find<'a>(folders: &'a [Folder], path: &'a str) -> Option<(&'a Folder, &'a str)> {
    let rest_in = |folder: &Folder| {
        let rest = path.strip_prefix(folder.name.trim_end_matches('/'))?;
        match rest.strip_prefix('/') {
            Some(rest) => Some(rest.trim_start_matches('/')),
            None => rest.is_empty().then_some(""),
        }
    };
    let fitting = folders.iter().filter_map(|folder| Some((folder, rest_in(folder)?)));
    fitting.max_by_key(|(folder, _)| folder.name.trim_end_matches('/').len())
}

fn problem(error: &io::Error) -> Problem {
    // `cap-std` itself refuses a path that leads out of its folder; the system's refusals have a number.
    let is_escape = error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none();
    match error.kind() {
        _ if is_escape => Problem::Outside,
        io::ErrorKind::NotFound => Problem::Missing,
        _ => Problem::Other(error.to_string()),
    }
}

fn other(text: &str) -> Problem {
    Problem::Other(text.to_owned())
}

fn read(folder: &Dir, path: &str, limit: u64) -> Result<Vec<u8>, Problem> {
    if path.is_empty() {
        return Err(other("it is a folder"));
    }
    let file = open_file(folder, path).map_err(|error| problem(&error))?;
    let metadata = file.metadata().map_err(|error| problem(&error))?;
    if metadata.is_dir() {
        return Err(other("it is a folder"));
    }
    if !metadata.is_file() {
        return Err(other("it is not a regular file"));
    }
    if metadata.len() > limit {
        return Err(Problem::TooLarge);
    }
    let mut content = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // It may have grown since.
    file.take(limit.saturating_add(1)).read_to_end(&mut content).map_err(|error| problem(&error))?;
    if content.len() as u64 > limit { Err(Problem::TooLarge) } else { Ok(content) }
}

/// Opens a file, without waiting for somebody at the other end of a pipe.
fn open_file(folder: &Dir, path: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use cap_std::fs::OpenOptionsExt as _;
        use rustix::fs::OFlags;
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        options.custom_flags(i32::try_from(flags.bits()).unwrap_or(0));
    }
    folder.open_with(path, &options)
}

fn entries(folder: &Dir, path: &str, limit: u64) -> Result<Vec<Entry>, Problem> {
    let inner = if path.is_empty() { None } else { Some(folder.open_dir(path).map_err(|error| problem(&error))?) };
    let folder = inner.as_ref().unwrap_or(folder);
    let mut found = Vec::new();
    let mut length = 0;
    for entry in folder.entries().map_err(|error| problem(&error))? {
        let entry = entry.map_err(|error| problem(&error))?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|name| Problem::Other(format!("it holds a name that is not UTF-8: {name:?}")))?;
        // Follows a symbolic link, but not out of the folder.
        let Ok(metadata) = folder.metadata(&name) else { continue };
        if !metadata.is_dir() && !metadata.is_file() {
            continue;
        }
        length += (size_of::<Entry>() + name.len()) as u64;
        if length > limit {
            return Err(Problem::TooLarge);
        }
        let size = if metadata.is_dir() { 0 } else { metadata.len() };
        found.push(Entry { name, folder: metadata.is_dir(), size });
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}
