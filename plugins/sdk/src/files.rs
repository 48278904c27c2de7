//! The files of granted folders. Needs the grant `read`; a policy that uses this module asks for it in
//! [`Policy::describe`](crate::Policy::describe).
//!
//! A path starts with a granted folder as the configuration writes it. Only functions that are used become imports of the
//! component. In a unit test, [`with`] takes the place of the host:
//!
//! ```
//! use runner_policy_sdk::files;
//! use runner_policy_sdk::files::Files;
//!
//! let files = Files::new().folder("policies/data").file("policies/data/owners.txt", "ada\ngrace\n");
//! let owners = files::with(files, || files::read_text("policies/data/owners.txt"));
//! assert_eq!(owners.as_deref(), Ok("ada\ngrace\n"));
//! ```

pub use crate::bindings::files::runner::policy::files::Entry;
pub use crate::bindings::files::runner::policy::files::Problem;

use crate::Failure;

/// The granted folders, as the configuration writes them, in its order.
pub fn folders() -> Vec<String> {
    host::folders()
}

/// A file as a whole.
///
/// # Errors
/// There is no such file, the path leaves the granted folders, or the file can't be read or is larger than the limit `answer`.
pub fn read(path: &str) -> Result<Vec<u8>, Problem> {
    host::read(path)
}

/// A file that holds UTF-8 text.
///
/// # Errors
/// As [`read`], and for other content.
pub fn read_text(path: &str) -> Result<String, Problem> {
    String::from_utf8(read(path)?).map_err(|_| Problem::Other("it is not UTF-8 text".to_owned()))
}

/// What a folder holds, ordered by name.
///
/// # Errors
/// As [`read`].
pub fn entries(path: &str) -> Result<Vec<Entry>, Problem> {
    host::entries(path)
}

impl Problem {
    /// The failure of a policy that can't decide without this file.
    pub fn about(&self, path: &str) -> Failure {
        let what = match self {
            Problem::Missing => "there is no such file".to_owned(),
            Problem::Outside => "it is outside of the granted folders".to_owned(),
            Problem::TooLarge => "it is too large".to_owned(),
            Problem::Other(what) => what.clone(),
        };
        Failure::new(format!("`{path}` can't be read: {what}"))
    }
}

#[cfg(target_family = "wasm")]
use crate::bindings::files::runner::policy::files as host;

#[cfg(not(target_family = "wasm"))]
pub use host::Files;
#[cfg(not(target_family = "wasm"))]
pub use host::with;

/// Natively there is no host, so a test gives the files.
#[cfg(not(target_family = "wasm"))]
mod host {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::Entry;
    use super::Problem;

    /// What a test says that the granted folders hold.
    #[derive(Clone, Debug, Default)]
    pub struct Files {
        folders: Vec<String>,
        files: BTreeMap<String, Vec<u8>>,
    }

    impl Files {
        /// No folder is granted.
        pub fn new() -> Self {
            Files::default()
        }

        /// Grants a folder.
        #[must_use]
        pub fn folder(mut self, name: &str) -> Self {
            self.folders.push(name.trim_end_matches('/').to_owned());
            self
        }

        /// Puts a file into a granted folder.
        #[must_use]
        pub fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
            self.files.insert(path.to_owned(), content.as_ref().to_vec());
            self
        }

        /// Whether a path is inside of a granted folder. A path with `..` is taken for one that leaves it.
        fn holds(&self, path: &str) -> bool {
            let inside = |folder: &String| {
                path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            !path.split('/').any(|part| part == "..") && self.folders.iter().any(inside)
        }
    }

    thread_local! {
        static GIVEN: RefCell<Files> = RefCell::default();
    }

    /// Takes the files back, also when the test panics.
    struct Before(Files);

    impl Drop for Before {
        fn drop(&mut self) {
            GIVEN.set(std::mem::take(&mut self.0));
        }
    }

    /// Runs a part of a test in which the granted folders hold this. Only on this thread, and only natively.
    pub fn with<T>(files: Files, test: impl FnOnce() -> T) -> T {
        let _before = Before(GIVEN.replace(files));
        test()
    }

    pub(super) fn folders() -> Vec<String> {
        GIVEN.with_borrow(|given| given.folders.clone())
    }

    pub(super) fn read(path: &str) -> Result<Vec<u8>, Problem> {
        GIVEN.with_borrow(|given| match given.files.get(path) {
            _ if !given.holds(path) => Err(Problem::Outside),
            Some(content) => Ok(content.clone()),
            None => Err(Problem::Missing),
        })
    }

    pub(super) fn entries(path: &str) -> Result<Vec<Entry>, Problem> {
        GIVEN.with_borrow(|given| {
            if !given.holds(path) {
                return Err(Problem::Outside);
            }
            let mut entries = BTreeMap::new();
            for (file, content) in &given.files {
                let Some(rest) = file.strip_prefix(path).and_then(|rest| rest.strip_prefix('/')) else { continue };
                let (name, folder) = rest.split_once('/').map_or((rest, false), |(name, _)| (name, true));
                let size = if folder { 0 } else { content.len() as u64 };
                entries.insert(name.to_owned(), Entry { name: name.to_owned(), folder, size });
            }
            let is_granted = given.folders.iter().any(|folder| folder == path);
            if entries.is_empty() && !is_granted { Err(Problem::Missing) } else { Ok(entries.into_values().collect()) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_where_a_test_puts_them() {
        let files = Files::new().folder("data").file("data/a.txt", "a").file("data/b/c.txt", [0xff]);
        with(files, || {
            assert_eq!(folders(), ["data"]);
            assert_eq!(read_text("data/a.txt").unwrap(), "a");
            assert_eq!(read_text("data/b/c.txt"), Err(Problem::Other("it is not UTF-8 text".to_owned())));
            assert_eq!(read("data/z.txt"), Err(Problem::Missing));
            for path in ["data/../a.txt", "/etc/passwd", "database/a.txt"] {
                assert_eq!(read(path), Err(Problem::Outside), "{path}");
            }
            let shown: Vec<_> = entries("data").unwrap().into_iter().map(|entry| (entry.name, entry.folder)).collect();
            assert_eq!(shown, [("a.txt".to_owned(), false), ("b".to_owned(), true)]);
            assert_eq!(entries("data/z").unwrap_err(), Problem::Missing);
        });
        assert_eq!(read("data/a.txt"), Err(Problem::Outside));
    }

    #[test]
    fn a_problem_becomes_a_failure() {
        assert_eq!(Problem::Missing.about("a").message, "`a` can't be read: there is no such file");
    }
}
