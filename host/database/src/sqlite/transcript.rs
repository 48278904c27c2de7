//! Scripts for the `sqlite3` shell.
//!
//! SQLite has no function for SHA-256, so a script brings one along as temporary views; see [`sha256`](super::sha256).

use runner_chain::Dialect;

use crate::backend::Placement;
use crate::backend::Server;
use crate::error::Result;
use crate::ledger::COLUMNS;
use crate::ledger::FIRST_PREVIOUS_HASH;
use crate::ledger::LedgerRow;
use crate::options::Options;
use crate::options::TableName;
use crate::preflight::PreflightProblem;
use crate::run::RunInfo;
use crate::script::StepScript;
use crate::script::VersionChange;
use crate::transcript::Beginning;
use crate::transcript::ELSEWHERE;
use crate::transcript::OVERTAKEN;
use crate::transcript::Pen;
use crate::transcript::ended;
use crate::transcript::stands_at;
use crate::words::Kind;
use crate::words::Token;
use crate::words::tokens;

use super::books::Books;
use super::sha256;
use super::statements;

/// Columns of the ledger that differ from row to row, as the table `runner_entry` of a script has them.
const ENTRY: [&str; 9] = [
    "status",
    "revision",
    "direction",
    "checksum",
    "sql_checksum",
    "statements_done",
    "statements_total",
    "verdicts",
    "error",
];
/// What SQL calls this moment, in the form of the ledger.
const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

/// What the shell must do whatever its defaults are: take SQL as SQLite itself does, and stop at the first error. Shells that do not
/// know `.dbconfig` say so and go on.
const CLIENT: &str = ".dbconfig dqs_ddl on\n.dbconfig dqs_dml on\n.dbconfig defensive off\n.dbconfig trusted_schema on\n\
    .bail on\n.timeout 5000";

struct SqlitePen {
    books: Books,
    server: Server,
    foreign_keys: bool,
}

/// What writes scripts for SQLite.
pub(crate) fn pen(options: &Options, server: Option<&Server>) -> Result<Box<dyn Pen>> {
    let unknown = || Server { product: "SQLite".to_owned(), version: String::new(), database: String::new() };
    Ok(Box::new(SqlitePen {
        books: Books {
            version: TableName::parse("version_table", &options.version_table)?,
            ledger: TableName::parse("ledger_table", &options.ledger_table)?,
        },
        server: server.cloned().unwrap_or_else(unknown),
        foreign_keys: options.foreign_keys,
    }))
}

/// A text as SQL.
fn literal(text: &str) -> String {
    if text.contains('\0') {
        let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        return format!("CAST(x'{digits}' AS TEXT)");
    }
    format!("'{}'", text.replace('\'', "''"))
}

fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), literal)
}

impl SqlitePen {
    fn session(&self) -> String {
        let keys = if self.foreign_keys { "ON" } else { "OFF" };
        format!("PRAGMA foreign_keys = {keys};\nPRAGMA legacy_alter_table = OFF;")
    }

    /// The table of rows to be written, and what becomes of each.
    fn ledger_writer(&self, info: &RunInfo) -> String {
        let ledger = &self.books.ledger.name;
        let json = |value: &serde_json::Value| optional((!value.is_null()).then(|| value.to_string()).as_deref());
        let value = |column: &str| match column {
            "id" => format!("(SELECT coalesce(max(id), 0) + 1 FROM \"{ledger}\")"),
            "run_id" => literal(&info.run_id),
            "command" => literal(&info.command),
            // The row of the run itself has no step.
            "started_at" => format!("CASE WHEN new.revision IS NULL THEN {NOW} ELSE began END"),
            "finished_at" => NOW.to_owned(),
            "duration_ms" => "CASE WHEN new.revision IS NOT NULL \
                 THEN CAST(round((julianday('now') - julianday(began)) * 86400000) AS INTEGER) END"
                .to_owned(),
            "environment" => literal(&info.environment),
            "actor" => literal(&info.actor),
            "host" => literal(&info.host),
            "tool_version" => literal(&info.tool_version),
            "plugins" => json(&info.plugins),
            "previous_hash" => {
                format!("coalesce((SELECT hash FROM \"{ledger}\" ORDER BY id DESC LIMIT 1), '{FIRST_PREVIOUS_HASH}')")
            }
            "hash" => "''".to_owned(),
            column => format!("new.{column}"),
        };
        let values: Vec<String> = COLUMNS.iter().map(|column| format!("    {}", value(column))).collect();
        let columns = COLUMNS.join(", ");
        format!(
            "CREATE TEMP TABLE runner_entry ({});\n\
             CREATE TEMP TABLE runner_row ({columns});\n\
             {}\n\
             CREATE TEMP TRIGGER runner_enter AFTER INSERT ON runner_entry BEGIN\n  \
               SELECT RAISE(ABORT, '{OVERTAKEN}') FROM runner_clock\n    \
                 WHERE tail <> (SELECT coalesce(max(id), 0) FROM \"{ledger}\");\n  \
               DELETE FROM runner_row;\n  \
               INSERT INTO runner_row SELECT\n{}\n  FROM runner_clock;\n\
             {}  \
               UPDATE runner_row SET hash = (SELECT hash FROM runner_sha256);\n  \
               INSERT INTO \"{ledger}\" ({columns}) SELECT {columns} FROM runner_row;\n  \
               UPDATE runner_clock SET tail = (SELECT id FROM runner_row);\n\
             END;",
            ENTRY.map(|column| if column == "status" { "status NOT NULL" } else { column }).join(", "),
            sha256::views(&COLUMNS[..COLUMNS.len() - 1]),
            values.join(",\n"),
            sha256::STEPS,
        )
    }

