//! What is left of SQL when nothing but what runs counts.

use super::lexical::LexicalRules;
use super::tokens::{TokenKind, Tokens};
use crate::dialect::Dialect;

/// The SQL without comments, white space outside of quotes collapsed to one space and none at either end.
///
/// From something that is never closed on, the text is kept as it is.
pub(crate) fn without_comments(sql: &str, dialect: Dialect) -> String {
    let mut kept = String::with_capacity(sql.len());
    let mut apart = false;
    for token in Tokens::new(sql, LexicalRules::of(dialect)) {
        let text = match token {
            Ok(token) if matches!(token.kind, TokenKind::Whitespace | TokenKind::Comment) => {
                apart = true;
                continue;
            }
            Ok(token) => sql.get(token.start..token.end),
            Err(unclosed) => sql.get(unclosed.start..),
        };
        if apart && !kept.is_empty() {
            kept.push(' ');
        }
        apart = false;
        kept.push_str(text.unwrap_or_default());
    }
    kept
}

/// Whether nothing is in the SQL that dialects read differently; an answer of no may be too careful.
pub(crate) fn reads_alike_everywhere(sql: &str) -> bool {
    let bytes = sql.as_bytes();
    !bytes.iter().any(|byte| matches!(byte, b'$' | b'#' | b'\\' | b'[' | b'`'))
        && !bytes.windows(2).any(|pair| pair == b"/*")
        && !bytes.windows(3).any(|three| three[..2] == *b"--" && !matches!(three[2], b' ' | b'\n' | b'\t'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_runs_is_kept() {
        let text = " SELECT  1, -- one\n 'a  -- b' /* two */ ;\n\n";
        assert_eq!(without_comments(text, Dialect::Sqlite), "SELECT 1, 'a  -- b' ;");
        assert_eq!(without_comments("a/**/b", Dialect::Sqlite), "a b");
        assert_eq!(without_comments("a -- b\n'c  d", Dialect::Sqlite), "a 'c  d");
    }

    proptest! {
        #[test]
        fn what_reads_alike_gives_one_text(sql in "[a-e'\"; \n*/.$#\\\\\\[`-]{0,40}") {
            if reads_alike_everywhere(&sql) {
                let readings = Dialect::ALL.map(|dialect| without_comments(&sql, dialect));
                prop_assert_eq!(&readings[0], &readings[1]);
                prop_assert_eq!(&readings[0], &readings[2]);
            }
        }

        #[test]
        fn removing_comments_twice_changes_nothing(sql in "[a-c'; \n*/-]{0,40}") {
            let once = without_comments(&sql, Dialect::Postgres);
            let fits = Tokens::new(&sql, LexicalRules::of(Dialect::Postgres)).all(|token| token.is_ok());
            if fits {
                prop_assert_eq!(without_comments(&once, Dialect::Postgres), once);
            }
        }
    }
}
