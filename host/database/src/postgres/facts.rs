//! What the schema holds, from the catalogues alone. No table is opened: sizes are those that the last `VACUUM` or `ANALYZE`
//! wrote down, because asking for the real ones waits for whoever has locked a table.

use std::time::Duration;

use sqlx::postgres::PgRow;

use crate::facts;
use crate::facts::Assembly;
use crate::facts::Column;
use crate::facts::Facts;
use crate::facts::ForeignKey;
use crate::facts::Index;
use crate::facts::RECENT_STEPS;
use crate::facts::Relation;
use crate::facts::RelationKind;
use crate::facts::Trigger;
use crate::outbox::name_beside;
use crate::reading::ReadError;
use crate::reading::Result;

use super::books::Books;
use super::books::quoted;
use super::link::Link;
use super::link::required;
use super::link::text;
use super::literal::identifier;
use super::literal::literal;

/// How long the definition of a view may wait for a table that somebody has locked.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// The relations of the session's schema, as a part of `FROM`.
const OURS: &str = "pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n \
                    ON n.oid = c.relnamespace AND n.nspname = pg_catalog.current_schema() \
                    AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";

const RELATIONS: &str = "SELECT c.oid::text, c.relname::text, c.relkind::text, c.reltuples::text, c.relpages::text, \
     CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END, \
     (c.oid = ANY (ARRAY[{runners}]))::text, t.relpages::text, pg_catalog.current_setting('block_size'), \
     pg_catalog.current_setting('server_version_num')";

const COLUMNS: &str = "SELECT a.attrelid::text, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), \
     a.attnotnull::text, (a.attgenerated <> '')::text, pg_catalog.pg_get_expr(d.adbin, d.adrelid)";

const INDEXES: &str = "SELECT i.indrelid::text, x.relname::text, i.indisunique::text, i.indisprimary::text, \
     (i.indisvalid AND i.indisready AND i.indislive)::text, pg_catalog.pg_get_expr(i.indpred, i.indrelid), \
     x.relpages::text, \
     pg_catalog.array_to_json(ARRAY(SELECT COALESCE(a.attname::text, \
         pg_catalog.pg_get_indexdef(i.indexrelid, k.place::integer, false)) \
       FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(number, place) \
       LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number <> 0 \
       WHERE k.place <= i.indnkeyatts ORDER BY k.place))::text";

const FOREIGN_KEYS: &str = "SELECT f.conrelid::text, f.conname::text, f.confdeltype::text, \
     CASE WHEN r.relnamespace <> c.relnamespace THEN s.nspname::text END, r.relname::text, \
     pg_catalog.array_to_json(ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(f.conkey) WITH ORDINALITY AS k(number, place) \
       JOIN pg_catalog.pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = k.number ORDER BY k.place))::text, \
     pg_catalog.array_to_json(ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(f.confkey) WITH ORDINALITY AS k(number, place) \
       JOIN pg_catalog.pg_attribute AS a ON a.attrelid = f.confrelid AND a.attnum = k.number ORDER BY k.place))::text";

