//! The SQL of the runner's own tables: creating them, changing the version rows, inserting ledger rows.

use crate::backend::Tables;
use crate::error::Result;
use crate::ledger::COLUMNS;
use crate::ledger::LedgerRow;
use crate::ledger::Value;
use crate::options::TableName;
use crate::script::VersionChange;

use super::literal::identifier;
use super::literal::literal;

/// The runner's tables; both names have a schema.
#[derive(Debug, Clone)]
pub(super) struct Books {
    pub(super) version: TableName,
    pub(super) ledger: TableName,
}

/// The name as SQL text. A schema may be any text, so it is quoted here.
pub(super) fn quoted(table: &TableName) -> String {
    match &table.schema {
        Some(schema) => format!("{}.{}", identifier(schema), identifier(&table.name)),
        None => identifier(&table.name),
    }
}

impl Books {
    /// The column of the ledger that is NULL, and so refused, if the lock is not held.
    pub(super) const LOCK_GUARD: &'static str = "run_id";
    /// The column that is NULL if the version rows were not found as expected.
    const VERSION_GUARD: &'static str = "status";

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
                "{create} {} (version_num VARCHAR(32) NOT NULL, CONSTRAINT {} PRIMARY KEY (version_num))",
                quoted(&self.version),
                identifier(&format!("{}_pkc", self.version.name))
            ));
        }
        if !have.ledger {
            sql.push(format!(
                "{create} {} (id BIGINT PRIMARY KEY, run_id TEXT NOT NULL, command TEXT NOT NULL, \
                 revision VARCHAR(32), direction VARCHAR(4), status VARCHAR(16) NOT NULL, checksum VARCHAR(64), \
                 sql_checksum VARCHAR(64), statements_done BIGINT, statements_total BIGINT, started_at TEXT NOT NULL, \
                 finished_at TEXT, duration_ms BIGINT, environment TEXT NOT NULL, actor TEXT NOT NULL, host TEXT NOT NULL, \
                 tool_version TEXT NOT NULL, plugins TEXT, verdicts TEXT, error TEXT, \
                 previous_hash VARCHAR(64) NOT NULL, hash VARCHAR(64) NOT NULL)",
                quoted(&self.ledger)
            ));
        }
        (!sql.is_empty()).then(|| sql.join(";\n"))
    }

    /// The bookkeeping of a step as one statement, so that it is one round trip and needs no variables: the first ledger row
    /// is refused unless the version rows were found as expected and `lock_is_held`, an SQL condition, is true.
    ///
    /// # Errors
    /// [`crate::Error::Database`] for a text that cannot be stored.
    pub(super) fn record(
        &self,
        change: &VersionChange,
        rows: &[LedgerRow],
        lock_is_held: Option<&str>,
    ) -> Result<String> {
        let (mut sql, condition) = self.change_versions(change)?;
        let mut tuples = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let mut fields = Vec::with_capacity(COLUMNS.len());
            for (column, value) in COLUMNS.iter().zip(row.values()) {
                let value = match value {
                    Value::Integer(number) => number.to_string(),
                    Value::Text(Some(text)) => literal(&text)?,
                    Value::Text(None) => "NULL".to_owned(),
                };
                let guard = match *column {
                    Self::LOCK_GUARD if index == 0 => lock_is_held,
                    Self::VERSION_GUARD if index == 0 => condition.as_deref(),
                    _ => None,
                };
                fields.push(match guard {
                    Some(guard) => format!("CASE WHEN {guard} THEN {value} END"),
                    None => value,
                });
            }
            tuples.push(format!("({})", fields.join(", ")));
        }
        let (columns, tuples) = (COLUMNS.join(", "), tuples.join(",\n"));
        sql.push_str(&format!("INSERT INTO {} ({columns}) VALUES\n{tuples};\n", quoted(&self.ledger)));
        Ok(sql)
    }

    /// The beginning of a statement that changes the version rows, and the condition that tells whether the right ones were
    /// hit.
    fn change_versions(&self, change: &VersionChange) -> Result<(String, Option<String>)> {
        let table = quoted(&self.version);
        let literals = |ids: &[String]| ids.iter().map(|id| literal(id)).collect::<Result<Vec<_>>>();
        let (gone, come) = (literals(&change.delete)?, literals(&change.insert)?);
        let mut parts = Vec::new();
        let mut conditions = Vec::new();
        if let ([old], [new]) = (gone.as_slice(), come.as_slice()) {
            parts.push(format!(
                "moved AS (UPDATE {table} SET version_num = {new} WHERE version_num = {old} RETURNING 1)"
            ));
            conditions.push("(SELECT count(*) FROM moved) = 1".to_owned());
        } else {
            if !gone.is_empty() {
                let list = gone.join(", ");
                parts.push(format!("gone AS (DELETE FROM {table} WHERE version_num IN ({list}) RETURNING 1)"));
                conditions.push(format!("(SELECT count(*) FROM gone) = {}", gone.len()));
            }
            if !come.is_empty() {
                let list = come.join("), (");
                parts.push(format!("come AS (INSERT INTO {table} (version_num) VALUES ({list}) RETURNING 1)"));
                conditions.push(format!("(SELECT count(*) FROM come) = {}", come.len()));
            }
        }
        if parts.is_empty() {
            return Ok((String::new(), None));
        }
        Ok((format!("WITH {}\n", parts.join(",\n")), Some(conditions.join(" AND "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books() -> Books {
        let table = |name: &str| TableName { schema: Some("app".to_owned()), name: name.to_owned() };
        Books { version: table("runner_version"), ledger: table("runner_ledger") }
    }

    #[test]
    fn one_row_for_another_is_an_update() {
        let change = VersionChange { delete: vec!["a".to_owned()], insert: vec!["b".to_owned()] };
        let sql = books().record(&change, &[LedgerRow::default()], Some("lock")).unwrap();
        assert!(sql.starts_with("WITH moved AS (UPDATE \"app\".\"runner_version\" SET version_num = E'b'"), "{sql}");
        assert!(sql.contains("CASE WHEN lock THEN") && sql.contains("FROM moved) = 1 THEN"), "{sql}");
    }

    #[test]
    fn only_the_first_row_is_guarded() {
        let change = VersionChange { delete: vec![], insert: vec!["b".to_owned()] };
        let sql = books().record(&change, &[LedgerRow::default(), LedgerRow::default()], Some("lock")).unwrap();
        assert_eq!(sql.matches("CASE WHEN").count(), 2, "{sql}");
    }

    #[test]
    fn the_version_table_has_the_shape_that_alembic_gives_it() {
        let sql = books().create(Tables { version: false, ledger: true }).unwrap();
        assert_eq!(
            sql,
            "CREATE TABLE \"app\".\"runner_version\" (version_num VARCHAR(32) NOT NULL, CONSTRAINT \"runner_version_pkc\" PRIMARY KEY (version_num))"
        );
        assert_eq!(books().create(Tables { version: true, ledger: true }), None);
    }
}