    /// The statements that change the version rows; how many rows the last of them must have changed.
    fn change_versions(&self, change: &VersionChange) -> (Vec<String>, Option<usize>) {
        let table = self.books.version.quoted();
        let list = |ids: &[String]| ids.iter().map(|id| literal(id)).collect::<Vec<_>>();
        if let ([old], [new]) = (change.delete.as_slice(), change.insert.as_slice()) {
            let (old, new) = (literal(old), literal(new));
            return (vec![format!("UPDATE {table} SET version_num = {new} WHERE version_num = {old};")], Some(1));
        }
        let (mut sql, mut expected) = (Vec::new(), None);
        if !change.delete.is_empty() {
            let gone = list(&change.delete).join(", ");
            sql.push(format!("DELETE FROM {table} WHERE version_num IN ({gone});"));
            expected = Some(change.delete.len());
        }
        if !change.insert.is_empty() {
            let come = list(&change.insert).join("), (");
            let condition = expected.map_or_else(String::new, |count| format!(" WHERE changes() = {count}"));
            sql.push(format!("INSERT INTO {table} (version_num) SELECT column1 FROM (VALUES ({come})){condition};"));
            expected = Some(change.insert.len());
        }
        (sql, expected)
    }
}

/// What the `sqlite3` shell would not hand on to SQLite as it stands, or what would take the script's own tables away.
fn refused_by_shell(sql: &str) -> Option<(&'static str, &'static str)> {
    if sql.starts_with(['.', '#']) {
        return Some((
            "the `sqlite3` shell takes a line that begins like this for a command or a comment of its own",
            "leave it out: SQLite itself does not know it",
        ));
    }
    let all: Vec<_> = tokens(sql, Dialect::Sqlite).collect();
    let stands_alone = |start: usize, end: usize| {
        let before = sql.get(..start).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
        let after = sql.get(end..).unwrap_or_default().split('\n').next().unwrap_or_default();
        before.trim().is_empty() && after.trim().is_empty()
    };
    let ends = |token: &Token<'_>| token.is_symbol("/") || token.kind == Kind::Word && token.is("GO");
    if all.iter().any(|token| ends(token) && stands_alone(token.start, token.end)) {
        return Some((
            "the `sqlite3` shell takes `/` or `go` alone on a line for the end of the statement",
            "put it on the line before or after",
        ));
    }
    let pragma = all.first().is_some_and(|first| first.is("PRAGMA"));
    if pragma && all.iter().any(|token| token.is("temp_store") || token.is("temp_store_directory")) {
        return Some((
            "`PRAGMA temp_store` deletes temporary tables, on which the script rests",
            "leave it out, or run this revision with the runner",
        ));
    }
    None
}

impl Pen for SqlitePen {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn server(&self) -> &Server {
        &self.server
    }

    fn transactional_ddl(&self) -> bool {
        true
    }

