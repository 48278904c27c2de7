//! Scripts for `psql`.

use std::borrow::Cow;

use runner_chain::Dialect;

use crate::backend::Placement;
use crate::backend::Server;
use crate::error::Error;
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
use crate::transcript::Pen;
use crate::transcript::UNEXPECTED_ROWS;
use crate::transcript::ended;
use crate::transcript::stands_at;
use crate::url::DatabaseUrl;
use crate::words::Kind;
use crate::words::tokens;

use super::books::Books;
use super::books::quoted;
use super::connect::Settings;
use super::literal::identifier;
use super::literal::literal;
use super::statements;

/// What SQL calls this moment, in the form of the ledger.
const NOW: &str = "to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')";
/// Where a script remembers when its step began.
const BEGAN: &str = "runner.step_began";
/// What `psql` must do whatever its configuration says: stop at the first error, and leave transactions to the script.
const CLIENT: &str =
    "\\set ON_ERROR_STOP on\n\\set SINGLELINE off\n\\set ON_ERROR_ROLLBACK off\n\\set AUTOCOMMIT on\n\\encoding UTF8";

struct PostgresPen {
    books: Books,
    server: Server,
    settings: Settings,
}

/// What writes scripts for PostgreSQL.
pub(crate) fn pen(url: &DatabaseUrl, options: &Options, server: Option<&Server>) -> Result<Box<dyn Pen>> {
    let Some(address) = url.server() else { return Err(Error::Unsupported { dialect: url.dialect() }) };
    let unknown = || Server { product: "PostgreSQL".to_owned(), version: String::new(), database: String::new() };
    Ok(Box::new(PostgresPen {
        // Without a schema they are where the session's `search_path` says, as online.
        books: Books {
            version: TableName::parse("version_table", &options.version_table)?,
            ledger: TableName::parse("ledger_table", &options.ledger_table)?,
        },
        server: server.cloned().unwrap_or_else(unknown),
        settings: Settings::new(url, address, options)?,
    }))
}

fn optional(text: Option<&str>) -> Result<String> {
    text.map_or_else(|| Ok("NULL".to_owned()), literal)
}

/// A statement in which `psql` finds none of its own variables: `a[1:n]` becomes `a[1: n]`, which means the same.
fn without_variables(sql: &str) -> Cow<'_, str> {
    let is_adjacent = |at: usize, sign: char| sql.get(at..).is_some_and(|rest| rest.starts_with(sign));
    let mut places = Vec::new();
    for token in tokens(sql, Dialect::Postgres).filter(|token| token.kind == Kind::Symbol) {
        // Whatever is one symbol to the tokenizer, `psql` looks at each colon.
        for (offset, _) in token.text.match_indices(':') {
            let at = token.start + offset;
            let is_double = at > 0 && is_adjacent(at - 1, ':');
            let next = sql.get(at + 1..).and_then(|rest| rest.chars().next());
            let is_variable = next.is_some_and(|next| {
                next.is_alphanumeric() || matches!(next, '_' | '\'' | '"' | '{') || !next.is_ascii()
            });
            if is_variable && !is_double {
                places.push(at + 1);
            }
        }
    }
    if places.is_empty() {
        return Cow::Borrowed(sql);
    }
    let mut text = sql.to_owned();
    places.iter().rev().for_each(|place| text.insert(*place, ' '));
    Cow::Owned(text)
}

/// A body between dollar quotes that it does not hold.
fn dollar_quoted(body: &str) -> String {
    let mut tag = "$runner$".to_owned();
    let mut number = 0;
    while body.contains(&tag) {
        number += 1;
        tag = format!("$runner{number}$");
    }
    format!("{tag}\n{body}\n{tag}")
}

impl PostgresPen {
    /// What the URL asks of every session.
    fn options(&self) -> Result<String> {
        let set = |(name, value): (String, String)| Ok(format!("SET {} = {};", identifier(&name), literal(&value)?));
        let mut options: Vec<String> = self.settings.session_options()?.into_iter().map(set).collect::<Result<_>>()?;
        // As the driver sets them in every session, whatever the role, the database or the URL say.
        options.push("SET TimeZone = 'UTC';\nSET DateStyle = 'ISO, MDY';".to_owned());
        Ok(options.join("\n"))
    }

