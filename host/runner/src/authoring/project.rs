//! A project to start from: it builds at once, and does something small in each of its roles.

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use runner_policy::Role;

use super::Language;
use super::contract;
use super::template;
use super::tool::failed;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

macro_rules! template {
    ($path:literal) => {
        include_str!(concat!("../../templates/", $path))
    };
}

macro_rules! example {
    ($path:literal) => {
        include_str!(concat!("../../../../plugins/examples/", $path))
    };
}

const RUST: [(&str, &str); 2] =
    [("Cargo.toml", template!("rust/Cargo.toml")), ("src/lib.rs", template!("rust/lib.rs"))];
const JAVASCRIPT: [(&str, &str); 2] =
    [("package.json", template!("javascript/package.json")), ("policy.js", template!("javascript/policy.js"))];
const PYTHON: [(&str, &str); 2] =
    [("pyproject.toml", template!("python/pyproject.toml")), ("policy.py", template!("python/policy.py"))];
const C: [(&str, &str); 5] = [
    ("plugin.c", template!("c/plugin.c")),
    ("json.c", example!("c/json.c")),
    ("json.h", example!("c/json.h")),
    ("text.c", example!("c/text.c")),
    ("text.h", example!("c/text.h")),
];
const EVERY: [(&str, &str); 2] = [("README.md", template!("README.md")), (".gitignore", template!("gitignore"))];
const WORLD: &str = template!("world.wit");

/// Names that a package can't have: words of Rust and of WIT, and packages that a project depends on.
const TAKEN: [&str; 46] = [
    "alloc",
    "as",
    "async",
    "await",
    "bool",
    "borrow",
    "break",
    "const",
    "constructor",
    "core",
    "crate",
    "dyn",
    "else",
    "enum",
    "export",
    "extern",
    "flags",
    "float",
    "fn",
    "for",
    "func",
    "if",
    "import",
    "interface",
    "list",
    "loop",
    "match",
    "mod",
    "move",
    "option",
    "package",
    "policy",
    "proc-macro",
    "record",
    "resource",
    "result",
    "runner-policy-sdk",
    "schemars",
    "serde",
    "std",
    "string",
    "test",
    "type",
    "use",
    "variant",
    "world",
];

/// What is to be written.
#[derive(Debug)]
pub(crate) struct NewProject {
    folder: PathBuf,
    name: String,
    language: Language,
    roles: Vec<Role>,
}

impl NewProject {
    /// A project in a folder that is not there yet; the folder's name is the project's.
    ///
    /// # Errors
    /// The folder is there, or its name is not that of a package.
    pub(crate) fn new(folder: &Path, language: Language, roles: &[Role]) -> Result<Self> {
        let shown = folder.display();
        let name = folder.file_name().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
        if !is_name(name) {
            return Err(Error::new(ErrorKind::Usage, format!("`{shown}` does not end with the name of a policy"))
                .help("a name is made of lower-case words with dashes between them, as in `acme-lint`"));
        }
        if TAKEN.contains(&name) {
            return Err(Error::new(ErrorKind::Usage, format!("`{name}` has a meaning of its own"))
                .help(format!("take another name, for example `acme-{name}`")));
        }
        if folder.symlink_metadata().is_ok() {
            return Err(Error::new(ErrorKind::Usage, format!("`{shown}` exists already"))
                .help("take another name; nothing was written"));
        }
        let roles = Role::ALL.into_iter().filter(|role| roles.contains(role)).collect();
        Ok(NewProject { folder: folder.to_path_buf(), name: name.to_owned(), language, roles })
    }

    /// Writes the project, and gives the files relative to it.
    ///
    /// # Errors
    /// Writing fails; what was written is taken away again.
    pub(crate) fn write(&self) -> Result<Vec<String>> {
        let files = self.files();
        let written = self.write_files(&files);
        if written.is_err() {
            let _ = fs::remove_dir_all(&self.folder);
        }
        written.map(|()| files.into_iter().map(|(path, _)| path).collect())
    }

