//! What is left of SQL when nothing but what runs counts.

use super::lexical::LexicalRules;
use super::tokens::{TokenKind, Tokens};
use crate::dialect::Dialect;

/// The SQL without comments, white space outside of quotes collapsed to one space and none at either end. Comments that are
/// run are kept as they are.
///
/// From something that is never closed on, the text is kept as it is.
pub(crate) fn without_comments(sql: &str, dialect: Dialect) -> String {
    let mut kept = String::with_capacity(sql.len());
    let mut gap = None;
    for token in Tokens::new(sql, LexicalRules::of(dialect)) {
        let (text, after) = match token {
            Ok(token) if token.kind.is_blank() => {
                gap = gap.or(Some(' '));
                continue;
            }
            // A `DELIMITER` line is one as long as its line ends.
            Ok(token) if token.kind == TokenKind::DelimiterLine => (sql.get(token.start..token.end), Some('\n')),
            Ok(token) => (sql.get(token.start..token.end), None),
            Err(unclosed) => (sql.get(unclosed.start..), None),
        };
        if let Some(space) = gap.filter(|_| !kept.is_empty()) {
            kept.push(space);
        }
        gap = after;
        kept.push_str(text.unwrap_or_default());
    }
    kept
}

/// Whether nothing is in the SQL that dialects read differently; an answer of no may be too careful.
pub(crate) fn reads_alike_everywhere(sql: &str) -> bool {
    let bytes = sql.as_bytes();
    !bytes.iter().any(|byte| matches!(byte, b'$' | b'#' | b'\\' | b'[' | b'`' | b'\r'))
        && !bytes.windows(2).any(|pair| pair == b"/*" || matches!(pair, [b'e' | b'E', b'\'']))
        && !bytes.windows(3).any(|three| three[..2] == *b"--" && !matches!(three[2], b' ' | b'\n' | b'\t'))
        && !bytes.windows(9).any(|nine| nine.eq_ignore_ascii_case(b"DELIMITER"))
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

    #[test]
    fn comments_that_are_run_are_kept() {
        for (text, expected) in [
            ("/*!40101  SET a = 1 */ -- x\n;", "/*!40101  SET a = 1 */ ;"),
            ("SELECT  /*+  BKA(t) */  1", "SELECT /*+  BKA(t) */ 1"),
            (
                "DELIMITER  ## \n a ## -- b\n ## c ## DELIMITER ;\n\n# d\ne",
                "DELIMITER  ##\na ## ## c ## DELIMITER ;\ne",
            ),
        ] {
            assert_eq!(without_comments(text, Dialect::Mysql), expected);
            assert_eq!(without_comments(expected, Dialect::Mysql), expected);
        }
        // PostgreSQL goes on with an escape string where one without escapes would have ended.
        assert_eq!(without_comments("E'a'\n'\\'  b'  c", Dialect::Postgres), "E'a'\n'\\'  b' c");
    }

    proptest! {
        #[test]
        fn what_reads_alike_gives_one_text(sql in "([a-eE'\"; \r\n*/.$#\\\\\\[`-]|(delimiter )){0,40}") {
            if reads_alike_everywhere(&sql) {
                let readings = Dialect::ALL.map(|dialect| without_comments(&sql, dialect));
                prop_assert_eq!(&readings[0], &readings[1]);
                prop_assert_eq!(&readings[0], &readings[2]);
            }
        }

        #[test]
        fn removing_comments_twice_changes_nothing(
            sql in "([a-cE'; \r\n*/!+$#\\\\-]|(/\\*!1)|(/\\*\\+)|(\\*/)|(\nDELIMITER )|(E')){0,40}",
        ) {
            for dialect in Dialect::ALL {
                if Tokens::new(&sql, LexicalRules::of(dialect)).all(|token| token.is_ok()) {
                    let once = without_comments(&sql, dialect);
                    prop_assert_eq!(without_comments(&once, dialect), once);
                }
            }
        }
    }
}