impl Books {
    /// Collects the facts of a schema, by default the session's, in one round trip and at one moment; `limit` is for each query.
    /// Leaves a transaction open if it fails.
    pub(super) async fn facts(
        &self,
        link: &mut Link,
        schema: Option<&str>,
        limit: Duration,
        has_ledger: bool,
    ) -> Result<Facts> {
        let name = |table| literal(&quoted(table)).map_err(ReadError::Known);
        let runners = [name(&self.version)?, name(&self.ledger)?, name(&name_beside(&self.ledger))?]
            .map(|name| format!("pg_catalog.to_regclass({name})::oid"))
            .join(", ");
        let columns = facts::STEP_COLUMNS.map(|column| format!("CAST(l.{column} AS text)")).join(", ");
        // Without the table there is nothing to name.
        let steps = if has_ledger {
            let (ledger, is_outcome) = (quoted(&self.ledger), facts::is_outcome());
            format!("SELECT {columns} FROM {ledger} AS l WHERE {is_outcome} ORDER BY l.id DESC LIMIT {RECENT_STEPS}")
        } else {
            "SELECT 1 WHERE false".to_owned()
        };
        let mut statements = vec![
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned(),
            format!("SET LOCAL statement_timeout = {}", limit.as_millis()),
            format!("SET LOCAL lock_timeout = {}", LOCK_WAIT.as_millis()),
        ];
        // As it will be when scripts run.
        statements.extend(schema.map(|schema| format!("SET LOCAL search_path TO {}", identifier(schema))));
        let first = statements.len();
        statements.extend([
            format!(
                "{} FROM {OURS} LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid",
                RELATIONS.replace("{runners}", &runners)
            ),
            format!(
                "{COLUMNS} FROM {OURS} JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 \
                 AND NOT a.attisdropped \
                 LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
                 ORDER BY a.attrelid, a.attnum"
            ),
            format!(
                "{INDEXES} FROM {OURS} JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid \
                 JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid"
            ),
            format!(
                "{FOREIGN_KEYS} FROM {OURS} JOIN pg_catalog.pg_constraint AS f ON f.conrelid = c.oid AND f.contype = 'f' \
                 JOIN pg_catalog.pg_class AS r ON r.oid = f.confrelid \
                 JOIN pg_catalog.pg_namespace AS s ON s.oid = r.relnamespace"
            ),
            format!(
                "SELECT g.tgrelid::text, g.tgname::text, pg_catalog.pg_get_triggerdef(g.oid) \
                 FROM {OURS} JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = c.oid AND NOT g.tgisinternal"
            ),
            // Of a partitioned table only the statistics over all of its partitions are there.
            "SELECT tablename::text, attname::text, null_frac::text, n_distinct::text FROM pg_catalog.pg_stats \
             WHERE schemaname = pg_catalog.current_schema() ORDER BY inherited"
                .to_owned(),
            steps,
            "COMMIT".to_owned(),
        ]);
        let sets = link.rows(statements.join(";\n")).await?;
        let set = |index: usize| sets.get(first + index).map_or(&[][..], Vec::as_slice);
        let mut assembly = Assembly::default();
        let mut numbers = std::collections::HashMap::new();
        for row in set(0) {
            if let Some((number, relation)) = relation(row)? {
                numbers.insert(relation.name.clone(), number.clone());
                assembly.add(number, relation);
            }
        }
        for row in set(1) {
            assembly.add_column(required(row, 0)?, column(row)?);
        }
        let block = set(0).first().map_or(Ok(0), |row| number::<u64>(row, 8))?;
        for row in set(2) {
            add_index(&mut assembly, row, block)?;
        }
        for row in set(3) {
            if let Some(relation) = assembly.relation(required(row, 0)?) {
                relation.foreign_keys.push(foreign_key(row)?);
            }
        }
        for row in set(4) {
            if let Some(relation) = assembly.relation(required(row, 0)?) {
                let (name, definition) = (required(row, 1)?.to_owned(), required(row, 2)?.to_owned());
                relation.triggers.push(Trigger { name, definition });
            }
        }
        for row in set(5) {
            if let Some(number) = numbers.get(required(row, 0)?) {
                add_statistics(&mut assembly, number, row)?;
            }
        }
        let mut steps = Vec::new();
        for row in set(6) {
            let column = |index| text(row, index).ok().flatten().map(str::to_owned);
            steps.push(facts::recent_step(column).map_err(|(id, reason)| ReadError::Damaged { id, reason })?);
        }
        Ok(Facts { relations: assembly.finish(), steps })
    }
}

fn number<N: std::str::FromStr + Default>(row: &PgRow, column: usize) -> Result<N> {
    Ok(text(row, column)?.and_then(|digits| digits.parse().ok()).unwrap_or_default())
}

fn is(row: &PgRow, column: usize) -> Result<bool> {
    Ok(text(row, column)? == Some("true"))
}

/// A list that the server has written as JSON.
fn list(row: &PgRow, column: usize) -> Result<Vec<String>> {
    Ok(serde_json::from_str(required(row, column)?).unwrap_or_default())
}

