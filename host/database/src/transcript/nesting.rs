//! Whether a script is inside of a transaction after each of its statements, as far as its words tell.

use runner_chain::Dialect;

use crate::backend::Placement;
use crate::words::tokens;

/// The transaction that is open, and the savepoints in it.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    is_begun: bool,
    /// Names, in lower case. The first of them may itself have opened the transaction.
    savepoints: Vec<String>,
}

impl Nesting {
    pub(super) fn is_open(&self) -> bool {
        self.is_begun || !self.savepoints.is_empty()
    }

    pub(super) fn begin(&mut self) {
        self.is_begun = true;
    }

    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// Follows a statement of a script.
    pub(super) fn hear(&mut self, sql: &str, dialect: Dialect, placement: Placement) {
        let words: Vec<String> = tokens(sql, dialect).map(|token| token.text.to_ascii_lowercase()).collect();
        let first = words.first().map_or("", String::as_str);
        let name = words.last().cloned().unwrap_or_default();
        match (first, placement) {
            ("savepoint", _) => self.savepoints.push(name),
            ("release", _) => {
                let at = self.savepoints.iter().rposition(|savepoint| *savepoint == name);
                self.savepoints.truncate(at.unwrap_or(self.savepoints.len()));
            }
            ("rollback", _) if words.iter().any(|word| word == "to") => {
                let at = self.savepoints.iter().rposition(|savepoint| *savepoint == name);
                self.savepoints.truncate(at.map_or(self.savepoints.len(), |at| at + 1));
            }
            (_, Placement::Opens) => self.begin(),
            (_, Placement::Commits | Placement::RollsBack) => {
                self.end();
                // `COMMIT AND CHAIN` begins the next one at once.
                self.is_begun = words.ends_with(&["and".to_owned(), "chain".to_owned()]);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_and_savepoints_open_and_close() {
        let mut nesting = Nesting::default();
        for (sql, placement, is_open) in [
            ("SAVEPOINT a", Placement::Opens, true),
            ("SAVEPOINT b", Placement::Opens, true),
            ("RELEASE SAVEPOINT a", Placement::Commits, false),
            ("BEGIN", Placement::Opens, true),
            ("SAVEPOINT a", Placement::Opens, true),
            ("ROLLBACK TO a", Placement::RollsBack, true),
            ("INSERT INTO t VALUES (1)", Placement::Joint, true),
            ("COMMIT AND CHAIN", Placement::Commits, true),
            ("ROLLBACK", Placement::RollsBack, false),
        ] {
            nesting.hear(sql, Dialect::Postgres, placement);
            assert_eq!(nesting.is_open(), is_open, "{sql}");
        }
    }
}
