//! What a statement takes away by name, whether there is data in it or not: for those who ask what depends on it.

use crate::dialect::Dialect;
use crate::sql::split::split;

use super::rows::take_wait;
use super::words::{Cursor, Words};
use super::{Effect, ObjectName, effects};

/// What kind of thing is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RemovalKind {
    /// A table.
    Table,
    /// A view, stored or not.
    View,
    /// A column of a table.
    Column,
    /// A column gets another type.
    ColumnType,
    /// All rows of a table (`TRUNCATE`).
    Rows,
    /// A constraint of a table.
    Constraint,
    /// An index; on MySQL of a table.
    Index,
    /// A sequence.
    Sequence,
    /// A trigger; on PostgreSQL of a table.
    Trigger,
    /// A function or a procedure.
    Routine,
    /// A type or a domain.
    Type,
    /// A rule of a table.
    Rule,
    /// A policy of a table.
    Policy,
    /// The default of a column.
    Default,
    /// A schema; on MySQL a database.
    Schema,
}

/// Something that a statement takes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// What kind of thing.
    pub kind: RemovalKind,
    /// What is taken away, or the table of which a part is.
    pub object: ObjectName,
    /// The part of the table: a column, a constraint, a trigger.
    pub part: Option<String>,
    /// Whether what depends on it goes along.
    pub cascade: bool,
}

/// What a statement takes away by name, in its order. What a statement does that is not understood is not among it: of that
/// [`effects`] tells.
pub fn removals(statement: &str, dialect: Dialect) -> Vec<Removal> {
    let mut found: Vec<Removal> = effects(statement, dialect).into_iter().filter_map(of_effect).collect();
    for part in split(statement, dialect, 1).unwrap_or_default() {
        if let Some(words) = Words::of(part.text, dialect) {
            // What could be read before it was not understood is right all the same.
            let _ = read(&mut words.cursor(), &mut found);
        }
    }
    found
}

fn of_effect(effect: Effect) -> Option<Removal> {
    let (kind, object, part, cascade) = match effect {
        Effect::DropTable { table, cascade } => (RemovalKind::Table, table, None, cascade),
        Effect::DropColumn { table, column, cascade } => (RemovalKind::Column, table, Some(column), cascade),
        Effect::ChangeType { table, column, .. } => (RemovalKind::ColumnType, table, Some(column), false),
        Effect::Truncate { table, cascade } => (RemovalKind::Rows, table, None, cascade),
        Effect::DropSchema { schema, cascade } => {
            (RemovalKind::Schema, ObjectName { schema: None, name: schema }, None, cascade)
        }
        _ => return None,
    };
    Some(Removal { kind, object, part, cascade })
}

fn read(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Removal>) -> Option<()> {
    if cursor.take(&["ALTER", "TABLE"]) {
        return altered(cursor, found);
    }
    cursor.take(&["DROP"]).then_some(())?;
    let is_postgres = cursor.is_postgres();
    let kind = match () {
        () if cursor.take(&["MATERIALIZED", "VIEW"]) || cursor.take(&["VIEW"]) => RemovalKind::View,
        () if cursor.take(&["INDEX"]) => RemovalKind::Index,
        () if cursor.take(&["SEQUENCE"]) => RemovalKind::Sequence,
        () if cursor.take(&["TRIGGER"]) => RemovalKind::Trigger,
        () if cursor.take_any(&["FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE"]) => RemovalKind::Routine,
        () if cursor.take_any(&["TYPE", "DOMAIN"]) => RemovalKind::Type,
        () if cursor.take(&["RULE"]) && is_postgres => RemovalKind::Rule,
        () if cursor.take(&["POLICY"]) && is_postgres => RemovalKind::Policy,
        () => return None,
    };
    cursor.take(&["CONCURRENTLY"]);
    cursor.take_if_exists();
    let cascade = is_postgres && cursor.words.before(cursor.end).is_some_and(|last| last.is("CASCADE"));
    let of_table = is_postgres && matches!(kind, RemovalKind::Trigger | RemovalKind::Rule | RemovalKind::Policy)
        || cursor.is_mysql() && kind == RemovalKind::Index;
    if of_table {
        let part = cursor.name()?;
        cursor.take(&["ON"]).then_some(())?;
        found.push(Removal { kind, object: cursor.object()?, part: Some(part), cascade });
        return Some(());
    }
    loop {
        let object = cursor.object()?;
        cursor.take_group();
        found.push(Removal { kind, object, part: None, cascade });
        if !cursor.take_symbol(",") {
            return Some(());
        }
    }
}

