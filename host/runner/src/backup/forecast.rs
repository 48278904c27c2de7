//! What a plan would destroy, counted in the target as it is.

use std::time::Duration;

use runner_database::Dialect;
use runner_database::Reading;
use runner_database::Table;
use runner_database::quoted_name;
use serde::Serialize;

use super::affected::Loss;
use super::affected::Lost;
use crate::error::Result;

/// What is destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LossKind {
    /// A table goes with its rows.
    DropTable,
    /// All rows of a table go.
    Truncate,
    /// Some rows of a table may go.
    DeleteRows,
    /// Rows go because others do that they refer to.
    Cascade,
    /// A column goes with its values.
    DropColumn,
    /// Values get another type, which may not hold them.
    ChangeType,
    /// Values are overwritten.
    UpdateRows,
    /// Nobody can tell.
    Unknown,
}

/// One thing that a plan destroys.
#[derive(Clone, Debug, Serialize)]
pub struct LossReport {
    /// The revision.
    pub revision: String,
    /// The statement of it, from 1.
    pub statement: usize,
    /// What is destroyed.
    pub kind: LossKind,
    /// The table; `None` if nobody can tell which.
    pub table: Option<String>,
    /// The columns, where it is about some.
    pub columns: Vec<String>,
    /// Rows of the table.
    pub rows: Option<u64>,
    /// Values of the column that are not NULL.
    pub non_null: Option<u64>,
    /// Different values of the column.
    pub distinct: Option<u64>,
    /// Values that the new type cannot hold as they are; `None` where nobody counted.
    pub cut: Option<u64>,
    /// Whether the numbers were counted; otherwise they are the database's own estimate.
    pub exact: bool,
    /// The same as a sentence.
    pub message: String,
}

/// Counts what is lost. Each query may take `limit`; after that the database's estimate stands in for the answer.
pub(crate) async fn forecast(
    reading: &mut Reading<'_>,
    losses: &[Loss],
    tables: &[Table],
    dialect: Dialect,
    limit: Duration,
) -> Result<Vec<LossReport>> {
    let mut reports = Vec::with_capacity(losses.len());
    for loss in losses {
        let table = loss.table.and_then(|index| tables.get(index));
        let mut report = LossReport {
            revision: loss.revision.clone(),
            statement: loss.statement,
            kind: kind(&loss.what),
            table: table.map(|table| table.full_name().to_string()),
            columns: columns(&loss.what),
            rows: None,
            non_null: None,
            distinct: None,
            cut: None,
            exact: true,
            message: String::new(),
        };
        if let Some(table) = table {
            count(reading, &loss.what, table, dialect, limit, &mut report).await?;
        }
        report.message = sentence(&loss.what, &report);
        reports.push(report);
    }
    Ok(reports)
}

fn kind(what: &Lost) -> LossKind {
    match what {
        Lost::Table => LossKind::DropTable,
        Lost::Emptied => LossKind::Truncate,
        Lost::Rows => LossKind::DeleteRows,
        Lost::Cascade { .. } => LossKind::Cascade,
        Lost::Column(_) => LossKind::DropColumn,
        Lost::Narrowed { .. } => LossKind::ChangeType,
        Lost::Overwritten(_) => LossKind::UpdateRows,
        Lost::Unknown(_) | Lost::Elsewhere(_) => LossKind::Unknown,
    }
}

fn columns(what: &Lost) -> Vec<String> {
    match what {
        Lost::Column(column) | Lost::Narrowed { column, .. } => vec![column.clone()],
        Lost::Overwritten(columns) => columns.clone(),
        _ => Vec::new(),
    }
}

async fn count(
    reading: &mut Reading<'_>,
    what: &Lost,
    table: &Table,
    dialect: Dialect,
    limit: Duration,
    report: &mut LossReport,
) -> Result<()> {
    let mut wanted = vec!["count(*)".to_owned()];
    let column = match what {
        Lost::Column(column) | Lost::Narrowed { column, .. } => table.column(column),
        _ => None,
    };
    if let Some(column) = column {
        let name = quoted_name(&column.name, dialect);
        wanted.push(format!("count({name})"));
        // Not every type can be compared.
        let value = if dialect == Dialect::Postgres { format!("{name}::text") } else { name.clone() };
        wanted.push(format!("count(DISTINCT {value})"));
        if let Lost::Narrowed { to, .. } = what
            && let Some(condition) = is_cut(&name, &column.kind, to, dialect)
        {
            wanted.push(format!("sum(CASE WHEN {condition} THEN 1 ELSE 0 END)"));
        }
    }
    let cast = |value: &String| match dialect {
        Dialect::Postgres => format!("({value})::text"),
        Dialect::Sqlite => format!("CAST({value} AS TEXT)"),
        Dialect::Mysql => format!("CAST({value} AS CHAR)"),
    };
    let wanted: Vec<String> = wanted.iter().map(cast).collect();
    let only = if dialect == Dialect::Postgres { "ONLY " } else { "" };
    let sql = format!("SELECT {} FROM {only}{}", wanted.join(", "), table.sql_name(dialect));
    let Some(answer) = reading.ask(sql, limit).await? else {
        report.rows = table.rows_estimate;
        report.exact = false;
        return Ok(());
    };
    let number = |index: usize| answer.first()?.get(index)?.as_ref()?.parse::<u64>().ok();
    report.rows = number(0);
    if column.is_some() {
        (report.non_null, report.distinct, report.cut) = (number(1), number(2), number(3));
        // The sum over no rows is NULL.
        if wanted.len() > 3 && report.rows == Some(0) {
            report.cut = Some(0);
        }
    }
    Ok(())
}