    /// What distinguishes the session from one that is just open.
    fn session(&self) -> Result<String> {
        let options = self.options()?;
        let separator = if options.is_empty() { "" } else { "\n" };
        Ok(format!("{options}{separator}{}", self.settings.of_working_session()))
    }

    /// Takes both of the runner's locks for this session.
    fn lock(&self) -> Result<String> {
        let TableName { schema, name } = &self.books.version;
        let schema = match schema {
            Some(schema) => literal(schema)?,
            None => "current_schema()".to_owned(),
        };
        let first = |text: &str| format!("('x' || left(encode(sha256({text}), 'hex'), 16))::bit(64)::bigint");
        let key = first(&format!(
            "convert_to('runner-lock/1', 'UTF8') || '\\x00' || convert_to({schema}, 'UTF8') || '\\x00' || convert_to({}, 'UTF8')",
            literal(name)?
        ));
        let work = first("convert_to('runner-work/1', 'UTF8') || '\\x00' || convert_to(key::text, 'UTF8')");
        let body = format!(
            "DECLARE\n  key bigint := {key};\n  work bigint := {work};\nBEGIN\n  \
               IF NOT (pg_try_advisory_lock(key) AND pg_try_advisory_lock(work)) THEN\n    \
                 RAISE EXCEPTION 'another runner holds the lock of this database';\n  END IF;\nEND"
        );
        Ok(format!("DO {};", dollar_quoted(&body)))
    }

    /// Procedures of this session that write the runner's tables. They look for them where the session began.
    fn procedures(&self, info: &RunInfo) -> Result<String> {
        let (version, ledger) = (quoted(&self.books.version), quoted(&self.books.ledger));
        let json = |value: &serde_json::Value| optional((!value.is_null()).then(|| value.to_string()).as_deref());
        let mut assigned = vec![
            format!("SELECT id + 1, hash INTO entry.id, entry.previous_hash FROM {ledger} ORDER BY id DESC LIMIT 1;"),
            format!(
                "IF NOT FOUND THEN\n    entry.id := 1;\n    entry.previous_hash := '{FIRST_PREVIOUS_HASH}';\n  END IF;"
            ),
        ];
        for (column, value) in [
            ("run_id", literal(&info.run_id)?),
            ("command", literal(&info.command)?),
            ("environment", literal(&info.environment)?),
            ("actor", literal(&info.actor)?),
            ("host", literal(&info.host)?),
            ("tool_version", literal(&info.tool_version)?),
            ("plugins", json(&info.plugins)?),
            ("finished_at", NOW.to_owned()),
            ("started_at", "entry.finished_at".to_owned()),
        ] {
            assigned.push(format!("entry.{column} := {value};"));
        }
        for column in GIVEN {
            assigned.push(format!("entry.{column} := its_{column};"));
        }
        assigned.push(format!(
            "IF its_revision IS NOT NULL THEN\n    entry.started_at := current_setting('{BEGAN}');\n    \
             entry.duration_ms := round(extract(epoch FROM entry.finished_at::timestamptz - entry.started_at::timestamptz) * 1000);\n  END IF;"
        ));
        let parts: Vec<String> =
            COLUMNS[..COLUMNS.len() - 1].iter().map(|column| format!("entry.{column}::text")).collect();
        assigned.push(format!(
            "SELECT encode(sha256(convert_to('runner-ledger/1', 'UTF8') || string_agg(\n      \
               CASE WHEN part IS NULL THEN '\\x00'::bytea\n      \
               ELSE '\\x01'::bytea || int8send(octet_length(convert_to(part, 'UTF8'))) || convert_to(part, 'UTF8') END,\n      \
               ''::bytea ORDER BY place)), 'hex')\n    INTO entry.hash\n    \
             FROM unnest(ARRAY[{}]) WITH ORDINALITY AS parts (part, place);",
            parts.join(", ")
        ));
        let columns = COLUMNS.join(", ");
        let values: Vec<String> = COLUMNS.iter().map(|column| format!("entry.{column}")).collect();
        assigned.push(format!("INSERT INTO {ledger} ({columns})\n    VALUES ({});", values.join(", ")));
        let record = format!("DECLARE\n  entry {ledger}%ROWTYPE;\nBEGIN\n  {}\nEND", assigned.join("\n  "));
        let moves = format!(
            "DECLARE\n  hit bigint;\nBEGIN\n  \
               IF cardinality(gone) = 1 AND cardinality(come) = 1 THEN\n    \
                 UPDATE {version} SET version_num = come[1] WHERE version_num = gone[1];\n    \
                 GET DIAGNOSTICS hit = ROW_COUNT;\n  \
               ELSE\n    \
                 DELETE FROM {version} WHERE version_num = ANY (gone);\n    \
                 GET DIAGNOSTICS hit = ROW_COUNT;\n    \
                 INSERT INTO {version} (version_num) SELECT unnest(come);\n  END IF;\n  \
               IF hit <> cardinality(gone) THEN\n    RAISE EXCEPTION '{UNEXPECTED_ROWS}';\n  END IF;\nEND"
        );
        let parameters: Vec<String> = GIVEN
            .iter()
            .map(|column| {
                let kind = if column.starts_with("statements") { "bigint" } else { "text" };
                format!("its_{column} {kind}{}", if *column == "status" { "" } else { " DEFAULT NULL" })
            })
            .collect();
        Ok(format!(
            "CREATE PROCEDURE pg_temp.runner_step() LANGUAGE plpgsql AS {};\n\
             CREATE PROCEDURE pg_temp.runner_moves(gone text[], come text[])\n  \
               LANGUAGE plpgsql SET search_path FROM CURRENT AS {};\n\
             CREATE PROCEDURE pg_temp.runner_record({})\n  LANGUAGE plpgsql SET search_path FROM CURRENT AS {};",
            dollar_quoted(&format!("BEGIN\n  PERFORM set_config('{BEGAN}', {NOW}, false);\nEND")),
            dollar_quoted(&moves),
            parameters.join(", "),
            dollar_quoted(&record),
        ))
    }
}

