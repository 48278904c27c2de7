//! Values and names as SQL text, for statements that share one round trip.

use crate::error::Error;
use crate::error::Result;

/// A string literal that means the same whatever `standard_conforming_strings` and `backslash_quote` say: in `E'…'` a
/// backslash is always an escape, and a doubled quote always a quote.
///
/// # Errors
/// [`Error::Database`] for a text with the character NUL, which PostgreSQL cannot hold.
pub(super) fn literal(text: &str) -> Result<String> {
    let mut quoted = String::with_capacity(text.len() + 3);
    quoted.push_str("E'");
    for character in text.chars() {
        match character {
            '\0' => {
                return Err(Error::Database {
                    doing: "writing the runner's tables",
                    message: "a text holds the character NUL, which PostgreSQL cannot store".to_owned(),
                    code: None,
                });
            }
            '\'' | '\\' => quoted.extend([character, character]),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    Ok(quoted)
}

/// A name exactly as it is, in double quotes. PostgreSQL's names never hold NUL, so one that does is found nowhere.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\"").replace('\0', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_are_doubled() {
        assert_eq!(literal(r"it's \' é").unwrap(), r"E'it''s \\'' é'");
        assert!(literal("a\0b").is_err());
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
    }
}
