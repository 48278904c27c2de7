//! Where a SQLite database lies.

use std::ffi::OsString;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

/// As many symbolic links as Linux itself follows.
const MOST_LINKS: usize = 40;

/// What the URL says about a SQLite database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SqliteLocation {
    pub(crate) place: SqlitePlace,
    pub(crate) mode: SqliteMode,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SqlitePlace {
    Memory,
    /// An absolute path.
    File(PathBuf),
}

/// The `mode` parameter of the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SqliteMode {
    ReadOnly,
    ReadWrite,
    CreateIfMissing,
    Memory,
}

impl SqliteLocation {
    /// The one path of a file, whether or not it exists yet and whichever links lead to it.
    pub(crate) fn resolve(path: &Path) -> PathBuf {
        let mut path = path.to_path_buf();
        for _ in 0..MOST_LINKS {
            if let Ok(canonical) = path.canonicalize() {
                return canonical;
            }
            let parent = path.parent().map(Path::to_path_buf).unwrap_or_default();
            match std::fs::read_link(&path) {
                Ok(target) => path = parent.join(target),
                Err(_) => {
                    let name = path.file_name().map(OsString::from);
                    return match (parent.canonicalize(), name) {
                        (Ok(parent), Some(name)) => parent.join(name),
                        _ => without_dots(&path),
                    };
                }
            }
        }
        path
    }
}

/// Takes `.` and `..` out of a path whose folders do not exist.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn links_lead_to_one_path_before_and_after_creation() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("data")).unwrap();
        std::os::unix::fs::symlink("data/app.db", root.join("link.db")).unwrap();
        std::os::unix::fs::symlink("data", root.join("folder")).unwrap();
        let expected = root.join("data/app.db");
        let check = || {
            for name in ["link.db", "folder/app.db", "data/../data/app.db"] {
                assert_eq!(SqliteLocation::resolve(&root.join(name)), expected, "{name}");
            }
        };
        check();
        std::fs::write(&expected, "").unwrap();
        check();
        std::os::unix::fs::symlink("loop", root.join("loop")).unwrap();
        let _ = SqliteLocation::resolve(&root.join("loop"));
    }
}
