//! The SQL of the runner's own tables: creating them, changing the version rows, inserting ledger rows.

use crate::backend::Tables;
use crate::ledger::COLUMNS;
use crate::ledger::LedgerRow;
use crate::ledger::Value;
use crate::options::TableName;
use crate::script::VersionChange;

/// The runner's tables in one database.
#[derive(Debug, Clone)]
pub(super) struct Books {
    pub(super) version: TableName,
    pub(super) ledger: TableName,
}

impl Books {
    /// Creates what is missing; `None` if nothing is.
    pub(super) fn create(&self, have: Tables) -> Option<String> {
        self.definitions(have, "CREATE TABLE")
    }

    /// Creates what may be missing.
    pub(super) fn create_if_missing(&self) -> String {
        self.definitions(Tables::default(), "CREATE TABLE IF NOT EXISTS").unwrap_or_default()
    }

    fn definitions(&self, have: Tables, create: &str) -> Option<String> {
        let mut sql = Vec::new();
        if !have.version {
            sql.push(format!(
                "{create} {} (version_num VARCHAR(32) NOT NULL, CONSTRAINT {}_pkc PRIMARY KEY (version_num))",
                self.version.quoted(),
                self.version.name
            ));
        }
        if !have.ledger {
            sql.push(format!(
                "{create} {} (id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, command TEXT NOT NULL, \
                 revision VARCHAR(32), direction VARCHAR(4), status VARCHAR(16) NOT NULL, checksum VARCHAR(64), \
                 sql_checksum VARCHAR(64), statements_done INTEGER, statements_total INTEGER, started_at TEXT NOT NULL, \
                 finished_at TEXT, duration_ms INTEGER, environment TEXT NOT NULL, actor TEXT NOT NULL, host TEXT NOT NULL, \
                 tool_version TEXT NOT NULL, plugins TEXT, verdicts TEXT, error TEXT, \
                 previous_hash VARCHAR(64) NOT NULL, hash VARCHAR(64) NOT NULL)",
                self.ledger.quoted()
            ));
        }
        (!sql.is_empty()).then(|| sql.join(";\n"))
    }

    /// One round trip for the whole bookkeeping of a step. Each statement asks `changes()` whether the one before hit exactly the
    /// rows it should; if not, the ledger's NOT NULL status is violated and everything stops before the commit.
    pub(super) fn record(&self, change: &VersionChange, rows: &[LedgerRow], commit: bool) -> (String, Vec<Value>) {
        let mut sql = String::new();
        let mut values = Vec::with_capacity(rows.len() * COLUMNS.len() + 2);
        let mut expected = self.change_versions(change, &mut sql, &mut values);
        for row in rows {
            self.insert_row(row, expected.take(), &mut sql, &mut values);
        }
        if commit {
            sql.push_str("COMMIT");
        }
        (sql, values)
    }

    /// Returns how many rows the last statement must have changed.
    fn change_versions(&self, change: &VersionChange, sql: &mut String, values: &mut Vec<Value>) -> Option<usize> {
        let table = self.version.quoted();
        let bind = |values: &mut Vec<Value>, ids: &[String]| {
            values.extend(ids.iter().map(|id| Value::Text(Some(id.clone()))));
        };
        if let ([old], [new]) = (change.delete.as_slice(), change.insert.as_slice()) {
            sql.push_str(&format!("UPDATE {table} SET version_num = ? WHERE version_num = ?;\n"));
            bind(values, std::slice::from_ref(new));
            bind(values, std::slice::from_ref(old));
            return Some(1);
        }
        let mut expected = None;
        if !change.delete.is_empty() {
            let marks = vec!["?"; change.delete.len()].join(", ");
            sql.push_str(&format!("DELETE FROM {table} WHERE version_num IN ({marks});\n"));
            bind(values, &change.delete);
            expected = Some(change.delete.len());
        }
        if !change.insert.is_empty() {
            let marks = vec!["(?)"; change.insert.len()].join(", ");
            let condition = expected.map_or_else(String::new, |count| format!(" WHERE changes() = {count}"));
            sql.push_str(&format!(
                "INSERT INTO {table} (version_num) SELECT column1 FROM (VALUES {marks}){condition};\n"
            ));
            bind(values, &change.insert);
            expected = Some(change.insert.len());
        }
        expected
    }

    fn insert_row(&self, row: &LedgerRow, expected: Option<usize>, sql: &mut String, values: &mut Vec<Value>) {
        let columns = COLUMNS.join(", ");
        let status = expected.map_or_else(|| "?".to_owned(), |count| format!("CASE changes() WHEN {count} THEN ? END"));
        let marks = COLUMNS.map(|column| if column == "status" { status.as_str() } else { "?" }).join(", ");
        sql.push_str(&format!("INSERT INTO {} ({columns}) VALUES ({marks});\n", self.ledger.quoted()));
        values.extend(row.values());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books() -> Books {
        let table = |name: &str| TableName { schema: None, name: name.to_owned() };
        Books { version: table("runner_version"), ledger: table("runner_ledger") }
    }

    #[test]
    fn one_row_for_another_is_an_update() {
        let change = VersionChange { delete: vec!["a".to_owned()], insert: vec!["b".to_owned()] };
        let (sql, values) = books().record(&change, &[LedgerRow::default()], true);
        assert!(sql.starts_with("UPDATE \"runner_version\" SET version_num = ? WHERE version_num = ?;"), "{sql}");
        assert!(sql.contains("CASE changes() WHEN 1 THEN ? END") && sql.ends_with("COMMIT"), "{sql}");
        assert_eq!(values[..2], [Value::Text(Some("b".to_owned())), Value::Text(Some("a".to_owned()))]);
        assert_eq!(values.len(), 2 + COLUMNS.len());
    }

    #[test]
    fn only_the_first_row_is_guarded() {
        let change = VersionChange { delete: vec![], insert: vec!["b".to_owned()] };
        let (sql, _) = books().record(&change, &[LedgerRow::default(), LedgerRow::default()], false);
        assert_eq!(sql.matches("changes()").count(), 1, "{sql}");
    }

    #[test]
    fn the_version_table_has_the_shape_that_alembic_gives_it() {
        let sql = books().create(Tables { version: false, ledger: true }).unwrap();
        assert_eq!(
            sql,
            "CREATE TABLE \"runner_version\" (version_num VARCHAR(32) NOT NULL, CONSTRAINT runner_version_pkc PRIMARY KEY (version_num))"
        );
        assert_eq!(books().create(Tables { version: true, ledger: true }), None);
    }
}
