//! Names: of backups, of their members, and the hidden ones under which something is not finished.

use crate::error::BackupError;

/// Longest name of a backup, in characters.
pub(crate) const LONGEST_NAME: usize = 100;
/// So many characters of a label become part of a file's name.
const LONGEST_LABEL: usize = 100;
/// What follows the name of a backup that is being written.
const PARTIAL: &str = ".partial";
/// What follows the name of a backup that is being removed.
const REMOVED: &str = ".removed";

/// Whether a text can be the name of a backup: 1 to 100 letters of ASCII, digits, `.`, `_` and `-`, of which the first is
/// neither `.` nor `-`.
///
/// # Errors
/// [`BackupError::Name`] with what is wrong.
pub fn check_name(name: &str) -> Result<(), BackupError> {
    let why = if name.is_empty() {
        "is empty"
    } else if name.starts_with('.') {
        "begins with `.`"
    } else if name.starts_with('-') {
        "begins with `-`"
    } else if !name.chars().all(is_plain) {
        "has a character that is no letter of ASCII, digit, `.`, `_` or `-`"
    } else if name.len() > LONGEST_NAME {
        "is too long"
    } else {
        return Ok(());
    };
    Err(BackupError::Name { name: name.to_owned(), why })
}

/// Whether a backup may have such a file: a plain name without a folder.
pub(crate) fn is_file_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 255 && !name.starts_with(['.', '-']) && name.chars().all(is_plain)
}

/// The name of the folder in which a backup is written.
pub(crate) fn partial(name: &str) -> String {
    format!(".{name}{PARTIAL}")
}

/// The name of the folder of a backup that is being removed.
pub(crate) fn removed(name: &str) -> String {
    format!(".{name}{REMOVED}")
}

/// The backup that a folder was to become, if its name is that of an unfinished one.
pub(crate) fn of_partial(folder: &str) -> Option<&str> {
    of_hidden(folder, PARTIAL)
}

/// The backup that a folder was, if its name is that of one that is being removed.
pub(crate) fn of_removed(folder: &str) -> Option<&str> {
    of_hidden(folder, REMOVED)
}

fn of_hidden<'a>(folder: &'a str, ending: &str) -> Option<&'a str> {
    folder.strip_prefix('.')?.strip_suffix(ending).filter(|name| check_name(name).is_ok())
}

/// A label as part of a file's name: whatever is special to a shell or a file system becomes `_`.
pub(crate) fn of_label(label: &str) -> String {
    let letter = |letter| if is_plain(letter) { letter } else { '_' };
    let name: String = label.chars().take(LONGEST_LABEL).map(letter).collect();
    if name.is_empty() { "_".to_owned() } else { name }
}

fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        let longest = "a".repeat(LONGEST_NAME);
        for name in ["a", "2026-01-31T12.00.00Z", "_x", "before_4f-2.1", "A.", longest.as_str()] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for (name, why) in [
            ("", "is empty"),
            (".hidden", "begins with `.`"),
            ("..", "begins with `.`"),
            ("-rf", "begins with `-`"),
            ("a/b", "no letter"),
            ("a\\b", "no letter"),
            ("a b", "no letter"),
            ("ä", "no letter"),
            ("a\0", "no letter"),
            ("a\n", "no letter"),
            (&"a".repeat(LONGEST_NAME + 1), "too long"),
        ] {
            let error = check_name(name).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
            assert!(error.hint().is_some());
        }
    }

    #[test]
    fn hidden_names_are_told_from_others() {
        assert_eq!(of_partial(&partial("a.partial")), Some("a.partial"));
        assert_eq!(of_removed(&removed("a")), Some("a"));
        for other in
            [".partial", "..partial", "a.partial", ".a b.partial", ".a.removed", ".rsync-partial", "..a.partial"]
        {
            assert_eq!(of_partial(other), None, "{other}");
        }
    }

    #[test]
    fn labels_become_names_of_files() {
        assert_eq!(of_label("public.patient"), "public.patient");
        assert_eq!(of_label("pub lic.\"ä/..'\n"), "pub_lic.___..__");
        assert_eq!(of_label(""), "_");
        assert!(is_file_name(&format!("123456-{}.sqlite.zst.age", of_label(&"x".repeat(5000)))));
        assert!(!is_file_name("../x") && !is_file_name(".x") && !is_file_name("a/b") && !is_file_name(""));
    }
}