/// Columns of the ledger that a script gives for each row.
const GIVEN: [&str; 9] = [
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

impl Pen for PostgresPen {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn server(&self) -> &Server {
        &self.server
    }

    fn transactional_ddl(&self) -> bool {
        true
    }

    fn command(&self) -> &'static str {
        "psql DATABASE < SCRIPT"
    }

    fn opening(&self, info: &RunInfo, beginning: &Beginning) -> Result<String> {
        let condition = stands_at(beginning, &quoted(&self.books.version), &quoted(&self.books.ledger), literal)?;
        let check = format!("BEGIN\n  IF NOT ({condition}) THEN\n    RAISE EXCEPTION '{ELSEWHERE}';\n  END IF;\nEND");
        Ok(format!(
            "{CLIENT}\n{};\n\n\
             -- One runner at a time.\n{}\n\n\
             -- The runner's tables, and the state that this script begins with.\n\
             BEGIN;\nSET LOCAL client_min_messages = warning;\n{};\nDO {};\nCOMMIT;\n\n\
             -- What writes the runner's tables; gone with the session.\n{}",
            self.session()?,
            self.lock()?,
            self.books.create_if_missing(),
            dollar_quoted(&check),
            self.procedures(info)?,
        ))
    }

    fn clock(&self) -> &'static str {
        "CALL pg_temp.runner_step();"
    }

    fn begin(&self) -> &'static str {
        "BEGIN;"
    }

    fn statement(&self, sql: &str) -> String {
        ended(&without_variables(sql), ";")
    }

    fn record(&self, change: &VersionChange, rows: &[LedgerRow], as_login: bool) -> Result<String> {
        let mut sql = Vec::new();
        if as_login {
            sql.push("SET LOCAL SESSION AUTHORIZATION DEFAULT;\nSET LOCAL ROLE NONE;".to_owned());
        }
        let array = |ids: &[String]| {
            let ids: Vec<String> = ids.iter().map(|id| literal(id)).collect::<Result<_>>()?;
            Ok::<_, Error>(format!("ARRAY[{}]::text[]", ids.join(", ")))
        };
        if !(change.delete.is_empty() && change.insert.is_empty()) {
            let (gone, come) = (array(&change.delete)?, array(&change.insert)?);
            sql.push(format!("CALL pg_temp.runner_moves(gone => {gone}, come => {come});"));
        }
        for row in rows {
            let mut given = vec![format!("its_status => {}", literal(&row.status)?)];
            for (column, text) in [
                ("revision", &row.revision),
                ("direction", &row.direction),
                ("checksum", &row.checksum),
                ("sql_checksum", &row.sql_checksum),
                ("verdicts", &row.verdicts),
                ("error", &row.error),
            ] {
                if let Some(text) = text {
                    given.push(format!("its_{column} => {}", literal(text)?));
                }
            }
            for (column, number) in
                [("statements_done", row.statements_done), ("statements_total", row.statements_total)]
            {
                if let Some(number) = number {
                    given.push(format!("its_{column} => {number}"));
                }
            }
            sql.push(format!("CALL pg_temp.runner_record({});", given.join(", ")));
        }
        Ok(sql.join("\n"))
    }

    fn after(&self, sql: &str, info: &RunInfo) -> Result<String> {
        let start = statements::Start::of(sql);
        let clock = self.clock();
        Ok(if start.begins(&["DISCARD", "ALL"]) {
            format!("{}\n{}\n{}\n{clock}", self.options()?, self.lock()?, self.procedures(info)?)
        } else if start.begins(&["DISCARD", "TEMP"]) || start.begins(&["DISCARD", "TEMPORARY"]) {
            self.procedures(info)?
        } else if start.begins(&["RESET", "ALL"]) {
            format!("{}\n{clock}", self.options()?)
        } else if start.begins(&["RESET"]) {
            self.options()?
        } else {
            String::new()
        })
    }

    fn resets_inside_transactions(&self) -> bool {
        true
    }

    fn reset(&self, info: &RunInfo, _statements: &[String]) -> Result<String> {
        Ok(format!(
            "CLOSE ALL;\nSET SESSION AUTHORIZATION DEFAULT;\nRESET ALL;\nDEALLOCATE ALL;\nUNLISTEN *;\n\
             DO {};\nDISCARD TEMP;\nDISCARD SEQUENCES;\nSET ROLE NONE;\n{};\n{}\n{}",
            dollar_quoted("BEGIN\n  PERFORM pg_advisory_unlock_all();\nEND"),
            self.session()?,
            self.lock()?,
            self.procedures(info)?,
        ))
    }

    fn closing(&self) -> String {
        String::new()
    }

    fn preflight(&self, script: &StepScript) -> Vec<PreflightProblem> {
        statements::preflight(script, &self.books)
    }

    fn placement(&self, statement: &str) -> Placement {
        statements::placement(statement)
    }

    fn is_session_statement(&self, statement: &str) -> bool {
        statements::is_session_statement(statement)
    }

    fn changes_session(&self, statement: &str) -> bool {
        statements::changes_session(statement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn psql_finds_no_variables() {
        for (sql, written) in [
            ("SELECT x[1:ROW_COUNT]", "SELECT x[1: ROW_COUNT]"),
            ("SELECT x[a:b], y[:'c':\"d\"]", "SELECT x[a: b], y[: 'c': \"d\"]"),
            ("SELECT x::text, ':HOST', y -- :PORT", "SELECT x::text, ':HOST', y -- :PORT"),
            ("SELECT $$ :HOST $$, 'a:b'::text", "SELECT $$ :HOST $$, 'a:b'::text"),
            ("SELECT x[1 : n]", "SELECT x[1 : n]"),
        ] {
            assert_eq!(without_variables(sql), written);
        }
    }
}
