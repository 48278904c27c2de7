//! The tools of other languages: found, run, and named with the command that installs them.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// What a language's projects are built with.
#[derive(Clone, Copy)]
pub(super) struct Tool {
    /// What people call it.
    pub(super) name: &'static str,
    /// How it is installed.
    pub(super) install: &'static str,
}

impl Tool {
    /// It is not there.
    pub(super) fn missing(self) -> Error {
        Error::new(ErrorKind::Build, format!("`{}` is missing", self.name))
            .help(format!("install it: {}", self.install))
    }

    /// It could not be run.
    pub(super) fn unusable(self, error: &io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::NotFound => self.missing(),
            _ => Error::new(ErrorKind::Build, format!("`{}` can't be run: {error}", self.name)),
        }
    }

    /// It ended with an error, which it has told on stderr.
    pub(super) fn failed(self, status: ExitStatus) -> Error {
        let how = match status.code() {
            Some(code) => format!("ended with {code}"),
            None => "was killed".to_owned(),
        };
        Error::new(ErrorKind::Build, format!("`{}` {how}", self.name)).help("what is wrong stands above")
    }

    /// Runs it with all that it says on stderr, as stdout is for data.
    pub(super) fn run(self, command: &mut Command) -> Result<ExitStatus> {
        command.stdin(Stdio::null()).stdout(io::stderr());
        command.status().map_err(|error| self.unusable(&error))
    }
}

/// A program: in one of the folders, or else by its name, for the system to find.
pub(super) fn program(name: &str, folders: &[PathBuf]) -> PathBuf {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let found = folders.iter().map(|folder| folder.join(&file)).find(|path| path.is_file());
    found.unwrap_or_else(|| PathBuf::from(name))
}

/// A folder for what is made on the way.
pub(super) fn workshop() -> Result<tempfile::TempDir> {
    tempfile::tempdir()
        .map_err(|error| Error::new(ErrorKind::Io, format!("failed to create a temporary folder: {error}")))
}

/// A file could not be read or written.
pub(super) fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("failed to {what} `{}`: {error}", path.display()))
}
