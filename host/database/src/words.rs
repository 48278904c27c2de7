//! The words of one SQL statement, as far as the runner must understand it.

use runner_chain::Dialect;
pub(crate) use runner_chain::sql::Lexeme as Token;
pub(crate) use runner_chain::sql::LexemeKind as Kind;
pub(crate) use runner_chain::sql::lexemes as tokens;
use sha2::Digest as _;
use sha2::Sha256;

/// The first `N` words in upper case, empty where there are fewer.
pub(crate) fn first_words<const N: usize>(sql: &str, dialect: Dialect) -> [String; N] {
    let mut found = tokens(sql, dialect).filter(|token| token.kind == Kind::Word);
    std::array::from_fn(|_| found.next().map(|token| token.text.to_ascii_uppercase()).unwrap_or_default())
}

/// A SHA-256 over the tokens of a statement in lower-case hexadecimal: comments and layout leave it unchanged.
pub(crate) fn checksum(sql: &str, dialect: Dialect) -> String {
    let mut hasher = Sha256::new();
    for token in tokens(sql, dialect) {
        let raw = &sql[token.start..token.end];
        hasher.update((raw.len() as u64).to_be_bytes());
        hasher.update(raw.as_bytes());
    }
    crate::ledger::hexadecimal(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_words_skip_comments() {
        assert_eq!(first_words::<2>("-- x\n begin;", Dialect::Sqlite), ["BEGIN".to_owned(), String::new()]);
    }

    #[test]
    fn layout_and_comments_leave_the_checksum_alone() {
        let checksum = |sql| checksum(sql, Dialect::Sqlite);
        assert_eq!(checksum("SELECT  1 -- a"), checksum("SELECT /* b */\n1"));
        assert_ne!(checksum("SELECT '1'"), checksum("SELECT 1"));
        assert_ne!(checksum("SELECT 'a  b'"), checksum("SELECT 'a b'"));
        assert_ne!(checksum("SELECT ab"), checksum("SELECT a b"));
    }

    #[test]
    fn a_dollar_quoted_body_counts_to_the_letter() {
        let checksum = |sql| checksum(sql, Dialect::Postgres);
        assert_ne!(checksum("DO $$ a -- x\n $$"), checksum("DO $$ a -- y\n $$"));
    }
}