    fn command(&self) -> &'static str {
        "sqlite3 DATABASE < SCRIPT"
    }

    fn opening(&self, info: &RunInfo, beginning: &Beginning) -> Result<String> {
        let (version, ledger) = (self.books.version.quoted(), self.books.ledger.quoted());
        let condition = stands_at(beginning, &version, &ledger, |text| Ok(literal(text)))?;
        let (session, tables, writer) = (self.session(), self.books.create_if_missing(), self.ledger_writer(info));
        Ok(format!(
            "{CLIENT}\n{session}\n\n\
             -- The runner's tables, and the state that this script begins with.\n\
             CREATE TEMP TABLE runner_check (\n  \
               holds INTEGER CONSTRAINT \"{ELSEWHERE}\" CHECK (holds),\n  \
               encoding TEXT CONSTRAINT \"the database is not encoded in UTF-8\" CHECK (encoding = 'UTF-8')\n);\n\
             BEGIN IMMEDIATE;\n{tables};\n\
             INSERT INTO runner_check SELECT {condition},\n  (SELECT encoding FROM pragma_encoding);\n\
             CREATE TEMP TABLE runner_clock (began TEXT NOT NULL, tail INTEGER NOT NULL);\n\
             INSERT INTO runner_clock SELECT {NOW}, coalesce(max(id), 0) FROM {ledger};\n\
             COMMIT;\n\n\
             -- Rows of the ledger are chained by SHA-256, which SQLite does not know.\n{writer}"
        ))
    }

    fn clock(&self) -> &'static str {
        "UPDATE runner_clock SET began = strftime('%Y-%m-%dT%H:%M:%fZ', 'now');"
    }

    fn begin(&self) -> &'static str {
        "BEGIN IMMEDIATE;"
    }

    fn statement(&self, sql: &str) -> String {
        ended(sql, ";")
    }

    fn record(&self, change: &VersionChange, rows: &[LedgerRow], _as_login: bool) -> Result<String> {
        let (mut sql, mut expected) = self.change_versions(change);
        for row in rows {
            let status = literal(&row.status);
            let status = match expected.take() {
                Some(count) => format!("CASE changes() WHEN {count} THEN {status} END"),
                None => status,
            };
            let number = |value: Option<i64>| value.map_or_else(|| "NULL".to_owned(), |value| value.to_string());
            let values = [
                status,
                optional(row.revision.as_deref()),
                optional(row.direction.as_deref()),
                optional(row.checksum.as_deref()),
                optional(row.sql_checksum.as_deref()),
                number(row.statements_done),
                number(row.statements_total),
                optional(row.verdicts.as_deref()),
                optional(row.error.as_deref()),
            ];
            sql.push(format!("INSERT INTO runner_entry ({}) VALUES ({});", ENTRY.join(", "), values.join(", ")));
        }
        Ok(sql.join("\n"))
    }

    fn reset(&self, _info: &RunInfo, statements: &[String]) -> Result<String> {
        let mut sql = vec![self.session()];
        // Those that change what statements mean; the others only change how fast they are.
        let off = ["ignore_check_constraints", "recursive_triggers", "writable_schema", "case_sensitive_like"];
        sql.extend(off.iter().map(|pragma| format!("PRAGMA {pragma} = OFF;")));
        sql.push("PRAGMA reverse_unordered_selects = OFF;".to_owned());
        let mut attached = Vec::new();
        for statement in statements {
            let words: Vec<_> = tokens(statement, Dialect::Sqlite).collect();
            let Some(name) = words.last().map(|word| word.text.to_lowercase()) else { continue };
            if words.first().is_some_and(|word| word.is("ATTACH")) {
                attached.push(name);
            } else if words.first().is_some_and(|word| word.is("DETACH")) {
                attached.retain(|other| *other != name);
            }
        }
        sql.extend(attached.iter().map(|name| format!("DETACH \"{}\";", name.replace('"', "\"\""))));
        Ok(sql.join("\n"))
    }

    fn closing(&self) -> String {
        String::new()
    }

    fn preflight(&self, script: &StepScript) -> Vec<PreflightProblem> {
        let mut problems = statements::preflight(script, [&self.books.version, &self.books.ledger]);
        for (index, statement) in script.statements.iter().enumerate() {
            if let Some((message, help)) = refused_by_shell(&statement.text) {
                problems.push(PreflightProblem {
                    revision: script.revision.clone(),
                    direction: script.direction,
                    statement: Some(index),
                    message: message.to_owned(),
                    help: help.to_owned(),
                });
            }
        }
        problems
    }

    fn placement(&self, statement: &str) -> Placement {
        statements::placement(statement)
    }

    fn is_session_statement(&self, statement: &str) -> bool {
        statements::is_session_statement(statement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_shell_takes_for_itself() {
        for sql in [
            ".shell rm",
            ".exit 0",
            "#",
            "INSERT INTO t SELECT 10\n/\n2",
            "SELECT a\n  go \nFROM t",
            "pragma temp_store = 2",
        ] {
            assert!(refused_by_shell(sql).is_some(), "{sql}");
        }
        for sql in [
            "SELECT 10 /\n2",
            "SELECT '\n/\n'",
            "SELECT 1 -- x\n/ 2",
            "SELECT go FROM t",
            "SELECT \"\ngo\n\"",
            "PRAGMA foreign_keys = ON",
        ] {
            assert!(refused_by_shell(sql).is_none(), "{sql}");
        }
    }
}