/// A relation with the server's number for it; `None`: it is one of the runner's own.
fn relation(row: &PgRow) -> Result<Option<(String, Relation)>> {
    if is(row, 6)? {
        return Ok(None);
    }
    let kind = match required(row, 2)? {
        "p" => RelationKind::PartitionedTable,
        "v" => RelationKind::View,
        "m" => RelationKind::MaterializedView,
        _ => RelationKind::Table,
    };
    let mut relation = Relation::new(required(row, 1)?.to_owned(), kind);
    if kind != RelationKind::View {
        let (rows, pages): (f64, u64) = (number(row, 3)?, number(row, 4)?);
        // Before version 14 a table that was never looked at was the same as an empty one.
        let is_known = rows > 0.0 || (rows == 0.0 && (pages > 0 || number::<u32>(row, 9)? >= 140_000));
        relation.rows = is_known.then(|| whole(rows));
        let toast: u64 = number(row, 7)?;
        relation.bytes = (is_known && kind != RelationKind::PartitionedTable)
            .then(|| number::<u64>(row, 8).map(|block| (pages + toast) * block))
            .transpose()?;
    }
    relation.definition = text(row, 5)?.map(str::to_owned);
    Ok(Some((required(row, 0)?.to_owned(), relation)))
}

/// A number of rows or values that the statistics hold as a fraction.
fn whole(number: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates, and is never negative")]
    let whole = number.max(0.0).round() as u64;
    whole
}

fn column(row: &PgRow) -> Result<Column> {
    let generated = is(row, 4)?;
    Ok(Column {
        name: required(row, 1)?.to_owned(),
        data_type: required(row, 2)?.to_owned(),
        nullable: !is(row, 3)?,
        default: text(row, 5)?.filter(|_| !generated).map(str::to_owned),
        generated,
        primary_key: None,
        null_fraction: None,
        distinct_values: None,
    })
}

fn add_index(assembly: &mut Assembly, row: &PgRow, block: u64) -> Result<()> {
    let key = required(row, 0)?;
    let bytes = number::<u64>(row, 6)? * block;
    let index = Index {
        name: required(row, 1)?.to_owned(),
        columns: list(row, 7)?,
        unique: is(row, 2)?,
        primary: is(row, 3)?,
        predicate: text(row, 5)?.map(str::to_owned),
        valid: is(row, 4)?,
        bytes: (bytes > 0).then_some(bytes),
    };
    if index.primary {
        assembly.primary_key(key, &index.columns);
    }
    if let Some(relation) = assembly.relation(key) {
        if let Some(total) = &mut relation.bytes {
            *total += bytes;
        }
        relation.indexes.push(index);
    }
    Ok(())
}

fn foreign_key(row: &PgRow) -> Result<ForeignKey> {
    let on_delete = match required(row, 2)? {
        "r" => "RESTRICT",
        "c" => "CASCADE",
        "n" => "SET NULL",
        "d" => "SET DEFAULT",
        _ => "NO ACTION",
    };
    Ok(ForeignKey {
        name: Some(required(row, 1)?.to_owned()),
        columns: list(row, 5)?,
        referenced_schema: text(row, 3)?.map(str::to_owned),
        referenced_table: required(row, 4)?.to_owned(),
        referenced_columns: list(row, 6)?,
        on_delete: on_delete.to_owned(),
    })
}

fn add_statistics(assembly: &mut Assembly, key: &str, row: &PgRow) -> Result<()> {
    let rows = assembly.relation(key).and_then(|relation| relation.rows);
    let distinct: f64 = number(row, 3)?;
    let Some(column) = assembly.column(key, required(row, 1)?) else { return Ok(()) };
    if column.null_fraction.is_some() {
        return Ok(());
    }
    column.null_fraction = Some(number(row, 2)?);
    column.distinct_values = match rows {
        _ if distinct > 0.0 => Some(whole(distinct)),
        // A share of the rows, as a negative number.
        #[expect(clippy::cast_precision_loss, reason = "statistics are not exact")]
        Some(rows) if distinct < 0.0 => Some(whole(-distinct * rows as f64)),
        _ => None,
    };
    Ok(())
}