    fn write_files(&self, files: &[(String, String)]) -> Result<()> {
        for (path, text) in files {
            let path = self.folder.join(path);
            let parent = path.parent().unwrap_or(&self.folder);
            fs::create_dir_all(parent).map_err(|error| failed("create", parent, &error))?;
            let created = fs::OpenOptions::new().write(true).create_new(true).open(&path);
            created
                .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()))
                .map_err(|error| failed("write", &path, &error))?;
        }
        Ok(())
    }

    /// All files, as (path, text).
    fn files(&self) -> Vec<(String, String)> {
        let own: &[(&str, &str)] = match self.language {
            Language::Rust => &RUST,
            Language::Javascript => &JAVASCRIPT,
            Language::Python => &PYTHON,
            Language::C => &C,
        };
        let mut files: Vec<(String, String)> =
            EVERY.iter().chain(own).map(|(path, text)| ((*path).to_owned(), self.fill(text))).collect();
        for role in &self.roles {
            let cases = match role {
                Role::Environment => template!("cases/environment.toml"),
                Role::Lint => template!("cases/lint.toml"),
                Role::Gate => template!("cases/gate.toml"),
                Role::Notify => template!("cases/notify.toml"),
            };
            files.push((format!("cases/{}.toml", role.name()), self.fill(cases)));
        }
        if self.language == Language::Rust {
            files.extend(contract::sdk().into_iter().map(|(path, text)| (format!("sdk/{path}"), text)));
        } else {
            files.push(("wit/world.wit".to_owned(), self.fill(WORLD)));
            let contract = contract::WIT.iter();
            files.extend(contract.map(|file| (format!("wit/deps/runner-policy/{}", file.path), file.text.to_owned())));
        }
        files
    }

    fn fill(&self, text: &str) -> String {
        let holds = |word: &str| word == self.language.word() || self.roles.iter().any(|role| role.name() == word);
        let has_settings = self.roles.iter().any(|role| *role != Role::Environment);
        let roles: Vec<&str> = self.roles.iter().map(|role| role.name()).collect();
        let type_name: String = self.name.split('-').map(capitalised).collect();
        let example = match () {
            () if self.roles.contains(&Role::Gate) => "max-steps = 5",
            () if self.roles.contains(&Role::Lint) => "max-statements = 5",
            () => "channel = \"releases\"",
        };
        let names = [
            ("name", self.name.as_str()),
            ("type", &type_name),
            ("roles", &roles.join(", ")),
            ("summary", "Rules of our own for database migrations"),
            ("settings", if has_settings { "Settings" } else { "NoSettings" }),
            ("default-settings", if has_settings { "Settings::default()" } else { "NoSettings {}" }),
            ("example-setting", example),
            ("contract", contract::version()),
            ("version", env!("CARGO_PKG_VERSION")),
        ];
        template::fill(text, &holds, &names)
    }
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

/// Lower-case words that begin with a letter, with dashes between them: a name for Rust, WIT, npm and PyPI alike.
fn is_name(name: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    name.len() <= 64 && name.split('-').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(language: Language, roles: &[Role]) -> NewProject {
        NewProject::new(Path::new("/there-is-no-such-folder/acme-rules"), language, roles).unwrap()
    }

    #[test]
    fn names_are_those_of_packages() {
        for name in ["a", "acme-lint", "x2-y3"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "Acme", "a_b", "-a", "a-", "a--b", "2a", "a-2", "ä", "a.b", "a b"] {
            assert!(!is_name(name), "{name}");
        }
        for taken in ["match", "serde", "list", "runner-policy-sdk"] {
            let error = NewProject::new(Path::new(taken), Language::C, &[Role::Lint]).unwrap_err();
            assert_eq!(error.to_string(), format!("`{taken}` has a meaning of its own"));
        }
    }

    #[test]
    fn every_mix_of_roles_leaves_nothing_of_the_templates() {
        for language in Language::ALL {
            for mix in 1..16_u8 {
                let roles: Vec<Role> = Role::ALL
                    .into_iter()
                    .enumerate()
                    .filter(|(index, _)| mix & (1 << index) != 0)
                    .map(|(_, role)| role)
                    .collect();
                for (path, text) in project(language, &roles).files() {
                    // The language of the C preprocessor and of Python's formats knows neither.
                    for mark in ["%%", "{{", env!("CARGO_MANIFEST_DIR")] {
                        assert!(
                            path.starts_with("sdk/") || path.ends_with(".rs") || !text.contains(mark),
                            "{language} {roles:?}: `{mark}` in {path}"
                        );
                    }
                    assert!(!text.contains("%%if") && !text.contains("%%end"), "{path}");
                    if let Some(role) = path.strip_prefix("cases/").and_then(|file| file.strip_suffix(".toml")) {
                        assert!(roles.iter().any(|mixed| mixed.name() == role), "{path}");
                        text.parse::<toml::Table>().unwrap();
                    }
                }
            }
        }
    }
}
