//! The languages that policies are written in here.

use std::fmt;
use std::fs;
use std::path::Path;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// A language with tools of its own. Any other that makes components will do as well, without help from `plugin build`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    /// Rust, with the SDK
    Rust,
    /// JavaScript, with componentize-js
    #[value(alias = "js")]
    Javascript,
    /// Python, with componentize-py
    #[value(alias = "py")]
    Python,
    /// C, with clang and wasi-libc
    C,
}

impl Language {
    pub(crate) const ALL: [Self; 4] = [Self::Rust, Self::Javascript, Self::Python, Self::C];

    /// The word for it on the command line and in templates.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::Javascript => "javascript",
            Language::Python => "python",
            Language::C => "c",
        }
    }

    /// The language of a project, by the files that it consists of.
    ///
    /// # Errors
    /// It is no project, or one of several languages.
    pub(crate) fn of(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            return Err(Error::new(ErrorKind::Usage, format!("there is no folder `{}`", folder.display()))
                .help("`runner plugin new NAME --role lint --lang rust` starts a project"));
        }
        let found: Vec<Language> = Self::ALL.into_iter().filter(|language| language.is_of(folder)).collect();
        match found[..] {
            [language] => Ok(language),
            [] => Err(Error::new(ErrorKind::Usage, format!("`{}` holds no policy", folder.display()))
                .help(
                    "looked for `Cargo.toml` (Rust), `package.json` (JavaScript), `pyproject.toml` (Python), `*.c` (C)",
                )
                .help("`runner plugin new NAME --role lint --lang rust` starts a project")),
            _ => {
                let names: Vec<String> = found.iter().map(ToString::to_string).collect();
                let message = format!("`{}` may be a project in {}", folder.display(), names.join(" or "));
                Err(Error::new(ErrorKind::Usage, message).help("say which with `--lang`"))
            }
        }
    }

    fn is_of(self, folder: &Path) -> bool {
        let has = |name: &str| folder.join(name).is_file();
        match self {
            Language::Rust => has("Cargo.toml"),
            Language::Javascript => has("package.json"),
            Language::Python => has("pyproject.toml") || has("policy.py"),
            Language::C => !sources(folder, "c").is_empty(),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Language::Rust => "Rust",
            Language::Javascript => "JavaScript",
            Language::Python => "Python",
            Language::C => "C",
        })
    }
}

/// Files of a folder and its `src` that end so, ordered by path.
pub(super) fn sources(folder: &Path, extension: &str) -> Vec<std::path::PathBuf> {
    let folders = [folder.to_path_buf(), folder.join("src")];
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}
