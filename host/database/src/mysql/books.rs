//! The SQL of the runner's own tables: creating them, changing the version rows, inserting ledger rows.

use crate::backend::Tables;
use crate::ledger::COLUMNS;
use crate::ledger::LedgerRow;
use crate::ledger::Value;
use crate::options::TableName;
use crate::script::VersionChange;

use super::literal::literal;
use super::literal::quoted;
use super::lock::LockToken;

/// Exact comparison, and row locks, whatever the database's defaults are.
const TABLE_OPTIONS: &str = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";

/// The runner's tables in one database.
#[derive(Debug, Clone)]
pub(super) struct Books {
    pub(super) version: TableName,
    pub(super) ledger: TableName,
}

/// A table's name as SQL text that is right with and without `ANSI_QUOTES`.
pub(super) fn name(table: &TableName) -> String {
    match &table.schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(&table.name)),
        None => quoted(&table.name),
    }
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
                "{create} {} (version_num VARCHAR(32) NOT NULL, CONSTRAINT {}_pkc PRIMARY KEY (version_num)) \
                 {TABLE_OPTIONS}",
                name(&self.version),
                self.version.name
            ));
        }
        if !have.ledger {
            sql.push(format!(
                "{create} {} (id BIGINT NOT NULL PRIMARY KEY, run_id LONGTEXT NOT NULL, command LONGTEXT NOT NULL, \
                 revision VARCHAR(32), direction VARCHAR(4), status VARCHAR(16) NOT NULL, checksum VARCHAR(64), \
                 sql_checksum VARCHAR(64), statements_done BIGINT, statements_total BIGINT, started_at VARCHAR(64) NOT NULL, \
                 finished_at VARCHAR(64), duration_ms BIGINT, environment LONGTEXT NOT NULL, actor LONGTEXT NOT NULL, \
                 host LONGTEXT NOT NULL, tool_version LONGTEXT NOT NULL, plugins LONGTEXT, verdicts LONGTEXT, \
                 error LONGTEXT, previous_hash VARCHAR(64) NOT NULL, hash VARCHAR(64) NOT NULL) {TABLE_OPTIONS}",
                name(&self.ledger)
            ));
        }
        (!sql.is_empty()).then(|| sql.join(";\n"))
    }

    /// The whole bookkeeping of a step as one text. `@runner_guard` remembers whether each statement hit exactly the rows it
    /// should and whether the lock is still held; if not, the ledger's NOT NULL status is violated, whatever the `sql_mode`,
    /// and everything stops before the commit. A variable, because its value is replicated where statements are.
    pub(super) fn record(
        &self,
        change: &VersionChange,
        rows: &[LedgerRow],
        lock: Option<&LockToken>,
        commit: bool,
    ) -> String {
        let mut sql = Vec::new();
        let mut guard = self.change_versions(change, &mut sql);
        if let Some(lock) = lock {
            guard.push(lock.is_held());
        }
        if !guard.is_empty() {
            sql.push(format!("SET @runner_guard = {}", guard.join(" AND ")));
        }
        for (index, row) in rows.iter().enumerate() {
            // One row a statement: in an INSERT of several rows a NULL may be taken for an empty text.
            sql.push(self.insert(row, index == 0 && !guard.is_empty()));
        }
        if commit {
            sql.push("COMMIT".to_owned());
        }
        sql.join(";\n")
    }

    /// Returns what must be true right after the last statement.
    fn change_versions(&self, change: &VersionChange, sql: &mut Vec<String>) -> Vec<String> {
        let table = name(&self.version);
        let changed = |count: usize| format!("(ROW_COUNT() = {count})");
        let each = |ids: &[String]| ids.iter().map(|id| literal(id)).collect::<Vec<_>>();
        if let ([old], [new]) = (change.delete.as_slice(), change.insert.as_slice()) {
            let (old, new) = (literal(old), literal(new));
            sql.push(format!("UPDATE {table} SET version_num = {new} WHERE version_num = {old}"));
            return vec![changed(1)];
        }
        let mut guard = Vec::new();
        if !change.delete.is_empty() {
            sql.push(format!("DELETE FROM {table} WHERE version_num IN ({})", each(&change.delete).join(", ")));
            guard.push(changed(change.delete.len()));
        }
        if !change.insert.is_empty() {
            if let Some(deleted) = guard.pop() {
                sql.push(format!("SET @runner_guard = {deleted}"));
                guard.push("@runner_guard".to_owned());
            }
            sql.push(format!("INSERT INTO {table} (version_num) VALUES ({})", each(&change.insert).join("), (")));
            guard.push(changed(change.insert.len()));
        }
        guard
    }

    fn insert(&self, row: &LedgerRow, is_guarded: bool) -> String {
        let values = row.values().into_iter().zip(COLUMNS).map(|(value, column)| match value {
            Value::Integer(number) => number.to_string(),
            Value::Text(None) => "NULL".to_owned(),
            Value::Text(Some(text)) if is_guarded && column == "status" => {
                format!("IF(@runner_guard, {}, NULL)", literal(&text))
            }
            Value::Text(Some(text)) => literal(&text),
        });
        let values: Vec<String> = values.collect();
        format!("INSERT INTO {} ({}) VALUES ({})", name(&self.ledger), COLUMNS.join(", "), values.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books() -> Books {
        let table = |name: &str| TableName { schema: Some("app".to_owned()), name: name.to_owned() };
        Books { version: table("runner_version"), ledger: table("runner_ledger") }
    }

    fn change(delete: &[&str], insert: &[&str]) -> VersionChange {
        let owned = |ids: &[&str]| ids.iter().map(ToString::to_string).collect();
        VersionChange { delete: owned(delete), insert: owned(insert) }
    }

    #[test]
    fn one_row_for_another_is_an_update() {
        let lock = LockToken { name: "n".to_owned(), session: 7 };
        let sql = books().record(&change(&["a"], &["b"]), &[LedgerRow::default()], Some(&lock), true);
        let lines: Vec<&str> = sql.split(";\n").collect();
        assert_eq!(lines[0], "UPDATE `app`.`runner_version` SET version_num = 'b' WHERE version_num = 'a'");
        assert_eq!(lines[1], "SET @runner_guard = (ROW_COUNT() = 1) AND (IS_USED_LOCK('n') <=> 7)");
        assert!(lines[2].contains("IF(@runner_guard, '', NULL)"), "{sql}");
        assert_eq!(lines[3..], ["COMMIT"]);
    }

    #[test]
    fn every_count_is_checked_and_only_the_first_row_is_guarded() {
        let rows = [LedgerRow::default(), LedgerRow::default()];
        let sql = books().record(&change(&["a", "b"], &["c"]), &rows, None, false);
        assert!(sql.contains("SET @runner_guard = (ROW_COUNT() = 2);\nINSERT INTO"), "{sql}");
        assert!(sql.contains("SET @runner_guard = @runner_guard AND (ROW_COUNT() = 1);"), "{sql}");
        assert_eq!(sql.matches("IF(@runner_guard").count(), 1, "{sql}");
    }

    #[test]
    fn the_version_table_has_the_shape_that_alembic_gives_it() {
        let sql = books().create(Tables { version: false, ledger: true }).unwrap();
        assert!(sql.starts_with("CREATE TABLE `app`.`runner_version` (version_num VARCHAR(32) NOT NULL, CONSTRAINT runner_version_pkc PRIMARY KEY (version_num)) ENGINE=InnoDB"), "{sql}");
        assert_eq!(books().create(Tables { version: true, ledger: true }), None);
    }
}
