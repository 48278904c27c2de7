//! How a target keeps its books: the names of the runner's own tables, and the few session settings.

use std::time::Duration;

use crate::error::Error;
use crate::error::Result;

/// Settings of one target that are independent of its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The version table, `[A-Za-z_][A-Za-z0-9_]*`, with a schema in front if needed. `alembic_version` adopts an
    /// Alembic database in place. Default: `runner_version`.
    pub version_table: String,
    /// The ledger table, named by the same rule. Default: `runner_ledger`.
    pub ledger_table: String,
    /// SQLite only: whether foreign keys are enforced during a run. Off by default, as in SQLite itself, because the
    /// documented procedure of rebuilding a table needs it off.
    pub foreign_keys: bool,
    /// How long a statement, `BEGIN` or `COMMIT` waits for another connection before it gives up. Default: 5 s.
    pub busy_wait: Duration,
    /// Servers only: how long a statement of a run waits for a lock of the database; `None` leaves it to the server.
    pub lock_timeout: Option<Duration>,
    /// Servers only: how long a statement of a run may take; `None` leaves it to the server.
    pub statement_timeout: Option<Duration>,
    /// How often a step, or a statement outside of a transaction, is tried again after a lock time-out, a deadlock or a
    /// serialization failure. Default: 3.
    pub retries: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            version_table: "runner_version".to_owned(),
            ledger_table: "runner_ledger".to_owned(),
            foreign_keys: false,
            busy_wait: Duration::from_secs(5),
            lock_timeout: None,
            statement_timeout: None,
            retries: 3,
        }
    }
}

impl Options {
    /// Checks the table names, which become part of SQL text.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] that names the setting.
    pub fn validate(&self) -> Result<()> {
        TableName::parse("version_table", &self.version_table)?;
        TableName::parse("ledger_table", &self.ledger_table)?;
        if self.version_table.eq_ignore_ascii_case(&self.ledger_table) {
            return Err(Error::InvalidOption {
                option: "ledger_table",
                message: "must differ from `version_table`".to_owned(),
            });
        }
        Ok(())
    }
}

/// A checked table name, split into schema and table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

impl TableName {
    pub(crate) fn parse(option: &'static str, text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let (schema, name) = match parts.as_slice() {
            [name] => (None, *name),
            [schema, name] => (Some(*schema), *name),
            _ => return Err(invalid(option, text)),
        };
        if !schema.is_none_or(is_identifier) || !is_identifier(name) {
            return Err(invalid(option, text));
        }
        Ok(Self { schema: schema.map(str::to_owned), name: name.to_owned() })
    }

    /// The same table, in `schema` if none was named.
    pub(crate) fn or_in(mut self, schema: &str) -> Self {
        self.schema.get_or_insert_with(|| schema.to_owned());
        self
    }

    /// The name as SQL text, each part in double quotes so that a reserved word works too.
    pub(crate) fn quoted(&self) -> String {
        match &self.schema {
            Some(schema) => format!("\"{schema}\".\"{}\"", self.name),
            None => format!("\"{}\"", self.name),
        }
    }
}

fn is_identifier(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn invalid(option: &'static str, text: &str) -> Error {
    Error::InvalidOption {
        option,
        message: format!(
            "`{text}` is not a table name: use letters, digits and `_`, not starting with a digit, and at most one `.`"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["runner_version", "_v1", "main.alembic_version", "order"] {
            assert!(TableName::parse("version_table", good).is_ok(), "{good}");
        }
        for bad in ["", "1a", "a b", "a\"b", "a.b.c", "a.", ".a", "ä", "a;drop"] {
            assert!(TableName::parse("version_table", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_two_tables_must_differ() {
        let options = Options { ledger_table: "RUNNER_version".to_owned(), ..Options::default() };
        let error = options.validate().unwrap_err();
        assert_eq!(error.to_string(), "invalid `ledger_table`: must differ from `version_table`");
    }
}