/// A condition on values that a new type does not hold as they are; `None` where none is known.
fn is_cut(name: &str, from: &str, to: &str, dialect: Dialect) -> Option<String> {
    let to = to.to_ascii_lowercase();
    let (word, numbers) = match to.split_once('(') {
        Some((word, rest)) => (word.trim(), rest.split(')').next().unwrap_or_default()),
        None => (to.as_str(), ""),
    };
    let numbers: Vec<u32> = numbers.split(',').filter_map(|number| number.trim().parse().ok()).collect();
    let from = from.to_ascii_lowercase();
    let is_number = ["int", "numeric", "decimal", "real", "double", "float"].iter().any(|kind| from.contains(kind));
    let length = if dialect == Dialect::Sqlite { "length" } else { "char_length" };
    let range = |bits: u32| {
        let (low, high) = (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1);
        is_number.then(|| format!("{name} < {low} OR {name} > {high} OR {name} <> round({name})"))
    };
    match word.split_whitespace().next()? {
        "varchar" | "character" | "char" | "nvarchar" => {
            let longest = numbers.first().copied().or((word == "char").then_some(1))?;
            let value = if dialect == Dialect::Postgres { format!("{name}::text") } else { name.to_owned() };
            Some(format!("{length}({value}) > {longest}"))
        }
        "smallint" | "int2" => range(16),
        "int" | "integer" | "int4" | "serial" => range(32),
        "bigint" | "int8" => range(64),
        "tinyint" => range(8),
        "numeric" | "decimal" if is_number => {
            let (precision, scale) = (*numbers.first()?, numbers.get(1).copied().unwrap_or(0));
            let whole = precision.checked_sub(scale)?;
            Some(format!("abs({name}) >= 1e{whole} OR {name} <> round({name}, {scale})"))
        }
        "date" if from.starts_with("timestamp") || from.starts_with("datetime") => Some(match dialect {
            Dialect::Postgres => format!("{name} <> {name}::date"),
            _ => format!("{name} <> date({name})"),
        }),
        _ => None,
    }
}

fn sentence(what: &Lost, report: &LossReport) -> String {
    let table = report.table.as_deref().unwrap_or("?");
    let about = if report.exact { "" } else { "about " };
    let rows = |count: Option<u64>| match count {
        None => "an unknown number of rows".to_owned(),
        Some(1) => format!("{about}1 row"),
        Some(count) => format!("{about}{count} rows"),
    };
    match what {
        Lost::Table => format!("drops `{table}` with {}", rows(report.rows)),
        Lost::Emptied => format!("empties `{table}` of {}", rows(report.rows)),
        Lost::Rows => format!("deletes up to {} of `{table}`", rows(report.rows)),
        Lost::Cascade { on_delete } => {
            format!("deletes up to {} of `{table}` that refer to others (ON DELETE {on_delete})", rows(report.rows))
        }
        Lost::Column(column) => match (report.non_null, report.distinct) {
            (Some(values), Some(distinct)) => {
                format!("drops `{table}.{column}` with {values} values ({distinct} different ones)")
            }
            _ => format!("drops `{table}.{column}` with the values of {}", rows(report.rows)),
        },
        Lost::Narrowed { column, to } => match (report.cut, report.non_null) {
            (Some(0), _) => format!("makes `{table}.{column}` a `{to}`, which holds all of its values"),
            (Some(cut), _) => format!("makes `{table}.{column}` a `{to}`, which does not hold {cut} of its values"),
            (None, Some(values)) => format!("makes `{table}.{column}` with {values} values a `{to}`"),
            (None, None) => format!("makes `{table}.{column}` a `{to}`"),
        },
        Lost::Overwritten(columns) if columns.is_empty() => {
            format!("overwrites values in up to {} of `{table}`", rows(report.rows))
        }
        Lost::Overwritten(columns) => {
            format!("overwrites `{}` in up to {} of `{table}`", columns.join("`, `"), rows(report.rows))
        }
        Lost::Unknown(why) => format!("may destroy anything: {why}"),
        Lost::Elsewhere(name) => format!("changes `{name}` of another database, which can't be saved from here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_type_does_not_hold() {
        let cut = |from, to, dialect| is_cut("x", from, to, dialect);
        assert_eq!(cut("text", "varchar(20)", Dialect::Postgres).unwrap(), "char_length(x::text) > 20");
        assert_eq!(cut("varchar(9)", "CHAR(2)", Dialect::Mysql).unwrap(), "char_length(x) > 2");
        assert_eq!(cut("text", "character varying(5)", Dialect::Sqlite).unwrap(), "length(x) > 5");
        assert_eq!(cut("bigint", "smallint", Dialect::Postgres).unwrap(), "x < -32768 OR x > 32767 OR x <> round(x)");
        assert_eq!(cut("numeric", "numeric(5, 2)", Dialect::Postgres).unwrap(), "abs(x) >= 1e3 OR x <> round(x, 2)");
        assert_eq!(cut("timestamp without time zone", "date", Dialect::Postgres).unwrap(), "x <> x::date");
        for (from, to) in [("text", "integer"), ("text", "jsonb"), ("integer", "text"), ("text", "varchar")] {
            assert_eq!(cut(from, to, Dialect::Postgres), None);
        }
    }
}