/// Parts of a table other than columns.
fn altered(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Removal>) -> Option<()> {
    cursor.take(&["IGNORE"]);
    cursor.take_if_exists();
    let table = cursor.table()?;
    if cursor.is_mysql() {
        take_wait(cursor);
    }
    for mut action in cursor.parts() {
        let cascade = action.is_postgres() && action.words.before(action.end).is_some_and(|last| last.is("CASCADE"));
        let mut push = |kind, part| found.push(Removal { kind, object: table.clone(), part, cascade });
        match () {
            () if action.take(&["DROP", "CONSTRAINT"]) || action.take(&["DROP", "FOREIGN", "KEY"]) => {
                action.take_if_exists();
                push(RemovalKind::Constraint, Some(action.name()?));
            }
            () if action.take(&["DROP", "PRIMARY", "KEY"]) => push(RemovalKind::Constraint, Some("PRIMARY".to_owned())),
            () if action.is_mysql() && (action.take(&["DROP", "INDEX"]) || action.take(&["DROP", "KEY"])) => {
                action.take_if_exists();
                push(RemovalKind::Index, Some(action.name()?));
            }
            () if action.take(&["ALTER"]) => {
                action.take(&["COLUMN"]);
                let column = action.name()?;
                if action.take(&["DROP", "DEFAULT"]) || action.take(&["SET", "DEFAULT"]) {
                    push(RemovalKind::Default, Some(column));
                }
            }
            () => {}
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(sql: &str, dialect: Dialect) -> String {
        let one = |removal: Removal| {
            let part = removal.part.map(|part| format!("/{part}")).unwrap_or_default();
            let cascade = if removal.cascade { " cascade" } else { "" };
            format!("{:?} {}{part}{cascade}", removal.kind, removal.object)
        };
        removals(sql, dialect).into_iter().map(one).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn what_is_taken_away_has_a_name() {
        use Dialect::{Mysql, Postgres, Sqlite};
        for (dialect, sql, expected) in [
            (Postgres, "DROP TABLE a, \"B\".\"C\" CASCADE", "Table a cascade; Table B.C cascade"),
            (Postgres, "DROP MATERIALIZED VIEW IF EXISTS a, s.b", "View a; View s.b"),
            (Postgres, "DROP FUNCTION f(int, text), g CASCADE", "Routine f cascade; Routine g cascade"),
            (Postgres, "DROP TRIGGER a ON s.t", "Trigger s.t/a"),
            (Postgres, "DROP INDEX CONCURRENTLY IF EXISTS s.i", "Index s.i"),
            (
                Postgres,
                "ALTER TABLE ONLY t DROP COLUMN a CASCADE, ALTER b TYPE text, DROP CONSTRAINT IF EXISTS k, ALTER COLUMN c DROP DEFAULT",
                "Column t/a cascade; ColumnType t/b; Constraint t/k; Default t/c",
            ),
            (Postgres, "DROP SCHEMA s CASCADE", "Schema s cascade"),
            (Postgres, "TRUNCATE a, b", "Rows a; Rows b"),
            (Postgres, "DO $$ BEGIN DROP TABLE t; END $$", ""),
            (Mysql, "DROP INDEX i ON d.t", "Index d.t/i"),
            (
                Mysql,
                "ALTER TABLE t DROP FOREIGN KEY `F k`, DROP KEY i, DROP PRIMARY KEY, DROP c",
                "Column t/c; Constraint t/F k; Index t/i; Constraint t/PRIMARY",
            ),
            (Mysql, "DROP TRIGGER IF EXISTS d.x", "Trigger d.x"),
            (Sqlite, "DROP VIEW [a b]", "View a b"),
            (Sqlite, "DROP TRIGGER IF EXISTS 'x'", "Trigger x"),
        ] {
            assert_eq!(shown(sql, dialect), expected, "{sql}");
        }
    }
}
