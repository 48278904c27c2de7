//! One statement, and the words it begins with.

use super::canonical::without_comments;
use super::lexical::LexicalRules;
use super::tokens::{TokenKind, Tokens};
use crate::dialect::Dialect;

/// One statement, located in the file it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement<'a> {
    /// The statement without the comments and white space around it, and without what ends it.
    pub text: &'a str,
    /// Where it begins in the SQL that was split, in bytes.
    pub offset: usize,
    /// The line it begins at, counted like the first line that was given.
    pub line: usize,
    /// The column it begins at, in characters, counted from 1.
    pub column: usize,
    /// Whether a `;`, or what a `DELIMITER` line says, ends it; only the last statement may go without.
    pub terminated: bool,
    /// The dialect it was split for.
    pub dialect: Dialect,
}

impl Statement<'_> {
    /// The statement with comments left out and white space outside of quotes collapsed to one space: what stays the same
    /// when it is only laid out anew.
    pub fn canonical(&self) -> String {
        without_comments(self.text, self.dialect)
    }

    /// The first words in upper case, for example `["CREATE", "TABLE"]`; stops at anything that is not a keyword, a name
    /// or a number. Comments are skipped, while what is inside of a conditional comment (`/*! … */`) counts.
    pub fn first_words(&self, count: usize) -> Vec<String> {
        let mut words = Vec::new();
        collect_words(self.text, LexicalRules::of(self.dialect), count, &mut words);
        words
    }
}

/// Whether there may be more words after the text.
fn collect_words(text: &str, rules: &'static LexicalRules, count: usize, words: &mut Vec<String>) -> bool {
    for token in Tokens::new(text, rules).map_while(Result::ok) {
        let piece = text.get(token.start..token.end).unwrap_or_default();
        match token.kind {
            _ if words.len() == count => return false,
            TokenKind::Whitespace | TokenKind::Comment | TokenKind::Hint => {}
            TokenKind::Word => words.push(piece.to_ascii_uppercase()),
            TokenKind::Conditional => {
                // These rules know no conditional comments, so this calls itself at most once.
                let inside = LexicalRules::inside_of_comments();
                if !collect_words(conditional_sql(piece), inside, count, words) {
                    return false;
                }
            }
            _ => return false,
        }
    }
    true
}

/// What `/*!40101 … */` holds.
fn conditional_sql(comment: &str) -> &str {
    let opened = comment.trim_start_matches(['/', '*']).trim_start_matches(['M', '!']);
    opened.trim_start_matches(|digit: char| digit.is_ascii_digit()).trim_end_matches("*/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::split;

    #[test]
    fn first_words_skip_comments() {
        let statements = split("create /* x */ Table a(b int)", Dialect::Sqlite, 1).unwrap();
        assert_eq!(statements[0].first_words(9), ["CREATE", "TABLE", "A"]);
        assert_eq!(statements[0].first_words(2), ["CREATE", "TABLE"]);
    }

    #[test]
    fn first_words_look_into_conditional_comments() {
        for (sql, words) in [
            ("/*!40101 set names utf8 */", vec!["SET", "NAMES", "UTF8"]),
            ("/*!50003 CREATE*/ /*!50020 DEFINER=`a`@`b`*/ /*!50003 TRIGGER t*/", vec!["CREATE", "DEFINER"]),
            ("/*!CREATE*/ /*M!100100 OR REPLACE */ -- x\n /*!TABLE*/ a", vec!["CREATE", "OR", "REPLACE", "TABLE", "A"]),
            ("SELECT /*+ BKA(t) */ a.b", vec!["SELECT", "A"]),
            ("/*!*/ DROP", vec!["DROP"]),
        ] {
            let statements = split(sql, Dialect::Mysql, 1).unwrap();
            assert_eq!(statements[0].first_words(9), words, "{sql}");
            assert_eq!(statements[0].first_words(1), words[..1], "{sql}");
        }
    }
}
