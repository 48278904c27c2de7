//! Values as SQL text that means the same whatever the session's `sql_mode` and character set are.

use std::fmt::Write as _;

/// A text. Quotes, backslashes and everything outside of printable ASCII go as hexadecimal digits, because what they mean
/// between quotes depends on the session (`NO_BACKSLASH_ESCAPES`, `SET NAMES`).
pub(super) fn literal(text: &str) -> String {
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'\'' | b'\\'));
    if is_plain {
        return format!("'{text}'");
    }
    let mut sql = String::with_capacity(text.len() * 2 + 12);
    sql.push_str("_utf8mb4 X'");
    for byte in text.bytes() {
        // Writing to a `String` cannot fail.
        let _ = write!(sql, "{byte:02x}");
    }
    sql.push('\'');
    sql
}

/// A name.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_harmless_stands_between_quotes() {
        assert_eq!(literal("a1 \"x\" %_?"), "'a1 \"x\" %_?'");
        assert_eq!(literal(""), "''");
        assert_eq!(literal("it's"), "_utf8mb4 X'69742773'");
        assert_eq!(literal("\\\0é"), "_utf8mb4 X'5c00c3a9'");
        assert_eq!(quoted("a`b"), "`a``b`");
    }
}
